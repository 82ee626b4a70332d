/* Freed, then freed with its size. */
// expect: double free
#include "misuse.h"

int main(void) {
    char *p = block(SMALL);
    expect_at(p);
    free(p);
    free_sized(p, SMALL);
    return 0;
}
