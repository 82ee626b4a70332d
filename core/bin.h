/* bin.h: where a region's free chunks wait. Proved file.
 *
 *   bin 1       unsorted: freed chunks and remainders, each given one chance to be reused as it is
 *   bin 2..63   small: chunks of exactly that many granules, first in first out
 *   bin 64..127 large: descending ranks, with a second ring that holds one chunk of each rank
 *   fast[s]     chunks of s granules that have not been merged yet: still in use for their
 *               neighbours, sealed as cached, last in first out, singly linked
 *
 * The heads of the bins are the granules 1..127 of the region themselves, so a head is a node
 * like any other and no list operation has a special case. A node is the granule that holds the
 * links: granule b for the head of bin b, granule i + 1 for chunk i. fd and bk name nodes;
 * nextsize links name chunks' ring granules (i + 2), 0 for a chunk outside the ring.
 *
 *      head b            largest           ...            smallest
 *     +-------+ fd      +-------+ fd                     +-------+ fd
 *     | b     |-------->| i + 1 |--------> ... --------->| j + 1 |---> back to head
 *     +-------+         | i + 2 |<===== nextsize =======>| j + 2 |
 *                       +-------+                        +-------+
 *
 * No lock of its own: the region's. A link that its neighbour does not answer is reported.
 */
#ifndef CP_BIN_H
#define CP_BIN_H

#include "chunk.h"

struct bins {
    uint64_t map[2]; /* bit b: bin b may be non-empty; a non-empty bin has its bit set */
    uint32_t fence; /* index of the region's fence: every link lies below */
    uint32_t fast[FAST_BIN_COUNT]; /* index of the first chunk, 0: empty */
    /* 64 bits, so that no counter shares its type with a cell's fields: the proofs then need no word
     * on which of the two a store reaches. */
    uint64_t fast_chunks; /* in all fast bins */
    uint64_t fast_granules;
    uint64_t free_chunks; /* in bins 1..127; neither fast chunks nor top count */
    uint64_t free_granules;
};

/*@ // The bins belong to these granules.
    predicate bound{L}(struct granule *g, struct bins *b) =
        \valid(b) && \base_addr(g) != \base_addr(b) && b->fence == fence;

    // mapped-bins: a bin that is not empty has its bit set.
    predicate bit(integer word, integer k) = (word & (1 << k)) != 0;
    predicate marked{L}(struct bins *b, integer bin) =
        bin < 64 ? bit(b->map[0], bin) : bit(b->map[1], bin - 64);
    predicate empty{L}(struct granule *g, integer bin) = g[bin].lo == bin;
    // None of its chunks has the size, as far as the first tells, which in a large bin has the largest rank.
    predicate none_fits{L}(struct granule *g, integer bin, integer size) =
        empty(g, bin) || span[g[bin].lo - 1] < size;
    predicate mapped_bins{L}(struct granule *g, struct bins *b) = \forall integer bin;
        BIN_UNSORTED <= bin < BIN_COUNT && !marked(b, bin) ==> empty(g, bin);

    // fast: each list holds cached chunks of its size (see placed), and leads from one to the next
    // below. That it ends follows from counted: each pop leaves fewer.
    predicate fast_first{L}(struct bins *b, integer size) = b->fast[size] == 0 ||
        REGION_FIRST <= b->fast[size] < fence && list[b->fast[size] + 1] == LIST_FAST + size &&
        above[b->fast[size]] == 0;
    predicate fast_link{L}(struct granule *g, integer i) = g[i + 1].lo == 0 ||
        REGION_FIRST <= g[i + 1].lo < fence && list[g[i + 1].lo + 1] == list[i + 1] &&
        above[g[i + 1].lo] == i;
    predicate fast{L}(struct granule *g, struct bins *b) =
        (\forall integer s; CHUNK_MIN_GRANULES <= s <= FAST_MAX_GRANULES ==> fast_first(b, s)) &&
        \forall integer i; chunk(i) && list[i + 1] >= LIST_FAST ==> fast_link(g, i);

    // counted: what statistics report is what the lists hold.
    predicate counted_free{L}(struct bins *b) =
        b->free_chunks == free_chunks_below(fence) &&
        b->free_granules == free_granules_below(fence);
    predicate counted_fast{L}(struct bins *b) =
        b->fast_chunks == fast_chunks_below(fence) &&
        b->fast_granules == fast_granules_below(fence);
    predicate counted{L}(struct bins *b) = tallied && counted_free(b) && counted_fast(b);
*/

