/* preload_threads.c [seconds] [seed]: 64 threads exchange blocks through shared slots.
 *
 * Every block carries its size and the seed of its pattern; whoever takes it out of its slot
 * verifies all of it, frees or resizes it. Afterwards everything is freed, and the footprint is
 * what it was after a short warm-up of the same kind, within 1 MiB.
 */
#define _GNU_SOURCE 1
#include <dlfcn.h>
#include <limits.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "kit.h"

enum { THREADS = 64, SLOTS = 2048, WARM_UP_SECONDS = 4, SLACK = 1 << 20 };

struct block {
    size_t bytes; /* of the whole block */
    uint64_t seed;
    unsigned char contents[];
};

static _Atomic(struct block *) slots[SLOTS];
static atomic_bool stop;
static atomic_ullong exchanges;

static size_t random_size(uint64_t *rng) {
    uint64_t kind = rng_next(rng) % 1000;
    size_t span = kind < 700 ? 256 : kind < 960 ? 4096 : kind < 998 ? 65536 : 1 << 20;
    return sizeof(struct block) + rng_below(rng, span);
}

static void block_write(struct block *b, size_t bytes, uint64_t seed) {
    b->bytes = bytes;
    b->seed = seed;
    pattern_fill(b->contents, bytes - sizeof *b, seed);
}

static void block_verify(const struct block *b) {
    REQUIRE_FOR(b->bytes, b->bytes <= malloc_usable_size((void *)(uintptr_t)b));
    REQUIRE_FOR(b->bytes, pattern_holds(b->contents, b->bytes - sizeof *b, b->seed));
}

static struct block *block_new(uint64_t *rng) {
    size_t bytes = random_size(rng);
    struct block *b = NULL;
    switch (rng_below(rng, 8)) {
    case 0:
        b = calloc(1, bytes);
        REQUIRE_FOR(bytes, b != NULL && all_bytes(b, bytes, 0));
        break;
    case 1: {
        size_t alignment = (size_t)16 << rng_below(rng, 9);
        b = memalign(alignment, bytes);
        REQUIRE_FOR(bytes, b != NULL && is_aligned(b, alignment));
        break;
    }
    default:
        b = malloc(bytes);
        REQUIRE_FOR(bytes, b != NULL && is_aligned(b, 16));
    }
    block_write(b, bytes, rng_next(rng));
    return b;
}

static struct block *block_resize(struct block *b, uint64_t *rng) {
    size_t bytes = random_size(rng);
    size_t prefix = bytes < b->bytes ? bytes : b->bytes;
    b = realloc(b, bytes);
    REQUIRE_FOR(bytes, b != NULL);
    REQUIRE_FOR(bytes, pattern_holds(b->contents, prefix - sizeof *b, b->seed));
    block_write(b, bytes, b->seed);
    return b;
}

static void *exchange(void *seed) {
    uint64_t rng = (uintptr_t)seed;
    uint64_t count = 0;
    while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
        struct block *b = rng_below(&rng, 10) ? block_new(&rng) : NULL;
        for (int hop = 0; hop < 3; hop++) { /* a resized block goes into another slot */
            b = atomic_exchange(&slots[rng_below(&rng, SLOTS)], b);
            if (b == NULL)
                break;
            block_verify(b);
            if (rng_below(&rng, 4) != 0)
                break;
            b = block_resize(b, &rng);
        }
        free(b);
        count++;
    }
    atomic_fetch_add(&exchanges, count);
    return NULL;
}

static void exchange_for(unsigned seconds, uint64_t seed) {
    pthread_t threads[THREADS];
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 128 * 1024);
    atomic_store(&stop, false);
    for (int i = 0; i < THREADS; i++)
        REQUIRE(pthread_create(&threads[i], &attributes, exchange,
                               (void *)(uintptr_t)rng_next(&seed)) == 0);
    struct timespec left = {seconds, 0};
    while (nanosleep(&left, &left) != 0)
        ;
    atomic_store(&stop, true);
    for (int i = 0; i < THREADS; i++)
        REQUIRE(pthread_join(threads[i], NULL) == 0);
    for (int i = 0; i < SLOTS; i++) {
        struct block *b = atomic_exchange(&slots[i], NULL);
        if (b != NULL)
            block_verify(b);
        free(b);
    }
    malloc_trim(0);
}

struct footprint {
    size_t heap, used, resident;
};

static struct footprint footprint(const char *when) {
    struct mallinfo2 m = mallinfo2();
    struct footprint f = {m.arena + m.hblkhd, m.uordblks + m.hblkhd, statm_bytes(STATM_RESIDENT)};
    say(STDOUT_FILENO, "%s: heap %zu KiB, in use %zu KiB, resident %zu KiB\n", when, f.heap / 1024,
        f.used / 1024, f.resident / 1024);
    return f;
}

int main(int argc, char **argv) {
    unsigned seconds = (unsigned)argument(argc, argv, 1, 60);
    uint64_t seed = argument(argc, argv, 2, 1);
    say(STDOUT_FILENO, "threads: %d threads, %u s, seed %llu\n", THREADS, seconds,
        (unsigned long long)seed);
    exchange_for(WARM_UP_SECONDS, seed);
    struct footprint before = footprint("before");
    atomic_store(&exchanges, 0);
    exchange_for(seconds, seed + 1);
    struct footprint after = footprint("after");
    say(STDOUT_FILENO, "exchanges: %llu\n", (unsigned long long)atomic_load(&exchanges));
    bool (*check)(void *) = NULL;
    *(void **)&check = dlsym(RTLD_DEFAULT, "cp_check");
    REQUIRE(check == NULL || check(NULL));
    REQUIRE(atomic_load(&exchanges) > THREADS);
    REQUIRE_FOR(after.heap, after.heap <= before.heap + SLACK);
    REQUIRE_FOR(after.used, after.used <= before.used + SLACK);
    REQUIRE_FOR(after.resident, after.resident <= before.resident + SLACK);
    return 0;
}
