#ifndef RIBCAGE_ENGINE_H
#define RIBCAGE_ENGINE_H

#include "../../reports/report.h"
#include "../../speaker/base/arena.h"
#include "../../speaker/base/nanotime.h"
#include "../../speaker/base/text.h"
#include "../../speaker/ios/ios.h"
#include "../calico/plan.h"
#include "../check/oracle.h"
#include "../check/witness.h"
#include "../lab/daemon.h"
#include "../lab/lab.h"
#include "../lab/overlay.h"
#include "scenario.h"

/*
 * One run: from a scenario to a verdict. The inside, shared by the files of this folder.
 *
 *   scenario*.c the file -> struct scenario
 *   state*.c    manifests and IOS text -> plan, configurations, oracle: what should be
 *   needs.c     what that needs of the host
 *   network.c   state -> lab: building, starting, changing what runs
 *   backend.c   Calico nodes that another BGP program runs: their files, their tables
 *   run.c       phases and steps
 *   apply.c     manifests put in force one by one
 *   felix.c     what Felix programs into a node: tunnels, routes into them
 *   typed.c     lines typed into a router
 *   foresee.c   the states that steps make, without a lab
 *   hold.c      nothing changes for a time
 *   churn.c     blocks added and withdrawn at a rate; roll.c: nodes restarted in batches
 *   meanwhile.c packets while these go on; pairs.c: between whom
 *   expect.c    expectations: waiting, dispatch; expect_*.c one kind each
 *   records.c   what the supervisor tells the command in front (JSON lines)
 *   node_status.c  the table of `calicoctl node status`
 *   server.c    requests of other commands to a running lab
 *
 * A node's index is the same everywhere: nodes of the topology first, then routers; in the lab, in
 * the oracle, on the scoreboard.
 */

#define PROTOCOL_BIRD 12 /* RTPROT_BIRD: what a speaker writes */

struct engine_router {
    struct ios_router *ios;
    struct text text; /* its running-config text as given, then lines typed */
};

/* What should be, at one moment. Replaced as a whole when manifests or IOS lines change. */
struct state {
    struct arena *arena;
    struct calico_set *set;
    struct calico_plan *plan;
    struct bgp_config **configs; /* per node; routers: compiled from IOS; NULL: no BGP */
    struct oracle_node *nodes;
    struct oracle_cut *cuts; /* copy of the faults at that moment */
    struct oracle *oracle;
    uint64_t generation;
};

struct engine_node {
    const char *name;
    bool up;              /* its speaker should run */
    uint32_t incarnation; /* starts */
    /* Without a slot on the scoreboard: what was seen when it was last asked. */
    uint64_t seen_established, seen_loc_rib, seen_fib;
};

/* `--backend`: what runs the Calico nodes in ribcage-speaker's place. */
struct engine_backend {
    const struct daemon_driver *driver; /* NULL: ribcage-speaker does */
    struct daemon_root root;
};

struct engine {
    const struct scenario *scenario;
    struct arena *arena;     /* the run's */
    struct diag_list *diags; /* warnings of the whole run */
    bool routed, ipv6;
    uint32_t node_count, router_count, count; /* count = both */
    struct engine_node *nodes;
    struct engine_router *routers;
    struct engine_backend backend;
    struct oracle_cut *cuts;
    size_t cut_count, cut_capacity;
    struct calico_claim *claims; /* blocks that steps gave to nodes; the array is the engine's */
    size_t claim_count, claim_capacity;
    struct state *state;
    struct diag_list *said;   /* findings of the last apply */
    bool refused;             /* … of which something was refused */
    const char *step_summary; /* of the step that ends; NULL: the usual words */
    struct lab *lab;
    struct run_result result;
    size_t phase_capacity, check_capacity;
    struct witness_set wire_known;    /* pairs that had a reason to exchange OPENs so far */
    bool *bgp_ports;                  /* by number: BGP listens there, or did: sessions stay */
    bool witnesses_agree;             /* on all sessions, in this round of expectations */
    uint32_t differed_last;           /* the node whose tables were not as computed yet */
    struct nanotime started;          /* of the run */
    struct nanotime speakers_started; /* t0 of convergence figures */
    const char *phase;                /* running now */
    uint64_t seed;
    const char *mrt_directory; /* absolute: NODE.mrt goes there, all messages; NULL: none */
    bool allow_noise;          /* what fails on a busy host has failed all the same */
    enum { WARNINGS_OK, WARNINGS_WARN, WARNINGS_FAIL } warnings_as; /* … of a run that passed */
    bool fail_fast;          /* the first step that fails is the last one */
    bool failed_for_certain; /* … whatever the host did, or had it had more time */
    bool interrupted, down_requested;
    bool stirred;       /* by churn or roll: what comes later is no convergence from the start */
    bool wait_given_up; /* the client that had us wait has gone */
    int front_fd;       /* to the command in front; -1: none */
    bool stays;         /* … which has said that it goes and the lab does not */
    bool front_gone;    /* nobody is there any more */
    bool front_stalled; /* it did not read in time */
    struct text front_queue; /* records on their way to it, of which … */
    size_t front_sent;       /* … so many octets have left */
    int wait_fd;             /* epoll: front_fd and the server's sockets */
    struct server *server;
    /* Called in the supervisor when an `expect` step has ended, for who wants to look closer. */
    void (*looked)(struct engine *e, size_t step, bool held);
    void *looked_context;
    /* With weigh_first: what a mesh needs at least, counted without a plan; too large: the host
     * does not have it, and no plan was made. */
    bool weigh_first, too_large;
    struct lab_needs least;
};

