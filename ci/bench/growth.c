/* growth.c: how the cost of single calls grows with the heap. One axis at a time:
 *
 *   axis=heap     at: MiB of live blocks of 64 KiB, of which only the first bytes are touched
 *   axis=free     at: free chunks of mixed sizes, none of which can merge with another
 *   axis=clear    at: small blocks that are made and then freed, groups of neighbours in another order
 *   axis=threads  at: threads that work side by side, each on its own blocks, ops each: else the more
 *                 there are, the more of what is measured is their start
 *   axis=regions  at: threads that have each made blocks and stay; blocks of all of them, so of as
 *                 many regions as the allocator gave them, are freed and made anew by one thread
 *
 * In the heap so made, but for clear, blocks of 16 bytes to 64 KiB replace each other at random; each single call
 * is timed (bench.h, LATENCY). op: one free and one malloc.
 */
#define LATENCY
#include "bench.h"

enum { BLOCKS = 512, GROUP = 8, REGION_BLOCKS = 256 };

static size_t at, ops;

static size_t any_size(struct random *r) {
    size_t most = (size_t)32 << random_below(r, 12);
    return random_from(r, most / 2, most);
}

static void replace(void **place, struct random *r) {
    size_t bytes = any_size(r);
    b_free(*place);
    *place = b_malloc(bytes);
    touch(*place, bytes);
}

static void measure(uint64_t number, size_t count) {
    void *block[BLOCKS] = {NULL};
    struct random r = bench_random(number);
    for (size_t i = 0; i < count; i++)
        replace(&block[random_below(&r, BLOCKS)], &r);
    for (unsigned i = 0; i < BLOCKS; i++)
        free(block[i]);
}

static void measure_alone(void) {
    bench_clock_start();
    measure(0, ops);
    bench_clock_stop(ops);
}

static void heap(void) {
    size_t count = at * 16;
    void **block = allocate(count * sizeof *block);
    for (size_t i = 0; i < count; i++)
        *(volatile char *)(block[i] = allocate(64 * 1024 - 16)) = 1;
    measure_alone();
    for (size_t i = 0; i < count; i++)
        free(block[i]);
    free(block);
}

/* Chunks of 200 to 3000 bytes, small ones more often, each before one of 32 bytes that stays. */
static void free_chunks(void) {
    struct random r = bench_random(1);
    void **chunk = allocate(at * sizeof *chunk), **between = allocate(at * sizeof *between);
    for (size_t i = 0; i < at; i++) {
        chunk[i] = allocate(random_below(&r, 10) == 0 ? random_from(&r, 1100, 3000)
                                                      : random_from(&r, 200, 600));
        between[i] = allocate(24);
    }
    for (size_t i = 0; i < at; i++)
        free(chunk[i]);
    measure_alone();
    for (size_t i = 0; i < at; i++)
        free(between[i]);
    free(chunk);
    free(between);
}

/* So that free pages appear here and there, and are many runs in the end. */
static void clear(void) {
    struct random r = bench_random(0);
    size_t groups = at / GROUP + 1;
    void *(*group)[GROUP] = allocate(groups * sizeof *group);
    bench_clock_start();
    for (size_t g = 0; g < groups; g++)
        for (unsigned i = 0; i < GROUP; i++)
            *(volatile char *)(group[g][i] = b_malloc(random_from(&r, 16, 500))) = 1;
    for (size_t left = groups; left > 0; left--) {
        size_t g = random_below(&r, left);
        for (unsigned i = 0; i < GROUP; i++)
            b_free(group[g][i]);
        memcpy(group[g], group[left - 1], sizeof group[g]);
    }
    bench_clock_stop(groups * GROUP);
    free(group);
}

static void *measure_in_thread(void *number) {
    measure((size_t)number, ops);
    return NULL;
}

static void threads(void) {
    bench_clock_start();
    bench_threads(at, measure_in_thread);
    bench_clock_stop(ops * at);
}

/* ---- Regions ----------------------------------------------------------------------------------- */

static void *block_of[LATENCY_THREADS][REGION_BLOCKS];
static pthread_barrier_t all_started, all_made, measured;

/* All threads at once, so that they meet and are given arenas of their own. */
static void *make_blocks(void *number) {
    void **block = block_of[(size_t)number];
    struct random r = bench_random((size_t)number);
    pthread_barrier_wait(&all_started);
    for (unsigned i = 0; i < REGION_BLOCKS; i++)
        block[i] = allocate(any_size(&r));
    pthread_barrier_wait(&all_made);
    pthread_barrier_wait(&measured);
    return NULL;
}

static void *measure_regions(void *unused) {
    struct random r = bench_random(1000);
    pthread_barrier_wait(&all_made);
    bench_clock_start();
    for (size_t i = 0; i < ops; i++)
        replace(&block_of[random_below(&r, at)][random_below(&r, REGION_BLOCKS)], &r);
    bench_clock_stop(ops);
    pthread_barrier_wait(&measured);
    return unused;
}

static void regions(void) {
    pthread_t measurer;
    pthread_barrier_init(&all_started, NULL, (unsigned)at);
    pthread_barrier_init(&all_made, NULL, (unsigned)at + 1);
    pthread_barrier_init(&measured, NULL, (unsigned)at + 1);
    if (pthread_create(&measurer, NULL, measure_regions, NULL) != 0)
        die("a thread cannot be started\n");
    bench_threads(at, make_blocks);
    pthread_join(measurer, NULL);
}

int main(int argc, char **argv) {
    struct {
        const char *name;
        void (*run)(void);
    } const axes[] = {{"heap", heap},
                      {"free", free_chunks},
                      {"clear", clear},
                      {"threads", threads},
                      {"regions", regions}};
    bench_begin(argc, argv);
    const char *axis = parameter_text("axis", "heap");
    at = (size_t)parameter("at", 1);
    ops = bench_count("ops", 2e5);
    parameters_end();
    if (at < 1 || ((axis[0] == 't' || axis[0] == 'r') && at > LATENCY_THREADS - 1))
        die("at=%zu is out of range\n", at);
    for (size_t i = 0; i < sizeof axes / sizeof axes[0]; i++)
        if (strcmp(axis, axes[i].name) == 0) {
            axes[i].run();
            return 0;
        }
    die("axis=%s is none of heap, free, clear, threads, regions\n", axis);
}
