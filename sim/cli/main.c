/*
 * ribcage: the table of verbs.
 */

#include "cli.h"

#include "../../speaker/base/standard_fds.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

static const struct verb verbs[] = {
    {"run", "test", "SCENARIO… [--set KEY=VALUE]…",
     "Builds the scenario's network, walks through its steps, reports, takes it down.",
     "sjoqSpbr1RWfMyz", verb_run},
    {"scale", NULL, "SCENARIO… --set nodes=10,30,100 | --resume SERIES",
     "Runs scenarios at several sizes: what they cost, how that grows, what larger ones would "
     "take.",
     "sjoqprRuKyf", verb_scale},
    {"plan", NULL, "PATH… [--cisco FILE]… [--node NAME] [-o FORM] | --diff OLD NEW [--prune]",
     "Prints which sessions every node would have; builds nothing.", "jOncDxveig", verb_plan},
    {"explain", NULL, "NODE PEER PATH… | NODE PREFIX --to PEER PATH…",
     "Why a session exists or not; what becomes of a route on its way to a peer.", "jokve",
     verb_explain},
    {"validate", "val", "PATH… [--strict] [--json | -o text|json|sarif]",
     "Reads scenarios, with the state after each step, topologies or manifests; says what is "
     "wrong.",
     "sjfF!ve", verb_validate},
    {"up", "deploy", "SCENARIO [--set KEY=VALUE]…",
     "Builds the scenario's start and leaves it running.", "sjoqSpbRfM", verb_up},
    {"status", "ps", "[--node NAME]",
     "Nodes of a running lab; with --node the table of calicoctl node status.", "jonl",
     verb_status},
    {"sessions", NULL, "[--node NAME]", "Expected and real sessions of a running lab.", "jonlm",
     verb_sessions},
    {"rib", NULL, "NODE [PREFIX] [--table loc|in|out|fib] [--why]", "Routes of a node.", "jotPwl",
     verb_rib},
    {"exec", NULL, "NODE COMMAND…",
     "A show command at a node's speaker, or a program in its namespace.", "l+", verb_exec},
    {"shell", NULL, "NODE [--listen PORT]", "The console of a mock Cisco; ^] leaves it.", "lY",
     verb_shell},
    {"logs", NULL, "NODE", "What the node's speaker logged.", "l", verb_logs},
    {"apply", NULL, "FILE… [--delete] [--tool TOOL]", "Applies manifests to a running lab.", "dlfg",
     verb_apply},
    {"wait", NULL, "sessions|converged [--timeout SECONDS]",
     "Waits until it holds; says what is missing otherwise.", "Tl", verb_wait},
    {"down", "destroy", "[ID…] [--all]", "Takes labs down and waits until they are gone.", "al",
     verb_down},
    {"list", "ls", "", "Running labs.", "jo", verb_list},
    {"gc", NULL, "", "Removes what dead labs left behind.", "", verb_gc},
    {"decode", NULL, "[FILE|HEX|-]… [--json|--jsonl]",
     "Says what BGP messages mean: hexadecimal, octets, a capture (pcap, pcapng) or MRT.",
     "jLEAX26f", verb_decode},
    {"ios", NULL, "check FILE|-… [--strict] [--quiet] [-o text|json]",
     "What a Cisco router makes of its configuration, line by line.", "jF!q", verb_ios},
    {"doctor", NULL, "[SCENARIO --set KEY=VALUE… | --nodes N]",
     "What this machine can carry, what a run needs of it, what is short, and the cure.", "joNsf",
     verb_doctor},
    {"version", NULL, "", "The version.", "j", verb_version},
};
#define VERBS (sizeof verbs / sizeof verbs[0])

static const struct verb *find_verb(const char *name) {
    for (size_t i = 0; i < VERBS; i++) {
        if (strcmp(verbs[i].name, name) == 0 ||
            (verbs[i].alias && strcmp(verbs[i].alias, name) == 0))
            return &verbs[i];
    }
    return NULL;
}

static int unknown_verb(const char *name) {
    const char *names[VERBS];
    for (size_t i = 0; i < VERBS; i++)
        names[i] = verbs[i].name;
    const char *near = text_nearest(name, names, VERBS);
    cli_error("unknown verb %s%s%s%s; see ribcage help", name, near ? " (did you mean " : "",
              near ? near : "", near ? "?)" : "");
    return 2;
}

static int help(const char *name) {
    const struct verb *v = name ? find_verb(name) : NULL;
    if (v) {
        options_help(v);
        return 0;
    }
    if (name)
        return unknown_verb(name);
    printf("usage: ribcage VERB …   (ribcage help VERB says more)\n\n");
    for (size_t i = 0; i < VERBS; i++)
        printf("  %-9s %s\n", verbs[i].name, verbs[i].summary);
    return 0;
}

int main(int argc, char **argv) {
    signal(SIGPIPE, SIG_IGN);
    if (!standard_fds_hold())
        return 4;
    if (argc < 2) {
        help(NULL);
        return 2;
    }
    if (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0 ||
        strcmp(argv[1], "-h") == 0)
        return cli_status_with_output(help(argc > 2 ? argv[2] : NULL), 0);
    const struct verb *v = find_verb(strcmp(argv[1], "--version") == 0 ? "version" : argv[1]);
    if (!v)
        return unknown_verb(argv[1]);
    struct cli_options o;
    int status = options_parse(v, argc - 2, argv + 2, &o) ? v->run(&o) : 2;
    options_free_sets(&o);
    return cli_status_with_output(status, o.output_error);
}
