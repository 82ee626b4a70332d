/* thread_words.h: included before everything else (-include) where fibers are the back end.
 *
 * Fibers share the one thread's storage, so what the core keeps for each thread becomes ordinary
 * variables of one section, which fiber.c saves and loads at each switch: whatever thread-local
 * variable the core will have is swapped without being named here. With fiber_pthread.c this file
 * is not included, and thread-local means what it says.
 */
#ifndef CP_THREAD_WORDS_H
#define CP_THREAD_WORDS_H

#define _Thread_local __attribute__((section("cp_thread_words")))

#endif
