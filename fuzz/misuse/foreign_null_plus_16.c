/* A field of a structure at NULL. */
// expect: foreign pointer
#include "misuse.h"

int main(void) {
    char *p = opaque((void *)(uintptr_t)16);
    expect_at(p);
    free(p);
    return 0;
}
