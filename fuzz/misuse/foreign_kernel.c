/* An address of the kernel. */
// expect: foreign pointer
#include "misuse.h"

int main(void) {
    char *p = opaque((void *)(uintptr_t)0xffffffff81000000);
    expect_at(p);
    free(p);
    return 0;
}
