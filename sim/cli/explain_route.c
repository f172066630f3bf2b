/*
 * explain NODE PREFIX --to PEER: the pipelines a route goes through between two ends, rule by rule
 * with the truth of each condition, on the chains that the speaker itself is given, evaluated by
 * the oracle.
 *
 * A neighbour outside the cluster is taken to let everything in: what its own policy does is not
 * known from manifests.
 */
#include "plan_verbs.h"

#include "../calico/explain.h"

#include <string.h>

/* ---- a condition in words ---- */

static void put_prefixes(const struct policy_match *m, struct text *out) {
    char text[IP_PREFIX_TEXT_MAX];
    for (uint32_t i = 0; i < m->prefix_count; i++) {
        const struct policy_prefix *p = &m->prefixes[i];
        text_printf(out, "%s%s", i ? ", " : "", ip_prefix_format(p->prefix, text));
        if (p->length_min != p->prefix.length || p->length_max != p->prefix.length)
            text_printf(out, " with length %u to %u", p->length_min, p->length_max);
    }
}

static void put_numbers(const struct policy_match *m, bool pairs, struct text *out) {
    for (uint32_t i = 0; i < m->asn_count; i++) {
        text_puts(out, i ? " " : "");
        if (pairs)
            text_printf(out, "%u:%u", m->asns[i] >> 16, m->asns[i] & 0xffff);
        else
            text_printf(out, "%u", m->asns[i]);
    }
    for (uint32_t i = 0; i < m->large_community_count; i++)
        text_printf(out, "%s%u:%u:%u", i ? " " : "", m->large_communities[i].global,
                    m->large_communities[i].local1, m->large_communities[i].local2);
}

static const char *const sources[] = {
    [ROUTE_SOURCE_BGP] = "BGP",
    [ROUTE_SOURCE_STATIC] = "static",
    [ROUTE_SOURCE_KERNEL] = "kernel",
    [ROUTE_SOURCE_DIRECT] = "direct",
    [ROUTE_SOURCE_AGGREGATE] = "aggregate",
};

static void put_sources(uint32_t set, struct text *out) {
    const char *between = "";
    text_puts(out, "the route's source is ");
    for (size_t i = 1; i < sizeof sources / sizeof sources[0]; i++)
        if (set >> i & 1) {
            text_printf(out, "%s%s", between, sources[i]);
            between = " or ";
        }
}

static void put_value(const struct policy_match *m, const char *what, struct text *out) {
    text_printf(out, "%s %u", what, m->value);
}

static void put_match(const struct policy_match *m, struct text *out) {
    text_puts(out, m->negate ? "not: " : "");
    switch (m->kind) {
    case POLICY_MATCH_PREFIX:
        text_puts(out, "prefix in ");
        put_prefixes(m, out);
        break;
    case POLICY_MATCH_COMMUNITY:
    case POLICY_MATCH_LARGE_COMMUNITY:
        text_puts(out, "has community ");
        put_numbers(m, m->kind == POLICY_MATCH_COMMUNITY, out);
        break;
    case POLICY_MATCH_AS_PATH_PREFIX:
        text_puts(out, "AS path begins with ");
        put_numbers(m, false, out);
        break;
    case POLICY_MATCH_SOURCE:
        put_sources(m->value, out);
        break;
    case POLICY_MATCH_INTERFACE:
        text_printf(out, "interface like \"%s\"", m->text);
        break;
    case POLICY_MATCH_PEER_EXTERNAL:
        text_printf(out, "the session is %s", m->value ? "eBGP" : "iBGP");
        break;
    case POLICY_MATCH_LOCAL_PREF:
        put_value(m, "local preference is", out);
        break;
    case POLICY_MATCH_LOCAL_PREF_ABOVE:
        put_value(m, "local preference above", out);
        break;
    case POLICY_MATCH_NEVER:
        text_printf(out, "never holds (%s)", m->name ? m->name : "");
        break;
    case POLICY_MATCH_NEXT_HOP:
        text_puts(out, "next hop in ");
        put_prefixes(m, out);
        break;
    case POLICY_MATCH_COMMUNITY_REGEX:
    case POLICY_MATCH_AS_PATH_REGEX: /* IOS has these; nothing of Calico's makes them */
    case POLICY_MATCH_MED:
    case POLICY_MATCH_TAG:
    case POLICY_MATCH_ANY_OF:
        text_puts(out, m->name ? m->name : "a condition of a router");
        break;
    }
}

/* ---- the trace ---- */

struct trace {
    json_t *terms, *conditions;
    bool failed;
};

static void on_match(void *context, const struct policy_match *m, bool holds) {
    struct trace *t = context;
    struct text words;
    text_init(&words);
    put_match(m, &words);
    t->failed |=
        json_array_append_new(t->conditions, json_pack("{s:s,s:b}", "condition", text_str(&words),
                                                       "holds", (int)holds)) != 0;
    text_deinit(&words);
}

static const char *const verdicts[] = {
    [POLICY_ACCEPT] = "accept",
    [POLICY_REJECT] = "reject",
    [POLICY_NEXT_POLICY] = "next policy",
    [POLICY_NEXT_TERM] = "next rule",
};

static void on_term(void *context, const struct policy *p, const struct policy_term *term,
                    bool holds) {
    struct trace *t = context;
    json_t *o = json_pack("{s:s,s:s,s:o,s:b,s:o}", "policy", p->name, "rule", term->name,
                          "conditions", t->conditions, "holds", (int)holds, "then",
                          holds ? json_string(verdicts[term->verdict]) : json_null());
    t->failed |= json_array_append_new(t->terms, o) != 0;
    t->conditions = json_array();
}

