/*
 * The program around the speaker: start, the turn of the loop, stop.
 *
 * Owns the order of things. A turn: what is ready is read; timers fire; the speaker's events are
 * acted on; next hops are resolved; output is written; kernel routes are written; the scoreboard
 * follows. Each step does a bounded amount, and what is left makes the next turn come at once.
 *
 * The speaker's events are drained after every call that may change it, never from within acting
 * on one. Time is CLOCK_MONOTONIC.
 *
 * Stopping: Cease to everyone, then wait until all was said and heard, two seconds at most; then
 * our kernel routes go.
 *
 * BIRD: with the profile's `persist` they stay, and a speaker that starts and finds some comes back
 * as a restarting one: they are replaced or removed when its first best paths are chosen.
 */
#include "host.h"

#include "../base/hash.h"
#include "../base/text.h"
#include "../core/profile.h"
#include "accept.h"
#include "badauth.h"
#include "board.h"
#include "control.h"
#include "fib.h"
#include "log.h"
#include "monitor.h"
#include "mrt_log.h"
#include "netlink.h"
#include "resolver.h"
#include "router.h"
#include "sockets.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define STOP_MS 2000
#define TRIM_MS 500
#define SETTLE_ROUNDS_MAX 8

/* Do kernel routes outlive this speaker? */
static bool persists(const struct host *h) {
    return h->speaker && profile_get(bgp_config_of(h->speaker)->profile)->persist;
}

/* ---- events ---- */

static void on_event(struct host *h, const struct bgp_event *e) {
    switch (e->kind) {
    case BGP_EVENT_NONE:
        break;
    case BGP_EVENT_CONNECT:
    case BGP_EVENT_OUTPUT:
    case BGP_EVENT_CLOSE:
    case BGP_EVENT_ABORT:
        sockets_event(h->sockets, e);
        break;
    case BGP_EVENT_STATE:
        h->trim_wanted |=
            e->state.old_state == BGP_ESTABLISHED || e->state.new_state == BGP_ESTABLISHED;
        mrt_log_state(h->mrt, e);
        log_event(h->log, e);
        break;
    case BGP_EVENT_NOTIFIED:
    case BGP_EVENT_LOG:
        log_event(h->log, e);
        break;
    case BGP_EVENT_FIB:
        if (!(h->stopping && persists(h)))
            fib_route(h->fib, &e->fib);
        break;
    case BGP_EVENT_TRACK:
        resolver_track(h->resolver, (struct bgp_next_hop){e->track.address, e->track.link},
                       e->track.wanted);
        break;
    case BGP_EVENT_PEERS:
        sockets_peers_changed(h->sockets);
        break;
    }
}

void host_drain(struct host *h) {
    struct bgp_event e;
    while (h->speaker && bgp_next_event(h->speaker, &e)) {
        h->worked = true;
        on_event(h, &e);
    }
}

/* ---- configuration ---- */

/* Does the first configuration make it a restarting speaker (RFC 4724 4.1)? */
static bool is_restart(const struct host *h, const struct bgp_config *config) {
    bool found = profile_get(config->profile)->persist && fib_has_stale(h->fib);
    return h->config_generation == 0 && (h->options.restart || found);
}

static bool speaker_start(struct host *h, const struct bgp_config *config) {
    struct bgp_env env = {.seed = hash_bytes(&config->router_id, sizeof config->router_id, 1),
                          .restarting = is_restart(h, config)};
    h->speaker = bgp_speaker_new(config, &env, loop_now());
    h->recovering = h->speaker && env.restarting;
    return h->speaker != NULL;
}

/* BGP was taken out of a router's configuration: everyone is told, then the speaker goes. */
static void speaker_end(struct host *h) {
    struct bgp_config none = {.listen = false};
    if (!h->speaker)
        return;
    bgp_stop(h->speaker, NULL, loop_now());
    for (int i = 0; i < SETTLE_ROUNDS_MAX; i++) {
        host_drain(h);
        sockets_flush(h->sockets);
    }
    host_drain(h);
    sockets_listen(h->sockets, &none, NULL);
    sockets_abort_live(h->sockets);
    fib_remove_all(h->fib);
    bgp_speaker_free(h->speaker);
    h->speaker = NULL;
}

