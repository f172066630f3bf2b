/*
 * The folder of a run, below one that others may write to: what they put there, before or in
 * between, is neither taken nor followed nor given away.
 */

#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#define USER 1234u

static char root[64];
static int root_fd = -1;

static int begin(void **state) {
    (void)state;
    snprintf(root, sizeof root, "/tmp/run-folder-test-XXXXXX");
    root_fd = mkdtemp(root) ? open(root, O_DIRECTORY | O_RDONLY | O_CLOEXEC) : -1;
    return root_fd >= 0 && mkdirat(root_fd, "elsewhere", 0755) == 0 ? 0 : -1;
}

static int finish(void **state) {
    static const char *const files[] = {"own.json", "link.json", "second.json", "pipe.json",
                                        "own.txt",  "run",       "precious",    "linked"};
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        (void)unlinkat(root_fd, files[i], 0);
    (void)unlinkat(root_fd, "run", AT_REMOVEDIR);
    (void)unlinkat(root_fd, "elsewhere", AT_REMOVEDIR);
    close(root_fd);
    return rmdir(root); /* fails when anything else was left behind */
}

/* ---- making ---- */

static bool swap; /* somebody else puts a link in a new folder's place, right behind mkdirat */

int mkdirat(int fd, const char *name, mode_t mode) {
    int result = (int)syscall(SYS_mkdirat, fd, name, mode);
    bool swapped = swap && strcmp(name, "run") == 0;
    if (swapped && (unlinkat(fd, name, AT_REMOVEDIR) || symlinkat("elsewhere", fd, name)))
        return -1;
    return result;
}

static int make(char path[128]) {
    return run_folder_make(root, 0, "run", path, 128);
}

static void test_made(void **state) {
    char path[128], wanted[128];
    struct stat s, made;
    (void)state;
    int fd = make(path);
    snprintf(wanted, sizeof wanted, "%s/run", root);
    assert_true(fd >= 0 && fstat(fd, &s) == 0 && lstat(wanted, &made) == 0);
    assert_string_equal(path, wanted);
    assert_int_equal(s.st_ino, made.st_ino);
    close(fd);
    assert_int_equal(make(path), -1); /* a run's folder is its own */
}

static void test_links(void **state) {
    char path[128];
    (void)state;
    assert_int_equal(symlinkat("elsewhere", root_fd, "run"), 0);
    assert_int_equal(make(path), -1);
    assert_int_equal(unlinkat(root_fd, "run", 0), 0);
    assert_int_equal(symlinkat("nowhere", root_fd, "run"), 0);
    assert_int_equal(make(path), -1);
    assert_int_equal(unlinkat(root_fd, "run", 0), 0);
    swap = true;
    int fd = make(path);
    swap = false;
    assert_int_equal(fd, -1);
}

/* ---- giving ---- */

static void put_file(const char *name) {
    int fd = openat(root_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
}

static void assert_owner(const char *name, uid_t uid) {
    struct stat s;
    assert_int_equal(fstatat(root_fd, name, &s, AT_SYMLINK_NOFOLLOW), 0);
    if (s.st_uid != uid)
        fail_msg("%s is of %u", name, (unsigned)s.st_uid);
}

/* Reports are the user's afterwards; what a name that he made leads to is not. */
static void test_given(void **state) {
    (void)state;
    if (getuid() != 0) {
        print_message("skipped: only root may give files away\n");
        skip();
    }
    put_file("own.json");
    put_file("own.txt");
    put_file("precious");
    put_file("linked");
    assert_int_equal(symlinkat("linked", root_fd, "link.json"), 0);
    assert_int_equal(linkat(root_fd, "precious", root_fd, "second.json", 0), 0);
    assert_int_equal(mkfifoat(root_fd, "pipe.json", 0600), 0);
    setenv("SUDO_UID", "1234", 1);
    setenv("SUDO_GID", "1234", 1);
    run_folder_give(root_fd);
    unsetenv("SUDO_UID");
    unsetenv("SUDO_GID");
    assert_owner("own.json", USER);
    assert_owner("own.txt", 0); /* no report */
    assert_owner("precious", 0);
    assert_owner("linked", 0);
    assert_owner("link.json", 0);
    assert_owner("pipe.json", 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_made, begin, finish),
        cmocka_unit_test_setup_teardown(test_links, begin, finish),
        cmocka_unit_test_setup_teardown(test_given, begin, finish),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
