/*
 * Which labs run: a directory per lab with a lock that its supervisor holds, a socket and a line
 * about it.
 *
 * The lock is the truth: the kernel lets it go when the supervisor ends, however it ends. Nothing
 * is ever found by a process's name or an interface's pattern. Directories: /run/ribcage for root,
 * else $XDG_RUNTIME_DIR/ribcage if that is short enough for the address of a socket, else
 * /tmp/ribcage-<uid> (0700, ours, no link).
 */

#include "cli.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define PLACES_MAX 1024

void lab_id_make(char id[LAB_ID_MAX]) {
    struct timespec now;
    struct tm utc;
    unsigned salt = 0; /* wide enough for hundreds that begin in one second */
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    if (getrandom(&salt, sizeof salt, 0) != sizeof salt)
        salt = (unsigned)(now.tv_nsec ^ getpid() << 8);
    size_t size = strftime(id, LAB_ID_MAX, "%Y%m%d-%H%M%S", &utc);
    snprintf(id + size, LAB_ID_MAX - size, "-%08x", salt);
}

/* Below it the address of a lab's socket is within what the kernel takes. */
static bool is_short(const char *runtime) {
    const struct sockaddr_un *a = NULL;
    return strlen(runtime) + strlen("/ribcage/") + LAB_ID_MAX + strlen("/ctl") <=
           sizeof a->sun_path;
}

static void base_directory(char *out, size_t size) {
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    if (getuid() == 0)
        snprintf(out, size, "/run/ribcage");
    else if (runtime && runtime[0] == '/' && is_short(runtime))
        snprintf(out, size, "%s/ribcage", runtime);
    else
        snprintf(out, size, "/tmp/ribcage-%u", getuid());
}

/* A directory, ours and closed to others. What stands in another is nobody's lab. */
static bool is_own(const char *path) {
    struct stat s;
    if (lstat(path, &s) != 0)
        return false;
    if (S_ISDIR(s.st_mode) && s.st_uid == getuid() && (s.st_mode & 022) == 0)
        return true;
    errno = EPERM;
    return false;
}

static bool own_directory(const char *path) {
    return (mkdir(path, 0700) == 0 || errno == EEXIST) && is_own(path);
}

static void place_paths(const char *base, const char *id, struct lab_place *p) {
    snprintf(p->id, sizeof p->id, "%s", id);
    snprintf(p->directory, sizeof p->directory, "%.110s/%.39s", base, id);
    snprintf(p->socket, sizeof p->socket, "%s/ctl", p->directory);
    p->lock_fd = -1;
}

static int open_lock(const struct lab_place *p, int flags) {
    char path[200];
    snprintf(path, sizeof path, "%s/lock", p->directory);
    return open(path, flags | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600);
}

/* Making, looking and collecting take turns: a place that is just being made is not dead, and a
 * look at a lock does not take it from its owner. The turn ends with the descriptor. -1: errno. */