/* The old configuration stays in force: calls are taken where it takes them. */
static bool configure_refused(struct host *h, struct diag_list *diags) {
    const struct bgp_config none = {.listen = false};
    sockets_listen(h->sockets, h->speaker ? bgp_config_of(h->speaker) : &none, diags);
    return false;
}

bool host_configure(struct host *h, const struct bgp_config *config, struct diag_list *diags) {
    enum bgp_status status = BGP_OK;
    bool new = !h->speaker;
    if (!config) {
        speaker_end(h);
        badauth_configure(h->badauth, NULL);
        h->config_generation++;
        return true;
    }
    if (!bgp_config_check(config, "configuration", diags))
        return false;
    if (!sockets_listen(h->sockets, config, diags))
        return configure_refused(h, diags);
    if (new)
        status = speaker_start(h, config) ? BGP_OK : BGP_NO_MEMORY;
    else
        status = bgp_configure(h->speaker, config, loop_now());
    if (status != BGP_OK) {
        diag_add(diags, DIAG_ERROR, (struct diag_place){0}, "not-in-force", "%s",
                 status == BGP_NO_MEMORY ? "out of memory" : "the speaker refuses it");
        return configure_refused(h, diags);
    }
    fib_configure(h->fib, &config->fib);
    resolver_invalidate(h->resolver); /* gateways may have changed */
    sockets_peers_changed(h->sockets);
    badauth_configure(h->badauth, config);
    if (new)
        monitor_tell_speaker(h->monitor);
    h->config_generation++;
    h->configured = loop_now();
    host_drain(h);
    return true;
}

/* ---- the turn ---- */

static struct nanotime earlier(struct nanotime a, struct nanotime b) {
    return nanotime_before(a, b) ? a : b;
}

static struct nanotime next_deadline(const struct host *h) {
    struct nanotime at = h->speaker ? bgp_next_deadline(h->speaker) : NANOTIME_NEVER;
    at = earlier(at, sockets_next_deadline(h->sockets));
    at = earlier(at, fib_next_deadline(h->fib));
    at = earlier(at, monitor_next_deadline(h->monitor));
    at = earlier(at, board_next_deadline(h->board));
    at = earlier(at, router_next_deadline(h->router));
    at = h->trim_at.ns ? earlier(at, h->trim_at) : at;
    return h->stopping ? earlier(at, h->stop_deadline) : at;
}

static void fire_timers(struct host *h) {
    struct nanotime now = loop_now();
    if (h->speaker && !nanotime_before(now, bgp_next_deadline(h->speaker))) {
        bgp_advance(h->speaker, now);
        host_drain(h);
    }
    sockets_advance(h->sockets, now);
    monitor_advance(h->monitor, now);
    router_advance(h->router, now);
}

/* Asking about next hops changes best paths, which changes next hops: until it is quiet. */
static bool settle(struct host *h) {
    bool more = false;
    for (int i = 0; i < SETTLE_ROUNDS_MAX; i++) {
        monitor_work(h->monitor);
        enum resolver_news news = resolver_work(h->resolver);
        if (news == RESOLVER_CHANGED || (news == RESOLVER_ANSWERED && fib_waits(h->fib))) {
            fib_resolver_changed(h->fib);
            resolver_settled(h->resolver);
        }
        host_drain(h);
        more = sockets_flush(h->sockets);
        host_drain(h);
        if (!resolver_pending(h->resolver))
            break;
    }
    return more || resolver_pending(h->resolver) || sockets_may_connect(h->sockets);
}

/* Much was freed: what the allocator keeps of it goes back, once a burst is over or TRIM_MS old. */
static void trim(struct host *h) {
    struct nanotime now = loop_now();
    if (!h->trim_wanted)
        return;
    if (h->trim_at.ns == 0)
        h->trim_at = nanotime_add_ms(now, TRIM_MS);
    if (nanotime_before(now, h->trim_at))
        return;
    h->trim_wanted = false;
    h->trim_at.ns = 0;
    malloc_trim(0);
}

