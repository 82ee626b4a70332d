/* Resize from the middle of a block. */
// expect: interior pointer
#include "misuse.h"

int main(void) {
    char *p = block(LARGE);
    memset(p, 0, LARGE);
    expect_at(p + 64);
    p = realloc(p + 64, SMALL);
    return 0;
}
