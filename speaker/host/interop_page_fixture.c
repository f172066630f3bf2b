/*
 * The page of a run: speaker/INTEROP.md.
 *
 * Owns its words. What a program lacks is said in the cell, and what it does differently below the
 * table; both are what runs and their messages have shown.
 */
#include "interop_rows_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char head[] =
    "# Interoperability\n\n"
    "Written by `speaker/host/interop_test.c` with `INTEROP_WRITE=1`, not by hand. Each cell is a\n"
    "test with real processes in network namespaces: our speaker on one side, the program as\n"
    "Debian 12 packages it on the other (`.ci/peers` fetches them). A cell without a \"yes\" or a\n"
    "\"**no**\" was not run: the program does not have what the row is about, or a dash, the row "
    "is\n"
    "for another one.\n\n"
    "|  |";

static const char legend[] =
    "\n"
    "## The rows\n"
    "\n"
    "- **routes**: two routes a family each way; one with ORIGIN, AS_PATH, MED, LOCAL_PREF, "
    "communities\n"
    "  and large communities set; both kernels' tables; withdrawn and announced again while the "
    "session\n"
    "  stays. IPv6 routes travel over IPv6.\n"
    "- **every attribute of a third**: a source whose octets are written out in\n"
    "  `interop_source_fixture.c` announces a route with ORIGIN, an AS_PATH of four octets with an "
    "AS_SET,\n"
    "  MED, ATOMIC_AGGREGATE, AGGREGATOR of a four-octet AS, communities, large and extended "
    "communities\n"
    "  and an unknown transitive attribute; what is passed on in an internal session is compared "
    "whole,\n"
    "  the unknown attribute's Partial bit (RFC 4271 5) with it.\n"
    "- **several paths**: two sources, one prefix, both paths at the other side (RFC 7911); then "
    "one source\n"
    "  goes and the other path stays.\n"
    "- **reflection**: ORIGINATOR_ID and CLUSTER_LIST are among what is compared.\n"
    "- **collisions**: OPEN messages are held back until each side has connected to the other; "
    "the\n"
    "  connection that stays must be the one of the higher identifier (RFC 4271 6.8).\n"
    "- **graceful restart**: one side is killed and comes back without its plain routes. What it "
    "had stays\n"
    "  with the other until its End-of-RIB, then the plain routes go and nothing else: counted "
    "from what\n"
    "  the kernel says it deleted, in ours also of the routes we had ourselves.\n"
    "- **flaps**: every other one by us, Cease/Administrative Reset, and by them. Both sides' "
    "counts of\n"
    "  sessions must be exact (of a program that has no two connections both sides call, and a few "
    "calls\n"
    "  may cross), and after the hundredth routes, attribute sets, update groups, sockets and "
    "memory "
    "of\n"
    "  ours are what they were after the tenth.\n"
    "- BIRD 1.6 is configured as Calico's template does: multihop, gateway recursive, add paths, "
    "graceful\n"
    "  restart, connect delay 2, connect retry 5, error wait 5,30. Flaps and collisions use waits "
    "of one\n"
    "  second. Our profile is `fast` where nothing else is said.\n"
    "\n"
    "`INTEROP_MRT=folder` with one program and one row keeps every message of ours for `ribcage "
    "decode`;\n"
    "what follows was read from that.\n"
    "\n"
    "## What the programs do their own way\n"
    "\n"
    "- BIRD 1.6 waits in whole seconds: its connect timer often fires in the very turn in which "
    "it\n"
    "  answers our OPEN, and it connects once more although the session is about to be up.\n"
    "- FRR sends MED 0 with routes of `network`, and adds MED 0 to a route without one that it "
    "reflects.\n"
    "  It applies a route map that stands behind its use in the file only seconds later, after\n"
    "  End-of-RIB: a helper has dropped the routes by then.\n"
    "- FRR answers a call with NOTIFICATION 5/0 before any OPEN as long as the interface has no "
    "IPv6\n"
    "  link-local address: after our OPEN for IPv6 nothing came but 5/0, again and again, while "
    "bgpd's log\n"
    "  said \"does not have a v6 LL address associated with it\". With an address that needs no "
    "duplicate\n"
    "  detection it is gone.\n"
    "- FRR sets the R bit in every OPEN for two minutes after its start, whatever its restart "
    "time: when\n"
    "  we restart in that time RFC 4724 4.1 has us not wait for its End-of-RIB, and our kernel "
    "routes\n"
    "  through it may go for a moment.\n"
    "- FRR takes no call for a second after each session: its flaps take as long as the rest of "
    "the page.\n"
    "- GoBGP sends its own routes to clients with ORIGINATOR_ID and CLUSTER_LIST, as if they were\n"
    "  reflected. Its soft reset asks for nothing (it keeps what it received). After a session it "
    "takes\n"
    "  and makes no call for five seconds and more; flaps take the neighbour out of its "
    "configuration\n"
    "  and put it back. It runs without zebra here: its kernel's table is not looked at.\n"
    "- GoBGP knows no collision: while a connection of its own is in OpenSent it accepts another "
    "and\n"
    "  closes it at once, without reading the OPEN and without a NOTIFICATION, be its identifier "
    "the\n"
    "  lower one (\"Closed an accepted connection\" in its log). RFC 4271 6.8 has it keep that "
    "one.\n"
    "- OpenBGPD ignores every ROUTE-REFRESH for a family that was negotiated and logs \"AID not\n"
    "  negotiated\"; its test is the wrong way round, for another OpenBGPD 7.7 gets no other "
    "answer. What\n"
    "  we send is `route-refresh`, IPv4 unicast, subtype 0, after an OPEN with capabilities 1 and "
    "2.\n"
    "- OpenBGPD closes a second connection as soon as its own is in OpenSent: no collision either. "
    "On\n"
    "  Linux its listening socket has no key, so signed calls count as TCPMD5Unexpected and go\n"
    "  unanswered; its own calls are signed. It cannot set an AS_PATH of its own choice on a "
    "network. It\n"
    "  runs without kernel routes, and keeps none over a restart. It is idle for half a minute "
    "after a\n"
    "  session unless told `neighbor up`.\n"
    "- ExaBGP answers a ROUTE-REFRESH with the end of the session where enhanced refresh was "
    "negotiated\n"
    "  (RFC 7313): it wraps the beginning-of-refresh message into an UPDATE, which raises an "
    "exception,\n"
    "  and the connection is closed without a NOTIFICATION. It is asked for nothing here. In a "
    "collision\n"
    "  its check reads the OPEN of a connection that has none yet, again by exception.\n"
    "- ExaBGP keeps no routes of others, chooses none and passes none on: the routes of the "
    "sources are in\n"
    "  its own configuration, and it keeps nothing for a neighbour that restarts.\n";

