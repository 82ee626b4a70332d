/* arena.c: see arena.h. Owns the ring of arenas, the main arena and the process's secrets. */
#include "arena.h"

#include "assumptions.h"
#include "options.h"
#include "os.h"
#include "pagemap.h"
#include "report.h"
#include "size.h"

struct address_range arena_break_range;

static struct arena main_arena;
static struct heap break_heap;
static struct seal_key key;
static struct lock list_lock; /* guards the ring's growth */
static uint32_t arenas_made; /* atomic */
static size_t all_committed_bytes; /* of all arenas; atomic */
static unsigned processors; /* asked for at the start only: a sandbox may forbid it later */
static bool growth_refused; /* once, by the system; atomic */

/* How often a thread tries its own arena's lock before it moves to another: locks are held for a
 * microsecond, and threads that move make arenas, each with memory of its own. */
enum { ENTER_TRIES = 50 };

/* ---- Secrets, the ring ------------------------------------------------------------------------ */

static void draw_secrets(void) {
    key = (struct seal_key){.secret = os_random() | 1, .multiplier = os_random() | 1};
    uint64_t bits = os_random() | 1;
    for (unsigned s = 0; s < SEAL_STATES; s++) /* differ: multiples of an odd number */
        key.state[s] = (uint16_t)((bits >> 32) ^ (s * bits & 0xffff));
}

const struct seal_key *arena_key(void) { return &key; }
struct arena *arena_main(void) {
    return &main_arena;
}
uint32_t arena_count(void) { return __atomic_load_n(&arenas_made, __ATOMIC_RELAXED); }
size_t arena_committed_bytes(void) {
    return __atomic_load_n(&all_committed_bytes, __ATOMIC_RELAXED);
}
bool arena_memory_is_short(void) { return __atomic_load_n(&growth_refused, __ATOMIC_RELAXED); }
struct lock *arena_list_lock(void) {
    return &list_lock;
}
struct arena *arena_next(const struct arena *a) {
    return __atomic_load_n(&a->next, __ATOMIC_ACQUIRE);
}

void arena_start(void) {
    main_arena = (struct arena){.next = &main_arena, .next_class = REGION_CLASS_FIRST};
    break_heap = (struct heap){.arena = &main_arena};
    arena_break_range = (struct address_range){0, 0};
    arenas_made = 1;
    all_committed_bytes = 0;
    processors = os_cpu_count();
    growth_refused = false;
    lock_init(&main_arena.lock);
    lock_init(&list_lock);
    draw_secrets();
}

static size_t arena_limit(void) {
    size_t limit = option(&options.arena_max);
    if (limit != 0)
        return limit;
    size_t by_processors = (size_t)ARENAS_PER_PROCESSOR * processors;
    size_t test = option(&options.arena_test);
    return by_processors > test ? by_processors : test;
}

/* A new arena, locked, in the ring behind main; NULL when the limit or memory is reached. */
static struct arena *arena_create(void) {
    size_t limit = arena_limit();
    if (arena_count() >= limit)
        return NULL;
    struct arena *a = NULL;
    lock_acquire(&list_lock);
    if (arenas_made < limit && (a = os_map(PAGE_BYTES)) != NULL) {
        lock_init(&a->lock);
        lock_acquire(&a->lock);
        a->number = arenas_made;
        a->next_class = REGION_CLASS_FIRST;
        a->next = main_arena.next;
        __atomic_store_n(&main_arena.next, a, __ATOMIC_RELEASE);
        __atomic_store_n(&arenas_made, arenas_made + 1, __ATOMIC_RELAXED);
    }
    lock_release(&list_lock);
    return a;
}

/* An arena other than `a` whose lock is free, locked. */
static struct arena *arena_enter_other(const struct arena *a) {
    for (struct arena *b = arena_next(a); b != a; b = arena_next(b))
        if (!b->lost && lock_try(&b->lock))
            return b;
    return arena_create();
}

struct arena *arena_enter(struct arena **preferred) {
    struct arena *a = *preferred;
    for (unsigned attempt = 0; attempt < ENTER_TRIES && !a->lost; attempt++)
        if (lock_try(&a->lock))
            return a;
    struct arena *other = arena_enter_other(a);
    if (other != NULL) {
        *preferred = other;
        return other;
    }
    if (a->lost)
        return NULL;
    lock_acquire(&a->lock);
    return a;
}

/* ---- Heaps ------------------------------------------------------------------------------------ */

struct heap *heap_of(const struct granule *header) {
    if ((header->flags & FLAG_ARENA) == 0)
        return &break_heap;
    uintptr_t size = (uintptr_t)REGION_UNIT_BYTES << (header->flags >> FLAG_CLASS_SHIFT);
    return (struct heap *)((uintptr_t)header & ~(size - 1));
}

