/* preload_break.c: the program break belongs to nobody, and any system call can fail.
 *
 *   obstacle     something is mapped right above the break, which then cannot grow
 *   foreign      the program moves the break itself between calls and keeps data there
 *   data limit   RLIMIT_DATA of 16 MiB
 *   no mmap      mmap, mremap and mprotect fail; the break works
 *   no brk       brk fails from the program's first instruction on
 *   neither      both fail: NULL and ENOMEM, what is there stays usable
 */
#define _GNU_SOURCE 1
#include <dlfcn.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "kit.h"

enum { MANY = 50000, PAGE = 4096 };

static void *blocks[MANY];
static char *program; /* its own path, to execute itself */

static void require_sound(void) {
    bool (*check)(void *) = NULL;
    *(void **)&check = dlsym(RTLD_DEFAULT, "cp_check");
    REQUIRE(check == NULL || check(NULL));
}

static size_t size_of(size_t i) { return 16 + (i * 7919) % 900 + (i % 500 == 0 ? 60000 : 0); }

/* Allocate blocks from `from` on until `to` or NULL; the index reached. */
static size_t fill(size_t from, size_t to) {
    size_t i = from;
    for (; i < to; i++) {
        errno = 0;
        blocks[i] = malloc(size_of(i));
        if (blocks[i] == NULL)
            break;
        pattern_fill(blocks[i], size_of(i), i);
    }
    if (i < to)
        REQUIRE_FOR(errno, errno == ENOMEM);
    return i;
}

static void empty(size_t from, size_t to, size_t step) {
    for (size_t i = from; i < to; i += step) {
        if (blocks[i] != NULL)
            REQUIRE_FOR(i, pattern_holds(blocks[i], size_of(i), i));
        free(blocks[i]);
        blocks[i] = NULL;
    }
}

/* Everything allocated, freed in two halves with other sizes in between, sound at each stop. */
static void exercise(size_t expected) {
    REQUIRE_FOR(expected, fill(0, expected) == expected);
    require_sound();
    empty(0, expected, 2);
    require_sound();
    void *large = calloc(1, 300000);
    REQUIRE(large != NULL && all_bytes(large, 300000, 0));
    large = realloc(large, 900000);
    REQUIRE(large != NULL && all_bytes(large, 300000, 0));
    free(large);
    empty(1, expected, 2);
    malloc_trim(0);
    require_sound();
}

static void obstacle(void) {
    uintptr_t above = ((uintptr_t)sbrk(0) + PAGE - 1) / PAGE * PAGE;
    void *at = mmap((void *)above, PAGE, PROT_NONE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    REQUIRE(at == (void *)above);
    exercise(MANY);
    exercise(MANY);
}

static void foreign(void) {
    enum { PIECES = 200, PIECE = 5000 };
    unsigned char *pieces[PIECES];
    for (size_t i = 0; i < PIECES; i++) {
        REQUIRE(fill(i * 200, (i + 1) * 200) == (i + 1) * 200);
        pieces[i] = sbrk(PIECE);
        REQUIRE(pieces[i] != (void *)-1);
        pattern_fill(pieces[i], PIECE, i);
        if (i % 10 == 9) { /* taken and given back at once */
            void *taken = sbrk(10 * PIECE);
            REQUIRE(taken != (void *)-1);
            memset(taken, 0xff, 10 * PIECE);
            REQUIRE(sbrk(-10 * PIECE) != (void *)-1);
        }
        if (i % 20 == 19)
            require_sound();
    }
    empty(0, PIECES * 200, 3);
    malloc_trim(0);
    empty(1, PIECES * 200, 3);
    empty(2, PIECES * 200, 3);
    malloc_trim(0);
    for (size_t i = 0; i < PIECES; i++)
        REQUIRE_FOR(i, pattern_holds(pieces[i], PIECE, i));
    exercise(MANY);
    for (size_t i = 0; i < PIECES; i++)
        REQUIRE_FOR(i, pattern_holds(pieces[i], PIECE, i));
}

static void data_limit(void) {
    struct rlimit limit = {16 << 20, 16 << 20};
    REQUIRE(setrlimit(RLIMIT_DATA, &limit) == 0);
    size_t had = fill(0, MANY);
    REQUIRE_FOR(had, had > 10000 && had < MANY);
    require_sound();
    REQUIRE(malloc(8 << 20) == NULL && errno == ENOMEM);
    empty(0, had, 2);
    require_sound();
    empty(1, had, 2);
    malloc_trim(0);
    REQUIRE(fill(0, had - had / 10) == had - had / 10);
    empty(0, MANY, 1);
}

/* The named system calls fail with `error` from now on, in children too. With `but_zero` a call
 * with first argument 0 passes. */
static void forbid(const int *calls, size_t count, unsigned error, bool but_zero) {
    struct sock_filter code[16];
    unsigned short n = 0;
    code[n++] =
        (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < count; i++) {
        unsigned to_end = (unsigned)(count - i);
        code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)calls[i],
                                                 (unsigned char)to_end, 0);
    }
    code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    if (but_zero) {
        code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                                                 offsetof(struct seccomp_data, args[0]));
        code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1);
        code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    }
    code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error);
    struct sock_fprog filter = {n, code};
    REQUIRE(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    REQUIRE_FOR(errno, prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) == 0);
}

