/* Make a mapping look larger, then resize it. */
// expect: corrupted header
#include "misuse.h"

int main(void) {
    char *p = block(MAPPED);
    expect_at(p);
    *size_of_block(p) += 1000;
    p = realloc(p, 3 * MAPPED);
    return 0;
}
