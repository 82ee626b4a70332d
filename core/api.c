/* api.c: the malloc family under cp_ names: what a call means, its errors and errno. Where chunks
 * come from is decided here too:
 *
 *   up to CACHE_MAX_GRANULES          thread cache, refilled from an arena
 *   larger                            free memory of an arena; from the mmap threshold on a
 *                                     mapping of its own before the arena grows
 *   what no region can hold           a mapping of its own
 *
 * Takes no lock but through arena.h, cache.h and mapped.h.
 */
#include <errno.h>
#include <malloc.h>
#include <string.h>

#include "arena.h"
#include "cache.h"
#include "check.h"
#include "chunkproof.h"
#include "mapped.h"
#include "options.h"
#include "purge.h"
#include "report.h"
#include "returned.h"
#include "size.h"

/* ---- Watched operation: walk now and then, fill --------------------------------------------------- */

static void walk_now_and_then(struct cache *c) {
    size_t every = option(&options.check_every);
    if (every == 0 || ++c->operations % every != 0)
        return;
    struct cp_breach breach;
    if (!cp_check(&breach))
        report_breach(&breach);
}

static bool is_watched(const struct cache *c) {
    return c != NULL && __atomic_load_n(&c->watched, __ATOMIC_RELAXED);
}

static void perturb(void *p, size_t bytes, unsigned char mask) {
    size_t byte = option(&options.perturb);
    if (byte != 0)
        memset(p, (unsigned char)byte ^ mask, bytes);
}

/* ---- Allocate -------------------------------------------------------------------------------------- */

/* The thread's cache, or NULL and a place for the arena of one call. */
static struct arena **preferred_arena(struct cache *c, struct arena **for_one_call) {
    *for_one_call = arena_main();
    return c != NULL ? &c->arena : for_one_call;
}

static struct granule *from_arena(struct arena **preferred, uint32_t size, uint32_t align,
                                  bool may_grow, struct zero_bytes *zero) {
    struct arena *a = arena_enter(preferred);
    if (a == NULL)
        return NULL;
    struct granule *header = arena_allocate_zero(a, size, align, may_grow, zero);
    arena_leave(a);
    return header;
}

/* No memory where the thread is at home: any other arena may have some. */
static struct granule *from_any_arena(uint32_t size, uint32_t align) {
    struct arena *a = arena_main();
    do {
        struct arena *here = a;
        lock_acquire(&here->lock);
        struct granule *header = here->lost ? NULL : arena_allocate(here, size, align, true);
        arena_leave(here);
        if (header != NULL)
            return header;
        a = arena_next(a);
    } while (a != arena_main());
    return NULL;
}

static struct granule *allocate_mapped(size_t request_bytes, size_t align_bytes,
                                       struct zero_bytes *zero) {
    struct granule *header = mapped_allocate(request_bytes, align_bytes);
    if (header != NULL)
        *zero = (struct zero_bytes){(unsigned char *)(header + 1),
                                    (unsigned char *)(header + 1) + request_bytes};
    return header;
}

/* A chunk that no cache serves. `size` 0: no region can hold the request. */
static struct granule *allocate_large(struct cache *c, size_t request_bytes, uint32_t size,
                                      size_t align_bytes, struct zero_bytes *zero) {
    struct arena *for_one_call, **preferred = preferred_arena(c, &for_one_call);
    uint32_t align = align_bytes / GRANULE_BYTES > REGION_LIMIT_GRANULES
                         ? 0
                         : (uint32_t)(align_bytes / GRANULE_BYTES);
    bool fits = size != 0 && align != 0;
    bool apart = !fits || request_bytes >= option(&options.mmap_threshold_bytes);
    struct granule *header = fits ? from_arena(preferred, size, align, !apart, zero) : NULL;
    if (header == NULL && apart)
        header = allocate_mapped(request_bytes, align_bytes, zero);
    if (header == NULL && fits)
        header = from_any_arena(size, align);
    if (header == NULL && !apart && request_bytes >= PAGE_BYTES)
        header = allocate_mapped(request_bytes, align_bytes, zero);
    return header;
}

