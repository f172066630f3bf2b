/*
 * A run: build, start, the steps, teardown; in the supervisor.
 *
 * Each phase is reported when it begins and when it ends, with everything known so far, so that a
 * run that is cut off at any instant has left its partial result with the command in front. A
 * speaker that ends without having been told to is named at once and fails the run; the others go
 * on.
 */

#include "../../reports/findings.h"
#include "../lab/fidelity.h"
#include "engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define STOP_DEADLINE_MS 30000
#define REQUEST_DEADLINE_MS 5000
#define LOG_TAIL_BYTES 120u
#define LISTEN_DEADLINE_MS 10000
#define SAFETY_TICK_MS 100 /* nothing should need it: a bell that was missed costs this much */

/* ---- waiting ---- */

/* The command in front asks to stop, or says that the lab stays when it goes. If it goes without
 * that word nobody has been told of the lab, so it is not to be there. */
static void read_front(struct engine *e) {
    char buffer[256];
    ssize_t n = recv(e->front_fd, buffer, sizeof buffer, MSG_DONTWAIT);
    if (n > 0 && memmem(buffer, (size_t)n, ENGINE_STAY, strlen(ENGINE_STAY)))
        e->stays = true;
    else if (n > 0)
        e->interrupted = true;
    else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
        epoll_ctl(e->wait_fd, EPOLL_CTL_DEL, e->front_fd, NULL);
        e->front_gone = true;
        e->interrupted |= !e->stays && !e->down_requested;
    }
}

static void handle_descriptors(struct engine *e) {
    struct epoll_event events[4];
    int n = epoll_wait(e->wait_fd, events, 4, 0);
    for (int i = 0; i < n; i++) {
        if (events[i].data.fd == e->front_fd)
            read_front(e);
        else if (e->server)
            server_poll(e->server);
    }
}

void engine_listen(struct engine *e) {
    if (e->front_fd >= 0 && !e->front_gone && !e->interrupted)
        read_front(e);
}

static void name_dead_speaker(struct engine *e, uint32_t node, struct lab_speaker_state s) {
    struct text reason;
    const struct text *log = lab_speaker_log(e->lab, node);
    size_t size = log ? log->size : 0, kept = size > LOG_TAIL_BYTES ? LOG_TAIL_BYTES : size;
    text_init(&reason);
    text_printf(&reason, "%s's speaker %s %d", e->nodes[node].name,
                s.kind == LAB_KILLED ? "was ended by signal" : "left with status", s.code);
    if (kept) {
        text_puts(&reason, "; it said last: ");
        text_put_printable(&reason, text_str(log) + size - kept, kept);
    }
    record_check(e, "every speaker runs", CHECK_FAILED, engine_elapsed(e), text_str(&reason));
    record_verdict(e, RUN_CRASHED, text_str(&reason));
    text_deinit(&reason);
}

static void watch_children(struct engine *e) {
    bool changed = false;
    for (uint32_t i = 0; i < e->count; i++) {
        if (!e->nodes[i].up || !e->state->configs[i])
            continue;
        struct lab_speaker_state s = lab_speaker_state(e->lab, i);
        if (s.kind == LAB_RUNNING || s.kind == LAB_NEVER_STARTED || s.expected)
            continue;
        e->nodes[i].up = false;
        name_dead_speaker(e, i, s);
        changed = true;
    }
    if (changed)
        (void)state_replace(e, NULL, e->diags, NULL);
}

bool engine_wait(struct engine *e, struct nanotime deadline) {
    struct nanotime tick = nanotime_add_ms(lab_now(), SAFETY_TICK_MS);
    struct nanotime until = nanotime_before(deadline, tick) ? deadline : tick;
    record_flush(e);
    switch (lab_wait(e->lab, until, e->wait_fd)) {
    case LAB_WAKE_CHILD:
        watch_children(e);
        break;
    case LAB_WAKE_FD:
        handle_descriptors(e);
        break;
    case LAB_WAKE_SIGNAL:
        e->interrupted = true;
        break;
    case LAB_WAKE_BELL:
    case LAB_WAKE_DEADLINE:
        break;
    }
    return !engine_stopping(e);
}

