/*
 * Sessions at a router's lines, in the manner of expect: what is typed, and what the terminal then
 * shows, octet by octet where it matters.
 */
#include "ios_session.h"

#include "../base/diag.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define OFFERS "\xff\xfb\x01\xff\xfb\x03\xff\xfd\x18\xff\xfd\x1f"

static const char CONFIG[] = "hostname R1\n"
                             "enable secret cisco\n"
                             "username admin privilege 15 password 0 secret\n"
                             "username guest password 7 02050D480809\n"
                             "username hashed secret 5 $1$mERr$hx5rVt7rPNoS4wqbXKX7m0\n"
                             "router bgp 64512\n"
                             " neighbor 10.0.0.2 remote-as 64512\n"
                             "route-map M permit 10\n"
                             "banner motd ^Cwelcome^C\n"
                             "line vty 0 1\n"
                             " login local\n"
                             " transport input telnet\n"
                             "line vty 2\n"
                             " password letmein\n"
                             " login\n"
                             " transport input all\n"
                             "line vty 3\n"
                             " login\n"
                             "line vty 4\n"
                             " no login\n"
                             " privilege level 15\n"
                             " exec-timeout 0 30\n";

struct desk {
    struct ios_router *r;
    struct ios_session *s;
    struct ios_view view;
    struct text seen;
};

static struct ios_router *router_of(const char *config) {
    struct ios_env env = {.hostname = "Router"};
    struct diag_list *d = diag_list_new();
    struct ios_router *r = ios_router_new(&env);
    assert_non_null(r);
    assert_true(ios_load(r, config, strlen(config), "r1", false, d));
    assert_int_equal(diag_error_count(d), 0);
    diag_list_free(d);
    return r;
}

static struct ios_router *router_make(void) {
    return router_of(CONFIG);
}

static void take(struct desk *d) {
    struct text *out = ios_session_output(d->s);
    text_clear(&d->seen);
    text_put(&d->seen, text_str(out), out->size);
    text_clear(out);
}

static void type_bytes(struct desk *d, const char *data, size_t size) {
    for (size_t at = 0; at < size;)
        at += ios_session_input(d->s, d->r, &d->view, data + at, size - at);
    take(d);
}

/* Types, and returns what the terminal showed meanwhile. */
static const char *type(struct desk *d, const char *keys) {
    type_bytes(d, keys, strlen(keys));
    return text_str(&d->seen);
}

static struct desk desk_open(bool console, uint32_t number) {
    struct desk d = {.r = router_make(), .view = {.now = {NANOS_PER_S}, .wall_ms = 0}};
    text_init(&d.seen);
    d.s = ios_session_new(d.r, &d.view, console, number, "10.0.0.9");
    assert_non_null(d.s);
    take(&d);
    return d;
}

/* Logged in and enabled. */
static struct desk desk_enabled(void) {
    struct desk d = desk_open(false, 0);
    type(&d, "admin\r\n");
    assert_string_equal(type(&d, "secret\r\n"), "\r\nR1#");
    return d;
}

static void desk_close(struct desk *d) {
    ios_session_free(d->s, d->r);
    ios_router_free(d->r);
    text_deinit(&d->seen);
}

/* ---- login ---- */

static void users_log_in(void **state) {
    (void)state;
    struct desk d = desk_open(false, 0);
    assert_string_equal(text_str(&d.seen),
                        OFFERS "\r\nwelcome\r\n\r\nUser Access Verification\r\n\r\nUsername: ");
    assert_string_equal(type(&d, "admin\r\n"), "admin\r\nPassword: ");
    assert_string_equal(type(&d, "wrong\r\n"), "\r\n% Login invalid\r\n\r\nUsername: ");
    assert_string_equal(type(&d, "guest\r"), "guest\r\nPassword: ");
    assert_string_equal(type(&d, "\ncisco\r"), "\r\nR1>");
    assert_string_equal(type(&d, "\nshow privilege\r"),
                        "show privilege\r\nCurrent privilege level is 1\r\nR1>");
    desk_close(&d);
}

