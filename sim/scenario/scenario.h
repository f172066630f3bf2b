#ifndef RIBCAGE_SCENARIO_H
#define RIBCAGE_SCENARIO_H

#include "../../speaker/base/addr.h"
#include "../../speaker/base/diag.h"
#include "../../speaker/core/config.h"
#include "../calico/calico_environment.h"
#include "../calico/calico_version.h"
#include "../calico/resources.h"
#include "../topo/topo.h"
#include "../yaml/yaml.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

/*
 * A scenario as read from scenarios/<theme>/<name>/scenario.yaml (schema scenarios/schema.json): a
 * topology, the manifests in force at the start, and steps. Plain data; running it is run.c's work.
 *
 *   name: mesh-to-rr
 *   description: …
 *   parameters: {nodes: 10}                  # --set nodes=100; used as ${nodes}
 *   topology: ../../../topologies/mesh.yaml  # or inline, a mapping
 *   profile: fast                            # calico | fast
 *   calico: {version: v3.28, tool: kubectl}  # today's and calicoctl by default
 *   manifests: [manifests/start.yaml]        # files, folders, or inline documents
 *   rejected: {…}                            # for scenarios whose manifests must be refused
 *   deadline: 10s                            # default of every step
 *   steps:
 *     - expect: {sessions: mesh}
 *     - apply: manifests/rr.yaml             # or {files: …, oneByOne: false, tool: kubectl}
 *     - ios: {router: rr1, lines: |…}
 *     - fault: {kill: kube-1}
 *     - churn: {rate: 100, for: 10s, blocks: 2, sample: 20, lost: 0}
 *     - roll: {batch: 5, graceful: true}
 *     - expect: {converged: true}
 *     - hold: {for: 10m, cpu: 60}            # nothing changes for so long
 */

enum scenario_step_kind {
    STEP_APPLY,  /* manifests */
    STEP_DELETE, /* manifests */
    STEP_IOS,    /* configuration lines to a router */
    STEP_FAULT,
    STEP_HOLD,  /* what stands now stays, for a time */
    STEP_CHURN, /* blocks come and go */
    STEP_ROLL,  /* nodes are restarted, batch after batch */
    STEP_EXPECT,
};

/* Packets between sampled pods while a step works. */
struct scenario_meanwhile {
    uint32_t sample; /* pairs of pods; 0: none */
    bool judged;
    uint64_t lost_max; /* judged: more lost packets are a failure */
};

struct scenario_churn {
    uint64_t rate; /* changes a second: one block added or withdrawn */
    uint64_t duration_ns;
    uint64_t blocks; /* there for each node; at most all of them are in use at once */
};

struct scenario_roll {
    uint64_t batch; /* nodes at a time */
    bool graceful;  /* RFC 4724: killed, and back as restarting speakers */
};

enum scenario_fault_kind {
    FAULT_STOP,    /* SIGTERM: Cease, then gone */
    FAULT_KILL,    /* SIGKILL */
    FAULT_RESTART, /* stop (or after kill) and start again; graceful: RFC 4724 */
    FAULT_START,   /* start what was stopped or killed */
    FAULT_FREEZE,
    FAULT_THAW,
    FAULT_LINK_DOWN,
    FAULT_LINK_UP,
    FAULT_BLOCK_BGP, /* drop TCP 179, with `peer` or with everyone */
    FAULT_UNBLOCK_BGP,
};

struct scenario_fault {
    enum scenario_fault_kind kind;
    const char *node;
    const char *peer; /* NULL: everyone */
    bool graceful;    /* FAULT_RESTART: announce the restart */
    bool after_kill;  /* FAULT_RESTART: SIGKILL first, not SIGTERM */
    uint16_t port;    /* 0: 179 */
};

