/*
 * A table dump announced and withdrawn by `ctl`: what a neighbour holds afterwards is compared with
 * what the decoder finds in the file; and every kind of file that is none.
 *
 * Node 1 announces, node 0 is its neighbour over IPv4 and IPv6 inside one AS, so that nothing but
 * the next hop changes on the way. This program is the speaker and ctl as well: with arguments it
 * runs what main.c runs.
 */
#include "ctl_mrt.h"

#include "../base/arena.h"
#include "../base/text.h"
#include "../config/config_json.h"
#include "../core/codec_test.h"
#include "../decode/mrt_sample.h"
#include "ctl.h"
#include "host.h"
#include "loop.h"
#include "nodes_fixture.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define INPUT "CTL_MRT_TEST_INPUT" /* standard input of what is run */
#define BULK 600u                  /* more than two requests take */

enum { NEIGHBOR, ANNOUNCER };

static char folder[] = "/tmp/ctl_mrt_test.XXXXXX", self[512], conf[64], sock[64], dump[64];
static pid_t speaker;

static char *word(const char *s) {
    return (char *)(uintptr_t)s;
}

static void write_file(const char *path, const void *data, size_t size) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, size), (ssize_t)size);
    close(fd);
}

/* ---- the lab ---- */

#define FAMILY(remote, family)                                                                     \
    "{\"remote_addr\":\"" remote "\",\"remote_as\":64999,\"connect_retry_s\":1,"                   \
    "\"next_hop_mode\":\"keep\",\"families\":[\"" family "\"]}"
#define CONFIG(id, v4, v6)                                                                         \
    "{\"local_as\":64999,\"router_id\":\"" id                                                      \
    "\",\"fib\":{\"install\":false},\"peers\":[" FAMILY(v4, "ipv4") "," FAMILY(v6, "ipv6") "]}"

static int lab_up(void **state) {
    (void)state;
    nodes_group_up(2);
    if (!mkdtemp(folder))
        return -1;
    snprintf(conf, sizeof conf, "%s/conf", folder);
    snprintf(sock, sizeof sock, "%s/sock", folder);
    snprintf(dump, sizeof dump, "%s/dump", folder);
    return 0;
}

static int lab_down(void **state) {
    unlink(conf);
    unlink(sock);
    unlink(dump);
    return nodes_group_down(state) | rmdir(folder);
}

static int end_speakers(void **state) {
    if (speaker > 0) {
        kill(speaker, SIGKILL);
        waitpid(speaker, NULL, 0);
    }
    speaker = 0;
    unlink(dump);
    return nodes_forbidden() ? 0 : nodes_kill_all(state);
}

/* Words separated by blanks, FILE being the dump. The exit status; what was said is in ret_said. */
static int ctl(const char *words, struct text *ret_said) {
    char copy[256], *rest = copy;
    char *argv[16] = {self, word("ctl"), word("-s"), sock};
    int argc = 4;
    snprintf(copy, sizeof copy, "%s", words);
    while (argc < 15 && (argv[argc] = strsep(&rest, " "))) {
        if (strcmp(argv[argc], "FILE") == 0)
            argv[argc] = dump;
        argc++;
    }
    return nodes_capture(ANNOUNCER, argv, ret_said);
}

static void expect(const char *words, int status, const char *part) {
    struct text said;
    text_init(&said);
    int got = ctl(words, &said);
    if (got != status || !strstr(text_str(&said), part))
        fail_msg("%s: exit status %d, expected %d and \"%s\":\n%s", words, got, status, part,
                 text_str(&said));
    text_deinit(&said);
}

static bool answers(int node, uint64_t unused) {
    struct text said;
    (void)node, (void)unused;
    text_init(&said);
    bool ok = ctl("status", &said) == CTL_EXIT_OK;
    text_deinit(&said);
    return ok;
}

static void start(void) {
    static const char config[] = CONFIG("10.0.0.2", "10.0.0.1", "fd00::1");
    char *argv[] = {self, word("--config"), conf, word("--control"), sock, NULL};
    write_file(conf, config, sizeof config - 1);
    speaker = nodes_spawn(ANNOUNCER, argv, -1);
    WAIT_FOR(answers, ANNOUNCER, 0);
}

