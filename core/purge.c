/* purge.c: see purge.h. */
#include "purge.h"

#include "options.h"
#include "os.h"
#include "report.h"

/* Dirty pages are given back when they exceed 1/16 of what is in use and 1 MiB, as far as the clock
 * allows; beyond 4 times what is in use and 1 MiB even if it does not: then hardly anything is left
 * that could use them again, unless the region has just shown that it is filled and emptied in turn. */
enum {
    BUDGET_SHARE = 16,
    LIMIT_TIMES = 4,
    MOSTLY_TIMES = 8,
    KEPT_GRANULES = 1024 * 1024 / GRANULE_BYTES,
    SHORT_RUNS = 16,
    SHORT_GRANULES = 64 * 1024 / GRANULE_BYTES,
    SWEEP_MIN_GRANULES = 8 * 1024 * 1024 / GRANULE_BYTES,
    FAST_MOST_GRANULES = 512 * 1024 / GRANULE_BYTES,
    AHEAD_SHARE = 16,
    AHEAD_CHUNK_GRANULES = PAGE_GRANULES * 5 / 4,
    AHEAD_LEAST_GRANULES = 4 * PAGE_GRANULES
};

/* In this time a region may give back all that it held at its fullest: enough for any phase of frees, too
 * little for a program that frees and allocates the same pages in turn to spend its time in page faults. In
 * one second instead of two, 16 threads in two processors' arenas took 6% more time, and in two instead of
 * three the pattern large 20%. */
#define ALLOWANCE_NS 3000000000u

/* Between two times that memory goes back from beyond the limit, if it was used again in between:
 * a queue that runs full and empty many times a second keeps its pages meanwhile. */
#define PAUSE_NS 2000000u

/* What is used again within this time had better been kept; less often than that, its page faults
 * are no matter. */
#define REGRET_NS 100000000u

static bool give_back(const struct region *r, uint32_t from, uint32_t to) {
    return from >= to || os_purge(&r->g[from], (size_t)(to - from) * GRANULE_BYTES);
}

/* What stands in a free chunk the program may have overwritten: nothing is given back before the
 * chunk's size and its record are known to be ours. */
static void check_record(const struct region *r, uint32_t i) {
    if (!header_is(r->g, &r->key, i, SEAL_FREE))
        report_fault(FAULT_HEADER, &r->g[i + 1], &r->g[i], "free chunk");
    struct page_run done = region_purged(r, i), whole = region_whole_pages(r, i);
    if (done.from != done.to &&
        (done.from > done.to || done.from < whole.from || done.to > whole.to))
        report_fault(FAULT_LINK, &r->g[i + PURGED_NODE], &r->g[i], "record of pages given back");
}

/* Node behind x in the list of `bin`. */
static uint32_t next_node(const struct region *r, uint32_t bin, uint32_t x) {
    uint32_t next = r->g[x].lo;
    if (next >= r->bins.fence || r->g[next].hi != x || (next <= BIN_COUNT && next != bin))
        report_fault(FAULT_LINK, &r->g[x], NULL, "links disagree");
    return next;
}

/* Give back the pages `run` of free chunk i but those given back before. */
static bool purge_run(struct region *r, uint32_t i, struct page_run run) {
    check_record(r, i);
    struct page_run done = region_purged(r, i);
    if (done.from >= done.to)
        done = (struct page_run){run.to, run.to};
    if (run.from >= run.to || (done.from <= run.from && run.to <= done.to))
        return false;
    if (!give_back(r, run.from, done.from) || !give_back(r, done.to, run.to))
        return false;
    region_set_purged(r, i, run);
    return true;
}

static bool purge_chunk(struct region *r, uint32_t i) {
    struct page_run run = region_whole_pages(r, i);
    if (r->g[i].size >= PURGE_MIN_GRANULES)
        return purge_run(r, i, run);
    check_record(r, i);
    return run.from < run.to && give_back(r, run.from, run.to);
}

