/* fuzz_corrupt.c: the target `corrupt`: a legal program in which one memory-safety violation is
 * planted. It must end in a report that names the fault, or do no harm until the end: live blocks
 * never overlap, no block but the one that was written over changes, nothing is served from outside
 * the heap or written there.
 *
 *   input   as of api (ops.h), one thread, no failures of the system; header bytes 9-14:
 *           9     which violation
 *           10    before which operation
 *           11    which block
 *           12    how many bytes, how far, which bit
 *           13    what is written: below 64 a constant, below 128 what was there and a little more,
 *                 below 192 a pattern, else what another freed block holds at that place
 *           14    where in a freed block: below 128 at its beginning, below 192 anywhere, else at
 *                 its end
 *
 * In the end the program asks once more for all that it freed, so that whatever list the violation
 * met is taken from.
 *
 * Seals have 16 bits, so that one forgery in some thousands passes by chance. Harm therefore counts
 * when it repeats under other secrets. With FUZZ_TELL in the environment each run
 * says how it ended. Oracles: "harm" (see above), "unnoticed" (a free of what is no block was taken), "name"
 * (a report, but of a fault that was not committed).
 */
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "counters.h"
#include "config.h"
#include "ops.h"
#include "target.h"
#include "sim/sim.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
_Noreturn void __wrap_os_abort(void);

/* Runs under other secrets, and in how many of them harm is no chance. */
enum { OTHER_SECRETS = 8, NO_CHANCE = 2, FREED_MAX = 64, AGAIN_BYTES_MAX = 1 << 16 };

enum violation {
    OVERFLOW,
    UNDERFLOW,
    WRITE_AFTER_FREE,
    HEADER_OF_FREED,
    HEADER_BIT,
    HEADER_COPIED,
    DOUBLE_FREE,
    INTERIOR_FREE,
    FOREIGN_FREE,
    MISALIGNED_FREE,
    REALLOC_FREED,
    SIZED_WRONG,
    VIOLATIONS
};
static const char *const violation_name[VIOLATIONS] = {"overflow",
                                                       "underflow",
                                                       "write after free",
                                                       "write to the header of a freed block",
                                                       "header bit flip",
                                                       "header copy",
                                                       "double free",
                                                       "interior free",
                                                       "foreign free",
                                                       "misaligned free",
                                                       "realloc of a freed block",
                                                       "free_sized with a wrong size"};

/* The faults that may be named, by words of core/report.c. Memory written over can show up as any
 * corruption; which, depends on who looks first. A freed block may be gone with its region or merged
 * into another, and a header that a pointer into a block finds is the program's data. */
#define CORRUPTED                                                                                  \
    "corrupted header|corrupted footer|corrupted link|corrupted nextsize|corrupted fast "          \
    "bin|corrupted top|corrupted cache|heap breach|"
static const char *const allowed_names[VIOLATIONS] = {
    [OVERFLOW] = CORRUPTED "double free|interior pointer|",
    [UNDERFLOW] = CORRUPTED "double free|interior pointer|",
    [WRITE_AFTER_FREE] = CORRUPTED,
    [HEADER_OF_FREED] = CORRUPTED "interior pointer|double free|",
    [HEADER_BIT] = CORRUPTED "double free|interior pointer|foreign pointer|",
    [HEADER_COPIED] = CORRUPTED "double free|interior pointer|foreign pointer|",
    [DOUBLE_FREE] = "double free|interior pointer|foreign pointer|corrupted header|",
    [INTERIOR_FREE] = "interior pointer|foreign pointer|double free|corrupted header|",
    [FOREIGN_FREE] = "foreign pointer|misaligned pointer|interior pointer|",
    [MISALIGNED_FREE] = "misaligned pointer|",
    [REALLOC_FREED] = "double free|interior pointer|foreign pointer|corrupted header|",
    [SIZED_WRONG] = "sized free mismatch|",
};

struct block {
    unsigned char *p; /* NULL: none */
    size_t size, usable;
    uint8_t byte;
    bool damaged; /* written over by the violation: its contents say nothing */
    unsigned place; /* among the live ones */
};

