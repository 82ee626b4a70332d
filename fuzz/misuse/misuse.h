/* misuse.h: what the programs of this folder share.
 *
 * Each commits one fault. It is run with the library preloaded and must end by SIGABRT after one
 * line on standard error that names the fault (its `expect:` comment; alternatives are
 * separated by |) and contains one of the addresses given to expect_at. Variables of the
 * environment stand in an `env:` comment. core/test/misuse.sh runs them all.
 */
#ifndef MISUSE_H
#define MISUSE_H

#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void free_sized(void *p, size_t size);
void free_aligned_sized(void *p, size_t alignment, size_t size);

enum { SMALL = 100, LARGE = 3000, MAPPED = 4 << 20 };

/* Keep the compiler from knowing where p comes from. */
static inline char *opaque(void *p) {
    __asm__ volatile("" : "+r"(p) : : "memory");
    return p;
}

static inline char *block(size_t bytes) {
    char *p = opaque(malloc(bytes));
    if (p == NULL)
        _exit(3);
    return p;
}

/* The report must contain this address, or another one given so. */
static inline void expect_at(const void *p) {
    char line[32];
    int length = snprintf(line, sizeof line, "%p\n", p); /* dprintf would allocate */
    if (write(STDOUT_FILENO, line, (size_t)length) != length)
        _exit(3);
}

/* Two blocks of the same kind, `high` right behind `low`; and one more, so that what lies behind
 * `high` is in use. */
static inline void neighbours(size_t bytes, char **low, char **high) {
    *low = block(bytes);
    for (int tries = 0; tries < 10000; tries++) {
        *high = block(bytes);
        if (*high == *low + malloc_usable_size(*low) + 8) {
            block(bytes);
            return;
        }
        *low = *high;
    }
    _exit(3);
}

/* The fields of a block's header, see core/granule.h. */
static inline uint32_t *size_of_block(char *p) { return (uint32_t *)(void *)(p - 8); }
static inline uint16_t *seal_of_block(char *p) { return (uint16_t *)(void *)(p - 4); }
static inline uint8_t *prev_inuse_of_block(char *p) { return (uint8_t *)(p - 2); }
static inline uint8_t *flags_of_block(char *p) { return (uint8_t *)(p - 1); }

/* Write over the end of a block, every byte changed. */
static inline void overflow(char *p, size_t bytes) {
    char *end = p + malloc_usable_size(p);
    for (size_t i = 0; i < bytes; i++)
        end[i] = (char)(end[i] ^ 0x55);
}

/* Have the free chunks that were not sorted yet put into their bins. */
static inline void sort_bins(void) { block(100000); }

/* Where the C library's [heap] begins. */
static inline char *heap_start(void) {
    char line[256];
    void *start = NULL;
    FILE *maps = fopen("/proc/self/maps", "r");
    while (maps != NULL && start == NULL && fgets(line, sizeof line, maps) != NULL)
        if (strstr(line, "[heap]") != NULL)
            start = (void *)(uintptr_t)strtoull(line, NULL, 16);
    if (start == NULL)
        _exit(3);
    return start;
}

/* A block in a mapped region: something stands above the break, so the heap goes elsewhere. */
static inline char *block_in_region(void) {
    uintptr_t above = ((uintptr_t)sbrk(0) + 4095) / 4096 * 4096;
    if (mmap((void *)above, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
             0) == MAP_FAILED)
        _exit(3);
    for (int i = 0; i < 10000; i++) {
        char *p = block(LARGE);
        if ((uintptr_t)p > above)
            return p;
    }
    _exit(3);
}

#endif
