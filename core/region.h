/* region.h: allocate, free, resize, align and trim over ONE contiguous region. Proved file.
 *
 * Works on any memory it is given; no lock (the arena's is held by the caller), no system call.
 *
 *   g: | bin heads 0..127 | chunk | chunk | ... | chunk | top | fence |
 *                           ^ REGION_FIRST                      ^ bins.fence
 *
 * Every chunk from REGION_FIRST on is allocated, cached or free; the last is top, a free chunk
 * that no bin holds and that always has CHUNK_MIN_GRANULES or more. Behind it the fence, a header
 * of its own kind. Sizes are granules, chunks are named by the index of their header, 0 is none.
 */
#ifndef CP_REGION_H
#define CP_REGION_H

#include "bin.h"
#include "granule.h"

/* Whole pages, as granules [from, to) of a region; from == to: none. */
struct page_run {
    uint32_t from, to;
};

struct region {
    struct granule *g;
    struct seal_key key;
    struct bins bins;
    uint32_t top;
    uint32_t last_remainder; /* rest of the latest split for a small request; 0: none */
    uint32_t dirty_granules; /* in whole pages of free chunks and top that were not given back */
    struct page_run served_zero; /* of the chunk served last: granules that read as zero */
    uint8_t flags; /* of every chunk of the region */
};

/* Fewest granules a region can be made of: bin heads, the smallest top, fence. */
#define REGION_MIN_GRANULES (BIN_COUNT + CHUNK_MIN_GRANULES + 1u)

/* dirt[x]: granules in the whole pages of the free chunk with node x that were not given back. */
/*@ ghost uint32_t dirt[REGION_LIMIT_GRANULES + 1u]; */

