/* mapped.c: see mapped.h. Owns the table of mappings and its lock. */
#include "mapped.h"

#include "arena.h"
#include "options.h"
#include "os.h"
#include "pagemap.h"
#include "report.h"
#include "size.h"

/* One live mapping: the address of its header and its pages, kept here too so that damage to the
 * header is told from damage to the table. */
struct entry {
    struct granule *header; /* NULL: empty */
    uint32_t pages;
};

static struct table {
    struct lock lock;
    struct entry *entries; /* capacity of them, in a mapping */
    size_t capacity; /* power of two, 0 at first; at most half in use */
    struct mapped_counts counts;
} table;

enum { FIRST_ENTRIES = 256 };

void mapped_start(void) {
    table = (struct table){.capacity = 0};
    lock_init(&table.lock);
}

struct lock *mapped_lock(void) {
    return &table.lock;
}

static uintptr_t page_of(const void *p) { return (uintptr_t)p / PAGE_BYTES; }

static unsigned char *mapping_start(const struct granule *header) {
    return (unsigned char *)(page_of(header) * PAGE_BYTES);
}

/* Bytes of the mapping before the payload. */
static size_t lead_bytes(const struct granule *header) {
    return (uintptr_t)header % PAGE_BYTES + GRANULE_BYTES;
}

size_t mapped_usable(const struct granule *header) {
    return (size_t)header->size * PAGE_BYTES - lead_bytes(header);
}

static void seal(struct granule *header, uint32_t pages) {
    header->size = pages;
    header->flags = FLAG_MAPPED;
    seal_as(header, SEAL_ALLOCATED);
}

static bool is_sealed(const struct granule *header) {
    return header->flags == FLAG_MAPPED && is_sealed_as(header, SEAL_ALLOCATED);
}

/* ---- The table -------------------------------------------------------------------------------- */

static size_t slot_of(uintptr_t page) {
    return (size_t)((page * 0x9e3779b97f4a7c15u) >> 20) & (table.capacity - 1);
}

/* The entry for the mapping that starts in `page`, or the empty one where it would stand. */
static struct entry *table_seek(uintptr_t page) {
    size_t slot = slot_of(page);
    while (table.entries[slot].header != NULL && page_of(table.entries[slot].header) != page)
        slot = (slot + 1) & (table.capacity - 1);
    return &table.entries[slot];
}

static bool table_grow(void) {
    struct table old = table;
    size_t capacity = old.capacity == 0 ? FIRST_ENTRIES : 2 * old.capacity;
    struct entry *entries = os_map(capacity * sizeof *entries);
    if (entries == NULL)
        return false;
    table.entries = entries;
    table.capacity = capacity;
    for (size_t slot = 0; slot < old.capacity; slot++)
        if (old.entries[slot].header != NULL)
            *table_seek(page_of(old.entries[slot].header)) = old.entries[slot];
    if (old.capacity != 0)
        os_unmap(old.entries, old.capacity * sizeof *entries);
    return true;
}

static void count_in(uint32_t pages) {
    struct mapped_counts *c = &table.counts;
    c->count++;
    c->bytes += (size_t)pages * PAGE_BYTES;
    if (c->count > c->count_max)
        c->count_max = c->count;
    if (c->bytes > c->bytes_max)
        c->bytes_max = c->bytes;
}

static void count_out(uint32_t pages) {
    table.counts.count--;
    table.counts.bytes -= (size_t)pages * PAGE_BYTES;
}

/* There is room: table_reserve has made it, or an entry was just removed. */
static void table_insert(struct granule *header, uint32_t pages) {
    *table_seek(page_of(header)) = (struct entry){header, pages};
    count_in(pages);
}

static bool table_reserve(void) {
    return 2 * (table.counts.count + 1) <= table.capacity || table_grow();
}

/* Empty an entry and move up those behind it that were displaced by it. */
static void table_remove(struct entry *e) {
    count_out(e->pages);
    size_t hole = (size_t)(e - table.entries);
    size_t slot = hole;
    for (;;) {
        slot = (slot + 1) & (table.capacity - 1);
        const struct entry *next = &table.entries[slot];
        if (next->header == NULL)
            break;
        size_t home = slot_of(page_of(next->header));
        if (((slot - home) & (table.capacity - 1)) >= ((slot - hole) & (table.capacity - 1))) {
            table.entries[hole] = *next;
            hole = slot;
        }
    }
    table.entries[hole] = (struct entry){NULL, 0};
}

