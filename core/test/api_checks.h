/* api_checks.h: the semantics of the malloc family, to the letter of chunkproof.h.
 *
 * Written once, run twice: test_api.c calls the cp_ names of the objects linked in, and
 * preload_api.c maps every cp_ name to the C library's, which LD_PRELOAD interposes. Each check
 * runs in a child of its own, so that it starts from an allocator never used before and may
 * tune it at will.
 */
#ifndef API_CHECKS_H
#define API_CHECKS_H

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>

#include "kit.h"

#define KIB ((size_t)1024)
#define MIB (1024 * KIB)
#define PAGE ((size_t)4096)

enum {
    OPT_MXFAST = 1,
    OPT_TRIM_THRESHOLD = -1,
    OPT_TOP_PAD = -2,
    OPT_MMAP_THRESHOLD = -3,
    OPT_MMAP_MAX = -4,
    OPT_CHECK_ACTION = -5,
    OPT_PERTURB = -6,
    OPT_ARENA_TEST = -7,
    OPT_ARENA_MAX = -8,
};

/* The expression is NULL and leaves this errno. */
#define FAILS(expression, error) (errno = 0, (expression) == NULL && errno == (error))

static const size_t too_large[] = {
    (size_t)PTRDIFF_MAX + 1,
    (size_t)PTRDIFF_MAX + 4096,
    SIZE_MAX / 2 + 65536,
    SIZE_MAX - 65536,
    SIZE_MAX - 4096,
    SIZE_MAX - 4095,
    SIZE_MAX - 32,
    SIZE_MAX - 16,
    SIZE_MAX - 15,
    SIZE_MAX - 8,
    SIZE_MAX - 7,
    SIZE_MAX - 1,
    SIZE_MAX,
    /* Allowed, but no machine has it; a size rounded up with a sign bit would slip through. */
    (size_t)PTRDIFF_MAX,
    (size_t)PTRDIFF_MAX - 15,
    (size_t)PTRDIFF_MAX - 4096,
};
#define TOO_LARGE (sizeof too_large / sizeof *too_large)

/* About 1.3 times `size`, with the neighbours of every power of two among the values. */
static size_t next_size(size_t size) {
    size_t above = size + size / 3 + 1;
    for (size_t power = 1; power < above; power *= 2)
        for (size_t s = power - 1; s <= power + 1; s++)
            if (s > size && s < above)
                return s;
    return above;
}

/* ---- Failure ------------------------------------------------------------------------------ */

static void check_too_large(void) {
    for (size_t i = 0; i < TOO_LARGE; i++) {
        size_t size = too_large[i];
        void *out = &out;
        REQUIRE_FOR(i, FAILS(cp_malloc(size), ENOMEM));
        REQUIRE_FOR(i, FAILS(cp_calloc(1, size), ENOMEM));
        REQUIRE_FOR(i, FAILS(cp_calloc(size, 1), ENOMEM));
        REQUIRE_FOR(i, FAILS(cp_realloc(NULL, size), ENOMEM));
        REQUIRE_FOR(i, FAILS(cp_reallocarray(NULL, 1, size), ENOMEM));
        REQUIRE_FOR(i, FAILS(cp_valloc(size), ENOMEM));
        REQUIRE_FOR(i, FAILS(cp_pvalloc(size), ENOMEM));
        for (size_t alignment = 8; alignment <= MIB; alignment *= 2) {
            REQUIRE_FOR(i, FAILS(cp_memalign(alignment, size), ENOMEM));
            REQUIRE_FOR(i, FAILS(cp_aligned_alloc(alignment, size), ENOMEM));
            REQUIRE_FOR(i, cp_posix_memalign(&out, alignment, size) == ENOMEM);
            REQUIRE_FOR(i, out == (void *)&out);
        }
    }
}

static void check_products(void) {
    static const size_t pairs[][2] = {
        {SIZE_MAX, 2},
        {2, SIZE_MAX},
        {SIZE_MAX, SIZE_MAX},
        {SIZE_MAX / 2 + 1, 2}, /* wraps to 0 */
        {(size_t)1 << 32, (size_t)1 << 32}, /* wraps to 0 */
        {((size_t)1 << 32) + 1, ((size_t)1 << 32) + 1}, /* wraps to a small number */
        {SIZE_MAX / 3 + 1, 3}, /* wraps to 2 */
        {SIZE_MAX / 16 + 2, 16}, /* wraps to 16 */
        {(size_t)1 << 31, (size_t)1 << 32}, /* no wrap, but above PTRDIFF_MAX */
        {SIZE_MAX / 2 / 3 + 1, 3},
    };
    char *p = cp_malloc(100);
    REQUIRE(p != NULL);
    pattern_fill(p, 100, 1);
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        REQUIRE_FOR(i, FAILS(cp_calloc(pairs[i][0], pairs[i][1]), ENOMEM));
        REQUIRE_FOR(i, FAILS(cp_reallocarray(NULL, pairs[i][0], pairs[i][1]), ENOMEM));
        REQUIRE_FOR(i, FAILS(cp_reallocarray(p, pairs[i][0], pairs[i][1]), ENOMEM));
        REQUIRE_FOR(i, pattern_holds(p, 100, 1));
    }
    cp_free(p);
    p = cp_reallocarray(NULL, 30, 10);
    REQUIRE(p != NULL && cp_malloc_usable_size(p) >= 300);
    pattern_fill(p, 300, 2);
    p = cp_reallocarray(p, 1000, 1000);
    REQUIRE(p != NULL && pattern_holds(p, 300, 2));
    cp_free(p);
}

/* A realloc that cannot be served leaves the block as it was, whatever kind of block it is. */
static void check_realloc_failing(void) {
    static const size_t sizes[] = {0, 1, 24, 100, 2000, 60000, 1 << 20};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        char *p = cp_malloc(sizes[k]);
        REQUIRE(p != NULL);
        size_t usable = cp_malloc_usable_size(p);
        pattern_fill(p, usable, k);
        for (size_t i = 0; i < TOO_LARGE; i++) {
            REQUIRE_FOR(i, FAILS(cp_realloc(p, too_large[i]), ENOMEM));
            REQUIRE_FOR(i, cp_malloc_usable_size(p) == usable);
            REQUIRE_FOR(i, pattern_holds(p, usable, k));
        }
        cp_free(p);
    }
}

static void check_bad_alignment(void) {
    static const size_t not_powers[] = {0,  3,   5,   6,    7,    9,        12,
                                        24, 100, 129, 3000, 4097, SIZE_MAX, SIZE_MAX / 2 + 2};
    for (size_t i = 0; i < sizeof not_powers / sizeof *not_powers; i++) {
        size_t alignment = not_powers[i];
        for (size_t size = 0; size <= 4096; size += 512) {
            void *out = &out;
            errno = E2BIG;
            REQUIRE_FOR(alignment, cp_posix_memalign(&out, alignment, size) == EINVAL);
            REQUIRE_FOR(alignment, errno == E2BIG && out == (void *)&out);
            REQUIRE_FOR(alignment, FAILS(cp_aligned_alloc(alignment, size), EINVAL));
        }
    }
    /* Powers of two that are no multiple of sizeof(void *) are posix_memalign's affair only. */
    for (size_t alignment = 1; alignment <= 4; alignment *= 2) {
        void *out = &out;
        errno = E2BIG;
        REQUIRE_FOR(alignment, cp_posix_memalign(&out, alignment, 64) == EINVAL);
        REQUIRE_FOR(alignment, errno == E2BIG && out == (void *)&out);
        void *p = cp_aligned_alloc(alignment, 65);
        REQUIRE_FOR(alignment, p != NULL && is_aligned(p, 16));
        cp_free(p);
    }
    /* A bad alignment is told before a bad size. */
    void *out = &out;
    REQUIRE(cp_posix_memalign(&out, 24, SIZE_MAX) == EINVAL);
    REQUIRE(FAILS(cp_aligned_alloc(24, SIZE_MAX), EINVAL));
    REQUIRE(FAILS(cp_memalign(SIZE_MAX / 2 + 2, 1), EINVAL));
    REQUIRE(FAILS(cp_memalign(SIZE_MAX, 1), EINVAL));
    REQUIRE(FAILS(cp_memalign(SIZE_MAX / 2 + 1, 1), ENOMEM));
    REQUIRE(FAILS(cp_memalign(SIZE_MAX / 2, 1), ENOMEM));
    REQUIRE(FAILS(cp_aligned_alloc(SIZE_MAX / 2 + 1, 1), ENOMEM));
    errno = E2BIG;
    REQUIRE(cp_posix_memalign(&out, SIZE_MAX / 2 + 1, 1) == ENOMEM);
    REQUIRE(errno == E2BIG && out == (void *)&out);
    REQUIRE(cp_posix_memalign(&out, 64, SIZE_MAX) == ENOMEM);
    REQUIRE(errno == E2BIG && out == (void *)&out);
}

