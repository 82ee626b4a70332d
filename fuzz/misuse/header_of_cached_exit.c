/* Overwrite the header of a cached block; its thread ends and gives it back. */
// expect: corrupted cache | corrupted header
#include "misuse.h"

static void *misuse(void *unused) {
    char *p = block(SMALL);
    expect_at(p);
    expect_at(p - 16);
    free(p);
    *size_of_block(p) ^= 0x40;
    return unused;
}

int main(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, misuse, NULL);
    pthread_join(thread, NULL);
    return 0;
}
