#ifndef RIBCAGE_CALICO_BIRD_CHECK_H
#define RIBCAGE_CALICO_BIRD_CHECK_H

/* For tests: what Debian's BIRD 1.6 says of a file (`bird -p`). Include calico_test.h or cmocka.h
 * before it. */

#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* build/peers beside the tree, or RIBCAGE_PEERS; NULL: not there. */
static inline const char *bird_folder(void) {
    static char path[512];
    const char *peers = getenv("RIBCAGE_PEERS");
    snprintf(path, sizeof path, "%s/bird", peers ? peers : "build/peers");
    char program[600];
    snprintf(program, sizeof program, "%s/usr/sbin/bird", path);
    return access(program, X_OK) == 0 ? path : NULL;
}

static inline bool bird_accepts(const char *folder, int family, const char *text) {
    char program[600], libraries[600], file[] = "/tmp/plan_bird_test.XXXXXX";
    snprintf(program, sizeof program, "%s/usr/sbin/bird%s", folder, family ? "6" : "");
    snprintf(libraries, sizeof libraries, "LD_LIBRARY_PATH=%s/libs", folder);
    int fd = mkstemp(file), status = 0;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    pid_t pid = fork();
    if (pid == 0) {
        char *const environment[] = {libraries, NULL};
        char *const words[] = {program, (char[]){"-p"}, (char[]){"-c"}, file, NULL};
        int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
        dup2(null, STDERR_FILENO);
        execve(program, words, environment);
        _exit(127);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    unlink(file);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static inline const char *bird_or_skip(void) {
    const char *folder = bird_folder();
    if (!folder) {
        print_message("skipped: no BIRD 1.6 in build/peers (.ci/peers fetches it)\n");
        skip();
    }
    return folder;
}

#endif
