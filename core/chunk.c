/* chunk.c: see chunk.h. Touches the headers it names and the tag and footer behind them. */
#include "chunk.h"

void chunk_use(struct granule *g, const struct seal_key *k, uint32_t i) {
    uint32_t next = i + g[i].size;
    //@ assert only: \forall integer j; chunk(j) && j + span[j] == next ==> j == i;
    //@ ghost used[i] = 1;
    header_write(g, k, i, g[i].size, g[i].flags, SEAL_ALLOCATED);
    g[next].prev_inuse = 1;
    //@ assert key: same_key{Pre, Here}(k);
    //@ assert sizes: same_sizes{Pre, Here}(g, i, i);
    //@ assert seals: same_seals{Pre, Here}(g, i, i);
    //@ assert marks: same_marks{Pre, Here}(g, k, i, i);
    //@ assert tags: same_tags{Pre, Here}(g, next);
    //@ assert footers: same_footers{Pre, Here}(g, -1);
}

void chunk_free(struct granule *g, const struct seal_key *k, uint32_t i) {
    uint32_t next = i + g[i].size;
    //@ assert only: \forall integer j; chunk(j) && j + span[j] == next ==> j == i;
    //@ ghost used[i] = 0;
    //@ assert coalesced: coalesced;
    header_write(g, k, i, g[i].size, g[i].flags, SEAL_FREE);
    g[next].prev_inuse = 0;
    g[next].lo = g[i].size;
    //@ assert key: same_key{Pre, Here}(k);
    //@ assert sizes: same_sizes{Pre, Here}(g, i, i);
    //@ assert seals: same_seals{Pre, Here}(g, i, i);
    //@ assert marks: same_marks{Pre, Here}(g, k, i, i);
    //@ assert tags: same_tags{Pre, Here}(g, next);
    //@ assert footers: same_footers{Pre, Here}(g, next);
}

uint32_t chunk_split(struct granule *g, const struct seal_key *k, uint32_t i, uint32_t size) {
    uint32_t rest = i + size;
    //@ ghost span[rest] = g[i].size - size;
    //@ ghost span[i] = size;
    //@ ghost used[rest] = 1;
    //@ assert tiling: tiling;
    //@ assert coalesced: coalesced;
    //@ assert only: \forall integer j; chunk(j) && j + span[j] == rest ==> j == i;
    header_write(g, k, rest, g[i].size - size, g[i].flags, SEAL_ALLOCATED);
    g[rest].prev_inuse = 1;
    //@ assert key: same_key{Pre, Here}(k);
    header_write(g, k, i, size, g[i].flags, SEAL_ALLOCATED);
    //@ assert key: same_key{Pre, Here}(k);
    //@ assert sizes: same_sizes{Pre, Here}(g, i, rest);
    //@ assert seals: same_seals{Pre, Here}(g, i, rest);
    //@ assert marks: same_marks{Pre, Here}(g, k, i, rest);
    //@ assert tags: same_tags{Pre, Here}(g, rest);
    //@ assert footers: same_footers{Pre, Here}(g, -1);
    return rest;
}

void chunk_merge(struct granule *g, const struct seal_key *k, uint32_t i) {
    uint32_t next = i + g[i].size;
    uint32_t size = g[i].size + g[next].size;
    //@ ghost span[next] = 0;
    //@ ghost span[i] = size;
    //@ assert tiling: tiling;
    //@ assert coalesced: coalesced;
    g[next].size = 0; /* no stale header: a pointer to it must not pass for a chunk */
    header_write(g, k, i, size, g[i].flags, SEAL_ALLOCATED);
    //@ assert key: same_key{Pre, Here}(k);
    //@ assert sizes: same_sizes{Pre, Here}(g, i, next);
    //@ assert seals: same_seals{Pre, Here}(g, i, next);
    //@ assert marks: same_marks{Pre, Here}(g, k, i, next);
    //@ assert tags: same_tags{Pre, Here}(g, -1);
    //@ assert footers: same_footers{Pre, Here}(g, -1);
}
