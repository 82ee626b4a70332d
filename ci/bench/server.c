/* server.c: threads serve requests. Each request allocates 20 blocks of mixed sizes. Most are freed
 * when it ends; 1 in 10 lives on in the thread's own store and 1 in 20 in one that all threads
 * share, until a later request draws the same place: so lifetimes are random, and blocks are freed
 * by another thread than made them. op: one block.
 */
#include "bench.h"

enum { BLOCKS = 20, OWN = 500, SHARED = 4000 };

static size_t requests_each;
static void *shared[SHARED];

static void keep(void **own, struct random *r, void *p, size_t lot) {
    if (lot < 5) {
        void **place = &shared[random_below(r, SHARED)];
        b_free(__atomic_exchange_n(place, p, __ATOMIC_ACQ_REL));
    } else {
        void **place = &own[random_below(r, OWN)];
        b_free(*place);
        *place = p;
    }
}

static void request(void **own, struct random *r) {
    void *block[BLOCKS];
    for (unsigned i = 0; i < BLOCKS; i++) {
        size_t bytes = random_size(r);
        block[i] = b_malloc(bytes);
        touch(block[i], bytes);
    }
    for (unsigned i = 0; i < BLOCKS; i++) {
        size_t lot = random_below(r, 100);
        if (lot < 15)
            keep(own, r, block[i], lot);
        else
            b_free(block[i]);
    }
}

static void *serve(void *number) {
    struct random r = bench_random((size_t)number);
    void *own[OWN] = {NULL};
    for (size_t i = 0; i < requests_each; i++)
        request(own, &r);
    for (unsigned i = 0; i < OWN; i++)
        b_free(own[i]);
    return NULL;
}

int main(int argc, char **argv) {
    bench_begin(argc, argv);
    size_t threads = (size_t)parameter("threads", 2), requests = bench_count("requests", 4e5);
    parameters_end();
    requests_each = requests / threads + 1;
    bench_clock_start();
    bench_threads(threads, serve);
    bench_clock_stop(requests_each * threads * BLOCKS);
    for (unsigned i = 0; i < SHARED; i++)
        free(shared[i]);
    return bench_end();
}
