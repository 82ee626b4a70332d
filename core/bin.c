/* bin.c: see bin.h. Touches links of free chunks, bin heads and struct bins only. */
#include "bin.h"

#include "report.h"

/* Large bins: runs of bins, each run eight times as wide as the one before. */
struct bin_run {
    uint32_t first_granules; /* smallest size of the run */
    uint32_t width_granules; /* range of sizes that share one bin */
    uint32_t first_bin;
};

static const struct bin_run runs[] = {
    {LARGE_MIN_GRANULES, 4, 64}, /* 1 KiB: 32 bins of 64 bytes */
    {192, 32, 96}, /* 3 KiB: 16 bins of 512 bytes */
    {704, 256, 112}, /* 11 KiB: 8 bins of 4 KiB */
    {2752, 2048, 120}, /* 43 KiB: 4 bins of 32 KiB */
    {10944, 16384, 124}, /* 171 KiB: 2 bins of 256 KiB */
    {43712, 131072, 126}, /* 683 KiB: 1 bin of 2 MiB, then one for all the rest */
};
enum { RUN_COUNT = sizeof runs / sizeof runs[0] };

uint32_t bin_index(uint32_t size) {
    if (size < LARGE_MIN_GRANULES)
        return size;
    uint32_t r = RUN_COUNT - 1;
    while (size < runs[r].first_granules)
        r--;
    uint32_t bin = runs[r].first_bin + (size - runs[r].first_granules) / runs[r].width_granules;
    return bin < BIN_COUNT ? bin : BIN_COUNT - 1;
}

void bins_init(struct granule *g, struct bins *b, uint32_t fence) {
    *b = (struct bins){.fence = fence};
    for (uint32_t bin = 0; bin < BIN_COUNT; bin++) {
        g[bin].lo = bin;
        g[bin].hi = bin;
    }
}

static void mark(struct bins *b, uint32_t bin) { b->map[bin / 64] |= (uint64_t)1 << (bin % 64); }

static void unmark(struct bins *b, uint32_t bin) {
    b->map[bin / 64] &= ~((uint64_t)1 << (bin % 64));
}

uint32_t bin_next_marked(const struct bins *b, uint32_t from) {
    if (from < 64) {
        uint64_t low = b->map[0] >> from;
        if (low != 0)
            return from + (uint32_t)__builtin_ctzll(low);
        from = 64;
    }
    if (from >= BIN_COUNT)
        return BIN_COUNT;
    uint64_t high = b->map[1] >> (from - 64);
    return high != 0 ? from + (uint32_t)__builtin_ctzll(high) : BIN_COUNT;
}

uint32_t bin_last(const struct granule *g, uint32_t bin) {
    return g[bin].hi == bin ? 0 : g[bin].hi - 1;
}

/* Whether nodes x and y of a list name each other. Links of freed chunks lie where the program may
 * still write: none is followed before it is known to stay in the region. */
static bool answered(const struct granule *g, const struct bins *b, uint32_t x, uint32_t y) {
    return x < b->fence && y < b->fence && g[x].lo == y && g[y].hi == x;
}

/* Hang x into a circular list between `before` and what follows it. */
static void hook_checked(struct granule *g, const struct bins *b, uint32_t x, uint32_t before,
                         enum fault fault) {
    if (before >= b->fence || !answered(g, b, before, g[before].lo))
        report_fault(fault, &g[x], NULL, "neighbour in a list");
    uint32_t after = g[before].lo;
    g[x].lo = after;
    g[x].hi = before;
    g[before].lo = x;
    g[after].hi = x;
}

void bin_hook(struct granule *g, const struct bins *b, uint32_t x, uint32_t before) {
    hook_checked(g, b, x, before, FAULT_LINK);
}

static void ring_hook(struct granule *g, const struct bins *b, uint32_t y, uint32_t after) {
    hook_checked(g, b, y, g[after].hi, FAULT_NEXTSIZE);
}

static void count_in(struct bins *b, uint32_t size) {
    b->free_chunks++;
    b->free_granules += size;
}

void bin_insert_unsorted(struct granule *g, struct bins *b, uint32_t i) {
    if (g[i].size >= LARGE_MIN_GRANULES)
        g[i + 2].lo = g[i + 2].hi = 0;
    bin_hook(g, b, i + 1, BIN_UNSORTED);
    mark(b, BIN_UNSORTED);
    count_in(b, g[i].size);
}

/* From ring granule y to the next one `to`, which must lie in the region and hold a size on the
 * expected side: so a damaged ring leads neither out of the region nor round for ever. */
static uint32_t ring_step(const struct granule *g, const struct bins *b, uint32_t y, uint32_t to,
                          bool descending) {
    if (to < BIN_COUNT + 2 || to >= b->fence)
        report_fault(FAULT_NEXTSIZE, &g[y], NULL, "nextsize link leaves the region");
    if (descending ? g[to - 2].size >= g[y - 2].size : g[to - 2].size <= g[y - 2].size)
        report_fault(FAULT_NEXTSIZE, &g[y], NULL, "nextsize ring is not sorted");
    return to;
}

