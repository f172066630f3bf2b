/*
 * The command line: a table of options, nothing abbreviated, nothing positional.
 *
 * Owns the syntax only; whether files open and descriptors are good is found out by who uses them.
 */
#include "options.h"

#include "../base/text.h"

#include <stddef.h>
#include <string.h>

enum option_kind { OPTION_FLAG, OPTION_TEXT, OPTION_FD, OPTION_NUMBER };

struct option_row {
    const char *name;
    enum option_kind kind;
    size_t offset;
};

#define ROW(name, kind, member)                                                                    \
    { name, kind, offsetof(struct host_options, member) }
static const struct option_row rows[] = {
    ROW("--config", OPTION_TEXT, config_file),  ROW("--config-fd", OPTION_FD, config_fd),
    ROW("--ios", OPTION_TEXT, ios_file),        ROW("--ios-fd", OPTION_FD, ios_fd),
    ROW("--hostname", OPTION_TEXT, hostname),   ROW("--interfaces", OPTION_TEXT, interfaces),
    ROW("--profile", OPTION_TEXT, profile),     ROW("--control", OPTION_TEXT, control_path),
    ROW("--control-fd", OPTION_FD, control_fd), ROW("--scoreboard-fd", OPTION_FD, scoreboard_fd),
    ROW("--slot", OPTION_NUMBER, slot),         ROW("--bell-fd", OPTION_FD, bell_fd),
    ROW("--log-fd", OPTION_FD, log_fd),         ROW("--log", OPTION_TEXT, log_file),
    ROW("--mrt", OPTION_TEXT, mrt_file),        ROW("--schema", OPTION_FLAG, schema),
    ROW("--restart", OPTION_FLAG, restart),     ROW("--no-fib", OPTION_FLAG, no_fib),
    ROW("--check", OPTION_FLAG, check),         ROW("--version", OPTION_FLAG, version),
    ROW("--help", OPTION_FLAG, help),
};
#define ROW_COUNT (sizeof rows / sizeof rows[0])

const char options_help[] =
    "usage: ribcage-speaker (--config FILE | --ios FILE) [options]\n"
    "       ribcage-speaker ctl [-s SOCKET] [--json] COMMAND …    (ribcage-speaker ctl help)\n"
    "  --config FILE | --config-fd N    configuration; ribcage-speaker(8) has examples\n"
    "  --ios FILE | --ios-fd N          IOS running-config\n"
    "  --hostname NAME                  an IOS router's name until its configuration gives one\n"
    "  --interfaces eth0=NAME,…         what an IOS router calls its interfaces\n"
    "  --profile NAME                   calico, fast, ios or plain; over the configuration's\n"
    "  --control PATH | --control-fd N  control socket; with a configuration FILE the default is\n"
    "                                   $RIBCAGE_SPEAKER_SOCKET, /run/ribcage-speaker.sock "
    "(root),\n"
    "                                   or ribcage-speaker.sock in $XDG_RUNTIME_DIR\n"
    "  --scoreboard-fd N --slot I --bell-fd N\n"
    "  --log FILE | --log-fd N          log lines go there (default: standard error)\n"
    "  --mrt FILE                       append every message to this MRT file (BGP4MP_ET)\n"
    "  --restart                        come back as a restarting speaker (RFC 4724 4.1)\n"
    "  --no-fib                         never touch the kernel's table\n"
    "  --check                          read the configuration, print findings, leave\n"
    "  --schema                         print the JSON Schema of configurations, leave\n"
    "  --version, --help\n"
    "exit status: 0 stopped in order, 1 configuration refused, 2 usage, 4 the host cannot do it,\n"
    "6 internal failure\n"
    "signals: SIGHUP reads FILE again and opens log and MRT file again, SIGTERM and SIGINT stop\n";

static const struct option_row *row_find(const char *name) {
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    return NULL;
}

static void unknown_option(const char *name, struct text *error) {
    const char *names[ROW_COUNT];
    for (size_t i = 0; i < ROW_COUNT; i++)
        names[i] = rows[i].name;
    const char *near = text_nearest(name, names, ROW_COUNT);
    text_puts(error, "unknown option \"");
    text_put_escaped(error, name, strlen(name));
    text_puts(error, "\"");
    if (near)
        text_printf(error, " (did you mean %s?)", near);
}

static bool set_value(void *at, enum option_kind kind, const char *value) {
    uint64_t number;
    switch (kind) {
    case OPTION_TEXT:
        *(const char **)at = value;
        return true;
    case OPTION_FD:
        if (!text_to_u64(value, 0, 1 << 20, &number))
            return false;
        *(int *)at = (int)number;
        return true;
    case OPTION_NUMBER:
        if (!text_to_u64(value, 0, UINT32_MAX, &number))
            return false;
        *(uint32_t *)at = (uint32_t)number;
        return true;
    case OPTION_FLAG:
        break;
    }
    return false;
}

static bool options_agree(const struct host_options *o, struct text *error) {
    int sources =
        (o->config_file != NULL) + (o->ios_file != NULL) + (o->config_fd >= 0) + (o->ios_fd >= 0);
    if (o->version || o->help || o->schema)
        return true;
    if (sources != 1)
        text_puts(error, "exactly one of --config, --config-fd, --ios, --ios-fd is needed");
    else if (o->scoreboard_fd < 0 && o->bell_fd >= 0)
        text_puts(error, "--bell-fd needs --scoreboard-fd");
    else if (o->log_file && o->log_fd >= 0)
        text_puts(error, "--log and --log-fd exclude each other");
    else if (o->control_path && o->control_fd >= 0)
        text_puts(error, "--control and --control-fd exclude each other");
    return error->size == 0;
}

bool options_parse(struct host_options *o, int argc, char *const argv[], struct text *ret_error) {
    *o = (struct host_options){.config_fd = -1,
                               .ios_fd = -1,
                               .control_fd = -1,
                               .scoreboard_fd = -1,
                               .bell_fd = -1,
                               .log_fd = -1};
    for (int i = 1; i < argc; i++) {
        const struct option_row *row = row_find(argv[i]);
        if (!row) {
            unknown_option(argv[i], ret_error);
            return false;
        }
        void *at = (char *)o + row->offset;
        if (row->kind == OPTION_FLAG) {
            *(bool *)at = true;
            continue;
        }
        if (i + 1 >= argc || !set_value(at, row->kind, argv[++i])) {
            text_printf(ret_error, "%s needs a value%s", row->name,
                        row->kind == OPTION_TEXT ? "" : ", a number");
            return false;
        }
    }
    return options_agree(o, ret_error);
}
