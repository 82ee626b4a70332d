/* Write 64 bytes over the end of a small block, then free the next one. */
// expect: corrupted header
#include "misuse.h"

int main(void) {
    char *low;
    char *high;
    neighbours(SMALL, &low, &high);
    expect_at(high);
    expect_at(high - 16);
    overflow(low, 64);
    free(high);
    return 0;
}