struct freed {
    unsigned char *p;
    size_t usable;
};

enum outcome { CLEAN, REPORTED, HARMED };

static struct {
    const struct program *program;
    const uint8_t *header;
    enum violation violation;
    bool committed; /* the violation was possible, and has been done */
    bool must_report; /* the call that is running cannot return */
    bool final; /* harm is told and ends the process */
    struct block block[SLOTS];
    struct block *live[SLOTS];
    unsigned live_count;
    struct freed freed[FREED_MAX];
    unsigned freed_count;
    uint8_t next_byte;
    jmp_buf end;
} run;

/* ---- ends of a run -------------------------------------------------------------------------- */

static void print_where(void) {
    fprintf(stderr, "fuzz: planted: %s (header bytes 9-14: %u %u %u %u %u %u)%s\n",
            violation_name[run.violation], run.header[9], run.header[10], run.header[11],
            run.header[12], run.header[13], run.header[14], run.committed ? "" : ", not done yet");
}

/* sim_break: an oracle of this target or of the simulated world has spoken. */
static void on_break(void) {
    print_where();
    if (!run.final)
        longjmp(run.end, HARMED);
}

/* The core calls this instead of os_abort (see fuzz.mk) when it has written its report. */
_Noreturn void __wrap_os_abort(void) { longjmp(run.end, REPORTED); }

/* "chunkproof: NAME: ..." */
static bool name_is_allowed(void) {
    const char *text = sim_error_text(), *start = strstr(text, "chunkproof: ");
    const char *colon = start == NULL ? NULL : strchr(start + 12, ':');
    char name[64];
    if (colon == NULL || (size_t)(colon - start - 12) + 2 > sizeof name)
        return false;
    size_t length = (size_t)(colon - start - 12);
    memcpy(name, start + 12, length);
    memcpy(name + length, "|", 2);
    return strstr(allowed_names[run.violation], name) != NULL;
}

/* ---- blocks --------------------------------------------------------------------------------- */

/* What of a large block is written and looked at: its start, its end, a byte in each page. */
static void each_part(struct block *b, void (*act)(struct block *b, size_t from, size_t to)) {
    size_t start = b->size <= 2048 ? b->size : 1024, end = b->size - (b->size <= 2048 ? 0 : 64);
    act(b, 0, start);
    for (size_t i = start; i < end; i += PAGE_BYTES)
        act(b, i, i + 1);
    act(b, end, b->size);
}

static void write_part(struct block *b, size_t from, size_t to) {
    memset(b->p + from, b->byte, to - from);
    sim_wrote(b->p + from, to - from);
}

static void look_at_part(struct block *b, size_t from, size_t to) {
    unsigned char wrong = 0;
    for (size_t i = from; i < to; i++)
        wrong |= b->p[i] ^ b->byte;
    for (size_t i = from; wrong != 0 && i < to; i++)
        if (b->p[i] != b->byte)
            sim_break("harm", "byte %zu of live block %p (%zu bytes) is %#x, not as written", i,
                      (void *)b->p, b->size, b->p[i]);
}

static void fill(struct block *b) {
    b->byte = ++run.next_byte;
    each_part(b, write_part);
}

static void look(struct block *b) {
    if (b->p != NULL && !b->damaged)
        each_part(b, look_at_part);
}

static void set_live(struct block b, unsigned slot) {
    run.block[slot] = b;
    run.block[slot].place = run.live_count;
    run.live[run.live_count++] = &run.block[slot];
}

static void set_dead(struct block *b) {
    run.live[b->place] = run.live[--run.live_count];
    run.live[b->place]->place = b->place;
    b->p = NULL;
}

/* The first live block from number `i` on that has any of these bytes, or NULL. */
static struct block *meeting(unsigned i, const unsigned char *from, size_t bytes) {
    for (; i < run.live_count; i++) {
        struct block *b = run.live[i];
        if (b->p < from + bytes && from < b->p + (b->size == 0 ? 1 : b->size))
            return b;
    }
    return NULL;
}

