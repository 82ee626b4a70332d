/* ops.c: decoding, total and static; the text forms are in ops_text.c.
 *
 * Owns the tables that make sizes, alignments and values interesting: the borders of the
 * allocator's own classes, drawn much more often than chance would.
 */
#include "ops.h"

#include <limits.h>
#include <malloc.h>
#include <string.h>

#include "config.h"

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)

/* ---- sizes ---------------------------------------------------------------------------------- */

/* Requests around which the allocator changes its mind; a record adds -128 .. 127 to one. */
static const size_t borders[] = {
    /* fast bins */
    0, 8, 24, 25, 40, 56, 72, 88, 104, 120, 128, 136, 152, 160, 168,
    /* small and large bins, thread cache */
    248, 504, 520, 1000, 1016, 1024, 1032, 1033, 1040, 2040, 2048, 3064, 3072, 3560,
    /* pages, wider bins, 64 KiB */
    4072, 4080, 4088, 4096, 8184, 8192, 10744, 10752, 12280, 16376, 20480, 32760, 32768, 40952,
    45048, 45056, 65512, 65520, 65528, 65536,
    /* mmap threshold, top pad */
    128 * KIB - PAGE_BYTES, 128 * KIB - 24, 128 * KIB - 8, 128 * KIB, 128 * KIB + PAGE_BYTES,
    132 * KIB, 160 * KIB, 163832, 256 * KIB, 512 * KIB, 786424, 1 * MIB - 8, 1 * MIB, 2 * MIB};
/* The same, but not every day: each costs thousands of pages. */
static const size_t large_borders[] = {
    4 * MIB,  8 * MIB,      16 * MIB, 32 * MIB - PAGE_BYTES, 32 * MIB - 8,
    32 * MIB, 32 * MIB + 8, 63 * MIB, 64 * MIB - PAGE_BYTES, 64 * MIB};
#define COUNT(table) (sizeof(table) / sizeof(table)[0])

/* Size classes of a record: borders, then spreads, then sizes relative to the slot's block. */
#define SPREADS 8u
#define RELATIVES 4u
unsigned ops_size_classes(void) {
    return (unsigned)(COUNT(borders) + COUNT(large_borders) + SPREADS + RELATIVES);
}

/* Programs stay small enough to run thousands of times a second: blocks of LARGE_BYTES and more
 * may have so many bytes in all. One program in 64 may do more. */
#define LARGE_BYTES (8 * KIB)
#define BUDGET_BYTES (2 * MIB)
#define BUDGET_GENEROUS_BYTES (100 * MIB)

struct slot {
    bool used;
    size_t size; /* if all went well */
    uint16_t last; /* operation on it; OPS_MAX: none yet */
};

struct decoder {
    struct program *program;
    struct slot slot[SLOTS];
    unsigned used;
    size_t budget;
    uint8_t thread; /* of the record */
    uint16_t first; /* operation of the record */
};

struct record {
    uint8_t code, thread, slot, variant, size_class;
    int8_t distance;
    uint16_t scale;
};

static size_t add_distance(size_t border, int distance) {
    if (distance < 0 && border < (size_t)-distance)
        return 0;
    return border + (size_t)distance;
}

static size_t spread_size(unsigned kind, uint16_t scale) {
    static const uint16_t limit[] = {136, 136, 600, 1100, 1100};
    if (kind < COUNT(limit))
        return scale % limit[kind];
    return kind == 5 ? scale : kind == 6 ? (size_t)scale * 4 : (size_t)scale * 24;
}

static size_t relative_size(unsigned kind, size_t old, int distance) {
    switch (kind) {
    case 0:
        return add_distance(old, distance);
    case 1:
        return add_distance(old, distance * 16);
    case 2:
        return add_distance(old * 2, distance);
    default:
        return add_distance(old / 2, distance);
    }
}

/* What is beyond the budget becomes an ordinary size. */
static size_t within_budget(struct decoder *d, size_t size) {
    if (size < LARGE_BYTES)
        return size;
    if (size > d->budget)
        return size % LARGE_BYTES;
    d->budget -= size;
    return size;
}

