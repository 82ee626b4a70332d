/* Use after free: write to a free block, then free the one behind it: they merge. */
// expect: corrupted link
// env: GLIBC_TUNABLES=glibc.malloc.tcache_count=0
#include "misuse.h"

int main(void) {
    char *low;
    char *high;
    neighbours(LARGE, &low, &high);
    free(low);
    expect_at(low);
    expect_at(low - 16);
    memset(low, 0x41, 8);
    free(high);
    return 0;
}
