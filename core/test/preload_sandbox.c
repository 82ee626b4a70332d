/* preload_sandbox.c: the system calls that README.md lists are all that the library makes once it is
 * loaded: under a filter that kills the process at any other, threads allocate, free, resize, give
 * memory back and meet at arenas' locks. With any entry of the list missing, but the clock, it does
 * kill.
 */
#define _GNU_SOURCE 1
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "kit.h"

enum { THREADS = 4, BLOCKS = 2000, ROUNDS = 40, ANY = -1 };

/* A call, and the value its third argument must have. */
struct allowed {
    long call;
    int third;
};

static const struct allowed by_library[] = {
    {SYS_brk, ANY},
    {SYS_mmap, ANY},
    {SYS_munmap, ANY},
    {SYS_mremap, ANY},
    {SYS_mprotect, ANY},
    {SYS_madvise, MADV_DONTNEED},
    {SYS_madvise, MADV_POPULATE_WRITE},
    {SYS_futex, ANY},
    {SYS_clock_gettime, ANY}, /* where the vDSO has no clock */
};
enum { LISTED = sizeof by_library / sizeof by_library[0], CLOCK = LISTED - 1 };

/* What the test itself needs: to say what failed, and an end. */
static const struct allowed by_test[] = {{SYS_write, ANY}, {SYS_exit_group, ANY}};

static struct sock_filter code[128];
static unsigned short length;

static void emit(unsigned what, unsigned value, unsigned char yes, unsigned char no) {
    code[length++] = (struct sock_filter){(unsigned short)what, yes, no, value};
}

static void allow(const struct allowed *a) {
    const unsigned load = BPF_LD | BPF_W | BPF_ABS, equal = BPF_JMP | BPF_JEQ | BPF_K;
    emit(load, offsetof(struct seccomp_data, nr), 0, 0);
    emit(equal, (unsigned)a->call, 0, a->third == ANY ? 1 : 3);
    if (a->third != ANY) {
        emit(load, offsetof(struct seccomp_data, args[2]), 0, 0);
        emit(equal, (unsigned)a->third, 0, 1);
    }
    emit(BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
}

/* For all threads, from now on; without the entry `but` of the library's list. */
static void confine(size_t but) {
    length = 0;
    for (size_t i = 0; i < sizeof by_test / sizeof by_test[0]; i++)
        allow(&by_test[i]);
    for (size_t i = 0; i < LISTED; i++)
        if (i != but)
            allow(&by_library[i]);
    emit(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS, 0, 0);
    struct sock_fprog filter = {length, code};
    REQUIRE(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    REQUIRE_FOR(errno, syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC,
                               &filter) == 0);
}

/* ---- Work ----------------------------------------------------------------------------------- */

static pthread_barrier_t started, confined, done;
static void *block[THREADS][BLOCKS];

static size_t any_size(uint64_t *random) {
    return 1 + rng_below(random, (size_t)16 << rng_below(random, 14));
}

/* Blocks of all sizes, some aligned, some resized, in place of those of the round before. */
static void work_round(size_t number, uint64_t *random) {
    void **own = block[number];
    for (size_t i = 0; i < BLOCKS; i++) {
        size_t bytes = any_size(random);
        free(own[i]);
        own[i] = i % 16 == 0 ? memalign((size_t)32 << rng_below(random, 8), bytes) : malloc(bytes);
        REQUIRE(own[i] != NULL);
        if (i % 8 == 0) {
            own[i] = realloc(own[i], any_size(random));
            REQUIRE(own[i] != NULL);
        }
        memset(own[i], 1, 1);
    }
}

/* Frees all, so that memory goes back; mappings that move; a trim. */
static void clear(size_t number) {
    for (size_t i = 0; i < BLOCKS; i++) {
        free(block[number][i]);
        block[number][i] = NULL;
    }
    void *mapped = malloc((size_t)1 << 20);
    mapped = realloc(opaque(mapped), (size_t)40 << 20);
    REQUIRE(mapped != NULL);
    free(mapped);
    malloc_trim(0);
}

static void *work(void *number) {
    uint64_t random = (uintptr_t)number;
    pthread_barrier_wait(&started);
    pthread_barrier_wait(&confined);
    for (int round = 0; round < ROUNDS; round++) {
        work_round((size_t)number, &random);
        if (round % 10 == 9)
            clear((size_t)number);
    }
    pthread_barrier_wait(&done);
    pthread_barrier_wait(&done); /* for ever: a thread's end makes calls that are libc's business */
    return NULL;
}

static void workload(size_t but) {
    pthread_t thread;
    pthread_barrier_init(&started, NULL, THREADS + 1);
    pthread_barrier_init(&confined, NULL, THREADS + 1);
    pthread_barrier_init(&done, NULL, THREADS + 1);
    for (size_t i = 0; i < THREADS; i++)
        REQUIRE(pthread_create(&thread, NULL, work, (void *)i) == 0);
    pthread_barrier_wait(&started);
    confine(but);
    pthread_barrier_wait(&confined);
    pthread_barrier_wait(&done);
    _exit(0);
}

/* How the workload ends in a child. */
static int ends(size_t but) {
    pid_t child = fork();
    if (child == 0)
        workload(but);
    int status = -1;
    REQUIRE(child > 0 && waitpid(child, &status, 0) == child);
    return status;
}

int main(void) {
    int status = ends(LISTED);
    REQUIRE_FOR(status, WIFEXITED(status) && WEXITSTATUS(status) == 0);
    for (size_t i = 0; i < CLOCK; i++) {
        status = ends(i);
        REQUIRE_FOR(i, WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
    }
    return 0;
}
