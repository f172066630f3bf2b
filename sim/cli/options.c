/*
 * Options: one table for all verbs, so that a name means the same everywhere and an unknown or
 * misplaced one is named with the nearest that exists.
 */

#include "cli.h"

#include "../../speaker/base/text.h"
#include "../calico/calico_version.h"
#include "../calico/resources.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct option_row {
    char letter;       /* in struct verb.takes */
    char short_name;   /* '\0': none */
    const char *name;  /* without the dashes */
    const char *value; /* NULL: a switch */
    const char *help;
};

static const struct option_row rows[] = {
    {'s', '\0', "set", "KEY=VALUE", "override a parameter of the scenario"},
    {'j', '\0', "json", NULL, "JSON on standard output"},
    {'o', 'o', "output", "table|json", "form of the output"},
    {'O', 'o', "output", "FORM", "form of the output: table, wide, json, yaml, dot or bird"},
    {'F', 'o', "output", "FORM", "form of the output"},
    {'!', '\0', "strict", NULL, "warnings count as errors"},
    {'D', 'd', "directory", "DIR", "write files of -o bird below this folder"},
    {'x', '\0', "diff", NULL, "compare two states: OLD NEW"},
    {'k', '\0', "to", "PEER", "follow the route of PREFIX to this peer"},
    {'v', '\0', "calico-version", "VERSION", "plan as this Calico would, e.g. v3.28"},
    {'e', 'e', "env", "NAME=VALUE",
     "a variable of calico-node: CALICO_ROUTER_ID, USE_POD_CIDR, CALICO_ADVERTISE_CLUSTER_IPS, "
     "NAMESPACE"},
    {'g', '\0', "tool", "calicoctl|kubectl", "what the resources are applied with"},
    {'i', '\0', "prune", NULL, "take out what NEW does not have, as kubectl apply --prune"},
    {'q', 'q', "quiet", NULL, "only failures, on standard error"},
    {'S', '\0', "seed", "N", "seed of everything random"},
    {'p', '\0', "profile", "calico|fast",
     "timers: Calico's own, or the same rules in milliseconds"},
    {'b', '\0', "backend", "bird[=PATH]", "what runs the Calico nodes instead of ribcage-speaker"},
    {'r', '\0', "repeat", "N", "run N times"},
    {'u', '\0', "resume", "SERIES", "go on with the series in this folder"},
    {'K', '\0', "compare", "SERIES", "say which figures are worse than in this series"},
    {'y', '\0', "allow-noise", NULL, "judge, and count, also what a busy host spoiled"},
    {'1', 'x', "fail-fast", NULL,
     "end at the first step that fails, and behind the first such run"},
    {'z', '\0', "patience", "N", "wait N times as long for what a scenario expects"},
    {'R', '\0', "runs", "DIR", "where reports go (default: runs)"},
    {'l', 'l', "lab", "ID", "which lab, when several run"},
    {'n', 'n', "node", "NAME", "only this node"},
    {'c', '\0', "cisco", "FILE", "IOS configuration of a router around the cluster"},
    {'t', 't', "table", "loc|in|out|fib", "which table"},
    {'P', '\0', "peer", "NAME", "only this peer's routes"},
    {'w', '\0', "why", NULL, "where the prefix was last seen, and what stopped it"},
    {'a', '\0', "all", NULL, "all of them"},
    {'d', 'd', "delete", NULL, "delete the objects instead of applying them"},
    {'T', '\0', "timeout", "SECONDS", "give up after this long (default 60)"},
    {'m', '\0', "matrix", NULL, "a matrix of nodes"},
    {'W', '\0', "warnings-as", "ok|warn|fail",
     "exit status when all passed but there were warnings: 0, 3 or 1"},
    {'N', '\0', "nodes", "N", "how many nodes to ask for"},
    {'f', 'f', "file", "FILE", "the scenario or manifest (same as an argument)"},
    {'M', '\0', "mrt", NULL, "write every node's messages to NODE.mrt in the run's folder"},
    {'Y', '\0', "listen", "PORT", "offer it on 127.0.0.1:PORT to telnet clients (0: any port)"},
    {'L', '\0', "jsonl", NULL, "line protocol: a JSON object in, one out"},
    {'E', '\0', "external", NULL, "messages of an external session"},
    {'A', '\0', "add-path", "FAMILY", "prefixes of \"ipv4 unicast\" … have path identifiers"},
    {'X', '\0', "extended", NULL, "messages may have more than 4,096 octets"},
    {'2', '\0', "as2", NULL, "AS numbers have two octets"},
    {'6', '\0', "extended-next-hop", NULL, "IPv4 prefixes may have IPv6 next hops"},
};
#define ROWS (sizeof rows / sizeof rows[0])