bool engine_stopping(const struct engine *e) {
    return e->interrupted || e->down_requested || e->wait_given_up;
}

/* ---- totals ---- */

static void earliest(uint64_t *value, uint64_t ns) {
    if (ns && (!*value || ns < *value))
        *value = ns;
}

static void latest(uint64_t *value, uint64_t ns) {
    if (ns > *value)
        *value = ns;
}

static uint64_t since_start(const struct engine *e, uint64_t ns) {
    return ns > e->speakers_started.ns ? ns - e->speakers_started.ns : 0;
}

static void fill_convergence(struct engine *e) {
    if (e->stirred)
        return;
    uint64_t first = 0, last = 0, rib = 0, fib = 0, update = 0;
    for (uint32_t i = 0; i < e->count; i++) {
        const struct scoreboard_slot *s = lab_slot(e->lab, i);
        earliest(&first, atomic_load(&s->established_first_ns));
        latest(&last, atomic_load(&s->established_last_ns));
        latest(&rib, atomic_load(&s->loc_rib_last_ns));
        latest(&fib, atomic_load(&s->fib_last_ns));
        latest(&update, atomic_load(&s->update_last_ns));
    }
    e->result.convergence.first_session_ns = since_start(e, first);
    e->result.convergence.last_session_ns = since_start(e, last);
    e->result.convergence.last_loc_rib_ns = since_start(e, rib);
    e->result.convergence.last_fib_ns = since_start(e, fib);
    e->result.convergence.last_update_ns = since_start(e, update);
}

void engine_fill_totals(struct engine *e) {
    struct run_result *r = &e->result;
    const struct oracle_session *s = NULL;
    r->sessions.expected = oracle_sessions(e->state->oracle, &s);
    r->routes.expected = r->routes.loc_rib = r->routes.fib = 0;
    uint64_t ends = 0;
    for (uint32_t i = 0; i < e->count; i++) {
        struct engine_counts seen = engine_counts(e, i);
        struct oracle_totals t = oracle_totals(e->state->oracle, i);
        r->routes.expected += t.loc_rib[0] + t.loc_rib[1];
        if (lab_speaker_state(e->lab, i).kind != LAB_RUNNING)
            continue; /* its slot says what was when it ended */
        r->routes.loc_rib += seen.loc_rib;
        r->routes.fib += seen.fib;
        ends += seen.established;
    }
    r->sessions.speakers = ends / 2;
    fill_convergence(e);
}

/* What the speakers took in all; what holding took stands there already. */
static void fill_usage(struct engine *e) {
    struct run_usage u = {
        .held_ns = e->result.usage.held_ns,
        .held_speakers_cpu_ns = e->result.usage.held_speakers_cpu_ns,
        .held_runner_cpu_ns = e->result.usage.held_runner_cpu_ns,
    };
    for (uint32_t i = 0; i < e->count; i++) {
        if (lab_speaker_state(e->lab, i).kind != LAB_RUNNING)
            continue;
        struct lab_usage one = lab_speaker_usage(e->lab, i);
        u.speakers++;
        u.pss_bytes += one.pss_bytes;
        u.rss_bytes += one.rss_bytes;
        u.cpu_ns += one.cpu_ns;
        u.wait_ns += one.wait_ns;
        latest(&u.pss_max_bytes, one.pss_bytes);
    }
    for (uint32_t i = 0; i < e->count; i++)
        u.updates += atomic_load(&lab_slot(e->lab, i)->updates_sent);
    e->result.usage = u;
}

/* A deadline that passed, or a session that was lost, on a host which had no time for us says
 * nothing of the network. */
static bool is_doubtful(const struct engine *e) {
    return (e->result.verdict == RUN_NOT_CONVERGED || e->result.verdict == RUN_FAILED) &&
           !e->failed_for_certain && !e->allow_noise;
}

