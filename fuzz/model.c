/* model.c: see model.h.
 *
 * A block of up to WHOLE_BYTES is written and compared as a whole. A larger one only in windows:
 * its first WHOLE_BYTES / 4, WINDOW_BYTES every `stride` bytes, and its last WINDOW_BYTES; all
 * of it would cost more than everything else in a run. The pattern of a byte depends on its
 * offset and on the block's number only, so what realloc has moved can be compared in its new
 * place.
 */
#include "model.h"

#include <string.h>

#include "config.h"

#define WHOLE_BYTES ((size_t)4 << 10)
#define HEAD_BYTES (WHOLE_BYTES / 4)
#define WINDOW_BYTES ((size_t)64)
#define WINDOWS 24u
#define END_BYTES ((size_t)128)

void model_reset(struct model *m, bool simulated) {
    memset(m, 0, offsetof(struct model, order));
    m->live_bytes = m->requested_bytes = 0;
    m->patterns = 0;
    m->next_look = 0;
    m->simulated = simulated;
}

/* ---- patterns ------------------------------------------------------------------------------- */

#define PATTERN_STEP 0x9e3779b97f4a7c15u

static uint64_t pattern_word(uint64_t pattern, size_t offset) {
    return pattern + (uint64_t)(offset / 8) * PATTERN_STEP;
}

/* Most bytes are written and compared a line of words at a time: each is STEP more than the one
 * before. Without a branch within, for the compiler to use vectors. */
enum { LINE_WORDS = 8, LINE_BYTES = 8 * LINE_WORDS };

static inline void write_line(unsigned char *at, uint64_t word) {
    uint64_t words[LINE_WORDS];
    for (unsigned i = 0; i < LINE_WORDS; i++)
        words[i] = word + i * PATTERN_STEP;
    memcpy(at, words, LINE_BYTES);
}

static inline bool is_line(const unsigned char *at, uint64_t word) {
    uint64_t have[LINE_WORDS], wrong = 0;
    memcpy(have, at, LINE_BYTES);
    for (unsigned i = 0; i < LINE_WORDS; i++)
        wrong |= have[i] ^ (word + i * PATTERN_STEP);
    return wrong == 0;
}

#if defined(__x86_64__)
#define FOR_WIDE_VECTORS __attribute__((target_clones("avx2", "default")))
#else
#define FOR_WIDE_VECTORS
#endif

/* [from, to) lies in the block; from is a multiple of 8. */
FOR_WIDE_VECTORS static void write_range(unsigned char *start, uint64_t pattern, size_t from,
                                         size_t to) {
    uint64_t word = pattern_word(pattern, from);
    for (; from + LINE_BYTES <= to; from += LINE_BYTES, word += LINE_WORDS * PATTERN_STEP)
        write_line(start + from, word);
    for (; from + 8 <= to; from += 8, word += PATTERN_STEP)
        memcpy(start + from, &word, 8);
    if (from < to)
        memcpy(start + from, &word, to - from);
}

/* Offset of the first line in [from, to) that differs, or of what is left behind the last. */
FOR_WIDE_VECTORS static size_t compare_lines(const unsigned char *start, uint64_t pattern,
                                             size_t from, size_t to) {
    uint64_t word = pattern_word(pattern, from);
    for (; from + LINE_BYTES <= to && is_line(start + from, word); from += LINE_BYTES)
        word += LINE_WORDS * PATTERN_STEP;
    return from;
}

/* Offset of the first byte in [from, to) that differs, or `to`. */
static size_t compare_range(const unsigned char *start, uint64_t pattern, size_t from, size_t to) {
    if (from + LINE_BYTES <= to)
        from = compare_lines(start, pattern, from, to);
    uint64_t want = pattern_word(pattern, from), have;
    for (; from + 8 <= to; from += 8, want += PATTERN_STEP) {
        memcpy(&have, start + from, 8);
        if (have != want)
            return from + (unsigned)__builtin_ctzll(have ^ want) / 8;
    }
    have = want;
    if (from < to)
        memcpy(&have, start + from, to - from);
    return have == want ? to : from + (unsigned)__builtin_ctzll(have ^ want) / 8;
}

