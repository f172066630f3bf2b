/* `ctl wait` beside a speaker that answers what the test says, and how often it was asked. */
#include "ctl_wait.h"

#include "../base/text.h"
#include "loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* A child at the other end of the connection: an answer a request; `part` must be in each. */
struct fake {
    int fd;
    pid_t pid;
};

static int answer_all(int fd, const char *part, const char *const *answers) {
    FILE *in = fdopen(fd, "r");
    char line[512];
    for (; *answers; answers++) {
        if (!in || !fgets(line, sizeof line, in) || !strstr(line, part))
            return 1;
        if (write(fd, *answers, strlen(*answers)) < 0 || write(fd, "\n", 1) < 0)
            return 1;
    }
    return fgetc(in) == EOF ? 0 : 2; /* it asks no more */
}

static struct fake fake_start(const char *part, const char *const *answers) {
    struct fake f;
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    fflush(NULL);
    f.pid = fork();
    assert_true(f.pid >= 0);
    if (f.pid == 0) {
        close(pair[0]);
        _exit(answer_all(pair[1], part, answers));
    }
    close(pair[1]);
    f.fd = pair[0];
    return f;
}

/* It was asked exactly as often as it had answers. */
static void fake_end(struct fake f) {
    int status = -1;
    close(f.fd);
    assert_int_equal(waitpid(f.pid, &status, 0), f.pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

#define WORDS_MAX 5

static bool parse(const char *words, struct ctl_wait *ret_wait, struct text *wrong) {
    static char copy[128];
    char *argv[WORDS_MAX], *rest = copy;
    int argc = 0;
    snprintf(copy, sizeof copy, "%s", words);
    while (argc < WORDS_MAX && (argv[argc] = strsep(&rest, " ")))
        argc++;
    return ctl_wait_parse(argv, argc, ret_wait, wrong);
}

static void expect_run(const char *words, const char *part, const char *const *answers,
                       struct nanotime end, enum ctl_exit status) {
    struct ctl_wait w;
    struct text wrong;
    text_init(&wrong);
    assert_true(parse(words, &w, &wrong));
    struct fake f = fake_start(part, answers);
    assert_int_equal(ctl_wait_run(&w, f.fd, end), status);
    fake_end(f);
    text_deinit(&wrong);
}

#define PEER(name, state) "{\"name\":\"" name "\",\"state\":\"" state "\"}"
#define SHUT "{\"name\":\"s\",\"state\":\"Idle\",\"shutdown\":true}"
#define PEERS(list) "{\"ok\":true,\"peers\":[" list "]}"
#define ROUTES(list) "{\"ok\":true,\"routes\":[" list "]}"
#define REFUSED "{\"ok\":false,\"error\":\"no such peer\"}"

/* Asked until it is so, and no more. */
static void test_until_it_is_so(void **state) {
    static const char *const all[] = {
        PEERS(""),
        PEERS(PEER("a", "Idle")),
        PEERS(PEER("a", "Established") "," PEER("b", "Active")),
        PEERS(SHUT),
        PEERS(PEER("a", "Established") "," SHUT "," PEER("b", "Established")),
        NULL};
    static const char *const one[] = {REFUSED, PEERS(PEER("a", "OpenConfirm")),
                                      PEERS(PEER("a", "Established")), NULL};
    static const char *const down[] = {PEERS(PEER("a", "Established")), PEERS(PEER("a", "Idle")),
                                       NULL};
    static const char *const route[] = {ROUTES(""), REFUSED, ROUTES("{}"), NULL};
    static const char *const gone[] = {ROUTES("{}"), ROUTES(""), NULL};
    (void)state;
    expect_run("established", "{\"op\":\"peers\"}", all, NANOTIME_NEVER, CTL_EXIT_OK);
    expect_run("established a", "\"name\":\"a\"", one, NANOTIME_NEVER, CTL_EXIT_OK);
    expect_run("down a", "\"name\":\"a\"", down, NANOTIME_NEVER, CTL_EXIT_OK);
    expect_run("route 10.0.0.0/8", "\"table\":\"loc\",\"prefix\":\"10.0.0.0/8\"}", route,
               NANOTIME_NEVER, CTL_EXIT_OK);
    expect_run("route 10.0.0.0/8 from a", "\"table\":\"in\"", route, NANOTIME_NEVER, CTL_EXIT_OK);
    expect_run("no-route 10.0.0.0/8 to a", "\"table\":\"out\"", gone, NANOTIME_NEVER, CTL_EXIT_OK);
}

/* The time is over: asked once all the same, for it may be so. */
static void test_the_time_is_over(void **state) {
    static const char *const down[] = {PEERS(PEER("a", "Idle")), NULL};
    static const char *const up[] = {PEERS(PEER("a", "Established")), NULL};
    (void)state;
    expect_run("established a", "peers", down, loop_now(), CTL_EXIT_REFUSED);
    expect_run("established a", "peers", up, loop_now(), CTL_EXIT_OK);
}

static void test_nobody_answers(void **state) {
    const struct ctl_wait w = {.kind = CTL_WAIT_ESTABLISHED};
    int pair[2];
    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    close(pair[1]);
    assert_int_equal(ctl_wait_run(&w, pair[0], NANOTIME_NEVER), CTL_EXIT_UNABLE);
    close(pair[0]);
}

static void test_words(void **state) {
    static const struct {
        const char *words, *wrong;
    } cases[] = {
        {"up", "wait for what? " CTL_WAIT_HELP},
        {"established a b", "established is followed by at most one neighbor"},
        {"down", "down is followed by one neighbor"},
        {"down a b", "down is followed by one neighbor"},
        {"route", "route is followed by a prefix, and perhaps by from or to and a neighbor"},
        {"route 10.0.0.0/8 via a", "route is followed by a prefix, and perhaps by from or to and a "
                                   "neighbor"},
        {"no-route 10.0.0.0/8 from", "no-route is followed by a prefix, and perhaps by from or to "
                                     "and a neighbor"},
        {"route ten", "not a prefix or an address: \"ten\""},
    };
    struct ctl_wait w;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct text wrong;
        text_init(&wrong);
        assert_false(parse(cases[i].words, &w, &wrong));
        assert_string_equal(text_str(&wrong), cases[i].wrong);
        text_deinit(&wrong);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_until_it_is_so),
        cmocka_unit_test(test_the_time_is_over),
        cmocka_unit_test(test_nobody_answers),
        cmocka_unit_test(test_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
