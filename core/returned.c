/* returned.c: see returned.h. */
#include "returned.h"

#include "purge.h"
#include "report.h"

/* ---- The list -------------------------------------------------------------------------------- */

static uint64_t veil(const struct granule *header) {
    return arena_key()->secret * arena_key()->multiplier ^ (uintptr_t)header;
}

static void link_write(struct granule *header, const struct granule *next) {
    uint64_t veiled = (uintptr_t)next ^ veil(header);
    header[1].lo = (uint32_t)veiled;
    header[1].hi = (uint32_t)(veiled >> 32);
}

static struct granule *link_read(const struct granule *header) {
    return (struct granule *)((header[1].lo | (uint64_t)header[1].hi << 32) ^ veil(header));
}

/* Chunks first .. last, chained. */
static void push(struct arena *a, struct granule *first, struct granule *last) {
    struct granule *before = __atomic_load_n(&a->returned, __ATOMIC_RELAXED);
    do
        link_write(last, before);
    while (!__atomic_compare_exchange_n(&a->returned, &before, first, true, __ATOMIC_SEQ_CST,
                                        __ATOMIC_RELAXED));
}

uint32_t returned_limit(void) { return RETURNED_GRANULES / arena_count(); }

struct returned returned_take(struct arena *a) {
    return (struct returned){a, __atomic_exchange_n(&a->returned, NULL, __ATOMIC_SEQ_CST), 0};
}

struct granule *returned_next(struct returned *taken) {
    struct granule *header = taken->next;
    if (header == NULL) {
        __atomic_sub_fetch(&taken->arena->returned_granules, taken->granules, __ATOMIC_RELAXED);
        return NULL;
    }
    if (!arena_readable(header + 1) || !is_sealed_as(header, SEAL_CACHED) ||
        heap_of(header)->arena != taken->arena)
        report_fault(FAULT_CACHE, header + 1, NULL, "chunk returned to an arena");
    taken->next = link_read(header);
    taken->granules += header->size;
    return header;
}

/* What was returned to an arena that is lost is lost with it. */
static void take_in(struct arena *a) {
    struct returned taken = returned_take(a);
    struct granule *header;
    if (a->lost)
        return;
    while ((header = returned_next(&taken)) != NULL)
        purge_free_chunk(header);
    purge_after_frees(a);
}

static bool any_returned(const struct arena *a) {
    return __atomic_load_n(&a->returned, __ATOMIC_SEQ_CST) != NULL;
}

/* While chunks are there and nobody holds the lock: whoever does will look after us. */
__attribute__((noinline)) void arena_take_in(struct arena *a) {
    while (any_returned(a) && lock_try(&a->lock)) {
        take_in(a);
        lock_release(&a->lock);
    }
}

void arena_leave(struct arena *a) {
    lock_release(&a->lock);
    if (__builtin_expect(any_returned(a), 0))
        arena_take_in(a);
}

void arena_leave_waiting(struct arena *a) {
    lock_release(&a->lock);
    if (__builtin_expect(any_returned(a), 0) && returned_granules(a) >= returned_limit())
        arena_take_in(a);
}

/* ---- Returning ------------------------------------------------------------------------------- */

void returned_check(const struct granule *header) {
    if (!is_sealed_as(header, SEAL_CACHED))
        report_fault(FAULT_CACHE, header + 1, header, "chunk in a thread cache");
}

/* Move the chunks of arena `a` to the front of slot[]. How many. */
static uint32_t gather(const struct arena *a, struct granule **slot, uint32_t count) {
    uint32_t own = 0;
    for (uint32_t s = 0; s < count; s++) {
        struct granule *header = slot[s];
        returned_check(header);
        granule_prefetch(header, header->size); /* freeing it reads the header behind */
        if (heap_of(header)->arena != a)
            continue;
        slot[s] = slot[own];
        slot[own++] = header;
    }
    return own;
}

/* The first chunks of slot[] that adjoin become one, so that chunks freed in the order of their
 * addresses are freed at once. How many they were; slot[0] is the one. */
static uint32_t join(struct granule **slot, uint32_t count) {
    struct granule *header = slot[0];
    uint32_t joined = 1;
    for (; joined < count; joined++) {
        struct granule *other = slot[joined];
        if (other + other->size == header)
            header = purge_join(other);
        else if (header + header->size == other)
            purge_join(header);
        else
            break;
    }
    slot[0] = header;
    return joined;
}