/* Lemma: no node is a header, since each lies inside its chunk. Defined in bin.c. */
/*@ ghost
    /@ requires fence: REGION_FIRST < fence <= REGION_LIMIT_GRANULES;
       requires tiling: tiling;
       requires placed: placed;
       terminates \true;
       exits never: \false;
       assigns \nothing;
       ensures inner: inner;
    @/
    void nodes_inner(void);
*/

/* Trusted: what the machine's instruction finds (see proofs/SOUNDNESS.md). */
/*@ requires some: word != 0;
    terminates \true;
    exits never: \false;
    assigns \nothing;
    ensures lowest: \result < 64 && bit(word, \result) &&
        \forall integer j; 0 <= j < \result ==> !bit(word, j);
*/
static inline uint32_t lowest_bit(uint64_t word) { return (uint32_t)__builtin_ctzll(word); }

/* The bin that chunks of `size` granules (2 or more) are sorted into. */
/*@ requires chunk: size >= CHUNK_MIN_GRANULES;
    terminates \true;
    exits never: \false;
    assigns \nothing;
    ensures bin: \result == bin_for(size);
    ensures small: size < LARGE_MIN_GRANULES ==> \result == size;
    ensures large: size >= LARGE_MIN_GRANULES ==> BIN_LARGE_FIRST <= \result < BIN_COUNT;
*/
uint32_t bin_index(uint32_t size);

/* What large bins are sorted by: a size and those up to a 32nd of a bin's width above it share a rank. So
 * no walk along a ring takes more than 33 steps, however many sizes are free (save in the last bin,
 * whose chunks, of 2.7 MiB and more, are few). A larger rank is a larger size. */
/*@ terminates \true;
    exits never: \false;
    assigns \nothing;
    ensures rank: \result == rank(size);
*/
uint32_t bin_rank(uint32_t size);

/* Empty bins; the heads g[0..BIN_COUNT) are written. */
/*@ requires cells: cells(g) && fence == end;
    requires writable: \valid(b) && \base_addr(g) != \base_addr(b);
    terminates \true;
    exits never: \false;
    assigns *b, g[0 .. BIN_COUNT - 1].lo, g[0 .. BIN_COUNT - 1].hi, list[0 .. fence],
            tally[0 .. fence];
    ensures bound: bound(g, b);
    ensures none: \forall integer x; REGION_FIRST <= x <= fence ==> list[x] == LIST_NONE;
    ensures empty: \forall integer bin; BIN_UNSORTED <= bin < BIN_COUNT ==> empty(g, bin);
    ensures linked: linked(g);
    ensures heads: heads;
    ensures placed: placed;
    ensures sorted: sorted(g);
    ensures mapped_bins: mapped_bins(g, b);
    ensures fast: fast(g, b);
    ensures counted: counted(b);
*/
void bins_init(struct granule *g, struct bins *b, uint32_t end);

