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
    /*@ loop invariant run: r < RUN_COUNT;
        loop invariant larger: \forall integer q; r < q < RUN_COUNT ==>
            size < runs[q].first_granules;
        loop assigns r;
        loop variant r;
    */
    while (size < runs[r].first_granules)
        r--;
    uint32_t bin = runs[r].first_bin + (size - runs[r].first_granules) / runs[r].width_granules;
    return bin < BIN_COUNT ? bin : BIN_COUNT - 1;
}

/* A 32nd of the run's width, where that is more than one granule; what is added makes ranks ascend from
 * run to run, too. */
uint32_t bin_rank(uint32_t size) {
    if (size < 704)
        return size;
    if (size < 2752)
        return size / 8 + 616;
    if (size < 10944)
        return size / 64 + 917;
    return size < 43712 ? size / 512 + 1067 : size / 4096 + 1143;
}

/* No node but the heads: the map's side of bins_init. */
/*@ ghost
    /@ requires fence: REGION_FIRST < fence <= REGION_LIMIT_GRANULES;
       terminates \true;
       exits never: \false;
       assigns list[0 .. fence], tally[0 .. fence];
       ensures heads: heads;
       ensures tally: \forall integer x; 0 <= x <= fence ==> tally[x] == 0;
       ensures none: \forall integer x; REGION_FIRST <= x <= fence ==> list[x] == LIST_NONE;
       ensures free: free_chunks_below(fence) == 0 && free_granules_below(fence) == 0;
       ensures fast: fast_chunks_below(fence) == 0 && fast_granules_below(fence) == 0;
    @/
    void map_heads(void) {
        uint32_t n = 0;
        uint32_t x = 0;
        /@ loop invariant x: x <= fence + 1;
           loop invariant heads: \forall integer y; 0 <= y < x && y < BIN_COUNT ==>
               list[y] == (y == DIRTY_HEAD ? LIST_DIRTY : y);
           loop invariant none: \forall integer y; REGION_FIRST <= y < x ==> list[y] == LIST_NONE;
           loop invariant tally: \forall integer y; 0 <= y < x ==> tally[y] == 0;
           loop assigns x, list[0 .. fence], tally[0 .. fence];
           loop variant fence + 1 - x;
        @/
        while (x <= fence) {
            tally[x] = 0;
            list[x] = x == DIRTY_HEAD ? LIST_DIRTY : x < BIN_COUNT ? x : LIST_NONE;
            x++;
        }
        /@ loop invariant n: n <= fence;
           loop invariant free: free_chunks_below(n) == 0 && free_granules_below(n) == 0;
           loop invariant fast: fast_chunks_below(n) == 0 && fast_granules_below(n) == 0;
           loop assigns n;
           loop variant fence - n;
        @/
        while (n < fence)
            n++;
    }
*/

void bins_init(struct granule *g, struct bins *b, uint32_t end) {
    //@ ghost map_heads();
    b->map[0] = b->map[1] = 0;
    b->fence = end;
    b->fast_chunks = b->fast_granules = b->free_chunks = b->free_granules = 0;
    /*@ loop invariant size: size <= FAST_BIN_COUNT;
        loop invariant fast: \forall integer s; 0 <= s < size ==> b->fast[s] == 0;
        loop assigns size, b->fast[0 .. FAST_BIN_COUNT - 1];
        loop variant FAST_BIN_COUNT - size;
    */
    for (uint32_t size = 0; size < FAST_BIN_COUNT; size++)
        b->fast[size] = 0;
    /*@ loop invariant bin: bin <= BIN_COUNT;
        loop invariant empty: \forall integer c; 0 <= c < bin ==> g[c].lo == c && g[c].hi == c;
        loop assigns bin, g[0 .. BIN_COUNT - 1].lo, g[0 .. BIN_COUNT - 1].hi;
        loop variant BIN_COUNT - bin;
    */
    for (uint32_t bin = 0; bin < BIN_COUNT; bin++) {
        g[bin].lo = bin;
        g[bin].hi = bin;
    }
}

/*@ requires bit: k < 64;
    terminates \true;
    exits never: \false;
    assigns \nothing;
    ensures set: bit(\result, k);
    ensures others: \forall integer j; 0 <= j < 64 && j != k ==> (bit(\result, j) <==> bit(word, j));
*/
static uint64_t with_bit(uint64_t word, uint32_t k) { return word | (uint64_t)1 << k; }

/*@ requires bit: k < 64;
    terminates \true;
    exits never: \false;
    assigns \nothing;
    ensures clear: !bit(\result, k);
    ensures others: \forall integer j; 0 <= j < 64 && j != k ==> (bit(\result, j) <==> bit(word, j));
*/
static uint64_t without_bit(uint64_t word, uint32_t k) { return word & ~((uint64_t)1 << k); }

/*@ requires bit: k < 64;
    terminates \true;
    exits never: \false;
    assigns \nothing;
    ensures none: \result == 0 ==> \forall integer j; k <= j < 64 ==> !bit(word, j);
    ensures kept: \forall integer j; k <= j < 64 ==> (bit(word, j) <==> bit(\result, j - k));
    ensures gone: \forall integer j; 64 - k <= j < 64 ==> !bit(\result, j);
*/
static uint64_t from_bit(uint64_t word, uint32_t k) {
    //@ assert none: \forall integer j; 0 <= j < 64 ==> !bit(0, j);
    uint64_t rest = word >> k;
    //@ assert kept: \forall integer j; k <= j < 64 ==> (bit(word, j) <==> bit(rest, j - k));
    return rest;
}

/*@ requires writable: \valid(b);
    requires bin: bin < BIN_COUNT;
    terminates \true;
    exits never: \false;
    assigns b->map[bin / 64];
    ensures marked: marked(b, bin);
    ensures others: \forall integer c; 0 <= c < BIN_COUNT && c != bin ==>
        (marked(b, c) <==> \old(marked(b, c)));
*/
static void mark(struct bins *b, uint32_t bin) {
    b->map[bin / 64] = with_bit(b->map[bin / 64], bin % 64);
}

/*@ requires writable: \valid(b);
    requires bin: bin < BIN_COUNT;
    terminates \true;
    exits never: \false;
    assigns b->map[bin / 64];
    ensures unmarked: !marked(b, bin);
    ensures others: \forall integer c; 0 <= c < BIN_COUNT && c != bin ==>
        (marked(b, c) <==> \old(marked(b, c)));
*/
static void unmark(struct bins *b, uint32_t bin) {
    b->map[bin / 64] = without_bit(b->map[bin / 64], bin % 64);
}

uint32_t bin_next_marked(const struct bins *b, uint32_t from) {
    if (from < 64) {
        uint64_t low = from_bit(b->map[0], from);
        if (low != 0) {
            uint32_t found = from + lowest_bit(low);
            //@ assert within: bit(low, found - from) && from <= found < 64;
            //@ assert found: bit(b->map[0], found);
            //@ assert first: \forall integer c; from <= c < found ==> !bit(b->map[0], c);
            //@ assert none: \forall integer c; from <= c < found ==> !marked(b, c);
            return found;
        }
        //@ assert low: \forall integer c; from <= c < 64 ==> !marked(b, c);
        from = 64;
    }
    if (from >= BIN_COUNT)
        return BIN_COUNT;
    uint64_t high = from_bit(b->map[1], from - 64);
    //@ assert high: high == 0 ==> \forall integer c; from <= c < BIN_COUNT ==> !marked(b, c);
    if (high == 0)
        return BIN_COUNT;
    uint32_t found = from + lowest_bit(high);
    //@ assert within: bit(high, found - from) && \at(from, Pre) <= from <= found < BIN_COUNT;
    //@ assert found: bit(b->map[1], found - 64);
    //@ assert first: \forall integer c; from <= c < found ==> !bit(b->map[1], c - 64);
    //@ assert none: \forall integer c; \at(from, Pre) <= c < found ==> !marked(b, c);
    return found;
}

uint32_t bin_last(const struct granule *g, uint32_t bin) {
    //@ assert hooked: hooked(g, bin);
    //@ assert node: g[bin].hi != bin ==> g[bin].hi >= REGION_FIRST && place(g[bin].hi);
    return g[bin].hi == bin ? 0 : g[bin].hi - 1;
}

/* Whether nodes x and y of a list name each other. Links of freed chunks lie where the program may
 * still write: none is followed before it is known to stay in the region. */
/*@ requires cells: cells(g);
    requires bound: bound(g, b);
    terminates \true;
    exits never: \false;
    assigns \nothing;
    ensures told: \result <==> x < fence && y < fence && g[x].lo == y && g[y].hi == x;
*/
static bool answered(const struct granule *g, const struct bins *b, uint32_t x, uint32_t y) {
    return x < b->fence && y < b->fence && g[x].lo == y && g[y].hi == x;
}

/* Hang x into a circular list between `before` and what follows it. */
/*@ requires cells: cells(g);
    requires bound: bound(g, b);
    requires tiled: tiled(g);
    requires tagged: tagged(g);
    requires linked: linked_but(g, x);
    requires inner: inner;
    requires hangs: before < fence && before != x && hangs(before);
    requires joined: x < fence && list[x] == list[before];
    terminates \true;
    exits never: \false;
    assigns g[x].lo, g[x].hi, g[before].lo, g[g[before].lo].hi;
    ensures behind: answers(g, before, x);
    ensures ahead: g[x].lo == \old(g[before].lo) && answers(g, x, g[x].lo);
    ensures linked: linked(g);
    ensures links: same_links{Pre, Post}(g, x, before, x, \old(g[before].lo));
    ensures sizes: same_sizes{Pre, Post}(g, -1, -1);
    ensures tiled: tiled(g);
    ensures tagged: tagged(g);
*/
static void hook_checked(struct granule *g, const struct bins *b, uint32_t x, uint32_t before,
                         enum fault fault) {
    //@ assert hooked: hooked(g, before);
    if (before >= b->fence || !answered(g, b, before, g[before].lo))
        report_fault(fault, &g[x], NULL, "neighbour in a list");
    uint32_t after = g[before].lo;
    g[x].lo = after;
    g[x].hi = before;
    g[before].lo = x;
    g[after].hi = x;
    //@ assert self: hooked(g, x);
    //@ assert others: \forall integer y; 0 <= y < fence && hangs(y) && y != x ==> hooked(g, y);
}

void bin_hook(struct granule *g, const struct bins *b, uint32_t x, uint32_t before) {
    hook_checked(g, b, x, before, FAULT_LINK);
}

/* Node x joins or leaves a list: the map's side, with what it means for `counted`. */
/*@ ghost
    /@ requires fence: REGION_FIRST < fence <= REGION_LIMIT_GRANULES;
       requires loose: x < fence && tally[x] == 0 && (kind == 1 || kind == 2);
       terminates \true;
       exits never: \false;
       assigns tally[x], weight[x];
       ensures joined: tally[x] == kind && weight[x] == size;
       ensures free_chunks:
           free_chunks_below(fence) == \old(free_chunks_below(fence)) + free_node(x);
       ensures free_granules: free_granules_below(fence) ==
           \old(free_granules_below(fence)) + free_node(x) * size;
       ensures fast_chunks:
           fast_chunks_below(fence) == \old(fast_chunks_below(fence)) + fast_node(x);
       ensures fast_granules: fast_granules_below(fence) ==
           \old(fast_granules_below(fence)) + fast_node(x) * size;
    @/
    void join(uint32_t x, uint8_t kind, uint32_t size) {
        uint32_t n = 0;
        tally[x] = kind;
        weight[x] = size;
        /@ loop invariant n: n <= fence;
           loop invariant free_chunks: free_chunks_below(n) ==
               free_chunks_below{Pre}(n) + (x < n ? free_node(x) : 0);
           loop invariant free_granules: free_granules_below(n) ==
               free_granules_below{Pre}(n) + (x < n ? free_node(x) * size : 0);
           loop invariant fast_chunks: fast_chunks_below(n) ==
               fast_chunks_below{Pre}(n) + (x < n ? fast_node(x) : 0);
           loop invariant fast_granules: fast_granules_below(n) ==
               fast_granules_below{Pre}(n) + (x < n ? fast_node(x) * size : 0);
           loop assigns n;
           loop variant fence - n;
        @/
        while (n < fence)
            n++;
    }

    /@ requires fence: REGION_FIRST < fence <= REGION_LIMIT_GRANULES;
       requires node: x < fence;
       terminates \true;
       exits never: \false;
       assigns tally[x];
       ensures left: tally[x] == 0;
       ensures free_chunks:
           free_chunks_below(fence) == \old(free_chunks_below(fence) - free_node(x));
       ensures free_granules: free_granules_below(fence) ==
           \old(free_granules_below(fence) - free_node(x) * weight[x]);
       ensures fast_chunks:
           fast_chunks_below(fence) == \old(fast_chunks_below(fence) - fast_node(x));
       ensures fast_granules: fast_granules_below(fence) ==
           \old(fast_granules_below(fence) - fast_node(x) * weight[x]);
    @/
    void leave(uint32_t x) {
        uint32_t n = 0;
        tally[x] = 0;
        /@ loop invariant n: n <= fence;
           loop invariant free_chunks: free_chunks_below(n) ==
               free_chunks_below{Pre}(n) - (x < n ? free_node{Pre}(x) : 0);
           loop invariant free_granules: free_granules_below(n) ==
               free_granules_below{Pre}(n) - (x < n ? free_node{Pre}(x) * weight[x] : 0);
           loop invariant fast_chunks: fast_chunks_below(n) ==
               fast_chunks_below{Pre}(n) - (x < n ? fast_node{Pre}(x) : 0);
           loop invariant fast_granules: fast_granules_below(n) ==
               fast_granules_below{Pre}(n) - (x < n ? fast_node{Pre}(x) * weight[x] : 0);
           loop assigns n;
           loop variant fence - n;
        @/
        while (n < fence)
            n++;
    }
*/

