/* c_untouched.c: memory that was asked for and never touched. 1 GiB in blocks of 64 KiB is allocated
 * and not written to: it should cost address space, nothing else. Then it is freed.
 */
#include "phases.h"

enum { BLOCK_BYTES = 64 * 1024 };

int main(int argc, char **argv) {
    experiment_begin(argc, argv);
    size_t blocks = experiment_count("blocks", 16 * 1024);
    void **block = make(blocks * sizeof *block);
    phase_begin("allocate");
    for (size_t i = 0; i < blocks; i++) {
        block[i] = allocate(BLOCK_BYTES);
        live_add(BLOCK_BYTES);
        tick();
    }
    phase_end(SHOWN);
    phase_begin("free");
    for (size_t i = 0; i < blocks; i++) {
        drop(block[i], BLOCK_BYTES);
        tick();
    }
    phase_end(JUDGED);
    return experiment_end();
}
