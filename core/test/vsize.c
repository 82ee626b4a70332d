/* vsize.c: prints by how many KiB the process's virtual size grows when a thread allocates
 * 1 KiB, its stack not counted. Built and run by vsize.sh, with and without the library.
 */
#define _GNU_SOURCE 1
#include <malloc.h>
#include <pthread.h>
#include <sys/mman.h>

#include "kit.h"

static size_t grown;

static void *allocate(void *before) {
    void *p = opaque(malloc(1024));
    REQUIRE(p != NULL);
    memset(p, 1, 1024);
    grown = statm_bytes(STATM_VIRTUAL) - (size_t)(uintptr_t)before;
    free(p);
    return NULL;
}

int main(void) {
    enum { STACK_BYTES = 1 << 18 };
    void *stack =
        mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(stack != MAP_FAILED);
    pthread_t thread;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    REQUIRE(pthread_attr_setstack(&attributes, stack, STACK_BYTES) == 0);
    free(opaque(malloc(1024))); /* the process itself has allocated before */
    void *before = (void *)(uintptr_t)statm_bytes(STATM_VIRTUAL);
    REQUIRE(pthread_create(&thread, &attributes, allocate, before) == 0);
    REQUIRE(pthread_join(thread, NULL) == 0);
    printf("%zu\n", grown / 1024);
    return 0;
}
