/* The same in a small bin. */
// expect: corrupted link
// env: GLIBC_TUNABLES=glibc.malloc.tcache_count=0
#include "misuse.h"

int main(void) {
    char *p = block(700);
    block(700);
    free(p);
    sort_bins();
    expect_at(p);
    expect_at(p - 16);
    memset(p, 0x41, 8);
    block(700);
    return 0;
}
