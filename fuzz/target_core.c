/* target_core.c: the core, linked into this program under its cp_ names. */
#include <string.h>

#include "cache.h"
#include "check.h"
#include "pagemap.h"
#include "process.h"
#include "target.h"

/* What the C library does when it sets up a thread's local storage. */
static void new_thread(void) { cache_self = &cache_none; }

/* Chunks returned to an arena while its lock was held are freed by who holds it. */
static const char *unsettled(void) {
    const struct arena *a = arena_main();
    do {
        if (!a->lost && a->returned != NULL)
            return "chunks returned to an arena that nobody will free";
        a = arena_next(a);
    } while (a != arena_main());
    return NULL;
}

/* The core clears its page map entry by entry where an entry is set. Which are set depends on the
 * run before, and with it the edges that a run takes, so a run begins with none. */
static void start(void) {
    memset(pagemap_root, 0, sizeof pagemap_root);
    allocator_start();
}

const struct target target = {
    .name = "chunkproof",
    .simulated = true,
    .start = start,
    .new_thread = new_thread,
    .malloc = cp_malloc,
    .calloc = cp_calloc,
    .realloc = cp_realloc,
    .reallocarray = cp_reallocarray,
    .free = cp_free,
    .free_sized = cp_free_sized,
    .free_aligned_sized = cp_free_aligned_sized,
    .aligned_alloc = cp_aligned_alloc,
    .memalign = cp_memalign,
    .posix_memalign = cp_posix_memalign,
    .valloc = cp_valloc,
    .pvalloc = cp_pvalloc,
    .usable_size = cp_malloc_usable_size,
    .mallopt = cp_mallopt,
    .trim = cp_malloc_trim,
    .mallinfo2 = cp_mallinfo2,
    .malloc_info = cp_malloc_info,
    .malloc_stats = cp_malloc_stats,
    .check = cp_check,
    .check_shared = check_shared,
    .unsettled = unsettled,
};