/* Put free chunk i in the unsorted bin, or into the bin of its size. */
/*@ requires cells: cells(g);
    requires bound: bound(g, b);
    requires tiled: tiled(g);
    requires tagged: tagged(g);
    requires linked: linked(g);
    requires heads: heads;
    requires placed: placed;
    requires sorted: sorted(g);
    requires binned: binned_but(i);
    requires mapped_bins: mapped_bins(g, b);
    requires counted: counted(b);
    requires free: is_free(i) && list[i + 1] == LIST_NONE;
    terminates \true;
    exits never: \false;
    assigns g[i + 1].lo, g[i + 1].hi, g[i + 2 .. i + (g[i].size < LARGE_MIN_GRANULES ? 1 : 2)].lo,
            g[i + 2 .. i + (g[i].size < LARGE_MIN_GRANULES ? 1 : 2)].hi,
            g[BIN_UNSORTED].lo, g[g[BIN_UNSORTED].lo].hi, b->map[0], b->free_chunks,
            b->free_granules, list[i + 1], tally[i + 1], weight[i + 1];
    ensures first: list[i + 1] == BIN_UNSORTED && answers(g, BIN_UNSORTED, i + 1);
    ensures tiled: tiled(g);
    ensures tagged: tagged(g);
    ensures linked: linked(g);
    ensures heads: heads;
    ensures placed: placed;
    ensures sorted: sorted(g);
    ensures binned: binned;
    ensures mapped_bins: mapped_bins(g, b);
    ensures counted: counted(b);
*/
void bin_insert_unsorted(struct granule *g, struct bins *b, uint32_t i);

/* The same into the bin of its size: behind its head, or where a large bin's order wants it. */
/*@ requires cells: cells(g);
    requires bound: bound(g, b);
    requires tiled: tiled(g);
    requires tagged: tagged(g);
    requires linked: linked(g);
    requires heads: heads;
    requires placed: placed;
    requires sorted: sorted(g);
    requires binned: binned_but(i);
    requires mapped_bins: mapped_bins(g, b);
    requires counted: counted(b);
    requires free: is_free(i) && list[i + 1] == LIST_NONE;
    terminates \true;
    exits never: \false;
    assigns g[0 .. fence - 1].lo, g[0 .. fence - 1].hi, b->map[0 .. 1], b->free_chunks,
            b->free_granules, list[i + 1], list[i + 2], tally[i + 1], weight[i + 1], lead[i + 1];
    ensures binned_by_size: list[i + 1] == bin_for(span[i]);
    ensures waits: same_waits{Pre, Post}(i);
    ensures dirty: same_dirty{Pre, Post};
    ensures outside: same_outside{Pre, Post}(g, i + 2);
    ensures sizes: same_sizes{Pre, Post}(g, -1, -1);
    ensures tiled: tiled(g);
    ensures tagged: tagged(g);
    ensures linked: linked(g);
    ensures heads: heads;
    ensures placed: placed;
    ensures sorted: sorted(g);
    ensures binned: binned;
    ensures mapped_bins: mapped_bins(g, b);
    ensures counted: counted(b);
*/
void bin_insert(struct granule *g, struct bins *b, uint32_t i);

/* Take free chunk i out of the bin it is in. */
/*@ requires cells: cells(g);
    requires bound: bound(g, b);
    requires tiled: tiled(g);
    requires tagged: tagged(g);
    requires linked: linked(g);
    requires heads: heads;
    requires placed: placed;
    requires sorted: sorted(g);
    requires binned: binned;
    requires mapped_bins: mapped_bins(g, b);
    requires counted: counted(b);
    requires free: is_free(i) && in_bin(i);
    terminates \true;
    exits never: \false;
    assigns g[0 .. fence - 1].lo, g[0 .. fence - 1].hi, b->map[0 .. 1], b->free_chunks,
            b->free_granules, list[i + 1], list[i + 2], list[g[i + 1].lo + 1], tally[i + 1],
            lead[0 .. fence];
    ensures loose: list[i + 1] == LIST_NONE;
    ensures waits: same_waits{Pre, Post}(i);
    ensures dirty: same_dirty{Pre, Post};
    ensures outside: same_outside{Pre, Post}(g, -1);
    ensures sizes: same_sizes{Pre, Post}(g, -1, -1);
    ensures tiled: tiled(g);
    ensures tagged: tagged(g);
    ensures linked: linked(g);
    ensures heads: heads;
    ensures placed: placed;
    ensures sorted: sorted(g);
    ensures binned: binned_but(i);
    ensures mapped_bins: mapped_bins(g, b);
    ensures counted: counted(b);
*/
void bin_unlink(struct granule *g, struct bins *b, uint32_t i);

