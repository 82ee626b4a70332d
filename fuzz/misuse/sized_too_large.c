/* free_sized with more than the block can hold. */
// expect: sized free mismatch
#include "misuse.h"

int main(void) {
    char *p = block(SMALL);
    expect_at(p);
    free_sized(p, 10 * SMALL);
    return 0;
}
