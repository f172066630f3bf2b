/*
 * A run's result as JSON, and files that are either the old one or the whole new one.
 *
 * The shape is reports/schema.json. Numbers are integers (ns, bytes, counts); nothing is rounded.
 */

#include "report.h"

#include "../speaker/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What a remote or a user wrote may be anything, and what was cut to a length may end within a
 * character: JSON wants UTF-8. */
json_t *report_text(const char *text) {
    if (!text)
        text = "";
    json_t *s = json_string(text);
    if (s)
        return s;
    struct text escaped;
    text_init(&escaped);
    text_put_printable(&escaped, text, strlen(text));
    s = json_string(text_str(&escaped));
    text_deinit(&escaped);
    return s;
}

const char *report_text_of(const json_t *object, const char *name) {
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

static void put_text(json_t *o, const char *name, const char *text) {
    json_object_set_new(o, name, report_text(text));
}

static void put_number(json_t *o, const char *name, uint64_t value) {
    json_object_set_new(o, name, json_integer((json_int_t)value));
}

static json_t *phases_json(const struct run_result *r) {
    json_t *list = json_array();
    for (size_t i = 0; i < r->phase_count; i++) {
        json_t *o = json_object();
        put_text(o, "name", r->phases[i].name);
        put_number(o, "start_ns", r->phases[i].start_ns);
        put_number(o, "duration_ns", r->phases[i].duration_ns);
        json_object_set_new(o, "done", json_boolean(r->phases[i].done));
        put_text(o, "summary", r->phases[i].summary);
        json_array_append_new(list, o);
    }
    return list;
}

static json_t *checks_json(const struct run_result *r) {
    json_t *list = json_array();
    for (size_t i = 0; i < r->check_count; i++) {
        const struct run_check *c = &r->checks[i];
        json_t *o = json_object();
        put_text(o, "phase", c->phase);
        put_text(o, "name", c->name);
        put_text(o, "verdict", check_verdict_name(c->verdict));
        put_text(o, "reason", c->reason);
        put_number(o, "at_ns", c->at_ns);
        put_number(o, "duration_ns", c->duration_ns);
        json_array_append_new(list, o);
    }
    return list;
}

static json_t *texts_json(const char **texts, size_t count) {
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, report_text(texts[i]));
    return list;
}

static json_t *sessions_json(const struct run_result *r) {
    json_t *o = json_object();
    put_number(o, "expected", r->sessions.expected);
    put_number(o, "speakers", r->sessions.speakers);
    put_number(o, "kernel", r->sessions.kernel);
    put_number(o, "wire", r->sessions.wire);
    json_object_set_new(o, "missing", texts_json(r->sessions.missing, r->sessions.missing_count));
    json_object_set_new(o, "unexpected",
                        texts_json(r->sessions.unexpected, r->sessions.unexpected_count));
    return o;
}

static json_t *convergence_json(const struct run_result *r) {
    json_t *o = json_object();
    put_number(o, "first_session_ns", r->convergence.first_session_ns);
    put_number(o, "last_session_ns", r->convergence.last_session_ns);
    put_number(o, "last_loc_rib_ns", r->convergence.last_loc_rib_ns);
    put_number(o, "last_fib_ns", r->convergence.last_fib_ns);
    put_number(o, "last_update_ns", r->convergence.last_update_ns);
    return o;
}

static json_t *usage_json(const struct run_result *r) {
    json_t *o = json_object();
    put_number(o, "speakers", r->usage.speakers);
    put_number(o, "pss_bytes", r->usage.pss_bytes);
    put_number(o, "pss_max_bytes", r->usage.pss_max_bytes);
    put_number(o, "rss_bytes", r->usage.rss_bytes);
    put_number(o, "cpu_ns", r->usage.cpu_ns);
    put_number(o, "wait_ns", r->usage.wait_ns);
    put_number(o, "updates", r->usage.updates);
    if (r->usage.held_ns) {
        put_number(o, "held_ns", r->usage.held_ns);
        put_number(o, "held_speakers_cpu_ns", r->usage.held_speakers_cpu_ns);
        put_number(o, "held_runner_cpu_ns", r->usage.held_runner_cpu_ns);
    }
    return o;
}

