/* A mapping of its own, unmapped by the first free. */
// expect: double free | foreign pointer
#include "misuse.h"

int main(void) {
    char *p = block(MAPPED);
    expect_at(p);
    free(p);
    free(p);
    return 0;
}
