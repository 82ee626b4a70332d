/* check.c: see check.h. Reads headers, footers and links; writes nothing but the breach.
 *
 * Chunks that threads hold change their seal (allocated <-> cached) without a lock, so it is read
 * by relaxed atomic load; everything else of a region changes under its arena's lock only.
 */
#include "check.h"

#include "cache.h"
#include "mapped.h"
#include "os.h"
#include "process.h"

static const char *const names[CP_INVARIANTS] = {
    [CP_TILED] = "tiled",         [CP_TAGGED] = "tagged",           [CP_SEALED] = "sealed",
    [CP_COALESCED] = "coalesced", [CP_LINKED] = "linked",           [CP_BINNED] = "binned",
    [CP_SORTED] = "sorted",       [CP_MAPPED_BINS] = "mapped-bins", [CP_FAST] = "fast",
    [CP_COUNTED] = "counted",     [CP_PURGED] = "purged",           [CP_OWNED] = "owned",
    [CP_APART] = "apart",
};

CP_PUBLIC const char *cp_invariant_name(enum cp_invariant invariant) {
    return (unsigned)invariant < CP_INVARIANTS ? names[invariant] : "unknown";
}

/* What one walk knows; the breach is filled when it ends early. */
struct walk {
    const struct region *r;
    struct cp_breach *breach;
    uint64_t free_chunks, free_granules; /* by the tiling, top excepted */
    uint64_t fast_chunks, fast_granules; /* by the fast lists */
    uint64_t dirty_chunks, dirty_granules; /* free chunks with pages not given back */
};

static bool broken(const struct walk *w, enum cp_invariant invariant, uint32_t i, uint64_t found,
                   uint64_t expected, const char *detail) {
    const struct region *r = w->r;
    *w->breach = (struct cp_breach){.invariant = invariant,
                                    .region = r->g,
                                    .granule = i,
                                    .found = found,
                                    .expected = expected,
                                    .detail = detail};
    if (i <= r->bins.fence) {
        const struct granule *h = &r->g[i];
        w->breach->header = h;
        w->breach->words[0] = h->lo;
        w->breach->words[1] = h->hi;
        w->breach->words[2] = h->size;
        w->breach->words[3] =
            (uint32_t)seal_load(h) | (uint32_t)h->prev_inuse << 16 | (uint32_t)h->flags << 24;
    }
    return false;
}

/* ---- Chunk by chunk ------------------------------------------------------------------------------ */

/* The state the seal tells; SEAL_STATES when it matches none. */
static enum seal_state state_of(const struct region *r, uint32_t i) {
    uint16_t hash = seal_hash(&r->key, r->key.base + i, r->g[i].size, r->g[i].flags);
    uint16_t seal = seal_load(&r->g[i]);
    for (enum seal_state s = SEAL_ALLOCATED; s < SEAL_STATES; s++)
        if (seal == (hash ^ r->key.state[s]))
            return s;
    return SEAL_STATES;
}

static bool check_purged(const struct walk *w, uint32_t i) {
    struct page_run run = region_purged(w->r, i);
    struct page_run whole = region_whole_pages(w->r, i);
    uint32_t shift = (uint32_t)(w->r->key.base % PAGE_GRANULES);
    if (run.from == run.to)
        return true;
    if (run.from > run.to || run.from < whole.from || run.to > whole.to)
        return broken(w, CP_PURGED, i, run.from, whole.from, "pages given back reach outside");
    if ((run.from + shift) % PAGE_GRANULES != 0 || (run.to + shift) % PAGE_GRANULES != 0)
        return broken(w, CP_PURGED, i, run.from, whole.from, "not whole pages");
    return true;
}

