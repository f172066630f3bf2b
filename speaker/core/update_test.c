/*
 * UPDATE, octet by octet: every row is a message, what RFC 7606 makes of it, and the attributes
 * written again. Names start with the number of the conformance check they stand for.
 *
 * Rows give the three fields; lengths are added by the test, but for the framing rows, which are
 * whole bodies. Behind the tables stand the sweeps: every attribute code with every flag octet and
 * many lengths, and every truncation of a message with everything in it.
 */
#include "attr_decode.h"
#include "message.h"

#include "../base/arena.h"
#include "../base/text.h"
#include "cases_test.h"
#include "codec_test.h"
#include "limits.h"

#include <stdlib.h>
#include <string.h>

enum update_peer {
    EXT = 0, /* eBGP, both sides with four-octet ASes */
    INT = 1, /* iBGP */
    OLD = 2, /* eBGP, an OLD speaker */
    V4 = 3,  /* eBGP, IPv4 unicast only */
    V6 = 4,  /* eBGP, IPv6 unicast only */
    INT_OLD = 5,
};

static const struct bgp_codec codecs[] = {
    [EXT] = {.as4 = true, .external = true, .families = {true, true}},
    [INT] = {.as4 = true, .external = false, .families = {true, true}},
    [OLD] = {.as4 = false, .external = true, .families = {true, true}},
    [V4] = {.as4 = true, .external = true, .families = {true, false}},
    [V6] = {.as4 = true, .external = true, .families = {false, true}},
    [INT_OLD] = {.as4 = false, .external = false, .families = {true, true}},
};

#define OK BGP_OUTCOME_OK
#define DISCARD BGP_OUTCOME_DISCARD_ATTRIBUTE
#define WITHDRAW BGP_OUTCOME_TREAT_AS_WITHDRAW
#define RESET BGP_OUTCOME_SESSION_RESET

struct update_case {
    const char *name;
    enum update_peer peer;
    const char *withdrawn, *attrs, *nlri; /* hex */
    enum bgp_outcome outcome;
    uint8_t worst;        /* attribute to blame */
    uint8_t subcode;      /* RESET: of "UPDATE Message Error" */
    const char *prefixes; /* "+announced -withdrawn", in order */
    const char *again;    /* attributes written again; NULL: not written; "=": as they came */
};

#define ORIGIN "40 01 01 00 "
#define PATH "40 02 06 02 01 0000FDE9 "
#define PATH2 "40 02 04 02 01 FDE9 "
#define HOP "40 03 04 0A000002 "
#define BASE ORIGIN PATH HOP
#define NET "08 0A"
#define TEN "+10.0.0.0/8"
#define G6 "20010DB8000000000000000000000001 "
#define LL6 "FE800000000000000000000000000001 "
#define NET6 "20 20010DB8 "
#define REACH6 "80 0E 1A 0002 01 10 " G6 "00 " NET6

