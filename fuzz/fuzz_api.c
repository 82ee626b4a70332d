/* fuzz_api.c: the target `api`: any bytes are a legal program.
 *
 * Environment: FUZZ_WALK=N makes the walker run every N operations (0: never) instead of as often
 * as the input says; FUZZ_STATS: see counters.h.
 */
#include <stdlib.h>

#include "counters.h"
#include "exec.h"
#include "target.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct exec_options options = {.walk_every = -1, .look = true};

/* What exec.c measures once for each environment must not happen within a run that an engine
 * observes: the same input would take other edges the second time. */
static void warm_up(void) {
    static struct program program;
    for (unsigned i = 0; i < ops_environments(); i++) {
        uint8_t header[HEADER_BYTES] = {[0] = 1, [4] = (uint8_t)i};
        program_decode(&program, header, sizeof header);
        exec_run(&program, &options);
    }
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc, (void)argv;
    const char *walk = getenv("FUZZ_WALK");
    if (walk != NULL)
        options.walk_every = atoi(walk);
    counters_open();
    if (target.simulated)
        warm_up();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct program program;
    program_decode(&program, data, size);
    struct exec_result result = exec_run(&program, &options);
    counters_add(result.operations);
    return 0;
}
