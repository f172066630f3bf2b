/*
 * Owns finding and reading the documents behind the paths of a command line: files, folders with
 * all that is below them, standard input.
 *
 * Invariants: the order is that of the paths, in a folder that of names, files before folders; a
 * folder's symbolic links to folders are not followed, so no tree is walked twice.
 */
#include "manifests.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool keep(struct manifests *in, const struct yaml_document *list, size_t count) {
    if (in->count + count > in->capacity) {
        size_t capacity = (in->count + count) * 2;
        struct yaml_document *all = arena_array(in->arena, capacity, sizeof *all);
        if (!all)
            return false;
        if (in->count)
            memcpy(all, in->documents, in->count * sizeof *all);
        in->documents = all;
        in->capacity = capacity;
    }
    if (count)
        memcpy(&in->documents[in->count], list, count * sizeof *list);
    in->count += count;
    return true;
}

static void read_one(struct manifests *in, const char *path) {
    struct yaml_document *list = NULL;
    size_t size = 0, found;
    char *text = file_read(path, in->arena, in->diags, &size);
    found = diag_count(in->diags);
    int n = text ? yaml_parse(text, size, path, in->arena, in->diags, &list) : -1;
    in->unreadable |= n < 0;
    if (n > 0)
        (void)keep(in, list,
                   in->by_document
                       ? yaml_sound_documents(text, size, list, (size_t)n, in->diags, found)
                       : (size_t)n);
}

static bool is_manifest(const char *name) {
    const char *dot = strrchr(name, '.');
    return dot &&
           (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0 || strcmp(dot, ".json") == 0);
}

/* ---- folders ---- */

#define FOLDER_DEPTH_MAX 32

static int is_wanted(const struct dirent *e) {
    return strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
}

static int compare_names(const struct dirent **a, const struct dirent **b) {
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void read_folder(struct manifests *in, const char *path, unsigned depth);

/* What of a folder's entry is asked for in this round: files first, then folders. */
static void read_entry(struct manifests *in, const char *path, const char *name, bool folders,
                       unsigned depth) {
    size_t size = strlen(path);
    const char *slash = size > 0 && path[size - 1] == '/' ? "" : "/";
    const char *below = arena_printf(in->arena, "%s%s%s", path, slash, name);
    struct stat s;
    if (!below || lstat(below, &s) != 0)
        return;
    if (folders && S_ISDIR(s.st_mode))
        read_folder(in, below, depth + 1);
    else if (!folders && !S_ISDIR(s.st_mode) && is_manifest(name))
        read_one(in, below);
}

static void read_folder(struct manifests *in, const char *path, unsigned depth) {
    struct dirent **entries = NULL;
    struct diag_place place = {.file = path};
    int count = depth < FOLDER_DEPTH_MAX ? scandir(path, &entries, is_wanted, compare_names) : -1;
    if (count < 0) {
        in->unreadable = true;
        diag_add(in->diags, DIAG_ERROR, place, "cannot-read", "cannot read this folder: %s",
                 depth < FOLDER_DEPTH_MAX ? strerror(errno) : "it is too deep");
        return;
    }
    for (int i = 0; i < count; i++)
        read_entry(in, path, entries[i]->d_name, false, depth);
    for (int i = 0; i < count; i++) {
        read_entry(in, path, entries[i]->d_name, true, depth);
        free(entries[i]);
    }
    free(entries);
}

void manifests_read(struct manifests *in, const char *path) {
    struct stat s;
    if (strcmp(path, "-") != 0 && stat(path, &s) == 0 && S_ISDIR(s.st_mode))
        read_folder(in, path, 0);
    else
        read_one(in, path);
}