/* A 'good' rest: the row's attribute stands where it should in ascending order or last. */
static const struct update_case sound_cases[] = {
    {"C062 withdrawn only", EXT, "18 C00002", "", "", OK, 0, 0, "-192.0.2.0/24", NULL},
    {"C062 announce only", EXT, "", BASE, NET, OK, 0, 0, TEN, "="},
    {"C062 both", EXT, "18 C00002", BASE, NET, OK, 0, 0, "-192.0.2.0/24 " TEN, "="},
    {"C063 same prefix twice", EXT, NET, BASE, NET, OK, 0, 0, "-10.0.0.0/8 " TEN, "="},
    {"C064 default route", EXT, "", BASE, "00", OK, 0, 0, "+0.0.0.0/0", "="},
    {"C064 host bits behind the length", EXT, "", BASE, "09 0AFF 20 01020304", OK, 0, 0,
     "+10.128.0.0/9 +1.2.3.4/32", "="},
    {"C064 lengths 1, 2, 7", EXT, "", BASE, "01 FF 02 7F 07 0B", OK, 0, 0,
     "+128.0.0.0/1 +64.0.0.0/2 +10.0.0.0/7", "="},
    {"C065 descending order", EXT, "", HOP PATH ORIGIN, NET, OK, 0, 0, TEN, BASE},
    {"C065 any order", EXT, "", PATH HOP ORIGIN, NET, OK, 0, 0, TEN, BASE},
    {"C066 extended length below 256", EXT, "", "50 01 0001 00 " PATH HOP, NET, OK, 0, 0, TEN,
     BASE},
    {"C067 unknown transitive, Partial set", EXT, "", BASE "C0 63 02 BEEF", NET, OK, 0, 0, TEN,
     BASE "E0 63 02 BEEF"},
    {"C067 unknown transitive, Partial kept", EXT, "", BASE "E0 63 00", NET, OK, 0, 0, TEN, "="},
    {"C067 unknown woven in by code", EXT, "",
     BASE "C0 63 00 C0 0D 01 07 C0 15 00 C0 08 04 00010002", NET, OK, 0, 0, TEN,
     BASE "C0 08 04 00010002 E0 0D 01 07 E0 15 00 E0 63 00"},
    {"C068 unknown non-transitive dropped", EXT, "", BASE "80 63 02 BEEF", NET, OK, 0, 0, TEN,
     BASE},
    {"C068 AIGP is non-transitive", EXT, "", BASE "80 1A 01 07", NET, OK, 0, 0, TEN, BASE},
    {"C077 ATOMIC_AGGREGATE and AGGREGATOR", EXT, "", BASE "40 06 00 C0 07 08 0000FDE9 01020304",
     NET, OK, 0, 0, TEN, "="},
    {"C082 MP_REACH first, IPv4 too", EXT, "", REACH6 BASE, NET, OK, 0, 0, TEN " +2001:db8::/32",
     BASE},
    {"C082 MP_REACH last, IPv4 too", EXT, "", BASE REACH6, NET, OK, 0, 0, TEN " +2001:db8::/32",
     BASE},
    {"C130 IPv6 reach, default route", EXT, "", ORIGIN PATH "80 0E 1B 0002 01 10 " G6 "00 00 " NET6,
     "", OK, 0, 0, "+::/0 +2001:db8::/32", ORIGIN PATH},
    {"C130 IPv6 unreach", EXT, "", "80 0F 09 0002 01 00 20 20010DB8", "", OK, 0, 0,
     "-::/0 -2001:db8::/32", NULL},
    {"C130 IPv6 host bits", EXT, "", "80 0F 07 0002 01 11 2001FF", "", OK, 0, 0, "-2001:8000::/17",
     NULL},
    {"C132 IPv4 in MP_REACH", EXT, "", ORIGIN PATH "80 0E 0B 0001 01 04 0A000002 00 08 0A", "", OK,
     0, 0, TEN, BASE},
    {"C132 IPv4 in MP_UNREACH", EXT, "", "80 0F 05 0001 01 08 0A", "", OK, 0, 0, "-10.0.0.0/8",
     NULL},
    {"C133 NEXT_HOP absent", EXT, "", ORIGIN PATH REACH6, "", OK, 0, 0, "+2001:db8::/32",
     ORIGIN PATH},
    {"C133 NEXT_HOP bogus beside MP_REACH", EXT, "", ORIGIN PATH "40 03 04 7F000001 " REACH6, "",
     OK, 0, 0, "+2001:db8::/32", ORIGIN PATH},
    {"C133 NEXT_HOP too short beside MP_REACH", EXT, "", ORIGIN PATH "40 03 01 7F " REACH6, "", OK,
     0, 0, "+2001:db8::/32", ORIGIN PATH},
    {"C134 reserved octet not zero", EXT, "", ORIGIN PATH "80 0E 1A 0002 01 10 " G6 "07 " NET6, "",
     OK, 0, 0, "+2001:db8::/32", ORIGIN PATH},
    {"C129 family not negotiated", V4, "", BASE REACH6, NET, OK, 0, 0, TEN, BASE},
    {"C129 family not negotiated, nothing else", V4, "", ORIGIN PATH REACH6, "", OK, 0, 0, "",
     NULL},
    {"C129 IPv4 unicast not negotiated", V6, NET, BASE, NET, OK, 0, 0, "", NULL},
    {"C138 VPN family is passed over", EXT, "", BASE "80 0E 06 0001 80 FF FF FF", NET, OK, 0, 0,
     TEN, BASE},
    {"C138 flowspec, EVPN, BGP-LS unreach", EXT, "", BASE "80 0F 04 4004 47 FF", NET, OK, 0, 0, TEN,
     BASE},
    {"C125 multicast, class E, loopback, 0/8", EXT, "", BASE "", "04 E0 08 F0 08 7F 08 00 08 0A",
     OK, 0, 0, TEN, "="},
    {"C166 large communities sorted, once", EXT, "",
     BASE "C0 20 24 000000020000000000000000 000000010000000200000003 000000020000000000000000",
     NET, OK, 0, 0, TEN, BASE "C0 20 18 000000010000000200000003 000000020000000000000000"},
    {"C164 communities sorted, once", EXT, "", BASE "C0 08 0C FFFFFF01 00010002 FFFFFF01", NET, OK,
     0, 0, TEN, BASE "C0 08 08 00010002 FFFFFF01"},
    {"C168 extended communities, any type", EXT, "",
     BASE "C0 10 18 8102000000000001 0002FDE900000001 0002FDE900000001", NET, OK, 0, 0, TEN,
     BASE "C0 10 10 0002FDE900000001 8102000000000001"},
    {"C076 LOCAL_PREF from iBGP", INT, "", BASE "40 05 04 000000C8", NET, OK, 0, 0, TEN, "="},
    {"C151 reflection attributes from iBGP", INT, "",
     BASE "80 04 04 00000005 40 05 04 00000064 80 09 04 0A000001 80 0A 08 0A000009 0A000008", NET,
     OK, 0, 0, TEN, "="},
    {"empty AS_PATH from iBGP", INT, "", ORIGIN "40 02 00 " HOP, NET, OK, 0, 0, TEN, "="},
    {"C161 confederation segment inside", INT, "", ORIGIN "40 02 06 03 01 0000FDE9 " HOP, NET, OK,
     0, 0, TEN, "="},
    {"AS_SET and two segments", EXT, "",
     ORIGIN "40 02 10 02 01 0000FDE9 01 02 00000001 00000002 " HOP, NET, OK, 0, 0, TEN, "="},
    {"C220 tunnel encapsulation is opaque", EXT, "", BASE "C0 17 04 FFFFFFFF", NET, OK, 0, 0, TEN,
     BASE "E0 17 04 FFFFFFFF"},
    {"C221 prefix SID all zeros", EXT, "", BASE "C0 28 08 0000000000000000", NET, OK, 0, 0, TEN,
     BASE "E0 28 08 0000000000000000"},
    {"B10 attribute 28 malformed is opaque", EXT, "", BASE "C0 1C 01 00", NET, OK, 0, 0, TEN,
     BASE "E0 1C 01 00"},
    {"B41 attribute 254 is passed on", EXT, "", BASE "C0 FE 01 07", NET, OK, 0, 0, TEN,
     BASE "E0 FE 01 07"},
    {"B19 only an unknown transitive attribute", EXT, "", "C0 63 01 00", "", OK, 0, 0, "", NULL},
    {"C113 IPv6 extended communities are opaque", EXT, "", BASE "C0 19 01 07", NET, OK, 0, 0, TEN,
     BASE "E0 19 01 07"},
    {"C209 OTC is carried", EXT, "", BASE "C0 23 04 0000FDE9", NET, OK, 0, 0, TEN, "="},
};

