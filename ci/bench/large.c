/* large.c: 32 large blocks, 32 KiB to 4 MiB, replace each other at random; a byte of each page is
 * written. op: one free and one malloc.
 */
#include "bench.h"

enum { BLOCKS = 32 };

/* 32 KiB << 0 .. 6, and up to as much again. */
static size_t large_size(struct random *r) {
    size_t least = (size_t)32 * 1024 << random_below(r, 7);
    return least + random_below(r, least);
}

static void touch_pages(char *p, size_t bytes) {
    for (size_t at = 0; at < bytes; at += KIT_PAGE)
        *(volatile char *)(p + at) = 1;
}

int main(int argc, char **argv) {
    static void *block[BLOCKS];
    bench_begin(argc, argv);
    size_t ops = bench_count("ops", 20000);
    parameters_end();
    struct random r = bench_random(0);
    bench_clock_start();
    for (size_t i = 0; i < ops; i++) {
        void **place = &block[random_below(&r, BLOCKS)];
        size_t bytes = large_size(&r);
        b_free(*place);
        *place = b_malloc(bytes);
        touch_pages(*place, bytes);
    }
    bench_clock_stop(ops);
    for (unsigned i = 0; i < BLOCKS; i++)
        free(block[i]);
    return bench_end();
}
