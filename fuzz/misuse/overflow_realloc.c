/* Write over the end of a block, then resize the next one. */
// expect: corrupted header
// env: GLIBC_TUNABLES=glibc.malloc.tcache_count=0
#include "misuse.h"

int main(void) {
    char *low;
    char *high;
    neighbours(LARGE, &low, &high);
    expect_at(high);
    expect_at(high - 16);
    overflow(low, 8);
    high = realloc(high, 2 * LARGE);
    return 0;
}