struct mapped_counts mapped_counts(void) {
    lock_acquire(&table.lock);
    struct mapped_counts counts = table.counts;
    lock_release(&table.lock);
    return counts;
}

bool mapped_find(const void *p, struct granule **header) {
    const struct granule *wanted = (const struct granule *)p - 1;
    bool found = false;
    lock_acquire(&table.lock);
    if (table.capacity != 0) {
        const struct entry *e = table_seek(page_of(wanted));
        found = e->header == wanted;
        *header = e->header;
    }
    lock_release(&table.lock);
    return found;
}

struct granule *mapped_containing(const void *p) {
    for (size_t slot = 0; slot < table.capacity; slot++) {
        const struct entry *e = &table.entries[slot];
        if (e->header != NULL && page_of(p) - page_of(e->header) < e->pages)
            return e->header;
    }
    return NULL;
}

/* ---- Allocate, free, resize -------------------------------------------------------------------- */

/* A mapping of `pages` pages whose start is a multiple of `align_bytes` less one page. */
static unsigned char *map_aligned(uint32_t pages, size_t align_bytes) {
    size_t bytes = (size_t)pages * PAGE_BYTES;
    if (align_bytes <= PAGE_BYTES)
        return os_map(bytes);
    if (align_bytes > REQUEST_MAX_BYTES - bytes)
        return NULL;
    unsigned char *start = os_map(bytes + align_bytes);
    if (start == NULL)
        return NULL;
    size_t off = ((uintptr_t)start + PAGE_BYTES) % align_bytes;
    size_t lead = off == 0 ? 0 : align_bytes - off;
    if (lead > 0)
        os_unmap(start, lead);
    if (align_bytes > lead)
        os_unmap(start + lead + bytes, align_bytes - lead);
    return start + lead;
}

/* Whether one more mapping is allowed, and stands in the table if so. */
static bool enter(struct granule *header, uint32_t pages) {
    lock_acquire(&table.lock);
    bool allowed = table.counts.count < option(&options.mmap_max) && table_reserve();
    if (allowed)
        table_insert(header, pages);
    lock_release(&table.lock);
    return allowed;
}

struct granule *mapped_allocate(size_t request_bytes, size_t align_bytes) {
    size_t lead = align_bytes <= GRANULE_BYTES ? GRANULE_BYTES
                  : align_bytes < PAGE_BYTES   ? align_bytes
                                               : PAGE_BYTES;
    /* A block of no bytes, too, has its address to itself. */
    uint32_t pages = size_to_pages(request_bytes == 0 ? 1 : request_bytes, lead);
    if (pages == 0 || option(&options.mmap_max) == 0)
        return NULL;
    unsigned char *start = map_aligned(pages, align_bytes);
    if (start == NULL)
        return NULL;
    struct granule *header = (struct granule *)(void *)(start + lead) - 1;
    seal(header, pages);
    if (!enter(header, pages)) {
        os_unmap(start, (size_t)pages * PAGE_BYTES);
        return NULL;
    }
    return header;
}

/* The entry of a mapping that mapped_find has found; reports a header that differs from it. */
static struct entry *checked_entry(const struct granule *header) {
    struct entry *e = table_seek(page_of(header));
    if (e->header != header) {
        lock_release(&table.lock);
        report_fault(FAULT_DOUBLE_FREE, header + 1, NULL, "mapping already given back");
    }
    if (!is_sealed(header) || header->size != e->pages) {
        lock_release(&table.lock);
        report_fault(FAULT_HEADER, header + 1, header, "mapped chunk");
    }
    return e;
}

void mapped_free(struct granule *header) {
    lock_acquire(&table.lock);
    struct entry *e = checked_entry(header);
    uint32_t pages = e->pages;
    table_remove(e);
    lock_release(&table.lock);
    size_t bytes = (size_t)pages * PAGE_BYTES;
    options_mapping_freed(bytes);
    os_unmap(mapping_start(header), bytes);
}

