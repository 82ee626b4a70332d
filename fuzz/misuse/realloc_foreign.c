/* Resize what is on the stack. */
// expect: foreign pointer
#include "misuse.h"

int main(void) {
    char local[256];
    char *p = opaque((void *)(((uintptr_t)local + 31) / 16 * 16));
    expect_at(p);
    p = realloc(p, SMALL);
    return 0;
}
