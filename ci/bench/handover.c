/* handover.c: producers allocate, consumers free, a ring of 4096 blocks between each two. A side
 * that finds its ring full or empty yields the processor. op: one block.
 */
#include "bench.h"

#include <sched.h>

enum { RING = 4096, PAIRS_MAX = 64 };

struct ring {
    _Alignas(64) size_t written;
    _Alignas(64) size_t taken;
    _Alignas(64) void *block[RING];
};

static struct ring rings[PAIRS_MAX];
static size_t blocks_each;

static void wait_while_equal(const size_t *there, size_t value) {
    while (__atomic_load_n(there, __ATOMIC_ACQUIRE) == value)
        sched_yield();
}

static void *produce(struct ring *ring, uint64_t number) {
    struct random r = bench_random(number);
    for (size_t i = 0; i < blocks_each; i++) {
        if (i >= RING)
            wait_while_equal(&ring->taken, i - RING);
        size_t bytes = random_from(&r, 16, 1024);
        void *p = b_malloc(bytes);
        touch(p, bytes);
        ring->block[i % RING] = p;
        __atomic_store_n(&ring->written, i + 1, __ATOMIC_RELEASE);
    }
    return NULL;
}

static void *consume(struct ring *ring) {
    for (size_t i = 0; i < blocks_each; i++) {
        wait_while_equal(&ring->written, i);
        b_free(ring->block[i % RING]);
        __atomic_store_n(&ring->taken, i + 1, __ATOMIC_RELEASE);
    }
    return NULL;
}

static void *run(void *number) {
    size_t n = (size_t)number;
    struct ring *ring = &rings[n / 2];
    return n % 2 == 0 ? produce(ring, n) : consume(ring);
}

int main(int argc, char **argv) {
    bench_begin(argc, argv);
    size_t pairs = (size_t)parameter("pairs", 1), blocks = bench_count("ops", 2e6);
    parameters_end();
    if (pairs > PAIRS_MAX)
        die("at most %d pairs\n", PAIRS_MAX);
    blocks_each = blocks / pairs;
    bench_clock_start();
    bench_threads(2 * pairs, run);
    bench_clock_stop(blocks_each * pairs);
    return bench_end();
}