/* ---- state.c ---- */

/* The state at the start, from the scenario's topology and manifests. Fills node names and routers.
 * False with findings, or with e->too_large and without: nothing is kept. */
bool engine_prepare(struct engine *e, struct diag_list *diags);
void engine_release(struct engine *e);
/* needs.c: what the prepared state needs of the host. */
struct lab_needs engine_needs(const struct engine *e);
/* needs.c: sets e->least and e->too_large. */
bool engine_may_fit(struct engine *e, const struct calico_set *set);
/* A new state from a changed set (taken over, also on failure) or, NULL, from the present one after
 * routers, faults or speakers changed. The old state goes to *ret_old, for state_release, or is
 * released when ret_old is NULL. False with findings: the state stays as it was. */
bool state_replace(struct engine *e, struct calico_set *set, struct diag_list *diags,
                   struct state **ret_old);
void state_release(struct state *s);
/* state_restarts.c: the same after nothing but restarts, each counted in e->nodes; the present
 * state goes on where they change nothing of what must hold. */
bool state_restarted(struct engine *e, struct diag_list *diags);
/* A router's listen ranges as passive neighbours, one per node or other router in a range; all
 * configurations are there already. False: no memory. */
bool state_expand_ranges(const struct topology *t, const struct state *s, uint32_t router);
const char *engine_node_name(const struct engine *e, uint32_t node);
uint32_t engine_node_find(const struct engine *e, const char *name); /* UINT32_MAX */
/* The pod (or, of a router, loopback or interface) address probes use; not set: none. */
struct ip_addr engine_probe_address(const struct engine *e, uint32_t node, enum bgp_family f);

/* ---- pairs.c ---- */

struct engine_pair {
    uint32_t from, to;
    struct ip_addr source, destination;
};
struct engine_pairs_query {
    uint32_t from, to; /* UINT32_MAX: any Calico node */
    bool families[BGP_FAMILIES];
    size_t sample; /* at most so many, chosen by the seed; 0: all */
};
/* Pairs of pods of different nodes, at most `max` (chosen as well). Returns how many. */
size_t engine_pairs(const struct engine *e, const struct engine_pairs_query *q,
                    struct engine_pair *ret_list, size_t max);

/* ---- network.c ---- */

bool network_build(struct engine *e, struct diag_list *diags);
/* What Felix wants of a node now; empty for a node that is not in the plan. False: no memory. */
bool network_overlay(const struct engine *e, uint32_t node, struct arena *arena,
                     struct lab_overlay *ret_overlay);
bool network_start(struct engine *e, struct diag_list *diags); /* all speakers */
bool network_start_one(struct engine *e, uint32_t node, bool restarting, struct diag_list *diags);
/* Hands every speaker whose configuration differs from `old` the new one. */
bool network_reconfigure(struct engine *e, const struct state *old, struct diag_list *diags);

/* ---- backend.c ---- */

/* False: the node's speaker is ours, and has a slot on the scoreboard. */
bool backend_runs(const struct engine *e, uint32_t node);
bool backend_start(struct engine *e, uint32_t node, bool restarting, struct diag_list *diags);
bool backend_reconfigure(struct engine *e, uint32_t node, struct diag_list *diags);
/* Has it learned exactly the routes the oracle computed, with their next hops? Its own routes are
 * its own affair. Keeps the counts in e->nodes[node]. */
bool backend_tables_match(struct engine *e, uint32_t node);
/* Sessions and routes of a node as last known, from the scoreboard or from what was asked. */
struct engine_counts {
    uint64_t established, loc_rib, fib;
};
struct engine_counts engine_counts(const struct engine *e, uint32_t node);

/* ---- run.c ---- */

/* In the supervisor: build, start, steps, teardown; fills e->result. Returns the exit status. */
int engine_run(struct engine *e);
/* `up`: build and start, then serve until asked to go down. Without e->server it fails, for the
 * reason that is the last error among e->diags. */