static bool wrong(const char *what, const char *a, const char *b) {
    cli_error("%s: %s%s%s", what, a, b ? " " : "", b ? b : "");
    return false;
}

static bool take_number(const char *name, const char *value, uint64_t max, uint64_t *ret) {
    return text_to_u64(value, 0, max, ret) || wrong("not a number in range", name, value);
}

bool options_set(struct cli_options *o, const char *value) {
    char *text = strdup(value);
    char *equals = text ? strchr(text, '=') : NULL;
    if (!equals || equals == text || o->set_count == CLI_SETS_MAX) {
        bool full = o->set_count == CLI_SETS_MAX;
        free(text);
        return wrong(full ? "too many --set" : "--set wants KEY=VALUE", value, NULL);
    }
    *equals = '\0';
    o->sets[o->set_count++] = (struct yaml_parameter){text, equals + 1};
    return true;
}

void options_free_sets(struct cli_options *o) {
    for (size_t i = 0; i < o->set_count; i++)
        free((char *)(uintptr_t)o->sets[i].name);
    o->set_count = 0;
}

static bool take_output(struct cli_options *o, const char *value) {
    if (strcmp(value, "json") == 0)
        o->format = CLI_JSON;
    else if (strcmp(value, "table") != 0)
        return wrong("--output is table or json, not", value, NULL);
    return true;
}

static bool take_form(struct cli_options *o, const char *value) {
    static const char *const names[] = {
        [CLI_TABLE] = "table", [CLI_JSON] = "json", [CLI_WIDE] = "wide",
        [CLI_YAML] = "yaml",   [CLI_DOT] = "dot",   [CLI_BIRD] = "bird",
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], value) == 0) {
            o->format = (enum cli_format)i;
            return true;
        }
    }
    return wrong("--output is table, wide, json, yaml, dot or bird, not", value, NULL);
}

static bool take_findings_form(struct cli_options *o, const char *value) {
    if (strcmp(value, "json") == 0)
        o->format = CLI_JSON;
    else if (strcmp(value, "sarif") == 0)
        o->format = CLI_SARIF;
    else if (strcmp(value, "text") != 0)
        return wrong("--output is text, json or sarif, not", value, NULL);
    return true;
}

static bool take_version(struct cli_options *o, const char *value) {
    return calico_version_parse(value, &o->calico_version) ||
           wrong("--calico-version is v3.22 to today's, not", value, NULL);
}

static bool take_tool(struct cli_options *o, const char *value) {
    o->tool = value;
    return strcmp(value, calico_tool_names[CALICO_TOOL_CALICOCTL]) == 0 ||
           strcmp(value, calico_tool_names[CALICO_TOOL_KUBECTL]) == 0 ||
           wrong("--tool is calicoctl or kubectl, not", value, NULL);
}

static bool take_environment(struct cli_options *o, const char *value) {
    char name[40];
    size_t length = strcspn(value, "=");
    if (value[length] != '=' || length >= sizeof name)
        return wrong("--env wants NAME=VALUE", value, NULL);
    snprintf(name, sizeof name, "%.*s", (int)length, value);
    const char *problem = calico_environment_set(&o->environment, name, value + length + 1);
    return !problem || wrong(problem, value, NULL);
}

