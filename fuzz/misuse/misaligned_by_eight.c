/* Free p + 8. */
// expect: misaligned pointer
#include "misuse.h"

int main(void) {
    char *p = block(SMALL);
    expect_at(p + 8);
    free(p + 8);
    return 0;
}
