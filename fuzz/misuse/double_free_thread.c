/* Freed by a thread that has ended, then by this one. */
// expect: double free
#include "misuse.h"

static void *release(void *p) {
    free(p);
    return NULL;
}

int main(void) {
    pthread_t thread;
    char *p = block(SMALL);
    expect_at(p);
    pthread_create(&thread, NULL, release, p);
    pthread_join(thread, NULL);
    free(p);
    return 0;
}
