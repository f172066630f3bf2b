/*
 * Owns reading a BGPFilter: four ordered lists of rules, the conditions and operations of a rule,
 * and the rules between them. What a rule means is decided where it is compiled.
 *
 * min > max and bounds below the mask are accepted here, as Calico accepts them: BIRD refuses the
 * result, which the planner reports.
 */
#include "read_kinds.h"

#include "../../speaker/base/arena.h"
#include "../../speaker/base/text.h"

#include <string.h>

#define RULES_MAX 65000
#define OPERATIONS_MAX 10
#define PREPENDS_MAX 10
#define AS_PATH_MAX 255
#define PRIORITY_MAX 2147483646u

#define FIELD(name)                                                                                \
    static void name(struct read_context *c, const struct yaml_node *n, const char *path,          \
                     void *object)
/* The rule while it is read: its family is that of the list it stands in. */
struct rule {
    struct calico_filter_rule r;
    enum ip_family family;
};
#define RULE (&((struct rule *)object)->r)

static const char *const operator_words[] = {"Equal", "NotEqual", "In", "NotIn"};

/* ---- conditions ---- */

FIELD(field_action) {
    static const char *const words[] = {"Accept", "Reject"};
    size_t index;
    if (read_word(c, n, path, words, 2, &index))
        RULE->accept = index == 0;
}
FIELD(field_cidr) {
    RULE->has_cidr =
        read_cidr(c, n, path, ((struct rule *)object)->family, &RULE->cidr, &RULE->unmasked_cidr);
}
FIELD(field_operator) {
    size_t index;
    if (read_word(c, n, path, operator_words, 4, &index))
        RULE->match_operator = (enum calico_match_operator)(CALICO_OP_EQUAL + index);
}
FIELD(field_min) {
    uint32_t length;
    if (read_u32(c, n, path, 0, ip_bits(((struct rule *)object)->family), &length)) {
        RULE->has_min = true;
        RULE->prefix_length_min = (uint8_t)length;
    }
}
FIELD(field_max) {
    uint32_t length;
    if (read_u32(c, n, path, 0, ip_bits(((struct rule *)object)->family), &length)) {
        RULE->has_max = true;
        RULE->prefix_length_max = (uint8_t)length;
    }
}
FIELD(field_prefix_length) {
    static const struct read_field fields[] = {{"min", field_min}, {"max", field_max}};
    RULE->has_prefix_length = true;
    READ_FIELDS(c, n, path, fields, object);
}
FIELD(field_source) {
    static const char *const words[] = {"RemotePeers"};
    size_t index;
    RULE->remote_peers = read_word(c, n, path, words, 1, &index);
}
FIELD(field_interface) {
    const char *text;
    if (!read_text(c, n, path, 253, &text))
        return;
    size_t span = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                               "_.*-");
    if (text[span] != '\0' || span > 15)
        read_error(c, n, "bad-interface", path,
                   "\"%.60s\" is no interface pattern: 1 to 15 of letters, digits, _ . * -", text);
    else
        RULE->interface = text;
}
FIELD(field_peer_type) {
    static const char *const words[] = {"eBGP", "iBGP"};
    size_t index;
    if (read_word(c, n, path, words, 2, &index))
        RULE->peer_type = (int)index + 1;
}
FIELD(item_community) {
    read_community(c, n, path, object);
}
FIELD(field_community_values) {
    size_t count, before = diag_error_count(c->diags);
    const char **values = read_list(c, n, path, 1, sizeof *values, item_community, &count);
    RULE->community = values ? values[0] : NULL;
    if (!RULE->community && diag_error_count(c->diags) == before)
        read_error(c, n, "required-field", path, "needs exactly one value");
}
FIELD(field_communities) {
    static const struct read_field fields[] = {{"values", field_community_values}};
    READ_FIELDS(c, n, path, fields, object);
    if (n->kind == YAML_MAPPING && !yaml_get(n, "values"))
        read_error(c, n, "required-field", path, "needs values: [aa:nn]");
}
FIELD(item_as) {
    read_asn(c, n, path, object);
}
FIELD(field_as_path_prefix) {
    RULE->as_path_prefix =
        read_list(c, n, path, AS_PATH_MAX, sizeof(uint32_t), item_as, &RULE->as_path_prefix_count);
}
FIELD(field_priority) {
    read_u32(c, n, path, 1, PRIORITY_MAX, &RULE->priority);
}

