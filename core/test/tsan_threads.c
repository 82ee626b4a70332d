/* tsan_threads.c [seconds] [seed]: every call from many threads, under ThreadSanitizer.
 *
 * 16 threads exchange blocks through shared slots while one tunes, one reads statistics, one
 * walks the heap and trims, and short-lived threads come and go. Contents are verified by
 * whoever takes a block.
 */
#define _GNU_SOURCE 1
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "../chunkproof.h"
#include "kit.h"

enum { THREADS = 16, SLOTS = 256 };

struct block {
    size_t bytes; /* of contents */
    uint64_t seed;
    unsigned char contents[];
};

static _Atomic(struct block *) slots[SLOTS];
static atomic_bool stop;
static atomic_ullong rounds;

static bool stopped(void) { return atomic_load_explicit(&stop, memory_order_relaxed); }

static size_t random_size(uint64_t *rng) {
    size_t kind = rng_below(rng, 1000);
    return rng_below(rng, kind < 800 ? 300 : kind < 990 ? 5000 : 300000);
}

static struct block *block_new(uint64_t *rng) {
    size_t bytes = random_size(rng);
    size_t all = bytes + sizeof(struct block);
    size_t alignment = (size_t)16 << rng_below(rng, 8);
    struct block *b = NULL;
    void *out = NULL;
    switch (rng_below(rng, 6)) {
    case 0:
        b = cp_calloc(1, all);
        REQUIRE_FOR(bytes, b != NULL && all_bytes(b, all, 0));
        break;
    case 1:
        b = cp_memalign(alignment, all);
        break;
    case 2:
        REQUIRE(cp_posix_memalign(&out, alignment, all) == 0);
        b = out;
        break;
    default:
        b = cp_malloc(all);
    }
    REQUIRE_FOR(bytes, b != NULL && is_aligned(b, 16));
    b->bytes = bytes;
    b->seed = rng_next(rng);
    pattern_fill(b->contents, bytes, b->seed);
    return b;
}

static void block_free(struct block *b, uint64_t *rng) {
    if (b == NULL)
        return;
    REQUIRE_FOR(b->bytes, cp_malloc_usable_size(b) >= b->bytes + sizeof *b);
    REQUIRE_FOR(b->bytes, pattern_holds(b->contents, b->bytes, b->seed));
    if (rng_below(rng, 5) == 0) {
        size_t bytes = random_size(rng);
        size_t prefix = bytes < b->bytes ? bytes : b->bytes;
        b = cp_realloc(b, bytes + sizeof *b);
        REQUIRE_FOR(bytes, b != NULL && pattern_holds(b->contents, prefix, b->seed));
    }
    cp_free(b);
}

static void exchange_some(uint64_t *rng, int count) {
    for (int i = 0; i < count; i++) {
        struct block *b = rng_below(rng, 8) ? block_new(rng) : NULL;
        block_free(atomic_exchange(&slots[rng_below(rng, SLOTS)], b), rng);
    }
}

static void *exchange(void *seed) {
    uint64_t rng = (uintptr_t)seed;
    while (!stopped()) {
        exchange_some(&rng, 100);
        atomic_fetch_add(&rounds, 1);
    }
    return NULL;
}

static void *short_lived(void *seed) {
    uint64_t rng = (uintptr_t)seed;
    exchange_some(&rng, 50);
    return NULL;
}

static void *come_and_go(void *seed) {
    uint64_t rng = (uintptr_t)seed;
    while (!stopped()) {
        pthread_t thread;
        void *own = (void *)(uintptr_t)rng_next(&rng);
        REQUIRE(pthread_create(&thread, NULL, short_lived, own) == 0);
        REQUIRE(pthread_join(thread, NULL) == 0);
    }
    return NULL;
}

static void rest(void) {
    struct timespec pause = {0, 2000000};
    nanosleep(&pause, NULL);
}

static void *tune(void *seed) {
    static const int parameters[] = {1, -1, -2, -3, -4, -5, -6, -7, -8};
    uint64_t rng = (uintptr_t)seed;
    while (!stopped()) {
        int parameter = parameters[rng_below(&rng, 9)];
        int value = (int)rng_below(&rng, 1 << 18);
        if (parameter == 1)
            value %= 160;
        if (parameter == -8)
            value = value % 16 + 1;
        REQUIRE_FOR(parameter, cp_mallopt(parameter, value) == 1);
        if (parameter == -6)
            cp_mallopt(parameter, 0);
        rest();
    }
    return NULL;
}

static void *read_statistics(void *unused) {
    static char text[1 << 16];
    while (!stopped()) {
        struct cp_mallinfo m = cp_mallinfo2();
        REQUIRE(m.uordblks + m.fordblks == m.arena);
        FILE *out = fmemopen(text, sizeof text, "w");
        REQUIRE(out != NULL && cp_malloc_info(0, out) == 0);
        fclose(out);
        rest();
    }
    return unused;
}

static void *walk_and_trim(void *unused) {
    while (!stopped()) {
        struct cp_breach breach;
        if (!cp_check(&breach)) {
            cp_check_print(&breach);
            require_failed("the heap is sound", __FILE__, __LINE__, 0);
        }
        cp_malloc_trim(4096);
        rest();
    }
    return unused;
}

int main(int argc, char **argv) {
    static void *(*const others[])(void *) = {tune, read_statistics, walk_and_trim, come_and_go};
    enum { OTHERS = sizeof others / sizeof *others };
    long seconds = (long)argument(argc, argv, 1, 10);
    uint64_t rng = argument(argc, argv, 2, 1);
    pthread_t threads[THREADS + OTHERS];
    printf("tsan threads: %ld s, seed %llu\n", seconds, (unsigned long long)rng);
    for (size_t i = 0; i < THREADS + OTHERS; i++)
        REQUIRE(pthread_create(&threads[i], NULL, i < THREADS ? exchange : others[i - THREADS],
                               (void *)(uintptr_t)rng_next(&rng)) == 0);
    struct timespec left = {seconds, 0};
    while (nanosleep(&left, &left) != 0)
        ;
    atomic_store(&stop, true);
    for (size_t i = 0; i < THREADS + OTHERS; i++)
        REQUIRE(pthread_join(threads[i], NULL) == 0);
    for (size_t i = 0; i < SLOTS; i++)
        block_free(atomic_exchange(&slots[i], NULL), &rng);
    REQUIRE(cp_check(NULL));
    printf("tsan threads: %llu rounds of 100 exchanges\n",
           (unsigned long long)atomic_load(&rounds));
    REQUIRE(atomic_load(&rounds) > THREADS);
    return 0;
}
