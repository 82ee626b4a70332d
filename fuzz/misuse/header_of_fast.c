/* Overwrite the header of a block in a fast bin, then have it again. */
// expect: corrupted fast bin | corrupted header
// env: GLIBC_TUNABLES=glibc.malloc.tcache_count=0
#include "misuse.h"

int main(void) {
    char *p = block(SMALL);
    block(SMALL);
    expect_at(p);
    expect_at(p - 16);
    free(p);
    *size_of_block(p) ^= 0x40;
    block(SMALL);
    return 0;
}
