/* purge.h: giving pages back from anywhere in a region, not only from its end.
 *
 * What was given back is recorded in the free chunk itself (region.h: struct page_run), so that
 * it is neither given back twice nor mistaken. Needs the arena's lock.
 */
#ifndef CP_PURGE_H
#define CP_PURGE_H

#include "arena.h"

/* Free an allocated or cached chunk into its arena, whose lock is held, then give memory back: top
 * from M_TRIM_THRESHOLD on; and if the region's free pages that were not given back exceed the
 * budget, the oldest of them, until half the budget is left. At free time, so that an idle process
 * has shrunk too; to half, so that the next free does not start it again. */
void purge_free_chunk(struct granule *header);

/* The same after a chunk of h was shrunk in place. */
void purge_after_free_in(struct heap *h);

/* Merge fast chunks, give back the whole pages of every free chunk, of top those beyond
 * `pad_bytes`, and regions that hold nothing. True if anything went back to the system. */
bool purge_arena(struct arena *a, size_t pad_bytes);

#endif