/* RFC 7606 and its kin: one row per malformation. */
static const struct update_case damage_cases[] = {
    {"C096 flags: ORIGIN optional", EXT, "", "C0 01 01 00 " PATH HOP, NET, WITHDRAW, 1, 0, TEN, 0},
    {"C096 flags: ORIGIN not transitive", EXT, "", "00 01 01 00 " PATH HOP, NET, WITHDRAW, 1, 0,
     TEN, 0},
    {"C096 flags: AS_PATH", EXT, "", ORIGIN "C0 02 00 " HOP, NET, WITHDRAW, 2, 0, TEN, 0},
    {"C096 flags: NEXT_HOP", EXT, "", ORIGIN PATH "C0 03 04 0A000002", NET, WITHDRAW, 3, 0, TEN, 0},
    {"C096 flags: MED", EXT, "", BASE "C0 04 04 00000001", NET, WITHDRAW, 4, 0, TEN, 0},
    {"C096 flags: LOCAL_PREF", INT, "", BASE "C0 05 04 00000001", NET, WITHDRAW, 5, 0, TEN, 0},
    {"C096 flags: COMMUNITIES", EXT, "", BASE "80 08 04 00010001", NET, WITHDRAW, 8, 0, TEN, 0},
    {"C096 flags: COMMUNITIES well-known", EXT, "", BASE "40 08 04 00010001", NET, WITHDRAW, 8, 0,
     TEN, 0},
    {"C096 flags: MP_REACH, prefixes still known", EXT, "",
     ORIGIN PATH "C0 0E 1A 0002 01 10 " G6 "00 " NET6, "", WITHDRAW, 14, 0, "+2001:db8::/32", 0},
    {"C097 ORIGIN length 0", EXT, "", "40 01 00 " PATH HOP, NET, WITHDRAW, 1, 0, TEN, 0},
    {"C097 ORIGIN length 2", EXT, "", "40 01 02 0000 " PATH HOP, NET, WITHDRAW, 1, 0, TEN, 0},
    {"C097 ORIGIN 3", EXT, "", "40 01 01 03 " PATH HOP, NET, WITHDRAW, 1, 0, TEN, 0},
    {"C097 ORIGIN 255", EXT, "", "40 01 01 FF " PATH HOP, NET, WITHDRAW, 1, 0, TEN, 0},
    {"C098 AS_PATH segment type 0", EXT, "", ORIGIN "40 02 06 00 01 0000FDE9 " HOP, NET, WITHDRAW,
     2, 0, TEN, 0},
    {"C098 AS_PATH segment type 5", EXT, "", ORIGIN "40 02 06 05 01 0000FDE9 " HOP, NET, WITHDRAW,
     2, 0, TEN, 0},
    {"C098 AS_PATH count 0", EXT, "", ORIGIN "40 02 02 02 00 " HOP, NET, WITHDRAW, 2, 0, TEN, 0},
    {"C098 AS_PATH overrun", EXT, "", ORIGIN "40 02 06 02 02 0000FDE9 " HOP, NET, WITHDRAW, 2, 0,
     TEN, 0},
    {"C098 AS_PATH one octet left", EXT, "", ORIGIN "40 02 07 02 01 0000FDE9 02 " HOP, NET,
     WITHDRAW, 2, 0, TEN, 0},
    {"C098 AS_PATH of one octet", EXT, "", ORIGIN "40 02 01 02 " HOP, NET, WITHDRAW, 2, 0, TEN, 0},
    {"C098 AS_PATH two-octet from a NEW speaker", EXT, "", ORIGIN PATH2 HOP, NET, WITHDRAW, 2, 0,
     TEN, 0},
    {"C147 AS 0 in AS_PATH", EXT, "", ORIGIN "40 02 0A 02 02 0000FDE9 00000000 " HOP, NET, WITHDRAW,
     2, 0, TEN, 0},
    {"C147 AS 0, OLD speaker", OLD, "", ORIGIN "40 02 04 02 01 0000 " HOP, NET, WITHDRAW, 2, 0, TEN,
     0},
    {"C162 confederation segment from outside", EXT, "", ORIGIN "40 02 06 03 01 0000FDE9 " HOP, NET,
     WITHDRAW, 2, 0, TEN, 0},
    {"C162 confederation set from outside", EXT, "", ORIGIN "40 02 06 04 01 0000FDE9 " HOP, NET,
     WITHDRAW, 2, 0, TEN, 0},
    {"C099 NEXT_HOP length 0", EXT, "", ORIGIN PATH "40 03 00", NET, WITHDRAW, 3, 0, TEN, 0},
    {"C099 NEXT_HOP length 1", EXT, "", ORIGIN PATH "40 03 01 0A", NET, WITHDRAW, 3, 0, TEN, 0},
    {"C099 NEXT_HOP length 2", EXT, "", ORIGIN PATH "40 03 02 0A00", NET, WITHDRAW, 3, 0, TEN, 0},
    {"C099 NEXT_HOP length 3", EXT, "", ORIGIN PATH "40 03 03 0A0000", NET, WITHDRAW, 3, 0, TEN, 0},
    {"C099 NEXT_HOP length 5", EXT, "", ORIGIN PATH "40 03 05 0A00000200", NET, WITHDRAW, 3, 0, TEN,
     0},
    {"C099 NEXT_HOP length 16", EXT, "", ORIGIN PATH "40 03 10 " G6, NET, WITHDRAW, 3, 0, TEN, 0},
    {"C074 NEXT_HOP 0.0.0.0", EXT, "", ORIGIN PATH "40 03 04 00000000", NET, WITHDRAW, 3, 0, TEN,
     0},
    {"C074 NEXT_HOP 0.1.2.3", EXT, "", ORIGIN PATH "40 03 04 00010203", NET, WITHDRAW, 3, 0, TEN,
     0},
    {"C074 NEXT_HOP 127.0.0.1", EXT, "", ORIGIN PATH "40 03 04 7F000001", NET, WITHDRAW, 3, 0, TEN,
     0},
    {"C074 NEXT_HOP 224.0.0.1", EXT, "", ORIGIN PATH "40 03 04 E0000001", NET, WITHDRAW, 3, 0, TEN,
     0},
    {"C074 NEXT_HOP 240.0.0.1", EXT, "", ORIGIN PATH "40 03 04 F0000001", NET, WITHDRAW, 3, 0, TEN,
     0},
    {"C100 MED length 0", EXT, "", BASE "80 04 00", NET, WITHDRAW, 4, 0, TEN, 0},
    {"C100 MED length 3", EXT, "", BASE "80 04 03 000001", NET, WITHDRAW, 4, 0, TEN, 0},
    {"C100 MED length 5", EXT, "", BASE "80 04 05 0000000001", NET, WITHDRAW, 4, 0, TEN, 0},
    {"C101 LOCAL_PREF from eBGP", EXT, "", BASE "40 05 04 00000064", NET, DISCARD, 5, 0, TEN, BASE},
    {"C101 LOCAL_PREF length 0 from eBGP", EXT, "", BASE "40 05 00", NET, DISCARD, 5, 0, TEN, BASE},
    {"C102 LOCAL_PREF length 0", INT, "", BASE "40 05 00", NET, WITHDRAW, 5, 0, TEN, 0},
    {"C102 LOCAL_PREF length 3", INT, "", BASE "40 05 03 000064", NET, WITHDRAW, 5, 0, TEN, 0},
    {"C102 LOCAL_PREF length 5", INT, "", BASE "40 05 05 0000000064", NET, WITHDRAW, 5, 0, TEN, 0},
    {"C103 ATOMIC_AGGREGATE length 1", EXT, "", BASE "40 06 01 00", NET, DISCARD, 6, 0, TEN, BASE},
    {"C104 AGGREGATOR length 6 from NEW", EXT, "", BASE "C0 07 06 FDE9 01020304", NET, DISCARD, 7,
     0, TEN, BASE},
    {"C104 AGGREGATOR length 8 from OLD", OLD, "", ORIGIN PATH2 HOP "C0 07 08 0000FDE9 01020304",
     NET, DISCARD, 7, 0, TEN, BASE},
    {"C104 AGGREGATOR length 0", EXT, "", BASE "C0 07 00", NET, DISCARD, 7, 0, TEN, BASE},
    {"C148 AGGREGATOR AS 0", EXT, "", BASE "C0 07 08 00000000 01020304", NET, DISCARD, 7, 0, TEN,
     BASE},
    {"C105 COMMUNITIES length 0", EXT, "", BASE "C0 08 00", NET, WITHDRAW, 8, 0, TEN, 0},
    {"C105 COMMUNITIES length 5", EXT, "", BASE "C0 08 05 0001000100", NET, WITHDRAW, 8, 0, TEN, 0},
    {"C106 ORIGINATOR_ID from eBGP", EXT, "", BASE "80 09 04 01020304", NET, DISCARD, 9, 0, TEN,
     BASE},
    {"C107 ORIGINATOR_ID length 3", INT, "", BASE "80 09 03 010203", NET, WITHDRAW, 9, 0, TEN, 0},
    {"C107 ORIGINATOR_ID length 5", INT, "", BASE "80 09 05 0102030405", NET, WITHDRAW, 9, 0, TEN,
     0},
    {"C108 CLUSTER_LIST from eBGP", EXT, "", BASE "80 0A 04 01020304", NET, DISCARD, 10, 0, TEN,
     BASE},
    {"C109 CLUSTER_LIST length 0", INT, "", BASE "80 0A 00", NET, WITHDRAW, 10, 0, TEN, 0},
    {"C109 CLUSTER_LIST length 5", INT, "", BASE "80 0A 05 0102030405", NET, WITHDRAW, 10, 0, TEN,
     0},
    {"C110 MP_REACH next hop of 0", EXT, "", ORIGIN PATH "80 0E 0A 0002 01 00 00 " NET6, "", RESET,
     14, 9, "", 0},
    {"C110 MP_REACH next hop of 4", EXT, "", ORIGIN PATH "80 0E 0E 0002 01 04 0A000001 00 " NET6,
     "", RESET, 14, 9, "", 0},
    {"C110 MP_REACH next hop beyond the attribute", EXT, "",
     ORIGIN PATH "80 0E 08 0002 01 20 20010DB8", "", RESET, 14, 9, "", 0},
    {"C110 MP_REACH of 2 octets", EXT, "", ORIGIN PATH "80 0E 02 0002", "", RESET, 14, 9, "", 0},
    {"C110 MP_REACH of 4 octets", EXT, "", ORIGIN PATH "80 0E 04 0002 01 10", "", RESET, 14, 9, "",
     0},
    {"C110 MP_REACH without the reserved octet", EXT, "", ORIGIN PATH "80 0E 14 0002 01 10 " G6, "",
     RESET, 14, 9, "", 0},
    {"C136 IPv4 with an IPv6 next hop", EXT, "", ORIGIN PATH "80 0E 17 0001 01 10 " G6 "00 08 0A",
     "", RESET, 14, 9, "", 0},
    {"C111 MP_REACH prefix of 129", EXT, "", ORIGIN PATH "80 0E 27 0002 01 10 " G6 "00 81 " G6 "00",
     "", RESET, 14, 9, "", 0},
    {"C111 MP_REACH truncated prefix", EXT, "",
     ORIGIN PATH "80 0E 19 0002 01 10 " G6 "00 20 20010D", "", RESET, 14, 9, "", 0},
    {"C111 MP_UNREACH prefix of 255", EXT, "", "80 0F 04 0002 01 FF", "", RESET, 15, 9, "", 0},
    {"C111 MP_UNREACH truncated prefix", EXT, "", "80 0F 05 0002 01 20 20", "", RESET, 15, 9, "",
     0},
    {"C111 MP_UNREACH of 2 octets", EXT, "", "80 0F 02 0002", "", RESET, 15, 9, "", 0},
    {"C112 EXTENDED COMMUNITIES length 0", EXT, "", BASE "C0 10 00", NET, WITHDRAW, 16, 0, TEN, 0},
    {"C112 EXTENDED COMMUNITIES length 9", EXT, "", BASE "C0 10 09 000000000000000000", NET,
     WITHDRAW, 16, 0, TEN, 0},
    {"C114 LARGE_COMMUNITY length 0", EXT, "", BASE "C0 20 00", NET, WITHDRAW, 32, 0, TEN, 0},
    {"C114 LARGE_COMMUNITY length 13", EXT, "", BASE "C0 20 0D 00000000000000000000000000", NET,
     WITHDRAW, 32, 0, TEN, 0},
    {"C115 ORIGIN twice, the first counts", EXT, "", BASE "40 01 01 02", NET, DISCARD, 1, 0, TEN,
     BASE},
    {"C115 MED twice, the second damaged", EXT, "", BASE "80 04 04 00000007 80 04 01 00", NET,
     DISCARD, 4, 0, TEN, BASE "80 04 04 00000007"},
    {"C115 unknown attribute twice", EXT, "", BASE "E0 63 01 01 E0 63 01 02", NET, DISCARD, 99, 0,
     TEN, BASE "E0 63 01 01"},
    {"C116 MP_REACH twice", EXT, "", ORIGIN PATH REACH6 REACH6, "", RESET, 14, 1, "+2001:db8::/32",
     0},
    {"C116 MP_UNREACH twice", EXT, "", "80 0F 03 0002 01 80 0F 03 0002 01", "", RESET, 15, 1, "",
     0},
    {"C117 ORIGIN missing", EXT, "", PATH HOP, NET, WITHDRAW, 1, 0, TEN, 0},
    {"C117 AS_PATH missing", EXT, "", ORIGIN HOP, NET, WITHDRAW, 2, 0, TEN, 0},
    {"C117 NEXT_HOP missing", EXT, "", ORIGIN PATH, NET, WITHDRAW, 3, 0, TEN, 0},
    {"C117 AS_PATH missing with MP_REACH", EXT, "", ORIGIN REACH6, "", WITHDRAW, 2, 0,
     "+2001:db8::/32", 0},
    {"C117 NEXT_HOP missing, MP_REACH as well", EXT, "", ORIGIN PATH REACH6, NET, WITHDRAW, 3, 0,
     TEN " +2001:db8::/32", 0},
    {"C118 unknown well-known attribute", EXT, "", BASE "40 63 01 07", NET, RESET, 99, 2, TEN, 0},
    {"C119 last attribute too long", EXT, "", BASE "C0 08 05 00010001", NET, WITHDRAW, 8, 0, TEN,
     0},
    {"C119 extended length 1024, 4 octets follow (B28)", EXT, "", BASE "D0 23 0400 0000FDE9", NET,
     WITHDRAW, 35, 0, TEN, 0},
    {"C120 1 octet left over", EXT, "", BASE "40", NET, WITHDRAW, 0, 0, TEN, 0},
    {"C120 2 octets left over", EXT, "", BASE "40 01", NET, WITHDRAW, 1, 0, TEN, 0},
    {"C120 3 octets left over, extended", EXT, "", BASE "50 01 00", NET, WITHDRAW, 1, 0, TEN, 0},
    {"C122 NLRI length 33", EXT, "", BASE, "21 0A000000 00", RESET, 0, 10, "", 0},
    {"C122 NLRI length 255", EXT, "", BASE, "FF 0A", RESET, 0, 10, "", 0},
    {"C122 NLRI truncated", EXT, "", BASE, "18 0A00", RESET, 0, 10, "", 0},
    {"C122 withdrawn length 33", EXT, "21 0A00000000", "", "", RESET, 0, 10, "", 0},
    {"C122 withdrawn truncated", EXT, "08", "", "", RESET, 0, 10, "", 0},
    {"C123 discard and withdraw", EXT, "", BASE "40 06 01 00 80 04 01 00", NET, WITHDRAW, 4, 0, TEN,
     0},
    {"C123 withdraw and reset", EXT, "", "40 01 01 09 " PATH HOP "40 63 00", NET, RESET, 99, 2, TEN,
     0},
    {"C124 attribute error, only withdrawals", EXT, NET, "40 01 01 09", "", WITHDRAW, 1, 0,
     "-10.0.0.0/8", 0},
    {"C124 the same in MP_UNREACH", EXT, "", "80 0F 08 0002 01 20 20010DB8 40 01 01 09", "",
     WITHDRAW, 1, 0, "-2001:db8::/32", 0},
    {"7606 5.2 attribute error, no prefixes at all", EXT, "", "40 01 01 09", "", RESET, 1, 1, "",
     0},
    {"7606 5.2 attributes lost, only withdrawals", EXT, NET, "40 01 05 00", "", RESET, 1, 1,
     "-10.0.0.0/8", 0},
    {"7606 5.2 discard alone resets nothing", EXT, "", "40 06 01 00", "", DISCARD, 6, 0, "", 0},
    {"C126 no attributes at all (B15)", EXT, "", "", NET, WITHDRAW, 1, 0, TEN, 0},
    {"B20 MP_UNREACH and NLRI without attributes", EXT, "", "80 0F 03 0002 01", NET, WITHDRAW, 1, 0,
     TEN, 0},
    {"C128 iBGP has no reset where eBGP has none", INT, "", "40 01 00 " PATH HOP, NET, WITHDRAW, 1,
     0, TEN, 0},
    {"C143 AS4_PATH from a NEW speaker", EXT, "", BASE "C0 11 06 02 01 00010000", NET, DISCARD, 17,
     0, TEN, BASE},
    {"C143 AS4_AGGREGATOR from a NEW speaker", EXT, "", BASE "C0 12 08 00010000 01020304", NET,
     DISCARD, 18, 0, TEN, BASE},
    {"C210 OTC length 5", EXT, "", BASE "C0 23 05 0000FDE900", NET, WITHDRAW, 35, 0, TEN, 0},
    {"C210 OTC 0", EXT, "", BASE "C0 23 04 00000000", NET, WITHDRAW, 35, 0, TEN, 0},
    {"MP_REACH next hop ::1", EXT, "",
     ORIGIN PATH "80 0E 1A 0002 01 10 00000000000000000000000000000001 00 " NET6, "", WITHDRAW, 14,
     0, "+2001:db8::/32", 0},
};

