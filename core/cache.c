/* cache.c: see cache.h. Owns the registry and the pool of caches, guarded by its lock. */
#include "cache.h"

#include <string.h>

#include "options.h"
#include "os.h"
#include "purge.h"
#include "report.h"
#include "returned.h"

/* A cache has room for this much of one size, within CAPACITY_MIN .. CAPACITY_MAX chunks. How much
 * it may hold (limit) starts low and doubles with each miss, until the limits of all sizes together
 * reach the thread's own budget and what it can borrow from the common one: so threads are bounded
 * in bytes, alone and together, without counting any on the way. The common budget grows with what
 * the arenas hold; one thread borrows BORROW_MAX_BYTES at most. */
enum { BIN_BYTES = 96 * 1024, CAPACITY_MIN = 8, CAPACITY_MAX = 1024 };
enum { LIMIT_FIRST = 8, LIMIT_FIRST_GRANULES = 16, LIMIT_FIRST_LARGER = 2 };

/* Frees into a full bin raise its limit, too, but so far only: a thread that frees what others
 * allocate gives back a few at a time, and aligned blocks find one that fits. Were it more, what the
 * latter cut off would wait unmerged (peak of the pattern aligned +18% at 8, +39% at 16). */
enum { LIMIT_BY_FREES = 8 };
enum { OWN_BYTES = 64 * 1024, COMMON_BYTES = 512 * 1024, COMMON_SHARE = 16 };
enum { BORROW_MAX_BYTES = 1024 * 1024 };

/* Where most requests are aligned, few of the chunks that wait serve one, and the rest keep their
 * neighbours apart: each such miss lowers what the thread may borrow by a step, each other miss raises it
 * (experiment h-aligned: 2 MiB less of 24). With 128 KiB for the least, the pattern aligned takes 7% less
 * time, and h-aligned is beyond its budget in one run of five; with 80, 8% more. */
enum { BORROW_LEAST_BYTES = 96 * 1024, BORROW_STEP_BYTES = 16 * 1024 };

/* Pointers to chunks that a cache has room for. A stack that outgrows its place moves to the end of
 * those in use, so that small stacks share pages: a thread touches as few as it needs. One of SLIDE_MIN or
 * more may slide by a share of its length. */
enum { SLOTS = 16 * 1024, SLACK_SHARE = 8 };

/* Chunks that come from the arena under one lock, at most: enough to pay for the lock, and for runs that the
 * processor fetches ahead where a program goes through what it made in turn (python3, whose collector does, takes
 * 27% more time at 16 chunks than at 64, and 6 to 10% less at 128 to 256); few bytes, since neighbours fetched at
 * once are freed at different times. */
enum { BATCH_MAX = ARENA_RUN_MAX, BATCH_BYTES = 16384 };

/* A miss takes in what others returned if it is this share of what may wait: a few chunks are sooner
 * fetched from the arena (server-64 5% slower without). */
enum { COLLECT_SHARE = 16 };

/* How many of the newest chunks of a bin a request looks at: of a shared one for a chunk that is
 * large enough, of any for one that is aligned. Where there is none, the newest of the next bins
 * will do (cache_serves): a fetch from the arena costs ten times as much. */
enum { LOOK_MAX = 4, LOOK_ALIGNED_MAX = 16 };

/* More (CACHE_NEXT_BINS) would make the heap of aligned blocks a fifth larger for 5% less time. */
enum { NEXT_BINS_ALIGNED = 1 };

/* What serves a small request from the next bins is larger by this share of it at most: then one
 * malloc in a thousand of the pattern churn waits for the arena, not one in a hundred. */
enum { SMALL_SHARE = 8 };

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
    size_t borrowed_bytes; /* of the common budget; atomic */
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

static uint32_t at_most(uint32_t n, uint32_t most) { return n < most ? n : most; }

static size_t cache_bytes(void) {
    return round_up(sizeof(struct cache) + SLOTS * sizeof(struct granule *), PAGE_BYTES);
}

