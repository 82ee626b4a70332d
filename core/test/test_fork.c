/* test_fork.c: an ordinary fork of a threaded process loses nothing: the child has every arena, no
 * lock is held in it, and its heap is sound. (Fork in handlers: preload_fork.c.)
 */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../arena.h"
#include "../chunkproof.h"
#include "../mapped.h"

enum { THREADS = 6, FORKS = 200, LIVE = 32 };

static atomic_bool stop;

static void *churn(void *seed) {
    uint64_t rng = (uintptr_t)seed * 2 + 1;
    void *live[LIVE] = {NULL};
    while (!atomic_load(&stop)) {
        rng = rng * 6364136223846793005u + 1442695040888963407u;
        void **p = &live[(rng >> 33) % LIVE];
        cp_free(*p);
        *p = cp_malloc((rng >> 40) % 100000); /* mostly beyond the cache: locks are busy */
    }
    for (int i = 0; i < LIVE; i++)
        cp_free(live[i]);
    return NULL;
}

/* In the child: 0 when all is there. */
static int what_is_missing(void) {
    const struct arena *a = arena_main();
    do {
        if (a->lost)
            return 1;
        if (a->lock.word != 0)
            return 2;
        a = arena_next(a);
    } while (a != arena_main());
    if (mapped_lock()->word != 0)
        return 3;
    return cp_check(NULL) ? 0 : 4;
}

static void child_has_everything(void **state) {
    (void)state;
    pthread_t thread[THREADS];
    for (uintptr_t t = 0; t < THREADS; t++)
        assert_int_equal(pthread_create(&thread[t], NULL, churn, (void *)t), 0);
    for (int f = 0; f < FORKS; f++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            _exit(what_is_missing());
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
    }
    atomic_store(&stop, true);
    for (int t = 0; t < THREADS; t++)
        assert_int_equal(pthread_join(thread[t], NULL), 0);
    assert_true(cp_check(NULL));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(child_has_everything)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