/* From an OLD speaker: what stands in `again` is the merged path, written with four octets. */
static const struct update_case as4_cases[] = {
    {"C140 nothing to merge", OLD, "", ORIGIN PATH2 HOP, NET, OK, 0, 0, TEN, BASE},
    {"C141 AS4_PATH as long as AS_PATH", OLD, "",
     ORIGIN "40 02 06 02 02 5BA0 FDE9 " HOP "C0 11 0A 02 02 00010000 0000FDE9", NET, OK, 0, 0, TEN,
     ORIGIN "40 02 0A 02 02 00010000 0000FDE9 " HOP},
    {"C141 AS4_PATH shorter, joined to one sequence", OLD, "",
     ORIGIN "40 02 08 02 03 0007 5BA0 FDE9 " HOP "C0 11 0A 02 02 00010000 0000FDE9", NET, OK, 0, 0,
     TEN, ORIGIN "40 02 0E 02 03 00000007 00010000 0000FDE9 " HOP},
    {"C141 AS4_PATH longer is ignored", OLD, "",
     ORIGIN PATH2 HOP "C0 11 0A 02 02 00010000 0000FDE9", NET, OK, 0, 0, TEN, BASE},
    {"C141 a set counts one", OLD, "",
     ORIGIN "40 02 0E 02 02 0007 5BA0 01 03 0001 0002 5BA0 " HOP
            "C0 11 10 02 01 00010000 01 02 00000001 00020000",
     NET, OK, 0, 0, TEN, ORIGIN "40 02 14 02 02 00000007 00010000 01 02 00000001 00020000 " HOP},
    {"C141 confederation segment kept in front", INT_OLD, "",
     ORIGIN "40 02 08 03 01 FC00 02 01 5BA0 " HOP "C0 11 06 02 01 00010000", NET, OK, 0, 0, TEN,
     ORIGIN "40 02 0C 03 01 0000FC00 02 01 00010000 " HOP},
    {"C145 confederation segment in AS4_PATH dropped", OLD, "",
     ORIGIN "40 02 04 02 01 5BA0 " HOP "C0 11 0C 03 01 0000FC00 02 01 00010000", NET, OK, 0, 0, TEN,
     ORIGIN "40 02 06 02 01 00010000 " HOP},
    {"B30 AS4_PATH before AS_PATH", OLD, "",
     "C0 11 06 02 01 00010000 " ORIGIN "40 02 04 02 01 5BA0 " HOP, NET, OK, 0, 0, TEN,
     ORIGIN "40 02 06 02 01 00010000 " HOP},
    {"C144 malformed AS4_PATH", OLD, "", ORIGIN PATH2 HOP "C0 11 05 02 01 000100", NET, DISCARD, 17,
     0, TEN, BASE},
    {"C144 AS 0 in AS4_PATH", OLD, "", ORIGIN PATH2 HOP "C0 11 06 02 01 00000000", NET, DISCARD, 17,
     0, TEN, BASE},
    {"C142 AGGREGATOR not AS_TRANS", OLD, "",
     ORIGIN "40 02 04 02 01 5BA0 " HOP
            "C0 07 06 FDE9 01020304 C0 11 06 02 01 00010000 C0 12 08 00010000 05060708",
     NET, OK, 0, 0, TEN, ORIGIN "40 02 06 02 01 00005BA0 " HOP "C0 07 08 0000FDE9 01020304"},
    {"C140 AS4_AGGREGATOR", OLD, "",
     ORIGIN PATH2 HOP "C0 07 06 5BA0 01020304 C0 12 08 00010000 05060708", NET, OK, 0, 0, TEN,
     BASE "C0 07 08 00010000 05060708"},
    {"AS4_AGGREGATOR of 7 octets", OLD, "", ORIGIN PATH2 HOP "C0 12 07 00010000 050607", NET,
     DISCARD, 18, 0, TEN, BASE},
};

