/*
 * Which files a scenario is made of, and the tree it may see.
 *
 * Owns: finding the root (the nearest folder above the scenario that holds both scenarios/ and
 * topologies/, else the scenario's own), reading what the scenario names beneath it, folders of
 * manifests, and the list of scenarios below a folder.
 * Leaves to others: opening itself (sim/yaml: openat2 beneath a descriptor), what is in the files.
 *
 * Invariants: no path of a scenario is ever opened other than beneath root_fd. Folders are listed
 * in name order, so that a run does not depend on a directory's hash order.
 */

#include "scenario_internal.h"

#include "../../speaker/base/arena.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SCENARIO_FILE "scenario.yaml"
#define ROOT_LEVELS_MAX 8
#define FOLDER_ENTRIES_MAX 10000

static void report(struct diag_list *diags, struct diag_place place, const char *what,
                   const char *why) {
    diag_add(diags, DIAG_ERROR, place, "unreadable-file", "cannot read \"%.200s\": %s", what, why);
}

char *scenario_join(struct arena *arena, const char *a, const char *b) {
    while (strncmp(b, "./", 2) == 0)
        b += 2;
    if (!*a || strcmp(a, ".") == 0)
        return arena_strdup(arena, b);
    size_t size = strlen(a);
    return arena_printf(arena, a[size - 1] == '/' ? "%s%s" : "%s/%s", a, b);
}

/* ---- the scenario's place ---- */

static bool is_folder_at(int fd, const char *name) {
    struct stat st;
    return fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

/* `path` is cut at its last slash; false at "/". */
static bool cut_last(char *path, const char **ret_last) {
    char *slash = strrchr(path, '/');
    if (!slash || slash[1] == 0)
        return false;
    *ret_last = slash + 1;
    slash[slash == path] = 0;
    return true;
}

/* Walks up from the absolute `folder`; opens the root and says how the folder is called there. */
static int open_root(const char *folder, struct arena *arena, const char **ret_relative) {
    char *path = arena_strdup(arena, folder);
    for (int level = 0; path && level < ROOT_LEVELS_MAX; level++) {
        int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd >= 0 && is_folder_at(fd, "scenarios") && is_folder_at(fd, "topologies")) {
            const char *rest = folder + strlen(path);
            while (*rest == '/')
                rest++;
            *ret_relative = *rest ? rest : ".";
            return fd;
        }
        if (fd >= 0)
            close(fd);
        char *slash = strrchr(path, '/');
        if (!slash || slash == path)
            break;
        *slash = 0;
    }
    *ret_relative = ".";
    return open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static void name_scenario(struct scenario *s, char *folder) {
    const char *last;
    s->name = cut_last(folder, &last) ? last : "scenario";
    s->theme = strrchr(folder, '/') ? strrchr(folder, '/') + 1 : "";
}

/* The folder as the user wrote it, and the file in it. */
static bool split_path(struct scenario *s, const char *path, struct arena *arena,
                       const char **ret_file_name) {
    struct stat st;
    const char *slash = strrchr(path, '/');
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
        size_t size = strlen(path);
        while (size > 1 && path[size - 1] == '/')
            size--;
        s->shown_directory = arena_strndup(arena, path, size);
        *ret_file_name = SCENARIO_FILE;
    } else {
        s->shown_directory =
            slash ? arena_strndup(arena, path, slash == path ? 1 : (size_t)(slash - path)) : ".";
        *ret_file_name = slash ? slash + 1 : path;
    }
    if (!s->shown_directory)
        return false;
    s->file = scenario_join(arena, s->shown_directory, *ret_file_name);
    return s->file != NULL;
}

