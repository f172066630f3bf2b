/*
 * The operations of the control protocol (speaker/CONTROL.md): a table of names and members.
 *
 * Owns parsing of a request, the check of its members against the table, and the answers. An
 * answer is appended as one whole line; a table (`rib`) comes as a dump that follows its head.
 * Nothing a request says is trusted: types are checked, depth is limited, duplicate keys refused.
 */
#include "requests.h"

#include "../base/arena.h"
#include "../base/text.h"
#include "../config/config_fields.h"
#include "../config/config_json.h"
#include "../config/config_origin.h"
#include "../core/profile.h"
#include "board.h"
#include "dump.h"
#include "exec.h"
#include "host.h"
#include "log.h"
#include "mrt_table.h"
#include "router.h"
#include "sockets.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct request {
    struct host *host;
    const json_t *in;
    json_t *out;       /* members of the answer */
    const char *error; /* not NULL: refused */
    struct dump *dump;
};

typedef void request_fn(struct request *r);
#define MEMBERS_MAX 6

/* ---- helpers ---- */

static int put_chunk(const char *data, size_t size, void *context) {
    text_put(context, data, size);
    return 0;
}

void request_put_json(struct text *out, const json_t *value) {
    if (json_dump_callback(value, put_chunk, out, JSON_COMPACT) != 0)
        out->failed = true;
}

static void put(struct request *r, const char *name, json_t *value) {
    if (json_object_set_new(r->out, name, value) != 0)
        r->error = "out of memory";
}

static const char *member_text(struct request *r, const char *name) {
    return json_string_value(json_object_get(r->in, name));
}

/* The peer of this name, or the first at this address; index 0 with an error when there is none. */
static struct bgp_peer_id find_peer(struct request *r, const char *name) {
    struct bgp_peer_info info;
    struct ip_addr address;
    bool by_address = ip_parse(name, &address);
    for (uint32_t i = 0; r->host->speaker && bgp_peer_at(r->host->speaker, i, &info); i++)
        if (strcmp(info.config->name, name) == 0)
            return info.id;
    for (uint32_t i = 0; by_address && r->host->speaker && bgp_peer_at(r->host->speaker, i, &info);
         i++)
        if (ip_equal(info.config->remote_addr, address))
            return info.id;
    r->error = "no such peer";
    return (struct bgp_peer_id){0};
}

static bool need_speaker(struct request *r) {
    if (!r->host->speaker)
        r->error = "bgp is not configured";
    return r->host->speaker != NULL;
}

static json_t *diags_to_json(const struct diag_list *d) {
    json_t *list = json_array();
    for (size_t i = 0; list && i < diag_count(d); i++) {
        const struct diag *f = diag_at(d, i);
        json_array_append_new(
            list, json_pack("{s:s, s:I, s:I, s:s, s:s, s:s}", "file", f->file, "line",
                            (json_int_t)f->line, "column", (json_int_t)f->column, "severity",
                            diag_severity_name(f->severity), "id", f->id, "message", f->message));
    }
    return list;
}

/* ---- operations ---- */

static void op_hello(struct request *r) {
    char id[IP_ADDR_TEXT_MAX];
    const struct bgp_config *c = r->host->speaker ? bgp_config_of(r->host->speaker) : NULL;
    put(r, "version", json_string(RIBCAGE_VERSION));
    put(r, "pid", json_integer(getpid()));
    put(r, "profile", json_string(c ? profile_get(c->profile)->name : "ios"));
    put(r, "router_id", json_string(c ? ip_format(c->router_id, id) : ""));
    put(r, "local_as", json_integer(c ? (json_int_t)c->local_as : 0));
    put(r, "since_ns", json_integer((json_int_t)r->host->started.ns));
    put(r, "generation", json_integer((json_int_t)r->host->config_generation));
}