static bool check_chunk(struct walk *w, uint32_t i) {
    const struct region *r = w->r;
    const struct granule *g = r->g;
    uint32_t size = g[i].size;
    enum seal_state state = state_of(r, i);
    if (state == SEAL_STATES)
        return broken(w, CP_SEALED, i, seal_load(&g[i]), 0, "seal matches no state");
    if (size < CHUNK_MIN_GRANULES || size > r->bins.fence - i)
        return broken(w, CP_TILED, i, size, r->bins.fence - i, "size leads out of the region");
    if (state == SEAL_FENCE)
        return broken(w, CP_TILED, i, i, r->bins.fence, "fence inside the region");
    if (g[i].flags != r->flags)
        return broken(w, CP_OWNED, i, g[i].flags, r->flags, "flags of another region");
    const struct granule *next = &g[i + size];
    bool is_free = state == SEAL_FREE;
    if (next->prev_inuse != (is_free ? 0 : 1))
        return broken(w, CP_TAGGED, i, next->prev_inuse, !is_free, "tag behind the chunk");
    if (is_free && next->lo != size)
        return broken(w, CP_TAGGED, i, next->lo, size, "footer of a free chunk");
    if (is_free && g[i].prev_inuse == 0)
        return broken(w, CP_COALESCED, i, 0, 1, "free chunk behind a free one");
    if (is_free && i != r->top) {
        w->free_chunks++;
        w->free_granules += size;
    }
    if (is_free && !check_purged(w, i))
        return false;
    if (is_free && size >= PURGE_MIN_GRANULES && region_dirty(r, i) != 0) {
        w->dirty_chunks++;
        w->dirty_granules += region_dirty(r, i);
    }
    return true;
}

static bool check_tiling(struct walk *w) {
    const struct region *r = w->r;
    uint32_t i = REGION_FIRST, last = REGION_FIRST;
    if (r->g[i].prev_inuse != 1)
        return broken(w, CP_TAGGED, i, r->g[i].prev_inuse, 1, "first chunk");
    while (i != r->bins.fence) {
        if (!check_chunk(w, i))
            return false;
        last = i;
        i += r->g[i].size;
    }
    if (last != r->top || state_of(r, last) != SEAL_FREE)
        return broken(w, CP_TILED, last, last, r->top, "last chunk is not top");
    if (state_of(r, i) != SEAL_FENCE)
        return broken(w, CP_SEALED, i, seal_load(&r->g[i]), 0, "fence");
    return true;
}

/* ---- Bin by bin ---------------------------------------------------------------------------------- */

static bool is_node(const struct region *r, uint32_t x) {
    return x > DIRTY_HEAD && x < r->bins.fence;
}

/* Chunk whose node is x hangs in `bin`: it must be free, and of the bin's sizes. */
static bool check_binned(const struct walk *w, uint32_t bin, uint32_t i) {
    const struct region *r = w->r;
    if (i < REGION_FIRST || state_of(r, i) != SEAL_FREE || i == r->top)
        return broken(w, CP_BINNED, i, bin, 0, "bin holds what is not free");
    if (bin != BIN_UNSORTED && bin_index(r->g[i].size) != bin)
        return broken(w, CP_BINNED, i, bin, bin_index(r->g[i].size), "in the bin of another size");
    return true;
}

/* Order and ring of a large bin, whose links have been found sound. */
static bool check_sorted(const struct walk *w, uint32_t bin) {
    const struct granule *g = w->r->g;
    uint32_t first = g[bin].lo, leader = 0;
    for (uint32_t x = first; x != bin; x = g[x].lo) {
        uint32_t i = x - 1, ring = i + 2;
        uint32_t rank = bin_rank(g[i].size), before = bin_rank(g[g[x].hi - 1].size);
        bool leads = x == first || before != rank;
        if (x != first && before < rank)
            return broken(w, CP_SORTED, i, rank, before, "ranks do not descend");
        if (!leads && g[ring].lo != 0)
            return broken(w, CP_SORTED, i, g[ring].lo, 0, "second of its rank in the ring");
        if (leads && (!is_node(w->r, g[ring].lo) || g[g[ring].lo].hi != ring))
            return broken(w, CP_SORTED, i, g[ring].lo, ring, "nextsize link not answered");
        if (leads && leader != 0 && g[leader].lo != ring)
            return broken(w, CP_SORTED, i, g[leader].lo, ring, "ring leaves out a rank");
        leader = leads ? ring : leader;
    }
    if (leader != 0 && g[leader].lo != first + 1)
        return broken(w, CP_SORTED, leader - 2, g[leader].lo, first + 1, "ring does not close");
    return true;
}

