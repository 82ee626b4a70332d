/* race.c: see race.h. Vector clocks and a shadow of the last accesses to each word (as in
 * FastTrack and ThreadSanitizer).
 *
 * The shadow is a table without chains: a word whose place is taken by another one is forgotten,
 * which can hide a race but not invent one, and repeats from run to run.
 */
#include "race.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "config.h"
#include "fiber.h"
#include "sim.h"

enum { WORDS = 1 << 13, ACCESSES = 3, SYNCS = 1 << 11, OPERATIONS = 1024 };
enum access_kind { READS = 0, WRITES = 1, ATOMIC = 2 };

struct clocks {
    uint32_t at[FIBERS_MAX];
};

struct access {
    uint8_t bytes; /* of the word, as a mask; 0: none */
    uint8_t thread;
    uint8_t kind;
    uint32_t clock; /* the thread's own */
    uint32_t moment;
    uint32_t code; /* low half of the code's address */
};

struct word {
    uintptr_t address;
    uint32_t run;
    uint32_t last; /* access that was noted last */
    struct access access[ACCESSES];
} __attribute__((aligned(64)));
_Static_assert(sizeof(struct word) == 64, "one line of the processor's cache");

struct sync {
    const void *address;
    uint32_t run;
    struct clocks clocks;
};

static struct word words[WORDS];
static struct sync syncs[SYNCS];
static struct clocks of_thread[FIBERS_MAX], of_operation[OPERATIONS];
static bool watching;
static uint32_t run; /* numbers the runs: what has another number is from before */
static uint8_t me;
static uint32_t moment; /* counts the times pages were handed out */
static const void *own_errno;

/* When a page was handed out last, by page modulo their number: an entry that belongs to another
 * page can only excuse too much. */
enum { BIRTHS = 1 << 14 };
static uint32_t births[BIRTHS];

/* ---- clocks ----------------------------------------------------------------------------------- */

static void join(struct clocks *to, const struct clocks *from) {
    for (unsigned t = 0; t < FIBERS_MAX; t++)
        if (to->at[t] < from->at[t])
            to->at[t] = from->at[t];
}

static struct clocks *self(void) { return &of_thread[me]; }

/* Accesses from now on are later than what was published. */
static void tick(void) { of_thread[me].at[me]++; }

void race_start(unsigned threads) {
    run++;
    own_errno = &errno;
    memset(of_thread, 0, sizeof of_thread);
    for (unsigned t = 0; t < threads; t++)
        of_thread[t].at[t] = 1;
    watching = true;
}

void race_watch(bool watch) { watching = watch; }
void race_thread(unsigned thread) { me = (uint8_t)thread; }

/* Its place in the table, or the one where it would stand; the table is large enough for the locks
 * of as many arenas as a program can make. */
static struct sync *sync_of(const void *what) {
    size_t at = ((uintptr_t)what * 0x9e3779b97f4a7c15u) >> 40;
    for (;; at++) {
        struct sync *s = &syncs[at % SYNCS];
        if (s->run != run || s->address == what)
            return s;
    }
}

void race_release(const void *what) {
    if (!watching)
        return;
    struct sync *s = sync_of(what);
    if (s->run != run)
        *s = (struct sync){.address = what, .run = run};
    join(&s->clocks, self());
    tick();
}

void race_acquire(const void *what) {
    if (!watching)
        return;
    const struct sync *s = sync_of(what);
    if (s->run == run)
        join(self(), &s->clocks);
}

void race_operation_done(unsigned op) {
    if (!watching)
        return;
    of_operation[op] = *self();
    tick();
}

void race_operation_awaited(unsigned op) {
    if (watching)
        join(self(), &of_operation[op]);
}

static void race_join(void) {
    for (unsigned t = 0; watching && t < FIBERS_MAX; t++)
        join(self(), &of_thread[t]);
}

void race_only_self(void) {
    race_join();
    tick();
    for (unsigned t = 0; watching && t < FIBERS_MAX; t++)
        if (t != me) {
            join(&of_thread[t], self());
            of_thread[t].at[t]++;
        }
}

void race_new_pages(uintptr_t start, size_t bytes) {
    if (!watching)
        return;
    size_t pages = bytes / PAGE_BYTES, first = start / PAGE_BYTES;
    moment++;
    for (unsigned t = 0; t < FIBERS_MAX; t++) /* lest is_again take an access for an older one */
        of_thread[t].at[t]++;
    for (size_t i = 0; i < (pages < BIRTHS ? pages : BIRTHS); i++) {
        births[(first + i) % BIRTHS] = moment;
    }
}

/* ---- accesses --------------------------------------------------------------------------------- */

static bool is_from_before(uintptr_t address, const struct access *a) {
    return births[address / PAGE_BYTES % BIRTHS] > a->moment;
}

