/*
 * Configurations written by hand: comments, and what can be left out.
 *
 * Owns what is filled in before the reader sees the JSON, the places of findings that
 * bgp_config_check has about parts of the whole, and what a policy must not lack or have, which
 * compilers see to themselves. Short forms of single values ("accept", policies
 * by name) are the reader's own (config_json.c): they do no harm in what programs write.
 */
#include "config_file.h"

#include "../base/arena.h"
#include "../base/diag.h"
#include "../base/text.h"
#include "../core/aspath_regex.h"
#include "config_fields.h"
#include "policy_members.h"

#include <string.h>

struct file {
    const char *name;
    const char *text;
    size_t size;
    const json_t *root;
    const struct bgp_config *config;
};

/* ---- what was left out ---- */

struct words {
    const char *member;       /* "value" of which "kind" */
    const char *const *words; /* by number */
    int count;
    bool set; /* of bits, one or several words */
};

static const struct words source_value = {"source", config_source_words, CONFIG_SOURCE_WORDS, true};
static const struct words origin_value = {"set-origin", config_origin_words, 3, false};

static void put_default(json_t *object, const char *name, json_t *value) {
    if (json_is_object(object) && !json_object_get(object, name))
        json_object_set(object, name, value);
    json_decref(value);
}

/* A member that has a flag beside it: who gives the one means the other. */
static void put_flag(json_t *object, const char *value, const char *flag) {
    if (json_object_get(object, value))
        put_default(object, flag, json_true());
}

/* -1: none of them. */
static int word_number(const struct words *w, const json_t *word) {
    for (int i = 0; json_is_string(word) && i < w->count; i++)
        if (w->words[i] && strcmp(w->words[i], json_string_value(word)) == 0)
            return i;
    return -1;
}

/* Words in place of a number; what is none of them stays and is refused by the reader. */
static void complete_value(json_t *object, const struct words *w) {
    const json_t *kind = json_object_get(object, "kind"), *value = json_object_get(object, "value");
    size_t count = json_is_string(value) ? 1 : json_array_size(value);
    json_int_t bits = 0;
    if (!json_is_string(kind) || strcmp(json_string_value(kind), w->member) != 0 || count == 0)
        return;
    for (size_t i = 0; i < count; i++) {
        int number = word_number(w, json_is_string(value) ? value : json_array_get(value, i));
        if (number < 0 || (!w->set && count > 1))
            return;
        bits |= w->set ? 1 << number : number;
    }
    json_object_set_new(object, "value", json_integer(bits));
}

/* Lengths as routers have them: with the upper one alone from the prefix's own on ("le"), with the
 * lower one alone up to the longest ("ge"). */
static void complete_lengths(json_t *element) {
    const char *text = json_string_value(json_object_get(element, "prefix"));
    bool has_min = json_object_get(element, "length_min") != NULL;
    struct ip_prefix p;
    if (!text || !ip_prefix_parse(text, &p))
        return;
    put_default(element, "length_min", json_integer(p.length));
    put_default(element, "length_max",
                json_integer(has_min ? ip_bits((enum ip_family)p.addr.family) : p.length));
}

static void complete_match(json_t *match) {
    json_t *prefixes = json_object_get(match, "prefixes");
    complete_value(match, &source_value);
    for (size_t i = 0; i < json_array_size(prefixes); i++)
        complete_lengths(json_array_get(prefixes, i));
}

static void complete_term(json_t *term) {
    json_t *matches = json_object_get(term, "matches"), *actions = json_object_get(term, "actions");
    for (size_t i = 0; i < json_array_size(matches); i++) {
        json_t *match = json_array_get(matches, i);
        json_t *others = json_object_get(match, "alternatives");
        complete_match(match);
        for (size_t k = 0; k < json_array_size(others); k++)
            complete_match(json_array_get(others, k));
    }
    for (size_t i = 0; i < json_array_size(actions); i++)
        complete_value(json_array_get(actions, i), &origin_value);
}

