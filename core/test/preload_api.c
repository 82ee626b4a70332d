/* preload_api.c: the semantics of the C library's names. The checks stand in api_checks.h.
 *
 * Run without LD_PRELOAD it tests glibc, which differs on purpose in aligned_alloc (2.36 rounds
 * a bad alignment up), errno after posix_memalign, perturbation of cached blocks, the result of
 * malloc_trim, and in that a second thread has an arena of its own, with a top of its own.
 */
#define _GNU_SOURCE 1
#include <dlfcn.h>
#include <malloc.h>
#include <stdlib.h>

#include "kit.h"

/* Through volatile pointers, so that the compiler knows nothing of what it calls. */
static void *(*volatile cp_malloc)(size_t) = malloc;
static void *(*volatile cp_calloc)(size_t, size_t) = calloc;
static void *(*volatile cp_realloc)(void *, size_t) = realloc;
static void *(*volatile cp_reallocarray)(void *, size_t, size_t) = reallocarray;
static void (*volatile cp_free)(void *) = free;
static void *(*volatile cp_aligned_alloc)(size_t, size_t) = aligned_alloc;
static void *(*volatile cp_memalign)(size_t, size_t) = memalign;
static int (*volatile cp_posix_memalign)(void **, size_t, size_t) = posix_memalign;
static void *(*volatile cp_valloc)(size_t) = valloc;
static void *(*volatile cp_pvalloc)(size_t) = pvalloc;
static size_t (*volatile cp_malloc_usable_size)(void *) = malloc_usable_size;
static int (*volatile cp_mallopt)(int, int) = mallopt;
static int (*volatile cp_malloc_trim)(size_t) = malloc_trim;
static struct mallinfo2 (*volatile cp_mallinfo2)(void) = mallinfo2;
static int (*volatile cp_malloc_info)(int, FILE *) = malloc_info;
static void (*volatile cp_malloc_stats)(void) = malloc_stats;
#define cp_mallinfo mallinfo2

/* What glibc 2.36 does not have. */
static void (*cp_free_sized)(void *, size_t);
static void (*cp_free_aligned_sized)(void *, size_t, size_t);

struct cp_breach {
    long words[32];
};
static bool (*cp_check)(struct cp_breach *);
static void (*cp_check_print)(const struct cp_breach *);

#include "api_checks.h"

static void glibc_free_sized(void *p, size_t size) {
    (void)size;
    cp_free(p);
}
static void glibc_free_aligned_sized(void *p, size_t alignment, size_t size) {
    (void)alignment;
    (void)size;
    cp_free(p);
}
static bool glibc_check(struct cp_breach *breach) {
    (void)breach;
    return true;
}

static void look_up(void) {
    bool preloaded = getenv("LD_PRELOAD") != NULL;
    *(void **)&cp_free_sized = dlsym(RTLD_DEFAULT, "free_sized");
    *(void **)&cp_free_aligned_sized = dlsym(RTLD_DEFAULT, "free_aligned_sized");
    *(void **)&cp_check = dlsym(RTLD_DEFAULT, "cp_check");
    *(void **)&cp_check_print = dlsym(RTLD_DEFAULT, "cp_check_print");
    if (preloaded) {
        REQUIRE(cp_free_sized != NULL && cp_free_aligned_sized != NULL);
        REQUIRE(cp_check != NULL && cp_check_print != NULL);
        return;
    }
    cp_free_sized = glibc_free_sized;
    cp_free_aligned_sized = glibc_free_aligned_sized;
    cp_check = glibc_check;
}

int main(int argc, char **argv) {
    int failed = 0;
    look_up();
    for (size_t i = 0; i < CHECKS; i++)
        if (argc < 2 || strcmp(argv[1], checks[i].name) == 0)
            failed += !check_passes(&checks[i]);
    printf("api: %zu checks, %d failed\n", CHECKS, failed);
    return failed != 0;
}
