/*
 * The JSON result: what it holds, that reports/schema.json describes exactly that, that no text
 * breaks it, and that a file is always the old one or the whole new one.
 *
 * The schema is read from the source tree (tests run in its root). Only the keywords it uses are
 * evaluated here; any other one fails the test, so that none is skipped silently.
 */

#include "report_test.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
// clang-format on

#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* ---- a small validator ---- */

static bool is_type(const json_t *v, const char *type) {
    switch (json_typeof(v)) {
    case JSON_OBJECT:
        return strcmp(type, "object") == 0;
    case JSON_ARRAY:
        return strcmp(type, "array") == 0;
    case JSON_STRING:
        return strcmp(type, "string") == 0;
    case JSON_INTEGER:
        return strcmp(type, "integer") == 0;
    case JSON_TRUE:
    case JSON_FALSE:
        return strcmp(type, "boolean") == 0;
    case JSON_REAL:
    case JSON_NULL:
        return false;
    }
    return false;
}

static bool in_enum(const json_t *v, const json_t *list) {
    size_t i;
    json_t *item;
    bool found = list == NULL;
    json_array_foreach(list, i, item) found |= json_equal(v, item);
    return found;
}

static bool known_keywords(json_t *schema) {
    static const char *const known = " $schema title description type properties required "
                                     "additionalProperties items enum minimum ";
    const char *key;
    json_t *value;
    char padded[64];
    bool ok = true;
    json_object_foreach(schema, key, value) {
        snprintf(padded, sizeof padded, " %s ", key);
        ok &= strstr(known, padded) != NULL;
    }
    return ok && json_is_string(json_object_get(schema, "description"));
}

static bool valid(const json_t *v, json_t *schema);

static bool valid_object(const json_t *v, json_t *schema) {
    json_t *properties = json_object_get(schema, "properties"), *item, *value;
    const char *key;
    size_t i;
    bool ok = json_is_object(properties) &&
              json_is_false(json_object_get(schema, "additionalProperties"));
    json_array_foreach(json_object_get(schema, "required"), i, item) ok &=
        json_object_get(v, json_string_value(item)) != NULL;
    json_t *object = json_copy((json_t *)(uintptr_t)v);
    json_object_foreach(object, key, value) {
        json_t *property = json_object_get(properties, key);
        bool fits = property && valid(value, property);
        if (!fits)
            fprintf(stderr, "member %s does not fit the schema\n", key);
        ok &= fits;
    }
    json_decref(object);
    return ok;
}

static bool valid(const json_t *v, json_t *schema) {
    size_t i;
    json_t *item;
    const json_t *minimum = json_object_get(schema, "minimum");
    bool ok = known_keywords(schema) &&
              is_type(v, json_string_value(json_object_get(schema, "type"))) &&
              in_enum(v, json_object_get(schema, "enum")) &&
              (!minimum || json_integer_value(v) >= json_integer_value(minimum));
    json_array_foreach(v, i, item) ok &= valid(item, json_object_get(schema, "items"));
    return ok && (!json_is_object(v) || valid_object(v, schema));
}

/* Every property of the schema stands in `v`: nothing is described that is never written. */
static bool complete(const json_t *v, json_t *schema) {
    const char *key;
    json_t *property;
    bool ok = true;
    if (json_is_array(v))
        return json_array_size(v) > 0 &&
               complete(json_array_get(v, 0), json_object_get(schema, "items"));
    json_object_foreach(json_object_get(schema, "properties"), key, property) {
        const json_t *value = json_object_get(v, key);
        if (!value)
            fprintf(stderr, "the schema has %s, the result does not\n", key);
        ok &= value && complete(value, property);
    }
    return ok;
}

static json_t *schema;

static int load_schema(void **state) {
    (void)state;
    json_error_t error;
    schema = json_load_file("reports/schema.json", JSON_REJECT_DUPLICATES, &error);
    return schema ? 0 : -1;
}

static int drop_schema(void **state) {
    (void)state;
    json_decref(schema);
    return 0;
}

/* ---- the schema ---- */

static void full_result(void **state) {
    (void)state;
    struct sample s;
    json_t *j = report_json(sample_full(&s));
    assert_true(valid(j, schema));
    assert_true(complete(j, schema));
    json_decref(j);
    json_decref(s.result.warnings);
}

