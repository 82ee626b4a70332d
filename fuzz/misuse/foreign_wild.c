/* An address where nothing is. */
// expect: foreign pointer
#include "misuse.h"

int main(void) {
    char *p = opaque((void *)(uintptr_t)0xdead000000);
    expect_at(p);
    free(p);
    return 0;
}