static bool purge_bin(struct region *r, uint32_t bin) {
    bool any = false;
    for (uint32_t x = next_node(r, bin, bin); x != bin; x = next_node(r, bin, x))
        if (r->g[x - 1].size > PAGE_GRANULES)
            any |= purge_chunk(r, x - 1);
    return any;
}

static bool purge_bins(struct region *r) {
    bool any = purge_bin(r, BIN_UNSORTED);
    for (uint32_t bin = bin_index(PAGE_GRANULES); bin < BIN_COUNT; bin++)
        any |= purge_bin(r, bin);
    return any;
}

/* ---- Sweep -------------------------------------------------------------------------------------
 *
 * Chunks below PURGE_MIN_GRANULES are not on the list by age, and nothing tells which of their pages were given
 * back. A sweep gives back those of the newest in each bin. It begins at a phase's end where what is in use has
 * halved, from no less than SWEEP_MIN_GRANULES (8 MiB): for less they are not worth its system calls. */

/* The next bin that may hold one; BIN_NONE behind the last. */
static uint32_t sweep_next(uint32_t bin) {
    uint32_t next = bin == BIN_UNSORTED ? bin_index(PAGE_GRANULES) : bin + 1;
    return next <= bin_index(PURGE_MIN_GRANULES - 1) ? next : BIN_NONE;
}

/* Where the sweep goes on. A count of chunks from the newest, no chunk's index: it cannot dangle, and a few
 * chunks that come or go in between only make it visit some twice, or not at all. */
static uint32_t sweep_node(const struct heap *h) {
    uint32_t bin = h->sweep_bin, x = next_node(&h->region, bin, bin);
    for (uint32_t at = 0; x != bin && at < h->sweep_at; at++)
        x = next_node(&h->region, bin, x);
    return x;
}

/* On along the bin, for up to `runs` runs. How many are left. */
static uint32_t sweep_bin(struct heap *h, uint32_t runs) {
    struct region *r = &h->region;
    uint32_t bin = h->sweep_bin, x = sweep_node(h);
    for (uint32_t step = 0; x != bin && runs != 0 && step < SWEEP_STEPS; step++) {
        uint32_t size = r->g[x - 1].size;
        if (size > PAGE_GRANULES && size < PURGE_MIN_GRANULES)
            runs -= purge_chunk(r, x - 1);
        x = next_node(r, bin, x);
        h->sweep_at++;
    }
    if (x != bin && h->sweep_at < SWEEP_BIN_STEPS)
        return 0;
    h->sweep_bin = sweep_next(bin);
    h->sweep_at = 0;
    return runs;
}

static void sweep(struct heap *h, uint32_t runs) {
    while (h->sweep_bin != BIN_NONE && runs != 0)
        runs = sweep_bin(h, runs);
}

/* ---- How much, and when ------------------------------------------------------------------------- */

/* The arenas share what is kept whatever is in use. */
static uint32_t kept_granules(void) { return KEPT_GRANULES / arena_count(); }

/* What a region may keep for the next allocations. A quarter of it, and no more than FAST_MOST_GRANULES, may wait
 * unmerged in fast bins, where it can neither be given back nor serve larger requests. */
static uint32_t budget_granules(const struct region *r) {
    return granules_in_use(r) / BUDGET_SHARE + kept_granules();
}

static uint64_t limit_granules(const struct region *r) {
    return (uint64_t)LIMIT_TIMES * granules_in_use(r) + kept_granules();
}

static bool beyond_limit(const struct region *r) { return r->dirty_granules > limit_granules(r); }

/* What the region held at its fullest. Where it is mostly free since, that is what it holds: were it its size,
 * a program between a million free chunks would spend a quarter of its time giving back. */
static uint64_t fullest(const struct heap *h) {
    uint64_t held = (uint64_t)granules_in_use(&h->region) + h->region.dirty_granules;
    return held > h->in_use_peak ? held : h->in_use_peak;
}

