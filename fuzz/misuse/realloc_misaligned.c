/* Resize from an address that malloc never returns. */
// expect: misaligned pointer
#include "misuse.h"

int main(void) {
    char *p = block(LARGE);
    expect_at(p + 4);
    p = realloc(p + 4, SMALL);
    return 0;
}
