/*
 * What a scenario demands, as one list of plain expectations.
 *
 *   expect:
 *     converged: true
 *     sessions: {set: mesh, hold: 30}
 *     route: [{blockOf: kube-1, at: kube-2, nextHop: unchanged}]
 *     ping: all
 *
 * Owns: the words under `expect` and `rejected`. Every word takes one value or a list; all that is
 * written under one `expect` must hold at the same time.
 * Leaves to others: whether it holds (the engine and the oracle), whether the nodes exist
 * (scenario_names.c).
 *
 * Invariants: what is not given is not asked: NULL, has_* false, hold_time_s -1.
 */

#include "scenario_internal.h"

#include "../../speaker/base/arena.h"
#include "../../speaker/base/regex_bounds.h"

#include <regex.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define KEYS(name, what, ...)                                                                      \
    static const char *const name##_list[] = {__VA_ARGS__};                                        \
    const struct scenario_keys scenario_keys_##name = {what, name##_list, COUNT(name##_list)}

KEYS(expect, "expect", "sessions", "converged", "route", "fib", "ping", "overhead", "log", "exec",
     "cause", "finding");
KEYS(sessions, "sessions", "set", "count", "pairs", "node", "hold");
KEYS(route, "route", "prefix", "blockOf", "at", "absent", "nextHop", "asPath", "localPref", "med",
     "originator", "communities", "clusterList", "from");
KEYS(fib, "fib", "prefix", "blockOf", "at", "absent", "nextHop", "interface", "by");
KEYS(ping, "ping", "from", "to", "sample", "family", "absent");
KEYS(overhead, "overhead", "pool", "bytes", "from", "to");
KEYS(log, "log", "node", "contains", "matches", "absent");
KEYS(exec, "exec", "node", "command", "contains", "matches", "absent");
KEYS(cause, "cause", "node", "peer", "cause", "prefix", "contains");
KEYS(rejected, "rejected", "finding", "file", "line", "column", "suggestion");
KEYS(finding, "finding", "finding", "file", "line", "column", "suggestion");

static void text(struct scenario_reader *r, const struct yaml_node *n, const char *key,
                 const char **ret_text) {
    yaml_string(yaml_get(n, key), key, r->diags, ret_text);
}

static void require(struct scenario_reader *r, const struct yaml_node *n, bool there,
                    const char *what) {
    if (!there)
        diag_add(r->diags, DIAG_ERROR, yaml_place(n), "missing-field", "%s", what);
}

static void read_texts(struct scenario_reader *r, const struct yaml_node *n, const char *name,
                       const char *const **ret_texts, size_t *ret_count) {
    struct yaml_node *const *items;
    struct yaml_node *single;
    size_t count = scenario_items(n, &items, &single);
    const char **texts = arena_array(r->arena, count + 1, sizeof(*texts));
    if (!texts) {
        r->failed = true;
        return;
    }
    size_t read = 0;
    for (size_t i = 0; i < count; i++)
        if (yaml_string(items[i], name, r->diags, &texts[read]))
            read++;
    *ret_texts = texts;
    *ret_count = read;
}

/* ---- sessions ---- */

static void read_pair(struct scenario_reader *r, const struct yaml_node *n,
                      struct scenario_pair *pair) {
    pair->place = yaml_place(n);
    pair->a = pair->b = "";
    if (n->kind != YAML_SEQUENCE || n->count != 2) {
        diag_add(r->diags, DIAG_ERROR, pair->place, "wrong-type",
                 "pairs: must be pairs of names like [kube-1, kube-2]");
        return;
    }
    yaml_string(n->items[0], "pairs", r->diags, &pair->a);
    yaml_string(n->items[1], "pairs", r->diags, &pair->b);
}

static void read_pairs(struct scenario_reader *r, const struct yaml_node *n,
                       struct scenario_expect *e) {
    if (!n)
        return;
    if (n->kind != YAML_SEQUENCE || n->count > SCENARIO_PAIRS_MAX) {
        diag_add(r->diags, DIAG_ERROR, yaml_place(n), "wrong-type",
                 "pairs: must be a list of at most %d pairs", SCENARIO_PAIRS_MAX);
        return;
    }
    struct scenario_pair *pairs = arena_array(r->arena, n->count + 1, sizeof(*pairs));
    if (!pairs) {
        r->failed = true;
        return;
    }
    for (uint32_t i = 0; i < n->count; i++)
        read_pair(r, n->items[i], &pairs[i]);
    e->pairs = pairs;
    e->pair_count = n->count;
    e->set = SESSIONS_LIST;
}

