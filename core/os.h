/* os.h: every service the core asks of the operating system; nothing else in core/ makes a
 * system call. os_linux.c is the real one; fuzz/sim/ has a simulated one.
 *
 * Sizes are bytes and, where memory is mapped, multiples of PAGE_BYTES. Functions that can fail
 * return NULL or false and leave errno as the system set it; no function allocates.
 */
#ifndef CP_OS_H
#define CP_OS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Move the program break by `delta_bytes`. Returns the break before the move; NULL on failure.
 * 0 asks where it is. Another user of brk may have moved it meanwhile. */
void *os_brk(ptrdiff_t delta_bytes);

/* New zeroed memory, readable and writable. NULL on failure. */
void *os_map(size_t bytes);

/* Address space only, aligned to `align_bytes` (a power of two); any access faults. */
void *os_reserve(size_t bytes, size_t align_bytes);

/* Make reserved pages readable and writable (zeroed when first touched). */
bool os_commit(void *start, size_t bytes);

/* Give the pages back and make them inaccessible again; the reservation stays. Never fails to lose
 * the contents: committed anew, they read as zero. */
void os_decommit(void *start, size_t bytes);

/* Have pages that read as zero in memory before they are touched, where the system can. */
void os_populate(void *start, size_t bytes);

/* Give the pages' memory back; they stay accessible and read as zero. */
bool os_purge(void *start, size_t bytes);

/* Give memory or reservations back altogether. */
void os_unmap(void *start, size_t bytes);

/* Resize a mapping made by os_map, moving it if it must and `may_move`. NULL: unchanged. */
void *os_remap(void *start, size_t old_bytes, size_t new_bytes, bool may_move);

/* 64 unpredictable bits; never fails (falls back to clock and addresses). */
uint64_t os_random(void);

/* Processors this process may use, 1 or more. */
unsigned os_cpu_count(void);

/* Nanoseconds of a monotonic clock. */
uint64_t os_clock_ns(void);

/* Environment variable, or NULL; NULL always in set-uid and set-gid programs. */
const char *os_environment(const char *name);

/* Write to standard error, unbuffered. */
void os_write_error(const char *text, size_t bytes);

/* End the process by SIGABRT. */
_Noreturn void os_abort(void);

/* Have `on_exit` called in every thread that ends after it called os_thread_arm(argument). */
void os_thread_exit_hook(void (*on_exit)(void *argument));
void os_thread_arm(void *argument);

/* Have these called around fork; once per process. */
void os_fork_hooks(void (*prepare)(void), void (*parent)(void), void (*child)(void));

#endif