static void three_wrong_passwords_end_it(void **state) {
    (void)state;
    struct desk d = desk_open(false, 2);
    assert_string_equal(type(&d, "a\r"), "\r\nPassword: ");
    assert_string_equal(type(&d, "b\r"), "\r\nPassword: ");
    assert_string_equal(type(&d, "c\r"), "\r\n% Bad passwords\r\n");
    assert_true(ios_session_ended(d.s));
    desk_close(&d);
    d = desk_open(false, 2);
    assert_string_equal(type(&d, "letmex\bin\r"), "\r\nR1>");
    desk_close(&d);
}

static void a_line_without_password_turns_away(void **state) {
    (void)state;
    struct desk d = desk_open(false, 3);
    assert_non_null(strstr(text_str(&d.seen), "\r\nPassword required, but none set\r\n"));
    assert_true(ios_session_ended(d.s));
    desk_close(&d);
    d = desk_open(false, 4);
    assert_string_equal(text_str(&d.seen), OFFERS "\r\nwelcome\r\n\r\nR1#");
    desk_close(&d);
}

static void hashes_of_type_5_are_checked(void **state) {
    (void)state;
    struct desk d = desk_open(false, 1);
    type(&d, "hashed\r");
    assert_string_equal(type(&d, "not it\r"), "\r\n% Login invalid\r\n\r\nUsername: ");
    type(&d, "hashed\r");
    assert_string_equal(type(&d, "cisco\r"), "\r\nR1>");
    desk_close(&d);
}

static void enable_asks_for_the_secret(void **state) {
    (void)state;
    struct desk d = desk_open(true, 0);
    assert_string_equal(text_str(&d.seen), OFFERS "\r\nwelcome\r\nR1>");
    assert_string_equal(type(&d, "conf t\r"),
                        "conf t\r\n   ^\r\n% Invalid input detected at '^' marker.\r\n\r\nR1>");
    assert_string_equal(type(&d, "en\r"), "en\r\nPassword: ");
    type(&d, "x\r");
    type(&d, "y\r");
    assert_string_equal(type(&d, "z\r"), "\r\n% Bad secrets\r\n\r\nR1>");
    type(&d, "enable\r");
    assert_string_equal(type(&d, "cisco\r"), "\r\nR1#");
    assert_string_equal(type(&d, "disable\r"), "disable\r\nR1>");
    type(&d, "exit\r");
    assert_true(ios_session_ended(d.s));
    desk_close(&d);
}

/* Nobody set one: the console needs none, a line that is called is refused. */
static void enable_without_a_secret(void **state) {
    static const char BARE[] = "hostname R1\nline vty 0 4\n no login\n transport input telnet\n";
    (void)state;
    for (int console = 0; console < 2; console++) {
        struct desk d = {.r = router_of(BARE), .view = {.now = {NANOS_PER_S}}};
        text_init(&d.seen);
        d.s = ios_session_new(d.r, &d.view, console, 0, "10.0.0.9");
        assert_non_null(d.s);
        take(&d);
        type(&d, "\r");
        assert_string_equal(type(&d, "enable\r"),
                            console ? "enable\r\nR1#" : "enable\r\n% No password set\r\nR1>");
        desk_close(&d);
    }
}

/* ---- configuration ---- */

