/* Free an address in the part of a region that is not committed yet. */
// expect: foreign pointer
#include "misuse.h"

int main(void) {
    char *p = block_in_region() + (20 << 20);
    expect_at(p);
    free(p);
    return 0;
}
