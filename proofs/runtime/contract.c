/* contract.c: see contract.h. Reads the watched region, writes the ghost map and its own copies.
 * No lock: one thread. */
#include "contract.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "invariants.h"
#include "region.h"
#include "sim/sim.h"

enum { LEVELS = 16, ALLOWED_MAX = 65536 };

uint32_t ghost_span[CONTRACT_GRANULES], ghost_fence, ghost_weight[CONTRACT_GRANULES],
    ghost_above[CONTRACT_GRANULES], ghost_lead[CONTRACT_GRANULES], ghost_dirt[CONTRACT_GRANULES];
uint16_t ghost_list[CONTRACT_GRANULES];
uint8_t ghost_state[CONTRACT_GRANULES], ghost_tally[CONTRACT_GRANULES];

/* Everything a contract may speak of, now and in a copy. */
enum { CELLS, REGION, SPAN, STATE, FENCE, LIST, TALLY, WEIGHT, ABOVE, LEAD, DIRT, OBJECTS };

struct contract_moment {
    struct {
        const unsigned char *now;
        unsigned char *then;
        size_t bytes;
    } object[OBJECTS];
};

static struct {
    const struct region *r;
    struct granule *g;
    uint32_t granules;
    unsigned level; /* calls under way */
    struct contract_moment kept[LEVELS], now;
    struct {
        const void *at;
        size_t bytes;
    } allowed[ALLOWED_MAX];
    unsigned allowed_count;
} watch;

static const struct {
    const char *function, *clause, *where;
} clauses[] = {
#include "contract_names.h"
};
enum { CLAUSES = sizeof clauses / sizeof clauses[0] };

static uint64_t evaluated[CLAUSES];

long contract_witness;

/* ---- objects ---------------------------------------------------------------------------------- */

static void set_object(struct contract_moment *m, unsigned n, const void *now, size_t bytes) {
    m->object[n].now = now;
    m->object[n].bytes = bytes;
}

static void set_objects(struct contract_moment *m) {
    size_t n = watch.granules;
    set_object(m, CELLS, watch.g, n * sizeof *watch.g);
    set_object(m, REGION, watch.r, sizeof *watch.r);
    set_object(m, SPAN, ghost_span, n * sizeof *ghost_span);
    set_object(m, STATE, ghost_state, n);
    set_object(m, FENCE, &ghost_fence, sizeof ghost_fence);
    set_object(m, LIST, ghost_list, n * sizeof *ghost_list);
    set_object(m, TALLY, ghost_tally, n);
    set_object(m, WEIGHT, ghost_weight, n * sizeof *ghost_weight);
    set_object(m, ABOVE, ghost_above, n * sizeof *ghost_above);
    set_object(m, LEAD, ghost_lead, n * sizeof *ghost_lead);
    set_object(m, DIRT, ghost_dirt, n * sizeof *ghost_dirt);
}

static int object_of(const void *p) {
    for (int n = 0; n < OBJECTS; n++) {
        const unsigned char *from = watch.now.object[n].now;
        if ((const unsigned char *)p >= from &&
            (const unsigned char *)p < from + watch.now.object[n].bytes)
            return n;
    }
    return -1;
}

const void *contract_locate(const struct contract_moment *m, const void *object) {
    int n = object_of(object);
    return n < 0 ? object : m->object[n].then + ((const unsigned char *)object - m->object[n].now);
}

bool contract_valid(const void *from, const void *to) {
    int n = object_of(from);
    return from == to || n < 0 ||
           (const unsigned char *)to <= watch.now.object[n].now + watch.now.object[n].bytes;
}

const void *contract_base(const void *p) {
    int n = object_of(p);
    return n < 0 ? p : watch.now.object[n].now;
}

bool contract_apart(const void *from, const void *to, const void *other_from,
                    const void *other_to) {
    return to <= other_from || other_to <= from;
}

/* ---- the map, as the headers and links determine it ------------------------------------------- */