static bool read_session_word(struct scenario_reader *r, const struct yaml_node *n,
                              struct scenario_expect *e) {
    static const char *const words[] = {"planned", "mesh", "none"};
    static const enum scenario_session_set sets[] = {SESSIONS_PLANNED, SESSIONS_MESH,
                                                     SESSIONS_NONE};
    size_t i;
    if (!yaml_enum(n, "sessions", words, COUNT(words), r->diags, &i))
        return false;
    e->set = sets[i];
    return true;
}

static bool is_count(const struct yaml_node *n) {
    return n->kind == YAML_SCALAR &&
           (n->text[0] == '(' || (n->text[0] >= '0' && n->text[0] <= '9'));
}

static void read_session_fields(struct scenario_reader *r, const struct yaml_node *n,
                                struct scenario_expect *e) {
    uint64_t hold;
    int given = !!yaml_get(n, "set") + !!yaml_get(n, "count") + !!yaml_get(n, "pairs");
    if (given > 1)
        diag_add(r->diags, DIAG_ERROR, yaml_place(n), "unknown-field",
                 "sessions: only one of set, count and pairs");
    if (yaml_get(n, "set"))
        read_session_word(r, yaml_get(n, "set"), e);
    if (scenario_read_count(yaml_get(n, "count"), "count", r->diags, &e->count))
        e->set = SESSIONS_COUNT;
    read_pairs(r, yaml_get(n, "pairs"), e);
    text(r, n, "node", &e->session_node);
    if (yaml_u64(yaml_get(n, "hold"), "hold", 0, 65535, r->diags, &hold))
        e->hold_time_s = (int)hold;
}

static void read_sessions(struct scenario_reader *r, const struct yaml_node *n,
                          struct scenario_expect *e) {
    e->set = SESSIONS_PLANNED;
    if (n->kind == YAML_SEQUENCE) {
        read_pairs(r, n, e);
    } else if (n->kind == YAML_MAPPING) {
        if (scenario_check_keys(r, n, &scenario_keys_sessions))
            read_session_fields(r, n, e);
    } else if (is_count(n)) {
        if (scenario_read_count(n, "sessions", r->diags, &e->count))
            e->set = SESSIONS_COUNT;
    } else {
        read_session_word(r, n, e);
    }
}

static void read_converged(struct scenario_reader *r, const struct yaml_node *n,
                           struct scenario_expect *e) {
    bool yes;
    (void)e;
    if (yaml_bool(n, "converged", r->diags, &yes) && !yes)
        diag_add(r->diags, DIAG_ERROR, yaml_place(n), "unknown-value",
                 "converged: only true can be waited for; leave it out otherwise");
}

/* ---- routes ---- */

static void read_prefix(struct scenario_reader *r, const struct yaml_node *n,
                        struct scenario_expect *e) {
    const char *shown = NULL;
    if (!yaml_string(yaml_get(n, "prefix"), "prefix", r->diags, &shown))
        return;
    if (!ip_prefix_parse(shown, &e->prefix) || !ip_prefix_is_masked(e->prefix))
        diag_add(r->diags, DIAG_ERROR, yaml_place(yaml_get(n, "prefix")), "bad-address",
                 "prefix: \"%.80s\" is not a prefix without host bits like 10.244.1.0/26", shown);
}

static void read_which_route(struct scenario_reader *r, const struct yaml_node *n,
                             struct scenario_expect *e) {
    read_prefix(r, n, e);
    text(r, n, "blockOf", &e->block_of);
    text(r, n, "at", &e->node);
    yaml_bool(yaml_get(n, "absent"), "absent", r->diags, &e->absent);
    require(r, n, !yaml_get(n, "prefix") != !yaml_get(n, "blockOf"),
            "route: needs exactly one of prefix and blockOf");
}

static void read_next_hop(struct scenario_reader *r, const struct yaml_node *n,
                          struct scenario_expect *e) {
    const char *word;
    if (!yaml_string(n, "nextHop", r->diags, &word))
        return;
    if (strcmp(word, "unchanged") == 0)
        e->next_hop_unchanged = true;
    else if (ip_parse(word, &e->next_hop))
        e->has_next_hop = true;
    else
        e->next_hop_of = word;
}

