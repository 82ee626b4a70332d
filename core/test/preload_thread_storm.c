/* preload_thread_storm.c [threads] [seed]: 100,000 threads begin, allocate and end.
 *
 * A few run at a time, on the smallest stacks. Each frees what others left in shared slots and
 * leaves blocks for others, so that its cache is drained of its own blocks and of strangers'.
 * The footprint afterwards is what it was after the first 2,000 threads, within 1 MiB.
 */
#define _GNU_SOURCE 1
#include <dlfcn.h>
#include <limits.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>

#include "kit.h"

enum { AT_ONCE = 8, SLOTS = 64, WARM_UP = 2000, SLACK = 1 << 20 };

static _Atomic(unsigned char *) slots[SLOTS];

static unsigned char *labelled(size_t bytes) {
    unsigned char *p = malloc(bytes);
    REQUIRE_FOR(bytes, p != NULL);
    memset(p, (int)(bytes % 251), bytes);
    memcpy(p, &bytes, sizeof bytes);
    return p;
}

static void verify_and_free(unsigned char *p) {
    size_t bytes;
    if (p == NULL)
        return;
    memcpy(&bytes, p, sizeof bytes);
    REQUIRE_FOR(bytes, bytes >= 8 && bytes <= malloc_usable_size(p));
    REQUIRE_FOR(bytes, all_bytes(p + 8, bytes - 8, (unsigned char)(bytes % 251)));
    free(p);
}

static void *one_thread(void *seed) {
    uint64_t rng = (uintptr_t)seed;
    unsigned char *own[16];
    for (int i = 0; i < 16; i++)
        own[i] = labelled(8 + rng_below(&rng, i % 8 ? 500 : 20000));
    for (int i = 0; i < 4; i++) {
        size_t slot = rng_below(&rng, SLOTS);
        own[i] = atomic_exchange(&slots[slot], own[i]);
    }
    for (int i = 0; i < 16; i++)
        verify_and_free(own[i]);
    return NULL;
}

static void storm(size_t threads, uint64_t seed) {
    pthread_t running[AT_ONCE];
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    REQUIRE(pthread_attr_setstacksize(&attributes, (size_t)PTHREAD_STACK_MIN) == 0);
    for (size_t i = 0; i < threads + AT_ONCE; i++) {
        if (i >= AT_ONCE)
            REQUIRE(pthread_join(running[i % AT_ONCE], NULL) == 0);
        if (i < threads)
            REQUIRE_FOR(i, pthread_create(&running[i % AT_ONCE], &attributes, one_thread,
                                          (void *)(uintptr_t)rng_next(&seed)) == 0);
    }
    for (int i = 0; i < SLOTS; i++)
        verify_and_free(atomic_exchange(&slots[i], NULL));
    malloc_trim(0);
}

int main(int argc, char **argv) {
    size_t threads = argument(argc, argv, 1, 100000);
    uint64_t seed = argument(argc, argv, 2, 1);
    say(STDOUT_FILENO, "thread storm: %zu threads, seed %llu\n", threads, (unsigned long long)seed);
    REQUIRE(threads >= AT_ONCE);
    storm(WARM_UP, seed);
    struct mallinfo2 before = mallinfo2();
    size_t resident = statm_bytes(STATM_RESIDENT);
    size_t virtual = statm_bytes(STATM_VIRTUAL);
    storm(threads, seed + 1);
    struct mallinfo2 after = mallinfo2();
    size_t resident_after = statm_bytes(STATM_RESIDENT);
    size_t virtual_after = statm_bytes(STATM_VIRTUAL);
    say(STDOUT_FILENO, "heap %zu -> %zu KiB, resident %zu -> %zu KiB, virtual %zu -> %zu KiB\n",
        (before.arena + before.hblkhd) / 1024, (after.arena + after.hblkhd) / 1024, resident / 1024,
        resident_after / 1024, virtual / 1024, virtual_after / 1024);
    bool (*check)(void *) = NULL;
    *(void **)&check = dlsym(RTLD_DEFAULT, "cp_check");
    REQUIRE(check == NULL || check(NULL));
    REQUIRE(after.arena + after.hblkhd <= before.arena + before.hblkhd + SLACK);
    REQUIRE(after.uordblks <= before.uordblks + SLACK);
    REQUIRE(resident_after <= resident + SLACK);
    /* Another arena may have been reserved meanwhile, but not one for each thread. */
    REQUIRE(virtual_after <= virtual + ((size_t)4 << 30));
    return 0;
}
