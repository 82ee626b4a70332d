/* Free an error code taken for a pointer. */
// expect: misaligned pointer
#include "misuse.h"

int main(void) {
    char *p = opaque((void *)(uintptr_t)-1);
    expect_at(p);
    free(p);
    return 0;
}
