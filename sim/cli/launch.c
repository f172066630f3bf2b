/*
 * From a scenario's path to a verdict: reading and planning here, the lab in a supervisor.
 *
 * Everything that can be refused is refused before anything is built. The supervisor is forked with
 * the plan already in its memory; what it finds comes back as records (front.c).
 */

#include "launch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---- the run's directory ---- */

static bool open_directory(struct launch *l) {
    l->front.directory_fd =
        run_folder_make(l->o->runs, l->o->runs_fd, l->id, l->directory, sizeof l->directory);
    return l->front.directory_fd >= 0;
}

/* ---- the engine ---- */

static const char *fabric_name(const struct engine *e) {
    return e->routed ? "routed" : "l2";
}

static void describe_run(struct launch *l) {
    struct run_result *r = &l->engine.result;
    const struct scenario *s = l->scenario;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    static const char *const profiles[] = {"calico", "fast", "ios", "plain"};
    *r = (struct run_result){
        .id = l->id,
        .directory = l->directory,
        .scenario = s->name,
        .description = s->description,
        .file = s->file,
        .theme = s->theme,
        .profile = profiles[s->profile],
        .fabric = fabric_name(&l->engine),
        .nodes = s->topology ? s->topology->node_count : 0,
        .routers = s->topology ? s->topology->router_count : 0,
        .seed = l->engine.seed,
        .wall_start_ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000,
        .version = RIBCAGE_VERSION,
        .verdict = RUN_INCOMPLETE,
        .error = "",
    };
}

static bool take_profile(struct launch *l) {
    if (!l->o->profile)
        return true;
    if (strcmp(l->o->profile, "calico") == 0)
        l->scenario->profile = BGP_PROFILE_CALICO;
    else if (strcmp(l->o->profile, "fast") == 0)
        l->scenario->profile = BGP_PROFILE_FAST;
    else
        cli_error("--profile is calico or fast, not %s", l->o->profile);
    return strcmp(l->o->profile, "calico") == 0 || strcmp(l->o->profile, "fast") == 0;
}

/* "bird" or "bird=/where/it/is". Other programs have the timers Calico gives them, in seconds. */
static bool take_backend(struct launch *l) {
    struct engine_backend *b = &l->engine.backend;
    char name[32];
    if (!l->o->backend)
        return true;
    size_t length = strcspn(l->o->backend, "=");
    snprintf(name, sizeof name, "%.*s", (int)length, l->o->backend);
    b->driver = daemon_driver_find(name);
    if (!b->driver)
        cli_error("--backend is %s, not %s", daemon_driver_names(), name);
    if (!b->driver)
        return false;
    if (l->o->profile && l->scenario->profile == BGP_PROFILE_FAST) {
        cli_error("--backend %s has Calico's timers: --profile fast cannot be", name);
        return false;
    }
    l->scenario->profile = BGP_PROFILE_CALICO;
    const char *path = l->o->backend[length] ? l->o->backend + length + 1 : NULL;
    return daemon_locate(b->driver, path, &b->root, l->diags);
}

static bool read_scenario(struct launch *l, const char *path) {
    l->scenario = scenario_read(path, l->o->sets, l->o->set_count, l->arena, l->diags);
    if (!l->scenario || !take_profile(l) || !take_backend(l))
        return false;
    if (!scenario_stretch(l->scenario, l->o->patience, l->arena))
        return false;
    l->engine.scenario = l->scenario;
    l->engine.arena = l->arena;
    l->engine.diags = l->diags;
    l->engine.front_fd = -1;
    l->engine.wait_fd = -1;
    l->engine.weigh_first = true;
    l->engine.allow_noise = l->o->allow_noise;
    l->engine.fail_fast = l->o->fail_fast;
    l->engine.warnings_as = l->o->warnings_fail   ? WARNINGS_FAIL
                            : l->o->warnings_warn ? WARNINGS_WARN
                                                  : WARNINGS_OK;
    l->engine.seed = l->o->seed_set ? l->o->seed : l->scenario->seed;
    return l->scenario->no_lab || engine_prepare(&l->engine, l->diags) || l->engine.too_large;
}