static bool configure_json(struct request *r, const json_t *config, struct diag_list *diags) {
    struct arena *arena = arena_new();
    const struct bgp_config *c = arena ? config_from_json(config, "request", arena, diags) : NULL;
    bool ok = c && host_configure(r->host, c, diags);
    arena_free(arena);
    return ok;
}

static void op_configure(struct request *r) {
    const json_t *config = json_object_get(r->in, "config");
    const char *ios = member_text(r, "ios"), *file = member_text(r, "file");
    struct diag_list *diags = diag_list_new();
    bool ok = false;
    if (!diags)
        r->error = "out of memory";
    else if (!config == !ios)
        r->error = "one of config and ios is needed";
    else if (ios && !r->host->router)
        r->error = "this speaker was not started with --ios";
    else if (config && r->host->router)
        r->error = "this speaker was started with --ios";
    else
        ok = ios ? router_load(r->host->router, ios, strlen(ios), file ? file : "ios", diags)
                 : configure_json(r, config, diags);
    if (!r->error && !ok)
        r->error = "configuration refused";
    if (diags && diag_count(diags))
        put(r, "diags", diags_to_json(diags));
    put(r, "generation", json_integer((json_int_t)r->host->config_generation));
    r->host->trim_wanted = true;
    diag_list_free(diags);
}

static void op_reload(struct request *r) {
    struct diag_list *diags = diag_list_new();
    if (!diags)
        r->error = "out of memory";
    else if (!host_reload(r->host, diags))
        r->error = "configuration refused";
    if (diags && diag_count(diags))
        put(r, "diags", diags_to_json(diags));
    put(r, "generation", json_integer((json_int_t)r->host->config_generation));
    r->host->trim_wanted = true;
    diag_list_free(diags);
}

static void put_output(struct request *r, struct text *out) {
    if (out->failed)
        r->error = "out of memory";
    else
        put(r, "output", json_string(text_str(out)));
    text_deinit(out);
}

static void op_ios_lines(struct request *r) {
    const char *lines = member_text(r, "lines");
    struct text out;
    if (!lines || !r->host->router) {
        r->error = lines ? "this speaker was not started with --ios" : "lines is needed";
        return;
    }
    text_init(&out);
    router_lines(r->host->router, lines, &out);
    put_output(r, &out);
}

static void op_exec(struct request *r) {
    const char *command = member_text(r, "command");
    struct text out;
    if (!command) {
        r->error = "command is needed";
        return;
    }
    text_init(&out);
    bool known = r->host->router ? router_exec(r->host->router, command, &out)
                                 : exec_run(r->host, command, &out);
    if (!known)
        put(r, "refused", json_true());
    put_output(r, &out);
}

static json_t *per_family(const uint32_t counts[BGP_FAMILIES]) {
    return json_pack("{s:I, s:I}", "ipv4", (json_int_t)counts[0], "ipv6", (json_int_t)counts[1]);
}

/* Names of those of both sets. */
static json_t *family_names(const bool a[BGP_FAMILIES], const bool b[BGP_FAMILIES]) {
    json_t *names = json_array();
    for (int i = 0; names && i < BGP_FAMILIES; i++)
        if (a[i] && b[i])
            json_array_append_new(names, json_string(config_family_names[i]));
    return names;
}

/* What the neighbour's OPEN offered, in the words of `ribcage decode`. */
static json_t *capability_names(const struct bgp_peer_info *p) {
    const struct {
        const char *name;
        bool there;
    } rows[] = {
        {"route-refresh", p->refresh},
        {"enhanced-route-refresh", p->enhanced_refresh},
        {"asn4", p->as4},
        {"graceful-restart", p->graceful_restart},
    };
    json_t *names = json_array();
    for (size_t i = 0; names && i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].there)
            json_array_append_new(names, json_string(rows[i].name));
    return names;
}

