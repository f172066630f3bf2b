/*
 * The programs that are compared, run as a user would, and a run to give them files of.
 */
#include "cli_fixture.h"
#include "decoders_fixture.h"

void other_find(const char *name, struct other *ret_other) {
    const char *peers = getenv("RIBCAGE_PEERS");
    char folder[600];
    snprintf(folder, sizeof folder, "%s/%s", peers ? peers : "build/peers", name);
    snprintf(ret_other->libraries, sizeof ret_other->libraries, "LD_LIBRARY_PATH=%s/libs", folder);
    snprintf(ret_other->program, sizeof ret_other->program, "%s/usr/bin/%s", folder, name);
    if (access(ret_other->program, X_OK) == 0)
        return;
    snprintf(ret_other->program, sizeof ret_other->program, "/usr/bin/%s", name);
    if (access(ret_other->program, X_OK) == 0)
        return;
    print_message("skipped: %s is not there: .ci/peers fetches it\n", name);
    skip();
}

/* In the child: instead of our program. */
static void become_other(void *argument) {
    const struct other *o = argument;
    char home[] = "HOME=/nonexistent", zone[] = "TZ=UTC", *argv[20] = {NULL};
    char *const environment[] = {(char *)(uintptr_t)o->libraries, home, zone, NULL};
    argv[0] = (char *)(uintptr_t)o->program;
    for (int i = 0; o->words[i]; i++)
        argv[i + 1] = (char *)(uintptr_t)o->words[i];
    execve(o->program, argv, environment);
    _exit(127);
}

/* All of what it printed. `worst`: the highest status that is no failure. */
static void take_output(struct run *r, const char *who, int worst, struct text *out) {
    struct stat s;
    if (r->status > worst)
        fail_msg("%s: status %d: %s", who, r->status, written(r->err));
    assert_int_equal(fstat(r->out, &s), 0);
    void *data = mmap(NULL, (size_t)s.st_size + 1, PROT_READ, MAP_PRIVATE, r->out, 0);
    assert_ptr_not_equal(data, MAP_FAILED);
    text_put(out, data, (size_t)s.st_size);
    munmap(data, (size_t)s.st_size + 1);
    run_close(r);
}

void other_run(struct other *o, const char *const *words, struct text *out) {
    struct run_options options = {.prepare = become_other, .argument = o};
    o->words = words;
    struct run r = run_start_with(&options, WORDS(""));
    run_end(&r);
    take_output(&r, o->program, 0, out);
}

void ours_run(const char *const *words, struct text *out) {
    struct run r = run_words(words);
    take_output(&r, "ribcage", 1, out);
}

const char *fixture_run_mrt(char out[700]) {
    fixture_scenario("mesh", "  - name: up\n    expect: {sessions: mesh, converged: true}\n");
    if (!only_run("runs")) {
        struct run r =
            run_words(WORDS("run", fixture_path("mesh"), "--mrt", "--runs", fixture_path("runs")));
        assert_int_equal(r.status, 0);
        run_close(&r);
    }
    snprintf(out, 700, "%s/kube-1.mrt", only_run("runs"));
    return out;
}
