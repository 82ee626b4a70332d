/* floor.c: build/bench/floor.so: not an allocator but what is left of one. Blocks of 64 bytes wait on a
 * stack of pointers; nothing is checked, locked or given back, and one thread may call it. So pair64 and
 * batch on it take what two calls into a library, a header and a stack cost whoever serves them:
 *
 *   make bench ARGS="--allocators glibc,chunkproof,floor --only '^pattern/(pair64|batch)'"
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { BLOCK_BYTES = 64, HEADER_BYTES = 16, STACK = 1 << 16, MAPPING_BYTES = 1 << 24 };

static void *stack[STACK], **top = stack;
static char *unused, *unused_end;

static size_t *size_of(void *p) { return (size_t *)p - 1; }

/* Other sizes are cut off a mapping, and never used again. */
static __attribute__((noinline)) void *cut(size_t bytes) {
    size_t whole = (bytes + HEADER_BYTES + 15) / 16 * 16;
    if (whole > (size_t)(unused_end - unused)) {
        size_t mapping = whole > MAPPING_BYTES ? whole : MAPPING_BYTES;
        unused = mmap(NULL, mapping, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (unused == MAP_FAILED)
            abort();
        unused_end = unused + mapping;
    }
    void *p = unused + HEADER_BYTES;
    *size_of(p) = bytes;
    unused += whole;
    return p;
}

void *malloc(size_t bytes) {
    if (__builtin_expect(bytes == BLOCK_BYTES && top != stack, 1))
        return *--top;
    return cut(bytes);
}

void free(void *p) {
    if (p != NULL && *size_of(p) == BLOCK_BYTES && top != stack + STACK)
        *top++ = p;
}

void *calloc(size_t count, size_t each) {
    size_t bytes;
    if (__builtin_mul_overflow(count, each, &bytes))
        return NULL;
    void *p = malloc(bytes);
    return memset(p, 0, bytes);
}

void *realloc(void *p, size_t bytes) {
    void *fresh = malloc(bytes);
    if (p != NULL)
        memcpy(fresh, p, *size_of(p) < bytes ? *size_of(p) : bytes);
    free(p);
    return fresh;
}
