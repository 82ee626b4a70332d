/* region.h: allocate, free, resize, align and trim over ONE contiguous region. Proved file.
 *
 * Works on any memory it is given; no lock (the arena's is held by the caller), no system call.
 *
 *   g: | bin heads 0..127 | chunk | chunk | ... | chunk | top | fence |
 *                           ^ REGION_FIRST                      ^ bins.fence
 *
 * Every chunk from REGION_FIRST on is allocated, cached or free; the last is top, a free chunk
 * that no bin holds and that always has CHUNK_MIN_GRANULES or more. Behind it the fence, a header
 * of its own kind. Sizes are granules, chunks are named by the index of their header, 0 is none.
 */
#ifndef CP_REGION_H
#define CP_REGION_H

#include "bin.h"
#include "granule.h"

/* Whole pages, as granules [from, to) of a region; from == to: none. */
struct page_run {
    uint32_t from, to;
};

struct region {
    struct granule *g;
    struct seal_key key;
    struct bins bins;
    uint32_t top;
    uint32_t last_remainder; /* rest of the latest split for a small request; 0: none */
    uint32_t dirty_granules; /* in whole pages of free chunks and top that were not given back */
    struct page_run served_zero; /* of the chunk served last: granules that read as zero */
    uint8_t flags; /* of every chunk of the region */
};

/* Fewest granules a region can be made of: bin heads, the smallest top, fence. */
#define REGION_MIN_GRANULES (BIN_COUNT + CHUNK_MIN_GRANULES + 1u)

/* Make a region of g[0..granules), which read as zero: all of it top. key->base must be the address of g. */
void region_init(struct region *r, struct granule *g, uint32_t granules, const struct seal_key *key,
                 uint8_t flags);

/* An allocated chunk of `size` granules or one more; 0 and nothing changed but the order of bins
 * when there is none. */
uint32_t region_allocate(struct region *r, uint32_t size, uint32_t fast_max);

/* Up to `wanted` such chunks, into served[]; where one free chunk yields several they lie side by
 * side. How many. */
uint32_t region_allocate_run(struct region *r, uint32_t size, uint32_t fast_max, uint32_t wanted,
                             uint32_t *served);

/* One with a payload whose address is a multiple of `align` granules (a power of two).
 * Lead and tail are given back. */
uint32_t region_allocate_aligned(struct region *r, uint32_t size, uint32_t align);

/* Free chunk i, allocated or cached and checked as such by the caller. Up to `fast_max` granules
 * it waits in a fast bin, still unmerged; else it merges with its free neighbours. */
void region_free(struct region *r, uint32_t i, uint32_t fast_max);

/* Shrink or grow allocated chunk i in place, into a free neighbour or top behind it. */
bool region_resize(struct region *r, uint32_t i, uint32_t size);

/* Merge every chunk that waits in a fast bin. */
void region_consolidate(struct region *r);

/* g now reaches to `granules`, more than before: top grows. `fresh`: what is new reads as zero. */
void region_extend(struct region *r, uint32_t granules, bool fresh);

/* Shorten top so that it keeps `keep` granules (CHUNK_MIN_GRANULES at least): the region then
 * ends at what is returned, in granules. */
uint32_t region_trim(struct region *r, uint32_t keep);

static inline uint32_t region_top_granules(const struct region *r) { return r->g[r->top].size; }

/* Granules of the region, heads and fence included. */
static inline uint32_t region_granules(const struct region *r) { return r->bins.fence + 1; }

/* Whether nothing is in use but the heads: top is the only chunk. */
static inline bool region_is_empty(const struct region *r) { return r->top == REGION_FIRST; }

/* ---- Pages: see core/README.md, "Giving memory back" ------------------------------------------ */

/* The whole pages of free chunk i (or top) that hold no header and no link. */
struct page_run region_whole_pages(const struct region *r, uint32_t i);

/* Those of them that were given back, or never touched, and so read as zero. */
struct page_run region_purged(const struct region *r, uint32_t i);

/* Granules of the others. */
uint32_t region_dirty(const struct region *r, uint32_t i);

/* The free chunk (or top) with such pages that has been so for longest; 0: none. */
uint32_t region_oldest_dirty(const struct region *r);

/* Record that the pages `run` of free chunk i, and no others, have been given back. */
void region_set_purged(struct region *r, uint32_t i, struct page_run run);

#endif