static void settle(unsigned slot, unsigned char *p, size_t size) {
    if (p == NULL)
        return;
    if ((uintptr_t)p % 16 != 0 || !sim_accessible(p, size == 0 ? 1 : size))
        sim_break("harm", "block %p (%zu bytes) is misaligned or outside of the heap", (void *)p,
                  size);
    const struct block *other = meeting(0, p, size == 0 ? 1 : size);
    if (other != NULL)
        sim_break("harm", "block %p (%zu bytes) overlaps live block %p (%zu bytes)", (void *)p,
                  size, (void *)other->p, other->size);
    set_live((struct block){.p = p, .size = size, .usable = size}, slot);
    fill(&run.block[slot]);
    run.block[slot].usable = target.usable_size(p);
}

/* How many of the freed ones are remembered. */
static unsigned freed_known(void) {
    return run.freed_count < FREED_MAX ? run.freed_count : FREED_MAX;
}

static unsigned char *take(unsigned slot) {
    struct block *b = &run.block[slot];
    unsigned char *p = b->p;
    if (p == NULL)
        return NULL;
    look(b);
    run.freed[run.freed_count++ % FREED_MAX] = (struct freed){p, b->usable};
    set_dead(b);
    return p;
}

static void resize(const struct op *op) {
    struct block old = run.block[op->slot];
    size_t size = op->count * op->size;
    unsigned char *p = take(op->slot), *now = target.realloc(p, size);
    bool frees = p != NULL && size == 0;
    if (now == NULL && !frees && p != NULL) {
        set_live(old, op->slot);
        run.freed_count--;
        return;
    }
    if (!frees)
        settle(op->slot, now, size);
}

static void step(const struct op *op) {
    size_t bytes = op->count * op->size;
    switch (op->code) {
    case OP_MALLOC:
        settle(op->slot, target.malloc(op->size), op->size);
        break;
    case OP_CALLOC:
        settle(op->slot, target.calloc(op->count, op->size), bytes);
        break;
    case OP_REALLOC:
    case OP_REALLOCARRAY:
        resize(op);
        break;
    case OP_ALIGNED_ALLOC:
    case OP_MEMALIGN:
    case OP_POSIX_MEMALIGN:
        settle(op->slot, target.memalign(op->alignment, op->size), op->size);
        break;
    case OP_VALLOC:
    case OP_PVALLOC:
        settle(op->slot, target.valloc(op->size), op->size);
        break;
    case OP_FREE:
    case OP_FREE_SIZED:
    case OP_FREE_ALIGNED_SIZED:
        if (op->slot != NO_SLOT)
            target.free(take(op->slot));
        break;
    case OP_MALLOPT:
        target.mallopt(op->parameter, op->value);
        break;
    case OP_TRIM:
        target.trim(op->size);
        break;
    case OP_CLOCK:
        sim_clock_advance(op->size);
        break;
    default: /* statistics and other threads add nothing here */
        break;
    }
}

/* ---- violations ----------------------------------------------------------------------------- */

static struct block *some_block(void) {
    return run.live_count == 0 ? NULL : run.live[run.header[11] % run.live_count];
}

/* Mappings come and go, and where one was, or behind one, the allocator's own tables may stand:
 * core/README.md, "What is not defended". */
static bool is_mapping(const unsigned char *p) { return sim_place(p - 1) == SIM_IN_MAPPING; }

/* One that was freed and whose address no live block has taken since. */
static struct freed *some_freed(void) {
    unsigned count = freed_known();
    for (unsigned i = 0; i < count; i++) {
        struct freed *f = &run.freed[(run.header[11] + i) % count];
        if (meeting(0, f->p - 16, f->usable + 16) == NULL)
            return f;
    }
    return NULL;
}

/* What is written over byte `i` of what begins at p. */
static uint8_t wrong_byte(const unsigned char *p, size_t i) {
    static const uint8_t values[] = {0x00, 0xff, 0x41, 0x01};
    uint8_t what = run.header[13];
    return what < 64    ? values[what % 4]
           : what < 128 ? (uint8_t)(p[i] + what)
                        : (uint8_t)(what * (i + 1));
}

