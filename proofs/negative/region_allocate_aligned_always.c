/* region_allocate_aligned_always.c: there may be no room; the claim that a chunk is always found.
 *
 * false: found
 */
#include "region.h"

/*@ requires rest: at_rest(r);
    requires size: request(size);
    requires align: align > 0;
    terminates \true;
    exits never: \false;
    ensures rest: at_rest(r);
    ensures aligned: \result != 0 ==> (r->key.base + \result + 1) % align == 0;
    ensures found: \result != 0;
*/
uint32_t region_allocate_aligned_always(struct region *r, uint32_t size, uint32_t align) {
    return region_allocate_aligned(r, size, align);
}
