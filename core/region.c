/* region.c: see region.h. Composes the four steps of chunk.h with the lists of bin.h.
 *
 * The checks that end in report_fault() can never fire on a heap that holds the invariants; they
 * are there for programs that overwrite headers.
 */
#include "region.h"

#include "report.h"

static const struct page_run no_pages = {0, 0};

/* ---- Pages given back ----------------------------------------------------------------------- */

struct page_run region_whole_pages(const struct region *r, uint32_t i) {
    uint32_t shift = (uint32_t)(r->key.base % PAGE_GRANULES);
    uint32_t links_end = i + DIRTY_NODE + 1;
    uint32_t first =
        (links_end + shift + PAGE_GRANULES - 1) / PAGE_GRANULES * PAGE_GRANULES - shift;
    uint32_t end = (i + r->g[i].size + shift) / PAGE_GRANULES * PAGE_GRANULES - shift;
    return first < end ? (struct page_run){first, end} : no_pages;
}

struct page_run region_purged(const struct region *r, uint32_t i) {
    if (r->g[i].size < PURGE_MIN_GRANULES)
        return no_pages;
    return (struct page_run){r->g[i + PURGED_NODE].lo, r->g[i + PURGED_NODE].hi};
}

static struct page_run longer(struct page_run a, struct page_run b) {
    return a.to - a.from >= b.to - b.from ? a : b;
}

static struct page_run overlap(struct page_run a, struct page_run b) {
    uint32_t from = a.from > b.from ? a.from : b.from;
    uint32_t to = a.to < b.to ? a.to : b.to;
    return from < to ? (struct page_run){from, to} : no_pages;
}

static uint32_t length(struct page_run run) { return run.to - run.from; }

uint32_t region_dirty(const struct region *r, uint32_t i) {
    return length(region_whole_pages(r, i)) - length(region_purged(r, i));
}

/* Free chunk i, whose header and links stand, has the pages `run` given back (those of them that
 * hold no link): record it, and list the chunk as young if it has other whole pages. */
static void dirty_in(struct region *r, uint32_t i, struct page_run run) {
    struct granule *g = r->g;
    if (g[i].size < PURGE_MIN_GRANULES)
        return;
    struct page_run whole = region_whole_pages(r, i);
    run = overlap(run, whole);
    g[i + PURGED_NODE].lo = run.from;
    g[i + PURGED_NODE].hi = run.to;
    uint32_t dirty = length(whole) - length(run);
    r->dirty_granules += dirty;
    if (dirty == 0)
        g[i + DIRTY_NODE].lo = g[i + DIRTY_NODE].hi = DIRTY_UNLISTED;
    else
        bin_hook(g, &r->bins, i + DIRTY_NODE, DIRTY_HEAD);
}

/* Chunk i leaves the free ones, or its run is about to change. Returns the run. */
static struct page_run dirty_out(struct region *r, uint32_t i) {
    if (r->g[i].size < PURGE_MIN_GRANULES)
        return no_pages;
    struct page_run run = region_purged(r, i);
    if (run.from > run.to || run.to > i + r->g[i].size || (run.from < i && run.from != run.to))
        report_fault(FAULT_LINK, &r->g[i + PURGED_NODE], &r->g[i], "record of pages given back");
    r->dirty_granules -= length(region_whole_pages(r, i)) - length(run);
    if (r->g[i + DIRTY_NODE].lo != DIRTY_UNLISTED)
        bin_unhook(r->g, &r->bins, i + DIRTY_NODE);
    return run;
}

uint32_t region_oldest_dirty(const struct region *r) {
    uint32_t x = r->g[DIRTY_HEAD].hi;
    return x == DIRTY_HEAD ? 0 : x - DIRTY_NODE;
}

void region_set_purged(struct region *r, uint32_t i, struct page_run run) {
    dirty_out(r, i);
    dirty_in(r, i, run);
}

/* ---- Checks of what a program may have overwritten ------------------------------------------ */