static void judge_host(struct engine *e, const struct fidelity *f) {
    struct text why;
    text_init(&why);
    struct run_host h = {
        .cpus = f->cpus,
        .timer_lag_p99_ns = f->timer_lag_p99_ns,
        .timer_lag_max_ns = f->timer_lag_max_ns,
        .wait_ns = f->wait_ns,
        .delayed_ns = fidelity_delayed_ns(f),
        .own_cpu_ns = f->own_cpu_ns,
        .foreign_cpu_ns =
            (uint64_t)(fidelity_foreign_percent(f) / 100 * (double)f->wall_ns * f->cpus),
        .kernel_bytes = f->kernel_bytes,
        .spoiled = "",
    };
    if (fidelity_spoiled(f, &why)) {
        h.spoiled = arena_strdup(e->arena, text_str(&why));
        if (is_doubtful(e))
            record_verdict(e, RUN_VOID, h.spoiled);
    }
    e->result.host = h;
    text_deinit(&why);
}

/* ---- steps: manifests ---- */

static void keep_said(struct engine *e, struct diag_list *diags, bool refused) {
    diag_list_free(e->said);
    e->said = diags;
    e->refused = refused;
}

static void fail_refused(struct engine *e, const struct diag_list *diags) {
    struct text all;
    text_init(&all);
    diag_print(diags, &all);
    record_check(e, "manifests are accepted", CHECK_FAILED, engine_elapsed(e), text_str(&all));
    record_verdict(e, RUN_FAILED, text_str(&all));
    text_deinit(&all);
}

static void summarize(struct engine *e, const struct calico_applied *applied, bool sound) {
    struct text t;
    text_init(&t);
    engine_applied_text(applied, &t);
    text_puts(&t, sound ? "" : "; a document that is no YAML ends its file");
    e->step_summary = applied->count ? arena_strdup(e->arena, text_str(&t)) : NULL;
    text_deinit(&t);
}

/* That a node hears of nothing any more, or that the order of a file cuts the network, belongs to
 * the verdict; what else the plan says of a step is for `ribcage plan`. */
static void keep_weighty(struct engine *e, const struct diag_list *diags) {
    static const char *const ids[] = {"frozen-configuration", "mesh-off-first"};
    for (size_t i = 0; i < diag_count(diags); i++) {
        const struct diag *d = diag_at(diags, i);
        for (size_t k = 0; k < sizeof ids / sizeof ids[0]; k++) {
            if (strcmp(d->id, ids[k]) == 0)
                diag_copy(e->diags, d);
        }
    }
}

static bool step_apply(struct engine *e, const struct scenario_step *s) {
    struct engine_how how = {.kind = s->kind == STEP_DELETE ? ENGINE_REMOVE
                                     : s->at_once           ? ENGINE_APPLY_AT_ONCE
                                                            : ENGINE_APPLY,
                             .tool = s->tool};
    struct calico_applied applied = {0};
    struct diag_list *diags = diag_list_new();
    struct yaml_document *documents = NULL;
    size_t count = 0;
    if (!diags)
        return false;
    bool sound = engine_documents(e, s, diags, &documents, &count);
    bool ok = (sound || count > 0) && engine_apply(e, documents, count, how, diags, &applied);
    ok = ok && sound;
    summarize(e, &applied, sound);
    keep_weighty(e, diags);
    if (!ok && !s->may_be_rejected)
        fail_refused(e, diags);
    keep_said(e, diags, !ok);
    return ok || s->may_be_rejected;
}

/* ---- steps: IOS lines ---- */

