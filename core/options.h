/* options.h: what a user can tune: mallopt, MALLOC_* variables, GLIBC_TUNABLES, CHUNKPROOF_*.
 *
 * Read at start from the environment (never in set-uid programs: os_environment), written by
 * mallopt. Fields are read and written with relaxed atomics through the accessors below, for
 * mallopt may be called at any time; none needs to agree with another.
 */
#ifndef CP_OPTIONS_H
#define CP_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct options {
    size_t mxfast_granules; /* largest chunk of a fast bin, 0: none */
    size_t trim_threshold_bytes;
    size_t trim_threshold_fixed; /* set by hand: top is cut at once, whatever purge.c thinks */
    size_t top_pad_bytes;
    size_t mmap_threshold_bytes;
    size_t mmap_threshold_fixed; /* set by hand: no longer dynamic */
    size_t mmap_max; /* mappings at a time */
    size_t perturb; /* byte; 0: off */
    size_t arena_test;
    size_t arena_max; /* 0: as ARENAS_PER_PROCESSOR says */
    size_t cache_count; /* chunks of one size a thread cache may keep */
    size_t cache_max_granules; /* largest chunk it keeps */
    size_t check_every; /* CHUNKPROOF_CHECK: walk the heap each so many operations; 0: never */
};

extern struct options options;

static inline size_t option(const size_t *field) {
    return __atomic_load_n(field, __ATOMIC_RELAXED);
}
static inline void option_set(size_t *field, size_t value) {
    __atomic_store_n(field, value, __ATOMIC_RELAXED);
}

/* Defaults, then the environment. */
void options_start(void);

/* As mallopt: 1 done or unknown parameter, 0 value out of range. */
int options_set(int parameter, int value);

/* Whether every operation must take the slow path (perturb, check). */
bool options_watch(void);

/* A freed mapping of this size raises the dynamic threshold. */
void options_mapping_freed(size_t bytes);

#endif
