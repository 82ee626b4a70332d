/* preload_fork.c [forks per storm] [seed]: fork from everywhere.
 * run-tests: timeout 400
 *
 *   handler, one thread    a signal handler that interrupted malloc forks; the child ends at
 *                          once, executes a program, or returns from the handler and goes on
 *                          allocating where its parent was interrupted
 *   threads                every thread allocates and forks now and then; children allocate,
 *                          walk the heap and end
 *   handler, one of many   one thread of many is interrupted in malloc and forks
 *   handler, all           all threads are, at once, each perhaps holding a lock
 *
 * All of it twice: as it is, and without thread caches, so that every call takes a lock.
 *
 * None may hang: of each storm a fork must succeed now and then, and children die with their
 * parent. On glibc 2.36 the last storm does hang (a thread waits for the arena lock it holds).
 */
#define _GNU_SOURCE 1
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <time.h>

#include "kit.h"

enum { THREADS = 8, LIVE = 64, DEADLINE_SECONDS = 30 };

static bool (*heap_is_sound)(void *);
static atomic_ulong *forks_done; /* shared with the storm's process */

/* ---- Allocating -------------------------------------------------------------------------- */

struct churn {
    void *live[LIVE];
    size_t bytes[LIVE];
    uint64_t rng;
};

/* Few bytes of a block carry its pattern, so that most of the time is spent in the allocator. */
static size_t checked(size_t bytes) { return bytes < 64 ? bytes : 64; }

/* One block replaced; contents verified. Sizes reach over cache, heap and own mappings. */
static void churn_step(struct churn *c) {
    size_t i = rng_below(&c->rng, LIVE);
    size_t kind = rng_below(&c->rng, 100);
    size_t bytes = rng_below(&c->rng, kind < 60 ? 200 : kind < 98 ? 8000 : 300000);
    if (c->live[i] != NULL)
        REQUIRE(pattern_holds(c->live[i], checked(c->bytes[i]), i));
    if (kind % 4 == 0) {
        c->live[i] = realloc(c->live[i], bytes + 1);
    } else {
        free(c->live[i]);
        c->live[i] = malloc(bytes + 1);
    }
    REQUIRE_FOR(bytes, c->live[i] != NULL);
    c->bytes[i] = bytes + 1;
    pattern_fill(c->live[i], checked(bytes + 1), i);
}

static void churn_end(struct churn *c) {
    for (int i = 0; i < LIVE; i++) {
        free(c->live[i]);
        c->live[i] = NULL;
    }
}

/* ---- Children ---------------------------------------------------------------------------- */

static void child_begins(void) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    alarm(DEADLINE_SECONDS);
}

static void wait_for(pid_t child) {
    int status = 0;
    while (waitpid(child, &status, 0) != child)
        REQUIRE(errno == EINTR);
    REQUIRE_FOR(status, status == 0);
    atomic_fetch_add(forks_done, 1);
}

/* A child that uses the allocator, as children of threaded programs do in practice. */
static void fork_and_allocate(struct churn *c) {
    pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        child_begins();
        REQUIRE(heap_is_sound == NULL || heap_is_sound(NULL));
        for (int i = 0; i < 500; i++)
            churn_step(c);
        churn_end(c);
        REQUIRE(heap_is_sound == NULL || heap_is_sound(NULL));
        _exit(0);
    }
    wait_for(child);
}

/* ---- In a handler ------------------------------------------------------------------------ */

static atomic_int forks_left;
static atomic_bool children_return; /* single-threaded only */
static volatile sig_atomic_t returned_child;

static void fork_in_handler(int signal) {
    (void)signal;
    int kept = errno;
    int number = atomic_fetch_sub(&forks_left, 1);
    if (number <= 0)
        return;
    pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        child_begins();
        if (number % 3 == 0)
            _exit(0);
        if (number % 3 == 1 || !atomic_load(&children_return)) {
            execl("/bin/true", "true", (char *)NULL);
            _exit(1);
        }
        returned_child = 200;
        atomic_store(&forks_left, 0);
        errno = kept;
        return;
    }
    wait_for(child);
    errno = kept;
}

static void handle(int signal, void (*handler)(int)) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    REQUIRE(sigaction(signal, &action, NULL) == 0);
}

static void storm_handler_one_thread(int forks, uint64_t seed) {
    struct churn c = {.rng = seed};
    atomic_store(&forks_left, forks);
    atomic_store(&children_return, true);
    handle(SIGALRM, fork_in_handler);
    handle(SIGPROF, fork_in_handler);
    struct itimerval every = {{0, 700}, {0, 700}};
    REQUIRE(setitimer(ITIMER_PROF, &every, NULL) == 0); /* CPU time: strikes in malloc */
    while (atomic_load(&forks_left) > 0)
        churn_step(&c);
    while (returned_child) {
        if (--returned_child == 0)
            _exit(heap_is_sound != NULL && !heap_is_sound(NULL));
        churn_step(&c);
    }
    struct itimerval never = {{0, 0}, {0, 0}};
    REQUIRE(setitimer(ITIMER_PROF, &never, NULL) == 0);
    atomic_store(&children_return, false);
    churn_end(&c);
}

