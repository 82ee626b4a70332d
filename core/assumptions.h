/* assumptions.h: what is assumed of compiler and platform, refused at compile time elsewhere.
 *
 * The proofs and the walker speak of `struct granule`; that the machine lays it out as the
 * drawing in granule.h says is what these lines make sure of.
 */
#ifndef CP_ASSUMPTIONS_H
#define CP_ASSUMPTIONS_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#include "granule.h"

_Static_assert(CHAR_BIT == 8, "bytes of 8 bits");
_Static_assert(sizeof(void *) == 8, "64-bit addresses");
_Static_assert(sizeof(size_t) == 8, "64-bit sizes");
_Static_assert(sizeof(struct granule) == GRANULE_BYTES, "a granule has no padding");
_Static_assert(offsetof(struct granule, lo) == 0, "prev_size stands first");
_Static_assert(offsetof(struct granule, size) == CHUNK_OVERHEAD_BYTES,
               "the user's bytes may reach over lo and hi of the next header, no further");
_Static_assert(_Alignof(max_align_t) <= GRANULE_BYTES, "a granule aligns every type");
_Static_assert(BIN_COUNT == 128, "the bin map is two words of 64 bits");

#endif
