/* Free the last aligned address of a mapping. */
// expect: interior pointer
#include "misuse.h"

int main(void) {
    char *p = block(MAPPED);
    p = (char *)((uintptr_t)(p + malloc_usable_size(p) - 1) / 16 * 16);
    expect_at(p);
    free(p);
    return 0;
}