static size_t decode_size(struct decoder *d, const struct record *r, size_t old) {
    unsigned class = r->size_class % ops_size_classes();
    size_t size;
    if (class < COUNT(borders))
        size = add_distance(borders[class], r->distance);
    else if ((class -= (unsigned)COUNT(borders)) < COUNT(large_borders))
        size = add_distance(large_borders[class], r->distance);
    else if ((class -= (unsigned)COUNT(large_borders)) < SPREADS)
        size = spread_size(class, r->scale);
    else
        size = relative_size(class - SPREADS, old, r->distance);
    return within_budget(d, size);
}

static const size_t powers[] = {16,   32,   64,        128,     256,     512,     1024,
                                2048, 4096, 8192,      16384,   65536,   1,       2,
                                4,    8,    128 * KIB, 1 * MIB, 2 * MIB, 64 * MIB};
/* memalign rounds these up. */
static const size_t odd_alignments[] = {0, 3, 17, 24, 48, 100, 1000, 4097, 65537};

/* Two in three are small: a large alignment costs a mapping of its own, of that size and more. */
static size_t decode_alignment(struct decoder *d, uint8_t variant, bool odd_too) {
    if (odd_too && variant >= 192)
        return odd_alignments[variant % COUNT(odd_alignments)];
    size_t power = powers[variant < 128 ? variant % 10 : variant % COUNT(powers)];
    return within_budget(d, power) == power ? power : powers[variant % 10];
}

/* ---- values of mallopt ---------------------------------------------------------------------- */

static const struct {
    int parameter, value;
} mallopts[] = {{M_MXFAST, 0},
                {M_MXFAST, 1},
                {M_MXFAST, 24},
                {M_MXFAST, 64},
                {M_MXFAST, 128},
                {M_MXFAST, 160},
                {M_MXFAST, 161},
                {M_MXFAST, -1},
                {M_TRIM_THRESHOLD, 0},
                {M_TRIM_THRESHOLD, 1},
                {M_TRIM_THRESHOLD, 4096},
                {M_TRIM_THRESHOLD, 65536},
                {M_TRIM_THRESHOLD, 1 << 20},
                {M_TRIM_THRESHOLD, INT_MAX},
                {M_TRIM_THRESHOLD, -1},
                {M_TRIM_THRESHOLD, INT_MIN},
                {M_TOP_PAD, 0},
                {M_TOP_PAD, 1},
                {M_TOP_PAD, 4096},
                {M_TOP_PAD, 65537},
                {M_TOP_PAD, 1 << 20},
                {M_TOP_PAD, INT_MAX},
                {M_TOP_PAD, -1},
                {M_TOP_PAD, INT_MIN},
                {M_MMAP_THRESHOLD, 0},
                {M_MMAP_THRESHOLD, 1},
                {M_MMAP_THRESHOLD, 4096},
                {M_MMAP_THRESHOLD, 65536},
                {M_MMAP_THRESHOLD, 128 << 10},
                {M_MMAP_THRESHOLD, 1 << 20},
                {M_MMAP_THRESHOLD, 32 << 20},
                {M_MMAP_THRESHOLD, (32 << 20) + 1},
                {M_MMAP_THRESHOLD, -1},
                {M_MMAP_MAX, 0},
                {M_MMAP_MAX, 1},
                {M_MMAP_MAX, 2},
                {M_MMAP_MAX, 65536},
                {M_MMAP_MAX, -1},
                {M_CHECK_ACTION, 0},
                {M_CHECK_ACTION, 3},
                {M_CHECK_ACTION, -1},
                {M_PERTURB, 0},
                {M_PERTURB, 1},
                {M_PERTURB, 0x55},
                {M_PERTURB, 0xff},
                {M_PERTURB, 0x100},
                {M_PERTURB, -1},
                {M_ARENA_TEST, 0},
                {M_ARENA_TEST, 1},
                {M_ARENA_TEST, 8},
                {M_ARENA_TEST, -1},
                {M_ARENA_MAX, 0},
                {M_ARENA_MAX, 1},
                {M_ARENA_MAX, 2},
                {M_ARENA_MAX, INT_MAX},
                {M_ARENA_MAX, -1},
                {0, 0},
                {2, 1},
                {-9, -1},
                {-100, 7},
                {INT_MAX, 0},
                {INT_MIN, INT_MIN}};

