/* malloc.c: the C library's names. Nothing else: each is the cp_ call of api.c or stats.c.
 *
 * A program that wants both allocators links without this file (it is a member of its own in
 * libchunkproof.a) and uses the cp_ names.
 */
#include <malloc.h>
#include <stdlib.h>

#include "chunkproof.h"
#include "config.h"

CP_PUBLIC void free_sized(void *p, size_t size);
CP_PUBLIC void free_aligned_sized(void *p, size_t alignment, size_t size);
CP_PUBLIC void cfree(void *p);

CP_PUBLIC void *malloc(size_t size) { return cp_malloc(size); }
CP_PUBLIC void *calloc(size_t count, size_t each) { return cp_calloc(count, each); }
CP_PUBLIC void *realloc(void *p, size_t size) { return cp_realloc(p, size); }
CP_PUBLIC void *reallocarray(void *p, size_t n, size_t each) { return cp_reallocarray(p, n, each); }
CP_PUBLIC __attribute__((flatten)) void free(void *p) { cp_free(p); }
CP_PUBLIC void cfree(void *p) { cp_free(p); }
CP_PUBLIC void free_sized(void *p, size_t size) { cp_free_sized(p, size); }
CP_PUBLIC void free_aligned_sized(void *p, size_t alignment, size_t size) {
    cp_free_aligned_sized(p, alignment, size);
}
CP_PUBLIC void *aligned_alloc(size_t alignment, size_t size) {
    return cp_aligned_alloc(alignment, size);
}
CP_PUBLIC void *memalign(size_t alignment, size_t size) { return cp_memalign(alignment, size); }
CP_PUBLIC int posix_memalign(void **out, size_t alignment, size_t size) {
    return cp_posix_memalign(out, alignment, size);
}
CP_PUBLIC void *valloc(size_t size) { return cp_valloc(size); }
CP_PUBLIC void *pvalloc(size_t size) { return cp_pvalloc(size); }
CP_PUBLIC size_t malloc_usable_size(void *p) { return cp_malloc_usable_size(p); }
CP_PUBLIC int mallopt(int parameter, int value) { return cp_mallopt(parameter, value); }
CP_PUBLIC int malloc_trim(size_t pad) { return cp_malloc_trim(pad); }
CP_PUBLIC int malloc_info(int options, FILE *out) { return cp_malloc_info(options, out); }
CP_PUBLIC void malloc_stats(void) { cp_malloc_stats(); }

CP_PUBLIC struct mallinfo2 mallinfo2(void) {
    struct cp_mallinfo i = cp_mallinfo2();
    return (struct mallinfo2){.arena = i.arena,
                              .ordblks = i.ordblks,
                              .smblks = i.smblks,
                              .hblks = i.hblks,
                              .hblkhd = i.hblkhd,
                              .usmblks = i.usmblks,
                              .fsmblks = i.fsmblks,
                              .uordblks = i.uordblks,
                              .fordblks = i.fordblks,
                              .keepcost = i.keepcost};
}

/* The old interface: the same figures, cut to int as in glibc. */
CP_PUBLIC struct mallinfo mallinfo(void) {
    struct cp_mallinfo i = cp_mallinfo2();
    return (struct mallinfo){.arena = (int)i.arena,
                             .ordblks = (int)i.ordblks,
                             .smblks = (int)i.smblks,
                             .hblks = (int)i.hblks,
                             .hblkhd = (int)i.hblkhd,
                             .usmblks = (int)i.usmblks,
                             .fsmblks = (int)i.fsmblks,
                             .uordblks = (int)i.uordblks,
                             .fordblks = (int)i.fordblks,
                             .keepcost = (int)i.keepcost};
}
