/* Tell a block that the one before it is free. */
// expect: corrupted footer | corrupted header
// env: GLIBC_TUNABLES=glibc.malloc.tcache_count=0
#include "misuse.h"

int main(void) {
    char *low;
    char *high;
    neighbours(LARGE, &low, &high);
    memset(low, 0, malloc_usable_size(low));
    expect_at(high);
    expect_at(high - 16);
    *prev_inuse_of_block(high) = 0;
    free(high);
    return 0;
}
