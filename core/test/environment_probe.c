/* environment_probe.c MEASURE: prints one number in which an environment variable shows.
 * Built and run by environment.sh.
 */
#define _GNU_SOURCE 1
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/auxv.h>
#include <time.h>

#include "kit.h"

#define KIB ((size_t)1024)

/* A byte of a block just allocated. */
static size_t perturb(void) {
    unsigned char *p = opaque(malloc(100));
    return p[50];
}

/* A byte of a block just freed. */
static size_t perturb_free(void) {
    unsigned char *p = opaque(malloc(1000));
    void *guard = opaque(malloc(1000));
    memset(p, 0, 1000);
    free(p);
    size_t byte = ((unsigned char *)opaque(p))[500];
    free(guard);
    return byte;
}

/* Mappings for one block of 1 MiB. */
static size_t mapped(void) {
    void *p = opaque(malloc(1024 * KIB));
    size_t count = mallinfo2().hblks;
    free(p);
    return count;
}

/* Mappings for three blocks of 120 KiB, of which a fresh heap holds one. */
static size_t mapped_120k(void) {
    void *p[3];
    for (int i = 0; i < 3; i++)
        REQUIRE((p[i] = opaque(malloc(120 * KIB))) != NULL);
    size_t count = mallinfo2().hblks;
    for (int i = 0; i < 3; i++)
        free(p[i]);
    return count;
}

/* KiB of the heap after the first allocation. */
static size_t heap(void) {
    free(opaque(malloc(100)));
    return mallinfo2().arena / KIB;
}

/* KiB of the heap after 16 MiB have come and gone. */
static size_t heap_left(void) {
    void *p[256];
    for (int i = 0; i < 256; i++)
        REQUIRE((p[i] = opaque(malloc(64 * KIB))) != NULL);
    for (int i = 0; i < 256; i++)
        free(p[i]);
    return mallinfo2().arena / KIB;
}

/* Fast-bin chunks after ten blocks of 100 bytes were freed. */
static size_t fast(void) {
    void *p[10];
    for (int i = 0; i < 10; i++)
        REQUIRE((p[i] = opaque(malloc(100))) != NULL);
    for (int i = 0; i < 10; i++)
        free(p[i]);
    return mallinfo2().smblks;
}

/* Whether a block of 100 bytes freed and had again is in use for the heap meanwhile: cached. */
static size_t cached(void) {
    free(opaque(malloc(100)));
    void *p = opaque(malloc(100));
    size_t before = mallinfo2().uordblks;
    free(p);
    return mallinfo2().uordblks == before && mallinfo2().smblks == 0;
}

static atomic_bool stop;

static void *contend(void *unused) {
    void *p[64] = {NULL};
    while (!atomic_load(&stop))
        for (size_t i = 0; i < 64; i++) {
            free(p[i]);
            REQUIRE((p[i] = opaque(malloc(2000 + i * 50))) != NULL);
        }
    for (size_t i = 0; i < 64; i++)
        free(p[i]);
    return unused;
}

static size_t count_arenas(void) {
    static char text[1 << 18];
    FILE *out = fmemopen(text, sizeof text - 1, "w");
    REQUIRE(out != NULL && malloc_info(0, out) == 0);
    fclose(out);
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, "<heap nr=")) != NULL; at++)
        count++;
    return count;
}

/* Arenas after 32 threads have contended for a second, or for some until there are two. */
static size_t arenas(void) {
    enum { THREADS = 32, SECONDS_MAX = 5 };
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        REQUIRE(pthread_create(&threads[i], NULL, contend, NULL) == 0);
    size_t count = 0;
    for (int seconds = 0; count < 2 && seconds < SECONDS_MAX; seconds++) {
        struct timespec second = {1, 0};
        nanosleep(&second, NULL);
        count = count_arenas();
    }
    atomic_store(&stop, true);
    for (int i = 0; i < THREADS; i++)
        REQUIRE(pthread_join(threads[i], NULL) == 0);
    return count_arenas();
}

/* That it works at all: an allocation of every kind, verified. */
static size_t works(void) {
    unsigned char *p[200];
    for (size_t i = 0; i < 200; i++) {
        REQUIRE((p[i] = malloc(i * i * 8)) != NULL);
        memset(p[i], (int)i, i * i * 8);
    }
    for (size_t i = 0; i < 200; i++) {
        REQUIRE(all_bytes(p[i], i * i * 8, (unsigned char)i));
        free(p[i]);
    }
    return 1;
}

static size_t secure(void) { return getauxval(AT_SECURE); }

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        size_t (*measure)(void);
    } measures[] = {
        {"perturb", perturb}, {"perturb_free", perturb_free},
        {"mapped", mapped},   {"mapped_120k", mapped_120k},
        {"heap", heap},       {"heap_left", heap_left},
        {"fast", fast},       {"cached", cached},
        {"arenas", arenas},   {"works", works},
        {"secure", secure},
    };
    for (size_t i = 0; argc > 1 && i < sizeof measures / sizeof *measures; i++)
        if (strcmp(argv[1], measures[i].name) == 0) {
            say(STDOUT_FILENO, "%zu\n", measures[i].measure());
            return 0;
        }
    return 2;
}