/*@ // What every contract supposes: the record, its key and its bins are those of the granules.
    predicate held{L}(struct region *r) = \valid(r) && \base_addr(r) != \base_addr(r->g) &&
        region(r->g, &r->key) && bound(r->g, &r->bins);

    // Pages: the multiples of PAGE_GRANULES around x, as indices. Their addresses are whole pages.
    logic integer shift{L}(struct seal_key *k) = k->base % PAGE_GRANULES;
    logic integer page_up{L}(struct seal_key *k, integer x) =
        (x + shift(k) + PAGE_GRANULES - 1) / PAGE_GRANULES * PAGE_GRANULES - shift(k);
    logic integer page_down{L}(struct seal_key *k, integer x) =
        (x + shift(k)) / PAGE_GRANULES * PAGE_GRANULES - shift(k);

    // The whole pages of a chunk that hold neither header nor link.
    logic integer whole_from{L}(struct seal_key *k, integer i) = page_up(k, i + DIRTY_NODE + 1);
    logic integer whole_to{L}(struct seal_key *k, integer i) = page_down(k, i + span[i]);

    logic integer whole_length{L}(struct seal_key *k, integer i) =
        whole_from(k, i) < whole_to(k, i) ? whole_to(k, i) - whole_from(k, i) : 0;

    predicate run(struct page_run run) = run.from <= run.to;

    // paged: a large free chunk, top included, records which of its whole pages were given back, and
    // is listed while others were not. How many granules these are stands in a map of its own.
    predicate large_free{L}(integer i) = is_free(i) && span[i] >= PURGE_MIN_GRANULES;

    predicate record{L}(struct granule *g, struct seal_key *k, integer i) =
        g[i + PURGED_NODE].lo == 0 && g[i + PURGED_NODE].hi == 0 ||
        whole_from(k, i) <= g[i + PURGED_NODE].lo < g[i + PURGED_NODE].hi <= whole_to(k, i);

    predicate listing{L}(struct granule *g, integer i) =
        dirt[i + DIRTY_NODE] == 0 ?
        list[i + DIRTY_NODE] == LIST_NONE && g[i + DIRTY_NODE].lo == DIRTY_UNLISTED :
        list[i + DIRTY_NODE] == LIST_DIRTY;

    predicate paged{L}(struct granule *g, struct seal_key *k, integer i) = record(g, k, i) &&
        dirt[i + DIRTY_NODE] ==
            whole_length(k, i) - (g[i + PURGED_NODE].hi - g[i + PURGED_NODE].lo) &&
        listing(g, i);

    predicate paged_but{L}(struct region *r, integer hole) = \forall integer i;
        large_free(i) && i != hole ==> paged(r->g, &r->key, i);

    predicate all_paged{L}(struct region *r) = \forall integer i;
        large_free(i) ==> paged(r->g, &r->key, i);

    // dirty: what the record says to be in pages not given back is what the map holds.
    predicate soiled{L}(integer x) = dirt[x] != 0 ==>
        x >= REGION_FIRST && list[x] == LIST_DIRTY && dirt[x] <= span[x - DIRTY_NODE];
    predicate only_listed{L} = \forall integer x; 0 <= x <= fence ==> soiled(x);
    logic integer dirt_below{L}(integer n) = n <= 0 ? 0 : dirt_below(n - 1) + dirt[n - 1];
    predicate counted_dirty{L}(struct region *r) = r->dirty_granules == dirt_below(fence);
    predicate dirty{L}(struct region *r) = only_listed && counted_dirty(r);

    // All invariants of the chunks, and all of the lists.
    predicate chunks{L}(struct region *r) =
        tiled(r->g) && tagged(r->g) && sealed(r->g, &r->key) && coalesced;
    predicate lists{L}(struct region *r) = linked(r->g) && heads && placed && sorted(r->g) &&
        mapped_bins(r->g, &r->bins) && fast(r->g, &r->bins) && counted(&r->bins);

    // topped: the last chunk is top, free and in no bin.
    predicate topped{L}(struct region *r) =
        is_free(r->top) && ends_at(r->top, fence) && list[r->top + 1] == LIST_NONE;

    // sound: all invariants of a region but topped. Binless: the same while free chunk i is in no
    // bin. In hand: nor is anything recorded of its pages.
    predicate sound{L}(struct region *r) = held(r) && chunks(r) && lists(r) && dirty(r) &&
        all_paged(r) && binned;
    predicate bare{L}(integer i) = is_free(i) && list[i + 1] == LIST_NONE &&
        (span[i] >= PURGE_MIN_GRANULES ==>
            list[i + DIRTY_NODE] == LIST_NONE && dirt[i + DIRTY_NODE] == 0);
    predicate binless{L}(struct region *r, integer i) = held(r) && chunks(r) && lists(r) && dirty(r) &&
        all_paged(r) && binned_but(i) && is_free(i) && list[i + 1] == LIST_NONE;
    predicate in_hand{L}(struct region *r, integer i) = held(r) && chunks(r) && lists(r) && dirty(r) &&
        paged_but(r, i) && binned_but(i) && bare(i);

    // Steps of proofs. Cells that are no node and not those of [from, to) keep their links.
    predicate same_cells{A, B}(struct granule *g, integer from, integer to) = \forall integer x;
        0 <= x <= \at(fence, A) && !(from <= x < to) && \at(list[x], A) == LIST_NONE &&
        \at(list[x], B) == LIST_NONE ==>
        \at(g[x].lo, A) == \at(g[x].lo, B) && \at(g[x].hi, A) == \at(g[x].hi, B);

    // So do all cells but `but` that are not in the list of dirty chunks.
    predicate same_but_dirty{A, B}(struct granule *g, integer but) = \forall integer x;
        0 <= x <= \at(fence, A) && x != but && \at(list[x], A) != LIST_DIRTY &&
        \at(list[x], B) != LIST_DIRTY ==>
        \at(g[x].lo, A) == \at(g[x].lo, B) && \at(g[x].hi, A) == \at(g[x].hi, B);

    // What a client of the region understands. A live chunk is one in use that waits in no fast bin;
    // kept: every live chunk but one has its place, size, state and flags still; no_new: no other came.
    predicate live{L}(integer i) = in_use(i) && list[i + 1] == LIST_NONE;
    predicate as_before{A, B}(struct granule *g, integer i) = live{B}(i) &&
        \at(span[i], A) == \at(span[i], B) && \at(state[i], A) == \at(state[i], B) &&
        \at(g[i].flags, A) == \at(g[i].flags, B);
    predicate kept{A, B}(struct granule *g, integer but) = \forall integer i;
        live{A}(i) && i != but ==> as_before{A, B}(g, i);
    predicate no_new{A, B}(integer but) = \forall integer i;
        live{B}(i) && i != but ==> live{A}(i);

    // untouched: every live chunk but one has its payload still: all of each cell behind its header, and
    // lo and hi of the next header. No node is there: loose. Cells stand behind names, so that a step from
    // one moment to the next speaks of no other cell.
    predicate behind(integer i, integer n, integer x) = i < x <= i + n;
    predicate same_words{A, B}(struct granule *g, integer x) =
        \at(g[x].lo, A) == \at(g[x].lo, B) && \at(g[x].hi, A) == \at(g[x].hi, B);
    predicate same_rest{A, B}(struct granule *g, integer x) =
        \at(g[x].size, A) == \at(g[x].size, B) && \at(g[x].seal, A) == \at(g[x].seal, B) &&
        \at(g[x].flags, A) == \at(g[x].flags, B) && \at(g[x].prev_inuse, A) == \at(g[x].prev_inuse, B);
    predicate same_payload{A, B}(struct granule *g, integer i, integer n) = \forall integer x;
        i < x <= i + n && behind(i, n, x) ==>
        same_words{A, B}(g, x) && (x < i + n ==> same_rest{A, B}(g, x));
    predicate intact{A, B}(struct granule *g, integer i) = same_payload{A, B}(g, i, \at(span[i], A));
    predicate untouched{A, B}(struct granule *g, integer but) = \forall integer i;
        live{A}(i) && i != but ==> intact{A, B}(g, i);
    // So does what two steps left alone, from A to M and from M to B: by way of the single cells.
    predicate both{A, M, B}(struct granule *g, integer but) = \forall integer i;
        live{A}(i) && i != but ==>
        as_before{A, M}(g, i) && intact{A, M}(g, i) && intact{M, B}(g, i);
    predicate cellwise{A, B}(struct granule *g, integer but) = \forall integer i, x;
        live{A}(i) && i != but && behind(i, \at(span[i], A), x) ==>
        \at(g[x].lo, A) == \at(g[x].lo, B) && \at(g[x].hi, A) == \at(g[x].hi, B) &&
        (x < i + \at(span[i], A) ==> \at(g[x].size, A) == \at(g[x].size, B) &&
            \at(g[x].seal, A) == \at(g[x].seal, B) && \at(g[x].flags, A) == \at(g[x].flags, B) &&
            \at(g[x].prev_inuse, A) == \at(g[x].prev_inuse, B));
    predicate loose{L}(integer i) = \forall integer x; i < x <= i + span[i] ==> list[x] == LIST_NONE;

    // The state between calls.
    predicate at_rest{L}(struct region *r) = sound(r) && topped(r);

    // merged: no chunk waits in a fast bin. spent: nor is there one of the size in a bin, as far as the first
    // of each tells, and top would not keep CHUNK_MIN_GRANULES.
    predicate merged{L}(struct region *r) = r->bins.fast_chunks == 0 ||
        \forall integer s; CHUNK_MIN_GRANULES <= s <= FAST_MAX_GRANULES ==> r->bins.fast[s] == 0;
    predicate none_binned{L}(struct region *r, integer size) = \forall integer bin;
        bin_for(size) <= bin < BIN_COUNT ==> none_fits(r->g, bin, size);
    predicate spent{L}(struct region *r, integer size) = merged(r) && none_binned(r, size) &&
        span[r->top] < size + CHUNK_MIN_GRANULES;

    // Granules a request may have.
    predicate request(integer size) =
        CHUNK_MIN_GRANULES <= size <= REGION_LIMIT_GRANULES / 2 + CHUNK_MIN_GRANULES;

    // What a request is answered with: allocated chunks of `size` granules or one more, each of which was
    // not live before, no two the same.
    predicate granted{L}(uint32_t *served, integer count, integer size) = \forall integer k;
        0 <= k < count ==> live(served[k]) && state[served[k]] == SEAL_ALLOCATED &&
        size <= span[served[k]] <= size + 1;
    predicate fresh{A, B}(uint32_t *served, integer count) = \forall integer k;
        0 <= k < count ==> !live{A}(\at(served[k], B));
    predicate unserved{A, B}(uint32_t *served, integer count, integer wanted) = \forall integer k;
        count <= k < wanted ==> \at(served[k], A) == \at(served[k], B);
    predicate within{L}(uint32_t *served, integer count, integer from, integer to) = \forall integer k;
        0 <= k < count ==> from <= served[k] < to;
    predicate same_free{A, B} = \forall integer i; is_free{A}(i) <==> is_free{B}(i);
    predicate distinct{L}(uint32_t *served, integer count) = \forall integer k, m;
        0 <= k < m < count ==> served[k] != served[m];

    // The same of one or two of them, by index, whatever part of the list `these` is.
    predicate given{A, B}(uint32_t *these, integer k, integer size) =
        \let i = \at(these[k], B); live{B}(i) && \at(state[i], B) == SEAL_ALLOCATED &&
        size <= \at(span[i], B) <= size + 1 && !live{A}(i);
    predicate differ{L}(uint32_t *these, integer k, integer m) = these[k] != these[m];
    predicate stayed{A, B}(uint32_t *these, integer k) = \at(these[k], A) == \at(these[k], B);

    // The end moved: no chunk but top is another. Top is the last chunk before and after.
    predicate only_top{A, B}(integer top) =
        (\forall integer i; chunk{A}(i) <==> chunk{B}(i)) &&
        \forall integer i; chunk{A}(i) && i != top ==>
            \at(span[i], A) == \at(span[i], B) && \at(state[i], A) == \at(state[i], B);

    // i is one of the first n of these.
    predicate among{L}(uint32_t *these, integer n, integer i) = \exists integer m;
        0 <= m < n && these[m] == i;
*/