unsigned ops_mallopt_values(void) { return (unsigned)COUNT(mallopts); }

/* ---- slots ---------------------------------------------------------------------------------- */

/* The next slot from `wish` on that is in use, or is not; NO_SLOT when there is none. */
static uint16_t find_slot(const struct decoder *d, uint8_t wish, bool used) {
    if (used ? d->used == 0 : d->used == SLOTS)
        return NO_SLOT;
    unsigned slot = wish;
    while (d->slot[slot].used != used)
        slot = (slot + 1) % SLOTS;
    return (uint16_t)slot;
}

static void slot_fill(struct decoder *d, uint16_t slot, size_t size) {
    d->slot[slot].used = true;
    d->slot[slot].size = size;
    d->used++;
}

static void slot_empty(struct decoder *d, uint16_t slot) {
    d->slot[slot].used = false;
    d->used--;
}

/* ---- records -------------------------------------------------------------------------------- */

/* What a record's first byte means. FILL and DRAIN are shorthand for many mallocs and frees, so
 * that a few bytes can overflow a cache or empty a region. */
enum { CODE_FILL = OP_CODES, CODE_DRAIN };

static const struct {
    uint8_t code, weight;
} weights[] = {
    {OP_MALLOC, 14},      {OP_FREE, 16},         {OP_CALLOC, 4},       {OP_REALLOC, 6},
    {OP_REALLOCARRAY, 1}, {OP_ALIGNED_ALLOC, 1}, {OP_MEMALIGN, 3},     {OP_POSIX_MEMALIGN, 1},
    {OP_VALLOC, 1},       {OP_PVALLOC, 1},       {OP_FREE_SIZED, 1},   {OP_FREE_ALIGNED_SIZED, 1},
    {OP_USABLE_SIZE, 1},  {OP_WRITE, 1},         {OP_MALLOPT, 3},      {OP_TRIM, 2},
    {OP_MALLINFO, 1},     {OP_MALLOC_INFO, 1},   {OP_MALLOC_STATS, 1}, {OP_MUST_FAIL, 2},
    {OP_CHECK, 1},        {OP_CLOCK, 1},         {OP_FOREIGN_BRK, 1},  {OP_THREAD_END, 1},
    {OP_FORK, 2},         {CODE_FILL, 6},        {CODE_DRAIN, 6}};
enum { WEIGHTS = 80 }; /* their sum; divides SCHEDULE_FIRST, so that none is favoured */

static unsigned code_of(uint8_t byte) {
    unsigned rest = byte % WEIGHTS, i = 0;
    while (i + 1 < COUNT(weights) && rest >= weights[i].weight)
        rest -= weights[i++].weight;
    return weights[i].code;
}

uint8_t ops_code_byte(enum op_code code) {
    unsigned before = 0;
    for (unsigned i = 0; weights[i].code != code; i++)
        before += weights[i].weight;
    return (uint8_t)before;
}

static struct op *add_op(struct decoder *d, enum op_code code, uint16_t record) {
    struct program *p = d->program;
    if (p->ops == OPS_MAX)
        return NULL;
    uint16_t number = (uint16_t)p->ops++;
    struct op *op = &p->op[number];
    *op = (struct op){.code = code,
                      .record = record,
                      .slot = NO_SLOT,
                      .thread = d->thread,
                      .first = d->first,
                      .after = number};
    return op;
}

/* The operation works on the slot, hence after the last one that did. */
static void set_slot(struct decoder *d, struct op *op, uint16_t slot) {
    op->slot = slot;
    if (slot == NO_SLOT)
        return;
    if (d->slot[slot].last != OPS_MAX)
        op->after = d->slot[slot].last;
    d->slot[slot].last = (uint16_t)(op - d->program->op);
}

/* An allocation needs a slot; without one it is left out. */
static struct op *add_allocation(struct decoder *d, enum op_code code, uint16_t record,
                                 const struct record *r) {
    uint16_t slot = find_slot(d, r->slot, false);
    struct op *op = slot == NO_SLOT ? NULL : add_op(d, code, record);
    if (op == NULL)
        return NULL;
    set_slot(d, op, slot);
    op->count = 1;
    op->size = decode_size(d, r, 0);
    slot_fill(d, slot, op->size);
    return op;
}

