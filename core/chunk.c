/* chunk.c: see chunk.h. Touches the headers it names and the tag and footer behind them. */
#include "chunk.h"

void chunk_use(struct granule *g, const struct seal_key *k, uint32_t i) {
    uint32_t next = i + g[i].size;
    //@ assert apart: \forall integer j; chunk(j) && j != i ==> j + span[j] <= i || i + span[i] <= j;
    //@ ghost state[i] = SEAL_ALLOCATED;
    header_write(g, k, i, g[i].size, g[i].flags, SEAL_ALLOCATED);
    g[next].prev_inuse = 1;
    //@ assert key: same_key{Pre, Here}(k);
    //@ assert sizes: same_sizes{Pre, Here}(g, i, i);
    //@ assert seals: same_seals{Pre, Here}(g, i, i);
    //@ assert sealed: sealed(g, k);
    //@ assert tags: same_tags{Pre, Here}(g, next);
    //@ assert footers: same_footers{Pre, Here}(g, -1);
}

void chunk_free(struct granule *g, const struct seal_key *k, uint32_t i) {
    uint32_t next = i + g[i].size;
    //@ assert apart: \forall integer j; chunk(j) && j != i ==> j + span[j] <= i || i + span[i] <= j;
    //@ ghost state[i] = SEAL_FREE;
    //@ assert coalesced: coalesced;
    header_write(g, k, i, g[i].size, g[i].flags, SEAL_FREE);
    g[next].prev_inuse = 0;
    g[next].lo = g[i].size;
    //@ assert key: same_key{Pre, Here}(k);
    //@ assert sizes: same_sizes{Pre, Here}(g, i, i);
    //@ assert seals: same_seals{Pre, Here}(g, i, i);
    //@ assert sealed: sealed(g, k);
    //@ assert tags: same_tags{Pre, Here}(g, next);
    //@ assert footers: same_footers{Pre, Here}(g, next);
}

uint32_t chunk_split(struct granule *g, const struct seal_key *k, uint32_t i, uint32_t size) {
    uint32_t rest = i + size;
    //@ assert apart: \forall integer j; chunk(j) && j != i ==> j + span[j] <= i || i + span[i] <= j;
    //@ ghost span[rest] = g[i].size - size;
    //@ ghost span[i] = size;
    //@ ghost state[i] = SEAL_ALLOCATED;
    //@ ghost state[rest] = SEAL_ALLOCATED;
    //@ assert tiling: tiling;
    //@ assert coalesced: coalesced;
    header_write(g, k, rest, g[i].size - size, g[i].flags, SEAL_ALLOCATED);
    g[rest].prev_inuse = 1;
    //@ assert key: same_key{Pre, Here}(k);
    header_write(g, k, i, size, g[i].flags, SEAL_ALLOCATED);
    //@ assert key: same_key{Pre, Here}(k);
    //@ assert sizes: same_sizes{Pre, Here}(g, i, rest);
    //@ assert seals: same_seals{Pre, Here}(g, i, rest);
    //@ assert sealed: sealed(g, k);
    //@ assert tags: same_tags{Pre, Here}(g, rest);
    //@ assert footers: same_footers{Pre, Here}(g, -1);
    return rest;
}

void chunk_merge(struct granule *g, const struct seal_key *k, uint32_t i) {
    uint32_t next = i + g[i].size;
    uint32_t size = g[i].size + g[next].size;
    //@ assert apart: \forall integer j; chunk(j) && j != i ==> j + span[j] <= i || i + span[i] <= j;
    //@ assert apart_next: \forall integer j; chunk(j) && j != next ==> j + span[j] <= next || next + span[next] <= j;
    //@ ghost span[next] = 0;
    //@ ghost span[i] = size;
    //@ ghost state[i] = SEAL_ALLOCATED;
    //@ assert tiling: tiling;
    //@ assert coalesced: coalesced;
    g[next].size = 0; /* no stale header: a pointer to it must not pass for a chunk */
    header_write(g, k, i, size, g[i].flags, SEAL_ALLOCATED);
    //@ assert key: same_key{Pre, Here}(k);
    //@ assert sizes: same_sizes{Pre, Here}(g, i, next);
    //@ assert seals: same_seals{Pre, Here}(g, i, next);
    //@ assert sealed: sealed(g, k);
    //@ assert tags: same_tags{Pre, Here}(g, -1);
    //@ assert footers: same_footers{Pre, Here}(g, -1);
}
