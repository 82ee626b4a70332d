/* test_check.c: each invariant of the walker broken alone, and reported by its own name.
 *
 * Every test first sees the walker pass on the sound heap, so none can succeed by a heap that was
 * broken before. Where a field is sealed the test seals what it wrote, so that it is not `sealed`
 * that notices.
 */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include <string.h>

#include "../cache.h"
#include "../check.h"
#include "../mapped.h"
#include "small_region.h"

static struct region r;

/* allocated 8 | free 100 | allocated 8 | free 100 | allocated 8 | free 1700 | allocated 8 |
 * fast 4 | allocated 8 | free 10 | allocated 8 | top; the first three free ones are sorted. */
static uint32_t fence_post[6], large_a, large_b, big, fast, small;

static uint32_t take(uint32_t size) {
    uint32_t i = region_allocate(&r, size, 0);
    assert_int_not_equal(i, 0);
    return i;
}

static int build(void **state) {
    (void)state;
    small_region(&r, SMALL_GRANULES);
    fence_post[0] = take(8);
    large_a = take(100);
    fence_post[1] = take(8);
    large_b = take(100);
    fence_post[2] = take(8);
    big = take(1700);
    fence_post[3] = take(8);
    fast = take(4);
    fence_post[4] = take(8);
    small = take(10);
    fence_post[5] = take(8);
    region_free(&r, large_a, 0);
    region_free(&r, large_b, 0);
    region_free(&r, big, 0);
    take(4000); /* sorts the three */
    region_free(&r, small, 0);
    region_free(&r, fast, 8);
    struct cp_breach breach;
    return check_region(&r, &breach) ? 0 : -1;
}

static void expect(enum cp_invariant invariant, uint32_t granule) {
    struct cp_breach breach = {.detail = NULL};
    assert_false(check_region(&r, &breach));
    assert_string_equal(cp_invariant_name(breach.invariant), cp_invariant_name(invariant));
    assert_ptr_equal(breach.region, r.g);
    assert_int_equal(breach.granule, granule);
    assert_non_null(breach.detail);
}

static void breaks_tiled(void **state) {
    (void)state;
    header_write(r.g, &r.key, fence_post[0], SMALL_GRANULES, 0, SEAL_ALLOCATED);
    expect(CP_TILED, fence_post[0]);
}

static void breaks_tiled_by_a_fence_inside(void **state) {
    (void)state;
    header_write(r.g, &r.key, fence_post[1], 8, 0, SEAL_FENCE);
    expect(CP_TILED, fence_post[1]);
}

static void breaks_tagged(void **state) {
    (void)state;
    r.g[fence_post[1]].prev_inuse = 1; /* behind a free chunk */
    expect(CP_TAGGED, large_a);
}

static void breaks_tagged_by_the_footer(void **state) {
    (void)state;
    r.g[fence_post[1]].lo = 99;
    expect(CP_TAGGED, large_a);
}

static void breaks_sealed(void **state) {
    (void)state;
    r.g[fence_post[2]].seal ^= 1;
    expect(CP_SEALED, fence_post[2]);
}

static void breaks_sealed_by_flags(void **state) {
    (void)state;
    r.g[fence_post[2]].flags ^= FLAG_ARENA;
    expect(CP_SEALED, fence_post[2]);
}

static void breaks_coalesced(void **state) {
    (void)state;
    chunk_free(r.g, &r.key, fence_post[0]); /* large_a behind it is free */
    expect(CP_COALESCED, large_a);
}

static void breaks_linked(void **state) {
    (void)state;
    r.g[large_b + 1].hi = small + 1;
    /* its neighbour before, in the same bin, is not answered */
    struct cp_breach breach;
    assert_false(check_region(&r, &breach));
    assert_int_equal(breach.invariant, CP_LINKED);
}

static void breaks_binned(void **state) {
    (void)state;
    bin_unlink(r.g, &r.bins, small); /* free, but nowhere */
    expect(CP_BINNED, 0);
}

static void breaks_binned_by_size(void **state) {
    (void)state;
    bin_unlink(r.g, &r.bins, small);
    uint32_t x = small + 1, bin = 11; /* hang it where chunks of 11 belong */
    r.g[x].lo = r.g[x].hi = bin;
    r.g[bin].lo = r.g[bin].hi = x;
    r.bins.map[0] |= (uint64_t)1 << bin;
    r.bins.free_chunks++;
    r.bins.free_granules += 10;
    expect(CP_BINNED, small);
}

static void breaks_sorted(void **state) {
    (void)state;
    uint32_t first = r.g[bin_index(100)].lo - 1, second = r.g[first + 1].lo - 1;
    r.g[second + 2].lo = second + 2; /* a second of its size in the ring */
    expect(CP_SORTED, second);
}

static void breaks_sorted_by_the_ring(void **state) {
    (void)state;
    r.g[big + 2].hi = fence_post[0];
    expect(CP_SORTED, big);
}