/* ---- operations ---- */

#define OPERATION ((struct calico_operation *)object)

FIELD(field_add_value) {
    read_community(c, n, path, &OPERATION->community);
}
FIELD(field_add_community) {
    static const struct read_field fields[] = {{"value", field_add_value}};
    OPERATION->kind = CALICO_ADD_COMMUNITY;
    size_t before = diag_error_count(c->diags);
    READ_FIELDS(c, n, path, fields, object);
    if (!OPERATION->community && diag_error_count(c->diags) == before)
        read_error(c, n, "required-field", path, "needs value: aa:nn");
}
FIELD(field_prepend_prefix) {
    OPERATION->as_path =
        read_list(c, n, path, PREPENDS_MAX, sizeof(uint32_t), item_as, &OPERATION->as_path_count);
}
FIELD(field_prepend) {
    static const struct read_field fields[] = {{"prefix", field_prepend_prefix}};
    OPERATION->kind = CALICO_PREPEND_AS_PATH;
    size_t before = diag_error_count(c->diags);
    READ_FIELDS(c, n, path, fields, object);
    if (OPERATION->as_path_count == 0 && diag_error_count(c->diags) == before)
        read_error(c, n, "required-field", path, "needs prefix: 1 to 10 AS numbers");
}
FIELD(field_set_value) {
    read_u32(c, n, path, 1, PRIORITY_MAX, &OPERATION->priority);
}
FIELD(field_set_priority) {
    static const struct read_field fields[] = {{"value", field_set_value}};
    OPERATION->kind = CALICO_SET_PRIORITY;
    size_t before = diag_error_count(c->diags);
    READ_FIELDS(c, n, path, fields, object);
    if (!OPERATION->priority && diag_error_count(c->diags) == before)
        read_error(c, n, "required-field", path, "needs value: 1 to 2147483646");
}
FIELD(item_operation) {
    static const struct read_field fields[] = {{"addCommunity", field_add_community},
                                               {"prependASPath", field_prepend},
                                               {"setPriority", field_set_priority}};
    READ_FIELDS(c, n, path, fields, object);
    if (n->kind == YAML_MAPPING && (n->count != 1 || n->items[0]->kind == YAML_NULL))
        read_error(c, n, "exclusive-fields", path,
                   "must have exactly one of addCommunity, prependASPath, setPriority");
}
FIELD(field_operations) {
    RULE->operations = read_list(c, n, path, OPERATIONS_MAX, sizeof(struct calico_operation),
                                 item_operation, &RULE->operation_count);
    if (n->kind == YAML_SEQUENCE && n->count == 0)
        read_error(c, n, "required-field", path, "needs 1 to 10 operations");
}

static const struct read_field rule_fields[] = {
    {"action", field_action},
    {"cidr", field_cidr},
    {"matchOperator", field_operator},
    {"prefixLength", field_prefix_length},
    {"source", field_source},
    {"interface", field_interface},
    {"peerType", field_peer_type},
    {"communities", field_communities},
    {"asPathPrefix", field_as_path_prefix},
    {"priority", field_priority},
    {"operations", field_operations},
};

/* ---- rules ---- */

static bool given(const struct yaml_node *rule, const char *field) {
    const struct yaml_node *n = yaml_get(rule, field);
    return n && n->kind != YAML_NULL && !(n->kind == YAML_SCALAR && n->text[0] == '\0');
}

static void check_cidr(struct read_context *c, const struct yaml_node *n, const char *path) {
    bool cidr = given(n, "cidr"), op = given(n, "matchOperator");
    if (cidr && !op) {
        const char *text = yaml_get(n, "cidr")->text;
        bool everything = text && strcmp(text + strcspn(text, "/"), "/0") == 0;
        read_error(c, yaml_key(n, "cidr"), "missing-match-operator", path,
                   "cidr and matchOperator must both be set or both be empty: %s",
                   everything ? "to match every route leave out cidr, or add matchOperator: In"
                              : "add matchOperator: In (or Equal, NotEqual, NotIn)");
    } else if (op && !cidr) {
        read_error(c, yaml_key(n, "matchOperator"), "missing-cidr", path,
                   "cidr and matchOperator must both be set or both be empty: add cidr");
    }
    if (given(n, "prefixLength") && !cidr)
        read_error(c, yaml_key(n, "prefixLength"), "missing-cidr", path,
                   "cidr is required when prefixLength is set");
}

