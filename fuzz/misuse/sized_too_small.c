/* free_sized with much less than was asked for. */
// expect: sized free mismatch
#include "misuse.h"

int main(void) {
    char *p = block(LARGE);
    expect_at(p);
    free_sized(p, SMALL);
    return 0;
}
