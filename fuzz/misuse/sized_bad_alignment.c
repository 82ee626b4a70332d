/* free_aligned_sized with an alignment that is no power of two. */
// expect: sized free mismatch
#include "misuse.h"

int main(void) {
    char *p = opaque(memalign(64, SMALL));
    expect_at(p);
    free_aligned_sized(p, 48, SMALL);
    return 0;
}