static void breaks_mapped_bins(void **state) {
    (void)state;
    r.bins.map[bin_index(1700) / 64] &= ~((uint64_t)1 << bin_index(1700) % 64);
    expect(CP_MAPPED_BINS, bin_index(1700));
}

static void breaks_fast(void **state) {
    (void)state;
    r.bins.fast[5] = r.bins.fast[4];
    r.bins.fast[4] = 0;
    expect(CP_FAST, fast);
}

static void breaks_fast_by_a_loop(void **state) {
    (void)state;
    r.g[fast + 1].lo = fast;
    expect(CP_FAST, fast);
}

static void breaks_counted(void **state) {
    (void)state;
    r.bins.free_granules++;
    expect(CP_COUNTED, 0);
}

static void breaks_counted_fast(void **state) {
    (void)state;
    r.bins.fast_chunks++;
    expect(CP_COUNTED, 0);
}

static void breaks_purged(void **state) {
    (void)state;
    struct page_run whole = region_whole_pages(&r, big);
    assert_true(whole.from < whole.to);
    region_set_purged(&r, big, whole);
    struct cp_breach breach;
    assert_true(check_region(&r, &breach));
    r.g[big + PURGED_NODE].lo -= PAGE_GRANULES; /* reaches over the chunk's own header */
    expect(CP_PURGED, big);
}

static void breaks_purged_by_half_a_page(void **state) {
    (void)state;
    struct page_run whole = region_whole_pages(&r, big);
    region_set_purged(&r, big, whole);
    r.g[big + PURGED_NODE].lo++;
    expect(CP_PURGED, big);
}

static void breaks_purged_by_an_unlisted_chunk(void **state) {
    (void)state;
    assert_int_equal(region_oldest_dirty(&r), big);
    bin_unhook(r.g, &r.bins, big + DIRTY_NODE);
    expect(CP_PURGED, 0);
}

static void breaks_linked_in_the_dirty_list(void **state) {
    (void)state;
    r.g[big + DIRTY_NODE].hi = small;
    expect(CP_LINKED, DIRTY_HEAD);
}

static void breaks_counted_dirty(void **state) {
    (void)state;
    r.dirty_granules -= PAGE_GRANULES;
    expect(CP_COUNTED, 0);
}

static void breaks_owned(void **state) {
    (void)state;
    header_write(r.g, &r.key, fence_post[3], 8, FLAG_ARENA, SEAL_ALLOCATED);
    expect(CP_OWNED, fence_post[3]);
}

/* ---- The process: on the real allocator, each time mended again ------------------------------------ */

/* Above any dynamic threshold: always a mapping of its own. */
enum { MAPPED_BYTES = 64 << 20, MANY_MAPPINGS = 20 };

static void sound_process(void) {
    struct cp_breach breach;
    if (!cp_check(&breach))
        cp_check_print(&breach);
    assert_true(cp_check(NULL));
}

static void expect_in_process(enum cp_invariant invariant) {
    struct cp_breach breach;
    assert_false(cp_check(&breach));
    assert_string_equal(cp_invariant_name(breach.invariant), cp_invariant_name(invariant));
}

static void breaks_owned_by_the_arena(void **state) {
    (void)state;
    cp_free(cp_malloc(3000));
    sound_process();
    struct heap *h = arena_main()->heaps;
    h->arena = NULL;
    expect_in_process(CP_OWNED);
    h->arena = arena_main();
    sound_process();
}

static void breaks_owned_by_a_cache(void **state) {
    (void)state;
    cp_free(cp_malloc(100));
    sound_process();
    struct granule **top = cache_self->top[size_to_granules(100)];
    struct granule *kept = top[-1];
    void *live = cp_malloc(5000);
    top[-1] = (struct granule *)live - 1; /* allocated, and of another size */
    expect_in_process(CP_OWNED);
    top[-1] = kept;
    sound_process();
    cp_free(live);
}

static void breaks_counted_by_the_arena(void **state) {
    (void)state;
    cp_free(cp_malloc(3000));
    sound_process();
    arena_main()->system_bytes += PAGE_BYTES;
    expect_in_process(CP_COUNTED);
    arena_main()->system_bytes -= PAGE_BYTES;
    sound_process();
}

static void breaks_sealed_in_a_mapping(void **state) {
    (void)state;
    unsigned char *p = cp_malloc(MAPPED_BYTES);
    struct granule *header = (struct granule *)(void *)p - 1;
    sound_process();
    header->seal ^= 1;
    expect_in_process(CP_SEALED);
    header->seal ^= 1;
    sound_process();
    cp_free(p);
}