static uint8_t state_of(uint32_t i) {
    for (unsigned s = 0; s < SEAL_STATES; s++) {
        const struct granule *h = &watch.g[i];
        const struct seal_key *k = &watch.r->key;
        if (h->seal ==
            P_seal((integer)k->base + i, h->size, h->flags, k->secret, k->multiplier, k->state[s]))
            return (uint8_t)s;
    }
    return SEAL_STATES;
}

/* Stops where a size leads nowhere: the region is not tiled then, and the map says so. */
static void map_chunks(void) {
    uint32_t i = REGION_FIRST;
    while (i < ghost_fence && watch.g[i].size != 0 && watch.g[i].size <= ghost_fence - i) {
        ghost_span[i] = watch.g[i].size;
        ghost_state[i] = state_of(i);
        i += watch.g[i].size;
    }
    if (i == ghost_fence)
        ghost_span[i] = 1;
}

/* A circular list, until it leads out of the region or into another list. What stands in no ring has
 * the leader of the node before. */
static void map_list(uint32_t head, uint16_t name) {
    bool large = name < LIST_RING && name >= BIN_LARGE_FIRST;
    uint32_t leader = 0;
    ghost_list[head] = name;
    for (uint32_t x = watch.g[head].lo; x < ghost_fence && ghost_list[x] == LIST_NONE;
         x = watch.g[x].lo) {
        ghost_list[x] = name;
        if (!large)
            continue;
        if (watch.g[x + 1].lo != 0) {
            ghost_list[x + 1] = (uint16_t)(LIST_RING + name);
            leader = x + 1;
        }
        ghost_lead[x] = leader;
    }
}

static void map_fast(uint32_t size) {
    uint32_t before = 0;
    for (uint32_t i = watch.r->bins.fast[size];
         i >= REGION_FIRST && i < ghost_fence && ghost_list[i + 1] == LIST_NONE;
         i = watch.g[i + 1].lo) {
        ghost_list[i + 1] = (uint16_t)(LIST_FAST + size);
        ghost_above[i] = before;
        before = i;
    }
}

static void map_counts(void) {
    for (uint32_t x = REGION_FIRST; x <= ghost_fence; x++) {
        bool in_bin = ghost_list[x] != LIST_NONE && ghost_list[x] < LIST_RING;
        ghost_tally[x] = in_bin ? 1 : ghost_list[x] >= LIST_FAST ? 2 : 0;
        if (ghost_tally[x] != 0)
            ghost_weight[x] = ghost_span[x - 1];
    }
}

/* Of a listed chunk: what its record leaves of its whole pages. */
static void map_dirt(void) {
    for (uint32_t x = REGION_FIRST; x < ghost_fence; x++)
        if (ghost_list[x] == LIST_DIRTY && ghost_span[x - DIRTY_NODE] >= PURGE_MIN_GRANULES) {
            const struct granule *record = &watch.g[x - DIRTY_NODE + PURGED_NODE];
            ghost_dirt[x] = (uint32_t)P_whole_length(NULL, &watch.r->key, x - DIRTY_NODE) -
                            (record->hi - record->lo);
        }
}

/* What a node weighed, had above it or was led by, before it left its list stays, as in the ghost steps. */
static void map_read(void) {
    memset(ghost_span, 0, watch.now.object[SPAN].bytes);
    memset(ghost_state, 0, watch.now.object[STATE].bytes);
    memset(ghost_list, 0, watch.now.object[LIST].bytes);
    memset(ghost_tally, 0, watch.now.object[TALLY].bytes);
    memset(ghost_dirt, 0, watch.now.object[DIRT].bytes);
    ghost_fence = watch.r->bins.fence;
    map_chunks();
    for (uint32_t bin = BIN_UNSORTED; bin < BIN_COUNT; bin++)
        map_list(bin, (uint16_t)bin);
    map_list(DIRTY_HEAD, LIST_DIRTY);
    for (uint32_t size = CHUNK_MIN_GRANULES; size <= FAST_MAX_GRANULES; size++)
        map_fast(size);
    map_counts();
    map_dirt();
}

