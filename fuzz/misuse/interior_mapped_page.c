/* Free p + 16 of a mapping: the same page as its header. */
// expect: interior pointer
#include "misuse.h"

int main(void) {
    char *p = block(MAPPED);
    expect_at(p + 16);
    free(p + 16);
    return 0;
}
