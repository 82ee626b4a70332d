/* model.h: what any correct malloc must agree with, kept without knowledge of the core.
 *
 * The model knows the live blocks: where, how large, how aligned, and which bytes the program
 * wrote into them. It breaks off the run (sim_break) when a new block overlaps a live one, is
 * misaligned or not accessible memory, or when a block's contents are not what was written.
 *
 * Oracles: "overlap", "alignment", "place", "usable", "contents", "zero".
 */
#ifndef CP_MODEL_H
#define CP_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ops.h"

struct block {
    unsigned char *start; /* NULL: the slot holds no block */
    size_t size; /* as asked for */
    size_t usable;
    size_t alignment; /* asked for by the aligned family, else 0: for the sized frees */
    size_t stride; /* of the windows written in large blocks, see model.c */
    uint64_t pattern;
};

struct model {
    bool simulated; /* blocks must lie in the simulated world */
    struct block block[SLOTS];
    unsigned live;
    uint16_t order[SLOTS]; /* slots of the live blocks, by address */
    size_t live_bytes; /* as usable, header words included */
    size_t requested_bytes;
    uint64_t patterns; /* blocks written, numbers the next pattern */
    unsigned next_look; /* see model_look_around */
};

void model_reset(struct model *m, bool simulated);

/* The allocator says `start` is a new block. `alignment` as asked for or 0. */
void model_add(struct model *m, unsigned slot, void *start, size_t size, size_t usable,
               size_t alignment);
/* The block is about to be freed: its contents are looked at as a whole. */
void model_remove(struct model *m, unsigned slot);

/* A block moved or changed size: the first bytes must be those of `old`. Call model_remove
 * before the realloc, with a copy of the block, and model_add and this one after it. */
void model_prefix(const struct model *m, unsigned slot, const struct block *old);

/* The program fills the block with its next pattern. */
void model_write(struct model *m, unsigned slot);

/* Every byte the program wrote is as it was written. */
void model_look(const struct model *m, unsigned slot);
/* Look at both ends of a block's neighbours, and of the next block in turn. */
void model_look_around(struct model *m, unsigned slot);

/* The first `bytes` bytes read as zero. */
void model_zero(const struct model *m, unsigned slot, size_t bytes);

#endif
