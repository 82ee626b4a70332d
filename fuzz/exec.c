/* exec.c: see exec.h. One run at a time; its state stands in `run`, for sim_break to print.
 *
 * Each simulated thread performs its own operations in order (thread_body); the scheduler switches
 * between them inside the core only, so what stands here needs no lock. What an oracle knows of a
 * call as a whole it keeps in the thread's `actor`, for other threads may run meanwhile; an oracle
 * that compares the core with all of the model speaks only if none did.
 */
#include "exec.h"

#include <errno.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "target.h"

/* What errno holds before every call: no call sets it to this. */
#define ERRNO_BEFORE 4242

/* mallinfo2 counts chunks that wait in thread caches and fast bins as in use or not, the glibc
 * way; this is the most they can be. */
#define CACHED_BYTES_MAX ((size_t)4 << 20)

#define INFO_BYTES 65536

struct actor {
    const struct op *op; /* running, or NULL: between operations */
    unsigned next; /* operation to look at next */
    uint64_t failures_before; /* of the system, when the running call began */
    size_t accessible_before; /* bytes, likewise */
    bool ends; /* its exit hook runs */
    bool alone; /* no other thread was in the middle of an operation then ... */
    uint64_t switches_before; /* ... and none has run since if this is sched_switches() */
};

static struct {
    const struct program *program;
    struct exec_options options;
    struct model model;
    struct actor actor[FIBERS_MAX];
    const struct baseline *best;
    const char *phase;
    uint64_t hash;
    uint64_t operations;
    unsigned walk_every;
    bool walk_due; /* as soon as no lock is held */
    bool leaked; /* threads vanished in the middle of an operation */
    unsigned tracing; /* thread whose line of the trace is open, from 1; 0: none */
} run;

/* What malloc_info writes to, kept from run to run; one for each thread. */
static struct {
    FILE *out;
    char text[INFO_BYTES];
} infos[FIBERS_MAX];

static struct actor *self(void) { return &run.actor[sim_thread() - 1]; }

/* ---- failing -------------------------------------------------------------------------------- */

static void print_actor(unsigned thread) {
    const struct op *op = run.actor[thread].op;
    if (op == NULL)
        return;
    if (run.program->threads > 1)
        fprintf(stderr, "fuzz: thread %u%s", thread + 1,
                thread + 1 == sim_thread() ? " (running) " : " ");
    else
        fprintf(stderr, "fuzz: ");
    fprintf(stderr, "at operation %u of %u, record %u: ", (unsigned)(op - run.program->op),
            run.program->ops, (unsigned)op->record);
    op_print(stderr, op);
    fprintf(stderr, "\n");
}

static void print_where(void) {
    if (self()->op == NULL)
        fprintf(stderr, "fuzz: while: %s\n", run.phase);
    for (unsigned thread = 0; thread < FIBERS_MAX; thread++)
        print_actor(thread);
}

static void break_walker(const struct cp_breach *b) {
    sim_break("walker",
              "invariant %s: %s; region %p granule %u header %p words %08x %08x %08x %08x, "
              "found %#llx expected %#llx",
              cp_invariant_name(b->invariant), b->detail == NULL ? "" : b->detail, b->region,
              b->granule, b->header, b->words[0], b->words[1], b->words[2], b->words[3],
              (unsigned long long)b->found, (unsigned long long)b->expected);
}

static void walk_by(bool (*check)(struct cp_breach *)) {
    struct cp_breach breach;
    memset(&breach, 0, sizeof breach);
    if (check != NULL && !check(&breach))
        break_walker(&breach);
}

static void walk(void) { walk_by(target.check); }

/* The walker as an oracle among threads leaves the schedule as it is: it takes no lock, but waits
 * until none is held. Then every invariant of what threads share has to hold, even in the middle of
 * operations. */
static void walk_unnoticed(void) {
    run.walk_due = sim_locks_held_by_all() != 0;
    if (run.walk_due)
        return;
    int saved = errno;
    sched_hold(true);
    walk_by(target.check_shared);
    sched_hold(false);
    errno = saved;
}