static void allow_by_clock(struct heap *h, uint64_t now) {
    uint64_t most = fullest(h);
    uint64_t elapsed = now - h->purge_clock_ns;
    uint64_t more = elapsed < ALLOWANCE_NS ? most * elapsed / ALLOWANCE_NS : most;
    if (more == 0)
        return; /* the clock goes on adding up */
    h->purge_clock_ns = now;
    h->purge_allowance += (int64_t)more;
    if (h->purge_allowance > (int64_t)most)
        h->purge_allowance = (int64_t)most;
}

/* ---- Giving back after frees -------------------------------------------------------------------- */

/* Cut up to `most` granules off top, but not its padding; what that gives back counts against the
 * allowance. */
static void trim_top(struct heap *h, uint64_t most) {
    uint32_t before = h->region.dirty_granules, top = region_top_granules(&h->region);
    size_t pad_bytes = option(&options.top_pad_bytes);
    size_t rest_bytes = most >= top ? 0 : (size_t)(top - most) * GRANULE_BYTES;
    heap_trim(h, rest_bytes > pad_bytes ? rest_bytes : pad_bytes);
    h->purge_allowance -= before - h->region.dirty_granules;
}

/* What of top goes back: all; but of an excess what is beyond the limit, as it is then, and an eighth of the
 * limit more, so that the next free does not cut again. */
static uint64_t trim_most(const struct heap *h) {
    if (h->purging != PURGING_EXCESS)
        return UINT64_MAX;
    uint64_t limit = limit_granules(&h->region);
    return h->region.dirty_granules - limit + limit / 8;
}

static bool top_is_long(const struct heap *h) {
    size_t top_bytes = (size_t)region_top_granules(&h->region) * GRANULE_BYTES;
    return top_bytes >= option(&options.trim_threshold_bytes);
}

/* At most, in granules, since a phase last ended. */
static uint32_t most_in_use(const struct heap *h) {
    return h->in_use_high > h->in_use_max ? h->in_use_high : h->in_use_max;
}

/* Whether a quarter of what was in use has been freed since this was last so, and a good deal: no churn, but a
 * phase's end. */
static bool has_shrunk(const struct heap *h) {
    uint32_t most = most_in_use(h), freed = most - granules_in_use(&h->region);
    return freed >= most / 4 && freed >= KEPT_GRANULES;
}

/* Whether more is in use than at the last phase's end. */
static bool is_refilled(const struct heap *h, uint32_t in_use) {
    return in_use > h->in_use_end + h->in_use_end / 16;
}

static bool clears(const struct heap *h) { return h->freed_in_a_row >= FREED_IN_A_ROW; }

/* A phase's end is believed, so that a region that is cleared follows however fast that goes, unless it was
 * filled again soon after the last one: then the clock decides. */
static bool phase_ends(struct heap *h, uint64_t now, bool by_clock, bool pressed) {
    if (!has_shrunk(h) && !(pressed && clears(h)))
        return false;
    if (is_refilled(h, most_in_use(h)))
        h->refills = now - h->ended_ns < ALLOWANCE_NS;
    return by_clock || !h->refills;
}

static void end_phase(struct heap *h, uint64_t now) {
    uint32_t in_use = granules_in_use(&h->region);
    h->sweep_bin = h->sweep_due ? BIN_UNSORTED : BIN_NONE;
    h->sweep_at = 0;
    h->sweep_due = false;
    h->in_use_high = h->in_use_max = h->in_use_end = in_use;
    h->ended_ns = now;
}

/* Whether the region holds far more than it uses, and not just for a moment. */
static bool is_pressed(const struct heap *h, uint64_t now) {
    bool refilled = h->in_use_high > 2 * (uint64_t)h->in_use_then + kept_granules();
    return beyond_limit(&h->region) && (!refilled || now - h->purged_ns >= PAUSE_NS);
}