int engine_serve(struct engine *e);
/* From the command in front: the lab goes on when it has gone. Any other word of it asks to stop.
 */
#define ENGINE_STAY "stay\n"
/* Only the planner: scenarios whose manifests must be refused. No supervisor. */
void engine_check_rejected(struct engine *e);
/* apply.c: resources one by one as the tool does, each in force before the next; or all that it
 * takes in one change; or taken out. *ret_applied says what took effect (empty: taken out), its
 * texts are the documents'. False, with findings: at least one was refused, and the others are in
 * force; or a speaker did not take it. */
struct engine_how {
    enum { ENGINE_APPLY, ENGINE_APPLY_AT_ONCE, ENGINE_REMOVE } kind;
    enum calico_tool tool;
};
bool engine_apply(struct engine *e, const struct yaml_document *documents, size_t count,
                  struct engine_how how, struct diag_list *diags,
                  struct calico_applied *ret_applied);
/* Files and documents of an apply or delete, in e->arena. False: there is something that cannot be
 * read. What kubectl applies all the same is there then; without any document nothing is. */
bool engine_documents(struct engine *e, const struct scenario_step *s, struct diag_list *diags,
                      struct yaml_document **ret_documents, size_t *ret_count);
/* "2 of 3 took effect: BGPFilter a, …; refused: BGPPeer c (line 9)", appended. */
void engine_applied_text(const struct calico_applied *a, struct text *out);
/* Sleeps in lab_wait and handles requests; false: interrupted or told to go. */
bool engine_wait(struct engine *e, struct nanotime deadline);
bool engine_stopping(const struct engine *e); /* what is being waited for is wanted no more */
/* Takes what the command in front says without waiting: between the parts of a long phase. */
void engine_listen(struct engine *e);
uint64_t engine_elapsed(const struct engine *e); /* ns since the run started */
void engine_fill_totals(struct engine *e); /* sessions, routes, convergence from the scoreboard */

/* A node whose speaker has ended; `graceful`: as a restarting one. */
bool engine_start_again(struct engine *e, uint32_t node, bool graceful, struct diag_list *diags);

/* ---- typed.c ---- */

/* Where it is said that IOS does not take a line. */
struct engine_typed {
    const char *router;
    struct diag_place place;
    struct diag_list *diags; /* NULL: nowhere */
};
/* Configuration lines as typed on the router's terminal, also into its text. */
void engine_type(struct engine_router *r, const char *lines, const struct engine_typed *to);

/* ---- foresee.c ---- */

/* Of a prepared engine without a lab: makes the state after each step, and adds to `diags` what is
 * found in it and was not in the state before, with its step; `said`: of the start. The state at
 * the end stays. False: no memory. */
bool engine_foresee(struct engine *e, const struct diag_list *said, struct diag_list *diags);

/* ---- churn.c, roll.c: what changes many nodes; meanwhile.c: packets while it does ---- */

/* False: it could not be done, and the verdict says why. */
bool step_churn(struct engine *e, const struct scenario_step *s);
bool step_roll(struct engine *e, const struct scenario_step *s);

struct meanwhile {
    struct engine *e;
    const struct scenario_meanwhile *what;
    struct lab_stream *stream; /* NULL: no packets */
    struct lab_flow *flows;
    size_t count;
    char summary[256]; /* what the step did: its own to write */
};
/* False: the sockets could not be had. Nothing to send between is no error. */
bool meanwhile_begin(struct engine *e, const struct scenario_meanwhile *what,
                     struct meanwhile *ret_m);
/* engine_wait, with packets: returns at least as often as one is due, so whoever waits for
 * something looks again then. */
bool meanwhile_wait(struct meanwhile *m, struct nanotime deadline);
/* Waits for the last answers; e->step_summary becomes `summary` and what was lost, which is a check
 * of its own if asked for. */
void meanwhile_end(struct meanwhile *m);

/* ---- expect.c ---- */

struct expectation {
    struct engine *e;
    const struct scenario_expect *x;
    uint64_t held_ns;  /* since when it holds, and those before it; 0: it does not */
    bool hopeless;     /* set by the evaluation: no waiting can make it hold in this step */
    char reason[4096]; /* why it does not hold (yet) */
    unsigned reason_count, reasons_left_out;
};
/* Waits until all hold at once, or the deadline; adds one check each. False: one failed. */
bool expect_all(struct engine *e, const struct scenario_expect *list, size_t count,
                uint64_t deadline_ns);
