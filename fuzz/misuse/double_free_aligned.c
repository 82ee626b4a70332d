/* A block from memalign, whose lead was given back. */
// expect: double free
// env: GLIBC_TUNABLES=glibc.malloc.tcache_count=0
#include "misuse.h"

int main(void) {
    char *p = opaque(memalign(4096, LARGE));
    block(LARGE);
    expect_at(p);
    free(p);
    free(p);
    return 0;
}
