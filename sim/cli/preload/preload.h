#ifndef RIBCAGE_CLI_PRELOAD_H
#define RIBCAGE_CLI_PRELOAD_H

#include "../cli_fixture.h"

/* For tests that run the program with a library of this folder. */

/* <out>/sim/cli/preload/<name>.so, of the program's own tree. */
static inline const char *preload_path(const char *name) {
    static char path[600];
    char self[500] = "";

    assert_true(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
    *strrchr(self, '/') = '\0';
    snprintf(path, sizeof path, "%s/preload/%s.so", self, name);
    assert_int_equal(access(path, R_OK), 0);
    return path;
}

/* In the child, before the program. A sanitized one wants its own library to come first, or to be
 * told that this is meant. */
static inline void preload(const char *path) {
    const char *before = getenv("ASAN_OPTIONS");
    char options[400];

    snprintf(options, sizeof options, "%s:verify_asan_link_order=0", before ? before : "");
    setenv("ASAN_OPTIONS", options, 1);
    setenv("LD_PRELOAD", path, 1);
}

#endif
