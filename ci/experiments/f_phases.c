/* f_phases.c: a program that works in phases grows from phase to phase. In each of 20 phases 8 new
 * threads allocate 4 MiB each in blocks of mixed sizes; each hands its blocks over to the next
 * thread, which frees them; the threads end.
 */
#include "phases.h"

enum { THREADS = 8, AVERAGE_BYTES = 743 };

static size_t blocks_each, phase_number;
static pthread_barrier_t handed_over;

static void *work(void *number) {
    size_t own = (size_t)number, other = (own + 1) % THREADS;
    struct random r = experiment_random(phase_number * THREADS + own);
    for (size_t i = 0; i < blocks_each; i++)
        block_make(own * blocks_each + i, random_size(&r));
    pthread_barrier_wait(&handed_over);
    for (size_t i = 0; i < blocks_each; i++)
        block_drop(other * blocks_each + i);
    return NULL;
}

int main(int argc, char **argv) {
    static char names[100][20];
    experiment_begin(argc, argv);
    size_t phases = (size_t)parameter("phases", 20);
    blocks_each = experiment_count("bytes", 4 * 1024 * 1024) / AVERAGE_BYTES + 1;
    if (phases > 100)
        die("at most 100 phases\n");
    pthread_barrier_init(&handed_over, NULL, THREADS);
    experiment_blocks(THREADS * blocks_each);
    for (phase_number = 0; phase_number < phases; phase_number++) {
        snprintf(names[phase_number], sizeof names[0], "phase %zu", phase_number + 1);
        phase_begin(names[phase_number]);
        threads_start(THREADS, work);
        threads_join(THREADS);
        phase_end(JUDGED);
    }
    return experiment_end();
}
