/* Free the first address of the heap over the break. */
// expect: foreign pointer
#include "misuse.h"

int main(void) {
    block(SMALL);
    char *p = heap_start();
    expect_at(p);
    free(p);
    return 0;
}
