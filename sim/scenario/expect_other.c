/*
 * Packets, logs, show commands, named causes and refusals.
 *
 * A probe is answered by the other node's kernel, so a packet that arrives has used the kernel
 * tables of both ends. Causes are the oracle's, confirmed by what the lab shows: no session, or no
 * route.
 */

#include "engine.h"
#include "felix.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

#define REQUEST_DEADLINE_MS 5000
#define PING_DEADLINE_MS 1000
#define PING_ABSENT_MS 300 /* a probe that must not arrive is given this long */
#define PROBES_MAX 20000

/* ---- packets ---- */

static size_t make_probes(const struct expectation *x, struct lab_probe *list, size_t max) {
    const struct scenario_expect *w = x->x;
    struct engine_pairs_query q = {
        .from = w->from ? engine_node_find(x->e, w->from) : UINT32_MAX,
        .to = w->to ? engine_node_find(x->e, w->to) : UINT32_MAX,
        .families = {w->both_families || w->family == BGP_IPV4_UNICAST,
                     w->both_families || w->family == BGP_IPV6_UNICAST},
        .sample = w->sample,
    };
    struct engine_pair *pairs = calloc(max, sizeof *pairs);
    size_t n = pairs ? engine_pairs(x->e, &q, pairs, max) : 0;
    for (size_t i = 0; i < n; i++)
        list[i] = (struct lab_probe){.from = pairs[i].from,
                                     .to = pairs[i].to,
                                     .source = pairs[i].source,
                                     .destination = pairs[i].destination};
    free(pairs);
    return n;
}

/* A packet that was never sent proves nothing by not arriving. */
bool probe_fits(const struct lab_probe *p, bool absent) {
    return absent ? !p->arrived && p->attempts > 0 : p->arrived;
}

static size_t name_probes(struct expectation *x, const struct lab_probe *list, size_t count) {
    size_t bad = 0;
    for (size_t i = 0; i < count; i++) {
        if (probe_fits(&list[i], x->x->absent))
            continue;
        char a[IP_ADDR_TEXT_MAX], b[IP_ADDR_TEXT_MAX];
        if (bad++ < 5)
            reason_add(x, "%s (%s) -> %s (%s): %s", engine_node_name(x->e, list[i].from),
                       ip_format(list[i].source, a), engine_node_name(x->e, list[i].to),
                       ip_format(list[i].destination, b),
                       list[i].arrived ? "arrived"
                       : list[i].error ? list[i].error
                                       : "no answer");
    }
    if (bad > 5)
        reason_add(x, "%zu of %zu in all", bad, count);
    return bad;
}

/* Does BGP, by the oracle, give the node a route that covers the address? */
static bool is_routed(const struct engine *e, uint32_t node, struct ip_addr a) {
    const struct oracle_route *list = NULL;
    size_t n = oracle_loc_rib(e->state->oracle, node, &list);
    for (size_t i = 0; i < n; i++)
        if (ip_prefix_contains_addr(list[i].prefix, a))
            return true;
    return false;
}

/* The block of a pod, unless its routes are Felix's, which asks no BGP. */
static const struct calico_block *bgp_block(const struct engine *e, const struct lab_probe *p) {
    const struct calico_plan *plan = e->state->plan;
    const struct calico_plan_node *n = calico_plan_find(plan, engine_node_name(e, p->to));
    for (size_t i = 0; n && i < n->block_count; i++)
        if (ip_prefix_contains_addr(n->blocks[i].prefix, p->destination) &&
            !felix_programs(plan, n->blocks[i].pool))
            return &n->blocks[i];
    return NULL;
}

/* The first packet that is lost because its sender is to have no route: nothing that the lab does
 * brings it, and the oracle says why. */
static bool name_unrouted(struct expectation *x, const struct lab_probe *list, size_t count) {
    for (size_t i = 0; !x->x->absent && i < count; i++) {
        const struct calico_block *b = list[i].arrived ? NULL : bgp_block(x->e, &list[i]);
        if (!b || is_routed(x->e, list[i].from, list[i].destination))
            continue;
        struct text why;
        char prefix[IP_PREFIX_TEXT_MAX];
        text_init(&why);
        oracle_explain(x->e->state->oracle, list[i].from, b->prefix, &why);
        reason_add(x, "by plan %s has no route to %s: %s", engine_node_name(x->e, list[i].from),
                   ip_prefix_format(b->prefix, prefix), text_str(&why));
        text_deinit(&why);
        return true;
    }
    return false;
}

