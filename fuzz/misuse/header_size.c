/* Make the size of a block one granule larger. */
// expect: corrupted header
#include "misuse.h"

int main(void) {
    char *p = block(SMALL);
    expect_at(p);
    ++*size_of_block(p);
    free(p);
    return 0;
}
