/* invariants.h: glossary and the numbered invariants, in ACSL. Nothing here is compiled.
 *
 * The map. To speak of the whole heap without induction, the proofs carry a ghost map of one
 * region beside its granules. No code reads it; chunk.c keeps it in step with the headers.
 *
 *   span[i]     granules of the chunk that begins at i; 0 where none begins
 *   state[i]    its state, of enum seal_state
 *   fence       index of the closing fence: span[fence] is not 0, and is not the fence's size
 *   list[x]     which list node x hangs in, as below; LIST_NONE where it is no node
 *   tally[x]    how node x counts: 0 not, 1 as a free chunk, 2 as a fast one
 *   weight[x]   granules of the chunk that such a node stands for
 *   above[i]    the chunk above chunk i in its fast list, 0 for the first
 *   lead[x]     ring node of the first chunk that has the rank of node x's, in its large bin
 *
 *        index    REGION_FIRST                                   fence
 *                 | chunk         | chunk | chunk         | top    | fence |
 *        span     5  0  0  0  0   2  0    4  0  0  0      3  0  0  1
 *
 * Glossary. A chunk begins at i; the header behind it, at i + span[i], is that of the next chunk
 * or the fence. It is free if its state is SEAL_FREE, else in use: allocated or cached. The top
 * chunk is the last before the fence and free like any other.
 *
 * Style, for provers' sake: a predicate per chunk, quantified over chunks, one invariant each;
 * sub-terms an instance must be found by stand behind a name.
 */
#ifndef CP_INVARIANTS_H
#define CP_INVARIANTS_H

#include "granule.h"

/*@ ghost uint32_t span[REGION_LIMIT_GRANULES + 1u]; */
/*@ ghost uint8_t state[REGION_LIMIT_GRANULES + 1u]; */
/*@ ghost uint32_t fence; */
/*@ ghost uint16_t list[REGION_LIMIT_GRANULES + 1u]; */
/*@ ghost uint8_t tally[REGION_LIMIT_GRANULES + 1u]; */
/*@ ghost uint32_t weight[REGION_LIMIT_GRANULES + 1u]; */
/*@ ghost uint32_t above[REGION_LIMIT_GRANULES + 1u]; */
/*@ ghost uint32_t lead[REGION_LIMIT_GRANULES + 1u]; */

/* What list[x] says. 1 .. BIN_COUNT - 1: the circular list of that bin, x a head or node i + 1 of
 * chunk i; LIST_RING + bin: the nextsize ring of a large bin, x = i + 2; LIST_DIRTY: the list of
 * chunks with dirty pages, x = DIRTY_HEAD or i + DIRTY_NODE; LIST_FAST + s: the fast list of chunks
 * of s granules, singly linked, x = i + 1. */
#define LIST_NONE 0u
#define LIST_RING BIN_COUNT
#define LIST_DIRTY (2u * BIN_COUNT)
#define LIST_FAST (2u * BIN_COUNT + 1u)

