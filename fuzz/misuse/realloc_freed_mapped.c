/* A mapping resized after it was freed. */
// expect: double free | foreign pointer
#include "misuse.h"

int main(void) {
    char *p = block(MAPPED);
    expect_at(p);
    free(p);
    p = realloc(p, 2 * MAPPED);
    return 0;
}