static struct granule *try_chunk(struct cache *c, size_t request_bytes, uint32_t size,
                                 size_t align_bytes, struct zero_bytes *zero) {
    if (c != NULL && size != 0 && size <= cache_max_granules()) {
        struct granule *header = align_bytes == GRANULE_BYTES
                                     ? cache_allocate(c, size)
                                     : cache_take_aligned(c, size, align_bytes);
        if (header != NULL)
            return header;
    }
    return allocate_large(c, request_bytes, size, align_bytes, zero);
}

/* Where there is no memory, what the thread's cache holds may make room. */
static struct granule *allocate_chunk(struct cache *c, size_t request_bytes, size_t align_bytes,
                                      struct zero_bytes *zero) {
    if (request_bytes > REQUEST_MAX_BYTES - align_bytes)
        return NULL;
    uint32_t size = size_to_granules(request_bytes);
    bool flushed = size == 0 || c == NULL; /* or that would not help */
    for (;;) {
        struct granule *header = try_chunk(c, request_bytes, size, align_bytes, zero);
        if (header != NULL || flushed)
            return header;
        cache_flush(c);
        flushed = true;
    }
}

/* Everything the fast path does not do. `align_bytes`: power of two, GRANULE_BYTES or more. *zero:
 * bytes of the block known to be zero; from == to when none are. */
static __attribute__((noinline)) void *allocate_zero(size_t request_bytes, size_t align_bytes,
                                                     struct zero_bytes *zero) {
    *zero = (struct zero_bytes){NULL, NULL};
    struct cache *c = cache_obtain();
    bool watched = is_watched(c);
    int saved = errno;
    if (watched)
        walk_now_and_then(c);
    struct granule *header = allocate_chunk(c, request_bytes, align_bytes, zero);
    if (header == NULL) {
        errno = ENOMEM;
        return NULL;
    }
    errno = saved;
    if (watched && option(&options.perturb) != 0) {
        perturb(header + 1, request_bytes, 0xff);
        *zero = (struct zero_bytes){NULL, NULL};
    }
    return header + 1;
}

static void *allocate(size_t request_bytes, size_t align_bytes) {
    struct zero_bytes unused;
    return allocate_zero(request_bytes, align_bytes, &unused);
}

/* What the fast path of small requests does not serve. */
static __attribute__((noinline)) void *allocate_slowly(size_t request_bytes) {
    void *p = cache_pop_shared(cache_self, request_bytes);
    return p != NULL ? p : allocate(request_bytes, GRANULE_BYTES);
}

CP_PUBLIC void *cp_malloc(size_t size) {
    void *p = cache_pop(cache_self, size);
    return __builtin_expect(p != NULL, 1) ? p : allocate_slowly(size);
}

/* Zero p[0..bytes), whose part `zero` is known to be so. */
static void *clear(unsigned char *p, size_t bytes, struct zero_bytes zero) {
    if (zero.from >= zero.to)
        return memset(p, 0, bytes);
    size_t before = (size_t)(zero.from - p);
    memset(p, 0, before < bytes ? before : bytes);
    if (zero.to < p + bytes)
        memset(zero.to, 0, (size_t)(p + bytes - zero.to));
    return p;
}