static void start_both(void) {
    start();
    nodes_start(NEIGHBOR, CONFIG("10.0.0.1", "10.0.0.2", "fd00::2"), "--config-fd");
    WAIT_FOR(established, NEIGHBOR, 2);
}

/* ---- what the neighbour holds, and what the file says ---- */

static json_t *held(void) {
    json_t *answer = nodes_request_json(NEIGHBOR, "{\"op\":\"rib\",\"table\":\"in\"}\n");
    json_t *routes = json_incref(json_object_get(answer, "routes"));
    json_decref(answer);
    return routes;
}

static bool holds(int node, uint64_t count) {
    (void)node;
    json_t *routes = held();
    bool ok = json_array_size(routes) == count;
    json_decref(routes);
    return ok;
}

struct wanted {
    json_t *by_prefix; /* attributes as dumps have them */
    const char *peer;  /* NULL: the first path */
    bool recorded_next_hop;
};

static void take(void *context, const struct mrt_item *item) {
    struct wanted *w = context;
    struct bgp_update u = item->message->update;
    char prefix[IP_PREFIX_TEXT_MAX], peer[IP_ADDR_TEXT_MAX];
    struct ip_prefix p = {0};
    uint32_t at = 0;
    assert_true(item->kind == MRT_ROUTE && nlri_next(&u.announced[0], &at, &p));
    ip_prefix_format(p, prefix);
    ip_format(item->peer.addr, peer);
    if (json_object_get(w->by_prefix, prefix) || (w->peer && strcmp(w->peer, peer) != 0))
        return;
    if (!w->recorded_next_hop)
        u.attrs.next_hop = sample_address(p.addr.family == IP_V4 ? "10.0.0.2" : "fd00::2");
    u.attrs.link_local = (struct ip_addr){0};
    if (!u.attrs.has_local_pref) {
        u.attrs.has_local_pref = true;
        u.attrs.local_pref = 100;
    }
    json_object_set_new(w->by_prefix, prefix, attrs_to_json(&u.attrs));
}

static void read_records(const struct text *file, struct wanted *w) {
    const uint8_t *data = (const uint8_t *)file->data;
    struct mrt_reader *reader = mrt_reader_new();
    assert_non_null(reader);
    for (size_t at = 0; at < file->size;) {
        struct mrt_header h = mrt_header_decode(data + at);
        at += MRT_HEADER_SIZE;
        assert_null(mrt_read(reader, &h, data + at, take, w));
        at += h.size;
    }
    mrt_reader_free(reader);
}

/* Prefix by prefix; returns how many there are. */
static size_t compare(const struct text *file, struct wanted w) {
    w.by_prefix = json_object();
    read_records(file, &w);
    size_t count = json_object_size(w.by_prefix);
    WAIT_FOR(holds, NEIGHBOR, count);
    json_t *routes = held();
    for (size_t i = 0; i < count; i++) {
        json_t *route = json_array_get(routes, i), *attrs = json_object_get(route, "attrs");
        const char *prefix = json_string_value(json_object_get(route, "prefix"));
        json_t *wanted = json_object_get(w.by_prefix, prefix);
        json_object_del(attrs, "link_local");
        if (!json_equal(attrs, wanted)) {
            json_dumpf(route, stderr, 0);
            json_dumpf(wanted, stderr, 0);
            fail_msg(" is held, not as the file has it: %s", prefix);
        }
    }
    json_decref(routes);
    json_decref(w.by_prefix);
    return count;
}

/* ---- tables ---- */

static void put_hex(struct text *out, const char *hex) {
    uint8_t octets[512];
    text_put(out, (const char *)octets, codec_hex(hex, octets, 0, sizeof octets));
}