/* count * size is about the size drawn. */
static void make_array(struct op *op, uint8_t variant) {
    static const size_t each[] = {1, 8, 16, 3, 100, 4096};
    size_t unit = each[variant % COUNT(each)];
    if (variant >= 192) {
        op->count = op->size / unit;
        op->size = unit;
    } else if (variant >= 64) {
        op->count = unit;
        op->size /= unit;
    }
}

static void add_realloc(struct decoder *d, enum op_code code, uint16_t record,
                        const struct record *r) {
    /* Every eighth is of NULL. */
    uint16_t slot = r->variant % 8 == 7 ? NO_SLOT : find_slot(d, r->slot, true);
    if (slot == NO_SLOT) {
        struct op *op = add_allocation(d, code, record, r);
        if (op != NULL && code == OP_REALLOCARRAY)
            make_array(op, r->variant);
        return;
    }
    struct op *op = add_op(d, code, record);
    if (op == NULL)
        return;
    set_slot(d, op, slot);
    op->count = 1;
    op->size = decode_size(d, r, d->slot[slot].size);
    if (code == OP_REALLOCARRAY)
        make_array(op, r->variant);
    /* Size 0 frees; the slot then holds NULL, still in use. */
    d->slot[slot].size = op->count * op->size;
}

static void add_free(struct decoder *d, enum op_code code, uint16_t record, uint8_t wish) {
    uint16_t slot = find_slot(d, wish, true);
    struct op *op = add_op(d, code, record);
    if (op == NULL)
        return;
    set_slot(d, op, slot); /* NO_SLOT: free(NULL) */
    if (slot != NO_SLOT)
        slot_empty(d, slot);
}

static void add_many(struct decoder *d, uint16_t record, struct record r, bool fill) {
    unsigned count = 2 + r.variant % 31u, stride = fill ? 1 : 1 + r.variant / 32u % 3;
    for (unsigned i = 0; i < count; i++, r.slot = (uint8_t)(r.slot + stride)) {
        if (fill)
            add_allocation(d, OP_MALLOC, record, &r);
        else if (d->used > 0)
            add_free(d, OP_FREE, record, r.slot);
    }
}

static void add_aligned(struct decoder *d, enum op_code code, uint16_t record,
                        const struct record *r) {
    struct op *op = add_allocation(d, code, record, r);
    if (op == NULL)
        return;
    op->alignment = decode_alignment(d, r->variant, code == OP_MEMALIGN);
    if (code == OP_POSIX_MEMALIGN && op->alignment < sizeof(void *))
        op->alignment = sizeof(void *);
}

static void add_must_fail(struct decoder *d, uint16_t record, const struct record *r) {
    uint8_t kind = (uint8_t)(r->variant % FAIL_KINDS);
    uint16_t slot =
        kind == FAIL_REALLOC || kind == FAIL_REALLOCARRAY ? find_slot(d, r->slot, true) : NO_SLOT;
    if (kind == FAIL_REALLOC && slot == NO_SLOT)
        kind = FAIL_REALLOC_NULL;
    struct op *op = add_op(d, OP_MUST_FAIL, record);
    if (op == NULL)
        return;
    op->variant = kind;
    set_slot(d, op, slot);
    /* exec.c and ops_text.c make hopeless arguments of these two; the first is a distance from a
     * limit, as often below 16 as below a page or 64 KiB. */
    op->size = (size_t)r->scale >> (r->size_class % 4 * 4);
    op->alignment = (size_t)(uint8_t)r->distance;
}

