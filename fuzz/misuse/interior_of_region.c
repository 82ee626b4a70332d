/* Free the middle of a block in a mapped region. */
// expect: interior pointer
#include "misuse.h"

int main(void) {
    char *p = block_in_region();
    memset(p, 0, LARGE);
    expect_at(p + 256);
    free(p + 256);
    return 0;
}