/* Where so many chunks are freed at a time in a region that is not in the processor's cache, what they read is
 * fetched for all at once: clearing a map takes a third less time. */
enum { EXPECT_CHUNKS = 8 };

/* The program may have overwritten the header since the chunk came: whether it stands in this region is not asked
 * of it. */
static void expect(const struct region *r, const struct granule *header, unsigned step) {
    size_t i = ((uintptr_t)header - (uintptr_t)r->g) / GRANULE_BYTES;
    if (i < r->bins.fence)
        region_expect(r, (uint32_t)i, step);
}

static void expect_all(const struct region *r, struct granule **slot, uint32_t count) {
    for (unsigned step = 0; step < REGION_EXPECT_STEPS; step++)
        for (uint32_t s = 0; s < count; s++)
            expect(r, slot[s], step);
}

/* Where enough chunks stand behind: the last step for those of the next call, the one before for those of the
 * call after it, and so on, so that no step waits for the one before; of the farthest, the headers. */
enum { CALLS_AHEAD = REGION_EXPECT_STEPS + 1 };

static void expect_ahead(const struct region *r, struct granule **payload, uint32_t count) {
    for (unsigned step = REGION_EXPECT_STEPS; step-- > 0; payload += count)
        for (uint32_t s = 0; s < count; s++)
            expect(r, payload[s] - 1, step);
    for (uint32_t s = 0; s < count; s++)
        granule_prefetch(payload[s] - 1, 0);
}

/* The first one's region stands for all. */
static void expect_cold(struct granule **slot, uint32_t count, uint32_t ahead) {
    const struct region *r = &heap_of(slot[0])->region;
    if (granules_in_use(r) < EXPECT_GRANULES)
        return;
    if (ahead >= CALLS_AHEAD * count)
        expect_ahead(r, slot + count, count);
    else if (count >= EXPECT_CHUNKS)
        expect_all(r, slot, count);
}

static bool free_into(struct arena *a, struct granule **slot, uint32_t count, uint32_t ahead,
                      bool purge) {
    bool emptier = false;
    if (!a->lost) {
        uint32_t joined;
        expect_cold(slot, count, ahead);
        for (uint32_t s = 0; s < count; s += joined) {
            joined = join(slot + s, count - s);
            purge_free_chunk(slot[s]);
        }
        emptier = purge && purge_after_frees(a);
    }
    arena_leave(a);
    return emptier;
}

/* How many granules wait then. Counted before they can be taken in. */
static uint32_t push_all(struct arena *a, struct granule **slot, uint32_t count) {
    uint32_t granules = slot[count - 1]->size;
    for (uint32_t s = 0; s + 1 < count; s++) {
        granules += slot[s]->size;
        link_write(slot[s], slot[s + 1]);
    }
    uint32_t waiting = __atomic_add_fetch(&a->returned_granules, granules, __ATOMIC_RELAXED);
    push(a, slot[0], slot[count - 1]);
    return waiting;
}

void return_chunk(struct granule *header) {
    struct arena *a = heap_of(header)->arena;
    if (lock_try(&a->lock)) { /* free_into without its search for neighbours */
        if (!a->lost) {
            purge_free_chunk(header);
            purge_after_frees(a);
        }
        arena_leave(a);
    } else {
        seal_as(header, SEAL_CACHED);
        push_all(a, &header, 1);
        arena_take_in(a);
    }
}

bool return_chunks(struct granule **slot, uint32_t count, struct returning how) {
    bool emptier = false;
    while (count > 0) {
        returned_check(slot[0]);
        struct arena *a = heap_of(slot[0])->arena;
        uint32_t own = gather(a, slot, count);
        bool foreign = how.home != NULL && a != how.home;
        if (!foreign && lock_try(&a->lock))
            emptier |= free_into(a, slot, own, own == count ? how.ahead : 0, a != how.unpurged);
        else if (push_all(a, slot, own) >= returned_limit() || !foreign)
            arena_take_in(a);
        slot += own;
        count -= own;
    }
    return emptier;
}

void returned_purge(struct arena *a) {
    if (!lock_try(&a->lock))
        return;
    if (!a->lost)
        purge_after_frees(a);
    arena_leave(a);
}
