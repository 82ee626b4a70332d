/* region_free_twice.c: a chunk freed may not be freed again; here it is.
 *
 * false: live
 */
#include "region.h"

/*@ requires rest: at_rest(r);
    requires allocated: live(i);
    requires fast_max: fast_max <= FAST_MAX_GRANULES;
    terminates \true;
    exits never: \false;
    ensures rest: at_rest(r);
*/
void region_free_twice(struct region *r, uint32_t i, uint32_t fast_max) {
    region_free(r, i, fast_max);
    region_free(r, i, fast_max);
}
