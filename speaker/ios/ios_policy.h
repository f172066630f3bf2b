#ifndef RIBCAGE_IOS_POLICY_H
#define RIBCAGE_IOS_POLICY_H

#include "ios_router.h"

#include <stdbool.h>
#include <stdint.h>

/* Route-maps and lists of a router, compiled into policies of core/policy.h. */

#define IOS_NO_POLICY UINT16_MAX

struct ios_policies {
    const struct ios_router *r;
    struct arena *arena; /* of the configuration */
    struct diag_list *diags;
    struct policy *list;
    struct ios_policy_key *keys; /* beside list: what each was made from */
    uint32_t count, capacity;
    bool no_memory;
};

enum ios_policy_kind {
    IOS_POLICY_ROUTE_MAP,
    IOS_POLICY_PREFIX_LIST,  /* ip */
    IOS_POLICY_PREFIX_LIST6, /* ipv6 */
    IOS_POLICY_FILTER_LIST,  /* as-path access-list */
    IOS_POLICY_ACCESS_LIST,
};

struct ios_policy_key {
    enum ios_policy_kind kind;
    bool out;
    const char *name;
};

/* The index of the policy for this list in this direction, compiled on first use.
 * IOS_NO_POLICY: memory is out. */
uint16_t ios_policy_use(struct ios_policies *p, enum ios_policy_kind kind, const char *name,
                        bool out);
/* A finding at a statement (NULL: no place). */
void ios_policy_note(struct ios_policies *p, const struct ios_stmt *s, const char *id,
                     const char *format, ...) __attribute__((format(printf, 4, 5)));

/* ---- ios_lists.c: lists as matches ---- */

/* One line of a list; the first that matches decides. */
struct ios_list_entry {
    bool permit;
    bool always; /* matches everything; `match` is not set */
    struct policy_match match;
};
struct ios_list {
    struct ios_list_entry *entries;
    uint32_t count;
    bool defined;
};

/* A prefix-list or access-list is one entry, because a prefix set is itself ordered. */
struct ios_list ios_list_prefix(struct ios_policies *p, const char *ip, const char *name);
struct ios_list ios_list_access(struct ios_policies *p, const char *name);
struct ios_list ios_list_as_path(struct ios_policies *p, const char *name);
struct ios_list ios_list_community(struct ios_policies *p, const char *name, bool exact);
/* "64512:100", "no-export"…; false: none (or `internet`, which is every route). */
bool ios_community_value(const char *word, uint32_t *ret_community);

#endif
