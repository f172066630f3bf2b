/*
 * What it costs to know what should be: manifests to plan, configurations and oracle, no lab.
 *
 *   state_bench [NODES…]    full mesh, default: 100 300 1000
 *
 * One line each: the whole, the oracle's share, a change (a state made from the present one, as
 * every step does) and the peak of memory. Each size runs in a child of its own, so that the peak
 * is its own. Run at the root of the source tree.
 */
#include "engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static double seconds_since(struct nanotime start) {
    return (double)nanotime_since(lab_now(), start) / 1e9;
}

static double peak_mib(void) {
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? (double)usage.ru_maxrss / 1024 : 0;
}

/* The oracle alone, a second time from the same configurations. */
static double oracle_alone(const struct engine *e) {
    struct nanotime start = lab_now();
    struct oracle_input in = {
        .nodes = e->state->nodes, .node_count = e->count, .routed_fabric = e->routed};
    struct oracle *o = oracle_new(&in);
    double took = seconds_since(start);
    oracle_free(o);
    return o ? took : -1;
}

static bool measure(const char *nodes) {
    struct yaml_parameter set = {"nodes", nodes};
    struct arena *arena = arena_new();
    struct diag_list *diags = diag_list_new();
    struct engine e = {.arena = arena, .diags = diags, .front_fd = -1, .wait_fd = -1};
    struct nanotime start = lab_now();
    struct scenario *s = scenario_read("scenarios/mesh/full-mesh", &set, 1, arena, diags);
    e.scenario = s;
    bool ok = s && engine_prepare(&e, diags);
    double whole = seconds_since(start), peak = peak_mib(), oracle = ok ? oracle_alone(&e) : 0;
    start = lab_now();
    ok = ok && state_replace(&e, NULL, diags, NULL);
    if (ok)
        printf("mesh of %5s: state %7.3f s, of it oracle %7.3f s, peak %6.0f MiB; change %7.3f s, "
               "peak "
               "%6.0f MiB\n",
               nodes, whole, oracle, peak, seconds_since(start), peak_mib());
    engine_release(&e);
    if (s)
        scenario_close(s);
    diag_list_free(diags);
    arena_free(arena);
    return ok;
}

static bool measure_apart(const char *nodes) {
    int status = 0;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        bool ok = measure(nodes);
        fflush(stdout);
        _exit(ok ? 0 : 1);
    }
    return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

int main(int argc, char **argv) {
    static const char *const defaults[] = {"100", "300", "1000"};
    bool ok = true;
    for (int i = 1; i < argc; i++)
        ok &= measure_apart(argv[i]);
    for (size_t i = 0; argc == 1 && i < 3; i++)
        ok &= measure_apart(defaults[i]);
    return ok ? 0 : 1;
}
