/* Overwrite the flags of a block in a mapped region: they lead to the region. */
// expect: corrupted header
#include "misuse.h"

int main(void) {
    char *p = block_in_region();
    expect_at(p);
    *flags_of_block(p) = 0x3a;
    free(p);
    return 0;
}
