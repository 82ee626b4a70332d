/* batch.c: 1000 blocks of 64 bytes are allocated, then freed in another order. op: one block. */
#include "bench.h"

enum { BLOCKS = 1000 };

/* Fisher and Yates. */
static void shuffle(unsigned order[BLOCKS], struct random *r) {
    for (unsigned i = 0; i < BLOCKS; i++)
        order[i] = i;
    for (unsigned i = BLOCKS - 1; i > 0; i--) {
        size_t j = random_below(r, i + 1);
        unsigned kept = order[i];
        order[i] = order[j];
        order[j] = kept;
    }
}

int main(int argc, char **argv) {
    static void *block[BLOCKS];
    static unsigned order[BLOCKS];
    bench_begin(argc, argv);
    size_t rounds = bench_count("rounds", 20000);
    parameters_end();
    struct random r = bench_random(0);
    shuffle(order, &r);
    bench_clock_start();
    for (size_t round = 0; round < rounds; round++) {
        for (unsigned i = 0; i < BLOCKS; i++) {
            block[i] = b_malloc(64);
            touch(block[i], 64);
        }
        for (unsigned i = 0; i < BLOCKS; i++)
            b_free(block[order[i]]);
    }
    bench_clock_stop(rounds * BLOCKS);
    return bench_end();
}
