/* cache.h: the thread cache, and with it the fast path of malloc and free.
 *
 * Chunks of 2 .. CACHE_MAX_GRANULES granules wait here for their thread, sealed as cached: in use
 * for their neighbours, so neither push nor pop needs a lock or an atomic operation beyond plain
 * loads and stores. Pop and push check one seal each. Up to CACHE_SMALL_GRANULES each size has a
 * bin of its own and is fetched in batches; larger chunks share bins with others within an eighth
 * of their size, and a request takes the first of the newest few that is large enough. Where there
 * is none, the newest of the next CACHE_NEXT_BINS bins serves: a chunk larger by an eighth while
 * small, by half at most.
 *
 * The list of a size is a stack of pointers outside the heap, not a chain through the chunks:
 * there is no link in freed memory that a stray write could bend, and a pop touches no line that
 * the program is not about to use.
 *
 *   struct cache (a mapping of its own)          heap
 *   +----------+---------------------------+
 *   | bin 5    |      [ * * * * . . . . ]  |---> payload of a chunk of 5 granules, sealed as cached
 *   |          |       base[5] top[5]  end[5]
 *   +----------+---------------------------+
 *
 * Thread-local storage holds one pointer only, since programs make threads with minimal stacks. It
 * leads to `cache_none`, which serves nothing, until the thread's first slow call and after its
 * end, so the fast path needs no test for it.
 *
 * A cache belongs to its thread; the registry of all caches has a lock.
 */
#ifndef CP_CACHE_H
#define CP_CACHE_H

#include "arena.h"
#include "chunkproof.h"
#include "size.h"

struct cache {
    size_t request_end; /* requests below this many bytes find a bin of their size; 0: none does */
    uint32_t chunk_end; /* chunks below this many granules do; 0: none */
    bool watched; /* every operation takes the slow path, see options_watch */
    uint16_t toggle; /* from the seal of an allocated chunk to that of a cached one, and back */
    struct seal_key key; /* the process's */
    size_t least_end; /* requests below this many bytes would fit one granule; a variable, since gcc
                         adds the outcome of a comparison with one in a single instruction */
    /* Of each bin's stack: behind the newest; where top stands when a push must flush, which adapts;
     * the oldest. They are of payloads, which is what the program gets and gives. Below the oldest
     * stands `nothing`, whose header has no cached chunk's seal: so an empty stack needs no test of
     * its own. */
    struct granule **top[CACHE_BIN_COUNT];
    struct granule **end[CACHE_BIN_COUNT];
    struct granule **base[CACHE_BIN_COUNT];
    _Alignas(GRANULE_BYTES) struct granule nothing[2]; /* header and payload */
    size_t shared_request_end; /* as request_end and chunk_end, of the bins that sizes share */
    uint32_t shared_chunk_end;
    struct arena *arena; /* where refills come from */
    size_t operations; /* counted while watched */
    size_t budget_bytes; /* by which limits may still be raised */
    size_t borrowed_bytes; /* of the budget that all caches share ... */
    size_t borrow_max_bytes; /* ... and at most, for now */
    uint32_t slots_used; /* of those behind this struct */
    uint16_t slack[CACHE_BIN_COUNT]; /* how far each stack may yet move on in its place */
    struct cache *next; /* registry, or pool of those without a thread */
    struct cache *previous;
};

extern _Thread_local struct cache *cache_self;
extern struct cache cache_none;

/* The bin for chunks of `size` granules (CACHE_MAX_GRANULES at most): the size itself while small;
 * then 8 bins for each doubling, told by the size's highest bit and the three below it. */
static inline uint32_t cache_bin_of(uint32_t size) {
    if (size <= CACHE_SMALL_GRANULES)
        return size;
    uint32_t high = 31u - (uint32_t)__builtin_clz(size);
    return CACHE_SMALL_GRANULES + 1 + (high - 6) * 8 + (size >> (high - 3)) % 8;
}

static inline uint32_t cache_count(const struct cache *c, uint32_t bin) {
    return (uint32_t)(c->top[bin] - c->base[bin]);
}

static inline uint32_t cache_limit(const struct cache *c, uint32_t bin) {
    return (uint32_t)(c->end[bin] - c->base[bin]);
}

/* Turn an allocated chunk of `size` into a cached one, or back: false, and unchanged, if it is not
 * sealed as `from`. The two seals differ by the states' secrets alone, so one hash serves both. Who
 * holds the chunk alone writes its seal, so it may be read plainly here. */
