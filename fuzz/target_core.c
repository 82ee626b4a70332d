/* target_core.c: the core, linked into this program under its cp_ names. */
#include <string.h>

#include "cache.h"
#include "check.h"
#include "mapped.h"
#include "pagemap.h"
#include "process.h"
#include "returned.h"
#include "sim/sim.h"
#include "states.h"
#include "target.h"

/* What the C library does when it sets up a thread's local storage. */
static void new_thread(void) { cache_self = &cache_none; }

/* Chunks returned to an arena while its lock was held are freed by who holds it, and those of threads
 * at home elsewhere when there are many. */
static const char *unsettled(void) {
    const struct arena *a = arena_main();
    do {
        if (!a->lost && a->returned != NULL && returned_granules(a) >= returned_limit())
            return "chunks returned to an arena that nobody will free";
        a = arena_next(a);
    } while (a != arena_main());
    return NULL;
}

/* What the break's bounds, the page map or the table of mappings show is read by whoever frees a
 * pointer that leads there. */
static bool shows(const void *byte) {
    uintptr_t address = (uintptr_t)byte;
    return arena_break_holds(address) || pagemap_holds(address) || mapped_containing(byte) != NULL;
}

/* The page map's root is the one thing the core finds empty without having emptied it. Only the
 * part that stands for the world can have been filled. */
static void start(void) {
    enum { LEAF_SHIFT = PAGEMAP_SLOT_SHIFT + PAGEMAP_LEAF_BITS };
    memset(&pagemap_root[SIM_FIRST >> LEAF_SHIFT], 0,
           (SIM_BYTES >> LEAF_SHIFT) * sizeof pagemap_root[0]);
    allocator_start();
}

/* ---- states an engine is to see ---------------------------------------------------------------- */

/* 0, 1, 2-3, 4-7, ...; at most `most`. */
static unsigned magnitude(uint64_t n, unsigned most) {
    unsigned bits = n == 0 ? 0 : 64 - (unsigned)__builtin_clzll(n);
    return bits < most ? bits : most;
}

static unsigned large_bins_marked(const struct bins *b) {
    return (unsigned)__builtin_popcountll(b->map[BIN_LARGE_FIRST / 64]);
}

/* `which`: the main arena, or the next. */
static void arena_states(const struct arena *a, unsigned which) {
    if (a->lost || a->heaps == NULL)
        return;
    const struct region *r = &a->heaps->region;
    const struct bins *b = &r->bins;
    state_reached(STATE_BINS + which * 64 + magnitude(b->free_chunks, 7) * 8 +
                  magnitude(b->fast_chunks, 7));
    state_reached(STATE_TOP + which * 32 + magnitude(region_top_granules(r), 15) * 2 +
                  (r->dirty_granules != 0));
    state_reached(STATE_LARGE + which * 16 + magnitude(large_bins_marked(b), 7) * 2 +
                  (b->map[0] >> BIN_UNSORTED & 1));
}

static void states(void) {
    const struct arena *a = arena_main(), *next = arena_next(a);
    unsigned heaps = 0;
    for (const struct heap *h = a->heaps; h != NULL && !a->lost; h = h->next)
        heaps++;
    state_reached(STATE_PROCESS + magnitude(arena_count(), 3) * 16 + magnitude(heaps, 3) * 4 +
                  magnitude(sim_account.mappings, 3));
    arena_states(a, 0);
    if (next != a)
        arena_states(next, 1);
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
    .check_unlocked = check_process,
    .check_shared = check_shared,
    .unsettled = unsettled,
    .shows = shows,
    .states = states,
};