static void count_system(struct arena *a, size_t more, size_t less) {
    a->system_bytes += more;
    a->system_bytes -= less;
    if (a->system_bytes > a->system_bytes_max)
        a->system_bytes_max = a->system_bytes;
    __atomic_add_fetch(&all_committed_bytes, more - less, __ATOMIC_RELAXED);
}

static void set_break_range(const struct heap *h) {
    uintptr_t first = (uintptr_t)h->start + GRANULE_BYTES;
    __atomic_store_n(&arena_break_range.to_zero, -first, __ATOMIC_RELAXED);
    __atomic_store_n(&arena_break_range.granules, h->committed_bytes / GRANULE_BYTES,
                     __ATOMIC_RELAXED);
}

static void heap_start_region(struct heap *h, unsigned char *first, uint8_t flags) {
    struct seal_key own = key;
    own.base = (uintptr_t)first / GRANULE_BYTES;
    size_t bytes = h->committed_bytes - (size_t)(first - h->start);
    region_init(&h->region, (struct granule *)(void *)first, (uint32_t)(bytes / GRANULE_BYTES),
                &own, flags);
}

/* Granules the region would have with `committed_bytes`. */
static uint32_t granules_within(const struct heap *h, size_t committed_bytes) {
    size_t lead = (size_t)((unsigned char *)h->region.g - h->start);
    return (uint32_t)((committed_bytes - lead) / GRANULE_BYTES);
}

/* Bytes by which a heap must grow so that top can serve `size` granules, padded. */
static size_t growth_bytes(const struct heap *h, uint32_t size, size_t pad_bytes) {
    size_t have = region_top_granules(&h->region);
    size_t need = (size_t)size + CHUNK_MIN_GRANULES;
    return need <= have ? 0 : (need - have) * GRANULE_BYTES + pad_bytes;
}

/* `bytes` behind its end are the heap's memory from now on: top grows. */
static void heap_extend(struct heap *h, size_t bytes) {
    h->committed_bytes += bytes;
    count_system(h->arena, bytes, 0);
    region_extend(&h->region, granules_within(h, h->committed_bytes), true);
}

/* Give back what was just got at `start`, unless somebody has built upon it since. */
static void break_return(const unsigned char *start, size_t bytes) {
    if (os_brk(0) == start + bytes)
        os_brk(-(ptrdiff_t)bytes);
}

static bool break_extend(struct heap *h, size_t bytes) {
    size_t limit = (size_t)REGION_LIMIT_GRANULES * GRANULE_BYTES;
    if (h->committed_bytes + bytes > limit)
        return false;
    unsigned char *before = os_brk((ptrdiff_t)bytes);
    if (before == NULL)
        return false;
    if (before != h->start + h->committed_bytes) { /* somebody else uses brk, too: leave it */
        break_return(before, bytes);
        main_arena.break_lost = true;
        return false;
    }
    heap_extend(h, bytes);
    set_break_range(h);
    return true;
}

static bool break_create(struct heap *h, size_t bytes) {
    unsigned char *now = os_brk(0);
    if (now == NULL)
        return false;
    size_t lead = (PAGE_BYTES - (uintptr_t)now % PAGE_BYTES) % PAGE_BYTES;
    unsigned char *before = os_brk((ptrdiff_t)(bytes + lead));
    if (before == NULL)
        return false;
    if (before != now) {
        break_return(before, bytes + lead);
        return false;
    }
    h->start = now + lead;
    h->committed_bytes = bytes;
    count_system(&main_arena, bytes, 0);
    heap_start_region(h, h->start, 0);
    h->next = main_arena.heaps;
    main_arena.heaps = h;
    set_break_range(h);
    return true;
}

/* Grow over the break by what `size` needs, padded if that can be had. */
static bool break_grow(uint32_t size) {
    struct heap *h = &break_heap;
    size_t pad = option(&options.top_pad_bytes);
    bool made = h->start != NULL;
    size_t need =
        made ? growth_bytes(h, size, 0) : ((size_t)size + REGION_MIN_GRANULES) * GRANULE_BYTES;
    size_t bytes = round_up(need, PAGE_BYTES);
    size_t padded = pad < PTRDIFF_MAX / 4 ? round_up(need + pad, PAGE_BYTES) : bytes;
    if (main_arena.break_lost || bytes > (size_t)REGION_LIMIT_GRANULES * GRANULE_BYTES)
        return false;
    if (made)
        return break_extend(h, padded) || (!main_arena.break_lost && break_extend(h, bytes));
    return break_create(h, padded) || break_create(h, bytes);
}

