/* pair64.c: malloc(64), one write, free, over and over: the bare fast path. op: a pair. */
#include "bench.h"

int main(int argc, char **argv) {
    bench_begin(argc, argv);
    size_t ops = bench_count("ops", 5e7);
    parameters_end();
    bench_clock_start();
    for (size_t i = 0; i < ops; i++) {
        void *p = b_malloc(64);
        touch(p, 64);
        b_free(p);
    }
    bench_clock_stop(ops);
    return bench_end();
}