static bool step_ios(struct engine *e, const struct scenario_step *s) {
    uint32_t node = engine_node_find(e, s->router);
    if (node == UINT32_MAX || node < e->node_count)
        return false;
    struct engine_router *r = &e->routers[node - e->node_count];
    engine_type(r, s->ios_lines, &(struct engine_typed){.router = s->router});
    if (!state_replace(e, NULL, e->diags, NULL))
        return false;
    json_t *request = json_pack("{s:s, s:s}", "op", "ios-lines", "lines", s->ios_lines);
    const char *error = "";
    json_t *answer =
        request ? lab_request(e->lab, node, request, REQUEST_DEADLINE_MS, &error) : NULL;
    bool ok = json_is_true(json_object_get(answer, "ok"));
    if (!ok)
        record_verdict(e, RUN_FAILED, "the router did not take its lines");
    json_decref(request);
    json_decref(answer);
    return ok;
}

/* ---- steps: faults ---- */

static bool add_cut(struct engine *e, uint32_t a, uint32_t b) {
    if (e->cut_count == e->cut_capacity) {
        size_t capacity = e->cut_capacity ? e->cut_capacity * 2 : 8;
        struct oracle_cut *list = arena_array(e->arena, capacity, sizeof *list);
        if (!list)
            return false;
        if (e->cut_count)
            memcpy(list, e->cuts, e->cut_count * sizeof *list);
        e->cuts = list;
        e->cut_capacity = capacity;
    }
    e->cuts[e->cut_count++] = (struct oracle_cut){a, b};
    return true;
}

static void remove_cut(struct engine *e, uint32_t a, uint32_t b) {
    for (size_t i = 0; i < e->cut_count; i++) {
        if (e->cuts[i].a == a && e->cuts[i].b == b)
            e->cuts[i--] = e->cuts[--e->cut_count];
    }
}

/* A killed process is gone when its parent, which we are, has been told. */
static bool wait_dead(struct engine *e, uint32_t node) {
    struct nanotime deadline = nanotime_add_ms(lab_now(), STOP_DEADLINE_MS);
    while (lab_speaker_state(e->lab, node).kind == LAB_RUNNING) {
        if (!nanotime_before(lab_now(), deadline))
            return false;
        (void)engine_wait(e, deadline);
    }
    return true;
}

bool engine_start_again(struct engine *e, uint32_t node, bool graceful, struct diag_list *diags) {
    e->nodes[node].up = true;
    e->nodes[node].incarnation++;
    return network_start_one(e, node, graceful, diags);
}

static bool restart(struct engine *e, const struct scenario_fault *f, uint32_t node,
                    struct diag_list *diags) {
    if (e->nodes[node].up) {
        bool gone = f->after_kill || f->graceful
                        ? lab_fault(e->lab, LAB_FAULT_KILL, node, UINT32_MAX, 0, diags)
                        : lab_speaker_stop(e->lab, node, STOP_DEADLINE_MS);
        if (!gone || !wait_dead(e, node))
            return false;
    }
    return engine_start_again(e, node, f->graceful, diags);
}

static bool end_speaker(struct engine *e, uint32_t node, bool kill, struct diag_list *diags) {
    e->nodes[node].up = false;
    return kill ? lab_fault(e->lab, LAB_FAULT_KILL, node, UINT32_MAX, 0, diags)
                : lab_speaker_stop(e->lab, node, STOP_DEADLINE_MS);
}

/* One that was ended may not be gone yet: a signal would reach it, and mean nothing. */
static bool has_speaker(const struct engine *e, const struct scenario_fault *f, uint32_t node) {
    bool needed = f->kind == FAULT_STOP || f->kind == FAULT_KILL || f->kind == FAULT_FREEZE ||
                  f->kind == FAULT_THAW;
    return !needed || e->nodes[node].up;
}

