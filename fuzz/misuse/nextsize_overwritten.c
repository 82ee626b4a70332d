/* Use after free: write to the nextsize links of a block in a large bin. */
// expect: corrupted nextsize | corrupted link
// env: GLIBC_TUNABLES=glibc.malloc.tcache_count=0
#include "misuse.h"

int main(void) {
    char *p = block(LARGE);
    block(LARGE);
    char *q = block(LARGE + 16);
    block(LARGE);
    free(p);
    free(q);
    sort_bins();
    expect_at(p);
    expect_at(p - 16);
    expect_at(q);
    expect_at(q - 16);
    expect_at(p + 16);
    expect_at(q + 16);
    memset(p + 16, 0x41, 8);
    memset(q + 16, 0x41, 8);
    block(LARGE);
    block(LARGE + 16);
    return 0;
}
