/* contract.h: contracts at run time. What `translate` writes into the copied core calls this; see
 * there. One region is watched at a time, by one thread. Not part of core/. */
#ifndef CP_CONTRACT_H
#define CP_CONTRACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Wide enough for every term of the contracts: sums and products of 64-bit numbers. */
typedef __int128 integer;

/* Granules of the largest region that can be watched; ghost arrays are indexed a little beyond. */
#define CONTRACT_GRANULES (4096 + 8192)

#define CONTRACT_LOGIC static inline __attribute__((unused, no_sanitize("undefined")))

/* Memory of the watched region as it was; NULL is now. */
struct contract_moment;

extern long contract_witness; /* outermost index for which a \forall failed */

/* The same object at that moment. */
const void *contract_locate(const struct contract_moment *m, const void *object);

/* An lvalue's value at that moment; read through a macro since its type is the lvalue's. */
#define CONTRACT_AT(m, lvalue)                                                                     \
    (*(const __typeof__(lvalue) *)((m) == NULL ? (const void *)&(lvalue)                           \
                                               : contract_locate((m), &(lvalue))))

/* A call from outside reads the map off the headers. False: nothing is checked of this call. */
bool contract_enter(void);
const struct contract_moment *contract_keep(void);
void contract_leave(void);

void contract_clause(unsigned number, bool holds);
void contract_may_change(const void *object, size_t bytes);
void contract_frame(unsigned number);

/* What ACSL says of pointers, for the objects watched. */
bool contract_valid(const void *from, const void *to);
const void *contract_base(const void *p);
bool contract_apart(const void *from, const void *to, const void *other_from, const void *other_to);

/* The value of a seal: what the clause `named` of seal_of ties to the code. */
CONTRACT_LOGIC integer P_seal(integer address, integer size, integer flags, integer secret,
                              integer multiplier, integer state_secret) {
    uint64_t v = (((uint64_t)address + 1) * 16 + (uint64_t)flags) * (uint64_t)secret ^ (uint64_t)size;
    return (uint16_t)(v * (uint64_t)multiplier >> 48) ^ (uint16_t)state_secret;
}

struct granule;
struct region;

/* From now on contracts are checked of this region; NULL: of none. */
void contracts_watch(const struct region *r, struct granule *g, uint32_t granules);

#endif
