/* seeds.c: writes the seed corpus of target `api` into the folder given: one small program for
 * each part of the allocator, so that no fuzzer has to find the way there first.
 *
 * Each seed is a line of records written by name; encoding them needs the first code byte that
 * decodes to an operation, which is looked up with the decoder itself, so the seeds stay right
 * when the tables in ops.c change. (Run `make seeds` then and commit the result.)
 */
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "ops.h"

static uint8_t bytes[PROGRAM_BYTES_MAX];
static size_t used;
static uint8_t thread; /* of the records that follow */
static const char *folder;
static unsigned written;

/* ---- encoding, by asking the decoder -------------------------------------------------------- */

static struct program decoded;

static void decode_records(const uint8_t *records, size_t count) {
    uint8_t trial[HEADER_BYTES + 3 * RECORD_BYTES] = {1, 255}; /* any size will do */
    memcpy(trial + HEADER_BYTES, records, count * RECORD_BYTES);
    program_decode(&decoded, trial, HEADER_BYTES + count * RECORD_BYTES);
}

/* The first code byte that decodes to `code`, with a block in a slot before it. */
static uint8_t code_byte(enum op_code code) {
    for (unsigned c = 0; c < SCHEDULE_FIRST; c++) {
        uint8_t records[2 * RECORD_BYTES] = {0};
        records[RECORD_BYTES] = (uint8_t)c;
        decode_records(records, 2);
        if (decoded.ops == 2 && decoded.op[1].code == code)
            return (uint8_t)c;
    }
    fprintf(stderr, "seeds: no byte decodes to operation %d\n", (int)code);
    exit(1);
}

/* Shorthand for many: decodes to `count` operations of `code`. */
static uint8_t many_byte(enum op_code code) {
    for (unsigned c = 0; c < SCHEDULE_FIRST; c++) {
        uint8_t records[3 * RECORD_BYTES] = {0};
        records[RECORD_BYTES] = records[2 * RECORD_BYTES] = (uint8_t)c;
        decode_records(records, 3);
        if (decoded.ops > 3 && decoded.op[1].code == code)
            return (uint8_t)c;
    }
    /* DRAIN frees what there is: seen only behind a FILL. */
    for (unsigned c = 0; c < SCHEDULE_FIRST; c++) {
        uint8_t records[2 * RECORD_BYTES] = {0};
        records[0] = many_byte(OP_MALLOC);
        records[3] = 8;
        records[RECORD_BYTES] = (uint8_t)c;
        records[RECORD_BYTES + 3] = 8;
        decode_records(records, 2);
        if (decoded.ops > 15 && decoded.op[decoded.ops - 1].code == code)
            return (uint8_t)c;
    }
    fprintf(stderr, "seeds: no byte decodes to many of operation %d\n", (int)code);
    exit(1);
}

/* Class and distance that make a malloc of exactly `size`, or a scale that does. */
static void encode_size(uint8_t *record, size_t size) {
    for (unsigned class = 0; class < ops_size_classes(); class ++) {
        for (int distance = -128; distance < 128; distance++) {
            uint8_t trial[RECORD_BYTES] = {0, 0, 0, 0, (uint8_t) class, (uint8_t)distance};
            trial[6] = (uint8_t)size;
            trial[7] = (uint8_t)(size >> 8);
            decode_records(trial, 1);
            if (decoded.op[0].size == size) {
                memcpy(record + 4, trial + 4, 4);
                return;
            }
        }
    }
    fprintf(stderr, "seeds: no record has size %zu\n", size);
    exit(1);
}

/* ---- writing programs ----------------------------------------------------------------------- */

static void begin(void) {
    memset(bytes, 0, sizeof bytes);
    bytes[0] = 1; /* ordinary pages, one processor */
    used = HEADER_BYTES;
    thread = 0;
}

static uint8_t *record(uint8_t code, uint8_t slot, uint8_t variant) {
    uint8_t *r = bytes + used;
    used += RECORD_BYTES;
    r[0] = code;
    r[1] = thread;
    r[2] = slot;
    r[3] = variant;
    return r;
}

static void op(enum op_code code, uint8_t slot, uint8_t variant) {
    record(code_byte(code), slot, variant);
}

static void sized(enum op_code code, uint8_t slot, uint8_t variant, size_t size) {
    encode_size(record(code_byte(code), slot, variant), size);
}

static void fill(uint8_t slot, unsigned count, size_t size) {
    encode_size(record(many_byte(OP_MALLOC), slot, (uint8_t)(count - 2)), size);
}

