/* Free the middle of a mapping. */
// expect: interior pointer
#include "misuse.h"

int main(void) {
    char *p = block(MAPPED);
    expect_at(p + 65536);
    free(p + 65536);
    return 0;
}
