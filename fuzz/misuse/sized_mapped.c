/* free_sized of a mapping with more than it holds. */
// expect: sized free mismatch
#include "misuse.h"

int main(void) {
    char *p = block(MAPPED);
    expect_at(p);
    free_sized(p, 2 * MAPPED);
    return 0;
}