static void configuration_takes_effect_and_is_logged(void **state) {
    (void)state;
    struct desk d = desk_enabled();
    struct text log;
    text_init(&log);
    assert_string_equal(type(&d, "conf t\r"),
                        "conf t\r\nEnter configuration commands, one per line.  End with "
                        "CNTL/Z.\r\nR1(config)#");
    assert_string_equal(type(&d, "router bgp 64512\r"), "router bgp 64512\r\nR1(config-router)#");
    assert_non_null(ios_bgp_config(d.r, NULL));
    assert_false(ios_config_pending(d.r));
    assert_string_equal(type(&d, "neighbor 10.0.0.3 remote-as 1\r"),
                        "neighbor 10.0.0.3 remote-as 1\r\nR1(config-router)#");
    assert_true(ios_config_pending(d.r));
    const struct bgp_config *c = ios_bgp_config(d.r, NULL);
    assert_int_equal(c->peer_count, 2);
    assert_string_equal(type(&d, "neighbor 10.0.0.3 remot-as 2\r"),
                        "neighbor 10.0.0.3 remot-as 2\r\n"
                        "                                    ^\r\n"
                        "% Invalid input detected at '^' marker.\r\n\r\nR1(config-router)#");
    assert_string_equal(type(&d, "address-family ipv4\r"),
                        "address-family ipv4\r\nR1(config-router-af)#");
    assert_string_equal(type(&d, "do show priv\r"),
                        "do show priv\r\nCurrent privilege level is 15\r\nR1(config-router-af)#");
    assert_string_equal(type(&d, "exit\r"), "exit\r\nR1(config-router)#");
    ios_take_log(d.r, &log);
    assert_int_equal(log.size, 0);
    assert_string_equal(type(&d, "\032"), "^Z\r\nR1#");
    ios_take_log(d.r, &log);
    assert_string_equal(text_str(&log), "*Jan  1 00:00:00.000: %SYS-5-CONFIG_I: Configured from "
                                        "console by admin on vty0 (10.0.0.9)\n");
    text_deinit(&log);
    desk_close(&d);
}

static void sessions_have_places_of_their_own(void **state) {
    (void)state;
    struct desk d = desk_enabled();
    struct desk other = {.r = d.r, .view = d.view};
    text_init(&other.seen);
    other.s = ios_session_new(d.r, &d.view, false, 4, "");
    take(&other);
    type(&d, "conf t\rroute-map M permit 10\r");
    assert_string_equal(type(&other, "show clock\r"),
                        "show clock\r\n*00:00:00.000 UTC Thu Jan 1 1970\r\nR1#");
    assert_string_equal(type(&d, "\r"), "\r\nR1(config-route-map)#");
    type(&other, "conf t\rno route-map M\r");
    /* The place is gone: one level up. */
    assert_string_equal(type(&d, "\r"), "\r\nR1(config)#");
    type(&other, "end\r");
    assert_non_null(strstr(type(&other, "show users\r"),
                           "   2 vty 0     admin      idle                 00:00:00   10.0.0.9\r\n"
                           "*  6 vty 4                idle                 00:00:00   \r\n"));
    ios_session_free(other.s, d.r);
    text_deinit(&other.seen);
    assert_string_equal(type(&d, "\003"), "^C\r\nR1#");
    desk_close(&d);
}

static void banners_end_with_their_delimiter(void **state) {
    (void)state;
    struct desk d = desk_enabled();
    type(&d, "terminal length 0\rconf t\r");
    assert_string_equal(type(&d, "banner motd #one line#\r"),
                        "banner motd #one line#\r\nR1(config)#");
    assert_non_null(strstr(type(&d, "do sh run | i banner\r"), "banner motd ^Cone line^C\r\n"));
    assert_string_equal(type(&d, "banner motd %first\r"),
                        "banner motd %first\r\nEnter TEXT message.  End with the character "
                        "'%'.\r\n");
    assert_string_equal(type(&d, "second?\r"), "second?\r\n");
    assert_string_equal(type(&d, "third%\r"), "third%\r\nR1(config)#");
    assert_non_null(strstr(type(&d, "do sh run | b banner\r"),
                           "banner motd ^Cfirst\r\nsecond?\r\nthird^C\r\n"));
    assert_non_null(strstr(type(&d, "banner none #x#\r"), "% Invalid input detected"));
    type(&d, "banner motd %never\r");
    assert_string_equal(type(&d, "\003"), "^C\r\nR1(config)#");
    desk_close(&d);
}

/* ---- terminal ---- */

