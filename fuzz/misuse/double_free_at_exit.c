/* Freed twice by a handler that exit calls. */
// expect: double free
#include "misuse.h"

static char *p;

static void release(void) { free(p); }

int main(void) {
    p = block(SMALL);
    expect_at(p);
    atexit(release);
    atexit(release);
    return 0;
}
