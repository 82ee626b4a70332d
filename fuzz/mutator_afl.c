/* mutator_afl.c: mutator.c as a custom mutator library of AFL++, so that both engines change
 * programs in the same way. Loaded by afl-fuzz (AFL_CUSTOM_MUTATOR_LIBRARY), one copy for each
 * fuzzer; uses no lock and one buffer.
 */
#include <stdlib.h>
#include <string.h>

#include "mutate_bytes.h"
#include "ops.h"

/* The interface of AFL++ 4. `afl` is the fuzzer's own state, of no interest here. */
void *afl_custom_init(void *afl, unsigned seed);
size_t afl_custom_fuzz(void *self, uint8_t *data, size_t size, uint8_t **out, uint8_t *other,
                       size_t other_size, size_t max_size);
void afl_custom_deinit(void *self);

static uint8_t changed[PROGRAM_BYTES_MAX];

void *afl_custom_init(void *afl, unsigned seed) {
    (void)afl;
    mutate_bytes_seed(seed);
    return changed;
}

/* Every eighth new input begins with a run of another program's records. */
size_t afl_custom_fuzz(void *self, uint8_t *data, size_t size, uint8_t **out, uint8_t *other,
                       size_t other_size, size_t max_size) {
    (void)self;
    unsigned seed = (unsigned)mutate_bytes_draw((uint64_t)1 << 32);
    if (max_size > sizeof changed)
        max_size = sizeof changed;
    if (size > max_size)
        size = max_size;
    *out = changed;
    if (other != NULL && mutate_bytes_draw(8) == 0) {
        size_t crossed =
            LLVMFuzzerCustomCrossOver(data, size, other, other_size, changed, max_size, seed);
        if (crossed > 0)
            return LLVMFuzzerCustomMutator(changed, crossed, max_size, seed);
    }
    memcpy(changed, data, size);
    return LLVMFuzzerCustomMutator(changed, size, max_size, seed);
}

void afl_custom_deinit(void *self) { (void)self; }
