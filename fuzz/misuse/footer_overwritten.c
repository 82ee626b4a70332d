/* Use after free: write to the end of a free block, then free the one behind it. */
// expect: corrupted footer
// env: GLIBC_TUNABLES=glibc.malloc.tcache_count=0
#include "misuse.h"

int main(void) {
    char *low;
    char *high;
    neighbours(LARGE, &low, &high);
    free(low);
    expect_at(low);
    expect_at(low - 16);
    expect_at(high);
    expect_at(high - 16);
    memset(high - 16, 0x41, 8);
    free(high);
    return 0;
}