/* What operations of a region write, as ACSL's assigns names it: headers; links, bins and the maps
 * of them (invariants.h); all of these with sizes and states; fast bins. Blanks around the dots are
 * needed, or `0..x` is one word. */
/* clang-format off */
#define HEADERS_OF(r) \
    (r)->g[0 .. fence].size, (r)->g[0 .. fence].flags, (r)->g[0 .. fence].seal, \
    (r)->g[0 .. fence].prev_inuse
#define BINS_OF(r) \
    (r)->g[0 .. fence].lo, (r)->g[0 .. fence].hi, (r)->bins.map[0 .. 1], (r)->bins.free_chunks, \
    (r)->bins.free_granules, list[0 .. fence], tally[0 .. fence], weight[0 .. fence], \
    lead[0 .. fence]
#define CHUNKS_OF(r) \
    (r)->dirty_granules, (r)->top, (r)->last_remainder, HEADERS_OF(r), BINS_OF(r), \
    dirt[0 .. fence], span[0 .. fence], state[0 .. fence]
#define FAST_OF(r) \
    (r)->bins.fast[0 .. FAST_MAX_GRANULES], (r)->bins.fast_chunks, (r)->bins.fast_granules, \
    above[0 .. fence]
/* clang-format on */

/* Make a region of g[0..granules), which read as zero: all of it top. key->base must be the address of g. */
/*@ requires granules: REGION_MIN_GRANULES <= granules <= REGION_LIMIT_GRANULES + 1;
    requires cells: \valid(r) && \valid(g + (0 .. granules - 1)) && \base_addr(r) != \base_addr(g);
    requires key: \valid_read(key) && \separated(key, r) && keyed(key) &&
        \base_addr(key) != \base_addr(g);
    terminates \true;
    exits never: \false;
    assigns *r, g[0 .. granules - 1].lo, g[0 .. granules - 1].hi, g[REGION_FIRST].prev_inuse,
            g[REGION_FIRST].size, g[REGION_FIRST].flags, g[REGION_FIRST].seal,
            g[granules - 1].prev_inuse, g[granules - 1].size, g[granules - 1].flags,
            g[granules - 1].seal, fence, span[0 .. granules - 1], state[REGION_FIRST],
            list[0 .. granules - 1], tally[0 .. granules - 1], dirt[0 .. granules - 1],
            list[REGION_FIRST + DIRTY_NODE], dirt[REGION_FIRST + DIRTY_NODE];
    ensures cells: r->g == g && fence == granules - 1;
    ensures only: \forall integer i; chunk(i) <==> i == REGION_FIRST;
    ensures top: r->top == REGION_FIRST;
    ensures rest: at_rest(r);
*/
void region_init(struct region *r, struct granule *g, uint32_t granules, const struct seal_key *key,
                 uint8_t flags);

