/* os_sim.c: core/os.h in one fixed address range, without an operating system.
 *
 * Each world is SIM_SPAN bytes: the break grows from BREAK_START, mappings and reservations come
 * down from the top as Linux has it. There are two such ranges, one for guarded runs, in which
 * inaccessible pages are PROT_NONE, and one for fast runs, in which they are ordinary zeroed
 * memory that must be zero still when it is handed out again. Switching between the two would
 * otherwise cost a system call and all page tables at every run.
 *
 * The page table (one state byte each) says what is accessible; the extents say what is mapped.
 * Contents are lost where a real system would lose them: memory that is given back is zeroed at
 * once. Which pages were written is known where the core's stores are seen (dirty.h), and then a
 * store to a page that is not accessible is noticed, too; elsewhere pages are read to know.
 * FUZZ_SCAN=1 in the environment reads them in any case, to see that no store goes unseen.
 *
 * Oracles: "os" (a call with wrong arguments), "stray" (a write where nothing is accessible, or to
 * what another user of brk holds), "shown" (memory is given back that the core's own tables still
 * show to other threads), "harness" (this file is wrong).
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "config.h"
#include "os.h"
#include "race.h"
#include "random.h"
#include "sched.h"
#include "sim.h"

#define SIM_SPAN ((size_t)1 << 36)
#define SIM_BASE_FAST SIM_FIRST
#define SIM_BASE_GUARDED (SIM_FIRST + SIM_SPAN)
#define BREAK_START ((size_t)16 << 20)
#define BREAK_LIMIT ((size_t)2 << 30)
#define MAP_LOW ((size_t)4 << 30)

#define EXTENTS_MAX 1024
#define RELEASED_MAX 1024
#define FOREIGN_MAX 64
#define ERROR_MAX 8192
#define FOREIGN_BYTE 0xf0

/* Up to here it is not worth asking the system which pages were touched ... */
#define SCANNED_BYTES ((size_t)1 << 20)
/* ... and beyond so many of them madvise and the page faults that follow it are cheaper. */
#define MANY_PAGES 1024u
#define LOOKED_AT 16u

enum page_state { PAGE_NONE, PAGE_RESERVED, PAGE_READY };

struct extent {
    uintptr_t start, end;
    bool reservation;
};

struct range {
    uintptr_t start, end;
};

static struct {
    struct sim_config config;
    uintptr_t base;
    uintptr_t program_break;
    unsigned extents;
    struct extent extent[EXTENTS_MAX]; /* in order of address */
    unsigned released; /* given back in this run, to be looked at in the end */
    struct range release[RELEASED_MAX];
    unsigned foreigners; /* what another user of brk took */
    struct range foreign[FOREIGN_MAX];
    bool injection;
    uint32_t calls[SIM_CALLS];
    uint64_t random;
    uint64_t clock;
    struct {
        bool in_handler; /* a signal interrupted it */
        void *armed; /* argument of its exit hook; NULL: none */
    } thread[FIBERS_MAX + 1]; /* by sim_thread() */
    void (*on_exit)(void *argument);
    void (*fork_prepare)(void);
    void (*fork_parent)(void);
    void (*fork_child)(void);
    size_t error_bytes;
    char error[ERROR_MAX + 1];
} sim;

static uint8_t page_state[SIM_SPAN / PAGE_BYTES];
static bool ranges_made;

uint8_t sim_dirty[SIM_BYTES >> SIM_PART_SHIFT];
static bool scans; /* FUZZ_SCAN */

/* Whether the core marks what it writes. */
extern char sim_stores_marked __attribute__((weak));
static inline bool stores_seen(void) { return &sim_stores_marked != NULL; }

struct sim_account sim_account;
void (*sim_on_break)(void);
void (*sim_on_unlocked)(void);
bool (*sim_shows)(const void *byte);

/* ---- reporting ------------------------------------------------------------------------------ */

static void print_error_text(void) {
    if (sim.error_bytes > 0)
        fprintf(stderr, "fuzz: the core wrote: %s%s", sim.error,
                sim.error[sim.error_bytes - 1] == '\n' ? "" : "\n");
}

void sim_break(const char *oracle, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "fuzz: oracle=%s: ", oracle);
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\n");
    va_end(arguments);
    print_error_text();
    sim_print_locks();
    if (sim_on_break != NULL)
        sim_on_break();
    fflush(NULL);
    abort();
}

const char *sim_error_text(void) { return sim.error; }

