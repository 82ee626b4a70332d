/* h_aligned.c: aligned allocation in a loop makes the footprint creep. 4000 blocks of 1 to 8000
 * bytes, alignment 16 to 4096 and now and then 64 KiB, replace each other at random; the same number
 * of live blocks must not cost more after 20 rounds than after 2. Then all are freed.
 */
#include "phases.h"

static size_t any_alignment(struct random *r) {
    return random_below(r, 1000) == 0 ? 64 * 1024 : (size_t)16 << random_below(r, 9);
}

static void replace(size_t i, struct random *r) {
    struct block *b = &experiment.block[i];
    drop(b->p, b->bytes);
    b->bytes = random_from(r, 1, 8000);
    b->p = memalign(any_alignment(r), b->bytes);
    if (b->p == NULL)
        die("memalign failed\n");
    memset(b->p, 1, b->bytes);
    live_add(b->bytes);
}

static void rounds(const char *name, size_t count, size_t ops, struct random *r) {
    phase_begin(name);
    for (size_t i = 0; i < count * ops; i++) {
        replace(random_below(r, experiment.blocks), r);
        tick();
    }
    phase_end(JUDGED);
}

int main(int argc, char **argv) {
    experiment_begin(argc, argv);
    size_t blocks = (size_t)parameter("blocks", 4000), ops = experiment_count("ops", 1e5);
    struct random r = experiment_random(0);
    experiment_blocks(blocks);
    rounds("2 rounds", 2, ops, &r);
    rounds("20 rounds", 18, ops, &r);
    phase_begin("free");
    for (size_t i = 0; i < blocks; i++)
        block_drop(i);
    phase_end(JUDGED);
    return experiment_end();
}