/* An allocated chunk of `size` granules or one more; 0 and nothing changed but the order of bins
 * when there is none. */
/*@ requires rest: at_rest(r);
    requires size: request(size);
    requires fast_max: fast_max <= FAST_MAX_GRANULES;
    terminates \true;
    exits never: \false;
    assigns CHUNKS_OF(r), FAST_OF(r), r->served_zero.from, r->served_zero.to;
    ensures rest: at_rest(r);
    ensures granted: \result != 0 ==> live(\result) && state[\result] == SEAL_ALLOCATED &&
        size <= span[\result] <= size + 1;
    ensures fresh: \result != 0 ==> !live{Pre}(\result);
    ensures spent: \result == 0 ==> spent(r, size);
    ensures kept: kept{Pre, Post}(r->g, -1);
    ensures untouched: untouched{Pre, Post}(r->g, -1);
*/
uint32_t region_allocate(struct region *r, uint32_t size, uint32_t fast_max);

/* Up to `wanted` such chunks, into served[]; where one free chunk yields several they lie side by
 * side. How many. */
/*@ requires rest: at_rest(r);
    requires size: request(size);
    requires fast_max: fast_max <= FAST_MAX_GRANULES;
    requires served: \valid(served + (0 .. wanted - 1)) && \base_addr(served) != \base_addr(r) &&
        \base_addr(served) != \base_addr(r->g);
    terminates \true;
    exits never: \false;
    assigns CHUNKS_OF(r), FAST_OF(r), r->served_zero.from, r->served_zero.to,
            served[0 .. wanted - 1];
    ensures count: \result <= wanted;
    ensures rest: at_rest(r);
    ensures granted: granted(served, \result, size);
    ensures fresh: fresh{Pre, Post}(served, \result);
    ensures distinct: distinct(served, \result);
    ensures unserved: unserved{Pre, Post}(served, \result, wanted);
    ensures spent: \result < wanted ==> spent(r, size);
    ensures kept: kept{Pre, Post}(r->g, -1);
    ensures untouched: untouched{Pre, Post}(r->g, -1);
*/
uint32_t region_allocate_run(struct region *r, uint32_t size, uint32_t fast_max, uint32_t wanted,
                             uint32_t *served);

