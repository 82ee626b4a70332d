/* heap_is_absurd.c: the invariants together must not prove falsehood.
 *
 * false: falsehood
 */
#include "chunk.h"

/*@ requires region: region(g, k);
    requires tiled: tiled(g);
    requires tagged: tagged(g);
    requires sealed: sealed(g, k);
    requires coalesced: coalesced;
    requires chunk: chunk(i);
    terminates \true;
    exits never: \false;
    assigns \nothing;
    ensures size: g[i].size >= CHUNK_MIN_GRANULES;
    ensures falsehood: \false;
*/
void heap_is_absurd(struct granule *g, const struct seal_key *k, uint32_t i) {
    (void)g, (void)k, (void)i;
}
