/* exhaust.c: every heap that a small region can reach, breadth first.
 *
 * From an empty region on, each heap found is built in memory and every operation it allows is
 * run on it. Of every outcome, heap_read() compares each word that matters and a model
 * (exhaust_ops.h) judges what was promised; the walker (check.c) looks at each heap once, as it was
 * built anew from its code, or with --walk at every outcome. Heaps not met before wait their turn.
 * They are kept as their whole codes (exhaust_heap.h), not as hashes, so none is taken for another.
 * The first breach found is one that the fewest operations reach.
 *
 * The core's files are the shipped ones; only two size borders are scaled down (exhaust.mk), so
 * that fast, unsorted, small and large bins all occur. Free pages are not given back: no chunk is
 * large enough to hold a page.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>

#include "../check.h"
#include "exhaust_ops.h"

enum exit_status { EXIT_SOUND, EXIT_BREACH, EXIT_USAGE, EXIT_INCOMPLETE };
enum { TICK_SECONDS = 5, WRONG_BYTES = 200, PATH_MAX_STEPS = 1000 };

/* ---- Options --------------------------------------------------------------------------------------- */

struct options_given {
    uint32_t granules, fast_max, align, fill, walk;
    uint32_t max_states, max_seconds;
};

static const struct {
    const char *name;
    size_t at;
    uint32_t least, most;
    const char *says;
} known[] = {
    {"--granules", offsetof(struct options_given, granules), CHUNK_MIN_GRANULES, GRANULES_MAX,
     "granules the region may grow to, heads and fence left out"},
    {"--fast", offsetof(struct options_given, fast_max), 0, FAST_MAX_GRANULES,
     "largest chunk that may go to a fast bin, in granules; 0: none"},
    {"--align", offsetof(struct options_given, align), 1, 16,
     "largest alignment asked for, in granules; 1: none"},
    {"--fill", offsetof(struct options_given, fill), 1, FILLINGS,
     "fillings of undefined memory to run each operation over; they must not matter"},
    {"--walk", offsetof(struct options_given, walk), 0, 1,
     "1: the walker looks at every outcome, not at every heap once"},
    {"--max-states", offsetof(struct options_given, max_states), 1, 200000000,
     "stop after so many heaps (about 48 bytes each are reserved)"},
    {"--max-seconds", offsetof(struct options_given, max_seconds), 1, 1000000,
     "stop after so many seconds of processor time"},
};
enum { KNOWN = sizeof known / sizeof known[0] };

static uint32_t *value_of(struct options_given *o, unsigned n) {
    return (uint32_t *)(void *)((char *)o + known[n].at);
}

static int usage(struct options_given *defaults, FILE *to) {
    fprintf(to,
            "usage: exhaust [--OPTION NUMBER]...\n\n"
            "Explores every heap that operations on a small region reach, and checks each.\n\n");
    for (unsigned n = 0; n < KNOWN; n++)
        fprintf(to, "  %-14s %s (%u)\n", known[n].name, known[n].says, *value_of(defaults, n));
    fprintf(to, "\nexit status: 0 every heap is sound, 1 a breach was found, 2 wrong usage,\n"
                "3 stopped at a limit before all heaps were seen, no breach so far\n");
    return to == stdout ? EXIT_SOUND : EXIT_USAGE;
}

static bool parse(int count, char **words, struct options_given *o) {
    for (int w = 1; w < count; w += 2) {
        unsigned n = 0;
        while (n < KNOWN && strcmp(words[w], known[n].name) != 0)
            n++;
        if (n == KNOWN || w + 1 == count) {
            fprintf(stderr, "exhaust: %s: %s\n", words[w],
                    n == KNOWN ? "no such option" : "needs a number");
            return false;
        }
        char *end;
        unsigned long value = strtoul(words[w + 1], &end, 10);
        if (*end != '\0' || end == words[w + 1] || value < known[n].least ||
            value > known[n].most) {
            fprintf(stderr, "exhaust: %s takes %u to %u\n", known[n].name, known[n].least,
                    known[n].most);
            return false;
        }
        *value_of(o, n) = (uint32_t)value;
    }
    return true;
}

/* ---- The heaps met so far -------------------------------------------------------------------------- */

struct store {
    struct heap_code *codes; /* in the order they were met */
    uint32_t *parents; /* the heap each was first reached from */
    uint32_t *slots; /* open hash table of numbers of codes, plus 1 */
    uint64_t mask; /* slots, less 1 */
    uint32_t count, max;
};

