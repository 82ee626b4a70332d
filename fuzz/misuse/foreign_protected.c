/* Free an address in a page that may not be read. */
// expect: foreign pointer
#include "misuse.h"

int main(void) {
    char *p = mmap(NULL, 1 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    expect_at(p + 4096);
    free(opaque(p + 4096));
    return 0;
}
