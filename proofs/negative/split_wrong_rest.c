/* split_wrong_rest.c: the rest of a split is what is left over; the claim that it is the whole.
 *
 * false: rest_is_whole
 */
#include "chunk.h"

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
    ensures rest: g[i + size].size == \old(g[i].size) - size;
    ensures rest_is_whole: g[i + size].size == \old(g[i].size);
*/
void split_wrong_rest(struct granule *g, const struct seal_key *k, uint32_t i, uint32_t size) {
    chunk_split(g, k, i, size);
}
