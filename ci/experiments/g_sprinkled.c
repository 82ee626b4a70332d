/* g_sprinkled.c: few long-lived blocks among many short-lived ones keep the heap from shrinking. A
 * working set of 200 MiB of mixed sizes; 10 GiB of traffic goes through it, each new block replacing
 * one at random; 1 new block in 1000 is long-lived and stays besides. Then all but those are freed.
 */
#include "phases.h"

enum { AVERAGE_BYTES = 743, LONG_LIVED = 1000 };

static void tick_sometimes(size_t i) {
    if (i % 64 == 0)
        tick();
}

int main(int argc, char **argv) {
    experiment_begin(argc, argv);
    size_t set = experiment_count("set", 200 * 1024 * 1024) / AVERAGE_BYTES + 1;
    size_t traffic = experiment_count("traffic", 10.0 * 1024 * 1024 * 1024) / AVERAGE_BYTES;
    struct random r = experiment_random(0);
    experiment_blocks(set + traffic / LONG_LIVED + 1);
    phase_begin("fill");
    for (size_t i = 0; i < set; i++) {
        block_make(i, random_size(&r));
        tick_sometimes(i);
    }
    phase_end(SHOWN);
    phase_begin("traffic");
    for (size_t i = 0; i < traffic; i++) {
        size_t place = random_below(&r, set);
        if (i % LONG_LIVED == 0)
            block_make(set + i / LONG_LIVED, random_size(&r));
        block_drop(place);
        block_make(place, random_size(&r));
        tick_sometimes(i);
    }
    phase_end(JUDGED);
    phase_begin("free the set");
    for (size_t i = 0; i < set; i++) {
        block_drop(i);
        tick_sometimes(i);
    }
    phase_end(JUDGED);
    return experiment_end();
}
