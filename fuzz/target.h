/* target.h: the allocator under test, as a table of calls, so that the same programs can drive
 * the core in its simulated world and any other malloc through its public names.
 */
#ifndef CP_TARGET_H
#define CP_TARGET_H

#include "chunkproof.h"

struct target {
    const char *name;
    bool simulated; /* lives in fuzz/sim, and so starts anew for every run */
    void (*start)(void); /* a fresh process; may be NULL */
    void (*new_thread)(void); /* the calling thread is another one from now on; may be NULL */
    void *(*malloc)(size_t);
    void *(*calloc)(size_t, size_t);
    void *(*realloc)(void *, size_t);
    void *(*reallocarray)(void *, size_t, size_t);
    void (*free)(void *);
    void (*free_sized)(void *, size_t);
    void (*free_aligned_sized)(void *, size_t, size_t);
    void *(*aligned_alloc)(size_t, size_t);
    void *(*memalign)(size_t, size_t);
    int (*posix_memalign)(void **, size_t, size_t);
    void *(*valloc)(size_t);
    void *(*pvalloc)(size_t);
    size_t (*usable_size)(void *);
    int (*mallopt)(int, int);
    int (*trim)(size_t);
    struct cp_mallinfo (*mallinfo2)(void);
    int (*malloc_info)(int, FILE *);
    void (*malloc_stats)(void);
    bool (*check)(struct cp_breach *); /* may be NULL */
    /* The same without taking a lock: none may be held. Of all, or of what threads share. NULL
     * where check is. */
    bool (*check_unlocked)(struct cp_breach *);
    bool (*check_shared)(struct cp_breach *);
    /* What was left to do for whoever comes, though no thread is in the allocator; NULL: nothing.
     * May be NULL. */
    const char *(*unsettled)(void);
    /* Whether a free of any pointer to this byte's neighbourhood would read the byte. May be NULL. */
    bool (*shows)(const void *byte);
    /* Shows the engine the states the heap is in (states.h); no lock may be held. May be NULL. */
    void (*states)(void);
};

extern const struct target target;

#endif