/* ---- running a row ---- */

struct update_state {
    struct arena *scratch;
    uint8_t body[8192];
    size_t size;
};

static int update_setup(void **state) {
    struct update_state *s = calloc(1, sizeof *s);
    assert_non_null(s);
    s->scratch = arena_new();
    *state = s;
    return 0;
}

static int update_teardown(void **state) {
    struct update_state *s = *state;
    arena_free(s->scratch);
    free(s);
    return 0;
}

static size_t update_field(struct update_state *s, const char *hex) {
    size_t start = s->size;
    s->size = codec_hex(hex, s->body, start + 2, sizeof s->body);
    s->body[start] = (uint8_t)((s->size - start - 2) >> 8);
    s->body[start + 1] = (uint8_t)(s->size - start - 2);
    return start;
}

static void update_build(struct update_state *s, const char *withdrawn, const char *attrs,
                         const char *nlri) {
    s->size = 0;
    update_field(s, withdrawn);
    update_field(s, attrs);
    s->size = codec_hex(nlri, s->body, s->size, sizeof s->body);
}

/* The decoder gets a copy of exact size, so that reading past the end is seen. */
static void update_run(struct update_state *s, enum update_peer peer, struct bgp_update *ret) {
    arena_reset(s->scratch);
    uint8_t *body = arena_alloc(s->scratch, s->size + 1);
    uint8_t *exact = malloc(s->size ? s->size : 1);
    assert_non_null(exact);
    memcpy(exact, s->body, s->size);
    struct bgp_update first;
    update_decode(&codecs[peer], exact, s->size, s->scratch, &first);
    free(exact);
    memcpy(body, s->body, s->size);
    update_decode(&codecs[peer], body, s->size, s->scratch, ret);
    assert_int_equal(first.outcome, ret->outcome);
    assert_int_equal(first.announced_count, ret->announced_count);
}

