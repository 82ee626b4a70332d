/* Write before the start of a block, as an index of -1 does. */
// expect: corrupted header
#include "misuse.h"

int main(void) {
    char *p = block(SMALL);
    expect_at(p);
    expect_at(p - 16);
    memset(p - 8, 0, 8);
    free(p);
    return 0;
}
