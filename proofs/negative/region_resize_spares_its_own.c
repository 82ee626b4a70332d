/* region_resize_spares_its_own.c: every chunk but the one resized is as it was; the claim that this one is, too.
 *
 * false: all_kept
 */
#include "region.h"

/*@ requires rest: at_rest(r);
    requires allocated: live(i) && state[i] == SEAL_ALLOCATED;
    requires size: request(size);
    terminates \true;
    exits never: \false;
    ensures rest: at_rest(r);
    ensures others_kept: kept{Pre, Post}(r->g, i);
    ensures all_kept: kept{Pre, Post}(r->g, -1);
*/
void region_resize_spares_its_own(struct region *r, uint32_t i, uint32_t size) {
    region_resize(r, i, size);
}
