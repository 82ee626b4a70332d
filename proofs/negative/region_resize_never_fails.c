/* region_resize_never_fails.c: a chunk grows only where there is room behind it; the claim that it always does.
 *
 * false: grown
 */
#include "region.h"

/*@ requires rest: at_rest(r);
    requires allocated: live(i) && state[i] == SEAL_ALLOCATED;
    requires size: request(size);
    terminates \true;
    exits never: \false;
    ensures rest: at_rest(r);
    ensures kept: kept{Pre, Post}(r->g, i);
    ensures grown: span[i] >= size;
*/
void region_resize_never_fails(struct region *r, uint32_t i, uint32_t size) {
    region_resize(r, i, size);
}
