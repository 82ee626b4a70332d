/* bin.h: where a region's free chunks wait. Proved file.
 *
 *   bin 1       unsorted: freed chunks and remainders, each given one chance to be reused as it is
 *   bin 2..63   small: chunks of exactly that many granules, first in first out
 *   bin 64..127 large: descending sizes, with a second ring that holds one chunk of each size
 *   fast[s]     chunks of s granules that have not been merged yet: still in use for their
 *               neighbours, sealed as cached, last in first out, singly linked
 *
 * The heads of the bins are the granules 1..127 of the region themselves, so a head is a node
 * like any other and no list operation has a special case. A node is the granule that holds the
 * links: granule b for the head of bin b, granule i + 1 for chunk i. fd and bk name nodes;
 * nextsize links name chunks' ring granules (i + 2), 0 for a chunk outside the ring.
 *
 *      head b            largest           ...            smallest
 *     +-------+ fd      +-------+ fd                     +-------+ fd
 *     | b     |-------->| i + 1 |--------> ... --------->| j + 1 |---> back to head
 *     +-------+         | i + 2 |<===== nextsize =======>| j + 2 |
 *                       +-------+                        +-------+
 *
 * No lock of its own: the region's. A link that its neighbour does not answer is reported.
 */
#ifndef CP_BIN_H
#define CP_BIN_H

#include "chunk.h"

struct bins {
    uint64_t map[2]; /* bit b: bin b may be non-empty; a non-empty bin has its bit set */
    uint32_t fence; /* index of the region's fence: every link lies below */
    uint32_t fast[FAST_BIN_COUNT]; /* index of the first chunk, 0: empty */
    uint32_t fast_chunks; /* in all fast bins */
    uint32_t fast_granules;
    uint32_t free_chunks; /* in bins 1..127; neither fast chunks nor top count */
    uint32_t free_granules;
};

/* The bin that chunks of `size` granules (2 or more) are sorted into. */
uint32_t bin_index(uint32_t size);

/* Empty bins; the heads g[0..BIN_COUNT) are written. */
void bins_init(struct granule *g, struct bins *b, uint32_t fence);

/* Put free chunk i in the unsorted bin, or into the bin of its size. */
void bin_insert_unsorted(struct granule *g, struct bins *b, uint32_t i);
void bin_insert(struct granule *g, struct bins *b, uint32_t i);

/* Take free chunk i out of the bin it is in. */
void bin_unlink(struct granule *g, struct bins *b, uint32_t i);

/* The list operations themselves, for any circular list whose nodes are granules: hang x behind
 * node `before`; take x out. Neighbours that do not answer each other's links are reported. */
void bin_hook(struct granule *g, const struct bins *b, uint32_t x, uint32_t before);
void bin_unhook(struct granule *g, const struct bins *b, uint32_t x);

/* The first bin from `from` on that is marked; BIN_COUNT when there is none. */
uint32_t bin_next_marked(const struct bins *b, uint32_t from);

/* Chunk at the end of bin `bin` that has waited longest (small, unsorted) or is smallest
 * (large); 0 when the bin is empty. */
uint32_t bin_last(const struct granule *g, uint32_t bin);

/* The smallest chunk of large bin `bin` with `size` granules or more; 0 when there is none. */
uint32_t bin_best_fit(const struct granule *g, const struct bins *b, uint32_t bin, uint32_t size);

/* Push allocated or cached chunk i (of FAST_MAX_GRANULES or less), which becomes cached. */
void fast_push(struct granule *g, const struct seal_key *k, struct bins *b, uint32_t i);

/* Pop a chunk of `size` granules, still sealed as cached; 0 when there is none. */
uint32_t fast_pop(struct granule *g, const struct seal_key *k, struct bins *b, uint32_t size);

#endif
