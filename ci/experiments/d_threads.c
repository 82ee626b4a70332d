/* d_threads.c: each thread maps an arena of 64 MiB for its first malloc. One thread, then 64 more,
 * allocate 1 KiB each and stay: how large is the process, and how many arenas has it? Then all of
 * them free and end.
 */
#include "phases.h"

enum { BLOCK_BYTES = 1024 };

static size_t thread_count, first_block;
static pthread_barrier_t made, finished;

static void *work(void *number) {
    size_t i = first_block + (size_t)number;
    block_make(i, BLOCK_BYTES);
    pthread_barrier_wait(&made);
    pthread_barrier_wait(&finished);
    block_drop(i);
    return NULL;
}

/* The threads stay while the phase ends. */
static void crowd(const char *name, size_t count) {
    pthread_barrier_init(&made, NULL, (unsigned)count + 1);
    pthread_barrier_init(&finished, NULL, (unsigned)count + 1);
    phase_begin(name);
    threads_start(count, work);
    pthread_barrier_wait(&made);
    phase_end(JUDGED);
    pthread_barrier_wait(&finished);
    threads_join(count);
}

int main(int argc, char **argv) {
    experiment_begin(argc, argv);
    thread_count = (size_t)parameter("threads", 64);
    experiment_blocks(thread_count);
    crowd("one thread", 1);
    crowd("all threads", thread_count);
    phase_begin("after them");
    phase_end(JUDGED);
    return experiment_end();
}
