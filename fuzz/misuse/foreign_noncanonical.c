/* An address that no process can have. */
// expect: foreign pointer
#include "misuse.h"

int main(void) {
    char *p = opaque((void *)(uintptr_t)0x0123456789abcdf0);
    expect_at(p);
    free(p);
    return 0;
}
