/* free_beside_free.c: a chunk may be freed only where none free adjoins; here nobody checked.
 *
 * false: alone_behind
 */
#include "chunk.h"

/*@ requires region: region(g, k);
    requires tiled: tiled(g);
    requires tagged: tagged(g);
    requires sealed: sealed(g, k);
    requires coalesced: coalesced;
    requires in_use: in_use(i);
    requires alone_before: g[i].prev_inuse == 1;
    terminates \true;
    exits never: \false;
    assigns g[i].size, g[i].flags, g[i].seal,
            g[i + g[i].size].prev_inuse, g[i + g[i].size].lo, state[i];
    ensures free: is_free(i);
*/
void free_beside_free(struct granule *g, const struct seal_key *k, uint32_t i) {
    chunk_free(g, k, i);
}
