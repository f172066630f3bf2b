/*
 * The members that each kind of match and of action has, as tables.
 *
 * Owns what is said about those that lack or have others. What the values mean together is
 * config_file.c's and bgp_config_check's. Numbers are not missed: 0 may be meant, and is not
 * written by programs.
 */
#include "policy_members.h"

#include "../base/text.h"
#include "config_fields.h"

enum {
    HAS_VALUE = 1,
    HAS_TEXT = 2,
    HAS_PREFIXES = 4,
    HAS_ASNS = 8,
    HAS_LARGE_COMMUNITIES = 16,
    HAS_ALTERNATIVES = 32,
    HAS_ADDRESS = 64,
    HAS_MODE = 128,
    HAS_EXACT = 256,
};
static const char *const names[] = {
    "value",        "text",    "prefixes", "asns",  "large_communities",
    "alternatives", "address", "mode",     "exact",
};
#define NAME_COUNT (sizeof names / sizeof names[0])

/* Bits of the members. Of a kind that is not here nothing is known. */
struct kind_members {
    unsigned needed, possible; /* `possible`: beside those that are needed */
};

static const struct kind_members match_members[CONFIG_MATCH_WORDS] = {
    [POLICY_MATCH_PREFIX] = {HAS_PREFIXES, 0},
    [POLICY_MATCH_COMMUNITY] = {HAS_ASNS, HAS_EXACT},
    [POLICY_MATCH_LARGE_COMMUNITY] = {HAS_LARGE_COMMUNITIES, HAS_EXACT},
    [POLICY_MATCH_AS_PATH_PREFIX] = {HAS_ASNS, 0},
    [POLICY_MATCH_AS_PATH_REGEX] = {HAS_TEXT, HAS_VALUE},
    [POLICY_MATCH_SOURCE] = {HAS_VALUE, 0},
    [POLICY_MATCH_INTERFACE] = {HAS_TEXT, 0},
    [POLICY_MATCH_PEER_EXTERNAL] = {0, HAS_VALUE},
    [POLICY_MATCH_LOCAL_PREF] = {0, HAS_VALUE},
    [POLICY_MATCH_MED] = {0, HAS_VALUE},
    [POLICY_MATCH_TAG] = {0, HAS_VALUE},
    [POLICY_MATCH_NEXT_HOP] = {HAS_PREFIXES, 0},
    [POLICY_MATCH_LOCAL_PREF_ABOVE] = {0, HAS_VALUE},
    [POLICY_MATCH_ANY_OF] = {HAS_ALTERNATIVES, 0},
    [POLICY_MATCH_COMMUNITY_REGEX] = {HAS_TEXT, 0},
    [POLICY_MATCH_NEVER] = {0, 0},
};

static const struct kind_members action_members[CONFIG_ACTION_WORDS] = {
    [POLICY_SET_LOCAL_PREF] = {0, HAS_VALUE},
    [POLICY_SET_MED] = {0, HAS_VALUE | HAS_MODE},
    [POLICY_CLEAR_MED] = {0, 0},
    [POLICY_SET_WEIGHT] = {0, HAS_VALUE},
    [POLICY_SET_ORIGIN] = {0, HAS_VALUE},
    [POLICY_SET_NEXT_HOP] = {HAS_ADDRESS, 0},
    [POLICY_SET_NEXT_HOP_SELF] = {0, 0},
    [POLICY_SET_NEXT_HOP_PEER] = {0, 0},
    [POLICY_SET_NEXT_HOP_KEEP] = {0, 0},
    [POLICY_PREPEND_AS_PATH] = {HAS_ASNS, 0},
    [POLICY_PREPEND_LAST_AS] = {HAS_VALUE, 0},
    [POLICY_ADD_COMMUNITIES] = {HAS_ASNS, 0},
    [POLICY_SET_COMMUNITIES] = {0, HAS_ASNS}, /* none: the attribute goes */
    [POLICY_DELETE_COMMUNITIES] = {HAS_ASNS, 0},
    [POLICY_ADD_LARGE_COMMUNITIES] = {HAS_LARGE_COMMUNITIES, 0},
    [POLICY_SET_TAG] = {0, HAS_VALUE},
    [POLICY_SET_DEVICE] = {HAS_TEXT, 0},
    [POLICY_LOCAL_PREF_FROM_METRIC] = {0, HAS_VALUE},
    [POLICY_SET_DAMPENING] = {HAS_ASNS, 0},
};

static unsigned when(bool there, unsigned bit) {
    return there ? bit : 0;
}

static void put_names(unsigned members, struct text *out) {
    const char *between = "";
    for (size_t i = 0; i < NAME_COUNT; i++)
        if (members >> i & 1) {
            text_printf(out, "%s%s", between, names[i]);
            between = " and ";
        }
}

static bool fit(const char *kind, const struct kind_members *k, unsigned there,
                struct text *wrong) {
    unsigned missing = k->needed & ~there, strange = there & ~(k->needed | k->possible);
    if (missing) {
        text_printf(wrong, "%s needs ", kind);
        put_names(missing, wrong);
    }
    if (strange) {
        text_printf(wrong, "%s%s has no ", missing ? ", " : "", kind);
        put_names(strange, wrong);
    }
    return !missing && !strange;
}

bool policy_match_members_fit(const struct policy_match *m, struct text *wrong) {
    unsigned there = when(m->value != 0, HAS_VALUE) | when(m->text != NULL, HAS_TEXT) |
                     when(m->prefix_count > 0, HAS_PREFIXES) | when(m->asn_count > 0, HAS_ASNS) |
                     when(m->large_community_count > 0, HAS_LARGE_COMMUNITIES) |
                     when(m->alternative_count > 0, HAS_ALTERNATIVES) | when(m->exact, HAS_EXACT);
    return fit(config_match_words[m->kind], &match_members[m->kind], there, wrong);
}

bool policy_action_members_fit(const struct policy_action *a, struct text *wrong) {
    unsigned there = when(a->value != 0, HAS_VALUE) | when(a->text != NULL, HAS_TEXT) |
                     when(a->asn_count > 0, HAS_ASNS) |
                     when(a->large_community_count > 0, HAS_LARGE_COMMUNITIES) |
                     when(ip_is_set(a->address), HAS_ADDRESS) | when(a->mode != 0, HAS_MODE);
    return fit(config_action_words[a->kind], &action_members[a->kind], there, wrong);
}
