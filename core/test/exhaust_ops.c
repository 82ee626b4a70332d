/* exhaust_ops.c: see exhaust_ops.h. The model knows chunks by index and size; links, seals and
 * tags are the walker's affair. */
#include "exhaust_ops.h"

#include <stdio.h>
#include <string.h>

/* ---- What can be done ---------------------------------------------------------------------------- */

struct op_list {
    struct op *ops;
    uint32_t count;
};

static void add(struct op_list *l, enum op_kind kind, uint32_t chunk, uint32_t size,
                uint32_t option) {
    if (l->count < OPS_MAX)
        l->ops[l->count++] = (struct op){kind, chunk, size, option};
}

/* Granules of the longest run of chunks that are free or wait to be, and of all of them. */
static uint32_t longest_run(const struct heap_code *code, uint32_t *unused) {
    uint32_t longest = 0, run = 0;
    *unused = 0;
    for (const uint16_t *c = code->chunk; c < code->chunk + CHUNKS_MAX && *c != 0; c++) {
        bool allocated = code_kind(*c) == KIND_ALLOCATED;
        run = allocated ? 0 : run + code_size(*c);
        *unused += allocated ? 0 : code_size(*c);
        longest = run > longest ? run : longest;
    }
    return longest;
}

static void list_allocate(struct op_list *l, const struct limits *limits, uint32_t run,
                          uint32_t unused) {
    uint32_t last = run + 1 > LARGE_MIN_GRANULES ? run + 1 : LARGE_MIN_GRANULES;
    for (uint32_t size = CHUNK_MIN_GRANULES; size <= last; size++) {
        add(l, OP_ALLOCATE, 0, size, 0);
        if (size <= limits->fast_max)
            add(l, OP_ALLOCATE, 0, size, limits->fast_max);
    }
    for (uint32_t size = CHUNK_MIN_GRANULES; size <= unused / 2; size++) {
        add(l, OP_RUN, 0, size, 0);
        if (size <= limits->fast_max)
            add(l, OP_RUN, 0, size, limits->fast_max);
    }
    for (uint32_t align = 2; align <= limits->align; align *= 2)
        for (uint32_t size = CHUNK_MIN_GRANULES; size + align + CHUNK_MIN_GRANULES <= last; size++)
            add(l, OP_ALIGNED, 0, size, align);
}

/* What can be done to an allocated chunk; `behind`: granules of the free chunk behind it, or 0. */
static void list_chunk(struct op_list *l, const struct limits *limits, uint32_t i, uint32_t size,
                       uint32_t behind) {
    add(l, OP_FREE, i, 0, 0);
    if (size <= limits->fast_max)
        add(l, OP_FREE, i, 0, limits->fast_max);
    for (uint32_t other = CHUNK_MIN_GRANULES; other <= size + behind + 1; other++)
        add(l, OP_RESIZE, i, other, 0);
}

uint32_t ops_list(const struct heap_code *code, const struct limits *limits,
                  struct op ops[OPS_MAX]) {
    struct op_list l = {ops, 0};
    uint32_t unused, run = longest_run(code, &unused);
    list_allocate(&l, limits, run, unused);
    uint32_t i = REGION_FIRST, top = 0, cached = 0;
    for (const uint16_t *c = code->chunk; c < code->chunk + CHUNKS_MAX && *c != 0; c++) {
        uint32_t size = code_size(*c);
        if (code_kind(*c) == KIND_ALLOCATED) {
            bool in_use = code_kind(c[1]) == KIND_ALLOCATED || code_kind(c[1]) == KIND_FAST;
            list_chunk(&l, limits, i, size, in_use ? 0 : code_size(c[1]));
        }
        cached += code_kind(*c) == KIND_FAST;
        top = size;
        i += size;
    }
    if (cached != 0)
        add(&l, OP_CONSOLIDATE, 0, 0, 0);
    for (uint32_t keep = CHUNK_MIN_GRANULES; keep <= top; keep++)
        add(&l, OP_TRIM, 0, keep, 0);
    for (uint32_t end = i + 1; end <= REGION_FIRST + limits->granules; end++)
        add(&l, OP_EXTEND, 0, end + 1, 0);
    return l.count;
}