CP_PUBLIC void *cp_calloc(size_t count, size_t each) {
    size_t bytes;
    if (!size_multiply(count, each, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    unsigned char *p = cache_pop(cache_self, bytes);
    if (p == NULL)
        p = cache_pop_shared(cache_self, bytes);
    if (p != NULL)
        return memset(p, 0, bytes);
    struct zero_bytes zero;
    p = allocate_zero(bytes, GRANULE_BYTES, &zero);
    return p == NULL ? NULL : clear(p, bytes, zero);
}

/* Smallest power of two that is `alignment` or more, and GRANULE_BYTES or more; 0 beyond size_t. */
static size_t round_alignment(size_t alignment) {
    if (alignment > SIZE_MAX / 2 + 1)
        return 0;
    size_t power = GRANULE_BYTES;
    while (power < alignment)
        power *= 2;
    return power;
}

CP_PUBLIC void *cp_memalign(size_t alignment, size_t size) {
    size_t power = round_alignment(alignment);
    if (power == 0) {
        errno = EINVAL;
        return NULL;
    }
    if (power == GRANULE_BYTES)
        return cp_malloc(size);
    if (power > REQUEST_MAX_BYTES) {
        errno = ENOMEM;
        return NULL;
    }
    return allocate(size, power);
}

CP_PUBLIC void *cp_aligned_alloc(size_t alignment, size_t size) {
    if (!size_is_power_of_two(alignment)) {
        errno = EINVAL;
        return NULL;
    }
    return cp_memalign(alignment, size);
}

CP_PUBLIC int cp_posix_memalign(void **out, size_t alignment, size_t size) {
    if (!size_is_power_of_two(alignment) || alignment % sizeof(void *) != 0)
        return EINVAL;
    int saved = errno;
    void *p = cp_memalign(alignment, size);
    errno = saved;
    if (p == NULL)
        return ENOMEM;
    *out = p;
    return 0;
}

CP_PUBLIC void *cp_valloc(size_t size) { return cp_memalign(PAGE_BYTES, size); }

CP_PUBLIC void *cp_pvalloc(size_t size) {
    if (size > REQUEST_MAX_BYTES - PAGE_BYTES) {
        errno = ENOMEM;
        return NULL;
    }
    return cp_memalign(PAGE_BYTES, round_up(size, PAGE_BYTES));
}

/* ---- Free ------------------------------------------------------------------------------------------ */

/* A block of the program: its header, and whether it is a mapping of its own. */
struct block {
    struct granule *header;
    bool mapped;
};

/* The block that starts at p; any other pointer is reported. */
static struct block checked_block(void *p, const char *operation) {
    struct block b = {.header = (struct granule *)p - 1};
    if (arena_readable(p)) {
        if (is_sealed_as(b.header, SEAL_ALLOCATED))
            return b;
    } else if ((uintptr_t)p % GRANULE_BYTES == 0 && mapped_find(p, &b.header)) {
        b.mapped = true;
        return b;
    }
    check_diagnose(p, operation);
}

static size_t usable_bytes(struct block b) {
    return b.mapped ? mapped_usable(b.header) : granules_to_usable(b.header->size);
}

static void free_block(struct cache *c, struct block b) {
    uint32_t size = b.header->size;
    if (b.mapped)
        mapped_free(b.header);
    else if (c == NULL || size > cache_max_granules() || !cache_free(c, b.header))
        return_chunk(b.header);
}

static __attribute__((noinline)) void free_slowly(void *p, const char *operation) {
    if (p == NULL)
        return;
    int saved = errno;
    struct cache *c = cache_obtain();
    bool watched = is_watched(c);
    if (watched)
        walk_now_and_then(c);
    struct block b = checked_block(p, operation);
    if (watched && !b.mapped)
        perturb(p, usable_bytes(b), 0);
    free_block(c, b);
    errno = saved;
}

/* A header that can be read, of a chunk that the fast path does not take. */
static __attribute__((noinline)) void free_readable(struct granule *header) {
    if (!cache_push_shared(cache_self, header))
        free_slowly(header + 1, "free");
}

CP_PUBLIC void cp_free(void *p) {
    if (__builtin_expect(!arena_readable(p), 0)) /* so is NULL */
        free_slowly(p, "free");
    else if (__builtin_expect(!cache_push(cache_self, p), 0))
        free_readable((struct granule *)p - 1);
}

/* A chunk may be one granule larger than its request needs, or as large as cache bins serve it. */
static bool chunk_serves(uint32_t has, uint32_t size) {
    return has == size || has == size + 1 || cache_serves(has, size);
}

/* A mapping is as many pages as the request needs, which is one for no bytes. */
static bool size_is_possible(struct block b, size_t size) {
    if (size > usable_bytes(b))
        return false;
    if (b.mapped)
        return mapped_usable(b.header) - size < PAGE_BYTES + (size == 0);
    return chunk_serves(b.header->size, size_to_granules(size));
}

CP_PUBLIC void cp_free_sized(void *p, size_t size) {
    if (p == NULL)
        return;
    struct block b = checked_block(p, "free_sized");
    if (!size_is_possible(b, size))
        report_fault(FAULT_SIZED_FREE, p, b.header, "free_sized");
    cp_free(p);
}

CP_PUBLIC void cp_free_aligned_sized(void *p, size_t alignment, size_t size) {
    if (p != NULL && (!size_is_power_of_two(alignment) || (uintptr_t)p % alignment != 0))
        report_fault(FAULT_SIZED_FREE, p, NULL, "free_aligned_sized: alignment");
    cp_free_sized(p, size);
}

CP_PUBLIC size_t cp_malloc_usable_size(void *p) {
    return p == NULL ? 0 : usable_bytes(checked_block(p, "malloc_usable_size"));
}

/* ---- Resize ---------------------------------------------------------------------------------------- */

static bool resize_in_region(struct granule *header, uint32_t size) {
    if (chunk_serves(header->size, size))
        return true;
    struct heap *h = heap_of(header);
    struct arena *a = h->arena;
    lock_acquire(&a->lock);
    bool shrinks = size < header->size;
    bool done = !a->lost && region_resize(&h->region, heap_index(h, header), size);
    if (done && shrinks) {
        purge_freed_into(h);
        purge_after_frees(a);
    }
    arena_leave(a);
    return done;
}

/* The block resized without copying by hand; NULL when it must be. */
static struct granule *resize_block(struct block b, size_t size) {
    if (b.mapped)
        return mapped_resize(b.header, size);
    uint32_t granules = size_to_granules(size);
    return granules != 0 && resize_in_region(b.header, granules) ? b.header : NULL;
}

static void *reallocate(void *p, size_t size) {
    struct cache *c = cache_obtain();
    if (is_watched(c))
        walk_now_and_then(c);
    struct block b = checked_block(p, "realloc");
    if (size > REQUEST_MAX_BYTES) {
        errno = ENOMEM;
        return NULL;
    }
    int saved = errno;
    struct granule *resized = resize_block(b, size);
    errno = saved;
    if (resized != NULL)
        return resized + 1;
    void *fresh = cp_malloc(size);
    if (fresh == NULL)
        return NULL;
    size_t old = usable_bytes(b);
    memcpy(fresh, p, old < size ? old : size);
    cp_free(p);
    return fresh;
}

CP_PUBLIC void *cp_realloc(void *p, size_t size) {
    if (p == NULL)
        return cp_malloc(size);
    if (size != 0)
        return reallocate(p, size);
    cp_free(p);
    return NULL;
}

CP_PUBLIC void *cp_reallocarray(void *p, size_t count, size_t each) {
    size_t bytes;
    if (!size_multiply(count, each, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return cp_realloc(p, bytes);
}

/* ---- Tuning ---------------------------------------------------------------------------------------- */

/* As in glibc, setting M_MXFAST merges what waits in fast bins. */
static void consolidate_all(void) {
    struct arena *a = arena_main();
    do {
        lock_acquire(&a->lock);
        for (struct heap *h = a->lost ? NULL : a->heaps; h != NULL; h = h->next)
            region_consolidate(&h->region);
        arena_leave(a);
        a = arena_next(a);
    } while (a != arena_main());
}

CP_PUBLIC int cp_mallopt(int parameter, int value) {
    allocator_ensure_started();
    if (parameter == M_MXFAST)
        consolidate_all();
    int result = options_set(parameter, value);
    if (parameter == M_PERTURB)
        cache_watch_changed();
    return result;
}

CP_PUBLIC int cp_malloc_trim(size_t pad) {
    int saved = errno;
    struct cache *c = cache_obtain();
    allocator_ensure_started();
    if (c != NULL)
        cache_flush(c);
    bool any = false;
    struct arena *a = arena_main();
    do {
        arena_take_in(a);
        lock_acquire(&a->lock);
        if (!a->lost)
            any |= purge_arena(a, pad);
        arena_leave(a);
        a = arena_next(a);
    } while (a != arena_main());
    errno = saved;
    return any;
}
