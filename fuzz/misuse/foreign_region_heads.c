/* Free an address among the first granules of a mapped region. */
// expect: foreign pointer
#include "misuse.h"

int main(void) {
    char *p = (char *)((uintptr_t)block_in_region() & ~(uintptr_t)((64 << 20) - 1)) + 256;
    expect_at(p);
    free(p);
    return 0;
}