/* ---- Blocks ------------------------------------------------------------------------------- */

static void check_size_zero(void) {
    enum { KINDS = 9, ROUNDS = 100 };
    static void *blocks[ROUNDS][KINDS];
    for (int i = 0; i < ROUNDS; i++) {
        void **b = blocks[i];
        b[0] = cp_malloc(0);
        b[1] = cp_calloc(0, 0);
        b[2] = cp_calloc(SIZE_MAX, 0);
        b[3] = cp_calloc(0, SIZE_MAX);
        b[4] = cp_realloc(NULL, 0);
        b[5] = cp_reallocarray(NULL, 0, SIZE_MAX);
        b[6] = cp_memalign(64, 0);
        b[7] = cp_valloc(0);
        REQUIRE(cp_posix_memalign(&b[8], 256, 0) == 0);
        for (int k = 0; k < KINDS; k++)
            REQUIRE_FOR(k, b[k] != NULL);
    }
    void **all = &blocks[0][0];
    for (int i = 0; i < ROUNDS * KINDS; i++)
        for (int j = 0; j < i; j++)
            REQUIRE_FOR(i, all[i] != all[j]);
    for (int i = 0; i < ROUNDS * KINDS; i++)
        cp_free(all[i]);
    void *p = cp_pvalloc(0);
    REQUIRE(p != NULL && is_aligned(p, PAGE));
    cp_free(p);
    p = cp_aligned_alloc(32, 0);
    REQUIRE(p != NULL && is_aligned(p, 32));
    cp_free(p);
    cp_free(NULL);
}

/* Every size up to 5000 at once: aligned, apart, all of what usable_size says writable. */
static void check_every_small_size(void) {
    enum { SIZES = 5001 };
    static unsigned char *blocks[SIZES];
    REQUIRE(cp_malloc_usable_size(NULL) == 0);
    for (size_t size = 0; size < SIZES; size++) {
        blocks[size] = cp_malloc(size);
        REQUIRE_FOR(size, blocks[size] != NULL && is_aligned(blocks[size], 16));
        REQUIRE_FOR(size, cp_malloc_usable_size(blocks[size]) >= size);
        pattern_fill(blocks[size], cp_malloc_usable_size(blocks[size]), size);
    }
    for (size_t size = 0; size < SIZES; size++)
        REQUIRE_FOR(size, pattern_holds(blocks[size], cp_malloc_usable_size(blocks[size]), size));
    /* Free every third, have them again, in an order that meets every bin. */
    for (size_t size = 0; size < SIZES; size += 3)
        cp_free(blocks[size]);
    for (size_t size = 0; size < SIZES; size += 3) {
        blocks[size] = cp_malloc(size);
        REQUIRE_FOR(size, blocks[size] != NULL && is_aligned(blocks[size], 16));
        pattern_fill(blocks[size], cp_malloc_usable_size(blocks[size]), size);
    }
    for (size_t i = 0; i < SIZES; i++) {
        size_t size = (i * 1237) % SIZES;
        REQUIRE_FOR(size, pattern_holds(blocks[size], cp_malloc_usable_size(blocks[size]), size));
        cp_free(blocks[size]);
    }
}

static void check_large_sizes(void) {
    enum { MANY = 200 };
    static unsigned char *blocks[MANY];
    static size_t sizes[MANY];
    int count = 0;
    for (size_t size = 5000; size <= 64 * MIB + 1; size = next_size(size)) {
        unsigned char *p = cp_malloc(size);
        REQUIRE_FOR(size, p != NULL && is_aligned(p, 16));
        size_t usable = cp_malloc_usable_size(p);
        REQUIRE_FOR(size, usable >= size);
        /* Waste above a page and a sixteenth would be a bug of its own. */
        REQUIRE_FOR(size, usable <= size + size / 16 + 2 * PAGE);
        size_t ends = usable < 64 * KIB ? usable : 64 * KIB;
        pattern_fill(p, ends, size);
        pattern_fill(p + usable - ends, ends, size);
        REQUIRE(count < MANY);
        blocks[count] = p;
        sizes[count++] = size;
    }
    REQUIRE_FOR(count, count > 40);
    for (int i = 0; i < count; i++) {
        size_t usable = cp_malloc_usable_size(blocks[i]);
        size_t ends = usable < 64 * KIB ? usable : 64 * KIB;
        REQUIRE_FOR(sizes[i], pattern_holds(blocks[i] + usable - ends, ends, sizes[i]));
        if (usable >= 2 * ends)
            REQUIRE_FOR(sizes[i], pattern_holds(blocks[i], ends, sizes[i]));
    }
    for (int i = 0; i < count; i++)
        cp_free(blocks[(i * 7) % count]), blocks[(i * 7) % count] = NULL;
    for (int i = 0; i < count; i++)
        cp_free(blocks[i]);
}

static void check_alignments(void) {
    static const size_t sizes[] = {0,    1,    8,      24,     25,     100,     1000,   4088,
                                   4096, 5000, 130000, 131072, 140000, 1 << 20, 3 << 20};
    enum { SIZES = sizeof sizes / sizeof *sizes, ALIGNMENTS = 19 };
    static unsigned char *blocks[SIZES][ALIGNMENTS][3];
    for (size_t s = 0; s < SIZES; s++)
        for (size_t a = 0; a < ALIGNMENTS; a++) {
            size_t alignment = (size_t)8 << a; /* .. 2 MiB */
            void *out = NULL;
            blocks[s][a][0] = cp_memalign(alignment, sizes[s]);
            blocks[s][a][1] = cp_aligned_alloc(alignment, sizes[s]);
            REQUIRE(cp_posix_memalign(&out, alignment, sizes[s]) == 0);
            blocks[s][a][2] = out;
            for (int k = 0; k < 3; k++) {
                unsigned char *p = blocks[s][a][k];
                REQUIRE_FOR(alignment, p != NULL && is_aligned(p, alignment) && is_aligned(p, 16));
                REQUIRE_FOR(alignment, cp_malloc_usable_size(p) >= sizes[s]);
                pattern_fill(p, sizes[s], s * 1000 + a);
            }
        }
    for (size_t s = 0; s < SIZES; s++)
        for (size_t a = 0; a < ALIGNMENTS; a++)
            for (int k = 0; k < 3; k++) {
                unsigned char *p = blocks[s][a][k];
                REQUIRE_FOR(sizes[s], pattern_holds(p, sizes[s], s * 1000 + a));
                if ((s + a) % 2 == 0) {
                    p = cp_realloc(p, sizes[s] + 5000);
                    REQUIRE(p != NULL && is_aligned(p, 16));
                    REQUIRE_FOR(sizes[s], pattern_holds(p, sizes[s], s * 1000 + a));
                }
                cp_free(p);
            }
}

