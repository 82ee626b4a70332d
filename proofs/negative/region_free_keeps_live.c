/* region_free_keeps_live.c: a chunk freed is live no more; the claim that it still is.
 *
 * false: still_live
 */
#include "region.h"

/*@ requires rest: at_rest(r);
    requires live: live(i);
    requires fast_max: fast_max <= FAST_MAX_GRANULES;
    terminates \true;
    exits never: \false;
    ensures rest: at_rest(r);
    ensures kept: kept{Pre, Post}(r->g, i);
    ensures still_live: live(i);
*/
void region_free_keeps_live(struct region *r, uint32_t i, uint32_t fast_max) {
    region_free(r, i, fast_max);
}
