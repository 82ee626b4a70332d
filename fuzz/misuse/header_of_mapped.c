/* Overwrite the header of a mapping. */
// expect: corrupted header
#include "misuse.h"

int main(void) {
    char *p = block(MAPPED);
    expect_at(p);
    memset(p - 8, 0x41, 8);
    free(p);
    return 0;
}