/* One kind each: holds now? `final`: the deadline has come, say everything. */
bool expect_sessions(struct expectation *x, bool final);
bool expect_converged(struct expectation *x, bool final);
bool expect_route(struct expectation *x, bool final);
bool expect_fib(struct expectation *x, bool final);
bool expect_ping(struct expectation *x, bool final);
bool expect_overhead(struct expectation *x, bool final);
bool expect_log(struct expectation *x, bool final);
bool expect_exec(struct expectation *x, bool final);
bool expect_cause(struct expectation *x, bool final);
bool expect_rejected(struct expectation *x, bool final);
bool expect_finding(struct expectation *x, bool final);
/* What a node's kernel table (`have`, as lab_routes gives it) has of a speaker's routes, or of
 * Felix's, is what the oracle, or the plan, has: no route less and none more. Else, when `final`,
 * the reason has the first that differ. */
bool bird_routes_match(struct expectation *x, uint32_t node, const struct lab_route *have,
                       size_t count, bool final);
bool felix_routes_match(struct expectation *x, uint32_t node, const struct lab_route *have,
                        size_t count, bool final);
/* What one witness has seen is the expected set, or, on the wire, has all of it and nothing that no
 * configuration of this run gave a reason for. Else, when `final`, the reason has what is there and
 * should not be; what is missing is named for all witnesses together, elsewhere. Packets that the
 * capture lost are said whatever comes of it: what was not seen may have been there. */
bool sessions_match(struct expectation *x, const struct witness_set *expected,
                    const struct witness_set *seen, const char *witness, bool final);
bool wire_matches(struct expectation *x, const struct witness_set *expected,
                  const struct witness_set *wire, uint64_t lost, bool final);
struct lab_wire;
/* Every probe was answered and seen with the octets that were asked for. The figures are said in
 * both cases, and so are frames that the capture lost. */
bool overhead_fits(struct expectation *x, const struct lab_probe *probes,
                   const struct lab_wire *wires, size_t count, uint64_t lost);
/* What a ping asks for: it arrived; or, absent, it was sent and did not. */
bool probe_fits(const struct lab_probe *p, bool absent);
/* The slots say what the oracle says: the cheap test that is done at every wake-up. */
bool scoreboard_sessions_match(const struct engine *e);
bool scoreboard_tables_match(const struct engine *e);
void reason_add(struct expectation *x, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* What is configured and cannot come up, which is why a plan has fewer sessions, and routes, than
 * hoped. */
void name_failures(struct expectation *x);
/* Of what holds: sessions that manifests and routers are to make, and by plan cannot come up, so
 * that nobody takes the rest for all. */
void name_planned_failures(struct expectation *x);

/* ---- hold.c ---- */

/* What a time of holding took. */
struct hold_cost {
    uint64_t wall_ns, speakers_cpu_ns, runner_cpu_ns;
};
/* Speakers and runner together used at most so much of one processor; 0: any. */
bool hold_cost_fits(const struct hold_cost *c, uint32_t percent_max);
/* Watches for the step's time that nothing changes; adds a check. False: interrupted. */
bool step_hold(struct engine *e, const struct scenario_step *s);

/* ---- records.c: JSON lines to the command in front ---- */

void record_live(struct engine *e, const char *format, ...) __attribute__((format(printf, 2, 3)));
void record_phase_begin(struct engine *e, const char *name);
void record_phase_end(struct engine *e, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void record_check(struct engine *e, const char *name, enum check_verdict v, uint64_t since_ns,
                  const char *reason);
/* The same of a check that took from `since_ns` to `until_ns` (of the run). */
void record_check_until(struct engine *e, const char *name, enum check_verdict v, uint64_t since_ns,
                        uint64_t until_ns, const char *reason);
void record_verdict(struct engine *e, enum run_verdict v,
                    const char *error); /* the worst one stays */
/* The same of what time decides: a deadline that passed, a session or a packet lost on the way. If
 * the host had no time for the run, such a failure says nothing of the network. */
void record_late_verdict(struct engine *e, enum run_verdict v, const char *error);
void record_result(struct engine *e, bool final);
/* Sends what the command in front takes of the records that wait for it; does not wait itself. */
void record_flush(struct engine *e);
/* Waits until it has taken all, or is gone. */
void record_drain(struct engine *e);
/* {"namespaces": {host: inode…}, "pid_namespace": inode}: by them a command outside finds who sits
 * in a lab that goes. A new reference; NULL: no memory. */
json_t *engine_namespaces(const struct engine *e);
void record_teardown(struct engine *e);

/* ---- node_status.c ---- */

/* `calicoctl node status` of a node, appended; false: its speaker does not answer. */
bool engine_node_status(struct engine *e, uint32_t node, struct text *out);

/* ---- server.c ---- */

struct server;
/* Listens on `path` (mode 0600); NULL: errno. */
struct server *server_new(struct engine *e, const char *path);
void server_free(struct server *s);
void server_poll(struct server *s); /* handles what is there, never blocks for long */
int server_fd(const struct server *s);

#endif
