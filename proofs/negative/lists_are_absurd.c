/* lists_are_absurd.c: the invariants of the lists together must not prove falsehood, neither before a
 * chunk is put into a bin nor after.
 *
 * false: falsehood
 */
#include "bin.h"

/*@ requires cells: cells(g);
    requires bound: bound(g, b);
    requires tiled: tiled(g);
    requires tagged: tagged(g);
    requires linked: linked(g);
    requires heads: heads;
    requires placed: placed;
    requires sorted: sorted(g);
    requires binned: binned_but(i);
    requires mapped_bins: mapped_bins(g, b);
    requires counted: counted(b);
    requires free: is_free(i) && list[i + 1] == LIST_NONE;
    terminates \true;
    exits never: \false;
    assigns g[i + 1].lo, g[i + 1].hi, g[i + 2 .. i + (g[i].size < LARGE_MIN_GRANULES ? 1 : 2)].lo,
            g[i + 2 .. i + (g[i].size < LARGE_MIN_GRANULES ? 1 : 2)].hi,
            g[BIN_UNSORTED].lo, g[g[BIN_UNSORTED].lo].hi, b->map[0], b->free_chunks,
            b->free_granules, list[i + 1], tally[i + 1],
            weight[i + 1];
    ensures in_bin: list[i + 1] == BIN_UNSORTED;
    ensures falsehood: \false;
*/
void lists_are_absurd(struct granule *g, struct bins *b, uint32_t i) {
    bin_insert_unsorted(g, b, i);
}