static void empty_result(void **state) {
    (void)state;
    struct run_result r = {.profile = "fast", .fabric = "l2"};
    json_t *j = report_json(&r);
    assert_true(valid(j, schema));
    assert_null(json_object_get(j, "partial_of"));
    assert_null(json_object_get(j, "warnings"));
    assert_string_equal(json_string_value(json_object_get(j, "error")), "");
    json_decref(j);
}

/* The validator is worth something only if it refuses. */
static void schema_refuses(void **state) {
    (void)state;
    struct sample s;
    json_t *j = report_json(sample_full(&s));
    json_object_set_new(j, "novel", json_true());
    assert_false(valid(j, schema));
    json_object_del(j, "novel");
    json_object_set_new(j, "verdict", json_string("splendid"));
    assert_false(valid(j, schema));
    json_object_set_new(j, "verdict", json_string("failed"));
    json_object_set_new(j, "seed", json_integer(-1));
    assert_false(valid(j, schema));
    json_object_set_new(j, "seed", json_integer(1));
    assert_true(valid(j, schema));
    json_object_del(j, "checks");
    assert_false(valid(j, schema));
    json_decref(j);
    json_decref(s.result.warnings);
}

static json_t *property(const char *name) {
    return json_object_get(json_object_get(schema, "properties"), name);
}

static void schema_has_all_words(void **state) {
    (void)state;
    json_t *words = json_object_get(property("verdict"), "enum");
    json_t *codes = json_object_get(property("exit_status"), "enum");
    json_t *check = json_object_get(json_object_get(property("checks"), "items"), "properties");
    json_t *outcomes = json_object_get(json_object_get(check, "verdict"), "enum");
    assert_int_equal(json_array_size(words), RUN_INTERRUPTED + 1);
    assert_int_equal(json_array_size(outcomes), CHECK_SKIPPED + 1);
    for (int v = RUN_PASSED; v <= RUN_INTERRUPTED; v++) {
        json_t *word = json_string(run_verdict_name((enum run_verdict)v));
        json_t *code = json_integer(run_verdict_exit((enum run_verdict)v));
        assert_true(in_enum(word, words));
        assert_true(in_enum(code, codes));
        json_decref(word);
        json_decref(code);
    }
    for (int v = CHECK_PASSED; v <= CHECK_SKIPPED; v++)
        assert_string_equal(json_string_value(json_array_get(outcomes, (size_t)v)),
                            check_verdict_name((enum check_verdict)v));
}

/* ---- values and texts ---- */

/* No two numbers of the sample are the same where they could be mistaken for each other. */
static void every_member_has_its_value(void **state) {
    static const char want[] =
        "{'id':'20261121-020304-7f3a','directory':'runs/20261121-020304-7f3a',"
        "'scenario':'full-mesh','description':'Calico`s default',"
        "'file':'scenarios/mesh/full-mesh/scenario.yaml','theme':'mesh','profile':'fast',"
        "'fabric':'l2','version':'0.1.0','nodes':10,'routers':2,'seed':7,"
        "'wall_start_ms':1795230442669,'verdict':'incomplete','exit_status':6,"
        "'error':'something','partial_of':'step 2','phases':["
        "{'name':'build','start_ns':1,'duration_ns':2000000,'done':true,"
        "'summary':'10 nodes, l2 fabric'},"
        "{'name':'step 1','start_ns':2000001,'duration_ns':1500000000,'done':true,"
        "'summary':'3/4 checks'},"
        "{'name':'step 2','start_ns':1502000001,'duration_ns':0,'done':false,'summary':''}],"
        "'checks':["
        "{'phase':'step 1','name':'sessions','verdict':'passed','reason':'','at_ns':5,"
        "'duration_ns':6},"
        "{'phase':'step 1','name':'route','verdict':'failed','reason':'kube-2: absent','at_ns':5,"
        "'duration_ns':7},"
        "{'phase':'step 1','name':'converged','verdict':'timeout','reason':'1 missing','at_ns':5,"
        "'duration_ns':8},"
        "{'phase':'step 1','name':'wire','verdict':'skipped','reason':'no capture','at_ns':5,"
        "'duration_ns':9}],"
        "'sessions':{'expected':45,'speakers':44,'kernel':43,'wire':42,"
        "'missing':['kube-1 - kube-2 (10.0.0.2)'],'unexpected':['kube-1 - ? (10.0.0.9)']},"
        "'routes':{'expected':100,'loc_rib':99,'fib':98},"
        "'convergence':{'first_session_ns':1,'last_session_ns':2,'last_loc_rib_ns':3,"
        "'last_fib_ns':4,'last_update_ns':5},"
        "'speakers':{'speakers':10,'pss_bytes':11,'pss_max_bytes':12,'rss_bytes':13,'cpu_ns':14,"
        "'wait_ns':15,'updates':16,'held_ns':17,'held_speakers_cpu_ns':18,"
        "'held_runner_cpu_ns':19},"
        "'host':{'cpus':2,'timer_lag_p99_ns':20,'timer_lag_max_ns':21,'wait_ns':22,"
        "'delayed_ns':23,'own_cpu_ns':24,'foreign_cpu_ns':25,'kernel_bytes':-26,"
        "'spoiled':'others took it'},"
        "'warnings':[{'id':'partition','severity':'warning','file':'a.yaml','line':3,'column':4,"
        "'message':'two parts'}]}";
    (void)state;
    struct sample s;
    json_t *j = report_json(sample_full(&s)), *wanted = quoted_json(want);
    char *text = json_dumps(j, JSON_COMPACT);
    if (!json_equal(j, wanted))
        fail_msg("%s", text);
    free(text);
    json_decref(wanted);
    json_decref(j);
    json_decref(s.result.warnings);
}

