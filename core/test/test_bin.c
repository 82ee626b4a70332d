/* test_bin.c: the bin map. Discharges what the proofs trust of lowest_bit(): that the machine's
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

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(finds_the_lowest_bit)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
