/* launch.c: launch RESULT LIBRARY COMMAND...: runs the command with LIBRARY preloaded, and writes to
 * the file RESULT what the system counted for it and all it started, one `name value` line each.
 * Small itself, because a process's peak is never below that of the process that started it.
 */
#include <sys/resource.h>
#include <sys/wait.h>

#include "kit.h"

static double seconds_of(struct timeval t) { return (double)t.tv_sec + (double)t.tv_usec * 1e-6; }

static void report(const char *path, double seconds, const struct rusage *usage) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        die("%s cannot be written\n", path);
    say_to(fd, "seconds %.6f\ncpu_seconds %.6f\npeak_rss %ld\nfaults %ld\n", seconds,
           seconds_of(usage->ru_utime) + seconds_of(usage->ru_stime), usage->ru_maxrss * 1024,
           usage->ru_minflt + usage->ru_majflt);
}

int main(int argc, char **argv) {
    if (argc < 4) {
        say_to(STDERR_FILENO, "usage: launch RESULT LIBRARY COMMAND...\n");
        return 2;
    }
    int status;
    struct rusage usage;
    double start = seconds_now();
    pid_t child = fork();
    if (child < 0)
        die("fork failed\n");
    if (child == 0) {
        setenv("LD_PRELOAD", argv[2], 1);
        execvp(argv[3], argv + 3);
        die("%s cannot be run\n", argv[3]);
    }
    if (wait4(child, &status, 0, &usage) != child)
        die("wait4 failed\n");
    report(argv[1], seconds_now() - start, &usage);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