/* No node is a header, since each lies inside its chunk. */
/*@ ghost
    void nodes_inner(void) {
        /@ assert inside: \forall integer i, j; chunk(i) && i < j < i + span[i] ==> !header(j); @/
        /@ assert bins: \forall integer x; REGION_FIRST <= x <= fence &&
            LIST_NONE < list[x] < LIST_RING ==>
            place(x) && chunk(x - 1) && extent(x - 1); @/
        /@ assert rings: \forall integer x; REGION_FIRST <= x <= fence &&
            LIST_RING <= list[x] < LIST_DIRTY ==>
            place(x) && chunk(x - 2) && extent(x - 2); @/
        /@ assert dirty: \forall integer x; REGION_FIRST <= x <= fence &&
            LIST_DIRTY == list[x] ==>
            place(x) && chunk(x - 4) && extent(x - 4); @/
        /@ assert fast: \forall integer x; REGION_FIRST <= x <= fence &&
            LIST_FAST <= list[x] ==>
            place(x) && chunk(x - 1) && extent(x - 1); @/
    }
*/

/* No counter wraps: what the nodes stand for are chunks, which do not overlap. Node x itself is
 * among them. */
/*@ ghost
    /@ requires fence: REGION_FIRST < fence <= REGION_LIMIT_GRANULES;
       requires tiling: tiling;
       requires placed: placed;
       requires tallied: tallied;
       requires node: REGION_FIRST <= x < fence;
       terminates \true;
       exits never: \false;
       assigns \nothing;
       ensures above: 0 <= free_chunks_below(fence) && 0 <= fast_chunks_below(fence) &&
           0 <= free_granules_below(fence) && 0 <= fast_granules_below(fence);
       ensures chunks: free_chunks_below(fence) + fast_chunks_below(fence) <= fence;
       ensures granules: free_granules_below(fence) + fast_granules_below(fence) <= fence;
       ensures free: free_chunks_below(fence) >= free_node(x) &&
           free_granules_below(fence) >= free_node(x) * weight[x];
       ensures fast: fast_chunks_below(fence) >= fast_node(x) &&
           fast_granules_below(fence) >= fast_node(x) * weight[x];
    @/
    void sums_bounded(uint32_t x) {
        uint32_t n = 0;
        uint32_t at = 0;
        uint32_t end = REGION_FIRST;
        nodes_inner();
        /@ assert inside: \forall integer i, j; chunk(i) && i < j < i + span[i] ==> !header(j); @/
        /@ loop invariant n: n <= end <= fence;
           loop invariant heads: n <= REGION_FIRST ==> end == REGION_FIRST &&
               free_granules_below(n) + fast_granules_below(n) == 0;
           loop invariant chunk: n > REGION_FIRST ==> chunk(at) && at < n && end == at + span[at];
           loop invariant next: header(end);
           loop invariant above: 0 <= free_chunks_below(n) && 0 <= fast_chunks_below(n) &&
               0 <= free_granules_below(n) && 0 <= fast_granules_below(n);
           loop invariant chunks: free_chunks_below(n) + fast_chunks_below(n) <= n;
           loop invariant granules: n > REGION_FIRST ==>
               free_granules_below(n) + fast_granules_below(n) <= (n == at + 1 ? at : end);
           loop invariant free: x < n ==> free_chunks_below(n) >= free_node(x) &&
               free_granules_below(n) >= free_node(x) * weight[x];
           loop invariant fast: x < n ==> fast_chunks_below(n) >= fast_node(x) &&
               fast_granules_below(n) >= fast_node(x) * weight[x];
           loop assigns n, at, end;
           loop variant fence - n;
        @/
        while (n < fence) {
            if (n == end) {
                /@ assert header: list[n] == LIST_NONE && (n >= REGION_FIRST ==> tallied_as(n)); @/
                at = end;
                end += span[at];
            }
            /@ assert node: n > at + 1 && n > REGION_FIRST ==> place(n) && tallied_as(n) &&
                free_node(n) + fast_node(n) == 0; @/
            /@ assert first: n == at + 1 && n > REGION_FIRST ==> place(n) && tallied_as(n) &&
                (free_node(n) + fast_node(n) > 0 ==> weight[n] == span[at]); @/
            n++;
        }
    }
*/

/* The counters, and what node x counts for in the map. */
/*@ requires fence: REGION_FIRST < fence <= REGION_LIMIT_GRANULES;
    requires writable: \valid(b);
    requires tiling: tiling;
    requires placed: placed;
    requires counted: counted(b);
    requires node: REGION_FIRST <= x < fence && tally[x] == 0;
    terminates \true;
    exits never: \false;
    assigns b->free_chunks, b->free_granules, tally[x], weight[x];
    ensures tally: tally[x] == 1 && weight[x] == size;
    ensures counted: counted_free(b) && counted_fast(b);
    ensures chunks: b->free_chunks == \old(b->free_chunks) + 1;
*/
static void count_free_in(struct bins *b, uint32_t x, uint32_t size) {
    //@ ghost sums_bounded(x);
    //@ ghost join(x, 1, size);
    (void)x; /* named for the map alone */
    b->free_chunks++;
    b->free_granules += size;
}

/*@ requires fence: REGION_FIRST < fence <= REGION_LIMIT_GRANULES;
    requires writable: \valid(b);
    requires tiling: tiling;
    requires placed: placed;
    requires counted: counted(b);
    requires node: REGION_FIRST <= x < fence && tally[x] == 1 && weight[x] == size;
    terminates \true;
    exits never: \false;
    assigns b->free_chunks, b->free_granules, tally[x];
    ensures tally: tally[x] == 0;
    ensures counted: counted_free(b) && counted_fast(b);
    ensures chunks: b->free_chunks == \old(b->free_chunks) - 1;
*/
static void count_free_out(struct bins *b, uint32_t x, uint32_t size) {
    //@ ghost sums_bounded(x);
    //@ ghost leave(x);
    (void)x; /* named for the map alone */
    b->free_chunks--;
    b->free_granules -= size;
}

/*@ requires fence: REGION_FIRST < fence <= REGION_LIMIT_GRANULES;
    requires writable: \valid(b);
    requires tiling: tiling;
    requires placed: placed;
    requires counted: counted(b);
    requires node: REGION_FIRST <= x < fence && tally[x] == 0;
    terminates \true;
    exits never: \false;
    assigns b->fast_chunks, b->fast_granules, tally[x], weight[x];
    ensures tally: tally[x] == 2 && weight[x] == size;
    ensures counted: counted_free(b) && counted_fast(b);
    ensures chunks: b->fast_chunks == \old(b->fast_chunks) + 1;
*/
static void count_fast_in(struct bins *b, uint32_t x, uint32_t size) {
    //@ ghost sums_bounded(x);
    //@ ghost join(x, 2, size);
    (void)x; /* named for the map alone */
    b->fast_chunks++;
    b->fast_granules += size;
}

/*@ requires fence: REGION_FIRST < fence <= REGION_LIMIT_GRANULES;
    requires writable: \valid(b);
    requires tiling: tiling;
    requires placed: placed;
    requires counted: counted(b);
    requires node: REGION_FIRST <= x < fence && tally[x] == 2 && weight[x] == size;
    terminates \true;
    exits never: \false;
    assigns b->fast_chunks, b->fast_granules, tally[x];
    ensures tally: tally[x] == 0;
    ensures counted: counted_free(b) && counted_fast(b);
    ensures chunks: b->fast_chunks == \old(b->fast_chunks) - 1;
*/
static void count_fast_out(struct bins *b, uint32_t x, uint32_t size) {
    //@ ghost sums_bounded(x);
    //@ ghost leave(x);
    (void)x; /* named for the map alone */
    b->fast_chunks--;
    b->fast_granules -= size;
}

/* What a node of a large bin's list or ring is, and its neighbours. */
/*@ predicate node_in_large{L}(struct granule *g, integer x) =
        in_large(x) && x < fence && g[x].lo < fence && g[x].hi < fence &&
        list[g[x].lo] == list[x] && list[g[x].hi] == list[x] &&
        g[g[x].lo].hi == x && g[g[x].hi].lo == x &&
        (x < BIN_COUNT ==> x == list[x]) &&
        (x >= BIN_COUNT ==> is_free(x - 1) && g[x - 1].size == span[x - 1] &&
            span[x - 1] >= LARGE_MIN_GRANULES);
    predicate node_in_ring{L}(struct granule *g, integer y) =
        in_ring(y) && BIN_COUNT + 2 <= y < fence && g[y].lo < fence && g[y].hi < fence &&
        list[g[y].lo] == list[y] && list[g[y].hi] == list[y] &&
        g[g[y].lo].hi == y && g[g[y].hi].lo == y && list[y - 1] == list[y] - LIST_RING &&
        in_large(y - 1) && is_free(y - 2) && g[y - 2].size == span[y - 2];
*/
/*@ ghost
    /@ requires cells: cells(g);
       requires tiled: tiled(g);
       requires linked: linked(g);
       requires heads: heads;
       requires placed: placed;
       terminates \true;
       exits never: \false;
       assigns \nothing;
       ensures large: \forall integer x; 0 <= x < fence && in_large(x) ==> node_in_large(g, x);
       ensures ring: \forall integer y; 0 <= y < fence && in_ring(y) ==> node_in_ring(g, y);
    @/
    void large_nodes(const struct granule *g) {
        /@ assert large: \forall integer x; BIN_COUNT <= x < fence && in_large(x) ==>
            place(x) && hooked(g, x); @/
        /@ assert ring: \forall integer y; 0 <= y < fence && in_ring(y) ==>
            y >= BIN_COUNT && place(y) && hooked(g, y); @/
    }
*/

/* Chunk i, in no bin, is in no ring. */
/*@ requires cells: cells(g);
    requires tiled: tiled(g);
    requires tagged: tagged(g);
    requires linked: linked(g);
    requires heads: heads;
    requires placed: placed;
    requires sorted: sorted(g);
    requires free: is_free(i) && list[i + 1] == LIST_NONE && span[i] >= LARGE_MIN_GRANULES;
    terminates \true;
    exits never: \false;
    assigns g[i + 2].lo, g[i + 2].hi;
    ensures ring: list[i + 2] == LIST_NONE && g[i + 2].lo == 0;
    ensures links: same_links{Pre, Post}(g, i + 2, -1, i + 2, -1);
    ensures sizes: same_sizes{Pre, Post}(g, -1, -1);
    ensures tiled: tiled(g);
    ensures tagged: tagged(g);
    ensures linked: linked(g);
    ensures sorted: sorted(g);
*/
static void ring_none(struct granule *g, uint32_t i) {
    //@ assert extent: extent(i);
    //@ assert ring: place(i + 2) && list[i + 2] == LIST_NONE;
    /*@ assert apart: \forall integer x; 0 <= x < fence && hangs(x) ==>
            hooked(g, x) && x != i + 2 && g[x].hi != i + 2; */
    g[i + 2].lo = g[i + 2].hi = 0;
    /*@ assert footers: \forall integer j; header(j) && 0 <= j <= fence ==>
            g[j].lo == \at(g[j].lo, Pre); */
    //@ assert sizes: same_sizes{Pre, Here}(g, -1, -1);
    //@ assert links: same_links{Pre, Here}(g, i + 2, -1, i + 2, -1);
    /*@ assert ordered: \forall integer x; 0 <= x < fence && in_large(x) ==>
            g[x].lo == \at(g[x].lo, Pre) && follows(x, g[x].lo); */
    /*@ assert back: \forall integer x; 0 <= x < fence && in_large(x) ==>
            in_large(g[x].hi) && 0 <= g[x].hi < fence && g[x].hi == \at(g[x].hi, Pre); */
    /*@ assert rings: \forall integer y; 0 <= y < fence && in_ring(y) ==>
            REGION_FIRST <= y && place(y) && in_large(y - 1) && g[y].hi == \at(g[y].hi, Pre); */
    /*@ assert rungs: \forall integer y; 0 <= y < fence && in_ring(y) ==>
            rung{Pre}(g, y) && rung(g, y); */
    //@ assert told: \forall integer j; is_free(j) && j != i ==> told{Pre}(g, j) && told(g, j);
}

