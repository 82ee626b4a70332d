/* purge.c: see purge.h. */
#include "purge.h"

#include "os.h"

/* Give back the pages `run` of free chunk i but those given back before. */
static bool purge_run(struct region *r, uint32_t i, struct page_run run) {
    struct page_run done = region_purged(r, i);
    if (run.from >= run.to || (done.from <= run.from && run.to <= done.to))
        return false;
    size_t bytes = (size_t)(run.to - run.from) * GRANULE_BYTES;
    if (!os_purge(&r->g[run.from], bytes))
        return false;
    region_set_purged(r, i, run);
    return true;
}

static bool purge_bin(struct region *r, uint32_t bin) {
    bool any = false;
    for (uint32_t x = r->g[bin].lo; x != bin; x = r->g[x].lo)
        if (r->g[x - 1].size >= PURGE_MIN_GRANULES)
            any |= purge_run(r, x - 1, region_whole_pages(r, x - 1));
    return any;
}

static bool purge_top(struct region *r, size_t pad_bytes) {
    if (region_top_granules(r) < PURGE_MIN_GRANULES)
        return false;
    struct page_run run = region_whole_pages(r, r->top);
    size_t pad_pages = (pad_bytes + PAGE_BYTES - 1) / PAGE_BYTES;
    if (pad_pages >= (run.to - run.from) / PAGE_GRANULES)
        return false;
    run.from += (uint32_t)pad_pages * PAGE_GRANULES;
    return purge_run(r, r->top, run);
}

static bool purge_region(struct region *r, size_t pad_bytes) {
    region_consolidate(r);
    bool any = purge_bin(r, BIN_UNSORTED);
    for (uint32_t bin = bin_index(PURGE_MIN_GRANULES); bin < BIN_COUNT; bin++)
        any |= purge_bin(r, bin);
    return purge_top(r, pad_bytes) || any;
}

bool purge_arena(struct arena *a, size_t pad_bytes) {
    bool any = false;
    struct heap *next;
    for (struct heap *h = a->heaps; h != NULL; h = next) {
        next = h->next;
        region_consolidate(&h->region);
        if (h->reserved_bytes != 0 && region_is_empty(&h->region)) {
            arena_destroy_heap(a, h);
            any = true;
            continue;
        }
        any |= heap_trim(h, pad_bytes);
        any |= purge_region(&h->region, pad_bytes);
    }
    return any;
}
