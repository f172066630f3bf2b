/*
 * Every statement the mock knows, as a table: modes, flags, pattern, and what it does.
 *
 * The order of the rows is the order of the running-config, and of two rows that both fit a line
 * the first one wins. Statements IOS has and this router keeps without acting on them carry
 * ROW_IGNORED; what no row fits is refused in IOS's words.
 *
 * Owns: syntax only. Leaves: how patterns are read to ios_match.c, effects to ios_edit.c, meaning
 * to ios_compile.c and ios_policy.c, exec commands to ios_grammar_exec.c.
 */
#include "ios_edit.h"
#include "ios_match.h"

#define BGP_ANY (IOS_BGP | IOS_BGP_AF)
#define COMM "{<comm>|internet|local-AS|no-advertise|no-export|gshut}"
#define COMM_MORE "(<comm>|internet|local-AS|no-advertise|no-export|gshut)"
#define SOURCE "{any|host <ip4>|<ip4> <ip4>}"

/* Top level: kept as typed, without effect; IGNORED_BLOCK may have lines below it. */
#define IGNORED(words) {IOS_CONFIG, ROW_BOTH | ROW_IGNORED, 0, 0, words " (<line>)", NULL},
#define IGNORED_BLOCK(words)                                                                       \
    {IOS_CONFIG, ROW_BOTH | ROW_IGNORED | ROW_BLOCK, IOS_OPAQUE, 0, words " (<line>)", NULL},
/* … and with nothing to warn of. */
#define KEPT(words) {IOS_CONFIG, ROW_BOTH | ROW_KEPT, 0, 0, words " (<line>)", NULL},
#define INTERFACE_IGNORED(words)                                                                   \
    {IOS_INTERFACE, ROW_BOTH | ROW_IGNORED, 0, 0, words " (<line>)", NULL},

/* Options of a neighbour, which peer templates have too, there without `neighbor X`. */
#define SESSION_OPTION(pattern, edit)                                                              \
    {BGP_ANY, ROW_NEIGHBOR | ROW_SESSION, 0, ORDER_NEIGHBOR, "neighbor <peer> " pattern, edit},    \
        {IOS_PEER_SESSION, 0, 0, ORDER_ENTERED, pattern, NULL},
#define POLICY_OPTION(pattern, edit)                                                               \
    {BGP_ANY, ROW_NEIGHBOR | ROW_AF, 0, ORDER_NEIGHBOR, "neighbor <peer> " pattern, edit},         \
        {IOS_PEER_POLICY, 0, 0, ORDER_ENTERED, pattern, NULL},
#define SESSION_IGNORED(pattern)                                                                   \
    {BGP_ANY,                                                                                      \
     ROW_NEIGHBOR | ROW_SESSION | ROW_IGNORED,                                                     \
     0,                                                                                            \
     ORDER_NEIGHBOR,                                                                               \
     "neighbor <peer> " pattern,                                                                   \
     NULL},                                                                                        \
        {IOS_PEER_SESSION, ROW_IGNORED, 0, ORDER_ENTERED, pattern, NULL},
#define POLICY_IGNORED(pattern)                                                                    \
    {BGP_ANY,        ROW_NEIGHBOR | ROW_AF | ROW_IGNORED, 0,                                       \
     ORDER_NEIGHBOR, "neighbor <peer> " pattern,          NULL},                                   \
        {IOS_PEER_POLICY, ROW_IGNORED, 0, ORDER_ENTERED, pattern, NULL},
#define BGP_OPTION(flags, pattern, edit) {IOS_BGP, flags, 0, 0, pattern, edit},

