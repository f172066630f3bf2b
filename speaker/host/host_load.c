/*
 * From the options to a configuration: files and inherited descriptors, JSON or IOS text; and the
 * same again on SIGHUP.
 *
 * Owns reading, up to CONFIG_TEXT_MAX: regular files by name, because a speaker at work must not
 * wait for the writer of a FIFO; what descriptors stand for, pipes and sockets too. Putting a
 * configuration in force is host.c's; the mock Cisco keeps its own text (router.c).
 */
#include "host.h"

#include "../base/arena.h"
#include "../base/text.h"
#include "../config/config_fields.h"
#include "../config/config_file.h"
#include "log.h"
#include "router.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A descriptor of a regular file; -1 with errno: of anything else, at once. */
static int regular_open(const char *file) {
    struct stat st = {.st_mode = 0};
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return -1;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= (off_t)CONFIG_TEXT_MAX)
        return fd;
    int error = S_ISREG(st.st_mode) ? EFBIG : S_ISDIR(st.st_mode) ? EISDIR : ENOTSUP;
    close(fd);
    errno = error;
    return -1;
}

static const char *reason(int error) {
    switch (error) {
    case ENOTSUP:
        return "not a regular file";
    case EFBIG:
        return "larger than 64 MiB";
    default:
        return strerror(error);
    }
}

/* Reads to the end; false with errno. */
static bool read_all(int fd, struct text *out) {
    char buffer[16384];
    for (;;) {
        ssize_t got = read(fd, buffer, sizeof buffer);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got == 0;
        text_put(out, buffer, (size_t)got);
        if (out->failed || out->size > CONFIG_TEXT_MAX) {
            errno = out->failed ? ENOMEM : EFBIG;
            return false;
        }
    }
}

static bool read_source(const char *file, int inherited, struct text *out,
                        struct diag_list *diags) {
    int fd = file ? regular_open(file) : inherited;
    bool ok = fd >= 0 && read_all(fd, out);
    if (!ok)
        diag_add(diags, DIAG_ERROR, (struct diag_place){.file = file}, "cannot-read",
                 "cannot read the configuration: %s", reason(errno));
    if (fd >= 0)
        close(fd);
    return ok;
}

static bool load_json(struct host *h, const struct text *t, const char *file, bool check_only,
                      struct diag_list *diags) {
    struct arena *arena = arena_new();
    const struct bgp_config *c =
        arena ? config_from_file(text_str(t), t->size, file, h->options.profile, arena, diags)
              : NULL;
    bool ok = c && (check_only || host_configure(h, c, diags));
    arena_free(arena);
    return ok;
}

static bool load_ios(struct host *h, const struct text *t, const char *file, bool check_only,
                     struct diag_list *diags) {
    if (!h->router)
        h->router = router_new(h);
    if (!h->router)
        return false;
    return check_only ? router_check(h->router, text_str(t), t->size, file, diags)
                      : router_load(h->router, text_str(t), t->size, file, diags);
}

bool host_load(struct host *h, bool check_only, struct diag_list *diags) {
    const struct host_options *o = &h->options;
    bool ios = o->ios_file || o->ios_fd >= 0;
    const char *file = ios ? o->ios_file : o->config_file;
    struct text t;
    text_init(&t);
    bool ok = read_source(file, ios ? o->ios_fd : o->config_fd, &t, diags);
    file = file ? file : ios ? "running-config" : "configuration";
    if (ok)
        ok = ios ? load_ios(h, &t, file, check_only, diags)
                 : load_json(h, &t, file, check_only, diags);
    text_deinit(&t);
    h->trim_wanted = true;
    return ok;
}

bool host_reload(struct host *h, struct diag_list *diags) {
    const struct host_options *o = &h->options;
    char clock[LOG_WALL_CLOCK_SIZE];
    bool ok = false;
    if (!o->config_file && !o->ios_file)
        diag_add(diags, DIAG_ERROR, (struct diag_place){0}, "no-file",
                 "the configuration did not come from a file");
    else
        ok = host_load(h, false, diags);
    log_line(h->log, ok ? "reloaded" : "reload_refused", NULL, "file=%s errors=%zu time=%s",
             o->config_file ? o->config_file
             : o->ios_file  ? o->ios_file
                            : "-",
             diag_error_count(diags), log_wall_clock(clock));
    return ok;
}