static void update_list(const struct bgp_nlri *n, char sign, struct text *out) {
    struct ip_prefix p;
    char text[IP_PREFIX_TEXT_MAX];
    for (uint32_t at = 0; nlri_next(n, &at, &p);) {
        assert_true(ip_prefix_is_masked(p));
        text_printf(out, "%s%c%s", out->size ? " " : "", sign, ip_prefix_format(p, text));
    }
}

static void update_check_again(const struct update_case *c, const struct bgp_update *u) {
    uint8_t out[4096];
    struct byte_writer w = bytes_writer(out, sizeof out);
    bool ipv4 = u->attrs.next_hop.family == IP_V4;
    struct attr_encoding how = {.as4 = true, .family = ipv4 ? BGP_IPV4_UNICAST : BGP_IPV6_UNICAST};
    assert_true(attr_encode(&u->attrs, &how, &w));
    codec_assert_bytes(c->name, out, w.at, strcmp(c->again, "=") == 0 ? c->attrs : c->again);
}

static void update_check(struct update_state *s, const struct update_case *c) {
    struct bgp_update u;
    struct text prefixes;
    update_build(s, c->withdrawn, c->attrs, c->nlri);
    update_run(s, c->peer, &u);
    text_init(&prefixes);
    for (uint8_t i = 0; i < u.withdrawn_count; i++) {
        update_list(&u.withdrawn[i], '-', &prefixes);
    }
    for (uint8_t i = 0; i < u.announced_count; i++) {
        update_list(&u.announced[i], '+', &prefixes);
    }
    bool good = u.outcome == c->outcome && u.worst_attribute == c->worst &&
                u.error.code == (c->outcome == RESET ? BGP_ERR_UPDATE : 0) &&
                u.error.subcode == c->subcode &&
                (!c->prefixes || strcmp(text_str(&prefixes), c->prefixes) == 0);
    if (!good) {
        print_error("%s: got %s by %u (%u/%u), prefixes \"%s\"\n", c->name,
                    bgp_outcome_name(u.outcome), u.worst_attribute, u.error.code, u.error.subcode,
                    text_str(&prefixes));
    }
    assert_true(good);
    text_deinit(&prefixes);
    if (c->again) {
        update_check_again(c, &u);
    }
}

/* One row of a table, with a state of its own. */
static void test_case(void **state) {
    void *own = NULL;
    const struct update_case *c = *state;
    assert_int_equal(update_setup(&own), 0);
    update_check(own, c);
    update_teardown(&own);
}

/* ---- framing and single facts ---- */

static void test_C121_framing(void **state) {
    static const struct {
        const char *name, *body;
        uint8_t subcode; /* 0: fine */
    } cases[] = {
        {"C121 withdrawn length beyond the message", "0005 0000", 1},
        {"C121 attribute length beyond the message", "0000 0001", 1},
        {"C121 both, 65535", "FFFF FFFF", 1},
        {"C121 attribute length cut off", "0002 080A 00", 1},
        {"C121 sum one too large", "0002 080A 0004 400101", 1},
        {"C062 exactly empty", "0000 0000", 0},
    };
    struct update_state *s = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bgp_update u;
        s->size = codec_hex(cases[i].body, s->body, 0, sizeof s->body);
        update_run(s, EXT, &u);
        if (u.error.subcode != cases[i].subcode) {
            fail_msg("%s: subcode %u", cases[i].name, u.error.subcode);
        }
    }
}

