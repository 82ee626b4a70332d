/* The walker meets an overwritten header of a block in use. */
// expect: heap breach
// env: CHUNKPROOF_CHECK=1
#include "misuse.h"

int main(void) {
    char *low;
    char *high;
    neighbours(LARGE, &low, &high);
    expect_at(high);
    expect_at(high - 16);
    overflow(low, 8);
    block(SMALL);
    return 0;
}
