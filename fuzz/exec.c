/* exec.c: see exec.h. One run at a time; its state stands in `run`, for sim_break to print. */
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

static struct {
    const struct program *program;
    struct exec_options options;
    struct model model;
    const struct op *op; /* running, or NULL: between operations */
    const char *phase;
    uint64_t hash;
    uint64_t operations;
    uint64_t failures_before; /* of the system, when the running call began */
    FILE *info;
    char info_text[INFO_BYTES];
} run;

/* ---- failing -------------------------------------------------------------------------------- */

static void print_where(void) {
    if (run.op == NULL) {
        fprintf(stderr, "fuzz: while: %s\n", run.phase);
        return;
    }
    fprintf(stderr,
            "fuzz: at operation %u of %u, record %u: ", (unsigned)(run.op - run.program->op),
            run.program->ops, (unsigned)run.op->record);
    op_print(stderr, run.op);
    fprintf(stderr, "\n");
}

static void break_walker(const struct cp_breach *b) {
    sim_break("walker",
              "invariant %s: %s; region %p granule %u header %p words %08x %08x %08x %08x, "
              "found %#llx expected %#llx",
              cp_invariant_name(b->invariant), b->detail == NULL ? "" : b->detail, b->region,
              b->granule, b->header, b->words[0], b->words[1], b->words[2], b->words[3],
              (unsigned long long)b->found, (unsigned long long)b->expected);
}

static void walk(void) {
    struct cp_breach breach;
    memset(&breach, 0, sizeof breach);
    if (target.check != NULL && !target.check(&breach))
        break_walker(&breach);
}

/* ---- results -------------------------------------------------------------------------------- */

static void note(uint64_t value) { run.hash = (run.hash ^ value) * 0x100000001b3u; }