/* Why a row is not run with a program. */
static const struct {
    enum interop_ability ability;
    const char *words;
} lacks[] = {
    {CAN_COLLIDE, "has no two connections"}, {CAN_REFLECT, "passes nothing on"},
    {CAN_RESTART, "forgets its routes"},     {CAN_SIGN_PASSIVE, "takes no signed call"},
    {CAN_HELP, "keeps nothing for others"},
};

bool interop_row_applies(const struct interop_row *row, const struct program *p) {
    return (!row->only || row->only == p) && !(row->needs & p->lacks);
}

static const char *reason(const struct interop_row *row, const struct program *p) {
    for (size_t i = 0; i < sizeof lacks / sizeof lacks[0]; i++)
        if (row->needs & p->lacks & lacks[i].ability)
            return lacks[i].words;
    return "–";
}

static void put_cell(FILE *f, const struct interop_row *row, const struct program *p,
                     const struct interop_cell *c) {
    static const char *const words[] = {
        [CELL_SKIPPED] = "not run", [CELL_FAILED] = "**no**", [CELL_HELD] = "yes"};
    if (c->result == CELL_NONE)
        fprintf(f, " %s |", reason(row, p));
    else
        fprintf(f, " %s%s%s |", words[c->result], c->note[0] ? ", " : "", c->note);
}

/* The package's version, as .ci/peers has noted it. */
static void put_version(FILE *f, const struct program *p) {
    char version[80] = "";
    FILE *in = fopen(interop_path(p, "version"), "re");
    if (in && fgets(version, sizeof version, in))
        version[strcspn(version, "\n")] = '\0';
    if (in)
        fclose(in);
    fprintf(f, " %s |", version[0] ? version : "not known");
}

void interop_page_write(const char *path, const struct program *const programs[], unsigned count,
                        const struct interop_cell *const cells[]) {
    FILE *f = fopen(path, "w");
    if (!f) {
        perror(path);
        exit(1);
    }
    fputs(head, f);
    for (unsigned p = 0; p < count; p++)
        fprintf(f, " %s |", programs[p]->title);
    fputs("\n|---|", f);
    for (unsigned p = 0; p < count; p++)
        fputs("---|", f);
    fputs("\n| Debian's version |", f);
    for (unsigned p = 0; p < count; p++)
        put_version(f, programs[p]);
    for (unsigned i = 0; i < interop_row_count; i++) {
        fprintf(f, "\n| %s |", interop_rows[i].name);
        for (unsigned p = 0; p < count; p++)
            put_cell(f, &interop_rows[i], programs[p], &cells[p][i]);
    }
    fputs("\n", f);
    fputs(legend, f);
    fclose(f);
}
