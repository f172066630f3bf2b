/*
 * The mock Cisco beside the speaker: its running-config, its shell, its log.
 *
 * Owns the ios_router and hands it what is impure: interfaces of the namespace, clocks, the log
 * buffer. The speaker follows the running-config: whenever a line changed it, it is compiled anew
 * and put in force by host_configure, which diffs it.
 *
 * A text that is loaded replaces the router as a whole, and only when it compiles; a typed line
 * takes effect at once, as on the device.
 */
#include "router.h"

#include "../base/arena.h"
#include "../base/text.h"
#include "../ios/ios_session.h"
#include "host.h"
#include "log.h"
#include "monitor.h"
#include "sockets.h"
#include "syslog.h"
#include "vty.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct router {
    struct host *host;
    struct ios_router *ios;
    struct vty *vty;                   /* NULL: only checking */
    const char *hostname, *interfaces; /* of the options; interfaces may be NULL */
};

/* "eth0=GigabitEthernet0/0,eth1=…": what IOS calls the kernel's interface; its own name if unnamed.
 */
static void ios_name(const struct router *r, const char *name, char *ret_name, size_t size) {
    size_t length = strlen(name);
    for (const char *at = r->interfaces; at && *at;) {
        size_t entry = strcspn(at, ",");
        if (entry > length && strncmp(at, name, length) == 0 && at[length] == '=') {
            snprintf(ret_name, size, "%.*s", (int)(entry - length - 1), at + length + 1);
            return;
        }
        at += entry + (at[entry] == ',');
    }
    snprintf(ret_name, size, "%s", strcmp(name, "lo") == 0 ? "Loopback0" : name);
}

/* Interfaces with their first IPv4 address, as IOS shows one; the caller's. */
static struct ios_interface *interfaces_make(const struct router *r, size_t *ret_count) {
    const struct monitor_interface *links;
    const struct monitor_address *addresses;
    size_t link_count = r->host->monitor ? monitor_interfaces(r->host->monitor, &links) : 0;
    size_t address_count = link_count ? monitor_addresses(r->host->monitor, &addresses) : 0;
    struct ios_interface *list = alloc_zero(link_count + 1, sizeof *list);
    *ret_count = 0;
    for (size_t i = 0; list && i < link_count; i++) {
        struct ios_interface *out = &list[(*ret_count)++];
        ios_name(r, links[i].name, out->name, sizeof out->name);
        out->up = links[i].up;
        for (size_t k = 0; k < address_count; k++) {
            if (addresses[k].interface != links[i].index || ip_is_set(out->addr) ||
                ip_is_loopback(addresses[k].addr) || ip_is_link_local(addresses[k].addr))
                continue;
            out->addr = addresses[k].addr;
            out->length = addresses[k].length;
        }
        if (strcmp(links[i].name, "lo") == 0 && !ip_is_set(out->addr))
            --*ret_count; /* 127.0.0.1 alone is no interface of the router's */
    }
    return list;
}

struct router *router_new(struct host *h) {
    struct router *r = alloc_zero(1, sizeof *r);
    if (!r)
        return NULL;
    r->host = h;
    r->hostname = h->options.hostname ? h->options.hostname : "Router";
    r->interfaces = h->options.interfaces;
    return r;
}

void router_free(struct router *r) {
    if (!r)
        return;
    vty_free(r->vty);
    ios_router_free(r->ios);
    alloc_free(r);
}

static struct ios_router *ios_make(const struct router *r) {
    struct ios_env env = {.hostname = r->hostname};
    struct ios_interface *list = interfaces_make(r, &env.interface_count);
    env.interfaces = list;
    struct ios_router *ios = list ? ios_router_new(&env) : NULL;
    alloc_free(list);
    return ios;
}

void router_interfaces_changed(struct router *r) {
    struct ios_env env = {.hostname = r->hostname};
    struct ios_interface *list = interfaces_make(r, &env.interface_count);
    env.interfaces = list;
    if (list && r->ios)
        ios_router_set_env(r->ios, &env);
    alloc_free(list);
}

/* What else follows the running-config. */
static void services_configure(struct router *r) {
    if (r->vty)
        vty_configure(r->vty, r->ios);
}

bool router_load(struct router *r, const char *text, size_t size, const char *file,
                 struct diag_list *diags) {
    struct ios_router *old = r->ios, *new = ios_make(r);
    if (!new || !ios_load(new, text, size, file, true, diags)) {
        diag_add(diags, DIAG_ERROR, (struct diag_place){.file = file}, "no-memory",
                 "out of memory");
        ios_router_free(new);
        return false;
    }
    r->ios = new;
    if (!host_configure(r->host, ios_bgp_config(new, diags), diags)) {
        r->ios = old;
        ios_router_free(new);
        return false;
    }
    if (!r->vty)
        r->vty = vty_new(r->host);
    if (old)
        ios_router_adopt(new, old);
    services_configure(r);
    ios_router_free(old);
    return true;
}

bool router_check(struct router *r, const char *text, size_t size, const char *file,
                  struct diag_list *diags) {
    r->ios = ios_make(r);
    if (!r->ios || !ios_load(r->ios, text, size, file, true, diags))
        return false;
    const struct bgp_config *c = ios_bgp_config(r->ios, diags);
    return !c || bgp_config_check(c, file, diags);
}