/* Where in the core, if a symbolizer is linked. */
void __sanitizer_symbolize_pc(void *pc, const char *format, char *out, size_t bytes)
    __attribute__((weak));

static const char *place(uintptr_t code, char *text, size_t bytes) {
    snprintf(text, bytes, "%#zx", (size_t)code);
    if (__sanitizer_symbolize_pc != NULL)
        __sanitizer_symbolize_pc((void *)code, "%f, %s:%l", text, bytes);
    return text;
}

static _Noreturn void report(uintptr_t address, enum access_kind kind, uintptr_t code,
                             const struct access *other) {
    char here[256], there[256];
    uintptr_t other_code = (code & ~(uintptr_t)UINT32_MAX) | other->code;
    watching = false;
    sim_break("race", "thread %u %s %p (%s); thread %u %s it (%s), and nothing orders the two",
              sim_thread(), kind & WRITES ? "writes" : "reads", (void *)address,
              place(code, here, sizeof here), other->thread + 1u,
              other->kind & WRITES ? "wrote" : "read", place(other_code, there, sizeof there));
}

/* Two accesses are ordered by program order, clocks, or as atomic operations by themselves. */
static bool races(const struct access *a, unsigned bytes, enum access_kind kind) {
    return (a->bytes & bytes) != 0 && a->thread != me && ((a->kind | kind) & WRITES) != 0 &&
           (a->kind & kind & ATOMIC) == 0 && a->clock > self()->at[a->thread];
}

/* The thread did the same, or more, and has published nothing since: whoever touched the bytes in
 * between could not be ordered behind it, and so has been judged already. */
static inline bool is_again(const struct access *a, unsigned bytes, enum access_kind kind) {
    return a->thread == me && a->clock == of_thread[me].at[me] &&
           (bytes & ~(unsigned)a->bytes) == 0 &&
           (a->kind == kind || (a->kind == WRITES && kind == READS));
}

/* An access that the new one stands for as well. */
static bool is_covered(const struct access *a, unsigned bytes, enum access_kind kind) {
    return a->bytes == 0 ||
           (a->thread == me && (a->bytes & ~bytes) == 0 && (a->kind & WRITES) <= (kind & WRITES) &&
            (kind & ATOMIC) <= (a->kind & ATOMIC));
}

static __attribute__((noinline)) void note_new_access(struct word *w, uintptr_t address,
                                                      unsigned bytes, enum access_kind kind,
                                                      uintptr_t code) {
    if (w->address != address || w->run != run)
        *w = (struct word){.address = address, .run = run};
    unsigned place_for = ACCESSES;
    for (unsigned i = 0; i < ACCESSES; i++) {
        const struct access *a = &w->access[i];
        if (races(a, bytes, kind) && !is_from_before(address, a))
            report(address, kind, code, a);
        if (is_covered(a, bytes, kind))
            place_for = i;
    }
    w->last = place_for < ACCESSES ? place_for : (w->last + 1) % ACCESSES;
    w->access[w->last] = (struct access){.bytes = (uint8_t)bytes,
                                         .thread = me,
                                         .kind = (uint8_t)kind,
                                         .clock = self()->at[me],
                                         .moment = moment,
                                         .code = (uint32_t)code};
}

/* Of what is its own, a thread's accesses race with nobody's. */
static bool is_private(const volatile void *p) {
    return (uintptr_t)p - SIM_FIRST >= SIM_BYTES && (p == own_errno || fiber_owns(p));
}

/* Heaps begin at the same distance from a large power of two, but not at the same place here. */
static struct word *word_of(uintptr_t address) {
    return &words[(address / 8 ^ address >> 17 ^ address >> 23) % WORDS];
}

static __attribute__((noinline)) void touch_new(const volatile void *p, unsigned bytes,
                                                enum access_kind kind, void *code) {
    if (is_private(p))
        return;
    uintptr_t address = (uintptr_t)p, first = address & ~(uintptr_t)7;
    unsigned mask = ((1u << bytes) - 1) << (address - first);
    note_new_access(word_of(first), first, mask & 0xff, kind, (uintptr_t)code);
    if (mask >> 8 != 0)
        note_new_access(word_of(first + 8), first + 8, mask >> 8, kind, (uintptr_t)code);
}

/* Most accesses lie within a word and repeat one that was just made: those take the short way. */
static inline __attribute__((always_inline)) void touch(const volatile void *p, unsigned bytes,
                                                        enum access_kind kind, void *code) {
    if (kind & WRITES) {
        sim_mark(p);
        sim_mark((const volatile char *)p + bytes - 1);
    }
    if (!watching)
        return;
    uintptr_t address = (uintptr_t)p, first = address & ~(uintptr_t)7;
    const struct word *w = word_of(first);
    unsigned mask = ((1u << bytes) - 1) << (address - first);
    if (w->address != first || w->run != run || !is_again(&w->access[w->last], mask, kind))
        touch_new(p, bytes, kind, code);
}

