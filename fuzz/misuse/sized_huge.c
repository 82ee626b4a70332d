/* free_sized with a size that no block can have. */
// expect: sized free mismatch
#include "misuse.h"

int main(void) {
    char *p = block(SMALL);
    expect_at(p);
    free_sized(p, SIZE_MAX);
    return 0;
}
