/* cache.c: see cache.h. Owns the registry and the pool of caches, guarded by its lock. */
#include "cache.h"

#include <string.h>

#include "options.h"
#include "os.h"
#include "purge.h"
#include "report.h"

/* A cache has room for this much of one size, within CAPACITY_MIN .. CAPACITY_MAX chunks. How much
 * it may hold (limit) starts low and doubles with each miss, until the limits of all sizes
 * together reach CACHE_BYTES: so a thread is bounded in bytes without counting any on the way. */
enum { BIN_BYTES = 96 * 1024, CAPACITY_MIN = 8, CAPACITY_MAX = 1024 };
enum { LIMIT_FIRST = 8, LIMIT_FIRST_LARGE = 2 };
enum { CACHE_BYTES = 1024 * 1024 };

/* Chunks that move between cache and arena under one lock, at most: enough to pay for the lock,
 * few enough that a thread which swings about a bin's limit does not move half of it each time. */
enum { BATCH_MAX = 64 };

/* How many of the newest chunks of a shared bin a request looks at. */
enum { LOOK_MAX = 4 };

/* Caches without a thread kept for the next ones, so that short threads cost no system call. */
enum { POOL_MAX = 16 };

struct cache cache_none;
_Thread_local struct cache *cache_self = &cache_none;

/* What cache_self leads to once a thread's cache is gone: it gets no second one. */
static struct cache cache_ended;

static struct registry {
    struct lock lock;
    struct cache *live;
    struct cache *pool;
    uint32_t pooled;
} registry;

static void thread_ends(void *argument);

void cache_start(void) {
    registry = (struct registry){.live = NULL};
    lock_init(&registry.lock);
    cache_self = &cache_none;
    os_thread_exit_hook(thread_ends);
}

struct lock *cache_lock(void) {
    return &registry.lock;
}

uint32_t cache_max_granules(void) {
    return option(&options.cache_count) == 0 ? 0 : (uint32_t)option(&options.cache_max_granules);
}

/* ---- Making and ending caches ------------------------------------------------------------------- */

/* Largest chunk of a bin, in granules. */
static uint32_t bin_size(uint32_t bin) {
    if (bin <= CACHE_SMALL_GRANULES)
        return bin;
    uint32_t doubling = (bin - CACHE_SMALL_GRANULES - 1) / 8;
    uint32_t eighth = (bin - CACHE_SMALL_GRANULES - 1) % 8;
    return ((8 + eighth + 1) << (doubling + 3)) - 1;
}

static uint32_t capacity(uint32_t bin) {
    uint32_t chunks = BIN_BYTES / (bin_size(bin) * GRANULE_BYTES);
    if (chunks < CAPACITY_MIN)
        return CAPACITY_MIN;
    return chunks < CAPACITY_MAX ? chunks : CAPACITY_MAX;
}

static uint32_t bin_capacity(uint32_t bin) {
    size_t count = option(&options.cache_count);
    uint32_t most = capacity(bin);
    return count < most ? (uint32_t)count : most;
}

static size_t cache_bytes(void) {
    size_t slots = 0;
    for (uint32_t bin = CHUNK_MIN_GRANULES; bin < CACHE_BIN_COUNT; bin++)
        slots += capacity(bin);
    return round_up(sizeof(struct cache) + slots * sizeof(struct granule *), PAGE_BYTES);
}

static void set_ends(struct cache *c) {
    uint32_t most = cache_max_granules();
    if (most > CACHE_SMALL_GRANULES)
        most = CACHE_SMALL_GRANULES;
    bool watched = options_watch();
    bool fast = !watched && most >= CHUNK_MIN_GRANULES;
    __atomic_store_n(&c->watched, watched, __ATOMIC_RELAXED);
    __atomic_store_n(&c->chunk_end, fast ? most + 1 : 0, __ATOMIC_RELAXED);
    __atomic_store_n(&c->request_end, fast ? granules_to_usable(most) + 1 : 0, __ATOMIC_RELAXED);
}