/* The links' side of putting free chunk i into bin `bin`: its node hangs behind node `before`. */
/*@ requires cells: cells(g);
    requires bound: bound(g, b);
    requires tiled: tiled(g);
    requires tagged: tagged(g);
    requires linked: linked(g);
    requires heads: heads;
    requires placed: placed;
    requires binned: binned_but(i);
    requires mapped_bins: mapped_bins(g, b);
    requires free: is_free(i) && list[i + 1] == LIST_NONE;
    requires bin: BIN_UNSORTED <= bin < BIN_COUNT && home(bin, span[i]);
    requires before: before < fence && list[before] == bin;
    terminates \true;
    exits never: \false;
    assigns g[i + 1].lo, g[i + 1].hi, g[before].lo, g[g[before].lo].hi, b->map[bin / 64],
            list[i + 1];
    ensures behind: list[i + 1] == bin && answers(g, before, i + 1);
    ensures ahead: g[i + 1].lo == \old(g[before].lo) && answers(g, i + 1, g[i + 1].lo);
    ensures links: same_links{Pre, Post}(g, i + 1, before, i + 1, \old(g[before].lo));
    ensures sizes: same_sizes{Pre, Post}(g, -1, -1);
    ensures tiled: tiled(g);
    ensures tagged: tagged(g);
    ensures linked: linked(g);
    ensures heads: heads;
    ensures placed: placed;
    ensures binned: binned;
    ensures mapped_bins: mapped_bins(g, b);
*/
static void link_in(struct granule *g, struct bins *b, uint32_t i, uint32_t bin, uint32_t before) {
    //@ ghost nodes_inner();
    //@ assert loose: extent(i);
    //@ assert word: bin / 64 == 0 || bin / 64 == 1;
    mark(b, bin);
    /*@ assert marks: \forall integer c; BIN_UNSORTED <= c < BIN_COUNT && !marked(b, c) ==>
            c != bin && !marked{Pre}(b, c) && empty{Pre}(g, c); */
    /*@ assert linked: \forall integer x; 0 <= x < fence && hangs(x) ==>
            hooked(g, x) && avoids(g, x, i + 1); */
    //@ ghost list[i + 1] = bin;
    //@ assert others: \forall integer x; hangs(x) && x != i + 1 ==> hangs{Pre}(x);
    //@ assert others: linked_but(g, i + 1);
    //@ assert self: place(i + 1);
    /*@ assert others: \forall integer x; REGION_FIRST <= x <= fence && x != i + 1 ==>
            place{Pre}(x) && place(x); */
    //@ assert inner: !header(i + 1);
    //@ assert own: before < BIN_COUNT ==> before == bin;
    bin_hook(g, b, i + 1, before);
    /*@ assert heads: \forall integer c; BIN_UNSORTED <= c < BIN_COUNT && c != bin ==>
            g[c].lo == \at(g[c].lo, Pre); */
    /*@ assert empty: \forall integer c; BIN_UNSORTED <= c < BIN_COUNT && !marked(b, c) ==>
            empty{Pre}(g, c) && empty(g, c); */
}

/* The same for a bin without order, the unsorted one or a small one: behind its head. */
/*@ requires cells: cells(g);
    requires bound: bound(g, b);
    requires tiled: tiled(g);
    requires tagged: tagged(g);
    requires linked: linked(g);
    requires heads: heads;
    requires placed: placed;
    requires sorted: sorted(g);
    requires binned: binned_but(i);
    requires mapped_bins: mapped_bins(g, b);
    requires free: is_free(i) && list[i + 1] == LIST_NONE;
    requires ring: span[i] >= LARGE_MIN_GRANULES ==> g[i + 2].lo == 0;
    requires bin: BIN_UNSORTED <= bin < BIN_LARGE_FIRST && home(bin, span[i]);
    terminates \true;
    exits never: \false;
    assigns g[i + 1].lo, g[i + 1].hi, g[bin].lo, g[g[bin].lo].hi, b->map[0], list[i + 1];
    ensures first: list[i + 1] == bin && answers(g, bin, i + 1);
    ensures links: same_links{Pre, Post}(g, i + 1, bin, i + 1, \old(g[bin].lo));
    ensures outside: same_outside{Pre, Post}(g, i + 2);
    ensures sizes: same_sizes{Pre, Post}(g, -1, -1);
    ensures tiled: tiled(g);
    ensures tagged: tagged(g);
    ensures linked: linked(g);
    ensures heads: heads;
    ensures placed: placed;
    ensures sorted: sorted(g);
    ensures binned: binned;
    ensures mapped_bins: mapped_bins(g, b);
*/
static void small_in(struct granule *g, struct bins *b, uint32_t i, uint32_t bin) {
    //@ assert extent: extent(i);
    //@ assert head: hooked(g, bin);
    /*@ assert apart: \forall integer x; 0 <= x < fence && hangs(x) && list[x] != bin ==>
            hooked(g, x) && x != i + 1 && x != bin && x != g[bin].lo; */
    link_in(g, b, i, bin, bin);
    /*@ assert ordered: \forall integer x; 0 <= x < fence && in_large(x) ==>
            g[x].lo == \at(g[x].lo, Pre) && follows{Pre}(x, g[x].lo) && follows(x, g[x].lo); */
    /*@ assert back: \forall integer x; 0 <= x < fence && in_large(x) ==>
            in_large(g[x].hi) && 0 <= g[x].hi < fence && g[x].hi == \at(g[x].hi, Pre); */
    /*@ assert rings: \forall integer y; 0 <= y < fence && in_ring(y) ==>
            REGION_FIRST <= y && place(y) && in_large(y - 1) && g[y].hi == \at(g[y].hi, Pre); */
    /*@ assert rungs: \forall integer y; 0 <= y < fence && in_ring(y) ==>
            rung{Pre}(g, y) && rung(g, y); */
    //@ assert inside: \forall integer j; chunk(j) ==> extent(j);
    //@ assert told: \forall integer j; is_free(j) && j != i ==> told{Pre}(g, j) && told(g, j);
    //@ assert self: told(g, i);
}

void bin_insert_unsorted(struct granule *g, struct bins *b, uint32_t i) {
    uint32_t size = g[i].size;
    //@ assert loose: tallied_as(i + 1) && tally[i + 1] == 0;
    count_free_in(b, i + 1, size);
    if (size >= LARGE_MIN_GRANULES)
        ring_none(g, i);
    /*@ assert empty: \forall integer c; BIN_UNSORTED <= c < BIN_COUNT && !marked(b, c) ==>
            empty{Pre}(g, c) && empty(g, c); */
    small_in(g, b, i, BIN_UNSORTED);
    //@ assert counted: counted_free(b) && counted_fast(b);
    /*@ assert tallied: \forall integer x; REGION_FIRST <= x <= fence && x != i + 1 ==>
            tallied_as{Pre}(x) && tallied_as(x); */
    //@ assert self: tallied_as(i + 1);
    //@ assert all: tallied;
}

/* From ring granule y to the next one `to`, which must lie in the region and hold a rank on the
 * expected side: so a damaged ring leads neither out of the region nor round for ever. */
/*@ requires cells: cells(g);
    requires bound: bound(g, b);
    requires ring: BIN_COUNT + 2 <= y < fence;
    requires next: BIN_COUNT + 2 <= to < fence;
    requires down: descending ==> rank(g[to - 2].size) < rank(g[y - 2].size);
    requires up: !descending ==> rank(g[to - 2].size) > rank(g[y - 2].size);
    terminates \true;
    exits never: \false;
    assigns \nothing;
    ensures next: \result == to;
*/
static uint32_t ring_step(const struct granule *g, const struct bins *b, uint32_t y, uint32_t to,
                          bool descending) {
    if (to < BIN_COUNT + 2 || to >= b->fence)
        report_fault(FAULT_NEXTSIZE, &g[y], NULL, "nextsize link leaves the region");
    uint32_t from_rank = bin_rank(g[y - 2].size), to_rank = bin_rank(g[to - 2].size);
    if (descending ? to_rank >= from_rank : to_rank <= from_rank)
        report_fault(FAULT_NEXTSIZE, &g[y], NULL, "nextsize ring is not sorted");
    return to;
}

/* Node of large bin `bin` behind which a chunk of `size` granules belongs: behind the first of its
 * rank, else behind the last of a larger one. */
/*@ requires cells: cells(g);
    requires bound: bound(g, b);
    requires tiled: tiled(g);
    requires linked: linked(g);
    requires heads: heads;
    requires placed: placed;
    requires sorted: sorted(g);
    requires bin: BIN_LARGE_FIRST <= bin < BIN_COUNT;
    terminates \true;
    exits never: \false;
    assigns \nothing;
    ensures node: \result < fence && list[\result] == bin;
    ensures behind: \result >= BIN_COUNT ==> rank(span[\result - 1]) >= rank(size);
    ensures ahead: g[\result].lo >= BIN_COUNT ==> rank(span[g[\result].lo - 1]) < rank(size) ||
        \result >= BIN_COUNT && rank(span[\result - 1]) == rank(size);
*/
static uint32_t large_before(const struct granule *g, const struct bins *b, uint32_t bin,
                             uint32_t size) {
    //@ ghost large_nodes(g);
    //@ assert head: node_in_large(g, bin);
    if (g[bin].lo == bin)
        return bin;
    uint32_t own = bin_rank(size), smallest = g[bin].hi - 1;
    //@ assert last: node_in_large(g, smallest + 1);
    if (own < bin_rank(g[smallest].size))
        return smallest + 1;
    uint32_t leader = g[bin].lo + 1;
    //@ assert first: node_in_large(g, leader - 1) && follows(bin, leader - 1);
    /*@ loop invariant ring: leader < fence && list[leader] == LIST_RING + bin;
        loop invariant passed: g[leader - 1].hi >= BIN_COUNT ==>
            rank(span[g[leader - 1].hi - 1]) > own;
        loop assigns leader;
        loop variant rank(span[leader - 2]);
    */
    while (own < bin_rank(g[leader - 2].size)) {
        //@ assert step: node_in_ring(g, leader) && node_in_ring(g, g[leader].lo);
        //@ assert back: rung(g, g[leader].lo);
        //@ assert behind: node_in_large(g, g[leader].lo - 1);
        //@ assert before: node_in_large(g, g[g[leader].lo - 1].hi);
        //@ assert order: follows(g[g[leader].lo - 1].hi, g[leader].lo - 1);
        leader = ring_step(g, b, leader, g[leader].lo, true);
    }
    //@ assert leader: node_in_ring(g, leader) && node_in_large(g, leader - 1);
    //@ assert behind: leader - 1 >= BIN_COUNT && g[g[leader - 1].hi].lo == leader - 1;
    //@ assert fits: rank(span[leader - 2]) <= own && g[leader - 2].size == span[leader - 2];
    //@ assert passed: g[leader - 1].hi >= BIN_COUNT ==> rank(span[g[leader - 1].hi - 1]) > own;
    if (bin_rank(g[leader - 2].size) == own)
        return leader - 1;
    return g[leader - 1].hi;
}

/* Hang ring node y before ring node `next`, or make it a ring of its own. */
/*@ requires cells: cells(g);
    requires bound: bound(g, b);
    requires tiled: tiled(g);
    requires tagged: tagged(g);
    requires linked: linked_but(g, y);
    requires inner: inner;
    requires node: y < fence && in_ring(y);
    requires next: next < fence && list[next] == list[y];
    terminates \true;
    exits never: \false;
    assigns g[0 .. fence - 1].lo, g[0 .. fence - 1].hi;
    ensures ahead: g[next].hi == y;
    ensures behind: g[y].hi == (next == y ? y : \old(g[next].hi));
    ensures links: same_but_rings{Pre, Post}(g);
    ensures back: \forall integer x;
        0 <= x <= fence && x != y && x != next ==> g[x].hi == \old(g[x].hi);
    ensures sizes: same_sizes{Pre, Post}(g, -1, -1);
    ensures tiled: tiled(g);
    ensures tagged: tagged(g);
    ensures linked: linked(g);
*/
static void ring_hook(struct granule *g, const struct bins *b, uint32_t y, uint32_t next) {
    if (next == y) {
        //@ assert others: \forall integer x; 0 <= x < fence && hangs(x) && x != y ==> hooked(g, x);
        g[y].lo = g[y].hi = y;
        //@ assert links: same_links{Pre, Here}(g, y, -1, y, -1);
        /*@ assert footers: \forall integer j; header(j) && 0 <= j <= fence ==>
                g[j].lo == \at(g[j].lo, Pre); */
        //@ assert linked: \forall integer x; 0 <= x < fence && hangs(x) ==> hooked(g, x);
        return;
    }
    //@ assert next: hooked(g, next) && avoids(g, next, y);
    hook_checked(g, b, y, g[next].hi, FAULT_NEXTSIZE);
}

