/* Another block is freed between the two frees. */
// expect: double free
#include "misuse.h"

int main(void) {
    char *p = block(SMALL);
    char *q = block(SMALL);
    expect_at(p);
    free(p);
    free(q);
    free(p);
    return 0;
}
