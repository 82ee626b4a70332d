/* region_trim_always_shortens.c: top may be short already, and then nothing is given back; the claim that something is.
 *
 * false: shorter
 */
#include "region.h"

/*@ requires rest: at_rest(r);
    requires keep: keep >= CHUNK_MIN_GRANULES;
    terminates \true;
    exits never: \false;
    ensures rest: at_rest(r);
    ensures end: fence <= \old(fence);
    ensures shorter: fence < \old(fence);
*/
void region_trim_always_shortens(struct region *r, uint32_t keep) {
    region_trim(r, keep);
}