/* Chunk i, which hangs where it belongs in its large bin, joins the ring if its rank is new there. */
/*@ requires cells: cells(g);
    requires bound: bound(g, b);
    requires tiled: tiled(g);
    requires tagged: tagged(g);
    requires linked: linked(g);
    requires heads: heads;
    requires placed: placed;
    requires sorted: sorted_but(g, i + 1);
    requires node: is_free(i) && in_large(i + 1);
    requires ring: list[i + 2] == LIST_NONE && g[i + 2].lo == 0;
    requires behind: g[i + 1].hi != i + 1 &&
        (g[i + 1].hi >= BIN_COUNT ==> rank(span[g[i + 1].hi - 1]) >= rank(span[i]));
    requires ahead: g[i + 1].lo >= BIN_COUNT ==> rank(span[g[i + 1].lo - 1]) < rank(span[i]) ||
        g[i + 1].hi >= BIN_COUNT && rank(span[g[i + 1].hi - 1]) == rank(span[i]);
    terminates \true;
    exits never: \false;
    assigns g[0 .. fence - 1].lo, g[0 .. fence - 1].hi, list[i + 2], lead[i + 1];
    ensures links: same_but_rings{Pre, Post}(g);
    ensures ring: list[i + 2] == LIST_NONE || in_ring(i + 2);
    ensures sizes: same_sizes{Pre, Post}(g, -1, -1);
    ensures tiled: tiled(g);
    ensures tagged: tagged(g);
    ensures linked: linked(g);
    ensures placed: placed;
    ensures sorted: sorted(g);
*/
static void ring_in(struct granule *g, const struct bins *b, uint32_t i) {
    //@ ghost nodes_inner();
    /*@ assert apart: \forall integer x; 0 <= x < fence && hangs(x) ==>
            x != i + 2 && hooked(g, x) && avoids(g, x, i + 2); */
    //@ assert rings: \forall integer r; in_ring(r) ==> r != i + 2;
    //@ ghost large_nodes(g);
    //@ assert extent: extent(i);
    uint32_t y = i + 2, behind = g[i + 1].hi, ahead = g[i + 1].lo;
    //@ assert self: node_in_large(g, i + 1) && node_in_large(g, behind) && node_in_large(g, ahead);
    //@ assert pair: follows(behind, ahead) && behind != i + 1 && ahead != i + 1;
    /*@ assert order: \forall integer x; 0 <= x < fence && in_large(x) && x != i + 1 &&
            x != behind ==> node_in_large(g, x) && g[x].lo != i + 1 && follows(x, g[x].lo); */
    if (behind >= BIN_COUNT && bin_rank(g[behind - 1].size) == bin_rank(g[i].size)) {
        //@ ghost lead[i + 1] = lead[behind];
        /*@ assert ordered: \forall integer x; 0 <= x < fence && in_large(x) && x != i + 1 &&
                x != behind ==> follows{Pre}(x, g[x].lo) && follows(x, g[x].lo); */
        //@ assert ordered_behind: follows(behind, g[behind].lo);
        //@ assert ordered_self: follows(i + 1, ahead);
        /*@ assert rungs: \forall integer r; 0 <= r < fence && in_ring(r) ==>
                rung_but{Pre}(g, r, i + 1) && node_in_large(g, r - 1) &&
                node_in_large(g, g[r - 1].hi) && rung(g, r); */
        //@ assert told: \forall integer j; is_free(j) && j != i ==> told{Pre}(g, j) && told(g, j);
        //@ assert told_self: told(g, i);
        //@ assert sorted: sorted(g);
        return;
    }
    uint32_t next = (ahead < BIN_COUNT ? g[ahead].lo : ahead) + 1;
    /*@ assert first: ahead < BIN_COUNT && next != y ==>
            node_in_large(g, next - 1) && follows_but(g, ahead, i + 1) && leads(next - 1); */
    //@ assert ring: next != y ==> node_in_ring(g, next) && rung_but(g, next, i + 1);
    /*@ assert elsewhere: \forall integer r; 0 <= r < fence && in_ring(r) && r != next ==>
            node_in_large(g, r - 1) && node_in_large(g, g[r - 1].hi) && g[r - 1].hi != i + 1 &&
            (g[r - 1].hi < BIN_COUNT ==> g[g[r - 1].hi].hi != i + 1) && rung(g, r); */
    //@ ghost uint32_t last = behind >= BIN_COUNT ? behind : g[behind].hi;
    /*@ assert next: ahead >= BIN_COUNT ? g[next - 1].hi == i + 1 :
            g[next - 1].hi == ahead && g[ahead].hi == i + 1; */
    //@ assert last: next == y ? last == i + 1 : last != i + 1 && ends_run(last, g[next].hi);
    /*@ assert above: g[behind].lo == i + 1 &&
            (behind >= BIN_COUNT ==> rank(span[behind - 1]) > rank(span[i])); */
    //@ ghost list[y] = LIST_RING + list[i + 1];
    //@ ghost lead[i + 1] = y;
    //@ assert rings: \forall integer r; in_ring(r) && r != y ==> in_ring{Pre}(r);
    //@ assert rings: \forall integer r; in_ring{Pre}(r) ==> in_ring(r) && r != y;
    //@ assert inner: inner;
    //@ assert others: \forall integer x; hangs(x) && x != y ==> hangs{Pre}(x);
    //@ assert linked: linked_but(g, y);
    ring_hook(g, b, y, next);
    //@ assert tied: ends_run(last, g[y].hi) && g[next].hi == y;
    //@ assert links: same_but_rings{Pre, Here}(g);
    /*@ assert rings: \forall integer r; 0 <= r < fence && in_ring(r) && r != y && r != next ==>
            g[r].hi == \at(g[r].hi, Pre) && g[r - 1].hi == \at(g[r - 1].hi, Pre) &&
            rung{Pre}(g, r) && in_large(g[r - 1].hi) && 0 <= g[r - 1].hi < fence; */
    /*@ assert first: \forall integer r; 0 <= r < fence && in_ring(r) && r != y && r != next &&
            g[r - 1].hi < BIN_COUNT ==> g[g[r - 1].hi].hi == \at(g[g[r - 1].hi].hi, Pre) &&
            g[g[r - 1].hi].hi != i + 1; */
    //@ assert self: place(y);
    /*@ assert others: \forall integer x; REGION_FIRST <= x <= fence && x != y ==>
            place{Pre}(x) && place(x); */
    /*@ assert ordered: \forall integer x; 0 <= x < fence && in_large(x) && x != i + 1 &&
            x != behind ==> g[x].lo == \at(g[x].lo, Pre) && follows{Pre}(x, g[x].lo) &&
            follows(x, g[x].lo); */
    //@ assert ordered_behind: g[behind].lo == i + 1 && leads(i + 1) && follows(behind, g[behind].lo);
    //@ assert ordered_self: follows(i + 1, g[i + 1].lo);
    /*@ assert kept: g[i + 1].hi == behind &&
            g[next - 1].hi == (ahead < BIN_COUNT ? ahead : i + 1) && (behind < BIN_COUNT ==> g[behind].hi == last) && (ahead < BIN_COUNT ==> g[ahead].hi == i + 1); */
    //@ assert rung_self: rung(g, y);
    //@ assert ends_own: ends_run(i + 1, y);
    //@ assert rung_next: g[next].hi == y && rung(g, next);
    /*@ assert rungs_first: \forall integer r; 0 <= r < fence && in_ring(r) && r != y && r != next &&
            g[r - 1].hi < BIN_COUNT ==> in_ring{Pre}(r) && rung{Pre}(g, r) && rung(g, r); */
    /*@ assert rungs: \forall integer r; 0 <= r < fence && in_ring(r) && r != y && r != next ==>
            in_ring{Pre}(r) && rung{Pre}(g, r) && rung(g, r); */
    //@ assert told: \forall integer j; is_free(j) && j != i ==> told{Pre}(g, j) && told(g, j);
    /*@ assert whole: \forall integer x; 0 <= x < fence && in_large(x) ==> follows(x, g[x].lo); */
    //@ assert rungs_all: \forall integer r; 0 <= r < fence && in_ring(r) ==> rung(g, r);
    //@ assert told_self: told(g, i);
    //@ assert sorted: sorted(g);
}

/* The links' side of large_in: node i + 1 hangs behind node `before`, and the order is what it was without it. */
/*@ requires cells: cells(g);
    requires bound: bound(g, b);
    requires tiled: tiled(g);
    requires tagged: tagged(g);
    requires linked: linked(g);
    requires heads: heads;
    requires placed: placed;
    requires sorted: sorted(g);
    requires binned: binned_but(i);
    requires mapped_bins: mapped_bins(g, b);
    requires free: is_free(i) && list[i + 1] == LIST_NONE && span[i] >= LARGE_MIN_GRANULES;
    requires ring: list[i + 2] == LIST_NONE;
    requires bin: BIN_LARGE_FIRST <= bin < BIN_COUNT && bin == bin_for(span[i]);
    requires before: before < fence && list[before] == bin;
    terminates \true;
    exits never: \false;
    assigns g[i + 1].lo, g[i + 1].hi, g[before].lo, g[g[before].lo].hi, b->map[bin / 64],
            list[i + 1];
    ensures behind: list[i + 1] == bin && g[i + 1].hi == before && before != i + 1;
    ensures ahead: g[i + 1].lo == \old(g[before].lo);
    ensures links: same_links{Pre, Post}(g, i + 1, before, i + 1, \old(g[before].lo));
    ensures sizes: same_sizes{Pre, Post}(g, -1, -1);
    ensures tiled: tiled(g);
    ensures tagged: tagged(g);
    ensures linked: linked(g);
    ensures heads: heads;
    ensures placed: placed;
    ensures sorted: sorted_but(g, i + 1);
    ensures binned: binned;
    ensures mapped_bins: mapped_bins(g, b);
*/
static void large_hook(struct granule *g, struct bins *b, uint32_t i, uint32_t bin,
                       uint32_t before) {
    //@ assert inside: \forall integer j; chunk(j) ==> extent(j);
    //@ ghost large_nodes(g);
    //@ ghost uint32_t after = g[before].lo;
    //@ assert self: node_in_large(g, before) && node_in_large(g, after) && follows(before, after);
    /*@ assert loose: \forall integer x; 0 <= x < fence && in_large(x) ==> node_in_large(g, x) &&
            x != i + 1 && g[x].lo != i + 1 && g[x].hi != i + 1 && (g[x].lo == after ==> x == before); */
    /*@ assert rings: \forall integer r; 0 <= r < fence && in_ring(r) ==>
            node_in_ring(g, r) && node_in_large(g, r - 1) && node_in_large(g, g[r - 1].hi); */
    /*@ assert rings_apart: \forall integer r; 0 <= r < fence && in_ring(r) ==> node_in_ring(g, r) &&
            r != i + 1 && r != after && r - 1 != i + 1; */
    link_in(g, b, i, bin, before);
    //@ assert out: \forall integer x; in_large(x) && x != i + 1 ==> in_large{Pre}(x);
    /*@ assert pairs: \forall integer x, y; 0 <= y < fence && follows{Pre}(x, y) ==> follows(x, y); */
    /*@ assert ends: \forall integer q, v; ends_run{Pre}(q, v) ==> ends_run(q, v); */
    //@ assert between: g[i + 1].hi == before && g[i + 1].lo == after;
    //@ assert ordered_before: g[before].lo == i + 1 && follows_but(g, before, i + 1);
    /*@ assert nodes: \forall integer x; 0 <= x < fence && in_large(x) && x != i + 1 ==>
            in_large{Pre}(x) && node_in_large{Pre}(g, x) &&
            (x == before || g[x].lo == \at(g[x].lo, Pre)); */
    /*@ assert back: \forall integer x; 0 <= x < fence && in_large(x) && x != i + 1 ==>
            in_large{Pre}(x) && node_in_large{Pre}(g, x) &&
            (x == after ? \at(g[x].hi, Pre) == before && g[x].hi == i + 1 :
                          g[x].hi == \at(g[x].hi, Pre) && g[x].hi != i + 1); */
    /*@ assert ordered: \forall integer x; 0 <= x < fence && in_large(x) && x != i + 1 &&
            x != before ==> in_large{Pre}(x) && follows{Pre}(x, \at(g[x].lo, Pre)) &&
            follows_but(g, x, i + 1); */
    //@ assert rings_out: \forall integer r; in_ring(r) ==> in_ring{Pre}(r);
    /*@ assert rings_back: \forall integer r; 0 <= r < fence && in_ring(r) ==>
            in_ring{Pre}(r) && node_in_ring{Pre}(g, r) && g[r].hi == \at(g[r].hi, Pre); */
    /*@ assert rings_nodes: \forall integer r; 0 <= r < fence && in_ring(r) ==>
            in_ring{Pre}(r) && node_in_large{Pre}(g, r - 1) && in_large(r - 1) && r - 1 != i + 1 &&
            node_in_large{Pre}(g, \at(g[r - 1].hi, Pre)); */
    /*@ assert rings_lasts: \forall integer r; 0 <= r < fence && in_ring(r) ==>
            in_ring{Pre}(r) && in_large(\at(g[r - 1].hi, Pre)) && \at(g[r - 1].hi, Pre) != i + 1; */
    //@ assert rung_after: in_ring(after + 1) ==> rung{Pre}(g, after + 1) && rung_but(g, after + 1, i + 1);
    /*@ assert rungs: \forall integer r; 0 <= r < fence && in_ring(r) && r != after + 1 ==>
            in_ring{Pre}(r) && rung{Pre}(g, r) && rung_but(g, r, i + 1); */
    //@ assert told: \forall integer j; is_free(j) && j != i ==> told{Pre}(g, j) && told(g, j);
    /*@ assert whole: \forall integer x; 0 <= x < fence && x != i + 1 && in_large(x) ==>
            follows_but(g, x, i + 1); */
}

