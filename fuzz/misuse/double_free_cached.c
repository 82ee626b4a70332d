/* A block freed twice; the first time it went into the thread's cache. */
// expect: double free
#include "misuse.h"

int main(void) {
    char *p = block(SMALL);
    expect_at(p);
    free(p);
    free(p);
    return 0;
}
