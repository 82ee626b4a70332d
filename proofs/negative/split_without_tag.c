/* split_without_tag.c: a split that forgets the tag of its second chunk breaks `tagged`.
 *
 * false: tag_of_rest
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
    ensures tag_of_rest: g[i + size].prev_inuse == 1;
*/
void split_without_tag(struct granule *g, const struct seal_key *k, uint32_t i, uint32_t size) {
    header_write(g, k, i + size, g[i].size - size, g[i].flags, SEAL_ALLOCATED);
    header_write(g, k, i, size, g[i].flags, SEAL_ALLOCATED);
}