/* Put free chunk i into large bin `bin`, in order. */
/*@ requires cells: cells(g);
    requires bound: bound(g, b);
    requires tiled: tiled(g);
    requires tagged: tagged(g);
    requires linked: linked(g);
    requires heads: heads;
    requires placed: placed;
    requires sorted: sorted(g);
    requires binned: binned_but(i);
    requires mapped_bins: mapped_bins(g, b);
    requires free: is_free(i) && list[i + 1] == LIST_NONE && span[i] >= LARGE_MIN_GRANULES;
    requires bin: BIN_LARGE_FIRST <= bin < BIN_COUNT && bin == bin_for(span[i]);
    terminates \true;
    exits never: \false;
    assigns g[0 .. fence - 1].lo, g[0 .. fence - 1].hi, b->map[0 .. 1], list[i + 1], list[i + 2],
            lead[i + 1];
    ensures in: list[i + 1] == bin && (list[i + 2] == LIST_NONE || in_ring(i + 2));
    ensures outside: same_outside{Pre, Post}(g, i + 2);
    ensures sizes: same_sizes{Pre, Post}(g, -1, -1);
    ensures tiled: tiled(g);
    ensures tagged: tagged(g);
    ensures linked: linked(g);
    ensures heads: heads;
    ensures placed: placed;
    ensures sorted: sorted(g);
    ensures binned: binned;
    ensures mapped_bins: mapped_bins(g, b);
*/
static void large_in(struct granule *g, struct bins *b, uint32_t i, uint32_t bin) {
    //@ assert extent: extent(i) && in_large(bin) && hooked(g, bin);
    ring_none(g, i);
    /*@ assert empty: \forall integer c; BIN_UNSORTED <= c < BIN_COUNT && !marked(b, c) ==>
            empty{Pre}(g, c) && empty(g, c); */
    uint32_t before = large_before(g, b, bin, g[i].size);
    //@ assert hooked: hooked(g, before) && list[g[before].lo] == bin;
    //@ assert after: g[before].lo >= BIN_COUNT ==> g[before].lo != i + 1 && g[before].lo != i + 2;
    large_hook(g, b, i, bin, before);
    //@ assert bound: bound(g, b);
    //@ assert outside: same_outside{Pre, Here}(g, i + 2);
    //@ ghost Linked: ;
    ring_in(g, b, i);
    /*@ assert outside: \forall integer x; 0 <= x <= fence && unbinned{Pre}(x) && unbinned(x) &&
            x != i + 2 ==> unbinned{Linked}(x) && g[x].lo == \at(g[x].lo, Linked) &&
            g[x].hi == \at(g[x].hi, Linked); */
    /*@ assert empty: \forall integer c; BIN_UNSORTED <= c < BIN_COUNT && !marked(b, c) ==>
            empty(g, c); */
}

void bin_insert(struct granule *g, struct bins *b, uint32_t i) {
    uint32_t size = g[i].size, bin = bin_index(size);
    //@ assert loose: tallied_as(i + 1) && tally[i + 1] == 0;
    //@ assert inside: extent(i) && hooked(g, bin);
    //@ assert ring: size >= LARGE_MIN_GRANULES ==> place(i + 2) && list[i + 2] == LIST_NONE;
    count_free_in(b, i + 1, size);
    if (bin < BIN_LARGE_FIRST) {
        small_in(g, b, i, bin);
        //@ assert counted: counted_free(b) && counted_fast(b);
    } else {
        large_in(g, b, i, bin);
        //@ assert counted: counted_free(b) && counted_fast(b);
    }
    //@ assert counted: counted_free(b) && counted_fast(b);
    /*@ assert tallied: \forall integer x; REGION_FIRST <= x <= fence && x != i + 1 ==>
            tallied_as{Pre}(x) && tallied_as(x); */
    //@ assert self: tallied_as(i + 1);
    //@ assert all: tallied;
}

/* Take node x out of its circular list; its own links stay as they are. */
/*@ requires cells: cells(g);
    requires bound: bound(g, b);
    requires tiled: tiled(g);
    requires tagged: tagged(g);
    requires linked: linked(g);
    requires inner: inner;
    requires hangs: x < fence && hangs(x);
    terminates \true;
    exits never: \false;
    assigns g[g[x].lo].hi, g[g[x].hi].lo;
    ensures closed: g[\old(g[x].hi)].lo == \old(g[x].lo) && g[\old(g[x].lo)].hi == \old(g[x].hi);
    ensures linked: linked_but(g, x);
    ensures links: same_links{Pre, Post}(g, \old(g[x].hi), -1, \old(g[x].lo), -1);
    ensures sizes: same_sizes{Pre, Post}(g, -1, -1);
    ensures tiled: tiled(g);
    ensures tagged: tagged(g);
*/
static void unhook_checked(struct granule *g, const struct bins *b, uint32_t x, enum fault fault) {
    //@ assert hooked: hooked(g, x);
    uint32_t fd = g[x].lo, bk = g[x].hi;
    if (!answered(g, b, bk, x) || !answered(g, b, x, fd))
        report_fault(fault, &g[x], NULL, "links disagree");
    g[fd].hi = bk;
    g[bk].lo = fd;
    /*@ assert others:
            \forall integer y; 0 <= y < fence && hangs(y) && y != x ==> hooked(g, y); */
}

void bin_unhook(struct granule *g, const struct bins *b, uint32_t x) {
    unhook_checked(g, b, x, FAULT_LINK);
}

/* Chunk i, the only one of its rank, leaves the ring of its large bin. */
/*@ requires cells: cells(g);
    requires bound: bound(g, b);
    requires tiled: tiled(g);
    requires tagged: tagged(g);
    requires linked: linked(g);
    requires heads: heads;
    requires placed: placed;
    requires sorted: sorted(g);
    requires node: is_free(i) && in_large(i + 1) && in_ring(i + 2);
    requires alone: g[i + 1].lo >= BIN_COUNT ==> rank(span[g[i + 1].lo - 1]) != rank(span[i]);
    terminates \true;
    exits never: \false;
    assigns g[g[i + 2].lo].hi, g[g[i + 2].hi].lo, list[i + 2];
    ensures left: list[i + 2] == LIST_NONE;
    ensures links: same_but_rings{Pre, Post}(g);
    ensures sizes: same_sizes{Pre, Post}(g, -1, -1);
    ensures tiled: tiled(g);
    ensures tagged: tagged(g);
    ensures waits: same_waits{Pre, Post}(-1);
    ensures linked: linked(g);
    ensures heads: heads;
    ensures placed: placed;
    ensures sorted: sorted_but(g, i + 1);
*/
static void ring_leave(struct granule *g, const struct bins *b, uint32_t i) {
    //@ ghost nodes_inner();
    //@ ghost large_nodes(g);
    //@ ghost uint32_t x = i + 1;
    //@ ghost uint32_t y = i + 2;
    //@ ghost uint32_t behind = g[x].hi;
    //@ ghost uint32_t ahead = g[x].lo;
    //@ assert self: node_in_large(g, x) && node_in_large(g, behind) && node_in_large(g, ahead);
    //@ assert ring: node_in_ring(g, y) && rung(g, y);
    //@ assert pair: follows(behind, x) && follows(x, ahead);
    //@ ghost uint32_t next = (ahead < BIN_COUNT ? g[ahead].lo : ahead) + 1;
    //@ assert first: node_in_large(g, next - 1) && follows(g[next - 1].hi, next - 1);
    //@ assert next: node_in_ring(g, next) && rung(g, next) && g[next].hi == y;
    //@ assert after: g[y].lo == next;
    /*@ assert elsewhere: \forall integer r; 0 <= r < fence && in_ring(r) && r != next ==>
            node_in_ring(g, r) && node_in_large(g, r - 1) && node_in_large(g, g[r - 1].hi) &&
            g[r - 1].hi != x && (g[r - 1].hi < BIN_COUNT ==> g[g[r - 1].hi].hi != x) && rung(g, r); */
    unhook_checked(g, b, i + 2, FAULT_NEXTSIZE);
    //@ assert linked: linked_but(g, i + 2);
    //@ ghost list[i + 2] = LIST_NONE;
    //@ assert links: same_but_rings{Pre, Here}(g);
    //@ assert others: \forall integer z; hangs(z) ==> z != y && hangs{Pre}(z);
    /*@ assert linked: \forall integer z; 0 <= z < fence && hangs(z) ==>
            avoids(g, z, y) && hooked(g, z); */
    //@ assert self: place(y);
    /*@ assert others: \forall integer z; REGION_FIRST <= z <= fence && z != y ==>
            place{Pre}(z) && place(z); */
    /*@ assert ordered: \forall integer q; 0 <= q < fence && in_large(q) && q != x && q != behind ==>
            node_in_large{Pre}(g, q) && g[q].lo == \at(g[q].lo, Pre) && follows{Pre}(q, g[q].lo) &&
            follows_but(g, q, x); */
    //@ assert kept: g[behind].lo == x && g[x].lo == ahead;
    //@ assert over: follows(behind, ahead);
    //@ assert ordered_behind: follows_but(g, behind, x);
    /*@ assert rings: \forall integer r; 0 <= r < fence && in_ring(r) ==> node_in_ring{Pre}(g, r) &&
            r != y && r - 1 != x && node_in_large{Pre}(g, r - 1) &&
            g[r - 1].hi == \at(g[r - 1].hi, Pre); */
    /*@ assert lasts: \forall integer r; 0 <= r < fence && in_ring(r) ==>
            node_in_ring{Pre}(g, r) && node_in_large{Pre}(g, g[r - 1].hi) &&
            g[g[r - 1].hi].hi == \at(g[g[r - 1].hi].hi, Pre); */
    /*@ assert rungs: \forall integer r; 0 <= r < fence && in_ring(r) && r != next ==>
            g[r].hi == \at(g[r].hi, Pre) && rung{Pre}(g, r) && rung_but(g, r, x); */
    //@ assert rung_next: next != y ==> rung_but(g, next, x);
    /*@ assert whole: \forall integer q; 0 <= q < fence && q != x && in_large(q) ==>
            follows_but(g, q, x); */
    /*@ assert rungs_all: \forall integer r; 0 <= r < fence && in_ring(r) ==>
            r - 1 != x && rung_but(g, r, x); */
    /*@ assert told: \forall integer j; is_free(j) && j != i ==> told{Pre}(g, j) && told(g, j); */
}

/* Whoever was led by ring node `from` is led by `to`. */
/*@ ghost
    /@ requires fence: fence <= REGION_LIMIT_GRANULES;
       terminates \true;
       exits never: \false;
       assigns lead[0 .. fence];
       ensures led: \forall integer x; 0 <= x <= fence ==>
           lead[x] == (\old(lead[x]) == from ? to : \old(lead[x]));
    @/
    void lead_on(uint32_t from, uint32_t to) {
        uint32_t n = 0;
        /@ loop invariant n: n <= fence + 1;
           loop invariant led: \forall integer x; 0 <= x < n ==>
               lead[x] == (\at(lead[x], Pre) == from ? to : \at(lead[x], Pre));
           loop invariant rest: \forall integer x; n <= x <= fence ==> lead[x] == \at(lead[x], Pre);
           loop assigns n, lead[0 .. fence];
           loop variant fence + 1 - n;
        @/
        while (n <= fence) {
            if (lead[n] == from)
                lead[n] = to;
            n++;
        }
    }
*/

/* Granule z, in no list, takes the place of ring node y. */
/*@ requires cells: cells(g);
    requires bound: bound(g, b);
    requires tiled: tiled(g);
    requires tagged: tagged(g);
    requires linked: linked(g);
    requires inner: inner;
    requires nodes: y < fence && in_ring(y) && z < fence && list[z] == LIST_NONE && !header(z);
    terminates \true;
    exits never: \false;
    assigns g[0 .. fence - 1].lo, g[0 .. fence - 1].hi, list[y], list[z];
    ensures taken: list[y] == LIST_NONE && list[z] == \old(list[y]);
    ensures links: same_but_rings{Pre, Post}(g);
    ensures back: \forall integer r; 0 <= r < fence && in_ring(r) && r != z ==>
        g[r].hi == (\old(g[r].hi) == y ? z : \old(g[r].hi));
    ensures back_own: g[z].hi == (\old(g[y].hi) == y ? z : \old(g[y].hi));
    ensures sizes: same_sizes{Pre, Post}(g, -1, -1);
    ensures tiled: tiled(g);
    ensures tagged: tagged(g);
    ensures linked: linked(g);
*/
static void ring_swap(struct granule *g, const struct bins *b, uint32_t y, uint32_t z) {
    //@ ghost uint32_t after = g[y].lo;
    //@ assert self: hooked(g, y);
    /*@ assert apart: \forall integer q; 0 <= q < fence && hangs(q) ==>
            q != z && hooked(g, q) && avoids(g, q, z) && (g[q].hi == y ==> q == after); */
    //@ ghost list[z] = list[y];
    //@ assert hangs: \forall integer q; hangs(q) && q != z ==> hangs{Pre}(q);
    //@ assert linked: linked_but(g, z);
    //@ assert inner: inner;
    hook_checked(g, b, z, y, FAULT_NEXTSIZE);
    //@ assert between: hooked(g, y) && hooked(g, z) && g[y].lo == z && g[z].hi == y;
    /*@ assert back: \forall integer q; 0 <= q < fence && hangs(q) && q != z ==>
            hangs{Pre}(q) && g[q].hi == (q == after ? z : \at(g[q].hi, Pre)); */
    //@ ghost Hooked: ;
    unhook_checked(g, b, y, FAULT_NEXTSIZE);
    //@ assert linked: linked_but(g, y);
    //@ ghost Unhooked: ;
    //@ ghost list[y] = LIST_NONE;
    //@ assert hangs: \forall integer q; hangs(q) ==> q != y && hangs{Unhooked}(q);
    /*@ assert linked: \forall integer q; 0 <= q < fence && hangs(q) ==>
            avoids(g, q, y) && hooked(g, q); */
    /*@ assert back: \forall integer q; 0 <= q < fence && hangs(q) && q != z ==>
            hangs{Hooked}(q) && g[q].hi == \at(g[q].hi, Hooked); */
}

