/* preload_tsd.c: the end of a thread.
 *
 * Destructors of thread-specific data run in an order nobody chose, up to four rounds, so they
 * may allocate and free after the allocator has closed this thread's cache. Neither that, nor a
 * program that has taken every key, may leak, and what a thread freed is the process's again.
 */
#define _GNU_SOURCE 1
#include <dlfcn.h>
#include <limits.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <threads.h>

#include "kit.h"

enum { KEYS = 40, ROUNDS = 3000, SLACK = 1 << 20 };

static pthread_key_t keys[KEYS];
static tss_t c11_key;
static atomic_long calls;

/* glibc's registration of thread_local destructors, which run before those of keys. */
extern int __cxa_thread_atexit_impl(void (*)(void *), void *, void *);
extern void *__dso_handle;

static void use_allocator(size_t bytes) {
    unsigned char *p = malloc(bytes);
    unsigned char *q = calloc(1, bytes * 3);
    REQUIRE(p != NULL && q != NULL && all_bytes(q, bytes * 3, 0));
    memset(p, 0x99, bytes);
    p = realloc(p, bytes * 40);
    REQUIRE(p != NULL && all_bytes(p, bytes, 0x99));
    free(q);
    free(p);
}

/* The value's first byte counts the rounds left; a new value asks for another round. */
static void destroy(void *value) {
    unsigned char *v = value;
    unsigned char left = v[0];
    unsigned char index = v[1];
    atomic_fetch_add(&calls, 1);
    use_allocator(50 + index);
    free(v);
    if (left == 0)
        return;
    v = malloc(100);
    REQUIRE(v != NULL);
    v[0] = (unsigned char)(left - 1);
    v[1] = index;
    REQUIRE(pthread_setspecific(keys[index], v) == 0);
}

static void destroy_simply(void *value) {
    atomic_fetch_add(&calls, 1);
    free(value);
    use_allocator(70);
}

static void *with_destructors(void *unused) {
    (void)unused;
    for (unsigned char i = 0; i < KEYS; i++) {
        unsigned char *v = malloc(100);
        REQUIRE(v != NULL);
        v[0] = (unsigned char)(i % 4); /* rounds 1 .. 4, the last allowed */
        v[1] = i;
        REQUIRE(pthread_setspecific(keys[i], v) == 0);
    }
    REQUIRE(tss_set(c11_key, malloc(500)) == thrd_success);
    REQUIRE(__cxa_thread_atexit_impl(destroy_simply, malloc(600), &__dso_handle) == 0);
    return NULL;
}

/* Its only use of the allocator is in a destructor. */
static void *only_at_end(void *unused) {
    static char value[2] = {0, 0};
    (void)unused;
    REQUIRE(pthread_setspecific(keys[KEYS - 1], value) == 0);
    return NULL;
}
static void destroy_static(void *value) {
    (void)value;
    atomic_fetch_add(&calls, 1);
    use_allocator(300);
}

/* Much memory of small blocks, of which a part would stay in caches and bins. */
static void *with_much(void *unused) {
    enum { MANY = 200000 };
    void **p = malloc(MANY * sizeof *p);
    REQUIRE(p != NULL);
    for (size_t i = 0; i < MANY; i++) {
        REQUIRE((p[i] = malloc(16 + i % 900)) != NULL);
        memset(p[i], 1, 16);
    }
    for (size_t i = 0; i < MANY; i++)
        free(p[(i * 7919) % MANY]);
    free(p);
    return unused;
}

static void run_threads(int count, void *(*start)(void *)) {
    for (int i = 0; i < count; i++) {
        pthread_t thread;
        REQUIRE(pthread_create(&thread, NULL, start, NULL) == 0);
        REQUIRE(pthread_join(thread, NULL) == 0);
    }
    malloc_trim(0);
}

struct footprint {
    size_t heap, used, resident;
};
static struct footprint footprint(void) {
    struct mallinfo2 m = mallinfo2();
    return (struct footprint){m.arena + m.hblkhd, m.uordblks + m.hblkhd,
                              statm_bytes(STATM_RESIDENT)};
}

static void require_no_leak(const char *what, int count, void *(*start)(void *)) {
    run_threads(count / 10 + 1, start);
    struct footprint before = footprint();
    run_threads(count, start);
    struct footprint after = footprint();
    say(STDOUT_FILENO,
        "tsd: %s, %d threads: in use %zu -> %zu, heap %zu -> %zu, "
        "resident %zu -> %zu KiB\n",
        what, count, before.used / 1024, after.used / 1024, before.heap / 1024, after.heap / 1024,
        before.resident / 1024, after.resident / 1024);
    REQUIRE(after.used <= before.used + 64 * 1024);
    REQUIRE(after.heap <= before.heap + SLACK);
    REQUIRE(after.resident <= before.resident + SLACK);
}

int main(void) {
    for (int i = 0; i < KEYS; i++)
        REQUIRE(pthread_key_create(&keys[i], i == KEYS - 1 ? destroy_static : destroy) == 0);
    REQUIRE(tss_create(&c11_key, destroy_simply) == thrd_success);
    require_no_leak("only in a destructor", ROUNDS, only_at_end);
    REQUIRE(atomic_load(&calls) == ROUNDS + ROUNDS / 10 + 1);
    require_no_leak("64 MiB freed", 10, with_much);

    /* From here on every key has the destructor that resets itself. */
    REQUIRE(pthread_key_delete(keys[KEYS - 1]) == 0);
    REQUIRE(pthread_key_create(&keys[KEYS - 1], destroy) == 0);
    atomic_store(&calls, 0);
    require_no_leak("destructors", ROUNDS, with_destructors);
    long threads = ROUNDS + ROUNDS / 10 + 1;
    REQUIRE(atomic_load(&calls) == threads * (KEYS / 4 * (1 + 2 + 3 + 4) + 2));

    /* A program that takes every key there is. */
    pthread_key_t taken;
    while (pthread_key_create(&taken, NULL) == 0)
        ;
    require_no_leak("no key left", ROUNDS, with_destructors);
    bool (*check)(void *) = NULL;
    *(void **)&check = dlsym(RTLD_DEFAULT, "cp_check");
    REQUIRE(check == NULL || check(NULL));
    return 0;
}