/* What an earlier life left in the kernel and nothing of now replaced goes. */
static void recovery_check(struct host *h) {
    if (!h->recovering || h->stopping || (h->speaker && bgp_recovering(h->speaker)))
        return;
    h->recovering = false;
    fib_sweep(h->fib);
}

static bool turn(struct host *h, bool busy) {
    struct nanotime deadline = busy ? (struct nanotime){0} : next_deadline(h);
    h->worked = busy;
    if (loop_turn(&h->loop, deadline) > 0)
        h->worked = true;
    fire_timers(h);
    busy = settle(h);
    busy |= control_work(h->control);
    recovery_check(h);
    busy |= fib_work(h->fib);
    mrt_log_flush(h->mrt);
    board_update(h->board);
    trim(h);
    return busy;
}

/* ---- stopping ---- */

void host_stop(struct host *h, const char *text, bool abort) {
    struct bgp_config none = {.listen = false};
    if (h->stopping && !abort)
        return;
    h->stopping = true;
    h->abort |= abort;
    h->stop_deadline = nanotime_add_ms(loop_now(), STOP_MS);
    sockets_listen(h->sockets, &none, NULL);
    if (abort)
        sockets_abort(h->sockets);
    else if (h->speaker)
        bgp_stop(h->speaker, text, loop_now());
    host_drain(h);
}

static bool stopped(const struct host *h) {
    if (!h->stopping)
        return false;
    if (!nanotime_before(loop_now(), h->stop_deadline))
        return true;
    bool quiet = h->abort || !h->speaker || bgp_stopped(h->speaker);
    return quiet && (h->abort || sockets_idle(h->sockets)) && control_idle(h->control);
}

static void hang_up(struct host *h) {
    struct diag_list *diags = diag_list_new();
    struct text out;
    text_init(&out);
    log_reopen(h->log);
    mrt_log_reopen(h->mrt);
    if (diags && !h->stopping) {
        host_reload(h, diags);
        diag_print(diags, &out);
    }
    log_text(h->log, text_str(&out));
    text_deinit(&out);
    diag_list_free(diags);
}

static void on_signal(struct loop_source *source, uint32_t events) {
    struct host *h = (struct host *)((char *)source - offsetof(struct host, signals));
    struct signalfd_siginfo info;
    (void)events;
    if (read(source->fd, &info, sizeof info) != sizeof info)
        return;
    if (info.ssi_signo == SIGHUP)
        hang_up(h);
    else
        host_stop(h, NULL, h->stopping); /* the second one means it */
}

static bool signals_open(struct host *h) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    if (h->options.config_file || h->options.ios_file)
        sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    h->signals.ready = on_signal;
    h->signals.fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    return h->signals.fd >= 0 && loop_add(&h->loop, &h->signals, EPOLLIN);
}

/* ---- beginning and end ---- */

static bool failed(struct diag_list *diags, const char *what) {
    diag_add(diags, DIAG_ERROR, (struct diag_place){0}, "host", "%s: %s", what, strerror(errno));
    return false;
}

/* A speaker needs a descriptor per peer and little else. */
static void limits_raise(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    mallopt(M_MMAP_THRESHOLD, 64 * 1024);
    mallopt(M_TRIM_THRESHOLD, 128 * 1024);
}

static bool netlink_start(struct host *h, struct diag_list *diags) {
    h->netlink = alloc_zero(1, sizeof *h->netlink);
    if (!h->netlink || !netlink_open(h->netlink))
        return failed(diags, "netlink");
    if (!(h->fib = fib_new(h)) || !(h->resolver = resolver_new(h)))
        return failed(diags, "memory");
    if (!(h->monitor = monitor_new(h)))
        return failed(diags, "watching the kernel's tables");
    if (!fib_adopt(h->fib))
        return failed(diags, "reading the kernel's table");
    return true;
}