/* ---- the other side ---- */

/* What we opened ourselves is closed on execution: the rest came from whoever started us. */
static void close_inherited(void) {
    DIR *d = opendir("/proc/self/fd");
    for (struct dirent *e; d && (e = readdir(d)) != NULL;) {
        uint64_t fd = 0;
        bool ours = !text_to_u64(e->d_name, 3, INT_MAX, &fd) ||
                    fcntl((int)fd, F_GETFD) != 0; /* FD_CLOEXEC is the only flag */
        if (!ours)
            close((int)fd);
    }
    if (d)
        closedir(d);
}

/* A lab that outlives its command must not hold the caller's pipes, locks or terminal. */
static void let_go_of_caller(void) {
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = 0; null >= 0 && fd <= 2; fd++)
        (void)dup2(null, fd);
    if (null > 2)
        close(null);
    close_inherited();
}

static int lab_body(int fd, void *argument) {
    struct launch *l = argument;
    if (l->up)
        let_go_of_caller();
    l->engine.front_fd = fd;
    /* The run's folder as every process of the lab finds it, also when its path leads elsewhere by
     * now: what we have open. We are process 1 there. */
    if (l->o->mrt)
        l->engine.mrt_directory = arena_printf(l->arena, "/proc/1/fd/%d", l->front.directory_fd);
    l->engine.server = server_new(&l->engine, l->place.socket);
    if (l->up && !l->engine.server)
        diag_add(l->diags, DIAG_ERROR, (struct diag_place){0}, "lab-place", "%s: %s",
                 l->place.socket, strerror(errno));
    int status = l->up ? engine_serve(&l->engine) : engine_run(&l->engine);
    server_free(l->engine.server);
    lab_place_remove(&l->place);
    return status;
}

/* No network to build: a plain child does, for the same records. */
static int start_plain(struct launch *l, int *ret_fd, int *ret_pidfd) {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return -1;
    pid_t pid = fork();
    if (pid == 0) {
        close(pair[0]);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        l->engine.front_fd = pair[1];
        engine_check_rejected(&l->engine);
        _exit(0);
    }
    close(pair[1]);
    *ret_fd = pair[0];
    *ret_pidfd = pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
    return pid > 0 && *ret_pidfd >= 0 ? 0 : -1;
}

static int run_plain(struct launch *l) {
    int fd = -1, pidfd = -1;
    if (start_plain(l, &fd, &pidfd) != 0) {
        perror("ribcage");
        return 4;
    }
    int status = front_run(&l->front, fd, pidfd);
    close(fd);
    close(pidfd);
    return status;
}

/* Not even a supervisor: the report says why. */
static int host_refused(struct launch *l) {
    for (size_t i = 0; i < diag_count(l->diags); i++) {
        if (diag_at(l->diags, i)->severity == DIAG_ERROR)
            l->engine.result.error = diag_at(l->diags, i)->message;
    }
    l->engine.result.verdict = RUN_HOST;
    json_t *r = report_json(&l->engine.result);
    front_keep_result(&l->front, r, true);
    json_decref(r);
    if (l->up)
        cli_error("%s", l->engine.result.error);
    return run_verdict_exit(RUN_HOST);
}

/* Before anything is built: what is certain to end half-way does not begin. */
static bool host_carries(struct launch *l) {
    bool planned = !l->engine.too_large;
    struct lab_needs needs = planned ? engine_needs(&l->engine) : l->engine.least;
    struct lab_need list[LAB_NEEDS_MAX];
    size_t errors = diag_error_count(l->diags);
    (void)host_weigh(&needs, list, l->diags);
    return planned && diag_error_count(l->diags) == errors;
}