/* Whether a good part of what went back last is in use again already, while no more than two budgets
 * are kept: a server that answers requests in batches swings so. */
static bool regrets(const struct heap *h, uint64_t now, uint32_t budget) {
    uint32_t used_again = h->in_use_high - h->in_use_then;
    return used_again >= budget / 2 && now - h->purged_ns < REGRET_NS &&
           h->region.dirty_granules <= 2 * budget;
}

static void note_use(struct heap *h) {
    uint32_t in_use = granules_in_use(&h->region);
    if (in_use > h->in_use_high)
        h->in_use_high = in_use;
    if (in_use > h->in_use_peak)
        h->in_use_peak = in_use;
}

static void note_purge(struct heap *h, uint64_t now) {
    h->purged_ns = now;
    h->in_use_max = most_in_use(h);
    h->in_use_then = h->in_use_high = granules_in_use(&h->region);
}

/* Whether there is more than a program that churns showed to need, up to half of what is in use. */
static bool beyond_trigger(const struct heap *h) {
    uint32_t dirty = h->region.dirty_granules;
    return dirty > h->purge_trigger || dirty > granules_in_use(&h->region) / 2 + kept_granules();
}

/* Whether one more run of `dirty` granules may go, after `runs` others: of an excess what is beyond the limit
 * and the next few if they are short, so that it is many frees before one does so again. */
static bool may_purge(const struct heap *h, uint32_t dirty, uint32_t runs) {
    if (h->purging == PURGING_EXCESS)
        return beyond_limit(&h->region) || (runs < SHORT_RUNS && dirty <= SHORT_GRANULES);
    return h->purging == PURGING_ALL || h->purge_allowance > 0;
}

/* Until no more than `left` is dirty, or PURGE_RUNS runs have gone. How many of those remain. */
static uint32_t purge_oldest(struct heap *h, uint32_t left) {
    struct region *r = &h->region;
    uint32_t runs = 0;
    for (; r->dirty_granules > left && runs < PURGE_RUNS; runs++) {
        uint32_t i = region_oldest_dirty(r);
        uint32_t dirty = i == 0 ? 0 : region_dirty(r, i);
        if (i == 0 || !may_purge(h, dirty, runs) || !purge_run(r, i, region_whole_pages(r, i)))
            break;
        h->purge_allowance -= dirty; /* the last one may overdraw it */
    }
    return PURGE_RUNS - runs;
}

/* Of a budget little is left, so that it is long before a free starts it again. */
static void purge_some(struct heap *h, uint32_t budget) {
    bool all = h->purging == PURGING_ALL;
    uint32_t runs = purge_oldest(h, all ? 0 : budget / 8);
    if (all)
        sweep(h, runs);
    bool more = runs == 0 || (all && h->sweep_bin != BIN_NONE);
    if (!more || h->purging == PURGING_EXCESS)
        h->purging = PURGING_NOT;
}

/* What goes back now. By the clock a whole budget at a time: what it allows little by little would else go back
 * run by run, at every other free of a program that churns. */
static enum purging decide(struct heap *h, uint64_t now, uint32_t budget) {
    if (h->purging == PURGING_ALL && !is_refilled(h, granules_in_use(&h->region)))
        return PURGING_ALL;
    bool by_clock = h->purging == PURGING_BUDGET
                        ? h->purge_allowance > 0
                        : h->purge_allowance >= budget && !regrets(h, now, budget);
    bool pressed = is_pressed(h, now);
    if (phase_ends(h, now, by_clock, pressed)) {
        end_phase(h, now);
        return PURGING_ALL;
    }
    if (by_clock)
        return PURGING_BUDGET;
    return pressed ? PURGING_EXCESS : PURGING_NOT;
}

/* Whether to ask the clock. */
static bool may_be_due(const struct heap *h, uint32_t budget) {
    if (h->purging != PURGING_NOT)
        return true;
    if (h->region.dirty_granules <= budget)
        return false;
    return beyond_trigger(h) || (!h->refills && has_shrunk(h));
}