/* clang-format off */
const struct ios_row ios_rows[] = {
    /* ---- leaving and acting, in every configuration mode ---- */
    {0x7fe, ROW_ACTION, 0, 0, "exit", ios_edit_exit},
    {0x7fe, ROW_ACTION, 0, 0, "end", ios_edit_end},
    {0x7fe, ROW_ACTION, 0, 0, "do <line>", ios_edit_do},
    {IOS_BGP_AF | IOS_OPAQUE, ROW_ACTION, 0, 0, "exit-address-family", ios_edit_exit},
    {IOS_PEER_SESSION, ROW_ACTION, 0, 0, "exit-peer-session", ios_edit_exit},
    {IOS_PEER_POLICY, ROW_ACTION, 0, 0, "exit-peer-policy", ios_edit_exit},
    {IOS_OPAQUE, ROW_BOTH | ROW_APPEND, 0, 0, "<line>", NULL},

    /* ---- top level, before the interfaces ---- */
    {IOS_CONFIG, 0, 0, 0, "version ~<word>", NULL},
    {IOS_CONFIG, ROW_BOTH, 0, 0, "service timestamps {log|debug} (~datetime|~uptime|~msec|"
     "~localtime|~show-timezone|~year)", ios_edit_timestamps},
    {IOS_CONFIG, ROW_BOTH, 0, 0, "service sequence-numbers", NULL},
    {IOS_CONFIG, ROW_BOTH, 0, 0, "service password-encryption", NULL},
    KEPT("service")
    KEPT("platform") KEPT("ethernet") KEPT("boot-start-marker") KEPT("boot") KEPT("boot-end-marker")
    {IOS_CONFIG, 0, 0, 0, "hostname ~<word>", NULL},
    KEPT("logging") KEPT("enable")
    IGNORED_BLOCK("aaa") KEPT("clock") KEPT("mmi") KEPT("license")
    IGNORED_BLOCK("vrf definition") IGNORED_BLOCK("ip vrf") IGNORED_BLOCK("ip dhcp")
    KEPT("ip domain") KEPT("ip domain-lookup") KEPT("ip domain-name") KEPT("ip name-server")
    KEPT("ip host") KEPT("ip cef") KEPT("ipv6 cef") KEPT("ip routing")
    KEPT("ip subnet-zero") KEPT("ip classless") KEPT("ip source-route") KEPT("ip icmp")
    KEPT("ip bootp") KEPT("ip finger") KEPT("ip gratuitous-arps") KEPT("ip arp")
    KEPT("ipv6 unicast-routing")
    IGNORED("ip multicast-routing") IGNORED("ip multicast") IGNORED("ip pim") IGNORED("ip igmp")
    IGNORED("ip rsvp") IGNORED("ip inspect") IGNORED("ip ips") IGNORED("ip admission")
    IGNORED_BLOCK("ip sla") IGNORED_BLOCK("ip flow") IGNORED("ip flow-export")
    IGNORED("ip flow-cache") IGNORED("ip accounting-threshold") IGNORED("ip device")
    IGNORED("ipv6 multicast-routing") IGNORED("ipv6 nd") IGNORED_BLOCK("ipv6 router")
    IGNORED_BLOCK("ipv6 dhcp") IGNORED("ipv6 source-route")
    IGNORED("multilink") IGNORED("mpls") IGNORED_BLOCK("crypto") IGNORED_BLOCK("key")
    IGNORED_BLOCK("l2vpn") IGNORED_BLOCK("bridge-domain") IGNORED_BLOCK("template")
    IGNORED("spanning-tree") IGNORED("vtp") IGNORED_BLOCK("vlan") IGNORED("errdisable")
    IGNORED("frame-relay") IGNORED("isdn") IGNORED_BLOCK("controller") IGNORED_BLOCK("redundancy")
    IGNORED_BLOCK("track") IGNORED_BLOCK("object-group") IGNORED_BLOCK("class-map")
    IGNORED_BLOCK("policy-map") IGNORED_BLOCK("zone") IGNORED("zone-pair")
    IGNORED_BLOCK("parameter-map") IGNORED_BLOCK("flow") IGNORED_BLOCK("bfd-template")
    IGNORED("bfd") IGNORED_BLOCK("monitor") IGNORED_BLOCK("event") IGNORED_BLOCK("archive")
    IGNORED("memory") IGNORED("memory-size") IGNORED("diagnostic") IGNORED("subscriber")
    IGNORED_BLOCK("voice") IGNORED_BLOCK("dial-peer") IGNORED_BLOCK("vpdn-group") IGNORED("vpdn")
    IGNORED("lldp") IGNORED("cdp") IGNORED("mac") IGNORED("mac-address-table") IGNORED("system")
    IGNORED("switch") IGNORED("stack-mac") IGNORED("port-channel") IGNORED("power")
    IGNORED("hw-module") IGNORED_BLOCK("module") IGNORED("call-home") IGNORED("cns")
    IGNORED("login") KEPT("username") IGNORED("file") IGNORED("ssh") IGNORED("bridge")
    IGNORED("standby") IGNORED("global-address-family") IGNORED_BLOCK("pseudowire-class")
    IGNORED("process-max-time") IGNORED("process") IGNORED("xconnect") IGNORED("mls")
    IGNORED("fabric") IGNORED("netconf") IGNORED("netconf-yang") IGNORED("restconf")

    /* ---- interfaces ---- */
    {IOS_CONFIG, ROW_BLOCK, IOS_INTERFACE, 0, "interface <if>", NULL},
    {IOS_INTERFACE, 0, 0, 0, "description ~<line>", NULL},
    {IOS_INTERFACE, ROW_BOTH, 0, 0, "ip address [~<ip4> ~<ip4>]", ios_edit_address},
    {IOS_INTERFACE, 0, 0, 0, "ip address <ip4> ~<ip4> secondary", ios_edit_address},
    {IOS_INTERFACE, 0, 0, 0, "ip address {~dhcp|~negotiated}", ios_edit_address_unknown},
    {IOS_INTERFACE, 0, 0, 0, "ipv6 address <word> (~eui-64|~link-local|~anycast)",
     ios_edit_address6},
    {IOS_INTERFACE, 0, 0, 0, "shutdown", NULL},
    INTERFACE_IGNORED("ip ospf") INTERFACE_IGNORED("ip nat") INTERFACE_IGNORED("ip access-group")
    INTERFACE_IGNORED("ip mtu") INTERFACE_IGNORED("ip tcp") INTERFACE_IGNORED("ip pim")
    INTERFACE_IGNORED("ip igmp") INTERFACE_IGNORED("ip router") INTERFACE_IGNORED("ip vrf")
    INTERFACE_IGNORED("ip helper-address") INTERFACE_IGNORED("ip unnumbered")
    INTERFACE_IGNORED("ip virtual-reassembly") INTERFACE_IGNORED("ip redirects")
    INTERFACE_IGNORED("ip unreachables") INTERFACE_IGNORED("ip proxy-arp")
    INTERFACE_IGNORED("ip route-cache") INTERFACE_IGNORED("ip verify")
    INTERFACE_IGNORED("ip policy") INTERFACE_IGNORED("ip flow") INTERFACE_IGNORED("ip rip")
    INTERFACE_IGNORED("ip authentication") INTERFACE_IGNORED("ip hello-interval")
    INTERFACE_IGNORED("ip hold-time") INTERFACE_IGNORED("ip summary-address")
    INTERFACE_IGNORED("ip split-horizon") INTERFACE_IGNORED("ip bandwidth-percent")
    INTERFACE_IGNORED("ip rsvp") INTERFACE_IGNORED("ip directed-broadcast")
    INTERFACE_IGNORED("ip mroute-cache") INTERFACE_IGNORED("ip inspect")
    INTERFACE_IGNORED("ip nhrp") INTERFACE_IGNORED("ip dhcp") INTERFACE_IGNORED("ip arp")
    INTERFACE_IGNORED("ip local-proxy-arp") INTERFACE_IGNORED("ip cef")
    INTERFACE_IGNORED("ip bgp") INTERFACE_IGNORED("ip load-sharing") INTERFACE_IGNORED("ip sap")
    INTERFACE_IGNORED("ipv6 enable") INTERFACE_IGNORED("ipv6 ospf") INTERFACE_IGNORED("ipv6 nd")
    INTERFACE_IGNORED("ipv6 rip") INTERFACE_IGNORED("ipv6 router") INTERFACE_IGNORED("ipv6 eigrp")
    INTERFACE_IGNORED("ipv6 mtu") INTERFACE_IGNORED("ipv6 traffic-filter")
    INTERFACE_IGNORED("ipv6 dhcp") INTERFACE_IGNORED("ospfv3") INTERFACE_IGNORED("isis")
    INTERFACE_IGNORED("vrf forwarding") INTERFACE_IGNORED("mpls") INTERFACE_IGNORED("duplex")
    INTERFACE_IGNORED("speed") INTERFACE_IGNORED("negotiation") INTERFACE_IGNORED("mtu")
    INTERFACE_IGNORED("switchport") INTERFACE_IGNORED("spanning-tree")
    INTERFACE_IGNORED("channel-group") INTERFACE_IGNORED("encapsulation")
    INTERFACE_IGNORED("bandwidth") INTERFACE_IGNORED("delay") INTERFACE_IGNORED("cdp")
    INTERFACE_IGNORED("lldp") INTERFACE_IGNORED("standby") INTERFACE_IGNORED("vrrp")
    INTERFACE_IGNORED("glbp") INTERFACE_IGNORED("service-policy") INTERFACE_IGNORED("tunnel")
    INTERFACE_IGNORED("media-type") INTERFACE_IGNORED("carrier-delay")
    INTERFACE_IGNORED("load-interval") INTERFACE_IGNORED("keepalive") INTERFACE_IGNORED("arp")
    INTERFACE_IGNORED("hold-queue") INTERFACE_IGNORED("clock") INTERFACE_IGNORED("bfd")
    INTERFACE_IGNORED("crypto") INTERFACE_IGNORED("zone-member") INTERFACE_IGNORED("snmp")
    INTERFACE_IGNORED("logging") INTERFACE_IGNORED("serial") INTERFACE_IGNORED("ppp")
    INTERFACE_IGNORED("dialer") INTERFACE_IGNORED("peer") INTERFACE_IGNORED("fair-queue")
    INTERFACE_IGNORED("tx-ring-limit") INTERFACE_IGNORED("frame-relay")
    INTERFACE_IGNORED("xconnect") INTERFACE_IGNORED("service") INTERFACE_IGNORED("storm-control")
    INTERFACE_IGNORED("udld") INTERFACE_IGNORED("power")
    INTERFACE_IGNORED("mop") INTERFACE_IGNORED("mac-address") INTERFACE_IGNORED("pppoe")
    INTERFACE_IGNORED("flowcontrol") INTERFACE_IGNORED("macsec") INTERFACE_IGNORED("authentication")

    /* ---- router bgp ---- */
    IGNORED_BLOCK("router {ospf|ospfv3|eigrp|rip|isis|odr|lisp|mobile|igrp}")
    {IOS_CONFIG, ROW_BLOCK, IOS_BGP, 0, "router bgp ~<asn>", ios_edit_router_bgp},
    {IOS_BGP, ROW_BLOCK, IOS_PEER_POLICY, 0, "template peer-policy <word>", NULL},
    {IOS_BGP, ROW_BLOCK, IOS_PEER_SESSION, 0, "template peer-session <word>", NULL},
    {IOS_PEER_SESSION, 0, 0, 0, "inherit peer-session ~<word>", NULL},
    {IOS_PEER_POLICY, 0, 0, 0, "inherit peer-policy <word> ~<1-65535>", NULL},
    BGP_OPTION(0, "bgp router-id {~<ip4>|~interface ~<if>}", NULL)
    BGP_OPTION(0, "bgp cluster-id ~<cid>", NULL)
    BGP_OPTION(ROW_BOTH | ROW_SHOWN, "bgp log-neighbor-changes", NULL)
    BGP_OPTION(0, "bgp always-compare-med", NULL)
    BGP_OPTION(0, "bgp deterministic-med", NULL)
    BGP_OPTION(ROW_IGNORED, "bgp dynamic-med-interval ~<0-65535>", NULL)
    BGP_OPTION(0, "bgp listen limit ~<1-5000>", NULL)
    BGP_OPTION(0, "bgp listen range {<pfx4>|<pfx6>} . ~peer-group ~<word>", NULL)
    BGP_OPTION(0, "bgp update-delay ~<1-3600>", NULL)
    BGP_OPTION(ROW_IGNORED, "bgp refresh {stalepath-time|max-eor-time} ~<0-3600>", NULL)
    BGP_OPTION(ROW_ON, "bgp default ipv4-unicast", ios_edit_default_unicast)
    BGP_OPTION(ROW_ON | ROW_IGNORED, "bgp default route-target filter", NULL)
    BGP_OPTION(0, "bgp default local-preference ~<0-4294967295>", NULL)
    BGP_OPTION(ROW_IGNORED, "bgp nexthop trigger delay ~<0-100>", NULL)
    BGP_OPTION(ROW_ON | ROW_IGNORED, "bgp nexthop trigger enable", NULL)
    {BGP_ANY, ROW_AF | ROW_IGNORED, 0, 0, "bgp nexthop route-map ~<word>", NULL},
    {BGP_ANY, ROW_SESSION, 0, 0, "bgp scan-time ~<5-60>", NULL},
    BGP_OPTION(ROW_ON, "bgp client-to-client reflection", NULL)
    BGP_OPTION(ROW_ON, "bgp enforce-first-as", NULL)
    BGP_OPTION(ROW_ON, "bgp fast-external-fallover", NULL)
    BGP_OPTION(0, "bgp bestpath compare-routerid", NULL)
    BGP_OPTION(0, "bgp bestpath med missing-as-worst", NULL)
    BGP_OPTION(0, "bgp bestpath med confed [~missing-as-worst]", NULL)
    BGP_OPTION(0, "bgp bestpath as-path {multipath-relax|ignore}", NULL)
    BGP_OPTION(0, "bgp bestpath igp-metric ignore", NULL)
    BGP_OPTION(ROW_IGNORED, "bgp bestpath {cost-community|aigp} ignore", NULL)
    BGP_OPTION(0, "bgp graceful-restart", NULL)
    BGP_OPTION(0, "bgp graceful-restart restart-time ~<1-3600> [~stalepath-time ~<1-3600>]",
               ios_edit_graceful_restart)
    BGP_OPTION(0, "bgp graceful-restart stalepath-time ~<1-3600>", ios_edit_graceful_restart)
    BGP_OPTION(0, "bgp confederation identifier ~<asn>", NULL)
    BGP_OPTION(ROW_MERGE, "bgp confederation peers ~<asn> (~<asn>)", NULL)
    BGP_OPTION(ROW_IGNORED, "bgp nopeerup-delay {cold-boot|post-boot|nsf-switchover|"
               "user-initiated} ~<1-3600>", NULL)
    BGP_OPTION(ROW_IGNORED, "bgp aggregate-timer ~<0-65535>", NULL)
    BGP_OPTION(ROW_ON | ROW_IGNORED, "bgp transport path-mtu-discovery", NULL)
    BGP_OPTION(ROW_ON | ROW_IGNORED, "bgp {route-map-cache|regexp deterministic}", NULL)
    BGP_OPTION(0, "bgp asnotation dot", NULL)
    BGP_OPTION(ROW_IGNORED, "bgp {soft-reconfig-backup|maxas-limit ~<1-254>}", NULL)
    BGP_OPTION(ROW_IGNORED, "bgp {inject-map|rpki|consistency-checker|upgrade-cli} <line>", NULL)
    {BGP_ANY, ROW_AF, 0, 0, "bgp dampening [~route-map ~<word>|~<1-45> [~<1-20000> ~<1-20000> "
     "~<1-255>]]", ios_edit_dampening},
    {BGP_ANY, ROW_AF, 0, 0, "bgp additional-paths select (~all|~group-best|~best ~<2-3>|"
     "~best-external|~backup)", NULL},
    {BGP_ANY, ROW_AF, 0, 0, "bgp additional-paths {~send [~receive]|~receive}", NULL},
    {BGP_ANY, ROW_AF | ROW_IGNORED, 0, 0, "bgp additional-paths install", NULL},
    {BGP_ANY, ROW_AF | ROW_IGNORED, 0, 0, "bgp {suppress-inactive|redistribute-internal|"
     "advertise-best-external}", NULL},
    {IOS_BGP_AF, ROW_IGNORED, 0, 0, "bgp nexthop trigger delay ~<0-100>", NULL},
    {IOS_BGP, ROW_SESSION, 0, 0, "timers bgp ~<0-65535> ~<0-65535> [~<0-65535>]",
     ios_edit_timers},
    {BGP_ANY, ROW_AF, 0, 0, "distance bgp ~<1-255> ~<1-255> ~<1-255>", NULL},
    {BGP_ANY, ROW_AF | ROW_IGNORED, 0, 0, "distance <1-255> <line>", NULL},
    {BGP_ANY, ROW_AF, 0, ORDER_VALUE, "network <ip4> [mask <ip4>] [~route-map ~<word>] "
     "[~backdoor]", ios_edit_network},
    {IOS_BGP_AF, ROW_AF, 0, ORDER_VALUE, "network <pfx6> [~route-map ~<word>]", NULL},
    {BGP_ANY, ROW_AF, 0, 0, "redistribute {connected|static} (~metric ~<0-4294967295>|"
     "~route-map ~<word>)", NULL},
    {BGP_ANY, ROW_AF | ROW_IGNORED, 0, 0, "redistribute {ospf <1-65535>|ospfv3 <1-65535>|"
     "eigrp <1-65535>|rip|isis [<word>]|odr|mobile} (<line>)", NULL},
    {BGP_ANY, ROW_AF, 0, ORDER_VALUE, "aggregate-address <ip4> <ip4> . (~as-set|"
     "~summary-only|~suppress-map ~<word>|~attribute-map ~<word>|~advertise-map ~<word>)", NULL},
    {IOS_BGP_AF, ROW_AF, 0, ORDER_VALUE, "aggregate-address <pfx6> . (~as-set|"
     "~summary-only|~suppress-map ~<word>|~attribute-map ~<word>|~advertise-map ~<word>)", NULL},
    {BGP_ANY, ROW_AF, 0, 0, "default-information originate", NULL},
    {BGP_ANY, ROW_AF, 0, 0, "{auto-summary|synchronization}", ios_edit_obsolete},

    /* Neighbours: groups first, then addresses; lines of one neighbour in this order. */
    {BGP_ANY, ROW_SESSION, 0, ORDER_NEIGHBOR, "neighbor <word> peer-group", ios_edit_peer_group},
    {BGP_ANY, ROW_SESSION, 0, ORDER_NEIGHBOR, "neighbor <peer> . remote-as ~<asn> "
     "[~alternate-as ~<asn> (~<asn>)]",
     ios_edit_remote_as},
    {IOS_PEER_SESSION, 0, 0, 0, "remote-as ~<asn>", NULL},
    {BGP_ANY, ROW_SESSION, 0, ORDER_NEIGHBOR, "neighbor <peer> peer-group ~<word>",
     ios_edit_member},
    {BGP_ANY, ROW_NEIGHBOR | ROW_SESSION, 0, ORDER_NEIGHBOR,
     "neighbor <peer> inherit peer-session ~<word>", NULL},
    SESSION_OPTION("local-as ~<asn> [~no-prepend [~replace-as [~dual-as]]]", NULL)
    SESSION_OPTION("description ~<line>", ios_edit_description)
    SESSION_OPTION("shutdown", NULL)
    SESSION_IGNORED("shutdown graceful <line>")
    SESSION_OPTION("password [~<0-7>] ~<line>", ios_edit_password)
    SESSION_OPTION("timers ~<0-65535> ~<0-65535> [~<0-65535>]", ios_edit_timers)
    SESSION_OPTION("ebgp-multihop [~<1-255>]", ios_edit_multihop)
    SESSION_OPTION("disable-connected-check", NULL)
    SESSION_OPTION("ttl-security hops ~<1-254>", ios_edit_ttl_security)
    SESSION_OPTION("update-source ~<if>", NULL)
    SESSION_OPTION("version ~<4-4>", NULL)
    SESSION_OPTION("transport connection-mode {~active|~passive}", NULL)
    SESSION_IGNORED("transport path-mtu-discovery [~disable]")
    SESSION_IGNORED("transport multi-session")
    SESSION_OPTION("fall-over", NULL)
    SESSION_IGNORED("fall-over {~bfd [~single-hop|~multi-hop]|~route-map ~<word>}")
    SESSION_IGNORED("dont-capability-negotiate")
    SESSION_IGNORED("log-neighbor-changes [~disable]")
    POLICY_IGNORED("capability orf prefix-list [~send|~receive|~both]")
    SESSION_IGNORED("capability <line>")
    SESSION_IGNORED("ha-mode <line>")
    SESSION_IGNORED("translate-update <line>")
    {BGP_ANY, ROW_NEIGHBOR | ROW_AF, 0, ORDER_NEIGHBOR, "neighbor <peer> activate",
     ios_edit_activate},
    {BGP_ANY, ROW_NEIGHBOR | ROW_AF, 0, ORDER_NEIGHBOR,
     "neighbor <peer> inherit peer-policy ~<word>", NULL},
    POLICY_OPTION("send-community [~both|~standard|~extended]", ios_edit_send_community)
    POLICY_OPTION("route-reflector-client", NULL)
    POLICY_OPTION("next-hop-self [~all]", NULL)
    POLICY_OPTION("next-hop-unchanged [~allpaths]", NULL)
    POLICY_OPTION("default-originate [~route-map ~<word>]", NULL)
    POLICY_OPTION("additional-paths {~send [~receive]|~receive|~disable}", NULL)
    POLICY_OPTION("advertise additional-paths (~all|~group-best|~best ~<2-3>)", NULL)
    POLICY_IGNORED("advertise {best-external|diverse-path} (<line>)")
    POLICY_OPTION("advertise-map <word> . {~exist-map|~non-exist-map} ~<word>", NULL)
    POLICY_OPTION("advertisement-interval ~<0-600>", NULL)
    POLICY_OPTION("allowas-in [~<1-10>]", NULL)
    POLICY_OPTION("as-override", NULL)
    POLICY_OPTION("remove-private-as [~all [~replace-as]]", NULL)
    POLICY_OPTION("weight ~<0-65535>", NULL)
    POLICY_OPTION("soft-reconfiguration inbound", NULL)
    POLICY_OPTION("route-server-client", NULL)
    POLICY_IGNORED("route-server-client context ~<word>")
    POLICY_IGNORED("dmzlink-bw")
    POLICY_IGNORED("send-label [~explicit-null]")
    POLICY_IGNORED("internal-vpn-client")
    POLICY_IGNORED("slow-peer <line>")
    POLICY_OPTION("unsuppress-map ~<word>", NULL)
    POLICY_IGNORED("soo <line>")
    POLICY_OPTION("prefix-list ~<word> in", NULL)
    POLICY_OPTION("prefix-list ~<word> out", NULL)
    POLICY_OPTION("distribute-list ~<word> in", NULL)
    POLICY_OPTION("distribute-list ~<word> out", NULL)
    POLICY_OPTION("route-map ~<word> in", NULL)
    POLICY_OPTION("route-map ~<word> out", NULL)
    POLICY_OPTION("filter-list ~<1-500> in", NULL)
    POLICY_OPTION("filter-list ~<1-500> out", NULL)
    POLICY_OPTION("maximum-prefix ~<1-2147483647> [~<1-100>] [~restart ~<1-65535>|"
                  "~warning-only]", NULL)
    {BGP_ANY, ROW_AF, 0, 0, "maximum-paths [eibgp|ibgp] ~<1-32>", ios_edit_maximum_paths},
    {BGP_ANY, ROW_AF, 0, 0, "default-metric ~<1-4294967295>", NULL},
    {BGP_ANY, ROW_AF | ROW_IGNORED, 0, 0, "{table-map|snmp} <line>", NULL},
    {IOS_BGP, ROW_BLOCK, IOS_BGP_AF, ORDER_MAP, "address-family {ipv4|ipv6} [~unicast]",
     ios_edit_address_family},
    {IOS_BGP, ROW_BLOCK | ROW_IGNORED, IOS_OPAQUE, 0,
     "address-family {ipv4|ipv6} {vrf <word>|multicast|mdt|mvpn|flowspec|tunnel|unicast vrf "
     "<word>}", NULL},
    {IOS_BGP, ROW_BLOCK | ROW_IGNORED, IOS_OPAQUE, 0,
     "address-family {vpnv4|vpnv6|l2vpn|nsap|rtfilter|link-state} (<line>)", NULL},

    /* ---- top level, behind the routing processes ---- */
    KEPT("ip forward-protocol") KEPT("ip http") KEPT("ip ssh") KEPT("ip ftp") KEPT("ip tftp")
    KEPT("ip scp") KEPT("ip tcp") KEPT("ip telnet") KEPT("ip rcmd") KEPT("ip radius")
    KEPT("ip tacacs") KEPT("ip options")
    {IOS_CONFIG, 0, 0, 0, "ip bgp-community new-format", NULL},
    {IOS_CONFIG, ROW_COMM, 0, ORDER_ENTERED, "ip community-list {standard <word>|<1-99>} . "
     "{permit|deny} " COMM " " COMM_MORE, NULL},
    {IOS_CONFIG, 0, 0, ORDER_ENTERED, "ip community-list {expanded <word>|<100-500>} . "
     "{permit|deny} <line>", NULL},
    IGNORED("ip extcommunity-list")
    {IOS_CONFIG, 0, 0, ORDER_ENTERED, "ip as-path access-list <1-500> . {permit|deny} <line>",
     NULL},
    IGNORED("ip nat") IGNORED("ip mroute") IGNORED("ip local") IGNORED("ip default-gateway")
    IGNORED("ip default-network") IGNORED("ip dns")
    IGNORED("ip route {vrf|static|profile}")
    {IOS_CONFIG, 0, 0, ORDER_ENTERED, "ip route <ip4> <ip4> . {<if> [<ip4>]|<ip4>} "
     "(~tag ~<1-4294967295>|~name ~<word>|~permanent|~track ~<1-1000>|~<1-255>)",
     ios_edit_static},
    {IOS_CONFIG, 0, 0, ORDER_NAMED, "ip prefix-list <word> . [seq <1-4294967294>] "
     "{~permit|~deny} ~<pfx4> [~ge ~<1-32>] [~le ~<1-32>]", ios_edit_prefix_list},
    {IOS_CONFIG, 0, 0, ORDER_NAMED, "ip prefix-list <word> description ~<line>", NULL},
    IGNORED("ip prefix-list sequence-number")
    {IOS_CONFIG, ROW_BLOCK, IOS_ACL, 0, "ip access-list {standard|extended} <word>", NULL},
    {IOS_ACL, 0, 0, 0, "[~<1-2147483647>] {permit|deny} {any|host <ip4>|<ip4>} [~log]", NULL},
    {IOS_ACL, 0, 0, 0, "[~<1-2147483647>] {permit|deny} <ip4> <ip4> [~log]", NULL},
    {IOS_ACL, 0, 0, 0, "[~<1-2147483647>] {permit|deny} ip " SOURCE " " SOURCE " [~log]", NULL},
    {IOS_ACL, ROW_IGNORED, 0, 0, "[~<1-2147483647>] {permit|deny} {tcp|udp|icmp|esp|gre|ahp|"
     "ospf|eigrp|igmp|pim|<0-255>} <line>", NULL},
    {IOS_ACL, 0, 0, 0, "remark <line>", NULL},
    KEPT("ip access-list resequence") KEPT("ip access-list log-update")
    KEPT("snmp-server") IGNORED("tftp-server") IGNORED("kron") IGNORED("ip explicit-path")
    {IOS_CONFIG, 0, 0, ORDER_ENTERED, "ipv6 route <pfx6> . {<if> [<ip6>]|<ip6>} "
     "(~tag ~<1-4294967295>|~name ~<word>|~permanent|~<1-254>)", NULL},
    {IOS_CONFIG, 0, 0, ORDER_NAMED, "ipv6 prefix-list <word> . [seq <1-4294967294>] "
     "{~permit|~deny} ~<pfx6> [~ge ~<1-128>] [~le ~<1-128>]", ios_edit_prefix_list},
    {IOS_CONFIG, 0, 0, ORDER_NAMED, "ipv6 prefix-list <word> description ~<line>", NULL},
    IGNORED_BLOCK("ipv6 access-list")
    {IOS_CONFIG, ROW_BLOCK, IOS_ROUTE_MAP, ORDER_MAP, "route-map <word> . [permit|deny] "
     "[<0-65535>]", ios_edit_route_map},
    {IOS_CONFIG, 0, 0, ORDER_NUMBER, "access-list {<1-99>|<1300-1999>} . {permit|deny} {any|"
     "host <ip4>|<ip4>} [~log]", NULL},
    {IOS_CONFIG, 0, 0, ORDER_NUMBER, "access-list {<1-99>|<1300-1999>} {permit|deny} <ip4> <ip4> "
     "[~log]", NULL},
    {IOS_CONFIG, 0, 0, ORDER_NUMBER, "access-list {<100-199>|<2000-2699>} . {permit|deny} ip "
     SOURCE " " SOURCE " [~log]", NULL},
    {IOS_CONFIG, ROW_IGNORED, 0, ORDER_NUMBER, "access-list {<100-199>|<2000-2699>} {permit|deny} "
     "{tcp|udp|icmp|esp|gre|ahp|ospf|eigrp|igmp|pim|<0-255>} <line>", NULL},
    {IOS_CONFIG, 0, 0, ORDER_NUMBER, "access-list <1-2699> remark <line>", NULL},
    IGNORED("dialer-list") IGNORED("radius-server") IGNORED("tacacs-server")
    IGNORED_BLOCK("radius") IGNORED_BLOCK("tacacs") IGNORED_BLOCK("control-plane")
    IGNORED("mgcp") IGNORED_BLOCK("gateway") IGNORED_BLOCK("sip-ua") IGNORED_BLOCK("gatekeeper")
    IGNORED("alias") IGNORED("privilege") IGNORED("exception") IGNORED("scheduler")
    IGNORED("ntp") IGNORED("sntp") IGNORED("rmon") IGNORED("wsma") IGNORED("prompt")

    /* Inside a route-map. */
    {IOS_ROUTE_MAP, 0, 0, 0, "description ~<line>", NULL},
    {IOS_ROUTE_MAP, ROW_MERGE, 0, 0, "match ip address prefix-list ~<word> (~<word>)", NULL},
    {IOS_ROUTE_MAP, ROW_MERGE, 0, 0, "match ip address ~<word> (~<word>)", NULL},
    {IOS_ROUTE_MAP, ROW_MERGE, 0, 0, "match ip next-hop prefix-list ~<word> (~<word>)", NULL},
    {IOS_ROUTE_MAP, ROW_MERGE, 0, 0, "match ip next-hop ~<word> (~<word>)", NULL},
    {IOS_ROUTE_MAP, ROW_MERGE, 0, 0, "match ipv6 address prefix-list ~<word> (~<word>)", NULL},
    {IOS_ROUTE_MAP, ROW_MERGE, 0, 0, "match ipv6 next-hop prefix-list ~<word> (~<word>)", NULL},
    {IOS_ROUTE_MAP, ROW_MERGE, 0, 0, "match as-path ~<1-500> (~<1-500>)", NULL},
    {IOS_ROUTE_MAP, ROW_MERGE, 0, 0, "match community ~<word> (~<word>) [~exact-match]", NULL},
    {IOS_ROUTE_MAP, 0, 0, 0, "match metric ~<0-4294967295>", NULL},
    {IOS_ROUTE_MAP, ROW_MERGE, 0, 0, "match tag ~<0-4294967295> (~<0-4294967295>)", NULL},
    {IOS_ROUTE_MAP, ROW_MERGE, 0, 0, "match local-preference ~<0-4294967295> "
     "(~<0-4294967295>)", NULL},
    {IOS_ROUTE_MAP, ROW_MERGE, 0, 0, "match interface ~<if> (~<if>)", NULL},
    {IOS_ROUTE_MAP, 0, 0, 0, "match source-protocol {~connected|~static|~bgp ~<asn>}", NULL},
    {IOS_ROUTE_MAP, ROW_IGNORED, 0, 0, "match {route-type|extcommunity|length|policy-list|"
     "rpki|mpls-label|additional-paths|clns|ipv6|ip} <line>", NULL},
    {IOS_ROUTE_MAP, 0, 0, 0, "set local-preference ~<0-4294967295>", NULL},
    {IOS_ROUTE_MAP, 0, 0, 0, "set as-path prepend ~last-as ~<1-10>", NULL},
    {IOS_ROUTE_MAP, 0, 0, 0, "set as-path prepend ~<asn> (~<asn>)", NULL},
    {IOS_ROUTE_MAP, 0, 0, 0, "set metric ~<metric>", NULL},
    {IOS_ROUTE_MAP, 0, 0, 0, "set weight ~<0-65535>", NULL},
    {IOS_ROUTE_MAP, 0, 0, 0, "set origin {~igp|~incomplete|~egp [~<asn>]}", NULL},
    {IOS_ROUTE_MAP, 0, 0, 0, "set tag ~<0-4294967295>", NULL},
    {IOS_ROUTE_MAP, 0, 0, 0, "set ip next-hop {~<ip4>|~peer-address|~unchanged|~self}", NULL},
    {IOS_ROUTE_MAP, 0, 0, 0, "set ipv6 next-hop {~<ip6>|~peer-address|~unchanged}", NULL},
    /* IOS: deletes before it sets, in whatever order they were typed. */
    {IOS_ROUTE_MAP, 0, 0, 0, "set comm-list ~<word> ~delete", NULL},
    {IOS_ROUTE_MAP, ROW_COMM, 0, 0, "set community {~none|~<comm>|~internet|~local-AS|"
     "~no-advertise|~no-export|~gshut} (~<comm>|~internet|~local-AS|~no-advertise|~no-export|"
     "~gshut) [~additive]", NULL},
    {IOS_ROUTE_MAP, 0, 0, 0, "set dampening ~<1-45> ~<1-20000> ~<1-20000> ~<1-255>",
     ios_edit_dampening},
    {IOS_ROUTE_MAP, ROW_IGNORED, 0, 0, "set {extcommunity|traffic-index|automatic-tag|"
     "metric-type|interface|default|vrf|global|ip|ipv6|extcomm-list|mpls-label} <line>", NULL},
    {IOS_ROUTE_MAP, 0, 0, 0, "continue [~<1-65535>]", NULL},

    /* ---- the end of the file ---- */
    {IOS_CONFIG, 0, 0, 0, "banner {motd|login|exec|incoming|prompt-timeout|slip-ppp} ~<line>",
     ios_edit_banner},
    {IOS_CONFIG, ROW_BLOCK, IOS_TTY, 0, "line {vty|console|aux|tty|<0-999>} [<0-999>] [<0-999>]",
     NULL},
    {IOS_TTY, ROW_BOTH, 0, 0, "{login|password|transport|exec-timeout|length|width|privilege|"
     "logging|access-class|stopbits|session-timeout|history|speed|ipv6|rotary|exec|escape-character"
     "|session-limit|autocommand|authorization|accounting|notify|monitor|flowcontrol|activation-"
     "character|databits|parity|modem|timeout} (<line>)", NULL},

};
/* clang-format on */

const uint16_t ios_row_count = sizeof ios_rows / sizeof *ios_rows;