/* Everything but the configuration. */
static bool start(struct host *h, struct diag_list *diags) {
    if (!loop_init(&h->loop))
        return failed(diags, "epoll");
    if (!(h->log = log_new(h)))
        return failed(diags, h->options.log_file ? h->options.log_file : "memory");
    if (!(h->board = board_new(h)))
        return failed(diags, "scoreboard");
    board_phase(h->board, SCOREBOARD_STARTING);
    accept_init(h);
    if (!signals_open(h))
        return failed(diags, "signalfd");
    if (h->options.mrt_file && !(h->mrt = mrt_log_new(h, h->options.mrt_file)))
        return failed(diags, h->options.mrt_file);
    if (!(h->sockets = sockets_new(h)) || !(h->badauth = badauth_new(h)))
        return failed(diags, "memory");
    if (!netlink_start(h, diags))
        return false;
    return (h->control = control_new(h, diags)) != NULL;
}

/* With findings said: on standard error, where whoever started us looks first. */
static void findings_print(const struct diag_list *diags) {
    struct text out;
    text_init(&out);
    diag_print(diags, &out);
    fputs(text_str(&out), stderr);
    text_deinit(&out);
}

/* What outlives a process: the control socket's name, a file's last bytes. */
static void finish_files(struct host *h) {
    control_free(h->control);
    h->control = NULL;
    mrt_log_free(h->mrt);
    h->mrt = NULL;
}

/* Aborted, it leaves its tables to the kernel, which takes the pages back at once: a thousand
 * speakers that end together would walk theirs for longer than everything else takes. */
static void finish(struct host *h) {
    finish_files(h);
    if (h->abort)
        return;
    sockets_free(h->sockets);
    badauth_free(h->badauth);
    if (h->speaker)
        bgp_speaker_free(h->speaker);
    router_free(h->router);
    monitor_free(h->monitor);
    resolver_free(h->resolver);
    fib_free(h->fib);
    if (h->netlink)
        netlink_close(h->netlink);
    alloc_free(h->netlink);
    accept_deinit(h);
    log_free(h->log);
    board_free(h->board);
    if (h->signals.fd >= 0)
        close(h->signals.fd);
    loop_deinit(&h->loop);
}

static int run(struct host *h) {
    char clock[LOG_WALL_CLOCK_SIZE];
    bool busy = true;
    if (!h->recovering)
        fib_sweep(h->fib);
    board_phase(h->board, SCOREBOARD_RUNNING);
    log_line(h->log, "running", NULL, "version=%s pid=%d time=%s", RIBCAGE_VERSION, (int)getpid(),
             log_wall_clock(clock));
    while (!stopped(h))
        busy = turn(h, busy);
    if (!persists(h))
        fib_remove_all(h->fib);
    board_update(h->board);
    log_line(h->log, "stopped", NULL, "abort=%d", h->abort);
    board_phase(h->board, SCOREBOARD_STOPPED);
    return HOST_EXIT_OK;
}

static bool is_unable(const struct diag_list *diags) {
    for (size_t i = 0; i < diag_count(diags); i++)
        if (strcmp(diag_at(diags, i)->id, "cannot-listen") == 0)
            return true;
    return false;
}

static int check(struct host *h, struct diag_list *diags) {
    bool ok = host_load(h, true, diags);
    findings_print(diags);
    router_free(h->router);
    return ok && diag_error_count(diags) == 0 ? HOST_EXIT_OK : HOST_EXIT_CONFIG;
}

int host_run(const struct host_options *options) {
    static struct host h;
    struct diag_list *diags = diag_list_new();
    int status = HOST_EXIT_UNABLE;
    h = (struct host){.options = *options,
                      .started = loop_now(),
                      .signals = {.fd = -1},
                      .reserve_fd = -1,
                      .operator_fd = -1,
                      .loop = {.epoll_fd = -1}};
    if (!diags)
        return HOST_EXIT_INTERNAL;
    if (options->check) {
        status = check(&h, diags);
        diag_list_free(diags);
        return status;
    }
    limits_raise();
    if (start(&h, diags))
        status = host_load(&h, false, diags) ? HOST_EXIT_OK
                 : is_unable(diags)          ? HOST_EXIT_UNABLE
                                             : HOST_EXIT_CONFIG;
    findings_print(diags);
    diag_list_free(diags);
    if (status == HOST_EXIT_OK)
        status = run(&h);
    else if (h.board)
        board_phase(h.board, SCOREBOARD_FAILED);
    finish(&h);
    return status;
}