static void add_simple(struct decoder *d, enum op_code code, uint16_t record,
                       const struct record *r) {
    struct op *op = add_op(d, code, record);
    if (op == NULL)
        return;
    switch (code) {
    case OP_USABLE_SIZE:
    case OP_WRITE:
        set_slot(d, op, find_slot(d, r->slot, true));
        break;
    case OP_MALLOPT: {
        unsigned i = r->variant % (unsigned)COUNT(mallopts);
        op->parameter = mallopts[i].parameter;
        /* One in eight has a value of its own. */
        op->value = r->size_class % 8 == 7 ? (int)((unsigned)r->scale << (r->distance & 15))
                                           : mallopts[i].value;
        break;
    }
    case OP_TRIM:
        op->size = r->variant < 128 ? 0 : decode_size(d, r, 0);
        break;
    case OP_CLOCK:
        op->size = (size_t)r->scale << (r->variant % 24);
        break;
    case OP_FOREIGN_BRK:
        op->size = 1 + (r->variant < 128 ? (r->scale % 16) * (size_t)PAGE_BYTES + PAGE_BYTES - 1
                                         : r->scale);
        break;
    case OP_FORK:
        op->variant = r->variant % 2;
        break;
    case OP_THREAD_END: /* mostly another thread goes on; else this one's later destructors do */
        op->variant = r->variant % 8 != 0;
        break;
    default:
        break;
    }
}

static void add_preemption(struct program *p, const struct record *r) {
    if (p->preemptions == PREEMPTIONS_MAX || p->ops == OPS_MAX || p->threads == 1)
        return;
    p->preemption[p->preemptions++] = (struct sched_preemption){
        .op = (uint16_t)p->ops,
        .point = r->variant < 224 ? r->variant % 16 : r->scale,
        .thread = (uint8_t)(r->thread % p->threads),
        .runs = (uint8_t)(1 + r->slot % 4),
    };
}

static void add_record(struct decoder *d, uint16_t number, const struct record *r) {
    if (r->code >= SCHEDULE_FIRST) {
        add_preemption(d->program, r);
        return;
    }
    d->thread = (uint8_t)(r->thread % d->program->threads);
    d->first = (uint16_t)d->program->ops;
    unsigned code = code_of(r->code);
    switch (code) {
    case OP_MALLOC:
    case OP_VALLOC:
    case OP_PVALLOC:
        add_allocation(d, code, number, r);
        break;
    case OP_CALLOC: {
        struct op *op = add_allocation(d, code, number, r);
        if (op != NULL)
            make_array(op, r->variant);
        break;
    }
    case OP_REALLOC:
    case OP_REALLOCARRAY:
        add_realloc(d, code, number, r);
        break;
    case OP_ALIGNED_ALLOC:
    case OP_MEMALIGN:
    case OP_POSIX_MEMALIGN:
        add_aligned(d, code, number, r);
        break;
    case OP_FREE:
    case OP_FREE_SIZED:
    case OP_FREE_ALIGNED_SIZED:
        add_free(d, code, number, r->slot);
        break;
    case CODE_FILL:
    case CODE_DRAIN:
        add_many(d, number, *r, code == CODE_FILL);
        break;
    case OP_MUST_FAIL:
        add_must_fail(d, number, r);
        break;
    default:
        add_simple(d, code, number, r);
    }
}

/* ---- header --------------------------------------------------------------------------------- */

#define ENVIRONMENT(...)                                                                           \
    (const struct sim_environment[]) {                                                             \
        __VA_ARGS__, { NULL, NULL }                                                                \
    }
static const struct sim_environment *const environments[] = {
    NULL,
    NULL,
    NULL,
    NULL,
    ENVIRONMENT({"MALLOC_ARENA_MAX", "1"}),
    ENVIRONMENT({"MALLOC_ARENA_TEST", "1"}),
    ENVIRONMENT({"MALLOC_TOP_PAD_", "0"}),
    ENVIRONMENT({"MALLOC_PERTURB_", "165"}),
    ENVIRONMENT({"MALLOC_MMAP_THRESHOLD_", "4096"}),
    ENVIRONMENT({"MALLOC_MMAP_MAX_", "0"}),
    ENVIRONMENT({"MALLOC_TRIM_THRESHOLD_", "0"}, {"MALLOC_TOP_PAD_", "0"}),
    ENVIRONMENT({"MALLOC_CHECK_", "3"}),
    ENVIRONMENT({"GLIBC_TUNABLES", "glibc.malloc.tcache_count=0"}),
    ENVIRONMENT({"GLIBC_TUNABLES", "glibc.malloc.tcache_count=1:glibc.malloc.mxfast=0"}),
    ENVIRONMENT({"GLIBC_TUNABLES", "glibc.malloc.tcache_max=64:glibc.malloc.mxfast=160"}),
    ENVIRONMENT({"GLIBC_TUNABLES", "glibc.malloc.tcache_count=65535"}),
    ENVIRONMENT({"GLIBC_TUNABLES", "glibc.malloc.mmap_threshold=16777216"}),
    ENVIRONMENT({"GLIBC_TUNABLES", "glibc.malloc.tcache_count=0:glibc.malloc.mxfast=0"}),
    ENVIRONMENT({"GLIBC_TUNABLES", "::=:glibc.malloc.mxfast:glibc.malloc.perturb=x1"}),
    ENVIRONMENT({"CHUNKPROOF_CHECK", "5"}),
    ENVIRONMENT({"MALLOC_ARENA_MAX", "0x2"}, {"MALLOC_PERTURB_", "0245"}),
    ENVIRONMENT({"MALLOC_TOP_PAD_", "99999999999999999999999"}, {"MALLOC_MMAP_MAX_", "08"}),
    ENVIRONMENT({"GLIBC_TUNABLES", "glibc.rtld.x=1:glibc.malloc.top_pad=0X10000"}),
};

