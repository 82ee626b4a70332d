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
    /* Counted from the page that holds granule 0, so that neither is less than nothing. */
    uint32_t first = (links_end + shift + PAGE_GRANULES - 1) / PAGE_GRANULES * PAGE_GRANULES;
    uint32_t end = (i + r->g[i].size + shift) / PAGE_GRANULES * PAGE_GRANULES;
    return first < end ? (struct page_run){first - shift, end - shift} : no_pages;
}

struct page_run region_purged(const struct region *r, uint32_t i) {
    if (r->g[i].size < PURGE_MIN_GRANULES)
        return no_pages;
    return (struct page_run){r->g[i + PURGED_NODE].lo, r->g[i + PURGED_NODE].hi};
}

/*@ requires runs: run(a) && run(b);
    terminates \true;
    exits never: \false;
    assigns \nothing;
    ensures one: \result == a || \result == b;
    ensures longer: \result.to - \result.from >= a.to - a.from &&
        \result.to - \result.from >= b.to - b.from;
*/
static struct page_run longer(struct page_run a, struct page_run b) {
    return a.to - a.from >= b.to - b.from ? a : b;
}

/* What two runs share. */
/*@ terminates \true;
    exits never: \false;
    assigns \nothing;
    ensures run: run(\result);
    ensures shared: \forall integer x; \result.from <= x < \result.to <==>
        a.from <= x < a.to && b.from <= x < b.to;
    ensures within: \result.from < \result.to ==> a.from <= \result.from &&
        b.from <= \result.from && \result.to <= a.to && \result.to <= b.to;
    ensures none: \result.from == \result.to ==> \result.from == 0;
*/
static struct page_run overlap(struct page_run a, struct page_run b) {
    uint32_t from = a.from > b.from ? a.from : b.from;
    uint32_t to = a.to < b.to ? a.to : b.to;
    return from < to ? (struct page_run){from, to} : no_pages;
}

/*@ requires run: run(run);
    terminates \true;
    exits never: \false;
    assigns \nothing;
    ensures length: \result == run.to - run.from;
*/
static uint32_t length(struct page_run run) { return run.to - run.from; }

uint32_t region_dirty(const struct region *r, uint32_t i) {
    return length(region_whole_pages(r, i)) - length(region_purged(r, i));
}

/* The cells of a large free chunk i are no other chunk's. */
/*@ ghost
    /@ requires fence: REGION_FIRST < fence <= REGION_LIMIT_GRANULES;
       requires tiling: tiling;
       requires heads: heads;
       requires placed: placed;
       requires large: large_free(i);
       terminates \true;
       exits never: \false;
       assigns \nothing;
       ensures inside: i + span[i] <= fence;
       ensures record: list[i + PURGED_NODE] == LIST_NONE && !header(i + PURGED_NODE);
       ensures node: !header(i + DIRTY_NODE) &&
           (list[i + DIRTY_NODE] == LIST_NONE || list[i + DIRTY_NODE] == LIST_DIRTY);
       ensures apart: \forall integer j; chunk(j) && j != i ==> clear(i, j);
       ensures links: \forall integer j; chunk(j) ==> !(i + 2 < j + 1 <= i + DIRTY_NODE) &&
           !(i + 2 < j + 2 <= i + DIRTY_NODE);
       ensures others: \forall integer j; large_free(j) && j != i ==>
           !(i <= j + PURGED_NODE <= i + DIRTY_NODE) && !(i <= j + DIRTY_NODE <= i + DIRTY_NODE);
    @/
    void cells_apart(uint32_t i) {
        /@ assert extent: extent(i); @/
        /@ assert extents: \forall integer j; chunk(j) && j != i ==> extent(j) && clear(i, j); @/
        /@ assert inner: \forall integer j; i < j < i + span[i] ==> !chunk(j); @/
        /@ assert places: place(i + PURGED_NODE) && place(i + DIRTY_NODE); @/
    }

    /@ requires fence: REGION_FIRST < fence <= REGION_LIMIT_GRANULES;
       requires tiling: tiling;
       requires placed: placed;
       terminates \true;
       exits never: \false;
       assigns \nothing;
       ensures records: \forall integer j; large_free(j) ==> j + DIRTY_NODE < fence &&
           list[j + PURGED_NODE] == LIST_NONE;
    @/
    void records_loose(void) {
        /@ assert inner: \forall integer j, m; large_free(j) && j < m < j + span[j] ==>
            !chunk(m); @/
        /@ assert records: \forall integer j; large_free(j) ==> extent(j) &&
            place(j + PURGED_NODE) && !chunk(j + 1) && !chunk(j + 2) && !(chunk(j - 1) &&
            span[j - 1] >= PURGE_MIN_GRANULES); @/
    }
*/

/* No node is in the payload of a live chunk: what moves links leaves it alone. */
/*@ ghost
    /@ requires fence: REGION_FIRST < fence <= REGION_LIMIT_GRANULES;
       requires tiling: tiling;
       requires heads: heads;
       requires placed: placed;
       terminates \true;
       exits never: \false;
       assigns \nothing;
       ensures loose: \forall integer j; live(j) ==> loose(j) && extent(j);
    @/
    void payloads_loose(void) {
        nodes_inner();
        /@ assert extents: \forall integer j; chunk(j) ==> extent(j); @/
        /@ assert apart: \forall integer j, x; live(j) && j < x <= j + span[j] && list[x] != LIST_NONE ==>
            place(x) && x < j + span[j] && !chunk(x); @/
        /@ assert bins: \forall integer j, x; live(j) && j < x < j + span[j] && list[x] != LIST_NONE ==>
            place(x) && LIST_RING <= list[x] <= LIST_DIRTY; @/
        /@ assert rings: \forall integer j, x; live(j) && j < x < j + span[j] && list[x] != LIST_NONE ==>
            place(x) && list[x] == LIST_DIRTY; @/
        /@ assert none: \forall integer j, x; live(j) && j < x < j + span[j] ==>
            place(x) && list[x] == LIST_NONE; @/
    }
*/

/* Dirty node x stands for n granules from now on, not for as many as before. */
/*@ ghost
    /@ requires fence: REGION_FIRST < fence <= REGION_LIMIT_GRANULES;
       requires node: x < fence;
       terminates \true;
       exits never: \false;
       assigns dirt[x];
       ensures set: dirt[x] == n;
       ensures sum: dirt_below(fence) == \old(dirt_below(fence) - dirt[x]) + n;
    @/
    void soil(uint32_t x, uint32_t n) {
        uint32_t m = 0;
        dirt[x] = n;
        /@ loop invariant m: m <= fence;
           loop invariant sum: dirt_below(m) ==
               dirt_below{Pre}(m) + (x < m ? n - \at(dirt[x], Pre) : 0);
           loop assigns m;
           loop variant fence - m;
        @/
        while (m < fence)
            m++;
    }

    /@ requires fence: REGION_FIRST < fence <= REGION_LIMIT_GRANULES;
       requires tiling: tiling;
       requires placed: placed;
       requires listed: only_listed;
       requires node: x < fence;
       terminates \true;
       exits never: \false;
       assigns \nothing;
       ensures bounded: dirt[x] <= dirt_below(fence) <= fence;
    @/
    void dirt_bounded(uint32_t x) {
        uint32_t n = 0;
        uint32_t at = 0;
        uint32_t end = REGION_FIRST;
        /@ assert inside: \forall integer i, j; chunk(i) && i < j < i + span[i] ==> !header(j); @/
        /@ loop invariant n: n <= end <= fence;
           loop invariant heads: n <= REGION_FIRST ==> end == REGION_FIRST && dirt_below(n) == 0;
           loop invariant chunk: n > REGION_FIRST ==> chunk(at) && at < n && end == at + span[at];
           loop invariant next: header(end);
           loop invariant above: 0 <= dirt_below(n);
           loop invariant granules: n > REGION_FIRST ==>
               dirt_below(n) <= (n <= at + DIRTY_NODE ? at : end);
           loop invariant node: x < n ==> dirt_below(n) >= dirt[x];
           loop assigns n, at, end;
           loop variant fence - n;
        @/
        while (n < fence) {
            if (n == end) {
                at = end;
                end += span[at];
            }
            /@ assert soiled: soiled(n); @/
            /@ assert node: n > REGION_FIRST && dirt[n] != 0 ==> place(n) &&
                chunk(n - DIRTY_NODE) && span[n - DIRTY_NODE] >= PURGE_MIN_GRANULES; @/
            /@ assert own: dirt[n] != 0 ==> n == at + DIRTY_NODE && dirt[n] <= span[at]; @/
            n++;
        }
    }
*/

/* The counter, and what node x counts for in the map. */
/*@ requires held: held(r);
    requires tiled: tiled(r->g);
    requires tagged: tagged(r->g);
    requires lists: lists(r);
    requires dirty: dirty(r);
    requires node: REGION_FIRST <= x < fence && dirt[x] == 0;
    requires part: n <= fence;
    terminates \true;
    exits never: \false;
    assigns r->dirty_granules, dirt[x];
    ensures set: dirt[x] == n;
    ensures counted: counted_dirty(r);
    ensures sizes: same_sizes{Pre, Post}(r->g, -1, -1);
    ensures links: same_links{Pre, Post}(r->g, -1, -1, -1, -1);
    ensures tiled: tiled(r->g);
    ensures tagged: tagged(r->g);
    ensures lists: lists(r);
*/
static void count_dirty_in(struct region *r, uint32_t x, uint32_t n) {
    //@ ghost dirt_bounded(x);
    //@ ghost soil(x, n);
    (void)x; /* named for the map alone */
    r->dirty_granules += n;
    //@ assert sizes: same_sizes{Pre, Here}(r->g, -1, -1);
    //@ assert links: same_links{Pre, Here}(r->g, -1, -1, -1, -1);
    /*@ assert follows: \forall integer m; 0 <= m < fence && in_large(m) ==>
            follows{Pre}(m, r->g[m].lo) && follows(m, r->g[m].lo); */
    /*@ assert rung: \forall integer y; 0 <= y < fence && in_ring(y) ==>
            rung{Pre}(r->g, y) && rung(r->g, y); */
    //@ assert sorted: sorted(r->g);
    /*@ assert firsts: \forall integer s; CHUNK_MIN_GRANULES <= s <= FAST_MAX_GRANULES ==>
            fast_first{Pre}(&r->bins, s) && fast_first(&r->bins, s); */
    //@ assert fast: fast(r->g, &r->bins);
}

/*@ requires held: held(r);
    requires tiled: tiled(r->g);
    requires tagged: tagged(r->g);
    requires lists: lists(r);
    requires dirty: dirty(r);
    requires node: REGION_FIRST <= x < fence && dirt[x] == n;
    terminates \true;
    exits never: \false;
    assigns r->dirty_granules, dirt[x];
    ensures set: dirt[x] == 0;
    ensures counted: counted_dirty(r);
    ensures sizes: same_sizes{Pre, Post}(r->g, -1, -1);
    ensures links: same_links{Pre, Post}(r->g, -1, -1, -1, -1);
    ensures tiled: tiled(r->g);
    ensures tagged: tagged(r->g);
    ensures lists: lists(r);
*/
static void count_dirty_out(struct region *r, uint32_t x, uint32_t n) {
    //@ ghost dirt_bounded(x);
    //@ ghost soil(x, 0);
    (void)x; /* named for the map alone */
    r->dirty_granules -= n;
    //@ assert sizes: same_sizes{Pre, Here}(r->g, -1, -1);
    //@ assert links: same_links{Pre, Here}(r->g, -1, -1, -1, -1);
    /*@ assert follows: \forall integer m; 0 <= m < fence && in_large(m) ==>
            follows{Pre}(m, r->g[m].lo) && follows(m, r->g[m].lo); */
    /*@ assert rung: \forall integer y; 0 <= y < fence && in_ring(y) ==>
            rung{Pre}(r->g, y) && rung(r->g, y); */
    //@ assert sorted: sorted(r->g);
    /*@ assert firsts: \forall integer s; CHUNK_MIN_GRANULES <= s <= FAST_MAX_GRANULES ==>
            fast_first{Pre}(&r->bins, s) && fast_first(&r->bins, s); */
    //@ assert fast: fast(r->g, &r->bins);
}

/* Write cell x, which is neither header nor node. */
/*@ requires held: held(r);
    requires tiled: tiled(r->g);
    requires tagged: tagged(r->g);
    requires linked: linked(r->g);
    requires heads: heads;
    requires placed: placed;
    requires sorted: sorted(r->g);
    requires mapped_bins: mapped_bins(r->g, &r->bins);
    requires fast: fast(r->g, &r->bins);
    requires loose: REGION_FIRST <= x < fence && list[x] == LIST_NONE && !header(x);
    requires apart: \forall integer j; chunk(j) ==> j + 1 != x && j + 2 != x;
    terminates \true;
    exits never: \false;
    assigns r->g[x].lo, r->g[x].hi;
    ensures set: r->g[x].lo == lo && r->g[x].hi == hi;
    ensures counter: r->dirty_granules == \old(r->dirty_granules);
    ensures links: same_links{Pre, Post}(r->g, x, -1, x, -1);
    ensures sizes: same_sizes{Pre, Post}(r->g, -1, -1);
    ensures tiled: tiled(r->g);
    ensures tagged: tagged(r->g);
    ensures linked: linked(r->g);
    ensures sorted: sorted(r->g);
    ensures mapped_bins: mapped_bins(r->g, &r->bins);
    ensures fast: fast(r->g, &r->bins);
*/
static void cell_write(const struct region *r, uint32_t x, uint32_t lo, uint32_t hi) {
    r->g[x].lo = lo;
    r->g[x].hi = hi;
    //@ assert sizes: same_sizes{Pre, Here}(r->g, -1, -1);
    //@ assert links: same_links{Pre, Here}(r->g, x, -1, x, -1);
    /*@ assert follows: \forall integer n; 0 <= n < fence && in_large(n) ==>
            follows{Pre}(n, r->g[n].lo) && follows(n, r->g[n].lo); */
    /*@ assert ring_nodes: \forall integer y; 0 <= y < fence && in_ring(y) ==> y >= REGION_FIRST &&
            place{Pre}(y) && in_large(y - 1) && hooked{Pre}(r->g, y - 1) &&
            in_large(\at(r->g[y - 1].hi, Pre)); */
    /*@ assert rung: \forall integer y; 0 <= y < fence && in_ring(y) ==>
            rung{Pre}(r->g, y) && rung(r->g, y); */
    /*@ assert told: \forall integer j; is_free(j) ==> told{Pre}(r->g, j) && told(r->g, j); */
    /*@ assert firsts: \forall integer s; CHUNK_MIN_GRANULES <= s <= FAST_MAX_GRANULES ==>
            fast_first{Pre}(&r->bins, s) && fast_first(&r->bins, s); */
    /*@ assert fast: \forall integer j; chunk(j) && list[j + 1] >= LIST_FAST ==>
            \at(list[j + 1], Pre) >= LIST_FAST && fast_link{Pre}(r->g, j) && fast_link(r->g, j); */
}

/* Free chunk i hangs itself first into the list of dirty chunks. */
/*@ requires held: held(r);
    requires tiled: tiled(r->g);
    requires tagged: tagged(r->g);
    requires lists: lists(r);
    requires large: large_free(i) && list[i + DIRTY_NODE] == LIST_NONE;
    terminates \true;
    exits never: \false;
    assigns r->g[i + DIRTY_NODE].lo, r->g[i + DIRTY_NODE].hi, r->g[DIRTY_HEAD].lo,
            r->g[r->g[DIRTY_HEAD].lo].hi, list[i + DIRTY_NODE];
    ensures listed: list[i + DIRTY_NODE] == LIST_DIRTY;
    ensures counter: r->dirty_granules == \old(r->dirty_granules);
    ensures cells: same_but_dirty{Pre, Post}(r->g, -1);
    ensures waits: same_waits{Pre, Post}(-1);
    ensures sizes: same_sizes{Pre, Post}(r->g, -1, -1);
    ensures tiled: tiled(r->g);
    ensures tagged: tagged(r->g);
    ensures lists: lists(r);
*/
static void dirty_hook(const struct region *r, uint32_t i) {
    //@ ghost nodes_inner();
    //@ ghost cells_apart(i);
    /*@ assert linked: \forall integer x; 0 <= x < fence && hangs(x) ==>
            hooked(r->g, x) && avoids(r->g, x, i + DIRTY_NODE); */
    //@ assert first: hooked(r->g, DIRTY_HEAD);
    //@ ghost list[i + DIRTY_NODE] = LIST_DIRTY;
    //@ assert others: \forall integer x; hangs(x) && x != i + DIRTY_NODE ==> hangs{Pre}(x);
    //@ assert others: linked_but(r->g, i + DIRTY_NODE);
    //@ assert self: place(i + DIRTY_NODE);
    //@ assert ring: place{Pre}(i + DIRTY_NODE + 1) && place(i + DIRTY_NODE + 1);
    /*@ assert others: \forall integer x; REGION_FIRST <= x <= fence && x != i + DIRTY_NODE ==>
            place{Pre}(x) && place(x); */
    bin_hook(r->g, &r->bins, i + DIRTY_NODE, DIRTY_HEAD);
    /*@ assert nodes: \forall integer x; 0 <= x < fence && list[x] != LIST_DIRTY ==>
            r->g[x].lo == \at(r->g[x].lo, Pre) && r->g[x].hi == \at(r->g[x].hi, Pre); */
    /*@ assert follows: \forall integer x; 0 <= x < fence && in_large(x) ==>
            follows{Pre}(x, r->g[x].lo) && follows(x, r->g[x].lo); */
    /*@ assert ring_nodes: \forall integer y; 0 <= y < fence && in_ring(y) ==> y >= REGION_FIRST &&
            place{Pre}(y) && in_large(y - 1) && hooked{Pre}(r->g, y - 1) &&
            in_large(\at(r->g[y - 1].hi, Pre)); */
    /*@ assert rung: \forall integer y; 0 <= y < fence && in_ring(y) ==>
            rung{Pre}(r->g, y) && rung(r->g, y); */
    /*@ assert told: \forall integer j; is_free(j) ==> told{Pre}(r->g, j) && told(r->g, j); */
    //@ assert sorted: sorted(r->g);
    /*@ assert empty: \forall integer c; BIN_UNSORTED <= c < BIN_COUNT && !marked(&r->bins, c) ==>
            empty{Pre}(r->g, c) && empty(r->g, c); */
    /*@ assert tallied: \forall integer x; REGION_FIRST <= x <= fence ==>
            tallied_as{Pre}(x) && tallied_as(x); */
    /*@ assert firsts: \forall integer s; CHUNK_MIN_GRANULES <= s <= FAST_MAX_GRANULES ==>
            fast_first{Pre}(&r->bins, s) && fast_first(&r->bins, s); */
    /*@ assert fast: \forall integer j; chunk(j) && list[j + 1] >= LIST_FAST ==>
            \at(list[j + 1], Pre) >= LIST_FAST && fast_link{Pre}(r->g, j) && fast_link(r->g, j); */
}

/* Free chunk i is listed, or said to be in no list. */
/*@ requires held: held(r);
    requires tiled: tiled(r->g);
    requires tagged: tagged(r->g);
    requires lists: lists(r);
    requires large: large_free(i) && list[i + DIRTY_NODE] == LIST_NONE;
    terminates \true;
    exits never: \false;
    assigns r->g[i + DIRTY_NODE].lo, r->g[i + DIRTY_NODE].hi, r->g[DIRTY_HEAD].lo,
            r->g[r->g[DIRTY_HEAD].lo].hi, list[i + DIRTY_NODE];
    ensures listed: listed != 0 ==> list[i + DIRTY_NODE] == LIST_DIRTY;
    ensures unlisted: listed == 0 ==>
        list[i + DIRTY_NODE] == LIST_NONE && r->g[i + DIRTY_NODE].lo == DIRTY_UNLISTED;
    ensures counter: r->dirty_granules == \old(r->dirty_granules);
    ensures cells: same_but_dirty{Pre, Post}(r->g, i + DIRTY_NODE);
    ensures waits: same_waits{Pre, Post}(-1);
    ensures sizes: same_sizes{Pre, Post}(r->g, -1, -1);
    ensures tiled: tiled(r->g);
    ensures tagged: tagged(r->g);
    ensures lists: lists(r);
*/
static void dirty_list(const struct region *r, uint32_t i, uint32_t listed) {
    //@ ghost cells_apart(i);
    if (listed == 0)
        cell_write(r, i + DIRTY_NODE, DIRTY_UNLISTED, DIRTY_UNLISTED);
    else
        dirty_hook(r, i);
}

/* Free chunk i leaves it. */
/*@ requires held: held(r);
    requires tiled: tiled(r->g);
    requires tagged: tagged(r->g);
    requires lists: lists(r);
    requires large: large_free(i) && list[i + DIRTY_NODE] == LIST_DIRTY;
    terminates \true;
    exits never: \false;
    assigns r->g[r->g[i + DIRTY_NODE].lo].hi, r->g[r->g[i + DIRTY_NODE].hi].lo,
            list[i + DIRTY_NODE];
    ensures loose: list[i + DIRTY_NODE] == LIST_NONE;
    ensures counter: r->dirty_granules == \old(r->dirty_granules);
    ensures cells: same_but_dirty{Pre, Post}(r->g, i + DIRTY_NODE);
    ensures waits: same_waits{Pre, Post}(-1);
    ensures sizes: same_sizes{Pre, Post}(r->g, -1, -1);
    ensures tiled: tiled(r->g);
    ensures tagged: tagged(r->g);
    ensures lists: lists(r);
*/
static void dirty_unhook(const struct region *r, uint32_t i) {
    //@ ghost nodes_inner();
    //@ ghost cells_apart(i);
    //@ assert self: hooked(r->g, i + DIRTY_NODE);
    bin_unhook(r->g, &r->bins, i + DIRTY_NODE);
    /*@ assert nodes: \forall integer x; 0 <= x < fence && list[x] != LIST_DIRTY ==>
            r->g[x].lo == \at(r->g[x].lo, Pre) && r->g[x].hi == \at(r->g[x].hi, Pre); */
    /*@ assert firsts: \forall integer s; CHUNK_MIN_GRANULES <= s <= FAST_MAX_GRANULES ==>
            fast_first{Pre}(&r->bins, s) && r->bins.fast[s] == \at(r->bins.fast[s], Pre) &&
            fast_first(&r->bins, s) && r->bins.fast[s] + 1 != i + DIRTY_NODE; */
    /*@ assert fast_nodes: \forall integer j; chunk(j) && list[j + 1] >= LIST_FAST ==>
            fast_link{Pre}(r->g, j) && r->g[j + 1].lo == \at(r->g[j + 1].lo, Pre) &&
            fast_link(r->g, j) && r->g[j + 1].lo + 1 != i + DIRTY_NODE; */
    //@ ghost Unhooked: ;
    //@ assert linked: linked_but(r->g, i + DIRTY_NODE);
    //@ ghost list[i + DIRTY_NODE] = LIST_NONE;
    //@ assert others: \forall integer x; hangs(x) ==> x != i + DIRTY_NODE && hangs{Pre}(x);
    /*@ assert linked: \forall integer x; 0 <= x < fence && hangs(x) ==>
            avoids(r->g, x, i + DIRTY_NODE) && hooked(r->g, x); */
    //@ assert self: place(i + DIRTY_NODE);
    //@ assert ring: place{Pre}(i + DIRTY_NODE + 1) && place(i + DIRTY_NODE + 1);
    /*@ assert others: \forall integer x; REGION_FIRST <= x <= fence && x != i + DIRTY_NODE ==>
            place{Pre}(x) && place(x); */
    /*@ assert follows: \forall integer x; 0 <= x < fence && in_large(x) ==>
            follows{Pre}(x, r->g[x].lo) && follows(x, r->g[x].lo); */
    /*@ assert ring_nodes: \forall integer y; 0 <= y < fence && in_ring(y) ==> y >= REGION_FIRST &&
            place{Pre}(y) && in_large(y - 1) && hooked{Pre}(r->g, y - 1) &&
            in_large(\at(r->g[y - 1].hi, Pre)); */
    /*@ assert rung: \forall integer y; 0 <= y < fence && in_ring(y) ==>
            rung{Pre}(r->g, y) && rung(r->g, y); */
    /*@ assert told: \forall integer j; is_free(j) ==> told{Pre}(r->g, j) && told(r->g, j); */
    //@ assert sorted: sorted(r->g);
    /*@ assert empty: \forall integer c; BIN_UNSORTED <= c < BIN_COUNT && !marked(&r->bins, c) ==>
            empty{Pre}(r->g, c) && empty(r->g, c); */
    /*@ assert tallied: \forall integer x; REGION_FIRST <= x <= fence ==>
            tallied_as{Pre}(x) && tallied_as(x); */
    /*@ assert firsts: \forall integer s; CHUNK_MIN_GRANULES <= s <= FAST_MAX_GRANULES ==>
            fast_first{Unhooked}(&r->bins, s) && fast_first(&r->bins, s); */
    /*@ assert fast: \forall integer j; chunk(j) && list[j + 1] >= LIST_FAST ==>
            \at(list[j + 1], Pre) >= LIST_FAST && fast_link{Unhooked}(r->g, j) &&
            fast_link(r->g, j); */
}

/* Free chunk i leaves the list, if it is in it. */
/*@ requires held: held(r);
    requires tiled: tiled(r->g);
    requires tagged: tagged(r->g);
    requires lists: lists(r);
    requires large: large_free(i) && (list[i + DIRTY_NODE] == LIST_DIRTY ||
        list[i + DIRTY_NODE] == LIST_NONE && r->g[i + DIRTY_NODE].lo == DIRTY_UNLISTED);
    terminates \true;
    exits never: \false;
    assigns r->g[0 .. fence - 1].lo, r->g[0 .. fence - 1].hi, list[i + DIRTY_NODE];
    ensures loose: list[i + DIRTY_NODE] == LIST_NONE;
    ensures counter: r->dirty_granules == \old(r->dirty_granules);
    ensures cells: same_but_dirty{Pre, Post}(r->g, i + DIRTY_NODE);
    ensures waits: same_waits{Pre, Post}(-1);
    ensures sizes: same_sizes{Pre, Post}(r->g, -1, -1);
    ensures tiled: tiled(r->g);
    ensures tagged: tagged(r->g);
    ensures lists: lists(r);
*/
static void dirty_delist(const struct region *r, uint32_t i) {
    //@ assert listed: list[i + DIRTY_NODE] == LIST_DIRTY ==> hooked(r->g, i + DIRTY_NODE);
    if (r->g[i + DIRTY_NODE].lo != DIRTY_UNLISTED)
        dirty_unhook(r, i);
}

