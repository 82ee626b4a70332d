/* Free p + 1. */
// expect: misaligned pointer
#include "misuse.h"

int main(void) {
    char *p = block(SMALL);
    expect_at(p + 1);
    free(p + 1);
    return 0;
}
