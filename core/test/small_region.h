/* small_region.h: a region on a static array for unit tests, its secrets fixed. */
#ifndef CP_TEST_SMALL_REGION_H
#define CP_TEST_SMALL_REGION_H

#include "../region.h"

enum { SMALL_GRANULES = 16 * 1024 };

static struct granule small_cells[SMALL_GRANULES] __attribute__((aligned(4096)));

static inline struct seal_key small_key(void) {
    return (struct seal_key){.base = (uintptr_t)small_cells / GRANULE_BYTES,
                             .secret = 0x1234567890abcdef,
                             .multiplier = 0x9e3779b97f4a7c15,
                             .state = {0x1111, 0x2222, 0x4444, 0x8888}};
}

static inline void small_region(struct region *r, uint32_t granules) {
    struct seal_key key = small_key();
    region_init(r, small_cells, granules, &key, 0);
}

#endif