static bool check_bin(struct walk *w, uint32_t bin, uint64_t *chunks, uint64_t *granules) {
    const struct region *r = w->r;
    const struct granule *g = r->g;
    uint32_t x = bin;
    do {
        uint32_t fd = g[x].lo;
        if (!is_node(r, fd) || g[fd].hi != x)
            return broken(w, CP_LINKED, x < BIN_COUNT ? x : x - 1, fd, x, "fd is not answered");
        x = fd;
        if (x == bin)
            break;
        if (!check_binned(w, bin, x - 1))
            return false;
        ++*chunks;
        *granules += g[x - 1].size;
    } while (*chunks <= w->free_chunks);
    bool marked = (r->bins.map[bin / 64] >> (bin % 64) & 1) != 0;
    if (g[bin].lo != bin && !marked)
        return broken(w, CP_MAPPED_BINS, bin, 0, 1, "bin is not empty, its bit is clear");
    return bin < BIN_LARGE_FIRST || check_sorted(w, bin);
}

/* Most bins are: the head leads to itself, both ways. */
static bool is_empty(const struct region *r, uint32_t bin) {
    return r->g[bin].lo == bin && r->g[bin].hi == bin;
}

static bool check_bins(struct walk *w) {
    uint64_t chunks = 0, granules = 0;
    for (uint32_t bin = BIN_UNSORTED; bin < BIN_COUNT; bin++)
        if (!is_empty(w->r, bin) && !check_bin(w, bin, &chunks, &granules))
            return false;
    if (chunks != w->free_chunks || granules != w->free_granules)
        return broken(w, CP_BINNED, 0, chunks, w->free_chunks, "free chunks in no bin, or in two");
    return true;
}

static bool check_fast(struct walk *w) {
    const struct region *r = w->r;
    for (uint32_t size = 0; size < FAST_BIN_COUNT; size++)
        for (uint32_t i = r->bins.fast[size]; i != 0; i = r->g[i + 1].lo) {
            if (i < REGION_FIRST || i >= r->bins.fence || r->g[i].size != size ||
                state_of(r, i) != SEAL_CACHED)
                return broken(w, CP_FAST, i, i, size, "fast bin leads to no cached chunk");
            if (++w->fast_chunks > r->bins.fence)
                return broken(w, CP_FAST, i, i, size, "fast bin does not end");
            w->fast_granules += size;
        }
    return true;
}

/* The list of dirty chunks, by age. */
static bool check_dirty(const struct walk *w) {
    const struct region *r = w->r;
    uint64_t chunks = 0;
    for (uint32_t x = DIRTY_HEAD;;) {
        uint32_t fd = r->g[x].lo;
        if (fd >= r->bins.fence || r->g[fd].hi != x)
            return broken(w, CP_LINKED, x < BIN_COUNT ? x : x - DIRTY_NODE, fd, x,
                          "link of the dirty list is not answered");
        x = fd;
        if (x == DIRTY_HEAD)
            break;
        uint32_t i = x - DIRTY_NODE;
        if (x < REGION_FIRST + DIRTY_NODE || state_of(r, i) != SEAL_FREE)
            return broken(w, CP_PURGED, i, x, 0, "dirty list holds what is not free");
        if (++chunks > w->dirty_chunks)
            break;
    }
    if (chunks != w->dirty_chunks)
        return broken(w, CP_PURGED, 0, chunks, w->dirty_chunks, "length of the dirty list");
    return true;
}

static bool check_counted(const struct walk *w) {
    const struct bins *b = &w->r->bins;
    if (b->free_chunks != w->free_chunks)
        return broken(w, CP_COUNTED, 0, b->free_chunks, w->free_chunks, "free chunks");
    if (b->free_granules != w->free_granules)
        return broken(w, CP_COUNTED, 0, b->free_granules, w->free_granules, "free granules");
    if (b->fast_chunks != w->fast_chunks)
        return broken(w, CP_COUNTED, 0, b->fast_chunks, w->fast_chunks, "fast chunks");
    if (b->fast_granules != w->fast_granules)
        return broken(w, CP_COUNTED, 0, b->fast_granules, w->fast_granules, "fast granules");
    if (w->r->dirty_granules != w->dirty_granules)
        return broken(w, CP_COUNTED, 0, w->r->dirty_granules, w->dirty_granules, "dirty granules");
    return true;
}

