/*
 * The table as a file, written in slices: identifiers in records of their own (RFC 8050), a table
 * that changes meanwhile, a configuration that comes meanwhile; links where the file is to be. No
 * namespace is needed.
 */
#include "mrt_table.h"

#include "../core/tables_test.h"
#include "../decode/mrt.h"
#include "host.h"
#include "mrt_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ROUTES 3000u

static struct bench b;
static struct host host;
static char folder[] = "/tmp/mrt-table-XXXXXX", path[64];

static struct attr_values route(uint32_t local_pref) {
    return (struct attr_values){
        .next_hop = ip4(0x0a000001), .has_local_pref = true, .local_pref = local_pref};
}

static int begin(void **state) {
    (void)state;
    bench_config(&b, BGP_PROFILE_PLAIN, 2);
    b.peers[0].add_path_receive[BGP_IPV4_UNICAST] = true;
    bench_start(&b);
    b.holds[0].p->add_path[BGP_IPV4_UNICAST] = BGP_ADD_PATH_RECEIVE;
    bench_up(&b, 0);
    bench_up(&b, 1);
    const struct attr_values v = route(100), w = route(200), x = route(300);
    for (uint32_t n = 0; n < ROUTES; n++) {
        const struct ip_prefix p = ip_prefix_make(ip4(0x0b000000u + (n << 8)), 24);
        (void)bench_send(&b, 1, &v, &p, 1);
    }
    bench_send_path(&b, 0, &w, pfx("192.0.2.0/24"), 0);
    bench_send_path(&b, 0, &x, pfx("192.0.2.0/24"), 7);
    (void)bench_announce(&b, 1, &v, "192.0.2.0/24");
    bench_work(&b);
    b.holds[0].p->state = b.holds[1].p->state = BGP_IDLE; /* there is no connection to look at */
    host.speaker = b.s;
    host.config_generation = 1;
    memcpy(folder + sizeof folder - 7, "XXXXXX", 6);
    if (!mkdtemp(folder))
        return 1;
    snprintf(path, sizeof path, "%s/table", folder);
    return 0;
}

static int finish(void **state) {
    (void)state;
    bench_end(&b);
    (void)unlink(path);
    return rmdir(folder); /* fails when anything else was left behind */
}

static void take_line(void *context, const struct mrt_item *item) {
    mrt_put_lines(item, context);
}

static void read_back(struct text *out) {
    static uint8_t data[1u << 20];
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    ssize_t size = read(fd, data, sizeof data);
    close(fd);
    assert_true(size > 0 && (size_t)size < sizeof data);
    struct mrt_reader *reader = mrt_reader_new();
    assert_non_null(reader);
    for (size_t at = 0; at < (size_t)size;) {
        struct mrt_header h = mrt_header_decode(data + at);
        at += MRT_HEADER_SIZE;
        assert_null(mrt_read(reader, &h, data + at, take_line, out));
        at += h.size;
    }
    mrt_reader_free(reader);
}

static uint32_t occurrences(const struct text *t, const char *word) {
    uint32_t count = 0;
    for (const char *at = text_str((struct text *)(uintptr_t)t); (at = strstr(at, word)); at++)
        count++;
    return count;
}

static void test_C214_C217_identifiers(void **state) {
    const char *error = NULL;
    uint64_t records = 0;
    uint32_t steps = 0;
    struct text lines;
    (void)state;
    struct mrt_table *w = mrt_table_begin(&host, path, &error);
    assert_non_null(w);
    while (mrt_table_step(w, 100))
        steps++;
    assert_true(steps >= ROUTES / 100);
    assert_null(mrt_table_end(w, &records));
    assert_int_equal(records, ROUTES + 2);
    text_init(&lines);
    read_back(&lines);
    assert_int_equal(occurrences(&lines, "192.0.2.0/24|"), 3);
    assert_int_equal(occurrences(&lines, "|10.0.0.1|64512|192.0.2.0/24|"), 2);
    assert_int_equal(occurrences(&lines, "|11."), ROUTES);
    text_deinit(&lines);
}