#define WARNINGS_MAX 3

static void name_warning(struct expectation *x, const struct diag *d) {
    struct diag_list *one = diag_list_new();
    struct text line;
    text_init(&line);
    if (one)
        diag_copy(one, d);
    if (one)
        diag_print(one, &line);
    reason_add(x, "%.*s", (int)strcspn(text_str(&line), "\n"), text_str(&line));
    text_deinit(&line);
    diag_list_free(one);
}

/* What the plan warned of when the last manifests were applied, which may well be the cause. */
static void name_warnings(struct expectation *x) {
    const struct diag_list *said = x->e->said;
    size_t named = 0;
    for (size_t i = 0; said && i < diag_count(said) && named < WARNINGS_MAX; i++)
        if (diag_at(said, i)->severity == DIAG_WARNING) {
            name_warning(x, diag_at(said, i));
            named++;
        }
}

bool expect_ping(struct expectation *x, bool final) {
    (void) final;
    struct lab_probe *list = calloc(PROBES_MAX, sizeof *list);
    size_t n = list ? make_probes(x, list, PROBES_MAX) : 0;
    if (!n) {
        reason_add(x, "nothing to probe: no two pod addresses; they come from an IPPool");
        free(list);
        x->hopeless = true;
        return false;
    }
    bool ran = lab_ping(x->e->lab, list, n, x->x->absent ? PING_ABSENT_MS : PING_DEADLINE_MS);
    (void)ran; /* false: not all arrived, which is what the list says one by one */
    x->hopeless = name_unrouted(x, list, n); /* the cause stands in front of what it does */
    if (x->hopeless) {
        name_failures(x);
        name_warnings(x);
    }
    size_t bad = name_probes(x, list, n);
    free(list);
    return bad == 0;
}

/* ---- lines ---- */

struct line_test {
    const char *contains;
    regex_t expression;
    bool has_expression;
};

static bool line_test_init(struct line_test *t, const struct scenario_expect *x) {
    t->contains = x->contains;
    t->has_expression = x->matches != NULL;
    return !x->matches || regcomp(&t->expression, x->matches, REG_EXTENDED | REG_NOSUB) == 0;
}

static void line_test_done(struct line_test *t) {
    if (t->has_expression)
        regfree(&t->expression);
}

static bool line_fits(const struct line_test *t, const char *line) {
    return (!t->contains || strstr(line, t->contains)) &&
           (!t->has_expression || regexec(&t->expression, line, 0, NULL, 0) == 0);
}

/* Does any one line of the text fit? */
static bool any_line(const struct line_test *t, const char *text) {
    char line[4096];
    while (*text) {
        size_t size = strcspn(text, "\n");
        size_t kept = size < sizeof line - 1 ? size : sizeof line - 1;
        memcpy(line, text, kept);
        line[kept] = '\0';
        if (line_fits(t, line))
            return true;
        text += size + (text[size] == '\n');
    }
    return false;
}

static bool text_holds(struct expectation *x, uint32_t node, const char *text, bool final) {
    struct line_test t;
    if (!line_test_init(&t, x->x)) {
        reason_add(x, "not a regular expression: %s", x->x->matches);
        return false;
    }
    bool found = any_line(&t, text);
    line_test_done(&t);
    if (found == x->x->absent && final)
        reason_add(x, "%s: %s line with \"%s\"", engine_node_name(x->e, node),
                   found ? "there is a" : "there is no",
                   x->x->contains  ? x->x->contains
                   : x->x->matches ? x->x->matches
                                   : "");
    return found != x->x->absent;
}

bool expect_log(struct expectation *x, bool final) {
    bool ok = true;
    size_t others = 0;
    for (uint32_t i = 0; i < x->e->count; i++) {
        if (x->x->node && engine_node_find(x->e, x->x->node) != i)
            continue;
        if (backend_runs(x->e, i)) { /* it has other words for what happens */
            others++;
            continue;
        }
        const struct text *log = lab_speaker_log(x->e->lab, i);
        ok = log && text_holds(x, i, text_str(log), final) && ok;
    }
    if (others) /* so that nobody takes it for checked */
        reason_add(x, "%zu log%s of another program not looked at", others, others == 1 ? "" : "s");
    return ok;
}