/* ---- windows -------------------------------------------------------------------------------- */

struct window {
    size_t from, to;
};

static size_t stride_of(size_t usable) {
    size_t pages = (usable / WINDOWS + PAGE_BYTES - 1) / PAGE_BYTES;
    return pages * PAGE_BYTES;
}

/* Window number i of a block, in order; false when there are no more. */
static bool window_of(const struct block *b, unsigned i, struct window *w) {
    if (b->usable <= WHOLE_BYTES) {
        *w = (struct window){0, b->usable};
        return i == 0;
    }
    size_t tail = (b->usable - WINDOW_BYTES) & ~(size_t)7;
    size_t from = i == 0 ? 0 : HEAD_BYTES + (i - 1) * b->stride;
    if (from < tail) {
        *w = (struct window){from, from + (i == 0 ? HEAD_BYTES : WINDOW_BYTES)};
        if (w->to > tail)
            w->to = tail;
        return true;
    }
    *w = (struct window){tail, b->usable};
    return i > 0 && HEAD_BYTES + (i - 2) * b->stride < tail;
}

static void break_contents(const struct block *b, unsigned slot, size_t at, const char *when) {
    sim_break("contents", "p%u = %p (%zu bytes asked for, %zu usable): byte %zu is %#x%s", slot,
              (void *)b->start, b->size, b->usable, at, b->start[at], when);
}

static void write_window(const struct block *b, size_t from, size_t to) {
    write_range(b->start, b->pattern, from, to);
    sim_wrote(b->start + from, to - from);
}

void model_write(struct model *m, unsigned slot) {
    struct block *b = &m->block[slot];
    b->pattern = (++m->patterns << 8 | slot) * PATTERN_STEP;
    if (b->usable <= WHOLE_BYTES) {
        write_window(b, 0, b->usable);
        return;
    }
    struct window w;
    for (unsigned i = 0; window_of(b, i, &w); i++)
        write_window(b, w.from, w.to);
}

static void look_at_window(const struct block *b, unsigned slot, size_t from, size_t to) {
    size_t at = compare_range(b->start, b->pattern, from, to);
    if (at != to)
        break_contents(b, slot, at, ", not what was written");
}

void model_look(const struct model *m, unsigned slot) {
    const struct block *b = &m->block[slot];
    if (b->usable <= WHOLE_BYTES) {
        look_at_window(b, slot, 0, b->usable);
        return;
    }
    struct window w;
    for (unsigned i = 0; window_of(b, i, &w); i++)
        look_at_window(b, slot, w.from, w.to);
}

void model_prefix(const struct model *m, unsigned slot, const struct block *old) {
    const struct block *b = &m->block[slot];
    size_t kept = old->size < b->size ? old->size : b->size;
    struct window w;
    for (unsigned i = 0; window_of(old, i, &w) && w.from < kept; i++) {
        size_t to = w.to < kept ? w.to : kept;
        size_t at = compare_range(b->start, old->pattern, w.from, to);
        if (at != to)
            break_contents(b, slot, at, ", not what it was before realloc");
    }
}

static void break_zero(const struct block *b, unsigned slot, size_t from, size_t to) {
    for (; from < to; from++)
        if (b->start[from] != 0)
            sim_break("zero", "p%u = %p (%zu bytes): byte %zu of new memory is %#x, not 0", slot,
                      (void *)b->start, b->size, from, b->start[from]);
}

static void zero_range(const struct block *b, unsigned slot, size_t from, size_t to) {
    uint64_t any = 0, word;
    size_t i = from;
    for (; i + 8 <= to; i += 8) {
        memcpy(&word, b->start + i, 8);
        any |= word;
    }
    for (; i < to; i++)
        any |= b->start[i];
    if (any != 0)
        break_zero(b, slot, from, to);
}

