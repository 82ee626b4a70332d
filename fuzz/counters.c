/* counters.c: see counters.h. A process that forks shares the numbers with its children. */
#include "counters.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static struct {
    uint64_t runs;
    uint64_t operations;
} own, *counters = (void *)&own;

void counters_open(void) {
    const char *path = getenv("FUZZ_STATS");
    if (path == NULL)
        return;
    int fd = open(path, O_RDWR | O_CREAT, 0666);
    if (fd < 0 || ftruncate(fd, sizeof *counters) != 0) {
        perror(path);
        exit(2);
    }
    void *p = mmap(NULL, sizeof *counters, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (p != MAP_FAILED)
        counters = p;
}

void counters_add(uint64_t operations) {
    counters->runs++;
    counters->operations += operations;
}
