/* The cache has overflowed between the two frees. */
// expect: double free
#include "misuse.h"

int main(void) {
    enum { MANY = 5000 };
    static char *p[MANY];
    for (int i = 0; i < MANY; i++)
        p[i] = block(SMALL);
    for (int i = 0; i < MANY; i++)
        free(p[i]);
    expect_at(p[0]);
    free(p[0]);
    return 0;
}