static void pages_stop_and_go_on(void **state) {
    (void)state;
    struct desk d = desk_enabled();
    type(&d, "terminal length 4\r");
    static const char GONE[] = "\b\b\b\b\b\b\b\b\b        \b\b\b\b\b\b\b\b\b";
    char want[400];
    assert_string_equal(type(&d, "show running | begin line vty 0 1\r"),
                        "show running | begin line vty 0 1\r\n\r\nline vty 0 1\r\n login "
                        "local\r\n --More-- ");
    snprintf(want, sizeof want, "%s transport input telnet\r\n --More-- ", GONE);
    assert_string_equal(type(&d, "\r\n"), want);
    snprintf(want, sizeof want, "%s!\r\nline vty 2\r\n password letmein\r\n --More-- ", GONE);
    assert_string_equal(type(&d, " "), want);
    snprintf(want, sizeof want, "%sR1#", GONE);
    assert_string_equal(type(&d, "q"), want);
    assert_string_equal(type(&d, "terminal length 0\r"), "terminal length 0\r\nR1#");
    assert_null(strstr(type(&d, "show running-config\r"), "--More--"));
    desk_close(&d);
}

static void keys_edit_the_line(void **state) {
    (void)state;
    static const struct {
        const char *keys, *line;
    } ROWS[] = {
        {"show clok\bck", "show clock"},
        {"how clock\001s", "show clock"},
        {"show xclock\002\002\002\002\002\b", "show clock"},
        {"show clock junk\027\b", "show clock"},
        {"junk\025show clock", "show clock"},
        {"junk\030show clock", "show clock"},
        {"show clock\001\006\006\006\006\006\006\006\006\006\006 x\002\013", "show clock "},
        {"sohw clock\001\006\006\024\001\005", "show clock"},
        {"show clXock\033[D\033[D\033[D\b", "show clock"},
        {"show clockX\033[D\004", "show clock"},
        {"clock\033bshow ", "show clock"},
        {"a show clock\001\033d\004", "show clock"},
        {"sho\tclo\t", "show clock "},
    };
    struct desk d = desk_enabled();
    type(&d, "terminal length 0\r");
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        char want[200];
        type(&d, ROWS[i].keys);
        snprintf(want, sizeof want, "\r\n*00:00:00.000 UTC Thu Jan 1 1970\r\nR1#");
        if (strcmp(type(&d, "\r"), want) != 0)
            fail_msg("row %zu: %s", i, text_str(&d.seen));
        snprintf(want, sizeof want, "%s", ROWS[i].line);
        type(&d, "\020");
        assert_string_equal(text_str(&d.seen), want);
        type(&d, "\025");
    }
    desk_close(&d);
}

static void history_comes_back(void **state) {
    (void)state;
    struct desk d = desk_enabled();
    type(&d, "show clock\rshow privilege\r");
    assert_string_equal(type(&d, "\033[A"), "show privilege");
    assert_non_null(strstr(type(&d, "\033[A"), "show clock"));
    assert_non_null(strstr(type(&d, "\033[B"), "show privilege"));
    assert_string_equal(type(&d, "\r"), "\r\nCurrent privilege level is 15\r\nR1#");
    assert_string_equal(type(&d, "show history\r"),
                        "show history\r\n  show clock\r\n  show privilege\r\n  show "
                        "history\r\nR1#");
    desk_close(&d);
}

