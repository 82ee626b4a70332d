/* Free a mapping that the program made itself. */
// expect: foreign pointer
#include "misuse.h"

int main(void) {
    char *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    expect_at(p + 16);
    free(opaque(p + 16));
    return 0;
}