static void *reserve(size_t bytes) {
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                   -1, 0);
    if (p == MAP_FAILED) {
        fprintf(stderr, "exhaust: no %zu bytes of memory: give --max-states\n", bytes);
        exit(EXIT_USAGE);
    }
    madvise(p, bytes, MADV_HUGEPAGE);
    return p;
}

static void store_make(struct store *s, uint32_t max) {
    uint64_t slots = 1024;
    while (slots < (uint64_t)max * 3 / 2)
        slots *= 2;
    *s = (struct store){.mask = slots - 1, .max = max};
    s->codes = reserve(max * sizeof *s->codes);
    s->parents = reserve(max * sizeof *s->parents);
    s->slots = reserve(slots * sizeof *s->slots);
}

static uint64_t hash_of(const struct heap_code *code) {
    uint64_t words[sizeof *code / sizeof(uint64_t)], h = 0;
    memcpy(words, code, sizeof words);
    for (size_t n = 0; n < sizeof words / sizeof words[0]; n++) {
        h = (h ^ words[n]) * 0x9e3779b97f4a7c15u;
        h ^= h >> 32;
    }
    return h;
}

/* This heap is going to be looked up. */
static void store_expect(const struct store *s, const struct heap_code *code) {
    __builtin_prefetch(&s->slots[hash_of(code) & s->mask]);
}

/* Add a heap unless it is known. false: there is no room. */
static bool store_add(struct store *s, const struct heap_code *code, uint32_t parent) {
    uint64_t at = hash_of(code) & s->mask;
    for (; s->slots[at] != 0; at = (at + 1) & s->mask)
        if (memcmp(&s->codes[s->slots[at] - 1], code, sizeof *code) == 0)
            return true;
    if (s->count == s->max)
        return false;
    s->codes[s->count] = *code;
    s->parents[s->count] = parent;
    s->slots[at] = ++s->count;
    return true;
}

/* ---- The region, and faults in it ------------------------------------------------------------------ */

struct image {
    struct region region;
    struct granule cells[CELLS_MAX];
};

static struct {
    struct options_given options;
    struct limits limits;
    struct store store;
    struct region region; /* its cells lie between two pages that nothing may touch */
    struct filling fillings[FILLINGS];
    struct image images[FILLINGS]; /* the heap whose operations are run */
    struct op ops[OPS_MAX];
    struct heap_code after[OPS_MAX]; /* what they lead to */
    uint32_t current; /* operation that broke the heap */
    uint64_t transitions;
    uint32_t with[HOLDS_KINDS]; /* heaps that have such lists */
    uint32_t depth; /* operations that lead to the heap whose operations are run */
    char wrong[WRONG_BYTES];
} all;

static sigjmp_buf escape;
static volatile sig_atomic_t tick, running;

static void on_fault(int number) {
    if (!running)
        _exit(128 + number);
    siglongjmp(escape, number);
}

/* Processor time, so that a stopped process is not taken for one that hangs. */
static void on_tick(int number) {
    static uint64_t last;
    if (running && last == all.transitions && tick != 0)
        siglongjmp(escape, number);
    last = all.transitions;
    tick = 1;
}

static void catch_faults(void) {
    static const int faults[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};
    for (size_t n = 0; n < sizeof faults / sizeof faults[0]; n++)
        sigaction(faults[n], &(struct sigaction){.sa_handler = on_fault}, NULL);
    sigaction(SIGVTALRM, &(struct sigaction){.sa_handler = on_tick}, NULL);
    struct timeval each = {.tv_sec = TICK_SECONDS};
    setitimer(ITIMER_VIRTUAL, &(struct itimerval){each, each}, NULL);
}

static const char *fault_text(int number) {
    return number == SIGABRT     ? "the core reports a fault (see the line above)"
           : number == SIGVTALRM ? "the operation does not end"
           : number == SIGSEGV   ? "memory outside the region is touched"
                                 : "the operation ends by a signal";
}

static void region_place(struct region *r) {
    char *p = reserve(3 * (size_t)PAGE_BYTES);
    mprotect(p, PAGE_BYTES, PROT_NONE);
    mprotect(p + 2 * (size_t)PAGE_BYTES, PAGE_BYTES, PROT_NONE);
    _Static_assert(sizeof(struct granule[CELLS_MAX]) <= PAGE_BYTES, "the cells fill a page");
    r->g = (struct granule *)(void *)(p + PAGE_BYTES);
    r->key = (struct seal_key){.base = (uintptr_t)r->g / GRANULE_BYTES,
                               .secret = 0x1234567890abcdef,
                               .multiplier = 0x9e3779b97f4a7c15,
                               .state = {0x1111, 0x2222, 0x4444, 0x8888}};
}

