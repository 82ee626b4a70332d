/* Without a thread cache the block is in a fast bin. */
// expect: double free
// env: GLIBC_TUNABLES=glibc.malloc.tcache_count=0
#include "misuse.h"

int main(void) {
    char *p = block(SMALL);
    block(SMALL);
    expect_at(p);
    free(p);
    free(p);
    return 0;
}
