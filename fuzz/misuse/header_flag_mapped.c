/* Make a block look like a mapping of its own. */
// expect: corrupted header
#include "misuse.h"

int main(void) {
    char *p = block(SMALL);
    expect_at(p);
    *flags_of_block(p) ^= 1;
    free(p);
    return 0;
}