bool expect_exec(struct expectation *x, bool final) {
    uint32_t node = x->x->node ? engine_node_find(x->e, x->x->node) : 0;
    json_t *request = json_pack("{s:s, s:s}", "op", "exec", "command", x->x->command);
    const char *error = "no answer";
    json_t *answer =
        request ? lab_request(x->e->lab, node, request, REQUEST_DEADLINE_MS, &error) : NULL;
    json_decref(request);
    const char *output = json_string_value(json_object_get(answer, "output"));
    /* That a command which does not exist prints no such line says nothing. */
    bool void_of = x->x->absent && json_is_true(json_object_get(answer, "refused"));
    bool ok = output && text_holds(x, node, output, final) && !void_of;
    x->hopeless = void_of;
    if (!output)
        reason_add(x, "%s: %s", engine_node_name(x->e, node), error);
    else if (void_of)
        reason_add(x, "%s: it is no command there: %.600s", engine_node_name(x->e, node), output);
    else if (!ok && final)
        reason_add(x, "it printed: %.600s", output);
    json_decref(answer);
    return ok;
}

/* ---- causes ---- */

static bool peer_fits(const struct expectation *x, const struct oracle_failure *f) {
    const struct bgp_config *c = x->e->state->configs[f->node];
    if (x->x->node && engine_node_find(x->e, x->x->node) != f->node)
        return false;
    return !x->x->peer ||
           oracle_address_owner(x->e->state->oracle, c->peers[f->peer].remote_addr) ==
               engine_node_find(x->e, x->x->peer);
}

/* The lab must agree: that session is not up. */
static bool really_down(struct expectation *x, const struct oracle_failure *f, struct text *said) {
    const char *name = x->e->state->configs[f->node]->peers[f->peer].name;
    if (!x->e->nodes[f->node].up)
        return true;
    json_t *request = json_pack("{s:s, s:s}", "op", "peers", "name", name);
    const char *error = "no answer";
    json_t *answer =
        request ? lab_request(x->e->lab, f->node, request, REQUEST_DEADLINE_MS, &error) : NULL;
    json_decref(request);
    json_t *peer = json_array_get(json_object_get(answer, "peers"), 0);
    const char *state = json_string_value(json_object_get(peer, "state"));
    const char *last = json_string_value(json_object_get(peer, "last_error"));
    text_printf(said, "%s %s", state ? state : error, last ? last : "");
    bool down = state && strcmp(state, "Established") != 0;
    json_decref(answer);
    return down;
}

/* SYNs that the block at either end has dropped so far. */
static uint64_t blocked_syns(const struct expectation *x, const struct oracle_failure *f) {
    const struct bgp_config *c = x->e->state->configs[f->node];
    uint32_t other = oracle_address_owner(x->e->state->oracle, c->peers[f->peer].remote_addr);
    uint64_t n = lab_blocked_syns(x->e->lab, f->node);
    return other == UINT32_MAX ? n : n + lab_blocked_syns(x->e->lab, other);
}

static void name_cause(struct expectation *x, const struct oracle_failure *f) {
    uint64_t syns = strcmp(f->cause, "blocked") == 0 ? blocked_syns(x, f) : 0;
    if (syns)
        reason_add(x, "%s (%lu so far)", f->detail, (unsigned long)syns);
    else
        reason_add(x, "%s", f->detail);
}

/* What each cause leaves behind at one of the ends; "" = nothing to see there. */
static bool confirmed(struct expectation *x, const struct oracle_failure *f, const char *said) {
    static const struct { const char *cause, *words; } table[] = {{"bad-peer-as", "Bad peer AS"}};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (strcmp(f->cause, table[i].cause) == 0 && !strstr(said, table[i].words))
            return false;
    }
    return strcmp(f->cause, "blocked") != 0 || blocked_syns(x, f) > 0;
}