static void check_alignment_rounding(void) {
    static const size_t asked[][2] = {
        {0, 16},    {1, 16},      {3, 16},      {17, 32},        {24, 32},          {33, 64},
        {100, 128}, {3000, 4096}, {4097, 8192}, {70000, 131072}, {1000000, 1048576}};
    void *kept[11][20];
    for (size_t i = 0; i < 11; i++)
        for (size_t k = 0; k < 20; k++) {
            kept[i][k] = cp_memalign(asked[i][0], 100 + k * 40);
            REQUIRE_FOR(asked[i][0], kept[i][k] != NULL && is_aligned(kept[i][k], asked[i][1]));
        }
    for (size_t i = 0; i < 11; i++)
        for (size_t k = 0; k < 20; k++)
            cp_free(kept[i][k]);
    for (size_t size = 0; size < 20000; size += 777) {
        char *v = cp_valloc(size);
        char *pv = cp_pvalloc(size);
        REQUIRE_FOR(size, v != NULL && is_aligned(v, PAGE) && cp_malloc_usable_size(v) >= size);
        REQUIRE_FOR(size, pv != NULL && is_aligned(pv, PAGE));
        size_t pages = (size + PAGE - 1) / PAGE * PAGE;
        REQUIRE_FOR(size, cp_malloc_usable_size(pv) >= pages);
        memset(pv, 1, pages);
        cp_free(v);
        cp_free(pv);
    }
    for (size_t alignment = 4 * MIB; alignment <= 64 * MIB; alignment *= 4) {
        char *p = cp_memalign(alignment, 100);
        REQUIRE_FOR(alignment, p != NULL && is_aligned(p, alignment));
        pattern_fill(p, 100, 1);
        p = cp_realloc(p, 200000);
        REQUIRE_FOR(alignment, p != NULL && pattern_holds(p, 100, 1));
        cp_free(p);
    }
}

/* ---- Contents ----------------------------------------------------------------------------- */

static void calloc_after_dirt(size_t size, bool trimmed) {
    enum { MANY = 12 };
    unsigned char *blocks[MANY];
    int many = size > 64 * KIB ? 2 : MANY;
    for (int i = 0; i < many; i++) {
        blocks[i] = cp_malloc(size);
        REQUIRE_FOR(size, blocks[i] != NULL);
        memset(opaque(blocks[i]), 0xee, cp_malloc_usable_size(blocks[i]));
    }
    for (int i = 0; i < many; i++)
        cp_free(blocks[i]);
    if (trimmed)
        cp_malloc_trim(0);
    for (int i = 0; i < many; i++) {
        blocks[i] = i % 2 ? cp_calloc(size, 1) : cp_calloc(1, size);
        REQUIRE_FOR(size, blocks[i] != NULL && is_aligned(blocks[i], 16));
        REQUIRE_FOR(size, all_bytes(blocks[i], size, 0));
        memset(opaque(blocks[i]), 0xdd, cp_malloc_usable_size(blocks[i]));
    }
    for (int i = 0; i < many; i++)
        cp_free(blocks[i]);
}

/* Pages of the middle block are given back, then it merges with dirty neighbours: what is known to
 * be zero begins and ends inside the next block. */
static void calloc_over_purged(size_t before, size_t middle, size_t behind) {
    unsigned char *p[3] = {cp_malloc(before), cp_malloc(middle), cp_malloc(behind)};
    void *guard = cp_malloc(5000);
    REQUIRE(p[0] != NULL && p[1] != NULL && p[2] != NULL && guard != NULL);
    for (int i = 0; i < 3; i++)
        memset(opaque(p[i]), 0xaa, cp_malloc_usable_size(p[i]));
    cp_free(p[1]);
    cp_malloc_trim(0);
    cp_free(p[0]);
    cp_free(p[2]);
    for (size_t size = before + middle + behind; size > 4 * KIB; size = size * 3 / 4) {
        unsigned char *q = cp_calloc(1, size);
        REQUIRE_FOR(size, q != NULL && all_bytes(q, size, 0));
        memset(opaque(q), 0xbb, size / 2);
        cp_free(q);
    }
    cp_free(guard);
}

static void check_calloc_zeroes(void) {
    for (size_t i = 0; i < 40; i++) /* larger than caches keep, smaller than mappings */
        calloc_over_purged(33 * KIB + i * 700, 40 * KIB + i * 1000, 35 * KIB + i * 333);
    for (size_t size = 1; size < 2100; size += size < 300 ? 1 : 13)
        calloc_after_dirt(size, size % 16 == 0);
    for (size_t size = 2100; size <= 8 * MIB; size = next_size(size)) {
        calloc_after_dirt(size, false);
        calloc_after_dirt(size, true);
    }
    cp_mallopt(OPT_MMAP_MAX, 0); /* the same from the heap instead of fresh mappings */
    for (size_t size = 2000; size <= 4 * MIB; size = next_size(size)) {
        calloc_after_dirt(size, false);
        calloc_after_dirt(size, true);
    }
    /* A block half dirty, half never touched: what is known to be zero must be known exactly. */
    for (size_t dirty = 0; dirty <= 40 * PAGE; dirty += 5000) {
        unsigned char *p = cp_malloc(40 * PAGE);
        REQUIRE(p != NULL);
        memset(opaque(p + 40 * PAGE - dirty), 0xcc, dirty);
        cp_free(p);
        unsigned char *first = cp_malloc(1000 + dirty % 3000);
        REQUIRE(first != NULL);
        memset(opaque(first), 0xbb, 1000);
        p = cp_calloc(3, 13 * PAGE);
        REQUIRE_FOR(dirty, p != NULL && all_bytes(p, 39 * PAGE, 0));
        cp_free(p);
        cp_free(first);
    }
}

static void check_realloc_chains(void) {
    for (size_t neighbours = 0; neighbours < 2; neighbours++) {
        void *beside[400];
        size_t kept = 0;
        size_t size = 0;
        unsigned char *p = cp_realloc(NULL, 0);
        REQUIRE(p != NULL);
        size_t sizes[400];
        size_t steps = 0;
        while (size < 16 * MIB) { /* grow, crossing the mapping threshold */
            size_t larger = next_size(size);
            p = cp_realloc(p, larger);
            REQUIRE_FOR(larger, p != NULL && is_aligned(p, 16));
            REQUIRE_FOR(larger, cp_malloc_usable_size(p) >= larger);
            REQUIRE_FOR(larger, pattern_holds(p, size, 77));
            pattern_fill(p, larger, 77);
            if (neighbours) {
                REQUIRE(kept < 400);
                beside[kept++] = cp_malloc(40);
            }
            REQUIRE(steps < 400);
            sizes[steps++] = size;
            size = larger;
        }
        while (steps > 1) { /* and shrink through the same sizes */
            size_t smaller = sizes[--steps];
            p = cp_realloc(p, smaller);
            REQUIRE_FOR(smaller, p != NULL && cp_malloc_usable_size(p) >= smaller);
            REQUIRE_FOR(smaller, pattern_holds(p, smaller, 77));
        }
        cp_free(p);
        while (kept > 0)
            cp_free(beside[--kept]);
    }
    for (size_t i = 0; i < 200; i++) { /* to and fro over the default threshold */
        unsigned char *p = cp_malloc(100 * KIB + i * 300);
        REQUIRE(p != NULL);
        pattern_fill(p, 100 * KIB, i);
        p = cp_realloc(p, 200 * KIB - i * 700);
        REQUIRE_FOR(i, p != NULL && pattern_holds(p, 60 * KIB, i));
        p = cp_realloc(p, 20 + i * 500);
        REQUIRE_FOR(i, p != NULL && pattern_holds(p, 20 + i * 300, i));
        cp_free(p);
    }
}