/* ---- One operation --------------------------------------------------------------------------------- */

static bool breach(const char *what) {
    snprintf(all.wrong, sizeof all.wrong, "%s", what);
    return false;
}

/* The cells behind the region, before and after, are as they were. */
static bool kept_behind(const struct region *r, uint32_t fence, const struct filling *f) {
    uint32_t end = (r->bins.fence > fence ? r->bins.fence : fence) + 1;
    return end <= CELLS_MAX &&
           memcmp(&r->g[end], &f->cells[end], (CELLS_MAX - end) * sizeof *r->g) == 0;
}

static bool walk(const struct region *r) {
    struct cp_breach found;
    if (check_region(r, &found))
        return true;
    snprintf(all.wrong, sizeof all.wrong,
             "%s: %s (granule %u: found %" PRIu64 ", expected %" PRIu64 "), says the walker",
             cp_invariant_name(found.invariant), found.detail, found.granule, found.found,
             found.expected);
    return false;
}

/* Run operation `op` on the heap built over filling `f`. */
static bool run_over(unsigned f, const struct op *op, const struct heap_code *before,
                     struct heap_code *after) {
    struct region *r = &all.region;
    const struct region *old = &all.images[f].region;
    *r = *old;
    memcpy(r->g, all.images[f].cells, sizeof all.images[f].cells);
    struct outcome out;
    op_run(r, op, &out);
    const char *wrong = heap_read(r, after);
    if (wrong == NULL && !kept_behind(r, old->bins.fence, &all.fillings[f]))
        wrong = "a cell behind the region is written";
    if (wrong == NULL && memcmp(&r->key, &old->key, sizeof r->key) != 0)
        wrong = "the key is written";
    if (wrong == NULL)
        wrong = op_judge(op, &out, before, after, r, &all.fillings[f]);
    if (wrong != NULL)
        return breach(wrong);
    return all.options.walk == 0 || walk(r);
}

static bool run_one(const struct op *op, const struct heap_code *before, struct heap_code *after) {
    all.transitions++;
    if (!run_over(0, op, before, after))
        return false;
    for (unsigned f = 1; f < all.options.fill; f++) {
        struct heap_code other;
        if (!run_over(f, op, before, &other))
            return false;
        if (memcmp(after, &other, sizeof other) != 0)
            return breach("the outcome depends on memory that means nothing");
    }
    return true;
}

/* Lay out a heap and the operations it allows. 0: the walker does not find it sound. */
static uint32_t begin(const struct heap_code *code) {
    for (unsigned f = 0; f < all.options.fill; f++) {
        heap_build(&all.region, code, &all.fillings[f]);
        if (!walk(&all.region))
            return 0;
        all.images[f].region = all.region;
        memcpy(all.images[f].cells, all.region.g, sizeof all.images[f].cells);
    }
    return ops_list(code, &all.limits, all.ops);
}

/* ---- The search ------------------------------------------------------------------------------------ */

enum ending { GOES_ON, BREACH, FULL };

static void count_lists(const struct heap_code *code) {
    unsigned lists = heap_lists(code);
    for (unsigned kind = 0; kind < HOLDS_KINDS; kind++)
        all.with[kind] += lists >> kind & 1;
}

/* Run every operation on heap number `at`. What they lead to is looked up afterwards, because
 * each look-up waits for memory twice; meanwhile it can be fetched. */
static enum ending expand(uint32_t at) {
    struct heap_code before = all.store.codes[at];
    int fault = sigsetjmp(escape, 1);
    if (fault != 0) {
        running = 0;
        breach(fault_text(fault));
        return BREACH;
    }
    running = 1;
    count_lists(&before);
    uint32_t count = begin(&before);
    uint32_t *n = &all.current;
    for (*n = 0; *n < count && run_one(&all.ops[*n], &before, &all.after[*n]); ++*n)
        store_expect(&all.store, &all.after[*n]);
    running = 0;
    if (*n < count || count == 0)
        return BREACH;
    for (*n = 0; *n < count; ++*n)
        if (!store_add(&all.store, &all.after[*n], at))
            return FULL;
    return GOES_ON;
}

static double seconds(void) { return (double)clock() / CLOCKS_PER_SEC; }

static void progress(uint32_t at) {
    if (tick == 0)
        return;
    tick = 0;
    fprintf(stderr, "exhaust: %4.0f s, depth %u, %u heaps, %u to go, %" PRIu64 " transitions\n",
            seconds(), all.depth, all.store.count, all.store.count - at, all.transitions);
}

