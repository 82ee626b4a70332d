/* pair.c [seed]: the two figures the README gives first, of whatever malloc this process has.
 *
 *   pair      malloc(64) and free of it, one after the other
 *   shuffled  1000 blocks of 64 bytes allocated, then freed in another order
 *
 * Prints nanoseconds per malloc and free of one block, one line each.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { BLOCK_BYTES = 64, BLOCKS = 1000, PAIRS = 20 * 1000 * 1000, ROUNDS = 20 * 1000 };

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* The first byte is written, as a program would; the compiler knows nothing of the block. */
static void *allocate(void) {
    char *p = malloc(BLOCK_BYTES);
    if (p == NULL)
        abort();
    *(volatile char *)p = 1;
    return p;
}

static double time_pairs(void) {
    double start = seconds();
    for (int i = 0; i < PAIRS; i++)
        free(allocate());
    return (seconds() - start) / PAIRS;
}

/* Fisher and Yates, from xorshift64. */
static void shuffle(unsigned order[BLOCKS], uint64_t seed) {
    uint64_t state = seed * 2 + 1;
    for (unsigned i = 0; i < BLOCKS; i++)
        order[i] = i;
    for (unsigned i = BLOCKS - 1; i > 0; i--) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        unsigned j = (unsigned)(state % (i + 1)), kept = order[i];
        order[i] = order[j];
        order[j] = kept;
    }
}

static double time_shuffled(const unsigned order[BLOCKS]) {
    static void *block[BLOCKS];
    double start = seconds();
    for (int round = 0; round < ROUNDS; round++) {
        for (unsigned i = 0; i < BLOCKS; i++)
            block[i] = allocate();
        for (unsigned i = 0; i < BLOCKS; i++)
            free(block[order[i]]);
    }
    return (seconds() - start) / ROUNDS / BLOCKS;
}

int main(int argc, char **argv) {
    static unsigned order[BLOCKS];
    shuffle(order, argc > 1 ? strtoull(argv[1], NULL, 10) : 1);
    printf("pair %.2f\n", time_pairs() * 1e9);
    printf("shuffled %.2f\n", time_shuffled(order) * 1e9);
    return 0;
}
