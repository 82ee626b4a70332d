/* chunk.c: see chunk.h. Touches the headers it names and the tag and footer behind them.
 *
 * Each function first moves the ghost map, where tiled and coalesced are decided; then it writes
 * granules, and the assertions carry the facts a prover needs from there to the contract: what
 * stayed as it was (key, sizes, seals, tags, footers), the chunks touched, then all the others.
 */
#include "chunk.h"

/* The map's side of chunk_split: no granules, hence no memory model in the way. */
/*@ ghost
    /@ requires fence: REGION_FIRST < fence <= REGION_LIMIT_GRANULES;
       requires tiling: tiling;
       requires coalesced: coalesced;
       requires in_use: in_use(i);
       requires inside: i + CHUNK_MIN_GRANULES <= rest <= i + span[i] - CHUNK_MIN_GRANULES;
       terminates \true;
       exits never: \false;
       assigns span[i], span[rest], state[i], state[rest];
       ensures front: span[i] == rest - i && state[i] == SEAL_ALLOCATED;
       ensures back: span[rest] == \old(span[i]) - (rest - i) && state[rest] == SEAL_ALLOCATED;
       ensures tiling: tiling;
       ensures coalesced: coalesced;
    @/
    void map_split(uint32_t i, uint32_t rest) {
        /@ assert apart: \forall integer j; chunk(j) && j != i ==> clear(i, j); @/
        span[rest] = span[i] - (rest - i);
        span[i] = rest - i;
        state[i] = SEAL_ALLOCATED;
        state[rest] = SEAL_ALLOCATED;
        /@ assert old_begins: \forall integer j; begins(j) && j != rest ==> begins{Pre}(j); @/
        /@ assert new_begins: \forall integer j; begins{Pre}(j) ==> begins(j); @/
        /@ assert old_chunks: \forall integer j; chunk(j) && j != rest ==> chunk{Pre}(j); @/
        /@ assert old_free: \forall integer j; is_free(j) ==> is_free{Pre}(j); @/
        /@ assert ends: \forall integer j; chunk(j) && j != i && j != rest ==>
                        begins(j + span[j]); @/
        /@ assert inner: \forall integer j, m; chunk(j) && j != i && j != rest && begins(m) ==>
                         !(j < m < j + span[j]); @/
        /@ assert others: \forall integer j; chunk(j) && j != i && j != rest ==> extent(j); @/
        /@ assert front: extent(i); @/
        /@ assert back: extent(rest); @/
    }
*/

/* The map's side of chunk_merge. */
/*@ ghost
    /@ requires fence: REGION_FIRST < fence <= REGION_LIMIT_GRANULES;
       requires tiling: tiling;
       requires coalesced: coalesced;
       requires in_use: in_use(i) && in_use(next) && next == i + span[i];
       terminates \true;
       exits never: \false;
       assigns span[i], span[next], state[i];
       ensures sum: span[i] == \old(span[i] + span[next]) && state[i] == SEAL_ALLOCATED;
       ensures gone: span[next] == 0;
       ensures tiling: tiling;
       ensures coalesced: coalesced;
    @/
    void map_merge(uint32_t i, uint32_t next) {
        /@ assert apart: \forall integer j; chunk(j) && j != i ==> clear(i, j); @/
        span[i] = span[i] + span[next];
        span[next] = 0;
        state[i] = SEAL_ALLOCATED;
        /@ assert old_chunks: \forall integer j; chunk(j) ==> chunk{Pre}(j); @/
        /@ assert old_free: \forall integer j; is_free(j) ==> is_free{Pre}(j); @/
        /@ assert free: \forall integer j; is_free(j) ==> span[j] == \at(span[j], Pre); @/
        /@ assert coalesced: coalesced; @/
        /@ assert old_begins: \forall integer j; begins(j) ==> begins{Pre}(j); @/
        /@ assert new_begins: \forall integer j; begins{Pre}(j) && j != next ==> begins(j); @/
        /@ assert ends: \forall integer j; chunk(j) && j != i ==> begins(j + span[j]); @/
        /@ assert inner: \forall integer j, m; chunk(j) && j != i && begins(m) ==>
                         !(j < m < j + span[j]); @/
        /@ assert others: \forall integer j; chunk(j) && j != i ==> extent(j); @/
        /@ assert whole: extent(i); @/
    }
*/

void chunk_use(struct granule *g, const struct seal_key *k, uint32_t i) {
    uint32_t next = i + g[i].size;
    //@ assert only: \forall integer j; chunk(j) && j != i ==> !ends_at(j, next);
    //@ ghost state[i] = SEAL_ALLOCATED;
    header_write(g, k, i, g[i].size, g[i].flags, SEAL_ALLOCATED);
    g[next].prev_inuse = 1;
    //@ assert key: same_key{Pre, Here}(k);
    //@ assert sizes: same_sizes{Pre, Here}(g, i, i);
    //@ assert seals: same_seals{Pre, Here}(g, i, i);
    //@ assert tags: same_tags{Pre, Here}(g, next);
    //@ assert footers: same_footers{Pre, Here}(g, -1);
    //@ assert mark: mark(g, k, i);
    //@ assert tag: tag(g, i);
    //@ assert marks: \forall integer j; chunk{Pre}(j) && j != i ==> mark(g, k, j);
    //@ assert tagging: \forall integer j; chunk{Pre}(j) && j != i ==> tag(g, j);
    //@ assert old_chunks: \forall integer j; chunk(j) && j != i ==> chunk{Pre}(j);
}

