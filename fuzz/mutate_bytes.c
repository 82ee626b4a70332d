/* mutate_bytes.c: LLVMFuzzerMutate for the engines that have none of their own: AFL++ (through
 * mutator_afl.c) and engine_random.c. A few changes of single bytes and small numbers; whole records
 * are mutator.c's business. No state: what is drawn is a function of the bytes and a counter.
 */
#include "mutate_bytes.h"

#include <string.h>

#include "sim/random.h"

static uint64_t state = 1;

void mutate_bytes_seed(uint64_t seed) { state = seed; }

uint64_t mutate_bytes_draw(uint64_t below) { return random_bits(&state) % below; }

static size_t insert_byte(uint8_t *data, size_t size, size_t max_size) {
    if (size >= max_size)
        return size;
    size_t at = mutate_bytes_draw(size + 1);
    memmove(data + at + 1, data + at, size - at);
    data[at] = (uint8_t)mutate_bytes_draw(256);
    return size + 1;
}

static size_t delete_byte(uint8_t *data, size_t size) {
    if (size < 2)
        return size;
    size_t at = mutate_bytes_draw(size);
    memmove(data + at, data + at + 1, size - at - 1);
    return size - 1;
}

static size_t append_copy(uint8_t *data, size_t size, size_t max_size) {
    size_t from = mutate_bytes_draw(size), count = 1 + mutate_bytes_draw(size - from);
    if (count > max_size - size)
        count = max_size - size;
    memcpy(data + size, data + from, count);
    return size + count;
}

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size) {
    static const uint8_t telling[] = {0, 1, 7, 8, 15, 16, 31, 32, 63, 64, 127, 128, 254, 255};
    if (size == 0)
        return insert_byte(data, size, max_size);
    if (size > max_size)
        size = max_size;
    size_t at = mutate_bytes_draw(size);
    switch (mutate_bytes_draw(6)) {
    case 0:
        return insert_byte(data, size, max_size);
    case 1:
        return delete_byte(data, size);
    case 2:
        return append_copy(data, size, max_size);
    case 3:
        data[at] ^= (uint8_t)(1u << mutate_bytes_draw(8));
        break;
    case 4:
        data[at] = telling[mutate_bytes_draw(sizeof telling)];
        break;
    default:
        data[at] = (uint8_t)mutate_bytes_draw(256);
    }
    return size;
}