static json_t *message_counts(const struct bgp_message_counts *m) {
    return json_pack("{s:i, s:I, s:I, s:I, s:i}", "opens", (int)m->opens, "updates",
                     (json_int_t)m->updates, "keepalives", (json_int_t)m->keepalives, "refreshes",
                     (json_int_t)m->refreshes, "notifications", (int)m->notifications);
}

/* Of a session that is up, but for what keeps one down. */
static void peer_session(json_t *o, const struct bgp_peer_info *p) {
    char local[IP_ADDR_TEXT_MAX] = "";
    bool up = p->state == BGP_ESTABLISHED;
    static const bool none[BGP_FAMILIES];
    if (up && ip_is_set(p->local.addr))
        ip_format(p->local.addr, local);
    json_object_set_new(o, "local", json_string(local));
    json_object_set_new(o, "capabilities", up ? capability_names(p) : json_array());
    json_object_set_new(o, "remote_restart_time_s",
                        json_integer(up && p->graceful_restart ? p->remote_restart_time_s : 0));
    json_object_set_new(o, "add_path_receive", family_names(p->families, up ? p->path_ids : none));
    json_object_set_new(o, "messages_received", message_counts(&p->received));
    json_object_set_new(o, "messages_sent", message_counts(&p->sent));
    json_object_set_new(o, "shutdown", json_boolean(p->admin_down));
    json_object_set_new(o, "prefix_limit_down", json_boolean(p->prefix_limit_down));
}

static void peer_counts(json_t *o, const struct bgp_peer_info *p) {
    const bool *configured = p->config->options->families;
    json_object_set_new(o, "families", family_names(p->families, p->families));
    json_object_set_new(o, "received", per_family(p->prefixes_received));
    json_object_set_new(o, "accepted", per_family(p->prefixes_accepted));
    json_object_set_new(o, "sent", per_family(p->prefixes_sent));
    json_object_set_new(o, "best", per_family(p->prefixes_best));
    json_object_set_new(o, "established_count", json_integer(p->established_count));
    json_object_set_new(o, "dropped_count", json_integer(p->dropped_count));
    json_object_set_new(o, "dynamic", json_boolean(p->dynamic));
    json_object_set_new(o, "extended_messages", json_boolean(p->extended_messages));
    json_object_set_new(o, "extended_next_hop", json_boolean(p->extended_next_hop));
    json_object_set_new(o, "import_outdated", json_boolean(p->import_outdated));
    json_object_set_new(o, "import_policy_missing",
                        family_names(configured, p->import_policy_missing));
    json_object_set_new(o, "export_policy_missing",
                        family_names(configured, p->export_policy_missing));
    json_object_set_new(o, "last_error", json_string(p->last_error ? p->last_error : ""));
    json_object_set_new(o, "last_reason", json_string(log_reason_name((int)p->last_reason)));
}

static json_t *peer_to_json(const struct host *h, const struct bgp_peer_info *p) {
    char remote[IP_ADDR_TEXT_MAX], id[IP_ADDR_TEXT_MAX] = "";
    uint32_t local_as = p->config->options->local_as ? p->config->options->local_as
                                                     : bgp_config_of(h->speaker)->local_as;
    uint16_t port = p->config->options->remote_port ? p->config->options->remote_port : BGP_PORT;
    if (p->remote_id)
        ip_format(ip4(p->remote_id), id);
    json_t *o = json_pack(
        "{s:s, s:s, s:i, s:I, s:I, s:s, s:b, s:b, s:I, s:b, s:i, s:i, s:s}", "name",
        p->config->name, "remote", ip_format(p->config->remote_addr, remote), "port", (int)port,
        "remote_as", (json_int_t)p->config->remote_as, "local_as", (json_int_t)local_as, "state",
        bgp_state_name(p->state), "passive", (int)p->config->options->passive, "waiting",
        (int)p->waiting_for_lock, "since_ns", (json_int_t)p->since.ns, "incoming", (int)p->incoming,
        "hold_time_s", (int)p->hold_time_s, "keepalive_s", (int)p->keepalive_s, "remote_id", id);
    if (o) {
        peer_session(o, p);
        peer_counts(o, p);
    }
    return o;
}