/* A program that churns uses up what the clock allows, or wants back at once what went. Then the trigger is
 * raised, so that the allowance recovers and is there when the program frees in earnest, which brings the trigger
 * down. Out of line: most frees need nothing of it. */
CP_COLD static void purge_what_is_due(struct heap *h, uint32_t budget) {
    uint32_t dirty = h->region.dirty_granules;
    uint64_t now = os_clock_ns();
    allow_by_clock(h, now);
    h->purging = decide(h, now, budget);
    h->purge_trigger = h->purging == PURGING_NOT ? dirty + dirty / 4 : 0;
    if (h->purging == PURGING_NOT)
        return;
    if (top_is_long(h))
        trim_top(h, trim_most(h));
    purge_some(h, budget);
    note_purge(h, now);
}

static void purge_when_due(struct heap *h) {
    uint32_t budget = budget_granules(&h->region);
    if (may_be_due(h, budget))
        purge_what_is_due(h, budget);
}

/* Whether a region that was large holds hardly anything: each small chunk that waits somewhere
 * then keeps a page resident. */
static bool mostly_free(const struct region *r) {
    return region_granules(r) / MOSTLY_TIMES > granules_in_use(r) + kept_granules();
}

/* Whether half of what was in use has been freed since this was last found so. */
static bool has_halved(struct heap *h) {
    uint32_t in_use = granules_in_use(&h->region);
    if (in_use > h->in_use_peak / 2)
        return false;
    h->sweep_due |= h->in_use_peak >= SWEEP_MIN_GRANULES;
    h->in_use_peak = in_use;
    return true;
}

/* Whether more waits unmerged in fast bins than shall: never more than one free can merge in a millisecond. */
static bool fast_is_full(const struct region *r) {
    uint64_t fast = r->bins.fast_granules;
    return fast != 0 &&
           (fast > FAST_MOST_GRANULES || fast > budget_granules(r) / 4 || mostly_free(r));
}

/* Whether it is mostly free, and emptier by half than when it last was. */
static bool purge_heap(struct heap *h) {
    struct region *r = &h->region;
    note_use(h);
    if (fast_is_full(r))
        region_consolidate(r);
    if (arena_drop_if_empty(h->arena, h))
        return false;
    bool emptier = has_halved(h) && mostly_free(r);
    if ((emptier || option(&options.trim_threshold_fixed) != 0) && top_is_long(h))
        trim_top(h, UINT64_MAX);
    purge_when_due(h);
    return emptier;
}

/* One heap of several in turn: the clock may allow now what it did not when it was freed into. */
static bool purge_in_turn(struct arena *a) {
    struct heap *h = a->purge_next != NULL ? a->purge_next : a->heaps;
    if (h == NULL || a->heaps->next == NULL)
        return false;
    a->purge_next = h->next;
    return purge_heap(h);
}

/* A heap that was freed into and not looked at since; NULL: there is none. */
static struct heap *take_freed(struct arena *a) {
    struct heap *h = a->freed;
    if (h != NULL) {
        a->freed = h->next_freed;
        h->freed = false;
    }
    return h;
}

/* Not all heaps: a free shall not cost more where there are many. */
bool purge_after_frees(struct arena *a) {
    bool emptier = false;
    struct heap *h;
    while ((h = take_freed(a)) != NULL)
        emptier |= purge_heap(h);
    return emptier | purge_in_turn(a);
}

void purge_freed_into(struct heap *h) {
    if (h->freed)
        return;
    h->freed = true;
    h->next_freed = h->arena->freed;
    h->arena->freed = h;
}

void purge_free_chunk(struct granule *header) {
    struct heap *h = heap_of(header);
    purge_freed_into(h);
    bool clearing = clears(h);
    h->freed_in_a_row += !clearing;
    uint32_t fast_max = clearing ? 0 : (uint32_t)option(&options.mxfast_granules);
    region_free(&h->region, heap_index(h, header), fast_max);
}

