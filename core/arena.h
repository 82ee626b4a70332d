/* arena.h: a lock, the regions it guards, and the ring of arenas.
 *
 *   main arena: region over the program break, then mapped regions when the break cannot grow
 *   others:     mapped regions: reserved, aligned to their size, committed as top grows
 *
 * A thread starts in the main arena. Only when it finds its arena's lock taken does it move on:
 * to an arena whose lock is free, to a new one while there are fewer than the limit, else it waits.
 *
 * Lock order: cache registry, arena list, arenas in ring order, mapped, pagemap. Outside fork
 * and the whole-process walk a thread holds one arena's lock at most.
 */
#ifndef CP_ARENA_H
#define CP_ARENA_H

#include <stddef.h>

#include "lock.h"
#include "pagemap.h"
#include "process.h"
#include "region.h"

/* What frees into a heap give back, a few runs each, until it is done: what is beyond the limit, all but a part
 * of the budget, or everything (purge.c). */
enum purging { PURGING_NOT, PURGING_EXCESS, PURGING_BUDGET, PURGING_ALL };

/* A region and where its memory comes from. Stands at the start of a mapped region; the main
 * arena's first one is a variable. */
struct heap {
    struct region region;
    struct arena *arena;
    struct heap *next;
    struct heap *next_freed; /* of those freed into and not looked at since (purge.c) */
    bool freed; /* it is one of them */
    unsigned char *start; /* of the reservation; of the break's part in use */
    size_t reserved_bytes; /* 0: over the break */
    size_t committed_bytes; /* from start on */
    int64_t purge_allowance; /* granules that may be given back by now (purge.c) ... */
    uint64_t purge_clock_ns; /* ... as of then */
    uint64_t purged_ns; /* when memory last went back, and ... */
    uint32_t in_use_then; /* ... granules in use behind it ... */
    uint32_t in_use_high; /* ... and at most since (purge.c) */
    enum purging purging;
    uint64_t ended_ns; /* when a phase last ended (purge.c), with ... */
    uint32_t in_use_end; /* ... so many granules in use, and ... */
    uint32_t in_use_max; /* ... at most since, until memory last went back */
    bool refills; /* it was filled again soon after a phase's end */
    uint32_t in_use_peak; /* granules, since what is in use last halved (purge.c) */
    bool sweep_due; /* since then from a good deal, and no sweep yet (purge.c) */
    uint32_t sweep_bin; /* where the sweep goes on; BIN_NONE: nowhere ... */
    uint32_t sweep_at; /* ... behind so many of the bin's chunks */
    uint32_t freed_in_a_row; /* chunks, since one was last allocated (purge.c) */
    uint32_t purge_trigger; /* dirty granules that are none too many; 0: the budget decides */
};

struct arena {
    struct lock lock;
    uint32_t number;
    struct arena *next; /* ring; written once */
    struct heap *heaps; /* newest first */
    struct heap *freed; /* freed into since the lock was taken (purge.c) */
    struct heap *purge_next; /* looked at when its turn comes; NULL: the first (purge.c) */
    struct granule *returned; /* freed, but not yet into their region: see returned.h */
    uint32_t returned_granules; /* of these, and of those about to join them; atomic */
    uint32_t next_class; /* of the next mapped region */
    bool lost; /* its lock was held by a thread that did not survive fork: never touched again */
    bool break_lost; /* main arena: somebody else moved the break */
    size_t system_bytes; /* committed now, and at most */
    size_t system_bytes_max;
};

/* Bounds of the main arena's region over the break, for address checks without the lock: `to_zero`
 * added to the payload behind its first header makes 0. */
struct address_range {
    uintptr_t to_zero;
    size_t granules;
};
extern struct address_range arena_break_range;

/* Whether the header before a payload lies there. Any address may be asked about: the bits in which
 * a payload's is zero are turned to the top, where they make more than a range has. */
static inline bool arena_break_holds_header(uintptr_t payload) {
    uintptr_t off = payload + __atomic_load_n(&arena_break_range.to_zero, __ATOMIC_RELAXED);
    uintptr_t granules = off / GRANULE_BYTES | off * (UINTPTR_MAX / GRANULE_BYTES + 1);
    return granules < __atomic_load_n(&arena_break_range.granules, __ATOMIC_RELAXED);
}