/* Chunk i, which a bin or a tag says is free, must be sealed as free and have its footer. */
static void check_free(const struct region *r, uint32_t i) {
    const struct granule *g = r->g;
    if (!header_is(g, &r->key, i, SEAL_FREE) || g[i].size > r->bins.fence - i)
        report_fault(FAULT_HEADER, &g[i + 1], &g[i], "free chunk");
    uint32_t next = i + g[i].size;
    if (g[next].lo != g[i].size || g[next].prev_inuse != 0)
        report_fault(FAULT_FOOTER, &g[next], &g[i], "footer of a free chunk");
}

static void check_top(const struct region *r) {
    const struct granule *g = r->g;
    if (!header_is(g, &r->key, r->top, SEAL_FREE) || r->top + g[r->top].size != r->bins.fence)
        report_fault(FAULT_TOP, &g[r->top], &g[r->top], "header of top");
    if (!header_is(g, &r->key, r->bins.fence, SEAL_FENCE) || g[r->bins.fence].lo != g[r->top].size)
        report_fault(FAULT_TOP, &g[r->bins.fence], &g[r->top], "fence behind top");
}

/* Index of the free chunk before i, whose tag says there is one. */
static uint32_t checked_previous(const struct region *r, uint32_t i) {
    uint32_t size = r->g[i].lo;
    if (size > i - REGION_FIRST || size < CHUNK_MIN_GRANULES || r->g[i - size].size != size ||
        !header_is(r->g, &r->key, i - size, SEAL_FREE))
        report_fault(FAULT_FOOTER, &r->g[i], &r->g[i], "prev_size before the chunk");
    return i - size;
}

/* What an overrun of the chunk before writes first: the header at next, behind a chunk in use. */
static void check_next(const struct region *r, uint32_t next) {
    const struct granule *g = r->g;
    if (g[next].prev_inuse != 1 || g[next].size < CHUNK_MIN_GRANULES ||
        g[next].size > r->bins.fence - next)
        report_fault(FAULT_HEADER, &g[next + 1], &g[next], "chunk behind the one given");
}

/* Whether the chunk at next, behind an allocated one, is free: asked of the tag behind it. */
static bool next_is_free(const struct region *r, uint32_t next) {
    const struct granule *g = r->g;
    if (next == r->bins.fence)
        return false;
    check_next(r, next);
    if (g[next + g[next].size].prev_inuse != 0)
        return false;
    if (next == r->top)
        check_top(r);
    else
        check_free(r, next);
    return true;
}

/* ---- From free to allocated and back --------------------------------------------------------- */

/* Free chunk i (in no bin) becomes allocated. Returns its pages that were given back. */
static struct page_run take(struct region *r, uint32_t i) {
    if (i == r->last_remainder)
        r->last_remainder = 0;
    struct page_run run = dirty_out(r, i);
    chunk_use(r->g, &r->key, i);
    return run;
}

/* Allocated chunk i, whose neighbours are in use, becomes free. `run`: pages in it known to be
 * given back. It is top if `top`, else it goes to the unsorted bin. */
static void put(struct region *r, uint32_t i, struct page_run run, bool top) {
    chunk_free(r->g, &r->key, i);
    dirty_in(r, i, run);
    if (top)
        r->top = i;
    else
        bin_insert_unsorted(r->g, &r->bins, i);
}

/* Allocated chunk i merges with its free neighbours and becomes free. */
static uint32_t release(struct region *r, uint32_t i) {
    struct granule *g = r->g;
    struct page_run run = no_pages;
    bool top = false;
    uint32_t next = i + g[i].size;
    if (next_is_free(r, next)) {
        top = next == r->top;
        if (!top)
            bin_unlink(g, &r->bins, next);
        run = take(r, next);
        chunk_merge(g, &r->key, i);
    }
    if (g[i].prev_inuse == 0) {
        i = checked_previous(r, i);
        bin_unlink(g, &r->bins, i);
        run = longer(run, take(r, i));
        chunk_merge(g, &r->key, i);
    }
    put(r, i, run, top);
    return g[i].size;
}