/* Whether the chunk behind i says that i is free. Were i asked itself, and in use, its owner might just be
 * sealing it as cached. */
static bool is_followed_as_free(const struct region *r, uint32_t i) {
    uint32_t size = r->g[i].size;
    return size < r->bins.fence - i && r->g[i + size].prev_inuse == 0;
}

/* Pages from which chunks of `size` granules are cut may come before they are touched: each chunk has a header, so
 * of those up to a page, and of those that page caches make, a page and what describes it, hardly a page stays
 * untouched. How many granules: few beside what is in use, so the larger the heap the fewer are such calls. */
static uint32_t ahead_granules(const struct heap *h, uint32_t size) {
    uint32_t most = granules_in_use(&h->region) / AHEAD_SHARE;
    if (size > AHEAD_CHUNK_GRANULES || most < AHEAD_LEAST_GRANULES)
        return 0;
    return (most < AHEAD_GRANULES ? most : AHEAD_GRANULES) / PAGE_GRANULES * PAGE_GRANULES;
}

/* Of a large free chunk at i, where another ends: the pages that are not there, if what is before them would
 * hardly do for a refill. */
static struct page_run absent_ahead(const struct region *r, uint32_t i) {
    struct page_run none = {0, 0};
    if (r->g[i].size < PURGE_MIN_GRANULES || (i != r->top && !is_followed_as_free(r, i)))
        return none;
    check_record(r, i);
    struct page_run run = region_purged(r, i);
    return run.from - region_whole_pages(r, i).from < AHEAD_LEAST_GRANULES ? run : none;
}

void purge_take_ahead(const struct granule *header) {
    struct heap *h = heap_of(header);
    struct region *r = &h->region;
    uint32_t i = heap_index(h, header) + header->size, ahead = ahead_granules(h, header->size);
    if (ahead == 0)
        return;
    struct page_run run = absent_ahead(r, i);
    uint32_t rest = run.to - run.from;
    if (rest == 0)
        return;
    ahead = ahead < rest ? ahead : rest;
    os_populate(&r->g[run.from], (size_t)ahead * GRANULE_BYTES);
    run.from += ahead;
    region_set_purged(r, i, ahead < rest ? run : (struct page_run){0, 0});
}

struct granule *purge_join(struct granule *header) {
    struct heap *h = heap_of(header);
    chunk_merge(h->region.g, &h->region.key, heap_index(h, header));
    return header;
}

static bool purge_top(struct region *r, size_t pad_bytes) {
    if (region_top_granules(r) < PURGE_MIN_GRANULES)
        return false;
    struct page_run run = region_whole_pages(r, r->top);
    size_t pad_pages = (pad_bytes + PAGE_BYTES - 1) / PAGE_BYTES;
    if (pad_pages >= (run.to - run.from) / PAGE_GRANULES)
        return false;
    run.from += (uint32_t)pad_pages * PAGE_GRANULES;
    return purge_run(r, r->top, run);
}

static bool purge_region(struct region *r, size_t pad_bytes) {
    region_consolidate(r);
    bool any = purge_bins(r);
    return purge_top(r, pad_bytes) || any;
}

bool purge_arena(struct arena *a, size_t pad_bytes) {
    bool any = false;
    while (take_freed(a) != NULL) /* one that goes must not stay listed */
        continue;
    struct heap *next;
    for (struct heap *h = a->heaps; h != NULL; h = next) {
        next = h->next;
        region_consolidate(&h->region);
        if (h->reserved_bytes != 0 && region_is_empty(&h->region)) {
            arena_destroy_heap(a, h);
            any = true;
            continue;
        }
        any |= heap_trim(h, pad_bytes);
        any |= purge_region(&h->region, pad_bytes);
    }
    return any;
}
