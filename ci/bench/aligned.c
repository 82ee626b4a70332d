/* aligned.c: 2000 aligned blocks, alignment 32 to 4096 and 1 to 4000 bytes, replace each other at
 * random. op: one free and one memalign.
 */
#include "bench.h"

enum { BLOCKS = 2000 };

int main(int argc, char **argv) {
    static void *block[BLOCKS];
    bench_begin(argc, argv);
    size_t ops = bench_count("ops", 3e6);
    parameters_end();
    struct random r = bench_random(0);
    bench_clock_start();
    for (size_t i = 0; i < ops; i++) {
        void **place = &block[random_below(&r, BLOCKS)];
        size_t bytes = random_from(&r, 1, 4000);
        b_free(*place);
        *place = b_memalign((size_t)32 << random_below(&r, 8), bytes);
        touch(*place, bytes);
    }
    bench_clock_stop(ops);
    for (unsigned i = 0; i < BLOCKS; i++)
        free(block[i]);
    return bench_end();
}