/* What the running-config says now; a configuration the speaker refuses is logged, as the router
 * itself took the line. */
static void recompile(struct router *r) {
    struct diag_list *diags = diag_list_new();
    struct text findings;
    text_init(&findings);
    if (diags && !host_configure(r->host, ios_bgp_config(r->ios, diags), diags)) {
        diag_print(diags, &findings);
        log_line(r->host->log, "configuration_refused", NULL, "%s", text_str(&findings));
    }
    text_deinit(&findings);
    diag_list_free(diags);
    services_configure(r);
}

static bool tcp_state(void *context, struct bgp_conn_id conn, struct ios_tcp *ret_tcp) {
    const struct host *h = context;
    return h->sockets && sockets_tcp_state(h->sockets, conn, ret_tcp);
}

struct ios_view router_view(const struct router *r) {
    struct timespec wall;
    clock_gettime(CLOCK_REALTIME, &wall);
    return (struct ios_view){
        .speaker = r->host->speaker,
        .now = loop_now(),
        .wall_ms = (uint64_t)wall.tv_sec * 1000 + (uint64_t)wall.tv_nsec / 1000000,
        .booted = r->host->started,
        .log = log_recent(r->host->log),
        .tcp = tcp_state,
        .tcp_context = r->host,
    };
}

static void clear_peer(struct router *r, struct bgp_peer_id id, const struct ios_request *q) {
    struct bgp_speaker *speaker = r->host->speaker;
    enum bgp_status status = bgp_clear(speaker, id, q->how, loop_now());
    if (status == BGP_OK && q->and_out)
        status = bgp_clear(speaker, id, BGP_CLEAR_SOFT_OUT, loop_now());
    if (status != BGP_OK)
        log_line(r->host->log, "clear_failed", NULL, "status %d", (int)status);
}

static void clear_peers(struct router *r, const struct ios_request *q) {
    struct bgp_peer_info info;
    for (uint32_t i = 0; r->host->speaker && bgp_peer_at(r->host->speaker, i, &info); i++)
        if (ios_request_concerns(r->ios, q, info.config))
            clear_peer(r, info.id, q);
    host_drain(r->host);
}

static void clear_dampening(struct router *r, const struct ip_prefix *prefix) {
    if (r->host->speaker)
        bgp_dampening_clear(r->host->speaker, ip_is_set(prefix->addr) ? prefix : NULL);
    host_drain(r->host);
}

void router_settle(struct router *r) {
    struct ios_request request = ios_take_request(r->ios);
    struct text lines;
    if (ios_config_pending(r->ios))
        recompile(r);
    if (request.kind == IOS_REQUEST_CLEAR)
        clear_peers(r, &request);
    else if (request.kind == IOS_REQUEST_CLEAR_LOG)
        log_clear_recent(r->host->log);
    else if (request.kind == IOS_REQUEST_CLEAR_DAMPENING)
        clear_dampening(r, &request.prefix);
    text_init(&lines);
    ios_take_log(r->ios, &lines);
    router_log_lines(r, text_str(&lines));
    text_deinit(&lines);
}

/* Every line has its effect before the next one is read, as on a terminal. */
static void type_line(struct router *r, const char *line, struct text *out) {
    struct ios_view view = router_view(r);
    ios_terminal_line(r->ios, &view, line, out);
    router_settle(r);
}

void router_lines(struct router *r, const char *lines, struct text *out) {
    struct text line;
    text_init(&line);
    ios_config_begin(r->ios);
    for (const char *at = lines; *at;) {
        size_t size = strcspn(at, "\n");
        text_clear(&line);
        text_put(&line, at, size && at[size - 1] == '\r' ? size - 1 : size);
        type_line(r, text_str(&line), out);
        at += size + (at[size] == '\n');
    }
    ios_config_end(r->ios);
    text_deinit(&line);
    struct ios_view view = router_view(r);
    ios_configured(r->ios, &view);
    router_settle(r);
}

bool router_exec(struct router *r, const char *command, struct text *out) {
    struct ios_view view = router_view(r);
    bool ok = ios_exec(r->ios, &view, command, out);
    ios_config_end(r->ios);
    router_settle(r);
    return ok;
}

void router_log_lines(struct router *r, const char *lines) {
    if (!*lines)
        return;
    log_text(r->host->log, lines);
    if (r->vty)
        vty_log(r->vty, r->ios, lines);
    syslog_send(r->ios, lines);
}

struct ios_router *router_ios(struct router *r) {
    return r->ios;
}

struct nanotime router_next_deadline(const struct router *r) {
    return r ? vty_next_deadline(r->vty) : NANOTIME_NEVER;
}

void router_advance(struct router *r, struct nanotime now) {
    if (r)
        vty_advance(r->vty, now);
}

void router_log_bad_signature(struct router *r, bool missing, struct ip_addr from,
                              uint16_t from_port, struct ip_addr to, uint16_t to_port) {
    struct ios_view view = router_view(r);
    struct text line;
    text_init(&line);
    ios_log_bad_signature(r->ios, &view, missing, from, from_port, to, to_port, &line);
    router_log_lines(r, text_str(&line));
    text_deinit(&line);
}

void router_log_event(struct router *r, const struct bgp_event *e, struct text *out) {
    struct ios_view view = router_view(r);
    ios_log_event(r->ios, &view, e, out);
}
