/* A larger block resized after it was freed. */
// expect: double free
// env: GLIBC_TUNABLES=glibc.malloc.tcache_count=0
#include "misuse.h"

int main(void) {
    char *p = block(LARGE);
    block(LARGE);
    expect_at(p);
    free(p);
    p = realloc(p, 2 * LARGE);
    return 0;
}