/* Chunk i leaves the ring; node `heir` behind it, of the same rank, takes its place there. */
/*@ requires cells: cells(g);
    requires bound: bound(g, b);
    requires tiled: tiled(g);
    requires tagged: tagged(g);
    requires linked: linked(g);
    requires heads: heads;
    requires placed: placed;
    requires sorted: sorted(g);
    requires node: is_free(i) && in_large(i + 1) && in_ring(i + 2);
    requires heir: heir == g[i + 1].lo && BIN_COUNT <= heir < fence &&
        rank(span[heir - 1]) == rank(span[i]);
    terminates \true;
    exits never: \false;
    assigns g[0 .. fence - 1].lo, g[0 .. fence - 1].hi, list[i + 2], list[heir + 1],
            lead[0 .. fence];
    ensures left: list[i + 2] == LIST_NONE && in_ring(heir + 1) && \old(list[heir + 1]) == LIST_NONE;
    ensures links: same_but_rings{Pre, Post}(g);
    ensures sizes: same_sizes{Pre, Post}(g, -1, -1);
    ensures tiled: tiled(g);
    ensures tagged: tagged(g);
    ensures waits: same_waits{Pre, Post}(-1);
    ensures linked: linked(g);
    ensures heads: heads;
    ensures placed: placed;
    ensures sorted: sorted_but(g, i + 1);
*/
static void ring_bequeath(struct granule *g, const struct bins *b, uint32_t i, uint32_t heir) {
    //@ ghost nodes_inner();
    //@ ghost large_nodes(g);
    //@ ghost uint32_t x = i + 1;
    //@ ghost uint32_t y = i + 2;
    //@ ghost uint32_t z = heir + 1;
    //@ ghost uint32_t behind = g[x].hi;
    //@ assert self: node_in_large(g, x) && node_in_large(g, behind) && node_in_large(g, heir);
    //@ assert ring: node_in_ring(g, y) && rung(g, y);
    //@ assert pair: follows(behind, x) && follows(x, heir);
    //@ assert twins: twins(x, heir) && lead[heir] == y && leads(x);
    //@ assert extent: extent(heir - 1) && place(z) && list[z] == LIST_NONE;
    /*@ assert back: behind >= BIN_COUNT ? ends_run(behind, g[y].hi) :
            ends_run(g[behind].hi, g[y].hi); */
    /*@ assert rings: \forall integer r; 0 <= r < fence && in_ring(r) ==>
            node_in_ring(g, r) && node_in_large(g, r - 1) && node_in_large(g, g[r - 1].hi) &&
            rung(g, r); */
    /*@ assert elsewhere: \forall integer r; 0 <= r < fence && in_ring(r) && r != y ==>
            node_in_large(g, r - 1) && r != z && g[r - 1].hi != x; */
    /*@ assert lasts: \forall integer r; 0 <= r < fence && in_ring(r) && g[r - 1].hi < BIN_COUNT ==>
            node_in_large(g, r - 1) && node_in_large(g, g[r - 1].hi) && g[g[r - 1].hi].hi != x; */
    /*@ assert order: \forall integer q; 0 <= q < fence && in_large(q) && q != x && q != behind ==>
            node_in_large(g, q) && node_in_large(g, g[q].lo) && g[q].lo != x && g[q].lo != heir &&
            follows(q, g[q].lo); */
    //@ ghost Found: ;
    ring_swap(g, b, i + 2, heir + 1);
    //@ assert in: \forall integer q; in_ring{Pre}(q) && q != y ==> in_ring(q);
    //@ assert out: \forall integer q; in_ring(q) && q != z ==> in_ring{Pre}(q);
    //@ assert self: place(y) && place(z);
    /*@ assert others: \forall integer q; REGION_FIRST <= q <= fence && q != y && q != z ==>
            place{Pre}(q) && place(q); */
    //@ ghost lead_on(y, z);
    //@ assert kept: g[x].hi == behind && g[x].lo == heir && g[behind].lo == x && g[heir].hi == x;
    //@ assert kept_last: g[behind].hi == \at(g[behind].hi, Found);
    /*@ assert leading: \forall integer q;
            0 <= q < fence && q != x && leads{Pre}(q) ==> in_ring{Pre}(q + 1) && leads(q); */
    /*@ assert twinned: \forall integer q, s; 0 <= q < fence && 0 <= s < fence && s != heir &&
            twins{Pre}(q, s) ==> !in_ring(s + 1) && twins(q, s); */
    /*@ assert ends: \forall integer q, v;
            0 <= q < fence && v != y && ends_run{Pre}(q, v) ==> ends_run(q, v); */
    //@ assert ends_own: \forall integer q; 0 <= q < fence && ends_run{Pre}(q, y) ==> ends_run(q, z);
    //@ assert ordered_behind: leads(heir) && follows_but(g, behind, x);
    /*@ assert ordered: \forall integer q; 0 <= q < fence && in_large(q) && q != x && q != behind ==>
            node_in_large{Pre}(g, q) && node_in_large{Pre}(g, g[q].lo) &&
            g[q].lo == \at(g[q].lo, Pre) && follows{Pre}(q, g[q].lo) && follows(q, g[q].lo); */
    /*@ assert rings: \forall integer r; 0 <= r < fence && in_ring(r) && r != z ==>
            in_ring{Pre}(r) && node_in_ring{Pre}(g, r) && r != y; */
    /*@ assert nodes: \forall integer r; 0 <= r < fence && in_ring(r) && r != z ==>
            in_ring{Pre}(r) && node_in_large{Pre}(g, r - 1) &&
            g[r - 1].hi == \at(g[r - 1].hi, Pre) && g[r - 1].hi != x; */
    /*@ assert lasts: \forall integer r; 0 <= r < fence && in_ring(r) && r != z ==>
            node_in_ring{Pre}(g, r) && node_in_large{Pre}(g, g[r - 1].hi) &&
            g[g[r - 1].hi].hi == \at(g[g[r - 1].hi].hi, Pre) &&
            (g[r - 1].hi < BIN_COUNT ==> g[g[r - 1].hi].hi != x); */
    /*@ assert rungs: \forall integer r; 0 <= r < fence && in_ring(r) && r != z ==>
            in_ring{Pre}(r) && rung{Pre}(g, r) && rung(g, r); */
    /*@ assert rungs_but: \forall integer r; 0 <= r < fence && in_ring(r) && r != z ==>
            rung(g, r) && rung_but(g, r, x); */
    //@ assert rung_heir: rung_but(g, z, x);
    /*@ assert whole: \forall integer q; 0 <= q < fence && q != x && in_large(q) ==>
            follows_but(g, q, x); */
    /*@ assert rungs_all: \forall integer r; 0 <= r < fence && in_ring(r) ==>
            r - 1 != x && rung_but(g, r, x); */
    /*@ assert told: \forall integer j; is_free(j) && j != i ==> told{Pre}(g, j) && told(g, j); */
}

/* A chunk that is in no ring: the order stays what it is without it. */
/*@ ghost
    /@ requires cells: cells(g);
       requires tiled: tiled(g);
       requires linked: linked(g);
       requires heads: heads;
       requires placed: placed;
       requires sorted: sorted(g);
       requires free: is_free(i) && in_bin(i) && !in_ring(i + 2);
       terminates \true;
       exits never: \false;
       assigns \nothing;
       ensures sorted: sorted_but(g, i + 1);
    @/
    void sorted_without(const struct granule *g, uint32_t i) {
        large_nodes(g);
        uint32_t x = i + 1;
        uint32_t behind = g[x].hi;
        /@ assert self: in_large(x) ==> node_in_large(g, x) && node_in_large(g, behind) &&
            follows(behind, x) && follows(x, g[x].lo); @/
        /@ assert twins: in_large(x) ==> behind >= BIN_COUNT && twins(behind, x); @/
        /@ assert ends: in_large(x) ==>
            \forall integer v; ends_run(x, v) ==> ends_run(behind, v); @/
        /@ assert ordered_behind: in_large(x) ==> follows_but(g, behind, x); @/
        /@ assert ordered: \forall integer q; 0 <= q < fence && in_large(q) && q != x &&
            q != behind ==> node_in_large(g, q) && g[q].lo != x && follows_but(g, q, x); @/
        /@ assert ordered_small: !in_large(x) ==> \forall integer q; 0 <= q < fence &&
            in_large(q) ==> node_in_large(g, q) && g[q].lo != x && follows_but(g, q, x); @/
        /@ assert whole: \forall integer q; 0 <= q < fence && q != x && in_large(q) ==>
            follows_but(g, q, x); @/
        /@ assert rungs: \forall integer r; 0 <= r < fence && in_ring(r) ==>
            node_in_ring(g, r) && r - 1 != x && node_in_large(g, r - 1) &&
            node_in_large(g, g[r - 1].hi) && rung(g, r) && rung_but(g, r, x); @/
    }
*/

/* Chunk i, in a bin, leaves the ring if it is in it; the next chunk of its rank takes its place. */
/*@ requires cells: cells(g);
    requires bound: bound(g, b);
    requires tiled: tiled(g);
    requires tagged: tagged(g);
    requires linked: linked(g);
    requires heads: heads;
    requires placed: placed;
    requires sorted: sorted(g);
    requires free: is_free(i) && in_bin(i);
    terminates \true;
    exits never: \false;
    assigns g[0 .. fence - 1].lo, g[0 .. fence - 1].hi, list[i + 2], list[g[i + 1].lo + 1],
            lead[0 .. fence];
    ensures left: !in_ring(i + 2);
    ensures bins: \forall integer x; 0 <= x <= fence && !in_ring{Pre}(x) && !in_ring(x) ==>
        list[x] == \old(list[x]);
    ensures new: \forall integer x; 0 <= x <= fence && (in_ring{Pre}(x) || in_ring(x)) ==>
        (list[x] == LIST_NONE || in_ring(x)) && (\old(list[x]) == LIST_NONE || in_ring{Pre}(x));
    ensures links: same_but_rings{Pre, Post}(g);
    ensures sizes: same_sizes{Pre, Post}(g, -1, -1);
    ensures tiled: tiled(g);
    ensures tagged: tagged(g);
    ensures waits: same_waits{Pre, Post}(-1);
    ensures linked: linked(g);
    ensures heads: heads;
    ensures placed: placed;
    ensures sorted: sorted_but(g, i + 1);
*/
static void ring_unhook(struct granule *g, const struct bins *b, uint32_t i) {
    //@ ghost large_nodes(g);
    //@ assert self: extent(i) && place(i + 2) && told(g, i) && hooked(g, i + 1);
    if (g[i].size < LARGE_MIN_GRANULES || g[i + 2].lo == 0) {
        //@ assert none: !in_ring(i + 2);
        //@ ghost sorted_without(g, i);
        return;
    }
    //@ assert node: in_ring(i + 2) && in_large(i + 1) && node_in_large(g, i + 1);
    //@ assert next: node_in_large(g, g[i + 1].lo);
    uint32_t heir = g[i + 1].lo; /* node of the chunk behind in the bin, or the head */
    if (heir >= b->fence)
        report_fault(FAULT_LINK, &g[i + 1], &g[i], "bin link leaves the region");
    if (heir >= BIN_COUNT && bin_rank(g[heir - 1].size) == bin_rank(g[i].size))
        ring_bequeath(g, b, i, heir);
    else
        ring_leave(g, b, i);
}