static void put_bulk(struct text *file) {
    for (uint32_t i = 0; i < BULK; i++) {
        uint32_t path[] = {AS_SEQUENCE << 16 | 2, 65010, 100000 + i};
        struct attr_values v = {.as_path = {path, 3},
                                .next_hop = sample_address("192.0.2.77"),
                                .origin = (uint8_t)(i % 3)};
        struct mrt_entry e = {.time_s = SAMPLE_TIME, .attrs = &v};
        mrt_put_rib(file, SAMPLE_TIME, i, ip_prefix_make(ip4(0x0b000000u + (i << 8)), 24), false,
                    &e, 1);
    }
}

/* What the others of the sample have not. */
static void put_rich(struct text *file, const char *prefix, const char *next_hop) {
    static const struct large_community large[] = {{65001, 1, 2}, {65001, 3, 4}};
    static const uint64_t extended[] = {0x0002fde900000064};
    static const uint32_t clusters[] = {0x01010101, 0x02020202};
    static const struct attr_unknown unknown[] = {{0xe0, 99, 3, (const uint8_t *)"\1\2\3"}};
    struct attr_values v = sample_attrs(next_hop);
    v.has_med = v.has_local_pref = false;
    v.large_communities = large;
    v.large_community_count = 2;
    v.ext_communities = extended;
    v.ext_community_count = 1;
    v.cluster_list = clusters;
    v.cluster_count = 2;
    v.has_originator_id = true;
    v.originator_id = 0x03030303;
    v.unknown = unknown;
    v.unknown_count = 1;
    struct mrt_entry e = {.peer = 1, .time_s = SAMPLE_TIME, .attrs = &v};
    mrt_put_rib(file, SAMPLE_TIME, 9, sample_prefix(prefix), false, &e, 1);
}

static void put_file(const struct text *file) {
    assert_false(file->failed);
    write_file(dump, file->data, file->size);
}

static void make_table(struct text *file) {
    text_init(file);
    sample_tables(file);
    put_rich(file, "198.51.100.0/24", "192.0.2.77");
    put_rich(file, "2001:db8:9::/48", "2001:db8::2");
    put_bulk(file);
    put_file(file);
}

/* ---- tests ---- */

/* Both versions of tables, path identifiers, both families, all attributes, many requests. */
static void test_neighbor_holds_the_file(void **state) {
    struct text file;
    (void)state;
    SKIP_IF_FORBIDDEN();
    make_table(&file);
    put_hex(&file, "65532f80 000c0001 00000028 0000 0001 0a020000 10 01 65532f00 0a000002 fde9"
                   "0012" SAMPLE_ATTRS);
    put_file(&file);
    start_both();
    expect("announce-mrt FILE", CTL_EXIT_OK, "announced             606\n");
    assert_int_equal(compare(&file, (struct wanted){0}), BULK + 6);
    expect("withdraw-mrt FILE", CTL_EXIT_OK, "withdrawn             606\n");
    WAIT_FOR(holds, NEIGHBOR, 0);
    expect("withdraw-mrt FILE", CTL_EXIT_OK, "missing               606\n");
    text_deinit(&file);
}

static void test_selected_routes(void **state) {
    struct text file;
    (void)state;
    SKIP_IF_FORBIDDEN();
    make_table(&file);
    start_both();
    expect("announce-mrt FILE peer 2001:db8::2 next-hop recorded", CTL_EXIT_OK,
           "announced             5\n");
    assert_int_equal(
        compare(&file, (struct wanted){.peer = "2001:db8::2", .recorded_next_hop = true}), 5);
    expect("withdraw-mrt FILE max 1", CTL_EXIT_OK, "withdrawn             1\n");
    WAIT_FOR(holds, NEIGHBOR, 4);
    expect("withdraw-mrt FILE peer 1", CTL_EXIT_OK, "missing               1\n");
    WAIT_FOR(holds, NEIGHBOR, 0);
    expect("announce-mrt FILE peer 0 max 300", CTL_EXIT_OK, "announced             300\n");
    WAIT_FOR(holds, NEIGHBOR, 300);
    expect("--json withdraw-mrt FILE peer 0 max 300", CTL_EXIT_OK,
           "\"withdrawn\":300,\"ipv4\":300,");
    expect("announce-mrt FILE peer 2", CTL_EXIT_REFUSED, "no such route; 0 routes were announced");
    text_deinit(&file);
}

