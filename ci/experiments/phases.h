/* phases.h: the frame of an experiment. Each program re-creates one complaint about malloc:
 *
 *   int main(int argc, char **argv) {
 *       experiment_begin(argc, argv);
 *       size_t count = experiment_count("blocks", 1000);    further parameters
 *       experiment_blocks(count);                           the table of blocks
 *       phase_begin("fill");
 *       block_make(i, bytes); ...
 *       phase_end(SHOWN);
 *       phase_begin("free");
 *       block_drop(i); ...
 *       phase_end(JUDGED);
 *       return experiment_end();
 *   }
 *
 * All blocks are written in full, so that live bytes are resident, and stand in one table, which is
 * itself a block and counted. Samples go to the file `out`, every 20 ms: seconds, phase, live,
 * resident and virtual bytes. A phase ends with `idle` seconds in which the program does nothing but
 * sample; what is resident then is printed:
 *
 *   phase TAB name TAB judged|shown TAB live TAB resident TAB virtual TAB floor TAB arenas
 *
 * floor: bytes of the pages that hold a live byte, which no allocator that does not move blocks can
 * go below, once they are where they are; 0 where blocks stand in no table. arenas: -1 where the
 * allocator does not tell.
 */
#ifndef EXPERIMENTS_PHASES_H
#define EXPERIMENTS_PHASES_H

#include <malloc.h>
#include <pthread.h>
#include <sys/mman.h>

#include "../bench/kit.h"

enum judgement { SHOWN, JUDGED };

struct block {
    void *p;
    size_t bytes;
};

static struct {
    uint64_t seed;
    double scale, idle;
    int out;
    double started, next_sample;
    const char *phase;
    size_t live_bytes;
    struct block *block;
    size_t blocks;
} experiment;

/* ---- Samples ----------------------------------------------------------------------------------- */

static inline size_t live_bytes(void) {
    return __atomic_load_n(&experiment.live_bytes, __ATOMIC_RELAXED);
}

static inline void sample(void) {
    struct memory m = memory_now();
    if (experiment.out >= 0)
        say_to(experiment.out, "%.3f\t%s\t%zu\t%zu\t%zu\n", seconds_now() - experiment.started,
               experiment.phase, live_bytes(), m.resident_bytes, m.virtual_bytes);
}

/* To be called often, from the main thread: samples when it is time. */
static inline void tick(void) {
    static const double interval = 0.02;
    double now = seconds_now();
    if (now < experiment.next_sample)
        return;
    experiment.next_sample = now + interval;
    sample();
}

static inline void tick_seconds(double seconds) {
    for (double end = seconds_now() + seconds; seconds_now() < end; sleep_seconds(0.02))
        tick();
}

/* ---- Blocks ------------------------------------------------------------------------------------ */

static inline void live_add(size_t bytes) {
    __atomic_fetch_add(&experiment.live_bytes, bytes, __ATOMIC_RELAXED);
}

static inline void live_subtract(size_t bytes) {
    __atomic_fetch_sub(&experiment.live_bytes, bytes, __ATOMIC_RELAXED);
}

/* A block that is not in the table. */
static inline void *make(size_t bytes) {
    live_add(bytes);
    return memset(allocate(bytes), 1, bytes);
}

static inline void drop(void *p, size_t bytes) {
    free(p);
    live_subtract(bytes);
}

static inline void experiment_blocks(size_t count) {
    experiment.block = make(count * sizeof(struct block));
    memset(experiment.block, 0, count * sizeof(struct block));
    experiment.blocks = count;
}

static inline void block_make(size_t i, size_t bytes) {
    experiment.block[i] = (struct block){make(bytes), bytes};
}

static inline void block_drop(size_t i) {
    drop(experiment.block[i].p, experiment.block[i].bytes);
    experiment.block[i] = (struct block){NULL, 0};
}

static inline void pages_add(uint8_t *map, const struct block *b, size_t *pages) {
    if (b->bytes == 0)
        return;
    uintptr_t last = ((uintptr_t)b->p + b->bytes - 1) / KIT_PAGE;
    for (uintptr_t page = (uintptr_t)b->p / KIT_PAGE; page <= last; page++) {
        uint8_t bit = (uint8_t)(1u << page % 8);
        *pages += (map[page / 8] & bit) == 0;
        map[page / 8] |= bit;
    }
}

/* Bytes of the pages that hold a live byte. Counted in a map of all pages there can be, which is
 * nearly all untouched. */
