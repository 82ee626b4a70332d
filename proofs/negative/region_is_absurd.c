/* region_is_absurd.c: what holds between calls, before and after each kind of them, must not prove falsehood.
 *
 * false: falsehood
 */
#include "region.h"

/*@ requires rest: at_rest(r);
    requires size: request(size);
    requires align: align > 0;
    terminates \true;
    exits never: \false;
    ensures rest: at_rest(r);
    ensures falsehood: \false;
*/
void region_is_absurd(struct region *r, uint32_t size, uint32_t align) {
    uint32_t i = region_allocate_aligned(r, size, align);
    if (i != 0 && region_resize(r, i, size)) {
        region_free(r, i, 0);
        region_consolidate(r);
        region_trim(r, CHUNK_MIN_GRANULES);
    }
}