/* Free chunk i, whose header and links stand, has the pages `run` given back (those of them that
 * hold no link): record it, and list the chunk as young if it has other whole pages. */
/*@ requires held: held(r);
    requires tiled: tiled(r->g);
    requires tagged: tagged(r->g);
    requires lists: lists(r);
    requires paged: paged_but(r, i);
    requires dirty: dirty(r);
    requires free: is_free(i) && (span[i] >= PURGE_MIN_GRANULES ==>
        list[i + DIRTY_NODE] == LIST_NONE && dirt[i + DIRTY_NODE] == 0);
    terminates \true;
    exits never: \false;
    assigns r->dirty_granules,
            r->g[i + PURGED_NODE .. i + (r->g[i].size < PURGE_MIN_GRANULES ? 0 : DIRTY_NODE)].lo,
            r->g[i + PURGED_NODE .. i + (r->g[i].size < PURGE_MIN_GRANULES ? 0 : DIRTY_NODE)].hi,
            r->g[DIRTY_HEAD].lo, r->g[r->g[DIRTY_HEAD].lo].hi,
            list[i + DIRTY_NODE .. i + (r->g[i].size < PURGE_MIN_GRANULES ? 0 : DIRTY_NODE)],
            dirt[i + DIRTY_NODE .. i + (r->g[i].size < PURGE_MIN_GRANULES ? 0 : DIRTY_NODE)];
    ensures cells: same_cells{Pre, Post}(r->g, i + PURGED_NODE, i + DIRTY_NODE + 1);
    ensures waits: same_waits{Pre, Post}(-1);
    ensures sizes: same_sizes{Pre, Post}(r->g, -1, -1);
    ensures tiled: tiled(r->g);
    ensures tagged: tagged(r->g);
    ensures lists: lists(r);
    ensures paged: all_paged(r);
    ensures dirty: dirty(r);
    ensures untouched: untouched{Pre, Post}(r->g, -1);
*/
static void dirty_in(struct region *r, uint32_t i, struct page_run run) {
    if (r->g[i].size < PURGE_MIN_GRANULES)
        return;
    //@ ghost cells_apart(i);
    //@ ghost records_loose();
    //@ ghost payloads_loose();
    struct page_run whole = region_whole_pages(r, i);
    run = overlap(run, whole);
    //@ assert record: (run.from == 0 && run.to == 0) || whole.from <= run.from < run.to <= whole.to;
    uint32_t dirty = length(whole) - length(run);
    //@ assert dirty: dirty <= whole.to - whole.from <= span[i];
    count_dirty_in(r, i + DIRTY_NODE, dirty);
    cell_write(r, i + PURGED_NODE, run.from, run.to);
    /*@ assert others_cells: \forall integer j; large_free(j) && j != i ==>
            paged{Pre}(r->g, &r->key, j) && j + PURGED_NODE != i + DIRTY_NODE &&
            j + DIRTY_NODE != i + DIRTY_NODE &&
            r->g[j + PURGED_NODE].lo == \at(r->g[j + PURGED_NODE].lo, Pre) &&
            r->g[j + PURGED_NODE].hi == \at(r->g[j + PURGED_NODE].hi, Pre) &&
            r->g[j + DIRTY_NODE].lo == \at(r->g[j + DIRTY_NODE].lo, Pre); */
    //@ ghost Recorded: ;
    dirty_list(r, i, dirty);
    //@ ghost payloads_loose();
    //@ assert untouched: untouched{Pre, Here}(r->g, -1);
    /*@ assert recorded: r->g[i + PURGED_NODE].lo == run.from &&
            r->g[i + PURGED_NODE].hi == run.to; */
    //@ assert record: record(r->g, &r->key, i) && listing(r->g, i);
    //@ assert self: paged(r->g, &r->key, i);
    //@ assert counted: counted_dirty(r);
    /*@ assert kept: \forall integer j; large_free(j) && j != i ==>
            paged{Pre}(r->g, &r->key, j) && list[j + PURGED_NODE] == LIST_NONE &&
            r->g[j + PURGED_NODE].lo == \at(r->g[j + PURGED_NODE].lo, Recorded) &&
            r->g[j + PURGED_NODE].hi == \at(r->g[j + PURGED_NODE].hi, Recorded); */
    /*@ assert kept_nodes: \forall integer j; large_free(j) && j != i ==>
            paged{Pre}(r->g, &r->key, j) && (list[j + DIRTY_NODE] == LIST_NONE ==>
                r->g[j + DIRTY_NODE].lo == \at(r->g[j + DIRTY_NODE].lo, Recorded)); */
    /*@ assert kept_map: \forall integer j; large_free(j) && j != i ==>
            paged{Pre}(r->g, &r->key, j) &&
            list[j + DIRTY_NODE] == \at(list[j + DIRTY_NODE], Pre) &&
            dirt[j + DIRTY_NODE] == \at(dirt[j + DIRTY_NODE], Pre); */
    /*@ assert others: \forall integer j; large_free(j) && j != i ==>
            paged{Pre}(r->g, &r->key, j) && paged(r->g, &r->key, j); */
    /*@ assert soiled: \forall integer x; 0 <= x <= fence && x != i + DIRTY_NODE ==>
            soiled{Pre}(x) && soiled(x); */
    //@ assert soiled: soiled(i + DIRTY_NODE);
}

/* Chunk i leaves the free ones, or its run is about to change. Returns the run. */
/*@ requires held: held(r);
    requires tiled: tiled(r->g);
    requires tagged: tagged(r->g);
    requires lists: lists(r);
    requires paged: all_paged(r);
    requires dirty: dirty(r);
    requires free: is_free(i);
    terminates \true;
    exits never: \false;
    assigns r->dirty_granules, r->g[0 .. fence - 1].lo, r->g[0 .. fence - 1].hi,
            list[i + DIRTY_NODE .. i + (r->g[i].size < PURGE_MIN_GRANULES ? 0 : DIRTY_NODE)],
            dirt[i + DIRTY_NODE .. i + (r->g[i].size < PURGE_MIN_GRANULES ? 0 : DIRTY_NODE)];
    ensures loose: span[i] >= PURGE_MIN_GRANULES ==>
        list[i + DIRTY_NODE] == LIST_NONE && dirt[i + DIRTY_NODE] == 0;
    ensures run: run(\result);
    ensures within: \result.from < \result.to ==>
        whole_from(&r->key, i) <= \result.from && \result.to <= whole_to(&r->key, i);
    ensures cells: same_cells{Pre, Post}(r->g, i + DIRTY_NODE, i + DIRTY_NODE + 1);
    ensures waits: same_waits{Pre, Post}(-1);
    ensures sizes: same_sizes{Pre, Post}(r->g, -1, -1);
    ensures tiled: tiled(r->g);
    ensures tagged: tagged(r->g);
    ensures lists: lists(r);
    ensures paged: paged_but(r, i);
    ensures dirty: dirty(r);
    ensures untouched: untouched{Pre, Post}(r->g, -1);
*/
static struct page_run dirty_out(struct region *r, uint32_t i) {
    if (r->g[i].size < PURGE_MIN_GRANULES)
        return no_pages;
    //@ ghost cells_apart(i);
    //@ ghost records_loose();
    //@ ghost payloads_loose();
    //@ assert pages: i < whole_from(&r->key, i) && whole_to(&r->key, i) <= i + span[i];
    //@ assert paged: paged(r->g, &r->key, i);
    struct page_run run = region_purged(r, i);
    if (run.from > run.to || run.to > i + r->g[i].size || (run.from < i && run.from != run.to))
        report_fault(FAULT_LINK, &r->g[i + PURGED_NODE], &r->g[i], "record of pages given back");
    count_dirty_out(r, i + DIRTY_NODE, length(region_whole_pages(r, i)) - length(run));
    /*@ assert others_cells: \forall integer j; large_free(j) && j != i ==>
            paged{Pre}(r->g, &r->key, j) && j + PURGED_NODE != i + DIRTY_NODE &&
            j + DIRTY_NODE != i + DIRTY_NODE &&
            r->g[j + PURGED_NODE].lo == \at(r->g[j + PURGED_NODE].lo, Pre) &&
            r->g[j + PURGED_NODE].hi == \at(r->g[j + PURGED_NODE].hi, Pre) &&
            r->g[j + DIRTY_NODE].lo == \at(r->g[j + DIRTY_NODE].lo, Pre); */
    //@ ghost Counted: ;
    dirty_delist(r, i);
    //@ ghost payloads_loose();
    //@ assert untouched: untouched{Pre, Here}(r->g, -1);
    //@ assert counted: counted_dirty(r);
    /*@ assert kept: \forall integer j; large_free(j) && j != i ==>
            paged{Pre}(r->g, &r->key, j) && list[j + PURGED_NODE] == LIST_NONE &&
            r->g[j + PURGED_NODE].lo == \at(r->g[j + PURGED_NODE].lo, Counted) &&
            r->g[j + PURGED_NODE].hi == \at(r->g[j + PURGED_NODE].hi, Counted); */
    /*@ assert kept_nodes: \forall integer j; large_free(j) && j != i ==>
            paged{Pre}(r->g, &r->key, j) && (list[j + DIRTY_NODE] == LIST_NONE ==>
                r->g[j + DIRTY_NODE].lo == \at(r->g[j + DIRTY_NODE].lo, Counted)); */
    /*@ assert kept_map: \forall integer j; large_free(j) && j != i ==>
            paged{Pre}(r->g, &r->key, j) &&
            list[j + DIRTY_NODE] == \at(list[j + DIRTY_NODE], Pre) &&
            dirt[j + DIRTY_NODE] == \at(dirt[j + DIRTY_NODE], Pre); */
    /*@ assert others: \forall integer j; large_free(j) && j != i ==>
            paged{Pre}(r->g, &r->key, j) && paged(r->g, &r->key, j); */
    /*@ assert soiled: \forall integer x; 0 <= x <= fence && x != i + DIRTY_NODE ==>
            soiled{Pre}(x) && soiled(x); */
    return run;
}

uint32_t region_oldest_dirty(const struct region *r) {
    //@ assert hooked: hooked(r->g, DIRTY_HEAD);
    uint32_t x = r->g[DIRTY_HEAD].hi;
    //@ assert node: x != DIRTY_HEAD ==> x >= REGION_FIRST && place(x);
    return x == DIRTY_HEAD ? 0 : x - DIRTY_NODE;
}

void region_set_purged(struct region *r, uint32_t i, struct page_run run) {
    dirty_out(r, i);
    //@ assert inside: hooked(r->g, DIRTY_HEAD) && extent(i);
    //@ ghost Out: ;
    dirty_in(r, i, run);
    //@ assert payload: both{Pre, Out, Here}(r->g, -1);
}

/* ---- Checks of what a program may have overwritten ------------------------------------------ */

/* Chunk i, which a bin or a tag says is free, must be sealed as free and have its footer. */
/*@ requires held: held(r);
    requires tiled: tiled(r->g);
    requires tagged: tagged(r->g);
    requires sealed: sealed(r->g, &r->key);
    requires free: is_free(i);
    terminates \true;
    exits never: \false;
    assigns \nothing;
*/
static void check_free(const struct region *r, uint32_t i) {
    const struct granule *g = r->g;
    //@ assert chunk: extent(i) && mark(g, &r->key, i) && tag(g, i);
    if (!header_is(g, &r->key, i, SEAL_FREE) || g[i].size > r->bins.fence - i)
        report_fault(FAULT_HEADER, &g[i + 1], &g[i], "free chunk");
    uint32_t next = i + g[i].size;
    if (g[next].lo != g[i].size || g[next].prev_inuse != 0)
        report_fault(FAULT_FOOTER, &g[next], &g[i], "footer of a free chunk");
}

/*@ requires held: held(r);
    requires tiled: tiled(r->g);
    requires tagged: tagged(r->g);
    requires sealed: sealed(r->g, &r->key);
    requires topped: topped(r);
    terminates \true;
    exits never: \false;
    assigns \nothing;
*/
static void check_top(const struct region *r) {
    const struct granule *g = r->g;
    //@ assert chunk: extent(r->top) && mark(g, &r->key, r->top) && tag(g, r->top);
    if (!header_is(g, &r->key, r->top, SEAL_FREE) || r->top + g[r->top].size != r->bins.fence)
        report_fault(FAULT_TOP, &g[r->top], &g[r->top], "header of top");
    if (!header_is(g, &r->key, r->bins.fence, SEAL_FENCE) || g[r->bins.fence].lo != g[r->top].size)
        report_fault(FAULT_TOP, &g[r->bins.fence], &g[r->top], "fence behind top");
}

/* A chunk ends where one begins, the first excepted. */
/*@ ghost
    /@ requires fence: REGION_FIRST < fence <= REGION_LIMIT_GRANULES;
       requires tiling: tiling;
       requires header: header(i) && i != REGION_FIRST;
       terminates \true;
       exits never: \false;
       assigns \nothing;
       ensures before: chunk(\result) && ends_at(\result, i);
    @/
    uint32_t chunk_before(uint32_t i) {
        uint32_t at = REGION_FIRST;
        /@ loop invariant at: chunk(at) && at < i;
           loop assigns at;
           loop variant i - at;
        @/
        while (at + span[at] != i) {
            /@ assert extent: extent(at); @/
            at += span[at];
        }
        return at;
    }
*/

/* Index of the free chunk before i, whose tag says there is one. */
/*@ requires held: held(r);
    requires tiled: tiled(r->g);
    requires tagged: tagged(r->g);
    requires sealed: sealed(r->g, &r->key);
    requires behind_free: header(i) && r->g[i].prev_inuse == 0;
    terminates \true;
    exits never: \false;
    assigns \nothing;
    ensures free: is_free(\result) && ends_at(\result, i);
*/
static uint32_t checked_previous(const struct region *r, uint32_t i) {
    //@ ghost uint32_t before = chunk_before(i);
    //@ assert before: extent(before) && mark(r->g, &r->key, before) && tag(r->g, before);
    uint32_t size = r->g[i].lo;
    if (size > i - REGION_FIRST || size < CHUNK_MIN_GRANULES || r->g[i - size].size != size ||
        !header_is(r->g, &r->key, i - size, SEAL_FREE))
        report_fault(FAULT_FOOTER, &r->g[i], &r->g[i], "prev_size before the chunk");
    return i - size;
}

/* What an overrun of the chunk before writes first: the header at next, behind a chunk in use. The
 * fence never is next, since top stands before it. */
/*@ requires held: held(r);
    requires tiled: tiled(r->g);
    requires tagged: tagged(r->g);
    requires topped: topped(r);
    requires behind_used: header(next) && r->g[next].prev_inuse == 1;
    terminates \true;
    exits never: \false;
    assigns \nothing;
    ensures chunk: chunk(next);
*/
static void check_next(const struct region *r, uint32_t next) {
    const struct granule *g = r->g;
    //@ assert top: extent(r->top) && tag(g, r->top);
    //@ assert chunk: extent(next) && tag(g, next);
    if (g[next].prev_inuse != 1 || g[next].size < CHUNK_MIN_GRANULES ||
        g[next].size > r->bins.fence - next)
        report_fault(FAULT_HEADER, &g[next + 1], &g[next], "chunk behind the one given");
}

/* Whether the chunk at next, behind an allocated one, is free: asked of the tag behind it. */
/*@ requires held: held(r);
    requires tiled: tiled(r->g);
    requires tagged: tagged(r->g);
    requires sealed: sealed(r->g, &r->key);
    requires topped: topped(r);
    requires behind_used: header(next) && r->g[next].prev_inuse == 1;
    terminates \true;
    exits never: \false;
    assigns \nothing;
    ensures told: \result <==> is_free(next);
*/
static bool next_is_free(const struct region *r, uint32_t next) {
    const struct granule *g = r->g;
    check_next(r, next);
    //@ assert chunk: extent(next) && tag(g, next);
    if (g[next + g[next].size].prev_inuse != 0)
        return false;
    if (next == r->top)
        check_top(r);
    else
        check_free(r, next);
    return true;
}

/* ---- From free to allocated and back --------------------------------------------------------- */

/* The four steps of chunk.h, as the lists and the pages of the region see them. */

/* Free chunk i in hand becomes allocated. */
/*@ requires in_hand: in_hand(r, i);
    terminates \true;
    exits never: \false;
    assigns r->g[i].size, r->g[i].flags, r->g[i].seal, r->g[i + r->g[i].size].prev_inuse, state[i];
    ensures allocated: state[i] == SEAL_ALLOCATED;
    ensures sound: sound(r);
    ensures sizes: same_sizes{Pre, Post}(r->g, -1, -1);
    ensures links: same_links{Pre, Post}(r->g, -1, -1, -1, -1);
    ensures untouched: untouched{Pre, Post}(r->g, -1);
*/
static void use(const struct region *r, uint32_t i) {
    //@ assert extents: \forall integer j; chunk(j) ==> extent(j);
    /*@ assert nodes: \forall integer x; REGION_FIRST <= x <= fence && list[x] != LIST_NONE ==>
            place(x) && x != i + 1 && (in_ring(x) ==> x != i + 2) &&
            (list[x] == LIST_DIRTY ==> x != i + DIRTY_NODE); */
    chunk_use(r->g, &r->key, i);
    //@ assert sizes: same_sizes{Pre, Here}(r->g, -1, -1);
    //@ assert links: same_links{Pre, Here}(r->g, -1, -1, -1, -1);
    //@ assert chunks: \forall integer j; chunk(j) <==> chunk{Pre}(j);
    //@ assert free: \forall integer j; is_free(j) ==> is_free{Pre}(j) && j != i;
    /*@ assert placed: \forall integer x; REGION_FIRST <= x <= fence ==>
            place{Pre}(x) && place(x); */
    /*@ assert linked: \forall integer x; 0 <= x < fence && hangs(x) ==>
            hooked{Pre}(r->g, x) && hooked(r->g, x); */
    /*@ assert follows: \forall integer x; 0 <= x < fence && in_large(x) ==>
            follows{Pre}(x, r->g[x].lo) && follows(x, r->g[x].lo); */
    /*@ assert rung: \forall integer y; 0 <= y < fence && in_ring(y) ==>
            rung{Pre}(r->g, y) && rung(r->g, y); */
    /*@ assert told: \forall integer j; is_free(j) ==> told{Pre}(r->g, j) && told(r->g, j); */
    /*@ assert empty: \forall integer c; BIN_UNSORTED <= c < BIN_COUNT && !marked(&r->bins, c) ==>
            empty{Pre}(r->g, c) && empty(r->g, c); */
    /*@ assert firsts: \forall integer s; CHUNK_MIN_GRANULES <= s <= FAST_MAX_GRANULES ==>
            fast_first{Pre}(&r->bins, s) && fast_first(&r->bins, s); */
    /*@ assert fast: \forall integer j; chunk(j) && list[j + 1] >= LIST_FAST ==>
            fast_link{Pre}(r->g, j) && fast_link(r->g, j); */
    /*@ assert tallied: \forall integer x; REGION_FIRST <= x <= fence ==>
            tallied_as{Pre}(x) && tallied_as(x); */
    /*@ assert paged: \forall integer j; large_free(j) ==>
            large_free{Pre}(j) && paged{Pre}(r->g, &r->key, j) && paged(r->g, &r->key, j); */
    /*@ assert soiled: \forall integer x; 0 <= x <= fence ==> soiled{Pre}(x) && soiled(x); */
    //@ assert seals: same_seals{Pre, Here}(r->g, i, -1);
    //@ assert tags: same_tags{Pre, Here}(r->g, i + span[i]);
    //@ assert untouched: untouched{Pre, Here}(r->g, -1);
}

/* Live chunk i, whose neighbours are in use, becomes a free one in hand. */
/*@ requires sound: sound(r);
    requires live: live(i);
    requires alone_before: r->g[i].prev_inuse == 1;
    requires alone_behind: !is_free(i + r->g[i].size);
    terminates \true;
    exits never: \false;
    assigns r->g[i].size, r->g[i].flags, r->g[i].seal, r->g[i + r->g[i].size].prev_inuse,
            r->g[i + r->g[i].size].lo, state[i];
    ensures in_hand: in_hand(r, i);
    ensures sizes: same_sizes{Pre, Post}(r->g, -1, -1);
    ensures links: same_links{Pre, Post}(r->g, i + span[i], -1, -1, -1);
    ensures untouched: untouched{Pre, Post}(r->g, i);
*/
static void unuse(const struct region *r, uint32_t i) {
    //@ ghost nodes_inner();
    //@ assert extents: \forall integer j; chunk(j) ==> extent(j);
    /*@ assert nodes: \forall integer x; REGION_FIRST <= x <= fence && list[x] != LIST_NONE ==>
            place(x) && x != i + 1 && x != i + span[i] &&
            (list[x] == LIST_DIRTY ==> x != i + DIRTY_NODE); */
    /*@ assert cells: \forall integer j; large_free(j) ==> i + span[i] != j + PURGED_NODE &&
            i + span[i] != j + DIRTY_NODE; */
    /*@ assert ring_cells: \forall integer j; is_free(j) && span[j] >= LARGE_MIN_GRANULES ==>
            i + span[i] != j + 2; */
    //@ assert node: extent(i) && list[i + 1] == LIST_NONE;
    /*@ assert bare: span[i] >= PURGE_MIN_GRANULES ==>
            place(i + DIRTY_NODE) && list[i + DIRTY_NODE] == LIST_NONE && soiled(i + DIRTY_NODE); */
    /*@ assert links: \forall integer x; 0 <= x < fence && hangs(x) ==>
            hooked(r->g, x) && avoids(r->g, x, i + span[i]); */
    chunk_free(r->g, &r->key, i);
    //@ assert sizes: same_sizes{Pre, Here}(r->g, -1, -1);
    //@ assert links: same_links{Pre, Here}(r->g, i + span[i], -1, -1, -1);
    //@ assert chunks: \forall integer j; chunk(j) <==> chunk{Pre}(j);
    //@ assert free: \forall integer j; is_free(j) && j != i ==> is_free{Pre}(j);
    /*@ assert placed: \forall integer x; REGION_FIRST <= x <= fence ==>
            place{Pre}(x) && place(x); */
    /*@ assert linked: \forall integer x; 0 <= x < fence && hangs(x) ==>
            hooked{Pre}(r->g, x) && hooked(r->g, x); */
    /*@ assert follows: \forall integer x; 0 <= x < fence && in_large(x) ==>
            follows{Pre}(x, r->g[x].lo) && follows(x, r->g[x].lo); */
    /*@ assert rung: \forall integer y; 0 <= y < fence && in_ring(y) ==>
            rung{Pre}(r->g, y) && rung(r->g, y); */
    /*@ assert told: \forall integer j; is_free(j) && j != i ==> told{Pre}(r->g, j) && told(r->g, j); */
    //@ assert self: told(r->g, i);
    /*@ assert empty: \forall integer c; BIN_UNSORTED <= c < BIN_COUNT && !marked(&r->bins, c) ==>
            empty{Pre}(r->g, c) && empty(r->g, c); */
    /*@ assert firsts: \forall integer s; CHUNK_MIN_GRANULES <= s <= FAST_MAX_GRANULES ==>
            fast_first{Pre}(&r->bins, s) && fast_first(&r->bins, s); */
    /*@ assert fast: \forall integer j; chunk(j) && list[j + 1] >= LIST_FAST ==>
            fast_link{Pre}(r->g, j) && fast_link(r->g, j); */
    /*@ assert tallied: \forall integer x; REGION_FIRST <= x <= fence ==>
            tallied_as{Pre}(x) && tallied_as(x); */
    /*@ assert paged: \forall integer j; large_free(j) && j != i ==>
            large_free{Pre}(j) && paged{Pre}(r->g, &r->key, j) && paged(r->g, &r->key, j); */
    /*@ assert soiled: \forall integer x; 0 <= x <= fence ==> soiled{Pre}(x) && soiled(x); */
    //@ assert seals: same_seals{Pre, Here}(r->g, i, -1);
    //@ assert tags: same_tags{Pre, Here}(r->g, i + span[i]);
    //@ assert untouched: untouched{Pre, Here}(r->g, i);
}