void op_run(struct region *r, const struct op *op, struct outcome *out) {
    *out = (struct outcome){0};
    switch (op->kind) {
    case OP_ALLOCATE:
        out->served[0] = region_allocate(r, op->size, op->option);
        out->count = out->served[0] != 0;
        return;
    case OP_RUN:
        out->count = region_allocate_run(r, op->size, op->option, RUN_WANTED, out->served);
        return;
    case OP_ALIGNED:
        out->served[0] = region_allocate_aligned(r, op->size, op->option);
        out->count = out->served[0] != 0;
        return;
    case OP_FREE:
        region_free(r, op->chunk, op->option);
        return;
    case OP_RESIZE:
        out->value = region_resize(r, op->chunk, op->size);
        return;
    case OP_CONSOLIDATE:
        region_consolidate(r);
        return;
    case OP_TRIM:
        out->value = region_trim(r, op->size);
        return;
    case OP_EXTEND:
        region_extend(r, op->size, false);
        return;
    }
}

void op_text(const struct op *op, char text[OP_TEXT_BYTES]) {
    size_t n = OP_TEXT_BYTES;
    switch (op->kind) {
    case OP_ALLOCATE:
        snprintf(text, n, "region_allocate(%u granules, fast_max %u)", op->size, op->option);
        return;
    case OP_RUN:
        snprintf(text, n, "region_allocate_run(%d of %u granules, fast_max %u)", RUN_WANTED,
                 op->size, op->option);
        return;
    case OP_ALIGNED:
        snprintf(text, n, "region_allocate_aligned(%u granules, align %u)", op->size, op->option);
        return;
    case OP_FREE:
        snprintf(text, n, "region_free(chunk %u, fast_max %u)", op->chunk, op->option);
        return;
    case OP_RESIZE:
        snprintf(text, n, "region_resize(chunk %u, %u granules)", op->chunk, op->size);
        return;
    case OP_CONSOLIDATE:
        snprintf(text, n, "region_consolidate()");
        return;
    case OP_TRIM:
        snprintf(text, n, "region_trim(keep %u granules)", op->size);
        return;
    case OP_EXTEND:
        snprintf(text, n, "region_extend(to %u granules)", op->size);
        return;
    }
}

/* ---- What was promised --------------------------------------------------------------------------- */

/* The blocks a program holds, by address. */
struct blocks {
    uint32_t count;
    uint32_t begin[CHUNKS_MAX], size[CHUNKS_MAX];
};

static void blocks_of(const struct heap_code *code, struct blocks *b) {
    uint32_t i = REGION_FIRST;
    b->count = 0;
    for (const uint16_t *c = code->chunk; c < code->chunk + CHUNKS_MAX && *c != 0; c++) {
        if (code_kind(*c) == KIND_ALLOCATED) {
            b->begin[b->count] = i;
            b->size[b->count++] = code_size(*c);
        }
        i += code_size(*c);
    }
}

static uint32_t find(const struct blocks *b, uint32_t i) {
    uint32_t n = 0;
    while (n < b->count && b->begin[n] != i)
        n++;
    return n;
}

/* Whether the operation made, ended or changed the block at i. */
static bool touched(const struct op *op, const struct outcome *out, uint32_t i) {
    for (uint32_t n = 0; n < out->count; n++)
        if (out->served[n] == i)
            return true;
    return op->chunk == i;
}

/* Every block but those touched lives on, of the same size, and no other came to be. */
static bool others_kept(const struct blocks *b, const struct blocks *a, const struct op *op,
                        const struct outcome *out) {
    uint32_t m = 0, n = 0;
    for (;;) {
        while (m < b->count && touched(op, out, b->begin[m]))
            m++;
        while (n < a->count && touched(op, out, a->begin[n]))
            n++;
        if (m == b->count || n == a->count)
            return m == b->count && n == a->count;
        if (b->begin[m] != a->begin[n] || b->size[m] != a->size[n])
            return false;
        m++, n++;
    }
}

/* The bytes a program may use in a block of `size` granules at i are those of the filling. */
static bool contents_kept(const struct granule *g, const struct filling *f, uint32_t i,
                          uint32_t size) {
    const struct granule *old = f->cells;
    return memcmp(&g[i + 1], &old[i + 1], (size - 1) * sizeof *g) == 0 &&
           g[i + size].lo == old[i + size].lo && g[i + size].hi == old[i + size].hi;
}

/* No chunk is left that a request of `size` could have had. */
static bool nothing_fits(const struct heap_code *after, uint32_t size) {
    for (const uint16_t *c = after->chunk; c < after->chunk + CHUNKS_MAX && *c != 0; c++) {
        uint32_t spare = code_kind(*c) == KIND_TOP ? CHUNK_MIN_GRANULES : 0;
        if (code_kind(*c) == KIND_FAST)
            return false;
        if (code_kind(*c) != KIND_ALLOCATED && code_size(*c) >= size + spare)
            return false;
    }
    return true;
}

