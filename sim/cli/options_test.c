/*
 * Options: what each verb takes, what is said about the rest, and the table printed for people.
 *
 * Messages go to a temporary file in place of standard error or output.
 */

#include "cli.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
// clang-format on

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- what is printed ---- */

struct output {
    FILE *stream, *file;
    int saved;
    char text[8192];
};

static void output_begin(struct output *o, FILE *stream) {
    fflush(stream);
    o->stream = stream;
    o->file = tmpfile();
    assert_non_null(o->file);
    o->saved = dup(fileno(stream));
    assert_true(o->saved >= 0);
    assert_true(dup2(fileno(o->file), fileno(stream)) >= 0);
}

static const char *output_end(struct output *o) {
    fflush(o->stream);
    assert_true(dup2(o->saved, fileno(o->stream)) >= 0);
    close(o->saved);
    rewind(o->file);
    size_t n = fread(o->text, 1, sizeof o->text - 1, o->file);
    o->text[n] = '\0';
    fclose(o->file);
    return o->text;
}

/* ---- parsing ---- */

static int nothing(struct cli_options *o) {
    (void)o;
    return 0;
}

static const struct verb run_verb = {"run",  NULL, "SCENARIO…", "Runs.", "sjoqSprRWfTcNadwmltPz",
                                     nothing};
static const struct verb exec_verb = {"exec", NULL, "NODE COMMAND…", "Runs there.", "l+", nothing};

/* `line` is cut at blanks in place. */
struct parsed {
    char line[512];
    char *argv[64];
    int argc;
    struct cli_options options;
    struct output output;
    const char *message;
    bool ok;
};

static void parse(struct parsed *p, const struct verb *v, const char *line) {
    *p = (struct parsed){0};
    snprintf(p->line, sizeof p->line, "%s", line);
    for (char *at = p->line; *at;) {
        p->argv[p->argc++] = at;
        at += strcspn(at, " ");
        if (*at)
            *at++ = '\0';
    }
    output_begin(&p->output, stderr);
    p->ok = options_parse(v, p->argc, p->argv, &p->options);
    p->message = output_end(&p->output);
}

static void drop_sets(struct parsed *p) {
    for (size_t i = 0; i < p->options.set_count; i++)
        free((void *)(uintptr_t)p->options.sets[i].name);
}

static void defaults(void **state) {
    (void)state;
    struct parsed p;
    parse(&p, &run_verb, "");
    assert_true(p.ok);
    assert_string_equal(p.message, "");
    assert_string_equal(p.options.runs, "runs");
    assert_int_equal(p.options.timeout_ms, 60000);
    assert_int_equal(p.options.repeat, 1);
    assert_int_equal(p.options.patience, 1);
    assert_int_equal(p.options.format, CLI_TABLE);
    assert_false(p.options.seed_set || p.options.quiet || p.options.json);
    assert_int_equal(p.options.argument_count, 0);
}

static void all_kinds(void **state) {
    (void)state;
    struct parsed p;
    parse(&p, &run_verb,
          "one --set nodes=20 -q --seed=18446744073709551615 two --repeat 3 -o json --runs out "
          "--patience 1000 --profile=calico --timeout 86400 --cisco a.ios --cisco b.ios -f three "
          "--nodes 100000 "
          "--set=as= --lab x --table in --peer n --delete -");
    assert_string_equal(p.message, "");
    assert_true(p.ok);
    const struct cli_options *o = &p.options;
    assert_int_equal(o->argument_count, 4);
    assert_string_equal(o->arguments[0], "one");
    assert_string_equal(o->arguments[1], "two");
    assert_string_equal(o->arguments[2], "three");
    assert_string_equal(o->arguments[3], "-");
    assert_int_equal(o->set_count, 2);
    assert_string_equal(o->sets[0].name, "nodes");
    assert_string_equal(o->sets[0].value, "20");
    assert_string_equal(o->sets[1].name, "as");
    assert_string_equal(o->sets[1].value, "");
    assert_true(o->quiet && o->seed_set && o->remove && !o->json);
    assert_true(o->seed == UINT64_MAX);
    assert_int_equal(o->repeat, 3);
    assert_int_equal(o->patience, 1000);
    assert_int_equal(o->format, CLI_JSON);
    assert_string_equal(o->runs, "out");
    assert_string_equal(o->profile, "calico");
    assert_int_equal(o->timeout_ms, 86400000);
    assert_int_equal(o->cisco_count, 2);
    assert_string_equal(o->cisco[1], "b.ios");
    assert_int_equal(o->nodes, 100000);
    assert_string_equal(o->lab, "x");
    assert_string_equal(o->table, "in");
    assert_string_equal(o->peer, "n");
    drop_sets(&p);
}

