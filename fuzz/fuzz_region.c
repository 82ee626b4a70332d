/* fuzz_region.c: the target `region`: the region core alone, over a static array, without caches,
 * arenas or a system: the fastest way to its bins, its splitting and merging.
 *
 *   header  0     bits 0-3: largest chunk of a fast bin; bits 4-5: how often the walker runs
 *           1     granules at the start: 64 for each
 *           2-3   secrets
 *   record  0     operation; 1 which live chunk or alignment; 2-3 size, see draw_size
 *
 * Oracles: "overlap", "size", "alignment", "contents", "zero", "lost" (granules that belong to
 * nobody), "resize", and the walker.
 */
#include <string.h>

#include "check.h"
#include "counters.h"
#include "region.h"
#include "sim/sim.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEADER_BYTES = 4, RECORD_BYTES = 4, LIVE_MAX = 64, GRANULES_MAX = 16 * 1024 };

/* In a build that checks contracts at run time (proofs/runtime), of one region of less granules. */
enum { CONTRACT_GRANULES_MAX = 2048 };
void contracts_watch(const struct region *r, struct granule *g, uint32_t granules)
    __attribute__((weak));

static uint32_t granules_max(void) {
    return contracts_watch != NULL ? CONTRACT_GRANULES_MAX : GRANULES_MAX;
}

static struct granule cells[GRANULES_MAX] __attribute__((aligned(4096)));

static struct {
    struct region r;
    uint32_t fast_max, used; /* granules that may differ from zero */
    unsigned walk_every, live;
    struct {
        uint32_t index, size;
        uint8_t byte;
    } chunk[LIVE_MAX];
    uint8_t next_byte;
} run;

/* ---- judging -------------------------------------------------------------------------------- */

static void walk(void) {
    struct cp_breach b;
    if (!check_region(&run.r, &b))
        sim_break("walker", "invariant %s: %s at granule %u: found %#llx expected %#llx",
                  cp_invariant_name(b.invariant), b.detail == NULL ? "" : b.detail, b.granule,
                  (unsigned long long)b.found, (unsigned long long)b.expected);
}

static unsigned char *payload(uint32_t i) { return (unsigned char *)&cells[i + 1]; }

/* The last 8 bytes are the next header's first, the program's while the chunk is in use. */
static size_t usable(uint32_t size) { return (size_t)size * GRANULE_BYTES - CHUNK_OVERHEAD_BYTES; }

static void look(unsigned n) {
    const unsigned char *p = payload(run.chunk[n].index);
    size_t bytes = usable(run.chunk[n].size);
    if (p[0] != run.chunk[n].byte || memcmp(p, p + 1, bytes - 1) != 0)
        sim_break("contents", "chunk %u of %u granules is not as written", run.chunk[n].index,
                  run.chunk[n].size);
}

static void fill(unsigned n) {
    run.chunk[n].byte = ++run.next_byte;
    memset(payload(run.chunk[n].index), run.chunk[n].byte, usable(run.chunk[n].size));
}

static void require_apart(unsigned n) {
    uint32_t from = run.chunk[n].index, to = from + run.chunk[n].size;
    for (unsigned k = 0; k < run.live; k++)
        if (k != n && from < run.chunk[k].index + run.chunk[k].size && run.chunk[k].index < to)
            sim_break("overlap", "chunk %u of %u granules overlaps chunk %u of %u", from,
                      run.chunk[n].size, run.chunk[k].index, run.chunk[k].size);
    if (from < REGION_FIRST || to > run.r.bins.fence)
        sim_break("overlap", "chunk %u of %u granules is outside of the region", from,
                  run.chunk[n].size);
}

static void require_zero(void) {
    struct page_run zero = run.r.served_zero;
    const unsigned char *p = (unsigned char *)&cells[zero.from];
    size_t bytes = zero.to > zero.from ? (size_t)(zero.to - zero.from) * GRANULE_BYTES : 0;
    if (bytes > 0 && (p[0] != 0 || memcmp(p, p + 1, bytes - 1) != 0))
        sim_break("zero", "granules %u to %u were said to read as zero", zero.from, zero.to);
}

/* ---- operations ----------------------------------------------------------------------------- */

static void settle(uint32_t i, uint32_t size, uint32_t align) {
    if (i == 0)
        return;
    uint32_t has = cells[i].size;
    if (has != size && has != size + 1)
        sim_break("size", "chunk %u has %u granules, %u were asked for", i, has, size);
    if (((uintptr_t)payload(i) / GRANULE_BYTES) % align != 0)
        sim_break("alignment", "chunk %u is not aligned to %u granules", i, align);
    if (align == 1)
        require_zero();
    run.chunk[run.live].index = i;
    run.chunk[run.live].size = has;
    require_apart(run.live);
    fill(run.live++);
}

/* Several chunks at once, as a cache refills; what was said to be zero is the last one's. */
static void allocate_run(uint32_t size, uint32_t wanted) {
    uint32_t served[LIVE_MAX];
    if (wanted > LIVE_MAX - run.live)
        wanted = LIVE_MAX - run.live;
    uint32_t count = region_allocate_run(&run.r, size, run.fast_max, wanted, served);
    if (count > wanted)
        sim_break("size", "%u chunks were served, %u wanted", count, wanted);
    require_zero();
    run.r.served_zero = (struct page_run){0, 0};
    for (uint32_t i = 0; i < count; i++)
        settle(served[i], size, 1);
}

