/* region_free_spares_its_own.c: every live chunk but the one freed keeps its payload; the claim that this one does, too.
 *
 * false: all_untouched
 */
#include "region.h"

/*@ requires rest: at_rest(r);
    requires live: live(i);
    requires fast_max: fast_max <= FAST_MAX_GRANULES;
    terminates \true;
    exits never: \false;
    ensures rest: at_rest(r);
    ensures others_untouched: untouched{Pre, Post}(r->g, i);
    ensures all_untouched: untouched{Pre, Post}(r->g, -1);
*/
void region_free_spares_its_own(struct region *r, uint32_t i, uint32_t fast_max) {
    region_free(r, i, fast_max);
}
