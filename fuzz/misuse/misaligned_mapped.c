/* Free p + 8 of a mapping. */
// expect: misaligned pointer
#include "misuse.h"

int main(void) {
    char *p = block(MAPPED);
    expect_at(p + 8);
    free(p + 8);
    return 0;
}