/*@ predicate begins{L}(integer i) = span[i] != 0;
    predicate chunk{L}(integer i) = REGION_FIRST <= i < fence && begins(i);
    predicate in_use{L}(integer i) = chunk(i) && state[i] != SEAL_FREE;
    predicate is_free{L}(integer i) = chunk(i) && state[i] == SEAL_FREE;

    // tiled: next(i) = i + size(i) begins a chunk or is the fence; none begins inside another.
    predicate extent{L}(integer i) =
        CHUNK_MIN_GRANULES <= span[i] <= fence - i && begins(i + span[i]) &&
        \forall integer j; i < j < i + span[i] ==> !begins(j);

    predicate tiling{L} =
        begins(REGION_FIRST) && begins(fence) && \forall integer i; chunk(i) ==> extent(i);

    predicate tiled{L}(struct granule *g) =
        tiling && \forall integer i; chunk(i) ==> g[i].size == span[i];

    // tagged: P behind a chunk says whether it is in use; behind a free one lo is its size.
    // Nothing stands before the first chunk, so its P says "in use": no merge reaches out.
    predicate tells{L}(struct granule *g, integer next, integer size, integer state) =
        (state != SEAL_FREE ==> g[next].prev_inuse == 1) &&
        (state == SEAL_FREE ==> g[next].prev_inuse == 0 && g[next].lo == size);

    predicate tag{L}(struct granule *g, integer i) = tells(g, i + span[i], span[i], state[i]);

    predicate tagged{L}(struct granule *g) =
        g[REGION_FIRST].prev_inuse == 1 && \forall integer i; chunk(i) ==> tag(g, i);

    // sealed: every header is sealed as its state, which is allocated, cached or free; the fence
    // is sealed as fence.
    predicate mark{L}(struct granule *g, struct seal_key *k, integer i) =
        sealed_as(g, k, i, state[i]);

    predicate sealed{L}(struct granule *g, struct seal_key *k) =
        sealed_as(g, k, fence, SEAL_FENCE) &&
        \forall integer i; chunk(i) ==> state[i] <= SEAL_FREE && mark(g, k, i);

    // coalesced: no two free chunks adjoin, top included.
    predicate coalesced{L} =
        \forall integer i, j; is_free(i) && is_free(j) ==> j != i + span[i];

    // linked: for every node x of a circular list: bk(fd(x)) = x = fd(bk(x)), in the same list.
    predicate hangs{L}(integer x) = LIST_NONE < list[x] <= LIST_DIRTY;

    predicate answers{L}(struct granule *g, integer x, integer y) =
        list[x] == list[y] && g[x].lo == y && g[y].hi == x;

    predicate hooked{L}(struct granule *g, integer x) =
        g[x].lo < fence && g[x].hi < fence && answers(g, x, g[x].lo) && answers(g, g[x].hi, x);

    predicate avoids{L}(struct granule *g, integer x, integer hole) =
        g[x].lo != hole && g[x].hi != hole;

    // ... but for node `hole`, to which none leads.
    predicate linked_but{L}(struct granule *g, integer hole) = \forall integer x;
        0 <= x < fence && x != hole && hangs(x) ==> hooked(g, x) && avoids(g, x, hole);

    predicate linked{L}(struct granule *g) =
        \forall integer x; 0 <= x < fence && hangs(x) ==> hooked(g, x);

    // No node is a header: writing links leaves every footer alone.
    predicate header{L}(integer i) = chunk(i) || i == fence;
    predicate inner{L} =
        \forall integer x; 0 <= x <= fence && list[x] != LIST_NONE ==> !header(x);

    // The bin of a size: below LARGE_MIN_GRANULES its own, then runs of bins, each eight times as
    // wide as the ones before.
    logic integer bin_for(integer size) =
        size < 64 ? size :
        size < 192 ? 64 + (size - 64) / 4 :
        size < 704 ? 96 + (size - 192) / 32 :
        size < 2752 ? 112 + (size - 704) / 256 :
        size < 10944 ? 120 + (size - 2752) / 2048 :
        size < 43712 ? 124 + (size - 10944) / 16384 :
        size < 174784 ? 126 : 127;

    predicate home(integer bin, integer size) = bin == BIN_UNSORTED || bin == bin_for(size);

    // placed: a head hangs in its own list; any other node is that of a chunk of the right state
    // and size.
    predicate heads{L} = \forall integer x;
        0 <= x < BIN_COUNT ==> list[x] == (x == DIRTY_HEAD ? LIST_DIRTY : x);

    predicate place{L}(integer x) =
        (LIST_NONE < list[x] < LIST_RING ==>
            is_free(x - 1) && home(list[x], span[x - 1])) &&
        (LIST_RING <= list[x] < LIST_DIRTY ==> is_free(x - 2) && span[x - 2] >= LARGE_MIN_GRANULES &&
            list[x - 1] == list[x] - LIST_RING && list[x - 1] >= BIN_LARGE_FIRST) &&
        (list[x] == LIST_DIRTY ==>
            is_free(x - DIRTY_NODE) && span[x - DIRTY_NODE] >= PURGE_MIN_GRANULES) &&
        (list[x] >= LIST_FAST ==> chunk(x - 1) && state[x - 1] == SEAL_CACHED &&
            span[x - 1] <= FAST_MAX_GRANULES && list[x] == LIST_FAST + span[x - 1]);

    predicate placed{L} = \forall integer x; REGION_FIRST <= x <= fence ==> place(x);

    // binned: every free chunk, save top and `hole`, is in a bin.
    predicate in_bin{L}(integer i) = LIST_NONE < list[i + 1] < LIST_RING;
    predicate binned_but{L}(integer hole) = \forall integer i;
        is_free(i) && i != hole && i + span[i] != fence ==> in_bin(i);
    predicate binned{L} = \forall integer i; is_free(i) && i + span[i] != fence ==> in_bin(i);

    // The rank of a size: see bin_rank.
    logic integer rank(integer size) =
        size < 704 ? size :
        size < 2752 ? size / 8 + 616 :
        size < 10944 ? size / 64 + 917 :
        size < 43712 ? size / 512 + 1067 : size / 4096 + 1143;

    // sorted: in a large bin no node has a larger rank than the one before; the first node and each
    // of a smaller rank leads its rank: it stands in the ring, the others' nextsize link is 0. From
    // such a node back the ring goes to the one that leads the rank before, from the first node to
    // the last rank.
    predicate in_large{L}(integer x) = BIN_LARGE_FIRST <= list[x] < LIST_RING;
    predicate in_ring{L}(integer x) = LIST_RING <= list[x] < LIST_DIRTY;

    predicate leads{L}(integer y) = in_ring(y + 1) && lead[y] == y + 1;
    predicate twins{L}(integer x, integer y) =
        !in_ring(y + 1) && lead[y] == lead[x] && rank(span[y - 1]) == rank(span[x - 1]);
    predicate follows{L}(integer x, integer y) = y >= BIN_COUNT ==>
        leads(y) && (x >= BIN_COUNT ==> rank(span[y - 1]) < rank(span[x - 1])) || x >= BIN_COUNT && twins(x, y);
    predicate ends_run{L}(integer x, integer ring) =
        lead[x] == ring && rank(span[x - 1]) == rank(span[ring - 2]);
    predicate rung{L}(struct granule *g, integer y) =
        g[y - 1].hi >= BIN_COUNT ? ends_run(g[y - 1].hi, g[y].hi) :
                                   ends_run(g[g[y - 1].hi].hi, g[y].hi);
    predicate told{L}(struct granule *g, integer i) =
        span[i] >= LARGE_MIN_GRANULES && in_bin(i) && !in_ring(i + 2) ==> g[i + 2].lo == 0;
    predicate sorted{L}(struct granule *g) =
        (\forall integer x; 0 <= x < fence && in_large(x) ==> follows(x, g[x].lo)) &&
        (\forall integer y; 0 <= y < fence && in_ring(y) ==> rung(g, y)) &&
        \forall integer i; is_free(i) ==> told(g, i);

    // ... as if node `hole`, whose ring node is in no ring, did not hang in its list.
    predicate follows_but{L}(struct granule *g, integer x, integer hole) =
        g[x].lo == hole ? follows(x, g[hole].lo) : follows(x, g[x].lo);
    predicate rung_but{L}(struct granule *g, integer y, integer hole) =
        g[y - 1].hi == hole ?
            (g[hole].hi >= BIN_COUNT ? ends_run(g[hole].hi, g[y].hi) :
                                       ends_run(g[g[hole].hi].hi, g[y].hi)) :
        g[y - 1].hi >= BIN_COUNT ? ends_run(g[y - 1].hi, g[y].hi) :
        g[g[y - 1].hi].hi == hole ? ends_run(g[hole].hi, g[y].hi) :
                                    ends_run(g[g[y - 1].hi].hi, g[y].hi);
    predicate sorted_but{L}(struct granule *g, integer hole) =
        (\forall integer x; 0 <= x < fence && x != hole && in_large(x) ==>
            follows_but(g, x, hole)) &&
        (\forall integer y; 0 <= y < fence && in_ring(y) ==> y - 1 != hole && rung_but(g, y, hole)) &&
        \forall integer i; is_free(i) && i + 1 != hole ==> told(g, i);

    // counted: how many chunks and granules the nodes below n stand for. What counts stands in a map
    // of its own, so that whoever moves links need not think of sums.
    predicate tallied_as{L}(integer x) =
        tally[x] <= 2 && (tally[x] == 1 <==> LIST_NONE < list[x] < LIST_RING) &&
        (tally[x] == 2 <==> list[x] >= LIST_FAST) &&
        (LIST_NONE < list[x] < LIST_RING || list[x] >= LIST_FAST ==> weight[x] == span[x - 1]);
    predicate tallied{L} =
        (\forall integer x; 0 <= x < REGION_FIRST ==> tally[x] == 0) &&
        \forall integer x; REGION_FIRST <= x <= fence ==> tallied_as(x);
    logic integer free_node{L}(integer x) = tally[x] == 1 ? 1 : 0;
    logic integer fast_node{L}(integer x) = tally[x] == 2 ? 1 : 0;
    logic integer free_chunks_below{L}(integer n) =
        n <= 0 ? 0 : free_chunks_below(n - 1) + free_node(n - 1);
    logic integer free_granules_below{L}(integer n) =
        n <= 0 ? 0 : free_granules_below(n - 1) + free_node(n - 1) * weight[n - 1];
    logic integer fast_chunks_below{L}(integer n) =
        n <= 0 ? 0 : fast_chunks_below(n - 1) + fast_node(n - 1);
    logic integer fast_granules_below{L}(integer n) =
        n <= 0 ? 0 : fast_granules_below(n - 1) + fast_node(n - 1) * weight[n - 1];

    // What every contract supposes of its arguments. The key is no part of the granules.
    predicate cells{L}(struct granule *g) =
        REGION_FIRST < fence <= REGION_LIMIT_GRANULES && \valid(g + (0 .. fence));

    predicate region{L}(struct granule *g, struct seal_key *k) =
        REGION_FIRST < fence <= REGION_LIMIT_GRANULES && \valid(g + (0 .. fence)) &&
        \valid_read(k) && \base_addr(g) != \base_addr(k) && keyed(k);
*/