static bool apply_fault(struct engine *e, const struct scenario_fault *f, uint32_t node,
                        uint32_t peer, struct diag_list *diags) {
    if (!has_speaker(e, f, node))
        return false;
    switch (f->kind) {
    case FAULT_STOP:
        return end_speaker(e, node, false, diags);
    case FAULT_KILL:
        return end_speaker(e, node, true, diags);
    case FAULT_RESTART:
        return restart(e, f, node, diags);
    case FAULT_START:
        return engine_start_again(e, node, f->graceful, diags);
    case FAULT_FREEZE:
        return lab_fault(e->lab, LAB_FAULT_FREEZE, node, peer, f->port, diags);
    case FAULT_THAW:
        return lab_fault(e->lab, LAB_FAULT_THAW, node, peer, f->port, diags);
    case FAULT_LINK_DOWN:
        return lab_fault(e->lab, LAB_FAULT_LINK_DOWN, node, peer, f->port, diags) &&
               add_cut(e, node, UINT32_MAX);
    case FAULT_LINK_UP:
        remove_cut(e, node, UINT32_MAX);
        return lab_fault(e->lab, LAB_FAULT_LINK_UP, node, peer, f->port, diags);
    case FAULT_BLOCK_BGP:
        return lab_fault(e->lab, LAB_FAULT_BLOCK_BGP, node, peer, f->port, diags) &&
               add_cut(e, node, peer);
    case FAULT_UNBLOCK_BGP:
        remove_cut(e, node, peer);
        return lab_fault(e->lab, LAB_FAULT_UNBLOCK_BGP, node, peer, f->port, diags);
    }
    return false;
}

static bool all_listen(const struct engine *e) {
    for (uint32_t i = 0; i < e->count; i++) {
        if (e->nodes[i].up && e->state->configs[i] && !backend_runs(e, i) &&
            !atomic_load(&lab_slot(e->lab, i)->listening))
            return false;
    }
    return true;
}

/* In a large lab speakers do not hear of the kernel's changes while routes are written in bulk: a
 * fault comes when they do, so that what it costs is measured and not the end of the rush. */
static void wait_until_heard(struct engine *e) {
    struct nanotime deadline = nanotime_add_ms(lab_now(), LISTEN_DEADLINE_MS);
    while (!all_listen(e) && nanotime_before(lab_now(), deadline) && engine_wait(e, deadline))
        continue;
}

static bool step_fault(struct engine *e, const struct scenario_step *s) {
    wait_until_heard(e);
    uint32_t node = engine_node_find(e, s->fault.node);
    uint32_t peer = s->fault.peer ? engine_node_find(e, s->fault.peer) : UINT32_MAX;
    size_t errors = diag_error_count(e->diags);
    bool ok = node != UINT32_MAX && apply_fault(e, &s->fault, node, peer, e->diags) &&
              state_replace(e, NULL, e->diags, NULL);
    if (!ok && diag_error_count(e->diags) == errors)
        diag_add(e->diags, DIAG_ERROR, s->place, "fault", "the fault could not be set");
    if (!ok)
        record_verdict(e, RUN_HOST, "a fault could not be set");
    return ok;
}

/* ---- steps ---- */

static bool run_step(struct engine *e, const struct scenario_step *s) {
    e->stirred |= s->kind == STEP_CHURN || s->kind == STEP_ROLL;
    switch (s->kind) {
    case STEP_APPLY:
    case STEP_DELETE:
        return step_apply(e, s);
    case STEP_IOS:
        return step_ios(e, s);
    case STEP_FAULT:
        return step_fault(e, s);
    case STEP_HOLD:
        return step_hold(e, s);
    case STEP_CHURN:
        return step_churn(e, s);
    case STEP_ROLL:
        return step_roll(e, s);
    case STEP_EXPECT:
        return expect_all(e, s->expects, s->expect_count, s->deadline_ns);
    }
    return false;
}

static void end_step(struct engine *e, const struct scenario_step *s, size_t first_check, bool ok) {
    if (s->kind != STEP_EXPECT) {
        record_phase_end(e, "%s", e->step_summary ? e->step_summary : ok ? "done" : "failed");
        e->step_summary = NULL;
        return;
    }
    size_t passed = 0, all = e->result.check_count - first_check;
    for (size_t i = first_check; i < e->result.check_count; i++)
        passed += e->result.checks[i].verdict == CHECK_PASSED;
    record_phase_end(
        e, "%zu/%zu checks, %lu/%lu sessions, %lu/%lu routes", passed, all,
        (unsigned long)e->result.sessions.speakers, (unsigned long)e->result.sessions.expected,
        (unsigned long)e->result.routes.loc_rib, (unsigned long)e->result.routes.expected);
}

