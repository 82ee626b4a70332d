/* test_oom.c: any call of the operating system may fail, at any time.
 *
 * The names of the C library that os_linux.c calls are defined here and so take the place of the
 * C library's for the whole program: they fail when told to. Whatever fails, a call returns NULL
 * with ENOMEM, the heap stays sound, blocks keep their contents, and when there is memory again
 * the program goes on.
 */
#define _GNU_SOURCE 1
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <cmocka.h>

#include "../chunkproof.h"
#include "kit.h"

enum { SLOTS = 200, STEPS = 1000, STEPS_MAX = 20000, PERIODS = 200, FIRST_CALLS = 24 };

/* ---- Failing on purpose ------------------------------------------------------------------- */

static size_t fail_every; /* every Nth call fails; 0: none */
static size_t fail_from; /* calls from this number on fail; 0: none */
static bool no_break; /* the break never moves, so the main arena has mapped regions only */
static size_t calls;
static size_t failures;

static bool fails(void) {
    if (fail_every == 0 && fail_from == 0)
        return false;
    calls++;
    bool now =
        (fail_every != 0 && calls % fail_every == 0) || (fail_from != 0 && calls >= fail_from);
    failures += now;
    if (now)
        errno = ENOMEM;
    return now;
}

static void fail_never(void) { fail_every = fail_from = 0; }

void *mmap(void *at, size_t bytes, int protection, int flags, int fd, off_t offset) {
    if (fails())
        return MAP_FAILED;
    return (void *)syscall(SYS_mmap, at, bytes, protection, flags, fd, offset);
}

int mprotect(void *at, size_t bytes, int protection) {
    return fails() ? -1 : (int)syscall(SYS_mprotect, at, bytes, protection);
}

int madvise(void *at, size_t bytes, int advice) {
    return fails() ? -1 : (int)syscall(SYS_madvise, at, bytes, advice);
}

void *mremap(void *at, size_t old_bytes, size_t new_bytes, int flags, ...) {
    if (fails())
        return MAP_FAILED;
    return (void *)syscall(SYS_mremap, at, old_bytes, new_bytes, flags);
}

void *sbrk(intptr_t delta) {
    static void *(*real)(intptr_t);
    if (real == NULL)
        *(void **)&real = dlsym(RTLD_NEXT, "sbrk");
    if (delta != 0 && (no_break || fails())) {
        errno = ENOMEM;
        return (void *)-1;
    }
    return real(delta);
}

/* ---- A random program --------------------------------------------------------------------- */

/* Of a large block only the ends carry a pattern: the test would take minutes otherwise. */
enum { END_BYTES = 4096 };

struct block {
    unsigned char *p;
    size_t bytes;
    uint64_t seed;
};

static struct block slots[SLOTS];
static size_t refused; /* requests answered with NULL */

static size_t random_size(uint64_t *rng) {
    size_t kind = rng_below(rng, 100);
    size_t span = kind < 50   ? 200
                  : kind < 80 ? 3000
                  : kind < 93 ? 60000
                  : kind < 98 ? 400000
                              : 3000000;
    return rng_below(rng, span);
}

static void require_sound(size_t step) {
    struct cp_breach breach;
    memset(&breach, 0, sizeof breach);
    if (!cp_check(&breach)) {
        cp_check_print(&breach);
        require_failed("the heap is sound", __FILE__, __LINE__, (long long)step);
    }
}

static size_t end_bytes(size_t bytes) { return bytes < END_BYTES ? bytes : END_BYTES; }

static void slot_verify(const struct block *b) {
    size_t end = end_bytes(b->bytes);
    if (b->p == NULL)
        return;
    REQUIRE_FOR(b->bytes, pattern_holds(b->p + b->bytes - end, end, b->seed + 1));
    if (b->bytes >= 2 * end)
        REQUIRE_FOR(b->bytes, pattern_holds(b->p, end, b->seed));
}

static void slot_free(struct block *b) {
    slot_verify(b);
    errno = E2BIG;
    cp_free(b->p);
    REQUIRE_FOR(b->bytes, errno == E2BIG);
    b->p = NULL;
}

/* NULL must say ENOMEM; anything else must not be there in vain. */
static bool granted(const void *p) {
    if (p != NULL)
        return true;
    REQUIRE_FOR(errno, errno == ENOMEM);
    refused++;
    return false;
}

static void slot_fill(struct block *b, void *p, size_t bytes, uint64_t seed) {
    if (!granted(p))
        return;
    *b = (struct block){p, bytes, seed};
    pattern_fill(p, end_bytes(bytes), seed);
    pattern_fill(b->p + bytes - end_bytes(bytes), end_bytes(bytes), seed + 1);
}

