/* ops_text.c: operations as readable lines and as a stand-alone C program.
 *
 * Both are functions of the decoded program alone. The C program repeats the model's checks in
 * their simplest form, so that what it finds can be shown to somebody without this harness.
 */
#include <inttypes.h>
#include <malloc.h>
#include <string.h>

#include "ops.h"

static const char *const calls[OP_CODES] = {
    [OP_MALLOC] = "malloc",
    [OP_CALLOC] = "calloc",
    [OP_REALLOC] = "realloc",
    [OP_REALLOCARRAY] = "reallocarray",
    [OP_ALIGNED_ALLOC] = "aligned_alloc",
    [OP_MEMALIGN] = "memalign",
    [OP_POSIX_MEMALIGN] = "posix_memalign",
    [OP_VALLOC] = "valloc",
    [OP_PVALLOC] = "pvalloc",
    [OP_FREE] = "free",
    [OP_FREE_SIZED] = "free_sized",
    [OP_FREE_ALIGNED_SIZED] = "free_aligned_sized",
    [OP_USABLE_SIZE] = "malloc_usable_size",
    [OP_WRITE] = "write",
    [OP_MALLOPT] = "mallopt",
    [OP_TRIM] = "malloc_trim",
    [OP_MALLINFO] = "mallinfo2",
    [OP_MALLOC_INFO] = "malloc_info",
    [OP_MALLOC_STATS] = "malloc_stats",
    [OP_MUST_FAIL] = "must fail",
    [OP_CHECK] = "walk",
    [OP_CLOCK] = "time passes",
    [OP_FOREIGN_BRK] = "another user of brk takes",
    [OP_THREAD_END] = "thread ends, going on in",
    [OP_FORK] = "fork, going on as the",
};

static const char *const failing[FAIL_KINDS] = {
    [FAIL_MALLOC] = "malloc beyond PTRDIFF_MAX",
    [FAIL_CALLOC_OVERFLOW] = "calloc whose product overflows",
    [FAIL_CALLOC_LARGE] = "calloc beyond PTRDIFF_MAX",
    [FAIL_REALLOC] = "realloc beyond PTRDIFF_MAX",
    [FAIL_REALLOC_NULL] = "realloc of NULL beyond PTRDIFF_MAX",
    [FAIL_REALLOCARRAY] = "reallocarray whose product overflows",
    [FAIL_ALIGNED_ALLOC] = "aligned_alloc with a bad alignment",
    [FAIL_ALIGNED_ALLOC_SIZE] = "aligned_alloc beyond PTRDIFF_MAX",
    [FAIL_POSIX_MEMALIGN] = "posix_memalign with a bad alignment",
    [FAIL_POSIX_MEMALIGN_SIZE] = "posix_memalign beyond PTRDIFF_MAX",
    [FAIL_MEMALIGN] = "memalign with an alignment no power of two reaches",
    [FAIL_MEMALIGN_SIZE] = "memalign beyond PTRDIFF_MAX",
    [FAIL_MEMALIGN_HUGE] = "memalign with an alignment nothing has room for",
    [FAIL_VALLOC] = "valloc beyond PTRDIFF_MAX",
    [FAIL_PVALLOC] = "pvalloc beyond PTRDIFF_MAX",
    [FAIL_MALLOC_INFO] = "malloc_info with options",
};

static const char *parameter_name(int parameter) {
    static const char *const names[] = {
        "M_ARENA_MAX", "M_ARENA_TEST",     "M_PERTURB", "M_CHECK_ACTION",
        "M_MMAP_MAX",  "M_MMAP_THRESHOLD", "M_TOP_PAD", "M_TRIM_THRESHOLD",
        NULL,          "M_MXFAST",
    };
    return parameter < M_ARENA_MAX || parameter > M_MXFAST ? NULL : names[parameter - M_ARENA_MAX];
}

static void print_parameter(FILE *out, int parameter) {
    const char *name = parameter_name(parameter);
    if (name != NULL)
        fprintf(out, "%s", name);
    else
        fprintf(out, "%d", parameter);
}

