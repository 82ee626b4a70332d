/* size.h: requests in bytes to chunks in granules and back, with every overflow. Proved file.
 *
 * Pure arithmetic: no memory, no lock. 0 granules means "no chunk can be that large".
 */
#ifndef CP_SIZE_H
#define CP_SIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"

/* Largest request any malloc call may grant (C, POSIX: PTRDIFF_MAX). */
#define REQUEST_MAX_BYTES ((size_t)PTRDIFF_MAX)

/* Largest request a region can serve. Whatever is larger is a mapping of its own. */
#define REGION_REQUEST_MAX_BYTES ((size_t)REGION_LIMIT_GRANULES * GRANULE_BYTES / 2)

/*@ // A chunk of `granules` has room for `bytes` of the user's.
    predicate roomy(integer granules, integer bytes) =
        granules * GRANULE_BYTES - CHUNK_OVERHEAD_BYTES >= bytes;
*/

/* Granules of the chunk that serves `request_bytes`; 0 beyond REGION_REQUEST_MAX_BYTES. */
/*@ terminates \true;
    exits never: \false;
    assigns \nothing;
    ensures refused: \result == 0 <==> request_bytes > REGION_REQUEST_MAX_BYTES;
    ensures chunk: \result != 0 ==> CHUNK_MIN_GRANULES <= \result <= REGION_LIMIT_GRANULES / 2 + 1;
    ensures roomy: \result != 0 ==> roomy(\result, request_bytes);
    ensures tight: \result > CHUNK_MIN_GRANULES ==> !roomy(\result - 1, request_bytes);
*/
static inline uint32_t size_to_granules(size_t request_bytes) {
    if (request_bytes > REGION_REQUEST_MAX_BYTES)
        return 0;
    if (request_bytes <= CHUNK_MIN_GRANULES * GRANULE_BYTES - CHUNK_OVERHEAD_BYTES)
        return CHUNK_MIN_GRANULES;
    return (uint32_t)((request_bytes + CHUNK_OVERHEAD_BYTES + (GRANULE_BYTES - 1)) / GRANULE_BYTES);
}

/* Bytes the user may use in a chunk of `granules`. */
/*@ requires chunk: granules >= 1;
    terminates \true;
    exits never: \false;
    assigns \nothing;
    ensures roomy: roomy(granules, \result);
    ensures all: !roomy(granules, \result + 1);
*/
static inline size_t granules_to_usable(uint32_t granules) {
    return (size_t)granules * GRANULE_BYTES - CHUNK_OVERHEAD_BYTES;
}

/* Pages of a mapping that starts `offset_bytes` before the payload; 0 on overflow or beyond
 * what a header's 32-bit size field can hold. */
/*@ requires offset: offset_bytes <= REQUEST_MAX_BYTES - PAGE_BYTES;
    terminates \true;
    exits never: \false;
    assigns \nothing;
    ensures enough: \result != 0 ==> \result * PAGE_BYTES >= request_bytes + offset_bytes;
    ensures tight: \result != 0 ==> (\result - 1) * PAGE_BYTES < request_bytes + offset_bytes;
    ensures refused: request_bytes + offset_bytes > 0 &&
        request_bytes + offset_bytes <= UINT32_MAX * PAGE_BYTES ==> \result != 0;
*/
static inline uint32_t size_to_pages(size_t request_bytes, size_t offset_bytes) {
    if (request_bytes > REQUEST_MAX_BYTES - offset_bytes - PAGE_BYTES)
        return 0;
    size_t pages = (request_bytes + offset_bytes + (PAGE_BYTES - 1)) / PAGE_BYTES;
    return pages > UINT32_MAX ? 0 : (uint32_t)pages;
}

/* count * each, or false where the product is no size_t. */
/*@ requires writable: \valid(product);
    terminates \true;
    exits never: \false;
    assigns *product;
    ensures told: \result <==> count * each <= SIZE_MAX;
    ensures product: \result ==> *product == count * each;
    ensures refused: !\result ==> *product == \old(*product);
*/
static inline bool size_multiply(size_t count, size_t each, size_t *product) {
    if (each != 0 && count > SIZE_MAX / each)
        return false;
    *product = count * each;
    return true;
}

/*@ terminates \true;
    exits never: \false;
    assigns \nothing;
    ensures told: \result <==> (n != 0 && (n & (n - 1)) == 0);
*/
static inline bool size_is_power_of_two(size_t n) { return n != 0 && (n & (n - 1)) == 0; }

/* The caller sees to it that no sum wraps. */
/*@ requires multiple: multiple > 0;
    requires sum: n + multiple - 1 <= SIZE_MAX;
    terminates \true;
    exits never: \false;
    assigns \nothing;
    ensures multiple: \result % multiple == 0;
    ensures up: n <= \result <= n + multiple - 1;
*/
static inline size_t round_up(size_t n, size_t multiple) {
    size_t sum = n + (multiple - 1);
    //@ assert quotient: sum == multiple * (sum / multiple) + sum % multiple;
    //@ assert multiple: (sum - sum % multiple) % multiple == 0;
    return sum - sum % multiple;
}

#endif
