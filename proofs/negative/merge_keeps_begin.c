/* merge_keeps_begin.c: after a merge none begins where the second chunk did; the claim
 * that one does.
 *
 * false: still_begins
 */
#include "chunk.h"

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
    ensures gone: !begins(\old(i + g[i].size));
    ensures still_begins: begins(\old(i + g[i].size));
*/
void merge_keeps_begin(struct granule *g, const struct seal_key *k, uint32_t i) {
    chunk_merge(g, k, i);
}