static void cache_init(struct cache *c) {
    struct granule **slot = (struct granule **)(c + 1);
    c->key = *arena_key();
    c->arena = arena_main();
    c->operations = 0;
    c->budget_bytes = CACHE_BYTES;
    for (uint32_t bin = CHUNK_MIN_GRANULES; bin < CACHE_BIN_COUNT; bin++) {
        uint32_t first = bin <= CACHE_SMALL_GRANULES ? LIMIT_FIRST : LIMIT_FIRST_LARGE;
        uint32_t most = bin_capacity(bin);
        c->bin[bin] = (struct cache_bin){.slot = slot, .limit = first < most ? first : most};
        slot += capacity(bin);
    }
    set_ends(c);
}

static void registry_link(struct cache *c) {
    c->previous = NULL;
    c->next = registry.live;
    if (c->next != NULL)
        c->next->previous = c;
    registry.live = c;
}

static void registry_unlink(struct cache *c) {
    if (c->next != NULL)
        c->next->previous = c->previous;
    if (c->previous != NULL)
        c->previous->next = c->next;
    else
        registry.live = c->next;
}

static struct cache *cache_create(void) {
    lock_acquire(&registry.lock);
    struct cache *c = registry.pool;
    if (c != NULL) {
        registry.pool = c->next;
        registry.pooled--;
    } else
        c = os_map(cache_bytes());
    if (c != NULL) {
        cache_init(c);
        registry_link(c);
    }
    lock_release(&registry.lock);
    return c;
}

struct cache *cache_obtain(void) {
    if (cache_self == &cache_ended)
        return NULL;
    if (cache_self == &cache_none) {
        allocator_ensure_started();
        struct cache *c = cache_create();
        if (c == NULL)
            return NULL;
        cache_self = c; /* first: arming may come back here through calloc */
        os_thread_arm(c);
    }
    return cache_self;
}

static void thread_ends(void *argument) {
    struct cache *c = argument;
    cache_self = &cache_ended;
    cache_flush(c);
    lock_acquire(&registry.lock);
    registry_unlink(c);
    bool keep = registry.pooled < POOL_MAX;
    if (keep) {
        c->next = registry.pool;
        registry.pool = c;
        registry.pooled++;
    }
    lock_release(&registry.lock);
    if (!keep)
        os_unmap(c, cache_bytes());
}

void cache_watch_changed(void) {
    lock_acquire(&registry.lock);
    for (struct cache *c = registry.live; c != NULL; c = c->next)
        set_ends(c);
    lock_release(&registry.lock);
}

/* ---- Refill and flush --------------------------------------------------------------------------- */

static void check_cached(const struct granule *header) {
    if (!is_sealed_as(header, SEAL_CACHED))
        report_fault(FAULT_CACHE, header + 1, header, "chunk in a thread cache");
}

static void reverse(struct granule **slot, uint32_t count) {
    for (uint32_t s = 0; s < count / 2; s++) {
        struct granule *swap = slot[s];
        slot[s] = slot[count - 1 - s];
        slot[count - 1 - s] = swap;
    }
}

/* Chunks beside the first, only from what the arena has: a refill alone is no reason to grow. */
static void refill_more(struct arena *a, struct cache_bin *bin, uint32_t size, uint32_t wanted) {
    while (bin->count < wanted) {
        struct granule *header = arena_allocate(a, size, 1, false);
        if (header == NULL)
            break;
        seal_as(header, SEAL_CACHED);
        bin->slot[bin->count++] = header;
    }
    reverse(bin->slot, bin->count); /* the first fetched, lowest of a run, leaves first */
}

static uint32_t batch(const struct cache_bin *bin) {
    return bin->limit / 2 < BATCH_MAX ? bin->limit / 2 : BATCH_MAX;
}

/* A miss: let the bin hold twice as much, if the thread's budget allows. */
static void raise_limit(struct cache *c, uint32_t bin_number) {
    struct cache_bin *bin = &c->bin[bin_number];
    uint32_t most = bin_capacity(bin_number);
    uint32_t limit = 2 * bin->limit < most ? 2 * bin->limit : most;
    size_t more = (size_t)(limit - bin->limit) * bin_size(bin_number) * GRANULE_BYTES;
    if (limit <= bin->limit || more > c->budget_bytes)
        return;
    c->budget_bytes -= more;
    bin->limit = limit;
}