static void test_standard_input(void **state) {
    struct text file;
    (void)state;
    SKIP_IF_FORBIDDEN();
    make_table(&file);
    start();
    assert_int_equal(setenv(INPUT, dump, 1), 0);
    expect("announce-mrt - max 3", CTL_EXIT_OK, "announced             3\n");
    unsetenv(INPUT);
    text_deinit(&file);
}

/* A table, something else behind it, and a table again. */
static void expect_between(const char *hex, size_t size, const char *complaint) {
    struct text file;
    text_init(&file);
    put_hex(&file, SAMPLE_PEERS);
    put_hex(&file, hex);
    file.size = size ? size : file.size;
    put_hex(&file, SAMPLE_TABLE_AP);
    put_file(&file);
    expect("announce-mrt FILE", complaint ? CTL_EXIT_REFUSED : CTL_EXIT_OK,
           complaint ? complaint : "announced             1\n");
    text_deinit(&file);
}

static void test_damaged_tables(void **state) {
    (void)state;
    SKIP_IF_FORBIDDEN();
    start();
    expect_between("65532f80 000d0002 00000003 000000", 0,
                   "1 faults were passed over, the first one in record 2 at octet 33: truncated; "
                   "1 routes were announced");
    expect_between("65532f80 000d0002 00000010 00000000 100a02 0001 0007 65532f00 00", 0,
                   "record 2 at octet 33: truncated; 1 routes");
    expect_between("65532f80 000d0002 00000011 00000000 100a02 0001 0007 65532f00 0000", 0,
                   "record 2 at octet 33: a peer that the peer table has not; 1 routes");
    expect_between("65532f80 000d0002 00000015 00000000 100a02 0001 0000 65532f00 0004 40010107", 0,
                   "record 2 at octet 33: a route whose attributes are malformed; 1 routes");
    expect_between("65532f80 00770002 00000000", 0,
                   "record 2 at octet 33: unknown type: what follows cannot be trusted; 0 routes");
    /* Multicast, generic ones of another family, geographic peers, messages: no faults. */
    expect_between("65532f80 000d0003 00000000", 0, NULL);
    expect_between("65532f80 000d0006 00000007 00000000 0019 41", 0, NULL);
    expect_between("65532f80 000d0007 00000000", 0, NULL);
    expect_between(SAMPLE_MESSAGE, 0, NULL);
    expect_between(SAMPLE_STATE, 0, NULL);
}

static void expect_file(const char *hex, const char *complaint) {
    struct text file;
    text_init(&file);
    put_hex(&file, hex);
    write_file(dump, file.data ? file.data : "", file.size);
    expect("announce-mrt FILE", CTL_EXIT_REFUSED, complaint);
    text_deinit(&file);
}

static void test_files_that_are_none(void **state) {
    (void)state;
    SKIP_IF_FORBIDDEN();
    start();
    expect_file("", "dump: empty; 0 routes were announced");
    expect_file("1f8b 0800 0000 0000 0003 edbd 0000 0000", "not an MRT file (unpack it first");
    expect_file("65532f80 000d", "record 1 at octet 0: truncated; 0 routes");
    expect_file(SAMPLE_PEERS SAMPLE_TABLE_AP "65532f80 000d0002 00000080 0000",
                "record 3 at octet 86: truncated; 1 routes were announced");
    expect_file(SAMPLE_MESSAGE, "it holds no table");
    expect_file(SAMPLE_PEERS, "no such route");
    unlink(dump);
    expect("announce-mrt FILE", CTL_EXIT_REFUSED, "dump: No such file or directory");
    assert_int_equal(mkfifo(dump, 0600), 0);
    expect("withdraw-mrt FILE", CTL_EXIT_REFUSED, "not a regular file (- is standard input)");
    expect("announce-mrt /", CTL_EXIT_REFUSED, "/: Is a directory");
    expect("announce-mrt /dev/zero", CTL_EXIT_REFUSED, "/dev/zero: not a regular file");
}