static void hostile_texts(void **state) {
    (void)state;
    struct sample s;
    struct run_result *r = sample_full(&s);
    size_t size = 1 << 20;
    char *reason = malloc(size + 1);
    assert_non_null(reason);
    memset(reason, '"', size);
    memcpy(reason + size - 3, "x\xC3", 3); /* cut within a character */
    reason[size] = '\0';
    s.checks[1].reason = reason;
    s.checks[0].name = s.phases[0].summary = s.missing[0] = r->error = every_octet();
    json_t *j = report_json(r);
    assert_true(valid(j, schema));
    char *text = json_dumps(j, 0);
    assert_non_null(text);
    json_t *back = json_loads(text, 0, NULL);
    assert_true(json_equal(j, back));
    const char *kept = json_string_value(
        json_object_get(json_array_get(json_object_get(back, "checks"), 1), "reason"));
    assert_true(strlen(kept) >= size);
    const char *error = json_string_value(json_object_get(back, "error"));
    assert_non_null(strstr(error, "\\x01\\x02"));
    assert_non_null(strstr(error, "\\xff]]>"));
    assert_int_equal(json_array_size(json_object_get(json_object_get(back, "sessions"), "missing")),
                     1);
    free(text);
    free(reason);
    json_decref(back);
    json_decref(j);
    json_decref(r->warnings);
}

/* UTF-8 stays as it is, control characters and all: JSON has its own escapes. */
static void utf8_stays(void **state) {
    (void)state;
    static const char *const texts[] = {"", "a\nb\"c\\", "Zürich €", "\x01\x1b[31m"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        json_t *j = report_text(texts[i]);
        assert_string_equal(json_string_value(j), texts[i]);
        json_decref(j);
    }
    json_t *none = report_text(NULL);
    assert_string_equal(json_string_value(none), "");
    json_decref(none);
}

/* ---- files ---- */

/* What is asked of the kernel for a file: these stand before libc's own. */
static struct {
    char order[8]; /* s: fsync, r: rename */
    struct stat synced;
    int sync_error;
    int (*plant)(int directory_fd, const char *name); /* by somebody else, right behind unlinkat */
} kernel;

static void note_call(char c) {
    size_t at = strlen(kernel.order);
    if (at + 1 < sizeof kernel.order)
        kernel.order[at] = c;
}

int fsync(int fd) {
    note_call('s');
    if (kernel.sync_error) {
        errno = kernel.sync_error;
        return -1;
    }
    return fstat(fd, &kernel.synced) == 0 ? (int)syscall(SYS_fsync, fd) : -1;
}

int renameat(int from_fd, const char *from, int to_fd, const char *to) {
    note_call('r');
    return (int)syscall(SYS_renameat2, from_fd, from, to_fd, to, 0);
}

int unlinkat(int fd, const char *name, int flags) {
    int result = (int)syscall(SYS_unlinkat, fd, name, flags);
    int (*plant)(int, const char *) = kernel.plant;
    kernel.plant = NULL;
    return plant && plant(fd, name) != 0 ? -1 : result;
}

static void assert_file(const struct folder *f, const char *text) {
    size_t size = 0;
    char *data = folder_read(f, "result.json", &size);
    assert_non_null(data);
    assert_int_equal(size, strlen(text));
    assert_memory_equal(data, text, size);
    free(data);
}

