/*
 * The folder of a run or a series, below --runs.
 *
 * Under sudo what is made here belongs to the user who asked; what was there before keeps its
 * owner. A folder of that name that exists already is nobody's run but a trap, or a mistake: it is
 * not taken. Everything is done by descriptor, so that whoever owns the folder above may rename it
 * and plant links, and nothing of it is followed.
 */

#include "cli.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_sudo(uid_t *ret_uid, gid_t *ret_gid) {
    const char *uid = getenv("SUDO_UID"), *gid = getenv("SUDO_GID");
    uint64_t u = 0, g = 0;
    if (getuid() != 0 || !uid || !gid || !text_to_u64(uid, 0, UINT32_MAX - 1, &u) ||
        !text_to_u64(gid, 0, UINT32_MAX - 1, &g))
        return false;
    *ret_uid = (uid_t)u;
    *ret_gid = (gid_t)g;
    return true;
}

static void give(int fd) {
    uid_t uid = 0;
    gid_t gid = 0;
    if (is_sudo(&uid, &gid) && fchown(fd, uid, gid) != 0)
        cli_error("cannot hand the report over to uid %u: %s", (unsigned)uid, strerror(errno));
}

/* -1: errno. */
static int make_at(int parent, const char *name) {
    if (mkdirat(parent, name, 0755) != 0)
        return -1;
    int fd = openat(parent, name, O_DIRECTORY | O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd >= 0)
        give(fd);
    return fd;
}

/* May be a link, and may be there already: it is the user's to choose. */
static int open_runs(const char *runs) {
    int fd = make_at(AT_FDCWD, runs);
    return fd < 0 && errno == EEXIST ? open(runs, O_DIRECTORY | O_RDONLY | O_CLOEXEC) : fd;
}

int run_folder_make(const char *runs, int runs_fd, const char *name, char *ret_path, size_t size) {
    if ((size_t)snprintf(ret_path, size, "%s/%s", runs, name) >= size) {
        cli_error("the path of the folder for reports is too long (--runs DIR chooses another)");
        return -1;
    }
    int parent = runs_fd > 0 ? fcntl(runs_fd, F_DUPFD_CLOEXEC, 3) : open_runs(runs);
    if (parent < 0) {
        cli_error("no folder %s for reports: %s (--runs DIR chooses another)", runs,
                  strerror(errno));
        return -1;
    }
    int fd = make_at(parent, name);
    if (fd < 0)
        cli_error("%s: %s", ret_path, strerror(errno));
    close(parent);
    return fd;
}

static bool is_report(const char *name) {
    static const char *const endings[] = {".json", ".xml", ".mrt", ".csv", ".svg"};
    const char *ending = strrchr(name, '.');
    for (size_t i = 0; ending && i < sizeof endings / sizeof endings[0]; i++)
        if (strcmp(ending, endings[i]) == 0)
            return true;
    return false;
}

/* A second name may be that of a file which was never ours. */
static void give_file(int directory_fd, const char *name) {
    struct stat s;
    int fd = openat(directory_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd >= 0 && fstat(fd, &s) == 0 && S_ISREG(s.st_mode) && s.st_nlink == 1)
        give(fd);
    if (fd >= 0)
        close(fd);
}

void run_folder_give(int directory_fd) {
    uid_t uid = 0;
    gid_t gid = 0;
    int fd = is_sudo(&uid, &gid) ? openat(directory_fd, ".", O_RDONLY | O_CLOEXEC) : -1;
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    if (fd >= 0 && !d)
        close(fd);
    for (struct dirent *e; d && (e = readdir(d)) != NULL;) {
        if (is_report(e->d_name))
            give_file(directory_fd, e->d_name);
    }
    if (d)
        closedir(d);
}