/* Every `stride`th of `count` blocks. */
static void drain(uint8_t slot, unsigned count, unsigned stride) {
    record(many_byte(OP_FREE), slot, (uint8_t)((stride - 1) * 32 + (count - 2) % 31));
}

/* The program has so many threads; `pct`: seed of their priorities or meetings, 0: operations in
 * order. */
static void begin_threads(unsigned threads, unsigned pct) {
    begin();
    bytes[15] = (uint8_t)((threads - 1) | pct << 3);
}

/* At this switch point of the next operation, `to` runs so many operations. */
static void preempt(uint8_t point, uint8_t to, uint8_t runs) {
    uint8_t *r = record(SCHEDULE_FIRST, (uint8_t)(runs - 1), point);
    r[1] = to;
}

static void end(const char *name) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *out = fopen(path, "wb");
    if (out == NULL || fwrite(bytes, 1, used, out) != used || fclose(out) != 0) {
        fprintf(stderr, "seeds: %s: %s\n", path, strerror(errno));
        exit(1);
    }
    written++;
}

static void fails(unsigned plan, enum sim_call call, unsigned first, uint8_t count) {
    bytes[6 + 3 * plan] = (uint8_t)(SIM_CALLS * (200 / SIM_CALLS) + call);
    bytes[7 + 3 * plan] = (uint8_t)(first - 1);
    bytes[8 + 3 * plan] = count;
}

/* ---- the seeds ------------------------------------------------------------------------------ */

static void sizes(void) {
    static const size_t tour[] = {0, 24, 25, 120, 136, 160, 1016, 1032, 1033, 4096, 65536, 131072};
    begin();
    for (uint8_t i = 0; i < 12; i++)
        sized(OP_MALLOC, i, 0, tour[i]);
    for (uint8_t i = 0; i < 12; i += 2)
        op(OP_FREE, i, 0);
    op(OP_MALLINFO, 0, 0);
    end("sizes");
    for (uint8_t i = 0; i < 12; i++) {
        char name[32];
        begin();
        sized(OP_MALLOC, 0, 0, tour[i]);
        sized(OP_MALLOC, 1, 0, tour[i]);
        op(OP_FREE, 0, 0);
        sized(OP_CALLOC, 2, 0, tour[i]);
        sized(OP_REALLOC, 1, 0, tour[(i + 1) % 12]);
        snprintf(name, sizeof name, "size-%zu", tour[i]);
        end(name);
    }
}

static void bins(void) {
    static const size_t tour[] = {24, 120, 520, 1040, 3072, 20480, 65536};
    for (unsigned i = 0; i < 7; i++) {
        char name[32];
        begin();
        fill(0, 24, tour[i]);
        drain(0, 12, 2);
        op(OP_CHECK, 0, 0);
        fill(0, 8, tour[i]);
        drain(0, 32, 1);
        sized(OP_MALLOC, 3, 0, tour[i] * 2);
        snprintf(name, sizeof name, "bins-%zu", tour[i]);
        end(name);
    }
    begin();
    fill(0, 10, 1040);
    fill(10, 10, 2040);
    fill(20, 10, 1040);
    drain(0, 15, 2);
    sized(OP_MALLOC, 0, 0, 65536);
    fill(0, 10, 1040);
    end("large-bins");
    begin();
    bytes[4] = 12; /* no thread cache */
    fill(0, 30, 40);
    drain(0, 30, 1);
    sized(OP_MALLOC, 0, 0, 65536);
    op(OP_FREE, 0, 0);
    fill(0, 30, 56);
    end("consolidate");
}

/* Free chunks of each kind of list among live ones: what is free waits there, for most of the region
 * is in use. The second one without a thread cache in front. */
static void beside_live(uint8_t environment) {
    static const size_t tour[] = {24, 120, 520, 1040, 3072, 20480};
    for (unsigned i = 0; i < 6; i++) {
        char name[32];
        begin();
        bytes[4] = environment;
        fill(100, 12, 8184);
        fill(0, 24, tour[i]);
        drain(0, 12, 2);
        fill(0, 6, tour[i]);
        drain(0, 6, 1);
        snprintf(name, sizeof name, "beside-%zu%s", tour[i], environment == 0 ? "" : "-uncached");
        end(name);
    }
}

