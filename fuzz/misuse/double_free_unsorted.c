/* A larger block, free in the unsorted bin. */
// expect: double free
// env: GLIBC_TUNABLES=glibc.malloc.tcache_count=0
#include "misuse.h"

int main(void) {
    char *p = block(LARGE);
    block(LARGE);
    expect_at(p);
    free(p);
    free(p);
    return 0;
}
