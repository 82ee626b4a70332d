/* The links of a free block are made to lead to another free block. */
// expect: corrupted link
// env: GLIBC_TUNABLES=glibc.malloc.tcache_count=0
#include "misuse.h"

int main(void) {
    char *p = block(LARGE);
    block(LARGE);
    char *q = block(LARGE + 2000);
    block(LARGE);
    char *r = block(LARGE + 4000);
    block(LARGE);
    free(p);
    free(q);
    free(r);
    expect_at(p);
    expect_at(p - 16);
    expect_at(q);
    expect_at(q - 16);
    expect_at(r);
    expect_at(r - 16);
    memcpy(p, r, 8);
    sort_bins();
    block(LARGE);
    return 0;
}