static void aligned(void) {
    for (uint8_t variant = 0; variant < 10; variant += 3) {
        char name[32];
        begin();
        sized(OP_MALLOC, 0, 0, 40);
        sized(OP_MEMALIGN, 1, variant, 1000);
        sized(OP_POSIX_MEMALIGN, 2, variant, 40);
        sized(OP_ALIGNED_ALLOC, 3, variant, 20480);
        op(OP_FREE_ALIGNED_SIZED, 2, 0);
        sized(OP_VALLOC, 5, 0, 100);
        sized(OP_PVALLOC, 6, 0, 5000);
        op(OP_FREE, 1, 0);
        snprintf(name, sizeof name, "aligned-%u", variant);
        end(name);
    }
}

static void mappings(void) {
    begin();
    sized(OP_MALLOC, 0, 0, 131072);
    sized(OP_MALLOC, 1, 0, 262144);
    sized(OP_REALLOC, 0, 0, 524288);
    sized(OP_REALLOC, 1, 0, 131072);
    op(OP_MALLINFO, 0, 0);
    op(OP_FREE, 0, 0);
    sized(OP_CALLOC, 2, 0, 262144);
    sized(OP_REALLOC, 1, 0, 1000);
    end("mappings");
    begin();
    sized(OP_MEMALIGN, 0, 145, 262144);
    sized(OP_REALLOC, 0, 0, 524288);
    op(OP_FREE, 0, 0);
    end("mapping-aligned");
    begin();
    bytes[4] = 8; /* mappings from 4096 bytes on */
    for (uint8_t i = 0; i < 6; i++)
        fill((uint8_t)(i * 30), 30, 4096);
    drain(0, 30, 2);
    fill(0, 20, 8184);
    drain(60, 30, 1);
    end("many-mappings");
    begin();
    bytes[1] = 255; /* large blocks */
    sized(OP_MALLOC, 0, 0, (size_t)32 << 20);
    op(OP_FREE, 0, 0);
    sized(OP_MALLOC, 1, 0, (size_t)16 << 20);
    sized(OP_MEMALIGN, 2, 131, (size_t)4 << 20);
    sized(OP_REALLOC, 1, 0, (size_t)64 << 20);
    end("large");
}

static void resizing(void) {
    begin();
    sized(OP_MALLOC, 0, 0, 1000);
    sized(OP_MALLOC, 1, 0, 4096);
    sized(OP_MALLOC, 2, 0, 24);
    op(OP_FREE, 1, 0);
    sized(OP_REALLOC, 0, 0, 4096);
    sized(OP_REALLOC, 0, 0, 100);
    sized(OP_REALLOC, 2, 0, 20480);
    sized(OP_REALLOC, 0, 0, 0);
    sized(OP_REALLOCARRAY, 3, 65, 4096);
    end("resize");
}

/* The last block grows and shrinks by 16 bytes, through every size that top can have left. A thread
 * cache is refilled with one chunk so large; of smaller ones, others would lie before top. */
static void stepping(bool grow) {
    begin();
    bytes[4] = 6; /* M_TOP_PAD 0: top is small */
    sized(OP_MALLOC, 0, 0, grow ? 13000 : 11060);
    sized(OP_MALLOC, 1, 0, 9000);
    for (unsigned i = 0; i < 90; i++) {
        uint8_t *r = record(code_byte(OP_REALLOC), grow ? 1 : 0, 0);
        r[4] = (uint8_t)(ops_size_classes() - 3); /* the old size and 16 times the distance */
        r[5] = grow ? 1 : 255;
    }
    end(grow ? "grow-stepwise" : "shrink-stepwise");
}

static void failing(void) {
    static const char *const names[SIM_CALLS] = {"brk",   "map",     "reserve",  "commit", "purge",
                                                 "remap", "trylock", "brk-race", "signal"};
    for (unsigned call = 0; call < SIM_CALLS; call++) {
        char name[32];
        begin();
        fails(0, call, 2, 255);
        if (call == SIM_RESERVE || call == SIM_COMMIT)
            fails(1, SIM_BRK, 1, 255);
        fill(0, 12, 16376);
        sized(OP_MALLOC, 20, 0, 262144);
        drain(0, 6, 2);
        sized(OP_REALLOC, 20, 0, 524288);
        op(OP_TRIM, 0, 0);
        sized(OP_CALLOC, 21, 0, 65536);
        snprintf(name, sizeof name, "fails-%s", names[call]);
        end(name);
    }
    begin();
    for (uint8_t kind = 0; kind < FAIL_KINDS; kind++)
        op(OP_MUST_FAIL, 0, kind);
    sized(OP_MALLOC, 0, 0, 40);
    op(OP_MUST_FAIL, 0, FAIL_REALLOC);
    op(OP_MUST_FAIL, 0, FAIL_REALLOCARRAY);
    end("must-fail");
    begin();
    bytes[5] = 7; /* 1 MiB of memory */
    fill(0, 30, 65536);
    drain(0, 10, 3);
    fill(40, 10, 20480);
    end("little-memory");
}