/* Allocated chunk i keeps `size` granules. Returns the rest, allocated as well. */
/*@ requires sound: sound(r);
    requires allocated: chunk(i) && state[i] == SEAL_ALLOCATED;
    requires parts: CHUNK_MIN_GRANULES <= size && size + CHUNK_MIN_GRANULES <= r->g[i].size;
    terminates \true;
    exits never: \false;
    assigns r->g[i].size, r->g[i].flags, r->g[i].seal, r->g[i + size].size, r->g[i + size].flags,
            r->g[i + size].seal, r->g[i + size].prev_inuse, span[i], span[i + size], state[i],
            state[i + size];
    ensures rest: \result == i + size;
    ensures front: chunk(i) && state[i] == SEAL_ALLOCATED && span[i] == size;
    ensures back: chunk(\result) && state[\result] == SEAL_ALLOCATED &&
        span[\result] == \old(span[i]) - size;
    ensures flags: r->g[i].flags == \old(r->g[i].flags);
    ensures sound: sound(r);
    ensures sizes: same_sizes{Pre, Post}(r->g, i, i + size);
    ensures links: same_links{Pre, Post}(r->g, -1, -1, -1, -1);
    ensures untouched: untouched{Pre, Post}(r->g, i);
    ensures payload: same_payload{Pre, Post}(r->g, i, size);
*/
static uint32_t split(const struct region *r, uint32_t i, uint32_t size) {
    //@ assert extents: \forall integer j; chunk(j) ==> extent(j);
    /*@ assert nodes: \forall integer x; REGION_FIRST <= x <= fence && list[x] != LIST_NONE ==>
            place(x) && x != i + 1 && (in_ring(x) ==> x != i + 2) &&
            (list[x] == LIST_DIRTY ==> x != i + DIRTY_NODE); */
    uint32_t rest = chunk_split(r->g, &r->key, i, size);
    //@ assert extents: extent(i) && extent(rest);
    //@ assert key: same_key{Pre, Here}(&r->key) && same_secrets{Pre, Here}(&r->key);
    //@ assert held: held(r);
    //@ assert sizes: same_sizes{Pre, Here}(r->g, i, i + size);
    //@ assert links: same_links{Pre, Here}(r->g, -1, -1, -1, -1);
    //@ assert chunks: \forall integer j; chunk(j) && j != rest ==> chunk{Pre}(j);
    //@ assert kept: \forall integer j; chunk{Pre}(j) ==> chunk(j) && j != rest;
    //@ assert free: \forall integer j; is_free(j) ==> is_free{Pre}(j) && j != i && j != rest;
    /*@ assert spans: \forall integer j; is_free(j) ==>
            span[j] == \at(span[j], Pre) && is_free{Pre}(j); */
    /*@ assert records: \forall integer j; large_free(j) ==> extent(j) &&
            r->g[j + PURGED_NODE].lo == \at(r->g[j + PURGED_NODE].lo, Pre) &&
            r->g[j + PURGED_NODE].hi == \at(r->g[j + PURGED_NODE].hi, Pre) &&
            r->g[j + DIRTY_NODE].lo == \at(r->g[j + DIRTY_NODE].lo, Pre); */
    /*@ assert large: \forall integer j; large_free(j) ==> large_free{Pre}(j) &&
            paged{Pre}(r->g, &r->key, j); */
    /*@ assert ends: \forall integer j; large_free(j) ==>
            page_down{Pre}(&r->key, j + \at(span[j], Pre)) == page_down(&r->key, j + span[j]); */
    /*@ assert record: \forall integer j; large_free(j) ==> record(r->g, &r->key, j) &&
            listing(r->g, j); */
    /*@ assert paged: \forall integer j; large_free(j) ==>
            large_free{Pre}(j) && paged{Pre}(r->g, &r->key, j) && paged(r->g, &r->key, j); */
    /*@ assert soiled: \forall integer x; 0 <= x <= fence ==> soiled{Pre}(x) && soiled(x); */
    //@ assert counter: r->dirty_granules == \at(r->dirty_granules, Pre);
    //@ assert dirty: dirty(r);
    //@ assert all_paged: all_paged(r);
    /*@ assert firsts: \forall integer s; CHUNK_MIN_GRANULES <= s <= FAST_MAX_GRANULES ==>
            fast_first{Pre}(&r->bins, s) && fast_first(&r->bins, s); */
    /*@ assert placed: \forall integer x; REGION_FIRST <= x <= fence ==>
            place{Pre}(x) && place(x); */
    /*@ assert linked: \forall integer x; 0 <= x < fence && hangs(x) ==>
            hooked{Pre}(r->g, x) && hooked(r->g, x); */
    /*@ assert large_nodes: \forall integer x; 0 <= x < fence && in_large(x) ==>
            hooked(r->g, x) && in_large(r->g[x].lo) && in_large(r->g[x].hi); */
    /*@ assert large_spans: \forall integer x; 0 <= x < fence && in_large(x) ==>
            (x >= BIN_COUNT ==> place(x)) && span[x - 1] == \at(span[x - 1], Pre); */
    /*@ assert ring_nodes: \forall integer y; 0 <= y < fence && in_ring(y) ==> y >= REGION_FIRST &&
            place(y) && hooked(r->g, y) && in_ring(r->g[y].hi) && in_large(y - 1) &&
            in_large(r->g[y - 1].hi) &&
            (r->g[y - 1].hi < BIN_COUNT ==> in_large(r->g[r->g[y - 1].hi].hi)); */
    /*@ assert ring_spans: \forall integer y; 0 <= y < fence && in_ring(y) ==>
            place(y) && span[y - 2] == \at(span[y - 2], Pre); */
    /*@ assert pairs: \forall integer x, y; 0 <= x < fence && 0 <= y < fence && in_large(x) && in_large(y) &&
            follows{Pre}(x, y) ==> follows(x, y); */
    /*@ assert runs: \forall integer x, y; 0 <= x < fence && 0 <= y < fence && in_large(x) && in_ring(y) &&
            ends_run{Pre}(x, y) ==> ends_run(x, y); */
    /*@ assert follows: \forall integer x; 0 <= x < fence && in_large(x) ==>
            follows{Pre}(x, r->g[x].lo) && follows(x, r->g[x].lo); */
    /*@ assert rung: \forall integer y; 0 <= y < fence && in_ring(y) ==>
            rung{Pre}(r->g, y) && rung(r->g, y); */
    /*@ assert told: \forall integer j; is_free(j) ==> told{Pre}(r->g, j) && told(r->g, j); */
    /*@ assert empty: \forall integer c; BIN_UNSORTED <= c < BIN_COUNT && !marked(&r->bins, c) ==>
            empty{Pre}(r->g, c) && empty(r->g, c); */
    /*@ assert fast: \forall integer j; chunk(j) && list[j + 1] >= LIST_FAST ==>
            \at(list[j + 1], Pre) >= LIST_FAST && j != rest && fast_link{Pre}(r->g, j) && fast_link(r->g, j); */
    /*@ assert tallied: \forall integer x; REGION_FIRST <= x <= fence ==>
            tallied_as{Pre}(x) && tallied_as(x); */
    //@ assert sorted: sorted(r->g);
    //@ assert fast: fast(r->g, &r->bins);
    //@ assert counted: counted(&r->bins);
    //@ assert lists: lists(r);
    //@ assert chunks: chunks(r);
    //@ assert binned: binned;
    //@ assert seals: same_seals{Pre, Here}(r->g, i, rest);
    //@ assert tags: same_tags{Pre, Here}(r->g, rest);
    /*@ assert apart: \forall integer j; live{Pre}(j) && j != i ==>
            chunk(j) && extent(j) && span[j] == \at(span[j], Pre); */
    /*@ assert inner: \forall integer j, x; live{Pre}(j) && j != i && behind(j, \at(span[j], Pre), x) &&
            x < j + \at(span[j], Pre) ==> chunk(j) && extent(j) && !begins(x) && x != i && x != rest; */
    /*@ assert words: \forall integer j, x; live{Pre}(j) && j != i && behind(j, \at(span[j], Pre), x) ==>
            chunk(j) && extent(j) && 0 <= x <= fence && same_words{Pre, Here}(r->g, x); */
    /*@ assert cells: \forall integer j, x; live{Pre}(j) && j != i && behind(j, \at(span[j], Pre), x) &&
            x < j + \at(span[j], Pre) ==> x != i && x != rest && 0 <= x <= fence &&
            same_rest{Pre, Here}(r->g, x); */
    //@ assert untouched: untouched{Pre, Here}(r->g, i);
    return rest;
}

/* Live chunk i takes in the live one behind it and is allocated. */
/*@ requires sound: sound(r);
    requires live: live(i);
    requires behind: live(i + r->g[i].size);
    terminates \true;
    exits never: \false;
    assigns r->g[i].size, r->g[i].flags, r->g[i].seal, r->g[i + r->g[i].size].size, span[i],
            span[i + r->g[i].size], state[i];
    ensures sum: chunk(i) && state[i] == SEAL_ALLOCATED &&
        span[i] == \old(span[i] + span[i + r->g[i].size]);
    ensures gone: span[\old(i + r->g[i].size)] == 0;
    ensures flags: r->g[i].flags == \old(r->g[i].flags);
    ensures sound: sound(r);
    ensures sizes: same_sizes{Pre, Post}(r->g, i, \old(i + r->g[i].size));
    ensures links: same_links{Pre, Post}(r->g, -1, -1, -1, -1);
    ensures untouched: untouched{Pre, Post}(r->g, -1);
*/
static void merge(const struct region *r, uint32_t i) {
    //@ ghost uint32_t next = i + r->g[i].size;
    //@ assert loose: list[i + 1] == LIST_NONE && list[next + 1] == LIST_NONE && in_use(next);
    //@ assert extents: \forall integer j; chunk(j) ==> extent(j);
    //@ assert behind: extent(i) && extent(next);
    /*@ assert nodes: \forall integer x; REGION_FIRST <= x <= fence && list[x] != LIST_NONE ==>
            place(x) && x != i + 1 && (in_ring(x) ==> x != i + 2) &&
            (list[x] == LIST_DIRTY ==> x != i + DIRTY_NODE); */
    /*@ assert next_nodes: \forall integer x; REGION_FIRST <= x <= fence && list[x] != LIST_NONE ==>
            place(x) && x != next + 1 && (in_ring(x) ==> x != next + 2) &&
            (list[x] == LIST_DIRTY ==> x != next + DIRTY_NODE); */
    chunk_merge(r->g, &r->key, i);
    //@ assert extent: extent(i);
    //@ assert key: same_key{Pre, Here}(&r->key) && same_secrets{Pre, Here}(&r->key);
    //@ assert held: held(r);
    //@ assert sizes: same_sizes{Pre, Here}(r->g, i, next);
    //@ assert links: same_links{Pre, Here}(r->g, -1, -1, -1, -1);
    //@ assert chunks: \forall integer j; chunk(j) ==> chunk{Pre}(j) && j != next;
    //@ assert kept: \forall integer j; chunk{Pre}(j) && j != next ==> chunk(j);
    //@ assert free: \forall integer j; is_free(j) ==> is_free{Pre}(j) && j != i;
    /*@ assert spans: \forall integer j; is_free(j) ==>
            span[j] == \at(span[j], Pre) && is_free{Pre}(j); */
    /*@ assert records: \forall integer j; large_free(j) ==> extent(j) &&
            r->g[j + PURGED_NODE].lo == \at(r->g[j + PURGED_NODE].lo, Pre) &&
            r->g[j + PURGED_NODE].hi == \at(r->g[j + PURGED_NODE].hi, Pre) &&
            r->g[j + DIRTY_NODE].lo == \at(r->g[j + DIRTY_NODE].lo, Pre); */
    /*@ assert large: \forall integer j; large_free(j) ==> large_free{Pre}(j) &&
            paged{Pre}(r->g, &r->key, j); */
    /*@ assert ends: \forall integer j; large_free(j) ==>
            page_down{Pre}(&r->key, j + \at(span[j], Pre)) == page_down(&r->key, j + span[j]); */
    /*@ assert record: \forall integer j; large_free(j) ==> record(r->g, &r->key, j) &&
            listing(r->g, j); */
    /*@ assert paged: \forall integer j; large_free(j) ==>
            large_free{Pre}(j) && paged{Pre}(r->g, &r->key, j) && paged(r->g, &r->key, j); */
    /*@ assert soiled: \forall integer x; 0 <= x <= fence ==> soiled{Pre}(x) && soiled(x); */
    //@ assert counter: r->dirty_granules == \at(r->dirty_granules, Pre);
    //@ assert dirty: dirty(r);
    //@ assert all_paged: all_paged(r);
    /*@ assert firsts: \forall integer s; CHUNK_MIN_GRANULES <= s <= FAST_MAX_GRANULES ==>
            fast_first{Pre}(&r->bins, s) && fast_first(&r->bins, s); */
    /*@ assert placed: \forall integer x; REGION_FIRST <= x <= fence ==>
            place{Pre}(x) && place(x); */
    /*@ assert linked: \forall integer x; 0 <= x < fence && hangs(x) ==>
            hooked{Pre}(r->g, x) && hooked(r->g, x); */
    /*@ assert large_nodes: \forall integer x; 0 <= x < fence && in_large(x) ==>
            hooked(r->g, x) && in_large(r->g[x].lo) && in_large(r->g[x].hi); */
    /*@ assert large_spans: \forall integer x; 0 <= x < fence && in_large(x) ==>
            (x >= BIN_COUNT ==> place(x)) && span[x - 1] == \at(span[x - 1], Pre); */
    /*@ assert ring_nodes: \forall integer y; 0 <= y < fence && in_ring(y) ==> y >= REGION_FIRST &&
            place(y) && hooked(r->g, y) && in_ring(r->g[y].hi) && in_large(y - 1) &&
            in_large(r->g[y - 1].hi) &&
            (r->g[y - 1].hi < BIN_COUNT ==> in_large(r->g[r->g[y - 1].hi].hi)); */
    /*@ assert ring_spans: \forall integer y; 0 <= y < fence && in_ring(y) ==>
            place(y) && span[y - 2] == \at(span[y - 2], Pre); */
    /*@ assert pairs: \forall integer x, y; 0 <= x < fence && 0 <= y < fence && in_large(x) && in_large(y) &&
            follows{Pre}(x, y) ==> follows(x, y); */
    /*@ assert runs: \forall integer x, y; 0 <= x < fence && 0 <= y < fence && in_large(x) && in_ring(y) &&
            ends_run{Pre}(x, y) ==> ends_run(x, y); */
    /*@ assert follows: \forall integer x; 0 <= x < fence && in_large(x) ==>
            follows{Pre}(x, r->g[x].lo) && follows(x, r->g[x].lo); */
    /*@ assert rung: \forall integer y; 0 <= y < fence && in_ring(y) ==>
            rung{Pre}(r->g, y) && rung(r->g, y); */
    /*@ assert told: \forall integer j; is_free(j) ==> told{Pre}(r->g, j) && told(r->g, j); */
    /*@ assert empty: \forall integer c; BIN_UNSORTED <= c < BIN_COUNT && !marked(&r->bins, c) ==>
            empty{Pre}(r->g, c) && empty(r->g, c); */
    /*@ assert fast: \forall integer j; chunk(j) && list[j + 1] >= LIST_FAST ==>
            fast_link{Pre}(r->g, j) && fast_link(r->g, j); */
    /*@ assert tallied: \forall integer x; REGION_FIRST <= x <= fence ==>
            tallied_as{Pre}(x) && tallied_as(x); */
    //@ assert sorted: sorted(r->g);
    //@ assert fast: fast(r->g, &r->bins);
    //@ assert counted: counted(&r->bins);
    //@ assert lists: lists(r);
    //@ assert chunks: chunks(r);
    //@ assert binned: binned;
    //@ assert seals: same_seals{Pre, Here}(r->g, i, next);
    //@ assert tags: same_tags{Pre, Here}(r->g, -1);
    /*@ assert inner: \forall integer j, x; live{Pre}(j) && behind(j, \at(span[j], Pre), x) &&
            x < j + \at(span[j], Pre) ==> chunk{Pre}(j) && extent{Pre}(j) && !begins{Pre}(x) && x != i &&
            x != next; */
    /*@ assert words: \forall integer j, x; live{Pre}(j) && behind(j, \at(span[j], Pre), x) ==>
            chunk{Pre}(j) && extent{Pre}(j) && 0 <= x <= fence && same_words{Pre, Here}(r->g, x); */
    /*@ assert cells: \forall integer j, x; live{Pre}(j) && behind(j, \at(span[j], Pre), x) &&
            x < j + \at(span[j], Pre) ==> x != i && x != next && 0 <= x <= fence &&
            same_rest{Pre, Here}(r->g, x); */
    //@ assert untouched: untouched{Pre, Here}(r->g, -1);
}

/* Word `to`, of the region's record but in none of its invariants or no part of the region at all,
 * becomes `value`. */
/*@ requires sound: sound(r);
    requires apart: \valid(to) && \base_addr(to) != \base_addr(r->g) &&
        (\base_addr(to) != \base_addr(r) || to == &r->top || to == &r->last_remainder ||
            to == &r->served_zero.from || to == &r->served_zero.to);
    terminates \true;
    exits never: \false;
    assigns *to;
    ensures set: *to == value;
    ensures sound: sound(r);
    ensures topped: topped{Pre}(r) && to != &r->top ==> topped(r);
    ensures sizes: same_sizes{Pre, Post}(r->g, -1, -1);
    ensures links: same_links{Pre, Post}(r->g, -1, -1, -1, -1);
    ensures untouched: untouched{Pre, Post}(r->g, -1);
*/
static void note(const struct region *r, uint32_t *to, uint32_t value) {
    (void)r; /* named for the contract alone */
    *to = value;
    //@ assert held: held(r);
    //@ assert sizes: same_sizes{Pre, Here}(r->g, -1, -1);
    //@ assert links: same_links{Pre, Here}(r->g, -1, -1, -1, -1);
    //@ assert chunks: chunks(r);
    /*@ assert firsts: \forall integer s; CHUNK_MIN_GRANULES <= s <= FAST_MAX_GRANULES ==>
            fast_first{Pre}(&r->bins, s) && fast_first(&r->bins, s); */
    /*@ assert linked: \forall integer x; 0 <= x < fence && hangs(x) ==>
            hooked{Pre}(r->g, x) && hooked(r->g, x); */
    /*@ assert follows: \forall integer x; 0 <= x < fence && in_large(x) ==>
            follows{Pre}(x, r->g[x].lo) && follows(x, r->g[x].lo); */
    /*@ assert ring_nodes: \forall integer y; 0 <= y < fence && in_ring(y) ==> y >= REGION_FIRST &&
            place(y) && in_large(y - 1) && hooked(r->g, y - 1) && in_large(r->g[y - 1].hi); */
    /*@ assert rung: \forall integer y; 0 <= y < fence && in_ring(y) ==>
            rung{Pre}(r->g, y) && rung(r->g, y); */
    /*@ assert told: \forall integer j; is_free(j) ==> told{Pre}(r->g, j) && told(r->g, j); */
    /*@ assert empty: \forall integer c; BIN_UNSORTED <= c < BIN_COUNT && !marked(&r->bins, c) ==>
            empty{Pre}(r->g, c) && empty(r->g, c); */
    /*@ assert fast: \forall integer j; chunk(j) && list[j + 1] >= LIST_FAST ==>
            fast_link{Pre}(r->g, j) && fast_link(r->g, j); */
    //@ assert lists: lists(r);
    /*@ assert paged: \forall integer j; large_free(j) ==>
            extent(j) && paged{Pre}(r->g, &r->key, j) && paged(r->g, &r->key, j); */
    //@ assert counter: r->dirty_granules == \at(r->dirty_granules, Pre);
    //@ assert dirty: dirty(r);
    //@ assert untouched: untouched{Pre, Here}(r->g, -1);
}

/*@ requires sound: sound(r);
    requires valid: \valid(r);
    terminates \true;
    exits never: \false;
    assigns r->served_zero.from, r->served_zero.to;
    ensures set: r->served_zero.from == run.from && r->served_zero.to == run.to;
    ensures sound: sound(r);
    ensures topped: topped{Pre}(r) ==> topped(r);
    ensures sizes: same_sizes{Pre, Post}(r->g, -1, -1);
    ensures links: same_links{Pre, Post}(r->g, -1, -1, -1, -1);
    ensures untouched: untouched{Pre, Post}(r->g, -1);
*/
static void note_zero(struct region *r, struct page_run run) {
    note(r, &r->served_zero.from, run.from);
    note(r, &r->served_zero.to, run.to);
}

/* The calls of bin.h, as the pages of the region see them. */

/* Cells of large free chunks that bins have no say in. */
/*@ ghost
    /@ requires fence: REGION_FIRST < fence <= REGION_LIMIT_GRANULES;
       requires tiling: tiling;
       requires placed: placed;
       terminates \true;
       exits never: \false;
       assigns \nothing;
       ensures dirty_nodes: \forall integer j; large_free(j) ==>
           list[j + DIRTY_NODE] == LIST_NONE || list[j + DIRTY_NODE] == LIST_DIRTY;
    @/
    void dirty_nodes(void) {
        /@ assert inner: \forall integer j, m; large_free(j) && j < m < j + span[j] ==>
            !chunk(m); @/
        /@ assert nodes: \forall integer j; large_free(j) ==> extent(j) &&
            place(j + DIRTY_NODE) && !chunk(j + 2) && !chunk(j + 3); @/
    }
*/

/* Free chunk i goes to the unsorted bin. */
/*@ requires binless: binless(r, i);
    terminates \true;
    exits never: \false;
    assigns r->g[0 .. fence - 1].lo, r->g[0 .. fence - 1].hi, r->bins.map[0], r->bins.free_chunks,
            r->bins.free_granules, list[i + 1], tally[i + 1], weight[i + 1];
    ensures sound: sound(r);
    ensures sizes: same_sizes{Pre, Post}(r->g, -1, -1);
    ensures top: r->top == \old(r->top);
    ensures topped: topped{Pre}(r) && i != \old(r->top) ==> topped(r);
    ensures outside: same_outside{Pre, Post}(r->g, i + 2);
    ensures waits: same_waits{Pre, Post}(i);
    ensures untouched: untouched{Pre, Post}(r->g, -1);
*/
static void to_unsorted(struct region *r, uint32_t i) {
    //@ ghost payloads_loose();
    //@ ghost records_loose();
    //@ ghost dirty_nodes();
    //@ assert extents: \forall integer j; chunk(j) ==> extent(j);
    //@ assert first: hooked(r->g, BIN_UNSORTED) && list[r->g[BIN_UNSORTED].lo] == BIN_UNSORTED;
    bin_insert_unsorted(r->g, &r->bins, i);
    //@ assert bound: bound(r->g, &r->bins) && keyed(&r->key);
    //@ assert held: held(r);
    //@ assert top: r->top == \at(r->top, Pre);
    //@ assert topped: topped{Pre}(r) && i != \at(r->top, Pre) ==> topped(r);
    //@ assert sizes: same_sizes{Pre, Here}(r->g, -1, -1);
    /*@ assert first: \at(r->g[BIN_UNSORTED].lo, Pre) != i + 1 && !unbinned(\at(r->g[BIN_UNSORTED].lo, Pre)); */
    /*@ assert apart: \forall integer x; 0 <= x <= fence && x != i + 2 && unbinned(x) ==> x != i + 1 &&
            x != BIN_UNSORTED && x != \at(r->g[BIN_UNSORTED].lo, Pre); */
    //@ assert outside: same_outside{Pre, Here}(r->g, i + 2);
    //@ assert seals: same_seals{Pre, Here}(r->g, -1, -1);
    //@ assert key: same_key{Pre, Here}(&r->key) && same_secrets{Pre, Here}(&r->key);
    //@ assert shift: shift{Pre}(&r->key) == shift(&r->key);
    /*@ assert up: \forall integer x; page_up{Pre}(&r->key, x) == page_up(&r->key, x); */
    /*@ assert down: \forall integer x; page_down{Pre}(&r->key, x) == page_down(&r->key, x); */
    /*@ assert from: \forall integer j; whole_from{Pre}(&r->key, j) == whole_from(&r->key, j); */
    /*@ assert to: \forall integer j; whole_to{Pre}(&r->key, j) == whole_to(&r->key, j); */
    /*@ assert headers: \forall integer j; header(j) ==>
            r->g[j].size == \at(r->g[j].size, Pre) && r->g[j].seal == \at(r->g[j].seal, Pre) &&
            r->g[j].flags == \at(r->g[j].flags, Pre); */
    //@ assert fence: header(fence) && sealed_as{Pre}(r->g, &r->key, fence, SEAL_FENCE);
    //@ assert fence: header(fence) && sealed_as(r->g, &r->key, fence, SEAL_FENCE);
    /*@ assert states: \forall integer j; chunk(j) ==>
            state[j] <= SEAL_FREE && header(j) && mark{Pre}(r->g, &r->key, j); */
    /*@ assert states: \forall integer j; chunk(j) ==>
            header(j) && r->key.state[state[j]] == \at(r->key.state[state[j]], Pre); */
    /*@ assert words: r->key.base == \at(r->key.base, Pre) &&
            r->key.secret == \at(r->key.secret, Pre) &&
            r->key.multiplier == \at(r->key.multiplier, Pre); */
    //@ assert headers: \forall integer j; chunk(j) ==> header(j) && same_rest{Pre, Here}(r->g, j);
    /*@ assert marks: \forall integer j; chunk(j) ==>
            header(j) && mark{Pre}(r->g, &r->key, j) && mark(r->g, &r->key, j); */
    //@ assert sealed: sealed(r->g, &r->key);
    //@ assert chunks: chunks(r);
    /*@ assert firsts: \forall integer s; 0 <= s < FAST_BIN_COUNT ==>
            r->bins.fast[s] == \at(r->bins.fast[s], Pre); */
    /*@ assert fast_nodes: \forall integer x; REGION_FIRST <= x <= fence &&
            \at(list[x], Pre) >= LIST_FAST ==> place{Pre}(x) && list[x] == \at(list[x], Pre); */
    /*@ assert firsts: \forall integer s; CHUNK_MIN_GRANULES <= s <= FAST_MAX_GRANULES ==>
            fast_first{Pre}(&r->bins, s) && fast_first(&r->bins, s); */
    /*@ assert fast_cells: \forall integer x; REGION_FIRST <= x <= fence && list[x] >= LIST_FAST ==>
            place(x) && list[x] == \at(list[x], Pre) && r->g[x].lo == \at(r->g[x].lo, Pre); */
    /*@ assert fast: \forall integer j; chunk(j) && list[j + 1] >= LIST_FAST ==>
            place(j + 1) && \at(list[j + 1], Pre) >= LIST_FAST && fast_link{Pre}(r->g, j) &&
            fast_link(r->g, j); */
    //@ assert lists: lists(r);
    /*@ assert cells: \forall integer j; large_free(j) ==>
            r->g[j + PURGED_NODE].lo == \at(r->g[j + PURGED_NODE].lo, Pre) &&
            r->g[j + PURGED_NODE].hi == \at(r->g[j + PURGED_NODE].hi, Pre) &&
            (list[j + DIRTY_NODE] == LIST_NONE ==>
                r->g[j + DIRTY_NODE].lo == \at(r->g[j + DIRTY_NODE].lo, Pre)); */
    /*@ assert listing: \forall integer j; large_free(j) ==> paged{Pre}(r->g, &r->key, j) &&
            list[j + DIRTY_NODE] == \at(list[j + DIRTY_NODE], Pre) && listing(r->g, j); */
    /*@ assert record: \forall integer j; large_free(j) ==> (record{Pre}(r->g, &r->key, j) ==>
            record(r->g, &r->key, j)); */
    /*@ assert paged: \forall integer j; large_free(j) ==> (paged{Pre}(r->g, &r->key, j) ==>
            paged(r->g, &r->key, j)); */
    //@ assert all_paged: all_paged(r);
    /*@ assert soiled: \forall integer x; 0 <= x <= fence ==> soiled{Pre}(x) && soiled(x); */
    //@ assert counter: r->dirty_granules == \at(r->dirty_granules, Pre);
    //@ assert dirty: dirty(r);
    //@ ghost payloads_loose();
    //@ assert tags: same_tags{Pre, Here}(r->g, -1);
    //@ assert untouched: untouched{Pre, Here}(r->g, -1);
}

