/* unhook_keeps_neighbour.c: a node taken out of its list is led to no more; the claim that the one
 * before it still leads there.
 *
 * false: still_led
 */
#include "bin.h"

/*@ requires cells: cells(g);
    requires bound: bound(g, b);
    requires tiled: tiled(g);
    requires tagged: tagged(g);
    requires linked: linked(g);
    requires inner: inner;
    requires hangs: x < fence && hangs(x);
    requires company: g[x].lo != x;
    terminates \true;
    exits never: \false;
    assigns g[g[x].lo].hi, g[g[x].hi].lo;
    ensures closed: g[\old(g[x].hi)].lo == \old(g[x].lo);
    ensures still_led: g[\old(g[x].hi)].lo == x;
*/
void unhook_keeps_neighbour(struct granule *g, const struct bins *b, uint32_t x) {
    bin_unhook(g, b, x);
}
