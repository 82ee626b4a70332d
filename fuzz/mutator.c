/* mutator.c: custom mutation and cross-over on operations instead of bytes.
 *
 * Seven of eight mutations work on whole records: insert, delete, duplicate, move, change one
 * field to an interesting value, repeat a record's slot in another (so that operations meet at
 * the same block), add, move or drop a preemption, insert a burst of operations that are much alike.
 * The rest is the engine's own mutation of bytes. Nothing here looks at the allocator: any result
 * is a program.
 */
#include <string.h>

#include "ops.h"
#include "sim/random.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *data1, size_t size1, const uint8_t *data2,
                                 size_t size2, uint8_t *out, size_t max_out, unsigned seed);

enum { AT_CODE, AT_THREAD, AT_SLOT, AT_VARIANT, AT_CLASS, AT_DISTANCE, AT_SCALE };

struct draft {
    uint8_t *bytes;
    size_t records, records_max;
    uint64_t random;
};

static uint32_t draw(struct draft *d, uint32_t below) { return random_draw(&d->random, below); }

static uint8_t *record_at(struct draft *d, size_t i) {
    return d->bytes + HEADER_BYTES + i * RECORD_BYTES;
}

static size_t any_record(struct draft *d) { return draw(d, (uint32_t)d->records); }

/* Room for `count` records at position `at`, contents undefined; fewer if there is no room. */
static size_t open_gap(struct draft *d, size_t at, size_t count) {
    if (count > d->records_max - d->records)
        count = d->records_max - d->records;
    memmove(record_at(d, at + count), record_at(d, at), (d->records - at) * RECORD_BYTES);
    d->records += count;
    return count;
}

static void close_gap(struct draft *d, size_t at, size_t count) {
    d->records -= count;
    memmove(record_at(d, at), record_at(d, at + count), (d->records - at) * RECORD_BYTES);
}

/* ---- fields --------------------------------------------------------------------------------- */

static uint8_t some_distance(struct draft *d) {
    static const int8_t near[] = {0,   0,  0,   1,  -1,  7,  -7,  8,  -8,  9,   -9,  15,
                                  -15, 16, -16, 17, -17, 24, -24, 32, -32, 127, -128};
    return (uint8_t)near[draw(d, sizeof near)];
}

static void random_record(struct draft *d, uint8_t *r) {
    for (unsigned i = 0; i < RECORD_BYTES; i++)
        r[i] = (uint8_t)draw(d, 256);
    r[AT_CODE] = (uint8_t)draw(d, SCHEDULE_FIRST);
    r[AT_THREAD] = (uint8_t)draw(d, draw(d, 2) ? 2 : FIBERS_MAX);
    r[AT_CLASS] = (uint8_t)draw(d, ops_size_classes());
    r[AT_DISTANCE] = some_distance(d);
    if (draw(d, 2) == 0) /* small programs meet at few slots */
        r[AT_SLOT] = (uint8_t)draw(d, 8);
}

/* Early switch points more often than late ones: few operations have many. */
static void random_preemption(struct draft *d, uint8_t *r) {
    memset(r, 0, RECORD_BYTES);
    r[AT_CODE] = (uint8_t)(SCHEDULE_FIRST + draw(d, 256 - SCHEDULE_FIRST));
    r[AT_THREAD] = (uint8_t)draw(d, draw(d, 2) ? 2 : FIBERS_MAX);
    r[AT_SLOT] = (uint8_t)draw(d, draw(d, 2) ? 1 : 4);
    r[AT_VARIANT] = (uint8_t)draw(d, draw(d, 8) == 0 ? 256 : draw(d, 2) ? 4 : 12);
    r[AT_SCALE] = (uint8_t)draw(d, 64);
}

static void change_preemption(struct draft *d, uint8_t *r) {
    uint8_t other[RECORD_BYTES];
    random_preemption(d, other);
    unsigned field = AT_THREAD + draw(d, AT_VARIANT);
    r[field] = other[field];
}

static void change_field(struct draft *d, uint8_t *r) {
    if (r[AT_CODE] >= SCHEDULE_FIRST) {
        change_preemption(d, r);
        return;
    }
    switch (draw(d, 7)) {
    case 6:
        r[AT_THREAD] = (uint8_t)draw(d, draw(d, 2) ? 2 : FIBERS_MAX);
        break;
    case 0:
        r[AT_CODE] = (uint8_t)draw(d, SCHEDULE_FIRST);
        break;
    case 1:
        r[AT_SLOT] = record_at(d, any_record(d))[AT_SLOT];
        break;
    case 2:
        r[AT_VARIANT] = (uint8_t)draw(d, 256);
        break;
    case 3:
        r[AT_CLASS] = (uint8_t)draw(d, ops_size_classes());
        break;
    case 4:
        r[AT_DISTANCE] = draw(d, 2) ? some_distance(d) : (uint8_t)(r[AT_DISTANCE] + 1);
        break;
    default:
        r[AT_SCALE] = (uint8_t)draw(d, 256);
        r[AT_SCALE + 1] = (uint8_t)(draw(d, 3) == 0 ? draw(d, 256) : 0);
    }
}