/* The links' side of take_out. */
/*@ requires cells: cells(g);
    requires bound: bound(g, b);
    requires tiled: tiled(g);
    requires tagged: tagged(g);
    requires linked: linked(g);
    requires heads: heads;
    requires placed: placed;
    requires sorted: sorted_but(g, i + 1);
    requires binned: binned;
    requires mapped_bins: mapped_bins(g, b);
    requires free: is_free(i) && in_bin(i);
    requires ring: !(LIST_RING <= list[i + 2] < LIST_DIRTY);
    terminates \true;
    exits never: \false;
    assigns g[g[i + 1].lo].hi, g[g[i + 1].hi].lo, b->map[0 .. 1], list[i + 1];
    ensures loose: list[i + 1] == LIST_NONE;
    ensures closed: g[\old(g[i + 1].hi)].lo == \old(g[i + 1].lo) &&
        g[\old(g[i + 1].lo)].hi == \old(g[i + 1].hi);
    ensures links: same_links{Pre, Post}(g, \old(g[i + 1].hi), -1, \old(g[i + 1].lo), -1);
    ensures unmarked: \old(g[i + 1].lo) < BIN_COUNT && \old(g[i + 1].hi) < BIN_COUNT ==>
        !marked(b, \old(list[i + 1]));
    ensures outside: same_outside{Pre, Post}(g, -1);
    ensures sizes: same_sizes{Pre, Post}(g, -1, -1);
    ensures tiled: tiled(g);
    ensures tagged: tagged(g);
    ensures linked: linked(g);
    ensures heads: heads;
    ensures placed: placed;
    ensures sorted: sorted(g);
    ensures binned: binned_but(i);
    ensures mapped_bins: mapped_bins(g, b);
*/
static void link_out(struct granule *g, struct bins *b, uint32_t i) {
    //@ ghost nodes_inner();
    //@ ghost large_nodes(g);
    //@ assert self: place(i + 1) && hooked(g, i + 1);
    uint32_t fd = g[i + 1].lo, bk = g[i + 1].hi;
    /*@ assert order: \forall integer q; 0 <= q < fence && in_large(q) && q != i + 1 ==>
            node_in_large(g, q) && (g[q].lo == i + 1 <==> q == bk) && follows_but(g, q, i + 1); */
    /*@ assert rings: \forall integer r; 0 <= r < fence && in_ring(r) ==>
            node_in_ring(g, r) && r != fd && r != bk && r - 1 != i + 1; */
    /*@ assert runs: \forall integer r; 0 <= r < fence && in_ring(r) ==>
            node_in_large(g, r - 1) && (g[r - 1].hi == i + 1 <==> r - 1 == fd) && rung_but(g, r, i + 1); */
    /*@ assert lasts: \forall integer r; 0 <= r < fence && in_ring(r) ==>
            node_in_large(g, r - 1) && node_in_large(g, g[r - 1].hi) &&
            (g[g[r - 1].hi].hi == i + 1 <==> g[r - 1].hi == fd); */
    /*@ assert own: (fd < BIN_COUNT ==> fd == list[i + 1]) &&
            (bk < BIN_COUNT ==> bk == list[i + 1] && g[bk].lo == i + 1); */
    bin_unhook(g, b, i + 1);
    //@ assert linked: linked_but(g, i + 1);
    //@ ghost list[i + 1] = LIST_NONE;
    //@ assert others: \forall integer x; hangs(x) ==> x != i + 1 && hangs{Pre}(x);
    /*@ assert linked: \forall integer x; 0 <= x < fence && hangs(x) ==>
            avoids(g, x, i + 1) && hooked(g, x); */
    //@ assert self: place(i + 1);
    //@ assert ring: place{Pre}(i + 2) && place(i + 2);
    /*@ assert others: \forall integer x; REGION_FIRST <= x <= fence && x != i + 1 && x != i + 2 ==>
            place{Pre}(x) && place(x); */
    /*@ assert heads: \forall integer c; 0 <= c < BIN_COUNT && c != bk ==>
            g[c].lo == \at(g[c].lo, Pre); */
    if (fd == bk && fd < BIN_COUNT)
        unmark(b, fd);
    /*@ assert marks: \forall integer c; BIN_UNSORTED <= c < BIN_COUNT && !marked(b, c) ==>
            (c == fd && c == bk) || (!marked{Pre}(b, c) && empty{Pre}(g, c)); */
    /*@ assert empty: \forall integer c; BIN_UNSORTED <= c < BIN_COUNT && !marked(b, c) ==>
            empty(g, c); */
    //@ assert ring_nodes: \forall integer r; in_ring(r) <==> in_ring{Pre}(r);
    /*@ assert joined: \forall integer q; 0 <= q < fence && in_large(q) ==> q != i + 1 &&
            in_large{Pre}(q) && node_in_large{Pre}(g, q) &&
            g[q].lo == (q == bk ? fd : \at(g[q].lo, Pre)); */
    /*@ assert ordered: \forall integer q; 0 <= q < fence && in_large(q) && q != bk ==>
            in_large{Pre}(q) && follows_but{Pre}(g, q, i + 1) && follows{Pre}(q, g[q].lo) &&
            follows(q, g[q].lo); */
    //@ assert ordered_behind: in_large(bk) ==> follows_but{Pre}(g, bk, i + 1) && follows{Pre}(bk, fd) && follows(bk, fd);
    /*@ assert whole: \forall integer q; 0 <= q < fence && in_large(q) ==> follows(q, g[q].lo); */
    /*@ assert rings: \forall integer r; 0 <= r < fence && in_ring(r) ==> in_ring{Pre}(r) &&
            node_in_ring{Pre}(g, r) && g[r].hi == \at(g[r].hi, Pre); */
    /*@ assert rung_nodes: \forall integer r; 0 <= r < fence && in_ring(r) ==> in_ring{Pre}(r) &&
            node_in_large{Pre}(g, r - 1) &&
            g[r - 1].hi == (r - 1 == fd ? bk : \at(g[r - 1].hi, Pre)); */
    /*@ assert rungs: \forall integer r; 0 <= r < fence && in_ring(r) ==> in_ring{Pre}(r) &&
            node_in_large{Pre}(g, r - 1) && rung_but{Pre}(g, r, i + 1) && rung(g, r); */
    //@ assert inside: \forall integer j; chunk(j) ==> extent(j);
    /*@ assert told: \forall integer j; is_free(j) && j != i ==> told{Pre}(g, j) && told(g, j); */
    //@ assert told_self: told(g, i);
}

/* Take the node of free chunk i, which is in no ring any more, out of its bin. */
/*@ requires cells: cells(g);
    requires bound: bound(g, b);
    requires tiled: tiled(g);
    requires tagged: tagged(g);
    requires linked: linked(g);
    requires heads: heads;
    requires placed: placed;
    requires sorted: sorted_but(g, i + 1);
    requires binned: binned;
    requires mapped_bins: mapped_bins(g, b);
    requires counted: counted(b);
    requires free: is_free(i) && in_bin(i);
    requires ring: !(LIST_RING <= list[i + 2] < LIST_DIRTY);
    terminates \true;
    exits never: \false;
    assigns g[g[i + 1].lo].hi, g[g[i + 1].hi].lo, b->map[0 .. 1], b->free_chunks,
            b->free_granules, list[i + 1], tally[i + 1];
    ensures loose: list[i + 1] == LIST_NONE;
    ensures closed: g[\old(g[i + 1].hi)].lo == \old(g[i + 1].lo) &&
        g[\old(g[i + 1].lo)].hi == \old(g[i + 1].hi);
    ensures links: same_links{Pre, Post}(g, \old(g[i + 1].hi), -1, \old(g[i + 1].lo), -1);
    ensures outside: same_outside{Pre, Post}(g, -1);
    ensures sizes: same_sizes{Pre, Post}(g, -1, -1);
    ensures tiled: tiled(g);
    ensures tagged: tagged(g);
    ensures linked: linked(g);
    ensures heads: heads;
    ensures placed: placed;
    ensures sorted: sorted(g);
    ensures binned: binned_but(i);
    ensures mapped_bins: mapped_bins(g, b);
    ensures counted: counted(b);
*/
static void take_out(struct granule *g, struct bins *b, uint32_t i) {
    //@ assert counts: tallied_as(i + 1);
    count_free_out(b, i + 1, g[i].size);
    link_out(g, b, i);
    /*@ assert tallied: \forall integer x; REGION_FIRST <= x <= fence && x != i + 1 ==>
            tallied_as{Pre}(x) && tallied_as(x); */
    //@ assert tallied: tallied_as(i + 1);
}

void bin_unlink(struct granule *g, struct bins *b, uint32_t i) {
    ring_unhook(g, b, i);
    //@ assert self: hooked(g, i + 1) && extent(i);
    /*@ assert empty: \forall integer c; BIN_UNSORTED <= c < BIN_COUNT && !marked(b, c) ==>
            empty{Pre}(g, c) && empty(g, c); */
    /*@ assert tallied: \forall integer x; REGION_FIRST <= x <= fence ==>
            tallied_as{Pre}(x) && tallied_as(x); */
    /*@ assert dirty: \forall integer x; 0 <= x <= fence ==>
            (\at(list[x], Pre) == LIST_DIRTY <==> list[x] == LIST_DIRTY); */
    /*@ assert outside: \forall integer x; 0 <= x <= fence && unbinned{Pre}(x) && unbinned(x) ==>
            g[x].lo == \at(g[x].lo, Pre) && g[x].hi == \at(g[x].hi, Pre); */
    //@ ghost Left: ;
    take_out(g, b, i);
    /*@ assert outside: \forall integer x; 0 <= x <= fence && unbinned{Pre}(x) && unbinned(x) ==>
            x != i + 1 && unbinned{Left}(x) && g[x].lo == \at(g[x].lo, Left) &&
            g[x].hi == \at(g[x].hi, Left); */
}

/* How many of the chunks that share a rank are looked at. */
enum { LOOK_MAX = 8 };

/*@ // The node n behind x in its list; whether those from x to it are chunks of one rank; whether it is one
    // of the first `count` that are, and has the size.
    logic integer nth{L}(struct granule *g, integer x, integer n) =
        n <= 0 ? x : g[nth(g, x, n - 1)].lo;
    predicate shares{L}(struct granule *g, integer x, integer n) =
        nth(g, x, n) >= BIN_COUNT && rank(span[nth(g, x, n) - 1]) == rank(span[x - 1]);
    predicate of_rank{L}(struct granule *g, integer x, integer n) = \forall integer m;
        0 <= m <= n ==> shares(g, x, m);
    predicate suits{L}(struct granule *g, integer x, integer n, integer count, integer size) =
        0 <= n < count && of_rank(g, x, n) && span[nth(g, x, n) - 1] >= size;

    // The k-th is chunk `fit`; none of those that suit is smaller, none behind as small.
    predicate best{L}(struct granule *g, integer x, integer k, integer count, integer size, integer fit) =
        suits(g, x, k, count, size) && nth(g, x, k) == fit + 1 &&
        \forall integer n; suits(g, x, n, count, size) ==>
            span[nth(g, x, n) - 1] >= span[fit] + (n > k ? 1 : 0);
*/

/* Of the first chunks of a rank, from node x on, the smallest of `size` granules or more; 0: none. Of
 * equals the last, which is not in the ring and leaves without touching it. */
/*@ requires cells: cells(g);
    requires bound: bound(g, b);
    requires tiled: tiled(g);
    requires linked: linked(g);
    requires heads: heads;
    requires placed: placed;
    requires node: BIN_COUNT <= x < fence && in_large(x);
    terminates \true;
    exits never: \false;
    assigns \nothing;
    ensures fits: \result != 0 ==>
        is_free(\result) && list[\result + 1] == list[x] && span[\result] >= size;
    ensures first: span[x - 1] >= size ==> \result != 0 && span[\result] <= span[x - 1];
    ensures none: \result == 0 ==> \forall integer n; !suits(g, x, n, LOOK_MAX, size);
    ensures best: \result != 0 ==> \exists integer k; best(g, x, k, LOOK_MAX, size, \result);
*/
static uint32_t fit_of_rank(const struct granule *g, const struct bins *b, uint32_t x,
                            uint32_t size) {
    //@ ghost large_nodes(g);
    //@ assert node: node_in_large(g, x);
    uint32_t rank_of_all = bin_rank(g[x - 1].size), fit = 0;
    //@ ghost uint32_t chosen = 0;
    /*@ loop invariant node: x < fence && list[x] == list[\at(x, Pre)];
        loop invariant nth: 0 <= look <= LOOK_MAX && x == nth(g, \at(x, Pre), look);
        loop invariant ranks: \forall integer m; 0 <= m < look ==> shares(g, \at(x, Pre), m);
        loop invariant none: fit == 0 ==> \forall integer n; !suits(g, \at(x, Pre), n, look, size);
        loop invariant best: fit != 0 ==> best(g, \at(x, Pre), chosen, look, size, fit);
        loop invariant fit: fit != 0 ==> is_free(fit) &&
            list[fit + 1] == list[\at(x, Pre)] && span[fit] >= size && g[fit].size == span[fit];
        loop invariant start: look == 0 ==> x == \at(x, Pre) && fit == 0;
        loop invariant first: look > 0 && span[\at(x, Pre) - 1] >= size ==>
            fit != 0 && span[fit] <= span[\at(x, Pre) - 1];
        loop assigns look, x, fit, chosen;
        loop variant LOOK_MAX - look;
    */
    for (uint32_t look = 0; look < LOOK_MAX; look++) {
        //@ assert node: node_in_large(g, x);
        /*@ assert shares: shares(g, \at(x, Pre), look) <==>
                x >= BIN_COUNT && rank(g[x - 1].size) == rank_of_all; */
        /*@ assert ends: !shares(g, \at(x, Pre), look) ==> \forall integer n;
                suits(g, \at(x, Pre), n, LOOK_MAX, size) ==> suits(g, \at(x, Pre), n, look, size); */
        if (x < BIN_COUNT || bin_rank(g[x - 1].size) != rank_of_all)
            break;
        //@ assert of_rank: of_rank(g, \at(x, Pre), look);
        //@ ghost uint32_t old = fit;
        /*@ assert self: suits(g, \at(x, Pre), look, look + 1, size) <==> span[x - 1] >= size; */
        if (g[x - 1].size >= size && (fit == 0 || g[x - 1].size <= g[fit].size))
            fit = x - 1;
        //@ ghost if (fit == x - 1) chosen = look;
        /*@ assert others: \forall integer n; suits(g, \at(x, Pre), n, look + 1, size) ==>
                n == look || suits(g, \at(x, Pre), n, look, size); */
        //@ assert none: fit == 0 ==> \forall integer n; !suits(g, \at(x, Pre), n, look + 1, size);
        //@ assert took: fit == x - 1 ==> span[fit] >= size && (old == 0 || span[fit] <= span[old]);
        //@ assert stays: fit != x - 1 ==> fit == old;
        /*@ assert before: fit == x - 1 ==> \forall integer n; suits(g, \at(x, Pre), n, look, size) ==>
                old != 0 && span[nth(g, \at(x, Pre), n) - 1] >= span[old]; */
        /*@ assert smaller: fit == x - 1 ==> suits(g, \at(x, Pre), look, look + 1, size) &&
                \forall integer n; suits(g, \at(x, Pre), n, look + 1, size) ==>
                span[nth(g, \at(x, Pre), n) - 1] >= span[fit]; */
        /*@ assert larger: fit != 0 && fit != x - 1 && suits(g, \at(x, Pre), look, look + 1, size) ==>
                span[x - 1] > span[fit]; */
        //@ assert best: fit != 0 && fit != x - 1 ==> best(g, \at(x, Pre), chosen, look + 1, size, fit);
        //@ assert best: fit == x - 1 ==> best(g, \at(x, Pre), chosen, look + 1, size, fit);
        //@ assert best: fit != 0 ==> best(g, \at(x, Pre), chosen, look + 1, size, fit);
        //@ assert first: span[\at(x, Pre) - 1] >= size ==> fit != 0 && span[fit] <= span[\at(x, Pre) - 1];
        //@ assert next: node_in_large(g, g[x].lo);
        if (g[x].lo >= b->fence)
            report_fault(FAULT_LINK, &g[x], &g[x - 1], "bin link leaves the region");
        x = g[x].lo;
    }
    return fit;
}