static inline size_t floor_bytes(void) {
    size_t map_bytes = ((size_t)1 << 47) / KIT_PAGE / 8, pages = 0;
    if (experiment.blocks == 0)
        return 0;
    uint8_t *map = mmap(NULL, map_bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (map == MAP_FAILED)
        return 0;
    struct block table = {experiment.block, experiment.blocks * sizeof(struct block)};
    pages_add(map, &table, &pages);
    for (size_t i = 0; i < experiment.blocks; i++)
        pages_add(map, &experiment.block[i], &pages);
    munmap(map, map_bytes);
    return pages * KIT_PAGE;
}

/* ---- Arenas ------------------------------------------------------------------------------------ */

static inline ssize_t count_heaps(void *count, const char *text, size_t bytes) {
    const char *end = text + bytes;
    while ((text = memmem(text, (size_t)(end - text), "<heap nr=", 9)) != NULL) {
        ++*(int *)count;
        text++;
    }
    return (ssize_t)bytes;
}

/* By malloc_info, if it is of the same library as malloc. */
static inline int arenas_of_malloc_info(void) {
    static char buffer[KIT_PAGE];
    int count = 0;
    cookie_io_functions_t functions = {.write = count_heaps};
    FILE *out = fopencookie(&count, "w", functions);
    if (out == NULL)
        return -1;
    setvbuf(out, buffer, _IOLBF, sizeof buffer); /* so that count_heaps sees whole lines */
    malloc_info(0, out);
    fclose(out);
    return count;
}

static inline int arenas_of_jemalloc(void) {
    union {
        void *address;
        int (*call)(const char *, void *, size_t *, void *, size_t);
    } mallctl = {dlsym(RTLD_DEFAULT, "mallctl")};
    unsigned limit = 0;
    size_t length = sizeof limit;
    if (mallctl.address == NULL || mallctl.call("arenas.narenas", &limit, &length, NULL, 0) != 0)
        return -1;
    int count = 0;
    for (unsigned i = 0; i < limit; i++) {
        char name[50];
        bool used = false;
        length = sizeof used;
        snprintf(name, sizeof name, "arena.%u.initialized", i);
        count += mallctl.call(name, &used, &length, NULL, 0) == 0 && used;
    }
    return count;
}

static inline int count_arenas(void) {
    const char *file = file_of("malloc");
    if (strncmp(file, "libjemalloc", 11) == 0)
        return arenas_of_jemalloc();
    return strcmp(file, file_of("malloc_info")) == 0 ? arenas_of_malloc_info() : -1;
}

/* ---- The frame --------------------------------------------------------------------------------- */

static inline void experiment_begin(int argc, char **argv) {
    parameters_begin(argc, argv);
    experiment.seed = (uint64_t)parameter("seed", 1);
    experiment.scale = parameter("scale", 1);
    experiment.idle = parameter("idle", 1);
    const char *path = parameter_text("out", NULL);
    experiment.out = path == NULL ? -1 : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (path != NULL && experiment.out < 0)
        die("%s cannot be written\n", path);
}

/* A count that `scale` scales. */
static inline size_t experiment_count(const char *name, double otherwise) {
    return parameter_count(name, otherwise, experiment.scale);
}

static inline struct random experiment_random(uint64_t thread) {
    return random_begin(experiment.seed * 1000 + thread);
}

static inline void phase_begin(const char *name) {
    if (experiment.phase == NULL) { /* the first: all parameters have been asked for */
        parameters_end();
        say("malloc\t%s\nseed\t%zu\n", file_of("malloc"), (size_t)experiment.seed);
        experiment.started = seconds_now();
    }
    experiment.phase = name;
    sample();
}

static inline void phase_end(enum judgement judgement) {
    tick_seconds(experiment.idle);
    sample();
    struct memory m = memory_now();
    say("phase\t%s\t%s\t%zu\t%zu\t%zu\t%zu\t%d\n", experiment.phase,
        judgement == JUDGED ? "judged" : "shown", live_bytes(), m.resident_bytes, m.virtual_bytes,
        floor_bytes(), count_arenas());
}

static inline int experiment_end(void) {
    say("seconds\t%.3f\n", seconds_now() - experiment.started);
    return 0;
}

/* Threads of `body`, each given its number, on small stacks, so that virtual size tells of malloc.
 */
enum { THREADS_MAX = 256 };

static pthread_t threads[THREADS_MAX];

static inline void threads_start(size_t count, void *(*body)(void *)) {
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 64 * 1024);
    if (count > THREADS_MAX)
        die("at most %d threads\n", THREADS_MAX);
    for (size_t t = 0; t < count; t++)
        if (pthread_create(&threads[t], &small, body, (void *)t) != 0)
            die("thread %zu cannot be started\n", t);
    pthread_attr_destroy(&small);
}

static inline void threads_join(size_t count) {
    for (size_t t = 0; t < count; t++)
        pthread_join(threads[t], NULL);
}

#endif
