/* The walker meets what no call has met yet. It names the neighbour whose link is not answered. */
// expect: heap breach
// env: CHUNKPROOF_CHECK=1 GLIBC_TUNABLES=glibc.malloc.tcache_count=0
#include "misuse.h"

int main(void) {
    char *p = block(LARGE);
    block(LARGE);
    free(p);
    memset(p, 0x41, 8);
    block(SMALL);
    return 0;
}
