/* Free p + 16 of a small block. */
// expect: interior pointer
#include "misuse.h"

int main(void) {
    char *p = block(SMALL);
    memset(p, 0, SMALL);
    expect_at(p + 16);
    free(p + 16);
    return 0;
}