uint32_t bin_best_fit(const struct granule *g, const struct bins *b, uint32_t bin, uint32_t size) {
    //@ ghost large_nodes(g);
    //@ assert head: node_in_large(g, bin);
    //@ assert first: g[bin].lo != bin ==> node_in_large(g, g[bin].lo) && follows(bin, g[bin].lo);
    if (g[bin].lo == bin)
        return 0;
    uint32_t least = bin_rank(size), largest = g[bin].lo + 1;
    //@ assert largest: node_in_ring(g, largest) && node_in_ring(g, g[largest].hi);
    uint32_t leader = g[largest].hi; /* the smallest rank's */
    if (leader < BIN_COUNT + 2 || leader >= b->fence)
        report_fault(FAULT_NEXTSIZE, &g[largest], NULL, "nextsize link leaves the region");
    uint32_t fit = 0;
    /*@ loop invariant ring: leader < fence && list[leader] == LIST_RING + bin;
        loop invariant fit: fit != 0 ==>
            is_free(fit) && list[fit + 1] == bin && span[fit] >= size;
        loop assigns leader, fit;
        loop variant UINT32_MAX - rank(span[leader - 2]);
    */
    for (;;) {
        //@ assert leader: node_in_ring(g, leader) && node_in_large(g, leader - 1);
        //@ assert ascends: span[leader - 2] >= size ==> rank(span[leader - 2]) >= rank(size);
        if (bin_rank(g[leader - 2].size) >= least)
            fit = fit_of_rank(g, b, leader - 1, size);
        //@ assert none: fit == 0 ==> span[leader - 2] < size;
        if (fit != 0 || leader == largest)
            return fit;
        //@ assert step: node_in_ring(g, leader) && node_in_ring(g, g[leader].hi);
        //@ assert back: rung(g, leader) && node_in_large(g, leader - 1);
        //@ assert before: node_in_large(g, g[leader - 1].hi);
        //@ assert order: follows(g[leader - 1].hi, leader - 1) && extent(leader - 2);
        leader = ring_step(g, b, leader, g[leader].hi, false);
    }
}

/* Chunk i, cached and of `size` granules, becomes the first of its list. */
/*@ requires cells: cells(g);
    requires bound: bound(g, b);
    requires tiled: tiled(g);
    requires tagged: tagged(g);
    requires linked: linked(g);
    requires heads: heads;
    requires placed: placed;
    requires fast: fast(g, b);
    requires cached: chunk(i) && state[i] == SEAL_CACHED && list[i + 1] == LIST_NONE;
    requires size: size == span[i] && size <= FAST_MAX_GRANULES;
    terminates \true;
    exits never: \false;
    assigns g[i + 1].lo, b->fast[size], list[i + 1], above[i], above[b->fast[size]];
    ensures first: b->fast[size] == i && list[i + 1] == LIST_FAST + size;
    ensures below: g[i + 1].lo == \old(b->fast[size]);
    ensures links: same_links{Pre, Post}(g, i + 1, -1, -1, -1);
    ensures sizes: same_sizes{Pre, Post}(g, -1, -1);
    ensures tiled: tiled(g);
    ensures tagged: tagged(g);
    ensures linked: linked(g);
    ensures heads: heads;
    ensures placed: placed;
    ensures fast: fast(g, b);
*/
static void fast_hook(struct granule *g, struct bins *b, uint32_t i, uint32_t size) {
    //@ ghost nodes_inner();
    uint32_t below = b->fast[size];
    //@ assert extent: extent(i);
    //@ assert first: fast_first(b, size);
    /*@ assert apart: \forall integer x; 0 <= x <= fence && list[x] != LIST_NONE ==> x != i + 1; */
    /*@ assert firsts: \forall integer s; CHUNK_MIN_GRANULES <= s <= FAST_MAX_GRANULES &&
            s != size ==> fast_first(b, s) && (b->fast[s] == 0 ||
            (b->fast[s] != i && b->fast[s] != below)); */
    /*@ assert links: \forall integer j; chunk(j) && list[j + 1] >= LIST_FAST ==> j != i &&
            fast_link(g, j) && (g[j + 1].lo == 0 || (g[j + 1].lo != i && g[j + 1].lo != below)); */
    g[i + 1].lo = below;
    b->fast[size] = i;
    //@ ghost list[i + 1] = LIST_FAST + size;
    //@ ghost above[below] = i;
    //@ ghost above[i] = 0;
    //@ assert sizes: same_sizes{Pre, Here}(g, -1, -1);
    //@ assert links: same_links{Pre, Here}(g, i + 1, -1, -1, -1);
    //@ assert self: place(i + 1);
    /*@ assert others: \forall integer x; REGION_FIRST <= x <= fence && x != i + 1 ==>
            place{Pre}(x) && place(x); */
    /*@ assert linked: \forall integer x; 0 <= x < fence && hangs(x) ==> hangs{Pre}(x) &&
            hooked{Pre}(g, x) && hooked(g, x); */
    /*@ assert kept: \forall integer s; 0 <= s < FAST_BIN_COUNT && s != size ==>
            b->fast[s] == \at(b->fast[s], Pre); */
    /*@ assert firsts: \forall integer s; CHUNK_MIN_GRANULES <= s <= FAST_MAX_GRANULES &&
            s != size ==> fast_first{Pre}(b, s) && fast_first(b, s); */
    //@ assert first: fast_first(b, size);
    //@ assert self: fast_link(g, i);
    /*@ assert others: \forall integer j; chunk(j) && list[j + 1] >= LIST_FAST && j != i ==>
            \at(list[j + 1], Pre) >= LIST_FAST && fast_link{Pre}(g, j) && fast_link(g, j); */
}

void fast_push(struct granule *g, const struct seal_key *k, struct bins *b, uint32_t i) {
    uint32_t size = g[i].size;
    chunk_reseal(g, k, i, SEAL_CACHED);
    /*@ assert placed: \forall integer x; REGION_FIRST <= x <= fence ==>
            place{Pre}(x) && place(x); */
    //@ assert sizes: same_sizes{Pre, Here}(g, -1, -1);
    //@ assert links: same_links{Pre, Here}(g, -1, -1, -1, -1);
    //@ assert loose: tallied_as(i + 1);
    /*@ assert apart: \forall integer x; 0 <= x < fence && hangs(x) ==>
            hooked(g, x) && x != i + 1; */
    //@ ghost Resealed: ;
    count_fast_in(b, i + 1, size);
    //@ assert key: same_key{Resealed, Here}(k) && same_secrets{Resealed, Here}(k);
    //@ assert marks: \forall integer j; chunk(j) ==> mark{Resealed}(g, k, j) && mark(g, k, j);
    //@ assert sealed: sealed(g, k);
    //@ ghost Counted: ;
    fast_hook(g, b, i, size);
    //@ assert fence: sealed_as{Counted}(g, k, fence, SEAL_FENCE) && sealed_as(g, k, fence, SEAL_FENCE);
    //@ assert marks: \forall integer j; chunk(j) ==> mark{Counted}(g, k, j) && mark(g, k, j);
    /*@ assert tallied: \forall integer x; REGION_FIRST <= x <= fence && x != i + 1 ==>
            tallied_as{Pre}(x) && tallied_as(x); */
    //@ assert tallied: tallied_as(i + 1);
    /*@ assert ordered: \forall integer x; 0 <= x < fence && in_large(x) ==>
            g[x].lo == \at(g[x].lo, Pre) && follows{Pre}(x, g[x].lo) && follows(x, g[x].lo); */
    /*@ assert back: \forall integer x; 0 <= x < fence && in_large(x) ==>
            in_large(g[x].hi) && 0 <= g[x].hi < fence && g[x].hi == \at(g[x].hi, Pre); */
    /*@ assert rings: \forall integer y; 0 <= y < fence && in_ring(y) ==>
            REGION_FIRST <= y && place(y) && in_large(y - 1) && g[y].hi == \at(g[y].hi, Pre); */
    /*@ assert rungs: \forall integer y; 0 <= y < fence && in_ring(y) ==>
            rung{Pre}(g, y) && rung(g, y); */
    //@ assert inside: \forall integer j; chunk(j) ==> extent(j);
    /*@ assert mapped: \forall integer bin; BIN_UNSORTED <= bin < BIN_COUNT ==>
            (marked{Pre}(b, bin) <==> marked(b, bin)) && (empty{Pre}(g, bin) <==> empty(g, bin)); */
    //@ assert told: \forall integer j; is_free(j) ==> told{Pre}(g, j) && told(g, j);
}

/* The first chunk of the list of `size` leaves it. */
/*@ requires cells: cells(g);
    requires bound: bound(g, b);
    requires tiled: tiled(g);
    requires linked: linked(g);
    requires heads: heads;
    requires placed: placed;
    requires fast: fast(g, b);
    requires size: CHUNK_MIN_GRANULES <= size <= FAST_MAX_GRANULES;
    requires first: b->fast[size] != 0;
    terminates \true;
    exits never: \false;
    assigns b->fast[size], list[b->fast[size] + 1],
            above[g[b->fast[size] + 1].lo];
    ensures loose: list[\old(b->fast[size]) + 1] == LIST_NONE;
    ensures below: b->fast[size] == \old(g[b->fast[size] + 1].lo);
    ensures tiled: tiled(g);
    ensures linked: linked(g);
    ensures heads: heads;
    ensures placed: placed;
    ensures fast: fast(g, b);
*/
static void fast_unhook(const struct granule *g, struct bins *b, uint32_t size) {
    uint32_t i = b->fast[size];
    //@ assert first: fast_first(b, size);
    //@ assert self: place(i + 1) && fast_link(g, i);
    uint32_t below = g[i + 1].lo;
    /*@ assert firsts: \forall integer s; CHUNK_MIN_GRANULES <= s <= FAST_MAX_GRANULES &&
            s != size ==> fast_first(b, s) && (b->fast[s] == 0 ||
            (b->fast[s] != i && b->fast[s] != below)); */
    /*@ assert links: \forall integer j; chunk(j) && list[j + 1] >= LIST_FAST && j != i ==>
            fast_link(g, j) && (g[j + 1].lo == 0 || (g[j + 1].lo != i && g[j + 1].lo != below)); */
    b->fast[size] = below;
    //@ ghost list[i + 1] = LIST_NONE;
    //@ ghost above[below] = 0;
    /*@ assert others: \forall integer x; REGION_FIRST <= x <= fence ==>
            place{Pre}(x) && place(x); */
    /*@ assert linked: \forall integer x; 0 <= x < fence && hangs(x) ==> hangs{Pre}(x) &&
            hooked{Pre}(g, x) && hooked(g, x); */
    /*@ assert kept: \forall integer s; 0 <= s < FAST_BIN_COUNT && s != size ==>
            b->fast[s] == \at(b->fast[s], Pre); */
    /*@ assert firsts: \forall integer s; CHUNK_MIN_GRANULES <= s <= FAST_MAX_GRANULES &&
            s != size ==> fast_first{Pre}(b, s) && fast_first(b, s); */
    //@ assert first: fast_first(b, size);
    /*@ assert links: same_links{Pre, Here}(g, -1, -1, -1, -1); */
    /*@ assert others: \forall integer j; chunk(j) && list[j + 1] >= LIST_FAST ==>
            j != i && \at(list[j + 1], Pre) >= LIST_FAST && fast_link{Pre}(g, j) && fast_link(g, j); */
}

uint32_t fast_pop(struct granule *g, const struct seal_key *k, struct bins *b, uint32_t size) {
    uint32_t i = b->fast[size];
    if (i == 0)
        return 0;
    //@ assert first: fast_first(b, size);
    //@ assert self: place(i + 1) && fast_link(g, i) && mark(g, k, i);
    if (g[i].size != size || !header_is(g, k, i, SEAL_CACHED))
        report_fault(FAULT_FAST, &g[i + 1], &g[i], "fast bin holds another chunk");
    uint32_t next = g[i + 1].lo;
    if (next != 0 && (next < REGION_FIRST || next >= b->fence))
        report_fault(FAULT_FAST, &g[i + 1], &g[i], "fast bin link leaves the region");
    //@ assert counts: tallied_as(i + 1);
    count_fast_out(b, i + 1, size);
    fast_unhook(g, b, size);
    /*@ assert tallied: \forall integer x; REGION_FIRST <= x <= fence && x != i + 1 ==>
            tallied_as{Pre}(x) && tallied_as(x); */
    //@ assert tallied: tallied_as(i + 1);
    //@ assert key: same_key{Pre, Here}(k) && same_secrets{Pre, Here}(k);
    //@ assert sizes: same_sizes{Pre, Here}(g, -1, -1);
    //@ assert marks: \forall integer j; chunk(j) ==> mark{Pre}(g, k, j) && mark(g, k, j);
    /*@ assert fence: sealed_as{Pre}(g, k, fence, SEAL_FENCE) &&
            sealed_as(g, k, fence, SEAL_FENCE); */
    return i;
}