static bool mapped_heap_grow(struct heap *h, uint32_t size) {
    size_t spare = h->reserved_bytes - h->committed_bytes;
    size_t need = growth_bytes(h, size, 0);
    size_t pad = option(&options.top_pad_bytes);
    if (need > spare)
        return false;
    size_t bytes = need + (pad < spare - need ? pad : spare - need);
    bytes = round_up(bytes, REGION_UNIT_BYTES);
    unsigned char *end = h->start + h->committed_bytes;
    if (!os_commit(end, bytes))
        return false;
    if (!pagemap_enter(end, bytes)) { /* only now: any thread may read what the map shows */
        os_decommit(end, bytes);
        return false;
    }
    heap_extend(h, bytes);
    return true;
}

static uint32_t class_for(size_t bytes) {
    uint32_t class = 0;
    while (class < REGION_CLASS_LAST && (REGION_UNIT_BYTES << class) < bytes)
        class ++;
    return class;
}

/* Address space for a region of at least class `least`, `class` if it can be had. */
static unsigned char *reserve_region(uint32_t least, uint32_t *class) {
    for (;;) {
        size_t bytes = REGION_UNIT_BYTES << *class;
        unsigned char *start = os_reserve(bytes, bytes);
        if (start != NULL || *class == least)
            return start;
        --*class;
    }
}

static bool mapped_heap_create(struct arena *a, uint32_t size) {
    size_t head = round_up(sizeof(struct heap), GRANULE_BYTES);
    size_t need = head + ((size_t)size + REGION_MIN_GRANULES) * GRANULE_BYTES;
    uint32_t least = class_for(need);
    if (need > REGION_UNIT_BYTES << least)
        return false;
    uint32_t class = a->next_class > least ? a->next_class : least;
    unsigned char *start = reserve_region(least, &class);
    if (start == NULL)
        return false;
    size_t reserved = REGION_UNIT_BYTES << class;
    size_t committed = round_up(need, REGION_UNIT_BYTES);
    if (!os_commit(start, committed) || !pagemap_enter(start, committed)) {
        os_unmap(start, reserved);
        return false;
    }
    struct heap *h = (struct heap *)(void *)start;
    *h = (struct heap){.arena = a, .next = a->heaps, .start = start};
    h->reserved_bytes = reserved;
    h->committed_bytes = committed;
    heap_start_region(h, start + head, (uint8_t)(FLAG_ARENA | class << FLAG_CLASS_SHIFT));
    count_system(a, committed, 0);
    a->heaps = h;
    if (class < REGION_CLASS_LAST && class >= a->next_class)
        a->next_class = class + 1;
    return true;
}

/* ---- Allocate --------------------------------------------------------------------------------- */

static bool heap_may_serve(const struct heap *h, uint32_t size) {
    const struct region *r = &h->region;
    return size <= region_top_granules(r) || size <= r->bins.free_granules + r->bins.fast_granules;
}

static uint32_t heap_allocate_run(struct heap *h, uint32_t size, uint32_t wanted,
                                  struct granule **out) {
    uint32_t served[ARENA_RUN_MAX];
    uint32_t fast_max = (uint32_t)option(&options.mxfast_granules);
    h->freed_in_a_row = 0;
    uint32_t count = region_allocate_run(&h->region, size, fast_max, wanted, served);
    for (uint32_t n = 0; n < count; n++)
        out[n] = &h->region.g[served[n]];
    return count;
}

/* Not inline: what it needs in registers would be saved by each other allocation as well. */
static __attribute__((noinline)) struct granule *
heap_allocate_aligned(struct heap *h, uint32_t size, uint32_t align) {
    h->freed_in_a_row = 0;
    uint32_t i = region_allocate_aligned(&h->region, size, align);
    return i == 0 ? NULL : &h->region.g[i];
}

static struct granule *heap_allocate(struct heap *h, uint32_t size, uint32_t align) {
    struct granule *header = NULL;
    if (align > 1)
        return heap_allocate_aligned(h, size, align);
    return heap_allocate_run(h, size, 1, &header) == 0 ? NULL : header;
}

/* Grow one of the arena's heaps, or give it a new one, so that `size` granules fit in its top. */
static struct heap *arena_grow(struct arena *a, uint32_t size) {
    if (a == &main_arena && break_grow(size))
        return &break_heap;
    for (struct heap *h = a->heaps; h != NULL; h = h->next)
        if (h->reserved_bytes != 0 && mapped_heap_grow(h, size))
            return h;
    if (mapped_heap_create(a, size))
        return a->heaps;
    __atomic_store_n(&growth_refused, true, __ATOMIC_RELAXED);
    return NULL;
}