/* ---- the trace ------------------------------------------------------------------------------ */

static void print_slot(FILE *out, const struct op *op) {
    if (op->slot == NO_SLOT)
        fprintf(out, "NULL");
    else
        fprintf(out, "p%u", op->slot);
}

void op_print(FILE *out, const struct op *op) {
    const char *call = calls[op->code];
    switch (op->code) {
    case OP_MALLOC:
    case OP_VALLOC:
    case OP_PVALLOC:
        fprintf(out, "p%u = %s(%zu)", op->slot, call, op->size);
        break;
    case OP_CALLOC:
        fprintf(out, "p%u = %s(%zu, %zu)", op->slot, call, op->count, op->size);
        break;
    case OP_REALLOC:
        fprintf(out, "p%u = %s(p%u, %zu)", op->slot, call, op->slot, op->size);
        break;
    case OP_REALLOCARRAY:
        fprintf(out, "p%u = %s(p%u, %zu, %zu)", op->slot, call, op->slot, op->count, op->size);
        break;
    case OP_ALIGNED_ALLOC:
    case OP_MEMALIGN:
        fprintf(out, "p%u = %s(%zu, %zu)", op->slot, call, op->alignment, op->size);
        break;
    case OP_POSIX_MEMALIGN:
        fprintf(out, "%s(&p%u, %zu, %zu)", call, op->slot, op->alignment, op->size);
        break;
    case OP_MALLOPT:
        fprintf(out, "%s(", call);
        print_parameter(out, op->parameter);
        fprintf(out, ", %d)", op->value);
        break;
    case OP_TRIM:
        fprintf(out, "%s(%zu)", call, op->size);
        break;
    case OP_MUST_FAIL:
        fprintf(out, "%s: %s (%zu, %zu)", call, failing[op->variant], op->size, op->alignment);
        break;
    case OP_CLOCK:
        fprintf(out, "%s: %zu ns", call, op->size);
        break;
    case OP_FOREIGN_BRK:
        fprintf(out, "%s %zu bytes", call, op->size);
        break;
    case OP_FORK:
        fprintf(out, "%s %s", call, op->variant != 0 ? "child" : "parent");
        break;
    case OP_THREAD_END:
        fprintf(out, "%s %s", call, op->variant != 0 ? "another" : "its destructors");
        break;
    case OP_FREE:
    case OP_FREE_SIZED:
    case OP_FREE_ALIGNED_SIZED:
    case OP_USABLE_SIZE:
    case OP_WRITE:
        fprintf(out, "%s(", call);
        print_slot(out, op);
        fprintf(out, ")");
        break;
    default:
        fprintf(out, "%s", call);
    }
}

static const char *const services[SIM_CALLS] = {"brk",   "map",     "reserve",  "commit", "purge",
                                                "remap", "trylock", "brk race", "signal"};

void world_print(FILE *out, const struct program *p) {
    const struct sim_config *w = &p->world;
    fprintf(out,
            "world: seed %" PRIu64 ", %u processors, memory limit %zu MiB, %s pages, %s%s"
            "walker every %u",
            w->seed, w->cpus, w->limit_bytes >> 20, w->guarded ? "guarded" : "ordinary",
            w->gap_pages > 0 ? "gaps between mappings, " : "",
            w->remap_moves ? "mremap moves, " : "", p->walk_every);
    if (p->threads > 1 && p->pct == 0)
        fprintf(out, ", %u threads in order but for %u preemptions", p->threads, p->preemptions);
    if (p->threads > 1 && p->pct != 0)
        fprintf(out, ", %u threads by %s of seed %u, %u preemptions", p->threads,
                p->meetings ? "meetings" : "priorities", p->pct, p->preemptions);
    for (const struct sim_environment *e = w->environment; e != NULL && e->name != NULL; e++)
        fprintf(out, ", %s=%s", e->name, e->value);
    for (unsigned i = 0; i < SIM_FAILURES; i++) {
        const struct sim_failure *f = &w->failure[i];
        if (f->count == UINT32_MAX)
            fprintf(out, ", %s faults from call %u on", services[f->call], f->first);
        else if (f->count > 0)
            fprintf(out, ", %s faults at calls %u to %u", services[f->call], f->first,
                    f->first + f->count - 1);
    }
    fprintf(out, "\n");
}

