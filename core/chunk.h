/* chunk.h: the boundary tags, split and merge. Proved file.
 *
 * Four steps that each keep the whole heap tiled, tagged, sealed and coalesced, so that the
 * region is only ever between two sound heaps, never inside a broken one:
 *
 *   chunk_use     free i          -> allocated i           (its bin links are the caller's)
 *   chunk_free    allocated i     -> free i                (both neighbours in use)
 *   chunk_split   allocated i     -> allocated i | allocated i + size
 *   chunk_merge   allocated i | allocated next -> allocated i
 *
 * The top chunk is a free chunk that no bin holds. No lock of its own.
 */
#ifndef CP_CHUNK_H
#define CP_CHUNK_H

#include "granule.h"
#include "invariants.h"

/* Index of the header behind chunk i. */
/*@ requires fence: fence <= REGION_LIMIT_GRANULES;
    requires readable: \valid_read(g + (0 .. fence));
    requires tiled: tiled(g);
    requires chunk: chunk(i);
    terminates \true;
    exits never: \false;
    assigns \nothing;
    ensures next: \result == i + span[i];
    ensures chunk_or_fence: chunk(\result) || \result == fence;
*/
static inline uint32_t chunk_next(const struct granule *g, uint32_t i) { return i + g[i].size; }

/* Whether chunk i is in use, asked of the tag behind it. i is not the fence. */
/*@ requires fence: fence <= REGION_LIMIT_GRANULES;
    requires readable: \valid_read(g + (0 .. fence));
    requires tiled: tiled(g);
    requires tagged: tagged(g);
    requires chunk: chunk(i);
    terminates \true;
    exits never: \false;
    assigns \nothing;
    ensures told: \result <==> in_use(i);
*/
static inline bool chunk_in_use(const struct granule *g, uint32_t i) {
    return g[i + g[i].size].prev_inuse != 0;
}

/* Chunk i in use changes hands: allocated or cached. */
/*@ requires region: region(g, k);
    requires tiled: tiled(g);
    requires tagged: tagged(g);
    requires sealed: sealed(g, k);
    requires coalesced: coalesced;
    requires in_use: in_use(i);
    requires hands: to == SEAL_ALLOCATED || to == SEAL_CACHED;
    terminates \true;
    exits never: \false;
    assigns g[i].size, g[i].flags, g[i].seal, state[i];
    ensures kept: g[i].size == \old(g[i].size) && g[i].flags == \old(g[i].flags);
    ensures handed: in_use(i) && state[i] == to && sealed_as(g, k, i, to);
    ensures sizes: same_sizes{Pre, Post}(g, -1, -1);
    ensures links: same_links{Pre, Post}(g, -1, -1, -1, -1);
    ensures tiled: tiled(g);
    ensures tagged: tagged(g);
    ensures sealed: sealed(g, k);
    ensures coalesced: coalesced;
*/
static inline void chunk_reseal(struct granule *g, const struct seal_key *k, uint32_t i,
                                enum seal_state to) {
    //@ ghost state[i] = to;
    header_write(g, k, i, g[i].size, g[i].flags, to);
    //@ assert key: same_key{Pre, Here}(k);
    //@ assert sizes: same_sizes{Pre, Here}(g, -1, -1);
    //@ assert seals: same_seals{Pre, Here}(g, i, i);
    //@ assert mark: mark(g, k, i);
    //@ assert marks: \forall integer j; chunk(j) && j != i ==> mark(g, k, j);
}

/* Free chunk i becomes an allocated one of the same size. */
/*@ requires region: region(g, k);
    requires tiled: tiled(g);
    requires tagged: tagged(g);
    requires sealed: sealed(g, k);
    requires coalesced: coalesced;
    requires free: is_free(i);
    terminates \true;
    exits never: \false;
    assigns g[i].size, g[i].flags, g[i].seal, g[i + g[i].size].prev_inuse, state[i];
    ensures kept: g[i].size == \old(g[i].size) && g[i].flags == \old(g[i].flags);
    ensures allocated: in_use(i) && state[i] == SEAL_ALLOCATED &&
        sealed_as(g, k, i, SEAL_ALLOCATED);
    ensures tiled: tiled(g);
    ensures tagged: tagged(g);
    ensures sealed: sealed(g, k);
    ensures coalesced: coalesced;
*/
void chunk_use(struct granule *g, const struct seal_key *k, uint32_t i);

