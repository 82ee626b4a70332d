/* test_bin.c: the bin map, and the ranks large bins are sorted by. Discharges what the proofs trust of lowest_bit(): that the machine's
 * instruction finds the lowest bit set (proofs/SOUNDNESS.md).
 *
 * Every word in which one bit, two bits or a run of bits is set, asked from every bin on, against a
 * loop that looks at one bit after another. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "../bin.h"

static uint32_t by_loop(const struct bins *b, uint32_t from) {
    while (from < BIN_COUNT && (b->map[from / 64] >> (from % 64) & 1) == 0)
        from++;
    return from;
}

static void agrees(const struct bins *b) {
    for (uint32_t from = 0; from <= BIN_COUNT; from++)
        assert_int_equal(bin_next_marked(b, from), by_loop(b, from));
}

static void set(struct bins *b, uint32_t bin) { b->map[bin / 64] |= (uint64_t)1 << (bin % 64); }

static void finds_the_lowest_bit(void **state) {
    (void)state;
    struct bins b = {.fence = 0};
    agrees(&b);
    for (uint32_t low = 0; low < BIN_COUNT; low++) {
        struct bins run = {.fence = 0};
        for (uint32_t high = low; high < BIN_COUNT; high++) {
            struct bins two = {.fence = 0};
            set(&two, low);
            set(&two, high);
            agrees(&two);
            set(&run, high);
            agrees(&run);
        }
    }
}

/* From size to size, ranks ascend by one at most, so a search may compare those of different bins; and
 * a bin has few, but for the last one. */
static void ranks_ascend_and_are_few(void **state) {
    (void)state;
    enum { RANKS_MAX = 33, LAST = 4 * 131072 + 43712 };
    uint32_t rank = bin_rank(LARGE_MIN_GRANULES), bin = BIN_LARGE_FIRST, first_rank = rank;
    for (uint32_t size = LARGE_MIN_GRANULES; size < LAST; size++) {
        assert_in_range(bin_rank(size), rank, rank + 1);
        rank = bin_rank(size);
        if (bin_index(size) != bin)
            first_rank = rank;
        bin = bin_index(size);
        if (bin < BIN_COUNT - 1)
            assert_in_range(rank - first_rank, 0, RANKS_MAX - 1);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(finds_the_lowest_bit),
                                       cmocka_unit_test(ranks_ascend_and_are_few)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