/* ---- the C program -------------------------------------------------------------------------- */

static const char prologue[] =
    "#include <errno.h>\n"
    "#include <malloc.h>\n"
    "#include <pthread.h>\n"
    "#include <stdint.h>\n"
    "#include <stdio.h>\n"
    "#include <stdlib.h>\n"
    "#include <string.h>\n"
    "\n"
    "#include \"chunkproof.h\"\n"
    "#ifdef CP_SIM\n"
    "#include \"cache.h\"\n"
    "#include \"mapped.h\"\n"
    "#include \"pagemap.h\"\n"
    "#include \"process.h\"\n"
    "#include \"sim/sched.h\"\n"
    "#include \"sim/sim.h\"\n"
    "#endif\n"
    "\n"
    "static unsigned char *p[256]; /* blocks, as large and as aligned as asked for */\n"
    "static size_t n[256], a[256];\n"
    "\n"
    "static inline void fail(const char *what, int s) {\n"
    "    fprintf(stderr, \"p[%d] = %p: %s\\n\", s, s < 0 ? NULL : (void *)p[s], what);\n"
    "    abort();\n"
    "}\n"
    "static inline unsigned char byte(int s, size_t i) {\n"
    "    return (unsigned char)((size_t)s * 37 + i * 11 + 1);\n"
    "}\n"
    "static inline void look(int s) {\n"
    "    for (size_t i = 0; p[s] != NULL && i < n[s]; i++)\n"
    "        if (p[s][i] != byte(s, i))\n"
    "            fail(\"contents changed\", s);\n"
    "}\n"
    "static inline void fill(int s) {\n"
    "    for (size_t i = 0; p[s] != NULL && i < n[s]; i++)\n"
    "        p[s][i] = byte(s, i);\n"
    "}\n"
    "static inline void got(int s, size_t size, size_t alignment) {\n"
    "    n[s] = size;\n"
    "    a[s] = alignment;\n"
    "    if (p[s] == NULL)\n"
    "        return;\n"
    "    if (cp_malloc_usable_size(p[s]) < size)\n"
    "        fail(\"usable size is too small\", s);\n"
    "    if ((uintptr_t)p[s] % (alignment > 16 ? alignment : 16) != 0)\n"
    "        fail(\"not aligned\", s);\n"
    "    for (int i = 0; i < 256; i++)\n"
    "        if (i != s && p[i] != NULL && p[i] < p[s] + n[s] && p[s] < p[i] + n[i])\n"
    "            fail(\"overlaps another block\", s);\n"
    "    fill(s);\n"
    "}\n"
    "static inline void zeroed(int s, size_t size) {\n"
    "    for (size_t i = 0; p[s] != NULL && i < size; i++)\n"
    "        if (p[s][i] != 0)\n"
    "            fail(\"not zero\", s);\n"
    "    got(s, size, 0);\n"
    "}\n"
    "static inline void resized(int s, void *q, size_t size) {\n"
    "    if (q == NULL && size != 0)\n"
    "        return;\n"
    "    size_t old = n[s];\n"
    "    p[s] = q;\n"
    "    n[s] = old < size ? old : size;\n"
    "    look(s);\n"
    "    got(s, size, 0);\n"
    "}\n"
    "static inline void *taken(int s) {\n"
    "    look(s);\n"
    "    void *q = p[s];\n"
    "    p[s] = NULL;\n"
    "    return q;\n"
    "}\n"
    "static inline void *posix(size_t alignment, size_t size) {\n"
    "    void *q = NULL;\n"
    "    return cp_posix_memalign(&q, alignment, size) == 0 ? q : NULL;\n"
    "}\n"
    "static inline void must_fail(const void *q, int s) {\n"
    "    if (q != NULL)\n"
    "        fail(\"a call that must fail did not\", s);\n"
    "}\n"
    "static inline void walk(void) {\n"
    "    struct cp_breach breach;\n"
    "    if (cp_check(&breach))\n"
    "        return;\n"
    "    cp_check_print(&breach);\n"
    "    fail(cp_invariant_name(breach.invariant), -1);\n"
    "}\n"
    "#ifdef CP_SIM\n"
    "static bool shows(const void *byte) {\n"
    "    uintptr_t address = (uintptr_t)byte;\n"
    "    return arena_break_holds(address) || pagemap_holds(address) ||\n"
    "           mapped_containing(byte) != NULL;\n"
    "}\n"
    "#endif\n"
    "static inline void walk_unnoticed(void) {\n"
    "#ifdef CP_SIM\n"
    "    if (sim_locks_held_by_all() != 0)\n"
    "        return;\n"
    "    sched_hold(true);\n"
    "    walk();\n"
    "    sched_hold(false);\n"
    "#else\n"
    "    walk();\n"
    "#endif\n"
    "}\n"
    "\n";