static void complete_policy(json_t *policy, const json_t *root) {
    (void)root;
    json_t *terms = json_object_get(policy, "terms");
    for (size_t i = 0; i < json_array_size(terms); i++)
        complete_term(json_array_get(terms, i));
}

/* RFC 8212 is about external sessions: inside, everything passes unless something is said. */
static void complete_chains(json_t *peer, const json_t *root) {
    const json_t *own = json_object_get(peer, "local_as");
    own = json_integer_value(own) ? own : json_object_get(root, "local_as");
    if (!json_is_integer(own) || !json_equal(own, json_object_get(peer, "remote_as")))
        return;
    put_default(peer, "import", json_string("accept"));
    put_default(peer, "export", json_string("accept"));
}

static void complete_peer(json_t *peer, const json_t *root) {
    json_t *addr = json_object_get(peer, "remote_addr");
    put_flag(peer, "hold_time_s", "hold_time_set");
    complete_chains(peer, root);
    put_default(peer, "name", json_is_string(addr) ? json_incref(addr) : json_string("unnamed"));
}

static void complete_origin(json_t *origin, const json_t *root) {
    (void)root;
    put_flag(origin, "med", "med_set");
    put_default(origin, "source", json_string("static"));
}

static void complete_list(json_t *root, const char *name,
                          void (*complete)(json_t *, const json_t *root)) {
    json_t *list = json_object_get(root, name);
    for (size_t i = 0; i < json_array_size(list); i++)
        complete(json_array_get(list, i), root);
}

static void complete_range(json_t *range, const json_t *root) {
    json_t *peer = json_object_get(range, "peer");
    put_flag(peer, "hold_time_s", "hold_time_set");
    put_default(peer, "remote_as", json_integer(0));
    complete_chains(peer, root);
}

static void complete(json_t *root, const char *profile) {
    if (profile && json_is_object(root))
        json_object_set_new(root, "profile", json_string(profile));
    put_default(root, "profile", json_string("plain"));
    put_flag(root, "hold_time_s", "hold_time_set");
    complete_list(root, "policies", complete_policy);
    complete_list(root, "peers", complete_peer);
    complete_list(root, "listen_ranges", complete_range);
    complete_list(root, "origins", complete_origin);
}

/* ---- places ---- */

/* Routes are sorted when they are read: the last one of the text with this prefix. */
static size_t origin_index(const struct file *f, uint32_t index) {
    const json_t *list = json_object_get(f->root, "origins");
    struct ip_prefix wanted = f->config->origins[index].prefix, p;
    for (size_t i = json_array_size(list); i > 0; i--) {
        const json_t *origin = json_array_get(list, i - 1);
        const json_t *text = json_is_object(origin) ? json_object_get(origin, "prefix") : origin;
        if (json_is_string(text) && ip_prefix_parse(json_string_value(text), &p) &&
            ip_prefix_equal(p, wanted))
            return i - 1;
    }
    return 0;
}

static struct diag_place place_of(const void *context, enum bgp_config_part part, uint32_t index) {
    static const char *const lists[] = {
        [BGP_PART_PEER] = "peers",           [BGP_PART_RANGE] = "listen_ranges",
        [BGP_PART_POLICY] = "policies",      [BGP_PART_ORIGIN] = "origins",
        [BGP_PART_AGGREGATE] = "aggregates",
    };
    const struct file *f = context;
    struct diag_place place = {.file = f->name};
    size_t at = part == BGP_PART_ORIGIN ? origin_index(f, index) : index;
    struct config_step path[2] = {{lists[part], 0}, {NULL, at}};
    config_locate(f->text, f->size, path, part == BGP_PART_WHOLE ? 0 : 2, &place.line,
                  &place.column);
    return place;
}

/* ---- policies ---- */

static bool regex_fits(const struct policy_match *m, struct text *wrong) {
    struct aspath_regex compiled;
    bool regex = m->kind == POLICY_MATCH_AS_PATH_REGEX || m->kind == POLICY_MATCH_COMMUNITY_REGEX;
    if (!regex || aspath_regex_compile(&compiled, m->text))
        return true;
    text_puts(wrong, "text: not a valid regular expression, or too long a one");
    return false;
}

