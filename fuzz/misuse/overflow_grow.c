/* Write over the end of a block, then grow it into the free one behind it. */
// expect: corrupted header | corrupted footer | corrupted link
// env: GLIBC_TUNABLES=glibc.malloc.tcache_count=0
#include "misuse.h"

int main(void) {
    char *low;
    char *high;
    neighbours(LARGE, &low, &high);
    free(high);
    expect_at(low);
    expect_at(low - 16);
    expect_at(high);
    expect_at(high - 16);
    overflow(low, 8);
    low = realloc(low, LARGE + 500);
    return 0;
}