/* One planned failure, early more often than late, once, often, or from there on; or none. In target
 * `corrupt` two of them are the violation, of which each byte matters alone. */
static void change_failure(struct draft *d) {
    uint8_t *plan = d->bytes + 6 + 3 * draw(d, SIM_FAILURES);
    if (draw(d, 2)) {
        plan[draw(d, 3)] = (uint8_t)draw(d, 256);
        return;
    }
    plan[0] = (uint8_t)draw(d, 256);
    plan[1] = (uint8_t)draw(d, draw(d, 2) ? 4 : 64);
    plan[2] = (uint8_t)(draw(d, 3) ? draw(d, 256) : 255);
}

/* Threads: mostly few. Schedule: in order, by priorities, or so that they meet. */
static void change_schedule(struct draft *d, uint8_t threads) {
    uint8_t *h = d->bytes;
    static const uint8_t first[] = {0, 1, 16, 16}, count[] = {1, 15, 16, 16};
    unsigned policy = draw(d, sizeof first);
    h[15] = (uint8_t)(threads | (first[policy] + draw(d, count[policy])) << 3);
    if (draw(d, 2))
        h[2 + draw(d, 2)] = (uint8_t)draw(d, 256);
}

static void change_header(struct draft *d) {
    uint8_t *h = d->bytes;
    switch (draw(d, 6)) {
    case 3:
        change_schedule(d, (uint8_t)draw(d, draw(d, 2) ? 4 : FIBERS_MAX));
        break;
    case 4: /* the same threads otherwise */
        change_schedule(d, h[15] % FIBERS_MAX);
        break;
    case 0:
        change_failure(d);
        break;
    case 1:
        h[4] = (uint8_t)draw(d, ops_environments());
        break;
    case 2:
        h[0] ^= (uint8_t)(1u << draw(d, 8));
        break;
    default:
        h[draw(d, 6)] = (uint8_t)draw(d, 256);
    }
}

/* ---- programs ------------------------------------------------------------------------------- */

static void insert_records(struct draft *d) {
    size_t at = draw(d, (uint32_t)d->records + 1);
    size_t count = open_gap(d, at, 1 + draw(d, 4));
    for (size_t i = 0; i < count; i++)
        random_record(d, record_at(d, at + i));
}

static void delete_records(struct draft *d) {
    size_t at = any_record(d), count = 1 + draw(d, draw(d, 4) == 0 ? 32 : 3);
    if (count > d->records - at)
        count = d->records - at;
    close_gap(d, at, count);
}

/* A run of records once more, somewhere else. */
static void duplicate_records(struct draft *d) {
    uint8_t copy[16 * RECORD_BYTES];
    size_t from = any_record(d), count = 1 + draw(d, 16);
    if (count > d->records - from)
        count = d->records - from;
    memcpy(copy, record_at(d, from), count * RECORD_BYTES);
    size_t at = draw(d, (uint32_t)d->records + 1);
    count = open_gap(d, at, count);
    memcpy(record_at(d, at), copy, count * RECORD_BYTES);
}

static void move_record(struct draft *d) {
    uint8_t copy[RECORD_BYTES];
    size_t from = any_record(d);
    memcpy(copy, record_at(d, from), RECORD_BYTES);
    close_gap(d, from, 1);
    size_t at = draw(d, (uint32_t)d->records + 1);
    open_gap(d, at, 1);
    memcpy(record_at(d, at), copy, RECORD_BYTES);
}

/* A burst: allocations of one or two kinds, by all threads, and frees of each other's blocks; what
 * is alike competes for the same list, arena or addresses. */
