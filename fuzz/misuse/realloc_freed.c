/* Resized after it was freed. */
// expect: double free
#include "misuse.h"

int main(void) {
    char *p = block(SMALL);
    expect_at(p);
    free(p);
    p = realloc(p, 2 * SMALL);
    return 0;
}