static void op_peers(struct request *r) {
    const char *name = member_text(r, "name");
    const struct bgp_speaker *s = r->host->speaker;
    struct bgp_peer_info info;
    json_t *list = json_array();
    put(r, "peers", list);
    struct bgp_peer_id one = name ? find_peer(r, name) : (struct bgp_peer_id){0};
    for (uint32_t i = 0; s && !r->error && bgp_peer_at(s, i, &info); i++)
        if ((!name || info.id.index == one.index) &&
            json_array_append_new(list, peer_to_json(r->host, &info)) != 0)
            r->error = "out of memory";
    r->host->trim_wanted = true;
}

/* What a witness of a thousand nodes asks for: two numbers a session, not thirty. */
static void op_established(struct request *r) {
    char remote[IP_ADDR_TEXT_MAX];
    struct bgp_peer_info info;
    json_t *remotes = json_array(), *hold_times = json_array();
    put(r, "remote", remotes);
    put(r, "hold_time_s", hold_times);
    for (uint32_t i = 0; r->host->speaker && bgp_peer_at(r->host->speaker, i, &info); i++) {
        if (info.state != BGP_ESTABLISHED)
            continue;
        ip_format(info.config->remote_addr, remote);
        if (json_array_append_new(remotes, json_string(remote)) != 0 ||
            json_array_append_new(hold_times, json_integer(info.hold_time_s)) != 0)
            r->error = "out of memory";
    }
    r->host->trim_wanted = true;
}

static bool word_index(const char *word, const char *const *words, int count, int *ret_index) {
    for (int i = 0; word && i < count; i++)
        if (strcmp(words[i], word) == 0) {
            *ret_index = i;
            return true;
        }
    return false;
}

static void op_rib(struct request *r) {
    static const char *const tables[] = {[DUMP_LOC] = "loc",
                                         [DUMP_IN] = "in",
                                         [DUMP_OUT] = "out",
                                         [DUMP_FIB] = "fib",
                                         [DUMP_ALL] = "all"};
    const char *family = member_text(r, "family"), *prefix = member_text(r, "prefix");
    const char *peer = member_text(r, "peer");
    struct dump_request d = {.families = {true, true}};
    int table = 0, f = 0;
    if (!word_index(member_text(r, "table"), tables, 5, &table)) {
        r->error = "table is one of loc, in, out, fib, all";
        return;
    }
    if (family && !word_index(family, config_family_names, BGP_FAMILIES, &f))
        r->error = "family is ipv4 or ipv6";
    else if (family)
        d.families[!f] = false;
    if (prefix && !ip_prefix_parse(prefix, &d.prefix))
        r->error = "prefix is not a prefix";
    d.one_prefix = prefix != NULL;
    d.families[BGP_IPV4_UNICAST] &= !prefix || d.prefix.addr.family == IP_V4;
    d.families[BGP_IPV6_UNICAST] &= !prefix || d.prefix.addr.family == IP_V6;
    d.table = (enum dump_table)table;
    if (peer)
        d.peer = find_peer(r, peer);
    else if (d.table == DUMP_OUT)
        r->error = "peer is needed for table out";
    if (!r->error && !(r->dump = dump_new(r->host, &d)))
        r->error = "out of memory";
}

