/* preload_minstack.c: every call works on the smallest stack a thread can have, from the
 * thread's first use of the allocator on, and uses no more than a quarter of it.
 */
#define _GNU_SOURCE 1
#include <limits.h>
#include <malloc.h>
#include <pthread.h>
#include <sys/mman.h>

#include "kit.h"

enum { WORKS = 9, CALL_STACK_MAX = 4096 };

static void *block;

static void work_malloc(void) { free(opaque(malloc(100))); }
static void work_calloc(void) { free(opaque(calloc(10, 1000))); }
static void work_realloc(void) { free(realloc(opaque(malloc(100)), 100000)); }
static void work_mapped(void) { free(realloc(opaque(malloc(1 << 20)), 3 << 20)); }
static void work_memalign(void) { free(opaque(memalign(4096, 20000))); }
static void work_trim(void) { malloc_trim(0); }
static void work_mallinfo(void) { REQUIRE(mallinfo2().uordblks > 0); }
static void work_mallopt(void) { REQUIRE(mallopt(M_MXFAST, 64) == 1); }
static void work_large(void) {
    void *p[50];
    for (size_t i = 0; i < 50; i++)
        REQUIRE((p[i] = malloc(2000 + 900 * i)) != NULL);
    for (size_t i = 0; i < 50; i++)
        free(p[(i * 7) % 50]);
}

static void (*const works[WORKS])(void) = {
    work_malloc, work_calloc, work_realloc,  work_mapped,  work_memalign,
    work_trim,   work_large,  work_mallinfo, work_mallopt,
};

static void *on_small_stack(void *first) {
    size_t at = (size_t)(uintptr_t)first;
    for (size_t i = 0; i < WORKS; i++) /* each is some thread's first call */
        works[(at + i) % WORKS]();
    if (at % 2 == 0)
        block = opaque(malloc(3000)); /* the main thread frees it when this one is gone */
    return NULL;
}

/* The deepest byte written of a stack painted beforehand, from its low end. */
static size_t untouched(const unsigned char *stack, size_t bytes) {
    size_t i = 0;
    while (i < bytes && stack[i] == 0x5c)
        i++;
    return i;
}

static void *on_painted_stack(void *work) {
    works[(size_t)(uintptr_t)work]();
    return NULL;
}

static void *nothing(void *unused) { return unused; }

/* Stack used by a thread that runs `start`, with its frames of pthread's own. */
static size_t stack_used(void *(*start)(void *), size_t work) {
    size_t bytes = 64 * 1024;
    unsigned char *stack =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(stack != MAP_FAILED);
    memset(stack, 0x5c, bytes);
    pthread_t thread;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    REQUIRE(pthread_attr_setstack(&attributes, stack, bytes) == 0);
    REQUIRE(pthread_create(&thread, &attributes, start, (void *)(uintptr_t)work) == 0);
    REQUIRE(pthread_join(thread, NULL) == 0);
    size_t used = bytes - untouched(stack, bytes);
    munmap(stack, bytes);
    return used;
}

int main(void) {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    REQUIRE(pthread_attr_setstacksize(&attributes, (size_t)PTHREAD_STACK_MIN) == 0);
    for (size_t i = 0; i < 20 * WORKS; i++) {
        pthread_t thread;
        block = NULL;
        REQUIRE_FOR(i, pthread_create(&thread, &attributes, on_small_stack, (void *)(uintptr_t)i) ==
                           0);
        REQUIRE_FOR(i, pthread_join(thread, NULL) == 0);
        free(block);
    }
    size_t empty = stack_used(nothing, 0);
    for (size_t work = 0; work < WORKS; work++) {
        size_t used = stack_used(on_painted_stack, work);
        size_t calls = used > empty ? used - empty : 0;
        say(STDOUT_FILENO, "minstack: work %zu uses %zu bytes of stack\n", work, calls);
        REQUIRE_FOR(calls, calls <= CALL_STACK_MAX);
    }
    return 0;
}