/* Prefixes that go and come between two steps: what stays is written once. */
static void test_changes_meanwhile(void **state) {
    const char *error = NULL;
    uint64_t records = 0;
    struct text lines;
    (void)state;
    const struct attr_values v = route(100);
    struct mrt_table *w = mrt_table_begin(&host, path, &error);
    assert_non_null(w);
    for (uint32_t n = 0; mrt_table_step(w, 100) && n < 10; n++) {
        const struct ip_prefix gone = ip_prefix_make(ip4(0x0b000000u + (n * 50 << 8)), 24);
        const struct ip_prefix come = ip_prefix_make(ip4(0xc6000000u + (n << 8)), 24);
        (void)bench_send(&b, 1, NULL, &gone, 1);
        (void)bench_send(&b, 1, &v, &come, 1);
        bench_work(&b);
    }
    while (mrt_table_step(w, 100)) {
    }
    assert_null(mrt_table_end(w, &records));
    text_init(&lines);
    read_back(&lines);
    for (uint32_t n = 2500; n < ROUTES; n++) {
        char text[IP_PREFIX_TEXT_MAX], word[IP_PREFIX_TEXT_MAX + 2];
        const struct ip_prefix p = ip_prefix_make(ip4(0x0b000000u + (n << 8)), 24);
        snprintf(word, sizeof word, "|%s|", ip_prefix_format(p, text));
        assert_int_equal(occurrences(&lines, word), 1);
    }
    text_deinit(&lines);
}

static void test_configuration_meanwhile(void **state) {
    const char *error = NULL;
    uint64_t records = 0;
    (void)state;
    struct mrt_table *w = mrt_table_begin(&host, path, &error);
    assert_non_null(w);
    assert_true(mrt_table_step(w, 10));
    host.config_generation++;
    assert_false(mrt_table_step(w, 10));
    assert_string_equal(mrt_table_end(w, &records), "the configuration changed meanwhile");
    assert_int_not_equal(access(path, F_OK), 0);
    w = mrt_table_begin(&host, path, &error);
    assert_non_null(w); /* given up half-way */
    assert_string_equal(mrt_table_end(w, &records), "not finished");
    assert_int_not_equal(access(path, F_OK), 0);
}

/* ---- the file ---- */

/* What is asked of the kernel for it: these stand before libc's own. */
static char order[8]; /* s: fsync, r: rename */
static struct stat synced;
static bool plant; /* somebody else makes a link, right behind unlink */

static void note_call(char c) {
    size_t at = strlen(order);
    if (at + 1 < sizeof order)
        order[at] = c;
}

int fsync(int fd) {
    note_call('s');
    return fstat(fd, &synced) == 0 ? (int)syscall(SYS_fsync, fd) : -1;
}