static void test_C135_end_of_rib(void **state) {
    static const struct {
        const char *name;
        enum update_peer peer;
        const char *withdrawn, *attrs;
        bool is_end;
        enum bgp_family family;
        bool foreign;
    } cases[] = {
        {"C135 IPv4", EXT, "", "", true, BGP_IPV4_UNICAST, false},
        {"C135 IPv6", EXT, "", "80 0F 03 0002 01", true, BGP_IPV6_UNICAST, false},
        {"C135 IPv4 as MP_UNREACH", EXT, "", "80 0F 03 0001 01", true, BGP_IPV4_UNICAST, false},
        {"C135 IPv6 not negotiated", V4, "", "80 0F 03 0002 01", false, 0, true},
        {"C135 IPv4 not negotiated", V6, "", "", false, 0, true},
        {"C135 not with withdrawals", EXT, NET, "80 0F 03 0002 01", false, 0, false},
        {"C135 not with attributes", EXT, "", "80 0F 03 0002 01 " ORIGIN, false, 0, false},
        {"C135 not with prefixes in it", EXT, "", "80 0F 05 0002 01 08 20", false, 0, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bgp_update u;
        update_build(*state, cases[i].withdrawn, cases[i].attrs, "");
        update_run(*state, cases[i].peer, &u);
        if (u.end_of_rib != cases[i].is_end || u.foreign_family != cases[i].foreign ||
            (u.end_of_rib && u.end_of_rib_family != cases[i].family)) {
            fail_msg("%s: end of rib %d, foreign %d", cases[i].name, u.end_of_rib,
                     u.foreign_family);
        }
    }
}

static void test_C118_reset_carries_attribute(void **state) {
    struct bgp_update u;
    update_build(*state, "", BASE "40 63 02 BEEF", NET);
    update_run(*state, EXT, &u);
    codec_assert_bytes("C118 data", u.error.data, u.error.size, "40 63 02 BEEF");
    update_build(*state, "", ORIGIN PATH "80 0E 08 0002 01 20 20010DB8", "");
    update_run(*state, EXT, &u);
    codec_assert_bytes("C110 data", u.error.data, u.error.size, "80 0E 08 0002 01 20 20010DB8");
}

static void test_C131_next_hops(void **state) {
    struct bgp_update u;
    char text[IP_ADDR_TEXT_MAX];
    update_build(*state, "", BASE "80 0E 2A 0002 01 20 " G6 LL6 "00 " NET6, NET);
    update_run(*state, EXT, &u);
    assert_int_equal(u.outcome, OK);
    assert_int_equal(u.announced_count, 2);
    assert_string_equal(ip_format(u.next_hop[0], text), "10.0.0.2");
    assert_string_equal(ip_format(u.next_hop[1], text), "2001:db8::1");
    assert_string_equal(ip_format(u.link_local[1], text), "fe80::1");
    assert_string_equal(ip_format(u.attrs.next_hop, text), "10.0.0.2");
    assert_false(ip_is_set(u.attrs.link_local));
    update_build(*state, "", ORIGIN PATH "80 0E 2A 0002 01 20 " G6 LL6 "00 " NET6, "");
    update_run(*state, EXT, &u);
    assert_string_equal(ip_format(u.attrs.next_hop, text), "2001:db8::1");
    assert_string_equal(ip_format(u.attrs.link_local, text), "fe80::1");
    /* C131: what stands in the second place but is no link-local address is not used as one. */
    update_build(*state, "", ORIGIN PATH "80 0E 2A 0002 01 20 " G6 G6 "00 " NET6, "");
    update_run(*state, EXT, &u);
    assert_false(ip_is_set(u.link_local[0]));
}

static void test_limits(void **state) {
    struct update_state *s = *state;
    struct bgp_update u;
    /* I8: more unknown attributes than are kept: the rest is discarded, the route stays. */
    update_build(s, "", BASE, "");
    size_t attrs_at = 4;
    size_t count = 0;
    for (unsigned code = 64; code < 64 + BGP_ATTRS_UNKNOWN_MAX + 1; code++, count++) {
        const uint8_t one[] = {0xC0, (uint8_t)code, 1, 7};
        memcpy(s->body + s->size, one, sizeof one);
        s->size += sizeof one;
    }
    s->body[2] = (uint8_t)((s->size - attrs_at) >> 8);
    s->body[3] = (uint8_t)(s->size - attrs_at);
    s->size = codec_hex(NET, s->body, s->size, sizeof s->body);
    update_run(s, EXT, &u);
    assert_int_equal(u.outcome, DISCARD);
    assert_int_equal(u.attrs.unknown_count, BGP_ATTRS_UNKNOWN_MAX);
    for (uint32_t i = 0; i < u.attrs.unknown_count; i++) {
        assert_int_equal(u.attrs.unknown[i].code, 64 + i);
    }
}

/* An UPDATE from a two-octet speaker with an AS_PATH of `count` ASes. */
static void update_build_long_path(struct update_state *s, unsigned count) {
    update_build(s, "", ORIGIN HOP "50 02 0000", "");
    size_t length_at = s->size - 2;
    for (unsigned left = count; left > 0;) {
        unsigned size = left < 255 ? left : 255;
        s->body[s->size++] = AS_SEQUENCE;
        s->body[s->size++] = (uint8_t)size;
        for (unsigned i = 0; i < size; i++) {
            s->body[s->size++] = 0x10;
            s->body[s->size++] = (uint8_t)i;
        }
        left -= size;
    }
    size_t length = s->size - length_at - 2;
    s->body[length_at] = (uint8_t)(length >> 8);
    s->body[length_at + 1] = (uint8_t)length;
    s->body[2] = (uint8_t)((s->size - 4) >> 8);
    s->body[3] = (uint8_t)(s->size - 4);
    s->size = codec_hex(NET, s->body, s->size, sizeof s->body);
}

static void test_long_paths(void **state) {
    static const unsigned counts[] = {254, 255, 256, 750, BGP_AS_PATH_MAX, BGP_AS_PATH_MAX + 1};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        struct bgp_update u;
        update_build_long_path(*state, counts[i]);
        update_run(*state, OLD, &u);
        bool fits = counts[i] <= BGP_AS_PATH_MAX;
        assert_int_equal(u.outcome, fits ? OK : WITHDRAW);
        assert_int_equal(as_path_length(u.attrs.as_path), fits ? counts[i] : 0);
    }
}

