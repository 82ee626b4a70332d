/* The same of a block filled with text. */
// expect: interior pointer
#include "misuse.h"

int main(void) {
    char *p = block(SMALL);
    memset(p, 'A', SMALL);
    expect_at(p + 32);
    free(p + 32);
    return 0;
}
