/* stores_try.c: a store marks every part of the world that it writes to (stores.h), however wide it is and wherever it
 * lies. Compiled by stores.sh as the core is. Ends with 1 and a line if a part is not marked, or one too many is.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "sim/dirty.h"

uint8_t sim_dirty[SIM_BYTES >> SIM_PART_SHIFT];

/* As compilers join the stores of two neighbours into one: 16 bytes at a multiple of 8. */
typedef uint64_t pair __attribute__((vector_size(16), aligned(8), may_alias));
typedef uint64_t loose __attribute__((aligned(1), may_alias));

enum store { ONE, TWO, FOUR, EIGHT, PAIR, LOOSE, STORES };
static const size_t bytes_of[STORES] = {1, 2, 4, 8, 16, 8}, aligned_to[STORES] = {1, 2, 4, 8, 8, 1};

static void store(enum store kind, char *p) {
    switch (kind) {
    case ONE:
        *(volatile uint8_t *)p = 1;
        break;
    case TWO:
        *(volatile uint16_t *)p = 1;
        break;
    case FOUR:
        *(volatile uint32_t *)p = 1;
        break;
    case EIGHT:
        *(volatile uint64_t *)p = 1;
        break;
    case PAIR:
        *(volatile pair *)p = (pair){1, 1};
        break;
    default:
        *(volatile loose *)p = 1;
    }
}

static void expect_marked(enum store kind, size_t at) {
    size_t first = at >> SIM_PART_SHIFT, last = (at + bytes_of[kind] - 1) >> SIM_PART_SHIFT;
    for (size_t part = 0; part < 3; part++) {
        int meant = part >= first && part <= last;
        if (sim_dirty[part] != meant) {
            printf("a store of %zu bytes at %zu: part %zu %s marked\n", bytes_of[kind], at, part,
                   meant ? "is not" : "is");
            exit(1);
        }
        sim_dirty[part] = 0;
    }
}

int main(void) {
    unsigned stores = 0;
    char *world = mmap((void *)SIM_FIRST, 3 * SIM_PART_BYTES, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (world == MAP_FAILED)
        return perror("mmap"), 1;
    for (enum store kind = ONE; kind < STORES; kind++)
        for (size_t at = 0; at + bytes_of[kind] <= 3 * SIM_PART_BYTES; at += aligned_to[kind]) {
            store(kind, world + at);
            expect_marked(kind, at);
            stores++;
        }
    printf("stores: %u, each seen\n", stores);
    return 0;
}
