/* Free what the C library's own malloc has made. */
// expect: foreign pointer
#include "misuse.h"

void *__libc_malloc(size_t bytes);

int main(void) {
    char *p = opaque(__libc_malloc(SMALL));
    expect_at(p);
    free(p);
    return 0;
}