static void assert_no_leftover(const struct folder *f) {
    assert_int_equal(faccessat(f->fd, ".result.json.new", F_OK, AT_SYMLINK_NOFOLLOW), -1);
    assert_int_equal(errno, ENOENT);
}

static void file_is_replaced(void **state) {
    (void)state;
    struct folder f;
    assert_true(folder_make(&f));
    assert_true(report_write_file(f.fd, "result.json", "old", 3));
    assert_file(&f, "old");
    assert_true(report_write_file(f.fd, "result.json", "newer", 5));
    assert_file(&f, "newer");
    assert_no_leftover(&f);
    folder_remove(&f);
}

/* Neither a link in place of the new file nor one in place of the old is followed. */
static void links_are_not_followed(void **state) {
    (void)state;
    struct folder f;
    assert_true(folder_make(&f));
    assert_true(report_write_file(f.fd, "elsewhere", "precious", 8));
    assert_int_equal(symlinkat("elsewhere", f.fd, ".result.json.new"), 0);
    assert_int_equal(symlinkat("elsewhere", f.fd, "result.json"), 0);
    assert_true(report_write_file(f.fd, "result.json", "ours", 4));
    assert_file(&f, "ours");
    size_t size = 0;
    char *other = folder_read(&f, "elsewhere", &size);
    assert_string_equal(other, "precious");
    free(other);
    folder_remove(&f);
}

/* All of the new file is on the disk when it takes the old one's name. */
static void synced_before_renamed(void **state) {
    (void)state;
    struct folder f;
    struct stat kept;
    assert_true(folder_make(&f));
    memset(&kernel, 0, sizeof kernel);
    assert_true(report_write_file(f.fd, "result.json", "whole", 5));
    assert_string_equal(kernel.order, "sr");
    assert_int_equal(fstatat(f.fd, "result.json", &kept, 0), 0);
    assert_int_equal(kernel.synced.st_ino, kept.st_ino);
    assert_int_equal(kernel.synced.st_size, 5);
    folder_remove(&f);
}

static void not_synced_is_not_renamed(void **state) {
    (void)state;
    struct folder f;
    assert_true(folder_make(&f));
    assert_true(report_write_file(f.fd, "result.json", "old", 3));
    memset(&kernel, 0, sizeof kernel);
    kernel.sync_error = EIO;
    assert_false(report_write_file(f.fd, "result.json", "newer", 5));
    assert_int_equal(errno, EIO);
    kernel.sync_error = 0;
    assert_string_equal(kernel.order, "s");
    assert_file(&f, "old");
    assert_no_leftover(&f);
    folder_remove(&f);
}

static int plant_symlink(int directory_fd, const char *name) {
    return symlinkat("elsewhere", directory_fd, name);
}

static int plant_hard_link(int directory_fd, const char *name) {
    return linkat(directory_fd, "elsewhere", directory_fd, name, 0);
}

/* Whoever may write to the folder is faster than we are: what was put there is not written to. */
static void links_planted_meanwhile(void **state) {
    (void)state;
    int (*const plants[])(int, const char *) = {plant_symlink, plant_hard_link};
    for (size_t i = 0; i < sizeof plants / sizeof plants[0]; i++) {
        struct folder f;
        size_t size = 0;
        assert_true(folder_make(&f));
        assert_true(report_write_file(f.fd, "elsewhere", "precious", 8));
        kernel.plant = plants[i];
        assert_false(report_write_file(f.fd, "result.json", "ours", 4));
        assert_int_equal(errno, EEXIST);
        char *other = folder_read(&f, "elsewhere", &size);
        assert_string_equal(other, "precious");
        free(other);
        assert_true(report_write_file(f.fd, "result.json", "ours", 4)); /* the next one again */
        assert_file(&f, "ours");
        folder_remove(&f);
    }
}

/* Ends the process in the middle of a write: the kernel's answer to a file beyond the limit. */
static int write_and_die(const struct folder *f, bool survive) {
    static char big[100000];
    struct rlimit limit = {40000, 40000};
    memset(big, 'b', sizeof big);
    signal(SIGXFSZ, survive ? SIG_IGN : SIG_DFL);
    if (setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0}) != 0 || setrlimit(RLIMIT_FSIZE, &limit) != 0)
        _exit(70);
    bool ok = report_write_file(f->fd, "result.json", big, sizeof big);
    _exit(!ok && errno == EFBIG ? 1 : 71);
}