/* A large block made much smaller gives the rest back. */
static void check_realloc_shrinks(void) {
    cp_mallopt(OPT_MMAP_THRESHOLD, (int)MIB);
    unsigned char *p = cp_malloc(32 * MIB);
    REQUIRE(p != NULL);
    size_t mapped = cp_mallinfo2().hblkhd;
    REQUIRE(mapped >= 32 * MIB);
    p = cp_realloc(p, 4 * MIB);
    REQUIRE(p != NULL && cp_malloc_usable_size(p) >= 4 * MIB);
    REQUIRE(cp_mallinfo2().hblkhd <= mapped - 27 * MIB);
    cp_free(p);
    p = cp_malloc(900 * KIB);
    REQUIRE(p != NULL);
    size_t used = cp_mallinfo2().uordblks;
    p = cp_realloc(p, 100 * KIB);
    REQUIRE(p != NULL);
    REQUIRE(cp_mallinfo2().uordblks <= used - 790 * KIB);
    cp_free(p);
}

static void check_realloc_to_zero(void) {
    static const size_t sizes[] = {0, 24, 1000, 8000, 100000, 1 << 20};
    size_t used[2] = {0, 0};
    size_t mapped[2] = {0, 0};
    for (int round = 0; round < 2; round++) {
        for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++)
            for (int i = 0; i < 300; i++) {
                void *p = cp_malloc(sizes[k]);
                REQUIRE(p != NULL);
                errno = E2BIG;
                REQUIRE_FOR(sizes[k], cp_realloc(p, 0) == NULL);
                REQUIRE_FOR(sizes[k], errno == E2BIG);
                p = cp_malloc(sizes[k]);
                REQUIRE(p != NULL);
                REQUIRE_FOR(sizes[k], cp_reallocarray(p, 0, 8) == NULL && errno == E2BIG);
            }
        used[round] = cp_mallinfo2().uordblks;
        mapped[round] = cp_mallinfo2().hblkhd;
    }
    REQUIRE_FOR(used[1] - used[0], used[1] <= used[0] + 16 * KIB);
    REQUIRE(mapped[0] == mapped[1]);
}

static void check_free_keeps_errno(void) {
    for (size_t size = 0; size < 32 * MIB; size = next_size(size)) {
        void *p = cp_malloc(size);
        void *q = cp_memalign(512, size);
        REQUIRE(p != NULL && q != NULL);
        errno = E2BIG;
        cp_free(p);
        REQUIRE_FOR(size, errno == E2BIG);
        cp_free(q);
        REQUIRE_FOR(size, errno == E2BIG);
        cp_free(NULL);
        REQUIRE_FOR(size, errno == E2BIG);
    }
}

static void check_sized_frees(void) {
    cp_free_sized(NULL, 0);
    cp_free_sized(NULL, 100);
    cp_free_aligned_sized(NULL, 64, 100);
    for (size_t size = 0; size < 4 * MIB; size = next_size(size)) {
        errno = E2BIG;
        void *p = cp_malloc(size);
        REQUIRE(p != NULL);
        cp_free_sized(p, size);
        p = cp_calloc(1, size);
        REQUIRE(p != NULL);
        cp_free_sized(p, size);
        p = cp_realloc(cp_malloc(50), size + 1);
        REQUIRE(p != NULL);
        cp_free_sized(p, size + 1);
        for (size_t alignment = 8; alignment <= 64 * KIB; alignment *= 4) {
            p = cp_aligned_alloc(alignment, size);
            REQUIRE(p != NULL);
            cp_free_aligned_sized(p, alignment, size);
        }
        REQUIRE(errno == E2BIG);
    }
    /* Recycled blocks may be larger than asked for; the size asked for is right all the same. */
    enum { MANY = 500, STEPS = 200000 };
    static void *p[MANY];
    static size_t sizes[MANY];
    uint64_t rng = 1;
    for (int i = 0; i < STEPS; i++) {
        size_t k = rng_below(&rng, MANY);
        cp_free_sized(p[k], sizes[k]);
        sizes[k] = rng_below(&rng, rng_below(&rng, 2) ? 1500 : 40000);
        REQUIRE((p[k] = cp_malloc(sizes[k])) != NULL);
    }
    for (int k = 0; k < MANY; k++)
        cp_free_sized(p[k], sizes[k]);
}

/* ---- Tuning ------------------------------------------------------------------------------- */

static void check_mallopt_results(void) {
    static const int known[] = {OPT_TRIM_THRESHOLD, OPT_TOP_PAD,  OPT_MMAP_THRESHOLD,
                                OPT_MMAP_MAX,       OPT_PERTURB,  OPT_CHECK_ACTION,
                                OPT_ARENA_TEST,     OPT_ARENA_MAX};
    static const int values[] = {INT_MAX, INT_MIN, -1, 0, 1, 4096, 100000};
    static const int unknown[] = {0, 2, 3, 4, 5, -9, -10, 99, -100, INT_MAX, INT_MIN};
    for (size_t v = 0; v < sizeof values / sizeof *values; v++) {
        for (size_t k = 0; k < sizeof known / sizeof *known; k++)
            REQUIRE_FOR(known[k], cp_mallopt(known[k], values[v]) == 1);
        for (size_t k = 0; k < sizeof unknown / sizeof *unknown; k++)
            REQUIRE_FOR(unknown[k], cp_mallopt(unknown[k], values[v]) == 1);
        void *p = cp_malloc(1000); /* whatever was set, it still works */
        void *q = cp_malloc(100000);
        REQUIRE_FOR(values[v], p != NULL && q != NULL);
        cp_free(p);
        cp_free(q);
    }
    for (int value = 0; value <= 160; value++)
        REQUIRE_FOR(value, cp_mallopt(OPT_MXFAST, value) == 1);
    static const int out_of_range[] = {-1, -160, INT_MIN, 161, 168, 1000, INT_MAX};
    for (size_t i = 0; i < sizeof out_of_range / sizeof *out_of_range; i++)
        REQUIRE_FOR(out_of_range[i], cp_mallopt(OPT_MXFAST, out_of_range[i]) == 0);
}

static bool perturbed(const unsigned char *p, size_t size, unsigned char value) {
    return all_bytes(p, size, (unsigned char)(value ^ 0xff));
}

static void check_perturb(void) {
    static const size_t sizes[] = {1,    8,    24,   40,   100,   200,    500,    1000,
                                   1032, 1033, 2000, 5000, 70000, 200000, 2000000};
    static const unsigned char values[] = {0xa5, 0x01, 0xff};
    for (size_t v = 0; v < sizeof values; v++) {
        unsigned char value = values[v];
        REQUIRE(cp_mallopt(OPT_PERTURB, value) == 1);
        for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++)
            for (int round = 0; round < 3; round++) { /* fresh, then recycled */
                size_t size = sizes[k];
                unsigned char *p = cp_malloc(size);
                unsigned char *q = cp_calloc(1, size);
                unsigned char *r = cp_memalign(256, size);
                REQUIRE(p != NULL && q != NULL && r != NULL);
                REQUIRE_FOR(size, perturbed(p, size, value));
                REQUIRE_FOR(size, all_bytes(q, size, 0));
                REQUIRE_FOR(size, perturbed(r, size, value));
                memset(opaque(p), 0x11, size);
                memset(opaque(q), 0x22, size);
                memset(opaque(r), 0x33, size);
                cp_free(p);
                /* Links lie in the first 64 bytes, the footer in the last 8. */
                if (size >= 200 && size <= 2000)
                    REQUIRE_FOR(size, all_bytes((unsigned char *)opaque(p) + 64, size - 80, value));
                cp_free(q);
                cp_free(r);
            }
    }
    REQUIRE(cp_mallopt(OPT_PERTURB, 0) == 1);
    unsigned char *p = cp_malloc(500);
    REQUIRE(p != NULL);
    memset(opaque(p), 0x77, 500);
    cp_free(p);
    REQUIRE(all_bytes((unsigned char *)opaque(p) + 64, 400, 0x77));
}