bool scenario_open(struct scenario *s, const char *path, struct arena *arena,
                   struct diag_list *diags) {
    const char *file_name;
    char real[PATH_MAX];
    if (!split_path(s, path, arena, &file_name))
        return false;
    if (!realpath(s->shown_directory, real)) {
        report(diags, (struct diag_place){path, 0, 0}, path, strerror(errno));
        return false;
    }
    char *folder = arena_strdup(arena, real), *cut = arena_strdup(arena, real);
    if (!folder || !cut)
        return false;
    s->directory_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    s->root_fd = open_root(folder, arena, &s->directory);
    if (s->directory_fd < 0 || s->root_fd < 0) {
        report(diags, (struct diag_place){path, 0, 0}, path, strerror(errno));
        return false;
    }
    name_scenario(s, cut);
    return true;
}

void scenario_close(struct scenario *s) {
    if (!s)
        return;
    if (s->directory_fd >= 0)
        close(s->directory_fd);
    if (s->root_fd >= 0)
        close(s->root_fd);
    s->directory_fd = s->root_fd = -1;
}

/* ---- files beneath the root ---- */

char *scenario_read_file(const struct scenario *s, const char *path, struct arena *arena,
                         struct diag_place place, struct diag_list *diags, size_t *ret_size) {
    const char *shown = scenario_join(arena, s->shown_directory, path);
    const char *beneath = path[0] == '/' ? path : scenario_join(arena, s->directory, path);
    if (!shown || !beneath)
        return NULL;
    return file_read_beneath(s->root_fd, beneath, shown, arena, place, diags, ret_size);
}

static int open_folder_beneath(const struct scenario *s, const char *path, struct arena *arena) {
    struct open_how how = {
        .flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };
    const char *beneath = path[0] == '/' ? path : scenario_join(arena, s->directory, path);
    return beneath ? (int)syscall(SYS_openat2, s->root_fd, beneath, &how, sizeof(how)) : -1;
}

struct names {
    const char **items;
    size_t count, capacity;
};

static bool names_add(struct names *n, const char *name) {
    if (!name)
        return false;
    if (n->count == n->capacity) {
        size_t wanted = n->capacity ? n->capacity * 2 : 16;
        const char **bigger = alloc_resize(n->items, wanted, sizeof(*bigger));
        if (!bigger)
            return false;
        n->items = bigger;
        n->capacity = wanted;
    }
    n->items[n->count++] = name;
    return true;
}

static int compare_names(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void names_sort(struct names *n) {
    if (n->count)
        qsort(n->items, n->count, sizeof(*n->items), compare_names);
}

static bool is_manifest(const char *name) {
    static const char *const endings[] = {".yaml", ".yml", ".json"};
    size_t size = strlen(name);
    for (size_t i = 0; i < 3 && name[0] != '.'; i++) {
        size_t ending = strlen(endings[i]);
        if (size > ending && strcmp(name + size - ending, endings[i]) == 0)
            return true;
    }
    return false;
}

/* Closes `fd`. The names `keep` accepts, in order; false: out of memory or too many. */
static bool list_folder(int fd, struct arena *arena, bool keep(const char *name),
                        struct names *ret_names) {
    DIR *folder = fdopendir(fd);
    if (!folder) {
        close(fd);
        return false;
    }
    bool ok = true;
    for (struct dirent *e; ok && (e = readdir(folder));)
        if (keep(e->d_name))
            ok = ret_names->count < FOLDER_ENTRIES_MAX &&
                 names_add(ret_names, arena_strdup(arena, e->d_name));
    closedir(folder);
    names_sort(ret_names);
    return ok;
}

/* ---- manifests ---- */

struct gathered {
    struct yaml_document *items;
    size_t count, capacity;
};

static bool gather(struct gathered *g, const struct yaml_document *documents, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (g->count == g->capacity) {
            size_t wanted = g->capacity ? g->capacity * 2 : 16;
            struct yaml_document *bigger = alloc_resize(g->items, wanted, sizeof(*bigger));
            if (!bigger)
                return false;
            g->items = bigger;
            g->capacity = wanted;
        }
        g->items[g->count++] = documents[i];
    }
    return true;
}