int rename(const char *from, const char *to) {
    note_call('r');
    return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int unlink(const char *name) {
    int result = (int)syscall(SYS_unlinkat, AT_FDCWD, name, 0);
    bool planted = plant;
    plant = false;
    return planted && symlink("elsewhere", name) != 0 ? -1 : result;
}

/* All of it is on the disk when it takes its name. */
static void test_synced_before_renamed(void **state) {
    const char *error = NULL;
    uint64_t records = 0;
    struct stat kept;
    (void)state;
    struct mrt_table *w = mrt_table_begin(&host, path, &error);
    assert_non_null(w);
    while (mrt_table_step(w, 100))
        continue;
    memset(order, 0, sizeof order);
    assert_null(mrt_table_end(w, &records));
    assert_string_equal(order, "sr");
    assert_int_equal(stat(path, &kept), 0);
    assert_int_equal(synced.st_ino, kept.st_ino);
    assert_int_equal(synced.st_size, kept.st_size);
}

/* A speaker may be root, and the folder anybody's: what a link leads to is not written to. */
static void test_links_are_not_followed(void **state) {
    const char *error = NULL;
    uint64_t records = 0;
    char partial[80], elsewhere[80];
    struct stat s;
    (void)state;
    snprintf(partial, sizeof partial, "%s.partial", path);
    snprintf(elsewhere, sizeof elsewhere, "%s/elsewhere", folder);
    int fd = open(elsewhere, O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_true(fd >= 0 && write(fd, "precious", 8) == 8);
    assert_int_equal(symlink("elsewhere", partial), 0); /* there before: taken away */
    struct mrt_table *w = mrt_table_begin(&host, path, &error);
    assert_non_null(w);
    while (mrt_table_step(w, 100))
        continue;
    assert_null(mrt_table_end(w, &records));
    assert_true(lstat(path, &s) == 0 && S_ISREG(s.st_mode) && s.st_size > 8);
    plant = true; /* there in between: refused */
    assert_null(mrt_table_begin(&host, path, &error));
    assert_string_equal(error, strerror(EEXIST));
    assert_null(mrt_log_new(&host, partial)); /* that link is there still */
    assert_true(fstat(fd, &s) == 0 && s.st_size == 8);
    close(fd);
    assert_int_equal(unlink(partial), 0);
    assert_int_equal(unlink(elsewhere), 0);
}

/* A neighbour of a listen range goes, and another one gets its number: that one came later. */
static void test_number_used_again(void **state) {
    const char *error = NULL;
    uint64_t records = 0;
    struct text lines;
    (void)state;
    struct mrt_table *w = mrt_table_begin(&host, path, &error);
    assert_non_null(w);
    assert_true(mrt_table_step(w, 100));
    const struct bgp_neighbor *was = b.holds[1].p->config;
    struct bgp_neighbor other = *was;
    other.remote_addr = ip4(0x0a00004d);
    b.holds[1].p->config = &other;
    while (mrt_table_step(w, 100)) {
    }
    b.holds[1].p->config = was;
    assert_null(mrt_table_end(w, &records));
    text_init(&lines);
    read_back(&lines);
    assert_int_equal(occurrences(&lines, "|10.0.0.2|"), 100);
    assert_int_equal(occurrences(&lines, "|10.0.0.1|64512|"), 2);
    text_deinit(&lines);
}

/* RFC 8050: a neighbour comes back with identifiers of paths, or without. Each path stands in the
 * record that has room for what it has; those of before may be there still (RFC 4724). */
static void test_C217_identifiers_meanwhile(void **state) {
    const char *error = NULL;
    uint64_t records = 0;
    struct text lines;
    (void)state;
    const struct attr_values v = route(100), w2 = route(200);
    struct mrt_table *w = mrt_table_begin(&host, path, &error);
    assert_non_null(w);
    assert_true(mrt_table_step(w, 100));
    b.holds[1].p->add_path[BGP_IPV4_UNICAST] = BGP_ADD_PATH_RECEIVE;
    bench_send_path(&b, 1, &v, pfx("198.51.100.0/24"), 21);
    bench_send_path(&b, 1, &w2, pfx("198.51.100.0/24"), 22);
    b.holds[0].p->add_path[BGP_IPV4_UNICAST] = 0;
    while (mrt_table_step(w, 100)) {
    }
    assert_null(mrt_table_end(w, &records));
    text_init(&lines);
    read_back(&lines);
    assert_int_equal(occurrences(&lines, "|198.51.100.0/24|21|"), 1);
    assert_int_equal(occurrences(&lines, "|198.51.100.0/24|22|"), 1);
    assert_int_equal(occurrences(&lines, "|198.51.100.0/24|"), 2);
    assert_int_equal(occurrences(&lines, "|10.0.0.1|64512|192.0.2.0/24|7|"), 1);
    assert_int_equal(occurrences(&lines, "|10.0.0.1|64512|192.0.2.0/24||IGP"), 1);
    text_deinit(&lines);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_C214_C217_identifiers, begin, finish),
        cmocka_unit_test_setup_teardown(test_changes_meanwhile, begin, finish),
        cmocka_unit_test_setup_teardown(test_number_used_again, begin, finish),
        cmocka_unit_test_setup_teardown(test_C217_identifiers_meanwhile, begin, finish),
        cmocka_unit_test_setup_teardown(test_configuration_meanwhile, begin, finish),
        cmocka_unit_test_setup_teardown(test_synced_before_renamed, begin, finish),
        cmocka_unit_test_setup_teardown(test_links_are_not_followed, begin, finish),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
