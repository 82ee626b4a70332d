/* exec.h: runs a program on the target and asks every oracle.
 *
 * Oracles of its own, beside those of model.h and of the simulated world: "errno" (who may set
 * it, and to what), "enomem" (a call failed although the system refused nothing), "must-fail",
 * "usable", "mallopt", "accounting" (mallinfo2 against the live blocks), "info" (malloc_info's
 * text), "walker" (cp_check), "lock" (a lock still held after a call), "settled" (no thread is in
 * the allocator, and something is left for one to do), "baseline" (everything freed and trimmed,
 * and memory is not back).
 */
#ifndef CP_EXEC_H
#define CP_EXEC_H

#include "model.h"
#include "ops.h"

struct exec_options {
    FILE *trace; /* every operation and its result; may be NULL */
    int walk_every; /* instead of the program's; 0: never; below 0: the program's own */
    bool look; /* the model compares contents after each operation */
};

struct exec_result {
    uint64_t operations;
    uint64_t hash; /* of every result: two runs of one program are equal when this is */
};

/* Runs the program; does not return if an oracle speaks. Names of fields in `trace` are for
 * people, not for programs. */
struct exec_result exec_run(const struct program *program, const struct exec_options *options);

#endif
