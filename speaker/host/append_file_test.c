/*
 * What may stand where a file that grows is to be: what leads elsewhere is refused and left alone.
 */
#include "append_file.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64], path[96], precious[96];

static int begin(void **state) {
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/append-file-test-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/file", folder);
    snprintf(precious, sizeof precious, "%s/precious", folder);
    int fd = open(precious, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool ok = fd >= 0 && write(fd, "precious", 8) == 8;
    if (fd >= 0)
        close(fd);
    return ok ? 0 : -1;
}

static int finish(void **state) {
    (void)state;
    unlink(path);
    unlink(precious);
    return rmdir(folder);
}

static off_t size_of(const char *file) {
    struct stat s;
    assert_int_equal(stat(file, &s), 0);
    return s.st_size;
}

static void test_appends(void **state) {
    struct stat s;
    (void)state;
    mode_t mask = umask(0);
    for (int i = 1; i <= 2; i++) {
        int fd = append_file_open(path, 0640);
        assert_true(fd >= 0 && write(fd, "line\n", 5) == 5);
        close(fd);
        assert_int_equal(size_of(path), 5 * i);
    }
    umask(mask);
    assert_true(stat(path, &s) == 0 && (s.st_mode & 0777) == 0640);
}

static void assert_refused(int error) {
    errno = 0;
    assert_int_equal(append_file_open(path, 0640), -1);
    assert_int_equal(errno, error);
    assert_int_equal(size_of(precious), 8);
    assert_int_equal(unlink(path), 0);
}

static void test_what_leads_elsewhere(void **state) {
    (void)state;
    assert_int_equal(symlink("precious", path), 0);
    assert_refused(ELOOP);
    assert_int_equal(symlink("nowhere", path), 0);
    assert_refused(ELOOP);
    assert_int_equal(link(precious, path), 0);
    assert_refused(EMLINK);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_refused(ENXIO);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_appends, begin, finish),
        cmocka_unit_test_setup_teardown(test_what_leads_elsewhere, begin, finish),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