/* Alternatives have none of their own. */
static bool match_fits(const struct policy_match *m, struct text *wrong) {
    bool ok = policy_match_members_fit(m, wrong) && regex_fits(m, wrong);
    for (uint32_t i = 0; i < m->alternative_count && ok; i++)
        ok = policy_match_members_fit(&m->alternatives[i], wrong) &&
             regex_fits(&m->alternatives[i], wrong);
    return ok;
}

static bool action_fits(const struct policy_action *a, struct text *wrong) {
    if (!policy_action_members_fit(a, wrong))
        return false;
    if (a->kind != POLICY_SET_ORIGIN || a->value <= 2)
        return true;
    text_puts(wrong, "set-origin has \"igp\", \"egp\" or \"incomplete\"");
    return false;
}

/* What is wrong with it first, if anything is, is in `wrong`. */
static bool term_fits(const struct policy_term *t, struct text *wrong) {
    bool ok = true;
    for (uint32_t i = 0; i < t->match_count && ok; i++)
        ok = match_fits(&t->matches[i], wrong);
    for (uint32_t i = 0; i < t->action_count && ok; i++)
        ok = action_fits(&t->actions[i], wrong);
    return ok;
}

static void check_term(const struct file *f, uint32_t policy, const struct policy_term *t,
                       struct diag_list *diags) {
    struct text wrong;
    text_init(&wrong);
    if (!term_fits(t, &wrong))
        diag_add(diags, DIAG_ERROR, place_of(f, BGP_PART_POLICY, policy), "bad-policy",
                 "policy \"%s\": term \"%s\": %s", f->config->policies[policy].name, t->name,
                 text_str(&wrong));
    text_deinit(&wrong);
}

static bool check_policies(const struct file *f, struct diag_list *diags) {
    size_t before = diag_error_count(diags);
    for (uint32_t i = 0; i < f->config->policy_count; i++)
        for (uint32_t t = 0; t < f->config->policies[i].term_count; t++)
            check_term(f, i, &f->config->policies[i].terms[t], diags);
    return diag_error_count(diags) == before;
}

static struct bgp_config *read_checked(const char *text, size_t size, const char *name,
                                       const json_t *root, struct arena *arena,
                                       struct diag_list *diags) {
    struct bgp_config *c = config_from_parsed(root, text, size, name, arena, diags);
    const struct file f = {name, text, size, root, c};
    const struct bgp_config_places places = {place_of, &f};
    if (!c)
        return NULL;
    bool sound = check_policies(&f, diags);
    return bgp_config_check_at(c, &places, diags) && sound ? c : NULL;
}

static bool is_blank(const char *text, size_t size) {
    for (size_t i = 0; i < size; i++)
        if (!strchr(" \t\r\n", text[i]) || !text[i])
            return false;
    return true;
}

struct bgp_config *config_from_file(const char *text, size_t size, const char *file,
                                    const char *profile, struct arena *arena,
                                    struct diag_list *diags) {
    size_t mark = text_byte_order_mark(text, size);
    text += mark;
    size -= mark;
    char *plain = arena_alloc(arena, size + 1);
    if (!plain) {
        diag_add(diags, DIAG_ERROR, (struct diag_place){.file = file}, "no-memory",
                 "out of memory");
        return NULL;
    }
    memcpy(plain, text, size);
    config_blank_comments(plain, size);
    if (is_blank(plain, size)) {
        diag_add(diags, DIAG_ERROR, (struct diag_place){.file = file}, "empty",
                 "empty: a configuration is one JSON object");
        return NULL;
    }
    json_t *root = config_parse(plain, size, file, diags);
    struct bgp_config *c = NULL;
    if (root) {
        complete(root, profile);
        c = read_checked(plain, size, file, root, arena, diags);
    }
    json_decref(root);
    diag_sort(diags);
    return c;
}
