/*
 * A message for people, whole: every attribute by name, every capability, and what is odd in each
 * kind of message.
 */
#include "decode.h"

#include "../base/arena.h"
#include "../base/text.h"
#include "../core/codec_test.h"
#include "../core/limits.h"

#include <string.h>

#define MARKER "ffffffffffffffffffffffffffffffff"
#define OCTETS_4(o) o o o o
#define OCTETS_16(o) OCTETS_4(o) OCTETS_4(o) OCTETS_4(o) OCTETS_4(o)
#define OCTETS_64(o) OCTETS_16(o) OCTETS_16(o) OCTETS_16(o) OCTETS_16(o)

struct row {
    const char *name, *hex, *text;
};

static const struct row rows[] = {
    {"OPEN with every capability",
     MARKER "009201"
            "045ba000b40a00000175027301040002000102000307000100010140030506000100010002060007"
            "030000010901004006c078000101804104fa56ea0143004508000101030002010445040001010046"
            "00470700020180010203490803616263036465664904036162634b030268694b0205418000c702be"
            "ef010400010080",
     "OPEN, 146 octets\n"
     "  AS 4200000001 (My Autonomous System 23456), hold time 180 s, identifier 10.0.0.1\n"
     "  capability   1 multiprotocol: ipv6 unicast\n"
     "  capability   2 route-refresh\n"
     "  capability   3 outbound-route-filtering: ipv4 unicast 64 both\n"
     "  capability   5 extended-next-hop: ipv4 unicast next hop afi 2\n"
     "  capability   6 extended-message\n"
     "  capability   7 bgpsec: value 000001\n"
     "  capability   9 role: provider\n"
     "  capability  64 graceful-restart: restarting yes, notification yes, time 120, families "
     "ipv4 unicast forwarding yes\n"
     "  capability  65 asn4: 4200000001\n"
     "  capability  67 dynamic\n"
     "  capability  69 add-path: ipv4 unicast mode send/receive, ipv6 unicast mode 4\n"
     "  capability  69 add-path: ipv4 unicast mode 0\n"
     "  capability  70 enhanced-route-refresh\n"
     "  capability  71 long-lived-graceful-restart: ipv6 unicast forwarding yes time 66051\n"
     "  capability  73 fqdn: host \"abc\", domain \"def\"\n"
     "  capability  73 fqdn: value 03616263\n"
     "  capability  75 software-version: version \"hi\"\n"
     "  capability  75 software-version: value 0541\n"
     "  capability 128 route-refresh-cisco\n"
     "  capability 199 unknown: value beef\n"
     "  capability   1 multiprotocol: ipv4 mpls-vpn\n"},
    {"OPEN with extended parameters",
     MARKER "002b01"
            "04fde900b40a000001ffff000b020008020041040000fde9",
     "OPEN, 43 octets\n"
     "  AS 65001, hold time 180 s, identifier 10.0.0.1\n"
     "  capability   2 route-refresh\n"
     "  capability  65 asn4: 65001\n"},
    {"OPEN without parameters",
     MARKER "001d01"
            "04fde900000a00000100",
     "OPEN, 29 octets\n"
     "  AS 65001, hold time 0 s, identifier 10.0.0.1\n"},
    {"UPDATE with every attribute",
     MARKER "018402"
            "000418c000020165400101005002001402020000fde90000fdea01020000fdeb0000fdec4003040a"
            "0000018004040000000540050400000064400600c00708fa56ea0101020304c00808fde90001ffff"
            "ff0180090401010101800a080202020203030303800e1a0002011020010db8000000000000000000"
            "000001002020010db8800f080002012020010db9c010100002fde9000000010003fde900000002e0"
            "160100c017010180180102c0190103801a0104801d0105c020180000000100000002000000030000"
            "0004000000050000000680210106c023040000fde9c0280107c0800108d0630041ababababababab"
            "abababababababababababababababababababababababababababababababababababababababab"
            "ababababababababababababababababababc06440cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd"
            "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd"
            "cdcdcdcdcd180a0102",
     "UPDATE, 388 octets\n"
     "  ORIGIN                 1 -T--   1  igp\n"
     "  AS_PATH                2 -T-E  20  65001 65002 {65003,65004}\n"
     "  NEXT_HOP               3 -T--   4  10.0.0.1\n"
     "  MULTI_EXIT_DISC        4 O---   4  5\n"
     "  LOCAL_PREF             5 -T--   4  100\n"
     "  ATOMIC_AGGREGATE       6 -T--   0  \n"
     "  AGGREGATOR             7 OT--   8  4200000001 1.2.3.4\n"
     "  COMMUNITIES            8 OT--   8  65001:1 no-export\n"
     "  ORIGINATOR_ID          9 O---   4  1.1.1.1\n"
     "  CLUSTER_LIST          10 O---   8  2.2.2.2 3.3.3.3\n"
     "  MP_REACH_NLRI         14 O---  26  ipv6 unicast, next hop 2001:db8::1\n"
     "  MP_UNREACH_NLRI       15 O---   8  ipv6 unicast\n"
     "  EXTENDED_COMMUNITIES  16 OT--  16  rt:65001:1 soo:65001:2\n"
     "  PMSI_TUNNEL           22 OTP-   1  00\n"
     "  TUNNEL_ENCAPSULATION  23 OT--   1  01\n"
     "  TRAFFIC_ENGINEERING   24 O---   1  02\n"
     "  IPV6_EXTENDED_COMMUNITIES  25 OT--   1  03\n"
     "  AIGP                  26 O---   1  04\n"
     "  BGP-LS                29 O---   1  05\n"
     "  LARGE_COMMUNITY       32 OT--  24  1:2:3 4:5:6\n"
     "  BGPSEC_PATH           33 O---   1  06\n"
     "  ONLY_TO_CUSTOMER      35 OT--   4  65001\n"
     "  PREFIX_SID            40 OT--   1  07\n"
     "  ATTR_SET             128 OT--   1  08\n"
     "  unknown attribute     99 OT-E  65  " OCTETS_64(
         "ab") "… (65 octets)\n"
               "  unknown attribute    100 OT--  64  " OCTETS_64(
                   "cd") "\n"
                         "  withdraw ipv4 unicast 192.0.2.0/24\n"
                         "  withdraw ipv6 unicast 2001:db9::/32\n"
                         "  announce ipv4 unicast 10.1.2.0/24 via 10.0.0.1\n"
                         "  announce ipv6 unicast 2001:db8::/32 via 2001:db8::1\n"},
    {"attribute that comes twice",
     MARKER "003702"
            "0000001c400101004002004003040a0000018004040000000580040400000006180a0102",
     "UPDATE, 55 octets\n"
     "  ORIGIN                 1 -T--   1  igp\n"
     "  AS_PATH                2 -T--   0  \n"
     "  NEXT_HOP               3 -T--   4  10.0.0.1\n"
     "  MULTI_EXIT_DISC        4 O---   4  5\n"
     "  MULTI_EXIT_DISC        4 O---   4  6 (again)\n"
     "  announce ipv4 unicast 10.1.2.0/24 via 10.0.0.1\n"
     "  error: discard, 3/1 Malformed Attribute List, attribute 4 MULTI_EXIT_DISC\n"},
    {"attributes that are discarded",
     MARKER "004102"
            "00000026400101004002004003040a00000140060101c0110602010000fde9c012080000fde90102"
            "0304180a0102",
     "UPDATE, 65 octets\n"
     "  ORIGIN                 1 -T--   1  igp\n"
     "  AS_PATH                2 -T--   0  \n"
     "  NEXT_HOP               3 -T--   4  10.0.0.1\n"
     "  ATOMIC_AGGREGATE       6 -T--   1  01 (not used)\n"
     "  AS4_PATH              17 OT--   6  65001 (not used)\n"
     "  AS4_AGGREGATOR        18 OT--   8  65001 1.2.3.4 (not used)\n"
     "  announce ipv4 unicast 10.1.2.0/24 via 10.0.0.1\n"
     "  error: discard, 3/5 Attribute Length Error, attribute 6 ATOMIC_AGGREGATE\n"},
    {"End-of-RIB",
     MARKER "001702"
            "00000000",
     "UPDATE, 23 octets\n"
     "  end of RIB ipv4 unicast\n"},
    {"End-of-RIB, IPv6",
     MARKER "001d02"
            "00000006800f03000201",
     "UPDATE, 29 octets\n"
     "  MP_UNREACH_NLRI       15 O---   3  ipv6 unicast\n"
     "  end of RIB ipv6 unicast\n"},
    {"End-of-RIB of a family that is not ours",
     MARKER "001d02"
            "00000006800f03000180",
     "UPDATE, 29 octets\n"
     "  MP_UNREACH_NLRI       15 O---   3  ipv4 mpls-vpn\n"
     "  end of RIB ipv4 mpls-vpn\n"},
    {"End-of-RIB, AFI above 255",
     MARKER "001d02"
            "00000006800f03400447",
     "UPDATE, 29 octets\n"
     "  MP_UNREACH_NLRI       15 O---   3  bgp-ls bgp-ls\n"
     "  end of RIB bgp-ls bgp-ls\n"},
    {"family that is not ours",
     MARKER "003002"
            "00000015400101004002004003040a000001800f04001946ff180a0102",
     "UPDATE, 48 octets\n"
     "  ORIGIN                 1 -T--   1  igp\n"
     "  AS_PATH                2 -T--   0  \n"
     "  NEXT_HOP               3 -T--   4  10.0.0.1\n"
     "  MP_UNREACH_NLRI       15 O---   4  l2vpn evpn, prefixes ff\n"
     "  announce ipv4 unicast 10.1.2.0/24 via 10.0.0.1\n"
     "  prefixes of a family that is not read here\n"},
    {"family that is not ours beside withdrawn routes",
     MARKER "001f02"
            "0002080a0006800f03000180",
     "UPDATE, 31 octets\n"
     "  MP_UNREACH_NLRI       15 O---   3  ipv4 mpls-vpn\n"
     "  withdraw ipv4 unicast 10.0.0.0/8\n"
     "  prefixes of a family that is not read here\n"},
    {"family that is not ours beside NLRI",
     MARKER "001f02"
            "00000006800f03000180080a",
     "UPDATE, 31 octets\n"
     "  MP_UNREACH_NLRI       15 O---   3  ipv4 mpls-vpn\n"
     "  treat as withdrawn ipv4 unicast 10.0.0.0/8\n"
     "  prefixes of a family that is not read here\n"
     "  error: withdraw, 3/3 Missing Well-known Attribute, attribute 1 ORIGIN\n"},
    {"NOTIFICATION with data",
     MARKER "001603"
            "0103ff",
     "NOTIFICATION, 22 octets\n"
     "  1/3 Message Header Error: Bad Message Type (message type 255), data ff\n"},
    {"Cease without subcode",
     MARKER "001503"
            "0600",
     "NOTIFICATION, 21 octets\n"
     "  6/0 Cease\n"},
    {"UPDATE error without subcode",
     MARKER "001503"
            "0300",
     "NOTIFICATION, 21 octets\n"
     "  3/0 UPDATE Message Error\n"},
    {"NOTIFICATION of unknown code",
     MARKER "001703"
            "6363beef",
     "NOTIFICATION, 23 octets\n"
     "  99/99, data beef\n"},
    {"data of an attribute",
     MARKER "001a03"
            "03034003020a00",
     "NOTIFICATION, 26 octets\n"
     "  3/3 UPDATE Message Error: Missing Well-known Attribute, data 4003020a00\n"},
    {"refresh",
     MARKER "001705"
            "00020001",
     "ROUTE-REFRESH, 23 octets\n"
     "  ipv6 unicast, request\n"},
    {"begin of refresh",
     MARKER "001705"
            "00020101",
     "ROUTE-REFRESH, 23 octets\n"
     "  ipv6 unicast, begin of refresh\n"},
    {"end of refresh",
     MARKER "001705"
            "00020201",
     "ROUTE-REFRESH, 23 octets\n"
     "  ipv6 unicast, end of refresh\n"},
    {"refresh of subtype 3",
     MARKER "001705"
            "00020301",
     "ROUTE-REFRESH, 23 octets\n"
     "  ipv6 unicast, subtype 3\n"},
    {"refresh of a family that is not ours",
     MARKER "001705"
            "00010080",
     "ROUTE-REFRESH, 23 octets\n"
     "  ipv4 mpls-vpn, request\n"},
    {"refresh of an unknown family",
     MARKER "001705"
            "00030009",
     "ROUTE-REFRESH, 23 octets\n"
     "  afi 3 safi 9, request\n"},
    {"extended next hops of families that are not ours",
     MARKER "003301"
            "04fde900b40a0000011602140512400400470002000100800002000100010002",
     "OPEN, 51 octets\n"
     "  AS 65001, hold time 180 s, identifier 10.0.0.1\n"
     "  capability   5 extended-next-hop: bgp-ls bgp-ls next hop afi 2, ipv4 mpls-vpn next hop "
     "afi 2, ipv4 unicast next hop afi 2\n"},
    {"capabilities: texts of the remote, an empty list, two families",
     MARKER "004801"
            "04006400b4010203042b02294906032c221b01634002007b470e000101000000010002018000"
            "000247004c0500010100ff43020140",
     "OPEN, 72 octets\n"
     "  AS 100, hold time 180 s, identifier 1.2.3.4\n"
     "  capability  73 fqdn: host \",\\\"\\x1b\", domain \"c\"\n"
     "  capability  64 graceful-restart: restarting no, notification no, time 123, families none\n"
     "  capability  71 long-lived-graceful-restart: ipv4 unicast forwarding no time 1, ipv6 "
     "unicast forwarding yes time 2\n"
     "  capability  71 long-lived-graceful-restart\n"
     "  capability  76 paths-limit: ipv4 unicast limit 255\n"
     "  capability  67 dynamic: 1, 64\n"},
    {"every attribute in words although the message is withdrawn",
     MARKER "005f02"
            "000000444001010340020602010000fde94003040a00000180040400000005c00808ffffff01"
            "fe0c0001c010100002fe0c0000002a030c000000000008c007080000fe0c0102030418c00002",
     "UPDATE, 95 octets\n"
     "  ORIGIN                 1 -T--   1  3\n"
     "  AS_PATH                2 -T--   6  65001\n"
     "  NEXT_HOP               3 -T--   4  10.0.0.1\n"
     "  MULTI_EXIT_DISC        4 O---   4  5\n"
     "  COMMUNITIES            8 OT--   8  no-export 65036:1\n"
     "  EXTENDED_COMMUNITIES  16 OT--  16  rt:65036:42 encapsulation:vxlan\n"
     "  AGGREGATOR             7 OT--   8  65036 1.2.3.4\n"
     "  treat as withdrawn ipv4 unicast 192.0.2.0/24\n"
     "  error: withdraw, 3/6 Invalid ORIGIN Attribute, attribute 1 ORIGIN\n"},
    {"AS_PATH that cannot be read, AIGP of a wrong length",
     MARKER "003c02"
            "000000214001010040020602020000fde94003040a000001801a0a01000a000000000000e918"
            "c00002",
     "UPDATE, 60 octets\n"
     "  ORIGIN                 1 -T--   1  igp\n"
     "  AS_PATH                2 -T--   6  02020000fde9\n"
     "  NEXT_HOP               3 -T--   4  10.0.0.1\n"
     "  AIGP                  26 O---  10  01000a000000000000e9\n"
     "  treat as withdrawn ipv4 unicast 192.0.2.0/24\n"
     "  error: withdraw, 3/11 Malformed AS_PATH, attribute 2 AS_PATH\n"},
    {"next hops of VPNs, two of them",
     MARKER "006402"
            "0000004d4001010040020602010000fde9800e3600028030000000000000000020010db80000"
            "000000000000000000010000000000000000fe80000000000000000000000000000100ff800f"
            "04000180ee",
     "UPDATE, 100 octets\n"
     "  ORIGIN                 1 -T--   1  igp\n"
     "  AS_PATH                2 -T--   6  65001\n"
     "  MP_REACH_NLRI         14 O---  54  ipv6 mpls-vpn, next hop 2001:db8::1 fe80::1, prefixes "
     "ff\n"
     "  MP_UNREACH_NLRI       15 O---   4  ipv4 mpls-vpn, prefixes ee\n"
     "  prefixes of a family that is not read here\n"},
    {"MP_REACH_NLRI that resets the session",
     MARKER "004102"
            "0000002a4001010040020602010000fde9800e1a0002011020010db800000000000000000000"
            "0001008120010db8",
     "UPDATE, 65 octets\n"
     "  ORIGIN                 1 -T--   1  igp\n"
     "  AS_PATH                2 -T--   6  65001\n"
     "  MP_REACH_NLRI         14 O---  26  ipv6 unicast, next hop 2001:db8::1, prefixes "
     "8120010db8\n"
     "  error: session-reset, 3/9 Optional Attribute Error, attribute 14 MP_REACH_NLRI\n"},
    {"MP_REACH_NLRI that is too short for its next hop",
     MARKER "003a02"
            "000000234001010040020602010000fde9800e130002011020010db800000000000000000000"
            "00",
     "UPDATE, 58 octets\n"
     "  ORIGIN                 1 -T--   1  igp\n"
     "  AS_PATH                2 -T--   6  65001\n"
     "  MP_REACH_NLRI         14 O---  19  0002011020010db80000000000000000000000\n"
     "  error: session-reset, 3/9 Optional Attribute Error, attribute 14 MP_REACH_NLRI\n"},
    {"MP_REACH_NLRI that comes twice",
     MARKER "005e02"
            "000000474001010040020602010000fde9800e1a0002011020010db800000000000000000000"
            "0001002020010db8800e1a0002011020010db8000000000000000000000001002020010db8",
     "UPDATE, 94 octets\n"
     "  ORIGIN                 1 -T--   1  igp\n"
     "  AS_PATH                2 -T--   6  65001\n"
     "  MP_REACH_NLRI         14 O---  26  ipv6 unicast, next hop 2001:db8::1, prefixes "
     "2020010db8\n"
     "  MP_REACH_NLRI         14 O---  26  0002011020010db8000000000000000000000001002020010db8 "
     "(again)\n"
     "  ignored ipv6 unicast 2001:db8::/32\n"
     "  error: session-reset, 3/1 Malformed Attribute List, attribute 14 MP_REACH_NLRI\n"},
    {"carried attributes in words",
     MARKER "006e02"
            "000000534001010040020602010000fde94003040a000001801a0b01000b00000000000003e9"
            "c016090006000641c0000207c01914000220010db80000000000000000000000010064c0800b"
            "0000fe0c400504000000c818c00002",
     "UPDATE, 110 octets\n"
     "  ORIGIN                 1 -T--   1  igp\n"
     "  AS_PATH                2 -T--   6  65001\n"
     "  NEXT_HOP               3 -T--   4  10.0.0.1\n"
     "  AIGP                  26 O---  11  metric 1001\n"
     "  PMSI_TUNNEL           22 OT--   9  ingress-replication, label 100 (VNI 1601), tunnel "
     "192.0.2.7\n"
     "  IPV6_EXTENDED_COMMUNITIES  25 OT--  20  rt:[2001:db8::1]:100\n"
     "  ATTR_SET             128 OT--  11  origin AS 65036: LOCAL_PREF 200\n"
     "  announce ipv4 unicast 192.0.2.0/24 via 10.0.0.1\n"},
    {"data: length",
     MARKER "001703"
            "01021001",
     "NOTIFICATION, 23 octets\n"
     "  1/2 Message Header Error: Bad Message Length (length 4097), data 1001\n"},
    {"data: length cut",
     MARKER "001603"
            "010210",
     "NOTIFICATION, 22 octets\n"
     "  1/2 Message Header Error: Bad Message Length, data 10\n"},
    {"data: version",
     MARKER "001703"
            "02010004",
     "NOTIFICATION, 23 octets\n"
     "  2/1 OPEN Message Error: Unsupported Version Number (version 4), data 0004\n"},
    {"data: capabilities",
     MARKER "001d03"
            "02070104000200014600",
     "NOTIFICATION, 29 octets\n"
     "  2/7 OPEN Message Error: Unsupported Capability (multiprotocol ipv6 unicast, "
     "enhanced-route-refresh), data 0104000200014600\n"},
    {"data: capability cut",
     MARKER "001903"
            "020701040002",
     "NOTIFICATION, 25 octets\n"
     "  2/7 OPEN Message Error: Unsupported Capability, data 01040002\n"},
    {"data: attribute",
     MARKER "001803"
            "0305800405",
     "NOTIFICATION, 24 octets\n"
     "  3/5 UPDATE Message Error: Attribute Length Error (attribute 4 MULTI_EXIT_DISC), data "
     "800405\n"},
    {"data: attribute without a name",
     MARKER "001903"
            "030240c80100",
     "NOTIFICATION, 25 octets\n"
     "  3/2 UPDATE Message Error: Unrecognized Well-known Attribute (attribute 200), data "
     "40c80100\n"},
    {"data: one octet of an attribute",
     MARKER "001603"
            "030540",
     "NOTIFICATION, 22 octets\n"
     "  3/5 UPDATE Message Error: Attribute Length Error, data 40\n"},
    {"data: missing attribute",
     MARKER "001603"
            "030302",
     "NOTIFICATION, 22 octets\n"
     "  3/3 UPDATE Message Error: Missing Well-known Attribute (attribute 2 AS_PATH), data 02\n"},
    {"data: message type",
     MARKER "001603"
            "050302",
     "NOTIFICATION, 22 octets\n"
     "  5/3 Finite State Machine Error: Receive Unexpected Message in Established State (message "
     "type 2), data 02\n"},
    {"data: prefix limit",
     MARKER "001c03"
            "0601000201000001f4",
     "NOTIFICATION, 28 octets\n"
     "  6/1 Cease: Maximum Number of Prefixes Reached (ipv6 unicast, limit 500), data "
     "000201000001f4\n"},
    {"data: prefix limit and more",
     MARKER "001d03"
            "0601000201000001f400",
     "NOTIFICATION, 29 octets\n"
     "  6/1 Cease: Maximum Number of Prefixes Reached, data 000201000001f400\n"},
    {"data: hard reset",
     MARKER "001a03"
            "06090602024142",
     "NOTIFICATION, 26 octets\n"
     "  6/9 Cease: Hard Reset (6/2 Cease: Administrative Shutdown), \"AB\"\n"},
    {"data: hard reset of an unknown code",
     MARKER "001703"
            "06096363",
     "NOTIFICATION, 23 octets\n"
     "  6/9 Cease: Hard Reset (99/99), data 6363\n"},
    {"data: hard reset cut",
     MARKER "001603"
            "060906",
     "NOTIFICATION, 22 octets\n"
     "  6/9 Cease: Hard Reset, data 06\n"},
    {"data where there is none to be",
     MARKER "001603"
            "0400aa",
     "NOTIFICATION, 22 octets\n"
     "  4/0 Hold Timer Expired, data aa\n"},
    {"communities by name",
     MARKER "005e02"
            "000000434001010040020602010000fde94003040a000001c0082cffff0000ffff0001ffff00"
            "06ffff0007ffff029affffff01ffffff02ffffff03ffffff04ffffff05fe0c000118c00002",
     "UPDATE, 94 octets\n"
     "  ORIGIN                 1 -T--   1  igp\n"
     "  AS_PATH                2 -T--   6  65001\n"
     "  NEXT_HOP               3 -T--   4  10.0.0.1\n"
     "  COMMUNITIES            8 OT--  44  gshut accept-own llgr-stale no-llgr blackhole no-export "
     "no-advertise local-AS no-peer 65535:65285 65036:1\n"
     "  announce ipv4 unicast 192.0.2.0/24 via 10.0.0.1\n"},
    {"octets behind the end",
     MARKER "001304"
            "00",
     "not a message\n"
     "  error: session-reset, 1/2 Bad Message Length (octets behind the message's end)\n"},
    {"cut", MARKER "001d01",
     "not a message\n"
     "  error: session-reset, 1/2 Bad Message Length (truncated: fewer octets than the "
     "header says)\n"},
    {"unknown attribute that comes twice, codes that differ by 32",
     MARKER "004002"
            "00000025400101004002004003040a000001c023040000fde9c0400100c0420101c0620102c06201"
            "03180a0102",
     "UPDATE, 64 octets\n"
     "  ORIGIN                 1 -T--   1  igp\n"
     "  AS_PATH                2 -T--   0  \n"
     "  NEXT_HOP               3 -T--   4  10.0.0.1\n"
     "  ONLY_TO_CUSTOMER      35 OT--   4  65001\n"
     "  unknown attribute     64 OT--   1  00\n"
     "  unknown attribute     66 OT--   1  01\n"
     "  unknown attribute     98 OT--   1  02\n"
     "  unknown attribute     98 OT--   1  03 (again)\n"
     "  announce ipv4 unicast 10.1.2.0/24 via 10.0.0.1\n"
     "  error: discard, 3/1 Malformed Attribute List, attribute 98 (unknown)\n"},
    {"shutdown text with DEL, NUL, a letter of two octets",
     MARKER "001b03"
            "060205617f00c3a4",
     "NOTIFICATION, 27 octets\n"
     "  6/2 Cease: Administrative Shutdown, \"a\\x7f\\x00ä\"\n"},
    {"refresh of AFI 1, SAFI 2",
     MARKER "001705"
            "00010002",
     "ROUTE-REFRESH, 23 octets\n"
     "  ipv4 multicast, request\n"},
    {"refresh of AFI 1, SAFI 4",
     MARKER "001705"
            "00010004",
     "ROUTE-REFRESH, 23 octets\n"
     "  ipv4 nlri-mpls, request\n"},
    {"refresh of AFI 25, SAFI 65",
     MARKER "001705"
            "00190041",
     "ROUTE-REFRESH, 23 octets\n"
     "  l2vpn vpls, request\n"},
    {"refresh of AFI 25, SAFI 70",
     MARKER "001705"
            "00190046",
     "ROUTE-REFRESH, 23 octets\n"
     "  l2vpn evpn, request\n"},
    {"refresh of AFI 16388, SAFI 71",
     MARKER "001705"
            "40040047",
     "ROUTE-REFRESH, 23 octets\n"
     "  bgp-ls bgp-ls, request\n"},
    {"refresh of AFI 16388, SAFI 72",
     MARKER "001705"
            "40040048",
     "ROUTE-REFRESH, 23 octets\n"
     "  bgp-ls bgp-ls-vpn, request\n"},
    {"refresh of AFI 2, SAFI 128",
     MARKER "001705"
            "00020080",
     "ROUTE-REFRESH, 23 octets\n"
     "  ipv6 mpls-vpn, request\n"},
    {"refresh of AFI 1, SAFI 132",
     MARKER "001705"
            "00010084",
     "ROUTE-REFRESH, 23 octets\n"
     "  ipv4 rtc, request\n"},
    {"refresh of AFI 1, SAFI 133",
     MARKER "001705"
            "00010085",
     "ROUTE-REFRESH, 23 octets\n"
     "  ipv4 flow, request\n"},
    {"refresh of AFI 2, SAFI 134",
     MARKER "001705"
            "00020086",
     "ROUTE-REFRESH, 23 octets\n"
     "  ipv6 flow-vpn, request\n"},
    {"refresh of AFI 1, SAFI 255",
     MARKER "001705"
            "000100ff",
     "ROUTE-REFRESH, 23 octets\n"
     "  afi 1 safi 255, request\n"},
};

static void test_text(void **state) {
    uint8_t data[BGP_MESSAGE_SIZE_MAX];
    struct decode_options how = decode_defaults();
    struct arena *scratch = arena_new();
    struct text out;
    (void)state;
    assert_non_null(scratch);
    text_init(&out);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct decode_message m;
        size_t size = codec_hex(rows[i].hex, data, 0, sizeof data);
        arena_reset(scratch);
        text_clear(&out);
        decode_message(&how, data, size, scratch, &m);
        decode_put_text(&m, &out);
        if (strcmp(text_str(&out), rows[i].text) != 0)
            fail_msg("%s:\n%s", rows[i].name, text_str(&out));
    }
    text_deinit(&out);
    arena_free(scratch);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
    };
    return cmocka_run_group_tests_name("decode_text", tests, NULL, NULL);
}
