/*
 * Owns the frame of bird.cfg and bird6.cfg: router id and listening, the kernel, device, direct and
 * static protocols, the template of all sessions, and one protocol per session with its pipelines.
 * Functions for BGPFilters are plan_bird_filter.c's, Calico's own policies plan_bird_policy.c's.
 *
 * Sessions stand in the plan's order, which is that of their names: BIRD gives an incoming
 * connection to the first protocol with that neighbour.
 */
#include "plan_bird.h"

#include "plan_bird_internal.h"

#include "../../speaker/base/arena.h"

#include <string.h>
#include <strings.h>

const char *calico_bird_file_name(enum bgp_family family) {
    return family == BGP_IPV4_UNICAST ? "bird.cfg" : "bird6.cfg";
}

const char *bird_prefix(struct ip_prefix p, char text[IP_PREFIX_TEXT_MAX]) {
    return ip_prefix_format(p, text);
}

/* ---- what is written first ---- */

static void put_heading(const struct bird *b) {
    char text[IP_ADDR_TEXT_MAX];
    text_printf(b->out, "# %s of node %s\n\n", calico_bird_file_name((enum bgp_family)b->family),
                b->node->node->name);
    text_printf(b->out, "router id %s;\n", ip_format(b->node->router_id, text));
    struct ip_addr a = b->node->listen_addr[b->family];
    if (ip_is_set(a) || b->node->listen_port) {
        text_puts(b->out, "listen bgp");
        if (ip_is_set(a))
            text_printf(b->out, " address %s", ip_format(a, text));
        if (b->node->listen_port)
            text_printf(b->out, " port %u", b->node->listen_port);
        text_puts(b->out, ";\n");
    }
    text_putc(b->out, '\n');
}

/* logSeverityScreen, the node's own before the cluster's: Debug shows all, Info the states; no
 * other level shows anything. */
static const char *debug_classes(const struct bird *b) {
    const struct calico_bgp_configuration *own =
        calico_config_of_node(b->impl->plan.set, b->node->node->name);
    const char *level =
        own && own->log_severity ? own->log_severity : b->impl->global->log_severity;
    if (!level || !*level || strcasecmp(level, "info") == 0)
        return "{ states }";
    return strcasecmp(level, "debug") == 0 ? "all" : NULL;
}

static void put_debug(const struct bird *b) {
    const char *classes = debug_classes(b);
    if (classes)
        text_printf(b->out, "  debug %s;\n", classes);
}

/* ---- the node itself ---- */

static void put_direct(const struct bird *b) {
    const struct calico_bgp_configuration *g = b->impl->global;
    text_puts(b->out, "protocol direct {\n");
    put_debug(b);
    text_puts(b->out, "  interface");
    for (size_t i = 0; i < g->ignored_interface_count; i++)
        text_printf(b->out, " -\"%s\",", g->ignored_interfaces[i]);
    text_puts(b->out, " -\"cali*\", -\"kube-ipvs*\", \"*\";\n}\n\n");
}

static void put_system(const struct bird *b) {
    text_puts(b->out, "protocol kernel {\n"
                      "  learn;\n"
                      "  persist;\n"
                      "  scan time 2;\n"
                      "  import all;\n"
                      "  export filter calico_kernel_programming;\n"
                      "  graceful restart;\n"
                      "  merge paths on;\n"
                      "}\n\n"
                      "protocol device {\n");
    put_debug(b);
    text_puts(b->out, "  scan time 2;\n}\n\n");
    put_direct(b);
}

/* A route of the node's own that BIRD keeps: a block, a service range, the way to a peer. */
enum bird_static { BIRD_NO_STATIC, BIRD_BLOCK, BIRD_SERVICE, BIRD_REACHABLE };

static enum bird_static bird_static_kind(const struct bird *b, const struct bgp_origin_config *o) {
    if (o->source != ROUTE_SOURCE_STATIC || plan_family(o->prefix.addr) != b->family)
        return BIRD_NO_STATIC;
    if (o->blackhole_in_kernel)
        return BIRD_BLOCK;
    return ip_is_set(o->gateway) ? BIRD_REACHABLE : BIRD_SERVICE;
}

static void put_static(const struct bird *b, enum bird_static kind, const char *what) {
    char text[IP_PREFIX_TEXT_MAX], gateway[IP_ADDR_TEXT_MAX];
    size_t count = 0;
    for (uint32_t i = 0; i < b->config->origin_count; i++) {
        const struct bgp_origin_config *o = &b->config->origins[i];
        if (bird_static_kind(b, o) != kind)
            continue;
        if (count++ == 0)
            text_printf(b->out, "# %s\nprotocol static {\n", what);
        bird_prefix(o->prefix, text);
        if (kind == BIRD_REACHABLE)
            text_printf(b->out, "  route %s via %s;\n", text, ip_format(o->gateway, gateway));
        else
            text_printf(b->out, "  route %s blackhole;\n", text);
    }
    if (count)
        text_puts(b->out, "}\n\n");
}

/* ---- sessions ---- */