/* A router without `router bgp`: the route at which it ended is named. */
static void test_refused(void **state) {
    char *argv[] = {self, word("--ios"), conf, word("--control"), sock, NULL};
    struct text file;
    (void)state;
    SKIP_IF_FORBIDDEN();
    make_table(&file);
    write_file(conf, "hostname r1\n", 12);
    speaker = nodes_spawn(ANNOUNCER, argv, -1);
    WAIT_FOR(answers, ANNOUNCER, 0);
    expect("announce-mrt FILE", CTL_EXIT_REFUSED,
           "dump: 10.1.0.0/16: bgp is not configured; 0 routes were announced\n");
    expect("--json withdraw-mrt FILE", CTL_EXIT_REFUSED, "{\"ok\":false,\"withdrawn\":0,");
    text_deinit(&file);
}

static void test_usage(void **state) {
    static const char *const words[][2] = {
        {"announce-mrt", "usage: ribcage-speaker ctl announce-mrt FILE [peer"},
        {"announce-mrt FILE per 1", "what is \"per\""},
        {"announce-mrt FILE peer", "no value for \"peer\""},
        {"announce-mrt FILE peer 70000", "peer cannot be \"70000\""},
        {"announce-mrt FILE max 0", "max cannot be \"0\""},
        {"announce-mrt FILE next-hop 10.0.0.1", "next-hop cannot be \"10.0.0.1\""},
        {"withdraw-mrt FILE next-hop self", "next-hop cannot be \"self\""},
    };
    (void)state;
    SKIP_IF_FORBIDDEN();
    start();
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        expect(words[i][0], CTL_EXIT_USAGE, words[i][1]);
}

/* On a terminal there is something to look at; nothing of it stays. */
static void test_progress(void **state) {
    char *argv[] = {self, word("ctl"), word("-s"), sock, word("announce-mrt"), dump, NULL};
    char name[64], part[512];
    struct text file, said;
    ssize_t got;
    int status;
    (void)state;
    SKIP_IF_FORBIDDEN();
    make_table(&file);
    start();
    int ours = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(ours >= 0 && grantpt(ours) == 0 && unlockpt(ours) == 0);
    assert_int_equal(ptsname_r(ours, name, sizeof name), 0);
    int theirs = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(theirs >= 0);
    pid_t pid = nodes_spawn(ANNOUNCER, argv, theirs);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == CTL_EXIT_OK);
    close(theirs);
    text_init(&said);
    while ((got = read(ours, part, sizeof part)) > 0)
        text_put(&said, part, (size_t)got);
    close(ours);
    assert_non_null(strstr(text_str(&said), "\r256 routes\r"));
    assert_non_null(strstr(text_str(&said), " \rannounced             605\r\n"));
    text_deinit(&said);
    text_deinit(&file);
}

static int run_ctl(int argc, char *const argv[]) {
    const char *input = getenv(INPUT);
    int fd = input ? open(input, O_RDONLY | O_CLOEXEC) : -1;
    if (input && dup2(fd, STDIN_FILENO) < 0)
        return 99;
    return ctl_main(argc, argv);
}

static int run_speaker(int argc, char *const argv[]) {
    struct host_options options;
    struct text error;
    text_init(&error);
    return options_parse(&options, argc, argv, &error) ? host_run(&options) : HOST_EXIT_USAGE;
}

int main(int argc, char *argv[]) {
#define TEST(name) cmocka_unit_test_teardown(name, end_speakers)
    const struct CMUnitTest tests[] = {
        TEST(test_neighbor_holds_the_file),
        TEST(test_selected_routes),
        TEST(test_standard_input),
        TEST(test_damaged_tables),
        TEST(test_files_that_are_none),
        TEST(test_usage),
        TEST(test_refused),
        TEST(test_progress),
    };
    if (argc > 1) { /* no leak check: it would be the exit status */
        int status =
            strcmp(argv[1], "ctl") == 0 ? run_ctl(argc - 1, argv + 1) : run_speaker(argc, argv);
        fflush(NULL);
        _exit(status);
    }
    ssize_t size = readlink("/proc/self/exe", self, sizeof self - 1);
    if (size <= 0)
        return 1;
    self[size] = '\0';
    return cmocka_run_group_tests(tests, lab_up, lab_down);
}