/*@ // Steps of proofs. What a piece of code leaves alone between two moments: the key, and every
    // header, tag or footer but those named. An index of -1 names none.
    predicate same_key{A, B}(struct seal_key *k) = \forall integer s;
        0 <= s < SEAL_STATES ==> \at(k->state[s], A) == \at(k->state[s], B);

    predicate same_secrets{A, B}(struct seal_key *k) =
        \at(k->base, A) == \at(k->base, B) && \at(k->secret, A) == \at(k->secret, B) &&
        \at(k->multiplier, A) == \at(k->multiplier, B);

    predicate same_sizes{A, B}(struct granule *g, integer i, integer n) = \forall integer j;
        0 <= j <= \at(fence, A) && j != i && j != n ==> \at(g[j].size, A) == \at(g[j].size, B);

    predicate same_seals{A, B}(struct granule *g, integer i, integer n) = \forall integer j;
        0 <= j <= \at(fence, A) && j != i && j != n ==>
        \at(g[j].seal, A) == \at(g[j].seal, B) && \at(g[j].flags, A) == \at(g[j].flags, B);

    predicate same_tags{A, B}(struct granule *g, integer n) = \forall integer j;
        0 <= j <= \at(fence, A) && j != n ==>
        \at(g[j].prev_inuse, A) == \at(g[j].prev_inuse, B);

    predicate same_footers{A, B}(struct granule *g, integer n) = \forall integer j;
        0 <= j <= \at(fence, A) && j != n ==> \at(g[j].lo, A) == \at(g[j].lo, B);

    predicate same_links{A, B}(struct granule *g, integer lo, integer also, integer hi, integer too) =
        (\forall integer j; 0 <= j <= \at(fence, A) && j != lo && j != also ==>
            \at(g[j].lo, A) == \at(g[j].lo, B)) &&
        (\forall integer j; 0 <= j <= \at(fence, A) && j != hi && j != too ==>
            \at(g[j].hi, A) == \at(g[j].hi, B));

    // Cells that are in no bin and no ring, save one, keep their links; all but ring nodes do; chunks
    // save one wait where they did; the list of dirty chunks has the same nodes.
    predicate unbinned{L}(integer x) = list[x] == LIST_NONE || list[x] >= LIST_DIRTY;
    predicate same_outside{A, B}(struct granule *g, integer but) = \forall integer x;
        0 <= x <= \at(fence, A) && x != but && unbinned{A}(x) && unbinned{B}(x) ==>
        \at(g[x].lo, A) == \at(g[x].lo, B) && \at(g[x].hi, A) == \at(g[x].hi, B);

    predicate same_but_rings{A, B}(struct granule *g) = \forall integer x;
        0 <= x <= \at(fence, A) && !in_ring{A}(x) && !in_ring{B}(x) ==>
        \at(g[x].lo, A) == \at(g[x].lo, B) && \at(g[x].hi, A) == \at(g[x].hi, B);

    predicate same_waits{A, B}(integer but) = \forall integer i;
        chunk{A}(i) && i != but ==> \at(list[i + 1], A) == \at(list[i + 1], B);

    predicate same_dirty{A, B} = \forall integer x; 0 <= x <= \at(fence, A) ==>
        (\at(list[x], A) == LIST_DIRTY <==> \at(list[x], B) == LIST_DIRTY);

    // Where chunk i ends.
    predicate clear{L}(integer i, integer j) = j + span[j] <= i || i + span[i] <= j;
    predicate inside{L}(integer i) = 0 <= i + span[i] <= fence;
    predicate ends_at{L}(integer i, integer end) = i + span[i] == end;
*/

#endif
