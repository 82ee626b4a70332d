/* The first address behind user space. */
// expect: foreign pointer
#include "misuse.h"

int main(void) {
    char *p = opaque((void *)(uintptr_t)0x7ffffffff000);
    expect_at(p);
    free(p);
    return 0;
}
