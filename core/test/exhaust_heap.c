/* exhaust_heap.c: see exhaust_heap.h. Touches the region it is given, nothing else.
 *
 * A heap is built by stores of its own, not by the core's functions: so it is a second account of
 * what a sound heap looks like, and the walker compares the two.
 */
#include "exhaust_heap.h"

#include <stdio.h>
#include <string.h>

void filling_make(struct filling *f, enum filling_kind kind) {
    for (uint32_t i = 0; i < CELLS_MAX; i++) {
        uint32_t word = 0xa5a5a500u ^ (i * 0x01010101u);
        struct granule distinct = {word, ~word, word + 1, (uint16_t)word, (uint8_t)word, 0xee};
        struct granule link = {REGION_FIRST + 1, REGION_FIRST + 1, CHUNK_MIN_GRANULES, 0, 1, 0};
        f->cells[i] = kind == FILLING_DISTINCT ? distinct
                      : kind == FILLING_LINK   ? link
                                               : (struct granule){0};
    }
    struct bins unused;
    bins_init(f->cells, &unused, CELLS_MAX - 1);
}

/* ---- From code to heap ------------------------------------------------------------------------- */

static void append_fast(struct region *r, uint32_t i, uint32_t size) {
    uint32_t last = r->bins.fast[size];
    while (last != 0 && r->g[last + 1].lo != 0)
        last = r->g[last + 1].lo;
    r->g[i + 1].lo = 0;
    *(last == 0 ? &r->bins.fast[size] : &r->g[last + 1].lo) = i;
    r->bins.fast_chunks++;
    r->bins.fast_granules += size;
}

static void append_node(struct granule *g, uint32_t x, uint32_t first) {
    uint32_t last = g[first].hi;
    g[x].lo = first;
    g[x].hi = last;
    g[last].lo = x;
    g[first].hi = x;
}

/* Chunk i, the last of its bin so far, heads the chunks of its size if there are none. */
static void append_ring(struct granule *g, uint32_t bin, uint32_t i) {
    uint32_t before = g[i + 1].hi, ring = i + 2;
    g[ring].lo = g[ring].hi = 0;
    if (before != bin && g[before - 1].size == g[i].size)
        return;
    g[ring].lo = g[ring].hi = ring;
    if (before != bin)
        append_node(g, ring, g[bin].lo + 1);
}

static void append_free(struct region *r, uint32_t i, uint32_t size, bool sorted) {
    uint32_t bin = sorted ? bin_index(size) : BIN_UNSORTED;
    append_node(r->g, i + 1, bin);
    if (sorted && size >= LARGE_MIN_GRANULES)
        append_ring(r->g, bin, i);
    else if (size >= LARGE_MIN_GRANULES)
        r->g[i + 2].lo = r->g[i + 2].hi = 0;
    r->bins.map[bin / 64] |= (uint64_t)1 << (bin % 64);
    r->bins.free_chunks++;
    r->bins.free_granules += size;
}

/* Hang the chunks of this rank behind those of lower ones. */
static uint32_t build_rank(struct region *r, const struct heap_code *code, uint32_t rank) {
    uint32_t found = 0, i = REGION_FIRST;
    for (const uint16_t *c = code->chunk; c < code->chunk + CHUNKS_MAX && *c != 0; c++) {
        uint32_t size = code_size(*c);
        enum kind kind = code_kind(*c);
        if (kind != KIND_ALLOCATED && kind != KIND_TOP && code_rank(*c) == rank) {
            found++;
            if (kind == KIND_FAST)
                append_fast(r, i, size);
            else
                append_free(r, i, size, kind == KIND_SORTED);
        }
        i += size;
    }
    return found;
}

/* Headers, tags and footers; returns where the chunks end. */
static uint32_t build_chunks(struct region *r, const struct heap_code *code) {
    struct granule *g = r->g;
    uint32_t i = REGION_FIRST;
    g[i].prev_inuse = 1;
    for (const uint16_t *c = code->chunk; c < code->chunk + CHUNKS_MAX && *c != 0; c++) {
        uint32_t size = code_size(*c);
        enum kind kind = code_kind(*c);
        enum seal_state state = kind == KIND_ALLOCATED ? SEAL_ALLOCATED
                                : kind == KIND_FAST    ? SEAL_CACHED
                                                       : SEAL_FREE;
        header_write(g, &r->key, i, size, r->flags, state);
        g[i + size].prev_inuse = state == SEAL_FREE ? 0 : 1;
        if (state == SEAL_FREE)
            g[i + size].lo = size;
        if (kind == KIND_TOP)
            r->top = i;
        if ((*c & REMAINDER_BIT) != 0)
            r->last_remainder = i;
        i += size;
    }
    return i;
}

void heap_build(struct region *r, const struct heap_code *code, const struct filling *f) {
    struct region fresh = {.g = r->g, .key = r->key, .flags = r->flags};
    *r = fresh;
    memcpy(r->g, f->cells, sizeof f->cells);
    uint32_t fence = build_chunks(r, code);
    header_write(r->g, &r->key, fence, 1, r->flags, SEAL_FENCE);
    r->bins.fence = fence;
    for (uint32_t rank = 0; build_rank(r, code, rank) != 0; rank++)
        ;
}

/* ---- From heap to code ------------------------------------------------------------------------- */

/* Which word of the code describes the chunk at REGION_FIRST + offset. */
struct ordinals {
    uint8_t of[GRANULES_MAX + 1];
};
enum { NO_CHUNK = 0xff };

