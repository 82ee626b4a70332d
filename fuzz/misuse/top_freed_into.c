/* Write over the end of the last block into top, then free the block: they merge. */
// expect: corrupted top | corrupted header
#include "misuse.h"

int main(void) {
    char *p = block(100000);
    expect_at(p);
    expect_at(p - 16);
    expect_at(p + malloc_usable_size(p) - 8);
    expect_at(p + malloc_usable_size(p) + 8);
    memset(p + malloc_usable_size(p), 0xff, 8);
    free(p);
    return 0;
}