static void step(uint64_t *rng) {
    struct block *b = &slots[rng_below(rng, SLOTS)];
    size_t bytes = random_size(rng);
    uint64_t seed = rng_next(rng);
    size_t alignment = (size_t)16 << rng_below(rng, 12);
    void *p = NULL;
    size_t what = rng_below(rng, 10);
    if (what < 4 && b->p != NULL) { /* resized: on failure it stays as it was */
        slot_verify(b);
        errno = 0;
        p = cp_realloc(b->p, bytes + 1);
        if (!granted(p)) {
            slot_verify(b);
            return;
        }
        if (b->bytes >= 2 * END_BYTES) /* smaller ones: the second end lies over the first */
            REQUIRE_FOR(bytes, pattern_holds(p, end_bytes(bytes + 1), b->seed));
        else if (bytes >= b->bytes)
            slot_verify(&(struct block){p, b->bytes, b->seed});
        slot_fill(b, p, bytes + 1, seed);
        return;
    }
    slot_free(b);
    errno = 0;
    switch (what) {
    case 4:
        p = cp_calloc(1, bytes);
        if (p != NULL)
            REQUIRE_FOR(bytes, all_bytes(p, bytes, 0));
        break;
    case 5:
        p = cp_memalign(alignment, bytes);
        REQUIRE_FOR(alignment, is_aligned(p, alignment));
        break;
    case 6: {
        int error = cp_posix_memalign(&p, alignment, bytes);
        REQUIRE_FOR(error, error == (p == NULL ? ENOMEM : 0) && errno == 0);
        errno = error;
        break;
    }
    case 7:
        if (rng_below(rng, 20) == 0)
            cp_malloc_trim(0);
        return;
    default:
        p = cp_malloc(bytes);
    }
    slot_fill(b, p, bytes, seed);
}

/* `steps` operations, and more until `wanted` system calls have failed; the heap is walked
 * after each in which one did. */
static void run_until(uint64_t seed, size_t steps, size_t wanted) {
    for (size_t i = 0; i < steps || (failures < wanted && i < STEPS_MAX); i++) {
        size_t before = failures;
        step(&seed);
        if (failures != before)
            require_sound(i);
    }
}

static void run(uint64_t seed, size_t steps) { run_until(seed, steps, 0); }

/* With memory to be had again everything is served. */
static void recover(uint64_t seed) {
    fail_never();
    refused = 0;
    run(seed, 300);
    REQUIRE_FOR(refused, refused == 0);
    for (size_t i = 0; i < SLOTS; i++)
        slot_free(&slots[i]);
    cp_malloc_trim(0);
    require_sound(0);
    struct cp_mallinfo m = cp_mallinfo2();
    REQUIRE_FOR(m.hblks, m.hblks == 0 && m.hblkhd == 0);
    REQUIRE_FOR(m.uordblks, m.uordblks <= 512 * 1024); /* what caches hold */
}

/* ---- Tests: each program in a process of its own ------------------------------------------ */

static size_t parameter;

static void periodic(void) {
    cp_free(cp_malloc(100)); /* started */
    fail_every = parameter;
    run_until(parameter, STEPS, 3);
    REQUIRE_FOR(failures, failures >= 3);
    recover(parameter);
}

/* Everything comes from regions that are reserved, committed and given back piece by piece. */
static void without_break(void) {
    no_break = true;
    cp_mallopt(M_MMAP_MAX, 0);
    periodic();
}

static void from_the_first_call(void) {
    fail_from = parameter;
    run(parameter, STEPS);
    REQUIRE_FOR(parameter, failures > 0 && refused > 0);
    recover(parameter);
}

static void single_failures(void) {
    fail_every = 1000000;
    calls = fail_every - parameter; /* the parameter-th call fails, the later ones do not */
    run(parameter, STEPS);
    recover(parameter);
}

/* A full heap that is then cut off: frees and requests from what is free go on. */
static void cut_off(void) {
    run(parameter, STEPS);
    fail_from = 1;
    run(parameter + 1, STEPS);
    REQUIRE_FOR(parameter, failures > 0);
    recover(parameter);
}

static void *thread_run(void *seed) {
    uint64_t rng = (uintptr_t)seed;
    for (int i = 0; i < 2000; i++) {
        size_t bytes = random_size(&rng);
        errno = 0;
        void *p = cp_malloc(bytes);
        if (!granted(p))
            continue;
        pattern_fill(p, end_bytes(bytes), rng);
        REQUIRE_FOR(bytes, pattern_holds(p, end_bytes(bytes), rng));
        cp_free(p);
    }
    return NULL;
}

/* New threads, for which there is no memory for a cache. */
static void in_threads(void) {
    run(parameter, 500);
    fail_every = parameter % 4 + 1;
    for (size_t i = 0; i < 20; i++) {
        pthread_t thread;
        REQUIRE(pthread_create(&thread, NULL, thread_run, (void *)(uintptr_t)(i + 1)) == 0);
        REQUIRE(pthread_join(thread, NULL) == 0);
    }
    REQUIRE_FOR(parameter, failures > 0);
    require_sound(0);
    recover(parameter);
}

static void each(void (*program)(void), size_t last) {
    for (parameter = 1; parameter <= last; parameter++) {
        int status = in_child(program);
        if (status != 0)
            print_error("parameter %zu: exit status %d\n", parameter, status);
        assert_int_equal(status, 0);
    }
}

static void test_every_nth_call_fails(void **state) {
    (void)state;
    each(periodic, PERIODS);
}
static void test_every_nth_call_fails_in_regions(void **state) {
    (void)state;
    each(without_break, PERIODS / 4);
}
static void test_all_calls_fail_from(void **state) {
    (void)state;
    each(from_the_first_call, FIRST_CALLS);
}
static void test_one_call_fails(void **state) {
    (void)state;
    each(single_failures, 3 * FIRST_CALLS);
}
static void test_cut_off(void **state) {
    (void)state;
    each(cut_off, 20);
}
static void test_threads(void **state) {
    (void)state;
    each(in_threads, 8);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_nth_call_fails),
        cmocka_unit_test(test_every_nth_call_fails_in_regions),
        cmocka_unit_test(test_all_calls_fail_from),
        cmocka_unit_test(test_one_call_fails),
        cmocka_unit_test(test_cut_off),
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