/* What a speaker's peers lose is seen before its end is known: what went wrong is not judged until
 * it is. */
static void name_the_fallen(struct engine *e) {
    if (e->result.verdict != RUN_INCOMPLETE && lab_await_exits(e->lab, STOP_DEADLINE_MS))
        watch_children(e);
}

/* A failed expectation does not hide what the following ones would say, unless nobody cares; a step
 * that could not be done does end the run. */
static void run_steps(struct engine *e) {
    for (size_t i = 0; i < e->scenario->step_count && !e->interrupted; i++) {
        const struct scenario_step *s = &e->scenario->steps[i];
        size_t first_check = e->result.check_count;
        record_phase_begin(e, s->name);
        bool ok = run_step(e, s);
        name_the_fallen(e);
        if (s->kind == STEP_EXPECT && e->looked && !engine_stopping(e))
            e->looked(e, i, ok);
        uint64_t kernel = e->result.sessions.kernel, wire = e->result.sessions.wire;
        engine_fill_totals(e);
        e->result.sessions.kernel = kernel;
        e->result.sessions.wire = wire;
        end_step(e, s, first_check, ok);
        bool failed = e->result.verdict != RUN_INCOMPLETE; /* a hold or packets, done or not */
        if ((!ok && s->kind != STEP_EXPECT) || (failed && e->fail_fast))
            return;
    }
}

/* ---- the whole ---- */

static bool host_failed(struct engine *e, const char *what) {
    const char *message = what;
    for (size_t i = diag_count(e->diags); i > 0; i--) {
        if (diag_at(e->diags, i - 1)->severity != DIAG_ERROR)
            continue;
        message = diag_at(e->diags, i - 1)->message;
        break;
    }
    record_verdict(e, RUN_HOST, message);
    record_phase_end(e, "failed: %s", message);
    return false;
}

static bool build(struct engine *e) {
    record_phase_begin(e, "build");
    if (!network_build(e, e->diags))
        return host_failed(e, "the network could not be built");
    engine_listen(e);
    record_phase_end(e, "%u nodes%s%s, %s fabric", e->node_count, e->router_count ? " and " : "",
                     e->router_count ? "routers" : "", e->routed ? "routed" : "l2");
    return !e->interrupted;
}

static bool start(struct engine *e) {
    record_phase_begin(e, "start");
    if (!network_start(e, e->diags))
        return e->interrupted ? false : host_failed(e, "the speakers could not be started");
    record_phase_end(e, "%u speakers", e->count);
    return !e->interrupted;
}

static void teardown(struct engine *e) {
    size_t held = 0;
    record_phase_begin(e, "teardown");
    if (e->lab) {
        engine_fill_totals(e);
        record_teardown(e);
        held = lab_teardown(e->lab);
        e->lab = NULL;
    }
    if (held)
        record_phase_end(e, "%zu namespaces are held by programs started inside of them", held);
    else
        record_phase_end(e, "nothing left");
}

/* A run that passed, with warnings: those of the plan at the start, and what steps added. */
static void judge_warnings(struct engine *e) {
    size_t count = 0;
    struct text all;
    text_init(&all);
    for (size_t i = 0; i < diag_count(e->diags); i++) {
        const struct diag *d = diag_at(e->diags, i);
        if (d->severity == DIAG_WARNING)
            text_printf(&all, "%s%s: %s", count++ ? "; " : "", d->id, d->message);
    }
    if (count && e->warnings_as == WARNINGS_WARN)
        record_verdict(e, RUN_WARNINGS, NULL);
    if (count && e->warnings_as == WARNINGS_FAIL) {
        record_phase_begin(e, "warnings");
        record_check(e, "no warnings", CHECK_FAILED, engine_elapsed(e), text_str(&all));
        record_verdict(e, RUN_FAILED, text_str(&all));
        record_phase_end(e, "%zu in all", count);
    }
    text_deinit(&all);
}

