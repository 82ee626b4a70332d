/* Free the first byte of such a mapping: nothing is mapped before it. */
// expect: foreign pointer
#include "misuse.h"

int main(void) {
    char *p = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(p, 4096);
    expect_at(p + 4096);
    free(opaque(p + 4096));
    return 0;
}
