/* Change one bit of a seal. */
// expect: corrupted header
#include "misuse.h"

int main(void) {
    char *p = block(SMALL);
    expect_at(p);
    *seal_of_block(p) ^= 1;
    free(p);
    return 0;
}