static void print_world_c(FILE *out, const struct program *p) {
    const struct sim_config *w = &p->world;
    fprintf(out, "#ifdef CP_SIM\n    static const struct sim_environment environment[] = {");
    for (const struct sim_environment *e = w->environment; e != NULL && e->name != NULL; e++)
        fprintf(out, "{\"%s\", \"%s\"}, ", e->name, e->value);
    fprintf(out,
            "{NULL, NULL}};\n    const struct sim_config world = {\n"
            "        .seed = %" PRIu64 ", .guarded = %d, .remap_moves = %d, .gap_pages = %u,\n"
            "        .cpus = %u, .limit_bytes = %zu, .environment = environment,\n"
            "        .failure = {",
            w->seed, w->guarded, w->remap_moves, w->gap_pages, w->cpus, w->limit_bytes);
    for (unsigned i = 0; i < SIM_FAILURES; i++)
        fprintf(out, "{%u, %u, %u}%s", (unsigned)w->failure[i].call, w->failure[i].first,
                w->failure[i].count, i + 1 < SIM_FAILURES ? ", " : "},\n    };\n");
    fprintf(out, "    sim_shows = shows;\n    sim_reset(&world);\n    allocator_start();\n#else\n");
    for (const struct sim_environment *e = w->environment; e != NULL && e->name != NULL; e++)
        fprintf(out, "    /* run with %s=%s */\n", e->name, e->value);
    fprintf(out, "#endif\n");
}

static const char *bad_alignment_c(size_t choice, bool small_too) {
    static const char *const bad[] = {"0",     "3",        "24",          "48", "12", "4097",
                                      "65535", "SIZE_MAX", "PTRDIFF_MAX", "1",  "2",  "4"};
    return bad[choice % (small_too ? 12 : 9)];
}

/* The hopeless size of a call, as exec.c makes it. */
static void print_huge_c(char *text, size_t bytes, const struct op *op, bool near) {
    snprintf(text, bytes, near ? "SIZE_MAX - %zu" : "(size_t)PTRDIFF_MAX + 1 + %zu", op->size);
}

static void print_fail_allocation_c(FILE *out, const struct op *op) {
    char huge[64];
    print_huge_c(huge, sizeof huge, op, op->alignment & 1 && op->variant != FAIL_CALLOC_LARGE);
    switch ((enum must_fail)op->variant) {
    case FAIL_MALLOC:
        fprintf(out, "must_fail(cp_malloc(%s), -1);", huge);
        break;
    case FAIL_CALLOC_OVERFLOW:
        fprintf(out, "must_fail(cp_calloc(SIZE_MAX / 2 + %zu, %zu), -1);", op->size,
                2 + op->alignment);
        break;
    case FAIL_CALLOC_LARGE:
        fprintf(out, "must_fail(cp_calloc((%s) / 16 + 1, 16), -1);", huge);
        break;
    case FAIL_VALLOC:
        fprintf(out, "must_fail(cp_valloc(%s), -1);", huge);
        break;
    case FAIL_PVALLOC:
        fprintf(out, "must_fail(cp_pvalloc(%s), -1);", huge);
        break;
    default: /* FAIL_MALLOC_INFO */
        fprintf(out, "if (cp_malloc_info(%zu, stderr) != EINVAL) fail(\"not EINVAL\", -1);",
                1 + op->size);
    }
}