static void insert_burst(struct draft *d) {
    static const uint8_t first[] = {OP_MALLOC, OP_MALLOC, OP_CALLOC, OP_REALLOC, OP_MEMALIGN};
    uint8_t kind[2][RECORD_BYTES], first_slot = (uint8_t)draw(d, 256);
    random_record(d, kind[0]);
    random_record(d, kind[1]);
    kind[0][AT_CODE] = ops_code_byte(first[draw(d, sizeof first)]);
    if (draw(d, 2))
        kind[1][AT_CLASS] = kind[0][AT_CLASS];
    size_t at = draw(d, (uint32_t)d->records + 1), count = open_gap(d, at, 4 + draw(d, 16));
    unsigned threads = d->bytes[15] % FIBERS_MAX + 1u, slots = 1 + draw(d, 8);
    for (size_t i = 0; i < count; i++) {
        uint8_t *r = record_at(d, at + i);
        memcpy(r, kind[draw(d, 2)], RECORD_BYTES);
        r[AT_THREAD] = (uint8_t)draw(d, threads);
        r[AT_SLOT] = (uint8_t)(first_slot + draw(d, slots));
        r[AT_CLASS] = (uint8_t)(r[AT_CLASS] + (draw(d, 4) == 0)); /* the next larger size */
        if (draw(d, 5) < 2)
            r[AT_CODE] = ops_code_byte(OP_FREE);
    }
}

/* One preemption more, before any record, in a program of threads. */
static void add_preemption(struct draft *d) {
    if (d->bytes[15] % FIBERS_MAX == 0)
        d->bytes[15] = (uint8_t)(1 + draw(d, 3));
    size_t at = draw(d, (uint32_t)d->records + 1);
    if (open_gap(d, at, 1) == 1)
        random_preemption(d, record_at(d, at));
}

static void mutate_records(struct draft *d) {
    if (d->records == 0) {
        insert_records(d);
        return;
    }
    switch (draw(d, 13)) {
    case 12:
        change_failure(d);
        break;
    case 11:
        insert_burst(d);
        break;
    case 0:
    case 1:
    case 2:
        insert_records(d);
        break;
    case 3:
        delete_records(d);
        break;
    case 4:
        duplicate_records(d);
        break;
    case 5:
        move_record(d);
        break;
    case 6:
        change_header(d);
        break;
    case 7:
        add_preemption(d);
        break;
    default:
        change_field(d, record_at(d, any_record(d)));
    }
}

/* The bytes as a header and whole records. */
static struct draft open_draft(uint8_t *bytes, size_t size, size_t max_size, unsigned seed) {
    if (size < HEADER_BYTES) {
        memset(bytes + size, 0, HEADER_BYTES - size);
        bytes[0] = 1; /* ordinary pages */
        size = HEADER_BYTES;
    }
    if (max_size > PROGRAM_BYTES_MAX)
        max_size = PROGRAM_BYTES_MAX;
    struct draft d = {.bytes = bytes, .random = seed * 0x9e3779b97f4a7c15u + 1};
    d.records_max = (max_size - HEADER_BYTES) / RECORD_BYTES;
    d.records = (size - HEADER_BYTES) / RECORD_BYTES;
    if (d.records > d.records_max)
        d.records = d.records_max;
    return d;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed) {
    if (max_size < HEADER_BYTES + RECORD_BYTES)
        return LLVMFuzzerMutate(data, size, max_size);
    struct draft d = open_draft(data, size, max_size, seed);
    if (draw(&d, 8) == 0)
        return LLVMFuzzerMutate(data, HEADER_BYTES + d.records * RECORD_BYTES, max_size);
    for (unsigned rounds = 1 + draw(&d, 4); rounds > 0; rounds--)
        mutate_records(&d);
    return HEADER_BYTES + d.records * RECORD_BYTES;
}

/* The first program's header and beginning, then a run of the second's, then its own rest. */
size_t LLVMFuzzerCustomCrossOver(const uint8_t *data1, size_t size1, const uint8_t *data2,
                                 size_t size2, uint8_t *out, size_t max_out, unsigned seed) {
    if (max_out < HEADER_BYTES + RECORD_BYTES)
        return 0;
    size_t size = size1 < max_out ? size1 : max_out;
    memcpy(out, data1, size);
    struct draft d = open_draft(out, size, max_out, seed);
    size_t other = size2 <= HEADER_BYTES ? 0 : (size2 - HEADER_BYTES) / RECORD_BYTES;
    if (other > 0) {
        size_t from = draw(&d, (uint32_t)other);
        size_t count = 1 + draw(&d, (uint32_t)(other - from));
        size_t at = draw(&d, (uint32_t)d.records + 1);
        count = open_gap(&d, at, count);
        memcpy(record_at(&d, at), data2 + HEADER_BYTES + from * RECORD_BYTES, count * RECORD_BYTES);
    }
    return HEADER_BYTES + d.records * RECORD_BYTES;
}