static size_t mappings(void) { return cp_mallinfo2().hblks; }

static void check_mmap_threshold(void) {
    size_t before = mappings();
    REQUIRE(cp_mallopt(OPT_MMAP_THRESHOLD, 400 * 1024) == 1); /* more than a fresh top holds */
    void *p = cp_malloc(400 * KIB);
    REQUIRE(p != NULL && mappings() == before + 1);
    cp_free(p);
    REQUIRE(mappings() == before);
    p = cp_malloc(390 * KIB);
    REQUIRE(p != NULL && mappings() == before);
    cp_free(p);
    for (int i = 0; i < 3; i++) { /* once set by hand it does not move */
        p = cp_malloc(MIB);
        REQUIRE_FOR(i, p != NULL && mappings() == before + 1);
        cp_free(p);
    }
    REQUIRE(cp_mallopt(OPT_MMAP_THRESHOLD, 4 << 20) == 1);
    p = cp_malloc(MIB);
    REQUIRE(p != NULL && mappings() == before);
    cp_free(p);
}

static void check_dynamic_threshold(void) {
    size_t before = mappings();
    void *p = cp_malloc(MIB);
    REQUIRE(p != NULL && mappings() == before + 1);
    cp_free(p);
    REQUIRE(mappings() == before);
    p = cp_malloc(MIB); /* the freed mapping raised the threshold to its size */
    REQUIRE(p != NULL && mappings() == before);
    void *q = cp_malloc(2 * MIB);
    REQUIRE(q != NULL && mappings() == before + 1);
    cp_free(p);
    cp_free(q);
    p = cp_malloc(40 * MIB); /* above the largest threshold, 32 MiB: never from the heap */
    REQUIRE(p != NULL && mappings() == before + 1);
    cp_free(p);
    p = cp_malloc(40 * MIB);
    REQUIRE(p != NULL && mappings() == before + 1);
    cp_free(p);
}

static void check_mmap_max(void) {
    REQUIRE(cp_mallopt(OPT_MMAP_THRESHOLD, 128 * 1024) == 1);
    size_t before = mappings();
    REQUIRE(cp_mallopt(OPT_MMAP_MAX, (int)before + 2) == 1);
    unsigned char *p[4];
    for (size_t i = 0; i < 4; i++) {
        p[i] = cp_malloc(MIB + i);
        REQUIRE_FOR(i, p[i] != NULL);
        pattern_fill(p[i], MIB + i, i);
    }
    REQUIRE(mappings() == before + 2);
    REQUIRE(cp_mallopt(OPT_MMAP_MAX, 0) == 1);
    void *q = cp_malloc(3 * MIB);
    REQUIRE(q != NULL && mappings() == before + 2);
    memset(opaque(q), 1, 3 * MIB);
    for (size_t i = 0; i < 4; i++) {
        REQUIRE_FOR(i, pattern_holds(p[i], MIB + i, i));
        cp_free(p[i]);
    }
    REQUIRE(mappings() == before);
    cp_free(q);
}

static void check_mxfast(void) {
    enum { MANY = 5000, OFTEN = 500 };
    static void *blocks[MANY], *between[MANY / OFTEN];
    size_t in_fast[2];
    for (int on = 0; on < 2; on++) {
        REQUIRE(cp_mallopt(OPT_MXFAST, on ? 128 : 0) == 1);
        for (int i = 0; i < MANY; i++)
            REQUIRE((blocks[i] = cp_malloc(64)) != NULL);
        for (int i = 0; i < 2 * MANY; i += 2) { /* more than any cache keeps, no two side by side */
            cp_free(blocks[i % MANY + i / MANY]);
            if (i % (2 * OFTEN) == 0) /* a region that is only freed into passes its fast bins by */
                REQUIRE((between[i / (2 * OFTEN)] = cp_malloc(40 * KIB)) != NULL);
        }
        in_fast[on] = cp_mallinfo2().smblks;
        for (int i = 0; i < MANY / OFTEN; i++)
            cp_free(between[i]);
        cp_malloc_trim(0); /* which empties the fast bins */
        REQUIRE_FOR(on, cp_mallinfo2().smblks == 0);
    }
    REQUIRE_FOR(in_fast[0], in_fast[0] == 0);
    REQUIRE_FOR(in_fast[1], in_fast[1] > 0);
}

static void check_top_pad(void) {
    cp_free(cp_malloc(100));
    REQUIRE(cp_mallopt(OPT_TOP_PAD, 3 << 20) == 1);
    size_t before = cp_mallinfo2().arena;
    void *p[64];
    for (int i = 0; i < 64; i++) /* more than what was there already */
        REQUIRE((p[i] = cp_malloc(16 * KIB)) != NULL);
    size_t grown = cp_mallinfo2().arena - before;
    REQUIRE_FOR(grown, grown >= 3 * MIB && grown <= 5 * MIB);
    for (int i = 0; i < 64; i++)
        cp_free(p[i]);
}

static size_t arena_after_frees(void) {
    void *p[256];
    for (int i = 0; i < 256; i++) {
        REQUIRE((p[i] = cp_malloc(64 * KIB)) != NULL);
        memset(opaque(p[i]), 1, 64 * KIB);
    }
    REQUIRE(cp_mallinfo2().arena >= 16 * MIB);
    for (int i = 0; i < 256; i++)
        cp_free(p[i]);
    return cp_mallinfo2().arena;
}

static void check_trim_threshold(void) {
    REQUIRE(cp_mallopt(OPT_TRIM_THRESHOLD, 64 << 20) == 1);
    size_t kept = arena_after_frees();
    REQUIRE_FOR(kept, kept >= 16 * MIB);
    REQUIRE(cp_mallopt(OPT_TRIM_THRESHOLD, 1 << 20) == 1);
    size_t left = arena_after_frees();
    REQUIRE_FOR(left, left <= 3 * MIB);
}

/* ---- Giving back -------------------------------------------------------------------------- */

static size_t resident_pages(const unsigned char *from, const unsigned char *to) {
    static unsigned char map[1 << 14];
    uintptr_t first = ((uintptr_t)from + PAGE - 1) / PAGE * PAGE;
    uintptr_t last = (uintptr_t)to / PAGE * PAGE;
    size_t pages = (last - first) / PAGE;
    size_t resident = 0;
    REQUIRE(pages <= sizeof map);
    if (mincore((void *)first, last - first, map) != 0)
        return 0; /* not mapped at all any more */
    for (size_t i = 0; i < pages; i++)
        resident += map[i] & 1;
    return resident;
}

static void check_trim(void) {
    enum { MANY = 128 };
    static unsigned char *p[MANY];
    REQUIRE(cp_mallopt(OPT_TRIM_THRESHOLD, 256 << 20) == 1); /* nothing goes by itself ... */
    for (int i = 0; i < MANY; i++) {
        REQUIRE((p[i] = cp_malloc(64 * KIB)) != NULL);
        memset(opaque(p[i]), 1, 64 * KIB);
    }
    void *pin = cp_malloc(5000); /* ... and not from the top */
    REQUIRE(pin != NULL);
    size_t resident = statm_bytes(STATM_RESIDENT);
    for (int i = 0; i < MANY; i++)
        cp_free(p[i]);
    cp_malloc_trim(0);
    REQUIRE(cp_malloc_trim(0) == 0); /* there is nothing left to give */
    REQUIRE(resident_pages(p[0], p[MANY - 1]) == 0);
    REQUIRE(statm_bytes(STATM_RESIDENT) <= resident - 7 * MIB);
    unsigned char *again = cp_malloc(64 * KIB);
    REQUIRE(again != NULL);
    memset(opaque(again), 2, 64 * KIB);
    cp_free(again);
    cp_free(pin);
    REQUIRE(cp_malloc_trim(0) == 1); /* the 64 KiB touched again, and top */
    REQUIRE(cp_malloc_trim(0) == 0);
}

