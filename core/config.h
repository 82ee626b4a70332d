/* config.h: every constant of the allocator, with its unit and its reason.
 *
 * What a user may change at run time stands in options.h; what stands here is fixed when the
 * library is built. No file may repeat one of these numbers.
 */
#ifndef CP_CONFIG_H
#define CP_CONFIG_H

#include <stdint.h>

#define CP_PUBLIC __attribute__((visibility("default")))
#define CP_COLD __attribute__((cold, noinline))

/* The unit of every size and index inside a region. Equals the alignment malloc promises. */
#define GRANULE_BYTES 16u

#define PAGE_BYTES 4096u
#define PAGE_GRANULES (PAGE_BYTES / GRANULE_BYTES)

/* A chunk is a header granule and at least one more, which holds the links while it is free. */
#define CHUNK_MIN_GRANULES 2u

/* Bytes of a chunk that are not the user's: 8 of the header; the other 8 bytes of the next
 * header (prev_size) belong to the user while the chunk is in use. */
#define CHUNK_OVERHEAD_BYTES 8u

/* Bins: see bin.h for the map. Their heads are the first granules of every region. */
#define BIN_NONE 0u
#define BIN_UNSORTED 1u
#define BIN_SMALL_FIRST 2u /* the bin of chunks of s granules is bin s ... */
#define BIN_LARGE_FIRST 64u /* ... up to here: 62 small bins, then 64 large ones */
#define BIN_COUNT 128u
#ifndef LARGE_MIN_GRANULES /* the exhaustive test scales this border down: core/test/exhaust.mk */
#define LARGE_MIN_GRANULES 64u /* at most BIN_LARGE_FIRST: every smaller size has a bin */
#endif

/* Index of a region's first chunk: behind the bin heads. */
#define REGION_FIRST BIN_COUNT

/* Fast bins hold chunks of 2 .. FAST_MAX_GRANULES granules: M_MXFAST may go up to 160 bytes. */
#define FAST_MAX_GRANULES 11u
#define FAST_BIN_COUNT (FAST_MAX_GRANULES + 1u)
#define MXFAST_DEFAULT_BYTES 128u
#define MXFAST_LIMIT_BYTES 160u

/* Freeing a merged chunk of this size empties the fast bins into their neighbours (64 KiB). */
#ifndef CONSOLIDATE_GRANULES /* scaled down like LARGE_MIN_GRANULES */
#define CONSOLIDATE_GRANULES 4096u
#endif

/* As much may wait on the arenas' lists of returned chunks, in equal shares, before a thread that is
 * at home elsewhere tries an arena's lock (512 KiB). */
#ifndef RETURNED_GRANULES /* scaled down where programs are short: fuzz/fuzz.mk */
#define RETURNED_GRANULES 32768u
#endif

/* After so many chunks freed and none allocated a region merges each at once: fast bins would only put
 * that off. */
#ifndef FREED_IN_A_ROW /* scaled down like RETURNED_GRANULES */
#define FREED_IN_A_ROW 1024u
#endif

/* As much at most comes in one call where small chunks are cut off pages that are not there: a sixteenth of what is
 * in use, or this (128 KiB, a tenth of a millisecond). With 512 KiB one malloc in a thousand of growth/clear takes
 * 0.9 us, not 47, but the longest of the pattern map 270 us, not 110. */
#ifndef AHEAD_GRANULES /* scaled down like RETURNED_GRANULES */
#define AHEAD_GRANULES 8192u
#endif

/* How many unsorted chunks one allocation sorts at most, so that its time is bounded. */
#define UNSORTED_STEPS 10000u

/* Region indices have 32 bits, so a region ends before 64 GiB; kept below 2^31 granules so that
 * sums of two indices never wrap. */
#define REGION_LIMIT_GRANULES 0x7ffffff0u

