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

/* ---- From heap to code -------------------------------------------------------------------------
 *
 * Everything that heap_build() would write is compared while it is read, so that two heaps with
 * one code differ in nothing that matters. No link is followed before it is known to lead to a
 * granule of the region.
 */

struct reading {
    const struct region *r;
    struct heap_code *code;
    uint32_t free_chunks, free_granules, fast_chunks, fast_granules; /* seen in lists */
    uint8_t ordinal[GRANULES_MAX + 1]; /* of the chunk at REGION_FIRST + offset */
};
enum { NO_CHUNK = 0xff };

static uint16_t *word_of(struct reading *in, uint32_t i) {
    uint32_t offset = i - REGION_FIRST;
    if (offset > GRANULES_MAX || in->ordinal[offset] == NO_CHUNK)
        return NULL;
    return &in->code->chunk[in->ordinal[offset]];
}

/* Chunk i hangs in a list. false: it is no chunk that may, or hangs in two. */
static bool listed(struct reading *in, uint32_t i, enum kind kind, uint32_t rank) {
    uint16_t *word = word_of(in, i);
    enum kind expected = kind == KIND_FAST ? KIND_CACHED : KIND_FREE;
    if (word == NULL || code_kind(*word) != expected)
        return false;
    *word = (uint16_t)(code_size(*word) | (uint32_t)kind << KIND_SHIFT | rank << RANK_SHIFT);
    return true;
}

static const char *read_header(struct reading *in, uint32_t i, uint16_t *word) {
    const struct region *r = in->r;
    const struct granule *h = &r->g[i];
    if (h->size < CHUNK_MIN_GRANULES || h->size > r->bins.fence - i)
        return "tiled: a size leads out of the region";
    uint32_t seal = h->seal ^ seal_hash(&r->key, r->key.base + i, h->size, h->flags);
    bool is_free = seal == r->key.state[SEAL_FREE];
    if (!is_free && seal != r->key.state[SEAL_ALLOCATED] && seal != r->key.state[SEAL_CACHED])
        return "sealed: a seal matches no state";
    if (h->flags != r->flags)
        return "owned: a chunk has another region's flags";
    const struct granule *next = h + h->size;
    if (next->prev_inuse != (is_free ? 0 : 1) || (is_free && next->lo != h->size))
        return "tagged: tag or footer behind a chunk";
    if (is_free && h->prev_inuse == 0)
        return "coalesced: two free chunks adjoin";
    enum kind kind = i == r->top                         ? KIND_TOP
                     : is_free                           ? KIND_FREE
                     : seal == r->key.state[SEAL_CACHED] ? KIND_CACHED
                                                         : KIND_ALLOCATED;
    if (kind == KIND_TOP && (!is_free || i + h->size != r->bins.fence))
        return "tiled: top is not the last chunk, or not free";
    *word = (uint16_t)(h->size | (uint32_t)kind << KIND_SHIFT);
    return NULL;
}

static const char *read_chunks(struct reading *in) {
    const struct region *r = in->r;
    uint8_t n = 0;
    if (r->bins.fence > REGION_FIRST + GRANULES_MAX || r->g[REGION_FIRST].prev_inuse != 1)
        return "tiled: the region's ends";
    for (uint32_t i = REGION_FIRST; i < r->bins.fence; i += r->g[i].size, n++) {
        const char *wrong = read_header(in, i, &in->code->chunk[n]);
        if (wrong != NULL)
            return wrong;
        in->ordinal[i - REGION_FIRST] = n;
    }
    if (n == 0 || code_kind(in->code->chunk[n - 1]) != KIND_TOP)
        return "tiled: the last chunk is not top";
    return header_is(r->g, &r->key, r->bins.fence, SEAL_FENCE) ? NULL : "sealed: the fence";
}

/* The chunk at node x of large bin `bin`, the one before it being right. `leader`: the ring's
 * granule of the size before. */
static const char *read_ring(const struct granule *g, uint32_t bin, uint32_t x, uint32_t *leader) {
    uint32_t i = x - 1, ring = x + 1, before = g[x].hi;
    if (before != bin && g[before - 1].size < g[i].size)
        return "sorted: sizes do not descend";
    if (before != bin && g[before - 1].size == g[i].size)
        return g[ring].lo == 0 ? NULL : "sorted: the second of a size is in the ring";
    uint32_t first = g[bin].lo + 1;
    uint32_t expected = *leader == 0 ? g[first].hi : *leader;
    if (g[ring].hi != expected || (*leader != 0 && g[*leader].lo != ring))
        return "sorted: a nextsize link is not answered";
    *leader = ring;
    return NULL;
}

static const char *read_bin(struct reading *in, uint32_t bin) {
    const struct granule *g = in->r->g;
    enum kind kind = bin == BIN_UNSORTED ? KIND_UNSORTED : KIND_SORTED;
    uint32_t rank = 0, leader = 0, last = bin;
    for (uint32_t x = g[bin].lo; x != bin; last = x, x = g[x].lo) {
        if (!listed(in, x - 1, kind, rank++))
            return "binned: a bin holds what is no free chunk, or one twice";
        uint32_t size = g[x - 1].size;
        if (g[x].hi != last)
            return "linked: fd is not answered";
        if (kind == KIND_SORTED && bin_index(size) != bin)
            return "binned: a chunk is in the bin of another size";
        if (kind == KIND_UNSORTED && size >= LARGE_MIN_GRANULES && g[x + 1].lo != 0)
            return "sorted: an unsorted chunk is marked as one of the ring";
        const char *wrong = bin < BIN_LARGE_FIRST ? NULL : read_ring(g, bin, x, &leader);
        if (wrong != NULL)
            return wrong;
        in->free_chunks++;
        in->free_granules += size;
    }
    if (rank == 0 || g[bin].hi != last)
        return rank == 0 ? "mapped-bins: the bit of an empty bin is set" : "linked: bk of a head";
    if (leader != 0 && (g[leader].lo != g[bin].lo + 1 || g[g[bin].lo + 1].hi != leader))
        return "sorted: the ring does not close";
    return NULL;
}

