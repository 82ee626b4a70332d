/* The same with a footer that leads to a chunk, but to the wrong one. */
// expect: corrupted footer
// env: GLIBC_TUNABLES=glibc.malloc.tcache_count=0
#include "misuse.h"

int main(void) {
    char *first;
    char *low;
    char *high;
    do {
        first = block(LARGE);
        neighbours(LARGE, &low, &high);
    } while (low != first + malloc_usable_size(first) + 8);
    uint32_t size = *size_of_block(first) + *size_of_block(low);
    free(low);
    expect_at(high);
    expect_at(high - 16);
    memcpy(high - 16, &size, 4);
    free(high);
    return 0;
}