static void help_lists_what_may_follow(void **state) {
    (void)state;
    struct desk d = desk_enabled();
    assert_string_equal(type(&d, "sh?"), "sh?\r\nshow\r\n\r\nR1#sh");
    type(&d, "\025");
    assert_string_equal(type(&d, "show ip as?"),
                        "show ip as?\r\nas-path-access-list\r\n\r\nR1#show ip as");
    type(&d, "\025");
    assert_string_equal(type(&d, "terminal length ?"),
                        "terminal length ?\r\n  <0-512>\r\n\r\nR1#terminal length ");
    type(&d, "\025");
    assert_string_equal(type(&d, "show clock ?"),
                        "show clock ?\r\n  |     Output modifiers\r\n  <cr>\r\n\r\nR1#show clock ");
    type(&d, "\025");
    assert_string_equal(type(&d, "show clock | ?"),
                        "show clock | ?\r\n"
                        "  append    Append redirected output to URL\r\n"
                        "  begin     Begin with the line that matches\r\n"
                        "  count     Count number of lines which match regexp\r\n"
                        "  exclude   Exclude lines that match\r\n"
                        "  include   Include lines that match\r\n"
                        "  redirect  Redirect output to URL\r\n"
                        "  section   Filter a section of output\r\n"
                        "  tee       Copy output to URL\r\n\r\nR1#show clock | ");
    type(&d, "\025");
    assert_string_equal(type(&d, "frob ?"), "frob ?\r\n% Unrecognized command\r\n\r\nR1#frob ");
    type(&d, "\025conf t\rrouter bgp 64512\r");
    assert_string_equal(type(&d, "neighbor 10.0.0.2 rem?"),
                        "neighbor 10.0.0.2 rem?\r\nremote-as  remove-private-as\r\n\r\n"
                        "R1(config-router)#neighbor 10.0.0.2 rem");
    type(&d, "\025");
    assert_non_null(strstr(type(&d, "?"), "?\r\nRouter configuration commands:\r\n"));
    assert_non_null(strstr(text_str(&d.seen), "  no  "));
    assert_null(strstr(type(&d, "no ?"), "  exit  "));
    assert_non_null(strstr(text_str(&d.seen), "  neighbor  "));
    desk_close(&d);
}

/* Refusals, with the caret under the word that is wrong, whatever stands in front of it. */
static void refusals_point_at_the_word(void **state) {
    (void)state;
    static const struct {
        const char *typed, *answer;
    } ROWS[] = {
        {"show clok", "\r\n        ^\r\n% Invalid input detected at '^' marker.\r\n\r\n"},
        {"show clock | frob x",
         "\r\n                ^\r\n% Invalid input detected at '^' marker.\r\n\r\n"},
        {"show clock | include", "\r\n% Incomplete command.\r\n\r\n"},
        {"show clock |", "\r\n% Incomplete command.\r\n\r\n"},
        {"show clock | redirect flash:x", "\r\n%Error opening flash:x (No such device)\r\n"},
        {"show clock | tee tftp://10.0.0.1/x y",
         "\r\n%Error opening tftp://10.0.0.1/x (No such device)\r\n"},
        {"show clock \xe9",
         "\r\n              ^\r\n% Invalid input detected at '^' marker.\r\n\r\n"},
        {"sh i", "\r\n% Ambiguous command:  \"sh i\"\r\n\r\n"},
        {"xyzzy", "\r\n% Unknown command or computer name, or unable to find computer address\r\n"},
        {"undebug all", "\r\nAll possible debugging has been turned off\r\n"},
        {"copy running-config startup-config", "\r\nBuilding configuration...\r\n[OK]\r\n"},
    };
    struct desk d = desk_enabled();
    char want[400];
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        char keys[100];
        snprintf(keys, sizeof keys, "%s\r", ROWS[i].typed);
        snprintf(want, sizeof want, "%s%sR1#", ROWS[i].typed, ROWS[i].answer);
        if (strcmp(type(&d, keys), want) != 0)
            fail_msg("%s: %s", ROWS[i].typed, text_str(&d.seen));
    }
    type(&d, "conf t\r");
    assert_string_equal(type(&d, "do  show clok\r"),
                        "do  show clok\r\n                    ^\r\n"
                        "% Invalid input detected at '^' marker.\r\n\r\nR1(config)#");
    assert_string_equal(type(&d, "do show clock | frob x\r"),
                        "do show clock | frob x\r\n                           ^\r\n"
                        "% Invalid input detected at '^' marker.\r\n\r\nR1(config)#");
    desk_close(&d);
}