/* One with a payload whose address is a multiple of `align` granules (a power of two).
 * Lead and tail are given back. */
/*@ requires rest: at_rest(r);
    requires size: request(size);
    requires align: align > 0;
    terminates \true;
    exits never: \false;
    assigns CHUNKS_OF(r), FAST_OF(r), r->served_zero.from, r->served_zero.to;
    ensures rest: at_rest(r);
    ensures granted: \result != 0 ==> live(\result) && state[\result] == SEAL_ALLOCATED &&
        size <= span[\result] <= size + 1;
    ensures aligned: \result != 0 ==> (r->key.base + \result + 1) % align == 0;
    ensures fresh: \result != 0 ==> !live{Pre}(\result);
    ensures spent: \result == 0 ==> align > REGION_LIMIT_GRANULES / 2 ||
        size + align > REGION_LIMIT_GRANULES / 2 || spent(r, size + align + CHUNK_MIN_GRANULES);
    ensures kept: kept{Pre, Post}(r->g, -1);
    ensures no_new: no_new{Pre, Post}(\result);
    ensures untouched: untouched{Pre, Post}(r->g, -1);
*/
uint32_t region_allocate_aligned(struct region *r, uint32_t size, uint32_t align);

/* Have what freeing chunk i will read on its way into the processor's cache, in steps from 0 on: each reads
 * what the one before fetched. Chunks that are freed one after another, each expected first, step by step for
 * all of them, wait for memory together; without that each waits some six times. What stands in the cells may
 * be anything: nothing is checked here, since freeing them will. */
