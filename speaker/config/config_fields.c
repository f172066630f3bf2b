/*
 * The members of bgp_config and of everything below it, as tables.
 *
 * Owns the JSON names and words. A member added to core/config.h or core/policy.h gets a row here
 * and nothing else: writer and reader walk the same rows. What values mean together is
 * bgp_config_check's business, not ours.
 *
 * Alternatives of a policy match are one level deep (policy.h), so they have a shape of their own
 * without that row, and no shape contains itself: the depth of a configuration is bounded by these
 * tables.
 */
#include "config_fields.h"

#define COUNT_OF(a) ((uint32_t)(sizeof(a) / sizeof((a)[0])))
#define MEMBER(type, name) offsetof(type, name), sizeof(((type *)0)->name)
/* A plain member, a required one, one of words, a list, a nested struct. */
#define PLAIN(type, member, kind_)                                                                 \
    { #member, kind_, false, MEMBER(type, member), 0, 0, NULL, NULL, 0 }
#define NEEDED(type, member, kind_)                                                                \
    { #member, kind_, true, MEMBER(type, member), 0, 0, NULL, NULL, 0 }
#define OCTETS(type, member, max_)                                                                 \
    { #member, FIELD_OCTETS, false, MEMBER(type, member), 0, max_, NULL, NULL, 0 }
#define TEXT(type, member, max_)                                                                   \
    { #member, FIELD_TEXT, false, MEMBER(type, member), 0, max_, NULL, NULL, 0 }
#define WORD(type, member, need, words_)                                                           \
    { #member, FIELD_WORD, need, MEMBER(type, member), 0, 0, NULL, words_, COUNT_OF(words_) }
#define LIST(type, member, count, max_, shape_)                                                    \
    {                                                                                              \
#member, FIELD_LIST, false, MEMBER(type, member), offsetof(type, count), max_, shape_,     \
            NULL, 0                                                                                \
    }
#define VALUES(type, member, count, kind_)                                                         \
    {                                                                                              \
#member, kind_, false, MEMBER(type, member), offsetof(type, count), BGP_COMMUNITIES_MAX,   \
            NULL, NULL, 0                                                                          \
    }
#define SHAPE(type, fields_, init_)                                                                \
    { fields_, COUNT_OF(fields_), sizeof(type), init_, NULL }
#define BRIEF_SHAPE(type, fields_, init_, complete_)                                               \
    { fields_, COUNT_OF(fields_), sizeof(type), init_, complete_ }

const char *const config_family_names[BGP_FAMILIES] = {"ipv4", "ipv6"};
const char *const config_origin_words[3] = {"igp", "egp", "incomplete"};

const char *const config_source_words[CONFIG_SOURCE_WORDS] = {
    [ROUTE_SOURCE_BGP] = "bgp",
    [ROUTE_SOURCE_STATIC] = "static",
    [ROUTE_SOURCE_KERNEL] = "kernel",
    [ROUTE_SOURCE_DIRECT] = "direct",
    [ROUTE_SOURCE_AGGREGATE] = "aggregate",
};

static const char *const profile_words[BGP_PROFILES] = {
    [BGP_PROFILE_CALICO] = "calico",
    [BGP_PROFILE_FAST] = "fast",
    [BGP_PROFILE_IOS] = "ios",
    [BGP_PROFILE_PLAIN] = "plain",
};
static const char *const next_hop_words[] = {
    [BGP_NEXT_HOP_AUTO] = "auto",
    [BGP_NEXT_HOP_SELF] = "self",
    [BGP_NEXT_HOP_SELF_ALL] = "self-all",
    [BGP_NEXT_HOP_KEEP] = "keep",
};
static const char *const restart_words[] = {
    [BGP_GR_OFF] = "off",
    [BGP_GR_HELPER] = "helper",
    [BGP_GR_FULL] = "full",
};
static const char *const role_words[BGP_ROLES] = {
    [BGP_ROLE_NONE] = "none",           [BGP_ROLE_PROVIDER] = "provider", [BGP_ROLE_RS] = "rs",
    [BGP_ROLE_RS_CLIENT] = "rs-client", [BGP_ROLE_CUSTOMER] = "customer", [BGP_ROLE_PEER] = "peer",
};
static const char *const verdict_words[] = {
    [POLICY_ACCEPT] = "accept",
    [POLICY_REJECT] = "reject",
    [POLICY_NEXT_POLICY] = "next-policy",
    [POLICY_NEXT_TERM] = "next-term",
};
/* Those of config_source_words that a configured route may have. */
static const char *const own_source_words[] = {
    [ROUTE_SOURCE_STATIC] = "static",
    [ROUTE_SOURCE_KERNEL] = "kernel",
    [ROUTE_SOURCE_DIRECT] = "direct",
};
const char *const config_match_words[CONFIG_MATCH_WORDS] = {
    [POLICY_MATCH_PREFIX] = "prefix",
    [POLICY_MATCH_COMMUNITY] = "community",
    [POLICY_MATCH_LARGE_COMMUNITY] = "large-community",
    [POLICY_MATCH_AS_PATH_PREFIX] = "as-path-prefix",
    [POLICY_MATCH_AS_PATH_REGEX] = "as-path-regex",
    [POLICY_MATCH_SOURCE] = "source",
    [POLICY_MATCH_INTERFACE] = "interface",
    [POLICY_MATCH_PEER_EXTERNAL] = "peer-external",
    [POLICY_MATCH_LOCAL_PREF] = "local-pref",
    [POLICY_MATCH_MED] = "med",
    [POLICY_MATCH_TAG] = "tag",
    [POLICY_MATCH_NEXT_HOP] = "next-hop",
    [POLICY_MATCH_LOCAL_PREF_ABOVE] = "local-pref-above",
    [POLICY_MATCH_ANY_OF] = "any-of",
    [POLICY_MATCH_COMMUNITY_REGEX] = "community-regex",
    [POLICY_MATCH_NEVER] = "never",
};
const char *const config_action_words[CONFIG_ACTION_WORDS] = {
    [POLICY_SET_LOCAL_PREF] = "set-local-pref",
    [POLICY_SET_MED] = "set-med",
    [POLICY_CLEAR_MED] = "clear-med",
    [POLICY_SET_WEIGHT] = "set-weight",
    [POLICY_SET_ORIGIN] = "set-origin",
    [POLICY_SET_NEXT_HOP] = "set-next-hop",
    [POLICY_SET_NEXT_HOP_SELF] = "set-next-hop-self",
    [POLICY_SET_NEXT_HOP_PEER] = "set-next-hop-peer",
    [POLICY_SET_NEXT_HOP_KEEP] = "set-next-hop-keep",
    [POLICY_PREPEND_AS_PATH] = "prepend-as-path",
    [POLICY_PREPEND_LAST_AS] = "prepend-last-as",
    [POLICY_ADD_COMMUNITIES] = "add-communities",
    [POLICY_SET_COMMUNITIES] = "set-communities",
    [POLICY_DELETE_COMMUNITIES] = "delete-communities",
    [POLICY_ADD_LARGE_COMMUNITIES] = "add-large-communities",
    [POLICY_SET_TAG] = "set-tag",
    [POLICY_SET_DEVICE] = "set-device",
    [POLICY_LOCAL_PREF_FROM_METRIC] = "local-pref-from-metric",
    [POLICY_SET_DAMPENING] = "set-dampening",
};

/* ---- policy ---- */

static const struct field prefix_fields[] = {
    NEEDED(struct policy_prefix, prefix, FIELD_PREFIX),
    NEEDED(struct policy_prefix, length_min, FIELD_U8),
    NEEDED(struct policy_prefix, length_max, FIELD_U8),
    PLAIN(struct policy_prefix, deny, FIELD_BOOL),
};
static void prefix_complete(void *object) {
    struct policy_prefix *p = object;
    p->length_min = p->length_max = p->prefix.length;
}
const struct shape shape_prefix =
    BRIEF_SHAPE(struct policy_prefix, prefix_fields, NULL, prefix_complete);

#define MATCH_FIELDS                                                                               \
    WORD(struct policy_match, kind, true, config_match_words),                                     \
        PLAIN(struct policy_match, negate, FIELD_BOOL),                                            \
        PLAIN(struct policy_match, exact, FIELD_BOOL),                                             \
        PLAIN(struct policy_match, value, FIELD_VALUE),                                            \
        PLAIN(struct policy_match, text, FIELD_TEXT),                                              \
        LIST(struct policy_match, prefixes, prefix_count, BGP_POLICY_TERMS_MAX, &shape_prefix),    \
        VALUES(struct policy_match, asns, asn_count, FIELD_U32_LIST),                              \
        VALUES(struct policy_match, large_communities, large_community_count, FIELD_LARGE_LIST),   \
        PLAIN(struct policy_match, name, FIELD_TEXT)

static const struct field alternative_fields[] = {MATCH_FIELDS};
static const struct shape shape_alternative = SHAPE(struct policy_match, alternative_fields, NULL);

static const struct field match_fields[] = {
    MATCH_FIELDS,
    LIST(struct policy_match, alternatives, alternative_count, BGP_POLICY_TERMS_MAX,
         &shape_alternative),
};
static const struct shape shape_match = SHAPE(struct policy_match, match_fields, NULL);

static const struct field action_fields[] = {
    WORD(struct policy_action, kind, true, config_action_words),
    PLAIN(struct policy_action, mode, FIELD_U8),
    PLAIN(struct policy_action, value, FIELD_VALUE),
    PLAIN(struct policy_action, text, FIELD_TEXT),
    PLAIN(struct policy_action, address, FIELD_ADDR),
    VALUES(struct policy_action, asns, asn_count, FIELD_U32_LIST),
    VALUES(struct policy_action, large_communities, large_community_count, FIELD_LARGE_LIST),
};
static const struct shape shape_action = SHAPE(struct policy_action, action_fields, NULL);

static const struct field term_fields[] = {
    NEEDED(struct policy_term, name, FIELD_TEXT),
    LIST(struct policy_term, matches, match_count, BGP_POLICY_TERMS_MAX, &shape_match),
    LIST(struct policy_term, actions, action_count, BGP_POLICY_TERMS_MAX, &shape_action),
    WORD(struct policy_term, verdict, true, verdict_words),
    PLAIN(struct policy_term, continue_at, FIELD_U32),
};
static const struct shape shape_term = SHAPE(struct policy_term, term_fields, NULL);

static const struct field policy_fields[] = {
    NEEDED(struct policy, name, FIELD_TEXT),
    LIST(struct policy, terms, term_count, BGP_POLICY_TERMS_MAX, &shape_term),
    WORD(struct policy, otherwise, true, verdict_words),
};
static const struct shape shape_policy = SHAPE(struct policy, policy_fields, NULL);

/* ---- peers and origins ---- */

static const struct field condition_fields[] = {
    WORD(struct bgp_condition_config, family, false, config_family_names),
    NEEDED(struct bgp_condition_config, advertise_policy, FIELD_POLICY),
    NEEDED(struct bgp_condition_config, exist_policy, FIELD_POLICY),
    PLAIN(struct bgp_condition_config, absent, FIELD_BOOL),
};
static const struct shape shape_condition =
    SHAPE(struct bgp_condition_config, condition_fields, NULL);

#define PEER_ONLY_FIELDS 2 /* the first ones: a template has none of them */
static const struct field peer_fields[] = {
    NEEDED(struct bgp_peer_config, remote_addr, FIELD_ADDR),
    PLAIN(struct bgp_peer_config, shutdown, FIELD_BOOL),
    NEEDED(struct bgp_peer_config, name, FIELD_CHARS),
    TEXT(struct bgp_peer_config, description, BGP_PEER_NAME_MAX - 1),
    PLAIN(struct bgp_peer_config, local_addr, FIELD_ADDR),
    PLAIN(struct bgp_peer_config, remote_port, FIELD_U16),
    NEEDED(struct bgp_peer_config, remote_as, FIELD_U32),
    PLAIN(struct bgp_peer_config, local_as, FIELD_U32),
    PLAIN(struct bgp_peer_config, local_as_no_prepend, FIELD_BOOL),
    PLAIN(struct bgp_peer_config, local_as_replaces, FIELD_BOOL),
    PLAIN(struct bgp_peer_config, families, FIELD_FAMILY_SET),
    PLAIN(struct bgp_peer_config, passive, FIELD_BOOL),
    PLAIN(struct bgp_peer_config, fall_over, FIELD_BOOL),
    PLAIN(struct bgp_peer_config, rr_client, FIELD_BOOL),
    PLAIN(struct bgp_peer_config, ttl_security_hops, FIELD_U8),
    PLAIN(struct bgp_peer_config, multihop, FIELD_U8),
    OCTETS(struct bgp_peer_config, password, BGP_PASSWORD_MAX),
    PLAIN(struct bgp_peer_config, hold_time_s, FIELD_U16),
    PLAIN(struct bgp_peer_config, hold_time_set, FIELD_BOOL),
    PLAIN(struct bgp_peer_config, keepalive_s, FIELD_U16),
    PLAIN(struct bgp_peer_config, hold_time_min_s, FIELD_U16),
    PLAIN(struct bgp_peer_config, connect_retry_s, FIELD_U16),
    PLAIN(struct bgp_peer_config, error_wait_s, FIELD_U16),
    WORD(struct bgp_peer_config, next_hop_mode, false, next_hop_words),
    PLAIN(struct bgp_peer_config, allow_local_as, FIELD_U8),
    PLAIN(struct bgp_peer_config, remove_private_as, FIELD_BOOL),
    PLAIN(struct bgp_peer_config, remove_private_as_all, FIELD_BOOL),
    PLAIN(struct bgp_peer_config, remove_private_as_replace, FIELD_BOOL),
    PLAIN(struct bgp_peer_config, as_override, FIELD_BOOL),
    PLAIN(struct bgp_peer_config, transparent, FIELD_BOOL),
    PLAIN(struct bgp_peer_config, send_communities, FIELD_BOOL),
    PLAIN(struct bgp_peer_config, send_ext_communities, FIELD_BOOL),
    PLAIN(struct bgp_peer_config, enforce_first_as, FIELD_BOOL),
    PLAIN(struct bgp_peer_config, default_originate, FIELD_FAMILY_SET),
    PLAIN(struct bgp_peer_config, soft_reconfiguration, FIELD_BOOL),
    PLAIN(struct bgp_peer_config, weight, FIELD_U32),
    PLAIN(struct bgp_peer_config, prefix_max, FIELD_FAMILY_U32),
    PLAIN(struct bgp_peer_config, prefix_warning_percent, FIELD_U8),
    PLAIN(struct bgp_peer_config, prefix_warning_only, FIELD_BOOL),
    PLAIN(struct bgp_peer_config, prefix_restart_min, FIELD_U16),
    WORD(struct bgp_peer_config, graceful_restart, false, restart_words),
    PLAIN(struct bgp_peer_config, restart_time_s, FIELD_U16),
    PLAIN(struct bgp_peer_config, gr_notification, FIELD_BOOL),
    PLAIN(struct bgp_peer_config, advertisement_interval_ms, FIELD_FAMILY_U32),
    PLAIN(struct bgp_peer_config, extended_messages, FIELD_BOOL),
    PLAIN(struct bgp_peer_config, extended_next_hop, FIELD_BOOL),
    PLAIN(struct bgp_peer_config, strict_families, FIELD_BOOL),
    PLAIN(struct bgp_peer_config, send_hold_time_s, FIELD_U16),
    WORD(struct bgp_peer_config, role, false, role_words),
    PLAIN(struct bgp_peer_config, role_strict, FIELD_BOOL),
    PLAIN(struct bgp_peer_config, shutdown_text, FIELD_TEXT),
    PLAIN(struct bgp_peer_config, blackhole_accept, FIELD_BOOL),
    PLAIN(struct bgp_peer_config, graceful_shutdown, FIELD_BOOL),
    PLAIN(struct bgp_peer_config, add_path_send, FIELD_FAMILY_U32),
    PLAIN(struct bgp_peer_config, add_path_receive, FIELD_FAMILY_SET),
    PLAIN(struct bgp_peer_config, add_path_receive_max, FIELD_FAMILY_U32),
    PLAIN(struct bgp_peer_config, import, FIELD_FAMILY_CHAINS),
    PLAIN(struct bgp_peer_config, export, FIELD_FAMILY_CHAINS),
    PLAIN(struct bgp_peer_config, unsuppress_policy, FIELD_FAMILY_POLICY),
    PLAIN(struct bgp_peer_config, default_policy, FIELD_FAMILY_POLICY),
    LIST(struct bgp_peer_config, conditions, condition_count, BGP_CONDITIONS_MAX, &shape_condition),
};

static void peer_init(void *object, enum bgp_profile profile) {
    bgp_peer_config_init(object, profile);
}
const struct shape shape_peer = SHAPE(struct bgp_peer_config, peer_fields, peer_init);

static const struct shape shape_template = {peer_fields + PEER_ONLY_FIELDS,
                                            COUNT_OF(peer_fields) - PEER_ONLY_FIELDS,
                                            sizeof(struct bgp_peer_config), peer_init, NULL};
const struct shape *const shape_range_template = &shape_template;
static const struct field range_fields[] = {
    NEEDED(struct bgp_listen_range, prefix, FIELD_PREFIX),
    PLAIN(struct bgp_listen_range, limit, FIELD_U32),
    {"peer", FIELD_STRUCT, true, MEMBER(struct bgp_listen_range, peer), 0, 0, &shape_template, NULL,
     0},
};
static void range_init(void *object, enum bgp_profile profile) {
    bgp_peer_config_init(&((struct bgp_listen_range *)object)->peer, profile);
}
static const struct shape shape_range = SHAPE(struct bgp_listen_range, range_fields, range_init);

static const struct field origin_fields[] = {
    NEEDED(struct bgp_origin_config, prefix, FIELD_PREFIX),
    WORD(struct bgp_origin_config, source, true, own_source_words),
    PLAIN(struct bgp_origin_config, interface, FIELD_CHARS),
    PLAIN(struct bgp_origin_config, metric, FIELD_U32),
    WORD(struct bgp_origin_config, origin, false, config_origin_words),
    PLAIN(struct bgp_origin_config, weight, FIELD_U32),
    PLAIN(struct bgp_origin_config, tag, FIELD_U32),
    PLAIN(struct bgp_origin_config, med, FIELD_U32),
    PLAIN(struct bgp_origin_config, med_set, FIELD_BOOL),
    PLAIN(struct bgp_origin_config, blackhole_in_kernel, FIELD_BOOL),
    PLAIN(struct bgp_origin_config, policy, FIELD_POLICY),
    PLAIN(struct bgp_origin_config, gateway, FIELD_ADDR),
    PLAIN(struct bgp_origin_config, next_hop, FIELD_ADDR),
    PLAIN(struct bgp_origin_config, attributes, FIELD_ATTRIBUTES),
};

/* A route that says nothing of a metric has none. */
static void origin_init(void *object, enum bgp_profile profile) {
    (void)profile;
    ((struct bgp_origin_config *)object)->metric = UINT32_MAX;
}
static void origin_complete(void *object) {
    ((struct bgp_origin_config *)object)->source = ROUTE_SOURCE_STATIC;
}
const struct shape shape_origin =
    BRIEF_SHAPE(struct bgp_origin_config, origin_fields, origin_init, origin_complete);

static const struct field aggregate_fields[] = {
    NEEDED(struct bgp_aggregate_config, prefix, FIELD_PREFIX),
    PLAIN(struct bgp_aggregate_config, as_set, FIELD_BOOL),
    PLAIN(struct bgp_aggregate_config, summary_only, FIELD_BOOL),
    PLAIN(struct bgp_aggregate_config, suppress_policy, FIELD_POLICY),
    PLAIN(struct bgp_aggregate_config, attribute_policy, FIELD_POLICY),
    PLAIN(struct bgp_aggregate_config, advertise_policy, FIELD_POLICY),
};
static const struct shape shape_aggregate =
    SHAPE(struct bgp_aggregate_config, aggregate_fields, NULL);

static const struct field dampening_fields[] = {
    WORD(struct bgp_dampening_config, family, false, config_family_names),
    PLAIN(struct bgp_dampening_config, half_life_s, FIELD_U32),
    PLAIN(struct bgp_dampening_config, reuse, FIELD_U32),
    PLAIN(struct bgp_dampening_config, suppress, FIELD_U32),
    PLAIN(struct bgp_dampening_config, suppress_max_s, FIELD_U32),
    PLAIN(struct bgp_dampening_config, policy, FIELD_POLICY),
};
static void dampening_init(void *object, enum bgp_profile profile) {
    (void)profile;
    *(struct bgp_dampening_config *)object = bgp_dampening_default;
}
static const struct shape shape_dampening =
    SHAPE(struct bgp_dampening_config, dampening_fields, dampening_init);

/* ---- the whole ---- */

static const struct field fib_fields[] = {
    PLAIN(struct bgp_fib_config, install, FIELD_BOOL),
    PLAIN(struct bgp_fib_config, table, FIELD_U32),
    PLAIN(struct bgp_fib_config, metric, FIELD_U32),
    PLAIN(struct bgp_fib_config, metric_from_local_pref, FIELD_BOOL),
    PLAIN(struct bgp_fib_config, filter, FIELD_FAMILY_CHAINS),
};
static void fib_init(void *object, enum bgp_profile profile) {
    struct bgp_config c = {.local_as = 0};
    bgp_config_init(&c, profile);
    *(struct bgp_fib_config *)object = c.fib;
}
static const struct shape shape_fib = SHAPE(struct bgp_fib_config, fib_fields, fib_init);

static const struct field config_fields[] = {
    PLAIN(struct bgp_config, hostname, FIELD_CHARS),
    WORD(struct bgp_config, profile, true, profile_words),
    NEEDED(struct bgp_config, local_as, FIELD_U32),
    NEEDED(struct bgp_config, router_id, FIELD_ADDR),
    PLAIN(struct bgp_config, cluster_id, FIELD_ID),
    PLAIN(struct bgp_config, client_to_client_reflection, FIELD_BOOL),
    PLAIN(struct bgp_config, listen_addr4, FIELD_ADDR),
    PLAIN(struct bgp_config, listen_addr6, FIELD_ADDR),
    PLAIN(struct bgp_config, listen_port, FIELD_U16),
    PLAIN(struct bgp_config, listen, FIELD_BOOL),
    PLAIN(struct bgp_config, default_local_pref, FIELD_U32),
    PLAIN(struct bgp_config, always_compare_med, FIELD_BOOL),
    PLAIN(struct bgp_config, deterministic_med, FIELD_BOOL),
    PLAIN(struct bgp_config, compare_router_id, FIELD_BOOL),
    PLAIN(struct bgp_config, med_missing_as_worst, FIELD_BOOL),
    PLAIN(struct bgp_config, as_path_ignore, FIELD_BOOL),
    PLAIN(struct bgp_config, igp_metric_ignore, FIELD_BOOL),
    PLAIN(struct bgp_config, confederation_id, FIELD_U32),
    {"confederation_members", FIELD_U32_LIST, false,
     MEMBER(struct bgp_config, confederation_members),
     offsetof(struct bgp_config, confederation_member_count), BGP_CONFEDERATION_MEMBERS_MAX, NULL,
     NULL, 0},
    PLAIN(struct bgp_config, med_confed, FIELD_BOOL),
    PLAIN(struct bgp_config, scan_time_s, FIELD_U16),
    PLAIN(struct bgp_config, update_delay_s, FIELD_U16),
    PLAIN(struct bgp_config, fast_external_fallover, FIELD_BOOL),
    PLAIN(struct bgp_config, multipath_external, FIELD_FAMILY_U32),
    PLAIN(struct bgp_config, multipath_internal, FIELD_FAMILY_U32),
    PLAIN(struct bgp_config, multipath_mixed, FIELD_FAMILY_U32),
    PLAIN(struct bgp_config, multipath_as_path_relax, FIELD_BOOL),
    PLAIN(struct bgp_config, log_neighbor_changes, FIELD_BOOL),
    PLAIN(struct bgp_config, hold_time_s, FIELD_U16),
    PLAIN(struct bgp_config, keepalive_s, FIELD_U16),
    PLAIN(struct bgp_config, hold_time_set, FIELD_BOOL),
    PLAIN(struct bgp_config, blackhole_no_export, FIELD_BOOL),
    PLAIN(struct bgp_config, graceful_shutdown_receive, FIELD_BOOL),
    {"fib", FIELD_STRUCT, false, MEMBER(struct bgp_config, fib), 0, 0, &shape_fib, NULL, 0},
    LIST(struct bgp_config, peers, peer_count, BGP_PEERS_MAX, &shape_peer),
    LIST(struct bgp_config, listen_ranges, listen_range_count, BGP_LISTEN_RANGES_MAX, &shape_range),
    PLAIN(struct bgp_config, listen_limit, FIELD_U32),
    LIST(struct bgp_config, policies, policy_count, BGP_POLICIES_MAX, &shape_policy),
    LIST(struct bgp_config, origins, origin_count, BGP_ORIGINS_MAX, &shape_origin),
    LIST(struct bgp_config, aggregates, aggregate_count, BGP_AGGREGATES_MAX, &shape_aggregate),
    LIST(struct bgp_config, dampening, dampening_count, 16, &shape_dampening),
};

static void config_init(void *object, enum bgp_profile profile) {
    bgp_config_init(object, profile);
}
const struct shape shape_config = SHAPE(struct bgp_config, config_fields, config_init);
