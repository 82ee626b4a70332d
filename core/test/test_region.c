/* test_region.c: the region core alone, on a static array: what each call promises, then long
 * random runs against a plain model, every step walked.
 *
 * Usage: test_region [seed [steps]]
 */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../check.h"
#include "small_region.h"

static uint64_t seed = 1;
static unsigned steps = 40000;
static struct region r;

static void sound(void) {
    struct cp_breach breach;
    if (!check_region(&r, &breach)) {
        cp_check_print(&breach);
        fail_msg("%s: %s", cp_invariant_name(breach.invariant), breach.detail);
    }
}

static uint32_t free_granules(void) {
    return (uint32_t)(r.bins.free_granules + region_top_granules(&r) + r.bins.fast_granules);
}

static void starts_as_one_top(void **state) {
    (void)state;
    small_region(&r, SMALL_GRANULES);
    sound();
    assert_true(region_is_empty(&r));
    assert_int_equal(free_granules(), SMALL_GRANULES - REGION_FIRST - 1);
}

static void smallest_region_serves_nothing(void **state) {
    (void)state;
    small_region(&r, REGION_MIN_GRANULES);
    sound();
    assert_int_equal(region_allocate(&r, 2, 0), 0);
    small_region(&r, REGION_MIN_GRANULES + 2);
    assert_int_not_equal(region_allocate(&r, 2, 0), 0);
    assert_int_equal(region_allocate(&r, 2, 0), 0);
    sound();
}

static void bins_are_monotonous(void **state) {
    (void)state;
    for (uint32_t size = 3; size < 400000; size++) {
        assert_true(bin_index(size) == bin_index(size - 1) ||
                    bin_index(size) == bin_index(size - 1) + 1);
        assert_true(bin_index(size) < BIN_COUNT);
    }
    assert_int_equal(bin_index(2), BIN_SMALL_FIRST);
    assert_int_equal(bin_index(63), 63);
    assert_int_equal(bin_index(64), BIN_LARGE_FIRST);
    assert_int_equal(bin_index(UINT32_MAX), BIN_COUNT - 1);
}

static void merges_both_ways(void **state) {
    (void)state;
    small_region(&r, SMALL_GRANULES);
    uint32_t a = region_allocate(&r, 10, 0), b = region_allocate(&r, 10, 0);
    uint32_t c = region_allocate(&r, 10, 0), d = region_allocate(&r, 10, 0);
    region_free(&r, a, 0);
    region_free(&r, c, 0);
    assert_int_equal(r.bins.free_chunks, 2);
    region_free(&r, b, 0);
    sound();
    assert_int_equal(r.bins.free_chunks, 1);
    assert_int_equal(r.g[a].size, 30);
    region_free(&r, d, 0);
    assert_true(region_is_empty(&r));
    sound();
}

static void fast_chunks_wait_unmerged(void **state) {
    (void)state;
    small_region(&r, SMALL_GRANULES);
    uint32_t a = region_allocate(&r, 4, 8), b = region_allocate(&r, 4, 8);
    region_free(&r, a, 8);
    region_free(&r, b, 8);
    sound();
    assert_int_equal(r.bins.fast_chunks, 2);
    assert_int_equal(region_allocate(&r, 4, 8), b); /* last in, first out */
    region_free(&r, b, 8);
    region_consolidate(&r);
    assert_int_equal(r.bins.fast_chunks, 0);
    assert_true(region_is_empty(&r));
    sound();
}

static void large_free_consolidates(void **state) {
    (void)state;
    small_region(&r, SMALL_GRANULES);
    uint32_t a = region_allocate(&r, 4, 8);
    uint32_t big = region_allocate(&r, CONSOLIDATE_GRANULES, 8);
    region_allocate(&r, 2, 8);
    region_free(&r, a, 8);
    assert_int_equal(r.bins.fast_chunks, 1);
    region_free(&r, big, 8);
    assert_int_equal(r.bins.fast_chunks, 0);
    sound();
}

static void best_fit_is_found(void **state) {
    (void)state;
    small_region(&r, SMALL_GRANULES);
    uint32_t sizes[] = {300, 310, 305, 400, 302, 305}, at[6];
    for (int k = 0; k < 6; k++) {
        at[k] = region_allocate(&r, sizes[k], 0);
        region_allocate(&r, 2, 0);
    }
    for (int k = 0; k < 6; k++)
        region_free(&r, at[k], 0);
    uint32_t found = region_allocate(&r, 304, 0);
    assert_true(found == at[2] || found == at[5]);
    sound();
}