enum { REGION_EXPECT_STEPS = 3 };
/*@ requires held: held(r);
    requires cell: i < fence;
    terminates \true;
    exits never: \false;
    assigns \nothing;
*/
void region_expect(const struct region *r, uint32_t i, unsigned step);

/* Free chunk i, allocated or cached and checked as such by the caller. Up to `fast_max` granules
 * it waits in a fast bin, still unmerged; else it merges with its free neighbours. */
/*@ requires rest: at_rest(r);
    requires live: live(i);
    requires fast_max: fast_max <= FAST_MAX_GRANULES;
    terminates \true;
    exits never: \false;
    assigns CHUNKS_OF(r), FAST_OF(r);
    ensures rest: at_rest(r);
    ensures kept: kept{Pre, Post}(r->g, i);
    ensures freed: \forall integer j; live(j) ==> live{Pre}(j) && j != i;
    ensures waits: \old(span[i]) <= fast_max ==> in_use(i) && list[i + 1] == LIST_FAST + \old(span[i]);
    ensures merged: \old(span[i]) >= CONSOLIDATE_GRANULES && \old(span[i]) > fast_max ==> merged(r);
    ensures untouched: untouched{Pre, Post}(r->g, i);
*/
void region_free(struct region *r, uint32_t i, uint32_t fast_max);

/* Shrink or grow allocated chunk i in place, into a free neighbour or top behind it. */
/*@ requires rest: at_rest(r);
    requires allocated: live(i) && state[i] == SEAL_ALLOCATED;
    requires size: request(size);
    terminates \true;
    exits never: \false;
    assigns CHUNKS_OF(r);
    ensures rest: at_rest(r);
    ensures allocated: live(i) && state[i] == SEAL_ALLOCATED;
    ensures flags: r->g[i].flags == \old(r->g[i].flags);
    ensures resized: \result ==> size <= span[i] <= size + 1;
    ensures refused: !\result ==> span[i] == \old(span[i]);
    ensures kept: kept{Pre, Post}(r->g, i);
    ensures no_new: no_new{Pre, Post}(i);
    ensures untouched: untouched{Pre, Post}(r->g, i);
    ensures payload: (\old(span[i]) <= span[i] ==> same_payload{Pre, Post}(r->g, i, \old(span[i]))) &&
        (span[i] <= \old(span[i]) ==> same_payload{Pre, Post}(r->g, i, span[i]));
*/
bool region_resize(struct region *r, uint32_t i, uint32_t size);

/* Merge every chunk that waits in a fast bin. */
/*@ requires rest: at_rest(r);
    terminates \true;
    exits never: \false;
    assigns CHUNKS_OF(r), FAST_OF(r);
    ensures emptied: \forall integer s; CHUNK_MIN_GRANULES <= s <= FAST_MAX_GRANULES ==>
        r->bins.fast[s] == 0;
    ensures rest: at_rest(r);
    ensures kept: kept{Pre, Post}(r->g, -1);
    ensures no_new: no_new{Pre, Post}(-1);
    ensures untouched: untouched{Pre, Post}(r->g, -1);
*/
void region_consolidate(struct region *r);

