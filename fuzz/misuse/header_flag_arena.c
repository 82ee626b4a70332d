/* Make a block look like one of another arena. */
// expect: corrupted header
// env: GLIBC_TUNABLES=glibc.malloc.tcache_count=0
#include "misuse.h"

int main(void) {
    char *p = block(LARGE);
    expect_at(p);
    *flags_of_block(p) ^= 2;
    free(p);
    return 0;
}