/* Free chunk i leaves its bin. */
/*@ requires sound: sound(r);
    requires free: is_free(i) && in_bin(i);
    terminates \true;
    exits never: \false;
    assigns r->g[0 .. fence - 1].lo, r->g[0 .. fence - 1].hi, r->bins.map[0 .. 1],
            r->bins.free_chunks, r->bins.free_granules, list[i + 1], list[i + 2],
            list[r->g[i + 1].lo + 1], tally[i + 1], lead[0 .. fence];
    ensures binless: binless(r, i);
    ensures sizes: same_sizes{Pre, Post}(r->g, -1, -1);
    ensures top: r->top == \old(r->top);
    ensures topped: topped{Pre}(r) && i != \old(r->top) ==> topped(r);
    ensures outside: same_outside{Pre, Post}(r->g, -1);
    ensures waits: same_waits{Pre, Post}(i);
    ensures untouched: untouched{Pre, Post}(r->g, -1);
*/
static void from_bin(struct region *r, uint32_t i) {
    //@ ghost payloads_loose();
    //@ ghost records_loose();
    //@ ghost dirty_nodes();
    bin_unlink(r->g, &r->bins, i);
    //@ ghost records_loose();
    //@ ghost dirty_nodes();
    //@ assert bound: bound(r->g, &r->bins) && keyed(&r->key);
    //@ assert held: held(r);
    //@ assert top: r->top == \at(r->top, Pre);
    //@ assert topped: topped{Pre}(r) && i != \at(r->top, Pre) ==> topped(r);
    //@ assert sizes: same_sizes{Pre, Here}(r->g, -1, -1);
    //@ assert seals: same_seals{Pre, Here}(r->g, -1, -1);
    //@ assert key: same_key{Pre, Here}(&r->key) && same_secrets{Pre, Here}(&r->key);
    //@ assert shift: shift{Pre}(&r->key) == shift(&r->key);
    /*@ assert up: \forall integer x; page_up{Pre}(&r->key, x) == page_up(&r->key, x); */
    /*@ assert down: \forall integer x; page_down{Pre}(&r->key, x) == page_down(&r->key, x); */
    /*@ assert from: \forall integer j; whole_from{Pre}(&r->key, j) == whole_from(&r->key, j); */
    /*@ assert to: \forall integer j; whole_to{Pre}(&r->key, j) == whole_to(&r->key, j); */
    /*@ assert headers: \forall integer j; header(j) ==>
            r->g[j].size == \at(r->g[j].size, Pre) && r->g[j].seal == \at(r->g[j].seal, Pre) &&
            r->g[j].flags == \at(r->g[j].flags, Pre); */
    //@ assert fence: header(fence) && sealed_as{Pre}(r->g, &r->key, fence, SEAL_FENCE);
    //@ assert fence: header(fence) && sealed_as(r->g, &r->key, fence, SEAL_FENCE);
    /*@ assert states: \forall integer j; chunk(j) ==>
            state[j] <= SEAL_FREE && header(j) && mark{Pre}(r->g, &r->key, j); */
    /*@ assert states: \forall integer j; chunk(j) ==>
            header(j) && r->key.state[state[j]] == \at(r->key.state[state[j]], Pre); */
    /*@ assert words: r->key.base == \at(r->key.base, Pre) &&
            r->key.secret == \at(r->key.secret, Pre) &&
            r->key.multiplier == \at(r->key.multiplier, Pre); */
    /*@ assert marks: \forall integer j; chunk(j) ==>
            header(j) && mark{Pre}(r->g, &r->key, j) && mark(r->g, &r->key, j); */
    //@ assert sealed: sealed(r->g, &r->key);
    //@ assert chunks: chunks(r);
    /*@ assert firsts: \forall integer s; 0 <= s < FAST_BIN_COUNT ==>
            r->bins.fast[s] == \at(r->bins.fast[s], Pre); */
    /*@ assert fast_nodes: \forall integer x; REGION_FIRST <= x <= fence &&
            \at(list[x], Pre) >= LIST_FAST ==> place{Pre}(x) && list[x] == \at(list[x], Pre); */
    /*@ assert firsts: \forall integer s; CHUNK_MIN_GRANULES <= s <= FAST_MAX_GRANULES ==>
            fast_first{Pre}(&r->bins, s) && fast_first(&r->bins, s); */
    /*@ assert fast_cells: \forall integer x; REGION_FIRST <= x <= fence && list[x] >= LIST_FAST ==>
            place(x) && list[x] == \at(list[x], Pre) && r->g[x].lo == \at(r->g[x].lo, Pre); */
    /*@ assert fast: \forall integer j; chunk(j) && list[j + 1] >= LIST_FAST ==>
            place(j + 1) && \at(list[j + 1], Pre) >= LIST_FAST && fast_link{Pre}(r->g, j) &&
            fast_link(r->g, j); */
    //@ assert lists: lists(r);
    /*@ assert cells: \forall integer j; large_free(j) ==>
            r->g[j + PURGED_NODE].lo == \at(r->g[j + PURGED_NODE].lo, Pre) &&
            r->g[j + PURGED_NODE].hi == \at(r->g[j + PURGED_NODE].hi, Pre) &&
            (list[j + DIRTY_NODE] == LIST_NONE ==>
                r->g[j + DIRTY_NODE].lo == \at(r->g[j + DIRTY_NODE].lo, Pre)); */
    /*@ assert listing: \forall integer j; large_free(j) ==> paged{Pre}(r->g, &r->key, j) &&
            list[j + DIRTY_NODE] == \at(list[j + DIRTY_NODE], Pre) && listing(r->g, j); */
    /*@ assert record: \forall integer j; large_free(j) ==> (record{Pre}(r->g, &r->key, j) ==>
            record(r->g, &r->key, j)); */
    /*@ assert paged: \forall integer j; large_free(j) ==> (paged{Pre}(r->g, &r->key, j) ==>
            paged(r->g, &r->key, j)); */
    //@ assert all_paged: all_paged(r);
    /*@ assert soiled: \forall integer x; 0 <= x <= fence ==> soiled{Pre}(x) && soiled(x); */
    //@ assert counter: r->dirty_granules == \at(r->dirty_granules, Pre);
    //@ assert dirty: dirty(r);
    //@ ghost payloads_loose();
    //@ assert tags: same_tags{Pre, Here}(r->g, -1);
    //@ assert untouched: untouched{Pre, Here}(r->g, -1);
}

/* Free chunk i goes to the bin of its size. */
/*@ requires binless: binless(r, i);
    terminates \true;
    exits never: \false;
    assigns r->g[0 .. fence - 1].lo, r->g[0 .. fence - 1].hi, r->bins.map[0 .. 1],
            r->bins.free_chunks, r->bins.free_granules, list[i + 1], list[i + 2], tally[i + 1],
            weight[i + 1], lead[i + 1];
    ensures sound: sound(r);
    ensures sizes: same_sizes{Pre, Post}(r->g, -1, -1);
    ensures top: r->top == \old(r->top);
    ensures topped: topped{Pre}(r) && i != \old(r->top) ==> topped(r);
    ensures outside: same_outside{Pre, Post}(r->g, i + 2);
    ensures waits: same_waits{Pre, Post}(i);
    ensures untouched: untouched{Pre, Post}(r->g, -1);
*/
static void to_bin(struct region *r, uint32_t i) {
    //@ ghost payloads_loose();
    //@ ghost records_loose();
    //@ ghost dirty_nodes();
    //@ assert extents: \forall integer j; chunk(j) ==> extent(j);
    bin_insert(r->g, &r->bins, i);
    //@ ghost records_loose();
    //@ ghost dirty_nodes();
    //@ assert bound: bound(r->g, &r->bins) && keyed(&r->key);
    //@ assert held: held(r);
    //@ assert top: r->top == \at(r->top, Pre);
    //@ assert topped: topped{Pre}(r) && i != \at(r->top, Pre) ==> topped(r);
    //@ assert sizes: same_sizes{Pre, Here}(r->g, -1, -1);
    //@ assert seals: same_seals{Pre, Here}(r->g, -1, -1);
    //@ assert key: same_key{Pre, Here}(&r->key) && same_secrets{Pre, Here}(&r->key);
    //@ assert shift: shift{Pre}(&r->key) == shift(&r->key);
    /*@ assert up: \forall integer x; page_up{Pre}(&r->key, x) == page_up(&r->key, x); */
    /*@ assert down: \forall integer x; page_down{Pre}(&r->key, x) == page_down(&r->key, x); */
    /*@ assert from: \forall integer j; whole_from{Pre}(&r->key, j) == whole_from(&r->key, j); */
    /*@ assert to: \forall integer j; whole_to{Pre}(&r->key, j) == whole_to(&r->key, j); */
    /*@ assert headers: \forall integer j; header(j) ==>
            r->g[j].size == \at(r->g[j].size, Pre) && r->g[j].seal == \at(r->g[j].seal, Pre) &&
            r->g[j].flags == \at(r->g[j].flags, Pre); */
    //@ assert fence: header(fence) && sealed_as{Pre}(r->g, &r->key, fence, SEAL_FENCE);
    //@ assert fence: header(fence) && sealed_as(r->g, &r->key, fence, SEAL_FENCE);
    /*@ assert states: \forall integer j; chunk(j) ==>
            state[j] <= SEAL_FREE && header(j) && mark{Pre}(r->g, &r->key, j); */
    /*@ assert states: \forall integer j; chunk(j) ==>
            header(j) && r->key.state[state[j]] == \at(r->key.state[state[j]], Pre); */
    /*@ assert words: r->key.base == \at(r->key.base, Pre) &&
            r->key.secret == \at(r->key.secret, Pre) &&
            r->key.multiplier == \at(r->key.multiplier, Pre); */
    /*@ assert marks: \forall integer j; chunk(j) ==>
            header(j) && mark{Pre}(r->g, &r->key, j) && mark(r->g, &r->key, j); */
    //@ assert sealed: sealed(r->g, &r->key);
    //@ assert chunks: chunks(r);
    /*@ assert firsts: \forall integer s; 0 <= s < FAST_BIN_COUNT ==>
            r->bins.fast[s] == \at(r->bins.fast[s], Pre); */
    /*@ assert fast_nodes: \forall integer x; REGION_FIRST <= x <= fence &&
            \at(list[x], Pre) >= LIST_FAST ==> place{Pre}(x) && list[x] == \at(list[x], Pre); */
    /*@ assert firsts: \forall integer s; CHUNK_MIN_GRANULES <= s <= FAST_MAX_GRANULES ==>
            fast_first{Pre}(&r->bins, s) && fast_first(&r->bins, s); */
    /*@ assert fast_cells: \forall integer x; REGION_FIRST <= x <= fence && list[x] >= LIST_FAST ==>
            place(x) && list[x] == \at(list[x], Pre) && r->g[x].lo == \at(r->g[x].lo, Pre); */
    /*@ assert fast: \forall integer j; chunk(j) && list[j + 1] >= LIST_FAST ==>
            place(j + 1) && \at(list[j + 1], Pre) >= LIST_FAST && fast_link{Pre}(r->g, j) &&
            fast_link(r->g, j); */
    //@ assert lists: lists(r);
    /*@ assert cells: \forall integer j; large_free(j) ==>
            r->g[j + PURGED_NODE].lo == \at(r->g[j + PURGED_NODE].lo, Pre) &&
            r->g[j + PURGED_NODE].hi == \at(r->g[j + PURGED_NODE].hi, Pre) &&
            (list[j + DIRTY_NODE] == LIST_NONE ==>
                r->g[j + DIRTY_NODE].lo == \at(r->g[j + DIRTY_NODE].lo, Pre)); */
    /*@ assert listing: \forall integer j; large_free(j) ==> paged{Pre}(r->g, &r->key, j) &&
            list[j + DIRTY_NODE] == \at(list[j + DIRTY_NODE], Pre) && listing(r->g, j); */
    /*@ assert record: \forall integer j; large_free(j) ==> (record{Pre}(r->g, &r->key, j) ==>
            record(r->g, &r->key, j)); */
    /*@ assert paged: \forall integer j; large_free(j) ==> (paged{Pre}(r->g, &r->key, j) ==>
            paged(r->g, &r->key, j)); */
    //@ assert all_paged: all_paged(r);
    /*@ assert soiled: \forall integer x; 0 <= x <= fence ==> soiled{Pre}(x) && soiled(x); */
    //@ assert counter: r->dirty_granules == \at(r->dirty_granules, Pre);
    //@ assert dirty: dirty(r);
    //@ ghost payloads_loose();
    //@ assert tags: same_tags{Pre, Here}(r->g, -1);
    //@ assert untouched: untouched{Pre, Here}(r->g, -1);
}

/* The fast lists, as the region sees them. */

/* A chunk of `size` granules, still sealed as cached, leaves its fast list; 0: there is none. */
/*@ requires sound: sound(r);
    requires size: CHUNK_MIN_GRANULES <= size <= FAST_MAX_GRANULES;
    terminates \true;
    exits never: \false;
    assigns r->bins.fast[size], r->bins.fast_chunks, r->bins.fast_granules, list[0 .. fence],
            tally[0 .. fence], above[0 .. fence];
    ensures first: \result == \old(r->bins.fast[size]);
    ensures chunk: \result != 0 ==> live(\result) && !live{Pre}(\result) &&
        state[\result] == SEAL_CACHED && span[\result] == size;
    ensures fewer: \result != 0 ==> r->bins.fast_chunks == \old(r->bins.fast_chunks) - 1;
    ensures none: \result == 0 ==>
        r->bins.fast_chunks == \old(r->bins.fast_chunks) && r->bins.fast[size] == 0;
    ensures sound: sound(r);
    ensures topped: topped{Pre}(r) ==> topped(r);
    ensures kept: kept{Pre, Post}(r->g, -1);
    ensures others: no_new{Pre, Post}(\result);
    ensures sizes: same_sizes{Pre, Post}(r->g, -1, -1);
    ensures links: same_links{Pre, Post}(r->g, -1, -1, -1, -1);
    ensures untouched: untouched{Pre, Post}(r->g, -1);
*/
static uint32_t from_fast(struct region *r, uint32_t size) {
    //@ assert first: fast_first(&r->bins, size) && hooked(r->g, BIN_UNSORTED);
    /*@ assert self: r->bins.fast[size] != 0 ==>
            place(r->bins.fast[size] + 1) && fast_link(r->g, r->bins.fast[size]); */
    /*@ assert nodes: \forall integer x; REGION_FIRST <= x <= fence && list[x] != LIST_NONE ==>
            place(x); */
    uint32_t i = fast_pop(r->g, &r->key, &r->bins, size);
    //@ assert sizes: same_sizes{Pre, Here}(r->g, -1, -1);
    //@ assert links: same_links{Pre, Here}(r->g, -1, -1, -1, -1);
    //@ assert lists: \forall integer x; 0 <= x <= fence && x != i + 1 ==> list[x] == \at(list[x], Pre);
    //@ assert key: same_key{Pre, Here}(&r->key) && same_secrets{Pre, Here}(&r->key);
    //@ assert counter: r->dirty_granules == \at(r->dirty_granules, Pre);
    //@ assert shift: shift(&r->key) == shift{Pre}(&r->key);
    /*@ assert whole: \forall integer j; whole_from(&r->key, j) == whole_from{Pre}(&r->key, j) &&
            whole_to(&r->key, j) == whole_to{Pre}(&r->key, j); */
    /*@ assert paged: \forall integer j; large_free(j) ==>
            extent(j) && paged{Pre}(r->g, &r->key, j) && paged(r->g, &r->key, j); */
    /*@ assert soiled: \forall integer x; 0 <= x <= fence ==> soiled{Pre}(x) && soiled(x); */
    //@ assert held: held(r);
    //@ assert chunks: chunks(r);
    //@ assert dirty: dirty(r);
    //@ assert all_paged: all_paged(r);
    //@ assert untouched: untouched{Pre, Here}(r->g, -1);
    return i;
}

/* Chunk i, allocated or cached, goes first into the fast list of its size. */
/*@ requires sound: sound(r);
    requires live: live(i) && span[i] <= FAST_MAX_GRANULES;
    terminates \true;
    exits never: \false;
    assigns r->g[i].size, r->g[i].flags, r->g[i].seal, r->g[i + 1].lo,
            r->bins.fast[r->g[i].size], r->bins.fast_chunks, r->bins.fast_granules, state[i],
            list[i + 1], tally[i + 1], weight[i + 1], above[0 .. fence];
    ensures first: list[i + 1] == LIST_FAST + span[i];
    ensures sound: sound(r);
    ensures topped: topped{Pre}(r) ==> topped(r);
    ensures kept: kept{Pre, Post}(r->g, i);
    ensures freed: \forall integer j; live(j) ==> live{Pre}(j) && j != i;
    ensures sizes: same_sizes{Pre, Post}(r->g, -1, -1);
    ensures links: same_links{Pre, Post}(r->g, i + 1, -1, -1, -1);
    ensures untouched: untouched{Pre, Post}(r->g, i);
*/
static void to_fast(struct region *r, uint32_t i) {
    //@ ghost nodes_inner();
    //@ assert self: extent(i) && fast_first(&r->bins, r->g[i].size);
    //@ assert extents: \forall integer j; chunk(j) ==> extent(j);
    /*@ assert cells: \forall integer j; large_free(j) ==> extent(j) && i + 1 != j + PURGED_NODE &&
            i + 1 != j + DIRTY_NODE; */
    fast_push(r->g, &r->key, &r->bins, i);
    //@ assert sizes: same_sizes{Pre, Here}(r->g, -1, -1);
    //@ assert links: same_links{Pre, Here}(r->g, i + 1, -1, -1, -1);
    //@ assert lists: \forall integer x; 0 <= x <= fence && x != i + 1 ==> list[x] == \at(list[x], Pre);
    //@ assert key: same_key{Pre, Here}(&r->key) && same_secrets{Pre, Here}(&r->key);
    //@ assert counter: r->dirty_granules == \at(r->dirty_granules, Pre);
    //@ assert shift: shift(&r->key) == shift{Pre}(&r->key);
    /*@ assert whole: \forall integer j; whole_from(&r->key, j) == whole_from{Pre}(&r->key, j) &&
            whole_to(&r->key, j) == whole_to{Pre}(&r->key, j); */
    /*@ assert cells: \forall integer j; large_free(j) ==> extent(j) &&
            r->g[j + PURGED_NODE].lo == \at(r->g[j + PURGED_NODE].lo, Pre) &&
            r->g[j + PURGED_NODE].hi == \at(r->g[j + PURGED_NODE].hi, Pre) &&
            r->g[j + DIRTY_NODE].lo == \at(r->g[j + DIRTY_NODE].lo, Pre) &&
            list[j + DIRTY_NODE] == \at(list[j + DIRTY_NODE], Pre); */
    /*@ assert paged: \forall integer j; large_free(j) ==> extent(j) &&
            paged{Pre}(r->g, &r->key, j) && paged(r->g, &r->key, j); */
    /*@ assert soiled: \forall integer x; 0 <= x <= fence ==> soiled{Pre}(x) && soiled(x); */
    //@ assert held: held(r);
    //@ assert chunks: chunks(r);
    //@ assert dirty: dirty(r);
    //@ assert all_paged: all_paged(r);
    //@ assert untouched: untouched{Pre, Here}(r->g, i);
}

/* Cached chunk i of `size` granules, which left its fast list, becomes allocated. */
/*@ requires sound: sound(r);
    requires live: live(i) && span[i] == size;
    terminates \true;
    exits never: \false;
    assigns r->g[i].size, r->g[i].flags, r->g[i].seal, state[i];
    ensures allocated: live(i) && state[i] == SEAL_ALLOCATED;
    ensures sound: sound(r);
    ensures topped: topped{Pre}(r) ==> topped(r);
    ensures kept: kept{Pre, Post}(r->g, i);
    ensures others: no_new{Pre, Post}(-1);
    ensures sizes: same_sizes{Pre, Post}(r->g, -1, -1);
    ensures links: same_links{Pre, Post}(r->g, -1, -1, -1, -1);
    ensures untouched: untouched{Pre, Post}(r->g, -1);
*/
static void hand_out(const struct region *r, uint32_t i, uint32_t size) {
    //@ assert extents: \forall integer j; chunk(j) ==> extent(j);
    //@ ghost state[i] = SEAL_ALLOCATED;
    header_write(r->g, &r->key, i, size, r->g[i].flags, SEAL_ALLOCATED);
    //@ assert sizes: same_sizes{Pre, Here}(r->g, -1, -1);
    //@ assert links: same_links{Pre, Here}(r->g, -1, -1, -1, -1);
    //@ assert key: same_key{Pre, Here}(&r->key) && same_secrets{Pre, Here}(&r->key);
    //@ assert mark: mark(r->g, &r->key, i);
    /*@ assert marks: \forall integer j; chunk(j) && j != i ==>
            mark{Pre}(r->g, &r->key, j) && mark(r->g, &r->key, j); */
    //@ assert held: held(r);
    //@ assert chunks: chunks(r);
    //@ assert free: \forall integer j; is_free(j) <==> is_free{Pre}(j) && j != i;
    /*@ assert placed: \forall integer x; REGION_FIRST <= x <= fence ==>
            place{Pre}(x) && place(x); */
    /*@ assert linked: \forall integer x; 0 <= x < fence && hangs(x) ==>
            hooked{Pre}(r->g, x) && hooked(r->g, x); */
    /*@ assert follows: \forall integer x; 0 <= x < fence && in_large(x) ==>
            follows{Pre}(x, r->g[x].lo) && follows(x, r->g[x].lo); */
    /*@ assert rung: \forall integer y; 0 <= y < fence && in_ring(y) ==>
            rung{Pre}(r->g, y) && rung(r->g, y); */
    /*@ assert told: \forall integer j; is_free(j) ==> told{Pre}(r->g, j) && told(r->g, j); */
    /*@ assert empty: \forall integer c; BIN_UNSORTED <= c < BIN_COUNT && !marked(&r->bins, c) ==>
            empty{Pre}(r->g, c) && empty(r->g, c); */
    /*@ assert firsts: \forall integer s; CHUNK_MIN_GRANULES <= s <= FAST_MAX_GRANULES ==>
            fast_first{Pre}(&r->bins, s) && fast_first(&r->bins, s); */
    /*@ assert fast: \forall integer j; chunk(j) && list[j + 1] >= LIST_FAST ==>
            fast_link{Pre}(r->g, j) && fast_link(r->g, j); */
    /*@ assert tallied: \forall integer x; REGION_FIRST <= x <= fence ==>
            tallied_as{Pre}(x) && tallied_as(x); */
    //@ assert lists: lists(r);
    /*@ assert paged: \forall integer j; large_free(j) ==>
            large_free{Pre}(j) && paged{Pre}(r->g, &r->key, j) && paged(r->g, &r->key, j); */
    /*@ assert soiled: \forall integer x; 0 <= x <= fence ==> soiled{Pre}(x) && soiled(x); */
    //@ assert seals: same_seals{Pre, Here}(r->g, i, -1);
    //@ assert tags: same_tags{Pre, Here}(r->g, -1);
    //@ assert untouched: untouched{Pre, Here}(r->g, -1);
}
/* An allocated chunk waits in no list. */
/*@ ghost
    /@ requires fence: REGION_FIRST < fence <= REGION_LIMIT_GRANULES;
       requires tiling: tiling;
       requires placed: placed;
       terminates \true;
       exits never: \false;
       assigns \nothing;
       ensures live: \forall integer j; chunk(j) && state[j] == SEAL_ALLOCATED ==> live(j);
    @/
    void allocated_live(void) {
        /@ assert inner: \forall integer j, m; chunk(j) && j < m < j + span[j] ==> !chunk(m); @/
        /@ assert placed: \forall integer j; chunk(j) ==> extent(j) && place(j + 1); @/
    }

    /@ requires fence: REGION_FIRST < fence <= REGION_LIMIT_GRANULES;
       requires tiled: tiled(r->g);
       requires tagged: tagged(r->g);
       requires coalesced: coalesced;
       requires free: is_free(i);
       terminates \true;
       exits never: \false;
       assigns \nothing;
       ensures before: r->g[i].prev_inuse == 1;
       ensures behind: !is_free(i + span[i]);
    @/
    void free_alone(const struct region *r, uint32_t i) {
        uint32_t before;
        if (i != REGION_FIRST) {
            before = chunk_before(i);
            /@ assert before: !is_free(before) && tag(r->g, before); @/
        }
    }

    /@ requires fence: REGION_FIRST < fence <= REGION_LIMIT_GRANULES;
       requires tiled: tiled(r->g);
       requires tagged: tagged(r->g);
       requires chunk: chunk(i);
       terminates \true;
       exits never: \false;
       assigns \nothing;
       ensures bit: r->g[i].prev_inuse <= 1;
    @/
    void tag_told(const struct region *r, uint32_t i) {
        uint32_t before;
        if (i != REGION_FIRST) {
            before = chunk_before(i);
            /@ assert before: extent(before) && tag(r->g, before); @/
        }
    }
*/

/* Free chunk i (in no bin) becomes allocated. Returns its pages that were given back. */
/*@ requires binless: binless(r, i);
    terminates \true;
    exits never: \false;
    assigns r->dirty_granules, r->last_remainder, r->g[0 .. fence - 1].lo, r->g[0 .. fence - 1].hi,
            r->g[i].size, r->g[i].flags, r->g[i].seal, r->g[i + r->g[i].size].prev_inuse,
            list[i + 1 .. i + r->g[i].size - 1], dirt[i + 1 .. i + r->g[i].size - 1], state[i];
    ensures run: run(\result);
    ensures allocated: live(i) && state[i] == SEAL_ALLOCATED;
    ensures sound: sound(r);
    ensures sizes: same_sizes{Pre, Post}(r->g, -1, -1);
    ensures waits: same_waits{Pre, Post}(-1);
    ensures top: r->top == \old(r->top);
    ensures topped: topped{Pre}(r) && i != \old(r->top) ==> topped(r);
    ensures kept: kept{Pre, Post}(r->g, -1);
    ensures no_new: no_new{Pre, Post}(i);
    ensures untouched: untouched{Pre, Post}(r->g, -1);
*/
static struct page_run take(struct region *r, uint32_t i) {
    //@ ghost uint32_t top = r->top;
    struct page_run run = dirty_out(r, i);
    //@ assert top: r->top == top;
    //@ assert held: held(r);
    //@ assert sealed: sealed(r->g, &r->key);
    //@ assert bare: bare(i);
    //@ assert in_hand: in_hand(r, i);
    //@ ghost Out: ;
    use(r, i);
    //@ ghost allocated_live();
    //@ assert kept: kept{Pre, Here}(r->g, -1);
    //@ assert untouched: untouched{Out, Here}(r->g, -1);
    //@ assert payload: both{Pre, Out, Here}(r->g, -1);
    //@ assert untouched: untouched{Pre, Here}(r->g, -1);
    //@ ghost Used: ;
    if (i == r->last_remainder)
        note(r, &r->last_remainder, 0);
    //@ assert payload: both{Pre, Used, Here}(r->g, -1);
    //@ assert cells: cellwise{Pre, Here}(r->g, -1);
    //@ assert untouched: untouched{Pre, Here}(r->g, -1);
    //@ assert top: r->top == top;
    /*@ assert topped: topped{Pre}(r) && i != top ==>
            is_free(top) && ends_at(top, fence) && list[top + 1] == LIST_NONE; */
    return run;
}

/* Live chunk i, whose neighbours are in use, becomes free. `run`: pages in it known to be
 * given back. It is top if `top`, else it goes to the unsorted bin. */