/* The list operations themselves, for any circular list whose nodes are granules: hang x behind
 * node `before`; take x out. Neighbours that do not answer each other's links are reported. */
/*@ requires cells: cells(g);
    requires bound: bound(g, b);
    requires tiled: tiled(g);
    requires tagged: tagged(g);
    requires linked: linked_but(g, x);
    requires inner: inner;
    requires hangs: before < fence && before != x && hangs(before);
    requires joined: x < fence && list[x] == list[before];
    terminates \true;
    exits never: \false;
    assigns g[x].lo, g[x].hi, g[before].lo, g[g[before].lo].hi;
    ensures behind: answers(g, before, x);
    ensures ahead: g[x].lo == \old(g[before].lo) && answers(g, x, g[x].lo);
    ensures linked: linked(g);
    ensures links: same_links{Pre, Post}(g, x, before, x, \old(g[before].lo));
    ensures sizes: same_sizes{Pre, Post}(g, -1, -1);
    ensures tiled: tiled(g);
    ensures tagged: tagged(g);
*/
void bin_hook(struct granule *g, const struct bins *b, uint32_t x, uint32_t before);

/*@ requires cells: cells(g);
    requires bound: bound(g, b);
    requires tiled: tiled(g);
    requires tagged: tagged(g);
    requires linked: linked(g);
    requires inner: inner;
    requires hangs: x < fence && hangs(x);
    terminates \true;
    exits never: \false;
    assigns g[g[x].lo].hi, g[g[x].hi].lo;
    ensures closed: g[\old(g[x].hi)].lo == \old(g[x].lo) && g[\old(g[x].lo)].hi == \old(g[x].hi);
    ensures linked: linked_but(g, x);
    ensures links: same_links{Pre, Post}(g, \old(g[x].hi), -1, \old(g[x].lo), -1);
    ensures sizes: same_sizes{Pre, Post}(g, -1, -1);
    ensures tiled: tiled(g);
    ensures tagged: tagged(g);
*/
void bin_unhook(struct granule *g, const struct bins *b, uint32_t x);

/* The first bin from `from` on that is marked; BIN_COUNT when there is none. */
/*@ requires readable: \valid_read(b);
    requires from: from <= BIN_COUNT;
    terminates \true;
    exits never: \false;
    assigns \nothing;
    ensures found: \result <= BIN_COUNT && (\result < BIN_COUNT ==> marked(b, \result));
    ensures on: from <= \result;
    ensures first: \forall integer c; from <= c < \result ==> !marked(b, c);
*/
uint32_t bin_next_marked(const struct bins *b, uint32_t from);

/* Chunk at the end of bin `bin` that has waited longest (small, unsorted) or is smallest
 * (large); 0 when the bin is empty. */
/*@ requires cells: cells(g);
    requires linked: linked(g);
    requires heads: heads;
    requires placed: placed;
    requires bin: BIN_UNSORTED <= bin < BIN_COUNT;
    terminates \true;
    exits never: \false;
    assigns \nothing;
    ensures none: \result == 0 <==> empty(g, bin);
    ensures last: \result != 0 ==>
        is_free(\result) && list[\result + 1] == bin && answers(g, \result + 1, bin);
*/
uint32_t bin_last(const struct granule *g, uint32_t bin);

/* A chunk of large bin `bin` with `size` granules or more, the smallest among the first few of its rank; 0
 * when there is none, or only behind those few. */
/*@ requires cells: cells(g);
    requires bound: bound(g, b);
    requires tiled: tiled(g);
    requires linked: linked(g);
    requires heads: heads;
    requires placed: placed;
    requires sorted: sorted(g);
    requires bin: BIN_LARGE_FIRST <= bin < BIN_COUNT;
    terminates \true;
    exits never: \false;
    assigns \nothing;
    ensures fits: \result != 0 ==>
        is_free(\result) && list[\result + 1] == bin && span[\result] >= size;
    ensures none: \result == 0 ==> none_fits(g, bin, size);
*/
uint32_t bin_best_fit(const struct granule *g, const struct bins *b, uint32_t bin, uint32_t size);