/* A larger mapping with the same contents; NULL and unchanged when there is none. */
static struct granule *grow(struct granule *header, uint32_t old, uint32_t pages) {
    size_t lead = lead_bytes(header);
    unsigned char *moved =
        os_remap(mapping_start(header), (size_t)old * PAGE_BYTES, (size_t)pages * PAGE_BYTES, true);
    if (moved == NULL)
        return NULL;
    struct granule *result = (struct granule *)(void *)(moved + lead) - 1;
    seal(result, pages);
    return result;
}

struct granule *mapped_resize(struct granule *header, size_t request_bytes) {
    uint32_t pages = size_to_pages(request_bytes, lead_bytes(header));
    if (pages == 0)
        return NULL;
    lock_acquire(&table.lock);
    struct entry *e = checked_entry(header);
    uint32_t old = e->pages;
    struct granule *result = header;
    if (pages < old) {
        count_out(old);
        e->pages = pages;
        count_in(pages);
        seal(header, pages);
        os_unmap(mapping_start(header) + (size_t)pages * PAGE_BYTES,
                 (size_t)(old - pages) * PAGE_BYTES);
    } else if (pages > old) {
        /* The table must not show the old place to others once it is unmapped. */
        table_remove(e);
        result = grow(header, old, pages);
        table_insert(result == NULL ? header : result, result == NULL ? old : pages);
    }
    lock_release(&table.lock);
    return result;
}

/* ---- Walk -------------------------------------------------------------------------------------- */

static bool breach_at(struct cp_breach *breach, enum cp_invariant invariant, const struct entry *e,
                      const char *detail) {
    *breach = (struct cp_breach){.invariant = invariant, .detail = detail};
    if (e != NULL) {
        breach->header = e->header;
        breach->expected = e->pages;
    }
    return false;
}

/* Mappings that are compared with each other as they come; of more, the table is asked. */
enum { FEW = 16 };

static bool overlap(const struct entry *a, const struct entry *b) {
    uintptr_t from = page_of(a->header), other = page_of(b->header);
    return from < other ? other - from < a->pages : from - other < b->pages;
}

static bool overlaps_any(const struct entry *e, const struct entry *const seen[], size_t count) {
    for (size_t i = 0; i < count; i++)
        if (overlap(e, seen[i]))
            return true;
    return false;
}

/* Whether another mapping starts inside this one: of pages and entries, the fewer are tried. */
static bool contains_another(const struct entry *e) {
    uintptr_t first = page_of(e->header);
    if (e->pages <= table.counts.count) {
        for (uintptr_t page = first + 1; page < first + e->pages; page++)
            if (table_seek(page)->header != NULL)
                return true;
        return false;
    }
    for (size_t slot = 0; slot < table.capacity; slot++) {
        const struct entry *other = &table.entries[slot];
        if (other != e && other->header != NULL && page_of(other->header) - first < e->pages)
            return true;
    }
    return false;
}

static bool in_a_region(const struct entry *e) {
    return arena_break_holds((uintptr_t)e->header) || pagemap_holds((uintptr_t)e->header);
}

static bool entry_check(const struct entry *e, struct cp_breach *breach) {
    if (in_a_region(e))
        return breach_at(breach, CP_APART, e, "mapping overlaps a region");
    if (!is_sealed(e->header))
        return breach_at(breach, CP_SEALED, e, "mapped chunk");
    if (e->header->size != e->pages)
        return breach_at(breach, CP_OWNED, e, "pages in header and table differ");
    return true;
}

bool mapped_check(struct cp_breach *breach) {
    const struct entry *seen[FEW];
    bool few = table.counts.count <= FEW;
    size_t count = 0, bytes = 0;
    for (size_t slot = 0; slot < table.capacity; slot++) {
        const struct entry *e = &table.entries[slot];
        if (e->header == NULL)
            continue;
        if (few ? overlaps_any(e, seen, count < FEW ? count : FEW) : contains_another(e))
            return breach_at(breach, CP_APART, e, "mapping overlaps a mapping");
        if (!entry_check(e, breach))
            return false;
        if (count < FEW)
            seen[count] = e;
        count++;
        bytes += (size_t)e->pages * PAGE_BYTES;
    }
    if (count != table.counts.count || bytes != table.counts.bytes)
        return breach_at(breach, CP_COUNTED, NULL, "mappings");
    return true;
}