/* ---- calls ------------------------------------------------------------------------------------ */

bool contract_enter(void) {
    if (watch.r == NULL)
        return false;
    if (watch.level == 0)
        map_read();
    return true;
}

const struct contract_moment *contract_keep(void) {
    if (watch.level == LEVELS)
        sim_break("contract", "calls nest deeper than %d", LEVELS);
    struct contract_moment *m = &watch.kept[watch.level++];
    for (unsigned n = 0; n < OBJECTS; n++)
        memcpy(m->object[n].then, m->object[n].now, m->object[n].bytes);
    return m;
}

void contract_leave(void) { watch.level--; }

static _Noreturn void broken(unsigned number, const char *what, long where) {
    sim_break("contract", "%s: %s (%s) %s %ld", clauses[number].function, clauses[number].clause,
              clauses[number].where, what, where);
}

void contract_clause(unsigned number, bool holds) {
    evaluated[number]++;
    if (!holds)
        broken(number, "does not hold; last index tried:", contract_witness);
}

void contract_may_change(const void *object, size_t bytes) {
    if (watch.allowed_count == ALLOWED_MAX)
        sim_break("contract", "more than %d places in one frame", ALLOWED_MAX);
    watch.allowed[watch.allowed_count].at = object;
    watch.allowed[watch.allowed_count++].bytes = bytes;
}

/* What may change is taken over into the copy; whatever differs then was not to change. */
void contract_frame(unsigned number) {
    struct contract_moment *m = &watch.kept[watch.level - 1];
    evaluated[number]++;
    for (unsigned a = 0; a < watch.allowed_count; a++)
        if (object_of(watch.allowed[a].at) >= 0)
            memcpy((void *)(uintptr_t)contract_locate(m, watch.allowed[a].at), watch.allowed[a].at,
                   watch.allowed[a].bytes);
    for (unsigned n = 0; n < OBJECTS; n++)
        for (size_t i = 0; memcmp(m->object[n].then, m->object[n].now, m->object[n].bytes) != 0;
             i++)
            if (m->object[n].then[i] != m->object[n].now[i])
                broken(number,
                       n == CELLS ? "but also byte of the cells" : "but also byte of the map",
                       (long)i);
    watch.allowed_count = 0;
}

/* ---- from outside ----------------------------------------------------------------------------- */

static void report(void) {
    unsigned some = 0;
    uint64_t all = 0;
    for (unsigned n = 0; n < CLAUSES; n++) {
        all += evaluated[n];
        some += evaluated[n] != 0;
        if (evaluated[n] == 0 && getenv("CONTRACTS_REPORT")[0] == '2')
            fprintf(stderr, "contracts: never reached: %s: %s\n", clauses[n].function,
                    clauses[n].clause);
    }
    fprintf(stderr, "contracts: %llu evaluations of %u clauses out of %u\n",
            (unsigned long long)all, some, (unsigned)CLAUSES);
}

static void reserve_copies(void) {
    for (unsigned level = 0; level < LEVELS; level++)
        for (unsigned n = 0; n < OBJECTS; n++)
            watch.kept[level].object[n].then = malloc(CONTRACT_GRANULES * sizeof(struct granule));
    if (getenv("CONTRACTS_REPORT") != NULL)
        atexit(report);
}

void contracts_watch(const struct region *r, struct granule *g, uint32_t granules) {
    if (watch.kept[0].object[0].then == NULL)
        reserve_copies();
    watch.r = r;
    watch.g = g;
    watch.granules = granules;
    watch.level = 0;
    if (r == NULL)
        return;
    set_objects(&watch.now);
    for (unsigned level = 0; level < LEVELS; level++)
        set_objects(&watch.kept[level]);
}