/* Whether every head from `from` up to `end` leads to itself, lo and hi looked at as one word. */
static bool all_empty(const struct granule *g, uint32_t from, uint32_t end) {
    uint64_t wrong = 0;
    for (uint32_t bin = from; bin < end; bin++) {
        uint64_t links;
        memcpy(&links, &g[bin], sizeof links);
        wrong |= links ^ (bin | (uint64_t)bin << 32);
    }
    return wrong == 0;
}

/* The marked bins hold chunks; the heads between them, and the list of dirty chunks, are empty. */
static const char *read_bins(struct reading *in) {
    const struct region *r = in->r;
    uint32_t next, from = 0;
    do {
        next = bin_next_marked(&r->bins, from);
        if (!all_empty(r->g, from, next))
            return "mapped-bins: a bin is not empty, its bit is clear";
        const char *wrong = next < BIN_COUNT ? read_bin(in, next) : NULL;
        if (wrong != NULL)
            return wrong;
        from = next + 1;
    } while (next < BIN_COUNT);
    return NULL;
}

static const char *read_fast(struct reading *in) {
    const struct region *r = in->r;
    for (uint32_t size = 0; size < FAST_BIN_COUNT; size++) {
        uint32_t rank = 0;
        for (uint32_t i = r->bins.fast[size]; i != 0; i = r->g[i + 1].lo) {
            if (!listed(in, i, KIND_FAST, rank++) || r->g[i].size != size)
                return "fast: a fast bin holds what is no cached chunk of its size, or one twice";
            in->fast_chunks++;
            in->fast_granules += size;
        }
    }
    return NULL;
}

static const char *read_rest(struct reading *in) {
    const struct region *r = in->r;
    const struct bins *b = &r->bins;
    for (const uint16_t *c = in->code->chunk; c < in->code->chunk + CHUNKS_MAX && *c != 0; c++)
        if (code_kind(*c) == KIND_FREE || code_kind(*c) == KIND_CACHED)
            return "binned: a free or cached chunk is in no bin";
    if (b->free_chunks != in->free_chunks || b->free_granules != in->free_granules ||
        b->fast_chunks != in->fast_chunks || b->fast_granules != in->fast_granules ||
        r->dirty_granules != 0)
        return "counted: the counters of the bins";
    if (r->last_remainder == 0)
        return NULL;
    uint16_t *word = word_of(in, r->last_remainder);
    if (word == NULL || (code_kind(*word) != KIND_UNSORTED && code_kind(*word) != KIND_SORTED))
        return "the last remainder is no free chunk";
    if (code_kind(*word) == KIND_UNSORTED)
        *word |= REMAINDER_BIT;
    return NULL;
}

const char *heap_read(const struct region *r, struct heap_code *code) {
    struct reading in = {.r = r, .code = code};
    memset(in.ordinal, NO_CHUNK, sizeof in.ordinal);
    memset(code, 0, sizeof *code);
    const char *wrong = read_chunks(&in);
    if (wrong == NULL)
        wrong = read_fast(&in);
    if (wrong == NULL)
        wrong = read_bins(&in);
    return wrong == NULL ? read_rest(&in) : wrong;
}

/* What the sorted chunk of word c shares its large bin with. */
static unsigned sharers(const struct heap_code *code, const uint16_t *c) {
    uint32_t size = code_size(*c);
    unsigned lists = 0;
    for (const uint16_t *d = code->chunk; d < c; d++)
        if (code_kind(*d) == KIND_SORTED && bin_index(code_size(*d)) == bin_index(size))
            lists |= 1u << (code_size(*d) == size ? HOLDS_TWINS : HOLDS_SIZES);
    return lists;
}

unsigned heap_lists(const struct heap_code *code) {
    unsigned lists = 0;
    for (const uint16_t *c = code->chunk; c < code->chunk + CHUNKS_MAX && *c != 0; c++) {
        if (code_kind(*c) == KIND_FAST)
            lists |= 1u << HOLDS_FAST;
        else if (code_kind(*c) == KIND_UNSORTED)
            lists |= 1u << HOLDS_UNSORTED;
        else if (code_kind(*c) == KIND_SORTED && code_size(*c) < LARGE_MIN_GRANULES)
            lists |= 1u << HOLDS_SMALL;
        else if (code_kind(*c) == KIND_SORTED)
            lists |= 1u << HOLDS_LARGE | sharers(code, c);
    }
    return lists;
}

void heap_picture(const struct heap_code *code, char text[PICTURE_BYTES]) {
    size_t used = 0;
    text[0] = '\0';
    for (const uint16_t *c = code->chunk; c < code->chunk + CHUNKS_MAX && *c != 0; c++) {
        used += (size_t)snprintf(text + used, PICTURE_BYTES - used, "%s%c%u%s",
                                 used == 0 ? "" : " ", "?AFuST??"[code_kind(*c)], code_size(*c),
                                 (*c & REMAINDER_BIT) != 0 ? "r" : "");
        if (code_rank(*c) != 0)
            used += (size_t)snprintf(text + used, PICTURE_BYTES - used, ":%u", code_rank(*c));
    }
}