static void walk_if_due(void) {
    if (run.walk_due)
        walk_unnoticed();
}

/* ---- results -------------------------------------------------------------------------------- */

static void note(uint64_t value) { run.hash = (run.hash ^ value) * 0x100000001b3u; }

static void trace_result(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void trace_result(const char *format, ...) {
    if (run.options.trace == NULL)
        return;
    if (run.tracing != sim_thread() && self()->op != NULL)
        fprintf(run.options.trace, "%4u  %u: ... ", (unsigned)(self()->op - run.program->op),
                sim_thread());
    run.tracing = sim_thread();
    va_list arguments;
    va_start(arguments, format);
    vfprintf(run.options.trace, format, arguments);
    va_end(arguments);
}

static bool others_are_idle(void) {
    for (unsigned thread = 0; thread < run.program->threads; thread++)
        if ((run.actor[thread].op != NULL || run.actor[thread].ends) &&
            &run.actor[thread] != self())
            return false;
    return true;
}

static void before_call(void) {
    self()->failures_before = sim_account.failures;
    self()->accessible_before = sim_account.accessible_bytes;
    self()->alone = others_are_idle();
    self()->switches_before = sched_switches();
    errno = ERRNO_BEFORE;
}

/* Whether the call so far was the only thing that happened, and no memory was left behind. */
static bool was_alone(void) {
    return !run.leaked && self()->alone && self()->switches_before == sched_switches();
}

/* A call returned NULL: errno says why, and there is a reason. */
static void require_enomem(void) {
    if (errno != ENOMEM)
        sim_break("errno", "failed with errno %d, not ENOMEM", errno);
    /* A child may have had to give up arenas whose locks were held by threads it does not have. */
    if (target.simulated && !run.leaked && sim_account.failures == self()->failures_before)
        sim_break("enomem", "failed although the system refused nothing");
}

static void require_errno(int expected) {
    if (errno != expected)
        sim_break("errno", "errno is %d, not %d", errno, expected);
}

/* ---- allocation ----------------------------------------------------------------------------- */

static size_t usable_of(void *p) {
    size_t usable = target.usable_size(p);
    note(usable);
    return usable;
}

/* A block the allocator returned, or NULL, goes into its slot. */
static bool settle(const struct op *op, void *p, size_t size, size_t alignment) {
    int error = errno;
    note((uintptr_t)p);
    trace_result("= %p", p);
    if (p == NULL) {
        errno = error;
        require_enomem();
        trace_result(" ENOMEM");
        return false;
    }
    model_add(&run.model, op->slot, p, size, usable_of(p), alignment);
    return true;
}

static void settle_new(const struct op *op, void *p, size_t size, size_t alignment) {
    if (settle(op, p, size, alignment))
        model_write(&run.model, op->slot);
}

static void do_calloc(const struct op *op) {
    size_t size = op->count * op->size;
    if (!settle(op, target.calloc(op->count, op->size), size, 0))
        return;
    model_zero(&run.model, op->slot, size);
    model_write(&run.model, op->slot);
}

static void *resize(const struct op *op, void *p) {
    return op->code == OP_REALLOC ? target.realloc(p, op->size)
                                  : target.reallocarray(p, op->count, op->size);
}

static void do_realloc(const struct op *op) {
    size_t size = op->count * op->size;
    struct block *b = &run.model.block[op->slot], old = *b;
    if (old.start == NULL) {
        settle_new(op, resize(op, NULL), size, 0);
        return;
    }
    model_remove(&run.model, op->slot);
    before_call();
    void *p = resize(op, old.start);
    if (size == 0) {
        if (p != NULL)
            sim_break("must-fail", "realloc(p, 0) returned %p, not NULL", p);
        require_errno(ERRNO_BEFORE);
        trace_result("= freed");
        return;
    }
    if (settle(op, p, size, 0)) {
        model_prefix(&run.model, op->slot, &old);
        model_write(&run.model, op->slot);
        return;
    }
    model_add(&run.model, op->slot, old.start, old.size, usable_of(old.start), old.alignment);
    run.model.block[op->slot].pattern = old.pattern;
    model_look(&run.model, op->slot);
}

static void do_posix_memalign(const struct op *op) {
    void *out = &run;
    int error = target.posix_memalign(&out, op->alignment, op->size);
    require_errno(ERRNO_BEFORE);
    if (error == 0) {
        settle_new(op, out, op->size, op->alignment);
        return;
    }
    if (error != ENOMEM || out != &run)
        sim_break("errno", "posix_memalign returned %d, out %p", error, out);
    errno = error;
    settle(op, NULL, 0, 0);
}

static size_t next_power_of_two(size_t n) {
    size_t power = 1;
    while (power < n)
        power *= 2;
    return power;
}

static void do_pvalloc(const struct op *op) {
    size_t size = (op->size + PAGE_BYTES - 1) & ~(size_t)(PAGE_BYTES - 1);
    settle_new(op, target.pvalloc(op->size), size, PAGE_BYTES);
}

/* ---- freeing -------------------------------------------------------------------------------- */

static void do_free(const struct op *op) {
    struct block old = {.start = NULL};
    if (op->slot != NO_SLOT)
        old = run.model.block[op->slot];
    if (old.start != NULL)
        model_remove(&run.model, op->slot);
    before_call();
    /* The sized frees have rules of their own for whose block they take (C23 7.24.3). */
    if (op->code == OP_FREE_SIZED && old.alignment == 0)
        target.free_sized(old.start, old.size);
    else if (op->code != OP_FREE && old.alignment != 0)
        target.free_aligned_sized(old.start, old.alignment, old.size);
    else
        target.free(old.start);
    require_errno(ERRNO_BEFORE);
}

static void do_usable_size(const struct op *op) {
    unsigned char *p = op->slot == NO_SLOT ? NULL : run.model.block[op->slot].start;
    size_t expected = p == NULL ? 0 : run.model.block[op->slot].usable;
    size_t usable = usable_of(p);
    trace_result("= %zu", usable);
    if (usable != expected)
        sim_break("usable", "usable size of %p is %zu, was %zu", (void *)p, usable, expected);
}

static FILE *info_file(void) {
    FILE **out = &infos[sim_thread() - 1].out;
    if (*out == NULL) {
        *out = fmemopen(infos[sim_thread() - 1].text, INFO_BYTES, "w");
        setvbuf(*out, NULL, _IONBF, 0);
    }
    rewind(*out);
    return *out;
}

/* ---- calls that must fail ------------------------------------------------------------------- */

static void require_failed(const char *call, const void *p, int expected) {
    if (p != NULL)
        sim_break("must-fail", "%s returned %p", call, p);
    require_errno(expected);
}

static void fail_posix_memalign(size_t alignment, size_t size, int expected) {
    void *out = &run;
    int error = target.posix_memalign(&out, alignment, size);
    if (error != expected || out != &run)
        sim_break("must-fail", "posix_memalign(%zu, %zu) returned %d, out %p; expected %d",
                  alignment, size, error, out, expected);
    require_errno(ERRNO_BEFORE);
}

/* Not powers of two, and for posix_memalign also too small ones. */
static size_t bad_alignment(size_t choice, bool small_too) {
    static const size_t bad[] = {0, 3, 24, 48, 12, 4097, 65535, SIZE_MAX, PTRDIFF_MAX, 1, 2, 4};
    return bad[choice % (small_too ? 12 : 9)];
}

static void fail_allocation(const struct op *op, size_t near, size_t large) {
    size_t size = op->alignment & 1 ? near : large;
    switch ((enum must_fail)op->variant) {
    case FAIL_MALLOC:
        require_failed("malloc", target.malloc(size), ENOMEM);
        break;
    case FAIL_CALLOC_OVERFLOW:
        require_failed("calloc", target.calloc(SIZE_MAX / 2 + op->size, 2 + op->alignment), ENOMEM);
        break;
    case FAIL_CALLOC_LARGE:
        require_failed("calloc", target.calloc(large / 16 + 1, 16), ENOMEM);
        break;
    case FAIL_VALLOC:
        require_failed("valloc", target.valloc(size), ENOMEM);
        break;
    case FAIL_PVALLOC:
        require_failed("pvalloc", target.pvalloc(size), ENOMEM);
        break;
    default: /* FAIL_MALLOC_INFO */
        if (target.malloc_info(1 + (int)op->size, info_file()) != EINVAL)
            sim_break("must-fail", "malloc_info with options did not return EINVAL");
    }
}

static void fail_resize(const struct op *op, size_t near, size_t large) {
    void *old = op->slot == NO_SLOT ? NULL : run.model.block[op->slot].start;
    if (op->variant == FAIL_REALLOCARRAY)
        require_failed("reallocarray",
                       target.reallocarray(old, SIZE_MAX / 4 + 1 + op->size, 4 + op->alignment),
                       ENOMEM);
    else
        require_failed("realloc", target.realloc(old, op->alignment & 1 ? near : large), ENOMEM);
    if (old != NULL)
        model_look(&run.model, op->slot);
}

static void fail_aligned(const struct op *op, size_t near, size_t large) {
    size_t size = op->size & 1 ? near : large, choice = op->alignment;
    switch ((enum must_fail)op->variant) {
    case FAIL_ALIGNED_ALLOC:
        require_failed("aligned_alloc",
                       target.aligned_alloc(bad_alignment(choice, false), op->size), EINVAL);
        break;
    case FAIL_ALIGNED_ALLOC_SIZE:
        require_failed("aligned_alloc", target.aligned_alloc((size_t)1 << choice % 63, large),
                       ENOMEM);
        break;
    case FAIL_POSIX_MEMALIGN:
        fail_posix_memalign(bad_alignment(choice, true), op->size, EINVAL);
        break;
    case FAIL_POSIX_MEMALIGN_SIZE:
        fail_posix_memalign((size_t)8 << choice % 60, large, ENOMEM);
        break;
    case FAIL_MEMALIGN:
        require_failed("memalign", target.memalign(SIZE_MAX / 2 + 2 + op->size, choice), EINVAL);
        break;
    case FAIL_MEMALIGN_SIZE:
        require_failed("memalign", target.memalign((size_t)1 << choice % 63, size), ENOMEM);
        break;
    default: /* FAIL_MEMALIGN_HUGE: a legal alignment, but nothing is that large */
        require_failed("memalign", target.memalign((size_t)1 << (40 + choice % 24), op->size + 1),
                       ENOMEM);
    }
}

static void do_must_fail(const struct op *op) {
    size_t near = SIZE_MAX - op->size, large = (size_t)PTRDIFF_MAX + 1 + op->size;
    switch ((enum must_fail)op->variant) {
    case FAIL_REALLOC:
    case FAIL_REALLOC_NULL:
    case FAIL_REALLOCARRAY:
        fail_resize(op, near, large);
        break;
    case FAIL_MALLOC:
    case FAIL_CALLOC_OVERFLOW:
    case FAIL_CALLOC_LARGE:
    case FAIL_VALLOC:
    case FAIL_PVALLOC:
    case FAIL_MALLOC_INFO:
        fail_allocation(op, near, large);
        break;
    default:
        fail_aligned(op, near, large);
    }
}

/* ---- tuning and statistics ------------------------------------------------------------------ */

static void do_mallopt(const struct op *op) {
    int done = target.mallopt(op->parameter, op->value);
    note((uint64_t)done);
    trace_result("= %d", done);
    bool known = op->parameter <= M_MXFAST && op->parameter >= M_ARENA_MAX && op->parameter != 0;
    if (done != 0 && done != 1)
        sim_break("mallopt", "mallopt returned %d", done);
    if (done == 0 && (!known || op->parameter == M_CHECK_ACTION || op->parameter == M_PERTURB))
        sim_break("mallopt", "mallopt(%d, %d) returned 0", op->parameter, op->value);
    bool fits = op->value >= 0 && op->value <= 160;
    if (op->parameter == M_MXFAST && done != fits)
        sim_break("mallopt", "mallopt(M_MXFAST, %d) returned %d", op->value, done);
}

/* Live blocks by where they lie: in mappings of their own or in regions. */
struct tally {
    size_t mappings;
    size_t mapped_bytes; /* usable */
    size_t region_bytes; /* usable and header */
};

static struct tally count_live(void) {
    struct tally t = {0};
    for (unsigned i = 0; i < run.model.live; i++) {
        const struct block *b = &run.model.block[run.model.order[i]];
        /* A block of no bytes may stand at its mapping's very end. */
        if (sim_place(b->start - 1) == SIM_IN_MAPPING) {
            t.mappings++;
            t.mapped_bytes += b->usable;
        } else {
            t.region_bytes += b->usable + CHUNK_OVERHEAD_BYTES;
        }
    }
    return t;
}

static void check_accounting(const struct cp_mallinfo *i) {
    struct tally t = count_live();
    if (i->hblks != t.mappings)
        sim_break("accounting", "hblks is %zu, but %zu live blocks are mappings", i->hblks,
                  t.mappings);
    if (i->hblkhd < t.mapped_bytes || i->hblkhd % PAGE_BYTES != 0)
        sim_break("accounting", "hblkhd is %zu, but live mappings have %zu usable bytes", i->hblkhd,
                  t.mapped_bytes);
    if (i->arena != i->uordblks + i->fordblks)
        sim_break("accounting", "arena %zu is not uordblks %zu + fordblks %zu", i->arena,
                  i->uordblks, i->fordblks);
    /* Where lock_try fails by plan, what is returned to an arena piles up, and counts as in use. */
    bool settled = sim_account.failed[SIM_TRYLOCK] == 0;
    if (i->uordblks < t.region_bytes ||
        (settled && i->uordblks > t.region_bytes + run.program->threads * CACHED_BYTES_MAX))
        sim_break("accounting", "uordblks is %zu, but live blocks in regions take %zu", i->uordblks,
                  t.region_bytes);
    /* Having counted, the call may free what others returned to an arena, and trim it. */
    size_t given = self()->accessible_before > sim_account.accessible_bytes
                       ? self()->accessible_before
                       : sim_account.accessible_bytes;
    if (i->arena + i->hblkhd > given)
        sim_break("accounting", "arena %zu + hblkhd %zu is more than the system gave, %zu",
                  i->arena, i->hblkhd, given);
    if (i->keepcost > i->fordblks || i->fsmblks > i->arena)
        sim_break("accounting", "keepcost %zu or fsmblks %zu out of range", i->keepcost,
                  i->fsmblks);
}

static void do_mallinfo(const struct op *op) {
    (void)op;
    struct cp_mallinfo i = target.mallinfo2();
    note(i.arena ^ i.uordblks << 20 ^ i.hblkhd << 40);
    trace_result("= arena %zu uordblks %zu fordblks %zu ordblks %zu smblks %zu fsmblks %zu "
                 "hblks %zu hblkhd %zu keepcost %zu",
                 i.arena, i.uordblks, i.fordblks, i.ordblks, i.smblks, i.fsmblks, i.hblks, i.hblkhd,
                 i.keepcost);
    if (target.simulated && was_alone())
        check_accounting(&i);
}

static void do_malloc_info(const struct op *op) {
    (void)op;
    FILE *out = info_file();
    char *text = infos[sim_thread() - 1].text;
    if (target.malloc_info(0, out) != 0)
        sim_break("info", "malloc_info failed");
    fflush(out);
    long length = ftell(out);
    if (ferror(out) || length <= 0 || length >= INFO_BYTES - 1)
        return; /* cut off by our buffer: an arena for each operation fills it */
    text[length] = '\0';
    if (strncmp(text, "<malloc", 7) != 0 || strstr(text, "</malloc>") == NULL)
        sim_break("info", "malloc_info wrote no <malloc> element: %.200s", text);
    trace_result("= %ld bytes", length);
}

/* ---- one operation -------------------------------------------------------------------------- */

/* Not while another thread may be about to lower the break: brk has no way to do that safely beside
 * another user of it, and glibc's malloc cannot either. */
static void do_foreign_brk(const struct op *op) {
    bool took = target.simulated && sim_locks_held_by_all() == 0 && sim_foreign_brk(op->size);
    trace_result("= %s", took ? "taken" : "no room");
}

static void do_malloc(const struct op *op) { settle_new(op, target.malloc(op->size), op->size, 0); }

static void do_aligned_alloc(const struct op *op) {
    settle_new(op, target.aligned_alloc(op->alignment, op->size), op->size, op->alignment);
}

static void do_memalign(const struct op *op) {
    void *p = target.memalign(op->alignment, op->size);
    settle_new(op, p, op->size, next_power_of_two(op->alignment));
}

static void do_valloc(const struct op *op) {
    settle_new(op, target.valloc(op->size), op->size, PAGE_BYTES);
}

static void do_write(const struct op *op) {
    if (op->slot == NO_SLOT || run.model.block[op->slot].start == NULL)
        return;
    model_look(&run.model, op->slot);
    model_write(&run.model, op->slot);
}

static void do_trim(const struct op *op) {
    int trimmed = target.trim(op->size);
    note((uint64_t)trimmed);
    trace_result("= %d", trimmed);
}

static void do_malloc_stats(const struct op *op) {
    (void)op;
    target.malloc_stats();
}

static void do_check(const struct op *op) {
    (void)op;
    walk();
}

static void do_clock(const struct op *op) { sim_clock_advance(op->size); }

static void do_thread_end(const struct op *op) {
    sim_thread_exit();
    if (op->variant != 0 && target.new_thread != NULL)
        target.new_thread();
}

static void do_fork(const struct op *op) { sim_fork(op->variant != 0); }

static void (*const perform[OP_CODES])(const struct op *) = {
    [OP_MALLOC] = do_malloc,
    [OP_CALLOC] = do_calloc,
    [OP_REALLOC] = do_realloc,
    [OP_REALLOCARRAY] = do_realloc,
    [OP_ALIGNED_ALLOC] = do_aligned_alloc,
    [OP_MEMALIGN] = do_memalign,
    [OP_POSIX_MEMALIGN] = do_posix_memalign,
    [OP_VALLOC] = do_valloc,
    [OP_PVALLOC] = do_pvalloc,
    [OP_FREE] = do_free,
    [OP_FREE_SIZED] = do_free,
    [OP_FREE_ALIGNED_SIZED] = do_free,
    [OP_USABLE_SIZE] = do_usable_size,
    [OP_WRITE] = do_write,
    [OP_MALLOPT] = do_mallopt,
    [OP_TRIM] = do_trim,
    [OP_MALLINFO] = do_mallinfo,
    [OP_MALLOC_INFO] = do_malloc_info,
    [OP_MALLOC_STATS] = do_malloc_stats,
    [OP_MUST_FAIL] = do_must_fail,
    [OP_CHECK] = do_check,
    [OP_CLOCK] = do_clock,
    [OP_FOREIGN_BRK] = do_foreign_brk,
    [OP_THREAD_END] = do_thread_end,
    [OP_FORK] = do_fork,
};

static void trace_operation(const struct op *op) {
    FILE *out = run.options.trace;
    if (out == NULL)
        return;
    fprintf(out, "%4u  ", (unsigned)(op - run.program->op));
    if (run.program->threads > 1)
        fprintf(out, "%u: ", sim_thread());
    op_print(out, op);
    fprintf(out, " ");
    run.tracing = sim_thread();
}

static void trace_switch(unsigned from, unsigned to) {
    if (run.tracing != 0)
        fprintf(run.options.trace, "\n");
    run.tracing = 0;
    fprintf(run.options.trace, "      -- thread %u stops, thread %u goes on\n", from + 1, to + 1);
}

static void require_no_lock(void) {
    if (target.simulated && sim_locks_held() != 0)
        sim_break("lock", "%u locks are still held after the call", sim_locks_held());
}

/* Not where lock_try failed by plan, nor after a fork in a handler that interrupted the allocator:
 * there nobody holds what seems to be held. */
static void require_settled(void) {
    if (target.unsettled == NULL || !others_are_idle() || sim_account.failed[SIM_TRYLOCK] != 0 ||
        sim_account.failed[SIM_SIGNAL] != 0)
        return;
    const char *what = target.unsettled();
    if (what != NULL)
        sim_break("settled", "no thread is in the allocator, and there are %s", what);
}

static void step(const struct op *op) {
    unsigned number = (unsigned)(op - run.program->op);
    sched_begin(number, op->first, op->after);
    self()->op = op;
    run.operations++;
    trace_operation(op);
    before_call();
    perform[op->code](op);
    trace_result("\n");
    run.tracing = 0;
    require_no_lock();
    require_settled();
    if (run.options.look)
        model_look_around(&run.model, op->slot);
    if (target.states != NULL && sim_locks_held_by_all() == 0)
        target.states();
    self()->op = NULL;
    sched_done(number);
}

/* ---- the end of a run ----------------------------------------------------------------------- */

static void free_all(bool reverse) {
    for (unsigned i = 0; i < SLOTS; i++) {
        unsigned slot = reverse ? SLOTS - 1 - i : i;
        unsigned char *p = run.model.block[slot].start;
        if (p == NULL)
            continue;
        model_remove(&run.model, slot);
        errno = ERRNO_BEFORE;
        target.free(p);
        require_errno(ERRNO_BEFORE);
    }
}

/* What the process costs once everything is freed and trimmed, at best: the same world without
 * failures, in which a small block and a mapping were allocated, freed and trimmed. */
struct baseline {
    bool known;
    struct sim_footprint footprint;
    size_t dirty_pages;
    size_t thread_bytes; /* in mappings, for a thread more; kept for the next one when it ends */
};

static const struct baseline *baseline(const struct program *p) {
    static struct baseline baselines[64];
    struct baseline *b = &baselines[p->environment % 64];
    if (b->known)
        return b;
    struct sim_config calm = p->world;
    memset(calm.failure, 0, sizeof calm.failure);
    calm.limit_bytes = SIZE_MAX / 2;
    sim_reset(&calm);
    target.start();
    target.free(target.malloc(1));
    target.free(target.malloc((size_t)64 << 20));
    target.trim(0);
    *b = (struct baseline){true, sim_footprint(), sim_dirty_pages(), 0};
    if (target.new_thread != NULL)
        target.new_thread();
    target.free(target.malloc(1));
    b->thread_bytes = sim_footprint().mapping_bytes - b->footprint.mapping_bytes;
    return b;
}

/* The core keeps its own tables for good: an arena it made under contention, a leaf of the page
 * map for each 16 GiB in which it reserved a region, a table of the mappings there were. */
static size_t tables_slack(void) {
    size_t slack =
        sim_account.contended * PAGE_BYTES + (run.program->threads - 1) * run.best->thread_bytes;
    unsigned leaves = sim_account.reservations_made < 4 ? sim_account.reservations_made : 4;
    slack += leaves * ((size_t)16 << 10);
    size_t table = 16;
    while (table < (size_t)sim_account.mappings_max * 32)
        table *= 2;
    return slack + (table > PAGE_BYTES ? table : PAGE_BYTES);
}

static void require_back(const char *what, size_t now, size_t at_best) {
    if (now > at_best)
        sim_break("baseline", "all is freed and trimmed, but %s: %zu, not %zu", what, now, at_best);
}

static void check_baseline(void) {
    struct sim_footprint end = sim_footprint(), b = run.best->footprint;
    size_t slack = tables_slack();
    trace_result("end: break %zu, committed %zu, mappings %zu; at best %zu, %zu, %zu + %zu\n",
                 end.break_bytes, end.committed_bytes, end.mapping_bytes, b.break_bytes,
                 b.committed_bytes, b.mapping_bytes, slack);
    require_back("bytes committed in reservations", end.committed_bytes, b.committed_bytes);
    require_back("bytes in mappings", end.mapping_bytes, b.mapping_bytes + slack);
    if (sim_account.foreign_brks > 0)
        return; /* the break's lower part cannot be given back */
    require_back("bytes below the break", end.break_bytes, b.break_bytes);
    require_back("dirty pages", sim_dirty_pages(), run.best->dirty_pages);
}

static void finish(void) {
    run.phase = "looking at all blocks";
    walk();
    run.phase = "freeing all blocks"; /* and looking at each before it goes */
    sim_injection(false);
    free_all(run.program->free_in_reverse);
    walk();
    run.phase = "trimming";
    target.trim(0);
    walk();
    run.phase = "everything freed and trimmed";
    if (!target.simulated)
        return;
    before_call();
    do_mallinfo(NULL);
    trace_result("\n");
    if (!run.leaked)
        check_baseline();
    sim_check_memory();
}

/* ---- threads -------------------------------------------------------------------------------- */

/* The threads of a program are those of its process: the first one lives on to the end, the others
 * end when they have nothing left to do. */
static void thread_body(unsigned thread) {
    struct actor *a = &run.actor[thread];
    while (a->next < run.program->ops) {
        const struct op *op = &run.program->op[a->next++];
        if (op->thread != thread || sched_is_done((unsigned)(op - run.program->op)))
            continue;
        step(op);
        if (run.walk_every != 0 && run.operations % run.walk_every == 0)
            run.walk_due = true;
        walk_if_due();
    }
    if (thread == 0) {
        sched_join();
        finish();
        return;
    }
    a->ends = true;
    sim_thread_exit();
    a->ends = false;
    require_no_lock();
}

/* The process goes on as a child that does not have this thread. A block it was allocating,
 * freeing or resizing is nobody's; the other operations leave their block as it is. */
static void thread_abandoned(unsigned thread) {
    run.leaked = true;
    run.actor[thread] = (struct actor){.op = NULL};
}

static void run_threads(void) {
    const struct program *p = run.program;
    sched_on_switch = run.options.trace != NULL ? trace_switch : NULL;
    sim_on_unlocked = walk_if_due;
    sched_run(&(struct sched_program){.threads = p->threads,
                                      .operations = p->ops,
                                      .pct = p->pct,
                                      .meetings = p->meetings,
                                      .preemption = p->preemption,
                                      .preemptions = p->preemptions,
                                      .body = thread_body,
                                      .abandoned = thread_abandoned});
    sim_on_unlocked = NULL;
    note(sched_hash());
}

/* One thread, in the context of the caller. */
static void run_alone(void) {
    for (unsigned i = 0; i < run.program->ops; i++) {
        step(&run.program->op[i]);
        run.phase = "between operations";
        if (run.walk_every != 0 && i % run.walk_every == run.walk_every - 1)
            walk_by(target.check_unlocked);
    }
    finish();
}

struct exec_result exec_run(const struct program *p, const struct exec_options *options) {
    static const struct baseline none;
    run.program = p;
    run.options = *options;
    run.best = target.simulated ? baseline(p) : &none;
    memset(run.actor, 0, sizeof run.actor);
    run.phase = "starting";
    run.hash = 0xcbf29ce484222325u;
    run.operations = 0;
    run.walk_every = options->walk_every < 0 ? p->walk_every : (unsigned)options->walk_every;
    run.walk_due = run.leaked = false;
    run.tracing = 0;
    sim_on_break = print_where;
    model_reset(&run.model, target.simulated);
    sim_shows = target.shows;
    if (target.simulated)
        sim_reset(&p->world);
    if (target.start != NULL)
        target.start();
    if (p->threads > 1 && target.simulated)
        run_threads();
    else
        run_alone();
    return (struct exec_result){.operations = run.operations, .hash = run.hash};
}