static void print_fail_resize_c(FILE *out, const struct op *op) {
    char huge[64], block[16] = "NULL";
    int s = op->slot == NO_SLOT ? -1 : op->slot;
    print_huge_c(huge, sizeof huge, op, op->alignment & 1);
    if (s >= 0)
        snprintf(block, sizeof block, "p[%d]", s);
    if (op->variant == FAIL_REALLOCARRAY)
        fprintf(out, "must_fail(cp_reallocarray(%s, SIZE_MAX / 4 + 1 + %zu, %zu), %d);", block,
                op->size, 4 + op->alignment, s);
    else
        fprintf(out, "must_fail(cp_realloc(%s, %s), %d);", block, huge, s);
}

static void print_fail_aligned_c(FILE *out, const struct op *op) {
    char huge[64];
    print_huge_c(huge, sizeof huge, op, op->size & 1 && op->variant == FAIL_MEMALIGN_SIZE);
    switch ((enum must_fail)op->variant) {
    case FAIL_ALIGNED_ALLOC:
        fprintf(out, "must_fail(cp_aligned_alloc(%s, %zu), -1);",
                bad_alignment_c(op->alignment, false), op->size);
        break;
    case FAIL_ALIGNED_ALLOC_SIZE:
        fprintf(out, "must_fail(cp_aligned_alloc((size_t)1 << %zu, %s), -1);", op->alignment % 63,
                huge);
        break;
    case FAIL_POSIX_MEMALIGN:
        fprintf(out, "if (cp_posix_memalign(&out, %s, %zu) != EINVAL) fail(\"not EINVAL\", -1);",
                bad_alignment_c(op->alignment, true), op->size);
        break;
    case FAIL_POSIX_MEMALIGN_SIZE:
        fprintf(out,
                "if (cp_posix_memalign(&out, (size_t)8 << %zu, %s) != ENOMEM) "
                "fail(\"not ENOMEM\", -1);",
                op->alignment % 60, huge);
        break;
    case FAIL_MEMALIGN:
        fprintf(out, "must_fail(cp_memalign(SIZE_MAX / 2 + 2 + %zu, %zu), -1);", op->size,
                op->alignment);
        break;
    case FAIL_MEMALIGN_SIZE:
        fprintf(out, "must_fail(cp_memalign((size_t)1 << %zu, %s), -1);", op->alignment % 63, huge);
        break;
    default: /* FAIL_MEMALIGN_HUGE */
        fprintf(out, "must_fail(cp_memalign((size_t)1 << %zu, %zu), -1);", 40 + op->alignment % 24,
                op->size + 1);
    }
}

static void print_must_fail_c(FILE *out, const struct op *op) {
    switch ((enum must_fail)op->variant) {
    case FAIL_REALLOC:
    case FAIL_REALLOC_NULL:
    case FAIL_REALLOCARRAY:
        print_fail_resize_c(out, op);
        break;
    case FAIL_MALLOC:
    case FAIL_CALLOC_OVERFLOW:
    case FAIL_CALLOC_LARGE:
    case FAIL_VALLOC:
    case FAIL_PVALLOC:
    case FAIL_MALLOC_INFO:
        print_fail_allocation_c(out, op);
        break;
    default:
        print_fail_aligned_c(out, op);
    }
}

/* What only the simulated world has: call(argument). */
static void print_sim_c(FILE *out, const char *call, size_t argument) {
    fprintf(out, "\n#ifdef CP_SIM\n    %s(%zu);\n#endif", call, argument);
}

static size_t power_of_two(size_t n) {
    size_t power = 1;
    while (power < n)
        power *= 2;
    return power;
}