/* g now reaches to `granules`, more than before: top grows. `fresh`: what is new reads as zero. */
/*@ requires rest: at_rest(r);
    requires more: fence + 1 < granules <= REGION_LIMIT_GRANULES + 1;
    requires cells: \valid(r->g + (0 .. granules - 1));
    terminates \true;
    exits never: \false;
    assigns r->bins.fence, r->dirty_granules, r->g[0 .. granules - 1].lo,
            r->g[0 .. granules - 1].hi, r->g[r->top].size, r->g[r->top].flags, r->g[r->top].seal,
            r->g[granules - 1].size, r->g[granules - 1].flags, r->g[granules - 1].seal,
            r->g[granules - 1].prev_inuse, fence, span[r->top .. granules - 1],
            list[r->top + DIRTY_NODE], list[fence + 1 .. granules - 1],
            tally[fence + 1 .. granules - 1], dirt[r->top + DIRTY_NODE],
            dirt[fence + 1 .. granules - 1];
    ensures end: fence == granules - 1;
    ensures top: r->top == \old(r->top) && only_top{Pre, Post}(r->top);
    ensures rest: at_rest(r);
    ensures kept: kept{Pre, Post}(r->g, -1);
    ensures no_new: no_new{Pre, Post}(-1);
    ensures untouched: untouched{Pre, Post}(r->g, -1);
*/
void region_extend(struct region *r, uint32_t granules, bool fresh);

/* Shorten top so that it keeps `keep` granules (CHUNK_MIN_GRANULES at least): the region then
 * ends at what is returned, in granules. */
/*@ requires rest: at_rest(r);
    requires keep: keep >= CHUNK_MIN_GRANULES;
    terminates \true;
    exits never: \false;
    assigns r->bins.fence, r->dirty_granules, r->g[0 .. fence].lo, r->g[0 .. fence].hi,
            r->g[r->top].size, r->g[r->top].flags, r->g[r->top].seal, r->g[r->top + keep].size,
            r->g[r->top + keep].flags, r->g[r->top + keep].seal, r->g[r->top + keep].prev_inuse,
            fence, span[r->top .. r->top + keep], span[fence], list[r->top + DIRTY_NODE],
            dirt[r->top + DIRTY_NODE];
    ensures end: fence == \min(\old(fence), r->top + keep) && \result == fence + 1;
    ensures top: r->top == \old(r->top) && only_top{Pre, Post}(r->top);
    ensures rest: at_rest(r);
    ensures kept: kept{Pre, Post}(r->g, -1);
    ensures no_new: no_new{Pre, Post}(-1);
    ensures untouched: untouched{Pre, Post}(r->g, -1);
*/
uint32_t region_trim(struct region *r, uint32_t keep);

/*@ requires held: held(r);
    requires tiled: tiled(r->g);
    requires topped: topped(r);
    terminates \true;
    exits never: \false;
    assigns \nothing;
    ensures top: \result == span[r->top] && \result == fence - r->top;
*/
static inline uint32_t region_top_granules(const struct region *r) { return r->g[r->top].size; }

/* Granules of the region, heads and fence included. */
/*@ requires held: held(r);
    terminates \true;
    exits never: \false;
    assigns \nothing;
    ensures granules: \result == fence + 1;
*/
static inline uint32_t region_granules(const struct region *r) { return r->bins.fence + 1; }

/* Whether nothing is in use but the heads: top is the only chunk. */
/*@ requires held: held(r);
    requires tiled: tiled(r->g);
    requires coalesced: coalesced;
    requires topped: topped(r);
    terminates \true;
    exits never: \false;
    assigns \nothing;
    ensures told: \result <==> \forall integer i; !in_use(i);
*/
static inline bool region_is_empty(const struct region *r) {
    //@ assert first: chunk(REGION_FIRST) && extent(REGION_FIRST) && extent(r->top);
    /*@ assert second: r->top != REGION_FIRST ==>
            in_use(REGION_FIRST) || in_use(REGION_FIRST + span[REGION_FIRST]); */
    return r->top == REGION_FIRST;
}

