/* preload_limits.c [seed]: a process that may have 64 MiB of address space.
 *
 * For each kind of block: allocate until NULL with ENOMEM; a realloc that cannot be served keeps
 * its block; the heap is sound; half is freed, allocated again; everything is freed, and about
 * as much can be had as the first time. Blocks form a list through their first word, so that the
 * test needs no memory of its own.
 */
#define _GNU_SOURCE 1
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <sys/resource.h>

#include "kit.h"

#define LIMIT_BYTES ((rlim_t)64 << 20)
#define ENOUGH_BYTES ((size_t)32 << 20) /* what must be had of the limit */

struct block {
    struct block *next;
    size_t bytes;
    unsigned char contents[];
};

enum kind { SMALL, MEDIUM, MIXED, LARGE, MAPPED, ALIGNED, ZEROED, GROWN, KINDS };
static const char *const kind_names[KINDS] = {"small",  "medium",  "mixed",  "large",
                                              "mapped", "aligned", "zeroed", "grown"};

static bool (*heap_is_sound)(void *);
static enum kind current;
static uint64_t rng;

static void *allocate(size_t *bytes) {
    *bytes = 1000;
    switch (current) {
    case SMALL:
        *bytes = 24;
        return malloc(*bytes);
    case MIXED:
        *bytes = 24 + rng_below(&rng, (size_t)1 << (5 + rng_below(&rng, 13)));
        return malloc(*bytes);
    case LARGE:
        *bytes = 100000;
        return malloc(*bytes);
    case MAPPED:
        *bytes = (1 << 20) + rng_below(&rng, 1 << 20);
        return malloc(*bytes);
    case ALIGNED:
        return memalign(4096, *bytes);
    case ZEROED:
        *bytes = 3000;
        return calloc(30, 100);
    case GROWN: {
        void *p = malloc(100);
        void *grown = p == NULL ? NULL : realloc(p, *bytes);
        if (p != NULL && grown == NULL)
            free(p);
        return grown;
    }
    default:
        return malloc(*bytes);
    }
}

/* Fill the contents' ends only: the large kinds would take minutes otherwise. */
static size_t checked_bytes(const struct block *b) {
    size_t contents = b->bytes - sizeof *b;
    return contents < 4096 ? contents : 4096;
}

static void verify(const struct block *b) {
    REQUIRE_FOR(b->bytes, pattern_holds(b->contents, checked_bytes(b), (uintptr_t)b));
}

/* Allocate until there is no more; how many bytes that was. */
static size_t fill(struct block **list) {
    size_t total = 0;
    size_t bytes = 0;
    for (;;) {
        errno = 0;
        struct block *b = allocate(&bytes);
        if (b == NULL)
            break;
        b->next = *list;
        b->bytes = bytes;
        pattern_fill(b->contents, checked_bytes(b), (uintptr_t)b);
        *list = b;
        total += bytes;
        REQUIRE(total <= LIMIT_BYTES);
    }
    REQUIRE_FOR(errno, errno == ENOMEM);
    REQUIRE(heap_is_sound == NULL || heap_is_sound(NULL));
    return total;
}

static void empty(struct block **list, size_t every) {
    size_t count = 0;
    for (struct block **at = list; *at != NULL;) {
        struct block *b = *at;
        verify(b);
        if (count++ % every == 0) {
            *at = b->next;
            free(b);
        } else {
            at = &b->next;
        }
    }
}

static void *in_thread(void *unused) {
    for (size_t i = 0; i < 1000; i++) {
        void *p = malloc(1024);
        REQUIRE(p != NULL);
        memset(p, 1, 1024);
        free(p);
    }
    return unused;
}

static void run_kind(void) {
    struct rlimit limit = {LIMIT_BYTES, LIMIT_BYTES};
    struct block *list = NULL;
    REQUIRE(setrlimit(RLIMIT_AS, &limit) == 0);
    size_t first = fill(&list);
    REQUIRE(list != NULL);
    errno = 0;
    void *larger = realloc(list, 60 << 20);
    REQUIRE(larger == NULL && errno == ENOMEM);
    errno = 0;
    REQUIRE(calloc(60, 1 << 20) == NULL && errno == ENOMEM);
    verify(list);
    empty(&list, 2);
    REQUIRE(heap_is_sound == NULL || heap_is_sound(NULL));
    size_t again = fill(&list);
    size_t half = again + (again == 0);
    empty(&list, 1);
    malloc_trim(0);

    pthread_t thread;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 64 * 1024);
    REQUIRE(pthread_create(&thread, &attributes, in_thread, NULL) == 0);
    REQUIRE(pthread_join(thread, NULL) == 0);

    size_t last = fill(&list);
    empty(&list, 1);
    REQUIRE(heap_is_sound == NULL || heap_is_sound(NULL));
    say(STDOUT_FILENO, "limits: %s: had %zu KiB of 65536, of the half freed %zu, then %zu\n",
        kind_names[current], first / 1024, again / 1024, last / 1024);
    /* An aligned kilobyte takes a page; a small block at least 32 bytes for 24. */
    size_t enough = current == ALIGNED ? ENOUGH_BYTES / 5 : ENOUGH_BYTES;
    REQUIRE_FOR(first, first >= enough);
    REQUIRE_FOR(half, half >= first / 4);
    REQUIRE_FOR(last, last >= first - first / 10);
}

int main(int argc, char **argv) {
    int failed = 0;
    rng = argument(argc, argv, 1, 1);
    say(STDOUT_FILENO, "limits: seed %llu\n", (unsigned long long)rng);
    *(void **)&heap_is_sound = dlsym(RTLD_DEFAULT, "cp_check");
    for (current = 0; current < KINDS; current++) {
        int status = in_child(run_kind);
        if (status != 0)
            say(STDOUT_FILENO, "limits: %s: exit status %d\n", kind_names[current], status);
        failed += status != 0;
    }
    return failed != 0;
}