static void read_originator(struct scenario_reader *r, const struct yaml_node *n,
                            struct scenario_expect *e) {
    const char *word;
    if (!yaml_string(n, "originator", r->diags, &word))
        return;
    if (ip_parse(word, &e->originator))
        e->has_originator = true;
    else
        e->originator_of = word;
}

static void read_route(struct scenario_reader *r, const struct yaml_node *n,
                       struct scenario_expect *e) {
    uint64_t value;
    if (!scenario_check_keys(r, n, &scenario_keys_route))
        return;
    read_which_route(r, n, e);
    read_next_hop(r, yaml_get(n, "nextHop"), e);
    read_originator(r, yaml_get(n, "originator"), e);
    text(r, n, "asPath", &e->as_path);
    text(r, n, "from", &e->learned_from);
    if (yaml_u64(yaml_get(n, "localPref"), "localPref", 0, UINT32_MAX, r->diags, &value)) {
        e->has_local_pref = true;
        e->local_pref = (uint32_t)value;
    }
    if (yaml_u64(yaml_get(n, "med"), "med", 0, UINT32_MAX, r->diags, &value)) {
        e->has_med = true;
        e->med = (uint32_t)value;
    }
    e->has_communities = yaml_get(n, "communities") != NULL;
    read_texts(r, yaml_get(n, "communities"), "communities", &e->communities, &e->community_count);
    e->has_cluster_list = yaml_get(n, "clusterList") != NULL;
    read_texts(r, yaml_get(n, "clusterList"), "clusterList", &e->cluster_list, &e->cluster_count);
}

static void read_fib(struct scenario_reader *r, const struct yaml_node *n,
                     struct scenario_expect *e) {
    static const char *const words[] = {"bird", "felix"};
    static const enum scenario_programmer programmers[] = {PROGRAMMER_BIRD, PROGRAMMER_FELIX};
    size_t i;
    if (!scenario_check_keys(r, n, &scenario_keys_fib))
        return;
    read_which_route(r, n, e);
    read_next_hop(r, yaml_get(n, "nextHop"), e);
    text(r, n, "interface", &e->interface);
    if (yaml_enum(yaml_get(n, "by"), "by", words, COUNT(words), r->diags, &i))
        e->by = programmers[i];
    require(r, n, !e->next_hop_unchanged, "fib: nextHop: a node or an address");
}

/* ---- packets, texts, causes ---- */

static void read_family(struct scenario_reader *r, const struct yaml_node *n,
                        struct scenario_expect *e) {
    static const char *const words[] = {"ipv4", "ipv6", "both"};
    size_t i;
    e->both_families = true;
    if (yaml_enum(n, "family", words, COUNT(words), r->diags, &i) && i < 2) {
        e->both_families = false;
        e->family = i == 0 ? BGP_IPV4_UNICAST : BGP_IPV6_UNICAST;
    }
}

static void read_ping(struct scenario_reader *r, const struct yaml_node *n,
                      struct scenario_expect *e) {
    static const char *const words[] = {"all"};
    uint64_t sample = 0;
    size_t i;
    e->both_families = true;
    if (n->kind == YAML_SCALAR) {
        yaml_enum(n, "ping", words, COUNT(words), r->diags, &i);
        return;
    }
    if (!scenario_check_keys(r, n, &scenario_keys_ping))
        return;
    text(r, n, "from", &e->from);
    text(r, n, "to", &e->to);
    yaml_bool(yaml_get(n, "absent"), "absent", r->diags, &e->absent);
    yaml_u64(yaml_get(n, "sample"), "sample", 1, UINT32_MAX, r->diags, &sample);
    e->sample = (uint32_t)sample;
    read_family(r, yaml_get(n, "family"), e);
}

static void read_overhead(struct scenario_reader *r, const struct yaml_node *n,
                          struct scenario_expect *e) {
    uint64_t bytes = 0;
    if (!scenario_check_keys(r, n, &scenario_keys_overhead))
        return;
    text(r, n, "pool", &e->pool);
    text(r, n, "from", &e->from);
    text(r, n, "to", &e->to);
    yaml_u64(yaml_get(n, "bytes"), "bytes", 0, UINT16_MAX, r->diags, &bytes);
    e->bytes = (uint32_t)bytes;
    require(r, n, yaml_get(n, "pool") && yaml_get(n, "bytes"), "overhead: needs pool and bytes");
}

