/* instructions.c: instructions PATH COUNT: goes one path through the allocator COUNT times, and does
 * nothing else. ci/bench/instructions counts the instructions of two counts; their difference is the
 * path's cost. Nothing here depends on time or chance.
 */
#include <pthread.h>

#include "kit.h"

enum { BATCH = 1000, SMALL_BATCH = 100, BYTES = 64 };

/* Neither too few steps to mix nor a divisor of the length. */
enum { STRIDE = 389 };

static void *block[10 * BATCH];

static void write_first_byte(void *p) { *(volatile char *)p = 1; }

/* malloc and free of one block. */
static void pair(size_t count) {
    for (size_t i = 0; i < count; i++) {
        void *p = malloc(BYTES);
        write_first_byte(p);
        free(p);
    }
}

static void fill_and_free(size_t blocks, size_t stride) {
    for (size_t i = 0; i < blocks; i++)
        write_first_byte(block[i] = malloc(BYTES));
    for (size_t i = 0, at = 0; i < blocks; i++, at = (at + stride) % blocks)
        free(block[at]);
}

/* 1000 blocks, freed in another order. */
static void batch(size_t count) {
    for (size_t i = 0; i < count; i += BATCH)
        fill_and_free(BATCH, STRIDE);
}

/* 10000 blocks, more than a thread cache holds: refill and flush. */
static void flush(size_t count) {
    for (size_t i = 0; i < count; i += 10 * BATCH)
        fill_and_free(10 * BATCH, 1);
}

static void zeroed(size_t count) {
    for (size_t i = 0; i < count; i++) {
        void *p = calloc(1, BYTES);
        write_first_byte(p);
        free(p);
    }
}

/* realloc to the size that the block has. */
static void resize(size_t count) {
    void *p = malloc(BYTES);
    for (size_t i = 0; i < count; i++)
        write_first_byte(p = realloc(p, BYTES));
    free(p);
}

/* One block over and over, beside one that stays. */
static void alone(size_t count, size_t bytes) {
    void *stays = malloc(BYTES);
    for (size_t i = 0; i < count; i++) {
        void *p = malloc(bytes);
        write_first_byte(p);
        free(p);
    }
    free(stays);
}

static void middling(size_t count) { alone(count, 5000); }

/* Larger than a thread cache keeps: an arena's bins, split and merge. */
static void arena(size_t count) { alone(count, 50000); }

static void *free_small_batch(void *unused) {
    for (size_t i = 0; i < SMALL_BATCH; i++)
        free(block[i]);
    return unused;
}

/* 100 blocks at a time are freed by a thread that lives for nothing else, and made by this one. */
static void handover(size_t count) {
    for (size_t i = 0; i < count; i += SMALL_BATCH) {
        pthread_t thread;
        for (size_t b = 0; b < SMALL_BATCH; b++)
            write_first_byte(block[b] = malloc(BYTES));
        if (pthread_create(&thread, NULL, free_small_batch, NULL) != 0)
            die("a thread cannot be started\n");
        pthread_join(thread, NULL);
    }
}

int main(int argc, char **argv) {
    struct {
        const char *name;
        void (*go)(size_t count);
    } const paths[] = {
        {"pair", pair},      {"batch", batch},       {"flush", flush}, {"calloc", zeroed},
        {"realloc", resize}, {"middling", middling}, {"arena", arena}, {"handover", handover},
    };
    for (size_t i = 0; argc == 3 && i < sizeof paths / sizeof paths[0]; i++)
        if (strcmp(argv[1], paths[i].name) == 0) {
            paths[i].go(strtoul(argv[2], NULL, 10));
            say("malloc %s\n", file_of("malloc"));
            return 0;
        }
    die("usage: instructions pair|batch|flush|calloc|realloc|middling|arena|handover COUNT\n");
}