static void alignment_gives_back_lead_and_tail(void **state) {
    (void)state;
    for (uint32_t align = 1; align <= 1024; align *= 2) {
        small_region(&r, SMALL_GRANULES);
        region_allocate(&r, 3, 0);
        uint32_t before = free_granules();
        uint32_t i = region_allocate_aligned(&r, 20, align);
        assert_int_not_equal(i, 0);
        assert_int_equal((r.key.base + i + 1) % align, 0);
        assert_true(r.g[i].size == 20 || r.g[i].size == 21);
        assert_int_equal(free_granules(), before - r.g[i].size);
        sound();
    }
}

/* What an aligned chunk leaves is smaller than what any chunk of its size and alignment fits into: it must
 * be found by where it lies. */
static void aligned_hole_serves_again(void **state) {
    (void)state;
    for (uint32_t align = 2; align <= 1024; align *= 2) {
        small_region(&r, SMALL_GRANULES);
        region_allocate(&r, 3, 0);
        uint32_t i = region_allocate_aligned(&r, 20, align);
        region_allocate(&r, 1100, 0); /* no lead is as long: behind i */
        region_free(&r, i, 0);
        region_allocate(&r, 1100, 0); /* sorts */
        assert_int_equal(region_allocate_aligned(&r, 20, align), i);
        sound();
    }
}

static void trim_and_extend(void **state) {
    (void)state;
    small_region(&r, SMALL_GRANULES);
    uint32_t i = region_allocate(&r, 100, 0);
    assert_int_equal(region_trim(&r, 50), i + 100 + 50 + 1);
    assert_int_equal(region_top_granules(&r), 50);
    sound();
    assert_int_equal(region_allocate(&r, 49, 0), 0);
    region_extend(&r, SMALL_GRANULES, false);
    sound();
    assert_int_not_equal(region_allocate(&r, 8000, 0), 0);
    sound();
}

static void purged_runs_survive_split_and_merge(void **state) {
    (void)state;
    small_region(&r, SMALL_GRANULES);
    uint32_t big = region_allocate(&r, 3000, 0), guard = region_allocate(&r, 2, 0);
    region_free(&r, big, 0);
    region_set_purged(&r, big, region_whole_pages(&r, big));
    sound();
    uint32_t part = region_allocate(&r, 300, 0); /* from its front */
    assert_int_equal(part, big);
    struct page_run run = region_purged(&r, part + 300);
    assert_true(run.to > run.from);
    sound();
    region_free(&r, part, 0);
    assert_int_equal(region_purged(&r, big).from, run.from);
    sound();
    region_free(&r, guard, 0); /* merges with top */
    sound();
}

/* A fence that stood at the start of a page is no zero, though all pages around it are. */
static void the_old_fence_is_not_zero(void **state) {
    (void)state;
    small_region(&r, SMALL_GRANULES);
    uint32_t shift = (uint32_t)(r.key.base % PAGE_GRANULES);
    uint32_t fence = 20 * PAGE_GRANULES - shift, end = 40 * PAGE_GRANULES - shift;
    region_trim(&r, fence - r.top);
    region_set_purged(&r, r.top, region_whole_pages(&r, r.top));
    memset(&r.g[fence + 1], 0, (size_t)(end - fence) * GRANULE_BYTES);
    region_extend(&r, end, true);
    sound();
    struct page_run run = region_purged(&r, r.top);
    assert_int_not_equal(run.from, run.to);
    assert_true(r.g[fence].seal != 0 && (fence < run.from || fence >= run.to));
}

/* ---- Random runs ----------------------------------------------------------------------------------- */

enum { LIVE_MAX = 400 };
static struct live {
    uint32_t i, size;
    unsigned char mark;
} live[LIVE_MAX];
static unsigned live_count;

static uint32_t draw(uint32_t below) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 20) % below;
}

static uint32_t draw_size(void) {
    static const uint32_t most[] = {8, 12, 70, 300, 2000};
    return CHUNK_MIN_GRANULES + draw(most[draw(5)]);
}

static unsigned char *payload(uint32_t i) { return (unsigned char *)&r.g[i + 1]; }