static bool take_warnings(struct cli_options *o, const char *value) {
    o->warnings_warn = strcmp(value, "warn") == 0;
    o->warnings_fail = strcmp(value, "fail") == 0;
    return o->warnings_warn || o->warnings_fail || strcmp(value, "ok") == 0 ||
           wrong("--warnings-as is ok, warn or fail, not", value, NULL);
}

static bool take_argument(struct cli_options *o, const char *value) {
    if (o->argument_count == CLI_ARGUMENTS_MAX)
        return wrong("too many arguments", value, NULL);
    o->arguments[o->argument_count++] = value;
    return true;
}

static bool take_timeout(struct cli_options *o, const char *value) {
    uint64_t s = 0;
    if (!take_number("--timeout", value, 86400, &s))
        return false;
    o->timeout_ms = s * 1000;
    return true;
}

static bool take_patience(struct cli_options *o, const char *value) {
    return take_number("--patience", value, 1000, &o->patience) &&
           (o->patience > 0 || wrong("not a number in range", "--patience", value));
}

static bool take_cisco(struct cli_options *o, const char *value) {
    if (o->cisco_count == CLI_ARGUMENTS_MAX)
        return wrong("too many --cisco", value, NULL);
    o->cisco[o->cisco_count++] = value;
    return true;
}

static bool take_add_path(struct cli_options *o, const char *value) {
    if (o->add_path_count == CLI_FAMILIES_MAX)
        return wrong("too many --add-path", value, NULL);
    o->add_path[o->add_path_count++] = value;
    return true;
}

/* A flag, or a text as it is. */
static void take_plain(struct cli_options *o, char letter, const char *value) {
    const struct {
        char letter;
        bool *flag;
        const char **text;
    } plain[] = {
        {'q', &o->quiet, NULL},   {'w', &o->why, NULL},         {'a', &o->all, NULL},
        {'d', &o->remove, NULL},  {'m', &o->matrix, NULL},      {'p', NULL, &o->profile},
        {'R', NULL, &o->runs},    {'l', NULL, &o->lab},         {'n', NULL, &o->node},
        {'t', NULL, &o->table},   {'P', NULL, &o->peer},        {'D', NULL, &o->directory},
        {'x', &o->diff, NULL},    {'k', NULL, &o->to},          {'M', &o->mrt, NULL},
        {'L', &o->jsonl, NULL},   {'E', &o->external, NULL},    {'X', &o->extended, NULL},
        {'2', &o->as2, NULL},     {'b', NULL, &o->backend},     {'!', &o->strict, NULL},
        {'i', &o->prune, NULL},   {'y', &o->allow_noise, NULL}, {'u', NULL, &o->resume},
        {'K', NULL, &o->compare}, {'1', &o->fail_fast, NULL},   {'6', &o->extended_next_hop, NULL},
    };
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
        if (plain[i].letter != letter)
            continue;
        if (plain[i].flag)
            *plain[i].flag = true;
        else
            *plain[i].text = value;
    }
}

static bool take(struct cli_options *o, char letter, const char *value) {
    switch (letter) {
    case 's':
        return options_set(o, value);
    case 'j':
        o->json = true;
        o->format = CLI_JSON;
        return true;
    case 'o':
        return take_output(o, value);
    case 'O':
        return take_form(o, value);
    case 'F':
        return take_findings_form(o, value);
    case 'e':
        return take_environment(o, value);
    case 'g':
        return take_tool(o, value);
    case 'v':
        return take_version(o, value);
    case 'S':
        o->seed_set = true;
        return take_number("--seed", value, UINT64_MAX, &o->seed);
    case 'r':
        o->repeat_set = true;
        return take_number("--repeat", value, 100000, &o->repeat);
    case 'N':
        return take_number("--nodes", value, 100000, &o->nodes);
    case 'z':
        return take_patience(o, value);
    case 'Y':
        o->listen = true;
        return take_number("--listen", value, 65535, &o->listen_port);
    case 'T':
        return take_timeout(o, value);
    case 'c':
        return take_cisco(o, value);
    case 'W':
        return take_warnings(o, value);
    case 'f':
        return take_argument(o, value);
    case 'A':
        return take_add_path(o, value);
    default:
        take_plain(o, letter, value);
        return true;
    }
}