static bool somebody_has(const struct engine *e, struct ip_prefix p) {
    for (uint32_t i = 0; i < e->count; i++) {
        if (oracle_find(e->state->oracle, i, p))
            return true;
    }
    return false;
}

/* Of a prefix that is nowhere nothing stopped the way: a slip of the pen must not pass. */
static bool filtered(struct expectation *x, bool final) {
    uint32_t node = engine_node_find(x->e, x->x->node ? x->x->node : "");
    struct text why;
    text_init(&why);
    bool ok = node != UINT32_MAX;
    if (ok)
        oracle_explain(x->e->state->oracle, node, x->x->prefix, &why);
    ok = ok && somebody_has(x->e, x->x->prefix) &&
         !oracle_find(x->e->state->oracle, node, x->x->prefix) &&
         (!x->x->contains || strstr(text_str(&why), x->x->contains));
    struct scenario_expect absent = *x->x;
    absent.kind = EXPECT_ROUTE;
    absent.absent = true;
    struct expectation y = {.e = x->e, .x = &absent};
    ok = expect_route(&y, final) && ok;
    if (ok || final)
        reason_add(x, "%s%s%s", text_str(&why), ok ? "" : "; ", ok ? "" : y.reason);
    text_deinit(&why);
    return ok;
}

bool expect_cause(struct expectation *x, bool final) {
    if (strcmp(x->x->cause, "filtered") == 0)
        return filtered(x, final);
    const struct oracle_failure *f = NULL;
    size_t n = oracle_failures(x->e->state->oracle, &f);
    bool found = false;
    for (size_t i = 0; i < n; i++) {
        if (strcmp(f[i].cause, x->x->cause) != 0 || !peer_fits(x, &f[i]) ||
            (x->x->contains && !strstr(f[i].detail, x->x->contains)))
            continue;
        struct text said;
        text_init(&said);
        bool ok = really_down(x, &f[i], &said) && confirmed(x, &f[i], text_str(&said));
        if (!ok && final)
            reason_add(x, "%s: %s; the speaker says %s", engine_node_name(x->e, f[i].node),
                       f[i].detail, text_str(&said));
        text_deinit(&said);
        if (!ok)
            return false;
        if (!found) /* a cause that was found is worth its words on success, too */
            name_cause(x, &f[i]);
        found = true;
    }
    x->hopeless = !found;
    if (!found && final)
        reason_add(x, "no session fails for that cause%s%s", x->x->contains ? ", naming " : "",
                   x->x->contains ? x->x->contains : "");
    return found;
}

/* ---- refusals ---- */

static bool finding_fits(const struct scenario_expect *x, const struct diag *d) {
    size_t file = x->file ? strlen(x->file) : 0, have = strlen(d->file);
    return (!x->finding || strcmp(d->id, x->finding) == 0) &&
           (!x->file || (have >= file && strcmp(d->file + have - file, x->file) == 0)) &&
           (!x->line || d->line == x->line) && (!x->column || d->column == x->column) &&
           (!x->suggestion || strstr(d->message, x->suggestion));
}

bool expect_rejected(struct expectation *x, bool final) {
    const struct diag_list *r = x->e->refused ? x->e->said : NULL;
    x->hopeless = false;
    for (size_t i = 0; r && i < diag_count(r); i++) {
        if (diag_at(r, i)->severity == DIAG_ERROR && finding_fits(x->x, diag_at(r, i)))
            return true;
    }
    x->hopeless = true; /* nothing more is said until the next step */
    if (final && !r)
        reason_add(x, "nothing was refused");
    if (final && r) {
        struct text all;
        text_init(&all);
        diag_print(r, &all);
        reason_add(x, "what was found instead: %s", text_str(&all));
        text_deinit(&all);
    }
    return false;
}

/* Its words are worth reading on success, too. */
bool expect_finding(struct expectation *x, bool final) {
    const struct diag_list *said = x->e->said;
    x->hopeless = true; /* nothing more is said until the next step */
    for (size_t i = 0; said && i < diag_count(said); i++) {
        if (!finding_fits(x->x, diag_at(said, i)))
            continue;
        reason_add(x, "%s", diag_at(said, i)->message);
        x->hopeless = false;
        return true;
    }
    if (final)
        reason_add(x, "the last apply was not said to have it");
    return false;
}