/* Explore from the region that is one top, as large as it may be. `at`: the heap it ended at. */
static enum ending search(uint32_t *at) {
    struct heap_code empty;
    uint32_t granules = REGION_FIRST + all.options.granules + 1;
    region_init(&all.region, all.region.g, granules, &all.region.key, 0);
    const char *wrong = heap_read(&all.region, &empty);
    if (wrong != NULL) {
        breach(wrong);
        return BREACH;
    }
    store_add(&all.store, &empty, 0);
    uint32_t level_end = all.store.count;
    for (*at = 0; *at < all.store.count; ++*at) {
        if (*at == level_end) {
            all.depth++;
            level_end = all.store.count;
        }
        progress(*at);
        if (seconds() > all.options.max_seconds)
            return FULL;
        enum ending o = expand(*at);
        if (o != GOES_ON)
            return o;
    }
    return GOES_ON;
}

/* ---- What is printed ------------------------------------------------------------------------------- */

static void print_step(uint32_t number, const struct op *op, const char *picture) {
    char text[OP_TEXT_BYTES];
    op_text(op, text);
    printf("%4u  %-48s %s\n", number, text, picture);
}

/* The operation that leads from one heap to the other; it was run before, and found sound. */
static struct op step_between(const struct heap_code *from, const struct heap_code *to) {
    uint32_t count = begin(from);
    struct heap_code after;
    for (uint32_t n = 0; n < count; n++)
        if (run_one(&all.ops[n], from, &after) && memcmp(&after, to, sizeof after) == 0)
            return all.ops[n];
    return (struct op){0};
}

/* The shortest way from the empty region to heap number `at`, and the operation that broke it. */
static void print_breach(uint32_t at) {
    if (all.store.count == 0) {
        printf("exhaust: breach after 0 operations: %s\n%4u  region_init\n", all.wrong, 0u);
        return;
    }
    char wrong[WRONG_BYTES], picture[PICTURE_BYTES];
    memcpy(wrong, all.wrong, sizeof wrong);
    struct op last = all.ops[all.current];
    static uint32_t path[PATH_MAX_STEPS];
    uint32_t steps = 0;
    for (uint32_t n = at; n != 0 && steps < PATH_MAX_STEPS; n = all.store.parents[n])
        path[steps++] = n;
    printf("exhaust: breach after %u operations: %s\n", steps + 1, wrong);
    heap_picture(&all.store.codes[0], picture);
    printf("%4u  %-48s %s\n", 0u, "region_init", picture);
    for (uint32_t from = 0, n = 1; n <= steps; n++) {
        uint32_t to = path[steps - n];
        struct op op = step_between(&all.store.codes[from], &all.store.codes[to]);
        heap_picture(&all.store.codes[to], picture);
        print_step(n, &op, picture);
        from = to;
    }
    print_step(steps + 1, &last, "breach");
}

int main(int count, char **words) {
    all.options = (struct options_given){.granules = 20,
                                         .fast_max = 3,
                                         .align = 4,
                                         .fill = 1,
                                         .max_states = 48000000,
                                         .max_seconds = 1000000};
    if (count == 2 && strcmp(words[1], "--help") == 0)
        return usage(&all.options, stdout);
    struct options_given defaults = all.options;
    if (!parse(count, words, &all.options))
        return usage(&defaults, stderr);
    all.limits = (struct limits){all.options.granules, all.options.fast_max, all.options.align};
    for (unsigned f = 0; f < FILLINGS; f++)
        filling_make(&all.fillings[f], (enum filling_kind)f);
    store_make(&all.store, all.options.max_states);
    region_place(&all.region);
    catch_faults();
    uint32_t at = 0;
    enum ending o = search(&at);
    if (o == BREACH)
        print_breach(at);
    if (o == FULL)
        printf("exhaust: incomplete: %u heaps were not expanded\n", all.store.count - at);
    printf("exhaust: heaps with fast=%u unsorted=%u small=%u large=%u two-sizes=%u twins=%u\n",
           all.with[HOLDS_FAST], all.with[HOLDS_UNSORTED], all.with[HOLDS_SMALL],
           all.with[HOLDS_LARGE], all.with[HOLDS_SIZES], all.with[HOLDS_TWINS]);
    printf("exhaust: granules=%u states=%u transitions=%" PRIu64
           " breaches=%d depth=%u seconds=%.0f\n",
           all.options.granules, all.store.count, all.transitions, o == BREACH, all.depth,
           seconds());
    return o == BREACH ? EXIT_BREACH : o == FULL ? EXIT_INCOMPLETE : EXIT_SOUND;
}
