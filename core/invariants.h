/* invariants.h: glossary and the numbered invariants, in ACSL. Nothing here is compiled.
 *
 * The map. To speak of the whole heap without induction, the proofs carry a ghost map of one
 * region beside its granules. No code reads it; chunk.c keeps it in step with the headers.
 *
 *   span[i]     granules of the chunk that begins at i; 0 where none begins
 *   state[i]    its state, of enum seal_state
 *   fence       index of the closing fence: span[fence] is not 0, and is not the fence's size
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

    // What every contract supposes of its arguments. The key is no part of the granules.
    predicate region{L}(struct granule *g, struct seal_key *k) =
        REGION_FIRST < fence <= REGION_LIMIT_GRANULES && \valid(g + (0 .. fence)) &&
        \valid_read(k) && \base_addr(g) != \base_addr(k) && keyed(k);
*/

/*@ // Steps of proofs. What a piece of code leaves alone between two moments: the key, and every
    // header, tag or footer but those named. An index of -1 names none.
    predicate same_key{A, B}(struct seal_key *k) = \forall integer s;
        0 <= s < SEAL_STATES ==> \at(k->state[s], A) == \at(k->state[s], B);

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

    // Where chunk i ends.
    predicate clear{L}(integer i, integer j) = j + span[j] <= i || i + span[i] <= j;
    predicate inside{L}(integer i) = 0 <= i + span[i] <= fence;
    predicate ends_at{L}(integer i, integer end) = i + span[i] == end;
*/

#endif