static int status_of(pid_t pid) {
    int status = -1;
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void crash_leaves_the_old_file(void **state) {
    (void)state;
    struct folder f;
    assert_true(folder_make(&f));
    assert_true(report_write_file(f.fd, "result.json", "old", 3));
    pid_t pid = fork();
    if (pid == 0)
        write_and_die(&f, false);
    int status = status_of(pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGXFSZ);
    assert_file(&f, "old");
    /* What it left does not disturb the next. */
    assert_int_equal(faccessat(f.fd, ".result.json.new", F_OK, 0), 0);
    assert_true(report_write_file(f.fd, "result.json", "next", 4));
    assert_file(&f, "next");
    assert_no_leftover(&f);
    folder_remove(&f);
}

static void refused_write_leaves_the_old_file(void **state) {
    (void)state;
    struct folder f;
    assert_true(folder_make(&f));
    assert_true(report_write_file(f.fd, "result.json", "old", 3));
    pid_t pid = fork();
    if (pid == 0)
        write_and_die(&f, true);
    int status = status_of(pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 1);
    assert_file(&f, "old");
    assert_no_leftover(&f);
    folder_remove(&f);
}

/* 0: as it should be; 77: we may not mount here; else what went wrong. */
static int fill_small_disk(void) {
    static char big[200000];
    if (unshare(getuid() == 0 ? CLONE_NEWNS : CLONE_NEWNS | CLONE_NEWUSER) != 0 ||
        mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("none", "/tmp", "tmpfs", 0, "size=64k") != 0)
        return errno == EPERM || errno == EACCES || getuid() != 0 ? 77 : 6;
    int fd = open("/tmp", O_DIRECTORY | O_RDONLY | O_CLOEXEC);
    memset(big, 'b', sizeof big);
    if (fd < 0 || !report_write_file(fd, "result.json", "old", 3))
        return 1;
    if (report_write_file(fd, "result.json", big, sizeof big) || errno != ENOSPC)
        return 2;
    if (faccessat(fd, ".result.json.new", F_OK, 0) == 0)
        return 3;
    char text[8] = "";
    int file = openat(fd, "result.json", O_RDONLY | O_CLOEXEC);
    if (file < 0 || read(file, text, sizeof text) != 3 || memcmp(text, "old", 3) != 0)
        return 4;
    return report_write_file(fd, "result.json", "small", 5) ? 0 : 5; /* room again */
}

static void full_disk_leaves_the_old_file(void **state) {
    (void)state;
    pid_t pid = fork();
    if (pid == 0)
        _exit(fill_small_disk());
    int status = status_of(pid);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77) {
        print_message("skipped: no tmpfs can be mounted in a namespace of our own here\n");
        skip();
    }
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void missing_folder(void **state) {
    (void)state;
    assert_false(report_write_file(-1, "result.json", "x", 1));
    assert_int_equal(errno, EBADF);
}

static void written_result_is_read_back(void **state) {
    (void)state;
    struct folder f;
    struct sample s;
    assert_true(folder_make(&f));
    json_t *j = report_json(sample_full(&s));
    assert_true(report_write_json(f.fd, j));
    size_t size = 0;
    char *text = folder_read(&f, "result.json", &size);
    json_t *back = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
    assert_true(json_equal(j, back));
    assert_true(valid(back, schema));
    free(text);
    json_decref(back);
    json_decref(j);
    json_decref(s.result.warnings);
    folder_remove(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(full_result),
        cmocka_unit_test(empty_result),
        cmocka_unit_test(schema_refuses),
        cmocka_unit_test(schema_has_all_words),
        cmocka_unit_test(every_member_has_its_value),
        cmocka_unit_test(hostile_texts),
        cmocka_unit_test(utf8_stays),
        cmocka_unit_test(file_is_replaced),
        cmocka_unit_test(links_are_not_followed),
        cmocka_unit_test(synced_before_renamed),
        cmocka_unit_test(not_synced_is_not_renamed),
        cmocka_unit_test(links_planted_meanwhile),
        cmocka_unit_test(crash_leaves_the_old_file),
        cmocka_unit_test(refused_write_leaves_the_old_file),
        cmocka_unit_test(full_disk_leaves_the_old_file),
        cmocka_unit_test(missing_folder),
        cmocka_unit_test(written_result_is_read_back),
    };
    return cmocka_run_group_tests(tests, load_schema, drop_schema);
}