/* What an expectation is about. All the given parts of one `expect` must hold at the same time. */
enum scenario_expect_kind {
    EXPECT_SESSIONS,  /* the set of sessions: */
    EXPECT_CONVERGED, /* sessions, Loc-RIB and kernel tables equal what the oracle computes */
    EXPECT_ROUTE,     /* a prefix at a node, with attributes, or absent */
    EXPECT_FIB,       /* a prefix in a node's kernel table, or absent */
    EXPECT_PING,      /* packets from pod to pod */
    EXPECT_OVERHEAD,  /* octets that a pool's mode adds to each packet, seen on the wire */
    EXPECT_LOG,       /* a line in a node's log */
    EXPECT_EXEC,      /* the output of a show command contains a line */
    EXPECT_CAUSE,     /* a failing session whose cause the verdict must name */
    EXPECT_FINDING,   /* the last apply was said to have this finding */
    EXPECT_REJECTED,  /* something of the last apply must have been refused, with these findings */
};

enum scenario_session_set {
    SESSIONS_PLANNED, /* exactly what the plan says (default) */
    SESSIONS_MESH,    /* … and it is the full mesh of all nodes: n(n-1)/2 per family */
    SESSIONS_COUNT,   /* … and it has `count` members */
    SESSIONS_LIST,    /* exactly the listed pairs */
    SESSIONS_NONE,
};

struct scenario_pair {
    const char *a, *b;
    struct diag_place place;
};

/* Who wrote a kernel route. */
enum scenario_programmer { PROGRAMMER_ANY, PROGRAMMER_BIRD, PROGRAMMER_FELIX };

struct scenario_expect {
    enum scenario_expect_kind kind;
    struct diag_place place;
    bool absent;            /* route, fib, log, ping (must fail), exec */
    const char *node;       /* NULL: at every node (route: every node but the origin) */
    const char *from, *to;  /* ping: node names; NULL: all pairs ("sample" caps their number) */
    uint32_t sample;        /* ping: at most this many pairs, chosen by seed; 0: all */
    enum bgp_family family; /* ping */
    bool both_families;
    /* sessions */
    enum scenario_session_set set;
    uint64_t count;
    const struct scenario_pair *pairs;
    size_t pair_count;
    const char *session_node; /* only this node's sessions; NULL: all */
    int hold_time_s;          /* of every session in the set; -1: not asked */
    /* route: what the best path must have; not given: not asked */
    struct ip_prefix prefix;
    const char *block_of; /* instead of a prefix: every block of this node */
    bool has_next_hop, next_hop_unchanged;
    struct ip_addr next_hop;
    const char *next_hop_of; /* the address of this node */
    const char *as_path;     /* "65001 64512"; NULL */
    bool has_local_pref, has_med, has_originator;
    uint32_t local_pref, med;
    struct ip_addr originator;
    const char *originator_of;      /* the router id of this node */
    const char *const *communities; /* all of these; none given, and the route has none */
    size_t community_count;
    bool has_communities;
    const char *const *cluster_list; /* exactly, most recent first */
    size_t cluster_count;
    bool has_cluster_list;
    const char *learned_from; /* the neighbour's node name */
    /* fib */
    const char *interface; /* its route leads there */
    enum scenario_programmer by;
    /* overhead */
    const char *pool; /* its name */
    uint32_t bytes;   /* added to each packet, no more and no less */
    /* log, exec */
    const char *command;
    const char *contains; /* plain substring of one line */
    const char *matches;  /* POSIX extended regular expression on one line */
    /* cause */
    const char *cause; /* an oracle cause id; or "filtered": `prefix` does not reach `node`. The
                          oracle's detail, or of the rule that stopped it, has `contains` */
    const char *peer;
    /* rejected, finding */
    const char *finding;    /* its id */
    const char *file;       /* where, as a diag has it (shown_directory in front); NULL: anywhere */
    uint32_t line, column;  /* 0: anywhere */
    const char *suggestion; /* must stand in the message */
};

