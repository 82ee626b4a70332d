/* Free the program break. */
// expect: foreign pointer | interior pointer
#include "misuse.h"

int main(void) {
    block(SMALL);
    char *p = opaque(sbrk(0));
    expect_at(p);
    free(p);
    return 0;
}
