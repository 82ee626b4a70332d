/* cache.h: the thread cache, and with it the fast path of malloc and free.
 *
 * Chunks of 2 .. CACHE_MAX_GRANULES granules wait here for their thread, sealed as cached: in use
 * for their neighbours, so neither push nor pop needs a lock or an atomic operation beyond plain
 * loads and stores. Pop and push check one seal each. Up to CACHE_SMALL_GRANULES each size has a
 * bin of its own and is fetched in batches; larger chunks share bins with others within an eighth
 * of their size, and a request takes the first of the newest few that is large enough.
 *
 * The list of a size is a stack of pointers outside the heap, not a chain through the chunks:
 * there is no link in freed memory that a stray write could bend, and a pop touches no line that
 * the program is not about to use.
 *
 *   struct cache (a mapping of its own)          heap
 *   +----------+---------------------------+
 *   | bin[5]   | slot -> [ * * * * . . . ] |---> chunk of 5 granules, sealed as cached
 *   |          | count 4, limit 8          |
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
#include "pagemap.h"
#include "size.h"

struct cache_bin {
    struct granule **slot;
    uint32_t count;
    uint32_t limit; /* count at which a push flushes; adapts between 1 and capacity */
};

struct cache {
    size_t request_end; /* requests below this many bytes may take the fast path; 0: none */
    uint32_t chunk_end; /* chunks below this many granules may; 0: none */
    bool watched; /* every operation takes the slow path, see options_watch */
    struct seal_key key; /* base 0 */
    struct arena *arena; /* where refills come from */
    size_t operations; /* counted while watched */
    size_t budget_bytes; /* by which limits may still be raised */
    struct cache *next; /* registry, or pool of those without a thread */
    struct cache *previous;
    struct cache_bin bin[CACHE_BIN_COUNT];
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

/* Change the seal of a chunk from one state to another: false, and unchanged, if it is not sealed
 * as the first. The two differ by the states' secrets alone, so one hash serves both. */
static inline bool cache_reseal(const struct cache *c, struct granule *header, enum seal_state from,
                                enum seal_state to) {
    uint16_t expected = seal_at(&c->key, header, from);
    if (__builtin_expect(seal_load(header) != expected, 0))
        return false;
    seal_store(header, (uint16_t)(expected ^ c->key.state[from] ^ c->key.state[to]));
    return true;
}

/* Take the newest chunk out of small bin `size`. NULL: the bin is empty, or what it holds is not a
 * cached chunk: the caller tells the two apart by the count. */
static inline struct granule *cache_take(struct cache *c, uint32_t size) {
    struct cache_bin *bin = &c->bin[size];
    if (__builtin_expect(bin->count == 0, 0))
        return NULL;
    struct granule *header = bin->slot[bin->count - 1];
    if (!cache_reseal(c, header, SEAL_CACHED, SEAL_ALLOCATED))
        return NULL;
    bin->count--;
    return header;
}

/* Put an allocated chunk into its bin. false: it is not one, or the bin is full; unchanged. */
static inline bool cache_put(struct cache *c, struct cache_bin *bin, struct granule *header) {
    if (__builtin_expect(bin->count >= bin->limit, 0) ||
        !cache_reseal(c, header, SEAL_ALLOCATED, SEAL_CACHED))
        return false;
    bin->slot[bin->count++] = header;
    return true;
}

/* Fast path of malloc: NULL means "take the slow path". */
static inline void *cache_pop(struct cache *c, size_t request_bytes) {
    size_t end = __atomic_load_n(&c->request_end, __ATOMIC_RELAXED);
    if (__builtin_expect(request_bytes >= end, 0))
        return NULL;
    struct granule *header = cache_take(c, size_to_granules(request_bytes));
    return __builtin_expect(header != NULL, 1) ? header + 1 : NULL;
}

/* Whether p is aligned and the header before it can be read: in committed memory of a region. */
static inline bool cache_readable(const void *p) {
    const struct granule *header = (const struct granule *)p - 1;
    return (uintptr_t)p % GRANULE_BYTES == 0 &&
           (arena_break_holds(header) || pagemap_holds(header));
}

/* Fast path of free: false means "take the slow path", nothing has been changed. */
static inline bool cache_push(struct cache *c, void *p) {
    if (__builtin_expect(!cache_readable(p), 0))
        return false;
    struct granule *header = (struct granule *)p - 1;
    if (__builtin_expect(header->size >= __atomic_load_n(&c->chunk_end, __ATOMIC_RELAXED), 0))
        return false;
    return cache_put(c, &c->bin[header->size], header);
}

/* The calling thread's cache, made if need be. NULL when there is no memory for one or the thread
 * is about to end: then the arenas serve it directly. */
struct cache *cache_obtain(void);

/* A chunk of `size` granules (cache_max_granules() at most) or a little more, allocated: from the
 * cache, else from an arena, together with some that stay in the cache. NULL: no memory. */
struct granule *cache_allocate(struct cache *c, uint32_t size);

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
