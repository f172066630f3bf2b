#ifndef RIBCAGE_REPORT_TEST_H
#define RIBCAGE_REPORT_TEST_H

/* A result with something in every member, a folder to write to, and texts nobody wants. */

#include "report.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Every octet but NUL, then characters that are UTF-8 but not XML. */
static inline const char *every_octet(void) {
    static char text[300];
    if (!text[0]) {
        for (int i = 1; i < 256; i++)
            text[i - 1] = (char)i;
        memcpy(&text[255], "]]>\xEF\xBF\xBE\xEF\xBF\xBF\xE2\x82\xAC", 13);
    }
    return text;
}

/* JSON written with ' for " and ` for '. */
static inline json_t *quoted_json(const char *text) {
    char *copy = strdup(text);
    for (char *p = copy; p && *p; p++)
        *p = *p == '\'' ? '"' : *p == '`' ? '\'' : *p;
    json_t *j = copy ? json_loads(copy, JSON_REJECT_DUPLICATES, NULL) : NULL;
    free(copy);
    return j;
}

struct sample {
    struct run_phase phases[3];
    struct run_check checks[4];
    const char *missing[1], *unexpected[1];
    struct run_result result;
};

static inline void sample_lists(struct sample *s) {
    s->phases[0] = (struct run_phase){"build", 1, 2000000, true, "10 nodes, l2 fabric"};
    s->phases[1] = (struct run_phase){"step 1", 2000001, 1500000000, true, "3/4 checks"};
    s->phases[2] = (struct run_phase){"step 2", 1502000001, 0, false, ""};
    s->checks[0] = (struct run_check){"step 1", "sessions", CHECK_PASSED, "", 5, 6};
    s->checks[1] = (struct run_check){"step 1", "route", CHECK_FAILED, "kube-2: absent", 5, 7};
    s->checks[2] = (struct run_check){"step 1", "converged", CHECK_TIMEOUT, "1 missing", 5, 8};
    s->checks[3] = (struct run_check){"step 1", "wire", CHECK_SKIPPED, "no capture", 5, 9};
    s->missing[0] = "kube-1 - kube-2 (10.0.0.2)";
    s->unexpected[0] = "kube-1 - ? (10.0.0.9)";
}

/* Lives in `s`; the warnings are the caller's to drop. */
static inline struct run_result *sample_full(struct sample *s) {
    sample_lists(s);
    s->result = (struct run_result){
        .id = "20261121-020304-7f3a",
        .directory = "runs/20261121-020304-7f3a",
        .scenario = "full-mesh",
        .description = "Calico's default",
        .file = "scenarios/mesh/full-mesh/scenario.yaml",
        .theme = "mesh",
        .profile = "fast",
        .fabric = "l2",
        .nodes = 10,
        .routers = 2,
        .seed = 7,
        .wall_start_ms = 1795230442669,
        .version = "0.1.0",
        .verdict = RUN_INCOMPLETE,
        .error = "something",
        .phases = s->phases,
        .phase_count = 3,
        .checks = s->checks,
        .check_count = 4,
        .sessions = {45, 44, 43, 42, s->missing, s->unexpected, 1, 1},
        .routes = {100, 99, 98},
        .convergence = {1, 2, 3, 4, 5},
        .usage = {10, 11, 12, 13, 14, 15, 16, 17, 18, 19},
        .host = {2, 20, 21, 22, 23, 24, 25, -26, "others took it"},
        .partial_of = "step 2",
    };
    s->result.warnings =
        json_pack("[{s:s, s:s, s:s, s:i, s:i, s:s}]", "id", "partition", "severity", "warning",
                  "file", "a.yaml", "line", 3, "column", 4, "message", "two parts");
    return &s->result;
}

/* A folder under /tmp, opened; folder_remove takes away it and what it holds. */
struct folder {
    char path[64];
    int fd;
};

static inline bool folder_make(struct folder *f) {
    snprintf(f->path, sizeof f->path, "/tmp/reports-test-XXXXXX");
    f->fd = mkdtemp(f->path) ? open(f->path, O_DIRECTORY | O_RDONLY | O_CLOEXEC) : -1;
    return f->fd >= 0;
}

static inline void folder_remove(struct folder *f) {
    static const char *const names[] = {"result.json", ".result.json.new", "junit.xml",
                                        ".junit.xml.new", "elsewhere"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        (void)unlinkat(f->fd, names[i], 0);
    close(f->fd);
    (void)rmdir(f->path);
}

/* The whole file, NUL-terminated (free), or NULL. */
static inline char *folder_read(const struct folder *f, const char *name, size_t *ret_size) {
    int fd = openat(f->fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct stat st;
    char *data = fd >= 0 && fstat(fd, &st) == 0 ? calloc((size_t)st.st_size + 1, 1) : NULL;
    ssize_t n = data ? read(fd, data, (size_t)st.st_size) : -1;
    if (fd >= 0)
        close(fd);
    if (n >= 0)
        *ret_size = (size_t)n;
    return data;
}

#endif