/* Write over [p, p + bytes) as the program's mistake; blocks it meets hold what they may. */
static bool overwrite(unsigned char *p, size_t bytes) {
    if (!sim_accessible(p, bytes))
        return false;
    for (struct block *b = NULL; (b = meeting(b == NULL ? 0 : b->place + 1, p, bytes)) != NULL;)
        b->damaged = true;
    sim_wrote(p, bytes);
    for (size_t i = 0; i < bytes; i++)
        p[i] = wrong_byte(p, i);
    return true;
}

/* Offset in a freed block: where lists keep their links, anywhere, or where the next chunk is told
 * how large this one is. */
static size_t place_in(size_t usable) {
    size_t where = run.header[14];
    if (where < 128)
        return where % 8 * 4 % usable;
    return where < 192 ? where * 8 % usable : usable - 8;
}

static bool write_after_free(const struct freed *f, size_t bytes) {
    size_t at = place_in(f->usable), room = f->usable - at;
    unsigned count = freed_known();
    const struct freed *other = &run.freed[run.header[13] % count];
    if (bytes > room)
        bytes = room;
    if (run.header[13] < 192 || other->usable < at + bytes ||
        !sim_accessible(other->p + at, bytes) || !sim_accessible(f->p + at, bytes))
        return overwrite(f->p + at, bytes);
    sim_wrote(f->p + at, bytes);
    memmove(f->p + at, other->p + at, bytes);
    return true;
}

static bool write_somewhere(void) {
    struct block *b = some_block(), *other;
    bool of_freed = run.violation == WRITE_AFTER_FREE || run.violation == HEADER_OF_FREED;
    struct freed *f = of_freed ? some_freed() : NULL;
    size_t bytes = 1 + run.header[12] % 64u;
    switch (run.violation) {
    case OVERFLOW:
        return b != NULL && !is_mapping(b->p) && overwrite(b->p + b->usable, bytes);
    case UNDERFLOW:
        bytes = 1 + bytes % 16;
        return b != NULL && overwrite(b->p - bytes, bytes);
    case WRITE_AFTER_FREE:
        return f != NULL && f->usable >= 8 && !is_mapping(f->p) && write_after_free(f, bytes);
    case HEADER_OF_FREED:
        return f != NULL && !is_mapping(f->p) && overwrite(f->p - 8, 1 + bytes % 8);
    case HEADER_BIT:
        if (b == NULL || !sim_accessible(b->p - 8, 8))
            return false;
        sim_wrote(b->p - 8, 8);
        b->p[-8 + run.header[12] / 8 % 8] ^= (uint8_t)(1u << run.header[12] % 8);
        return true;
    default:
        other = b == NULL ? NULL : run.live[(b->place + 1 + run.header[12]) % run.live_count];
        if (b == NULL || !sim_accessible(b->p - 8, 8) || !sim_accessible(other->p - 8, 8))
            return false;
        sim_wrote(b->p - 8, 8);
        memcpy(b->p - 8, other->p - 8, 8);
        return other != b;
    }
}

static unsigned char *foreign(void) {
    static unsigned char elsewhere[64] __attribute__((aligned(16)));
    static unsigned char *const places[] = {elsewhere + 16,
                                            (unsigned char *)0x1010,
                                            (unsigned char *)0x7fffffff0000,
                                            (unsigned char *)0x100000000000,
                                            (unsigned char *)0xfffffffffffffff0,
                                            (unsigned char *)0x800000000000};
    return places[run.header[12] % 6];
}

/* A call that the allocator must refuse: what it does not report it has taken. */
static bool call_wrongly(void) {
    struct block *b = some_block();
    struct freed *f = some_freed();
    unsigned char *p = NULL;
    if (run.violation == DOUBLE_FREE || run.violation == REALLOC_FREED)
        p = f == NULL ? NULL : f->p;
    else if (run.violation == FOREIGN_FREE)
        p = foreign();
    else if (b != NULL && run.violation == INTERIOR_FREE)
        p = b->size < 32 ? NULL : b->p + 16 * (1 + run.header[12] % (b->size / 16 - 1));
    else if (b != NULL)
        p = run.violation == MISALIGNED_FREE ? b->p + 1 + run.header[12] % 15 : b->p;
    if (p == NULL)
        return false;
    run.must_report = run.committed = true;
    if (run.violation == REALLOC_FREED)
        target.realloc(p, run.header[12] * (size_t)8);
    else if (run.violation == SIZED_WRONG && run.header[14] >= 128)
        target.free_aligned_sized(p, 3, b->size); /* no alignment at all */
    else if (run.violation == SIZED_WRONG)
        target.free_sized(p, b->usable + 1 + run.header[12]);
    else
        target.free(p);
    sim_break("unnoticed", "%s of %p was taken", violation_name[run.violation], (void *)p);
}