static void put_template(const struct bird *b) {
    text_puts(b->out, "template bgp bgp_template {\n");
    put_debug(b);
    text_printf(b->out,
                "  local as %u;\n"
                "  gateway recursive;\n"
                "  add paths on;\n"
                "  graceful restart;\n"
                "  connect delay time 2;\n"
                "  connect retry time 5;\n"
                "  error wait time 5,30;\n"
                "}\n\n",
                b->node->as_number);
}

static void put_filter_calls(const struct bird *b, const struct calico_session *s, int direction) {
    for (size_t i = 0; i < s->filter_count; i++) {
        if (!s->filters[i]->rule_count[direction][b->family])
            continue;
        text_puts(b->out, "    ");
        bird_filter_name(b, s->filters[i], direction);
        text_printf(b->out, "(%s);\n", s->internal ? "true" : "false");
    }
}

static void put_pipelines(const struct bird *b, const struct calico_session *s) {
    bool priorities = b->impl->plan.rules.priorities;
    text_puts(b->out, "  import filter {\n");
    put_filter_calls(b, s, 0);
    if (priorities)
        text_printf(b->out,
                    "    if (defined(bgp_local_pref) && bgp_local_pref > %u) then"
                    " preference = 200;\n",
                    BIRD_PRIORITY_BASE - bird_normal_priority(b));
    text_puts(b->out, "    accept;\n  };\n  export filter {\n");
    text_puts(b->out, priorities ? "    calico_sync_priority();\n" : "");
    put_filter_calls(b, s, 1);
    text_printf(b->out, "    calico_export_to_bgp_peers(%s);\n    reject;\n  };\n",
                s->internal ? "true" : "false");
}

static void put_neighbor(const struct bird *b, const struct calico_session *s) {
    char text[IP_ADDR_TEXT_MAX];
    if (s->local_as_override)
        text_printf(b->out, "  local as %u;\n", s->local_as);
    text_printf(b->out, "  neighbor %s", ip_format(s->neighbor, text));
    if (s->port)
        text_printf(b->out, " port %u", s->port);
    text_printf(b->out, " as %u;\n", s->peer_as);
    if (ip_is_set(s->source_address))
        text_printf(b->out, "  source address %s;\n", ip_format(s->source_address, text));
    if (s->ttl_security)
        text_printf(b->out, "  ttl security on;\n  multihop %u;\n", s->ttl_security);
    else
        text_puts(b->out, "  ttl security off;\n  multihop;\n");
}

static void put_options(const struct bird *b, const struct calico_session *s) {
    char text[IP_ADDR_TEXT_MAX];
    if (s->passive)
        text_puts(b->out, "  passive on;\n");
    if (s->restart_time_set)
        text_printf(b->out, "  graceful restart time %u;\n", s->restart_time_s);
    if (s->keepalive_set)
        text_printf(b->out, "  keepalive time %u;\n", s->keepalive_s);
    if (s->rr_client)
        text_printf(b->out, "  rr client;\n  rr cluster id %s;\n",
                    ip_format(ip4(s->cluster_id), text));
    if (s->password)
        text_printf(b->out, "  password \"%s\";\n", s->password);
    if (s->next_hop == CALICO_NEXT_HOP_SELF)
        text_puts(b->out, "  next hop self;\n");
    if (s->next_hop == CALICO_NEXT_HOP_KEEP)
        text_puts(b->out, "  next hop keep;\n");
    if (s->allow_local_as)
        text_printf(b->out, "  allow local as %u;\n", s->allow_local_as);
}

static void put_session(const struct bird *b, const struct calico_session *s) {
    text_printf(b->out, "# %s%s%s%s\n", s->origin[0] ? "BGPPeer " : "node-to-node mesh", s->origin,
                s->reverse ? ", seen from the other side" : "",
                s->password_state == CALICO_PASSWORD_MISSING ? "; its password is missing" : "");
    text_printf(b->out, "protocol bgp %s from bgp_template {\n", s->name);
    put_neighbor(b, s);
    put_pipelines(b, s);
    put_options(b, s);
    text_puts(b->out, "}\n\n");
}

static void put_bgp(const struct bird *b) {
    if (!ip_is_set(plan_addr(b->node->node, b->family))) {
        text_printf(b->out, "# IPv%d is disabled on this node.\n", b->family == FAMILY4 ? 4 : 6);
        return;
    }
    bird_filters(b);
    bird_export_policy(b);
    put_template(b);
    for (size_t i = 0; i < b->node->session_count; i++)
        if ((int)b->node->sessions[i].family == b->family)
            put_session(b, &b->node->sessions[i]);
}

bool calico_plan_bird(const struct calico_plan *p, const struct calico_plan_node *n,
                      enum bgp_family family, struct text *out) {
    struct bird b = {.impl = plan_impl(p), .node = n, .family = (int)family, .out = out};
    b.arena = arena_new();
    b.config = b.arena ? calico_compile(p, n, BGP_PROFILE_CALICO, b.arena) : NULL;
    if (b.config) {
        put_heading(&b);
        bird_kernel_policy(&b);
        put_system(&b);
        put_static(&b, BIRD_BLOCK, "The node's blocks");
        put_static(&b, BIRD_SERVICE, "Services");
        put_static(&b, BIRD_REACHABLE, "The way to peers on other segments");
        put_bgp(&b);
    }
    bool done = b.config && !out->failed;
    arena_free(b.arena);
    return done;
}