void os_write_error(const char *text, size_t bytes) {
    size_t room = ERROR_MAX - sim.error_bytes;
    if (bytes > room)
        bytes = room;
    memcpy(sim.error + sim.error_bytes, text, bytes);
    sim.error_bytes += bytes;
    sim.error[sim.error_bytes] = '\0';
}

_Noreturn void os_abort(void) { sim_break("report", "the core reported a fault and aborted"); }

/* ---- pages ---------------------------------------------------------------------------------- */

static uint8_t *state_of(uintptr_t page) { return &page_state[(page - sim.base) / PAGE_BYTES]; }

static bool in_world(uintptr_t start, size_t bytes) {
    return start >= sim.base && start - sim.base <= SIM_SPAN &&
           bytes <= SIM_SPAN - (start - sim.base);
}

static void require_pages(const char *call, uintptr_t start, size_t bytes) {
    if (bytes == 0 || bytes % PAGE_BYTES != 0 || start % PAGE_BYTES != 0 || !in_world(start, bytes))
        sim_break("os", "%s(%p, %zu): not whole pages of this world", call, (void *)start, bytes);
}

static void require_state(const char *call, uintptr_t start, size_t bytes, enum page_state state) {
    uint8_t *first = state_of(start);
    for (size_t i = 0; i < bytes / PAGE_BYTES; i++)
        if (first[i] != state)
            sim_break("os", "%s(%p, %zu): page %zu is %s", call, (void *)start, bytes, i,
                      first[i] == PAGE_NONE       ? "not mapped"
                      : first[i] == PAGE_RESERVED ? "reserved, not committed"
                                                  : "accessible already");
}

#if defined(__x86_64__)
__attribute__((target_clones("avx2", "default")))
#endif
static bool
is_zero(uintptr_t start, size_t bytes) {
    const uint64_t *word = (const uint64_t *)start;
    for (size_t i = 0; i < bytes / 8; i += PAGE_BYTES / 8) {
        uint64_t any = 0;
        for (size_t k = 0; k < PAGE_BYTES / 8; k++)
            any |= word[i + k];
        if (any != 0)
            return false;
    }
    return true;
}

/* Most of what is handed out was zeroed when it was taken back: in a long range only some pages are
 * looked at, the ends and others between them. */
static bool looks_zero(uintptr_t start, size_t bytes) {
    size_t pages = bytes / PAGE_BYTES, step = 1 + pages / LOOKED_AT;
    for (size_t i = 0; i < pages; i += step)
        if (!is_zero(start + i * PAGE_BYTES, PAGE_BYTES))
            return false;
    return is_zero(start + bytes - PAGE_BYTES, PAGE_BYTES);
}

static uint8_t *dirty_of(uintptr_t part) {
    return &sim_dirty[(part - SIM_FIRST) >> SIM_PART_SHIFT];
}

/* The first part from `start` on that was marked as written, or `end`. */
static uintptr_t next_marked(uintptr_t start, uintptr_t end) {
    const uint8_t *from = dirty_of(start);
    const uint8_t *marked = start < end ? memchr(from, 1, (end - start) >> SIM_PART_SHIFT) : NULL;
    return marked == NULL ? end : start + ((size_t)(marked - from) << SIM_PART_SHIFT);
}

void sim_wrote(const volatile void *p, size_t bytes) {
    uintptr_t start = (uintptr_t)p & ~(SIM_PART_BYTES - 1), end = (uintptr_t)p + bytes;
    if (bytes == 0 || start - SIM_FIRST >= SIM_BYTES)
        return;
    memset(dirty_of(start), 1, (end - start + SIM_PART_BYTES - 1) >> SIM_PART_SHIFT);
}

static void require_unseen_zero(uintptr_t start, uintptr_t end) {
    for (; start < end; start += sizeof(uint64_t))
        if (*dirty_of(start) == 0 && *(const uint64_t *)start != 0)
            sim_break("harness", "%p was written, and no store to it was seen", (void *)start);
}

static void zero_marked(uintptr_t start, size_t bytes) {
    uintptr_t end = start + bytes;
    if (scans)
        require_unseen_zero(start, end);
    for (uintptr_t part = start; (part = next_marked(part, end)) < end; part += SIM_PART_BYTES) {
        memset((void *)part, 0, SIM_PART_BYTES);
        *dirty_of(part) = 0;
    }
}

static void zero_pages(uintptr_t start, size_t bytes) {
    for (uintptr_t page = start; page < start + bytes; page += PAGE_BYTES)
        if (!is_zero(page, PAGE_BYTES))
            memset((void *)page, 0, PAGE_BYTES);
}