struct granule *arena_allocate(struct arena *a, uint32_t size, uint32_t align, bool may_grow) {
    for (struct heap *h = a->heaps; h != NULL; h = h->next) {
        struct granule *header = heap_may_serve(h, size) ? heap_allocate(h, size, align) : NULL;
        if (header != NULL)
            return header;
    }
    if (!may_grow)
        return NULL;
    uint64_t whole = align > 1 ? (uint64_t)size + align + (uint64_t)2 * CHUNK_MIN_GRANULES : size;
    if (whole > REGION_LIMIT_GRANULES / 2)
        return NULL;
    /* Once more from the first heap: heap_allocate has one caller, and gcc inlines it. */
    return arena_grow(a, (uint32_t)whole) == NULL ? NULL : arena_allocate(a, size, align, false);
}

uint32_t arena_allocate_run(struct arena *a, uint32_t size, uint32_t wanted, struct granule **out) {
    for (struct heap *h = a->heaps; h != NULL; h = h->next) {
        uint32_t count = heap_may_serve(h, size) ? heap_allocate_run(h, size, wanted, out) : 0;
        if (count != 0)
            return count;
    }
    struct heap *h = arena_grow(a, size);
    return h == NULL ? 0 : heap_allocate_run(h, size, wanted, out);
}

/* ---- Free, trim ------------------------------------------------------------------------------- */

static bool break_trim(struct heap *h, size_t keep_granules) {
    struct region *r = &h->region;
    size_t top = region_top_granules(r);
    if (top <= keep_granules)
        return false;
    size_t bytes = (top - keep_granules) * GRANULE_BYTES / PAGE_BYTES * PAGE_BYTES;
    if (bytes == 0 || main_arena.break_lost)
        return false;
    if (os_brk(0) != h->start + h->committed_bytes) {
        main_arena.break_lost = true;
        return false;
    }
    region_trim(r, (uint32_t)(top - bytes / GRANULE_BYTES));
    h->committed_bytes -= bytes;
    set_break_range(h);
    if (os_brk(-(ptrdiff_t)bytes) == NULL) {
        h->committed_bytes += bytes;
        set_break_range(h);
        region_extend(r, granules_within(h, h->committed_bytes), false);
        return false;
    }
    count_system(&main_arena, 0, bytes);
    return true;
}

static bool mapped_heap_trim(struct heap *h, size_t keep_granules) {
    struct region *r = &h->region;
    size_t top = region_top_granules(r);
    if (top <= keep_granules)
        return false;
    const unsigned char *kept_end = (unsigned char *)&r->g[r->top + keep_granules + 1];
    size_t committed = round_up((size_t)(kept_end - h->start), REGION_UNIT_BYTES);
    if (committed >= h->committed_bytes)
        return false;
    size_t bytes = h->committed_bytes - committed;
    region_trim(r, (uint32_t)(top - bytes / GRANULE_BYTES));
    h->committed_bytes = committed;
    count_system(h->arena, 0, bytes);
    pagemap_remove(h->start + committed, bytes);
    os_decommit(h->start + committed, bytes);
    return true;
}

bool heap_trim(struct heap *h, size_t pad_bytes) {
    size_t keep = pad_bytes / GRANULE_BYTES + CHUNK_MIN_GRANULES;
    return h->reserved_bytes == 0 ? break_trim(h, keep) : mapped_heap_trim(h, keep);
}

void arena_destroy_heap(struct arena *a, struct heap *h) {
    struct heap **link = &a->heaps;
    while (*link != h)
        link = &(*link)->next;
    *link = h->next;
    if (a->purge_next == h)
        a->purge_next = h->next;
    count_system(a, 0, h->committed_bytes);
    pagemap_remove(h->start, h->committed_bytes);
    os_unmap(h->start, h->reserved_bytes);
}

bool arena_drop_if_empty(struct arena *a, struct heap *h) {
    if (h->reserved_bytes == 0 || !region_is_empty(&h->region) || a->heaps->next == NULL)
        return false;
    arena_destroy_heap(a, h);
    return true;
}

struct granule *arena_allocate_zero(struct arena *a, uint32_t size, uint32_t align, bool may_grow,
                                    struct zero_bytes *zero) {
    struct granule *header = arena_allocate(a, size, align, may_grow);
    if (header != NULL) {
        const struct region *r = &heap_of(header)->region;
        struct page_run run = align > 1 ? (struct page_run){0, 0} : r->served_zero;
        *zero =
            (struct zero_bytes){(unsigned char *)&r->g[run.from], (unsigned char *)&r->g[run.to]};
    }
    return header;
}
