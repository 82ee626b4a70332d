/* free_aligned_sized with an alignment that the block does not have. */
// expect: sized free mismatch
#include "misuse.h"

int main(void) {
    char *p = block(SMALL);
    while ((uintptr_t)p % 4096 == 0)
        p = block(SMALL);
    expect_at(p);
    free_aligned_sized(p, 4096, SMALL);
    return 0;
}