/*@ requires sound: sound(r);
    requires live: live(i);
    requires alone_before: r->g[i].prev_inuse == 1;
    requires alone_behind: !is_free(i + r->g[i].size);
    requires end: top <==> ends_at(i, fence);
    terminates \true;
    exits never: \false;
    assigns r->dirty_granules, r->top, r->g[0 .. fence].lo, r->g[0 .. fence].hi, r->g[i].size,
            r->g[i].flags, r->g[i].seal, r->g[i + r->g[i].size].prev_inuse, r->bins.map[0],
            r->bins.free_chunks, r->bins.free_granules, list[i + 1 .. i + r->g[i].size - 1],
            tally[i + 1], weight[i + 1], dirt[i + 1 .. i + r->g[i].size - 1], state[i];
    ensures free: is_free(i);
    ensures sound: sound(r);
    ensures sizes: same_sizes{Pre, Post}(r->g, -1, -1);
    ensures top: top ==> r->top == i && topped(r);
    ensures no_top: !top ==> r->top == \old(r->top);
    ensures topped: !top && topped{Pre}(r) ==> topped(r);
    ensures kept: kept{Pre, Post}(r->g, i);
    ensures no_new: no_new{Pre, Post}(-1);
    ensures untouched: untouched{Pre, Post}(r->g, i);
*/
static void put(struct region *r, uint32_t i, struct page_run run, bool top) {
    //@ ghost uint32_t old_top = r->top;
    unuse(r, i);
    //@ assert top: r->top == old_top;
    //@ assert inside: hooked(r->g, DIRTY_HEAD) && extent(i) && span[i] == r->g[i].size;
    //@ ghost Free: ;
    dirty_in(r, i, run);
    //@ assert key: same_key{Free, Here}(&r->key) && same_secrets{Free, Here}(&r->key);
    /*@ assert marks: \forall integer j; chunk(j) ==>
            mark{Free}(r->g, &r->key, j) && mark(r->g, &r->key, j); */
    //@ assert top: r->top == old_top;
    /*@ assert topped: topped{Pre}(r) ==> old_top != i && is_free(old_top) &&
            ends_at(old_top, fence) && list[old_top + 1] == LIST_NONE; */
    //@ assert held: held(r);
    //@ assert states: \forall integer j; chunk(j) ==> state[j] <= SEAL_FREE && mark{Free}(r->g, &r->key, j);
    /*@ assert fence: sealed_as{Free}(r->g, &r->key, fence, SEAL_FENCE) &&
            sealed_as(r->g, &r->key, fence, SEAL_FENCE); */
    //@ assert sealed: sealed(r->g, &r->key);
    //@ assert binless: binless(r, i);
    //@ assert kept: kept{Pre, Here}(r->g, i);
    //@ assert untouched: untouched{Free, Here}(r->g, -1);
    //@ assert payload: both{Pre, Free, Here}(r->g, i);
    //@ assert cells: cellwise{Pre, Here}(r->g, i);
    //@ assert untouched: untouched{Pre, Here}(r->g, i);
    if (top)
        note(r, &r->top, i);
    else
        to_unsorted(r, i);
}

/* Live chunk i takes in the free one behind it, which leaves its bin if it is not top. Returns the
 * pages of that one that were given back. Inline by word: gcc would rather inline smaller ones (22 instructions
 * in the path arena). */
/*@ requires rest: at_rest(r);
    requires live: live(i);
    requires behind: is_free(i + r->g[i].size);
    terminates \true;
    exits never: \false;
    assigns CHUNKS_OF(r);
    ensures run: run(\result);
    ensures allocated: live(i) && state[i] == SEAL_ALLOCATED;
    ensures sum: span[i] == \old(span[i] + span[i + r->g[i].size]);
    ensures flags: r->g[i].flags == \old(r->g[i].flags);
    ensures tag: r->g[i].prev_inuse == \old(r->g[i].prev_inuse);
    ensures alone_behind: !is_free(i + span[i]);
    ensures sound: sound(r);
    ensures topped: !ends_at(i, fence) ==> topped(r);
    ensures kept: kept{Pre, Post}(r->g, i);
    ensures no_new: no_new{Pre, Post}(i);
    ensures untouched: untouched{Pre, Post}(r->g, -1);
*/
static inline struct page_run take_in(struct region *r, uint32_t i) {
    uint32_t next = i + r->g[i].size;
    //@ ghost free_alone(r, next);
    //@ ghost uint32_t top = r->top;
    //@ assert extents: extent(i) && extent(next) && extent(top);
    //@ assert bin: next != top ==> in_bin(next) && hooked(r->g, next + 1);
    if (next != r->top)
        from_bin(r, next);
    //@ assert binless: r->top == top && binless(r, next) && topped(r);
    //@ assert untouched: untouched{Pre, Here}(r->g, -1);
    //@ ghost Loose: ;
    struct page_run run = take(r, next);
    //@ assert untouched: untouched{Loose, Here}(r->g, -1);
    //@ assert payload: both{Pre, Loose, Here}(r->g, -1);
    //@ assert cells: cellwise{Pre, Here}(r->g, -1);
    //@ assert untouched: untouched{Pre, Here}(r->g, -1);
    //@ assert topped: r->top == top && (next != top ==> topped(r));
    //@ assert no_new: no_new{Pre, Here}(next);
    //@ assert extents: extent(i) && extent(next) && r->g[i].size == span[i];
    //@ ghost Taken: ;
    merge(r, i);
    //@ assert untouched: untouched{Taken, Here}(r->g, -1);
    //@ assert untouched: untouched{Pre, Here}(r->g, -1);
    //@ assert topped: r->top == top && (next != top ==> topped(r));
    return run;
}

/* Live chunk i takes in the chunk behind it if that is free. */
/*@ requires rest: at_rest(r);
    requires live: live(i);
    terminates \true;
    exits never: \false;
    assigns CHUNKS_OF(r);
    ensures run: run(\result);
    ensures live: live(i);
    ensures tag: r->g[i].prev_inuse == \old(r->g[i].prev_inuse);
    ensures alone_behind: !is_free(i + span[i]);
    ensures sound: sound(r);
    ensures topped: !ends_at(i, fence) ==> topped(r);
    ensures kept: kept{Pre, Post}(r->g, i);
    ensures grown: span[i] >= \old(span[i]);
    ensures no_new: no_new{Pre, Post}(i);
    ensures untouched: untouched{Pre, Post}(r->g, -1);
*/
static struct page_run merge_next(struct region *r, uint32_t i) {
    return next_is_free(r, i + r->g[i].size) ? take_in(r, i) : no_pages;
}

/* Free chunk i takes in the live one behind it and is allocated. Returns its pages that were given back. */
/*@ requires sound: sound(r);
    requires free: is_free(i);
    requires behind: live(i + r->g[i].size);
    requires alone_behind: !is_free(i + span[i] + span[i + span[i]]);
    terminates \true;
    exits never: \false;
    assigns CHUNKS_OF(r);
    ensures run: run(\result);
    ensures allocated: live(i) && state[i] == SEAL_ALLOCATED;
    ensures sum: span[i] == \old(span[i] + span[i + r->g[i].size]);
    ensures gone: !begins(\old(i + r->g[i].size));
    ensures alone_before: r->g[i].prev_inuse == 1;
    ensures alone_behind: !is_free(i + span[i]);
    ensures sound: sound(r);
    ensures top: r->top == \old(r->top);
    ensures topped: topped{Pre}(r) ==> topped(r);
    ensures kept: kept{Pre, Post}(r->g, \old(i + r->g[i].size));
    ensures no_new: no_new{Pre, Post}(i);
    ensures untouched: untouched{Pre, Post}(r->g, -1);
*/
static struct page_run merge_into(struct region *r, uint32_t i) {
    //@ ghost free_alone(r, i);
    //@ ghost uint32_t next = i + r->g[i].size;
    //@ ghost uint32_t end = next + r->g[next].size;
    //@ ghost uint32_t top = r->top;
    //@ assert extents: extent(i) && extent(next) && end == next + span[next];
    //@ assert end: next == i + span[i] && !is_free(end);
    //@ assert bin: in_bin(i) && hooked(r->g, i + 1);
    from_bin(r, i);
    //@ assert top: r->top == top;
    //@ assert untouched: untouched{Pre, Here}(r->g, -1);
    //@ ghost Loose: ;
    struct page_run run = take(r, i);
    //@ assert untouched: untouched{Loose, Here}(r->g, -1);
    //@ assert payload: both{Pre, Loose, Here}(r->g, -1);
    //@ assert cells: cellwise{Pre, Here}(r->g, -1);
    //@ assert untouched: untouched{Pre, Here}(r->g, -1);
    //@ assert top: r->top == top && (topped{Pre}(r) ==> i != top && topped(r));
    //@ assert no_new: no_new{Pre, Here}(i);
    //@ assert kept: kept{Pre, Here}(r->g, -1);
    //@ assert extents: extent(i) && extent(next) && r->g[i].size == span[i] && live(next);
    //@ assert behind: i < next < end && !is_free(end);
    /*@ assert topped: topped{Pre}(r) ==> top != i && top != next && is_free(top) &&
            ends_at(top, fence) && list[top + 1] == LIST_NONE; */
    //@ ghost Taken: ;
    merge(r, i);
    //@ assert untouched: untouched{Taken, Here}(r->g, -1);
    //@ assert payload: both{Pre, Taken, Here}(r->g, -1);
    //@ assert cells: cellwise{Pre, Here}(r->g, -1);
    //@ assert untouched: untouched{Pre, Here}(r->g, -1);
    //@ assert behind: !is_free(end);
    //@ assert kept: kept{Pre, Here}(r->g, next);
    //@ assert top: r->top == top;
    /*@ assert topped: topped{Pre}(r) ==> is_free(r->top) && ends_at(r->top, fence) &&
            list[r->top + 1] == LIST_NONE; */
    //@ assert topped: topped{Pre}(r) ==> topped(r);
    //@ assert alone_behind: end == i + span[i] && !is_free(i + span[i]);
    return run;
}

/* Live chunk i merges with its free neighbours and becomes free. Granules of what it is then. */
/*@ requires rest: at_rest(r);
    requires live: live(i);
    terminates \true;
    exits never: \false;
    assigns CHUNKS_OF(r);
    ensures rest: at_rest(r);
    ensures kept: kept{Pre, Post}(r->g, i);
    ensures freed: \forall integer j; live(j) ==> live{Pre}(j) && j != i;
    ensures size: \result >= \old(span[i]);
    ensures untouched: untouched{Pre, Post}(r->g, i);
*/
static uint32_t release(struct region *r, uint32_t i) {
    const struct granule *g = r->g;
    struct page_run run = merge_next(r, i);
    //@ assert grown: g[i].size == span[i] && span[i] >= \at(span[i], Pre);
    bool top = i + g[i].size == r->bins.fence;
    //@ ghost uint32_t first = i;
    //@ ghost uint32_t least = g[i].size;
    //@ ghost uint32_t end = i + g[i].size;
    //@ assert extent: extent(i) && end == i + span[i] && !is_free(end);
    //@ ghost tag_told(r, i);
    //@ ghost Next: ;
    if (g[i].prev_inuse == 0) {
        i = checked_previous(r, i);
        //@ assert first: extent(i) && g[i].size == span[i] && first == i + span[i] && live(first);
        //@ assert end: end == i + span[i] + span[i + span[i]];
        //@ assert free: i != first && !live(i) && !live{Pre}(i);
        run = longer(run, merge_into(r, i));
        //@ assert untouched: untouched{Next, Here}(r->g, -1);
        //@ assert untouched: untouched{Pre, Here}(r->g, first);
        //@ assert kept: kept{Pre, Here}(r->g, first);
        //@ assert before: r->g[i].prev_inuse == 1;
        //@ assert behind: !is_free(i + span[i]);
        //@ assert end: end == i + span[i];
        //@ assert behind: !is_free(end);
    }
    //@ assert end: end == i + span[i];
    //@ assert behind: !is_free(end);
    //@ assert before: r->g[i].prev_inuse == 1;
    //@ assert kept: kept{Pre, Here}(r->g, first);
    //@ assert freed: \forall integer j; live(j) && j != i ==> live{Pre}(j) && j != first;
    //@ assert whole: live(i) && g[i].size == span[i] && end == i + g[i].size;
    //@ assert own: i == first || !live{Pre}(i);
    //@ assert size: i <= first && first + least == end && g[i].size >= least;
    //@ assert untouched: untouched{Pre, Here}(r->g, first);
    //@ ghost Merged: ;
    put(r, i, run, top);
    //@ assert untouched: untouched{Merged, Here}(r->g, i);
    //@ assert payload: both{Pre, Merged, Here}(r->g, first);
    //@ assert cells: cellwise{Pre, Here}(r->g, first);
    //@ assert untouched: untouched{Pre, Here}(r->g, first);
    return g[i].size;
}

/* Allocated chunk i shrinks to `size` if what is left over makes a chunk; the chunk behind is in
 * use. The rest is free then (and returned), or 0. */
/*@ requires sound: sound(r);
    requires allocated: live(i) && state[i] == SEAL_ALLOCATED;
    requires size: CHUNK_MIN_GRANULES <= size <= r->g[i].size;
    requires alone_behind: !is_free(i + r->g[i].size);
    requires end: top <==> ends_at(i, fence);
    requires room: top ==> size + CHUNK_MIN_GRANULES <= r->g[i].size;
    requires topped: !top ==> topped(r);
    terminates \true;
    exits never: \false;
    assigns r->dirty_granules, r->top, HEADERS_OF(r), BINS_OF(r), dirt[0 .. fence],
            span[i .. i + size], state[i .. i + size];
    ensures rest: at_rest(r);
    ensures allocated: live(i) && state[i] == SEAL_ALLOCATED && size <= span[i] <= size + 1;
    ensures flags: r->g[i].flags == \old(r->g[i].flags);
    ensures uncut: \old(span[i]) < size + CHUNK_MIN_GRANULES ==> \result == 0;
    ensures cut_off: \old(span[i]) >= size + CHUNK_MIN_GRANULES ==> \result == i + size;
    ensures kept: kept{Pre, Post}(r->g, i);
    ensures no_new: no_new{Pre, Post}(i);
    ensures untouched: untouched{Pre, Post}(r->g, i);
    ensures payload: same_payload{Pre, Post}(r->g, i, span[i]);
*/
static uint32_t cut(struct region *r, uint32_t i, uint32_t size, struct page_run run, bool top) {
    //@ assert whole: extent(i) && r->g[i].size == span[i];
    if (r->g[i].size - size < CHUNK_MIN_GRANULES)
        return 0;
    uint32_t rest = split(r, i, size);
    //@ ghost allocated_live();
    //@ assert rest: rest == i + size;
    //@ assert untouched: untouched{Pre, Here}(r->g, i);
    //@ assert payload: same_payload{Pre, Here}(r->g, i, size);
    //@ ghost Split: ;
    put(r, rest, run, top);
    //@ assert untouched: untouched{Split, Here}(r->g, rest);
    //@ assert payload: both{Pre, Split, Here}(r->g, i);
    //@ assert cells: cellwise{Pre, Here}(r->g, i);
    //@ assert untouched: untouched{Pre, Here}(r->g, i);
    //@ assert payload: live{Split}(i) && same_payload{Split, Here}(r->g, i, size);
    return rest;
}

/* ---- Allocate -------------------------------------------------------------------------------- */

/* Sort up to `steps` unsorted chunks, oldest first, until one fits exactly. A small request that meets the
 * last remainder alone splits it on, so that a run of small requests stays together. */
/*@ requires rest: at_rest(r);
    requires size: request(size);
    terminates \true;
    exits never: \false;
    assigns BINS_OF(r);
    ensures topped: topped(r);
    ensures none: \result == 0 ==> sound(r);
    ensures found: \result != 0 ==> binless(r, \result) && span[\result] >= size;
    ensures exact: \result != 0 && span[\result] != size ==> size < LARGE_MIN_GRANULES &&
        \result == r->last_remainder && span[\result] >= size + CHUNK_MIN_GRANULES;
    ensures no_top: \result != r->top;
    ensures kept: kept{Pre, Post}(r->g, -1);
    ensures no_new: no_new{Pre, Post}(-1);
    ensures untouched: untouched{Pre, Post}(r->g, -1);
*/
static uint32_t find_unsorted(struct region *r, uint32_t size, uint32_t steps) {
    struct granule *g = r->g;
    /*@ loop invariant steps: step <= steps;
        loop invariant rest: at_rest(r);
        loop invariant top: r->top == \at(r->top, Pre);
        loop invariant kept: kept{Pre, Here}(r->g, -1);
        loop invariant no_new: no_new{Pre, Here}(-1);
        loop invariant untouched: untouched{Pre, Here}(r->g, -1);
        loop assigns step, BINS_OF(r);
        loop variant steps - step;
    */
    for (uint32_t step = 0; step < steps; step++) {
        //@ ghost Before: ;
        uint32_t i = bin_last(g, BIN_UNSORTED);
        if (i == 0)
            break;
        check_free(r, i);
        //@ assert inside: extent(i) && in_bin(i) && hooked(g, i + 1) && hooked(g, BIN_UNSORTED);
        //@ assert no_top: i != r->top;
        bool alone = g[BIN_UNSORTED].lo == g[BIN_UNSORTED].hi;
        from_bin(r, i);
        //@ assert left: binless(r, i) && topped(r) && extent(i) && g[i].size == span[i];
        //@ assert kept: kept{Pre, Here}(r->g, -1);
        //@ assert no_new: no_new{Pre, Here}(-1);
        //@ assert untouched: untouched{Before, Here}(r->g, -1);
        //@ assert payload: both{Pre, Before, Here}(r->g, -1);
        //@ assert cells: cellwise{Pre, Here}(r->g, -1);
        //@ assert untouched: untouched{Pre, Here}(r->g, -1);
        if (g[i].size == size || (size < LARGE_MIN_GRANULES && alone && i == r->last_remainder &&
                                  g[i].size >= size + CHUNK_MIN_GRANULES))
            return i;
        //@ ghost Left: ;
        to_bin(r, i);
        //@ assert untouched: untouched{Left, Here}(r->g, -1);
        //@ assert payload: both{Pre, Left, Here}(r->g, -1);
        //@ assert cells: cellwise{Pre, Here}(r->g, -1);
        //@ assert untouched: untouched{Pre, Here}(r->g, -1);
    }
    return 0;
}

/* A sorted chunk that is large enough, the smallest but for what bin_best_fit passes over. */
/*@ requires rest: at_rest(r);
    requires size: request(size);
    terminates \true;
    exits never: \false;
    assigns BINS_OF(r);
    ensures topped: topped(r);
    ensures none: \result == 0 ==> sound(r);
    ensures found: \result != 0 ==> binless(r, \result) && span[\result] >= size;
    ensures none_binned: \result == 0 ==> none_binned(r, size);
    ensures no_top: \result != r->top;
    ensures kept: kept{Pre, Post}(r->g, -1);
    ensures no_new: no_new{Pre, Post}(-1);
    ensures untouched: untouched{Pre, Post}(r->g, -1);
*/
static uint32_t find_sorted(struct region *r, uint32_t size) {
    uint32_t bin = bin_next_marked(&r->bins, bin_index(size));
    /*@ loop invariant bin: bin_for(size) <= bin <= BIN_COUNT;
        loop invariant none: \forall integer c; bin_for(size) <= c < bin ==> none_fits(r->g, c, size);
        loop assigns bin;
        loop variant BIN_COUNT - bin;
    */
    while (bin < BIN_COUNT) {
        uint32_t i =
            bin < BIN_LARGE_FIRST ? bin_last(r->g, bin) : bin_best_fit(r->g, &r->bins, bin, size);
        if (i != 0) {
            //@ assert inside: extent(i) && in_bin(i) && hooked(r->g, i + 1);
            //@ assert place: place(i + 1) && bin_for(span[i]) == bin;
            //@ assert fits: span[i] >= size && i != r->top;
            from_bin(r, i);
            check_free(r, i);
            return i;
        }
        //@ assert left: none_fits(r->g, bin, size);
        bin = bin_next_marked(&r->bins, bin + 1);
        /*@ assert unmarked: \forall integer c; bin_for(size) <= c < bin ==>
                none_fits(r->g, c, size) || !marked(&r->bins, c) && c >= BIN_UNSORTED && c < BIN_COUNT; */
    }
    return 0;
}

/* A free chunk of `size` or more, out of its bin, or top if it is as large and can stay behind. */
/*@ requires rest: at_rest(r);
    requires size: request(size);
    terminates \true;
    exits never: \false;
    assigns BINS_OF(r);
    ensures topped: topped(r);
    ensures none: \result == 0 ==> sound(r);
    ensures found: \result != 0 ==> binless(r, \result) && span[\result] >= size;
    ensures spare: \result != 0 && \result == r->top ==>
        span[\result] >= size + CHUNK_MIN_GRANULES;
    ensures exact: size < LARGE_MIN_GRANULES && !empty{Pre}(r->g, size) ==>
        \result != 0 && span[\result] == size;
    ensures none_binned: \result == 0 || \result == r->top ==> none_binned(r, size);
    ensures short: \result == 0 ==> span[r->top] < size + CHUNK_MIN_GRANULES;
    ensures merged: merged{Pre}(r) ==> merged(r);
    ensures kept: kept{Pre, Post}(r->g, -1);
    ensures no_new: no_new{Pre, Post}(-1);
    ensures untouched: untouched{Pre, Post}(r->g, -1);
*/
static uint32_t find(struct region *r, uint32_t size) {
    //@ assert held: held(r) && \base_addr(r) != \base_addr(r->g);
    uint32_t i = size < LARGE_MIN_GRANULES ? bin_last(r->g, size) : 0;
    if (i != 0) {
        //@ assert inside: extent(i) && in_bin(i) && hooked(r->g, i + 1);
        //@ assert fits: place(i + 1) && span[i] == size && i != r->top;
        from_bin(r, i);
        /*@ assert fast: \forall integer s; 0 <= s < FAST_BIN_COUNT ==>
                r->bins.fast[s] == \at(r->bins.fast[s], Pre); */
        check_free(r, i);
        return i;
    }
    i = find_unsorted(r, size, UNSORTED_STEPS);
    //@ ghost Sorted: ;
    /*@ assert fast: \forall integer s; 0 <= s < FAST_BIN_COUNT ==>
            r->bins.fast[s] == \at(r->bins.fast[s], Pre); */
    //@ assert held: held(r) && \base_addr(r) != \base_addr(r->g);
    if (i == 0) {
        i = find_sorted(r, size);
        /*@ assert fast: \forall integer s; 0 <= s < FAST_BIN_COUNT ==>
                r->bins.fast[s] == \at(r->bins.fast[s], Sorted); */
    }
    /*@ assert fast: \forall integer s; 0 <= s < FAST_BIN_COUNT ==>
            r->bins.fast[s] == \at(r->bins.fast[s], Sorted); */
    if (i != 0)
        return i;
    check_top(r);
    return region_top_granules(r) < size + CHUNK_MIN_GRANULES ? 0 : r->top;
}

/* The same; what waits in fast bins is merged first if it could help. */
/*@ requires rest: at_rest(r);
    requires size: request(size);
    terminates \true;
    exits never: \false;
    assigns CHUNKS_OF(r), FAST_OF(r);
    ensures topped: topped(r);
    ensures none: \result == 0 ==> sound(r);
    ensures found: \result != 0 ==> binless(r, \result) && span[\result] >= size;
    ensures spare: \result != 0 && \result == r->top ==>
        span[\result] >= size + CHUNK_MIN_GRANULES;
    ensures merged: \result == 0 || size >= LARGE_MIN_GRANULES ==> merged(r);
    ensures none_binned: \result == 0 || \result == r->top ==> none_binned(r, size);
    ensures short: \result == 0 ==> span[r->top] < size + CHUNK_MIN_GRANULES;
    ensures kept: kept{Pre, Post}(r->g, -1);
    ensures no_new: no_new{Pre, Post}(-1);
    ensures untouched: untouched{Pre, Post}(r->g, -1);
*/
static uint32_t find_merged(struct region *r, uint32_t size) {
    if (size >= LARGE_MIN_GRANULES && r->bins.fast_chunks != 0)
        region_consolidate(r);
    //@ assert merged: size >= LARGE_MIN_GRANULES ==> merged(r);
    //@ assert kept: at_rest(r) && kept{Pre, Here}(r->g, -1) && no_new{Pre, Here}(-1);
    //@ assert untouched: untouched{Pre, Here}(r->g, -1);
    //@ ghost Merged: ;
    uint32_t i = find(r, size);
    //@ assert merged: size >= LARGE_MIN_GRANULES ==> merged(r);
    //@ assert kept: kept{Pre, Here}(r->g, -1) && no_new{Pre, Here}(-1);
    //@ assert payload: both{Pre, Merged, Here}(r->g, -1);
    //@ assert cells: cellwise{Pre, Here}(r->g, -1);
    //@ assert untouched: untouched{Pre, Here}(r->g, -1);
    //@ ghost Searched: ;
    if (i == 0 && r->bins.fast_chunks != 0) {
        region_consolidate(r);
        //@ assert merged: merged(r);
        /*@ assert both: \forall integer j; live{Pre}(j) ==>
                as_before{Pre, Searched}(r->g, j) && as_before{Searched, Here}(r->g, j); */
        //@ assert kept: at_rest(r) && kept{Pre, Here}(r->g, -1) && no_new{Pre, Here}(-1);
        //@ assert payload: both{Pre, Searched, Here}(r->g, -1);
        //@ assert cells: cellwise{Pre, Here}(r->g, -1);
        //@ assert untouched: untouched{Pre, Here}(r->g, -1);
        //@ ghost Again: ;
        i = find(r, size);
        //@ assert merged: merged(r);
        //@ assert kept: kept{Pre, Here}(r->g, -1) && no_new{Pre, Here}(-1);
        //@ assert payload: both{Pre, Again, Here}(r->g, -1);
        //@ assert cells: cellwise{Pre, Here}(r->g, -1);
        //@ assert untouched: untouched{Pre, Here}(r->g, -1);
    }
    return i;
}