static void worlds(void) {
    begin();
    fill(0, 8, 1000);
    op(OP_FOREIGN_BRK, 0, 200);
    bytes[used - 2] = 24;
    fill(8, 16, 20480);
    op(OP_FOREIGN_BRK, 0, 0);
    drain(0, 12, 2);
    op(OP_TRIM, 0, 0);
    fill(0, 12, 20480);
    end("foreign-brk");
    begin();
    fill(0, 16, 40);
    drain(0, 8, 2);
    op(OP_THREAD_END, 0, 1);
    fill(0, 8, 40);
    op(OP_FORK, 0, 1);
    drain(0, 16, 1);
    op(OP_FORK, 0, 0);
    sized(OP_MALLOC, 0, 0, 1000);
    op(OP_THREAD_END, 0, 0);
    sized(OP_MALLOC, 1, 0, 1000);
    sized(OP_REALLOC, 0, 0, 4096);
    end("thread-and-fork");
    begin();
    bytes[0] = 0; /* guarded pages */
    fill(0, 16, 20480);
    drain(0, 15, 1);
    op(OP_TRIM, 0, 0);
    op(OP_MALLOC_INFO, 0, 0);
    op(OP_MALLOC_STATS, 0, 0);
    op(OP_CLOCK, 0, 20);
    bytes[used - 1] = 255;
    fill(0, 8, 20480);
    end("guarded");
}

static void tuning(void) {
    for (unsigned first = 0; first < ops_mallopt_values(); first += 16) {
        char name[32];
        begin();
        for (unsigned i = first; i < first + 16 && i < ops_mallopt_values(); i++) {
            op(OP_MALLOPT, 0, (uint8_t)i);
            sized(OP_MALLOC, (uint8_t)i, 0, i % 2 ? 120 : 20480);
            sized(OP_CALLOC, (uint8_t)(i + 32), 0, 136);
            op(OP_FREE, (uint8_t)i, 0);
        }
        op(OP_TRIM, 0, 0);
        snprintf(name, sizeof name, "mallopt-%u", first);
        end(name);
    }
    for (uint8_t i = 4; i < ops_environments(); i++) {
        char name[32];
        begin();
        bytes[4] = i;
        fill(0, 10, 120);
        fill(10, 5, 8192);
        drain(0, 8, 1);
        sized(OP_CALLOC, 0, 0, 120);
        op(OP_MALLINFO, 0, 0);
        snprintf(name, sizeof name, "environment-%u", i);
        end(name);
    }
}

/* Every block is freed by another thread than the one that got it. */
static void hand_over(unsigned pct) {
    char name[32];
    begin_threads(3, pct);
    for (uint8_t i = 0; i < 3; i++) {
        thread = i;
        fill((uint8_t)(i * 20), 12, 1000);
        sized(OP_CALLOC, (uint8_t)(i * 20 + 12), 0, 40);
    }
    for (uint8_t i = 0; i < 3; i++) {
        thread = (uint8_t)((i + 1) % 3);
        drain((uint8_t)(i * 20), 12, 1);
        sized(OP_MALLOC, (uint8_t)(i * 20 + 13), 0, 1000);
    }
    snprintf(name, sizeof name, "threads-hand-over-%u", pct);
    end(name);
}

/* A second thread meets a lock that is held, in the middle of each kind of operation. */
static void contention(void) {
    static const enum op_code inside[] = {OP_MALLOC,     OP_FREE,  OP_REALLOC,     OP_TRIM,
                                          OP_MALLINFO,   OP_CHECK, OP_MALLOC_INFO, OP_MALLOPT,
                                          OP_THREAD_END, OP_FORK};
    for (unsigned i = 0; i < sizeof inside / sizeof inside[0]; i++) {
        char name[32];
        begin_threads(2, 0);
        fill(0, 6, 20480);
        thread = 1;
        fill(10, 6, 20480);
        thread = 0;
        preempt(2, 1, 2);
        sized(inside[i], 0, inside[i] == OP_MALLOPT ? 20 : 1, 65536);
        thread = 1;
        sized(OP_MALLOC, 30, 0, 65536);
        op(OP_FREE, 12, 0);
        preempt(1, 0, 1);
        op(OP_FREE, 30, 0);
        thread = 0;
        sized(OP_MALLOC, 31, 0, 65536);
        snprintf(name, sizeof name, "threads-inside-%u", i);
        end(name);
    }
}