/* Push allocated or cached chunk i (of FAST_MAX_GRANULES or less), which becomes cached. */
/*@ requires region: region(g, k);
    requires bound: bound(g, b) && \separated(k, b);
    requires tiled: tiled(g);
    requires tagged: tagged(g);
    requires sealed: sealed(g, k);
    requires coalesced: coalesced;
    requires linked: linked(g);
    requires heads: heads;
    requires placed: placed;
    requires sorted: sorted(g);
    requires binned: binned;
    requires mapped_bins: mapped_bins(g, b);
    requires fast: fast(g, b);
    requires counted: counted(b);
    requires in_use: in_use(i) && list[i + 1] == LIST_NONE;
    requires size: g[i].size <= FAST_MAX_GRANULES;
    terminates \true;
    exits never: \false;
    assigns g[i].size, g[i].flags, g[i].seal, g[i + 1].lo, b->fast[g[i].size], b->fast_chunks,
            b->fast_granules, state[i], list[i + 1], tally[i + 1],
            weight[i + 1], above[i],
            above[b->fast[g[i].size]];
    ensures first: b->fast[g[i].size] == i && list[i + 1] == LIST_FAST + g[i].size;
    ensures kept: g[i].size == \old(g[i].size) && g[i].flags == \old(g[i].flags);
    ensures tiled: tiled(g);
    ensures tagged: tagged(g);
    ensures sealed: sealed(g, k);
    ensures coalesced: coalesced;
    ensures linked: linked(g);
    ensures heads: heads;
    ensures placed: placed;
    ensures sorted: sorted(g);
    ensures binned: binned;
    ensures mapped_bins: mapped_bins(g, b);
    ensures fast: fast(g, b);
    ensures counted: counted(b);
*/
void fast_push(struct granule *g, const struct seal_key *k, struct bins *b, uint32_t i);

/* Pop a chunk of `size` granules, still sealed as cached; 0 when there is none. */
/*@ requires region: region(g, k);
    requires bound: bound(g, b) && \separated(k, b);
    requires tiled: tiled(g);
    requires sealed: sealed(g, k);
    requires linked: linked(g);
    requires heads: heads;
    requires placed: placed;
    requires sorted: sorted(g);
    requires binned: binned;
    requires mapped_bins: mapped_bins(g, b);
    requires fast: fast(g, b);
    requires counted: counted(b);
    requires size: CHUNK_MIN_GRANULES <= size <= FAST_MAX_GRANULES;
    terminates \true;
    exits never: \false;
    assigns b->fast[size], b->fast_chunks, b->fast_granules, list[b->fast[size] + 1],
            tally[b->fast[size] + 1],
            above[g[b->fast[size] + 1].lo];
    ensures first: \result == \old(b->fast[size]);
    ensures chunk: \result != 0 ==> in_use(\result) && state[\result] == SEAL_CACHED &&
        g[\result].size == size && list[\result + 1] == LIST_NONE;
    ensures fewer: \result != 0 ==> b->fast_chunks == \old(b->fast_chunks) - 1;
    ensures none: \result == 0 ==>
        b->fast_chunks == \old(b->fast_chunks) && b->fast[size] == 0;
    ensures sealed: sealed(g, k);
    ensures linked: linked(g);
    ensures heads: heads;
    ensures placed: placed;
    ensures sorted: sorted(g);
    ensures binned: binned;
    ensures mapped_bins: mapped_bins(g, b);
    ensures fast: fast(g, b);
    ensures counted: counted(b);
*/
uint32_t fast_pop(struct granule *g, const struct seal_key *k, struct bins *b, uint32_t size);

#endif
