/* granule.h: the 16-byte cell every region is made of. Proved file.
 *
 * The only code that reads or writes a header, a footer, a link or a seal. It knows cells and
 * indices, not lists and not the heap. No lock of its own: the caller holds the region's.
 *
 *        byte 0          4          8          12     14       15
 *             +----------+----------+----------+------+--------+-------+
 *  header i   | lo       | hi       | size     | seal | prev   | flags |
 *             | prev_size|   (*)    | granules |      | _inuse | M,A,c |
 *             +----------+----------+----------+------+--------+-------+
 *  i + 1      | payload while in use; while free: lo = fd, hi = bk     |
 *  i + 2      | payload while in use; large bins:                      |
 *             |   lo = fd_nextsize, hi = bk_nextsize                   |
 *  i + 3      | payload while in use; from PURGE_MIN_GRANULES on:      |
 *             |   lo .. hi = granules given back to the system         |
 *
 *  (*) lo and hi of header i belong to the chunk before i: its last 8 payload bytes while that
 *      chunk is in use, its footer (lo = its size) while it is free.
 *
 * Ownership: size, seal and flags belong to whoever holds the chunk (a thread, while it is
 * allocated or in that thread's cache; the arena's lock otherwise); size changes under the lock
 * only. prev_inuse and the footer belong to the arena's lock. Therefore whether chunk i is in
 * use is asked of prev_inuse behind it, and its seal is read by the lock's holder only when it
 * is free or by relaxed atomic load.
 */
#ifndef CP_GRANULE_H
#define CP_GRANULE_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"

struct granule {
    uint32_t lo;
    uint32_t hi;
    uint32_t size;
    uint16_t seal;
    uint8_t prev_inuse;
    uint8_t flags;
};

/* The state of a chunk has no bit of its own: the seal tells it. */
enum seal_state {
    SEAL_ALLOCATED, /* held by the program */
    SEAL_CACHED, /* in a thread cache or a fast bin: in use for its neighbours */
    SEAL_FREE, /* in a bin, or top */
    SEAL_FENCE, /* the header that ends a region */
    SEAL_STATES
};

/* base: address of granule 0, in granules, so that base + i names cell i process-wide.
 * state[]: one secret per state, pairwise different. */
struct seal_key {
    uint64_t base;
    uint64_t secret; /* odd */
    uint64_t multiplier; /* odd */
    uint16_t state[SEAL_STATES];
};

/*@ // The value of a seal, as a function of all it depends on. Only its name is used in proofs;
    // what ties it to the code is the clause `named` of seal_of (see proofs/SOUNDNESS.md).
    axiomatic Seal {
        logic integer seal(integer address, integer size, integer flags, integer secret,
                           integer multiplier, integer state_secret);
    }

    // What seal_hash_at makes of a header, found by its payload, and the secrets. No other proof looks
    // into it.
    logic integer hash{L}(struct seal_key *k, integer address_bytes, integer size, integer flags) =
        (uint64_t)((uint64_t)((uint64_t)((uint64_t)(address_bytes + flags) * k->secret) ^ size) *
                   k->multiplier) >> 48;

    // The secrets of the states differ, so that a seal matches one state at most.
    // Addresses count granules, so adding an index to one does not wrap.
    predicate keyed{L}(struct seal_key *k) =
        k->base <= UINT64_MAX - UINT32_MAX &&
        \forall integer s, t; 0 <= s < t < SEAL_STATES ==> k->state[s] != k->state[t];

    // The header of chunk i is sealed as state s.
    predicate sealed_as{L}(struct granule *g, struct seal_key *k, integer i, integer s) =
        g[i].seal == seal(k->base + i, g[i].size, g[i].flags, k->secret, k->multiplier,
                          k->state[s]);
*/

/* Keyed hash of where a header is and what it says of itself. `address_bytes` is the payload's, which
 * the program holds, so that neither malloc nor free needs the header's beside it. The first product
 * spreads the address, and the flags added to it, over all bits, so that no size makes up for another
 * address; the second carries every changed bit up, where 16 bits are kept. */
/*@ requires readable: \valid_read(k);
    terminates \true;
    exits never: \false;
    assigns \nothing;
    ensures hash: \result == hash(k, address_bytes, size, flags);
*/
static inline uint16_t seal_hash_at(const struct seal_key *k, uint64_t address_bytes, uint32_t size,
                                    uint8_t flags) {
    uint64_t v = (address_bytes + flags) * k->secret ^ size;
    return (uint16_t)((v * k->multiplier) >> 48);
}

/* The same, of the header at an address in granules. */
/*@ requires readable: \valid_read(k);
    terminates \true;
    exits never: \false;
    assigns \nothing;
    ensures hash: \result == hash(k, (uint64_t)((uint64_t)(address + 1) * GRANULE_BYTES), size, flags);
*/
static inline uint16_t seal_hash(const struct seal_key *k, uint64_t address, uint32_t size,
                                 uint8_t flags) {
    return seal_hash_at(k, (address + 1) * GRANULE_BYTES, size, flags);
}

/*@ requires readable: \valid_read(k);
    requires state: 0 <= state < SEAL_STATES;
    requires based: k->base <= UINT64_MAX - UINT32_MAX;
    terminates \true;
    exits never: \false;
    assigns \nothing;
    ensures named: \result == seal(k->base + i, size, flags, k->secret, k->multiplier,
                          k->state[state]);
    ensures hashed: \result ==
        (hash(k, (uint64_t)((uint64_t)(k->base + i + 1) * GRANULE_BYTES), size, flags) ^ k->state[state]);
*/
static inline uint16_t seal_of(const struct seal_key *k, uint32_t i, uint32_t size, uint8_t flags,
                               enum seal_state state) {
    uint16_t hash = seal_hash(k, k->base + i, size, flags);
    //@ assert sixteen_bits: (uint16_t)(hash ^ k->state[state]) == (hash ^ k->state[state]);
    return (uint16_t)(hash ^ k->state[state]);
}

/* Write the header words of chunk i that its holder owns. */
/*@ requires writable: \valid(g + i);
    requires readable: \valid_read(k);
    requires apart: \base_addr(g) != \base_addr(k);
    requires state: 0 <= state < SEAL_STATES;
    requires based: k->base <= UINT64_MAX - UINT32_MAX;
    terminates \true;
    exits never: \false;
    assigns g[i].size, g[i].flags, g[i].seal;
    ensures size: g[i].size == size;
    ensures flags: g[i].flags == flags;
    ensures sealed: sealed_as(g, k, i, state);
*/
static inline void header_write(struct granule *g, const struct seal_key *k, uint32_t i,
                                uint32_t size, uint8_t flags, enum seal_state state) {
    g[i].size = size;
    g[i].flags = flags;
    g[i].seal = seal_of(k, i, size, flags, state);
}

/* Whether the header at i is sealed as `state`. */
/*@ requires readable: \valid_read(g + i) && \valid_read(k);
    requires state: 0 <= state < SEAL_STATES;
    requires based: k->base <= UINT64_MAX - UINT32_MAX;
    terminates \true;
    exits never: \false;
    assigns \nothing;
    ensures told: \result <==> sealed_as(g, k, i, state);
*/
static inline bool header_is(const struct granule *g, const struct seal_key *k, uint32_t i,
                             enum seal_state state) {
    return g[i].seal == seal_of(k, i, g[i].size, g[i].flags, state);
}

/* Have cell i on its way into the processor's cache; it has no other effect. */
/*@ requires readable: \valid_read(g + i);
    terminates \true;
    exits never: \false;
    assigns \nothing;
*/
void granule_prefetch(const struct granule *g, uint32_t i);

#endif
