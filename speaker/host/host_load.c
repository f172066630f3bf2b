/*
 * From the options to a configuration: files and inherited descriptors, JSON or IOS text.
 *
 * Owns reading (regular files, pipes and sockets up to CONFIG_TEXT_MAX) and the --profile override.
 * Putting a configuration in force is host.c's; the mock Cisco keeps its own text (router.c).
 */
#include "host.h"

#include "../base/arena.h"
#include "../base/text.h"
#include "../config/config_fields.h"
#include "../config/config_json.h"
#include "router.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

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
    int fd = file ? open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY) : inherited;
    bool ok = fd >= 0 && read_all(fd, out);
    if (!ok)
        diag_add(diags, DIAG_ERROR, (struct diag_place){.file = file}, "cannot-read",
                 "cannot read the configuration: %s", strerror(errno));
    if (fd >= 0)
        close(fd);
    return ok;
}

/* The same text under another profile: defaults that depend on it follow. */
static struct bgp_config *with_profile(const struct text *t, const char *profile, const char *file,
                                       struct arena *arena, struct diag_list *diags) {
    json_t *root = json_loadb(t->data, t->size, JSON_REJECT_DUPLICATES, NULL);
    struct bgp_config *c = NULL;
    if (root && json_object_set_new(root, "profile", json_string(profile)) == 0)
        c = config_from_json(root, file, arena, diags);
    json_decref(root);
    return c;
}

static bool load_json(struct host *h, const struct text *t, const char *file, bool check_only,
                      struct diag_list *diags) {
    struct arena *arena = arena_new();
    bool ok = false;
    struct bgp_config *c =
        arena ? config_from_text(text_str(t), t->size, file, arena, diags) : NULL;
    if (c && h->options.profile)
        c = with_profile(t, h->options.profile, file, arena, diags);
    if (c)
        ok = check_only ? bgp_config_check(c, file, diags) : host_configure(h, c, diags);
    arena_free(arena);
    return ok;
}

static bool load_ios(struct host *h, const struct text *t, const char *file, bool check_only,
                     struct diag_list *diags) {
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
    return ok;
}
