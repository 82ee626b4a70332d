/* Put the header of another block of the same size over a block's own. */
// expect: corrupted header
#include "misuse.h"

int main(void) {
    char *low;
    char *high;
    neighbours(SMALL, &low, &high);
    expect_at(high);
    memcpy(high - 8, low - 8, 8);
    free(high);
    return 0;
}