static bool read_manifest(const struct scenario *s, const char *path, struct diag_place place,
                          struct arena *arena, struct diag_list *diags, struct gathered *g) {
    size_t size;
    struct yaml_document *documents = NULL;
    const char *shown = scenario_join(arena, s->shown_directory, path);
    char *text = scenario_read_file(s, path, arena, place, diags, &size);
    if (!text || !shown)
        return false;
    size_t found = diag_count(diags);
    int count = yaml_parse(text, size, shown, arena, diags, &documents);
    return count >= 0 &&
           gather(g, documents,
                  yaml_sound_documents(text, size, documents, (size_t)count, diags, found));
}

static bool read_manifest_folder(const struct scenario *s, int fd, const char *path,
                                 struct diag_place place, struct arena *arena,
                                 struct diag_list *diags, struct gathered *g) {
    struct names names = {0};
    bool ok = list_folder(fd, arena, is_manifest, &names);
    if (!ok || names.count == 0) {
        report(diags, place, path, ok ? "no *.yaml, *.yml or *.json in it" : "folder too large");
        ok = false;
    }
    for (size_t i = 0; i < names.count; i++) {
        const char *file = scenario_join(arena, path, names.items[i]);
        ok = file && read_manifest(s, file, place, arena, diags, g) && ok;
    }
    alloc_free(names.items);
    return ok;
}

bool scenario_read_manifests(const struct scenario *s, const char *const *paths,
                             const struct diag_place *places, size_t count, enum calico_tool tool,
                             struct arena *arena, struct diag_list *diags,
                             struct yaml_document **ret_documents, size_t *ret_count) {
    struct gathered g = {0};
    size_t errors_before = diag_error_count(diags);
    bool ok = true;
    for (size_t i = 0; i < count; i++) {
        int fd = open_folder_beneath(s, paths[i], arena);
        if (fd >= 0)
            ok = read_manifest_folder(s, fd, paths[i], places[i], arena, diags, &g) && ok;
        else
            ok = read_manifest(s, paths[i], places[i], arena, diags, &g) && ok;
    }
    struct yaml_document *out = arena_array(arena, g.count + 1, sizeof(*out));
    if (out && g.count)
        memcpy(out, g.items, g.count * sizeof(*out));
    bool sound = diag_error_count(diags) == errors_before;
    *ret_documents = out;
    *ret_count = ok && out && (sound || tool == CALICO_TOOL_KUBECTL) ? g.count : 0;
    alloc_free(g.items);
    return ok && out && sound;
}

/* ---- scenarios below a folder ---- */

static bool is_visible(const char *name) {
    return name[0] != '.';
}

static bool list_scenarios(const char *folder, int levels, struct arena *arena,
                           struct names *found) {
    struct names entries = {0};
    bool ok = true;
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOTDIR || errno == ENOENT;
    if (faccessat(fd, SCENARIO_FILE, R_OK, 0) == 0) {
        close(fd);
        return names_add(found, arena_strdup(arena, folder));
    }
    if (levels == 0) {
        close(fd);
        return true;
    }
    ok = list_folder(fd, arena, is_visible, &entries);
    for (size_t i = 0; ok && i < entries.count; i++) {
        const char *path = scenario_join(arena, folder, entries.items[i]);
        ok = path && list_scenarios(path, levels - 1, arena, found);
    }
    alloc_free(entries.items);
    return ok;
}

bool scenario_list(const char *folder, struct arena *arena, struct diag_list *diags,
                   const char ***ret_paths, size_t *ret_count) {
    struct names found = {0};
    bool ok = list_scenarios(folder, SCENARIO_LEVELS_MAX, arena, &found);
    names_sort(&found);
    const char **paths = arena_array(arena, found.count + 1, sizeof(*paths));
    if (!ok || !paths || found.count == 0) {
        report(diags, (struct diag_place){folder, 0, 0}, folder,
               ok ? "no " SCENARIO_FILE " in it or below it" : strerror(errno));
        alloc_free(found.items);
        return false;
    }
    memcpy(paths, found.items, found.count * sizeof(*paths));
    alloc_free(found.items);
    *ret_paths = paths;
    *ret_count = found.count;
    return true;
}
