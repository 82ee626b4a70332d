/* exhaust_ops.h: every operation a heap allows, and a model that judges what it did.
 *
 * Left out are only requests that do what a smaller one does: beyond the largest run of chunks
 * that are not allocated, no request can be served, and none but the border to large sizes tells
 * one from another; beyond its own size and the free chunk behind, no chunk can grow.
 */
#ifndef CP_TEST_EXHAUST_OPS_H
#define CP_TEST_EXHAUST_OPS_H

#include "exhaust_heap.h"

enum op_kind {
    OP_ALLOCATE,
    OP_RUN,
    OP_ALIGNED,
    OP_FREE,
    OP_RESIZE,
    OP_CONSOLIDATE,
    OP_TRIM,
    OP_EXTEND
};

struct op {
    enum op_kind kind;
    uint32_t chunk; /* index of its header */
    uint32_t size; /* granules: requested, kept by trim, or of the whole region after extend */
    uint32_t option; /* fast_max, or align */
};

struct limits {
    uint32_t granules; /* that the region may grow to, of chunks */
    uint32_t fast_max; /* chunks up to this size may go to fast bins; 0: none */
    uint32_t align; /* largest alignment asked for, in granules; 1: none */
};

enum {
    OPS_MAX = 1024,
    RUN_WANTED = 3 /* chunks that a run asks for */
};

/* The operations that a heap allows, the shortest requests first. */
uint32_t ops_list(const struct heap_code *code, const struct limits *limits,
                  struct op ops[OPS_MAX]);

/* What an operation returned: chunks it allocated, and a value where it returns another one. */
struct outcome {
    uint32_t value;
    uint32_t count;
    uint32_t served[RUN_WANTED];
};

void op_run(struct region *r, const struct op *op, struct outcome *out);

/* Whether the promises of region.h were kept by an operation that returned this, led from one
 * heap to the other and left the region as it is. Returns NULL, or what was promised. */
const char *op_judge(const struct op *op, const struct outcome *out, const struct heap_code *before,
                     const struct heap_code *after, const struct region *r,
                     const struct filling *f);

/* "region_allocate(2 granules, fast_max 3)" */
enum { OP_TEXT_BYTES = 80 };
void op_text(const struct op *op, char text[OP_TEXT_BYTES]);

#endif
