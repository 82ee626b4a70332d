/* process.h: the allocator's life in a process: start, fork, and all of its locks at once. */
#ifndef CP_PROCESS_H
#define CP_PROCESS_H

#include <stdbool.h>

/* (Re)start the whole allocator in its first state, reading options and drawing secrets. Called
 * once by itself; a harness calls it again after it has reset its simulated system. */
void allocator_start(void);

/* The same, unless it has been done. Any thread. */
void allocator_ensure_started(void);

/* Take every lock of the allocator, in the one order, and release them: for the walker. */
void allocator_lock_all(void);
void allocator_unlock_all(void);

#endif