/* ---- With threads ------------------------------------------------------------------------ */

static atomic_bool stop;
static bool threads_fork;

static void *churn_thread(void *seed) {
    struct churn c = {.rng = (uintptr_t)seed};
    while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
        for (int i = 0; i < 200; i++)
            churn_step(&c);
        if (threads_fork && atomic_fetch_sub(&forks_left, 1) > 0)
            fork_and_allocate(&c);
    }
    churn_end(&c);
    return NULL;
}

static void threads_begin(pthread_t *threads, uint64_t seed) {
    atomic_store(&stop, false);
    for (int i = 0; i < THREADS; i++)
        REQUIRE(pthread_create(&threads[i], NULL, churn_thread,
                               (void *)(uintptr_t)rng_next(&seed)) == 0);
}

static void threads_end(pthread_t *threads) {
    atomic_store(&stop, true);
    for (int i = 0; i < THREADS; i++)
        REQUIRE(pthread_join(threads[i], NULL) == 0);
}

static void storm_threads(int forks, uint64_t seed) {
    pthread_t threads[THREADS];
    atomic_store(&forks_left, forks);
    threads_fork = true;
    threads_begin(threads, seed);
    struct churn c = {.rng = seed};
    while (atomic_load(&forks_left) > 0)
        churn_step(&c);
    threads_end(threads);
    threads_fork = false;
    churn_end(&c);
}

static void storm_signals(int forks, uint64_t seed, int aims) {
    pthread_t threads[THREADS];
    atomic_store(&forks_left, forks);
    handle(SIGUSR1, fork_in_handler);
    threads_begin(threads, seed);
    for (int i = 0; atomic_load(&forks_left) > 0; i++) {
        REQUIRE(pthread_kill(threads[i % aims], SIGUSR1) == 0);
        struct timespec pause = {0, 200000};
        nanosleep(&pause, NULL);
    }
    threads_end(threads);
}

static void storm_handler_one_of_many(int forks, uint64_t seed) { storm_signals(forks, seed, 1); }
static void storm_handler_all(int forks, uint64_t seed) { storm_signals(forks, seed, THREADS); }

/* ---- The storms, each in a process of its own -------------------------------------------- */

static const struct storm {
    const char *name;
    void (*run)(int forks, uint64_t seed);
} storms[] = {
    {"handler, one thread", storm_handler_one_thread},
    {"threads", storm_threads},
    {"handler, one of many", storm_handler_one_of_many},
    {"handler, all", storm_handler_all},
};

/* Whether the child ends; killed when no fork has succeeded for DEADLINE_SECONDS. */
static bool storm_ends(pid_t child, int *status) {
    unsigned long seen = 0;
    for (int waited = 0; waited < DEADLINE_SECONDS * 100; waited++) {
        struct timespec pause = {0, 10000000};
        if (waitpid(child, status, WNOHANG) == child)
            return true;
        unsigned long done = atomic_load(forks_done);
        waited = done == seen ? waited : 0;
        seen = done;
        nanosleep(&pause, NULL);
    }
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    return false;
}

static bool storm_passes(const struct storm *storm, int forks, uint64_t seed) {
    int status = 0;
    atomic_store(forks_done, 0);
    pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        storm->run(forks, seed);
        REQUIRE(heap_is_sound == NULL || heap_is_sound(NULL));
        _exit(0);
    }
    bool ends = storm_ends(child, &status);
    unsigned long done = atomic_load(forks_done);
    say(STDOUT_FILENO, "fork: %s: %lu forks, %s, status %#x\n", storm->name, done,
        ends ? "ends" : "hangs", (unsigned)status);
    return ends && status == 0 && done >= (unsigned long)forks;
}

int main(int argc, char **argv) {
    int forks = (int)argument(argc, argv, 1, 200);
    uint64_t seed = argument(argc, argv, 2, 1);
    say(STDOUT_FILENO, "fork: seed %llu%s\n", (unsigned long long)seed,
        getenv("GLIBC_TUNABLES") == NULL ? "" : ", without thread caches");
    forks_done =
        mmap(NULL, sizeof *forks_done, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    REQUIRE(forks_done != MAP_FAILED);
    *(void **)&heap_is_sound = dlsym(RTLD_DEFAULT, "cp_check");
    bool passes = true;
    for (size_t i = 0; i < sizeof storms / sizeof *storms; i++)
        passes = storm_passes(&storms[i], forks, seed) && passes;
    if (passes && getenv("GLIBC_TUNABLES") == NULL) {
        setenv("GLIBC_TUNABLES", "glibc.malloc.tcache_count=0", 1);
        execv("/proc/self/exe", argv);
        return 1;
    }
    return !passes;
}
