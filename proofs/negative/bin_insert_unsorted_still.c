/* bin_insert_unsorted_still.c: a chunk goes to the bin of its size; the claim that it waits among the unsorted.
 *
 * false: unsorted
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
    ensures binned: binned;
    ensures counted: counted(b);
    ensures unsorted: list[i + 1] == BIN_UNSORTED;
*/
void bin_insert_unsorted_still(struct granule *g, struct bins *b, uint32_t i) {
    bin_insert(g, b, i);
}
