/*
 * One run of a scenario, written down line by line.
 *
 * Owns: running the engine with or without BIRD, waiting until things have settled, the lines.
 * Leaves to bird_judge_compare_fixture.c what two texts have in common.
 *
 * A step is written down only when nothing is on its way any more (see is_done), or when the
 * deadline has come. Deadlines are generous, for nothing waits longer than it must.
 */
#include "bird_judge_fixture.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SETTLE_DEADLINE_S 120 /* IOS's advertisement interval is 30 s, and a wait after errors */
#define SAME_DEADLINE_MS 60000
#define FIT_DEADLINE_MS 120000
#define LOOK_AGAIN_MS 300
/* Two BIRDs that call each other at one time both give up, and call again at one time: chance ends
 * that, after 5 to 30 s a turn. */
#define PATIENCE 3
#define REQUEST_DEADLINE_MS 60000
#define PROTOCOL_BIRD 12
#define GATEWAYS_MAX 64

/* ---- lines ---- */

struct page {
    struct engine *e;
    FILE *out;
    size_t step;
    uint32_t node;
    size_t sessions; /* established, of this node */
    size_t stale;    /* paths of all nodes that a restart has left; BIRD does not say */
};

static void begin_line(const struct page *p, const char *what) {
    fprintf(p->out, "%zu %s %s", p->step, engine_node_name(p->e, p->node), what);
}

static const char *text_of(json_t *o, const char *name) {
    const char *s = json_string_value(json_object_get(o, name));
    return s ? s : "";
}

static json_t *ask(const struct page *p, json_t *request) {
    const char *error = "";
    json_t *answer =
        request ? lab_request(p->e->lab, p->node, request, REQUEST_DEADLINE_MS, &error) : NULL;
    json_decref(request);
    if (!answer || !json_is_true(json_object_get(answer, "ok"))) {
        begin_line(p, "no-answer");
        fprintf(p->out, " %s %s\n", error, text_of(answer, "error"));
    }
    return answer;
}

static void put_sessions(struct page *p) {
    json_t *answer = ask(p, json_pack("{s:s}", "op", "peers")), *peer;
    size_t i;
    json_array_foreach(json_object_get(answer, "peers"), i, peer) {
        if (strcmp(text_of(peer, "state"), "Established") != 0)
            continue;
        p->sessions++;
        begin_line(p, "session");
        fprintf(p->out, " %s %s hold %d\n", text_of(peer, "name"), text_of(peer, "remote"),
                (int)json_integer_value(json_object_get(peer, "hold_time_s")));
    }
    json_decref(answer);
}

/* IOS: of equally good external paths the oldest is the best; which one that is, is chance. */
static bool by_age(const struct page *p, uint32_t node, struct ip_prefix prefix) {
    const struct oracle_route *r =
        node < p->e->count ? oracle_find(p->e->state->oracle, node, prefix) : NULL;
    return r && r->by_age;
}

static bool is_best(const struct page *p, json_t *route) {
    struct ip_prefix prefix;
    return json_is_true(json_object_get(route, "best")) &&
           ip_prefix_parse(text_of(route, "prefix"), &prefix) && !by_age(p, p->node, prefix);
}

/* The node at the other end of one of this node's sessions; UINT32_MAX: a stranger. */
static uint32_t peer_node(const struct page *p, const char *session) {
    const struct bgp_config *c = p->e->state->configs[p->node];
    for (uint32_t i = 0; i < c->peer_count; i++) {
        if (strcmp(c->peers[i].name, session) == 0)
            return oracle_address_owner(p->e->state->oracle, c->peers[i].remote_addr);
    }
    return UINT32_MAX;
}

/* Does Felix write a route to the prefix at that node, and does it lead elsewhere? */
static bool felix_writes(const struct page *p, uint32_t node, struct ip_prefix prefix,
                         bool *ret_elsewhere) {
    struct arena *arena = arena_new();
    struct lab_overlay o = {.route_count = 0};
    bool found = false;
    if (arena && node < p->e->node_count && network_overlay(p->e, node, arena, &o)) {
        for (size_t i = 0; i < o.route_count && !found; i++) {
            found = ip_prefix_equal(o.routes[i].prefix, prefix);
            *ret_elsewhere = found && o.routes[i].via != LAB_VIA_BLACKHOLE;
        }
    }
    arena_free(arena);
    return found;
}

static bool same_member(json_t *a, json_t *b, const char *name) {
    return strcmp(text_of(a, name), text_of(b, name)) == 0;
}

/* BIRD: a path beside the best one that the neighbour made of a route it found in its kernel. Of
 * its own block that is the second one it sends; of another node's block the only one. */
static bool is_of_felix(const struct page *p, json_t *routes, size_t at) {
    json_t *route = json_array_get(routes, at);
    struct ip_prefix prefix;
    bool elsewhere = false, second = false;
    if (!p->e->backend.driver || json_is_true(json_object_get(route, "best")) ||
        !ip_prefix_parse(text_of(route, "prefix"), &prefix) ||
        !felix_writes(p, peer_node(p, text_of(route, "peer")), prefix, &elsewhere))
        return false;
    for (size_t i = 0; i < at && !second; i++) {
        json_t *other = json_array_get(routes, i);
        second = same_member(other, route, "prefix") && same_member(other, route, "peer");
    }
    return second || elsewhere;
}