/* ---- Pages: see core/README.md, "Giving memory back" ------------------------------------------ */

/* The whole pages of free chunk i (or top) that hold no header and no link. */
/*@ requires held: held(r);
    requires tiled: tiled(r->g);
    requires chunk: chunk(i);
    terminates \true;
    exits never: \false;
    assigns \nothing;
    ensures whole: whole_from(&r->key, i) < whole_to(&r->key, i) ==>
        \result.from == whole_from(&r->key, i) && \result.to == whole_to(&r->key, i);
    ensures none: whole_from(&r->key, i) >= whole_to(&r->key, i) ==>
        \result.from == 0 && \result.to == 0;
    ensures inside: \result.from < \result.to ==>
        i + DIRTY_NODE < \result.from && \result.to <= i + span[i];
    ensures large: span[i] >= PURGE_MIN_GRANULES ==> \result.from < \result.to;
*/
struct page_run region_whole_pages(const struct region *r, uint32_t i);

/* Those of them that were given back, or never touched, and so read as zero. */
/*@ requires held: held(r);
    requires tiled: tiled(r->g);
    requires chunk: chunk(i);
    terminates \true;
    exits never: \false;
    assigns \nothing;
    ensures recorded: span[i] >= PURGE_MIN_GRANULES ==>
        \result.from == r->g[i + PURGED_NODE].lo && \result.to == r->g[i + PURGED_NODE].hi;
    ensures none: span[i] < PURGE_MIN_GRANULES ==> \result.from == 0 && \result.to == 0;
*/
struct page_run region_purged(const struct region *r, uint32_t i);

/* Granules of the others. */
/*@ requires held: held(r);
    requires tiled: tiled(r->g);
    requires chunk: chunk(i);
    requires record: span[i] >= PURGE_MIN_GRANULES ==> record(r->g, &r->key, i);
    terminates \true;
    exits never: \false;
    assigns \nothing;
    ensures large: span[i] >= PURGE_MIN_GRANULES ==> \result ==
        whole_length(&r->key, i) - (r->g[i + PURGED_NODE].hi - r->g[i + PURGED_NODE].lo);
    ensures small: span[i] < PURGE_MIN_GRANULES ==> \result == whole_length(&r->key, i);
*/
uint32_t region_dirty(const struct region *r, uint32_t i);

/* The free chunk (or top) with such pages that has been so for longest; 0: none. */
/*@ requires held: held(r);
    requires linked: linked(r->g);
    requires heads: heads;
    requires placed: placed;
    terminates \true;
    exits never: \false;
    assigns \nothing;
    ensures none: \result == 0 <==> r->g[DIRTY_HEAD].hi == DIRTY_HEAD;
    ensures oldest: \result != 0 ==> large_free(\result) &&
        list[\result + DIRTY_NODE] == LIST_DIRTY && answers(r->g, \result + DIRTY_NODE, DIRTY_HEAD);
*/
uint32_t region_oldest_dirty(const struct region *r);

/* Record that the pages `run` of large free chunk i, and no others, have been given back. */
/*@ requires held: held(r);
    requires tiled: tiled(r->g);
    requires tagged: tagged(r->g);
    requires lists: lists(r);
    requires paged: all_paged(r);
    requires dirty: dirty(r);
    requires large: large_free(i);
    terminates \true;
    exits never: \false;
    assigns r->dirty_granules, r->g[0 .. fence - 1].lo, r->g[0 .. fence - 1].hi,
            list[i + DIRTY_NODE], dirt[i + DIRTY_NODE];
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
void region_set_purged(struct region *r, uint32_t i, struct page_run run);

#endif