/* Allocated chunk i shrinks to `size` if what is left over makes a chunk; the chunk behind is in
 * use. The rest is free then (and returned), or 0. */
static uint32_t cut(struct region *r, uint32_t i, uint32_t size, struct page_run run, bool top) {
    if (r->g[i].size - size < CHUNK_MIN_GRANULES)
        return 0;
    uint32_t rest = chunk_split(r->g, &r->key, i, size);
    put(r, rest, run, top);
    return rest;
}

/* ---- Allocate -------------------------------------------------------------------------------- */

/* Sort the unsorted chunks, oldest first, until one fits exactly. A small request that meets the
 * last remainder alone splits it on, so that a run of small requests stays together. */
static uint32_t find_unsorted(struct region *r, uint32_t size) {
    struct granule *g = r->g;
    for (uint32_t step = 0; step < UNSORTED_STEPS; step++) {
        uint32_t i = bin_last(g, BIN_UNSORTED);
        if (i == 0)
            break;
        check_free(r, i);
        bool alone = g[BIN_UNSORTED].lo == g[BIN_UNSORTED].hi;
        bin_unlink(g, &r->bins, i);
        if (g[i].size == size || (size < LARGE_MIN_GRANULES && alone && i == r->last_remainder &&
                                  g[i].size >= size + CHUNK_MIN_GRANULES))
            return i;
        bin_insert(g, &r->bins, i);
    }
    return 0;
}

/* The smallest sorted chunk that is large enough. */
static uint32_t find_sorted(struct region *r, uint32_t size) {
    uint32_t bin = bin_next_marked(&r->bins, bin_index(size));
    while (bin < BIN_COUNT) {
        uint32_t i =
            bin < BIN_LARGE_FIRST ? bin_last(r->g, bin) : bin_best_fit(r->g, &r->bins, bin, size);
        if (i != 0) {
            bin_unlink(r->g, &r->bins, i);
            check_free(r, i);
            return i;
        }
        bin = bin_next_marked(&r->bins, bin + 1);
    }
    return 0;
}

/* A free chunk of `size` or more, out of its bin, or top if it is as large and can stay behind. */
static uint32_t find(struct region *r, uint32_t size) {
    uint32_t i = size < LARGE_MIN_GRANULES ? bin_last(r->g, size) : 0;
    if (i != 0) {
        bin_unlink(r->g, &r->bins, i);
        check_free(r, i);
        return i;
    }
    i = find_unsorted(r, size);
    if (i == 0)
        i = find_sorted(r, size);
    if (i != 0)
        return i;
    check_top(r);
    return region_top_granules(r) < size + CHUNK_MIN_GRANULES ? 0 : r->top;
}

/* The same; what waits in fast bins is merged first if it could help. */
static uint32_t find_merged(struct region *r, uint32_t size) {
    if (size >= LARGE_MIN_GRANULES && r->bins.fast_chunks != 0)
        region_consolidate(r);
    uint32_t i = find(r, size);
    if (i == 0 && r->bins.fast_chunks != 0) {
        region_consolidate(r);
        i = find(r, size);
    }
    return i;
}

static uint32_t serve_fast(struct region *r, uint32_t size, uint32_t wanted, uint32_t *served) {
    uint32_t count = 0;
    while (count < wanted) {
        uint32_t i = fast_pop(r->g, &r->key, &r->bins, size);
        if (i == 0)
            break;
        header_write(r->g, &r->key, i, size, r->g[i].flags, SEAL_ALLOCATED);
        served[count++] = i;
    }
    return count;
}

/* Free chunk i, from find, serves as many of the wanted requests as it can, side by side. */
static uint32_t serve(struct region *r, uint32_t i, uint32_t size, uint32_t wanted,
                      uint32_t *served) {
    bool top = i == r->top;
    uint32_t spare = top ? CHUNK_MIN_GRANULES : 0;
    struct page_run run = take(r, i);
    uint32_t count = 1;
    served[0] = i;
    while (count < wanted && r->g[i].size >= 2 * size + spare) {
        i = chunk_split(r->g, &r->key, i, size);
        served[count++] = i;
    }
    uint32_t rest = cut(r, i, size, run, top);
    if (rest != 0 && !top && size < LARGE_MIN_GRANULES)
        r->last_remainder = rest;
    r->served_zero = overlap(run, (struct page_run){i + 1, i + r->g[i].size});
    return count;
}