void model_zero(const struct model *m, unsigned slot, size_t bytes) {
    const struct block *b = &m->block[slot];
    if (bytes <= 4 * WHOLE_BYTES) {
        zero_range(b, slot, 0, bytes);
        return;
    }
    struct window w;
    for (unsigned i = 0; window_of(b, i, &w) && w.from < bytes; i++)
        zero_range(b, slot, w.from, w.to < bytes ? w.to : bytes);
    zero_range(b, slot, bytes - WINDOW_BYTES, bytes);
}

/* ---- blocks --------------------------------------------------------------------------------- */

/* Position among the live blocks of the first one that starts above `start`. */
static unsigned position_of(const struct model *m, const unsigned char *start) {
    unsigned low = 0, high = m->live;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (m->block[m->order[middle]].start > start)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static void require_apart(const struct model *m, unsigned slot, const struct block *b,
                          unsigned other) {
    const struct block *o = &m->block[other];
    if (b->start + b->usable > o->start && o->start + o->usable > b->start)
        sim_break("overlap", "p%u = %p (%zu usable) overlaps live p%u = %p (%zu usable)", slot,
                  (void *)b->start, b->usable, other, (void *)o->start, o->usable);
}

static void require_place(const struct model *m, unsigned slot, const struct block *b) {
    size_t align = b->alignment > 16 ? b->alignment : 16;
    if ((uintptr_t)b->start % align != 0)
        sim_break("alignment", "p%u = %p is not aligned to %zu", slot, (void *)b->start, align);
    if (b->usable < b->size || b->usable > b->size + ((size_t)64 << 20))
        sim_break("usable", "p%u = %p: %zu bytes usable, %zu asked for", slot, (void *)b->start,
                  b->usable, b->size);
    if (m->simulated && !sim_accessible(b->start, b->usable))
        sim_break("place", "p%u = %p (%zu usable) is not all accessible memory", slot,
                  (void *)b->start, b->usable);
}

void model_add(struct model *m, unsigned slot, void *start, size_t size, size_t usable,
               size_t alignment) {
    struct block b = {.start = start,
                      .size = size,
                      .usable = usable,
                      .alignment = alignment,
                      .stride = stride_of(usable)};
    require_place(m, slot, &b);
    unsigned at = position_of(m, start);
    if (at > 0)
        require_apart(m, slot, &b, m->order[at - 1]);
    if (at < m->live)
        require_apart(m, slot, &b, m->order[at]);
    memmove(&m->order[at + 1], &m->order[at], (m->live - at) * sizeof m->order[0]);
    m->order[at] = (uint16_t)slot;
    m->live++;
    m->block[slot] = b;
    m->live_bytes += usable + CHUNK_OVERHEAD_BYTES;
    m->requested_bytes += size;
}

void model_remove(struct model *m, unsigned slot) {
    struct block *b = &m->block[slot];
    model_look(m, slot);
    unsigned at = position_of(m, b->start) - 1;
    m->live--;
    memmove(&m->order[at], &m->order[at + 1], (m->live - at) * sizeof m->order[0]);
    m->live_bytes -= b->usable + CHUNK_OVERHEAD_BYTES;
    m->requested_bytes -= b->size;
    b->start = NULL;
}

/* Both ends of a block: where its neighbours' headers are, and a stray write of theirs lands. */
static void look_at_ends(const struct model *m, unsigned slot) {
    const struct block *b = &m->block[slot];
    if (b->usable <= 2 * END_BYTES) {
        look_at_window(b, slot, 0, b->usable);
        return;
    }
    look_at_window(b, slot, 0, END_BYTES);
    look_at_window(b, slot, (b->usable - WINDOW_BYTES) & ~(size_t)7, b->usable);
}

void model_look_around(struct model *m, unsigned slot) {
    if (m->live == 0)
        return;
    m->next_look = (m->next_look + 1) % m->live;
    look_at_ends(m, m->order[m->next_look]);
    if (slot >= SLOTS || m->block[slot].start == NULL)
        return;
    unsigned at = position_of(m, m->block[slot].start) - 1;
    if (at > 0)
        look_at_ends(m, m->order[at - 1]);
    if (at + 1 < m->live)
        look_at_ends(m, m->order[at + 1]);
}