/* Allocated chunk i becomes free: footer and tag are written behind it. */
/*@ requires region: region(g, k);
    requires tiled: tiled(g);
    requires tagged: tagged(g);
    requires sealed: sealed(g, k);
    requires coalesced: coalesced;
    requires in_use: in_use(i);
    requires alone_before: g[i].prev_inuse == 1;
    requires alone_behind: !is_free(i + g[i].size);
    terminates \true;
    exits never: \false;
    assigns g[i].size, g[i].flags, g[i].seal,
            g[i + g[i].size].prev_inuse, g[i + g[i].size].lo,
            state[i];
    ensures kept: g[i].size == \old(g[i].size) && g[i].flags == \old(g[i].flags);
    ensures free: is_free(i) && sealed_as(g, k, i, SEAL_FREE);
    ensures tiled: tiled(g);
    ensures tagged: tagged(g);
    ensures sealed: sealed(g, k);
    ensures coalesced: coalesced;
*/
void chunk_free(struct granule *g, const struct seal_key *k, uint32_t i);

/* Allocated chunk i keeps `size` granules; the rest becomes an allocated chunk at i + size,
 * whose index is returned. Both parts have CHUNK_MIN_GRANULES or more. */
/*@ requires region: region(g, k);
    requires tiled: tiled(g);
    requires tagged: tagged(g);
    requires sealed: sealed(g, k);
    requires coalesced: coalesced;
    requires in_use: in_use(i);
    requires parts: CHUNK_MIN_GRANULES <= size && size + CHUNK_MIN_GRANULES <= g[i].size;
    terminates \true;
    exits never: \false;
    assigns g[i].size, g[i].flags, g[i].seal, g[i + size].size, g[i + size].flags,
            g[i + size].seal, g[i + size].prev_inuse, span[i], span[i + size],
            state[i], state[i + size];
    ensures rest: \result == i + size;
    ensures front: g[i].size == size && g[i].flags == \old(g[i].flags);
    ensures back: g[i + size].size == \old(g[i].size) - size &&
                  g[i + size].flags == \old(g[i].flags);
    ensures front_allocated: in_use(i) && state[i] == SEAL_ALLOCATED &&
        sealed_as(g, k, i, SEAL_ALLOCATED);
    ensures back_allocated: in_use(i + size) && state[i + size] == SEAL_ALLOCATED &&
        sealed_as(g, k, i + size, SEAL_ALLOCATED);
    ensures tiled: tiled(g);
    ensures tagged: tagged(g);
    ensures sealed: sealed(g, k);
    ensures coalesced: coalesced;
*/
uint32_t chunk_split(struct granule *g, const struct seal_key *k, uint32_t i, uint32_t size);

/* Allocated chunk i takes in the allocated chunk behind it, whose header ends to be one. */
/*@ requires region: region(g, k);
    requires tiled: tiled(g);
    requires tagged: tagged(g);
    requires sealed: sealed(g, k);
    requires coalesced: coalesced;
    requires in_use: in_use(i);
    requires behind: in_use(i + g[i].size);
    terminates \true;
    exits never: \false;
    assigns g[i].size, g[i].flags, g[i].seal, g[i + g[i].size].size,
            span[i], span[i + g[i].size], state[i];
    ensures sum: g[i].size == \old(g[i].size + g[i + g[i].size].size);
    ensures flags: g[i].flags == \old(g[i].flags);
    ensures gone: !begins(\old(i + g[i].size)) && g[\old(i + g[i].size)].size == 0;
    ensures allocated: in_use(i) && state[i] == SEAL_ALLOCATED &&
        sealed_as(g, k, i, SEAL_ALLOCATED);
    ensures tiled: tiled(g);
    ensures tagged: tagged(g);
    ensures sealed: sealed(g, k);
    ensures coalesced: coalesced;
*/
void chunk_merge(struct granule *g, const struct seal_key *k, uint32_t i);

#endif
