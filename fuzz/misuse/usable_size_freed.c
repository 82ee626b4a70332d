/* Ask for the size of a freed block. */
// expect: double free
// env: GLIBC_TUNABLES=glibc.malloc.tcache_count=0
#include "misuse.h"

int main(void) {
    char *p = block(LARGE);
    block(LARGE);
    expect_at(p);
    free(p);
    return malloc_usable_size(p) == 0;
}