/* `pad` bytes stay at the top, no more than a page or two besides. */
static void check_trim_pad(void) {
    enum { MANY = 128 };
    static void *p[MANY];
    REQUIRE(cp_mallopt(OPT_TRIM_THRESHOLD, 256 << 20) == 1);
    for (int i = 0; i < MANY; i++) {
        REQUIRE((p[i] = cp_malloc(64 * KIB)) != NULL);
        memset(opaque(p[i]), 1, 64 * KIB);
    }
    for (int i = 0; i < MANY; i++)
        cp_free(p[i]);
    REQUIRE(cp_mallinfo2().keepcost >= 8 * MIB);
    REQUIRE(cp_malloc_trim(MIB) == 1);
    size_t kept = cp_mallinfo2().keepcost;
    REQUIRE_FOR(kept, kept >= MIB && kept <= MIB + 3 * PAGE);
    REQUIRE(cp_malloc_trim(MIB) == 0);
    REQUIRE(cp_malloc_trim(0) == 1);
    kept = cp_mallinfo2().keepcost;
    REQUIRE_FOR(kept, kept <= 3 * PAGE);
    void *q = cp_malloc(64 * KIB);
    REQUIRE(q != NULL);
    cp_free(q);
}

/* Many runs become free one by one, none beside another: they go back while that lasts, but however many are
 * due, one free gives back a few. */
static void check_bounded_frees(void) {
    enum { RUNS = 2000, RUN = 20 * KIB, RUN_PAGES = 5, MOST_RUNS = 64, LIVE = 2000 };
    static unsigned char *run[RUNS], *live[RUNS];
    for (size_t i = 0; i < RUNS; i++) {
        REQUIRE((run[i] = cp_malloc(RUN)) != NULL && (live[i] = cp_malloc(LIVE)) != NULL);
        memset(opaque(run[i]), 1, RUN);
        memset(opaque(live[i]), 1, LIVE);
    }
    const unsigned char *first = run[0], *last = live[RUNS - 1];
    size_t before = resident_pages(first, last), most = 0;
    REQUIRE(before >= (size_t)RUNS * RUN / PAGE);
    for (size_t i = 0; i < RUNS; i++) {
        cp_free(run[i]);
        size_t now = resident_pages(first, last);
        if (now < before && before - now > most)
            most = before - now;
        before = now;
    }
    REQUIRE_FOR(most, most <= (size_t)MOST_RUNS * RUN_PAGES);
    size_t kept = before * PAGE;
    REQUIRE_FOR(kept, kept <= (size_t)2 * RUNS * PAGE + 4 * MIB);
    for (size_t i = 0; i < RUNS; i++)
        cp_free(live[i]);
}

/* Blocks of many sizes between some that stay are freed in any order. When hardly anything is left, what the thread
 * caches goes back, too, and in that free no more pages than in others. */
static void check_bounded_emptying(void) {
    enum { BLOCKS = 60000, EACH = 40, KEPT = BLOCKS / EACH, RUN_PAGES = 6, MOST_RUNS = 64 };
    static unsigned char *block[BLOCKS], *kept[KEPT];
    uint64_t rng = 1;
    for (size_t i = 0; i < BLOCKS; i++) {
        REQUIRE((block[i] = cp_malloc(100 + i * 7 % 30 * 30)) != NULL);
        memset(opaque(block[i]), 1, 100);
        REQUIRE(i % EACH != 0 || (kept[i / EACH] = cp_malloc(24)) != NULL);
    }
    const unsigned char *first = kept[0], *last = kept[KEPT - 1];
    size_t before = 0, most = 0;
    for (size_t left = BLOCKS; left > 0; left--) {
        size_t any = rng_below(&rng, left);
        cp_free(block[any]);
        block[any] = block[left - 1];
        size_t now = left > BLOCKS / 4 ? 0 : resident_pages(first, last);
        if (now < before && before - now > most)
            most = before - now;
        before = now;
    }
    REQUIRE_FOR(most, most > 0 && most <= (size_t)MOST_RUNS * RUN_PAGES);
    for (size_t i = 0; i < KEPT; i++)
        cp_free(kept[i]);
}

/* From Linux 5.14 on. */
static bool system_populates(void) {
    void *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(page != MAP_FAILED);
    bool populates = madvise(page, PAGE, 23 /* MADV_POPULATE_WRITE */) == 0;
    munmap(page, PAGE);
    return populates;
}

/* Where small blocks begin to fill what was given back, its next pages come in one call; those that
 * nothing came to use go back like others. */
static void check_taken_ahead(void) {
    enum { LIVE = 100, HOLE = 32, SMALL = 3000, AHEAD = 128 * KIB };
    static unsigned char *live[LIVE + HOLE], *small[SMALL];
    REQUIRE(cp_mallopt(OPT_TRIM_THRESHOLD, 256 << 20) == 1);
    for (size_t i = 0; i < LIVE + HOLE; i++) {
        REQUIRE((live[i] = cp_malloc(64 * KIB)) != NULL);
        memset(opaque(live[i]), 1, 64 * KIB);
    }
    const unsigned char *hole = live[LIVE / 2], *end = live[LIVE / 2 + HOLE];
    for (size_t i = LIVE / 2; i < LIVE / 2 + HOLE; i++)
        cp_free(live[i]);
    cp_malloc_trim(0);
    REQUIRE(resident_pages(hole, end) == 0);
    size_t n = 0;
    do {
        REQUIRE(n < SMALL && (small[n] = cp_malloc(2000)) != NULL);
    } while (small[n] < hole || small[n++] >= end);
    size_t ahead = resident_pages(hole, end);
    REQUIRE_FOR(ahead, !system_populates() || ahead >= AHEAD / PAGE);
    REQUIRE_FOR(ahead, ahead <= 2 * AHEAD / PAGE);
    cp_malloc_trim(0);
    ahead = resident_pages(hole, end);
    REQUIRE_FOR(ahead, ahead <= 4);
    while (n > 0)
        cp_free(small[--n]);
    for (size_t i = 0; i < LIVE + HOLE; i++)
        if (live[i] < hole || live[i] >= end)
            cp_free(live[i]);
}

static size_t pages_ahead(const unsigned char *block) {
    size_t ahead = 0;
    while (ahead < 64 && resident_pages(block + ahead * PAGE, block + (ahead + 2) * PAGE - 1) == 1)
        ahead++;
    return ahead;
}

/* Where small blocks make the heap grow, its next pages come before they are touched, few beside what is in use. */
static void check_grown_ahead(void) {
    enum { SMALL = 8192, BYTES = 1000, SHARE = 16, REFILL = 16 * KIB };
    static unsigned char *small[SMALL];
    size_t most = 0;
    for (size_t n = 0; n < SMALL; n++) {
        REQUIRE((small[n] = cp_malloc(BYTES)) != NULL);
        memset(opaque(small[n]), 1, BYTES);
        size_t ahead = pages_ahead(small[n]);
        REQUIRE_FOR(n, ahead * PAGE <= n * BYTES / SHARE + (size_t)(2 * REFILL));
        most = ahead > most ? ahead : most;
    }
    REQUIRE_FOR(most, !system_populates() || most >= 24);
    for (size_t n = 0; n < SMALL; n++)
        cp_free(small[n]);
}