static void print_free_c(FILE *out, const struct op *op) {
    unsigned s = op->slot;
    if (s == NO_SLOT)
        fprintf(out, "cp_free(NULL);");
    else if (op->code == OP_FREE)
        fprintf(out, "cp_free(taken(%u));", s);
    else if (op->code == OP_FREE_SIZED)
        fprintf(out,
                "if (a[%u] == 0) cp_free_sized(taken(%u), n[%u]);"
                " else cp_free_aligned_sized(taken(%u), a[%u], n[%u]);",
                s, s, s, s, s, s);
    else
        fprintf(out,
                "if (a[%u] == 0) cp_free(taken(%u));"
                " else cp_free_aligned_sized(taken(%u), a[%u], n[%u]);",
                s, s, s, s, s);
}

static void print_resize_c(FILE *out, const struct op *op) {
    unsigned s = op->slot;
    if (op->code == OP_REALLOC)
        fprintf(out, "look(%u); resized(%u, cp_realloc(p[%u], %zu), %zu);", s, s, s, op->size,
                op->size);
    else
        fprintf(out, "look(%u); resized(%u, cp_reallocarray(p[%u], %zu, %zu), %zu);", s, s, s,
                op->count, op->size, op->count * op->size);
}

static void print_allocation_c(FILE *out, const struct op *op) {
    unsigned s = op->slot;
    switch (op->code) {
    case OP_MALLOC:
        fprintf(out, "p[%u] = cp_malloc(%zu); got(%u, %zu, 0);", s, op->size, s, op->size);
        break;
    case OP_VALLOC:
        fprintf(out, "p[%u] = cp_valloc(%zu); got(%u, %zu, 4096);", s, op->size, s, op->size);
        break;
    case OP_PVALLOC:
        fprintf(out, "p[%u] = cp_pvalloc(%zu); got(%u, %zu, 4096);", s, op->size, s,
                (op->size + 4095) & ~(size_t)4095);
        break;
    case OP_CALLOC:
        fprintf(out, "p[%u] = cp_calloc(%zu, %zu); zeroed(%u, %zu);", s, op->count, op->size, s,
                op->count * op->size);
        break;
    case OP_POSIX_MEMALIGN:
        fprintf(out, "p[%u] = posix(%zu, %zu); got(%u, %zu, %zu);", s, op->alignment, op->size, s,
                op->size, op->alignment);
        break;
    default: /* OP_ALIGNED_ALLOC, OP_MEMALIGN */
        fprintf(out, "p[%u] = cp_%s(%zu, %zu); got(%u, %zu, %zu);", s, calls[op->code],
                op->alignment, op->size, s, op->size, power_of_two(op->alignment));
    }
}

static void print_mallopt_c(FILE *out, const struct op *op) {
    fprintf(out, "cp_mallopt(");
    print_parameter(out, op->parameter);
    fprintf(out, ", %d);", op->value);
}

/* What happens to the process, not to a block. */
static void print_process_c(FILE *out, const struct op *op) {
    switch (op->code) {
    case OP_MALLOPT:
        print_mallopt_c(out, op);
        break;
    case OP_TRIM:
        fprintf(out, "cp_malloc_trim(%zu);", op->size);
        break;
    case OP_MALLINFO:
        fprintf(out, "(void)cp_mallinfo2();");
        break;
    case OP_MALLOC_INFO:
        fprintf(out, "cp_malloc_info(0, stderr);");
        break;
    case OP_MALLOC_STATS:
        fprintf(out, "cp_malloc_stats();");
        break;
    case OP_CHECK:
        fprintf(out, "walk();");
        break;
    case OP_CLOCK:
        print_sim_c(out, "sim_clock_advance", op->size);
        break;
    case OP_FOREIGN_BRK:
        fprintf(
            out,
            "\n#ifdef CP_SIM\n    if (sim_locks_held_by_all() == 0) sim_foreign_brk(%zu);\n#endif",
            op->size);
        break;
    case OP_THREAD_END:
        fprintf(out, "\n#ifdef CP_SIM\n    sim_thread_exit();%s\n#endif",
                op->variant != 0 ? " cache_self = &cache_none;" : "");
        break;
    default: /* OP_FORK */
        print_sim_c(out, "sim_fork", op->variant);
    }
}

