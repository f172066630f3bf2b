#ifndef RIBCAGE_IOS_SHOW_H
#define RIBCAGE_IOS_SHOW_H

#include "ios_edit.h"
#include "ios_router.h"

/* The exec commands. Each takes the matched words and writes to e->sink->out. */

ios_edit_fn ios_show_table, ios_show_longer, ios_show_prefix, ios_show_summary,
    ios_show_summary_all, ios_show_neighbors, ios_show_neighbor_routes, ios_show_regexp,
    ios_show_filtered, ios_show_community, ios_show_cidr_only, ios_show_peer_group,
    ios_show_update_group, ios_show_cluster_ids, ios_show_config, ios_show_route,
    ios_show_protocols, ios_show_prefix_list, ios_show_community_list, ios_show_as_path_list,
    ios_show_route_map, ios_show_tcp, ios_show_version, ios_show_clock, ios_show_logging,
    ios_show_interfaces, ios_show_interfaces_brief, ios_show_interfaces_description,
    ios_show_neighbor_policy, ios_show_template, ios_show_rib_failure, ios_show_inconsistent_as,
    ios_show_paths, ios_show_access_lists, ios_show_table_all, ios_show_neighbors_all,
    ios_show_route_summary, ios_show_hosts, ios_show_dampening, ios_show_clear_dampening,
    ios_show_undebug, ios_show_history_size, ios_show_privilege, ios_show_history, ios_show_users,
    ios_show_clear, ios_show_clear_logging, ios_show_configure, ios_show_enable, ios_show_disable,
    ios_show_exit, ios_show_terminal, ios_show_monitor, ios_show_write;

/* Is BGP running? If not, IOS's words. */
bool ios_show_active(struct ios_edit *e);
/* The family that the words ask for: `ipv6` among the first three. */
enum bgp_family ios_show_family(const struct ios_words *w);
/* Index of the first word behind those that name the table: `show ip bgp`, `show ip bgp ipv4
 * unicast`, `show bgp ipv4 unicast`; `clear …` likewise. */
uint16_t ios_show_argument(const struct ios_words *w);
/* The peer that the words name; false after IOS's words. */
bool ios_show_peer(struct ios_edit *e, struct bgp_peer_info *ret_info);

/* The TCP block of an established neighbour. */
struct ios_show_tcp_ttl {
    unsigned incoming_min, outgoing;
};
void ios_put_connection(const struct ios_view *view, const struct bgp_peer_info *p,
                        const struct ios_show_tcp_ttl *ttl, struct text *out);

/* IPv6 in capitals. */
void ios_put_addr(struct ip_addr a, struct text *out);
/* Without the length if it is that of the class. */
void ios_put_network(struct ip_prefix p, struct text *out);
/* "1", "64512:100"…, as `ip bgp-community new-format` says. */
void ios_put_communities(const struct ios_router *r, const uint32_t *list, uint32_t count,
                         struct text *out);
/* 1 for an empty table, one more for every change of a best path. */
uint32_t ios_table_version(const struct bgp_speaker *s, enum bgp_family f);
/* `distance bgp EXTERNAL INTERNAL LOCAL`, whose defaults are 20 200 200; `which`: 0 to 2. */
uint8_t ios_bgp_distance(const struct ios_router *r, uint16_t which);
/* The name of the chain's policy of a kind ("route-map ", "prefix-list "…); NULL: none. */
const char *ios_chain_policy(const struct bgp_config *g, const struct policy_chain *chain,
                             const char *kind);
/* "Idle", "Active"… */
const char *ios_state_name(const struct bgp_peer_info *p);
uint32_t ios_message_count(const struct bgp_message_counts *c);

/* Has the router a route of its own to this prefix that is better than BGP's? */
bool ios_rib_beats_bgp(const struct ios_router *r, const struct ios_rib *rib, struct ip_prefix p,
                       bool external);
/* … and is this path the best one, so that IOS calls it a RIB-failure? */
bool ios_is_rib_failure(const struct ios_router *r, const struct ios_rib *rib, struct ip_prefix p,
                        const struct bgp_path_info *path);

/* 0.0.0.0 for the router's own. */
struct ip_addr ios_path_next_hop(const struct bgp_path_info *p, enum ip_family family);

/* "Dampinfo: …" of a path that flapped; nothing of others. */
void ios_put_dampening(struct ios_edit *e, struct ip_prefix prefix, const struct bgp_path_info *p,
                       struct text *out);
/* What the flags of rows mean. */
void ios_put_table_legend(struct ios_edit *e, enum bgp_family f);
void ios_put_table_columns(struct ios_edit *e);

/* One row; `network`: print it (first path of a prefix). */
struct ios_table_row {
    struct ip_prefix prefix;
    const struct bgp_path_info *path;
    bool network;
    bool rib_failure;
    bool asdot; /* bgp asnotation dot */
};
void ios_put_table_row(const struct ios_table_row *row, struct text *out);

/* A neighbour's row of the summary; `version`: of the table. */
void ios_put_summary_row(struct ios_edit *e, const struct bgp_peer_info *p, enum bgp_family f,
                         uint32_t version);

/* The table's header and the rows of the paths that are wanted; nothing when there is none. */
typedef bool ios_wanted_fn(void *context, struct ip_prefix prefix,
                           const struct bgp_path_info *path);
void ios_show_rows(struct ios_edit *e, ios_wanted_fn *wanted, void *context);

#endif