static uint32_t granules_of(const struct heap_code *code) {
    uint32_t sum = 0;
    for (const uint16_t *c = code->chunk; c < code->chunk + CHUNKS_MAX && *c != 0; c++)
        sum += code_size(*c);
    return sum;
}

static const char *judge_served(const struct op *op, const struct outcome *out,
                                const struct blocks *b, const struct blocks *a,
                                const struct heap_code *after) {
    uint32_t needed =
        op->kind == OP_ALIGNED ? op->size + op->option + CHUNK_MIN_GRANULES : op->size;
    if (out->count < (op->kind == OP_RUN ? RUN_WANTED : 1) && !nothing_fits(after, needed))
        return "fails only if nothing fits";
    if (a->count != b->count + out->count)
        return "returns each allocated chunk once";
    for (uint32_t m = 0; m < out->count; m++) {
        uint32_t i = out->served[m], n = find(a, i);
        if (n == a->count || find(b, i) != b->count)
            return "returns new allocated chunks";
        if (a->size[n] != op->size && a->size[n] != op->size + 1)
            return "returns chunks of the size or one more";
        if (op->kind == OP_ALIGNED && (i + 1) % op->option != 0)
            return "returns an aligned chunk";
    }
    return NULL;
}

static const char *judge_resized(const struct op *op, bool result, const struct heap_code *before,
                                 const struct blocks *a, const struct heap_code *after) {
    uint32_t i = REGION_FIRST;
    const uint16_t *c = before->chunk;
    for (; i != op->chunk; c++)
        i += code_size(*c);
    bool top = code_kind(c[1]) == KIND_TOP;
    bool in_use = code_kind(c[1]) == KIND_ALLOCATED || code_kind(c[1]) == KIND_FAST;
    uint32_t room = code_size(*c) + (in_use ? 0 : code_size(c[1])) - (top ? CHUNK_MIN_GRANULES : 0);
    if (result != (op->size <= code_size(*c) || op->size <= room))
        return "resizes just when there is room";
    uint32_t n = find(a, op->chunk);
    if (!result)
        return memcmp(before, after, sizeof *before) == 0 ? NULL : "changes nothing when it fails";
    if (n == a->count || (a->size[n] != op->size && a->size[n] != op->size + 1))
        return "keeps the chunk, of the size or one more";
    return NULL;
}

/* Only the last chunk, which is top, differs. */
static const char *judge_end(const struct op *op, uint32_t result, const struct heap_code *before,
                             const struct heap_code *after) {
    uint32_t last = 0;
    while (code_kind(before->chunk[last]) != KIND_TOP)
        last++;
    struct heap_code expected = *before;
    uint32_t size = code_size(before->chunk[last]);
    uint32_t end = REGION_FIRST + granules_of(before) + 1;
    if (op->kind == OP_EXTEND)
        size += op->size - end;
    else if (op->size < size)
        size = op->size;
    end += size - code_size(before->chunk[last]);
    expected.chunk[last] = (uint16_t)(size | (uint32_t)KIND_TOP << KIND_SHIFT);
    if (memcmp(&expected, after, sizeof expected) != 0)
        return "changes top alone, as asked";
    return op->kind == OP_TRIM && result != end ? "returns where the region ends" : NULL;
}

const char *op_judge(const struct op *op, const struct outcome *out, const struct heap_code *before,
                     const struct heap_code *after, const struct region *r,
                     const struct filling *f) {
    struct blocks b, a;
    blocks_of(before, &b);
    blocks_of(after, &a);
    if (!others_kept(&b, &a, op, out))
        return "every other block lives on, and no other comes to be";
    for (uint32_t n = 0; n < b.count; n++) {
        uint32_t same = find(&a, b.begin[n]);
        if (same != a.count && !contents_kept(r->g, f, b.begin[n],
                                              b.size[n] < a.size[same] ? b.size[n] : a.size[same]))
            return "no byte of a live block is written";
    }
    if (op->kind == OP_TRIM || op->kind == OP_EXTEND)
        return judge_end(op, out->value, before, after);
    if (granules_of(before) != granules_of(after))
        return "the region keeps its size";
    if (op->kind == OP_ALLOCATE || op->kind == OP_RUN || op->kind == OP_ALIGNED)
        return judge_served(op, out, &b, &a, after);
    if (op->kind == OP_RESIZE)
        return judge_resized(op, out->value != 0, before, &a, after);
    if (op->kind == OP_FREE)
        return find(&a, op->chunk) != a.count ? "the chunk is no longer allocated" : NULL;
    for (const uint16_t *c = after->chunk; c < after->chunk + CHUNKS_MAX && *c != 0; c++)
        if (code_kind(*c) == KIND_FAST)
            return "no chunk waits in a fast bin";
    return NULL;
}