struct scenario_step {
    enum scenario_step_kind kind;
    struct diag_place place;
    const char *name; /* shown; made up from the kind when not given */
    uint64_t deadline_ns;
    const char *const *manifests; /* paths relative to the scenario's directory */
    const struct diag_place *manifest_places;
    size_t manifest_count;
    const struct yaml_document *inline_documents;
    size_t inline_count;
    bool at_once;          /* apply: one change, not resource after resource */
    enum calico_tool tool; /* apply: who does it */
    bool may_be_rejected;  /* a following EXPECT_REJECTED speaks about it */
    const char *router;    /* ios */
    const char *ios_lines;
    struct scenario_fault fault;
    uint64_t hold_ns;          /* 0: nothing is asked */
    uint32_t hold_cpu_percent; /* of one processor, at most; 0: not asked */
    struct scenario_churn churn;
    struct scenario_roll roll;
    struct scenario_meanwhile meanwhile; /* churn, roll */
    const struct scenario_expect *expects;
    size_t expect_count;
};

struct scenario {
    const char *name;
    const char *description;
    const char *file; /* as shown to the user */
    int directory_fd; /* of the scenario's folder; owned */
    int root_fd;      /* of the tree the scenario may see; owned */
    const char
        *directory; /* the scenario's folder, relative to root_fd ("." when it is the root) */
    const char *shown_directory; /* the same as the user wrote it: in front of names in messages */
    const char *theme;           /* "mesh" for scenarios/mesh/full-mesh */
    enum bgp_profile profile;
    uint32_t calico_version;               /* calico/calico_version.h; 0: today's */
    enum calico_tool tool;                 /* of steps that do not say */
    struct calico_environment environment; /* of every node */
    uint64_t seed;
    struct topology *topology;
    const char *const *manifests;
    const struct diag_place *manifest_places;
    size_t manifest_count;
    const struct yaml_document *inline_documents;
    size_t inline_count;
    bool no_lab;  /* only `rejected` expectations: nothing is built */
    bool capture; /* default true: the wire witness */
    const struct scenario_step *steps;
    size_t step_count;
    const struct yaml_parameter *parameters; /* in force, with --set applied */
    size_t parameter_count;
};

/*
 * `path`: a scenario.yaml or the folder that holds one. `set`: --set overrides; an unknown name is
 * an error. Everything the scenario names by path is opened beneath `root_fd` (the tree the
 * scenario may see: the folder given with --root, by default the nearest parent that holds both
 * scenarios/ and topologies/, else the scenario's own folder). NULL with findings.
 */
struct scenario *scenario_read(const char *path, const struct yaml_parameter *set, size_t set_count,
                               struct arena *arena, struct diag_list *diags);
/* Every step waits `times` as long for what it expects, at most 24 h. False: no memory. */
bool scenario_stretch(struct scenario *s, uint64_t times, struct arena *arena);
void scenario_close(struct scenario *s); /* the descriptors; memory is the arena's */
/* Reads manifests (files or folders, *.yaml *.yml *.json, in name order) named at a place. False:
 * there were errors. kubectl takes a file document by document: then *ret_documents has those that
 * stand before the first broken one of each file, if all files could be read; else it has none. */
bool scenario_read_manifests(const struct scenario *s, const char *const *paths,
                             const struct diag_place *places, size_t count, enum calico_tool tool,
                             struct arena *arena, struct diag_list *diags,
                             struct yaml_document **ret_documents, size_t *ret_count);
/* A file named relative to the scenario's folder, read beneath the root (at most 64 MiB). NULL with
 * a finding at `place`. */
char *scenario_read_file(const struct scenario *s, const char *path, struct arena *arena,
                         struct diag_place place, struct diag_list *diags, size_t *ret_size);
/* The folders of all scenarios at or below a folder (at most SCENARIO_LEVELS_MAX levels), sorted:
 * for `make test` and `ribcage run DIR`. False with findings. */
#define SCENARIO_LEVELS_MAX 4
bool scenario_list(const char *folder, struct arena *arena, struct diag_list *diags,
                   const char ***ret_paths, size_t *ret_count);

#endif
