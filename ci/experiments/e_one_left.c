/* e_one_left.c: one live block at the end of the heap pins all below it. Start-up allocates 256 MiB
 * in blocks of mixed sizes and frees all but one: keep=highest, the one at the highest address, or
 * keep=lowest, the mirror image.
 */
#include "phases.h"

static size_t choose(bool highest) {
    size_t chosen = 0;
    for (size_t i = 1; i < experiment.blocks; i++) {
        bool above = (uintptr_t)experiment.block[i].p > (uintptr_t)experiment.block[chosen].p;
        if (experiment.block[i].bytes != 0 && above == highest)
            chosen = i;
    }
    return chosen;
}

int main(int argc, char **argv) {
    enum { AVERAGE_BYTES = 743 };
    experiment_begin(argc, argv);
    bool highest = strcmp(parameter_text("keep", "highest"), "lowest") != 0;
    size_t blocks = experiment_count("bytes", 256 * 1024 * 1024) / AVERAGE_BYTES + 1;
    struct random r = experiment_random(0);
    experiment_blocks(blocks);
    phase_begin("start up");
    for (size_t i = 0; i < blocks; i++) {
        block_make(i, random_size(&r));
        tick();
    }
    phase_end(SHOWN);
    phase_begin("free all but one");
    size_t kept = choose(highest);
    for (size_t i = 0; i < blocks; i++) {
        if (i != kept)
            block_drop(i);
        tick();
    }
    phase_end(JUDGED);
    return experiment_end();
}
