/* a_connections.c: a server's memory does not fall when connections are closed, unless they are
 * closed newest first. 500 connections are opened, then 500 more, each with a handful of buffers and
 * small objects; then one half is closed, then the other. order=newer-first or older-first.
 */
#include "phases.h"

enum { BUFFERS = 5, OBJECTS = 40, BLOCKS = BUFFERS + OBJECTS };

static void connection_open(size_t number, struct random *r) {
    static const size_t buffer_bytes[BUFFERS] = {16384, 16384, 4096, 2048, 2048};
    size_t first = number * BLOCKS;
    void *handshake = make(8192);
    for (size_t i = 0; i < BLOCKS; i++)
        block_make(first + i, i < BUFFERS ? buffer_bytes[i] : random_from(r, 24, 400));
    drop(handshake, 8192);
}

static void connection_close(size_t number) {
    for (size_t i = 0; i < BLOCKS; i++)
        block_drop(number * BLOCKS + i);
}

static void open_half(const char *name, size_t first, size_t count, struct random *r) {
    phase_begin(name);
    for (size_t i = first; i < first + count; i++) {
        connection_open(i, r);
        tick();
    }
    phase_end(SHOWN);
}

static void close_half(const char *name, size_t first, size_t count) {
    phase_begin(name);
    for (size_t i = first; i < first + count; i++) {
        connection_close(i);
        tick();
    }
    phase_end(JUDGED);
}

int main(int argc, char **argv) {
    experiment_begin(argc, argv);
    const char *order = parameter_text("order", "newer-first");
    size_t half = experiment_count("connections", 500);
    struct random r = experiment_random(0);
    experiment_blocks(2 * half * BLOCKS);
    open_half("open", 0, half, &r);
    open_half("open more", half, half, &r);
    if (strcmp(order, "newer-first") == 0) {
        close_half("close newer", half, half);
        close_half("close older", 0, half);
    } else {
        close_half("close older", 0, half);
        close_half("close newer", half, half);
    }
    return experiment_end();
}