static const struct option_row *find(const struct verb *v, const char *name, size_t size) {
    for (size_t i = 0; i < ROWS; i++) {
        bool is_long = strlen(rows[i].name) == size && strncmp(rows[i].name, name, size) == 0;
        bool is_short = size == 1 && rows[i].short_name == name[0];
        if ((is_long || is_short) && strchr(v->takes, rows[i].letter))
            return &rows[i];
    }
    return NULL;
}

static bool unknown(const struct verb *v, const char *argument) {
    const char *names[ROWS];
    size_t count = 0;
    for (size_t i = 0; i < ROWS; i++) {
        if (strchr(v->takes, rows[i].letter))
            names[count++] = rows[i].name;
    }
    char word[32];
    const char *name = argument + strspn(argument, "-");
    snprintf(word, sizeof word, "%.*s", (int)strcspn(name, "="), name);
    const char *near = text_nearest(word, names, count);
    cli_error("%s: unknown option %s%s%s%s; see ribcage help %s", v->name, argument,
              near ? " (did you mean --" : "", near ? near : "", near ? "?)" : "", v->name);
    return false;
}

/* One option at argv[*at]; moves *at past its value. */
static bool parse_one(const struct verb *v, int argc, char **argv, int *at, struct cli_options *o) {
    const char *argument = argv[*at];
    const char *name = argument + (argument[1] == '-' ? 2 : 1);
    const char *equals = strchr(name, '=');
    const struct option_row *row = find(v, name, equals ? (size_t)(equals - name) : strlen(name));
    if (!row)
        return unknown(v, argument);
    if (!row->value)
        return equals ? wrong("takes no value", argument, NULL) : take(o, row->letter, "");
    if (equals)
        return take(o, row->letter, equals + 1);
    if (*at + 1 >= argc)
        return wrong("wants a value", argument, row->value);
    return take(o, row->letter, argv[++*at]);
}

bool options_parse(const struct verb *v, int argc, char **argv, struct cli_options *ret_o) {
    struct cli_options *o = ret_o;
    bool stops_at_rest =
        strchr(v->takes, '+') != NULL; /* exec: what follows the node is not ours */
    *o = (struct cli_options){.runs = "runs", .timeout_ms = 60000, .repeat = 1, .patience = 1};
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            options_help(v);
            exit(cli_status_with_output(0, 0));
        }
        bool is_option = argv[i][0] == '-' && argv[i][1] != '\0';
        if (is_option ? !parse_one(v, argc, argv, &i, o) : !take_argument(o, argv[i]))
            return false;
        if (!is_option && stops_at_rest) {
            i += argv[i + 1] && strcmp(argv[i + 1], "--") == 0;
            o->rest = &argv[i + 1];
            return true;
        }
    }
    return true;
}

void options_help(const struct verb *v) {
    printf("usage: ribcage %s%s%s\n\n%s\n", v->name, *v->usage ? " " : "", v->usage, v->summary);
    if (v->alias)
        printf("Also called %s.\n", v->alias);
    bool any = false;
    for (size_t i = 0; i < ROWS; i++) {
        if (!strchr(v->takes, rows[i].letter))
            continue;
        char left[48];
        snprintf(left, sizeof left, "%s--%s%s%s",
                 rows[i].short_name ? (char[]){'-', rows[i].short_name, ',', ' ', '\0'} : "",
                 rows[i].name, rows[i].value ? " " : "", rows[i].value ? rows[i].value : "");
        printf("%s  %-28s %s\n", any ? "" : "\n", left, rows[i].help);
        any = true;
    }
    const struct {
        cli_verb *run;
        const char *text;
    } more[] = {{verb_plan, help_plan}, {verb_explain, help_explain}, {verb_scale, help_scale}};
    for (size_t i = 0; i < sizeof more / sizeof more[0]; i++)
        if (more[i].run == v->run)
            printf("\n%s", more[i].text);
}