static int take_turn(void) {
    char base[128];
    base_directory(base, sizeof base);
    int fd = open(base, O_DIRECTORY | O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    while (fd >= 0 && flock(fd, LOCK_EX) != 0 && errno == EINTR)
        continue;
    return fd;
}

void lab_place_remove(const struct lab_place *p) {
    static const char *const files[] = {"ctl", "lock"};
    int fd = open(p->directory, O_DIRECTORY | O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    for (size_t i = 0; fd >= 0 && i < sizeof files / sizeof files[0]; i++)
        (void)unlinkat(fd, files[i], 0);
    if (fd >= 0)
        close(fd);
    (void)rmdir(p->directory);
}

static bool is_alive(const struct lab_place *p) {
    int fd = open_lock(p, 0);
    if (fd < 0)
        return false;
    bool alive = flock(fd, LOCK_EX | LOCK_NB) != 0;
    close(fd);
    return alive;
}

static int compare_names(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static size_t read_names(const char *base, char **names, size_t max) {
    DIR *d = opendir(base);
    size_t n = 0;
    for (struct dirent *e; d && n < max && (e = readdir(d)) != NULL;) {
        if (e->d_name[0] != '.' && strlen(e->d_name) < LAB_ID_MAX)
            names[n++] = strdup(e->d_name);
    }
    if (d)
        closedir(d);
    qsort(names, n, sizeof *names, compare_names);
    return n;
}

/* Whoever makes a place tidies up: a machine on which labs are killed does not fill up. */
static void collect_in_turn(const char *base) {
    char *names[PLACES_MAX];
    size_t n = read_names(base, names, PLACES_MAX);
    for (size_t i = 0; i < n; i++) {
        struct lab_place p;
        place_paths(base, names[i], &p);
        if (!is_alive(&p))
            lab_place_remove(&p);
        free(names[i]);
    }
}

static bool make_in_turn(struct lab_place *p) {
    if (mkdir(p->directory, 0700) != 0)
        return false;
    p->lock_fd = open_lock(p, O_CREAT | O_EXCL);
    if (p->lock_fd >= 0 && flock(p->lock_fd, LOCK_EX | LOCK_NB) == 0)
        return true;
    int error = errno;
    if (p->lock_fd >= 0)
        close(p->lock_fd);
    p->lock_fd = -1;
    lab_place_remove(p);
    errno = error;
    return false;
}

/* In the file that is the lock: it is there as long as the lab is. */
static bool write_about(const struct lab_place *p, bool stays, const char *scenario) {
    struct text about;
    text_init(&about);
    text_puts(&about, stays ? "up " : "run ");
    text_put_printable(&about, scenario, strlen(scenario));
    size_t size = about.size < LAB_ABOUT_MAX ? about.size : LAB_ABOUT_MAX - 1;
    bool ok = write(p->lock_fd, text_str(&about), size) == (ssize_t)size;
    text_deinit(&about);
    return ok;
}

void lab_place_about(const struct lab_place *p, char out[LAB_ABOUT_MAX]) {
    int fd = open_lock(p, O_NONBLOCK);
    ssize_t n = fd >= 0 ? read(fd, out, LAB_ABOUT_MAX - 1) : 0;
    out[n > 0 ? n : 0] = '\0';
    if (fd >= 0)
        close(fd);
}

bool lab_place_make(const char *id, bool stays, const char *scenario, struct lab_place *ret_place) {
    char base[128];
    base_directory(base, sizeof base);
    place_paths(base, id, ret_place);
    int turn = own_directory(base) ? take_turn() : -1;
    if (turn < 0)
        return false;
    collect_in_turn(base);
    bool ok = make_in_turn(ret_place) && write_about(ret_place, stays, scenario);
    int error = errno;
    close(turn);
    errno = error;
    return ok;
}

bool lab_place_lives(const struct lab_place *p) {
    int turn = take_turn();
    bool alive = is_alive(p);
    if (turn >= 0)
        close(turn);
    return alive;
}

bool lab_place_collect(const struct lab_place *p) {
    int turn = take_turn();
    bool dead = turn >= 0 && !is_alive(p);
    if (dead)
        lab_place_remove(p);
    if (turn >= 0)
        close(turn);
    return dead;
}

size_t lab_places(lab_place_fn *each, void *context) {
    char base[128], *names[PLACES_MAX];
    base_directory(base, sizeof base);
    size_t n = is_own(base) ? read_names(base, names, PLACES_MAX) : 0;
    for (size_t i = 0; i < n; i++) {
        struct lab_place p;
        place_paths(base, names[i], &p);
        each(context, &p, lab_place_lives(&p));
        free(names[i]);
    }
    return n;
}

struct choice {
    const char *id;
    struct lab_place place, up; /* the last one; the last that `up` made */
    size_t count, up_count;
    struct text ids;
};

static void consider(void *context, const struct lab_place *p, bool alive) {
    struct choice *c = context;
    char about[LAB_ABOUT_MAX];
    if (!alive || (c->id && strcmp(c->id, p->id) != 0))
        return;
    lab_place_about(p, about);
    c->place = *p;
    c->count++;
    if (strncmp(about, "up ", 3) == 0) {
        c->up = *p;
        c->up_count++;
    }
    text_printf(&c->ids, "%s %s%s%s%s", c->count > 1 ? "," : "", p->id, *about ? " (" : "", about,
                *about ? ")" : "");
}

bool lab_place_choose(const char *id, struct lab_place *ret_place) {
    struct choice c = {.id = id};
    text_init(&c.ids);
    lab_places(consider, &c);
    bool one = c.count == 1 || c.up_count == 1;
    if (one)
        *ret_place = c.count == 1 ? c.place : c.up;
    else if (c.count == 0)
        cli_error(id ? "no lab %s runs" : "no lab runs%s", id ? id : "");
    else
        cli_error("several labs run; --lab ID chooses one of:%s", text_str(&c.ids));
    text_deinit(&c.ids);
    return one;
}
