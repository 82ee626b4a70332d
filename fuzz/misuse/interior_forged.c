/* Free the middle of a block, where a copy of its own header was put. */
// expect: interior pointer
#include "misuse.h"

int main(void) {
    char *p = block(SMALL);
    memcpy(p + 16, p - 16, 16);
    expect_at(p + 32);
    free(p + 32);
    return 0;
}
