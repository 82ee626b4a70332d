/* Use after free: write to a block in a fast bin, then have it and the next. */
// expect: corrupted fast bin
// env: GLIBC_TUNABLES=glibc.malloc.tcache_count=0
#include "misuse.h"

int main(void) {
    char *p = block(SMALL);
    char *q = block(SMALL);
    block(SMALL);
    free(q);
    free(p);
    expect_at(p);
    expect_at(p - 16);
    expect_at((void *)0);
    memset(p, 0x41, 8);
    block(SMALL);
    block(SMALL);
    return 0;
}