static void violate(void) {
    run.committed = run.violation <= HEADER_COPIED ? write_somewhere() : call_wrongly();
}

/* ---- a run ---------------------------------------------------------------------------------- */

/* As large as what was freed, as often. */
static void ask_again(void) {
    unsigned count = freed_known();
    for (unsigned i = 0, slot = 0; i < count; i++) {
        size_t size = run.freed[i].usable;
        while (slot < SLOTS && run.block[slot].p != NULL)
            slot++;
        if (slot < SLOTS && size <= AGAIN_BYTES_MAX)
            settle(slot, target.malloc(size), size);
    }
}

static void play(void) {
    const struct program *p = run.program;
    unsigned at = p->ops == 0 ? 0 : run.header[10] % p->ops;
    for (unsigned i = 0; i < p->ops; i++) {
        if (i >= at && !run.committed)
            violate();
        step(&p->op[i]);
    }
    ask_again();
    for (unsigned i = 0; i < SLOTS; i++)
        target.free(take(i));
    target.trim(0);
    sim_check_memory();
}

static enum outcome attempt(const struct program *p, uint64_t secret) {
    struct sim_config world = p->world;
    memset(world.failure, 0, sizeof world.failure);
    world.seed = secret;
    memset(run.block, 0, sizeof run.block);
    run.live_count = run.freed_count = 0;
    run.next_byte = 0;
    run.committed = run.must_report = false;
    sim_on_break = on_break;
    sim_reset(&world);
    target.start();
    enum outcome outcome = (enum outcome)setjmp(run.end);
    if (outcome == CLEAN)
        play();
    return outcome;
}

/* What a reported run must still satisfy. A legal program must not be reported at all. */
static void judge_report(void) {
    if (!run.committed || !name_is_allowed())
        sim_break("name", "%s is reported as: %s",
                  run.committed ? violation_name[run.violation] : "a legal program",
                  sim_error_text());
    for (unsigned i = 0; i < SLOTS; i++)
        look(&run.block[i]);
}

static enum outcome judged(const struct program *p, uint64_t secret) {
    enum outcome outcome = attempt(p, secret);
    if (outcome != REPORTED)
        return outcome;
    if (setjmp(run.end) != 0)
        return HARMED;
    judge_report();
    return REPORTED;
}

static void tell(enum outcome outcome) {
    static const char *const words[] = {"no harm", "reported: ", "harm"};
    fprintf(stderr, "fuzz: %s: %s%s\n",
            run.committed ? violation_name[run.violation] : "nothing planted", words[outcome],
            outcome == REPORTED ? sim_error_text() : "\n");
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc, (void)argv;
    counters_open();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct program program;
    uint8_t header[HEADER_BYTES] = {0};
    memcpy(header, data, size < sizeof header ? size : sizeof header);
    program_decode(&program, data, size);
    run.program = &program;
    run.header = header;
    run.violation = header[9] % VIOLATIONS;
    run.final = false;
    counters_add(program.ops);
    enum outcome outcome = judged(&program, program.world.seed);
    if (getenv("FUZZ_TELL") != NULL)
        tell(outcome);
    if (outcome != HARMED)
        return 0;
    unsigned again = 0;
    for (unsigned i = 1; i <= OTHER_SECRETS; i++)
        again += judged(&program, program.world.seed + i * 0x10001u) == HARMED;
    fprintf(stderr, "fuzz: harm under %u of %u other secrets\n", again, OTHER_SECRETS);
    if (again >= NO_CHANCE) {
        run.final = true;
        judged(&program, program.world.seed);
    }
    return 0;
}