static void op_print_c(FILE *out, const struct op *op) {
    unsigned s = op->slot;
    switch (op->code) {
    case OP_MALLOC:
    case OP_CALLOC:
    case OP_ALIGNED_ALLOC:
    case OP_MEMALIGN:
    case OP_POSIX_MEMALIGN:
    case OP_VALLOC:
    case OP_PVALLOC:
        print_allocation_c(out, op);
        break;
    case OP_REALLOC:
    case OP_REALLOCARRAY:
        print_resize_c(out, op);
        break;
    case OP_FREE:
    case OP_FREE_SIZED:
    case OP_FREE_ALIGNED_SIZED:
        print_free_c(out, op);
        break;
    case OP_USABLE_SIZE:
        if (s == NO_SLOT)
            fprintf(out, "(void)cp_malloc_usable_size(NULL);");
        else
            fprintf(out, "(void)cp_malloc_usable_size(p[%u]);", s);
        break;
    case OP_WRITE:
        if (s != NO_SLOT)
            fprintf(out, "look(%u); fill(%u);", s, s);
        break;
    case OP_MUST_FAIL:
        print_must_fail_c(out, op);
        break;
    default:
        print_process_c(out, op);
    }
}

/* ---- its threads ---------------------------------------------------------------------------- */

/* In the simulated world the schedule is the input's; on the real system each thread performs its
 * operations in the program's order, one at a time. */
static const char threads_c[] = "#ifdef CP_SIM\n"
                                "static void thread_body(unsigned t) {\n"
                                "    for (unsigned i = 0; i < OPERATIONS; i++) {\n"
                                "        if (order[i].thread != t || sched_is_done(i))\n"
                                "            continue;\n"
                                "        sched_begin(i, order[i].first, order[i].after);\n"
                                "        operation(i);\n"
                                "        sched_done(i);\n"
                                "    }\n"
                                "    if (t == 0) {\n"
                                "        sched_join();\n"
                                "        finish();\n"
                                "    } else {\n"
                                "        sim_thread_exit();\n"
                                "    }\n"
                                "}\n"
                                "static void thread_abandoned(unsigned t) { (void)t; }\n"
                                "#else\n"
                                "static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;\n"
                                "static pthread_cond_t moved = PTHREAD_COND_INITIALIZER;\n"
                                "static unsigned turn;\n"
                                "static void *thread_body(void *argument) {\n"
                                "    unsigned t = (unsigned)(uintptr_t)argument;\n"
                                "    for (unsigned i = 0; i < OPERATIONS; i++) {\n"
                                "        if (order[i].thread != t)\n"
                                "            continue;\n"
                                "        pthread_mutex_lock(&mutex);\n"
                                "        while (turn != i)\n"
                                "            pthread_cond_wait(&moved, &mutex);\n"
                                "        operation(i);\n"
                                "        turn++;\n"
                                "        pthread_cond_broadcast(&moved);\n"
                                "        pthread_mutex_unlock(&mutex);\n"
                                "    }\n"
                                "    return NULL;\n"
                                "}\n"
                                "#endif\n";

static void print_order_c(FILE *out, const struct program *p) {
    fprintf(out, "enum { OPERATIONS = %u, THREADS = %u };\n", p->ops, p->threads);
    fprintf(out, "static const struct { unsigned char thread; unsigned short first, after; } "
                 "order[OPERATIONS + 1] = {\n");
    for (unsigned i = 0; i < p->ops; i++)
        fprintf(out, "    {%u, %u, %u},\n", p->op[i].thread, p->op[i].first, p->op[i].after);
    fprintf(out, "    {0, 0, 0}};\n");
}

