/* Use after free: write to a free block in the unsorted bin, then have it again. */
// expect: corrupted link
// env: GLIBC_TUNABLES=glibc.malloc.tcache_count=0
#include "misuse.h"

int main(void) {
    char *p = block(LARGE);
    block(LARGE);
    free(p);
    expect_at(p);
    expect_at(p - 16);
    memset(p, 0x41, 8);
    block(LARGE);
    return 0;
}
