/* free_wrong_footer.c: the footer of a freed chunk is its size; the claim that it is one less.
 *
 * false: short_footer
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
    ensures footer: g[i + g[i].size].lo == g[i].size;
    ensures short_footer: g[i + g[i].size].lo == g[i].size - 1;
*/
void free_wrong_footer(struct granule *g, const struct seal_key *k, uint32_t i) {
    chunk_free(g, k, i);
}
