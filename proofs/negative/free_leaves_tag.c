/* free_leaves_tag.c: freeing a chunk clears the tag behind it; the claim that it stays set.
 *
 * false: tag_left
 */
#include "chunk.h"

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
            g[i + g[i].size].prev_inuse, g[i + g[i].size].lo, state[i];
    ensures tag_cleared: g[i + g[i].size].prev_inuse == 0;
    ensures tag_left: g[i + g[i].size].prev_inuse == 1;
*/
void free_leaves_tag(struct granule *g, const struct seal_key *k, uint32_t i) {
    chunk_free(g, k, i);
}