uint32_t region_allocate_run(struct region *r, uint32_t size, uint32_t fast_max, uint32_t wanted,
                             uint32_t *served) {
    uint32_t count = 0;
    r->served_zero = no_pages;
    if (size <= fast_max && r->bins.fast[size] != 0)
        count = serve_fast(r, size, wanted, served);
    while (count < wanted) {
        uint32_t i = find_merged(r, size);
        if (i == 0)
            break;
        count += serve(r, i, size, wanted - count, served + count);
    }
    return count;
}

uint32_t region_allocate(struct region *r, uint32_t size, uint32_t fast_max) {
    uint32_t i = 0;
    region_allocate_run(r, size, fast_max, 1, &i);
    return i;
}

uint32_t region_allocate_aligned(struct region *r, uint32_t size, uint32_t align) {
    r->served_zero = no_pages;
    if (align > REGION_LIMIT_GRANULES / 2 || size > REGION_LIMIT_GRANULES / 2 - align)
        return 0;
    uint32_t i = find_merged(r, size + align + CHUNK_MIN_GRANULES);
    if (i == 0)
        return 0;
    bool top = i == r->top;
    struct page_run run = take(r, i);
    uint32_t off = (uint32_t)((r->key.base + i + 1) % align);
    if (off != 0) {
        uint32_t lead = align - off < CHUNK_MIN_GRANULES ? 2 * align - off : align - off;
        uint32_t aligned = chunk_split(r->g, &r->key, i, lead);
        put(r, i, run, false);
        i = aligned;
    }
    cut(r, i, size, run, top);
    return i;
}

/* ---- Free, resize ---------------------------------------------------------------------------- */

void region_free(struct region *r, uint32_t i, uint32_t fast_max) {
    if (r->g[i].size <= fast_max) {
        check_next(r, i + r->g[i].size); /* an overwritten neighbour is found here, not later */
        fast_push(r->g, &r->key, &r->bins, i);
        return;
    }
    if (release(r, i) >= CONSOLIDATE_GRANULES && r->bins.fast_chunks != 0)
        region_consolidate(r);
}

/* Chunks that leave fast bins at a time, so that what merging them reads is fetched for all at once:
 * without that, each waits for memory some six times. */
enum { CONSOLIDATE_BATCH = 16, EXPECT_STEPS = 3 };

static void expect_node(const struct region *r, uint32_t x) {
    if (x < r->bins.fence)
        granule_prefetch(r->g, x);
}

static void expect_links(const struct region *r, uint32_t i) {
    expect_node(r, r->g[i + 1].lo);
    expect_node(r, r->g[i + 1].hi);
}

/* Have what merging chunk i will read on its way into the processor's cache, in EXPECT_STEPS steps: each
 * reads what the one before fetched. */
static void expect(const struct region *r, uint32_t i, unsigned step) {
    const struct granule *g = r->g;
    uint32_t next = i + g[i].size;
    bool after_free = g[i].prev_inuse == 0;
    if (step == 0) {
        expect_node(r, next);
        if (after_free)
            expect_node(r, i - g[i].lo);
        return;
    }
    check_next(r, next);
    uint32_t behind = next + g[next].size;
    if (step == 1) {
        expect_node(r, behind);
        if (after_free)
            expect_links(r, checked_previous(r, i));
    } else if (g[behind].prev_inuse == 0)
        expect_links(r, next);
}

static uint32_t pop_some(struct region *r, uint32_t size, uint32_t *popped) {
    uint32_t count = 0;
    while (count < CONSOLIDATE_BATCH) {
        uint32_t i = fast_pop(r->g, &r->key, &r->bins, size);
        if (i == 0)
            break;
        expect(r, i, 0);
        popped[count++] = i;
    }
    return count;
}

