/* Free static data. */
// expect: foreign pointer
#include "misuse.h"

int main(void) {
    static char array[256] __attribute__((aligned(16)));
    char *p = opaque(array + 64);
    expect_at(p);
    free(p);
    return 0;
}
