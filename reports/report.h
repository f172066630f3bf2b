#ifndef RIBCAGE_REPORT_H
#define RIBCAGE_REPORT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text;

/*
 * What a run found, and the writers that show it. The runner fills a struct run_result as it goes;
 * each writer reads it and nothing else.
 *
 *   names.c     verdicts: words and exit codes
 *   terminal.c  a line a phase, live counters on a terminal
 *   json.c      runs/<id>/result.json (schema.json), rewritten (to a new file, fsync, rename) after
 *               each phase, so that a crash loses nothing that was known
 *   junit.c     runs/<id>/junit.xml
 *
 * Beside them, for other verbs: findings.c (JSON and SARIF) and plot.c (SVG), each with its header.
 *
 * Times are CLOCK_MONOTONIC nanoseconds relative to the start of the run, durations in ns.
 */

/* The exit codes of the command follow from it. Which of two explains a run is the runner's to say
 * (sim/scenario/records.c). */
enum run_verdict {
    RUN_PASSED,        /* exit 0 */
    RUN_WARNINGS,      /* exit 3 */
    RUN_INCOMPLETE,    /* still running, or killed: a partial result says so; exit 6 */
    RUN_FAILED,        /* a check failed; exit 1 */
    RUN_NOT_CONVERGED, /* a deadline passed while waiting for convergence; exit 5 */
    RUN_REFUSED,       /* bad usage or bad scenario; exit 2 */
    RUN_HOST,          /* the host cannot do it; exit 4 */
    RUN_CRASHED,       /* a speaker or the supervisor crashed; exit 6 */
    RUN_VOID,          /* the host spoiled the result; exit 7 */
    RUN_INTERRUPTED,   /* exit 130 */
};
const char *run_verdict_name(enum run_verdict v); /* "passed", "failed", "not-converged"… */
int run_verdict_exit(enum run_verdict v);

enum check_verdict { CHECK_PASSED, CHECK_FAILED, CHECK_TIMEOUT, CHECK_SKIPPED };
const char *check_verdict_name(enum check_verdict v);

struct run_check {
    const char *phase; /* name of its step */
    const char *name;  /* "sessions: exactly 45", "route 10.244.1.0/26 at kube-2" */
    enum check_verdict verdict;
    const char *reason; /* "" when passed: node or pair or prefix, expected, seen */
    uint64_t at_ns, duration_ns;
};

struct run_phase {
    const char *name; /* "build", "start", "step 1: apply rr.yaml", "teardown" */
    uint64_t start_ns, duration_ns;
    bool done;
    const char *summary; /* "45/45 sessions, 10 routes everywhere" */
};

struct run_usage {
    uint64_t speakers, pss_bytes, pss_max_bytes, rss_bytes, cpu_ns;
    uint64_t wait_ns; /* they stood in run queues */
    uint64_t updates; /* UPDATEs they sent */
    /* While the lab was held (`hold` steps): how long, CPU time of speakers and runner. */
    uint64_t held_ns, held_speakers_cpu_ns, held_runner_cpu_ns;
};

/* What the host did to the run, until its teardown (sim/lab/fidelity.h). cpus 0: not measured. */
struct run_host {
    uint64_t cpus, timer_lag_p99_ns, timer_lag_max_ns;
    uint64_t wait_ns;                    /* the lab's processes stood in run queues, summed up */
    uint64_t delayed_ns;                 /* others' part of that */
    uint64_t own_cpu_ns, foreign_cpu_ns; /* taken by others or stolen */
    int64_t kernel_bytes;                /* growth of the kernel's memory */
    const char *spoiled;                 /* why the times mean nothing; "" */
};

struct run_result {
    const char *id;        /* "20261121-020304-7f3a51c0" */
    const char *directory; /* runs/<id> */
    const char *scenario, *description, *file, *theme, *profile, *fabric;
    uint64_t nodes, routers, seed;
    uint64_t wall_start_ms; /* since the epoch */
    const char *version;
    enum run_verdict verdict;
    const char *error; /* what ended it early; "" */
    struct run_phase *phases;
    size_t phase_count;
    struct run_check *checks;
    size_t check_count;
    struct {
        uint64_t expected, speakers, kernel, wire;
        const char **missing, **unexpected; /* "kube-1 - kube-2 (ipv4): bad-peer-as" */
        size_t missing_count, unexpected_count;
    } sessions;
    struct {
        uint64_t expected, loc_rib, fib; /* summed over nodes */
    } routes;
    struct { /* ns since the first speaker was started; 0: never happened */
        uint64_t first_session_ns, last_session_ns, last_loc_rib_ns, last_fib_ns, last_update_ns;
    } convergence;
    struct run_usage usage;
    struct run_host host;
    json_t *warnings;       /* array of findings {id, severity, file, line, column, message} */
    const char *partial_of; /* what was going on, for RUN_INCOMPLETE */
};

/* ---- writers ---- */

/* A JSON string of any text: what is not UTF-8 becomes \xNN; NULL is "". A new reference. */
json_t *report_text(const char *text);
/* The text of a member, borrowed; "" where there is none. */
const char *report_text_of(const json_t *object, const char *name);
json_t *report_json(const struct run_result *r); /* a new reference; schema reports/schema.json */
/* The words of a JSON result back: what the command in front needs of it. false: not a result. */
bool report_verdict(const json_t *result, enum run_verdict *ret_verdict);
/* Writes `name` under the run's directory: new file, fsync, rename. False: errno says why; the old
 * file is intact. `directory_fd` is the run's directory. */
bool report_write_file(int directory_fd, const char *name, const char *data, size_t size);
bool report_write_json(int directory_fd, const json_t *result);
/* JUnit XML of a JSON result: a test case a check. 1, 5, 6 = failure, 4 = error, 7 = skipped. */
bool report_write_junit(int directory_fd, const json_t *result);

struct terminal; /* terminal.c */
/* Plain, live or quiet, chosen from isatty, NO_COLOR, CI, TERM=dumb and `quiet`. */
struct terminal *terminal_new(int fd, bool quiet);
void terminal_free(struct terminal *t);
/* Without it what has no room is waited for as long as it takes. With it only until `fd` is
 * readable, as when a signal has come: from then on a second, once, and what has no room after that
 * is not shown. -1: never. */
void terminal_heed(struct terminal *t, int fd);
/* As if it had been readable: for who has read it already. */
void terminal_hurry(struct terminal *t);
/* errno of the first line that did not get out; 0: all did. */
int terminal_error(const struct terminal *t);
void terminal_headline(struct terminal *t, const struct run_result *r);
/* The live line (on a terminal only): replaced by the next one. */
void terminal_live(struct terminal *t, const char *line);
void terminal_phase(struct terminal *t, const struct run_phase *p);
void terminal_check(struct terminal *t, const struct run_check *c);
void terminal_verdict(struct terminal *t, const json_t *result);

#endif
