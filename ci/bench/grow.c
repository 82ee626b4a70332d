/* grow.c: eight arrays grow side by side by realloc, by a half or by a few bytes at a time, up to
 * 1 MiB, while small objects are made between them. op: one realloc.
 */
#include "bench.h"

enum { ARRAYS = 8, OBJECTS = 1000, ARRAY_MAX = 1024 * 1024 };

struct array {
    char *bytes;
    size_t size;
};

/* Every other array is appended to in small steps while it is small. */
static size_t next_size(const struct array *a, unsigned number) {
    if (number % 2 == 0 && a->size < 16 * 1024)
        return a->size + 40;
    return a->size + a->size / 2 + 16;
}

static void grow(struct array *a, unsigned number) {
    size_t size = next_size(a, number);
    if (size > ARRAY_MAX) {
        b_free(a->bytes);
        *a = (struct array){NULL, 0};
        return;
    }
    a->bytes = b_realloc(a->bytes, size);
    memset(a->bytes + a->size, 1, size - a->size);
    a->size = size;
}

int main(int argc, char **argv) {
    static void *object[OBJECTS];
    struct array array[ARRAYS] = {{NULL, 0}};
    bench_begin(argc, argv);
    size_t ops = bench_count("ops", 1e5);
    parameters_end();
    struct random r = bench_random(0);
    bench_clock_start();
    for (size_t i = 0; i < ops; i++) {
        unsigned number = (unsigned)random_below(&r, ARRAYS);
        grow(&array[number], number);
        void **place = &object[random_below(&r, OBJECTS)];
        b_free(*place);
        *place = b_malloc(random_from(&r, 16, 400));
    }
    bench_clock_stop(ops);
    for (unsigned i = 0; i < OBJECTS; i++)
        free(object[i]);
    for (unsigned i = 0; i < ARRAYS; i++)
        free(array[i].bytes);
    return bench_end();
}
