/* Write over the end of a block into a free one, then have that one allocated. */
// expect: corrupted header | corrupted footer | corrupted link
// env: GLIBC_TUNABLES=glibc.malloc.tcache_count=0
#include "misuse.h"

int main(void) {
    char *low;
    char *high;
    neighbours(LARGE, &low, &high);
    free(high);
    expect_at(high);
    expect_at(high - 16);
    overflow(low, 8);
    block(LARGE);
    return 0;
}