static void breaks_apart(void **state) {
    (void)state;
    void *p = cp_malloc(MAPPED_BYTES);
    sound_process();
    struct heap *h = arena_main()->heaps;
    unsigned char *start = h->start;
    size_t bytes = h->committed_bytes;
    /* A second heap that claims the same memory. */
    struct heap twin = *h;
    h->next = &twin;
    expect_in_process(CP_APART);
    h->next = twin.next;
    assert_ptr_equal(h->start, start);
    assert_int_equal(h->committed_bytes, bytes);
    sound_process();
    cp_free(p);
}

static void breaks_apart_by_a_mapping(void **state) {
    (void)state;
    void *p = cp_malloc(MAPPED_BYTES);
    sound_process();
    /* The break's bounds said to reach over the mapping. */
    struct address_range kept = arena_break_range;
    arena_break_range.granules = UINTPTR_MAX / GRANULE_BYTES;
    expect_in_process(CP_APART);
    arena_break_range = kept;
    sound_process();
    cp_free(p);
}

/* Header and table say that a mapping has so many pages. mapped.h shows only the table's lock, which
 * the entries stand behind; if they do not, the mapping is not found. */
static void say_pages(struct granule *header, uint32_t pages) {
    struct {
        struct lock lock;
        struct {
            struct granule *header;
            uint32_t pages;
        } * entries;
        size_t capacity;
    } *table = (void *)mapped_lock();
    size_t slot = 0;
    while (slot < table->capacity && table->entries[slot].header != header)
        slot++;
    assert_true(slot < table->capacity);
    table->entries[slot].pages = pages;
    header->size = pages;
    seal_as(header, SEAL_ALLOCATED);
}

/* Two of so many mappings: the lower one said to reach into the higher one. */
static void break_apart_two_of(unsigned mappings) {
    struct granule *header[MANY_MAPPINGS];
    for (unsigned i = 0; i < mappings; i++)
        header[i] = (struct granule *)cp_malloc(MAPPED_BYTES) - 1;
    sound_process();
    struct granule *low = header[0] < header[1] ? header[0] : header[1];
    struct granule *high = low == header[0] ? header[1] : header[0];
    uint32_t pages = low->size;
    say_pages(low, (uint32_t)((size_t)(high - low) * GRANULE_BYTES / PAGE_BYTES) + 1);
    expect_in_process(CP_APART);
    say_pages(low, pages);
    sound_process();
    for (unsigned i = 0; i < mappings; i++)
        cp_free(header[i] + 1);
}

static void breaks_apart_two_mappings(void **state) {
    (void)state;
    break_apart_two_of(2);
}

/* More than the walker compares with each other. */
static void breaks_apart_two_of_many_mappings(void **state) {
    (void)state;
    break_apart_two_of(MANY_MAPPINGS);
}

static void names_all(void **state) {
    (void)state;
    for (int a = 0; a < CP_INVARIANTS; a++) {
        assert_non_null(cp_invariant_name((enum cp_invariant)a));
        for (int b = 0; b < a; b++)
            assert_string_not_equal(cp_invariant_name((enum cp_invariant)a),
                                    cp_invariant_name((enum cp_invariant)b));
    }
    assert_string_equal(cp_invariant_name(CP_INVARIANTS), "unknown");
}

#define ON_REGION(test) cmocka_unit_test_setup(test, build)

int main(void) {
    const struct CMUnitTest tests[] = {
        ON_REGION(breaks_tiled),
        ON_REGION(breaks_tiled_by_a_fence_inside),
        ON_REGION(breaks_tagged),
        ON_REGION(breaks_tagged_by_the_footer),
        ON_REGION(breaks_sealed),
        ON_REGION(breaks_sealed_by_flags),
        ON_REGION(breaks_coalesced),
        ON_REGION(breaks_linked),
        ON_REGION(breaks_binned),
        ON_REGION(breaks_binned_by_size),
        ON_REGION(breaks_sorted),
        ON_REGION(breaks_sorted_by_the_ring),
        ON_REGION(breaks_mapped_bins),
        ON_REGION(breaks_fast),
        ON_REGION(breaks_fast_by_a_loop),
        ON_REGION(breaks_counted),
        ON_REGION(breaks_counted_fast),
        ON_REGION(breaks_purged),
        ON_REGION(breaks_purged_by_half_a_page),
        ON_REGION(breaks_purged_by_an_unlisted_chunk),
        ON_REGION(breaks_linked_in_the_dirty_list),
        ON_REGION(breaks_counted_dirty),
        ON_REGION(breaks_owned),
        cmocka_unit_test(breaks_owned_by_the_arena),
        cmocka_unit_test(breaks_owned_by_a_cache),
        cmocka_unit_test(breaks_counted_by_the_arena),
        cmocka_unit_test(breaks_sealed_in_a_mapping),
        cmocka_unit_test(breaks_apart),
        cmocka_unit_test(breaks_apart_by_a_mapping),
        cmocka_unit_test(breaks_apart_two_mappings),
        cmocka_unit_test(breaks_apart_two_of_many_mappings),
        cmocka_unit_test(names_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