/* In a long range few pages were ever touched; the others are zero, and to touch them would cost
 * page faults. Where many were, the system is quicker. */
static void zero_long(uintptr_t start, size_t bytes) {
    static unsigned char resident[SIM_SPAN / PAGE_BYTES / 64];
    size_t pages = bytes / PAGE_BYTES, touched = 0;
    bool known = pages <= sizeof resident && mincore((void *)start, bytes, resident) == 0;
    for (size_t i = 0; known && i < pages; i++)
        touched += resident[i] & 1;
    if (!known || touched > MANY_PAGES) {
        if (madvise((void *)start, bytes, MADV_DONTNEED) != 0)
            sim_break("harness", "madvise(%p, %zu): %s", (void *)start, bytes, strerror(errno));
        return;
    }
    for (size_t i = 0; touched > 0 && i < pages; i++)
        if (resident[i] & 1)
            zero_pages(start + i * PAGE_BYTES, PAGE_BYTES);
}

static void zero(uintptr_t start, size_t bytes) {
    if (stores_seen())
        zero_marked(start, bytes);
    else if (bytes <= SCANNED_BYTES)
        zero_pages(start, bytes);
    else
        zero_long(start, bytes);
}

static void protect(uintptr_t start, size_t bytes, int protection) {
    if (sim.config.guarded && mprotect((void *)start, bytes, protection) != 0)
        sim_break("harness", "mprotect(%p, %zu): %s", (void *)start, bytes, strerror(errno));
}

/* Pages become accessible. They are zero, unless someone wrote where nothing was. */
static void give(uintptr_t start, size_t bytes) {
    if (bytes == 0)
        return;
    int saved = errno;
    race_new_pages(start, bytes);
    protect(start, bytes, PROT_READ | PROT_WRITE);
    if (!sim.config.guarded && (stores_seen() ? next_marked(start, start + bytes) < start + bytes
                                              : !looks_zero(start, bytes)))
        sim_break("stray", "pages at %p (%zu bytes) were written before they were mapped",
                  (void *)start, bytes);
    memset(state_of(start), PAGE_READY, bytes / PAGE_BYTES);
    sim_account.accessible_bytes += bytes;
    if (sim_account.peak_bytes < sim_account.accessible_bytes)
        sim_account.peak_bytes = sim_account.accessible_bytes;
    errno = saved;
}

/* Accessible pages lose their contents and become `state`. */
static void take(uintptr_t start, size_t bytes, enum page_state state) {
    if (bytes == 0)
        return;
    int saved = errno;
    zero(start, bytes);
    protect(start, bytes, PROT_NONE);
    memset(state_of(start), (int)state, bytes / PAGE_BYTES);
    sim_account.accessible_bytes -= bytes;
    if (sim.released < RELEASED_MAX)
        sim.release[sim.released++] = (struct range){start, start + bytes};
    errno = saved;
}

/* Of what is given back. */
static void require_unshown(uintptr_t start, size_t bytes) {
    if (sim_shows == NULL)
        return;
    sched_hold(true);
    bool shown = sim_shows((const void *)start) || sim_shows((const void *)(start + bytes - 1));
    sched_hold(false);
    if (shown)
        sim_break("shown", "%p (%zu bytes) is given back, and another thread would still read it",
                  (void *)start, bytes);
}

/* Unmap [start, end), of which some runs of pages are accessible. */
static void take_runs(uintptr_t start, uintptr_t end) {
    while (start < end) {
        uint8_t *first = state_of(start);
        size_t pages = (end - start) / PAGE_BYTES, run = 0;
        const uint8_t *ready = memchr(first, PAGE_READY, pages); /* reservations are long */
        size_t skip = ready == NULL ? pages : (size_t)(ready - first);
        memset(first, PAGE_NONE, skip);
        while (skip + run < pages && first[skip + run] == PAGE_READY)
            run++;
        take(start + skip * PAGE_BYTES, run * PAGE_BYTES, PAGE_NONE);
        start += (skip + run) * PAGE_BYTES;
    }
}

bool sim_accessible(const void *p, size_t bytes) {
    uintptr_t start = (uintptr_t)p;
    if (!in_world(start, bytes))
        return false;
    for (uintptr_t page = start & ~(uintptr_t)(PAGE_BYTES - 1); page < start + bytes;
         page += PAGE_BYTES)
        if (*state_of(page) != PAGE_READY)
            return false;
    return true;
}

