/* Free what the program took from the break itself. */
// expect: foreign pointer
#include "misuse.h"

int main(void) {
    block(SMALL);
    char *p = (char *)(((uintptr_t)sbrk(65536) + 4096) / 16 * 16);
    expect_at(p);
    free(opaque(p));
    return 0;
}