static void op_explain(struct request *r) {
    const char *peer = member_text(r, "peer"), *prefix = member_text(r, "prefix");
    const char *direction = member_text(r, "direction");
    struct ip_prefix p;
    int import = 0;
    static const char *const directions[] = {"export", "import"};
    struct text out;
    if (!need_speaker(r))
        return;
    if (!peer || !prefix || !ip_prefix_parse(prefix, &p) ||
        !word_index(direction, directions, 2, &import)) {
        r->error = "peer, prefix and direction (import or export) are needed";
        return;
    }
    struct bgp_peer_id id = find_peer(r, peer);
    if (r->error)
        return;
    text_init(&out);
    enum bgp_status status = bgp_explain(r->host->speaker, id, import != 0, p, &out);
    if (status != BGP_OK)
        r->error = status == BGP_UNKNOWN ? "no such route" : "it cannot be explained";
    else
        put(r, "text", json_string(text_str(&out)));
    text_deinit(&out);
}

static void op_originate(struct request *r) {
    const json_t *routes = json_object_get(r->in, "routes");
    struct arena *arena = arena_new();
    struct diag_list *diags = diag_list_new();
    size_t count = 0;
    if (!json_is_array(routes) || !arena || !diags)
        r->error = "routes: an array is needed";
    for (size_t i = 0; !r->error && need_speaker(r) && i < json_array_size(routes); i++) {
        struct bgp_origin_config o;
        if (!origin_from_json(json_array_get(routes, i), "routes", arena, diags, &o))
            r->error = "a route is wrong";
        else if (bgp_originate(r->host->speaker, &o, loop_now()) != BGP_OK)
            r->error = "a route was refused";
        else
            count++;
    }
    if (diags && diag_count(diags))
        put(r, "diags", diags_to_json(diags));
    put(r, "count", json_integer((json_int_t)count));
    diag_list_free(diags);
    arena_free(arena);
}

static void op_withdraw(struct request *r) {
    static const char *const sources[] = {"", "", "static", "kernel", "direct", "aggregate"};
    const json_t *routes = json_object_get(r->in, "routes");
    bool missing_ok = json_is_true(json_object_get(r->in, "missing_ok"));
    size_t count = 0, missing = 0;
    if (!json_is_array(routes))
        r->error = "routes: an array is needed";
    for (size_t i = 0; !r->error && need_speaker(r) && i < json_array_size(routes); i++) {
        const json_t *route = json_array_get(routes, i);
        const char *prefix = json_string_value(json_object_get(route, "prefix"));
        struct ip_prefix p;
        int source = 0;
        if (!prefix || !ip_prefix_parse(prefix, &p) ||
            !word_index(json_string_value(json_object_get(route, "source")), sources, 6, &source) ||
            source < ROUTE_SOURCE_STATIC) {
            r->error = "a route needs prefix and source";
            break;
        }
        enum bgp_status status =
            bgp_withdraw(r->host->speaker, p, (enum route_source)source, loop_now());
        if (status != BGP_OK && (status != BGP_UNKNOWN || !missing_ok))
            r->error = "a route is not ours";
        count += status == BGP_OK;
        missing += status == BGP_UNKNOWN;
    }
    put(r, "count", json_integer((json_int_t)count));
    if (missing_ok)
        put(r, "missing", json_integer((json_int_t)missing));
}

static void op_clear(struct request *r) {
    static const char *const hows[] = {[BGP_CLEAR_HARD] = "hard",
                                       [BGP_CLEAR_SOFT_IN] = "in",
                                       [BGP_CLEAR_SOFT_OUT] = "out",
                                       [BGP_CLEAR_BFD_DOWN] = "bfd-down"};
    const char *peer = member_text(r, "peer");
    struct bgp_peer_id id = {0};
    int how = 0;
    if (!need_speaker(r))
        return;
    if (!word_index(member_text(r, "how"), hows, 4, &how))
        r->error = "how is one of hard, in, out, bfd-down";
    else if (peer)
        id = find_peer(r, peer);
    if (!r->error && bgp_clear(r->host->speaker, id, (enum bgp_clear)how, loop_now()) != BGP_OK)
        r->error = "refused";
}

