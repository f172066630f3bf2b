/*
 * Every exec command, as a table beside that of the statements (ios_grammar.c).
 *
 * Owns: the syntax of what is typed outside of configuration mode, and which of it a user without
 * `enable` may type. Leaves: what the commands print to ios_show*.c and ios_exec.c.
 */
#include "ios_match.h"
#include "ios_show.h"

/* For everybody, and after `enable` only. */
#define USER (IOS_EXEC | IOS_USER)
#define SHOW(pattern, edit) {USER, ROW_ACTION, 0, 0, "show " pattern, edit},
#define EXEC(pattern, edit) {IOS_EXEC, ROW_ACTION, 0, 0, pattern, edit},

/* The table that is meant: IOS has all three ways to say it. */
#define TABLE "{ip bgp [{ipv4|ipv6} unicast]|bgp {ipv4|ipv6} unicast} "
#define PREFIX "{<pfx4>|<pfx6>|<ip4> <ip4>}"
#define CLEAR "{*|external|peer-group <word>|<asn>|<peer>} [soft] [in|out]"
#define COMMUNITY "<comm>|internet|local-AS|no-advertise|no-export|gshut"

/* clang-format off */
const struct ios_row ios_exec_rows[] = {
    SHOW(TABLE, ios_show_table)
    SHOW(TABLE PREFIX " longer-prefixes", ios_show_longer)
    SHOW(TABLE "{" PREFIX "|<ip4>|<ip6>}", ios_show_prefix)
    SHOW(TABLE "summary", ios_show_summary)
    SHOW("bgp [all] summary", ios_show_summary_all)
    SHOW("ip bgp all summary", ios_show_summary_all)
    SHOW(TABLE "neighbors [<peer>]", ios_show_neighbors)
    SHOW(TABLE "neighbors <peer> {routes|advertised-routes|received-routes}",
         ios_show_neighbor_routes)
    SHOW(TABLE "neighbors <peer> policy", ios_show_neighbor_policy)
    SHOW("{bgp all|ip bgp all}", ios_show_table_all)
    SHOW("{bgp all|ip bgp all} neighbors", ios_show_neighbors_all)
    SHOW(TABLE "rib-failure", ios_show_rib_failure)
    SHOW(TABLE "inconsistent-as", ios_show_inconsistent_as)
    SHOW(TABLE "paths [<line>]", ios_show_paths)
    SHOW(TABLE "dampening {dampened-paths|flap-statistics|parameters}", ios_show_dampening)
    SHOW("ip bgp template {peer-session|peer-policy} [<word>]", ios_show_template)
    SHOW(TABLE "{regexp|quote-regexp} <line>", ios_show_regexp)
    SHOW(TABLE "filter-list <1-500>", ios_show_filtered)
    SHOW(TABLE "prefix-list <word>", ios_show_filtered)
    SHOW(TABLE "route-map <word>", ios_show_filtered)
    SHOW(TABLE "community-list <word> [exact-match]", ios_show_filtered)
    SHOW(TABLE "community [" COMMUNITY "] (" COMMUNITY ") [exact-match]", ios_show_community)
    SHOW(TABLE "cidr-only", ios_show_cidr_only)
    SHOW(TABLE "peer-group [<word>]", ios_show_peer_group)
    SHOW(TABLE "update-group [<1-4294967295>]", ios_show_update_group)
    SHOW("{ip bgp|bgp all} cluster-ids", ios_show_cluster_ids)
    SHOW("ip route [bgp|connected|static|local|<ip4> [<ip4>]|<pfx4>]", ios_show_route)
    SHOW("ip route {<ip4> <ip4>|<pfx4>} longer-prefixes", ios_show_route)
    SHOW("ip route summary", ios_show_route_summary)
    SHOW("ip protocols", ios_show_protocols)
    SHOW("ip prefix-list [detail|summary] [<word>]", ios_show_prefix_list)
    SHOW("ipv6 prefix-list [detail|summary] [<word>]", ios_show_prefix_list)
    SHOW("ip community-list [<word>]", ios_show_community_list)
    SHOW("ip as-path-access-list [<1-500>]", ios_show_as_path_list)
    SHOW("ip interface brief", ios_show_interfaces_brief)
    SHOW("interfaces [<if>]", ios_show_interfaces)
    SHOW("interfaces description", ios_show_interfaces_description)
    SHOW("{access-lists|ip access-lists} [<word>]", ios_show_access_lists)
    SHOW("hosts", ios_show_hosts)
    SHOW("route-map [<word>]", ios_show_route_map)
    SHOW("tcp brief [all] [numeric]", ios_show_tcp)
    SHOW("version", ios_show_version)
    SHOW("clock", ios_show_clock)
    SHOW("privilege", ios_show_privilege)
    SHOW("history", ios_show_history)
    SHOW("users", ios_show_users)
    EXEC("show logging", ios_show_logging)
    EXEC("show running-config [all]", ios_show_config)
    EXEC("show startup-config", ios_show_config)
    EXEC("clear ip bgp [{ipv4|ipv6} unicast] " CLEAR, ios_show_clear)
    EXEC("clear bgp {ipv4|ipv6} unicast " CLEAR, ios_show_clear)
    EXEC("clear ip bgp [{ipv4|ipv6} unicast] dampening [" PREFIX "|<ip4>]",
         ios_show_clear_dampening)
    EXEC("clear bgp {ipv4|ipv6} unicast dampening [" PREFIX "|<ip4>]", ios_show_clear_dampening)
    EXEC("clear logging", ios_show_clear_logging)
    EXEC("configure terminal", ios_show_configure)
    EXEC("disable", ios_show_disable)
    EXEC("write [memory]", ios_show_write)
    EXEC("copy running-config startup-config", ios_show_write)
    EXEC("{undebug|no debug} all", ios_show_undebug)
    EXEC("terminal [no] monitor", ios_show_monitor)
    {USER, ROW_ACTION, 0, 0, "terminal {length|width} <0-512>", ios_show_terminal},
    {USER, ROW_ACTION, 0, 0, "terminal history size <0-256>", ios_show_history_size},
    {USER, ROW_ACTION, 0, 0, "enable [<0-15>]", ios_show_enable},
    {USER, ROW_ACTION, 0, 0, "{exit|logout|quit}", ios_show_exit},
};
/* clang-format on */

const uint16_t ios_exec_row_count = sizeof ios_exec_rows / sizeof *ios_exec_rows;