static int conclude(struct engine *e) {
    engine_listen(e); /* also what came during the teardown */
    if (e->interrupted)
        record_verdict(e, RUN_INTERRUPTED, "interrupted");
    if (e->result.verdict == RUN_INCOMPLETE)
        judge_warnings(e);
    if (e->result.verdict == RUN_INCOMPLETE)
        e->result.verdict = RUN_PASSED;
    e->result.warnings = report_findings_list(e->diags);
    record_result(e, true);
    record_drain(e);
    json_decref(e->result.warnings);
    return run_verdict_exit(e->result.verdict);
}

static bool open_wait_fd(struct engine *e) {
    e->wait_fd = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = e->front_fd};
    if (e->wait_fd < 0)
        return false;
    if (e->front_fd >= 0)
        (void)epoll_ctl(e->wait_fd, EPOLL_CTL_ADD, e->front_fd, &event);
    if (!e->server)
        return true;
    event.data.fd = server_fd(e->server);
    return epoll_ctl(e->wait_fd, EPOLL_CTL_ADD, event.data.fd, &event) == 0;
}

int engine_run(struct engine *e) {
    e->started = lab_now();
    e->result.verdict = RUN_INCOMPLETE;
    if (!open_wait_fd(e)) {
        record_verdict(e, RUN_HOST, strerror(errno));
        return conclude(e);
    }
    struct fidelity_probe *probe = fidelity_begin();
    struct fidelity f = {0};
    if (build(e) && start(e)) {
        run_steps(e);
        fill_usage(e);
    }
    if (probe) {
        fidelity_end(probe, e->result.usage.cpu_ns, e->result.usage.wait_ns, &f);
        judge_host(e, &f);
    }
    teardown(e);
    return conclude(e);
}

/* A lab that cannot be asked cannot be taken down either. */
static bool can_serve(struct engine *e) {
    if (e->server && open_wait_fd(e))
        return true;
    record_phase_begin(e, "listen");
    return host_failed(e, e->server ? strerror(errno) : "nobody could ask the lab");
}

int engine_serve(struct engine *e) {
    e->started = lab_now();
    e->result.verdict = RUN_INCOMPLETE;
    if (can_serve(e) && build(e) && start(e)) {
        record_verdict(e, RUN_PASSED, NULL);
        e->result.warnings = report_findings_list(e->diags);
        record_result(e, true); /* the command in front may go now */
        while (engine_wait(e, NANOTIME_NEVER))
            continue;
    } else {
        if (e->interrupted)
            record_verdict(e, RUN_INTERRUPTED, "interrupted");
        record_result(e, true);
    }
    teardown(e);
    return run_verdict_exit(e->result.verdict);
}

void engine_check_rejected(struct engine *e) {
    e->started = lab_now();
    e->result.verdict = RUN_INCOMPLETE;
    struct diag_list *diags = diag_list_new();
    record_phase_begin(e, "plan");
    bool accepted = engine_prepare(e, diags);
    keep_said(e, diags, true);
    record_phase_end(e, accepted ? "accepted" : "refused");
    for (size_t i = 0; i < e->scenario->step_count; i++) {
        const struct scenario_step *s = &e->scenario->steps[i];
        record_phase_begin(e, s->name);
        for (size_t k = 0; s->kind == STEP_EXPECT && k < s->expect_count; k++) {
            struct expectation x = {.e = e, .x = &s->expects[k]};
            bool ok = s->expects[k].kind == EXPECT_REJECTED && expect_rejected(&x, true);
            record_check(e, s->expects[k].finding ? s->expects[k].finding : "refused",
                         ok ? CHECK_PASSED : CHECK_FAILED, engine_elapsed(e), x.reason);
            if (!ok)
                record_verdict(e, RUN_FAILED, x.reason);
        }
        record_phase_end(e, "done");
    }
    (void)conclude(e);
}
