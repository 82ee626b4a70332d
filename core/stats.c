/* stats.c: mallinfo2, malloc_info, malloc_stats. Copies what it reports under each arena's lock,
 * then prints without any, because stdio may allocate.
 */
#include <errno.h>
#include <string.h>

#include "arena.h"
#include "chunkproof.h"
#include "mapped.h"
#include "report.h"
#include "returned.h"
#include "size.h"

/* What malloc_info tells of chunks of one bin. */
struct size_row {
    size_t from, to, total, count;
};

struct arena_stats {
    size_t free_chunks, free_bytes; /* binned and top */
    size_t fast_chunks, fast_bytes;
    size_t top_bytes; /* of the newest heap */
    size_t system_bytes, system_bytes_max;
};

static void add_heap(struct arena_stats *s, const struct heap *h) {
    const struct bins *b = &h->region.bins;
    size_t top = (size_t)region_top_granules(&h->region) * GRANULE_BYTES;
    s->free_chunks += b->free_chunks + 1u;
    s->free_bytes += (size_t)b->free_granules * GRANULE_BYTES + top;
    s->fast_chunks += b->fast_chunks;
    s->fast_bytes += (size_t)b->fast_granules * GRANULE_BYTES;
}

static void add_rows(struct size_row *rows, const struct region *r) {
    const struct granule *g = r->g;
    for (uint32_t bin = BIN_UNSORTED; bin < BIN_COUNT; bin++)
        for (uint32_t x = g[bin].lo; x != bin; x = g[x].lo) {
            struct size_row *row = &rows[bin];
            size_t bytes = (size_t)g[x - 1].size * GRANULE_BYTES;
            row->from = row->count == 0 || bytes < row->from ? bytes : row->from;
            row->to = bytes > row->to ? bytes : row->to;
            row->total += bytes;
            row->count++;
        }
}

/* `rows`, BIN_COUNT of them or NULL, cost a walk over the bins. */
static void collect(struct arena *a, struct arena_stats *s, struct size_row *rows) {
    memset(s, 0, sizeof *s);
    lock_acquire(&a->lock);
    for (const struct heap *h = a->lost ? NULL : a->heaps; h != NULL; h = h->next) {
        add_heap(s, h);
        if (rows != NULL)
            add_rows(rows, &h->region);
    }
    if (a->heaps != NULL)
        s->top_bytes = (size_t)region_top_granules(&a->heaps->region) * GRANULE_BYTES;
    s->system_bytes = a->system_bytes;
    s->system_bytes_max = a->system_bytes_max;
    arena_leave(a);
}

CP_PUBLIC struct cp_mallinfo cp_mallinfo2(void) {
    struct cp_mallinfo info = {.arena = 0};
    struct arena_stats s;
    allocator_ensure_started();
    struct arena *a = arena_main();
    do {
        collect(a, &s, NULL);
        info.arena += s.system_bytes;
        info.ordblks += s.free_chunks;
        info.smblks += s.fast_chunks;
        info.fsmblks += s.fast_bytes;
        info.fordblks += s.free_bytes + s.fast_bytes;
        if (a == arena_main())
            info.keepcost = s.top_bytes;
        a = arena_next(a);
    } while (a != arena_main());
    struct mapped_counts mapped = mapped_counts();
    info.uordblks = info.arena - info.fordblks;
    info.hblks = mapped.count;
    info.hblkhd = mapped.bytes;
    return info;
}

static void print_rows(FILE *out, const struct size_row *row) {
    fputs("<sizes>\n", out);
    for (uint32_t bin = BIN_UNSORTED + 1; bin < BIN_COUNT; bin++)
        if (row[bin].count != 0)
            fprintf(out, "  <size from=\"%zu\" to=\"%zu\" total=\"%zu\" count=\"%zu\"/>\n",
                    row[bin].from, row[bin].to, row[bin].total, row[bin].count);
    const struct size_row *unsorted = &row[BIN_UNSORTED];
    if (unsorted->count != 0)
        fprintf(out, "  <unsorted from=\"%zu\" to=\"%zu\" total=\"%zu\" count=\"%zu\"/>\n",
                unsorted->from, unsorted->to, unsorted->total, unsorted->count);
    fputs("</sizes>\n", out);
}

static void print_totals(FILE *out, const struct arena_stats *s) {
    fprintf(out,
            "<total type=\"fast\" count=\"%zu\" size=\"%zu\"/>\n"
            "<total type=\"rest\" count=\"%zu\" size=\"%zu\"/>\n",
            s->fast_chunks, s->fast_bytes, s->free_chunks, s->free_bytes);
}

static void print_system(FILE *out, const struct arena_stats *s) {
    fprintf(out,
            "<system type=\"current\" size=\"%zu\"/>\n<system type=\"max\" size=\"%zu\"/>\n"
            "<aspace type=\"total\" size=\"%zu\"/>\n<aspace type=\"mprotect\" size=\"%zu\"/>\n",
            s->system_bytes, s->system_bytes_max, s->system_bytes, s->system_bytes);
}

static void add_totals(struct arena_stats *sum, const struct arena_stats *s) {
    sum->free_chunks += s->free_chunks;
    sum->free_bytes += s->free_bytes;
    sum->fast_chunks += s->fast_chunks;
    sum->fast_bytes += s->fast_bytes;
    sum->system_bytes += s->system_bytes;
    sum->system_bytes_max += s->system_bytes_max;
}

CP_PUBLIC int cp_malloc_info(int options, FILE *out) {
    struct arena_stats s, sum = {.free_chunks = 0};
    struct size_row rows[BIN_COUNT];
    if (options != 0)
        return EINVAL;
    allocator_ensure_started();
    fputs("<malloc version=\"1\">\n", out);
    struct arena *a = arena_main();
    do {
        memset(rows, 0, sizeof rows);
        collect(a, &s, rows);
        fprintf(out, "<heap nr=\"%u\">\n", a->number);
        print_rows(out, rows);
        print_totals(out, &s);
        print_system(out, &s);
        fputs("</heap>\n", out);
        add_totals(&sum, &s);
        a = arena_next(a);
    } while (a != arena_main());
    struct mapped_counts mapped = mapped_counts();
    print_totals(out, &sum);
    fprintf(out, "<total type=\"mmap\" count=\"%zu\" size=\"%zu\"/>\n", mapped.count, mapped.bytes);
    print_system(out, &sum);
    fputs("</malloc>\n", out);
    return 0;
}

CP_PUBLIC void cp_malloc_stats(void) {
    struct arena_stats s;
    struct mapped_counts mapped = mapped_counts();
    size_t system = mapped.bytes, in_use = mapped.bytes;
    allocator_ensure_started();
    struct arena *a = arena_main();
    do {
        collect(a, &s, NULL);
        size_t used = s.system_bytes - s.free_bytes - s.fast_bytes;
        report_line("Arena %u:", a->number);
        report_line("system bytes     = %z", s.system_bytes);
        report_line("in use bytes     = %z", used);
        system += s.system_bytes;
        in_use += used;
        a = arena_next(a);
    } while (a != arena_main());
    report_line("Total (incl. mmap):");
    report_line("system bytes     = %z", system);
    report_line("in use bytes     = %z", in_use);
    report_line("max mmap regions = %z", mapped.count_max);
    report_line("max mmap bytes   = %z", mapped.bytes_max);
}
