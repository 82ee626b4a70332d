/* use_still_free.c: a chunk taken into use is free no more; the claim that it is still free.
 *
 * false: still_free
 */
#include "chunk.h"

/*@ requires region: region(g, k);
    requires tiled: tiled(g);
    requires tagged: tagged(g);
    requires sealed: sealed(g, k);
    requires coalesced: coalesced;
    requires free: is_free(i);
    terminates \true;
    exits never: \false;
    assigns g[i].size, g[i].flags, g[i].seal,
            g[i + g[i].size].prev_inuse, state[i];
    ensures in_use: in_use(i);
    ensures still_free: is_free(i);
*/
void use_still_free(struct granule *g, const struct seal_key *k, uint32_t i) {
    chunk_use(g, k, i);
}