/* A figure in KiB from a /proc file, in bytes; 0 when it is not there. */
static uint64_t proc_bytes(const char *path, const char *label) {
    char buffer[4096];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd >= 0 ? read(fd, buffer, sizeof buffer - 1) : -1;
    uint64_t kib = 0;
    if (fd >= 0)
        close(fd);
    if (got <= 0)
        return 0;
    buffer[got] = '\0';
    const char *at = strstr(buffer, label);
    if (!at)
        return 0;
    at += strlen(label);
    at += strspn(at, " \t");
    return text_read_u64(&at, &kib) ? kib * 1024 : 0;
}

static void put_number(struct request *r, const char *name, uint64_t value) {
    put(r, name, json_integer((json_int_t)value));
}

static json_t *per_family64(const uint64_t counts[BGP_FAMILIES]) {
    return json_pack("{s:I, s:I}", "ipv4", (json_int_t)counts[0], "ipv6", (json_int_t)counts[1]);
}

static void op_counters(struct request *r) {
    struct bgp_counters c = {0};
    json_t *sessions = json_object();
    char digest[20];
    if (r->host->speaker)
        bgp_counters_get(r->host->speaker, &c);
    for (int i = 0; i < BGP_STATES; i++)
        json_object_set_new(sessions, bgp_state_name((enum bgp_state)i),
                            json_integer(c.sessions[i]));
    snprintf(digest, sizeof digest, "%016llx", (unsigned long long)c.loc_rib_digest);
    put(r, "sessions", sessions);
    put_number(r, "established_count", c.established_count);
    put_number(r, "dropped_count", c.dropped_count);
    put(r, "adj_in", per_family64(c.adj_in));
    put(r, "loc_rib", per_family64(c.loc_rib));
    put(r, "loc_rib_digest", json_string(digest));
    put_number(r, "updates_received", c.updates_received);
    put_number(r, "updates_sent", c.updates_sent);
    put_number(r, "established_first_ns", c.established_first.ns);
    put_number(r, "established_last_ns", c.established_last.ns);
    put_number(r, "loc_rib_last_ns", c.loc_rib_last.ns);
    put_number(r, "update_last_ns", c.update_last.ns);
    put_number(r, "attr_sets", c.attr_sets);
    put_number(r, "update_groups", c.update_groups);
    put_number(r, "malformed_updates", c.malformed_updates);
    put_number(r, "routes_too_long", c.routes_too_long);
    put_number(r, "rss_bytes", proc_bytes("/proc/self/status", "VmRSS:"));
    put_number(r, "pss_bytes", proc_bytes("/proc/self/smaps_rollup", "Pss:"));
    put_number(r, "cpu_ns", board_cpu_ns());
    put_number(r, "sockets", sockets_count(r->host->sockets));
}

/* The answer comes when the file is written. */
static void op_mrt(struct request *r) {
    const char *path = member_text(r, "path");
    if (!path) {
        r->error = "path is needed";
        return;
    }
    struct mrt_table *table = need_speaker(r) ? mrt_table_begin(r->host, path, &r->error) : NULL;
    if (!table)
        return;
    r->error = NULL;
    r->dump = dump_mrt(table, r->out);
    if (!r->dump)
        r->error = "out of memory";
}

static json_t *hex_to_json(const uint8_t *data, uint32_t size) {
    struct text hex;
    text_init(&hex);
    for (uint32_t i = 0; i < size; i++)
        text_printf(&hex, "%02x", data[i]);
    json_t *value = json_string(text_str(&hex));
    text_deinit(&hex);
    return value;
}

