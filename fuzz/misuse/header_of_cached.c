/* Overwrite the header of a block that waits in the cache, then have it again. */
// expect: corrupted cache | corrupted header
#include "misuse.h"

int main(void) {
    char *p = block(SMALL);
    expect_at(p);
    expect_at(p - 16);
    free(p);
    *size_of_block(p) ^= 0x40;
    block(SMALL);
    return 0;
}
