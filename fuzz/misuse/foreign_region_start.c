/* Free the first address of a mapped region. */
// expect: foreign pointer
#include "misuse.h"

int main(void) {
    char *p = (char *)((uintptr_t)block_in_region() & ~(uintptr_t)((64 << 20) - 1));
    expect_at(p);
    free(p);
    return 0;
}
