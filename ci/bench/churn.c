/* churn.c: small objects of random size replace each other at random. op: one free and one malloc.
 */
#include "bench.h"

static size_t small_size(struct random *r) {
    return random_below(r, 4) == 0 ? random_from(r, 16, 1000) : random_from(r, 16, 128);
}

int main(int argc, char **argv) {
    bench_begin(argc, argv);
    size_t ops = bench_count("ops", 2e7), blocks = (size_t)parameter("blocks", 10000);
    parameters_end();
    struct random r = bench_random(0);
    void **block = calloc(blocks, sizeof *block);
    bench_clock_start();
    for (size_t i = 0; i < ops; i++) {
        size_t slot = random_below(&r, blocks), bytes = small_size(&r);
        b_free(block[slot]);
        block[slot] = b_malloc(bytes);
        touch(block[slot], bytes);
    }
    bench_clock_stop(ops);
    for (size_t slot = 0; slot < blocks; slot++)
        free(block[slot]);
    free(block);
    return bench_end();
}
