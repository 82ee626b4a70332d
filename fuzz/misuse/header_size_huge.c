/* Make the size of a block lead far out of the heap. */
// expect: corrupted header
// env: GLIBC_TUNABLES=glibc.malloc.tcache_count=0
#include "misuse.h"

int main(void) {
    char *p = block(LARGE);
    expect_at(p);
    *size_of_block(p) = 0xfffffff0;
    free(p);
    return 0;
}
