/* driver.c: what Eva runs: every entry point of a region on a static heap, with unknown sizes.
 *
 * The sizes are those of a range, one after another, so that the heap stays exact; what the program
 * writes into its blocks stays unknown. Thus a read of a payload as if it were a link, an access
 * outside the cells, an overflow, or a report of a fault on a sound heap becomes an alarm.
 * Never compiled, only analysed.
 */
#include "region.h"
#include "report.h"

enum { SMALL_GRANULES = REGION_FIRST + 41, LARGE_GRANULES = 4096 };

static struct granule cells[LARGE_GRANULES];
static struct region r;
extern volatile uint32_t anything;

/* Reached by no sound heap: an alarm where it is. */
static void fail(void) {
    int *nowhere = 0;
    *nowhere = 1;
}

static void check(bool holds) {
    if (!holds)
        fail();
}

/* The compiler's own function, as its manual describes it. */
int ctzll(unsigned long long word) {
    int zeros = 0;
    for (; word % 2 == 0; word /= 2)
        zeros++;
    return zeros;
}

void report_fault(enum fault fault, const void *pointer, const void *chunk, const char *detail) {
    (void)fault, (void)pointer, (void)chunk, (void)detail;
    fail();
    for (;;)
        ;
}

/* A key of ones: the products of a seal wrap on purpose, which Eva would take for an end. */
static void start(uint32_t granules) {
    struct seal_key key = {.base = 0x70000,
                           .secret = 1,
                           .multiplier = 1,
                           .state = {0x1111, 0x2222, 0x4444, 0x8888}};
    region_init(&r, cells, granules, &key, 0);
}

/* The program owns chunk i, or nothing when it is 0, and writes whatever it likes. */
static uint32_t use(uint32_t i) {
    if (i == 0)
        return 0;
    check(REGION_FIRST <= i && i + r.g[i].size <= r.bins.fence);
    uint32_t end = i + r.g[i].size;
    for (uint32_t n = i + 1; n < end; n++) {
        r.g[n].lo = r.g[n].hi = r.g[n].size = anything;
        r.g[n].seal = (uint16_t)(anything % 65536u);
        r.g[n].prev_inuse = r.g[n].flags = (uint8_t)(anything % 256u);
    }
    r.g[end].lo = r.g[end].hi = anything;
    return i;
}

static void release(uint32_t i, uint32_t fast_max) {
    if (i != 0)
        region_free(&r, i, fast_max);
}

/* Two blocks, one freed between two others, then a request of any size. */
static void blocks(uint32_t size, uint32_t next, uint32_t again) {
    start(SMALL_GRANULES);
    uint32_t a = use(region_allocate(&r, size, 0));
    uint32_t b = use(region_allocate(&r, next, 8));
    uint32_t c = use(region_allocate(&r, size + next, 0));
    release(a, 0);
    release(c, 0);
    uint32_t d = use(region_allocate(&r, again, 0));
    release(b, 0);
    release(d, 0);
    check(region_is_empty(&r));
}

/* Fast bins: chunks wait, are handed out again, and are merged. */
static void fast(uint32_t size, uint32_t other) {
    start(SMALL_GRANULES);
    uint32_t a = use(region_allocate(&r, size, 8));
    uint32_t b = use(region_allocate(&r, other, 8));
    uint32_t c = use(region_allocate(&r, size, 8));
    release(a, 8);
    release(b, 8);
    release(c, 8);
    uint32_t d = use(region_allocate(&r, other, 8));
    region_consolidate(&r);
    release(d, 0);
    check(region_is_empty(&r));
}

/* An aligned block, resized in place. */
static void resized(uint32_t size, uint32_t align, uint32_t now) {
    start(SMALL_GRANULES);
    uint32_t a = use(region_allocate(&r, 3, 0));
    uint32_t b = use(region_allocate_aligned(&r, size, align));
    if (b != 0 && region_resize(&r, b, now))
        use(b);
    release(a, 0);
    release(b, 0);
    check(region_is_empty(&r));
}

/* The end moves: trimmed, then grown again. */
static void moved(uint32_t size, uint32_t keep) {
    start(SMALL_GRANULES);
    uint32_t a = use(region_allocate(&r, size, 0));
    uint32_t end = region_trim(&r, keep);
    check(end == region_granules(&r) && end <= SMALL_GRANULES);
    if (end < SMALL_GRANULES)
        region_extend(&r, SMALL_GRANULES, false);
    uint32_t b = use(region_allocate(&r, keep, 0));
    release(a, 0);
    release(b, 0);
    check(region_is_empty(&r));
}

/* Free chunks of many pages, given back and taken again; large bins. */
static void pages(uint32_t size, uint32_t again) {
    start(LARGE_GRANULES - 512);
    uint32_t a = use(region_allocate(&r, size, 8));
    uint32_t b = use(region_allocate(&r, again, 8));
    uint32_t c = use(region_allocate(&r, 2 * size, 8));
    uint32_t d = use(region_allocate(&r, 2, 8));
    release(a, 8);
    release(c, 8);
    uint32_t oldest = region_oldest_dirty(&r);
    check(oldest == 0 || region_dirty(&r, oldest) != 0);
    if (oldest != 0)
        region_set_purged(&r, oldest, region_whole_pages(&r, oldest));
    region_extend(&r, LARGE_GRANULES, true);
    uint32_t e = use(region_allocate(&r, again, 8));
    release(b, 8);
    release(d, 8);
    release(e, 8);
    region_consolidate(&r);
    check(region_is_empty(&r));
}

/* Several at once, from one free chunk and from fast bins. */
static void runs(uint32_t size, uint32_t wanted) {
    uint32_t served[4] = {0, 0, 0, 0};
    start(SMALL_GRANULES);
    uint32_t a = use(region_allocate(&r, 2 * size + 1, 8));
    uint32_t b = use(region_allocate(&r, 2, 8));
    release(a, 0);
    release(b, 8);
    uint32_t count = region_allocate_run(&r, size, 8, wanted, served);
    check(count <= wanted);
    for (uint32_t n = 0; n < count; n++)
        use(served[n]);
    for (uint32_t n = 0; n < count; n++)
        release(served[n], 8);
    region_consolidate(&r);
    check(region_is_empty(&r));
}

void main(void) {
    for (uint32_t size = 2; size <= 4; size++)
        for (uint32_t next = 2; next <= 4; next++)
            for (uint32_t again = 2; again <= 8; again += 2)
                blocks(size, next, again);
    for (uint32_t size = 2; size <= 9; size++)
        for (uint32_t other = 2; other <= 8; other += 3)
            fast(size, other);
    for (uint32_t size = 2; size <= 4; size++)
        for (uint32_t align = 1; align <= 4; align *= 2)
            for (uint32_t now = 2; now <= 12; now += 2)
                resized(size, align, now);
    for (uint32_t size = 2; size <= 38; size += 6)
        for (uint32_t keep = 2; keep <= 38; keep += 6)
            moved(size, keep);
    for (uint32_t size = 2; size <= 5; size++)
        for (uint32_t wanted = 1; wanted <= 4; wanted++)
            runs(size, wanted);
    for (uint32_t size = PURGE_MIN_GRANULES - 1; size <= PURGE_MIN_GRANULES + 1; size++)
        pages(size, 64);
}
