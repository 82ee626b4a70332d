/* Free the code of a function. */
// expect: foreign pointer
#include "misuse.h"

int main(void) {
    char *p = opaque((void *)((uintptr_t)printf / 16 * 16));
    expect_at(p);
    free(p);
    return 0;
}