/* ---- what the compiler calls ------------------------------------------------------------------ */

#define HERE __builtin_return_address(0)

#define PLAIN(bytes)                                                                               \
    void __tsan_read##bytes(void *p);                                                              \
    void __tsan_write##bytes(void *p);                                                             \
    void __tsan_unaligned_read##bytes(void *p);                                                    \
    void __tsan_unaligned_write##bytes(void *p);                                                   \
    void __tsan_read##bytes(void *p) { touch(p, bytes, READS, HERE); }                             \
    void __tsan_write##bytes(void *p) { touch(p, bytes, WRITES, HERE); }                           \
    void __tsan_unaligned_read##bytes(void *p) { touch(p, bytes, READS, HERE); }                   \
    void __tsan_unaligned_write##bytes(void *p) { touch(p, bytes, WRITES, HERE); }
PLAIN(1)
PLAIN(2)
PLAIN(4)
PLAIN(8)
PLAIN(16)

void __tsan_init(void);
void __tsan_init(void) {}

/* In the core's objects memset and the like have these names. Races are not looked for here: what
 * they touch is mostly the program's. */
void *sim_memset(void *to, int byte, size_t bytes);
void *sim_memcpy(void *to, const void *from, size_t bytes);
void *sim_memmove(void *to, const void *from, size_t bytes);

void *sim_memset(void *to, int byte, size_t bytes) {
    sim_wrote(to, bytes);
    return memset(to, byte, bytes);
}
void *sim_memcpy(void *to, const void *from, size_t bytes) {
    sim_wrote(to, bytes);
    return memcpy(to, from, bytes);
}
void *sim_memmove(void *to, const void *from, size_t bytes) {
    sim_wrote(to, bytes);
    return memmove(to, from, bytes);
}

static void before_atomic(const volatile void *p, unsigned bytes, enum access_kind kind, int order,
                          void *code) {
    touch(p, bytes, kind | ATOMIC, code);
    if ((kind & WRITES) && order >= __ATOMIC_RELEASE)
        race_release((const void *)p);
}

static void after_atomic(const volatile void *p, int order) {
    if (order != __ATOMIC_RELAXED && order != __ATOMIC_RELEASE)
        race_acquire((const void *)p);
}

/* What stands behind an operation that reads and writes: `new` is computed of `old`. */
#define READ_MODIFY_WRITE(bits, type, name, new)                                                   \
    type __tsan_atomic##bits##_##name(volatile type *p, type value, int order);                    \
    type __tsan_atomic##bits##_##name(volatile type *p, type value, int order) {                   \
        before_atomic(p, bits / 8, WRITES, order, HERE);                                           \
        after_atomic(p, order);                                                                    \
        type old = *p;                                                                             \
        *p = (type)(new);                                                                          \
        return old;                                                                                \
    }

#define ATOMICS(bits, type)                                                                        \
    type __tsan_atomic##bits##_load(const volatile type *p, int order);                            \
    void __tsan_atomic##bits##_store(volatile type *p, type value, int order);                     \
    type __tsan_atomic##bits##_compare_exchange_val(volatile type *p, type expected, type value,   \
                                                    int order, int failed);                        \
    type __tsan_atomic##bits##_load(const volatile type *p, int order) {                           \
        before_atomic(p, bits / 8, READS, order, HERE);                                            \
        after_atomic(p, order);                                                                    \
        return *p;                                                                                 \
    }                                                                                              \
    void __tsan_atomic##bits##_store(volatile type *p, type value, int order) {                    \
        before_atomic(p, bits / 8, WRITES, order, HERE);                                           \
        *p = value;                                                                                \
    }                                                                                              \
    type __tsan_atomic##bits##_compare_exchange_val(volatile type *p, type expected, type value,   \
                                                    int order, int failed) {                       \
        type old = *p;                                                                             \
        if (old == expected) {                                                                     \
            before_atomic(p, bits / 8, WRITES, order, HERE);                                       \
            *p = value;                                                                            \
        } else {                                                                                   \
            before_atomic(p, bits / 8, READS, failed, HERE);                                       \
        }                                                                                          \
        after_atomic(p, old == expected ? order : failed);                                         \
        return old;                                                                                \
    }                                                                                              \
    READ_MODIFY_WRITE(bits, type, exchange, value)                                                 \
    READ_MODIFY_WRITE(bits, type, fetch_add, old + value)                                          \
    READ_MODIFY_WRITE(bits, type, fetch_sub, old - value)                                          \
    READ_MODIFY_WRITE(bits, type, fetch_or, old | value)                                           \
    READ_MODIFY_WRITE(bits, type, fetch_and, old &value)
ATOMICS(8, uint8_t)
ATOMICS(16, uint16_t)
ATOMICS(32, uint32_t)
ATOMICS(64, uint64_t)