static const int mapping_calls[] = {SYS_mmap, SYS_mremap, SYS_mprotect};
static const int break_call[] = {SYS_brk};

static void no_mmap(void) {
    forbid(mapping_calls, 3, ENOMEM, false);
    exercise(MANY);
    void *p = malloc(5 << 20); /* above the threshold: from the heap then */
    REQUIRE(p != NULL);
    memset(p, 1, 5 << 20);
    p = realloc(p, 9 << 20);
    REQUIRE(p != NULL && all_bytes(p, 5 << 20, 1));
    free(p);
    require_sound();
}

/* The kernel answers a brk that fails with the break as it is; 0 tells libc the same. */
static void no_brk(void) {
    forbid(break_call, 1, 0, true);
    execl(program, program, "no brk", (char *)NULL);
    require_failed("executed itself", __FILE__, __LINE__, errno);
}

static void neither(void) {
    size_t had = fill(0, 5000);
    REQUIRE(had == 5000);
    void *mapped = malloc(1 << 20);
    REQUIRE(mapped != NULL);
    pattern_fill(mapped, 1 << 20, 9);
    forbid(mapping_calls, 3, ENOMEM, false);
    forbid(break_call, 1, 0, true);
    had = fill(had, MANY);
    REQUIRE_FOR(had, had < MANY);
    require_sound();
    for (int i = 0; i < 10; i++) {
        errno = 0;
        REQUIRE(malloc(10 << 20) == NULL && errno == ENOMEM);
        errno = 0;
        REQUIRE(realloc(mapped, 10 << 20) == NULL && errno == ENOMEM);
        errno = 0;
        REQUIRE(memalign(1 << 20, 1 << 20) == NULL && errno == ENOMEM);
    }
    REQUIRE(pattern_holds(mapped, 1 << 20, 9));
    empty(0, had, 2);
    require_sound();
    size_t refused = 0;
    for (size_t i = 0; i < had; i += 2) { /* what was freed can be had again ... */
        blocks[i] = malloc(size_of(i));
        if (blocks[i] == NULL)
            refused++;
        else
            pattern_fill(blocks[i], size_of(i), i);
    }
    /* ... but where a block was a granule larger than asked. */
    REQUIRE_FOR(refused, refused <= had / 100);
    empty(0, had, 1);
    free(mapped);
    require_sound();
}

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        void (*run)(void);
    } cases[] = {
        {"obstacle", obstacle}, {"foreign", foreign}, {"data limit", data_limit},
        {"no mmap", no_mmap},   {"no brk", no_brk},   {"neither", neither},
    };
    int failed = 0;
    program = argv[0];
    if (argc > 1 && strcmp(argv[1], "no brk") == 0) {
        REQUIRE(sbrk(PAGE) == (void *)-1);
        exercise(MANY);
        exercise(MANY);
        return 0;
    }
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (argc > 1 && strcmp(argv[1], cases[i].name) != 0)
            continue;
        int status = in_child(cases[i].run);
        say(STDOUT_FILENO, "break: %s: exit status %d\n", cases[i].name, status);
        failed += status != 0;
    }
    return failed != 0;
}