static struct granule **slots_of(struct cache *c) { return (struct granule **)(c + 1); }

/* Chunks up to `most` granules may take the fast path. */
static void set_end(size_t *request_end, uint32_t *chunk_end, uint32_t most) {
    bool any = most >= CHUNK_MIN_GRANULES;
    __atomic_store_n(chunk_end, any ? most + 1 : 0, __ATOMIC_RELAXED);
    __atomic_store_n(request_end, any ? granules_to_usable(most) + 1 : 0, __ATOMIC_RELAXED);
}

static void set_ends(struct cache *c) {
    bool watched = options_watch();
    uint32_t most = watched ? 0 : cache_max_granules();
    __atomic_store_n(&c->watched, watched, __ATOMIC_RELAXED);
    set_end(&c->request_end, &c->chunk_end, at_most(most, CACHE_SMALL_GRANULES));
    set_end(&c->shared_request_end, &c->shared_chunk_end, most);
}

/* How far a stack of `limit` pointers may slide in its place; a short one is sooner moved. */
static uint32_t slack(uint32_t limit) { return limit < SLIDE_MIN ? 0 : limit / SLACK_SHARE; }

/* Give a bin's stack a place for `limit` pointers, behind those in use. */
static void place_stack(struct cache *c, uint32_t bin, uint32_t count, uint32_t limit) {
    struct granule **base = slots_of(c) + c->slots_used + 1;
    base[-1] = &c->nothing[1];
    c->slots_used += 1 + limit + slack(limit);
    c->slack[bin] = (uint16_t)slack(limit);
    c->base[bin] = base;
    c->top[bin] = base + count;
    c->end[bin] = base + limit;
}

/* The same, with what stands in it. */
static void move_stack(struct cache *c, uint32_t bin, uint32_t limit) {
    struct granule **from = c->base[bin];
    uint32_t count = cache_count(c, bin);
    place_stack(c, bin, count, limit);
    memcpy(c->base[bin], from, count * sizeof *from);
}

/* Empty stacks, low limits: within any bin's capacity. */
static void place_stacks(struct cache *c) {
    size_t count = option(&options.cache_count);
    uint32_t most = count < CAPACITY_MIN ? (uint32_t)count : CAPACITY_MIN;
    uint32_t first = at_most(LIMIT_FIRST, most), few = at_most(LIMIT_FIRST_LARGER, most);
    c->budget_bytes = OWN_BYTES;
    c->borrowed_bytes = 0;
    c->borrow_max_bytes = BORROW_MAX_BYTES;
    c->slots_used = 0;
    for (uint32_t bin = CHUNK_MIN_GRANULES; bin < CACHE_BIN_COUNT; bin++)
        place_stack(c, bin, 0,
                    bin <= LIMIT_FIRST_GRANULES   ? first
                    : bin <= CACHE_SMALL_GRANULES ? few
                                                  : 0);
}