/* One of the newest chunks of a shared bin, if any of them is large enough. */
static struct granule *take_shared(struct cache_bin *bin, uint32_t size) {
    uint32_t end = bin->count > LOOK_MAX ? bin->count - LOOK_MAX : 0;
    for (uint32_t s = bin->count; s > end; s--) {
        struct granule *header = bin->slot[s - 1];
        if (header->size < size)
            continue;
        check_cached(header);
        bin->slot[s - 1] = bin->slot[--bin->count];
        seal_as(header, SEAL_ALLOCATED);
        return header;
    }
    return NULL;
}

static struct granule *take(struct cache *c, uint32_t size) {
    struct cache_bin *bin = &c->bin[cache_bin_of(size)];
    if (size > CACHE_SMALL_GRANULES)
        return take_shared(bin, size);
    struct granule *header = cache_take(c, size);
    if (header == NULL && bin->count != 0)
        check_cached(bin->slot[bin->count - 1]); /* reports it */
    return header;
}

struct granule *cache_allocate(struct cache *c, uint32_t size) {
    struct granule *header = take(c, size);
    if (header != NULL)
        return header;
    struct arena *a = arena_enter(&c->arena);
    if (a == NULL)
        return NULL;
    uint32_t bin_number = cache_bin_of(size);
    struct cache_bin *bin = &c->bin[bin_number];
    header = arena_allocate(a, size, 1, true);
    if (header != NULL && size <= CACHE_SMALL_GRANULES)
        refill_more(a, bin, size, batch(bin));
    arena_leave(a);
    raise_limit(c, bin_number);
    return header;
}

/* Free the chunks of slot[0..count), arena by arena, so that each lock is taken once. */
static void free_all(struct granule **slot, uint32_t count) {
    while (count > 0) {
        check_cached(slot[0]);
        struct arena *a = heap_of(slot[0])->arena;
        uint32_t others = 0;
        lock_acquire(&a->lock);
        for (uint32_t s = 0; s < count; s++) {
            check_cached(slot[s]);
            if (heap_of(slot[s])->arena != a)
                slot[others++] = slot[s];
            else if (!a->lost)
                purge_free_chunk(slot[s]);
        }
        arena_leave(a);
        count = others;
    }
}

/* Give the oldest chunks of a full bin back. */
static void make_room(struct cache_bin *bin) {
    uint32_t out = batch(bin) > 0 ? batch(bin) : 1;
    if (out > bin->count)
        return;
    free_all(bin->slot, out);
    bin->count -= out;
    memmove(bin->slot, bin->slot + out, bin->count * sizeof bin->slot[0]);
}

bool cache_free(struct cache *c, struct granule *header) {
    struct cache_bin *bin = &c->bin[cache_bin_of(header->size)];
    if (bin->count >= bin->limit)
        make_room(bin);
    return cache_put(c, bin, header);
}

void cache_flush(struct cache *c) {
    for (uint32_t bin = CHUNK_MIN_GRANULES; bin < CACHE_BIN_COUNT; bin++) {
        uint32_t count = c->bin[bin].count;
        c->bin[bin].count = 0;
        free_all(c->bin[bin].slot, count);
    }
}

/* ---- Walk ---------------------------------------------------------------------------------------- */

static bool chunk_check(const struct granule *header, uint32_t bin, struct cp_breach *breach) {
    *breach = (struct cp_breach){.invariant = CP_OWNED, .header = header, .expected = bin};
    if (!cache_readable(header + 1)) {
        breach->detail = "cached chunk outside all regions";
        return false;
    }
    breach->found = header->size;
    breach->detail = "chunk in a cache is not a cached one of its size";
    if (!is_sealed_as(header, SEAL_CACHED))
        return false;
    /* A chunk may be one granule larger than was asked for when it was fetched. */
    return header->size <= CACHE_MAX_GRANULES + 1 &&
           (cache_bin_of(header->size) == bin || header->size == bin + 1);
}

bool cache_check(const struct cache *c, struct cp_breach *breach) {
    for (uint32_t b = CHUNK_MIN_GRANULES; b < CACHE_BIN_COUNT; b++) {
        const struct cache_bin *bin = &c->bin[b];
        if (bin->count > capacity(b)) {
            *breach = (struct cp_breach){.invariant = CP_OWNED, .found = bin->count};
            breach->detail = "more chunks in a cache than it has room for";
            return false;
        }
        for (uint32_t s = 0; s < bin->count; s++)
            if (!chunk_check(bin->slot[s], b, breach))
                return false;
    }
    return true;
}
