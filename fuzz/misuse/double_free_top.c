/* The block was merged into top. */
// expect: double free
// env: GLIBC_TUNABLES=glibc.malloc.tcache_count=0
#include "misuse.h"

int main(void) {
    char *p = block(50000);
    expect_at(p);
    free(p);
    free(p);
    return 0;
}