/* Up to `wanted` chunks from the fast list of `size`, into served[]. How many. */
/*@ requires rest: at_rest(r);
    requires size: CHUNK_MIN_GRANULES <= size <= FAST_MAX_GRANULES;
    requires room: \valid(served + (0 .. wanted - 1)) && \base_addr(served) != \base_addr(r) &&
        \base_addr(served) != \base_addr(r->g);
    terminates \true;
    exits never: \false;
    assigns served[0 .. wanted - 1], r->bins.fast[size], r->bins.fast_chunks,
            r->bins.fast_granules, r->g[0 .. fence].size, r->g[0 .. fence].seal,
            r->g[0 .. fence].flags, list[0 .. fence], tally[0 .. fence], above[0 .. fence],
            state[0 .. fence];
    ensures count: \result <= wanted;
    ensures each: \forall integer n; 0 <= n < \result ==> live(served[n]) &&
        !live{Pre}(served[n]) && state[served[n]] == SEAL_ALLOCATED && span[served[n]] == size;
    ensures distinct: \forall integer n, m; 0 <= n < m < \result ==> served[n] != served[m];
    ensures unserved: \forall integer n; \result <= n < wanted ==> served[n] == \old(served[n]);
    ensures rest: at_rest(r);
    ensures kept: kept{Pre, Post}(r->g, -1);
    ensures others: \forall integer j; live(j) ==> live{Pre}(j) || among(served, \result, j);
    ensures untouched: untouched{Pre, Post}(r->g, -1);
*/
static uint32_t serve_fast(struct region *r, uint32_t size, uint32_t wanted, uint32_t *served) {
    uint32_t count = 0;
    /*@ loop invariant count: count <= wanted;
        loop invariant each: \forall integer n; 0 <= n < count ==> live(served[n]) &&
            !live{Pre}(served[n]) && state[served[n]] == SEAL_ALLOCATED && span[served[n]] == size;
        loop invariant distinct: \forall integer n, m; 0 <= n < m < count ==>
            served[n] != served[m];
        loop invariant unserved: \forall integer n; count <= n < wanted ==>
            served[n] == \at(served[n], Pre);
        loop invariant rest: at_rest(r);
        loop invariant kept: kept{Pre, Here}(r->g, -1);
        loop invariant untouched: untouched{Pre, Here}(r->g, -1);
        loop invariant others: \forall integer j; live(j) ==>
            live{Pre}(j) || among(served, count, j);
        loop assigns count, served[0 .. wanted - 1], r->bins.fast[size], r->bins.fast_chunks,
            r->bins.fast_granules, r->g[0 .. fence].size, r->g[0 .. fence].seal,
            r->g[0 .. fence].flags, list[0 .. fence], tally[0 .. fence], above[0 .. fence],
            state[0 .. fence];
        loop variant wanted - count;
    */
    while (count < wanted) {
        //@ ghost Before: ;
        uint32_t i = from_fast(r, size);
        if (i == 0)
            break;
        //@ assert same: \forall integer n; 0 <= n < wanted ==> served[n] == \at(served[n], Before);
        /*@ assert still: \forall integer n; 0 <= n < count ==> live{Before}(served[n]) &&
                as_before{Before, Here}(r->g, served[n]) && served[n] != i; */
        //@ assert untouched: untouched{Before, Here}(r->g, -1);
        //@ assert payload: both{Pre, Before, Here}(r->g, -1);
        //@ assert cells: cellwise{Pre, Here}(r->g, -1);
        //@ assert untouched: untouched{Pre, Here}(r->g, -1);
        //@ assert kept: kept{Pre, Here}(r->g, -1);
        //@ ghost Popped: ;
        hand_out(r, i, size);
        //@ assert untouched: untouched{Popped, Here}(r->g, -1);
        //@ assert payload: both{Pre, Popped, Here}(r->g, -1);
        //@ assert cells: cellwise{Pre, Here}(r->g, -1);
        //@ assert untouched: untouched{Pre, Here}(r->g, -1);
        //@ assert same: \forall integer n; 0 <= n < wanted ==> served[n] == \at(served[n], Before);
        /*@ assert each: \forall integer n; 0 <= n < count ==> live{Popped}(served[n]) &&
                as_before{Popped, Here}(r->g, served[n]) && served[n] != i; */
        //@ ghost Handed: ;
        note(r, &served[count++], i);
        //@ assert payload: both{Pre, Handed, Here}(r->g, -1);
        //@ assert cells: cellwise{Pre, Here}(r->g, -1);
        //@ assert untouched: untouched{Pre, Here}(r->g, -1);
    }
    return count;
}

/* Allocated chunk i keeps `size` granules. The rest, allocated as well, goes to *served and is returned. */
/*@ requires sound: sound(r);
    requires allocated: live(i) && state[i] == SEAL_ALLOCATED;
    requires parts: CHUNK_MIN_GRANULES <= size && size + CHUNK_MIN_GRANULES <= r->g[i].size;
    requires served: \valid(served) && \base_addr(served) != \base_addr(r) &&
        \base_addr(served) != \base_addr(r->g);
    terminates \true;
    exits never: \false;
    assigns *served, r->g[i].size, r->g[i].flags, r->g[i].seal, r->g[i + size].size,
            r->g[i + size].flags, r->g[i + size].seal, r->g[i + size].prev_inuse, span[i],
            span[i + size], state[i], state[i + size];
    ensures rest: \result == i + size && *served == \result;
    ensures front: live(i) && state[i] == SEAL_ALLOCATED && span[i] == size;
    ensures back: live(\result) && state[\result] == SEAL_ALLOCATED &&
        span[\result] == \old(span[i]) - size;
    ensures sound: sound(r);
    ensures top: r->top == \old(r->top);
    ensures topped: topped{Pre}(r) ==> topped(r);
    ensures free: same_free{Pre, Post};
    ensures kept: kept{Pre, Post}(r->g, i);
    ensures untouched: untouched{Pre, Post}(r->g, i);
*/
static uint32_t deal_one(const struct region *r, uint32_t i, uint32_t size, uint32_t *served) {
    //@ ghost uint32_t top = r->top;
    //@ assert extents: extent(i) && r->g[i].size == span[i];
    uint32_t rest = split(r, i, size);
    //@ ghost allocated_live();
    //@ assert top: r->top == top;
    //@ assert kept: kept{Pre, Here}(r->g, i);
    //@ assert free: same_free{Pre, Here};
    //@ assert untouched: untouched{Pre, Here}(r->g, i);
    //@ ghost Split: ;
    note(r, served, rest);
    //@ assert untouched: untouched{Split, Here}(r->g, -1);
    //@ assert untouched: untouched{Pre, Here}(r->g, i);
    //@ assert top: r->top == top;
    return rest;
}

/* Allocated chunk i becomes as many of the wanted chunks as it can, side by side; the last has what is
 * left over, `spare` at least. How many. */
/*@ requires sound: sound(r);
    requires allocated: live(i) && state[i] == SEAL_ALLOCATED;
    requires size: request(size) && spare <= CHUNK_MIN_GRANULES && span[i] >= size + spare;
    requires wanted: wanted >= 1;
    requires served: \valid(served + (0 .. wanted - 1)) && \base_addr(served) != \base_addr(r) &&
        \base_addr(served) != \base_addr(r->g);
    terminates \true;
    exits never: \false;
    assigns served[0 .. wanted - 1], HEADERS_OF(r), span[0 .. fence], state[0 .. fence];
    ensures count: 1 <= \result <= wanted;
    ensures granted: granted(served, \result - 1, size);
    ensures within: within(served, \result, i, \old(i + span[i]));
    ensures distinct: distinct(served, \result);
    ensures unserved: unserved{Pre, Post}(served, \result, wanted);
    ensures last: live(served[\result - 1]) && state[served[\result - 1]] == SEAL_ALLOCATED;
    ensures room: span[served[\result - 1]] >= size + spare;
    ensures end: ends_at(served[\result - 1], \old(i + span[i]));
    ensures sound: sound(r);
    ensures top: r->top == \old(r->top);
    ensures topped: topped{Pre}(r) ==> topped(r);
    ensures free: same_free{Pre, Post};
    ensures kept: kept{Pre, Post}(r->g, i);
    ensures untouched: untouched{Pre, Post}(r->g, i);
*/
static uint32_t deal(const struct region *r, uint32_t i, uint32_t size, uint32_t spare,
                     uint32_t wanted, uint32_t *served) {
    //@ ghost uint32_t start = i;
    //@ ghost uint32_t end = i + r->g[i].size;
    //@ ghost uint32_t top = r->top;
    //@ assert extents: extent(i) && ends_at(i, end);
    //@ assert apart: \forall integer j; start < j < end ==> !live{Pre}(j);
    uint32_t count = 1;
    note(r, &served[0], i);
    /*@ loop invariant count: 1 <= count <= wanted;
        loop invariant sound: sound(r);
        loop invariant last: served[count - 1] == i && start <= i < end && ends_at(i, end);
        loop invariant allocated: live(i) && state[i] == SEAL_ALLOCATED;
        loop invariant room: span[i] >= size + spare;
        loop invariant within: within(served, count - 1, start, i);
        loop invariant granted: granted(served, count - 1, size);
        loop invariant distinct: distinct(served, count);
        loop invariant unserved: unserved{Pre, Here}(served, count, wanted);
        loop invariant free: same_free{Pre, Here};
        loop invariant top: r->top == top;
        loop invariant topped: topped{Pre}(r) ==> topped(r);
        loop invariant kept: kept{Pre, Here}(r->g, start);
        loop invariant untouched: untouched{Pre, Here}(r->g, start);
        loop assigns i, count, served[0 .. wanted - 1], HEADERS_OF(r), span[0 .. fence],
            state[0 .. fence];
        loop variant wanted - count;
    */
    while (count < wanted && r->g[i].size >= 2 * size + spare) {
        //@ ghost uint32_t front = i;
        //@ ghost Whole: ;
        //@ assert front: extent(i) && r->g[i].size == span[i];
        i = deal_one(r, i, size, &served[count]);
        //@ assert unserved: unserved{Whole, Here}(served, count + 1, wanted);
        //@ assert same: \forall integer k; 0 <= k < count ==> served[k] == \at(served[k], Whole);
        //@ assert kept: kept{Pre, Here}(r->g, start);
        //@ assert untouched: untouched{Whole, Here}(r->g, front);
        //@ assert untouched: untouched{Pre, Here}(r->g, start);
        //@ assert moved: front < i && served[count - 1] == front;
        //@ assert within: within(served, count, start, i);
        //@ assert granted: granted(served, count - 1, size);
        //@ assert granted: granted(served, count, size);
        count++;
    }
    return count;
}

/* Allocated chunk i serves the last request: the rest goes back, and what is known of it is noted. */
/*@ requires sound: sound(r);
    requires allocated: live(i) && state[i] == SEAL_ALLOCATED;
    requires size: CHUNK_MIN_GRANULES <= size <= r->g[i].size;
    requires alone_behind: !is_free(i + r->g[i].size);
    requires end: top <==> ends_at(i, fence);
    requires room: top ==> size + CHUNK_MIN_GRANULES <= r->g[i].size;
    requires topped: !top ==> topped(r);
    terminates \true;
    exits never: \false;
    assigns r->dirty_granules, r->top, r->last_remainder, r->served_zero.from, r->served_zero.to,
            HEADERS_OF(r), BINS_OF(r), dirt[0 .. fence], span[i .. i + size], state[i .. i + size];
    ensures rest: at_rest(r);
    ensures allocated: live(i) && state[i] == SEAL_ALLOCATED && size <= span[i] <= size + 1;
    ensures remainder: \old(span[i]) >= size + CHUNK_MIN_GRANULES && !top && size < LARGE_MIN_GRANULES ==>
        r->last_remainder == i + size;
    ensures same_remainder: \old(span[i]) < size + CHUNK_MIN_GRANULES || top || size >= LARGE_MIN_GRANULES ==>
        r->last_remainder == \old(r->last_remainder);
    ensures zero: \forall integer x; r->served_zero.from <= x < r->served_zero.to ==>
        run.from <= x < run.to && i < x < i + span[i];
    ensures kept: kept{Pre, Post}(r->g, i);
    ensures untouched: untouched{Pre, Post}(r->g, i);
*/
static void serve_last(struct region *r, uint32_t i, uint32_t size, struct page_run run, bool top) {
    //@ assert held: held(r) && \base_addr(r) != \base_addr(r->g) && r->g[i].size == span[i];
    uint32_t rest = cut(r, i, size, run, top);
    //@ assert remainder: r->last_remainder == \at(r->last_remainder, Pre);
    //@ assert untouched: untouched{Pre, Here}(r->g, i);
    //@ ghost Cut: ;
    if (rest != 0 && !top && size < LARGE_MIN_GRANULES)
        note(r, &r->last_remainder, rest);
    //@ assert remainder: rest != 0 && !top && size < LARGE_MIN_GRANULES ==> r->last_remainder == rest;
    /*@ assert same_remainder: rest == 0 || top || size >= LARGE_MIN_GRANULES ==>
            r->last_remainder == \at(r->last_remainder, Pre); */
    //@ assert untouched: untouched{Cut, Here}(r->g, -1);
    //@ assert inside: extent(i) && r->g[i].size == span[i];
    struct page_run payload = {i + 1, i + r->g[i].size};
    //@ ghost Noted: ;
    //@ assert payload: payload.from == i + 1 && payload.to == i + span[i];
    note_zero(r, overlap(run, payload));
    //@ assert inside: payload.to == i + span[i];
    //@ assert remainder: r->last_remainder == \at(r->last_remainder, Noted);
    //@ assert payload: both{Cut, Noted, Here}(r->g, -1);
    //@ assert cells: cellwise{Cut, Here}(r->g, -1);
    //@ assert untouched: untouched{Cut, Here}(r->g, -1);
}

/* Free chunk i, from find, serves as many of the wanted requests as it can, side by side. */
/*@ requires binless: binless(r, i);
    requires topped: topped(r);
    requires size: request(size);
    requires enough: span[i] >= size;
    requires spare: i == r->top ==> span[i] >= size + CHUNK_MIN_GRANULES;
    requires wanted: wanted >= 1;
    requires served: \valid(served + (0 .. wanted - 1)) && \base_addr(served) != \base_addr(r) &&
        \base_addr(served) != \base_addr(r->g);
    terminates \true;
    exits never: \false;
    assigns CHUNKS_OF(r), r->served_zero.from, r->served_zero.to, served[0 .. wanted - 1];
    ensures count: 1 <= \result <= wanted;
    ensures rest: at_rest(r);
    ensures granted: granted(served, \result, size);
    ensures fresh: fresh{Pre, Post}(served, \result);
    ensures distinct: distinct(served, \result);
    ensures unserved: unserved{Pre, Post}(served, \result, wanted);
    ensures kept: kept{Pre, Post}(r->g, -1);
    ensures untouched: untouched{Pre, Post}(r->g, -1);
*/
static uint32_t serve(struct region *r, uint32_t i, uint32_t size, uint32_t wanted,
                      uint32_t *served) {
    bool top = i == r->top;
    //@ ghost uint32_t start = i;
    //@ ghost uint32_t end = i + r->g[i].size;
    //@ ghost uint32_t old_top = r->top;
    //@ ghost free_alone(r, i);
    //@ assert extents: extent(i) && extent(old_top) && ends_at(i, end) && (top <==> end == fence);
    //@ assert apart: \forall integer j; start <= j < end ==> !live{Pre}(j);
    //@ assert behind: !is_free(end);
    struct page_run run = take(r, i);
    //@ assert topped: r->top == old_top && (!top ==> topped(r));
    //@ assert same: \forall integer k; 0 <= k < wanted ==> served[k] == \at(served[k], Pre);
    //@ assert untouched: untouched{Pre, Here}(r->g, -1);
    //@ ghost Taken: ;
    uint32_t count = deal(r, i, size, top ? CHUNK_MIN_GRANULES : 0, wanted, served);
    i = served[count - 1];
    //@ ghost Dealt: ;
    //@ assert last: live(i) && state[i] == SEAL_ALLOCATED && r->g[i].size == span[i];
    //@ assert end: end == i + r->g[i].size && !is_free(end);
    //@ assert kept: kept{Pre, Here}(r->g, -1);
    //@ assert untouched: untouched{Taken, Here}(r->g, start);
    //@ assert payload: both{Pre, Taken, Here}(r->g, -1);
    //@ assert cells: cellwise{Pre, Here}(r->g, -1);
    //@ assert untouched: untouched{Pre, Here}(r->g, -1);
    /*@ assert others: \forall integer k; 0 <= k < count - 1 ==>
            served[k] != i && live(served[k]) && state[served[k]] == SEAL_ALLOCATED; */
    //@ assert fresh: fresh{Pre, Here}(served, count);
    //@ assert unserved: unserved{Pre, Here}(served, count, wanted);
    serve_last(r, i, size, run, top);
    //@ assert untouched: untouched{Dealt, Here}(r->g, i);
    //@ assert payload: both{Pre, Dealt, Here}(r->g, -1);
    //@ assert cells: cellwise{Pre, Here}(r->g, -1);
    //@ assert untouched: untouched{Pre, Here}(r->g, -1);
    /*@ assert same: \forall integer k; 0 <= k < wanted ==>
            served[k] == \at(served[k], Dealt); */
    /*@ assert others: \forall integer k; 0 <= k < count - 1 ==>
            as_before{Dealt, Here}(r->g, served[k]); */
    //@ assert granted: granted(served, count - 1, size);
    //@ assert granted: granted(served, count, size);
    //@ assert distinct: distinct(served, count);
    //@ assert unserved: unserved{Pre, Here}(served, count, wanted);
    return count;
}

/* What the end of a list says of itself, said of the list. */
/*@ ghost
    /@ requires distinct: distinct(these + from, n);
       terminates \true;
       exits never: \false;
       assigns \nothing;
       ensures differ: \forall integer k, m; from <= k < m < from + n ==> these[k] != these[m];
    @/
    void distinct_behind(uint32_t *these, uint32_t from, uint32_t n) {
        /@ assert part: \forall integer k, m; 0 <= k < m < n ==> differ(these + from, k, m); @/
        /@ assert whole: \forall integer k, m; from <= k < m < from + n ==>
            differ(these + from, k - from, m - from) && these[k] != these[m]; @/
    }
*/

/* Of the wanted requests `count` are served; free chunk i, from find, serves some more. How many are
 * served then. */
/*@ requires binless: binless(r, i);
    requires topped: topped(r);
    requires size: request(size);
    requires enough: span[i] >= size;
    requires spare: i == r->top ==> span[i] >= size + CHUNK_MIN_GRANULES;
    requires count: count < wanted;
    requires served: \valid(served + (0 .. wanted - 1)) && \base_addr(served) != \base_addr(r) &&
        \base_addr(served) != \base_addr(r->g);
    requires granted: granted(served, count, size);
    requires distinct: distinct(served, count);
    terminates \true;
    exits never: \false;
    assigns CHUNKS_OF(r), r->served_zero.from, r->served_zero.to, served[0 .. wanted - 1];
    ensures count: count < \result <= wanted;
    ensures rest: at_rest(r);
    ensures same: \forall integer k; 0 <= k < count ==> served[k] == \old(served[k]);
    ensures granted: granted(served, \result, size);
    ensures fresh: \forall integer k; count <= k < \result ==> !live{Pre}(served[k]);
    ensures distinct: distinct(served, \result);
    ensures unserved: unserved{Pre, Post}(served, \result, wanted);
    ensures kept: kept{Pre, Post}(r->g, -1);
    ensures untouched: untouched{Pre, Post}(r->g, -1);
*/
static uint32_t serve_more(struct region *r, uint32_t i, uint32_t size, uint32_t wanted,
                           uint32_t count, uint32_t *served) {
    uint32_t more = serve(r, i, size, wanted - count, served + count);
    //@ assert same: \forall integer k; 0 <= k < count ==> served[k] == \at(served[k], Pre);
    /*@ assert still: \forall integer k; 0 <= k < count ==> live{Pre}(served[k]) &&
            as_before{Pre, Here}(r->g, served[k]); */
    /*@ assert part: \forall integer n; 0 <= n < more ==>
            given{Pre, Here}(served + count, n, size); */
    /*@ assert whole: \forall integer k; count <= k < count + more ==>
            given{Pre, Here}(served + count, k - count, size) && live(served[k]) &&
            !live{Pre}(served[k]) && state[served[k]] == SEAL_ALLOCATED &&
            size <= span[served[k]] <= size + 1; */
    //@ assert granted: granted(served, count, size);
    //@ assert granted: granted(served, count + more, size);
    //@ assert fresh: \forall integer k; count <= k < count + more ==> !live{Pre}(served[k]);
    //@ assert distinct: distinct(served, count);
    //@ ghost distinct_behind(served, count, more);
    /*@ assert differ_old: \forall integer k, m; 0 <= k < count && count <= m < count + more ==>
            served[k] != served[m]; */
    //@ assert distinct: distinct(served, count + more);
    /*@ assert stayed_part: \forall integer n; more <= n < wanted - count ==>
            stayed{Pre, Here}(served + count, n); */
    /*@ assert stayed: \forall integer k; count + more <= k < wanted ==>
            stayed{Pre, Here}(served + count, k - count) && served[k] == \at(served[k], Pre); */
    //@ assert unserved: unserved{Pre, Here}(served, count + more, wanted);
    return count + more;
}

uint32_t region_allocate_run(struct region *r, uint32_t size, uint32_t fast_max, uint32_t wanted,
                             uint32_t *served) {
    uint32_t count = 0;
    note_zero(r, no_pages);
    //@ assert kept: kept{Pre, Here}(r->g, -1);
    //@ ghost Noted: ;
    if (size <= fast_max && r->bins.fast[size] != 0)
        count = serve_fast(r, size, wanted, served);
    //@ assert kept: kept{Noted, Here}(r->g, -1);
    //@ assert untouched: untouched{Noted, Here}(r->g, -1);
    //@ assert untouched: untouched{Pre, Here}(r->g, -1);
    //@ assert fresh: fresh{Noted, Here}(served, count);
    /*@ loop invariant count: count <= wanted;
        loop invariant rest: at_rest(r);
        loop invariant granted: granted(served, count, size);
        loop invariant fresh: fresh{Pre, Here}(served, count);
        loop invariant distinct: distinct(served, count);
        loop invariant unserved: unserved{Pre, Here}(served, count, wanted);
        loop invariant kept: kept{Pre, Here}(r->g, -1);
        loop invariant untouched: untouched{Pre, Here}(r->g, -1);
        loop assigns count, CHUNKS_OF(r), FAST_OF(r), r->served_zero.from, r->served_zero.to,
            served[0 .. wanted - 1];
        loop variant wanted - count;
    */
    while (count < wanted) {
        //@ ghost Before: ;
        uint32_t i = find_merged(r, size);
        //@ assert untouched: untouched{Before, Here}(r->g, -1);
        //@ assert payload: both{Pre, Before, Here}(r->g, -1);
        //@ assert cells: cellwise{Pre, Here}(r->g, -1);
        //@ assert untouched: untouched{Pre, Here}(r->g, -1);
        //@ assert same: \forall integer k; 0 <= k < wanted ==> served[k] == \at(served[k], Before);
        //@ assert unserved: unserved{Pre, Here}(served, count, wanted);
        //@ assert distinct: distinct(served, count);
        if (i == 0)
            break;
        /*@ assert still: \forall integer k; 0 <= k < count ==> live{Before}(served[k]) &&
                as_before{Before, Here}(r->g, served[k]); */
        //@ assert granted: granted(served, count, size);
        //@ assert kept: kept{Pre, Here}(r->g, -1);
        //@ ghost uint32_t old = count;
        //@ ghost Found: ;
        count = serve_more(r, i, size, wanted, count, served);
        //@ assert same: \forall integer k; 0 <= k < old ==> served[k] == \at(served[k], Before);
        //@ assert fresh: fresh{Pre, Here}(served, count);
        //@ assert unserved: unserved{Pre, Here}(served, count, wanted);
        //@ assert kept: kept{Pre, Here}(r->g, -1);
        //@ assert untouched: untouched{Found, Here}(r->g, -1);
        //@ assert payload: both{Pre, Found, Here}(r->g, -1);
        //@ assert cells: cellwise{Pre, Here}(r->g, -1);
        //@ assert untouched: untouched{Pre, Here}(r->g, -1);
    }
    return count;
}

uint32_t region_allocate(struct region *r, uint32_t size, uint32_t fast_max) {
    uint32_t i = 0;
    region_allocate_run(r, size, fast_max, 1, &i);
    return i;
}

/* Allocated chunk i gives back its first `lead` granules, whose pages `run` are known to be given back.
 * Returns what is left. */
/*@ requires sound: sound(r);
    requires allocated: live(i) && state[i] == SEAL_ALLOCATED;
    requires parts: CHUNK_MIN_GRANULES <= lead && lead + CHUNK_MIN_GRANULES <= r->g[i].size;
    requires alone_before: r->g[i].prev_inuse == 1;
    requires alone_behind: !is_free(i + span[i]);
    terminates \true;
    exits never: \false;
    assigns r->dirty_granules, r->top, r->g[0 .. fence].lo, r->g[0 .. fence].hi, HEADERS_OF(r),
            r->bins.map[0 .. 1], r->bins.free_chunks, r->bins.free_granules, list[0 .. fence],
            tally[0 .. fence], weight[0 .. fence], dirt[0 .. fence], span[i .. i + lead],
            state[i .. i + lead];
    ensures rest: \result == i + lead;
    ensures allocated: live(\result) && state[\result] == SEAL_ALLOCATED;
    ensures end: span[\result] == \old(span[i]) - lead;
    ensures free: is_free(i);
    ensures alone_behind: !is_free(\old(i + span[i]));
    ensures sound: sound(r);
    ensures top: r->top == \old(r->top);
    ensures topped: topped{Pre}(r) ==> topped(r);
    ensures kept: kept{Pre, Post}(r->g, i);
    ensures no_new: no_new{Pre, Post}(\result);
    ensures untouched: untouched{Pre, Post}(r->g, i);
*/
static uint32_t cut_lead(struct region *r, uint32_t i, uint32_t lead, struct page_run run) {
    //@ ghost uint32_t end = i + r->g[i].size;
    //@ ghost uint32_t top = r->top;
    //@ assert end: extent(i) && end == i + span[i] && !is_free(end);
    uint32_t rest = split(r, i, lead);
    //@ ghost allocated_live();
    //@ assert rest: extent(i) && extent(rest) && live(rest) && !is_free(end);
    //@ assert top: r->top == top;
    /*@ assert topped: topped{Pre}(r) ==> top != i && top != rest && is_free(r->top) &&
            ends_at(r->top, fence) && list[r->top + 1] == LIST_NONE; */
    //@ assert topped: topped{Pre}(r) ==> topped(r);
    //@ assert kept: kept{Pre, Here}(r->g, i) && no_new{Pre, Here}(rest);
    //@ assert untouched: untouched{Pre, Here}(r->g, i);
    //@ ghost Split: ;
    put(r, i, run, false);
    //@ assert untouched: untouched{Split, Here}(r->g, i);
    //@ assert untouched: untouched{Pre, Here}(r->g, i);
    return rest;
}