/* It is compiled again where it is used: a step that comes minutes later must not be the first to
 * say that nobody can read it. */
static void check_expression(struct scenario_reader *r, const struct yaml_node *n,
                             const char *expression) {
    char why[160];
    const char *refused = expression ? regex_refuse(expression) : NULL;
    regex_t compiled;
    int error =
        expression && !refused ? regcomp(&compiled, expression, REG_EXTENDED | REG_NOSUB) : 0;
    if (expression && !refused && !error)
        regfree(&compiled);
    if (error)
        (void)regerror(error, NULL, why, sizeof why);
    if (refused || error)
        diag_add(r->diags, DIAG_ERROR, yaml_place(n), "wrong-type",
                 "matches: no regular expression that can be used: %s", error ? why : refused);
}

static void read_line(struct scenario_reader *r, const struct yaml_node *n,
                      struct scenario_expect *e) {
    text(r, n, "node", &e->node);
    text(r, n, "contains", &e->contains);
    text(r, n, "matches", &e->matches);
    check_expression(r, yaml_get(n, "matches"), e->matches);
    yaml_bool(yaml_get(n, "absent"), "absent", r->diags, &e->absent);
    require(r, n, !yaml_get(n, "contains") != !yaml_get(n, "matches"),
            "needs exactly one of contains and matches");
}

static void read_log(struct scenario_reader *r, const struct yaml_node *n,
                     struct scenario_expect *e) {
    if (scenario_check_keys(r, n, &scenario_keys_log))
        read_line(r, n, e);
}

static void read_exec(struct scenario_reader *r, const struct yaml_node *n,
                      struct scenario_expect *e) {
    if (!scenario_check_keys(r, n, &scenario_keys_exec))
        return;
    read_line(r, n, e);
    text(r, n, "command", &e->command);
    require(r, n, yaml_get(n, "node") && yaml_get(n, "command"), "exec: needs node and command");
}

static void read_cause(struct scenario_reader *r, const struct yaml_node *n,
                       struct scenario_expect *e) {
    if (!scenario_check_keys(r, n, &scenario_keys_cause))
        return;
    text(r, n, "node", &e->node);
    text(r, n, "peer", &e->peer);
    text(r, n, "cause", &e->cause);
    text(r, n, "contains", &e->contains);
    read_prefix(r, n, e);
    require(r, n, e->node && e->cause, "cause: needs node and cause");
    require(r, n, !e->cause || strcmp(e->cause, "filtered") != 0 || yaml_get(n, "prefix"),
            "cause: filtered needs the prefix");
    require(r, n, !e->cause || strcmp(e->cause, "filtered") == 0 || e->peer,
            "cause: needs the peer whose session does not come up");
}

static void read_words(struct scenario_reader *r, const struct yaml_node *n,
                       const struct scenario_keys *keys, struct scenario_expect *e) {
    uint64_t value;
    const char *file;
    if (!scenario_check_keys(r, n, keys))
        return;
    text(r, n, "finding", &e->finding);
    text(r, n, "suggestion", &e->suggestion);
    require(r, n, yaml_get(n, "finding") != NULL, "needs the finding's id");
    if (yaml_string(yaml_get(n, "file"), "file", r->diags, &file))
        e->file = scenario_join(r->arena, r->scenario->shown_directory, file);
    if (yaml_u64(yaml_get(n, "line"), "line", 1, UINT32_MAX, r->diags, &value))
        e->line = (uint32_t)value;
    if (yaml_u64(yaml_get(n, "column"), "column", 1, UINT32_MAX, r->diags, &value))
        e->column = (uint32_t)value;
}

static void read_rejected(struct scenario_reader *r, const struct yaml_node *n,
                          struct scenario_expect *e) {
    read_words(r, n, &scenario_keys_rejected, e);
}

static void read_finding(struct scenario_reader *r, const struct yaml_node *n,
                         struct scenario_expect *e) {
    read_words(r, n, &scenario_keys_finding, e);
}

/* ---- all of them ---- */