/* ---- Statistics --------------------------------------------------------------------------- */

static void require_plausible(struct cp_mallinfo m) {
    REQUIRE(m.uordblks + m.fordblks == m.arena);
    REQUIRE(m.keepcost <= m.fordblks);
    REQUIRE(m.fsmblks <= m.arena && m.arena % PAGE == 0);
    REQUIRE((m.hblks == 0) == (m.hblkhd == 0) && m.hblkhd % PAGE == 0);
    REQUIRE(m.hblkhd >= m.hblks * PAGE);
    REQUIRE((m.smblks == 0) == (m.fsmblks == 0));
}

static long page_faults(void) {
    struct rusage used;
    REQUIRE(getrusage(RUSAGE_SELF, &used) == 0);
    return used.ru_minflt;
}

/* A server's swing, again and again: blocks beside much that lives are filled and freed. */
static void swing(unsigned char **blocks, size_t count) {
    for (size_t i = 0; i < count; i++) {
        REQUIRE((blocks[i] = cp_malloc(16 * KIB)) != NULL);
        memset(opaque(blocks[i]), 1, 16 * KIB);
    }
    for (size_t i = 0; i < count; i++)
        cp_free(blocks[i]);
    nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
}

/* What each swing of ten a second or more uses is not given back in between: it would cost the page
 * faults of all of it each time. A pause of the machine may make a swing late. */
static void check_swings(void) {
    enum { LIVE = 2500, SWINGING = 300, SWINGS = 30, LATE = 6 };
    static unsigned char *live[LIVE], *blocks[SWINGING];
    for (size_t i = 0; i < LIVE; i++) {
        REQUIRE((live[i] = cp_malloc(16 * KIB)) != NULL);
        memset(opaque(live[i]), 1, 16 * KIB);
    }
    void *pin = cp_malloc(5000); /* not at the top */
    for (size_t i = 0; i < SWINGING; i++) /* in holes of their own */
        cp_free(live[i * (LIVE / SWINGING)]);
    swing(blocks, SWINGING);
    long before = page_faults();
    for (size_t n = 0; n < SWINGS; n++)
        swing(blocks, SWINGING);
    long faults = page_faults() - before;
    REQUIRE_FOR((size_t)faults, faults <= (long)(LATE * SWINGING * 16 * KIB / PAGE));
    cp_free(pin);
}

/* Blocks of four sizes in turn, each marked, are freed in another order: far more than a thread cache
 * holds, so that its stacks grow, move and lose their oldest chunks all the time. */
enum { DEEP = 200000, DEEP_STRIDE = 70001 /* has no divisor in common with it */ };

static void fill_and_clear(uint32_t **block) {
    for (uint32_t i = 0; i < DEEP; i++) {
        REQUIRE((block[i] = cp_malloc(24 + i % 4 * 32)) != NULL);
        *block[i] = i;
    }
    for (size_t i = 0; i < DEEP; i++) {
        size_t other = i * DEEP_STRIDE % DEEP;
        REQUIRE_FOR(other, *block[other] == other);
        cp_free(block[other]);
    }
}

/* In the end hardly anything is left: the chunks that still wait in the cache must not keep the pages they
 * are spread over. */
static void check_deep_caches(void) {
    static uint32_t *block[DEEP];
    size_t resident = statm_bytes(STATM_RESIDENT);
    for (unsigned round = 0; round < 5; round++)
        fill_and_clear(block);
    size_t left = statm_bytes(STATM_RESIDENT) - resident;
    REQUIRE_FOR(left, left <= sizeof block + 4 * MIB);
}

static void check_mallinfo(void) {
    enum { MANY = 200, MAPPED = 3 };
    void *p[MANY];
    void *q[MAPPED];
    REQUIRE(cp_mallopt(OPT_MMAP_THRESHOLD, 1 << 20) == 1);
    struct cp_mallinfo before = {0};
    for (int round = 0; round < 3; round++) { /* the first one warms up */
        cp_malloc_trim(0); /* empties the thread's cache */
        if (round > 0)
            before = cp_mallinfo2();
        for (size_t i = 0; i < MANY; i++)
            REQUIRE((p[i] = cp_malloc(2000 + i * 100)) != NULL);
        for (size_t i = 0; i < MAPPED; i++)
            REQUIRE((q[i] = cp_malloc(8 * MIB + i * PAGE)) != NULL);
        struct cp_mallinfo full = cp_mallinfo2();
        require_plausible(full);
        if (round > 0) {
            REQUIRE(full.hblks == before.hblks + MAPPED);
            REQUIRE(full.hblkhd >= before.hblkhd + MAPPED * 8 * MIB);
            REQUIRE(full.hblkhd <= before.hblkhd + MAPPED * (8 * MIB + 4 * PAGE));
            REQUIRE(full.uordblks >= before.uordblks + MANY * 2000 + MANY * (MANY - 1) / 2 * 100);
            REQUIRE(full.uordblks <= before.uordblks + MANY * 2050 + MANY * (MANY - 1) / 2 * 100);
        }
        for (size_t i = 0; i < MANY; i += 2)
            cp_free(p[i]);
        cp_malloc_trim(0); /* out of the thread's cache, too */
        struct cp_mallinfo holes = cp_mallinfo2();
        require_plausible(holes);
        REQUIRE_FOR(holes.ordblks, holes.ordblks >= MANY / 2 - 2);
        for (size_t i = 1; i < MANY; i += 2)
            cp_free(p[i]);
        for (size_t i = 0; i < MAPPED; i++)
            cp_free(q[i]);
        cp_malloc_trim(0);
        struct cp_mallinfo after = cp_mallinfo2();
        require_plausible(after);
        if (round > 0) {
            REQUIRE_FOR(after.uordblks - before.uordblks, after.uordblks == before.uordblks);
            REQUIRE(after.hblks == before.hblks && after.hblkhd == before.hblkhd);
            REQUIRE(after.arena <= before.arena + 256 * KIB);
        }
    }
    for (int i = 0; i < 5000; i++)
        p[i % MANY] = cp_malloc((size_t)i % 3000);
    require_plausible(cp_mallinfo2());
}

/* What a reader of malloc_info's XML may rely on. */
struct xml {
    int heaps, sizes, size_entries;
    long long fast, rest, mmap_count, mmap_size, current, max, aspace, heap_current;
};

static long long xml_number(const char *tag, const char *end, const char *name) {
    size_t length = strlen(name);
    for (const char *at = tag; at + length + 2 < end; at++)
        if (at[0] == ' ' && strncmp(at + 1, name, length) == 0 && at[length + 1] == '=' &&
            at[length + 2] == '"')
            return strtoll(at + length + 3, NULL, 10);
    return -1;
}

static bool xml_says(const char *tag, const char *end, const char *text) {
    return memmem(tag, (size_t)(end - tag), text, strlen(text)) != NULL;
}

