/* purge.h: giving pages back from anywhere in a region, not only from its end.
 *
 * What was given back is recorded in the free chunk itself (region.h: struct page_run), so that
 * it is neither given back twice nor mistaken. Needs the arena's lock.
 */
#ifndef CP_PURGE_H
#define CP_PURGE_H

#include "arena.h"

/* Have purge_after_frees look at a heap of the locked arena. */
void purge_freed_into(struct heap *h);

/* Free an allocated or cached chunk into its arena, whose lock is held. */
void purge_free_chunk(struct granule *header);

/* Where a small chunk was cut off one whose pages are not there, given back or never touched: get the next of them
 * in one call. Those that follow, each with a header, leave none untouched, and one by one they cost twice as
 * much. */
void purge_take_ahead(const struct granule *header);

/* The cached chunk takes in the one behind it, which is cached too. Returns it, allocated. */
struct granule *purge_join(struct granule *header);

/* After frees into the locked arena: where they were, give memory back if more is kept than the
 * budget allows, a few runs of pages at a time. At free time, so that an idle process has shrunk too. Empty heaps
 * may end to exist.
 * True if one of the others is mostly free, and emptier by half than when that was last said: what caches keep
 * of it should go back, too. */
bool purge_after_frees(struct arena *a);

/* Merge fast chunks, give back the whole pages of every free chunk, of top those beyond
 * `pad_bytes`, and regions that hold nothing. True if anything went back to the system. */
bool purge_arena(struct arena *a, size_t pad_bytes);

#endif
