/* returned.h: chunks go back to their arena without waiting for its lock.
 *
 * Where the lock is free they are freed into their region, and memory is given back as purge.h
 * says. Where it is taken, or another thread's business, they are chained onto the arena's list of
 * returned chunks. Whoever holds the lock frees them on leaving, or a thread at home in the arena
 * takes them into its cache at a miss, without the lock. Neither leaver nor pusher can miss the
 * other: the one looks at the list after it has released, the other at the lock after it has pushed,
 * and the order of these four steps is the same for all (sequentially consistent).
 *
 *   arena.returned -> header | link, ... | -> header | link, ... | -> 0
 *                            ^ payload: next header's address, veiled by a secret and by where it is
 *
 * Such a chunk is sealed as cached: in use for its neighbours, and freeing it again is a double
 * free. A link is followed only to a chunk so sealed of the same arena.
 */
#ifndef CP_RETURNED_H
#define CP_RETURNED_H

#include "arena.h"

/* Chunks of an arena that is not the thread's own go onto its list even where the lock is free, for
 * whoever next holds it: a consumer that took the lock at each flush would drive its producer from
 * arena to arena, each with memory of its own. From returned_limit on, whoever returns more tries the
 * lock.
 *
 * Free one chunk that is allocated; or `count` that are cached, of any arenas. slot[] is used up. True if one of the
 * arenas is so much emptier that what caches keep of it should go back, too: see purge_after_frees. */
struct returning {
    /* The thread's own arena; NULL: none of the chunks is to wait. */
    const struct arena *home;
    /* The arena that the caller will have give memory back, by returned_purge. */
    const struct arena *unpurged;
    /* Behind slot[] stand the payloads of so many more, which come next, `count` each time. */
    uint32_t ahead;
};
void return_chunk(struct granule *header);
bool return_chunks(struct granule **slot, uint32_t count, struct returning how);

/* Give memory back after such frees, unless somebody holds the arena's lock: then the next free does. */
void returned_purge(struct arena *a);

/* How much may wait on an arena's list, in granules. */
uint32_t returned_limit(void);

/* How much does. */
static inline uint32_t returned_granules(const struct arena *a) {
    return __atomic_load_n(&a->returned_granules, __ATOMIC_RELAXED);
}

/* What waited on an arena's list, taken off it: chunks of that arena sealed as cached, the caller's
 * from now on. To be walked once and to the end, NULL. Needs no lock. */
struct returned {
    struct arena *arena;
    struct granule *next;
    uint32_t granules; /* of those walked over */
};
struct returned returned_take(struct arena *a);
struct granule *returned_next(struct returned *taken);

/* Report a chunk of a thread cache that is not sealed as one. */
void returned_check(const struct granule *header);

/* Leave a locked arena, and free what was returned to it meanwhile. */
void arena_leave(struct arena *a);

/* The same, but leave there what may wait: the thread takes it in at its next misses (cache.c). */
void arena_leave_waiting(struct arena *a);

/* Free what was returned to an arena, unless somebody holds its lock, who then will. */
void arena_take_in(struct arena *a);

#endif
