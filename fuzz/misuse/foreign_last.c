/* The last aligned address. */
// expect: foreign pointer
#include "misuse.h"

int main(void) {
    char *p = opaque((void *)(uintptr_t)0xfffffffffffffff0);
    expect_at(p);
    free(p);
    return 0;
}