static void threads_come_and_go(void) {
    begin_threads(4, 3);
    for (uint8_t i = 0; i < 12; i++) {
        thread = i % 4;
        fill((uint8_t)(i * 8), 6, i % 2 ? 120 : 3072);
        if (i % 3 == 2)
            op(OP_THREAD_END, 0, 1);
        drain((uint8_t)(i * 8), 5, 2);
    }
    end("threads-come-and-go");
    begin_threads(3, 0);
    fill(0, 6, 20480);
    thread = 1;
    fill(8, 6, 20480);
    preempt(4, 2, 2);
    op(OP_FORK, 0, 1); /* in the child, the others begin anew */
    thread = 2;
    sized(OP_MALLOC, 20, 0, 20480);
    op(OP_FREE, 0, 0);
    thread = 0;
    sized(OP_MALLOC, 21, 0, 20480);
    drain(0, 6, 1);
    end("threads-child");
}

/* A handler forks and goes on as the child while another thread holds an arena's lock. */
static void child_in_handler(uint8_t point) {
    char name[32];
    begin_threads(2, 0);
    fails(0, SIM_SIGNAL, 9, 2);
    fill(0, 6, 1000);
    thread = 1;
    fill(10, 6, 3072);
    thread = 0;
    preempt(point, 1, 4);
    sized(OP_MALLOC, 20, 0, 65536);
    thread = 1;
    for (uint8_t i = 0; i < 4; i++)
        sized(OP_MALLOC, (uint8_t)(21 + i), 0, 20480);
    drain(0, 12, 1);
    sized(OP_MALLOC, 30, 0, 65536);
    drain(10, 12, 1);
    sized(OP_MALLOC, 31, 0, 20480);
    snprintf(name, sizeof name, "threads-child-handler-%u", point);
    end(name);
}

/* Mapped regions that come and go: there is no break. */
static void threads_with_regions(uint8_t point) {
    char name[32];
    begin_threads(2, 0);
    fails(0, SIM_BRK, 1, 255);
    bytes[4] = 10; /* M_TRIM_THRESHOLD 0, M_TOP_PAD 0 */
    fill(0, 6, 65536);
    thread = 1;
    preempt(3, 0, 1);
    fill(20, 6, 65536);
    for (uint8_t i = 0; i < 6; i++) {
        thread = 0;
        preempt(point, 1, 2);
        op(OP_FREE, i, 0);
        thread = 1;
        sized(OP_MALLOC, (uint8_t)(40 + i), 0, 1048576);
        op(OP_FREE, (uint8_t)(20 + i), 0);
        preempt(2, 0, 1);
        op(OP_TRIM, 0, 0);
    }
    snprintf(name, sizeof name, "threads-regions-%u", point);
    end(name);
}

/* Mappings: their table, and the threshold that moves when one is freed. */
static void threads_with_mappings(void) {
    begin_threads(2, 0);
    sized(OP_MALLOC, 0, 0, 262144);
    thread = 1;
    sized(OP_MALLOC, 1, 0, 262144);
    preempt(2, 0, 2);
    sized(OP_REALLOC, 1, 0, 524288);
    thread = 0;
    preempt(1, 1, 1);
    op(OP_FREE, 1, 0);
    sized(OP_MALLOC, 2, 0, 524288);
    thread = 1;
    op(OP_FREE, 0, 0);
    op(OP_MALLINFO, 0, 0);
    end("threads-mappings");
}

/* Every block is a mapping; they move, and are freed by other threads. */
static void threads_with_many_mappings(unsigned pct) {
    char name[32];
    begin_threads(3, pct);
    bytes[4] = 8; /* mappings from where the cache ends */
    for (uint8_t round = 0; round < 3; round++)
        for (uint8_t i = 0; i < 3; i++) {
            thread = i;
            uint8_t mine = (uint8_t)(i * 20), theirs = (uint8_t)((i + 1) % 3 * 20);
            fill(mine, 4, 40952);
            preempt((uint8_t)(2 + round), (uint8_t)((i + 1) % 3), 2);
            sized(OP_REALLOC, mine, 0, 65536);
            preempt((uint8_t)(2 + round), (uint8_t)((i + 2) % 3), 2);
            op(OP_FREE, theirs, 0);
            sized(OP_REALLOC, (uint8_t)(theirs + 1), 0, 45056);
        }
    snprintf(name, sizeof name, "threads-many-mappings-%u", pct);
    end(name);
}

