/* mutate_bytes.h: byte-wise mutation and the random numbers of the engines that bring none. */
#ifndef CP_MUTATE_BYTES_H
#define CP_MUTATE_BYTES_H

#include <stddef.h>
#include <stdint.h>

void mutate_bytes_seed(uint64_t seed);

/* 0 .. below - 1; `below` is not 0. */
uint64_t mutate_bytes_draw(uint64_t below);

/* As libFuzzer's: changes data[0..size) a little; the new size, at most max_size. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

/* Of mutator.c; weak where a target brings no mutator of its own. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
    __attribute__((weak));
size_t LLVMFuzzerCustomCrossOver(const uint8_t *data1, size_t size1, const uint8_t *data2,
                                 size_t size2, uint8_t *out, size_t max_out, unsigned seed)
    __attribute__((weak));

#endif
