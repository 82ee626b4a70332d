/* Free the middle of a large block. */
// expect: interior pointer
#include "misuse.h"

int main(void) {
    char *p = block(60000);
    expect_at(p + 4096);
    free(p + 4096);
    return 0;
}
