/* The same, sorted into a large bin. */
// expect: double free
// env: GLIBC_TUNABLES=glibc.malloc.tcache_count=0
#include "misuse.h"

int main(void) {
    char *p = block(LARGE);
    block(LARGE);
    expect_at(p);
    free(p);
    sort_bins();
    free(p);
    return 0;
}