static void check_rule(struct read_context *c, const struct yaml_node *n, const char *path,
                       const struct calico_filter_rule *r) {
    if (!given(n, "action"))
        read_error(c, n, "required-field", path, "needs action: Accept or Reject");
    check_cidr(c, n, path);
    if (!r->accept && given(n, "action") && given(n, "operations"))
        read_error(c, yaml_key(n, "operations"), "operations-on-reject", path,
                   "operations may only be used with action Accept");
}

/* What the rule is, on one line: for explanations. */
static const char *rule_text(struct read_context *c, const struct calico_filter_rule *r) {
    struct text t;
    char prefix[IP_PREFIX_TEXT_MAX];
    text_init(&t);
    text_puts(&t, r->accept ? "Accept" : "Reject");
    if (r->has_cidr && r->match_operator != CALICO_OP_NONE)
        text_printf(&t, " %s %s", operator_words[r->match_operator - CALICO_OP_EQUAL],
                    ip_prefix_format(r->cidr, prefix));
    if (r->has_min)
        text_printf(&t, " min %u", r->prefix_length_min);
    if (r->has_max)
        text_printf(&t, " max %u", r->prefix_length_max);
    if (r->remote_peers)
        text_puts(&t, " source RemotePeers");
    if (r->interface)
        text_printf(&t, " interface %s", r->interface);
    if (r->peer_type)
        text_printf(&t, " peerType %s", r->peer_type == 1 ? "eBGP" : "iBGP");
    if (r->community)
        text_printf(&t, " community %s", r->community);
    if (r->as_path_prefix_count)
        text_puts(&t, " asPathPrefix");
    for (size_t i = 0; i < r->as_path_prefix_count; i++)
        text_printf(&t, " %u", r->as_path_prefix[i]);
    if (r->priority)
        text_printf(&t, " priority %u", r->priority);
    const char *copy = t.failed ? NULL : read_copy(c, text_str(&t));
    c->out_of_memory |= !copy;
    text_deinit(&t);
    return copy;
}

static void read_rule(struct read_context *c, const struct yaml_node *n, const char *path,
                      struct rule *rule) {
    READ_FIELDS(c, n, path, rule_fields, rule);
    if (n->kind == YAML_MAPPING)
        check_rule(c, n, path, &rule->r);
    rule->r.place = read_place(c, n);
    rule->r.text = rule_text(c, &rule->r);
}

FIELD(item_rule4) {
    struct rule rule = {.family = IP_V4};
    read_rule(c, n, path, &rule);
    *(struct calico_filter_rule *)object = rule.r;
}
FIELD(item_rule6) {
    struct rule rule = {.family = IP_V6};
    read_rule(c, n, path, &rule);
    *(struct calico_filter_rule *)object = rule.r;
}

static void read_rules(struct read_context *c, const struct yaml_node *n, const char *path,
                       void *object, int direction, int family) {
    struct calico_bgp_filter *f = object;
    f->rules[direction][family] =
        read_list(c, n, path, RULES_MAX, sizeof(struct calico_filter_rule),
                  family ? item_rule6 : item_rule4, &f->rule_count[direction][family]);
}

FIELD(field_import4) {
    read_rules(c, n, path, object, 0, 0);
}
FIELD(field_import6) {
    read_rules(c, n, path, object, 0, 1);
}
FIELD(field_export4) {
    read_rules(c, n, path, object, 1, 0);
}
FIELD(field_export6) {
    read_rules(c, n, path, object, 1, 1);
}

static const struct read_field filter_fields[] = {{"exportV4", field_export4},
                                                  {"importV4", field_import4},
                                                  {"exportV6", field_export6},
                                                  {"importV6", field_import6}};

struct calico_bgp_filter *read_bgp_filter(struct read_context *c, const struct yaml_node *root) {
    struct calico_bgp_filter *o = arena_alloc(c->arena, sizeof *o);
    const struct yaml_node *spec = read_spec(root);
    if (o && spec)
        READ_FIELDS(c, spec, "spec", filter_fields, o);
    return o;
}