static void op_malformed(struct request *r) {
    json_t *kept = json_array(), *counts = json_array();
    const struct bgp_speaker *s = r->host->speaker;
    struct bgp_malformed m;
    uint32_t count = 0;
    const struct bgp_malformed_count *c = s ? bgp_malformed_counts(s, &count) : NULL;
    for (uint32_t i = 0; i < count; i++)
        json_array_append_new(counts,
                              json_pack("{s:s, s:i, s:I}", "peer", c[i].peer, "attribute",
                                        (int)c[i].attribute, "count", (json_int_t)c[i].count));
    for (uint32_t i = 0; s && bgp_malformed_at(s, i, &m); i++)
        json_array_append_new(kept,
                              json_pack("{s:s, s:I, s:i, s:s, s:o}", "peer", m.peer, "time_ns",
                                        (json_int_t)m.at.ns, "attribute", (int)m.attribute,
                                        "outcome", m.outcome, "hex", hex_to_json(m.body, m.size)));
    put(r, "counts", counts);
    put(r, "kept", kept);
}

static void op_stop(struct request *r) {
    host_stop(r->host, member_text(r, "text"), json_is_true(json_object_get(r->in, "abort")));
}

/* ---- dispatch ---- */

static const struct operation {
    const char *name;
    request_fn *run;
    const char *members[MEMBERS_MAX]; /* beside id and op */
} operations[] = {
    {"hello", op_hello, {NULL}},
    {"configure", op_configure, {"config", "ios", "file"}},
    {"reload", op_reload, {NULL}},
    {"ios-lines", op_ios_lines, {"lines"}},
    {"peers", op_peers, {"name"}},
    {"established", op_established, {NULL}},
    {"rib", op_rib, {"table", "family", "prefix", "peer"}},
    {"explain", op_explain, {"peer", "prefix", "direction"}},
    {"originate", op_originate, {"routes"}},
    {"withdraw", op_withdraw, {"routes", "missing_ok"}},
    {"clear", op_clear, {"peer", "how"}},
    {"exec", op_exec, {"command"}},
    {"counters", op_counters, {NULL}},
    {"malformed", op_malformed, {NULL}},
    {"mrt", op_mrt, {"path"}},
    {"stop", op_stop, {"text", "abort"}},
};

static const struct operation *operation_find(const char *name) {
    for (size_t i = 0; name && i < sizeof operations / sizeof operations[0]; i++)
        if (strcmp(operations[i].name, name) == 0)
            return &operations[i];
    return NULL;
}

static bool members_known(const struct operation *o, const json_t *in) {
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)in, key, value) {
        bool known = strcmp(key, "id") == 0 || strcmp(key, "op") == 0;
        for (int i = 0; !known && i < MEMBERS_MAX && o->members[i]; i++)
            known = strcmp(key, o->members[i]) == 0;
        if (!known)
            return false;
    }
    return true;
}

static void answer(struct request *r, struct text *out) {
    json_t *id = json_object_get(r->in, "id");
    size_t before = out->size;
    if (id)
        json_object_set(r->out, "id", id);
    if (r->dump && dump_is_silent(r->dump))
        return;
    json_object_set_new(r->out, "ok", json_boolean(r->error == NULL));
    if (r->error)
        json_object_set_new(r->out, "error", json_string(r->error));
    request_put_json(out, r->out);
    if (r->dump && out->size > before && !out->failed) {
        out->data[--out->size] = '\0'; /* the closing brace comes with the dump */
        text_puts(out, ",\"routes\":[");
    } else {
        text_putc(out, '\n');
    }
}

struct dump *request_run(struct host *h, const char *line, size_t size, struct text *out) {
    struct request r = {.host = h, .out = json_object()};
    json_t *in = NULL;
    if (config_text_depth(line, size) <= CONFIG_DEPTH_MAX)
        in = json_loadb(line, size, JSON_REJECT_DUPLICATES, NULL);
    const struct operation *o = operation_find(json_string_value(json_object_get(in, "op")));
    r.in = in;
    if (!json_is_object(in))
        r.error = "not a JSON object";
    else if (!o)
        r.error = "unknown op";
    else if (!members_known(o, in))
        r.error = "unknown member";
    else
        o->run(&r);
    answer(&r, out);
    json_decref(r.out);
    json_decref(in);
    return r.dump;
}