/* Three kinds, each at its moment. */
static void banners_greet(void **state) {
    (void)state;
    struct desk d = desk_enabled();
    type(&d, "conf t\rbanner login #who#\rbanner exec #hello#\rend\r");
    struct desk other = {.r = d.r, .view = d.view};
    text_init(&other.seen);
    other.s = ios_session_new(d.r, &d.view, false, 1, "");
    take(&other);
    assert_string_equal(text_str(&other.seen), OFFERS "\r\nwelcome\r\n\r\nwho\r\n\r\nUser Access "
                                                      "Verification\r\n\r\nUsername: ");
    type(&other, "admin\r\n");
    assert_string_equal(type(&other, "secret\r\n"), "\r\n\r\nhello\r\nR1#");
    ios_session_free(other.s, d.r);
    text_deinit(&other.seen);
    desk_close(&d);
}

static void history_has_a_size(void **state) {
    (void)state;
    struct desk d = desk_enabled();
    type(&d, "terminal history size 2\rshow clock\rshow privilege\r");
    assert_string_equal(type(&d, "show history\r"),
                        "show history\r\n  show privilege\r\n  show history\r\nR1#");
    desk_close(&d);
}

/* A whole configuration in one go: nothing is lost, errors stop nothing, prompts follow. */
static void a_paste_is_taken_line_by_line(void **state) {
    (void)state;
    struct desk d = desk_enabled();
    struct text paste;
    text_init(&paste);
    text_puts(&paste, "conf t\r\n");
    for (unsigned i = 0; i < 300; i++)
        text_printf(&paste, "ip prefix-list BIG seq %u permit 10.%u.%u.0/24\r\n", i + 1, i / 256,
                    i % 256);
    text_puts(&paste, "nonsense here\r\nrouter bgp 64512\r\n neighbor 10.0.0.77 remote-as 7\r\n"
                      " neighbor 10.0.0.77 description caf\xc3\xa9\r\nend\r\n");
    type_bytes(&d, text_str(&paste), paste.size);
    const char *seen = text_str(&d.seen);
    assert_non_null(strstr(seen, "% Invalid input detected at '^' marker."));
    assert_string_equal(seen + d.seen.size - strlen("R1(config-router)#end\r\nR1#"),
                        "R1(config-router)#end\r\nR1#");
    assert_string_equal(type(&d, "show ip prefix-list BIG | count permit\r"),
                        "show ip prefix-list BIG | count permit\r\n"
                        "Number of lines which match regexp = 300\r\nR1#");
    assert_non_null(strstr(type(&d, "show run | include 10.0.0.77 desc\r"), "description caf"));
    text_deinit(&paste);
    desk_close(&d);
}

static void log_lines_reach_terminals_that_monitor(void **state) {
    (void)state;
    struct desk d = desk_enabled();
    ios_session_log(d.s, d.r, "%X-5-Y: z\n");
    take(&d);
    assert_int_equal(d.seen.size, 0);
    type(&d, "terminal monitor\rsho");
    ios_session_log(d.s, d.r, "%X-5-Y: z\n");
    take(&d);
    assert_string_equal(text_str(&d.seen), "\r\n%X-5-Y: z\r\nR1#sho");
    type(&d, "\025terminal no monitor\r");
    ios_session_log(d.s, d.r, "%X-5-Y: z\n");
    take(&d);
    assert_int_equal(d.seen.size, 0);
    desk_close(&d);
}

static void idle_sessions_end(void **state) {
    (void)state;
    struct desk d = desk_open(false, 4);
    assert_int_equal(ios_session_deadline(d.s).ns, d.view.now.ns + 30 * NANOS_PER_S);
    d.view.now = nanotime_add_ms(d.view.now, 20000);
    type(&d, "\r");
    assert_int_equal(ios_session_deadline(d.s).ns, d.view.now.ns + 30 * NANOS_PER_S);
    ios_session_advance(d.s, d.r, nanotime_add_ms(d.view.now, 29999));
    assert_false(ios_session_ended(d.s));
    ios_session_advance(d.s, d.r, nanotime_add_ms(d.view.now, 30000));
    assert_true(ios_session_ended(d.s));
    desk_close(&d);
}