unsigned ops_environments(void) { return (unsigned)COUNT(environments); }

static void decode_failures(struct program *p, const uint8_t *plan) {
    /* More than half of the programs run without any failure. */
    for (unsigned i = 0; i < SIM_FAILURES; i++, plan += 3) {
        if (plan[0] < 160)
            continue;
        p->world.failure[i] = (struct sim_failure){
            .call = plan[0] % SIM_CALLS,
            .first = 1u + plan[1] % 64u,
            .count = plan[2] < 128   ? 1u + plan[2] % 8u
                     : plan[2] < 192 ? 64u
                                     : UINT32_MAX,
        };
    }
}

static void decode_header(struct program *p, const uint8_t *header) {
    static const uint8_t every[] = {8, 8, 8, 8, 4, 16, 1, 32};
    static const uint16_t limits_mib[] = {192, 192, 192, 64, 16, 4, 2, 1};
    p->environment = header[4] % (unsigned)COUNT(environments);
    p->walk_every = every[header[1] % sizeof every];
    p->free_in_reverse = header[0] & 0x80;
    p->threads = 1 + header[15] % FIBERS_MAX;
    unsigned pct = header[15] >> 3;
    p->pct = pct == 0 ? 0 : pct | (unsigned)header[2] << 5 | (unsigned)header[3] << 13;
    p->meetings = pct >= MEETINGS_FIRST;
    p->preemptions = 0;
    p->world = (struct sim_config){
        .seed = (uint64_t)header[2] | (uint64_t)header[3] << 8,
        .guarded = header[0] % 8 == 0,
        .gap_pages = header[0] >> 3 & 1,
        .remap_moves = header[0] >> 4 & 1,
        .cpus = 1 + (header[0] >> 5 & 3),
        .limit_bytes = limits_mib[header[5] % COUNT(limits_mib)] * MIB,
        .environment = environments[p->environment],
    };
    decode_failures(p, header + 6);
}

void program_decode(struct program *p, const uint8_t *bytes, size_t size) {
    uint8_t header[HEADER_BYTES] = {0};
    size_t given = size < HEADER_BYTES ? size : HEADER_BYTES;
    memcpy(header, bytes, given);
    decode_header(p, header);
    p->ops = 0;
    struct decoder d = {.program = p,
                        .budget = header[1] >= 252 ? BUDGET_GENEROUS_BYTES : BUDGET_BYTES};
    for (unsigned slot = 0; slot < SLOTS; slot++)
        d.slot[slot].last = OPS_MAX;
    size_t records = (size - given) / RECORD_BYTES;
    const uint8_t *b = bytes + given;
    for (size_t i = 0; i < records && i < RECORDS_MAX; i++, b += RECORD_BYTES) {
        struct record r = {.code = b[0],
                           .thread = b[1],
                           .slot = b[2],
                           .variant = b[3],
                           .size_class = b[4],
                           .distance = (int8_t)b[5],
                           .scale = (uint16_t)(b[6] | b[7] << 8)};
        add_record(&d, (uint16_t)i, &r);
    }
}
