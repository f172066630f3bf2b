/*
 * Why a statement is kept without effect, in the words of `ribcage ios check`.
 *
 * Owns: the reasons, found by a piece of the statement's pattern; the first that fits stands.
 * Leaves: which statements have no effect to ios_grammar.c (ROW_IGNORED, ROW_KEPT).
 */
#include "ios_match.h"

#include <string.h>

static const struct {
    const char *pattern;
    const char *why;
} REASONS[] = {
    {"fall-over", "kept; without BFD and maps of routes, only the plain fall-over is done"},
    {"capability orf", "kept; what the list refuses is sent all the same and refused on arrival"},
    {"capability", "kept; capabilities follow from the families and options"},
    {"dont-capability-negotiate", "kept; the OPEN always has its capabilities"},
    {"transport path-mtu", "kept; the host's TCP looks for the path's MTU itself"},
    {"path-mtu-discovery", "kept; the host's TCP looks for the path's MTU itself"},
    {"route-server-client context", "kept; there are no contexts, a client is told the best paths"},
    {"nexthop trigger delay", "kept; a change of a next hop is acted upon at once"},
    {"nexthop route-map", "kept; every route that reaches a next hop will do"},
    {"send-label", "kept; there are no labels"},
    {"log-neighbor-changes [~disable]", "kept; bgp log-neighbor-changes decides for all"},
    {"slow-peer", "kept; who reads slowly never holds others up"},
    {"shutdown graceful", "kept; the session stays up until a plain shutdown"},
    {"advertise {best-external|diverse-path}", "kept; the best path alone is sent"},
    {"cost-community", "kept; cost communities are not looked at"},
    {"bestpath", "kept; this step of the decision is not made"},
    {"suppress-inactive", "kept; the best path alone is sent, whatever else the router has"},
    {"redistribute", "kept; there is no such protocol to redistribute from"},
    {"{ipv4|ipv6} {vrf", "kept; there are no VRFs"},
    {"vpnv4", "kept; families are IPv4 and IPv6 unicast"},
    {"permit", "kept; a list of routes looks at IP addresses alone"},
};

const char *ios_ignored_reason(const struct ios_row *row) {
    for (size_t i = 0; i < sizeof REASONS / sizeof *REASONS; i++)
        if (strstr(row->pattern, REASONS[i].pattern))
            return REASONS[i].why;
    return "kept; this router does not do it";
}