/* ---- extents -------------------------------------------------------------------------------- */

/* Index of the first extent that ends behind `address`. */
static unsigned extent_at(uintptr_t address) {
    unsigned low = 0, high = sim.extents;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (sim.extent[middle].end > address)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static void count_extent(const struct extent *e, int sign) {
    unsigned *kind = e->reservation ? &sim_account.reservations : &sim_account.mappings;
    *kind += (unsigned)sign;
    if (sim_account.mappings_max < sim_account.mappings)
        sim_account.mappings_max = sim_account.mappings;
}

static void extent_insert(unsigned at, struct extent e) {
    memmove(&sim.extent[at + 1], &sim.extent[at], (sim.extents - at) * sizeof e);
    sim.extent[at] = e;
    sim.extents++;
    count_extent(&e, 1);
}

static void extent_remove(unsigned at) {
    count_extent(&sim.extent[at], -1);
    sim.extents--;
    memmove(&sim.extent[at], &sim.extent[at + 1], (sim.extents - at) * sizeof sim.extent[0]);
}

/* The highest free place, 0 if there is none. */
static uintptr_t find_place(size_t bytes, size_t align) {
    size_t gap = (size_t)sim.config.gap_pages * PAGE_BYTES;
    uintptr_t ceiling = sim.base + SIM_SPAN - PAGE_BYTES;
    for (unsigned i = sim.extents;; i--) {
        uintptr_t floor = i > 0 ? sim.extent[i - 1].end + gap : sim.base + MAP_LOW;
        if (ceiling >= floor && ceiling - floor >= bytes) {
            uintptr_t start = (ceiling - bytes) & ~(uintptr_t)(align - 1);
            if (start >= floor)
                return start;
        }
        if (i == 0)
            return 0;
        ceiling = sim.extent[i - 1].start - gap;
    }
}

/* Two slots are kept so that an unmap in the middle can always split. */
static bool has_slot(void) { return sim.extents + 2 < EXTENTS_MAX; }

/* ---- failures ------------------------------------------------------------------------------- */

static bool refuse(enum sim_call call) {
    sim_account.failures++;
    sim_account.failed[call]++;
    errno = ENOMEM;
    return true;
}

bool sim_fails(enum sim_call call) {
    if (sched_is_held())
        return false;
    uint32_t number = ++sim.calls[call];
    sim_account.calls++;
    /* In a handler fork tries a lock 20,000 times, which tells nothing. */
    if (!sim.injection || sim.thread[sim_thread()].in_handler)
        return false;
    for (unsigned i = 0; i < SIM_FAILURES; i++) {
        const struct sim_failure *f = &sim.config.failure[i];
        if (f->call == call && number >= f->first && number - f->first < f->count)
            return refuse(call);
    }
    return false;
}

void sim_signal_point(const volatile void *what) {
    int saved = errno;
    sched_point(what, SCHED_WRITES);
    if (!sim.thread[sim_thread()].in_handler && sim_fails(SIM_SIGNAL))
        sim_fork(sim.calls[SIM_SIGNAL] % 2 != 0);
    errno = saved;
}

static bool over_limit(enum sim_call call, size_t bytes) {
    size_t used = sim_account.accessible_bytes;
    if (bytes <= sim.config.limit_bytes && used <= sim.config.limit_bytes - bytes)
        return false;
    return refuse(call);
}

void sim_injection(bool on) { sim.injection = on; }

/* ---- os.h: memory --------------------------------------------------------------------------- */

static uintptr_t page_up(uintptr_t address) {
    return (address + PAGE_BYTES - 1) & ~(uintptr_t)(PAGE_BYTES - 1);
}

static void *move_break(ptrdiff_t delta) {
    uintptr_t old = sim.program_break, lowest = sim.base + BREAK_START;
    if (delta > 0) {
        if ((size_t)delta > sim.base + BREAK_LIMIT - old) {
            refuse(SIM_BRK);
            return NULL;
        }
        if (over_limit(SIM_BRK, (size_t)delta))
            return NULL;
    } else if ((size_t)-delta > old - lowest) {
        sim_break("os", "os_brk(%td): below the start of the break area", delta);
    }
    uintptr_t new = old + (size_t)delta;
    sim.program_break = new;
    if (delta < 0)
        require_unshown(new, old - new);
    if (delta > 0)
        give(page_up(old), page_up(new) - page_up(old));
    else
        take(page_up(new), page_up(old) - page_up(new), PAGE_NONE);
    return (void *)old;
}

void *os_brk(ptrdiff_t delta) {
    if (delta == 0)
        return (void *)sim.program_break;
    sim_signal_point(&sim.program_break);
    if (sim_fails(SIM_BRK))
        return NULL;
    int saved = errno;
    if (delta > 0 && sim_fails(SIM_BRK_RACE))
        sim_foreign_brk(PAGE_BYTES);
    errno = saved;
    if (delta < 0 && sim.foreigners > 0 &&
        sim.program_break - (size_t)-delta < sim.foreign[sim.foreigners - 1].end)
        sim_break("os", "os_brk(%td): takes away what another user of brk holds", delta);
    return move_break(delta);
}

void *os_map(size_t bytes) {
    if (bytes == 0 || bytes % PAGE_BYTES != 0)
        sim_break("os", "os_map(%zu): not whole pages", bytes);
    sim_signal_point(&sim.extents);
    if (sim_fails(SIM_MAP))
        return NULL;
    if (over_limit(SIM_MAP, bytes))
        return NULL;
    uintptr_t start = bytes <= SIM_SPAN && has_slot() ? find_place(bytes, PAGE_BYTES) : 0;
    if (start == 0) {
        refuse(SIM_MAP);
        return NULL;
    }
    extent_insert(extent_at(start), (struct extent){start, start + bytes, false});
    give(start, bytes);
    return (void *)start;
}

void *os_reserve(size_t bytes, size_t align) {
    if (bytes == 0 || bytes % PAGE_BYTES != 0 || align == 0 || (align & (align - 1)) != 0)
        sim_break("os", "os_reserve(%zu, %zu): not whole pages or a bad alignment", bytes, align);
    if (align < PAGE_BYTES)
        align = PAGE_BYTES;
    sim_signal_point(&sim.extents);
    if (sim_fails(SIM_RESERVE))
        return NULL;
    uintptr_t start = bytes <= SIM_SPAN && has_slot() ? find_place(bytes, align) : 0;
    if (start == 0) {
        refuse(SIM_RESERVE);
        return NULL;
    }
    extent_insert(extent_at(start), (struct extent){start, start + bytes, true});
    memset(state_of(start), PAGE_RESERVED, bytes / PAGE_BYTES);
    sim_account.reservations_made++;
    return (void *)start;
}

bool os_commit(void *p, size_t bytes) {
    uintptr_t start = (uintptr_t)p;
    require_pages("os_commit", start, bytes);
    sim_signal_point(p);
    require_state("os_commit", start, bytes, PAGE_RESERVED);
    if (sim_fails(SIM_COMMIT) || over_limit(SIM_COMMIT, bytes))
        return false;
    give(start, bytes);
    return true;
}

void os_decommit(void *p, size_t bytes) {
    uintptr_t start = (uintptr_t)p;
    require_pages("os_decommit", start, bytes);
    sched_point(p, SCHED_WRITES);
    require_state("os_decommit", start, bytes, PAGE_READY);
    if (sim_place(p) != SIM_IN_RESERVATION)
        sim_break("os", "os_decommit(%p, %zu): not in a reservation", p, bytes);
    sim_account.calls++;
    require_unshown(start, bytes);
    take(start, bytes, PAGE_RESERVED);
}

void os_populate(void *p, size_t bytes) {
    uintptr_t start = (uintptr_t)p;
    require_pages("os_populate", start, bytes);
    sim_signal_point(p);
    require_state("os_populate", start, bytes, PAGE_READY);
}

bool os_purge(void *p, size_t bytes) {
    uintptr_t start = (uintptr_t)p;
    require_pages("os_purge", start, bytes);
    sim_signal_point(p);
    require_state("os_purge", start, bytes, PAGE_READY);
    if (sim_fails(SIM_PURGE))
        return false;
    int saved = errno;
    zero(start, bytes);
    errno = saved;
    return true;
}

void os_unmap(void *p, size_t bytes) {
    uintptr_t start = (uintptr_t)p, end = start + bytes;
    require_pages("os_unmap", start, bytes);
    sim_account.calls++;
    sim_signal_point(&sim.extents);
    require_unshown(start, bytes);
    for (unsigned i = extent_at(start); start < end;) {
        if (i == sim.extents || sim.extent[i].start > start)
            sim_break("os", "os_unmap(%p, %zu): nothing is mapped at %p", p, bytes, (void *)start);
        struct extent e = sim.extent[i];
        uintptr_t stop = e.end < end ? e.end : end;
        extent_remove(i);
        if (e.start < start)
            extent_insert(i++, (struct extent){e.start, start, e.reservation});
        if (stop < e.end)
            extent_insert(i, (struct extent){stop, e.end, e.reservation});
        take_runs(start, stop);
        start = stop;
    }
}

static void copy_marked(uintptr_t to, uintptr_t from, size_t bytes) {
    for (uintptr_t part = from, end = from + bytes; (part = next_marked(part, end)) < end;
         part += SIM_PART_BYTES) {
        memcpy((void *)(to + (part - from)), (const void *)part, SIM_PART_BYTES);
        sim_mark((const void *)(to + (part - from)));
    }
}

/* Copy what was touched; large mappings are mostly untouched, and reading them would not be. */
static void copy_pages(uintptr_t to, uintptr_t from, size_t bytes) {
    if (stores_seen()) {
        copy_marked(to, from, bytes);
        return;
    }
    static unsigned char resident[SIM_SPAN / PAGE_BYTES / 64];
    if (bytes <= SCANNED_BYTES || bytes / PAGE_BYTES > sizeof resident ||
        mincore((void *)from, bytes, resident) != 0) {
        memcpy((void *)to, (const void *)from, bytes);
        return;
    }
    for (size_t i = 0; i < bytes / PAGE_BYTES; i++)
        if (resident[i] & 1)
            memcpy((void *)(to + i * PAGE_BYTES), (const void *)(from + i * PAGE_BYTES),
                   PAGE_BYTES);
}

static void *grow_mapping(unsigned i, size_t old_bytes, size_t new_bytes, bool may_move) {
    struct extent *e = &sim.extent[i];
    uintptr_t old = e->start;
    uintptr_t ceiling =
        i + 1 < sim.extents ? sim.extent[i + 1].start : sim.base + SIM_SPAN - PAGE_BYTES;
    bool stays = ceiling - old >= new_bytes && !(sim.config.remap_moves && may_move);
    if (over_limit(SIM_REMAP, new_bytes - old_bytes))
        return NULL;
    if (stays) {
        e->end = old + new_bytes;
        give(old + old_bytes, new_bytes - old_bytes);
        return (void *)old;
    }
    uintptr_t start = may_move && has_slot() ? find_place(new_bytes, PAGE_BYTES) : 0;
    if (start == 0) {
        refuse(SIM_REMAP);
        return NULL;
    }
    extent_remove(i);
    extent_insert(extent_at(start), (struct extent){start, start + new_bytes, false});
    give(start, new_bytes);
    copy_pages(start, old, old_bytes);
    require_unshown(old, old_bytes);
    take(old, old_bytes, PAGE_NONE);
    return (void *)start;
}

void *os_remap(void *p, size_t old_bytes, size_t new_bytes, bool may_move) {
    uintptr_t start = (uintptr_t)p;
    require_pages("os_remap", start, old_bytes);
    if (new_bytes == 0 || new_bytes % PAGE_BYTES != 0)
        sim_break("os", "os_remap(%p, %zu, %zu): not whole pages", p, old_bytes, new_bytes);
    sim_signal_point(&sim.extents); /* first: the extents may be others then */
    unsigned i = extent_at(start);
    if (i == sim.extents || sim.extent[i].start != start ||
        sim.extent[i].end != start + old_bytes || sim.extent[i].reservation)
        sim_break("os", "os_remap(%p, %zu, %zu): not a mapping of that size", p, old_bytes,
                  new_bytes);
    if (sim_fails(SIM_REMAP))
        return NULL;
    if (new_bytes > SIM_SPAN) {
        refuse(SIM_REMAP);
        return NULL;
    }
    if (new_bytes > old_bytes)
        return grow_mapping(i, old_bytes, new_bytes, may_move);
    if (new_bytes < old_bytes) {
        sim.extent[i].end = start + new_bytes;
        require_unshown(start + new_bytes, old_bytes - new_bytes);
        take(start + new_bytes, old_bytes - new_bytes, PAGE_NONE);
    }
    return p;
}

/* ---- os.h: the rest ------------------------------------------------------------------------- */

uint64_t os_random(void) { return random_bits(&sim.random); }

unsigned os_cpu_count(void) { return sim.config.cpus; }

uint64_t os_clock_ns(void) { return sim.clock += 1000; }

void sim_clock_advance(uint64_t nanoseconds) { sim.clock += nanoseconds; }

const char *os_environment(const char *name) {
    const struct sim_environment *e = sim.config.environment;
    for (; e != NULL && e->name != NULL; e++)
        if (strcmp(e->name, name) == 0)
            return e->value;
    return NULL;
}

void os_thread_exit_hook(void (*on_exit)(void *argument)) { sim.on_exit = on_exit; }

void os_thread_arm(void *argument) { sim.thread[sim_thread()].armed = argument; }

void sim_thread_exit(void) {
    void *argument = sim.thread[sim_thread()].armed;
    sim.thread[sim_thread()].armed = NULL;
    if (argument != NULL && sim.on_exit != NULL)
        sim.on_exit(argument);
}

void os_fork_hooks(void (*prepare)(void), void (*parent)(void), void (*child)(void)) {
    sim.fork_prepare = prepare;
    sim.fork_parent = parent;
    sim.fork_child = child;
}

/* The other threads are not in the child: what they were doing is left where it stands. Those that
 * begin anew are held back until the hooks are done: a child has no second thread before. */
static void become_child(void) {
    sched_only_self();
    sched_hold(true);
    sim_locks_only_self();
    for (unsigned t = 0; t <= FIBERS_MAX; t++)
        if (t != sim_thread()) {
            sim.thread[t].in_handler = false;
            sim.thread[t].armed = NULL;
        }
}

static void begin_anew(void) {
    sched_hold(false);
    race_only_self(); /* whatever the hooks wrote is ordered before */
}

void sim_fork(bool as_child) {
    void (*after)(void) = as_child ? sim.fork_child : sim.fork_parent;
    bool nested = sim.thread[sim_thread()].in_handler;
    sim.thread[sim_thread()].in_handler = true; /* none in a handler that interrupted fork itself */
    if (sim.fork_prepare != NULL)
        sim.fork_prepare();
    if (as_child)
        become_child();
    if (after != NULL)
        after();
    if (as_child)
        begin_anew();
    sim.thread[sim_thread()].in_handler = nested;
}

/* ---- the world ------------------------------------------------------------------------------ */

static void make_range(uintptr_t base, int protection) {
    void *got = mmap((void *)base, SIM_SPAN, protection,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
    if (got != (void *)base) {
        fprintf(stderr, "fuzz: cannot reserve %zu GiB of addresses at %p: %s\n", SIM_SPAN >> 30,
                (void *)base, got == MAP_FAILED ? strerror(errno) : "range in use");
        exit(2);
    }
}

/* Give back all of the last run, and leave nothing of a stray write for the next one. */
static void clear_world(void) {
    uintptr_t start = sim.base + BREAK_START;
    take(start, page_up(sim.program_break) - start, PAGE_NONE);
    for (unsigned i = 0; i < sim.extents; i++)
        take_runs(sim.extent[i].start, sim.extent[i].end);
}

void sim_reset(const struct sim_config *config) {
    if (!ranges_made) {
        make_range(SIM_BASE_FAST, PROT_READ | PROT_WRITE);
        make_range(SIM_BASE_GUARDED, PROT_NONE);
        ranges_made = true;
        scans = getenv("FUZZ_SCAN") != NULL;
    } else {
        clear_world();
    }
    sim.config = *config;
    sim.base = config->guarded ? SIM_BASE_GUARDED : SIM_BASE_FAST;
    sim.program_break = sim.base + BREAK_START;
    sim.extents = sim.released = sim.foreigners = 0;
    sim_account = (struct sim_account){0};
    sim.injection = true;
    memset(sim.calls, 0, sizeof sim.calls);
    sim.random = config->seed;
    sim.clock = 1000000000;
    memset(sim.thread, 0, sizeof sim.thread); /* the hooks stay: registered once, at load */
    sim_locks_reset();
    sim.error_bytes = 0;
    sim.error[0] = '\0';
}

/* The core starts by itself when it is loaded, before there is a run. */
__attribute__((constructor(101))) static void first_world(void) {
    sim_reset(&(struct sim_config){.cpus = 1, .limit_bytes = BREAK_LIMIT});
}

enum sim_place sim_place(const void *p) {
    uintptr_t address = (uintptr_t)p;
    if (address >= sim.base + BREAK_START && address < sim.program_break)
        return SIM_IN_BREAK;
    unsigned i = extent_at(address);
    if (i == sim.extents || sim.extent[i].start > address)
        return SIM_OUTSIDE;
    return sim.extent[i].reservation ? SIM_IN_RESERVATION : SIM_IN_MAPPING;
}

static size_t marked_dirty_pages(uintptr_t start, uintptr_t end) {
    size_t dirty = 0;
    while ((start = next_marked(start, end)) < end) {
        start &= ~(uintptr_t)(PAGE_BYTES - 1);
        dirty += *state_of(start) == PAGE_READY && !is_zero(start, PAGE_BYTES);
        start += PAGE_BYTES;
    }
    return dirty;
}

static size_t dirty_pages(uintptr_t start, uintptr_t end) {
    size_t dirty = 0;
    if (stores_seen())
        return marked_dirty_pages(start, end);
    for (; start < end; start += PAGE_BYTES) {
        const uint8_t *from = state_of(start);
        const uint8_t *ready = memchr(from, PAGE_READY, (end - start) / PAGE_BYTES);
        if (ready == NULL)
            break;
        start += (size_t)(ready - from) * PAGE_BYTES;
        dirty += !is_zero(start, PAGE_BYTES);
    }
    return dirty;
}

size_t sim_dirty_pages(void) {
    size_t dirty = dirty_pages(sim.base + BREAK_START, page_up(sim.program_break));
    for (unsigned i = 0; i < sim.extents; i++)
        if (sim.extent[i].reservation)
            dirty += dirty_pages(sim.extent[i].start, sim.extent[i].end);
    return dirty;
}

struct sim_footprint sim_footprint(void) {
    struct sim_footprint f = {
        .break_bytes = page_up(sim.program_break) - (sim.base + BREAK_START),
    };
    for (unsigned i = 0; i < sim.extents; i++)
        if (!sim.extent[i].reservation)
            f.mapping_bytes += sim.extent[i].end - sim.extent[i].start;
    f.committed_bytes = sim_account.accessible_bytes - f.break_bytes - f.mapping_bytes;
    return f;
}

/* Another user of brk uses so much of each page, and of the end of the last. */
enum { FOREIGN_USED = 64 };

static void at_foreign_bytes(const struct range *r, void (*act)(uint8_t *start, size_t bytes)) {
    uintptr_t step;
    for (uintptr_t at = r->start; at < r->end; at += step) {
        step = PAGE_BYTES - at % PAGE_BYTES;
        act((uint8_t *)at, r->end - at < FOREIGN_USED ? r->end - at : FOREIGN_USED);
    }
    size_t last = r->end - r->start < FOREIGN_USED ? r->end - r->start : FOREIGN_USED;
    act((uint8_t *)r->end - last, last);
}

static void write_foreign(uint8_t *start, size_t bytes) {
    memset(start, FOREIGN_BYTE, bytes);
    sim_wrote(start, bytes);
}

bool sim_foreign_brk(size_t bytes) {
    if (sim.foreigners == FOREIGN_MAX || bytes == 0)
        return false;
    uintptr_t start = (uintptr_t)move_break((ptrdiff_t)bytes);
    if (start == 0)
        return false;
    sim_account.foreign_brks++;
    struct range *r = &sim.foreign[sim.foreigners++];
    *r = (struct range){start, start + bytes};
    at_foreign_bytes(r, write_foreign);
    return true;
}

static void check_foreign(uint8_t *start, size_t bytes) {
    for (const uint8_t *p = start; p < start + bytes; p++)
        if (*p != FOREIGN_BYTE)
            sim_break("stray", "byte %p belongs to another user of brk and was overwritten",
                      (const void *)p);
}

/* Pages that were given back must have stayed zero; those at both ends are looked at, or all where
 * it is known which were written. */
static void check_released(const struct range *r) {
    if (stores_seen()) {
        for (uintptr_t part = r->start; (part = next_marked(part, r->end)) < r->end;
             part += SIM_PART_BYTES)
            if (*state_of(part) != PAGE_READY)
                sim_break("stray", "%p was written after it was given back", (void *)part);
        return;
    }
    size_t edge = PAGE_BYTES;
    for (uintptr_t page = r->start; page < r->end; page += PAGE_BYTES) {
        if (page == r->start + edge && r->end - r->start > 2 * edge)
            page = r->end - edge;
        if (*state_of(page) != PAGE_READY && !is_zero(page, PAGE_BYTES))
            sim_break("stray", "page %p was written after it was given back", (void *)page);
    }
}

void sim_check_memory(void) {
    for (unsigned i = 0; i < sim.foreigners; i++)
        at_foreign_bytes(&sim.foreign[i], check_foreign);
    if (sim.config.guarded)
        return;
    for (unsigned i = 0; i < sim.released; i++)
        check_released(&sim.release[i]);
}