static void warnings(void **state) {
    (void)state;
    struct parsed p;
    parse(&p, &run_verb, "--warnings-as ok");
    assert_true(p.ok && !p.options.warnings_warn && !p.options.warnings_fail);
    parse(&p, &run_verb, "--warnings-as warn");
    assert_true(p.ok && p.options.warnings_warn && !p.options.warnings_fail);
    parse(&p, &run_verb, "--warnings-as fail");
    assert_true(p.ok && p.options.warnings_fail && !p.options.warnings_warn);
}

/* Each is refused, and the message holds the words. */
static void refusals(void **state) {
    (void)state;
    static const struct {
        const char *line, *words;
    } cases[] = {
        {"--seeed 1", "unknown option --seeed (did you mean --seed?); see ribcage help run"},
        {"--repaet 3", "did you mean --repeat?"},
        {"--profil=fast", "did you mean --profile?"},
        {"--zzzzzzzz", "unknown option --zzzzzzzz; see"},
        {"-x", "unknown option -x"},
        {"--node kube-1", "unknown option --node"}, /* another verb's */
        {"-n kube-1", "unknown option -n"},
        {"--", "unknown option --"},
        {"--=", "unknown option --="},
        {"--set nodes", "--set wants KEY=VALUE: nodes"},
        {"--set =3", "--set wants KEY=VALUE: =3"},
        {"--set", "wants a value: --set KEY=VALUE"},
        {"one --seed", "wants a value: --seed N"},
        {"--quiet=yes", "takes no value: --quiet=yes"},
        {"--seed -1", "not a number in range: --seed -1"},
        {"--seed 0x10", "not a number in range: --seed 0x10"},
        {"--seed 18446744073709551616", "not a number in range"},
        {"--seed=", "not a number in range"},
        {"--repeat 100001", "not a number in range: --repeat 100001"},
        {"--repeat 1.5", "not a number in range"},
        {"--patience 0", "not a number in range: --patience 0"},
        {"--patience 1001", "not a number in range: --patience 1001"},
        {"--nodes ten", "not a number in range: --nodes ten"},
        {"--timeout 86401", "not a number in range: --timeout 86401"},
        {"-o yaml", "--output is table or json, not: yaml"},
        {"--warnings-as no", "--warnings-as is ok, warn or fail, not: no"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct parsed p;
        parse(&p, &run_verb, cases[i].line);
        if (p.ok || !strstr(p.message, cases[i].words))
            fail_msg("%s: \"%s\" expected, \"%s\" said", cases[i].line, cases[i].words, p.message);
    }
}

static void too_many_families(void **state) {
    static const struct verb adds = {"adds", NULL, "", "Adds.", "A", nothing};
    char *argv[2 * CLI_FAMILIES_MAX + 2], add[] = "--add-path", family[] = "ipv4";
    struct cli_options o;
    struct output out;
    (void)state;
    for (size_t i = 0; i < 2 * CLI_FAMILIES_MAX + 2; i++)
        argv[i] = i % 2 ? family : add;
    assert_true(options_parse(&adds, 2 * CLI_FAMILIES_MAX, argv, &o));
    output_begin(&out, stderr);
    assert_false(options_parse(&adds, 2 * CLI_FAMILIES_MAX + 2, argv, &o));
    assert_non_null(strstr(output_end(&out), "too many --add-path: ipv4"));
}

static void too_many(void **state) {
    (void)state;
    char *argv[2 * CLI_SETS_MAX + 2];
    char set[] = "--set", value[] = "a=b", argument[] = "x";
    char *arguments[CLI_ARGUMENTS_MAX + 1];
    struct cli_options o;
    struct output out;
    for (size_t i = 0; i < 2 * CLI_SETS_MAX + 2; i++)
        argv[i] = i % 2 ? value : set;
    assert_true(options_parse(&run_verb, 2 * CLI_SETS_MAX, argv, &o));
    for (size_t i = 0; i < o.set_count; i++)
        free((void *)(uintptr_t)o.sets[i].name);
    output_begin(&out, stderr);
    assert_false(options_parse(&run_verb, 2 * CLI_SETS_MAX + 2, argv, &o));
    assert_non_null(strstr(output_end(&out), "too many --set: a=b"));
    for (size_t i = 0; i < o.set_count; i++)
        free((void *)(uintptr_t)o.sets[i].name);
    for (size_t i = 0; i <= CLI_ARGUMENTS_MAX; i++)
        arguments[i] = argument;
    assert_true(options_parse(&run_verb, CLI_ARGUMENTS_MAX, arguments, &o));
    output_begin(&out, stderr);
    assert_false(options_parse(&run_verb, CLI_ARGUMENTS_MAX + 1, arguments, &o));
    assert_non_null(strstr(output_end(&out), "too many arguments"));
}

/* What follows the node of `exec` is the program's, whatever it looks like. */
static void rest_is_not_ours(void **state) {
    (void)state;
    static char node[] = "kube-1", ip[] = "ip", brief[] = "-br", set[] = "--set", dash[] = "--",
                lab[] = "-l", id[] = "x";
    char *plain[] = {lab, id, node, ip, brief, set, NULL};
    char *dashed[] = {node, dash, brief, NULL};
    struct cli_options o;
    assert_true(options_parse(&exec_verb, 6, plain, &o));
    assert_int_equal(o.argument_count, 1);
    assert_string_equal(o.lab, "x");
    assert_ptr_equal(o.rest, &plain[3]);
    assert_true(options_parse(&exec_verb, 3, dashed, &o));
    assert_ptr_equal(o.rest, &dashed[2]);
}

/* ---- help ---- */

static void help_lists_what_is_taken(void **state) {
    (void)state;
    struct output out;
    output_begin(&out, stdout);
    options_help(&exec_verb);
    const char *text = output_end(&out);
    assert_non_null(strstr(text, "usage: ribcage exec NODE COMMAND…"));
    assert_non_null(strstr(text, "-l, --lab ID"));
    assert_null(strstr(text, "--seed"));
}

static void help_ends_well(void **state) {
    (void)state;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        char help[] = "--help", wrong[] = "--wrong";
        char *argv[] = {help, wrong};
        struct cli_options o;
        if (!freopen("/dev/null", "w", stdout))
            _exit(70);
        (void)options_parse(&run_verb, 2, argv, &o);
        _exit(71);
    }
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* ---- tables ---- */

static void table_is_aligned(void **state) {
    (void)state;
    static const char *const headers[] = {"node", "sessions", "note"};
    struct cli_table t;
    struct output out;
    table_begin(&t, 3, headers);
    table_cell(&t, "kube-%d", 100);
    table_cell(&t, "%d", 99);
    table_cell(&t, "%s", "fine");
    table_cell(&t, "a");
    table_cell(&t, "%s", "");
    table_cell(&t, "%s", "");
    output_begin(&out, stdout);
    table_print(&t);
    assert_string_equal(output_end(&out), "node      sessions  note\n"
                                          "kube-100  99        fine\n"
                                          "a                   \n");
    assert_null(t.cells);
}

static void large_table(void **state) {
    (void)state;
    static const char *const headers[] = {"n"};
    struct cli_table t;
    struct output out;
    table_begin(&t, 1, headers);
    for (int i = 0; i < 1000; i++)
        table_cell(&t, "%d", i);
    output_begin(&out, stdout);
    table_print(&t);
    const char *text = output_end(&out);
    assert_memory_equal(text, "n\n0\n1\n2\n", 8);
    assert_non_null(strstr(text, "\n999\n"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),         cmocka_unit_test(all_kinds),
        cmocka_unit_test(warnings),         cmocka_unit_test(refusals),
        cmocka_unit_test(too_many),         cmocka_unit_test(too_many_families),
        cmocka_unit_test(rest_is_not_ours), cmocka_unit_test(help_lists_what_is_taken),
        cmocka_unit_test(help_ends_well),   cmocka_unit_test(table_is_aligned),
        cmocka_unit_test(large_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
