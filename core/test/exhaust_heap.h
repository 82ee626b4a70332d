/* exhaust_heap.h: the state of a small region as 32 bytes, and back.
 *
 * The code of a heap has a word for each chunk, by address: its size, its kind, its rank in the
 * list it hangs in, and whether it is the last remainder. Whatever else the memory of a region
 * holds follows from that (seals, tags, footers, links, the bin map, all counters) or is read by
 * no operation, and so two heaps of one code behave alike:
 *
 *   payloads, and what free chunks hold beside their links    the program's, or stale; told from
 *       what matters by filling them differently (exhaust --fill)
 *   last_remainder once its chunk was sorted into its bin     it is compared with unsorted chunks
 *       only, and cleared when the chunk is taken
 *   addresses    only the index counts, and the index modulo an alignment: granule 0 is aligned
 *
 * No other states are merged: a heap and its mirror image differ, since a split serves the front.
 */
#ifndef CP_TEST_EXHAUST_HEAP_H
#define CP_TEST_EXHAUST_HEAP_H

#include "../region.h"

enum {
    GRANULES_MAX = 32, /* of chunks, top included */
    CHUNKS_MAX = GRANULES_MAX / CHUNK_MIN_GRANULES,
    CELLS_MAX = REGION_FIRST + GRANULES_MAX + 1
};

/* The last two stand in no code: a free chunk in no bin, a cached one in no fast bin. */
enum kind {
    KIND_ALLOCATED = 1,
    KIND_FAST,
    KIND_UNSORTED,
    KIND_SORTED,
    KIND_TOP,
    KIND_FREE,
    KIND_CACHED
};

struct heap_code {
    uint16_t chunk[CHUNKS_MAX]; /* 0 behind the last */
};

enum { KIND_SHIFT = 6, RANK_SHIFT = 10, REMAINDER_BIT = 1 << 14 };

static inline uint32_t code_size(uint16_t word) { return word & 63u; }
static inline enum kind code_kind(uint16_t word) { return (enum kind)(word >> KIND_SHIFT & 15); }
static inline uint32_t code_rank(uint16_t word) { return word >> RANK_SHIFT & 15u; }

/* What memory holds that no heap defines. The bin heads of a filling are those of an empty region. */
enum filling_kind {
    FILLING_DISTINCT, /* each granule another value, none of them an index */
    FILLING_ZERO,
    FILLING_LINK, /* each granule looks like a link to the first chunk */
    FILLINGS
};

struct filling {
    struct granule cells[CELLS_MAX];
};

void filling_make(struct filling *f, enum filling_kind kind);

/* Make *r, whose key, g and flags are set, the heap of this code. */
void heap_build(struct region *r, const struct heap_code *code, const struct filling *f);

/* The code of a heap, which may be broken. Returns NULL, or which invariant does not hold. */
const char *heap_read(const struct region *r, struct heap_code *code);

/* Which kinds of lists a heap has: bit n for kind n. */
enum list_kind {
    HOLDS_FAST,
    HOLDS_UNSORTED,
    HOLDS_SMALL,
    HOLDS_LARGE,
    HOLDS_SIZES, /* large bin with a nextsize ring of two sizes or more */
    HOLDS_TWINS, /* large bin with two chunks of one size */
    HOLDS_KINDS
};
unsigned heap_lists(const struct heap_code *code);

/* "A2 F3 u4 S5 T6": allocated, fast, unsorted, sorted, top; r marks the last remainder, :n a rank
 * other than 0. */
enum { PICTURE_BYTES = CHUNKS_MAX * 9 };
void heap_picture(const struct heap_code *code, char text[PICTURE_BYTES]);

#endif
