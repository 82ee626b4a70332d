/* The block was merged into the free one before it: no chunk starts at p any more. */
// expect: double free
// env: GLIBC_TUNABLES=glibc.malloc.tcache_count=0
#include "misuse.h"

int main(void) {
    char *low;
    char *p;
    neighbours(LARGE, &low, &p);
    expect_at(p);
    free(low);
    free(p);
    free(p);
    return 0;
}