static void trace_result(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void trace_result(const char *format, ...) {
    if (run.options.trace == NULL)
        return;
    va_list arguments;
    va_start(arguments, format);
    vfprintf(run.options.trace, format, arguments);
    va_end(arguments);
}

static void before_call(void) {
    run.failures_before = sim_account.failures;
    errno = ERRNO_BEFORE;
}

/* A call returned NULL: errno says why, and there is a reason. */
static void require_enomem(void) {
    if (errno != ENOMEM)
        sim_break("errno", "failed with errno %d, not ENOMEM", errno);
    if (target.simulated && sim_account.failures == run.failures_before)
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

static void do_must_fail(const struct op *op) {
    size_t near = SIZE_MAX - op->size, large = (size_t)PTRDIFF_MAX + 1 + op->size;
    void *old = op->slot == NO_SLOT ? NULL : run.model.block[op->slot].start;
    switch ((enum must_fail)op->variant) {
    case FAIL_MALLOC:
        require_failed("malloc", target.malloc(op->alignment & 1 ? near : large), ENOMEM);
        break;
    case FAIL_CALLOC_OVERFLOW:
        require_failed("calloc", target.calloc(SIZE_MAX / 2 + op->size, 2 + op->alignment), ENOMEM);
        break;
    case FAIL_CALLOC_LARGE:
        require_failed("calloc", target.calloc(large / 16 + 1, 16), ENOMEM);
        break;
    case FAIL_REALLOC:
    case FAIL_REALLOC_NULL:
        require_failed("realloc", target.realloc(old, op->alignment & 1 ? near : large), ENOMEM);
        break;
    case FAIL_REALLOCARRAY:
        require_failed("reallocarray",
                       target.reallocarray(old, SIZE_MAX / 4 + 1 + op->size, 4 + op->alignment),
                       ENOMEM);
        break;
    case FAIL_ALIGNED_ALLOC:
        require_failed("aligned_alloc",
                       target.aligned_alloc(bad_alignment(op->alignment, false), op->size), EINVAL);
        break;
    case FAIL_ALIGNED_ALLOC_SIZE:
        require_failed("aligned_alloc",
                       target.aligned_alloc((size_t)1 << op->alignment % 63, large), ENOMEM);
        break;
    case FAIL_POSIX_MEMALIGN:
        fail_posix_memalign(bad_alignment(op->alignment, true), op->size, EINVAL);
        break;
    case FAIL_POSIX_MEMALIGN_SIZE:
        fail_posix_memalign((size_t)8 << op->alignment % 60, large, ENOMEM);
        break;
    case FAIL_MEMALIGN:
        require_failed("memalign", target.memalign(SIZE_MAX / 2 + 2 + op->size, op->alignment),
                       EINVAL);
        break;
    case FAIL_MEMALIGN_SIZE:
        require_failed(
            "memalign",
            target.memalign((size_t)1 << op->alignment % 63, op->size & 1 ? near : large), ENOMEM);
        break;
    case FAIL_MEMALIGN_HUGE: /* a legal alignment, but nothing is that large */
        require_failed("memalign",
                       target.memalign((size_t)1 << (40 + op->alignment % 24), op->size + 1),
                       ENOMEM);
        break;
    case FAIL_VALLOC:
        require_failed("valloc", target.valloc(op->alignment & 1 ? near : large), ENOMEM);
        break;
    case FAIL_PVALLOC:
        require_failed("pvalloc", target.pvalloc(op->alignment & 1 ? near : large), ENOMEM);
        break;
    case FAIL_MALLOC_INFO:
        if (target.malloc_info(1 + (int)op->size, run.info) != EINVAL)
            sim_break("must-fail", "malloc_info with options did not return EINVAL");
        break;
    case FAIL_KINDS:
        break;
    }
    if (op->slot != NO_SLOT && old != NULL)
        model_look(&run.model, op->slot);
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
    if (i->uordblks < t.region_bytes || i->uordblks > t.region_bytes + CACHED_BYTES_MAX)
        sim_break("accounting", "uordblks is %zu, but live blocks in regions take %zu", i->uordblks,
                  t.region_bytes);
    if (i->arena + i->hblkhd > sim_account.accessible_bytes)
        sim_break("accounting", "arena %zu + hblkhd %zu is more than the system gave, %zu",
                  i->arena, i->hblkhd, sim_account.accessible_bytes);
    if (i->keepcost > i->fordblks || i->fsmblks > i->arena)
        sim_break("accounting", "keepcost %zu or fsmblks %zu out of range", i->keepcost,
                  i->fsmblks);
}

static void do_mallinfo(void) {
    struct cp_mallinfo i = target.mallinfo2();
    note(i.arena ^ i.uordblks << 20 ^ i.hblkhd << 40);
    trace_result("= arena %zu uordblks %zu fordblks %zu ordblks %zu smblks %zu fsmblks %zu "
                 "hblks %zu hblkhd %zu keepcost %zu",
                 i.arena, i.uordblks, i.fordblks, i.ordblks, i.smblks, i.fsmblks, i.hblks, i.hblkhd,
                 i.keepcost);
    if (target.simulated)
        check_accounting(&i);
}

static void do_malloc_info(void) {
    if (target.malloc_info(0, run.info) != 0)
        sim_break("info", "malloc_info failed");
    fflush(run.info);
    long length = ftell(run.info);
    if (length <= 0 || length >= INFO_BYTES)
        return; /* cut off by our buffer */
    run.info_text[length] = '\0';
    if (strncmp(run.info_text, "<malloc", 7) != 0 || strstr(run.info_text, "</malloc>") == NULL)
        sim_break("info", "malloc_info wrote no <malloc> element: %.200s", run.info_text);
    trace_result("= %ld bytes", length);
}

/* ---- one operation -------------------------------------------------------------------------- */

static void do_foreign_brk(const struct op *op) {
    bool took = target.simulated && sim_foreign_brk(op->size);
    trace_result("= %s", took ? "taken" : "no room");
}

static void perform(const struct op *op) {
    switch (op->code) {
    case OP_MALLOC:
        settle_new(op, target.malloc(op->size), op->size, 0);
        break;
    case OP_CALLOC:
        do_calloc(op);
        break;
    case OP_REALLOC:
    case OP_REALLOCARRAY:
        do_realloc(op);
        break;
    case OP_ALIGNED_ALLOC:
        settle_new(op, target.aligned_alloc(op->alignment, op->size), op->size, op->alignment);
        break;
    case OP_MEMALIGN:
        settle_new(op, target.memalign(op->alignment, op->size), op->size,
                   next_power_of_two(op->alignment));
        break;
    case OP_POSIX_MEMALIGN:
        do_posix_memalign(op);
        break;
    case OP_VALLOC:
        settle_new(op, target.valloc(op->size), op->size, PAGE_BYTES);
        break;
    case OP_PVALLOC:
        do_pvalloc(op);
        break;
    case OP_FREE:
    case OP_FREE_SIZED:
    case OP_FREE_ALIGNED_SIZED:
        do_free(op);
        break;
    case OP_USABLE_SIZE:
        do_usable_size(op);
        break;
    case OP_WRITE:
        if (op->slot != NO_SLOT && run.model.block[op->slot].start != NULL) {
            model_look(&run.model, op->slot);
            model_write(&run.model, op->slot);
        }
        break;
    case OP_MALLOPT:
        do_mallopt(op);
        break;
    case OP_TRIM: {
        int trimmed = target.trim(op->size);
        note((uint64_t)trimmed);
        trace_result("= %d", trimmed);
        break;
    }
    case OP_MALLINFO:
        do_mallinfo();
        break;
    case OP_MALLOC_INFO:
        rewind(run.info);
        do_malloc_info();
        break;
    case OP_MALLOC_STATS:
        target.malloc_stats();
        break;
    case OP_MUST_FAIL:
        rewind(run.info);
        before_call();
        do_must_fail(op);
        break;
    case OP_CHECK:
        walk();
        break;
    case OP_CLOCK:
        sim_clock_advance(op->size);
        break;
    case OP_FOREIGN_BRK:
        do_foreign_brk(op);
        break;
    case OP_THREAD_END:
        sim_thread_exit();
        if (op->variant != 0 && target.new_thread != NULL)
            target.new_thread();
        break;
    case OP_FORK:
        sim_fork(op->variant != 0);
        break;
    case OP_CODES:
        break;
    }
}

static void step(const struct op *op) {
    run.op = op;
    run.operations++;
    if (run.options.trace != NULL) {
        fprintf(run.options.trace, "%4u  ", (unsigned)(op - run.program->op));
        op_print(run.options.trace, op);
        fprintf(run.options.trace, " ");
        fflush(run.options.trace);
    }
    before_call();
    perform(op);
    trace_result("\n");
    if (target.simulated && sim_locks_held() != 0)
        sim_break("lock", "%u locks are still held after the call", sim_locks_held());
    if (run.options.look)
        model_look_around(&run.model, op->slot);
    run.op = NULL;
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
    *b = (struct baseline){true, sim_footprint(), sim_dirty_pages()};
    return b;
}

/* The core keeps its own tables for good: an arena it made under contention, a leaf of the page
 * map for each 16 GiB in which it reserved a region, a table of the mappings there were. */
static size_t tables_slack(void) {
    size_t slack = sim_account.failed[SIM_TRYLOCK] * PAGE_BYTES;
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

static void check_baseline(const struct baseline *best) {
    struct sim_footprint end = sim_footprint(), b = best->footprint;
    size_t slack = tables_slack();
    trace_result("end: break %zu, committed %zu, mappings %zu; at best %zu, %zu, %zu + %zu\n",
                 end.break_bytes, end.committed_bytes, end.mapping_bytes, b.break_bytes,
                 b.committed_bytes, b.mapping_bytes, slack);
    require_back("bytes committed in reservations", end.committed_bytes, b.committed_bytes);
    require_back("bytes in mappings", end.mapping_bytes, b.mapping_bytes + slack);
    if (sim_account.foreign_brks > 0)
        return; /* the break's lower part cannot be given back */
    require_back("bytes below the break", end.break_bytes, b.break_bytes);
    require_back("dirty pages", sim_dirty_pages(), best->dirty_pages);
}

static void finish(const struct baseline *best) {
    run.phase = "looking at all blocks";
    walk();
    model_look_everywhere(&run.model);
    run.phase = "freeing all blocks";
    sim_injection(false);
    free_all(run.program->free_in_reverse);
    walk();
    run.phase = "trimming";
    target.trim(0);
    walk();
    run.phase = "everything freed and trimmed";
    if (target.simulated) {
        do_mallinfo();
        trace_result("\n");
        check_baseline(best);
        sim_check_memory();
    }
}

struct exec_result exec_run(const struct program *p, const struct exec_options *options) {
    static const struct baseline none;
    const struct baseline *best = target.simulated ? baseline(p) : &none;
    if (run.info == NULL) {
        run.info = fmemopen(run.info_text, INFO_BYTES, "w");
        setvbuf(run.info, NULL, _IONBF, 0);
    }
    run.program = p;
    run.options = *options;
    run.op = NULL;
    run.phase = "starting";
    run.hash = 0xcbf29ce484222325u;
    run.operations = 0;
    sim_on_break = print_where;
    model_reset(&run.model, target.simulated);
    if (target.simulated)
        sim_reset(&p->world);
    if (target.start != NULL)
        target.start();
    unsigned every = options->walk_every < 0 ? p->walk_every : (unsigned)options->walk_every;
    for (unsigned i = 0; i < p->ops; i++) {
        step(&p->op[i]);
        run.phase = "between operations";
        if (every != 0 && i % every == every - 1)
            walk();
    }
    finish(best);
    return (struct exec_result){.operations = run.operations, .hash = run.hash};
}