static void give_back(unsigned n) {
    look(n);
    uint32_t i = run.chunk[n].index;
    run.chunk[n] = run.chunk[--run.live];
    region_free(&run.r, i, run.fast_max);
}

static void resize(unsigned n, uint32_t size) {
    uint32_t i = run.chunk[n].index, before = run.chunk[n].size;
    look(n);
    bool done = region_resize(&run.r, i, size);
    uint32_t has = cells[i].size;
    if (done ? has != size && has != size + 1 : has != before)
        sim_break("resize", "chunk %u of %u granules: resized to %u: %d, has %u", i, before, size,
                  done, has);
    run.chunk[n].size = has < before ? has : before;
    look(n);
    run.chunk[n].size = has;
    require_apart(n);
    fill(n);
}

/* As the arena does it: the pages' contents are lost. */
static void purge(void) {
    uint32_t i = region_oldest_dirty(&run.r);
    if (i == 0)
        return;
    struct page_run pages = region_whole_pages(&run.r, i);
    region_set_purged(&run.r, i, pages);
    memset(&cells[pages.from], 0, (size_t)(pages.to - pages.from) * GRANULE_BYTES);
}

/* The system gives whole pages, which read as zero. */
static void extend(uint32_t by) {
    uint32_t now = region_granules(&run.r);
    uint32_t granules = (now + by + PAGE_GRANULES) / PAGE_GRANULES * PAGE_GRANULES;
    if (granules > granules_max())
        return;
    memset(&cells[now], 0, (size_t)(granules - now) * GRANULE_BYTES);
    region_extend(&run.r, granules, now % PAGE_GRANULES == 0);
    if (run.used < granules)
        run.used = granules;
}

static void trim(uint32_t keep) {
    if (keep < CHUNK_MIN_GRANULES)
        keep = CHUNK_MIN_GRANULES;
    if (keep < region_top_granules(&run.r))
        region_trim(&run.r, keep);
}

/* Most are small, so that many chunks meet; up to four pages' worth, rarely up to 4096 granules. */
static uint32_t draw_size(const uint8_t *b) {
    uint32_t size = b[0];
    if (b[1] % 4 == 0)
        size = size % 16;
    else if (b[1] % 16 == 1)
        size = size * 4;
    else if (b[1] % 16 == 2)
        size = PAGE_GRANULES * (1 + b[1] / 16u % 4) + size - 128;
    else if (b[1] % 64 == 3)
        size = size * 16;
    return size < CHUNK_MIN_GRANULES ? CHUNK_MIN_GRANULES : size;
}

static void step(const uint8_t *record) {
    uint32_t size = draw_size(record + 2);
    unsigned n = run.live == 0 ? 0 : record[1] % run.live;
    switch (record[0] % 16) {
    case 0:
        region_consolidate(&run.r);
        break;
    case 1:
        purge();
        break;
    case 2:
        trim(size);
        break;
    case 3:
        extend(size * 4);
        break;
    case 4:
        if (run.live < LIVE_MAX)
            settle(region_allocate_aligned(&run.r, size, 2u << record[1] % 10), size,
                   2u << record[1] % 10);
        break;
    case 5:
    case 6:
        if (run.live > 0)
            resize(n, size);
        break;
    case 7:
    case 8:
    case 9:
    case 10:
        if (run.live > 0)
            give_back(n);
        break;
    case 11:
        allocate_run(size, record[1] % 16);
        break;
    default:
        if (run.live < LIVE_MAX)
            settle(region_allocate(&run.r, size, run.fast_max), size, 1);
    }
}

/* ---- a run ---------------------------------------------------------------------------------- */

static void start(const uint8_t *header) {
    uint32_t granules =
        REGION_MIN_GRANULES + header[1] * 64u % (granules_max() - REGION_MIN_GRANULES);
    memset(cells, 0, (size_t)run.used * GRANULE_BYTES);
    uint64_t secret = header[2] | (uint64_t)header[3] << 8;
    struct seal_key key = {.base = (uintptr_t)cells / GRANULE_BYTES,
                           .secret = (secret + 1) * 0x9e3779b97f4a7c15u,
                           .multiplier = (secret << 32 ^ 0x2545f4914f6cdd1d) | 1,
                           .state = {0x1111, 0x2222, 0x4444, 0x8888}};
    run.fast_max = header[0] % 16 > FAST_MAX_GRANULES ? 0 : header[0] % 16;
    run.walk_every = (const unsigned[]){8, 1, 2, 32}[header[0] >> 4 & 3];
    run.live = 0;
    run.used = granules;
    if (contracts_watch != NULL)
        contracts_watch(NULL, NULL, 0);
    region_init(&run.r, cells, granules, &key, 0);
    if (contracts_watch != NULL)
        contracts_watch(&run.r, cells, CONTRACT_GRANULES_MAX);
}

/* With everything freed the region is one top chunk again. */
static void finish(void) {
    while (run.live > 0)
        give_back(run.live - 1);
    region_consolidate(&run.r);
    walk();
    if (!region_is_empty(&run.r))
        sim_break("lost", "all is freed, but top starts at %u", run.r.top);
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc, (void)argv;
    counters_open();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t header[HEADER_BYTES] = {0};
    size_t given = size < HEADER_BYTES ? size : HEADER_BYTES;
    memcpy(header, data, given);
    start(header);
    unsigned steps = (unsigned)((size - given) / RECORD_BYTES);
    for (unsigned i = 0; i < steps; i++) {
        step(data + given + i * RECORD_BYTES);
        if (i % run.walk_every == 0)
            walk();
    }
    finish();
    counters_add(steps);
    return 0;
}