static size_t payload_bytes(uint32_t i) { return (size_t)r.g[i].size * 16 - 8; }

static void fill(struct live *l) {
    l->mark = (unsigned char)draw(256);
    memset(payload(l->i), l->mark, payload_bytes(l->i));
}

static void verify(const struct live *l, size_t bytes) {
    for (size_t b = 0; b < bytes; b++)
        if (payload(l->i)[b] != l->mark)
            fail_msg("byte %zu of chunk %u changed", b, l->i);
}

static void step_allocate(uint32_t fast_max) {
    if (live_count == LIVE_MAX)
        return;
    uint32_t size = draw_size(), align = draw(8) == 0 ? 1u << draw(9) : 1;
    uint32_t i =
        align > 1 ? region_allocate_aligned(&r, size, align) : region_allocate(&r, size, fast_max);
    if (i == 0)
        return;
    assert_int_equal((r.key.base + i + 1) % align, 0);
    assert_true(r.g[i].size == size || r.g[i].size == size + 1);
    live[live_count] = (struct live){.i = i, .size = size};
    fill(&live[live_count++]);
}

static void step_free(uint32_t fast_max) {
    if (live_count == 0)
        return;
    unsigned victim = draw(live_count);
    verify(&live[victim], payload_bytes(live[victim].i));
    region_free(&r, live[victim].i, fast_max);
    live[victim] = live[--live_count];
}

static void step_resize(void) {
    if (live_count == 0)
        return;
    struct live *l = &live[draw(live_count)];
    size_t old = payload_bytes(l->i);
    uint32_t size = draw_size();
    bool done = region_resize(&r, l->i, size);
    size_t now = payload_bytes(l->i);
    verify(l, now < old ? now : old);
    assert_true(done ? r.g[l->i].size == size || r.g[l->i].size == size + 1 : now == old);
    fill(l);
}

static void step_end(void) {
    if (draw(2) == 0)
        region_trim(&r, CHUNK_MIN_GRANULES + draw(600));
    else if (region_granules(&r) < SMALL_GRANULES)
        region_extend(&r, region_granules(&r) + 1 + draw(SMALL_GRANULES - region_granules(&r)),
                      false);
}

static void step_purge(void) {
    uint32_t i = region_oldest_dirty(&r);
    if (i == 0)
        return;
    struct page_run run = region_whole_pages(&r, i);
    region_set_purged(&r, i, run);
    memset(&r.g[run.from], 0, (size_t)(run.to - run.from) * sizeof r.g[0]);
}

static void random_run(void **state) {
    (void)state;
    print_message("seed %llu, %u steps\n", (unsigned long long)seed, steps);
    small_region(&r, SMALL_GRANULES);
    live_count = 0;
    for (unsigned step = 0; step < steps; step++) {
        uint32_t fast_max = step / 1000 % 2 == 0 ? 8 : 0;
        switch (draw(16)) {
        case 0:
            step_end();
            break;
        case 1:
            step_resize();
            break;
        case 2:
            region_consolidate(&r);
            break;
        case 3:
            step_purge();
            break;
        case 4:
        case 5:
        case 6:
        case 7:
        case 8:
            step_free(fast_max);
            break;
        default:
            step_allocate(fast_max);
        }
        sound();
    }
    while (live_count > 0)
        step_free(0);
    region_consolidate(&r);
    sound();
    assert_true(region_is_empty(&r));
}

int main(int count, char **arguments) {
    if (count > 1)
        seed = strtoull(arguments[1], NULL, 0) | 1;
    if (count > 2)
        steps = (unsigned)strtoul(arguments[2], NULL, 0);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starts_as_one_top),
        cmocka_unit_test(smallest_region_serves_nothing),
        cmocka_unit_test(bins_are_monotonous),
        cmocka_unit_test(merges_both_ways),
        cmocka_unit_test(fast_chunks_wait_unmerged),
        cmocka_unit_test(large_free_consolidates),
        cmocka_unit_test(best_fit_is_found),
        cmocka_unit_test(alignment_gives_back_lead_and_tail),
        cmocka_unit_test(aligned_hole_serves_again),
        cmocka_unit_test(trim_and_extend),
        cmocka_unit_test(purged_runs_survive_split_and_merge),
        cmocka_unit_test(the_old_fence_is_not_zero),
        cmocka_unit_test(random_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