/* The table of mappings grows while another thread has one of them. */
static void threads_table_grows(void) {
    begin_threads(2, 0);
    bytes[1] = 255; /* large blocks */
    bytes[4] = 8; /* mappings from where the cache ends */
    thread = 1;
    sized(OP_MALLOC, 200, 0, 40952);
    thread = 0;
    for (uint8_t i = 0; i < 5; i++)
        fill((uint8_t)(i * 31), 31, 40952);
    thread = 1;
    op(OP_FREE, 200, 0);
    end("threads-table-grows");
}

/* A mapping grows and moves, interrupted at each of its switch points in turn, and the walker looks
 * at what another thread would find then. */
static void threads_mapping_walked(void) {
    begin_threads(2, 0);
    bytes[0] |= 1 << 4; /* mremap moves */
    bytes[1] = 6; /* the walker after each operation */
    bytes[4] = 8; /* mappings from where the cache ends */
    for (uint8_t point = 0; point < 16; point++) {
        thread = 0;
        sized(OP_MALLOC, point, 0, 40952);
        preempt(point, 1, 1);
        sized(OP_REALLOC, point, 0, 65536);
        thread = 1;
        sized(OP_MALLOC, (uint8_t)(100 + point), 0, 24);
    }
    end("threads-mapping-walked");
}

/* A region is given back, and another arena gets its place. */
static void threads_region_moves(uint8_t point) {
    char name[32];
    begin_threads(2, 0);
    fails(0, SIM_BRK, 1, 255);
    sized(OP_MALLOC, 0, 0, 65536);
    op(OP_FREE, 0, 0);
    preempt(point, 1, 1);
    op(OP_TRIM, 0, 0);
    thread = 1;
    sized(OP_MALLOC, 1, 0, 65536);
    op(OP_FREE, 1, 0);
    snprintf(name, sizeof name, "threads-region-moves-%u", point);
    end(name);
}

/* Threads free into an arena whose lock another one holds; who holds it is stopped once more as it
 * takes the blocks in, or one of the others as it hands its block over. */
static void threads_return(uint8_t point, bool stop_giver) {
    char name[32];
    begin_threads(3, 0);
    for (thread = 0; thread < 3; thread++) /* a cache for each, beforehand */
        sized(OP_MALLOC, (uint8_t)(20 + thread), 0, 24);
    thread = 1;
    for (uint8_t i = 10; i < 14; i++)
        sized(OP_MALLOC, i, 0, 65536);
    thread = 0;
    preempt(2, 1, stop_giver ? 2 : 1);
    if (!stop_giver)
        preempt(point, 1, 1);
    sized(OP_MALLOC, 0, 0, 65536);
    thread = 1;
    if (stop_giver)
        preempt(point, 2, 1);
    op(OP_FREE, 10, 0);
    thread = 2;
    op(OP_FREE, 12, 0);
    thread = 1;
    op(OP_FREE, 11, 0);
    op(OP_FREE, 13, 0);
    snprintf(name, sizeof name, "threads-%s-%u", stop_giver ? "give" : "take", point);
    end(name);
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: seeds FOLDER\n");
        return 2;
    }
    folder = argv[1];
    sizes();
    bins();
    beside_live(0);
    beside_live(12);
    aligned();
    mappings();
    resizing();
    stepping(true);
    stepping(false);
    failing();
    worlds();
    tuning();
    for (unsigned pct = 0; pct < 4; pct++) {
        hand_over(pct);
        threads_with_many_mappings(pct);
    }
    for (unsigned pct = MEETINGS_FIRST; pct < MEETINGS_FIRST + 4; pct++)
        hand_over(pct);
    contention();
    threads_come_and_go();
    threads_with_mappings();
    threads_table_grows();
    threads_mapping_walked();
    for (uint8_t point = 1; point < 6; point++)
        threads_return(point, true);
    for (uint8_t point = 3; point < 18; point++)
        threads_return(point, false);
    for (uint8_t point = 2; point < 20; point++)
        threads_region_moves(point);
    for (uint8_t point = 1; point < 6; point++) {
        child_in_handler(point);
        threads_with_regions(point);
    }
    printf("seeds: %u programs in %s\n", written, folder);
    return 0;
}