static int run_lab(struct launch *l) {
    struct supervisor_options so = {.outlive_caller = l->up};
    int fd = -1, pidfd = -1;
    if (!host_carries(l))
        return host_refused(l);
    if (!lab_place_make(l->id, l->up, l->scenario->name, &l->place)) {
        diag_add(l->diags, DIAG_ERROR, (struct diag_place){0}, "lab-place", "%s: %s",
                 l->place.directory, strerror(errno));
        return host_refused(l);
    }
    pid_t pid = supervise(&so, lab_body, l, &fd, &pidfd, l->diags);
    close(l->place.lock_fd); /* the supervisor's copy holds the lock from now on */
    if (pid < 0) {
        lab_place_remove(&l->place);
        return host_refused(l);
    }
    int status = front_run(&l->front, fd, pidfd);
    if (!l->up || status != 0)
        (void)lab_place_collect(&l->place); /* a supervisor that was killed could not */
    close(fd);
    close(pidfd);
    return status;
}

/* ---- together ---- */

static void refuse(struct launch *l) {
    diag_sort(l->diags);
    cli_print_diags(l->diags);
    if (l->scenario && open_directory(l)) {
        describe_run(l);
        l->engine.result.verdict = RUN_REFUSED;
        json_t *r = report_json(&l->engine.result);
        (void)report_write_json(l->front.directory_fd, r);
        (void)report_write_junit(l->front.directory_fd, r);
        run_folder_give(l->front.directory_fd);
        if (l->o->json)
            cli_print_json(json_incref(r));
        json_decref(r);
    }
}

/* A report from the first moment on: whatever ends us, it says how far the run had come. */
static void begin_report(struct launch *l) {
    l->engine.result.partial_of = "start-up";
    json_t *r = report_json(&l->engine.result);
    front_keep_result(&l->front, r, false);
    json_decref(r);
    l->engine.result.partial_of = NULL;
}

static int run_prepared(struct launch *l) {
    if (!front_hold_signals(&l->front) || !open_directory(l))
        return 4;
    describe_run(l);
    begin_report(l);
    l->front.terminal = terminal_new(l->o->json || l->o->quiet ? 2 : 1, l->o->quiet);
    terminal_heed(l->front.terminal, l->front.signals);
    terminal_headline(l->front.terminal, &l->engine.result);
    if (!l->o->quiet && !l->o->json)
        cli_print_diags(l->diags);
    fflush(NULL);
    int status = l->scenario->no_lab ? run_plain(l) : run_lab(l);
    if (l->front.result && !l->up)
        terminal_verdict(l->front.terminal, l->front.result);
    if (l->front.result && l->o->json)
        cli_print_json(json_incref(l->front.result));
    /* Who asked for the end has not waited for what it says, and is told so by the status alone. */
    bool to_output = !l->o->json && !l->o->quiet && status != run_verdict_exit(RUN_INTERRUPTED);
    if (to_output && l->front.terminal)
        l->output_error = terminal_error(l->front.terminal);
    run_folder_give(l->front.directory_fd);
    return status;
}

int launch(struct launch *l, const char *path) {
    l->arena = arena_new();
    l->diags = diag_list_new();
    l->front.directory_fd = -1;
    l->front.detach = l->up;
    l->front.signals = -1;
    lab_id_make(l->id);
    int status = 2;
    if (!front_free_signals())
        status = run_verdict_exit(RUN_INTERRUPTED);
    else if (l->arena && l->diags && read_scenario(l, path))
        status = run_prepared(l);
    else
        refuse(l);
    if (l->front.signals >= 0)
        close(l->front.signals);
    terminal_free(l->front.terminal);
    json_decref(l->front.result);
    if (l->front.directory_fd >= 0)
        close(l->front.directory_fd);
    engine_release(&l->engine);
    if (l->scenario)
        scenario_close(l->scenario);
    diag_list_free(l->diags);
    arena_free(l->arena);
    return status;
}