static inline bool arena_break_holds(uintptr_t address) {
    return arena_break_holds_header(address - address % GRANULE_BYTES + GRANULE_BYTES);
}

/* Whether p is aligned and the header before it can be read: in committed memory of a region. Any
 * pointer may be asked about, NULL too. */
static inline bool arena_readable(const void *p) {
    return arena_break_holds_header((uintptr_t)p) ||
           ((uintptr_t)p % GRANULE_BYTES == 0 && pagemap_holds((uintptr_t)p - GRANULE_BYTES));
}

/* The arena whose lock `l` is: it stands first in it. */
static inline struct arena *arena_of_lock(struct lock *l) { return (struct arena *)(void *)l; }

/* The process's seal key with base 0: seals are taken of whole addresses with it. */
const struct seal_key *arena_key(void);

/* Whether the header of a chunk in use, found by its address, is sealed as `state`; and seal it.
 * Threads change the seals of chunks they hold without a lock while the walker may look: hence
 * relaxed atomics, which cost nothing. */
static inline uint16_t seal_load(const struct granule *header) {
    return __atomic_load_n(&header->seal, __ATOMIC_RELAXED);
}
static inline void seal_store(struct granule *header, uint16_t seal) {
    __atomic_store_n(&header->seal, seal, __ATOMIC_RELAXED);
}
static inline uint16_t seal_at(const struct seal_key *k, const struct granule *header,
                               enum seal_state state) {
    uint64_t address_granules = (uintptr_t)header / GRANULE_BYTES;
    return (uint16_t)(seal_hash(k, address_granules, header->size, header->flags) ^
                      k->state[state]);
}
static inline bool is_sealed_as(const struct granule *header, enum seal_state state) {
    return seal_load(header) == seal_at(arena_key(), header, state);
}
static inline void seal_as(struct granule *header, enum seal_state state) {
    seal_store(header, seal_at(arena_key(), header, state));
}

struct arena *arena_main(void);

uint32_t arena_count(void);

/* Bytes of all arenas that are committed now, about. */
size_t arena_committed_bytes(void);

/* Whether the system has ever refused an arena memory. */
bool arena_memory_is_short(void);

/* The arena after `a` in the ring; a itself when alone. */
struct arena *arena_next(const struct arena *a);

/* Lock the preferred arena, or another under contention; *preferred is updated. To be left by
 * arena_leave (returned.h). */
struct arena *arena_enter(struct arena **preferred);

/* The heap that holds a chunk, told by its flags. The header must be known to be sealed. */
struct heap *heap_of(const struct granule *header);

static inline uint32_t granules_in_use(const struct region *r) {
    return (uint32_t)(region_granules(r) - r->bins.free_granules - region_top_granules(r));
}

static inline uint32_t heap_index(const struct heap *h, const struct granule *header) {
    return (uint32_t)(header - h->region.g);
}

/* Allocate a chunk of `size` granules in the locked arena, growing it if `may_grow`; its payload
 * aligned to `align` granules (1: any). NULL when there is none. */
struct granule *arena_allocate(struct arena *a, uint32_t size, uint32_t align, bool may_grow);

enum { ARENA_RUN_MAX = 256 };

/* Up to `wanted` (ARENA_RUN_MAX at most) chunks of `size` granules into out[], growing the arena
 * only if it has none. How many; 0: no memory. */
uint32_t arena_allocate_run(struct arena *a, uint32_t size, uint32_t wanted, struct granule **out);

/* One, as arena_allocate, and which bytes of the chunk are known to be zero. */
struct zero_bytes {
    unsigned char *from, *to;
};
struct granule *arena_allocate_zero(struct arena *a, uint32_t size, uint32_t align, bool may_grow,
                                    struct zero_bytes *zero);

/* Unmap a mapped heap of the locked arena that holds nothing and is not the only one: true then,
 * h is gone. */
bool arena_drop_if_empty(struct arena *a, struct heap *h);

/* Give back top's pages beyond `pad_bytes`, in the locked arena. True if anything was. */
bool heap_trim(struct heap *h, size_t pad_bytes);

/* Unmap a mapped heap whose region is empty; h ends to exist. */
void arena_destroy_heap(struct arena *a, struct heap *h);

/* The first state: no region, fresh secrets. The list's lock guards the ring's growth. */
void arena_start(void);
struct lock *arena_list_lock(void);

#endif
