/* fuzz_size.c: the target `size`: request arithmetic (core/size.h, bin_index) against the same in
 * 128 bits, where nothing overflows.
 *
 *   input   pairs of 64-bit numbers, little endian; what is cut off at the end is left out
 *
 * Oracles: "granules", "pages", "multiply", "power", "round", "bins".
 */
#include <string.h>

#include "bin.h"
#include "counters.h"
#include "sim/sim.h"
#include "size.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef unsigned __int128 wide;

static wide ceiling(wide n, wide unit) { return (n + unit - 1) / unit; }

static void check_granules(size_t request) {
    uint32_t granules = size_to_granules(request);
    wide expected = ceiling((wide)request + CHUNK_OVERHEAD_BYTES, GRANULE_BYTES);
    if (expected < CHUNK_MIN_GRANULES)
        expected = CHUNK_MIN_GRANULES;
    if (request > REGION_REQUEST_MAX_BYTES)
        expected = 0;
    if (granules != expected)
        sim_break("granules", "size_to_granules(%zu) is %u, not %llu", request, granules,
                  (unsigned long long)expected);
    if (granules != 0 && granules_to_usable(granules) < request)
        sim_break("granules", "%u granules have %zu usable bytes, %zu were asked for", granules,
                  granules_to_usable(granules), request);
}

/* The payload of a mapping starts behind a header, or at an alignment. */
static void check_pages(size_t request, size_t offset) {
    offset %= REQUEST_MAX_BYTES - PAGE_BYTES;
    uint32_t pages = size_to_pages(request, offset);
    wide bytes = (wide)request + offset, expected = ceiling(bytes, PAGE_BYTES);
    if (expected > UINT32_MAX || bytes + PAGE_BYTES > REQUEST_MAX_BYTES)
        expected = 0;
    if (pages != expected)
        sim_break("pages", "size_to_pages(%zu, %zu) is %u, not %llu", request, offset, pages,
                  (unsigned long long)expected);
}

static void check_multiply(size_t count, size_t each) {
    size_t product = 4242;
    bool fits = size_multiply(count, each, &product);
    wide expected = (wide)count * each;
    if (fits != (expected <= SIZE_MAX) || product != (fits ? (size_t)expected : 4242))
        sim_break("multiply", "size_multiply(%zu, %zu) is %d, product %zu", count, each, fits,
                  product);
}

static void check_power(size_t n) {
    bool expected = __builtin_popcountll(n) == 1;
    if (size_is_power_of_two(n) != expected)
        sim_break("power", "size_is_power_of_two(%#zx) is %d", n, !expected);
}

static void check_round(size_t n, size_t multiple) {
    if (multiple == 0 || n > SIZE_MAX - (multiple - 1))
        return; /* not a legal call */
    wide expected = ceiling(n, multiple) * multiple;
    if (round_up(n, multiple) != expected)
        sim_break("round", "round_up(%zu, %zu) is %zu", n, multiple, round_up(n, multiple));
}

/* Small bins hold one size; large ones cover all sizes, without gap and in order. */
static void check_bins(uint32_t size) {
    if (size < CHUNK_MIN_GRANULES)
        return;
    uint32_t bin = bin_index(size), next = size == UINT32_MAX ? bin : bin_index(size + 1);
    bool small = size < LARGE_MIN_GRANULES;
    if (small ? bin != size : bin < BIN_LARGE_FIRST || bin >= BIN_COUNT)
        sim_break("bins", "bin_index(%u) is %u", size, bin);
    if (next != bin && next != bin + 1)
        sim_break("bins", "bin_index(%u) is %u, but %u for one granule more", size, bin, next);
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc, (void)argv;
    counters_open();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint64_t n[2], pairs = 0;
    for (; size >= sizeof n; data += sizeof n, size -= sizeof n, pairs++) {
        memcpy(n, data, sizeof n);
        check_granules(n[0]);
        check_pages(n[0], n[1]);
        check_multiply(n[0], n[1]);
        check_power(n[0]);
        check_round(n[0], n[1]);
        check_bins((uint32_t)n[0]);
    }
    counters_add(pairs);
    return 0;
}