bool check_region(const struct region *r, struct cp_breach *breach) {
    struct walk w = {.r = r, .breach = breach};
    return check_tiling(&w) && check_bins(&w) && check_fast(&w) && check_dirty(&w) &&
           check_counted(&w);
}

/* ---- Arenas, the process ------------------------------------------------------------------------- */

static bool heap_broken(const struct heap *h, enum cp_invariant invariant, uint64_t found,
                        uint64_t expected, const char *detail, struct cp_breach *breach) {
    *breach = (struct cp_breach){.invariant = invariant,
                                 .region = h->region.g,
                                 .found = found,
                                 .expected = expected,
                                 .detail = detail};
    return false;
}

static bool check_heap(const struct arena *a, const struct heap *h, struct cp_breach *breach) {
    const unsigned char *end = (const unsigned char *)&h->region.g[h->region.bins.fence + 1];
    if (h->arena != a)
        return heap_broken(h, CP_OWNED, (uintptr_t)h->arena, (uintptr_t)a, "heap of another arena",
                           breach);
    if (end != h->start + h->committed_bytes)
        return heap_broken(h, CP_OWNED, (uintptr_t)end, (uintptr_t)h->start + h->committed_bytes,
                           "region ends elsewhere than its memory", breach);
    bool mapped = h->reserved_bytes != 0;
    if (mapped &&
        (h != (const struct heap *)(const void *)h->start ||
         (uintptr_t)h->start % h->reserved_bytes != 0 || !pagemap_holds((uintptr_t)end - 1)))
        return heap_broken(h, CP_OWNED, (uintptr_t)h, (uintptr_t)h->start,
                           "mapped heap is not found by masking", breach);
    for (const struct heap *other = h->next; other != NULL; other = other->next)
        if (h->start < other->start + other->committed_bytes &&
            other->start < h->start + h->committed_bytes)
            return heap_broken(h, CP_APART, (uintptr_t)h->start, (uintptr_t)other->start,
                               "two heaps overlap", breach);
    return check_region(&h->region, breach);
}

bool check_arena(const struct arena *a, struct cp_breach *breach) {
    size_t bytes = 0;
    for (const struct heap *h = a->heaps; h != NULL; h = h->next) {
        if (!check_heap(a, h, breach)) {
            breach->arena = a;
            return false;
        }
        bytes += h->committed_bytes;
    }
    if (bytes != a->system_bytes) {
        *breach = (struct cp_breach){.invariant = CP_COUNTED,
                                     .arena = a,
                                     .found = a->system_bytes,
                                     .expected = bytes,
                                     .detail = "bytes of an arena"};
        return false;
    }
    return true;
}

bool check_shared(struct cp_breach *breach) {
    const struct arena *a = arena_main();
    do {
        if (!a->lost && !check_arena(a, breach))
            return false;
        a = arena_next(a);
    } while (a != arena_main());
    return mapped_check(breach);
}

bool check_process(struct cp_breach *breach) {
    return check_shared(breach) && cache_check(cache_self, breach);
}

CP_PUBLIC bool cp_check(struct cp_breach *breach) {
    struct cp_breach unused;
    allocator_ensure_started();
    allocator_lock_all();
    bool sound = check_process(breach == NULL ? &unused : breach);
    allocator_unlock_all();
    return sound;
}

/* ---- Pictures ------------------------------------------------------------------------------------ */

static const struct heap *heap_with(const void *p) {
    const struct arena *a = arena_main();
    if (a->next == NULL) /* not started */
        return NULL;
    do {
        for (const struct heap *h = a->heaps; h != NULL; h = h->next)
            if ((uintptr_t)p - (uintptr_t)h->start < h->committed_bytes)
                return h;
        a = arena_next(a);
    } while (a != arena_main());
    return NULL;
}

static void print_chunk(const struct region *r, uint32_t i, bool here) {
    static const char *const states[] = {"allocated", "cached", "free", "fence", "BROKEN SEAL"};
    const struct granule *h = &r->g[i];
    report_line("chunkproof: %s granule %u at %p: %s size %u prev_inuse %u prev_size %u%s",
                here ? "->" : "  ", i, (const void *)h, states[state_of(r, i)], h->size,
                (unsigned)h->prev_inuse, h->lo, i == r->top ? " (top)" : "");
}

