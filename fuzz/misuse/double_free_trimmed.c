/* The block was merged into top, and its memory given back to the system. */
// expect: double free | foreign pointer
#include "misuse.h"

int main(void) {
    mallopt(M_MMAP_MAX, 0);
    char *p = block(MAPPED);
    expect_at(p);
    free(p);
    malloc_trim(0);
    free(p);
    return 0;
}
