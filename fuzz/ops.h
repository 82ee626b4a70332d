/* ops.h: programs as bytes, as operations and as text.
 *
 * Any bytes are a program. A header of HEADER_BYTES describes the world, records of RECORD_BYTES
 * are operations, what is cut off at the end counts as zero bytes of the header or is left out.
 *
 *   header   0     bits 0-2: 0 guarded pages; bit 3: gap between mappings; bit 4: mremap moves;
 *                  bits 5-6: processors - 1; bit 7: the blocks left are freed in reverse
 *            1     how often the walker runs; from 252 on: large blocks are not rationed
 *            2-3   seed of the core's secrets
 *            4     environment variables, an index
 *            5     memory limit, an index
 *            6-14  three planned failures: kind, first, count
 *            15    bits 0-2: threads - 1; bits 3-7: with 2-3 the seed of the schedule (sim/sched.h);
 *                  0: operations run in their order, 1-15: by priorities, 16-31: threads meet
 *
 *   record   0     operation; SCHEDULE_FIRST and above: a preemption of the record that follows
 *            1     thread, modulo their number
 *            2     slot
 *            3     variant: alignment, parameter, count or which call must fail
 *            4     size class, see ops.c
 *            5     signed distance from the class's border
 *            6-7   scale
 *
 *   preemption     the thread that performs the next record's operation stops at its switch point
 *            3     of this number (from 224 on: the number in 6-7), for
 *            1     this thread to run
 *            2     this many operations, modulo 4, and one.
 *                  So an edit before it, or of the operations, leaves a schedule in its place.
 *
 * Blocks live in SLOTS numbered slots. Which slot a record means is settled here, in the order
 * of the records, without running anything: an allocation goes to the next slot not in use, a
 * free to the next one in use. An allocation that returns NULL leaves its slot "in use" with
 * NULL, which every call accepts. So a program has one text whatever the allocator does or the
 * schedule is: an operation waits for the one that touched its slot last, whichever thread that
 * belongs to, and all others may come in any order.
 */
#ifndef CP_OPS_H
#define CP_OPS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "sim/sched.h"
#include "sim/sim.h"

#define HEADER_BYTES 16u
#define RECORD_BYTES 8u
#define RECORDS_MAX 512u
#define PROGRAM_BYTES_MAX (HEADER_BYTES + RECORDS_MAX * RECORD_BYTES)
#define OPS_MAX 1024u /* a record can stand for several operations */
#define SLOTS 256u
#define SCHEDULE_FIRST 240u
#define MEETINGS_FIRST 16u /* of the seeds of schedules */
#define PREEMPTIONS_MAX 64u
#define NO_SLOT UINT16_MAX

enum op_code {
    OP_MALLOC,
    OP_CALLOC,
    OP_REALLOC,
    OP_REALLOCARRAY,
    OP_ALIGNED_ALLOC,
    OP_MEMALIGN,
    OP_POSIX_MEMALIGN,
    OP_VALLOC,
    OP_PVALLOC,
    OP_FREE,
    OP_FREE_SIZED,
    OP_FREE_ALIGNED_SIZED,
    OP_USABLE_SIZE,
    OP_WRITE, /* the program writes its block anew */
    OP_MALLOPT,
    OP_TRIM,
    OP_MALLINFO,
    OP_MALLOC_INFO,
    OP_MALLOC_STATS,
    OP_MUST_FAIL,
    OP_CHECK, /* the walker, now */
    OP_CLOCK, /* time passes */
    OP_FOREIGN_BRK, /* another user of brk */
    OP_THREAD_END,
    OP_FORK,
    OP_CODES
};

/* Calls that cannot succeed, in the program's text and in exec.c alike. */
enum must_fail {
    FAIL_MALLOC,
    FAIL_CALLOC_OVERFLOW,
    FAIL_CALLOC_LARGE,
    FAIL_REALLOC,
    FAIL_REALLOC_NULL,
    FAIL_REALLOCARRAY,
    FAIL_ALIGNED_ALLOC,
    FAIL_ALIGNED_ALLOC_SIZE,
    FAIL_POSIX_MEMALIGN,
    FAIL_POSIX_MEMALIGN_SIZE,
    FAIL_MEMALIGN,
    FAIL_MEMALIGN_SIZE,
    FAIL_MEMALIGN_HUGE,
    FAIL_VALLOC,
    FAIL_PVALLOC,
    FAIL_MALLOC_INFO,
    FAIL_KINDS
};

struct op {
    enum op_code code;
    uint8_t variant; /* of OP_MUST_FAIL, OP_FORK, OP_THREAD_END */
    uint8_t thread; /* from 0 */
    uint16_t slot; /* or NO_SLOT */
    uint16_t record; /* it comes from */
    uint16_t first; /* operation of that record */
    uint16_t after; /* operation that must be done before this one; itself: none */
    int parameter, value; /* of OP_MALLOPT */
    size_t count; /* of OP_CALLOC, OP_REALLOCARRAY: with size, the bytes of one */
    size_t size;
    size_t alignment;
};

struct program {
    struct sim_config world;
    unsigned environment; /* index of it, for the trace */
    unsigned walk_every; /* operations between two walks; 0: only at the end */
    bool free_in_reverse;
    unsigned threads;
    unsigned pct; /* see sched_program */
    bool meetings;
    unsigned preemptions;
    struct sched_preemption preemption[PREEMPTIONS_MAX];
    unsigned ops;
    struct op op[OPS_MAX];
};

void program_decode(struct program *program, const uint8_t *bytes, size_t size);

/* What a mutator needs to know of the encoding. */
unsigned ops_environments(void);
uint8_t ops_code_byte(enum op_code code); /* first byte of a record */
unsigned ops_size_classes(void);
unsigned ops_mallopt_values(void);

/* "malloc(40) -> p3", without a newline. */
void op_print(FILE *out, const struct op *op);
/* The world in words, one line. */
void world_print(FILE *out, const struct program *program);
/* A program in C that does the same calls with the same checks and needs only the library. */
void program_print_c(FILE *out, const struct program *program, const char *name);

#endif
