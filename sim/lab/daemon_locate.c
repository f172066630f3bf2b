/*
 * Where the programs of a driver are on this machine.
 *
 * A package that was only unpacked (as .ci/peers does) has its shared libraries beside it in
 * `libs`; an installed one needs none. Nothing is run here.
 */
#include "../../speaker/base/diag.h"
#include "daemon.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool print_path(char out[DAEMON_PATH_MAX], const char *folder, const char *name) {
    int n = snprintf(out, DAEMON_PATH_MAX, "%s/%s", folder, name);
    return n > 0 && n < DAEMON_PATH_MAX;
}

static bool is_folder(const char *path) {
    struct stat s;
    return stat(path, &s) == 0 && S_ISDIR(s.st_mode);
}

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* All programs of the driver: below an unpacked package, or beside each other in one folder. */
static bool take_folder(const struct daemon_driver *d, const char *folder, bool package,
                        struct daemon_root *root) {
    memset(root, 0, sizeof *root);
    for (size_t i = 0; i < d->program_count; i++) {
        const char *file = package ? d->programs[i].file : base_name(d->programs[i].file);
        if (!print_path(root->programs[i], folder, file) || access(root->programs[i], X_OK) != 0)
            return false;
    }
    if (package && (!print_path(root->libraries, folder, "libs") || !is_folder(root->libraries)))
        root->libraries[0] = '\0';
    return true;
}

/* Absolute: a daemon is started from anywhere. */
static bool take_path(const struct daemon_driver *d, const char *path, struct daemon_root *root) {
    char full[DAEMON_PATH_MAX], *real = realpath(path, NULL);
    bool fits = real && snprintf(full, sizeof full, "%s", real) < DAEMON_PATH_MAX;
    free(real);
    if (!fits)
        return false;
    if (is_folder(full))
        return take_folder(d, full, true, root) || take_folder(d, full, false, root);
    char *slash = strrchr(full, '/');
    if (!slash || slash == full)
        return false;
    *slash = '\0';
    return take_folder(d, full, false, root);
}

static bool take_below(const struct daemon_driver *d, const char *folder,
                       struct daemon_root *root) {
    char path[DAEMON_PATH_MAX];
    return folder && *folder && print_path(path, folder, d->name) && take_path(d, path, root);
}

/* build/release/ribcage → build/peers */
static bool take_beside_us(const struct daemon_driver *d, struct daemon_root *root) {
    char path[DAEMON_PATH_MAX];
    ssize_t got = readlink("/proc/self/exe", path, sizeof path - 1);
    if (got <= 0)
        return false;
    path[got] = '\0';
    for (int up = 0; up < 6; up++) {
        char *slash = strrchr(path, '/');
        char peers[DAEMON_PATH_MAX];
        if (!slash)
            break;
        *slash = '\0';
        if (print_path(peers, path, "peers") && take_below(d, peers, root))
            return true;
    }
    return false;
}

static bool take_installed(const struct daemon_driver *d, struct daemon_root *root) {
    const char *at = getenv("PATH");
    char folder[DAEMON_PATH_MAX];
    if (!at || !*at)
        at = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    while (*at) {
        size_t length = strcspn(at, ":");
        if (length && length < sizeof folder) {
            snprintf(folder, sizeof folder, "%.*s", (int)length, at);
            if (take_folder(d, folder, false, root))
                return true;
        }
        at += length + (at[length] == ':');
    }
    return false;
}

bool daemon_locate(const struct daemon_driver *d, const char *path, struct daemon_root *ret_root,
                   struct diag_list *diags) {
    struct daemon_root root;
    if (path ? take_path(d, path, &root)
             : take_below(d, getenv("RIBCAGE_PEERS"), &root) ||
                   take_below(d, "build/peers", &root) || take_beside_us(d, &root) ||
                   take_installed(d, &root)) {
        *ret_root = root;
        return true;
    }
    diag_add(diags, DIAG_ERROR, (struct diag_place){0}, "no-backend",
             path ? "%s: neither an unpacked package nor the program: %s"
                  : "%s is not installed and not in RIBCAGE_PEERS or build/peers (%s)",
             d->title, path ? path : ".ci/peers fetches it");
    return false;
}
