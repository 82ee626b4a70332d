/* chunkproof.h: the public interface of libchunkproof.
 *
 * Every call is safe from any thread. None is async-signal-safe, as POSIX has it for malloc;
 * fork(2) is allowed anywhere, even in a signal handler that interrupted one of these calls.
 * Sizes are bytes. Where NULL reports failure errno is ENOMEM unless the entry says otherwise.
 * A program error (double free, foreign pointer, overwritten header) is reported on standard
 * error in one line, then the process aborts.
 *
 * libchunkproof.so also defines the C library's names (malloc, free, ...), with the same
 * meaning; the cp_ names allow a program to use both allocators side by side. A block must be
 * given back to the allocator that made it.
 */
#ifndef CHUNKPROOF_H
#define CHUNKPROOF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- C and POSIX: allocation -------------------------------------------------------------- */

/* At least `size` bytes, aligned to 16, contents undefined. size 0 gives a unique pointer that
 * can be freed. NULL: no memory, or size above PTRDIFF_MAX. (C11 7.22.3.4, POSIX) */
void *cp_malloc(size_t size);

/* count * each zeroed bytes. NULL also when the product overflows. (C11 7.22.3.2) */
void *cp_calloc(size_t count, size_t each);

/* Resize a block, moving it if need be; contents up to the smaller size are kept. p NULL:
 * malloc(size). size 0 with p: frees p, returns NULL, errno unchanged. On failure NULL, and the
 * old block stays valid. (C11 7.22.3.5, glibc) */
void *cp_realloc(void *p, size_t size);

/* realloc(p, count * each); NULL when the product overflows. (glibc, POSIX.1-2024) */
void *cp_reallocarray(void *p, size_t count, size_t each);

/* Give a block back. NULL is allowed. errno is kept. (POSIX.1-2024) */
void cp_free(void *p);

/* free with the size that was asked for; a size the block cannot have is a fault. (C23) */
void cp_free_sized(void *p, size_t size);
void cp_free_aligned_sized(void *p, size_t alignment, size_t size);

/* `alignment` must be a power of two, else NULL and EINVAL; `size` need not be a multiple of it.
 * (C17 7.22.3.1 as amended, glibc 2.38 and later; glibc 2.36 rounds the alignment up) */
void *cp_aligned_alloc(size_t alignment, size_t size);

/* Any alignment; rounded up to the next power of two. EINVAL above SIZE_MAX / 2 + 1. (glibc) */
void *cp_memalign(size_t alignment, size_t size);

/* 0 and *out set; EINVAL unless alignment is a power of two multiple of sizeof(void *); ENOMEM.
 * On failure *out and errno are unchanged. (POSIX) */
int cp_posix_memalign(void **out, size_t alignment, size_t size);

void *cp_valloc(size_t size); /* page-aligned */
void *cp_pvalloc(size_t size); /* page-aligned, size rounded up to pages */

/* Bytes the block really has; 0 for NULL. (glibc) */
size_t cp_malloc_usable_size(void *p);

/* ---- glibc: tuning and statistics ---------------------------------------------------------- */

/* Parameters and values as in <malloc.h>; 1 on success, 0 on a value out of range. Parameters
 * it does not know are ignored with 1, as glibc does. */
int cp_mallopt(int parameter, int value);

/* Give all memory back that can be, keeping `pad` bytes at the top; 1 if any was. */
int cp_malloc_trim(size_t pad);

/* The fields of <malloc.h>'s struct mallinfo2. */
struct cp_mallinfo {
    size_t arena, ordblks, smblks, hblks, hblkhd, usmblks, fsmblks, uordblks, fordblks, keepcost;
};
struct cp_mallinfo cp_mallinfo2(void);

/* XML with glibc's elements to `out`; options must be 0. 0, or EINVAL as its return value. */
int cp_malloc_info(int options, FILE *out);

/* A short table on standard error. */
void cp_malloc_stats(void);

/* ---- The heap walker ----------------------------------------------------------------------- */

/* The invariants, see core/invariants.h and core/README.md. */
enum cp_invariant {
    CP_TILED,
    CP_TAGGED,
    CP_SEALED,
    CP_COALESCED,
    CP_LINKED,
    CP_BINNED,
    CP_SORTED,
    CP_MAPPED_BINS,
    CP_FAST,
    CP_COUNTED,
    CP_PURGED,
    CP_OWNED,
    CP_APART,
    CP_INVARIANTS
};

/* The first thing found broken. Fields that do not apply are zero. */
struct cp_breach {
    enum cp_invariant invariant;
    const void *arena;
    const void *region; /* address of granule 0 */
    uint32_t granule; /* index of the chunk's header */
    const void *header; /* its address */
    uint32_t words[4]; /* the header as found: lo, hi, size, seal|prev_inuse|flags */
    uint64_t found; /* what was found ... */
    uint64_t expected; /* ... and what should have been there */
    const char *detail; /* one phrase */
};

/* Name of an invariant, "tiled" ... "apart". */
const char *cp_invariant_name(enum cp_invariant invariant);

/* Walk the whole process: every arena, region, own mapping, and the calling thread's cache.
 * Takes every arena's lock meanwhile. true: sound. false: *breach (may be NULL) is filled. */
bool cp_check(struct cp_breach *breach);

/* Print a breach and the chunks around it on standard error. */
void cp_check_print(const struct cp_breach *breach);

/* For a debugger: walk, print what is wrong or that nothing is. Takes no lock. */
void cp_check_here(void);

#ifdef __cplusplus
}
#endif

#endif