/* A neighbour that has chosen by age hands its choice on: a next hop on the segment that they
 * share is the chosen one's. */
static json_t *told_attributes(const struct page *p, json_t *route) {
    json_t *attrs = json_deep_copy(json_object_get(route, "attrs"));
    struct ip_prefix prefix;
    if (ip_prefix_parse(text_of(route, "prefix"), &prefix) &&
        by_age(p, peer_node(p, text_of(route, "peer")), prefix))
        json_object_set_new(attrs, "next_hop", json_string("of the oldest"));
    return attrs;
}

static void put_path(const struct page *p, json_t *routes, size_t at) {
    json_t *route = json_array_get(routes, at), *attrs = told_attributes(p, route);
    char *text = json_dumps(attrs, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(attrs);
    begin_line(p, is_of_felix(p, routes, at) ? "path-felix" : "path");
    fprintf(p->out, " %s %s %s%s\n", text_of(route, "prefix"), text_of(route, "peer"),
            is_best(p, route) ? "best " : "", text ? text : "?");
    free(text);
}

static void put_paths(struct page *p) {
    json_t *answer = ask(p, json_pack("{s:s, s:s}", "op", "rib", "table", "in")), *route;
    size_t i;
    json_array_foreach(json_object_get(answer, "routes"), i, route) {
        p->stale += json_is_true(json_object_get(route, "stale"));
        if (!json_is_true(json_object_get(route, "rejected")))
            put_path(p, json_object_get(answer, "routes"), i);
    }
    json_decref(answer);
}

static int compare_addresses(const void *a, const void *b) {
    return ip_compare(*(const struct ip_addr *)a, *(const struct ip_addr *)b);
}

static void put_gateways(const struct page *p, const struct lab_route *list, size_t count) {
    struct ip_addr via[GATEWAYS_MAX];
    char text[IP_ADDR_TEXT_MAX];
    size_t n = 0;
    for (size_t i = 0; i < count && n < GATEWAYS_MAX; i++)
        via[n++] = list[i].gateway;
    qsort(via, n, sizeof *via, compare_addresses);
    for (size_t i = 0; i < n; i++)
        fprintf(p->out, "%s%s", i ? " " : " via ", ip_format(via[i], text));
}

/* The entries of one prefix and metric are one route with several gateways. */
static size_t put_kernel_route(const struct page *p, const struct lab_route *list, size_t count) {
    char text[IP_PREFIX_TEXT_MAX];
    size_t n = 1;
    while (n < count && list[n].protocol == PROTOCOL_BIRD && list[n].metric == list[0].metric &&
           ip_prefix_equal(list[n].prefix, list[0].prefix))
        n++;
    begin_line(p, "kernel");
    fprintf(p->out, " %s", ip_prefix_format(list[0].prefix, text));
    if (by_age(p, p->node, list[0].prefix))
        fputs(" oldest", p->out);
    else if (list[0].blackhole)
        fputs(" blackhole", p->out);
    else
        put_gateways(p, list, n);
    fprintf(p->out, " metric %u\n", list[0].metric);
    return n;
}

static void put_kernel(const struct page *p) {
    struct lab_route *list = NULL;
    ssize_t n = lab_routes(p->e->lab, p->node, &list);
    for (size_t i = 0; n > 0 && i < (size_t)n;) {
        if (list[i].protocol == PROTOCOL_BIRD)
            i += put_kernel_route(p, &list[i], (size_t)n - i);
        else
            i++;
    }
    alloc_free(list);
}

/* ---- a step ---- */

static void settle(struct engine *e) {
    struct scenario_expect x = {.kind = EXPECT_CONVERGED, .hold_time_s = -1};
    enum run_verdict verdict = e->result.verdict;
    (void)expect_all(e, &x, 1, SETTLE_DEADLINE_S * NANOS_PER_S);
    e->result.verdict = verdict; /* the scenario's own word counts */
}

static char *write_down(struct engine *e, size_t step, bool held, size_t *ret_stale) {
    char *text = NULL;
    size_t size = 0;
    struct page p = {e, open_memstream(&text, &size), step, 0, 0, 0};
    if (!p.out)
        return NULL;
    fprintf(p.out, "%zu . %s\n", step, held ? "held" : "did-not-hold");
    for (p.node = 0; p.node < e->count; p.node++) {
        if (!e->nodes[p.node].up || !e->state->configs[p.node])
            continue;
        p.sessions = 0;
        put_sessions(&p);
        put_paths(&p);
        put_kernel(&p);
    }
    *ret_stale = p.stale;
    if (fclose(p.out) == 0)
        return text;
    free(text);
    return NULL;
}

/* BIRD's network is waited for until it is as ours was, ours until it is as computed, nothing is
 * stale, and it is the same twice, for no oracle says which paths beside the best are there. */
static bool is_done(const struct judge_run *r, size_t step, size_t stale, const char *before,
                    const char *now) {
    if (r->target)
        return judge_fits(r->target, step, now);
    return stale == 0 && before && strcmp(before, now) == 0;
}

static void look(struct engine *e, size_t step, bool held) {
    struct judge_run *r = e->looked_context;
    struct nanotime deadline;
    char *before = NULL, *now;
    size_t stale = 0;
    if (r->last_step && step >= r->last_step)
        return;
    if (!r->target)
        settle(e);
    deadline = nanotime_add_ms(lab_now(), r->target ? FIT_DEADLINE_MS : SAME_DEADLINE_MS);
    now = write_down(e, step, held, &stale);
    while (now && !is_done(r, step, stale, before, now) && nanotime_before(lab_now(), deadline)) {
        struct nanotime next = nanotime_add_ms(lab_now(), LOOK_AGAIN_MS);
        while (nanotime_before(lab_now(), next) && engine_wait(e, next))
            continue;
        free(before);
        before = now;
        now = write_down(e, step, held, &stale);
    }
    if (now)
        fputs(now, r->out);
    free(before);
    free(now);
    fflush(r->out);
}

/* ---- a run ---- */

/* Stale routes would be kept for 120 s after a kill. */
static const struct {
    const char *scenario, *manifests;
} quick_restarts[] = {
    {"node-killed", "apiVersion: projectcalico.org/v3\n"
                    "kind: BGPConfiguration\n"
                    "metadata: {name: default}\n"
                    "spec: {nodeMeshMaxRestartTime: 4s}\n"},
    {"two-rrs", "apiVersion: projectcalico.org/v3\n"
                "kind: BGPPeer\n"
                "metadata: {name: peer-with-rr1}\n"
                "spec: {peerIP: 10.0.1.10, asNumber: 64512, maxRestartTime: 4s}\n"
                "---\n"
                "apiVersion: projectcalico.org/v3\n"
                "kind: BGPPeer\n"
                "metadata: {name: peer-with-rr2}\n"
                "spec: {peerIP: 10.0.1.11, asNumber: 64512, maxRestartTime: 4s}\n"},
};

static bool shorten(struct scenario *s, struct arena *arena, struct diag_list *diags) {
    struct yaml_document *documents = NULL;
    for (size_t i = 0; i < sizeof quick_restarts / sizeof quick_restarts[0]; i++) {
        const char *text = quick_restarts[i].manifests;
        if (!strstr(s->file, quick_restarts[i].scenario))
            continue;
        int n = yaml_parse(text, strlen(text), "quick", arena, diags, &documents);
        s->inline_documents = documents;
        s->inline_count = n > 0 ? (size_t)n : 0;
        return n > 0;
    }
    return true;
}

static void print_findings(const struct judge_run *r, const struct diag_list *diags) {
    struct text t;
    text_init(&t);
    diag_print(diags, &t);
    fprintf(stderr, "%s%s: %s", r->scenario, r->bird ? " (BIRD)" : "", text_str(&t));
    text_deinit(&t);
}

/* A fresh node has nothing to recover: without -R it only does not wait for it. */
static void arguments_without_recovery(const struct daemon_place *place, const char **argv) {
    size_t kept = 0;
    daemon_bird.arguments(place, argv);
    for (size_t i = 0; argv[i]; i++)
        if (strcmp(argv[i], "-R") != 0)
            argv[kept++] = argv[i];
    argv[kept] = NULL;
}

static const struct daemon_driver *driver_of(const struct judge_run *r) {
    static struct daemon_driver driver;
    driver = daemon_bird;
    if (r->without_recovery)
        driver.arguments = arguments_without_recovery;
    return &driver;
}

int judge_body(int fd, void *argument) {
    struct judge_run *r = argument;
    struct engine e = {.arena = arena_new(),
                       .diags = diag_list_new(),
                       .front_fd = -1,
                       .wait_fd = -1,
                       .looked = look,
                       .looked_context = r};
    struct scenario *s = scenario_read(r->scenario, NULL, 0, e.arena, e.diags);
    int status = 2;
    (void)fd;
    e.scenario = s;
    if (s) {
        s->profile = BGP_PROFILE_CALICO;
        e.seed = s->seed;
    }
    if (s && !scenario_stretch(s, PATIENCE, e.arena))
        return status;
    if (r->bird)
        e.backend = (struct engine_backend){driver_of(r), *r->bird};
    if (s && shorten(s, e.arena, e.diags) && engine_prepare(&e, e.diags))
        status = engine_run(&e);
    if (status != 0) {
        print_findings(r, e.diags);
        for (size_t i = 0; i < e.result.check_count; i++)
            if (e.result.checks[i].verdict != CHECK_PASSED)
                fprintf(stderr, "  %s: %s\n", e.result.checks[i].name, e.result.checks[i].reason);
    }
    engine_release(&e);
    if (s)
        scenario_close(s);
    diag_list_free(e.diags);
    arena_free(e.arena);
    fflush(r->out);
    return status;
}
