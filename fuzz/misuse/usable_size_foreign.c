/* Ask for the size of a static array. */
// expect: foreign pointer
#include "misuse.h"

int main(void) {
    static char array[256] __attribute__((aligned(16)));
    expect_at(array + 32);
    return malloc_usable_size(opaque(array + 32)) == 0;
}