/* ---- sweeps ---- */

/* What must hold of any outcome: lists can be walked, sets can be built, a reset has a reason. */
static void update_check_sane(const struct bgp_update *u) {
    struct ip_prefix p;
    assert_true(u->outcome <= BGP_OUTCOME_SESSION_RESET);
    assert_int_equal(u->error.code != 0, u->outcome == BGP_OUTCOME_SESSION_RESET);
    assert_true(u->announced_count <= 2 && u->withdrawn_count <= 2);
    for (uint8_t i = 0; i < u->announced_count; i++) {
        for (uint32_t at = 0; nlri_next(&u->announced[i], &at, &p);) {
            assert_true(ip_prefix_is_masked(p));
        }
        if (u->outcome < BGP_OUTCOME_TREAT_AS_WITHDRAW) {
            assert_true(ip_is_set(u->next_hop[i]));
        }
    }
}

static void update_sweep_one(struct update_state *s, unsigned code, unsigned flags, size_t length,
                             uint8_t fill) {
    update_build(s, "", BASE, "");
    s->body[s->size++] = (uint8_t)(flags << 4);
    s->body[s->size++] = (uint8_t)code;
    if (flags & 1) {
        s->body[s->size++] = (uint8_t)(length >> 8);
    }
    s->body[s->size++] = (uint8_t)length;
    memset(s->body + s->size, fill, length);
    s->size += length;
    s->body[2] = (uint8_t)((s->size - 4) >> 8);
    s->body[3] = (uint8_t)(s->size - 4);
    s->size = codec_hex(NET, s->body, s->size, sizeof s->body);
    for (enum update_peer peer = EXT; peer <= OLD; peer++) {
        struct bgp_update u;
        arena_reset(s->scratch);
        update_decode(&codecs[peer], s->body, s->size, s->scratch, &u);
        update_check_sane(&u);
    }
}

/* I4: every code, flag nibble and length; the classic prefix is never lost but by a reset. */
static void test_sweep_attributes(void **state) {
    static const size_t lengths[] = {0, 1, 2, 3, 4, 5, 8, 20, 255, 256};
    for (unsigned code = 0; code < 256; code++) {
        for (unsigned flags = 0; flags < 16; flags++) {
            for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
                update_sweep_one(*state, code, flags, lengths[i], 0x00);
                update_sweep_one(*state, code, flags, lengths[i], 0xFF);
            }
        }
    }
}

#define EVERYTHING                                                                                 \
    REACH6 BASE "80 04 04 00000001 40 05 04 00000064 40 06 00 C0 07 08 0000FDE9 01020304 "         \
                "C0 08 08 00010001 FFFFFF01 80 09 04 01020304 80 0A 04 05060708 "                  \
                "80 0F 08 0002 01 20 20010DB9 C0 10 08 0002000100000001 "                          \
                "C0 11 06 02 01 00010000 C0 12 08 00010000 01020304 "                              \
                "C0 20 0C 000000010000000200000003 C0 23 04 0000FDE9 D0 63 0003 010203"

/* I2: every truncation, length fields left or fixed up; I3: every octet set to edge values. */
static void test_sweep_truncations(void **state) {
    static const uint8_t edges[] = {0, 1, 127, 128, 255};
    struct update_state *s = *state;
    struct bgp_update u;
    update_build(s, "18 C00002", EVERYTHING, "08 0A 18 0A0000");
    size_t whole = s->size;
    for (size_t size = 0; size < whole; size++) {
        for (enum update_peer peer = EXT; peer <= INT_OLD; peer++) {
            s->size = size;
            update_run(s, peer, &u);
            update_check_sane(&u);
        }
    }
    for (size_t at = 0; at < whole; at++) {
        uint8_t kept = s->body[at];
        s->size = whole;
        for (size_t i = 0; i < sizeof edges + 2; i++) {
            uint8_t near = (uint8_t)(i == sizeof edges ? kept - 1 : kept + 1);
            s->body[at] = i < sizeof edges ? edges[i] : near;
            update_run(s, INT, &u);
            update_check_sane(&u);
        }
        s->body[at] = kept;
    }
}

/* The n-th allocation fails: out of resources, never a wrong route. */
static void test_no_memory(void **state) {
    (void)state;
    uint8_t body[4096];
    struct update_state s = {0};
    update_build(&s, "", EVERYTHING, NET);
    memcpy(body, s.body, s.size);
    bool failed = false;
    for (unsigned long n = 1; n < 3; n++) {
        struct arena *scratch = arena_new();
        struct bgp_update u;
        alloc_fail_after(n, true);
        update_decode(&codecs[INT], body, s.size, scratch, &u);
        alloc_fail_after(0, false);
        if (u.outcome == RESET) {
            failed = true;
            assert_int_equal(u.error.code, BGP_ERR_CEASE);
            assert_int_equal(u.error.subcode, BGP_CEASE_OUT_OF_RESOURCES);
        } else {
            assert_int_equal(u.outcome, DISCARD); /* AS4_* from a NEW speaker */
        }
        arena_free(scratch);
    }
    assert_true(failed);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_C121_framing, update_setup, update_teardown),
        cmocka_unit_test_setup_teardown(test_C135_end_of_rib, update_setup, update_teardown),
        cmocka_unit_test_setup_teardown(test_C118_reset_carries_attribute, update_setup,
                                        update_teardown),
        cmocka_unit_test_setup_teardown(test_C131_next_hops, update_setup, update_teardown),
        cmocka_unit_test_setup_teardown(test_limits, update_setup, update_teardown),
        cmocka_unit_test_setup_teardown(test_long_paths, update_setup, update_teardown),
        cmocka_unit_test_setup_teardown(test_sweep_attributes, update_setup, update_teardown),
        cmocka_unit_test_setup_teardown(test_sweep_truncations, update_setup, update_teardown),
        cmocka_unit_test(test_no_memory),
    };
    static struct cases all;
    CASES_ADD_TABLE(&all, sound_cases, test_case);
    CASES_ADD_TABLE(&all, damage_cases, test_case);
    CASES_ADD_TABLE(&all, as4_cases, test_case);
    cases_add_tests(&all, tests, sizeof tests / sizeof tests[0]);
    return cases_run(&all, "update");
}