/* ---- telnet ---- */

static void options_are_answered_once(void **state) {
    (void)state;
    static const struct {
        const char *in;
        size_t in_size;
        const char *out;
    } ROWS[] = {
        {"\xff\xfd\x01", 3, ""},             /* DO ECHO: we offered */
        {"\xff\xfd\x05", 3, "\xff\xfc\x05"}, /* DO STATUS: WONT */
        {"\xff\xfb\x18", 3, ""},             /* WILL TERMINAL-TYPE: we asked */
        {"\xff\xfb\x22", 3, "\xff\xfe\x22"}, /* WILL LINEMODE: DONT */
        {"\xff\xfe\x01", 3, "\xff\xfc\x01"}, /* DONT ECHO: off */
        {"\xff\xfc\x1f", 3, ""},             /* WONT NAWS */
        {"\xff\xf4", 2, "^C\r\nR1#"},        /* interrupt */
        {"ab\xff\xff", 4, "ab\xff\xff"},     /* 255 itself */
        {"\xff\xfa\x18\0xterm\xff\xf0", 11, ""},
    };
    struct desk d = desk_enabled();
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        type_bytes(&d, ROWS[i].in, ROWS[i].in_size);
        if (strcmp(text_str(&d.seen), ROWS[i].out) != 0)
            fail_msg("row %zu", i);
    }
    desk_close(&d);
}

static void the_window_sets_the_page(void **state) {
    (void)state;
    struct desk d = desk_enabled();
    type_bytes(&d, "\xff\xfa\x1f\0\x50\0\x04\xff\xf0", 9);
    assert_non_null(strstr(type(&d, "show running\r"), " --More-- "));
    type(&d, "q");
    type(&d, "terminal length 0\r");
    type_bytes(&d, "\xff\xfa\x1f\0\x50\0\x04\xff\xf0", 9);
    assert_null(strstr(type(&d, "show running\r"), " --More-- "));
    desk_close(&d);
}

static void telnet_lines_are_counted(void **state) {
    (void)state;
    struct ios_router *r = router_make();
    assert_int_equal(ios_telnet_lines(r), 3);
    ios_router_free(r);
}

static void long_lines_ring_the_bell(void **state) {
    (void)state;
    struct desk d = desk_enabled();
    char keys[256];
    memset(keys, 'x', sizeof keys);
    type_bytes(&d, keys, 254);
    assert_int_equal(d.seen.size, 254);
    assert_string_equal(type(&d, "y"), "\a");
    desk_close(&d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(users_log_in),
        cmocka_unit_test(three_wrong_passwords_end_it),
        cmocka_unit_test(a_line_without_password_turns_away),
        cmocka_unit_test(hashes_of_type_5_are_checked),
        cmocka_unit_test(enable_asks_for_the_secret),
        cmocka_unit_test(enable_without_a_secret),
        cmocka_unit_test(configuration_takes_effect_and_is_logged),
        cmocka_unit_test(sessions_have_places_of_their_own),
        cmocka_unit_test(banners_end_with_their_delimiter),
        cmocka_unit_test(pages_stop_and_go_on),
        cmocka_unit_test(keys_edit_the_line),
        cmocka_unit_test(history_comes_back),
        cmocka_unit_test(help_lists_what_may_follow),
        cmocka_unit_test(refusals_point_at_the_word),
        cmocka_unit_test(banners_greet),
        cmocka_unit_test(history_has_a_size),
        cmocka_unit_test(a_paste_is_taken_line_by_line),
        cmocka_unit_test(log_lines_reach_terminals_that_monitor),
        cmocka_unit_test(idle_sessions_end),
        cmocka_unit_test(options_are_answered_once),
        cmocka_unit_test(the_window_sets_the_page),
        cmocka_unit_test(telnet_lines_are_counted),
        cmocka_unit_test(long_lines_ring_the_bell),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