/* One tag <...>, without its brackets; `depth` counts the elements around it. */
static void xml_tag(struct xml *x, const char *tag, const char *end, int depth) {
    if (strncmp(tag, "heap ", 5) == 0) {
        REQUIRE_FOR(x->heaps, depth == 1 && xml_number(tag, end, "nr") == x->heaps);
        x->heaps++;
    } else if (strncmp(tag, "sizes", 5) == 0) {
        x->sizes++;
    } else if (strncmp(tag, "size ", 5) == 0 || strncmp(tag, "unsorted ", 9) == 0) {
        long long from = xml_number(tag, end, "from");
        long long to = xml_number(tag, end, "to");
        long long count = xml_number(tag, end, "count");
        long long total = xml_number(tag, end, "total");
        REQUIRE(depth == 3 && from > 0 && to >= from && count > 0 && total >= count * (from - 1));
        x->size_entries++;
    } else if (depth == 1 && strncmp(tag, "total ", 6) == 0) {
        long long count = xml_number(tag, end, "count");
        REQUIRE(count >= 0 && xml_number(tag, end, "size") >= 0);
        if (xml_says(tag, end, "type=\"fast\""))
            x->fast = count;
        else if (xml_says(tag, end, "type=\"rest\""))
            x->rest = count;
        else if (xml_says(tag, end, "type=\"mmap\""))
            x->mmap_count = count, x->mmap_size = xml_number(tag, end, "size");
        else
            require_failed("a total of a type glibc has", __FILE__, __LINE__, depth);
    } else if (strncmp(tag, "system ", 7) == 0) {
        long long size = xml_number(tag, end, "size");
        if (xml_says(tag, end, "type=\"current\""))
            *(depth == 1 ? &x->current : &x->heap_current) += size;
        else if (xml_says(tag, end, "type=\"max\"") && depth == 1)
            x->max = size;
    } else if (strncmp(tag, "aspace ", 7) == 0 && depth == 1) {
        if (xml_says(tag, end, "type=\"total\""))
            x->aspace = xml_number(tag, end, "size");
    }
}

/* Parse, and require that every element opened is closed in order. */
static struct xml xml_parse(const char *text) {
    struct xml x = {0, 0, 0, -1, -1, -1, -1, 0, -1, -1, 0};
    const char *open[16];
    size_t lengths[16];
    int depth = 0;
    int roots = 0;
    for (const char *at = strchr(text, '<'); at != NULL; at = strchr(at, '<')) {
        const char *tag = at + 1;
        const char *end = strchr(tag, '>');
        REQUIRE(end != NULL);
        size_t length = strcspn(tag + (*tag == '/'), " />");
        if (*tag == '/') {
            REQUIRE(depth > 0 && lengths[depth - 1] == length);
            depth--;
            REQUIRE(strncmp(open[depth], tag + 1, length) == 0);
        } else {
            xml_tag(&x, tag, end, depth);
            roots += depth == 0;
            if (end[-1] != '/') {
                REQUIRE(depth < 16);
                open[depth] = tag;
                lengths[depth++] = length;
            }
        }
        at = end;
    }
    REQUIRE(depth == 0 && roots == 1 && strncmp(text, "<malloc version=\"1\">", 20) == 0);
    return x;
}

static void check_malloc_info(void) {
    static char text[1 << 16];
    void *p[40];
    cp_mallopt(OPT_MMAP_THRESHOLD, 1 << 20);
    for (size_t i = 0; i < 40; i++)
        REQUIRE((p[i] = cp_malloc(3000 + 500 * i)) != NULL);
    for (size_t i = 0; i < 40; i += 2)
        cp_free(p[i]);
    cp_malloc_trim(0); /* out of the thread's cache, too */
    void *mapped[2] = {cp_malloc(2 * MIB), cp_malloc(3 * MIB)};
    FILE *out = fmemopen(text, sizeof text - 1, "w");
    REQUIRE(out != NULL);
    REQUIRE(cp_malloc_info(1, out) == EINVAL);
    REQUIRE(cp_malloc_info(-1, out) == EINVAL);
    fflush(out);
    REQUIRE(text[0] == 0); /* and nothing was written */
    REQUIRE(cp_malloc_info(0, out) == 0);
    struct cp_mallinfo m = cp_mallinfo2();
    fclose(out);
    struct xml x = xml_parse(text);
    REQUIRE(x.heaps >= 1 && x.sizes == x.heaps && x.size_entries >= 1);
    REQUIRE(x.fast >= 0 && x.rest >= 1);
    REQUIRE_FOR(x.mmap_count, x.mmap_count == (long long)m.hblks);
    REQUIRE_FOR(x.mmap_size, x.mmap_size == (long long)m.hblkhd);
    REQUIRE_FOR(x.current, x.current == (long long)m.arena && x.heap_current == x.current);
    REQUIRE(x.max >= x.current && x.aspace >= x.current);
    cp_free(mapped[0]);
    cp_free(mapped[1]);
    for (size_t i = 1; i < 40; i += 2)
        cp_free(p[i]);
}

static void check_malloc_stats(void) {
    static char text[1 << 14];
    int ends[2];
    REQUIRE(cp_malloc(100) != NULL);
    REQUIRE(pipe(ends) == 0);
    int kept = dup(STDERR_FILENO);
    REQUIRE(dup2(ends[1], STDERR_FILENO) == STDERR_FILENO);
    cp_malloc_stats();
    fflush(stderr);
    dup2(kept, STDERR_FILENO);
    close(ends[1]);
    close(kept);
    ssize_t length = read(ends[0], text, sizeof text - 1);
    close(ends[0]);
    REQUIRE(length > 0 && text[length - 1] == '\n');
    REQUIRE(strstr(text, "Arena 0:") != NULL);
    REQUIRE(strstr(text, "system bytes") != NULL && strstr(text, "in use bytes") != NULL);
}

/* ---- All of them -------------------------------------------------------------------------- */

static const struct check {
    const char *name;
    void (*work)(void);
} checks[] = {
#define CHECK(name)                                                                                \
    { #name, check_##name }
    CHECK(too_large),         CHECK(products),         CHECK(realloc_failing),
    CHECK(bad_alignment),     CHECK(size_zero),        CHECK(every_small_size),
    CHECK(large_sizes),       CHECK(alignments),       CHECK(alignment_rounding),
    CHECK(calloc_zeroes),     CHECK(realloc_chains),   CHECK(realloc_shrinks),
    CHECK(realloc_to_zero),   CHECK(free_keeps_errno), CHECK(sized_frees),
    CHECK(mallopt_results),   CHECK(perturb),          CHECK(mmap_threshold),
    CHECK(dynamic_threshold), CHECK(mmap_max),         CHECK(mxfast),
    CHECK(top_pad),           CHECK(trim_threshold),   CHECK(trim),
    CHECK(trim_pad),          CHECK(bounded_frees),    CHECK(bounded_emptying),
    CHECK(taken_ahead),       CHECK(grown_ahead),      CHECK(mallinfo),
    CHECK(malloc_info),       CHECK(malloc_stats),     CHECK(swings),
    CHECK(deep_caches),
#undef CHECK
};
#define CHECKS (sizeof checks / sizeof *checks)

static const struct check *current_check;
static bool in_second_thread;

static void *check_thread(void *unused) {
    (void)unused;
    current_check->work();
    return NULL;
}

static void check_body(void) {
    if (in_second_thread) {
        pthread_t thread;
        REQUIRE(pthread_create(&thread, NULL, check_thread, NULL) == 0);
        REQUIRE(pthread_join(thread, NULL) == 0);
    } else {
        current_check->work();
    }
    struct cp_breach breach;
    memset(&breach, 0, sizeof breach);
    if (!cp_check(&breach)) {
        cp_check_print(&breach);
        require_failed("the heap is sound afterwards", __FILE__, __LINE__, 0);
    }
}

/* Run one check twice, in a single-threaded process and in the second thread of another: the
 * locks, the thread cache and its end are different there. */
static bool check_passes(const struct check *check) {
    bool passes = true;
    current_check = check;
    for (int second = 0; second < 2; second++) {
        in_second_thread = second != 0;
        int status = in_child(check_body);
        if (status != 0)
            say(STDERR_FILENO, "%s%s: exit status %d\n", check->name,
                second ? " in a second thread" : "", status);
        passes = passes && status == 0;
    }
    return passes;
}

#endif