static void release_all(struct region *r, const uint32_t *popped, uint32_t count) {
    for (unsigned step = 1; step < EXPECT_STEPS; step++)
        for (uint32_t n = 0; n < count; n++)
            expect(r, popped[n], step);
    for (uint32_t n = 0; n < count; n++)
        release(r, popped[n]);
}

void region_consolidate(struct region *r) {
    uint32_t popped[CONSOLIDATE_BATCH];
    for (uint32_t size = CHUNK_MIN_GRANULES; size <= FAST_MAX_GRANULES; size++) {
        uint32_t count = pop_some(r, size, popped);
        while (count != 0) {
            release_all(r, popped, count);
            count = pop_some(r, size, popped);
        }
    }
}

static void shrink(struct region *r, uint32_t i, uint32_t size) {
    if (r->g[i].size - size < CHUNK_MIN_GRANULES)
        return;
    release(r, chunk_split(r->g, &r->key, i, size));
}

bool region_resize(struct region *r, uint32_t i, uint32_t size) {
    struct granule *g = r->g;
    if (size <= g[i].size) {
        shrink(r, i, size);
        return true;
    }
    uint32_t next = i + g[i].size;
    if (!next_is_free(r, next))
        return false;
    bool top = next == r->top;
    uint32_t spare = top ? CHUNK_MIN_GRANULES : 0;
    if (g[i].size + g[next].size < size + spare)
        return false;
    if (!top)
        bin_unlink(g, &r->bins, next);
    struct page_run run = take(r, next);
    chunk_merge(g, &r->key, i);
    cut(r, i, size, run, top);
    return true;
}

/* ---- The region's end ------------------------------------------------------------------------ */

/* Write fence and top such that the region ends at `fence`. */
static void set_end(struct region *r, uint32_t fence) {
    struct granule *g = r->g;
    r->bins.fence = fence;
    header_write(g, &r->key, fence, 1, r->flags, SEAL_FENCE);
    header_write(g, &r->key, r->top, fence - r->top, r->flags, SEAL_FREE);
    g[fence].prev_inuse = 0;
    g[fence].lo = fence - r->top;
    g[fence].hi = 0;
}

void region_init(struct region *r, struct granule *g, uint32_t granules, const struct seal_key *key,
                 uint8_t flags) {
    *r = (struct region){.g = g, .key = *key, .top = REGION_FIRST, .flags = flags};
    bins_init(g, &r->bins, granules - 1);
    g[REGION_FIRST].prev_inuse = 1;
    g[REGION_FIRST].lo = 0;
    set_end(r, granules - 1);
    dirty_in(r, r->top, region_whole_pages(r, r->top));
}

/* The run of a top that was extended behind `old_end`: the new memory joins a run that reached
 * up to there, or replaces a shorter one. */
static struct page_run extended(const struct region *r, struct page_run run, uint32_t old_end) {
    struct page_run fresh =
        overlap((struct page_run){old_end, r->bins.fence}, region_whole_pages(r, r->top));
    if (run.from < run.to && fresh.from < fresh.to && fresh.from <= run.to + PAGE_GRANULES &&
        old_end <= run.to + 1)
        return (struct page_run){run.from, fresh.to};
    return longer(run, fresh);
}

void region_extend(struct region *r, uint32_t granules, bool fresh) {
    check_top(r);
    uint32_t old_end = r->bins.fence + 1;
    struct page_run run = dirty_out(r, r->top);
    set_end(r, granules - 1);
    dirty_in(r, r->top, fresh ? extended(r, run, old_end) : run);
}

uint32_t region_trim(struct region *r, uint32_t keep) {
    check_top(r);
    if (region_top_granules(r) > keep) {
        struct page_run run = dirty_out(r, r->top);
        set_end(r, r->top + keep);
        dirty_in(r, r->top, run);
    }
    return region_granules(r);
}