static void cache_init(struct cache *c) {
    c->key = *arena_key();
    c->nothing[0] = (struct granule){.size = 0};
    seal_as(&c->nothing[0], SEAL_ALLOCATED);
    c->toggle = (uint16_t)(c->key.state[SEAL_ALLOCATED] ^ c->key.state[SEAL_CACHED]);
    c->arena = arena_main();
    c->operations = 0;
    c->least_end = GRANULE_BYTES - CHUNK_OVERHEAD_BYTES + 1;
    place_stacks(c);
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

struct cache *cache_make(void) {
    if (cache_self == &cache_ended)
        return NULL;
    allocator_ensure_started();
    struct cache *c = cache_create();
    if (c == NULL)
        return NULL;
    cache_self = c; /* first: arming may come back here through calloc */
    os_thread_arm(c);
    return c;
}

static const struct returning at_once = {.home = NULL};

/* Give the oldest `out` of a bin's chunks back. */
static bool give_back(struct cache *c, uint32_t bin, uint32_t out, struct returning how) {
    struct granule **payload = c->base[bin];
    for (uint32_t s = 0; s < out; s++)
        payload[s]--;
    return return_chunks(payload, out, how);
}

static void flush(struct cache *c, struct returning how) {
    for (uint32_t bin = CHUNK_MIN_GRANULES; bin < CACHE_BIN_COUNT; bin++) {
        uint32_t count = cache_count(c, bin);
        c->top[bin] = c->base[bin];
        if (count != 0) /* few bins hold any */
            give_back(c, bin, count, how);
    }
}

/* Give everything back: chunks, and what was borrowed of the common budget. */
static void drain(struct cache *c, struct returning how) {
    flush(c, how);
    __atomic_sub_fetch(&registry.borrowed_bytes, c->borrowed_bytes, __ATOMIC_RELAXED);
}

static void thread_ends(void *argument) {
    struct cache *c = argument;
    cache_self = &cache_ended;
    drain(c, at_once);
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

/* Chunks to fetch, or to give back, at a time: one at least. */
static uint32_t batch(const struct cache *c, uint32_t bin) {
    uint32_t most = at_most(BATCH_MAX, BATCH_BYTES / (bin_size(bin) * GRANULE_BYTES));
    uint32_t chunks = at_most(cache_limit(c, bin) / 2, most);
    return chunks == 0 ? 1 : chunks;
}

/* Add to the thread's budget what is missing to `bytes`, if the common one has it. */
static bool borrow(struct cache *c, size_t bytes) {
    size_t more = bytes - c->budget_bytes;
    size_t common = COMMON_BYTES + arena_committed_bytes() / COMMON_SHARE;
    if (c->borrowed_bytes + more > c->borrow_max_bytes)
        return false;
    size_t lent = __atomic_load_n(&registry.borrowed_bytes, __ATOMIC_RELAXED);
    do
        if (lent + more > common)
            return false; /* at each miss of threads that hold what there is: without a write */
    while (!__atomic_compare_exchange_n(&registry.borrowed_bytes, &lent, lent + more, true,
                                        __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    c->borrowed_bytes += more;
    c->budget_bytes += more;
    return true;
}

/* A miss: let the bin hold twice as much, if the budgets allow. */
static void raise_limit(struct cache *c, uint32_t bin) {
    uint32_t most = bin_capacity(bin), now = cache_limit(c, bin);
    uint32_t more_chunks = now == 0 ? 1 : now;
    uint32_t limit = at_most(now + more_chunks, most);
    if (limit <= now || limit + slack(limit) >= SLOTS - c->slots_used)
        return;
    size_t more = (size_t)(limit - now) * bin_size(bin) * GRANULE_BYTES;
    if (more > c->budget_bytes && !borrow(c, more))
        return;
    c->budget_bytes -= more;
    move_stack(c, bin, limit);
}

/* The newest payload of a bin but `skip`; `nothing` where there are no more of them. */
static struct granule *newest(const struct cache *c, uint32_t bin, uint32_t skip) {
    return c->top[bin][-1 - (ptrdiff_t)skip];
}

/* The last of the small bins that may serve a request for `size`. */
static uint32_t small_last(uint32_t size) {
    return at_most(size + at_most(size / SMALL_SHARE, CACHE_NEXT_BINS), CACHE_SMALL_GRANULES);
}

bool cache_serves(uint32_t chunk_size, uint32_t wanted_size) {
    if (wanted_size <= CACHE_SMALL_GRANULES)
        return chunk_size >= wanted_size &&
               chunk_size <= small_last(wanted_size) + 1; /* see fill */
    return chunk_size >= wanted_size && chunk_size <= CACHE_MAX_GRANULES &&
           cache_bin_of(chunk_size) <= cache_bin_of(wanted_size) + CACHE_NEXT_BINS;
}

/* What does not look like a cached chunk is left to the slow path, which reports it. */
void *cache_pop_shared(struct cache *c, size_t request_bytes) {
    if (request_bytes < __atomic_load_n(&c->request_end, __ATOMIC_RELAXED) ||
        request_bytes >= __atomic_load_n(&c->shared_request_end, __ATOMIC_RELAXED))
        return NULL;
    uint32_t size = size_to_granules(request_bytes), bin = cache_bin_of(size), skip = 0;
    struct granule *payload = newest(c, bin, skip);
    while (payload[-1].size < size && payload != &c->nothing[1] && ++skip < LOOK_MAX)
        payload = newest(c, bin, skip);
    uint32_t has = payload[-1].size;
    if (has < size || !cache_reseal(c, payload, has, SEAL_CACHED))
        return NULL;
    c->top[bin][-1 - (ptrdiff_t)skip] = newest(c, bin, 0);
    c->top[bin]--;
    return payload;
}

bool cache_push_shared(struct cache *c, struct granule *header) {
    uint32_t size = header->size;
    if (size < __atomic_load_n(&c->chunk_end, __ATOMIC_RELAXED) ||
        size >= __atomic_load_n(&c->shared_chunk_end, __ATOMIC_RELAXED))
        return false;
    return cache_put(c, cache_bin_of(size), header + 1, size);
}

/* The newest chunk but `skip` leaves the bin, allocated. */
static struct granule *take_from(struct cache *c, uint32_t bin, uint32_t skip) {
    struct granule **slot = c->top[bin] - 1 - skip;
    struct granule *header = *slot - 1;
    if (!cache_reseal(c, *slot, header->size, SEAL_CACHED))
        returned_check(header); /* reports it */
    *slot = *--c->top[bin];
    return header;
}

/* One of the `most` newest chunks of a bin, if any is large enough and aligned: align_bytes is a
 * power of two, so a mask tells without a division. */
static inline struct granule *take_newest(struct cache *c, uint32_t bin, uint32_t size,
                                          size_t align_bytes, uint32_t most) {
    uint32_t look = at_most(cache_count(c, bin), most);
    for (uint32_t skip = 0; skip < look; skip++) {
        const struct granule *payload = newest(c, bin, skip);
        if (((uintptr_t)payload & (align_bytes - 1)) == 0 && payload[-1].size >= size)
            return take_from(c, bin, skip);
    }
    return NULL;
}

/* The last bin that may serve. Where memory is short, the own one: a larger chunk may be all that is
 * left for a larger request. */
static uint32_t last_bin(uint32_t size, size_t align_bytes) {
    uint32_t bin = cache_bin_of(size);
    if (arena_memory_is_short())
        return bin;
    if (size <= CACHE_SMALL_GRANULES)
        return small_last(size);
    uint32_t next = align_bytes == 1 ? CACHE_NEXT_BINS : NEXT_BINS_ALIGNED;
    return at_most(bin + next, CACHE_BIN_COUNT - 1);
}

/* The same from the bin of a size or, if there is none, from the next. */
static struct granule *take_near(struct cache *c, uint32_t size, size_t align_bytes,
                                 uint32_t most) {
    uint32_t bin = cache_bin_of(size), last = last_bin(size, align_bytes);
    struct granule *header = take_newest(c, bin, size, align_bytes, most);
    while (header == NULL && bin++ < last)
        header = take_newest(c, bin, size, align_bytes, most);
    return header;
}

struct granule *cache_take_aligned(struct cache *c, uint32_t size, size_t align_bytes) {
    struct granule *header = take_near(c, size, align_bytes, LOOK_ALIGNED_MAX);
    if (header == NULL && c->borrow_max_bytes > BORROW_LEAST_BYTES)
        c->borrow_max_bytes -= BORROW_STEP_BYTES;
    return header;
}

static struct granule *take(struct cache *c, uint32_t size) {
    if (size > CACHE_SMALL_GRANULES)
        return take_near(c, size, 1, LOOK_MAX);
    uint32_t last = last_bin(size, 1);
    for (uint32_t bin = size; bin <= last; bin++)
        if (cache_count(c, bin) != 0)
            return take_from(c, bin, 0);
    return NULL;
}

/* The seal is turned, not taken anew: one that does not fit its header is noticed when the chunk leaves. */
static struct granule *to_cached(const struct cache *c, struct granule *header) {
    seal_store(header, (uint16_t)(seal_load(header) ^ c->toggle));
    return header + 1;
}

/* `count` chunks, just fetched, stand in the place of an empty bin's stack. All but the first, which is for the
 * caller, become the stack, turned round: a run of neighbours is handed out from its beginning. One may be a
 * granule larger than others of its bin. */
static struct granule *fill(struct cache *c, uint32_t bin, uint32_t count) {
    struct granule **low = c->base[bin], **high = low + count - 1, *first = *low;
    c->top[bin] = high;
    if (low == high)
        return first;
    *low++ = to_cached(c, *high--);
    for (; low < high; low++, high--) {
        struct granule *payload = to_cached(c, *low);
        *low = to_cached(c, *high);
        *high = payload;
    }
    if (low == high)
        *low = to_cached(c, *low);
    return first;
}

/* Into its bin, if there is room for a chunk that is sealed as cached. */
static bool keep(struct cache *c, struct granule *header) {
    if (header->size >= __atomic_load_n(&c->shared_chunk_end, __ATOMIC_RELAXED))
        return false;
    uint32_t bin = cache_bin_of(header->size);
    if (c->top[bin] == c->end[bin])
        return false;
    *c->top[bin]++ = header + 1;
    return true;
}

/* Of what collect() finds no room for, as many go back at a time: few, since it needs a thread's stack, which may be
 * small. */
enum { REST_MAX = 64 };

/* What others returned to the thread's arena goes into its cache while there is room, as if it had
 * freed it itself: half the work of merging it and cutting it off again. */
static void collect(struct cache *c) {
    struct returned taken = returned_take(c->arena);
    struct granule *header, *rest[REST_MAX];
    uint32_t count = 0;
    while ((header = returned_next(&taken)) != NULL) {
        if (keep(c, header))
            continue;
        rest[count++] = header;
        if (count == REST_MAX) {
            return_chunks(rest, count, at_once);
            count = 0;
        }
    }
    return_chunks(rest, count, at_once);
}

static bool worth_collecting(const struct arena *a) {
    return returned_granules(a) > returned_limit() / COLLECT_SHARE;
}

struct granule *cache_allocate(struct cache *c, uint32_t size) {
    struct granule *header = take(c, size);
    if (header == NULL && worth_collecting(c->arena)) {
        collect(c);
        header = take(c, size);
    }
    if (header != NULL)
        return header;
    uint32_t bin = cache_bin_of(size);
    bool several = size <= CACHE_SMALL_GRANULES && !arena_memory_is_short();
    uint32_t wanted = several ? batch(c, bin) : 1;
    /* Several come to stand where their stack will, which is empty: threads' own may be small. */
    struct granule *alone = NULL, **fetched = wanted == 1 ? &alone : c->base[bin];
    struct arena *a = arena_enter(&c->arena);
    if (a == NULL)
        return NULL;
    uint32_t count = arena_allocate_run(a, size, wanted, fetched);
    if (count != 0)
        purge_take_ahead(fetched[count - 1]);
    arena_leave_waiting(a);
    if (count == 0)
        return NULL;
    header = wanted == 1 ? alone : fill(c, bin, count);
    if (c->borrow_max_bytes < BORROW_MAX_BYTES)
        c->borrow_max_bytes += BORROW_STEP_BYTES;
    raise_limit(c, bin);
    return header;
}

/* Give everything back and start anew, with low limits. Pages go back once, not after each bin, since it is one
 * free of the program's that waits: its next go on. */
static void reset(struct cache *c) {
    drain(c, (struct returning){.unpurged = c->arena});
    place_stacks(c);
    returned_purge(c->arena);
}

/* The oldest `out` have left: the stack begins behind them or, at the end of its place, moves back. */
static void slide(struct cache *c, uint32_t bin, uint32_t out) {
    struct granule **base = c->base[bin], **from = base + out;
    uint32_t limit = cache_limit(c, bin);
    if (out <= c->slack[bin]) {
        c->slack[bin] = (uint16_t)(c->slack[bin] - out);
        from[-1] = &c->nothing[1];
        c->base[bin] = from;
        c->end[bin] = from + limit;
        return;
    }
    base -= slack(limit) - c->slack[bin];
    memmove(base, from, (size_t)(c->top[bin] - from) * sizeof *from);
    c->slack[bin] = (uint16_t)slack(limit);
    c->top[bin] -= from - base;
    c->base[bin] = base;
    c->end[bin] = base + limit;
}

/* So many of the oldest chunks of a bin, and as many more as adjoin the one before them: those become one
 * chunk before they are freed (returned.c), which takes no time to speak of. */
static uint32_t with_adjoining(const struct cache *c, uint32_t bin, uint32_t out, uint32_t most) {
    struct granule *const *payload = c->base[bin];
    for (; out < most; out++) {
        const struct granule *last = payload[out - 1], *next = payload[out];
        if (last + last[-1].size != next && next + next[-1].size != last)
            break;
    }
    return out;
}

/* Give the oldest chunks of a full bin back; all chunks if there is hardly anything left in use. */
static void make_room(struct cache *c, uint32_t bin) {
    uint32_t most = batch(c, bin), count = cache_count(c, bin);
    if (most > count)
        return;
    uint32_t out = with_adjoining(c, bin, at_most(most, FLUSH_CHUNKS), most);
    /* More than FLUSH_CHUNKS adjoin or are all there are: then the next are not as many. */
    uint32_t ahead = out <= FLUSH_CHUNKS ? count - out : 0;
    bool emptier = give_back(c, bin, out, (struct returning){.home = c->arena, .ahead = ahead});
    slide(c, bin, out);
    if (emptier)
        reset(c);
}

bool cache_free(struct cache *c, struct granule *header) {
    uint32_t bin = cache_bin_of(header->size);
    if (c->top[bin] == c->end[bin] && cache_limit(c, bin) < LIMIT_BY_FREES)
        raise_limit(c, bin);
    if (c->top[bin] == c->end[bin])
        make_room(c, bin);
    return cache_put(c, bin, header + 1, header->size);
}

void cache_flush(struct cache *c) { flush(c, at_once); }

/* ---- Walk ---------------------------------------------------------------------------------------- */

static bool chunk_broken(const struct granule *header, uint32_t found, uint32_t bin,
                         const char *detail, struct cp_breach *breach) {
    *breach = (struct cp_breach){
        .invariant = CP_OWNED, .header = header, .found = found, .expected = bin, .detail = detail};
    return false;
}

static bool chunk_check(const struct granule *header, uint32_t bin, struct cp_breach *breach) {
    if (!arena_readable(header + 1))
        return chunk_broken(header, 0, bin, "cached chunk outside all regions", breach);
    /* A chunk may be one granule larger than was asked for when it was fetched. */
    if (is_sealed_as(header, SEAL_CACHED) && header->size <= CACHE_MAX_GRANULES + 1 &&
        (cache_bin_of(header->size) == bin || header->size == bin + 1))
        return true;
    return chunk_broken(header, header->size, bin,
                        "chunk in a cache is not a cached one of its size", breach);
}

bool cache_check(const struct cache *c, struct cp_breach *breach) {
    for (uint32_t b = CHUNK_MIN_GRANULES; b < CACHE_BIN_COUNT; b++) {
        if (c->top[b] == c->base[b])
            continue; /* most are empty */
        uint32_t count = cache_count(c, b);
        if (count > cache_limit(c, b))
            return chunk_broken(NULL, count, cache_limit(c, b),
                                "more chunks in a cache than it has room for", breach);
        for (uint32_t s = 0; s < count; s++)
            if (!chunk_check(c->base[b][s] - 1, b, breach))
                return false;
    }
    return true;
}