static uint16_t *word_of(struct heap_code *code, const struct ordinals *o, uint32_t i) {
    if (i < REGION_FIRST || i > REGION_FIRST + GRANULES_MAX || o->of[i - REGION_FIRST] == NO_CHUNK)
        return NULL;
    return &code->chunk[o->of[i - REGION_FIRST]];
}

static bool listed(struct heap_code *code, const struct ordinals *o, uint32_t i, enum kind kind,
                   uint32_t rank) {
    uint16_t *word = word_of(code, o, i);
    enum kind expected = kind == KIND_FAST ? KIND_ALLOCATED : KIND_UNKNOWN;
    if (word == NULL || code_kind(*word) != expected)
        return false;
    *word = (uint16_t)(code_size(*word) | (uint32_t)kind << KIND_SHIFT | rank << RANK_SHIFT);
    return true;
}

static const char *read_bin(const struct region *r, struct heap_code *code,
                            const struct ordinals *o, uint32_t bin) {
    const struct granule *g = r->g;
    enum kind kind = bin == BIN_UNSORTED ? KIND_UNSORTED : KIND_SORTED;
    uint32_t rank = 0;
    for (uint32_t x = g[bin].lo; x != bin; x = g[x].lo) {
        if (!listed(code, o, x - 1, kind, rank++))
            return "binned: a bin holds no free chunk, or one twice";
        if (bin == BIN_UNSORTED && g[x - 1].size >= LARGE_MIN_GRANULES && g[x + 1].lo != 0)
            return "sorted: an unsorted chunk is marked as one of the ring";
    }
    return rank == 0 ? "mapped-bins: the bit of an empty bin is set" : NULL;
}

static const char *read_lists(const struct region *r, struct heap_code *code,
                              const struct ordinals *o) {
    for (uint32_t size = CHUNK_MIN_GRANULES; size < FAST_BIN_COUNT; size++) {
        uint32_t rank = 0;
        for (uint32_t i = r->bins.fast[size]; i != 0; i = r->g[i + 1].lo)
            if (!listed(code, o, i, KIND_FAST, rank++))
                return "fast: a fast bin holds no chunk, or one twice";
    }
    const char *wrong = NULL;
    for (uint32_t bin = bin_next_marked(&r->bins, 0); wrong == NULL && bin < BIN_COUNT;
         bin = bin_next_marked(&r->bins, bin + 1))
        wrong = read_bin(r, code, o, bin);
    return wrong;
}

static const char *read_chunks(const struct region *r, struct heap_code *code, struct ordinals *o) {
    uint8_t n = 0;
    for (uint32_t i = REGION_FIRST; i < r->bins.fence; i += r->g[i].size, n++) {
        if (n == CHUNKS_MAX || i > REGION_FIRST + GRANULES_MAX)
            return "tiled: more chunks than the memory has room for";
        bool in_use = r->g[i + r->g[i].size].prev_inuse != 0;
        enum kind kind = i == r->top ? KIND_TOP : in_use ? KIND_ALLOCATED : KIND_UNKNOWN;
        code->chunk[n] = (uint16_t)(r->g[i].size | (uint32_t)kind << KIND_SHIFT);
        o->of[i - REGION_FIRST] = n;
    }
    return NULL;
}

/* Every free chunk was met in a bin, and whatever hangs in no fast bin is allocated. */
static const char *check_kinds(const struct region *r, const struct heap_code *code) {
    uint32_t i = REGION_FIRST;
    for (const uint16_t *c = code->chunk; c < code->chunk + CHUNKS_MAX && *c != 0; c++) {
        if (code_kind(*c) == KIND_UNKNOWN)
            return "binned: a free chunk is in no bin";
        if (code_kind(*c) == KIND_ALLOCATED && !header_is(r->g, &r->key, i, SEAL_ALLOCATED))
            return "sealed: a chunk in use is neither allocated nor in a fast bin";
        i += code_size(*c);
    }
    return NULL;
}

const char *heap_read(const struct region *r, struct heap_code *code) {
    struct ordinals o;
    memset(&o, NO_CHUNK, sizeof o);
    memset(code, 0, sizeof *code);
    const char *wrong = read_chunks(r, code, &o);
    if (wrong == NULL)
        wrong = read_lists(r, code, &o);
    if (wrong == NULL)
        wrong = check_kinds(r, code);
    if (wrong != NULL || r->last_remainder == 0)
        return wrong;
    uint16_t *word = word_of(code, &o, r->last_remainder);
    if (word == NULL || (code_kind(*word) != KIND_UNSORTED && code_kind(*word) != KIND_SORTED))
        return "last remainder is no free chunk";
    if (code_kind(*word) == KIND_UNSORTED)
        *word |= REMAINDER_BIT;
    return NULL;
}

void heap_picture(const struct heap_code *code, char text[PICTURE_BYTES]) {
    size_t used = 0;
    text[0] = '\0';
    for (const uint16_t *c = code->chunk; c < code->chunk + CHUNKS_MAX && *c != 0; c++) {
        used += (size_t)snprintf(text + used, PICTURE_BYTES - used, "%s%c%u%s",
                                 used == 0 ? "" : " ", "?AFuST?"[code_kind(*c)], code_size(*c),
                                 (*c & REMAINDER_BIT) != 0 ? "r" : "");
        if (code_rank(*c) != 0)
            used += (size_t)snprintf(text + used, PICTURE_BYTES - used, ":%u", code_rank(*c));
    }
}