/* Node behind which large chunk i belongs in its bin; joins the ring if its size is new. */
static uint32_t large_place(struct granule *g, const struct bins *b, uint32_t bin, uint32_t i) {
    uint32_t size = g[i].size, ring = i + 2;
    g[ring].lo = g[ring].hi = 0;
    if (g[bin].lo == bin) {
        g[ring].lo = g[ring].hi = ring;
        return bin;
    }
    uint32_t largest = g[bin].lo + 1;
    uint32_t smallest = g[bin].hi - 1;
    if (size < g[smallest].size) {
        ring_hook(g, b, ring, largest);
        return smallest + 1;
    }
    uint32_t leader = largest;
    while (size < g[leader - 2].size)
        leader = ring_step(g, b, leader, g[leader].lo, true);
    if (g[leader - 2].size == size)
        return leader - 1;
    ring_hook(g, b, ring, leader);
    return g[leader - 1].hi;
}

void bin_insert(struct granule *g, struct bins *b, uint32_t i) {
    uint32_t bin = bin_index(g[i].size);
    uint32_t before = bin < BIN_LARGE_FIRST ? bin : large_place(g, b, bin, i);
    bin_hook(g, b, i + 1, before);
    mark(b, bin);
    count_in(b, g[i].size);
}

/* Chunk i leaves the nextsize ring; the next chunk of its size takes its place, if there is one. */
static void ring_unhook(struct granule *g, const struct bins *b, uint32_t i) {
    uint32_t y = i + 2, after = g[y].lo, before = g[y].hi;
    if (!answered(g, b, before, y) || !answered(g, b, y, after))
        report_fault(FAULT_NEXTSIZE, &g[y], &g[i], "nextsize links disagree");
    uint32_t heir = g[i + 1].lo; /* node of the chunk behind in the bin, or the head */
    if (heir >= b->fence)
        report_fault(FAULT_LINK, &g[i + 1], &g[i], "bin link leaves the region");
    if (heir >= BIN_COUNT && g[heir - 1].size == g[i].size) {
        heir++;
        g[heir].lo = after == y ? heir : after;
        g[heir].hi = before == y ? heir : before;
        g[after == y ? heir : after].hi = heir;
        g[before == y ? heir : before].lo = heir;
    } else {
        g[before].lo = after;
        g[after].hi = before;
    }
}

void bin_unhook(struct granule *g, const struct bins *b, uint32_t x) {
    uint32_t fd = g[x].lo, bk = g[x].hi;
    if (!answered(g, b, bk, x) || !answered(g, b, x, fd))
        report_fault(FAULT_LINK, &g[x], NULL, "links disagree");
    g[fd].hi = bk;
    g[bk].lo = fd;
}

void bin_unlink(struct granule *g, struct bins *b, uint32_t i) {
    if (g[i].size >= LARGE_MIN_GRANULES && g[i + 2].lo != 0)
        ring_unhook(g, b, i);
    uint32_t fd = g[i + 1].lo, bk = g[i + 1].hi;
    bin_unhook(g, b, i + 1);
    if (fd == bk && fd < BIN_COUNT)
        unmark(b, fd);
    b->free_chunks--;
    b->free_granules -= g[i].size;
}

uint32_t bin_best_fit(const struct granule *g, const struct bins *b, uint32_t bin, uint32_t size) {
    if (g[bin].lo == bin || g[g[bin].lo - 1].size < size)
        return 0;
    uint32_t largest = g[bin].lo + 1;
    uint32_t leader = g[largest].hi; /* the smallest size's */
    if (leader < BIN_COUNT + 2 || leader >= b->fence)
        report_fault(FAULT_NEXTSIZE, &g[largest], NULL, "nextsize link leaves the region");
    while (g[leader - 2].size < size)
        leader = ring_step(g, b, leader, g[leader].hi, false);
    /* Prefer one that is not in the ring: it leaves without touching it. */
    uint32_t second = g[leader - 1].lo;
    if (second >= b->fence)
        report_fault(FAULT_LINK, &g[leader - 1], &g[leader - 2], "bin link leaves the region");
    bool twin = second >= BIN_COUNT && g[second - 1].size == g[leader - 2].size;
    return twin ? second - 1 : leader - 2;
}

void fast_push(struct granule *g, const struct seal_key *k, struct bins *b, uint32_t i) {
    uint32_t size = g[i].size;
    header_write(g, k, i, size, g[i].flags, SEAL_CACHED);
    g[i + 1].lo = b->fast[size];
    b->fast[size] = i;
    b->fast_chunks++;
    b->fast_granules += size;
}

uint32_t fast_pop(struct granule *g, const struct seal_key *k, struct bins *b, uint32_t size) {
    uint32_t i = b->fast[size];
    if (i == 0)
        return 0;
    if (g[i].size != size || !header_is(g, k, i, SEAL_CACHED))
        report_fault(FAULT_FAST, &g[i + 1], &g[i], "fast bin holds another chunk");
    uint32_t next = g[i + 1].lo;
    if (next != 0 && (next < REGION_FIRST || next >= b->fence))
        report_fault(FAULT_FAST, &g[i + 1], &g[i], "fast bin link leaves the region");
    b->fast[size] = next;
    b->fast_chunks--;
    b->fast_granules -= size;
    return i;
}