static inline bool cache_reseal(const struct cache *c, struct granule *payload, size_t size,
                                enum seal_state from) {
    struct granule *header = payload - 1;
    uint16_t hash = seal_hash_at(&c->key, (uintptr_t)payload, (uint32_t)size, header->flags);
    uint16_t expected = (uint16_t)(hash ^ c->key.state[from]);
    if (__builtin_expect(header->seal != expected, 0))
        return false;
    seal_store(header, (uint16_t)(expected ^ c->toggle));
    return true;
}

/* Take the newest chunk out of small bin `size`: its payload. NULL: the bin is empty, or what it
 * holds is not a cached chunk: the caller tells the two apart by the count. */
static inline struct granule *cache_take(struct cache *c, size_t size) {
    struct granule *payload = *(c->top[size] - 1);
    if (!cache_reseal(c, payload, payload[-1].size, SEAL_CACHED))
        return NULL;
    c->top[size]--;
    return payload;
}

/* Put an allocated chunk into its bin. false: it is not one, or the bin is full; unchanged. */
static inline bool cache_put(struct cache *c, size_t bin, struct granule *payload, size_t size) {
    struct granule **top = c->top[bin];
    if (__builtin_expect(top == c->end[bin], 0) || !cache_reseal(c, payload, size, SEAL_ALLOCATED))
        return false;
    *top = payload;
    c->top[bin] = top + 1;
    return true;
}

/* As size_to_granules, of a request that has a bin: in one type and without branches. What one
 * granule would do for gets two. */
static inline size_t small_granules(const struct cache *c, size_t request_bytes) {
    size_t granules = (request_bytes + CHUNK_OVERHEAD_BYTES + (GRANULE_BYTES - 1)) / GRANULE_BYTES;
    return granules + (request_bytes < c->least_end);
}
_Static_assert(CHUNK_MIN_GRANULES == 2, "small_granules adds one");

/* Fast path of malloc: NULL means "take the slow path". */
static inline void *cache_pop(struct cache *c, size_t request_bytes) {
    size_t end = __atomic_load_n(&c->request_end, __ATOMIC_RELAXED);
    if (__builtin_expect(request_bytes >= end, 0))
        return NULL;
    return cache_take(c, small_granules(c, request_bytes));
}

/* Fast path of free, for a payload whose header can be read: false means "take the slow path",
 * nothing has been changed. */
static inline bool cache_push(struct cache *c, struct granule *payload) {
    size_t size = payload[-1].size;
    if (__builtin_expect(size >= __atomic_load_n(&c->chunk_end, __ATOMIC_RELAXED), 0))
        return false;
    return cache_put(c, size, payload, size);
}

/* Whether a request for a chunk of wanted_size granules may have got this one out of a cache. */
bool cache_serves(uint32_t chunk_size, uint32_t wanted_size);

/* The same for larger requests and chunks, whose bins sizes share: they come next. */
void *cache_pop_shared(struct cache *c, size_t request_bytes);
bool cache_push_shared(struct cache *c, struct granule *header);

/* The calling thread's cache, made if need be. NULL when there is no memory for one or the thread
 * is about to end: then the arenas serve it directly. */
struct cache *cache_make(void); /* where there is none yet */

static inline struct cache *cache_obtain(void) {
    struct cache *c = cache_self;
    return __builtin_expect(c->arena != NULL, 1) ? c : cache_make();
}

/* A chunk of `size` granules (cache_max_granules() at most) or a little more, allocated: from the
 * cache, else from an arena, together with some that stay in the cache. NULL: no memory. */
struct granule *cache_allocate(struct cache *c, uint32_t size);

/* One whose payload is a multiple of align_bytes, from the cache alone; NULL if there is none among
 * the newest of its bin. */
struct granule *cache_take_aligned(struct cache *c, uint32_t size, size_t align_bytes);

/* Put a block that is known to be allocated into the cache, making room if need be. false: its bin
 * holds none, by option. */
bool cache_free(struct cache *c, struct granule *header);

/* Give everything back. */
void cache_flush(struct cache *c);

/* Have all threads' caches take the slow path, or no longer, as options_watch says. */
void cache_watch_changed(void);

/* Largest chunk caches keep, in granules; 0: none are kept. */
uint32_t cache_max_granules(void);

/* Walk the calling thread's cache (owned). */
bool cache_check(const struct cache *c, struct cp_breach *breach);

void cache_start(void);
struct lock *cache_lock(void);

#endif
