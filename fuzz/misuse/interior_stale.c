/* Free the middle of a block, where another block's header stood before. */
// expect: interior pointer | double free
// env: GLIBC_TUNABLES=glibc.malloc.tcache_count=0
#include "misuse.h"

int main(void) {
    char *low;
    char *high;
    neighbours(LARGE, &low, &high);
    free(low);
    free(high);
    char *p = block(LARGE + 2000);
    if (p != low)
        return 3;
    expect_at(high);
    free(high);
    return 0;
}
