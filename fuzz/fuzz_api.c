/* fuzz_api.c: the libFuzzer target `api`: any bytes are a legal program of one thread.
 *
 * Environment: FUZZ_WALK=N makes the walker run every N operations (0: never) instead of as often
 * as the input says; FUZZ_STATS=FILE names a file of two 64-bit counters, runs and operations,
 * kept up to date for whoever watches.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "exec.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct {
    uint64_t runs;
    uint64_t operations;
} own_counters, *counters = (void *)&own_counters;

static struct exec_options options = {.walk_every = -1, .look = true};

static void map_counters(const char *path) {
    int fd = open(path, O_RDWR | O_CREAT, 0666);
    if (fd < 0 || ftruncate(fd, sizeof *counters) != 0) {
        perror(path);
        exit(2);
    }
    void *p = mmap(NULL, sizeof *counters, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (p != MAP_FAILED)
        counters = p;
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc, (void)argv;
    const char *walk = getenv("FUZZ_WALK"), *stats = getenv("FUZZ_STATS");
    if (walk != NULL)
        options.walk_every = atoi(walk);
    if (stats != NULL)
        map_counters(stats);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct program program;
    program_decode(&program, data, size);
    struct exec_result result = exec_run(&program, &options);
    counters->runs++;
    counters->operations += result.operations;
    return 0;
}