static const struct {
    const char *word;
    enum scenario_expect_kind kind;
    bool list_is_value; /* sessions: a list is a list of pairs */
    void (*read)(struct scenario_reader *r, const struct yaml_node *n, struct scenario_expect *e);
} readers[] = {
    {"sessions", EXPECT_SESSIONS, true, read_sessions},
    {"converged", EXPECT_CONVERGED, false, read_converged},
    {"route", EXPECT_ROUTE, false, read_route},
    {"fib", EXPECT_FIB, false, read_fib},
    {"ping", EXPECT_PING, false, read_ping},
    {"overhead", EXPECT_OVERHEAD, false, read_overhead},
    {"log", EXPECT_LOG, false, read_log},
    {"exec", EXPECT_EXEC, false, read_exec},
    {"cause", EXPECT_CAUSE, false, read_cause},
    {"finding", EXPECT_FINDING, false, read_finding},
    {"rejected", EXPECT_REJECTED, false, read_rejected},
};

/* In the order of the table: cheap questions first, packets when the routes are there. */
static size_t read_word(struct scenario_reader *r, const struct yaml_node *n, size_t reader,
                        struct scenario_expect *expects, size_t at) {
    struct yaml_node *const *items = NULL;
    struct yaml_node *single = (struct yaml_node *)(uintptr_t)n;
    bool whole = readers[reader].list_is_value && n->kind == YAML_SEQUENCE && n->count &&
                 n->items[0]->kind == YAML_SEQUENCE;
    size_t count = whole ? 1 : scenario_items(n, &items, &single);
    if (whole)
        items = &single;
    for (size_t i = 0; i < count && at + i < SCENARIO_EXPECTS_MAX; i++) {
        struct scenario_expect *e = &expects[at + i];
        e->kind = readers[reader].kind;
        e->place = yaml_place(items[i]);
        e->hold_time_s = -1;
        readers[reader].read(r, items[i], e);
    }
    if (at + count > SCENARIO_EXPECTS_MAX)
        diag_add(r->diags, DIAG_ERROR, yaml_place(n), "limit", "expect: more than %d of them",
                 SCENARIO_EXPECTS_MAX);
    if (count == 0)
        diag_add(r->diags, DIAG_ERROR, yaml_place(n), "missing-field", "%s: nothing is given",
                 readers[reader].word);
    return at + count > SCENARIO_EXPECTS_MAX ? SCENARIO_EXPECTS_MAX : at + count;
}

static struct scenario_expect *new_expects(struct scenario_reader *r, size_t count) {
    if (count > SCENARIO_EXPECTS_MAX)
        count = SCENARIO_EXPECTS_MAX;
    struct scenario_expect *expects = arena_array(r->arena, count + 1, sizeof(*expects));
    if (!expects)
        r->failed = true;
    return expects;
}

static size_t count_of(const struct yaml_node *n) {
    return n->kind == YAML_SEQUENCE ? n->count : 1;
}

void scenario_read_expects(struct scenario_reader *r, const struct yaml_node *n,
                           struct scenario_step *step) {
    size_t most = 0, count = 0;
    if (!scenario_check_keys(r, n, &scenario_keys_expect))
        return;
    require(r, n, n->count > 0, "expect: nothing is given");
    for (uint32_t i = 0; i < n->count; i++)
        most += count_of(n->items[i]);
    struct scenario_expect *expects = new_expects(r, most);
    for (size_t i = 0; expects && i < COUNT(readers); i++) {
        const struct yaml_node *value = yaml_get(n, readers[i].word);
        if (value && readers[i].kind != EXPECT_REJECTED)
            count = read_word(r, value, i, expects, count);
    }
    step->expects = expects;
    step->expect_count = count;
}

void scenario_read_rejected(struct scenario_reader *r, const struct yaml_node *n,
                            struct scenario_step *step) {
    size_t before = step->expect_count;
    struct scenario_expect *expects = new_expects(r, before + count_of(n));
    if (!expects)
        return;
    for (size_t i = 0; i < before; i++)
        expects[i] = step->expects[i];
    for (size_t i = 0; i < COUNT(readers); i++) {
        if (readers[i].kind == EXPECT_REJECTED)
            step->expect_count = read_word(r, n, i, expects, before);
    }
    step->expects = expects;
}
