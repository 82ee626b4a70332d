/* invariants.h: glossary and the numbered invariants, in ACSL. Nothing here is compiled. */
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

    // tiled
    predicate extent{L}(integer i) =
        CHUNK_MIN_GRANULES <= span[i] <= fence - i && begins(i + span[i]) &&
        \forall integer j; i < j < i + span[i] ==> !begins(j);

    predicate tiling{L} =
        begins(REGION_FIRST) && begins(fence) && \forall integer i; chunk(i) ==> extent(i);

    predicate tiled{L}(struct granule *g) =
        tiling && \forall integer i; chunk(i) ==> g[i].size == span[i];

    // Chunks i and j do not overlap. (Named, so that provers see no arithmetic to chase.)
    predicate clear{L}(integer i, integer j) = j + span[j] <= i || i + span[i] <= j;
    predicate inside{L}(integer i) = 0 <= i + span[i] <= fence;
    predicate ends_at{L}(integer i, integer end) = i + span[i] == end;

    // tagged
    predicate tells{L}(struct granule *g, integer next, integer size, integer state) =
        (state != SEAL_FREE ==> g[next].prev_inuse == 1) &&
        (state == SEAL_FREE ==> g[next].prev_inuse == 0 && g[next].lo == size);

    predicate tag{L}(struct granule *g, integer i) = tells(g, i + span[i], span[i], state[i]);

    predicate tagged{L}(struct granule *g) =
        g[REGION_FIRST].prev_inuse == 1 &&
        \forall integer i; chunk(i) ==> tag(g, i);

    // sealed
    predicate mark{L}(struct granule *g, struct seal_key *k, integer i) =
        sealed_as(g, k, i, state[i]);

    predicate sealed{L}(struct granule *g, struct seal_key *k) =
        sealed_as(g, k, fence, SEAL_FENCE) &&
        \forall integer i; chunk(i) ==> state[i] <= SEAL_FREE && mark(g, k, i);

    // coalesced
    predicate coalesced{L} =
        \forall integer i, j; is_free(i) && is_free(j) ==> j != i + span[i];

    // What a step leaves alone: the key, and every header but those of chunks i and n.
    predicate same_key{A, B}(struct seal_key *k) = \forall integer s;
        0 <= s < SEAL_STATES ==> \at(k->state[s], A) == \at(k->state[s], B);
    predicate same_sizes{A, B}(struct granule *g, integer i, integer n) = \forall integer j;
        0 <= j <= \at(fence, A) && j != i && j != n ==> \at(g[j].size, A) == \at(g[j].size, B);
    predicate same_footers{A, B}(struct granule *g, integer n) = \forall integer j;
        0 <= j <= \at(fence, A) && j != n ==> \at(g[j].lo, A) == \at(g[j].lo, B);
    predicate same_tags{A, B}(struct granule *g, integer n) = \forall integer j;
        0 <= j <= \at(fence, A) && j != n ==>
        \at(g[j].prev_inuse, A) == \at(g[j].prev_inuse, B);
    predicate same_seals{A, B}(struct granule *g, integer i, integer n) = \forall integer j;
        0 <= j <= \at(fence, A) && j != i && j != n ==>
        \at(g[j].seal, A) == \at(g[j].seal, B) && \at(g[j].flags, A) == \at(g[j].flags, B);
    predicate same_marks{A, B}(struct granule *g, struct seal_key *k, integer i, integer n) =
        \forall integer j, s; 0 <= s < SEAL_STATES && 0 <= j <= \at(fence, A) && j != i && j != n ==>
        sealed_as{A}(g, k, j, s) ==> sealed_as{B}(g, k, j, s);

    predicate region{L}(struct granule *g, struct seal_key *k) =
        REGION_FIRST < fence <= REGION_LIMIT_GRANULES && \valid(g + (0 .. fence)) &&
        \valid_read(k) && \base_addr(g) != \base_addr(k) && keyed(k);
*/

#endif