/* A sum that fills a remainder up. */
/*@ ghost
    /@ requires align: 0 < align && off == at % align;
       requires step: step == align - off || step == 2 * align - off;
       terminates \true;
       exits never: \false;
       assigns \nothing;
       ensures multiple: (at + step) % align == 0;
    @/
    void stepped(uint64_t at, uint64_t align, uint64_t off, uint64_t step) {
        uint64_t times = at / align;
        /@ assert quotient: at == align * times + off; @/
        /@ assert one: step == align - off ==> at + step == align * (times + 1); @/
        /@ assert two: step == 2 * align - off ==> at + step == align * (times + 2); @/
        /@ assert multiples: (align * (times + 1)) % align == 0 && (align * (times + 2)) % align == 0; @/
    }
*/

/*@ // By name, so that sums under a remainder stay as they are written.
    predicate on_multiple(integer base, integer i, integer lead, integer align) =
        (base + i + 1 + lead) % align == 0;
    logic integer lead_of(integer base, integer i, integer align) =
        (base + i + 1) % align == 0 ? 0 :
        align - (base + i + 1) % align < CHUNK_MIN_GRANULES ? 2 * align - (base + i + 1) % align :
        align - (base + i + 1) % align;
    predicate fits_behind{L}(struct region *r, integer i, integer size, integer align) =
        span[i] >= size + lead_of(r->key.base, i, align);
*/

/* Granules from chunk i to the first whose payload is a multiple of `align`: none, or enough for a chunk. */
/*@ requires sound: sound(r);
    requires inside: extent(i);
    requires align: 0 < align <= REGION_LIMIT_GRANULES / 2;
    terminates \true;
    exits never: \false;
    assigns \nothing;
    ensures lead: \result == lead_of(r->key.base, i, align);
    ensures part: \result == 0 || CHUNK_MIN_GRANULES <= \result <= align + 1;
    ensures multiple: on_multiple(r->key.base, i, \result, align);
*/
static uint32_t lead_before(const struct region *r, uint32_t i, uint32_t align) {
    uint32_t off = (uint32_t)((r->key.base + i + 1) % align);
    //@ assert off: off == (r->key.base + i + 1) % align;
    if (off == 0)
        return 0;
    uint32_t lead = align - off < CHUNK_MIN_GRANULES ? 2 * align - off : align - off;
    //@ ghost stepped(r->key.base + i + 1, align, off, lead);
    return lead;
}

/* How many chunks of each bin are looked at for one that holds an aligned chunk by where it lies. */
enum { FIT_LOOK_MAX = 4 };

/* One of the last chunks of a bin, of a large one the smallest, that holds `size` granules behind its lead;
 * 0: none does. */
/*@ requires rest: at_rest(r);
    requires bin: BIN_UNSORTED <= bin < BIN_COUNT;
    requires align: 0 < align <= REGION_LIMIT_GRANULES / 2;
    terminates \true;
    exits never: \false;
    assigns \nothing;
    ensures fits: \result != 0 ==>
        is_free(\result) && in_bin(\result) && fits_behind(r, \result, size, align);
*/
static uint32_t fit_in_bin(const struct region *r, uint32_t bin, uint32_t size, uint32_t align) {
    const struct granule *g = r->g;
    //@ assert head: hooked(g, bin);
    uint32_t x = g[bin].hi;
    /*@ loop invariant node: x < fence && list[x] == bin;
        loop assigns look, x;
        loop variant FIT_LOOK_MAX - look;
    */
    for (uint32_t look = 0; look < FIT_LOOK_MAX && x >= REGION_FIRST; look++) {
        //@ assert node: hooked(g, x) && place(x);
        uint32_t i = x - 1;
        //@ assert inside: is_free(i) && in_bin(i) && extent(i) && g[i].size == span[i];
        if (g[i].size >= size && g[i].size - size >= lead_before(r, i, align))
            return i;
        if (g[x].hi >= r->bins.fence)
            report_fault(FAULT_LINK, &g[x], &g[i], "bin link leaves the region");
        x = g[x].hi;
    }
    return 0;
}

/* A chunk in a bin that holds `size` granules behind its lead, such as an aligned one left; 0: none was found. */
/*@ requires rest: at_rest(r);
    requires size: request(size);
    requires align: 0 < align <= REGION_LIMIT_GRANULES / 2 && size <= REGION_LIMIT_GRANULES / 2 - align;
    terminates \true;
    exits never: \false;
    assigns \nothing;
    ensures fits: \result != 0 ==>
        is_free(\result) && in_bin(\result) && fits_behind(r, \result, size, align);
*/
static uint32_t find_fit(const struct region *r, uint32_t size, uint32_t align) {
    uint32_t last = bin_index(size + align + CHUNK_MIN_GRANULES);
    uint32_t bin = bin_next_marked(&r->bins, bin_index(size));
    /*@ loop invariant bin: BIN_UNSORTED <= bin <= BIN_COUNT;
        loop assigns bin;
        loop variant BIN_COUNT - bin;
    */
    while (bin <= last) {
        uint32_t next = bin_next_marked(&r->bins, bin + 1);
        if (next < BIN_COUNT)
            granule_prefetch(r->g, r->g[next].hi);
        uint32_t i = fit_in_bin(r, bin, size, align);
        if (i != 0)
            return i;
        bin = next;
    }
    return 0;
}

/* How many unsorted chunks an aligned allocation sorts before it looks for one that lies well: were all left
 * until none is found, one in a thousand would sort 40 (a quarter more at p99.9 of the pattern aligned). */
enum { ALIGNED_STEPS = 8 };

/* A free chunk out of its bin, or top, that holds `size` granules behind its lead: wherever it lies, or as it
 * lies. */
/*@ requires rest: at_rest(r);
    requires size: request(size);
    requires align: 0 < align <= REGION_LIMIT_GRANULES / 2 && size <= REGION_LIMIT_GRANULES / 2 - align;
    terminates \true;
    exits never: \false;
    assigns CHUNKS_OF(r), FAST_OF(r);
    ensures topped: topped(r);
    ensures none: \result == 0 ==> sound(r);
    ensures found: \result != 0 ==> binless(r, \result);
    ensures fits: \result != 0 ==> span[\result] >= size + align + CHUNK_MIN_GRANULES ||
        \result != r->top && fits_behind(r, \result, size, align);
    ensures spare: \result != 0 && \result == r->top ==>
        span[\result] >= size + align + 2 * CHUNK_MIN_GRANULES;
    ensures spent: \result == 0 ==> spent(r, size + align + CHUNK_MIN_GRANULES);
    ensures kept: kept{Pre, Post}(r->g, -1);
    ensures no_new: no_new{Pre, Post}(-1);
    ensures untouched: untouched{Pre, Post}(r->g, -1);
*/
static uint32_t find_aligned(struct region *r, uint32_t size, uint32_t align) {
    uint32_t whole = size + align + CHUNK_MIN_GRANULES;
    uint32_t i = find_unsorted(r, whole, ALIGNED_STEPS);
    if (i != 0)
        return i;
    //@ ghost Sorted: ;
    i = find_fit(r, size, align);
    if (i == 0)
        i = find_merged(r, whole);
    else {
        //@ assert inside: extent(i) && hooked(r->g, i + 1) && i != r->top;
        from_bin(r, i);
        check_free(r, i);
    }
    //@ assert kept: kept{Pre, Here}(r->g, -1) && no_new{Pre, Here}(-1);
    //@ assert payload: both{Pre, Sorted, Here}(r->g, -1);
    //@ assert cells: cellwise{Pre, Here}(r->g, -1);
    //@ assert untouched: untouched{Pre, Here}(r->g, -1);
    return i;
}

uint32_t region_allocate_aligned(struct region *r, uint32_t size, uint32_t align) {
    note_zero(r, no_pages);
    if (align > REGION_LIMIT_GRANULES / 2 || size > REGION_LIMIT_GRANULES / 2 - align)
        return 0;
    //@ ghost Noted: ;
    uint32_t i = find_aligned(r, size, align);
    if (i == 0)
        return 0;
    //@ assert untouched: untouched{Noted, Here}(r->g, -1);
    //@ assert untouched: untouched{Pre, Here}(r->g, -1);
    //@ ghost Found: ;
    bool top = i == r->top;
    //@ ghost uint32_t start = i;
    //@ ghost uint32_t end = i + r->g[i].size;
    //@ ghost uint32_t old_top = r->top;
    //@ ghost free_alone(r, i);
    //@ assert extents: extent(i) && extent(old_top) && ends_at(i, end) && (top <==> end == fence);
    //@ assert apart: \forall integer j; start <= j < end ==> !live{Pre}(j);
    //@ assert behind: !is_free(end);
    struct page_run run = take(r, i);
    //@ assert untouched: untouched{Found, Here}(r->g, -1);
    //@ assert untouched: untouched{Pre, Here}(r->g, -1);
    //@ assert kept: kept{Pre, Here}(r->g, -1);
    //@ ghost Taken: ;
    //@ assert behind: !is_free(end) && r->g[i].size == span[i];
    //@ assert allocated: live(i) && state[i] == SEAL_ALLOCATED && span[i] == r->g[i].size;
    //@ assert topped: !top ==> topped(r);
    //@ ghost uint64_t base = r->key.base;
    uint32_t lead = lead_before(r, i, align);
    //@ assert room: size + lead <= span[i] && (top ==> size + lead + CHUNK_MIN_GRANULES <= span[i]);
    //@ assert multiple: on_multiple(base, start, lead, align);
    if (lead != 0) {
        i = cut_lead(r, i, lead, run);
        //@ assert allocated: live(i) && state[i] == SEAL_ALLOCATED && span[i] == r->g[i].size;
        //@ assert moved: start < i && i == start + lead;
        //@ assert base: r->key.base == base;
        //@ assert untouched: untouched{Taken, Here}(r->g, start);
        //@ assert payload: both{Pre, Taken, Here}(r->g, -1);
        //@ assert cells: cellwise{Pre, Here}(r->g, -1);
        //@ assert untouched: untouched{Pre, Here}(r->g, -1);
        //@ assert end: ends_at(i, end);
        //@ assert no_new: no_new{Pre, Here}(i);
    }
    //@ assert moved: i == start + lead;
    //@ assert base: r->key.base == base;
    //@ assert no_new: no_new{Pre, Here}(i);
    //@ assert topped: !top ==> topped(r);
    //@ assert inside: start <= i < end;
    //@ assert end: ends_at(i, end);
    //@ assert behind: !is_free(end);
    //@ assert allocated: live(i) && state[i] == SEAL_ALLOCATED && span[i] == r->g[i].size;
    //@ assert kept: kept{Pre, Here}(r->g, -1);
    //@ assert untouched: untouched{Pre, Here}(r->g, -1);
    //@ ghost Led: ;
    cut(r, i, size, run, top);
    //@ assert base: r->key.base == base;
    //@ assert aligned: (r->key.base + i + 1) % align == 0;
    //@ assert untouched: untouched{Led, Here}(r->g, i);
    //@ assert payload: both{Pre, Led, Here}(r->g, -1);
    //@ assert cells: cellwise{Pre, Here}(r->g, -1);
    //@ assert untouched: untouched{Pre, Here}(r->g, -1);
    return i;
}

/* ---- Free, resize ---------------------------------------------------------------------------- */

void region_free(struct region *r, uint32_t i, uint32_t fast_max) {
    if (r->g[i].size <= fast_max) {
        //@ assert tag: extent(i) && tag(r->g, i);
        check_next(r, i + r->g[i].size); /* an overwritten neighbour is found here, not later */
        to_fast(r, i);
        return;
    }
    if (release(r, i) >= CONSOLIDATE_GRANULES && r->bins.fast_chunks != 0)
        region_consolidate(r);
}

/* Chunks that leave fast bins at a time, so that what merging them reads is fetched for all at once. */
enum { CONSOLIDATE_BATCH = 16 };

/*@ requires held: held(r);
    terminates \true;
    exits never: \false;
    assigns \nothing;
*/
static void expect_node(const struct region *r, uint32_t x) {
    if (x < r->bins.fence)
        granule_prefetch(r->g, x);
}

/*@ requires held: held(r);
    requires node: i < fence;
    terminates \true;
    exits never: \false;
    assigns \nothing;
*/
static void expect_links(const struct region *r, uint32_t i) {
    expect_node(r, r->g[i + 1].lo);
    expect_node(r, r->g[i + 1].hi);
}

void region_expect(const struct region *r, uint32_t i, unsigned step) {
    const struct granule *g = r->g;
    uint32_t fence = r->bins.fence, size = g[i].size;
    if (size >= fence - i)
        return;
    uint32_t next = i + size;
    bool after_free = g[i].prev_inuse == 0 && g[i].lo <= i;
    if (step == 0) {
        expect_node(r, next);
        if (after_free)
            expect_node(r, i - g[i].lo);
        return;
    }
    if (g[next].size > fence - next)
        return;
    uint32_t behind = next + g[next].size;
    if (step == 1) {
        expect_node(r, behind);
        if (after_free)
            expect_links(r, i - g[i].lo);
    } else if (g[behind].prev_inuse == 0)
        expect_links(r, next);
}

/* Chunks from the fast list of `size`, CONSOLIDATE_BATCH at most. */
/*@ requires rest: at_rest(r);
    requires size: CHUNK_MIN_GRANULES <= size <= FAST_MAX_GRANULES;
    requires room: \valid(popped + (0 .. CONSOLIDATE_BATCH - 1)) &&
        \base_addr(popped) != \base_addr(r) && \base_addr(popped) != \base_addr(r->g);
    terminates \true;
    exits never: \false;
    assigns popped[0 .. CONSOLIDATE_BATCH - 1], r->bins.fast[size], r->bins.fast_chunks,
            r->bins.fast_granules, list[0 .. fence], tally[0 .. fence], above[0 .. fence];
    ensures count: \result <= CONSOLIDATE_BATCH;
    ensures fewer: r->bins.fast_chunks == \old(r->bins.fast_chunks) - \result;
    ensures none: \result == 0 ==> r->bins.fast[size] == 0;
    ensures each: \forall integer n; 0 <= n < \result ==> live(popped[n]) && !live{Pre}(popped[n]);
    ensures distinct: \forall integer n, m; 0 <= n < m < \result ==> popped[n] != popped[m];
    ensures rest: at_rest(r);
    ensures kept: kept{Pre, Post}(r->g, -1);
    ensures others: \forall integer j; live(j) ==> live{Pre}(j) || among(popped, \result, j);
    ensures untouched: untouched{Pre, Post}(r->g, -1);
*/
static uint32_t pop_some(struct region *r, uint32_t size, uint32_t *popped) {
    uint32_t count = 0;
    /*@ loop invariant count: count <= CONSOLIDATE_BATCH;
        loop invariant fewer: r->bins.fast_chunks == \at(r->bins.fast_chunks, Pre) - count;
        loop invariant each: \forall integer n; 0 <= n < count ==>
            live(popped[n]) && !live{Pre}(popped[n]);
        loop invariant distinct: \forall integer n, m; 0 <= n < m < count ==>
            popped[n] != popped[m];
        loop invariant rest: at_rest(r);
        loop invariant kept: kept{Pre, Here}(r->g, -1);
        loop invariant untouched: untouched{Pre, Here}(r->g, -1);
        loop invariant others: \forall integer j; live(j) ==>
            live{Pre}(j) || among(popped, count, j);
        loop assigns count, popped[0 .. CONSOLIDATE_BATCH - 1], r->bins.fast[size],
            r->bins.fast_chunks, r->bins.fast_granules, list[0 .. fence], tally[0 .. fence],
            above[0 .. fence];
        loop variant CONSOLIDATE_BATCH - count;
    */
    while (count < CONSOLIDATE_BATCH) {
        uint32_t i = from_fast(r, size);
        if (i == 0)
            break;
        region_expect(r, i, 0);
        note(r, &popped[count++], i);
    }
    return count;
}

/* Live chunks popped[0..count) become free. */
/*@ requires rest: at_rest(r);
    requires room: \valid_read(popped + (0 .. count - 1)) &&
        \base_addr(popped) != \base_addr(r) && \base_addr(popped) != \base_addr(r->g);
    requires each: \forall integer n; 0 <= n < count ==> live(popped[n]);
    requires distinct: \forall integer n, m; 0 <= n < m < count ==> popped[n] != popped[m];
    terminates \true;
    exits never: \false;
    assigns CHUNKS_OF(r);
    ensures rest: at_rest(r);
    ensures kept: \forall integer j; live{Pre}(j) && !among{Pre}(popped, count, j) ==>
        as_before{Pre, Post}(r->g, j);
    ensures freed: \forall integer j; live(j) ==>
        live{Pre}(j) && !among{Pre}(popped, count, j);
    ensures untouched: \forall integer j; live{Pre}(j) && !among{Pre}(popped, count, j) ==>
        intact{Pre, Post}(r->g, j);
*/
static void release_all(struct region *r, const uint32_t *popped, uint32_t count) {
    /*@ loop invariant step: 1 <= step <= REGION_EXPECT_STEPS;
        loop assigns step;
        loop variant REGION_EXPECT_STEPS - step;
    */
    for (unsigned step = 1; step < REGION_EXPECT_STEPS; step++)
        /*@ loop invariant n: n <= count;
            loop assigns n;
            loop variant count - n;
        */
        for (uint32_t n = 0; n < count; n++)
            region_expect(r, popped[n], step);
    /*@ loop invariant n: n <= count;
        loop invariant rest: at_rest(r);
        loop invariant same: \forall integer m; 0 <= m < count ==> popped[m] == \at(popped[m], Pre);
        loop invariant each: \forall integer m; n <= m < count ==> live(\at(popped[m], Pre));
        loop invariant kept: \forall integer j; live{Pre}(j) && !among{Pre}(popped, n, j) ==>
            as_before{Pre, Here}(r->g, j);
        loop invariant freed: \forall integer j; live(j) ==> live{Pre}(j) && !among{Pre}(popped, n, j);
        loop invariant untouched: \forall integer j; live{Pre}(j) && !among{Pre}(popped, n, j) ==>
            intact{Pre, Here}(r->g, j);
        loop assigns n, CHUNKS_OF(r);
        loop variant count - n;
    */
    for (uint32_t n = 0; n < count; n++) {
        uint32_t i = popped[n];
        //@ assert live: live(i) && i == \at(popped[\at(n, Here)], Pre);
        /*@ assert among: \forall integer j; among{Pre}(popped, n + 1, j) <==>
                among{Pre}(popped, n, j) || j == i; */
        //@ assert rest: \forall integer m; n < m < count ==> live(\at(popped[m], Pre)) && \at(popped[m], Pre) != i;
        //@ ghost Before: ;
        release(r, i);
        //@ assert freed: \forall integer j; live(j) ==> live{Before}(j) && j != i;
        /*@ assert kept: \forall integer j; live{Pre}(j) && !among{Pre}(popped, n + 1, j) ==>
                as_before{Pre, Before}(r->g, j) && as_before{Before, Here}(r->g, j); */
        /*@ assert untouched: \forall integer j; live{Pre}(j) && !among{Pre}(popped, n + 1, j) ==>
                intact{Pre, Before}(r->g, j) && intact{Before, Here}(r->g, j); */
    }
}

void region_consolidate(struct region *r) {
    uint32_t popped[CONSOLIDATE_BATCH];
    /*@ loop invariant size: CHUNK_MIN_GRANULES <= size <= FAST_MAX_GRANULES + 1;
        loop invariant emptied: \forall integer s; CHUNK_MIN_GRANULES <= s < size ==>
            r->bins.fast[s] == 0;
        loop invariant rest: at_rest(r);
        loop invariant kept: kept{Pre, Here}(r->g, -1);
        loop invariant no_new: no_new{Pre, Here}(-1);
        loop invariant untouched: untouched{Pre, Here}(r->g, -1);
        loop assigns size, popped[0 .. CONSOLIDATE_BATCH - 1], CHUNKS_OF(r), FAST_OF(r);
        loop variant FAST_MAX_GRANULES - size;
    */
    for (uint32_t size = CHUNK_MIN_GRANULES; size <= FAST_MAX_GRANULES; size++) {
        //@ ghost Sized: ;
        uint32_t count = pop_some(r, size, popped);
        //@ assert untouched: untouched{Sized, Here}(r->g, -1);
        //@ assert payload: both{Pre, Sized, Here}(r->g, -1);
        //@ assert cells: cellwise{Pre, Here}(r->g, -1);
        //@ assert untouched: untouched{Pre, Here}(r->g, -1);
        /*@ loop invariant count: count <= CONSOLIDATE_BATCH;
            loop invariant none: count == 0 ==> r->bins.fast[size] == 0;
            loop invariant emptied: \forall integer s; CHUNK_MIN_GRANULES <= s < size ==>
                r->bins.fast[s] == 0;
            loop invariant each: \forall integer n; 0 <= n < count ==>
                live(popped[n]) && !live{Pre}(popped[n]);
            loop invariant distinct: \forall integer n, m; 0 <= n < m < count ==>
                popped[n] != popped[m];
            loop invariant rest: at_rest(r);
            loop invariant kept: kept{Pre, Here}(r->g, -1);
            loop invariant untouched: untouched{Pre, Here}(r->g, -1);
            loop invariant others: \forall integer j; live(j) ==>
                live{Pre}(j) || among(&popped[0], count, j);
            loop assigns count, popped[0 .. CONSOLIDATE_BATCH - 1], CHUNKS_OF(r), FAST_OF(r);
            loop variant r->bins.fast_chunks + count;
        */
        while (count != 0) {
            /*@ assert apart: \forall integer j; live{Pre}(j) ==>
                    live(j) && !among(&popped[0], count, j); */
            //@ ghost Popped: ;
            release_all(r, popped, count);
            /*@ assert still: \forall integer j; live{Pre}(j) ==> live{Popped}(j) &&
                    !among{Popped}(&popped[0], count, j) && as_before{Popped, Here}(r->g, j); */
            /*@ assert both: \forall integer j; live{Pre}(j) ==>
                    as_before{Pre, Popped}(r->g, j) && as_before{Popped, Here}(r->g, j); */
            /*@ assert untouched: \forall integer j; live{Pre}(j) ==>
                    intact{Pre, Popped}(r->g, j) && intact{Popped, Here}(r->g, j); */
            //@ assert cells: cellwise{Pre, Here}(r->g, -1);
            //@ assert untouched: untouched{Pre, Here}(r->g, -1);
            //@ assert kept: kept{Pre, Here}(r->g, -1);
            //@ assert no_new: no_new{Pre, Here}(-1);
            //@ ghost Released: ;
            count = pop_some(r, size, popped);
            //@ assert untouched: untouched{Released, Here}(r->g, -1);
            //@ assert payload: both{Pre, Released, Here}(r->g, -1);
            //@ assert cells: cellwise{Pre, Here}(r->g, -1);
            //@ assert untouched: untouched{Pre, Here}(r->g, -1);
        }
    }
}

/*@ requires rest: at_rest(r);
    requires allocated: live(i) && state[i] == SEAL_ALLOCATED;
    requires size: CHUNK_MIN_GRANULES <= size <= r->g[i].size;
    terminates \true;
    exits never: \false;
    assigns CHUNKS_OF(r);
    ensures rest: at_rest(r);
    ensures allocated: live(i) && state[i] == SEAL_ALLOCATED && size <= span[i] <= size + 1;
    ensures flags: r->g[i].flags == \old(r->g[i].flags);
    ensures kept: kept{Pre, Post}(r->g, i);
    ensures no_new: no_new{Pre, Post}(i);
    ensures untouched: untouched{Pre, Post}(r->g, i);
    ensures payload: same_payload{Pre, Post}(r->g, i, span[i]);
*/
static void shrink(struct region *r, uint32_t i, uint32_t size) {
    if (r->g[i].size - size < CHUNK_MIN_GRANULES)
        return;
    uint32_t rest = split(r, i, size);
    //@ ghost Split: ;
    //@ ghost allocated_live();
    //@ assert parts: at_rest(r) && live(i) && live(rest) && i != rest;
    //@ assert kept: kept{Pre, Here}(r->g, i) && no_new{Pre, Here}(rest);
    //@ assert untouched: untouched{Pre, Here}(r->g, i);
    release(r, rest);
    //@ assert untouched: untouched{Split, Here}(r->g, rest);
    //@ assert payload: both{Pre, Split, Here}(r->g, i);
    //@ assert cells: cellwise{Pre, Here}(r->g, i);
    //@ assert untouched: untouched{Pre, Here}(r->g, i);
    //@ assert payload: live{Split}(i) && same_payload{Split, Here}(r->g, i, size);
    //@ assert front: as_before{Split, Here}(r->g, i);
    //@ assert no_new: no_new{Pre, Here}(i);
}

bool region_resize(struct region *r, uint32_t i, uint32_t size) {
    struct granule *g = r->g;
    if (size <= g[i].size) {
        shrink(r, i, size);
        return true;
    }
    uint32_t next = i + g[i].size;
    //@ assert tag: extent(i) && tag(g, i) && next == i + span[i];
    if (!next_is_free(r, next))
        return false;
    //@ assert extents: extent(next) && extent(r->top) && g[next].size == span[next];
    bool top = next == r->top;
    uint32_t spare = top ? CHUNK_MIN_GRANULES : 0;
    if (g[i].size + g[next].size < size + spare)
        return false;
    struct page_run run = take_in(r, i);
    //@ assert end: g[i].size == span[i] && (top <==> ends_at(i, fence));
    //@ assert untouched: untouched{Pre, Here}(r->g, -1);
    //@ assert payload: same_payload{Pre, Here}(r->g, i, \at(span[i], Pre));
    //@ ghost Grown: ;
    cut(r, i, size, run, top);
    //@ assert untouched: untouched{Grown, Here}(r->g, i);
    //@ assert payload: both{Pre, Grown, Here}(r->g, i);
    //@ assert cells: cellwise{Pre, Here}(r->g, i);
    //@ assert untouched: untouched{Pre, Here}(r->g, i);
    //@ assert payload: same_payload{Grown, Here}(r->g, i, span[i]) && \at(span[i], Pre) <= span[i];
    /*@ assert inside: \forall integer x; behind(i, \at(span[i], Pre), x) ==> behind(i, span[i], x); */
    /*@ assert cells: \forall integer x; behind(i, \at(span[i], Pre), x) ==>
            \at(r->g[x].lo, Pre) == r->g[x].lo && \at(r->g[x].hi, Pre) == r->g[x].hi &&
            (x < i + \at(span[i], Pre) ==> \at(r->g[x].size, Pre) == r->g[x].size &&
                \at(r->g[x].seal, Pre) == r->g[x].seal && \at(r->g[x].flags, Pre) == r->g[x].flags &&
                \at(r->g[x].prev_inuse, Pre) == r->g[x].prev_inuse); */
    return true;
}