enum { NEIGHBOURS = 4 };

/* The chunks before granule i (by the tiling from the region's start), itself and those behind. */
static void print_neighbourhood(const struct region *r, uint32_t i) {
    uint32_t before[NEIGHBOURS], count = 0, at = REGION_FIRST;
    while (at < i && r->g[at].size >= CHUNK_MIN_GRANULES && r->g[at].size <= r->bins.fence - at) {
        before[count++ % NEIGHBOURS] = at;
        at += r->g[at].size;
    }
    for (uint32_t n = count < NEIGHBOURS ? 0 : count - NEIGHBOURS; n < count; n++)
        print_chunk(r, before[n % NEIGHBOURS], false);
    if (at != i)
        report_line("chunkproof:    (the tiling from the start does not lead to it)");
    for (uint32_t n = 0; n <= NEIGHBOURS && i <= r->bins.fence; n++) {
        print_chunk(r, i, n == 0);
        if (i == r->bins.fence || r->g[i].size == 0 || r->g[i].size > r->bins.fence - i)
            break;
        i += r->g[i].size;
    }
}

CP_PUBLIC void cp_check_print(const struct cp_breach *b) {
    report_line("chunkproof: %s: %s: %s at %p (granule %u of region %p): found %z, expected %z",
                fault_name(FAULT_BREACH), cp_invariant_name(b->invariant), b->detail, b->header,
                b->granule, b->region, (size_t)b->found, (size_t)b->expected);
    const struct heap *h = b->region == NULL ? NULL : heap_with(b->region);
    if (h != NULL && b->granule >= REGION_FIRST && b->granule <= h->region.bins.fence)
        print_neighbourhood(&h->region, b->granule);
}

CP_PUBLIC void cp_check_here(void) {
    struct cp_breach breach;
    if (check_process(&breach))
        report_line("chunkproof: heap is sound");
    else
        cp_check_print(&breach);
}

/* ---- What is wrong with a pointer ------------------------------------------------------------------ */

/* The chunk of r that granule i lies in, by the tiling; the broken one when it breaks before. */
static uint32_t chunk_around(const struct region *r, uint32_t i) {
    uint32_t at = REGION_FIRST;
    while (at < r->bins.fence) {
        uint32_t size = r->g[at].size;
        bool sound = size >= CHUNK_MIN_GRANULES && size <= r->bins.fence - at &&
                     state_of(r, at) != SEAL_STATES;
        if (!sound || i - at < size)
            break;
        at += size;
    }
    return at;
}

static void diagnose_in_region(const struct region *r, const struct granule *header,
                               const char *operation) {
    uint32_t i = (uint32_t)(header - r->g);
    if (i < REGION_FIRST || i >= r->bins.fence)
        report_fault(FAULT_FOREIGN, header + 1, NULL, operation);
    uint32_t chunk = chunk_around(r, i);
    const struct granule *around = &r->g[chunk];
    enum seal_state state = state_of(r, chunk);
    if (state == SEAL_STATES)
        report_fault(FAULT_HEADER, chunk == i ? (const void *)(header + 1) : around + 1, around,
                     operation);
    if (state == SEAL_FREE || (state == SEAL_CACHED && chunk == i))
        report_fault(FAULT_DOUBLE_FREE, header + 1, around, operation);
    if (chunk == i)
        report_fault(FAULT_HEADER, header + 1, around, operation);
    report_fault(FAULT_INTERIOR, header + 1, around, operation);
}

void check_diagnose(const void *p, const char *operation) {
    const struct granule *header = (const struct granule *)p - 1;
    if ((uintptr_t)p % GRANULE_BYTES != 0)
        report_fault(FAULT_MISALIGNED, p, NULL, operation);
    const struct heap *h = heap_with(header);
    if (h != NULL)
        diagnose_in_region(&h->region, header, operation);
    const struct granule *mapped = mapped_containing(p);
    if (mapped != NULL)
        report_fault(FAULT_INTERIOR, p, mapped, operation);
    report_fault(FAULT_FOREIGN, p, NULL, operation);
}