static json_t *host_json(const struct run_result *r) {
    json_t *o = json_object();
    put_number(o, "cpus", r->host.cpus);
    put_number(o, "timer_lag_p99_ns", r->host.timer_lag_p99_ns);
    put_number(o, "timer_lag_max_ns", r->host.timer_lag_max_ns);
    put_number(o, "wait_ns", r->host.wait_ns);
    put_number(o, "delayed_ns", r->host.delayed_ns);
    put_number(o, "own_cpu_ns", r->host.own_cpu_ns);
    put_number(o, "foreign_cpu_ns", r->host.foreign_cpu_ns);
    json_object_set_new(o, "kernel_bytes", json_integer((json_int_t)r->host.kernel_bytes));
    put_text(o, "spoiled", r->host.spoiled);
    return o;
}

json_t *report_json(const struct run_result *r) {
    json_t *o = json_object();
    put_text(o, "id", r->id);
    put_text(o, "directory", r->directory);
    put_text(o, "scenario", r->scenario);
    put_text(o, "description", r->description);
    put_text(o, "file", r->file);
    put_text(o, "theme", r->theme);
    put_text(o, "profile", r->profile);
    put_text(o, "fabric", r->fabric);
    put_text(o, "version", r->version);
    put_number(o, "nodes", r->nodes);
    put_number(o, "routers", r->routers);
    put_number(o, "seed", r->seed);
    put_number(o, "wall_start_ms", r->wall_start_ms);
    put_text(o, "verdict", run_verdict_name(r->verdict));
    put_number(o, "exit_status", (uint64_t)run_verdict_exit(r->verdict));
    put_text(o, "error", r->error);
    if (r->partial_of)
        put_text(o, "partial_of", r->partial_of);
    json_object_set_new(o, "phases", phases_json(r));
    json_object_set_new(o, "checks", checks_json(r));
    json_object_set_new(o, "sessions", sessions_json(r));
    json_t *routes = json_object();
    put_number(routes, "expected", r->routes.expected);
    put_number(routes, "loc_rib", r->routes.loc_rib);
    put_number(routes, "fib", r->routes.fib);
    json_object_set_new(o, "routes", routes);
    json_object_set_new(o, "convergence", convergence_json(r));
    json_object_set_new(o, "speakers", usage_json(r));
    if (r->host.cpus)
        json_object_set_new(o, "host", host_json(r));
    if (r->warnings)
        json_object_set(o, "warnings", r->warnings);
    return o;
}

/* ---- files ---- */

static bool write_all(int fd, const char *data, size_t size) {
    while (size) {
        ssize_t n = write(fd, data, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        data += n;
        size -= (size_t)n;
    }
    return true;
}

bool report_write_file(int directory_fd, const char *name, const char *data, size_t size) {
    char temporary[128];
    snprintf(temporary, sizeof temporary, ".%s.new", name);
    (void)unlinkat(directory_fd, temporary, 0); /* of a run that was cut off here */
    int fd =
        openat(directory_fd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (fd < 0)
        return false;
    bool ok = write_all(fd, data, size) && fsync(fd) == 0;
    ok = close(fd) == 0 && ok;
    ok = ok && renameat(directory_fd, temporary, directory_fd, name) == 0;
    if (!ok) {
        int error = errno;
        (void)unlinkat(directory_fd, temporary, 0);
        errno = error;
    }
    return ok;
}

bool report_write_json(int directory_fd, const json_t *result) {
    char *text = json_dumps(result, JSON_INDENT(2));
    if (!text) {
        errno = ENOMEM;
        return false;
    }
    bool ok = report_write_file(directory_fd, "result.json", text, strlen(text));
    free(text);
    return ok;
}