/* ---- The region's end ------------------------------------------------------------------------ */

/*@ // While top's end moves: all holds below top; top's header, its footer and the fence are yet to
    // be written, and what is recorded of its pages.
    predicate written{L}(struct region *r, integer i) = r->g[i].size == span[i] && tag(r->g, i) &&
        state[i] <= SEAL_FREE && mark(r->g, &r->key, i);
    predicate last{L}(integer i) = is_free(i) && ends_at(i, fence) && bare(i);
    predicate below_top{L}(struct region *r) = tiling && r->g[REGION_FIRST].prev_inuse == 1 &&
        (\forall integer j; chunk(j) && j != r->top ==> written(r, j)) && coalesced && lists(r) &&
        dirty(r) && paged_but(r, r->top) && binned_but(r->top) && last(r->top);

    // The map between two moments: its end moved, all below top is as it was.
    predicate moved{A, B}(integer top) =
        \at(fence, B) - top == \at(span[top], B) &&
        (\forall integer i; chunk{A}(i) <==> chunk{B}(i)) &&
        (\forall integer i; 0 <= i < top ==> \at(span[i], A) == \at(span[i], B)) &&
        (\forall integer x; 0 <= x <= \at(fence, A) ==> \at(list[x], A) == \at(list[x], B));
    predicate no_nodes{L}(integer from) = \forall integer x; from <= x <= fence ==>
        list[x] == LIST_NONE;
*/

/* The map's side of a moved end: nothing hangs from top on, and nothing there counts. */
/*@ ghost
    /@ requires fence: REGION_FIRST < fence <= REGION_LIMIT_GRANULES;
       requires end: top <= fence && top <= end <= REGION_LIMIT_GRANULES;
       requires none: \forall integer x; top <= x <= fence ==> tally[x] == 0;
       terminates \true;
       exits never: \false;
       assigns tally[fence + 1 .. end];
       ensures none: \forall integer x; top <= x <= end ==> tally[x] == 0;
       ensures free: free_chunks_below(end) == \old(free_chunks_below(fence)) &&
           free_granules_below(end) == \old(free_granules_below(fence));
       ensures fast: fast_chunks_below(end) == \old(fast_chunks_below(fence)) &&
           fast_granules_below(end) == \old(fast_granules_below(fence));
    @/
    void tally_end(uint32_t top, uint32_t end) {
        uint32_t x = fence;
        uint32_t n = 0;
        /@ loop invariant x: fence <= x && (x <= end || x == fence);
           loop invariant none: \forall integer y; top <= y <= x ==> tally[y] == 0;
           loop assigns x, tally[fence + 1 .. end];
           loop variant end - x;
        @/
        while (x < end) {
            x++;
            tally[x] = 0;
        }
        /@ loop invariant n: n <= top;
           loop invariant free: free_chunks_below(n) == free_chunks_below{Pre}(n) &&
               free_granules_below(n) == free_granules_below{Pre}(n);
           loop invariant fast: fast_chunks_below(n) == fast_chunks_below{Pre}(n) &&
               fast_granules_below(n) == fast_granules_below{Pre}(n);
           loop assigns n;
           loop variant top - n;
        @/
        while (n < top)
            n++;
        /@ loop invariant n: top <= n <= fence;
           loop invariant free: free_chunks_below{Pre}(n) == free_chunks_below{Pre}(top) &&
               free_granules_below{Pre}(n) == free_granules_below{Pre}(top);
           loop invariant fast: fast_chunks_below{Pre}(n) == fast_chunks_below{Pre}(top) &&
               fast_granules_below{Pre}(n) == fast_granules_below{Pre}(top);
           loop assigns n;
           loop variant fence - n;
        @/
        while (n < fence)
            n++;
        n = top;
        /@ loop invariant n: top <= n <= end;
           loop invariant free: free_chunks_below(n) == free_chunks_below(top) &&
               free_granules_below(n) == free_granules_below(top);
           loop invariant fast: fast_chunks_below(n) == fast_chunks_below(top) &&
               fast_granules_below(n) == fast_granules_below(top);
           loop assigns n;
           loop variant end - n;
        @/
        while (n < end)
            n++;
    }

    /@ requires fence: REGION_FIRST < fence <= REGION_LIMIT_GRANULES;
       requires end: top <= fence && top <= end <= REGION_LIMIT_GRANULES;
       requires none: \forall integer x; top <= x <= fence ==> dirt[x] == 0;
       terminates \true;
       exits never: \false;
       assigns dirt[fence + 1 .. end];
       ensures none: \forall integer x; top <= x <= end ==> dirt[x] == 0;
       ensures sum: dirt_below(end) == \old(dirt_below(fence));
    @/
    void dirt_end(uint32_t top, uint32_t end) {
        uint32_t x = fence;
        uint32_t n = 0;
        /@ loop invariant x: fence <= x && (x <= end || x == fence);
           loop invariant none: \forall integer y; top <= y <= x ==> dirt[y] == 0;
           loop assigns x, dirt[fence + 1 .. end];
           loop variant end - x;
        @/
        while (x < end) {
            x++;
            dirt[x] = 0;
        }
        /@ loop invariant n: n <= top;
           loop invariant sum: dirt_below(n) == dirt_below{Pre}(n);
           loop assigns n;
           loop variant top - n;
        @/
        while (n < top)
            n++;
        /@ loop invariant n: top <= n <= fence;
           loop invariant sum: dirt_below{Pre}(n) == dirt_below{Pre}(top);
           loop assigns n;
           loop variant fence - n;
        @/
        while (n < fence)
            n++;
        n = top;
        /@ loop invariant n: top <= n <= end;
           loop invariant sum: dirt_below(n) == dirt_below(top);
           loop assigns n;
           loop variant end - n;
        @/
        while (n < end)
            n++;
    }

    /@ requires fence: REGION_FIRST < fence <= REGION_LIMIT_GRANULES;
       requires tiling: tiling;
       requires heads: heads;
       requires placed: placed;
       requires listed: only_listed;
       requires tallied: tallied;
       requires last: last(top);
       terminates \true;
       exits never: \false;
       assigns \nothing;
       ensures none: \forall integer x; top <= x <= fence ==>
           list[x] == LIST_NONE && tally[x] == 0 && dirt[x] == 0;
       ensures below: \forall integer i; chunk(i) && i != top ==> i + span[i] <= top;
    @/
    void nothing_above(uint32_t top) {
        /@ assert extent: extent(top); @/
        /@ assert extents: \forall integer i; chunk(i) ==> extent(i); @/
        /@ assert only: \forall integer i; top < i < fence ==> !chunk(i); @/
        /@ assert below: \forall integer i; chunk(i) && i != top ==> i + span[i] <= top; @/
        /@ assert places: \forall integer x; top <= x <= fence ==> place(x); @/
        /@ assert node: chunk(top) && bare(top) && list[top + 1] == LIST_NONE; @/
        /@ assert bins: \forall integer x; top <= x <= fence ==>
            place(x) && !(LIST_NONE < list[x] < LIST_RING); @/
        /@ assert rings: \forall integer x; top <= x <= fence ==> place(x) && !in_ring(x); @/
        /@ assert dirty: \forall integer x; top <= x <= fence ==>
            place(x) && list[x] != LIST_DIRTY; @/
        /@ assert fast: \forall integer x; top <= x <= fence ==>
            place(x) && !(list[x] >= LIST_FAST); @/
        /@ assert none: \forall integer x; top <= x <= fence ==> list[x] == LIST_NONE; @/
        /@ assert tally: \forall integer x; top <= x <= fence ==>
            tallied_as(x) && list[x] == LIST_NONE && tally[x] == 0; @/
        /@ assert dirt: \forall integer x; top <= x <= fence ==>
            soiled(x) && list[x] == LIST_NONE && dirt[x] == 0; @/
    }

    /@ requires fence: REGION_FIRST < fence <= REGION_LIMIT_GRANULES;
       requires end: top + CHUNK_MIN_GRANULES <= end <= REGION_LIMIT_GRANULES;
       requires tiling: tiling;
       requires last: is_free(top) && ends_at(top, fence);
       requires none: no_nodes(top);
       terminates \true;
       exits never: \false;
       assigns fence, span[top .. end], span[fence], list[fence + 1 .. end];
       ensures fence: fence == end;
       ensures moved: moved{Pre, Post}(top);
       ensures tiling: tiling;
       ensures last: is_free(top) && ends_at(top, fence);
       ensures none: no_nodes(top);
    @/
    void map_end(uint32_t top, uint32_t end) {
        /@ assert extent: extent(top); @/
        /@ assert extents: \forall integer i; chunk(i) ==> extent(i); @/
        /@ assert below: \forall integer i; chunk(i) && i != top ==> i + span[i] <= top; @/
        uint32_t x = fence;
        span[fence] = 0;
        /@ loop invariant x: fence <= x && (x <= end || x == fence);
           loop invariant none: \forall integer y; top <= y <= x ==> list[y] == LIST_NONE;
           loop invariant inner: \forall integer y; top < y <= x ==> span[y] == 0;
           loop assigns x, span[fence + 1 .. end], list[fence + 1 .. end];
           loop variant end - x;
        @/
        while (x < end) {
            x++;
            span[x] = 0;
            list[x] = LIST_NONE;
        }
        span[end] = 1;
        span[top] = end - top;
        fence = end;
        /@ assert spans: \forall integer i; 0 <= i < top ==> span[i] == \at(span[i], Pre); @/
        /@ assert chunks: \forall integer i; chunk{Pre}(i) <==> chunk(i); @/
        /@ assert others: \forall integer i; chunk(i) && i != top ==>
            extent{Pre}(i) && i + span[i] <= top && extent(i); @/
        /@ assert self: extent(top); @/
    }
*/

/* The region is to end at `end`, as far as the map and the lists say. */
/*@ ghost
    /@ requires held: held(r);
       requires cells: \valid(r->g + (0 .. end));
       requires below: below_top(r);
       requires end: r->top + CHUNK_MIN_GRANULES <= end <= REGION_LIMIT_GRANULES;
       terminates \true;
       exits never: \false;
       assigns fence, span[r->top .. end], span[fence], list[fence + 1 .. end],
            tally[fence + 1 .. end], dirt[fence + 1 .. end];
       ensures fence: fence == end;
       ensures moved: moved{Pre, Post}(r->top);
       ensures none: no_nodes(r->top);
       ensures below: below_top(r);
    @/
    void move_end(struct region *r, uint32_t end) {
        nothing_above(r->top);
        /@ assert nodes: \forall integer x; 0 <= x <= fence && list[x] != LIST_NONE ==>
            x < r->top; @/
        /@ assert small: \forall integer j; large_free(j) && j != r->top ==>
            j + DIRTY_NODE < r->top; @/
        /@ assert rings: \forall integer y; 0 <= y < fence && in_ring(y) ==> y < r->top &&
            y >= REGION_FIRST && place(y) && in_large(y - 1) && hooked(r->g, y - 1) &&
            in_large(r->g[y - 1].hi) && hooked(r->g, y) && in_ring(r->g[y].hi); @/
        /@ assert ring_heads: \forall integer y; 0 <= y < fence && in_ring(y) &&
            r->g[y - 1].hi < BIN_COUNT ==> in_large(r->g[y - 1].hi) &&
            hooked(r->g, r->g[y - 1].hi) && in_large(r->g[r->g[y - 1].hi].hi); @/
        tally_end(r->top, end);
        dirt_end(r->top, end);
        map_end(r->top, end);
        /@ assert written: \forall integer j; chunk(j) && j != r->top ==>
            written{Pre}(r, j) && written(r, j); @/
        /@ assert linked: \forall integer x; 0 <= x < fence && hangs(x) ==>
            hangs{Pre}(x) && x < r->top && hooked{Pre}(r->g, x) && hooked(r->g, x); @/
        /@ assert placed: \forall integer x; REGION_FIRST <= x < r->top ==>
            place{Pre}(x) && place(x); @/
        /@ assert spans: \forall integer x; 0 <= x < r->top ==> span[x] == \at(span[x], Pre) &&
            list[x] == \at(list[x], Pre); @/
        /@ assert follows: \forall integer x; 0 <= x < fence && in_large(x) ==>
            x < r->top && r->g[x].lo < r->top && follows{Pre}(x, r->g[x].lo) &&
            follows(x, r->g[x].lo); @/
        /@ assert ring_nodes: \forall integer y; 0 <= y < fence && in_ring(y) ==> in_ring{Pre}(y) &&
            y < r->top && r->g[y - 1].hi < r->top && r->g[y].hi < r->top &&
            (r->g[y - 1].hi < BIN_COUNT ==> r->g[r->g[y - 1].hi].hi < r->top); @/
        /@ assert rung: \forall integer y; 0 <= y < fence && in_ring(y) ==>
            rung{Pre}(r->g, y) && rung(r->g, y); @/
        /@ assert told: \forall integer j; is_free(j) && j != r->top ==> told{Pre}(r->g, j) &&
            told(r->g, j); @/
        /@ assert told: told(r->g, r->top); @/
        /@ assert firsts: \forall integer s; CHUNK_MIN_GRANULES <= s <= FAST_MAX_GRANULES ==>
            fast_first{Pre}(&r->bins, s) && fast_first(&r->bins, s); @/
        /@ assert fast: \forall integer j; chunk(j) && list[j + 1] >= LIST_FAST ==>
            fast_link{Pre}(r->g, j) && fast_link(r->g, j); @/
        /@ assert tallied: \forall integer x; REGION_FIRST <= x < r->top ==>
            tallied_as{Pre}(x) && tallied_as(x); @/
        /@ assert lists: lists(r); @/
        /@ assert paged: \forall integer j; large_free(j) && j != r->top ==>
            paged{Pre}(r->g, &r->key, j) && paged(r->g, &r->key, j); @/
        /@ assert soiled: \forall integer x; 0 <= x < r->top ==> soiled{Pre}(x) && soiled(x); @/
        /@ assert dirty: dirty(r); @/
        /@ assert last: last(r->top); @/
        /@ assert coalesced: coalesced; @/
        /@ assert binned: binned_but(r->top); @/
    }
*/

/* Write fence and top such that the region ends at `end`. */
/*@ requires held: held(r);
    requires cells: \valid(r->g + (0 .. end));
    requires below: below_top(r);
    requires end: r->top + CHUNK_MIN_GRANULES <= end <= REGION_LIMIT_GRANULES;
    terminates \true;
    exits never: \false;
    assigns r->bins.fence, r->g[r->top].size, r->g[r->top].flags, r->g[r->top].seal,
            r->g[end].size, r->g[end].flags, r->g[end].seal, r->g[end].prev_inuse, r->g[end].lo,
            r->g[end].hi, fence, span[r->top .. end], span[fence], list[fence + 1 .. end],
            tally[fence + 1 .. end], dirt[fence + 1 .. end];
    ensures fence: fence == end;
    ensures moved: moved{Pre, Post}(r->top);
    ensures none: no_nodes(r->top);
    ensures kept: kept{Pre, Post}(r->g, -1);
    ensures no_new: no_new{Pre, Post}(-1);
    ensures in_hand: in_hand(r, r->top);
    ensures topped: topped(r);
    ensures untouched: untouched{Pre, Post}(r->g, -1);
*/
static void set_end(struct region *r, uint32_t end) {
    struct granule *g = r->g;
    //@ ghost move_end(r, end);
    /*@ assert below: \forall integer j; chunk(j) && j != r->top ==>
            extent(j) && j + span[j] <= r->top; */
    //@ ghost Moved: ;
    r->bins.fence = end;
    header_write(g, &r->key, end, 1, r->flags, SEAL_FENCE);
    header_write(g, &r->key, r->top, end - r->top, r->flags, SEAL_FREE);
    g[end].prev_inuse = 0;
    g[end].lo = end - r->top;
    g[end].hi = 0;
    //@ assert key: same_key{Moved, Here}(&r->key) && same_secrets{Moved, Here}(&r->key);
    //@ assert held: held(r);
    //@ assert sizes: same_sizes{Moved, Here}(g, r->top, end);
    //@ assert seals: same_seals{Moved, Here}(g, r->top, end);
    //@ assert tags: same_tags{Moved, Here}(g, end);
    //@ assert links: same_links{Moved, Here}(g, end, -1, end, -1);
    /*@ assert written: \forall integer j; chunk(j) && j != r->top ==>
            written{Moved}(r, j) && written(r, j); */
    //@ assert size: g[r->top].size == span[r->top] && ends_at(r->top, end);
    //@ assert tag: tag(g, r->top);
    //@ assert mark: mark(g, &r->key, r->top);
    //@ assert fence: sealed_as(g, &r->key, fence, SEAL_FENCE);
    //@ assert chunks: chunks(r);
    /*@ assert nodes: \forall integer x; 0 <= x <= fence && list[x] != LIST_NONE ==> x < r->top; */
    /*@ assert linked: \forall integer x; 0 <= x < fence && hangs(x) ==>
            hooked{Moved}(g, x) && hooked(g, x); */
    /*@ assert follows: \forall integer x; 0 <= x < fence && in_large(x) ==>
            follows{Moved}(x, g[x].lo) && follows(x, g[x].lo); */
    /*@ assert ring_nodes: \forall integer y; 0 <= y < fence && in_ring(y) ==> y < r->top &&
            y >= REGION_FIRST && place(y) && in_large(y - 1) && hooked(g, y - 1) &&
            in_large(g[y - 1].hi); */
    /*@ assert rung: \forall integer y; 0 <= y < fence && in_ring(y) ==>
            rung{Moved}(g, y) && rung(g, y); */
    /*@ assert told: \forall integer j; is_free(j) && j != r->top ==> told{Moved}(g, j) &&
            told(g, j); */
    /*@ assert empty: \forall integer c; BIN_UNSORTED <= c < BIN_COUNT && !marked(&r->bins, c) ==>
            empty{Moved}(g, c) && empty(g, c); */
    /*@ assert firsts: \forall integer s; CHUNK_MIN_GRANULES <= s <= FAST_MAX_GRANULES ==>
            fast_first{Moved}(&r->bins, s) && fast_first(&r->bins, s); */
    /*@ assert fast: \forall integer j; chunk(j) && list[j + 1] >= LIST_FAST ==>
            fast_link{Moved}(g, j) && fast_link(g, j); */
    //@ assert counted: counted(&r->bins);
    //@ assert lists: lists(r);
    /*@ assert paged: \forall integer j; large_free(j) && j != r->top ==>
            paged{Moved}(g, &r->key, j) && paged(g, &r->key, j); */
    //@ assert dirty: dirty(r);
}

/* What is recorded of top's pages is to change: no page is recorded for now. Returns the run. */
/*@ requires rest: at_rest(r);
    terminates \true;
    exits never: \false;
    assigns r->dirty_granules, r->g[0 .. fence - 1].lo, r->g[0 .. fence - 1].hi,
            list[r->top + DIRTY_NODE], dirt[r->top + DIRTY_NODE];
    ensures run: run(\result) && (\result.from < \result.to ==> \result.to <= fence);
    ensures in_hand: in_hand(r, r->top);
    ensures topped: topped(r);
    ensures kept: kept{Pre, Post}(r->g, -1);
    ensures no_new: no_new{Pre, Post}(-1);
    ensures untouched: untouched{Pre, Post}(r->g, -1);
*/
static struct page_run top_out(struct region *r) {
    //@ assert top: extent(r->top);
    struct page_run run = dirty_out(r, r->top);
    //@ assert key: same_key{Pre, Here}(&r->key) && same_secrets{Pre, Here}(&r->key);
    //@ assert node: list[r->top + 1] == LIST_NONE;
    /*@ assert marks: \forall integer j; chunk(j) ==>
            mark{Pre}(r->g, &r->key, j) && mark(r->g, &r->key, j); */
    /*@ assert binned: \forall integer j; is_free(j) && in_bin{Pre}(j) ==> in_bin(j); */
    return run;
}

/* And has changed: those of the pages `run` that are whole were given back. */
/*@ requires in_hand: in_hand(r, r->top);
    requires topped: topped(r);
    terminates \true;
    exits never: \false;
    assigns r->dirty_granules, r->g[0 .. fence - 1].lo, r->g[0 .. fence - 1].hi,
            list[r->top + DIRTY_NODE], dirt[r->top + DIRTY_NODE];
    ensures rest: at_rest(r);
    ensures kept: kept{Pre, Post}(r->g, -1);
    ensures no_new: no_new{Pre, Post}(-1);
    ensures untouched: untouched{Pre, Post}(r->g, -1);
*/
static void top_in(struct region *r, struct page_run run) {
    //@ assert top: extent(r->top) && hooked(r->g, DIRTY_HEAD);
    dirty_in(r, r->top, run);
    //@ assert key: same_key{Pre, Here}(&r->key) && same_secrets{Pre, Here}(&r->key);
    //@ assert node: list[r->top + 1] == LIST_NONE;
    /*@ assert marks: \forall integer j; chunk(j) ==>
            mark{Pre}(r->g, &r->key, j) && mark(r->g, &r->key, j); */
    /*@ assert binned: \forall integer j; is_free(j) && in_bin{Pre}(j) ==> in_bin(j); */
    //@ assert chunks: chunks(r);
    //@ assert binned: binned;
    //@ assert held: held(r);
    //@ assert sound: sound(r);
}

/* The map of a region that is all top. */
/*@ ghost
    /@ requires end: REGION_FIRST + CHUNK_MIN_GRANULES <= end <= REGION_LIMIT_GRANULES;
       terminates \true;
       exits never: \false;
       assigns fence, span[0 .. end], dirt[0 .. end], state[REGION_FIRST];
       ensures fence: fence == end;
       ensures only: \forall integer i; chunk(i) <==> i == REGION_FIRST;
       ensures tiling: tiling;
       ensures top: is_free(REGION_FIRST) && ends_at(REGION_FIRST, fence);
       ensures none: \forall integer x; 0 <= x <= fence ==> dirt[x] == 0;
       ensures sum: dirt_below(fence) == 0;
    @/
    void map_top(uint32_t end) {
        uint32_t x = 0;
        /@ loop invariant x: x <= end + 1;
           loop invariant none: \forall integer y; 0 <= y < x ==> dirt[y] == 0 && span[y] == 0;
           loop assigns x, span[0 .. end], dirt[0 .. end];
           loop variant end + 1 - x;
        @/
        while (x <= end) {
            span[x] = 0;
            dirt[x] = 0;
            x++;
        }
        x = 0;
        /@ loop invariant x: x <= end;
           loop invariant sum: dirt_below(x) == 0;
           loop assigns x;
           loop variant end - x;
        @/
        while (x < end)
            x++;
        span[end] = 1;
        span[REGION_FIRST] = end - REGION_FIRST;
        state[REGION_FIRST] = SEAL_FREE;
        fence = end;
    }
*/

void region_init(struct region *r, struct granule *g, uint32_t granules, const struct seal_key *key,
                 uint8_t flags) {
    *r = (struct region){.g = g, .key = *key, .top = REGION_FIRST, .flags = flags};
    //@ ghost map_top(granules - 1);
    //@ assert base: r->key.base == key->base;
    //@ ghost struct seal_key own = r->key;
    //@ assert own: \forall integer t; 0 <= t < SEAL_STATES ==> own.state[t] == r->key.state[t];
    //@ assert states: \forall integer t; 0 <= t < SEAL_STATES ==> own.state[t] == key->state[t];
    //@ assert key: keyed(&r->key);
    //@ ghost Made: ;
    bins_init(g, &r->bins, granules - 1);
    //@ assert key: same_key{Made, Here}(&r->key) && same_secrets{Made, Here}(&r->key);
    //@ assert record: r->g == g && r->top == REGION_FIRST && r->dirty_granules == 0;
    //@ ghost Empty: ;
    g[REGION_FIRST].prev_inuse = 1;
    g[REGION_FIRST].lo = 0;
    //@ assert links: same_links{Empty, Here}(g, REGION_FIRST, -1, -1, -1);
    //@ assert held: held(r);
    /*@ assert nodes: \forall integer x; 0 <= x <= fence && list[x] != LIST_NONE ==>
            x < REGION_FIRST && !in_ring(x); */
    /*@ assert linked: \forall integer x; 0 <= x < fence && hangs(x) ==>
            hooked{Empty}(g, x) && hooked(g, x); */
    /*@ assert follows: \forall integer x; 0 <= x < fence && in_large(x) ==>
            follows{Empty}(x, g[x].lo) && follows(x, g[x].lo); */
    /*@ assert told: \forall integer j; is_free(j) ==> told{Empty}(g, j) && told(g, j); */
    //@ assert sorted: sorted(g);
    /*@ assert empty: \forall integer c; BIN_UNSORTED <= c < BIN_COUNT && !marked(&r->bins, c) ==>
            empty{Empty}(g, c) && empty(g, c); */
    /*@ assert firsts: \forall integer s; CHUNK_MIN_GRANULES <= s <= FAST_MAX_GRANULES ==>
            fast_first{Empty}(&r->bins, s) && fast_first(&r->bins, s); */
    //@ assert lists: lists(r);
    //@ assert last: last(r->top) && r->top == REGION_FIRST;
    //@ assert dirty: dirty(r);
    //@ assert below: below_top(r);
    set_end(r, granules - 1);
    top_in(r, region_whole_pages(r, r->top));
}

/* The run of a top that was extended behind `old_end`: what it was, or the new memory if that is
 * longer. Never both, since the header of the fence that stood between them is not zero. */
/*@ requires held: held(r);
    requires tiled: tiled(r->g);
    requires top: chunk(r->top);
    requires run: run(run);
    requires end: old_end <= r->bins.fence;
    terminates \true;
    exits never: \false;
    assigns \nothing;
    ensures run: run(\result);
    ensures zero: \forall integer x; \result.from <= x < \result.to ==>
        run.from <= x < run.to || old_end <= x < fence;
*/
static struct page_run extended(const struct region *r, struct page_run run, uint32_t old_end) {
    struct page_run fresh = {old_end, r->bins.fence};
    return longer(run, overlap(fresh, region_whole_pages(r, r->top)));
}

void region_extend(struct region *r, uint32_t granules, bool fresh) {
    check_top(r);
    uint32_t old_end = r->bins.fence + 1;
    struct page_run run = top_out(r);
    //@ assert top: extent(r->top);
    //@ assert below: below_top(r);
    set_end(r, granules - 1);
    top_in(r, fresh ? extended(r, run, old_end) : run);
}

uint32_t region_trim(struct region *r, uint32_t keep) {
    check_top(r);
    if (region_top_granules(r) > keep) {
        struct page_run run = top_out(r);
        //@ assert top: extent(r->top);
        //@ assert below: below_top(r);
        set_end(r, r->top + keep);
        top_in(r, run);
    }
    return region_granules(r);
}