void chunk_free(struct granule *g, const struct seal_key *k, uint32_t i) {
    uint32_t next = i + g[i].size;
    //@ assert only: \forall integer j; chunk(j) && j != i ==> !ends_at(j, next);
    //@ ghost state[i] = SEAL_FREE;
    //@ assert coalesced: coalesced;
    header_write(g, k, i, g[i].size, g[i].flags, SEAL_FREE);
    g[next].prev_inuse = 0;
    g[next].lo = g[i].size;
    //@ assert key: same_key{Pre, Here}(k);
    //@ assert sizes: same_sizes{Pre, Here}(g, i, i);
    //@ assert seals: same_seals{Pre, Here}(g, i, i);
    //@ assert tags: same_tags{Pre, Here}(g, next);
    //@ assert footers: same_footers{Pre, Here}(g, next);
    //@ assert mark: mark(g, k, i);
    //@ assert tag: tag(g, i);
    //@ assert marks: \forall integer j; chunk{Pre}(j) && j != i ==> mark(g, k, j);
    //@ assert tagging: \forall integer j; chunk{Pre}(j) && j != i ==> tag(g, j);
    //@ assert old_chunks: \forall integer j; chunk(j) && j != i ==> chunk{Pre}(j);
}

uint32_t chunk_split(struct granule *g, const struct seal_key *k, uint32_t i, uint32_t size) {
    uint32_t rest = i + size;
    //@ assert inside: \forall integer j; chunk(j) ==> inside(j);
    //@ assert only: \forall integer j; chunk(j) && j != i ==> !ends_at(j, rest);
    //@ ghost map_split(i, rest);
    /*@ assert map: \forall integer j; j != i && j != rest ==>
            span[j] == \at(span[j], Pre) && state[j] == \at(state[j], Pre); */
    /*@ assert inside: \forall integer j; chunk{Pre}(j) && j != i && j != rest ==> inside(j); */
    //@ assert only: \forall integer j; chunk{Pre}(j) && j != i && j != rest ==> !ends_at(j, rest);
    /*@ assert tagging: \forall integer j; chunk{Pre}(j) && j != i && j != rest ==> tag(g, j); */
    //@ assert back_tag: inside(rest) && tag(g, rest);
    header_write(g, k, rest, g[i].size - size, g[i].flags, SEAL_ALLOCATED);
    g[rest].prev_inuse = 1;
    //@ assert key: same_key{Pre, Here}(k);
    //@ ghost uint16_t mark = g[rest].seal;
    /*@ assert back_sealed: mark == seal(k->base + rest, \at(g[i].size, Pre) - size,
            \at(g[i].flags, Pre), k->secret, k->multiplier, \at(k->state[SEAL_ALLOCATED], Pre)); */
    header_write(g, k, i, size, g[i].flags, SEAL_ALLOCATED);
    //@ assert key: same_key{Pre, Here}(k);
    /*@ assert back_kept: g[rest].seal == mark && g[rest].flags == \at(g[i].flags, Pre) &&
            g[rest].size == \at(g[i].size, Pre) - size; */
    //@ assert back_state: sealed_as(g, k, rest, SEAL_ALLOCATED);
    //@ assert back_mark: mark(g, k, rest);
    //@ assert sizes: same_sizes{Pre, Here}(g, i, rest);
    //@ assert seals: same_seals{Pre, Here}(g, i, rest);
    //@ assert tags: same_tags{Pre, Here}(g, rest);
    //@ assert footers: same_footers{Pre, Here}(g, -1);
    //@ assert back_tag: tag(g, rest);
    //@ assert front_mark: mark(g, k, i);
    //@ assert front_tag: tag(g, i);
    //@ assert marks: \forall integer j; chunk{Pre}(j) && j != i && j != rest ==> mark(g, k, j);
    //@ assert tagging: \forall integer j; chunk{Pre}(j) && j != i && j != rest ==> tag(g, j);
    //@ assert old_chunks: \forall integer j; chunk(j) && j != i && j != rest ==> chunk{Pre}(j);
    return rest;
}

void chunk_merge(struct granule *g, const struct seal_key *k, uint32_t i) {
    uint32_t next = i + g[i].size;
    uint32_t size = g[i].size + g[next].size;
    //@ assert inside: \forall integer j; chunk(j) ==> inside(j);
    //@ ghost map_merge(i, next);
    /*@ assert map: \forall integer j; j != i && j != next ==>
            span[j] == \at(span[j], Pre) && state[j] == \at(state[j], Pre); */
    /*@ assert inside: \forall integer j; chunk{Pre}(j) && j != i && j != next ==> inside(j); */
    /*@ assert tagging: \forall integer j; chunk{Pre}(j) && j != i && j != next ==> tag(g, j); */
    g[next].size = 0; /* no stale header: a pointer to it must not pass for a chunk */
    header_write(g, k, i, size, g[i].flags, SEAL_ALLOCATED);
    //@ assert key: same_key{Pre, Here}(k);
    //@ assert sizes: same_sizes{Pre, Here}(g, i, next);
    //@ assert seals: same_seals{Pre, Here}(g, i, next);
    //@ assert tags: same_tags{Pre, Here}(g, -1);
    //@ assert footers: same_footers{Pre, Here}(g, -1);
    //@ assert whole_mark: mark(g, k, i);
    //@ assert whole_tag: tag(g, i);
    //@ assert marks: \forall integer j; chunk{Pre}(j) && j != i && j != next ==> mark(g, k, j);
    //@ assert tagging: \forall integer j; chunk{Pre}(j) && j != i && j != next ==> tag(g, j);
    //@ assert old_chunks: \forall integer j; chunk(j) && j != i && j != next ==> chunk{Pre}(j);
}