/* Mapped regions are aligned to their reserved size: 1 MiB << class. */
#define REGION_UNIT_BYTES ((size_t)1 << 20)
#define REGION_CLASS_FIRST 6u /* 64 MiB; each further region of an arena doubles */
#define REGION_CLASS_LAST 14u /* 16 GiB */

/* Flags of a chunk header. */
#define FLAG_MAPPED 1u /* M: the chunk is a mapping of its own; its size counts pages */
#define FLAG_ARENA 2u /* A: the chunk lies in a mapped region, found by masking */
#define FLAG_CLASS_SHIFT 2u /* the region's class, 0 .. REGION_CLASS_LAST */

/* The thread cache has a bin for each size up to CACHE_SMALL_GRANULES (usable 1032 bytes): those
 * take the fast path. Larger chunks up to CACHE_MAX_GRANULES (just below 32 KiB) share bins, 8 for
 * each doubling. */
#define CACHE_SMALL_GRANULES 65u
#define CACHE_MAX_GRANULES 2047u
#define CACHE_BIN_COUNT 106u
#define CACHE_NEXT_BINS 3u /* that may serve a request whose own bin is empty */
#ifndef FLUSH_CHUNKS /* that a full bin gives back at a time, which merges them: few, so that no free waits long.
 * The lock costs little beside that, since what the next few will read is fetched meanwhile, in a region with so
 * much in use (1 MiB) that it is hardly in the processor's cache. Of the frees of the pattern map one in a thousand
 * takes 1.9 us at 8, 1.3 at 4, 1.0 at 2, and glibc's 0.5; the pattern takes as long at 4 as at 8, and 8% longer at
 * 2. Scaled down like RETURNED_GRANULES; so are the next five. */
#define FLUSH_CHUNKS 4u
#endif
#ifndef EXPECT_GRANULES
#define EXPECT_GRANULES 65536u
#endif
#ifndef SLIDE_MIN /* a stack of so many chunks has room behind it, by which it moves on as its oldest leave: a
 * kilobyte of pointers would else be moved for every few */
#define SLIDE_MIN 64u
#endif
#ifndef PURGE_RUNS /* of pages that one free gives back at most, however much there is: the next frees go on */
#define PURGE_RUNS 64u
#endif
#ifndef SWEEP_STEPS /* chunks below PURGE_MIN_GRANULES that one free looks at: see purge.c */
#define SWEEP_STEPS 1024u
#endif
#ifndef SWEEP_BIN_STEPS /* of one bin, the newest */
#define SWEEP_BIN_STEPS 8192u
#endif

/* Arenas there may be, unless M_ARENA_MAX says: so many for each processor, but M_ARENA_TEST at least. No
 * more threads run at a time than there are processors; twice as many because a thread may lose its
 * processor with a lock held. */
#define ARENAS_PER_PROCESSOR 2u
#define ARENA_TEST_DEFAULT 2

#define MMAP_THRESHOLD_DEFAULT_BYTES ((size_t)128 * 1024)
#define MMAP_THRESHOLD_MAX_BYTES ((size_t)32 * 1024 * 1024)
#define TRIM_THRESHOLD_DEFAULT_BYTES ((size_t)128 * 1024)
#define TOP_PAD_DEFAULT_BYTES ((size_t)128 * 1024)
#define MMAP_MAX_DEFAULT 65536

/* Free chunks from this size on record which of their pages were given back, in granule
 * i + PURGED_NODE, and are listed by age while others were not, through granule i + DIRTY_NODE. The
 * list's head is granule 0 of the region, which is no bin's. Whole pages of smaller chunks are given
 * back when a region has shrunk and by malloc_trim: churn soon wants them again, and one or two
 * pages are not worth a system call then. */
#define PURGE_MIN_GRANULES (4u * PAGE_GRANULES)
#define PURGED_NODE 3u
#define DIRTY_NODE 4u
#define DIRTY_HEAD 0u
#define DIRTY_UNLISTED UINT32_MAX

#endif