static struct oracle_tracer tracer(struct trace *t) {
    *t = (struct trace){.terms = json_array(), .conditions = json_array()};
    return (struct oracle_tracer){.match = on_match, .term = on_term, .context = t};
}

static const char *end_of(const struct oracle_passage *g) {
    return !g->session    ? "no-session"
           : !g->known    ? "not-known"
           : !g->sent     ? "not-sent"
           : !g->accepted ? "refused"
                          : "passes";
}

/* Takes both traces over. */
static json_t *route_json(const struct cli_options *o, const struct calico_session *s,
                          const struct oracle_passage *g, struct trace *out, struct trace *in) {
    json_decref(out->conditions);
    json_decref(in->conditions);
    return json_pack("{s:s,s:s,s:s,s:s,s:o,s:s,s:o,s:s}", "node", o->arguments[0], "prefix",
                     o->arguments[1], "session", s->name, "end", end_of(g), "export", out->terms,
                     "exportRule", g->export_rule ? g->export_rule : "", "import", in->terms,
                     "importRule", g->import_rule ? g->import_rule : "");
}

/* ---- for people ---- */

static void print_terms(const json_t *terms, struct text *out) {
    size_t i, k;
    json_t *t, *c;
    const char *policy = "";
    json_array_foreach(terms, i, t) {
        if (strcmp(policy, report_text_of(t, "policy")) != 0)
            text_printf(out, "  %s\n", policy = report_text_of(t, "policy"));
        bool holds = json_is_true(json_object_get(t, "holds"));
        text_printf(out, "    %s %s%s%s\n", holds ? "=>" : "  ", report_text_of(t, "rule"),
                    holds ? ": " : "", report_text_of(t, "then"));
        json_array_foreach(json_object_get(t, "conditions"), k, c) text_printf(
            out, "         %-5s %s\n", json_is_true(json_object_get(c, "holds")) ? "true" : "false",
            report_text_of(c, "condition"));
    }
}

static void print_end(const json_t *r, struct text *out) {
    const char *end = report_text_of(r, "end");
    if (strcmp(end, "no-session") == 0)
        text_puts(out, "the session does not come up\n");
    else if (strcmp(end, "not-known") == 0)
        text_printf(out, "%s has no such route\n", report_text_of(r, "node"));
    else if (strcmp(end, "not-sent") == 0)
        text_printf(out, "not sent: %s\n", report_text_of(r, "exportRule"));
    else if (strcmp(end, "refused") == 0)
        text_printf(out, "sent, and refused at the other end: %s\n",
                    report_text_of(r, "importRule"));
    else
        text_printf(out, "it passes: %s\n", report_text_of(r, "exportRule"));
}

static void print_route(const json_t *r, struct text *out) {
    text_printf(out, "%s at %s, towards %s\n", report_text_of(r, "prefix"),
                report_text_of(r, "node"), report_text_of(r, "session"));
    if (json_array_size(json_object_get(r, "export")) > 0)
        text_puts(out, "export\n");
    print_terms(json_object_get(r, "export"), out);
    if (json_array_size(json_object_get(r, "import")) > 0)
        text_puts(out, "import at the other end\n");
    print_terms(json_object_get(r, "import"), out);
    print_end(r, out);
}

/* Takes the answer over. */
static bool show(const struct cli_options *o, json_t *r) {
    struct text out;
    bool passes = strcmp(report_text_of(r, "end"), "passes") == 0;
    text_init(&out);
    if (o->format == CLI_JSON)
        json_dumpf(r, stdout, JSON_INDENT(1));
    else
        print_route(r, &out);
    printf("%s%s", text_str(&out), o->format == CLI_JSON ? "\n" : "");
    text_deinit(&out);
    json_decref(r);
    return passes;
}

/* ---- the question ---- */

static int follow(struct planned *p, const struct calico_plan_node *n,
                  const struct calico_session *s, struct ip_prefix prefix,
                  const struct cli_options *o) {
    struct trace out, in;
    struct oracle_passage passage;
    if (!planned_oracle(p, NULL))
        return 4;
    struct oracle_tracer on_export = tracer(&out), on_import = tracer(&in);
    oracle_follow(p->oracle, (uint32_t)(n - p->plan->nodes), (uint32_t)(s - n->sessions), prefix,
                  &on_export, &on_import, &passage);
    json_t *r = route_json(o, s, &passage, &out, &in);
    if (!r || out.failed || in.failed) {
        json_decref(r);
        return 4;
    }
    return show(o, r) ? 0 : 1;
}

int explain_route(struct planned *p, const struct calico_plan_node *n,
                  const struct cli_options *o) {
    struct ip_prefix prefix;
    if (!ip_prefix_parse(o->arguments[1], &prefix) || !ip_prefix_is_masked(prefix)) {
        cli_error("explain: %s is no prefix", o->arguments[1]);
        return 2;
    }
    const struct calico_session *s =
        calico_explain_find(p->plan, n, o->to, prefix.addr.family == IP_V6 ? 1 : 0);
    if (!s) {
        cli_error("explain: %s has no session with %s; try ribcage explain %s %s", n->node->name,
                  o->to, n->node->name, o->to);
        return 1;
    }
    return follow(p, n, s, prefix, o);
}
