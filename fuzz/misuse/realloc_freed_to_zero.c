/* realloc(p, 0) frees, here a second time. */
// expect: double free
#include "misuse.h"

int main(void) {
    char *p = block(SMALL);
    expect_at(p);
    p = opaque(p);
    free(p);
    p = realloc(p, 0);
    return 0;
}