static void print_run_threads_c(FILE *out, const struct program *p) {
    fprintf(out, "#ifdef CP_SIM\n    static const struct sched_preemption preemption[] = {");
    for (unsigned i = 0; i < p->preemptions; i++) {
        const struct sched_preemption *e = &p->preemption[i];
        fprintf(out, "{%u, %u, %u, %u}, ", e->op, e->point, e->thread, e->runs);
    }
    fprintf(
        out,
        "{0, 0, 0, 0}};\n"
        "    sched_run(&(struct sched_program){.threads = THREADS, .operations = OPERATIONS,\n"
        "        .pct = %u, .meetings = %d, .preemption = preemption, .preemptions = %u,\n"
        "        .body = thread_body, .abandoned = thread_abandoned});\n"
        "#else\n"
        "    pthread_t threads[THREADS];\n"
        "    for (unsigned t = 1; t < THREADS; t++)\n"
        "        if (pthread_create(&threads[t], NULL, thread_body, (void *)(uintptr_t)t) != 0)\n"
        "            fail(\"pthread_create\", -1);\n"
        "    thread_body(NULL);\n"
        "    for (unsigned t = 1; t < THREADS; t++)\n"
        "        pthread_join(threads[t], NULL);\n"
        "    finish();\n"
        "#endif\n",
        p->pct, p->meetings, p->preemptions);
}

/* ---- the whole of it ------------------------------------------------------------------------ */

static void print_operations_c(FILE *out, const struct program *p) {
    bool threads = p->threads > 1;
    for (unsigned i = 0; i < p->ops; i++) {
        if (threads)
            fprintf(out, "    case %u:\n", i);
        fprintf(out, "    ");
        op_print_c(out, &p->op[i]);
        fprintf(out, "\n");
        if (p->walk_every != 0 && i % p->walk_every == p->walk_every - 1)
            fprintf(out, threads ? "    walk_unnoticed();\n" : "    walk();\n");
        if (threads)
            fprintf(out, "    break;\n");
    }
}

static void print_finish_c(FILE *out, const struct program *p) {
    fprintf(out,
            "static void finish(void) {\n"
            "    walk();\n"
            "    for (int s = 0; s < 256; s++)\n"
            "        cp_free(taken(%s));\n"
            "    walk();\n"
            "    cp_malloc_trim(0);\n"
            "    walk();\n"
            "}\n\n",
            p->free_in_reverse ? "255 - s" : "s");
}

static void print_main_c(FILE *out, const struct program *p) {
    fprintf(out, "int main(void) {\n    void *out = NULL;\n    (void)out;\n");
    print_world_c(out, p);
    if (p->threads > 1) {
        print_run_threads_c(out, p);
    } else {
        fprintf(out, "\n");
        print_operations_c(out, p);
        fprintf(out, "    finish();\n");
    }
    fprintf(out, "    return 0;\n}\n");
}

void program_print_c(FILE *out, const struct program *p, const char *name) {
    fprintf(out,
            "/* Made from fuzz input %s.\n"
            " *\n"
            " * On the real system:\n"
            " *   cc -Icore THIS.c build/libchunkproof.a -lpthread -o repro\n"
            " * In the simulated world, with its failures, addresses and schedule:\n"
            " *   cc -D_GNU_SOURCE -DCP_SIM -Icore -Ifuzz -include fuzz/sim/thread_words.h \\\n"
            " *      -include fuzz/sim/atomic_points.h THIS.c \\\n"
            " *      fuzz/states.c $(ls fuzz/sim/[a-z]*.c | grep -v pthread) \\\n"
            " *      $(ls core/[a-z]*.c | grep -v -e _linux.c -e /malloc.c) -o repro\n"
            " * ",
            name);
    world_print(out, p);
    fprintf(out, " */\n%s", prologue);
    print_finish_c(out, p);
    if (p->threads > 1) {
        fprintf(out, "static void operation(unsigned number) {\n    void *out = NULL;\n"
                     "    (void)out;\n    switch (number) {\n");
        print_operations_c(out, p);
        fprintf(out, "    }\n}\n\n");
        print_order_c(out, p);
        fprintf(out, "%s\n", threads_c);
    }
    print_main_c(out, p);
}
