/*
 * Speakers as processes: start, requests, logs, deaths, faults, and what the witnesses see of
 * them.
 *
 * The speaker here is this program itself, run with a speaker's command line: a double that speaks
 * the control protocol and does what its configuration tells it.
 */
#include "lab_fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#define OTHER_PORT 1179 /* of "connect@" and "try@" */

/* ---- the double ---- */

static const char *option(char **argv, const char *name) {
    for (; argv[0] != NULL && argv[1] != NULL; argv++)
        if (strcmp(argv[0], name) == 0)
            return argv[1];
    return NULL;
}

static int option_fd(char **argv, const char *name) {
    const char *text = option(argv, name);
    uint64_t fd;

    return text != NULL && text_to_u64(text, 0, 1000, &fd) ? (int)fd : -1;
}

static json_t *double_config(char **argv) {
    int fd = option_fd(argv, "--config-fd");
    json_t *config = fd < 0 ? NULL : json_loadfd(fd, 0, NULL);

    return config != NULL ? config : json_object();
}

static int64_t number(const json_t *config, const char *key) {
    return (int64_t)json_integer_value(json_object_get(config, key));
}

static void double_report(char **argv) {
    struct stat s;
    int fd = option_fd(argv, "--scoreboard-fd"), slot = option_fd(argv, "--slot");
    const uint64_t one = 1;
    struct scoreboard *b;

    if (fstat(fd, &s) != 0)
        _exit(91);
    b = mmap(NULL, (size_t)s.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (b == MAP_FAILED || b->magic != SCOREBOARD_MAGIC)
        _exit(92);
    b->slots[slot].phase = SCOREBOARD_RUNNING;
    b->slots[slot].pid = (uint32_t)getpid();
    if (atomic_exchange(&b->bell_armed, 0) == 1 &&
        write(option_fd(argv, "--bell-fd"), &one, sizeof(one)) < 0)
        _exit(93);
}

/* Of both families: a caller by IPv4 has a mapped address at this end. */
static void double_listen_both(uint16_t port) {
    struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    int fd = socket(AF_INET6, SOCK_STREAM, 0), off = 0;

    (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
    if (bind(fd, (struct sockaddr *)&a, sizeof(a)) != 0 || listen(fd, 16) != 0)
        _exit(98);
}

static int double_listen(uint16_t port) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, (struct sockaddr *)&a, sizeof(a)) != 0 || listen(fd, 16) != 0)
        _exit(94);
    return fd;
}

static socklen_t double_address(const char *to, uint16_t port, struct sockaddr_storage *ret_a) {
    struct sockaddr_in *a4 = (void *)ret_a;
    struct sockaddr_in6 *a6 = (void *)ret_a;
    bool v6 = strchr(to, ':') != NULL;

    *ret_a = (struct sockaddr_storage){.ss_family = v6 ? AF_INET6 : AF_INET};
    if (inet_pton(ret_a->ss_family, to, v6 ? (void *)&a6->sin6_addr : &a4->sin_addr) != 1)
        _exit(95);
    if (v6)
        a6->sin6_port = htons(port);
    else
        a4->sin_port = htons(port);
    return v6 ? sizeof(*a6) : sizeof(*a4);
}

/* Whether it works is for the witnesses to see: who knows that it must waits longer. */
static int double_connect(const char *to, uint16_t port, uint32_t deadline_ms) {
    static const uint8_t open[] = {255,  255,  255, 255,  255,  255,  255, 255, 255, 255,
                                   255,  255,  255, 255,  255,  255,  0,   37,  1,   4,
                                   0x5b, 0xa0, 0,   90,   1,    2,    3,   4,   8,   2,
                                   6,    65,   4,   0xfa, 0x56, 0xea, 0x00};
    struct sockaddr_storage a;
    socklen_t size = double_address(to, port, &a);
    int fd = socket(a.ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct pollfd p = {.fd = fd, .events = POLLOUT};

    if (connect(fd, (struct sockaddr *)&a, size) != 0 && errno != EINPROGRESS)
        _exit(96);
    if (poll(&p, 1, (int)deadline_ms) == 1 &&
        write(fd, open, sizeof(open)) != (ssize_t)sizeof(open))
        _exit(97);
    return fd;
}

static void double_answer(int fd, json_t *request) {
    const char *op = json_string_value(json_object_get(request, "op"));
    char *text;

    if (op == NULL || strcmp(op, "silent") == 0)
        return;
    if (strcmp(op, "garbage") == 0) {
        dprintf(fd, "}{ not json\n");
        return;
    }
    if (strncmp(op, "connect", 7) == 0 || strncmp(op, "try", 3) == 0)
        (void)double_connect(json_string_value(json_object_get(request, "to")),
                             strchr(op, '@') != NULL ? OTHER_PORT : 179,
                             *op == 't' ? 1000 : FIXTURE_DEADLINE_MS / 2);
    (void)json_object_set_new(request, "ok", json_true());
    text = json_dumps(request, JSON_COMPACT);
    dprintf(fd, "{\"event\":\"log\",\"text\":\"asked %s\"}\n%s\n", op, text);
    free(text);
    if (strcmp(op, "stop") == 0)
        _exit(0);
}

static int run_double(char **argv) {
    json_t *config = double_config(argv), *request;
    int control = option_fd(argv, "--control-fd");
    FILE *in = fdopen(control, "r");
    char *line = NULL;
    size_t size = 0;
    int64_t lines = number(config, "chatter");

    if (number(config, "listen") != 0)
        (void)double_listen((uint16_t)number(config, "listen"));
    if (json_is_true(json_object_get(config, "both")))
        double_listen_both(OTHER_PORT);
    for (int64_t i = 0; i < lines; i++)
        fprintf(stderr, "line %lld\n", (long long)i);
    /* Closed after its pipes when it ends: its end takes a while longer than they last. */
    for (int64_t i = number(config, "descriptors"); i > 0; i--)
        (void)socket(AF_INET, SOCK_STREAM, 0);
    if (json_object_get(config, "exit") != NULL)
        _exit((int)number(config, "exit"));
    double_report(argv);
    while (in != NULL && getline(&line, &size, in) > 0) {
        request = json_loads(line, 0, NULL);
        if (request != NULL)
            double_answer(control, request);
        json_decref(request);
    }
    return 0;
}

/* ---- helpers ---- */

static bool start(struct lab *lab, uint32_t host, const char *config) {
    struct lab_speaker_spec s = {.config = config, .config_size = strlen(config)};
    struct diag_list *d = diag_list_new();
    bool ok = lab_speaker_start(lab, host, &s, d);

    print_findings(d);
    diag_list_free(d);
    return ok;
}

static struct nanotime soon(void) {
    return nanotime_add_ms(lab_now(), FIXTURE_DEADLINE_MS);
}

static bool await_running(struct lab *lab, uint32_t first, uint32_t count) {
    struct nanotime deadline = soon();

    for (uint32_t h = first; h < first + count;) {
        if (lab_slot(lab, h)->phase == SCOREBOARD_RUNNING)
            h++;
        else if (lab_wait(lab, deadline, -1) == LAB_WAKE_DEADLINE)
            return false;
    }
    return true;
}

static bool await_end(struct lab *lab, uint32_t host) {
    struct nanotime deadline = soon();

    while (lab_speaker_state(lab, host).kind == LAB_RUNNING)
        if (lab_wait(lab, deadline, -1) == LAB_WAKE_DEADLINE)
            return false;
    return true;
}

static struct lab *make_lab(struct network *n, uint32_t hosts) {
    network_make(n, hosts, LAB_FABRIC_L2, false);
    return build_network(n);
}

static json_t *ask(struct lab *lab, uint32_t host, const char *op, const char *to,
                   uint32_t deadline_ms) {
    json_t *request = json_pack("{s:s,s:s}", "op", op, "to", to), *answer;
    const char *error = "";

    answer = lab_request(lab, host, request, deadline_ms, &error);
    if (answer == NULL && error[0] == '\0')
        fprintf(stderr, "a failure without a word\n");
    json_decref(request);
    return answer;
}

/* ---- start, ask, stop ---- */

static int control_body(int fd, void *argument) {
    struct network n;
    struct lab *lab = make_lab(&n, 2);
    json_t *a;
    struct lab_speaker_state s;

    (void)fd;
    (void)argument;
    CHECK(lab != NULL);
    CHECK(lab_speaker_state(lab, 0).kind == LAB_NEVER_STARTED);
    CHECK(start(lab, 0, "{}"));
    CHECK(await_running(lab, 0, 1));
    CHECK((pid_t)lab_slot(lab, 0)->pid == lab_speaker_state(lab, 0).pid);
    CHECK(lab_speaker_usage(lab, 0).rss_bytes > 0);
    a = ask(lab, 0, "hello", "x", FIXTURE_DEADLINE_MS);
    CHECK(a != NULL && json_is_true(json_object_get(a, "ok")));
    CHECK(json_integer_value(json_object_get(a, "id")) == 1);
    json_decref(a);
    CHECK(strstr(text_str(lab_speaker_log(lab, 0)), "asked hello\n") != NULL);
    CHECK(ask(lab, 0, "silent", "x", 20) == NULL); /* deadline */
    a = ask(lab, 0, "again", "x", FIXTURE_DEADLINE_MS);
    CHECK(a != NULL);
    json_decref(a);
    CHECK(ask(lab, 0, "garbage", "x", FIXTURE_DEADLINE_MS) == NULL); /* cut off at once */
    CHECK(ask(lab, 0, "hello", "x", FIXTURE_DEADLINE_MS) == NULL);
    CHECK(ask(lab, 1, "hello", "x", FIXTURE_DEADLINE_MS) == NULL); /* never started */
    CHECK(await_end(lab, 0)); /* the double ends with its connection */
    s = lab_speaker_state(lab, 0);
    CHECK(s.kind == LAB_EXITED && s.code == 0 && !s.expected && s.pid == 0);
    CHECK(start(lab, 0, "{}") && await_running(lab, 0, 1)); /* and again */
    CHECK(lab_speaker_stop(lab, 0, FIXTURE_DEADLINE_MS));
    s = lab_speaker_state(lab, 0);
    CHECK(s.kind == LAB_KILLED && s.code == SIGTERM && s.expected);
    lab_teardown(lab);
    network_free(&n);
    return 0;
}

static int many_body(int fd, void *argument) {
    enum { HOSTS = 20, REQUESTS = 100, SILENCE_MS = 8000 };
    uint32_t hosts[REQUESTS];
    json_t *requests[REQUESTS], *answers[REQUESTS];
    struct network n;
    struct lab *lab = make_lab(&n, HOSTS);

    (void)fd;
    (void)argument;
    CHECK(lab != NULL);
    for (uint32_t h = 0; h < HOSTS; h++)
        CHECK(start(lab, h, "{}"));
    CHECK(await_running(lab, 0, HOSTS));
    for (uint32_t i = 0; i < REQUESTS; i++) {
        hosts[i] = i % HOSTS;
        requests[i] = json_pack("{s:s,s:i,s:s*}", "op", i == 7 ? "silent" : "echo", "number",
                                (int)i, "filler", NULL);
    }
    lab_request_all(lab, hosts, requests, REQUESTS, SILENCE_MS, answers);
    for (uint32_t i = 0; i < REQUESTS; i++) {
        CHECK((answers[i] == NULL) == (i == 7));
        CHECK(i == 7 || json_integer_value(json_object_get(answers[i], "number")) == i);
        json_decref(answers[i]);
        json_decref(requests[i]);
    }
    lab_teardown(lab);
    network_free(&n);
    return 0;
}

/* A request larger than any socket buffer, to a speaker that answers with the same. */
static int large_body(int fd, void *argument) {
    static char filler[(8 << 20) + 1];
    const size_t size = sizeof(filler) - 1;
    struct network n;
    struct lab *lab = make_lab(&n, 1);
    json_t *a;

    (void)fd;
    (void)argument;
    CHECK(lab != NULL);
    memset(filler, 'x', size);
    CHECK(start(lab, 0, "{}") && await_running(lab, 0, 1));
    a = ask(lab, 0, "echo", filler, FIXTURE_DEADLINE_MS);
    CHECK(a != NULL && json_string_length(json_object_get(a, "to")) == size);
    json_decref(a);
    lab_teardown(lab);
    network_free(&n);
    return 0;
}

/* The runner gets no processor: when it next asks for the time, the answer has come and an hour has
 * passed. -1: it runs as usual; 0: so it is now; more: after so many times. */
static int asked_until_late = -1;
static int late_fd; /* where the answer comes */

/* Before libc's own. */
int clock_gettime(clockid_t id, struct timespec *ret_time) {
    struct pollfd p = {.fd = late_fd, .events = POLLIN};
    int result = (int)syscall(SYS_clock_gettime, id, ret_time);

    if (asked_until_late > 0 && --asked_until_late == 0)
        (void)poll(&p, 1, (int)FIXTURE_DEADLINE_MS);
    if (asked_until_late == 0)
        ret_time->tv_sec += 3600;
    return result;
}

static int late_body(int fd, void *argument) {
    struct network n;
    struct lab *lab = make_lab(&n, 1);
    json_t *a;

    (void)fd;
    (void)argument;
    CHECK(lab != NULL && start(lab, 0, "{}") && await_running(lab, 0, 1));
    late_fd = lab->nodes[0].speaker.control_fd;
    asked_until_late = 2; /* for the deadline; when all is sent */
    a = ask(lab, 0, "hello", "x", FIXTURE_DEADLINE_MS);
    CHECK(asked_until_late == 0);
    asked_until_late = -1;
    CHECK(a != NULL && json_is_true(json_object_get(a, "ok")));
    json_decref(a);
    lab_teardown(lab);
    network_free(&n);
    return 0;
}

/* ---- deaths and logs ---- */

static int death_body(int fd, void *argument) {
    struct diag_list *d = diag_list_new();
    struct lab_speaker_state s;
    struct network n;
    struct lab *lab = make_lab(&n, 3);
    const char *log;

    (void)fd;
    (void)argument;
    CHECK(lab != NULL);
    CHECK(start(lab, 0, "{\"exit\":3,\"chatter\":100000}"));
    CHECK(await_end(lab, 0));
    s = lab_speaker_state(lab, 0);
    CHECK(s.kind == LAB_EXITED && s.code == 3 && !s.expected);
    log = text_str(lab_speaker_log(lab, 0));
    CHECK(strstr(log, "line 99999\n") != NULL); /* the end is kept */
    CHECK(lab_speaker_log(lab, 0)->size <= LAB_LOG_BYTES_MAX);
    {
        char first[32];
        snprintf(first, sizeof(first), "line %llu\n",
                 (unsigned long long)lab_speaker_log_first(lab, 0));
        CHECK(lab_speaker_log_first(lab, 0) > 0 && strncmp(log, first, strlen(first)) == 0);
    }
    CHECK(start(lab, 1, "{}") && await_running(lab, 1, 1));
    CHECK(lab_fault(lab, LAB_FAULT_FREEZE, 1, UINT32_MAX, 0, d));
    CHECK(ask(lab, 1, "hello", "x", 50) == NULL);
    CHECK(lab_fault(lab, LAB_FAULT_THAW, 1, UINT32_MAX, 0, d));
    CHECK(lab_fault(lab, LAB_FAULT_KILL, 1, UINT32_MAX, 0, d));
    CHECK(await_end(lab, 1));
    s = lab_speaker_state(lab, 1);
    CHECK(s.kind == LAB_KILLED && s.code == SIGKILL && s.expected);
    CHECK(diag_count(d) == 0);
    CHECK(!lab_fault(lab, LAB_FAULT_KILL, 1, UINT32_MAX, 0, d));
    CHECK(diag_error_count(d) == 1);
    snprintf(lab->speaker_path, sizeof(lab->speaker_path), "/nonexistent/speaker");
    CHECK(!start(lab, 2, "{}"));
    CHECK(lab_speaker_state(lab, 2).kind == LAB_NEVER_STARTED);
    diag_list_free(d);
    lab_teardown(lab);
    network_free(&n);
    return 0;
}

/* Its pipes are closed, which is how the others notice; that it has ended is to be known then. */
static int exits_body(int fd, void *argument) {
    struct network n;
    struct lab *lab = make_lab(&n, 1);

    (void)fd;
    (void)argument;
    CHECK(lab != NULL);
    for (int round = 0; round < 8; round++) {
        CHECK(start(lab, 0, "{\"descriptors\":1000}") && await_running(lab, 0, 1));
        CHECK(!lab_await_exits(lab, FIXTURE_DEADLINE_MS));
        struct pollfd log = {.fd = lab->nodes[0].speaker.log_fd};
        CHECK(kill(lab_speaker_state(lab, 0).pid, SIGKILL) == 0);
        CHECK(poll(&log, 1, FIXTURE_DEADLINE_MS) == 1);
        CHECK(lab_await_exits(lab, FIXTURE_DEADLINE_MS));
        struct lab_speaker_state s = lab_speaker_state(lab, 0);
        CHECK(s.kind == LAB_KILLED && s.code == SIGKILL && !s.expected);
        CHECK(lab_wait(lab, nanotime_add_ms(lab_now(), FIXTURE_DEADLINE_MS), -1) == LAB_WAKE_CHILD);
    }
    lab_teardown(lab);
    network_free(&n);
    return 0;
}

static int signal_body(int fd, void *argument) {
    struct network n;
    struct lab *lab = make_lab(&n, 1);
    int extra[2];

    (void)fd;
    (void)argument;
    CHECK(lab != NULL && pipe(extra) == 0);
    CHECK(lab_wait(lab, lab_now(), -1) == LAB_WAKE_DEADLINE);
    CHECK(write(extra[1], "x", 1) == 1);
    CHECK(lab_wait(lab, soon(), extra[0]) == LAB_WAKE_FD);
    CHECK(kill(getpid(), SIGTERM) == 0);
    CHECK(lab_wait(lab, soon(), -1) == LAB_WAKE_SIGNAL);
    CHECK(lab_signal(lab) == SIGTERM);
    CHECK(lab_wait(lab, lab_now(), -1) == LAB_WAKE_DEADLINE);
    lab_teardown(lab);
    network_free(&n);
    return 0;
}

/* ---- TCP: block, sockets, capture ---- */

static size_t count_established(struct lab *lab, uint32_t host) {
    struct lab_socket *list = NULL;
    ssize_t count = lab_sockets(lab, &list);
    size_t found = 0;

    for (ssize_t i = 0; i < count; i++)
        found += list[i].host == host && list[i].state == TCP_ESTABLISHED &&
                 (list[i].local_port == 179 || list[i].remote_port == 179);
    alloc_free(list);
    return found;
}

static bool call(struct lab *lab, uint32_t from, const char *op, struct ip_addr to) {
    char text[IP_ADDR_TEXT_MAX];
    json_t *a = ask(lab, from, op, ip_format(to, text), FIXTURE_DEADLINE_MS);
    bool ok = a != NULL;

    json_decref(a);
    return ok;
}

static bool send_connect(struct lab *lab, uint32_t from, uint32_t to) {
    return call(lab, from, "connect", host_addr4(to));
}

/* It is to fail: the SYN is on its way at once. */
static bool send_try(struct lab *lab, uint32_t from, uint32_t to) {
    return call(lab, from, "try", host_addr4(to));
}

/* At host 0. The first SYN may be lost with a link that carries nothing yet; more come. */
static bool await_blocked(struct lab *lab, uint64_t least) {
    struct nanotime deadline = soon();

    while (lab_blocked_syns(lab, 0) < least && nanotime_before(lab_now(), deadline))
        (void)lab_wait(lab, nanotime_add_ms(lab_now(), 20), -1);
    return lab_blocked_syns(lab, 0) >= least;
}

static int block_body(int fd, void *argument) {
    bool whole = *(bool *)argument;
    struct diag_list *d = diag_list_new();
    uint32_t peer = whole ? UINT32_MAX : 1;
    struct network n;
    struct lab *lab;

    (void)fd;
    network_make(&n, 3, LAB_FABRIC_L2, true); /* rules for addresses of both families */
    lab = build_network(&n);
    CHECK(lab != NULL);
    for (uint32_t h = 0; h < 3; h++)
        CHECK(start(lab, h, "{\"listen\":179}"));
    CHECK(await_running(lab, 0, 3));
    CHECK(lab_fault(lab, LAB_FAULT_BLOCK_BGP, 0, peer, 0, d));
    CHECK(lab_fault(lab, LAB_FAULT_BLOCK_BGP, 0, peer, 0, d)); /* twice is once */
    CHECK(lab_blocked_syns(lab, 0) == 0);
    CHECK(send_try(lab, 1, 0)); /* from outside … */
    CHECK(await_blocked(lab, 1));
    CHECK(count_established(lab, 1) == 0 && count_established(lab, 0) == 0);
    CHECK(send_try(lab, 0, 1)); /* … and from inside */
    CHECK(count_established(lab, 0) == 0);
    CHECK(await_blocked(lab, 2));
    CHECK(whole ? send_try(lab, 2, 0) : send_connect(lab, 2, 0));
    CHECK(count_established(lab, 2) == (whole ? 0 : 1));
    CHECK(ping_all(lab, 3, host_addr4, FIXTURE_DEADLINE_MS) == 6); /* nothing but the port */
    CHECK(lab_fault(lab, LAB_FAULT_UNBLOCK_BGP, 0, peer, 0, d));
    CHECK(lab_blocked_syns(lab, 0) == 0);
    CHECK(send_connect(lab, 1, 2) && count_established(lab, 1) >= 1);
    CHECK(diag_count(d) == 0);
    diag_list_free(d);
    lab_teardown(lab);
    network_free(&n);
    return 0;
}

/* The kernel may hand on what a sender has written a moment later: until `total` OPENs were seen.
 * How many pairs they are of; the array is the caller's. */
static ssize_t await_opens(struct lab *lab, uint64_t total, struct lab_open **ret_opens,
                           uint64_t *ret_lost) {
    struct nanotime deadline = soon();

    for (;;) {
        ssize_t pairs = lab_capture_opens(lab, ret_opens, ret_lost);
        uint64_t seen = 0;
        for (ssize_t i = 0; i < pairs; i++)
            seen += (*ret_opens)[i].count;
        if (pairs < 0 || seen >= total || !nanotime_before(lab_now(), deadline))
            return pairs;
        alloc_free(*ret_opens);
        (void)lab_wait(lab, nanotime_add_ms(lab_now(), 20), -1);
    }
}

/* A file, and its second name where something is to be written. */
static bool plant(const char *file, const char *at) {
    int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool ok = fd >= 0 && write(fd, "precious", 8) == 8 && link(file, at) == 0;

    if (fd >= 0)
        close(fd);
    return ok;
}

static int capture_body(int fd, void *argument) {
    struct diag_list *d = diag_list_new();
    struct lab_open *opens = NULL;
    const char *path = "/mnt/opens.pcap"; /* in mounts of the supervisor's own */
    uint64_t lost = 99;
    struct stat s;
    struct network n;
    struct lab *lab;

    (void)fd;
    CHECK(mount("tmpfs", "/mnt", "tmpfs", 0, NULL) == 0);
    CHECK(plant("/mnt/precious", path));
    network_make(&n, 3, *(enum lab_fabric *)argument, false);
    lab = build_network(&n);
    CHECK(lab != NULL);
    CHECK(lab_capture_opens(lab, &opens, &lost) == -1); /* not started */
    CHECK(lab_capture_start(lab, path, d));
    CHECK(diag_count(d) == 0);
    for (uint32_t h = 0; h < 3; h++)
        CHECK(start(lab, h, "{\"listen\":179}"));
    CHECK(await_running(lab, 0, 3));
    CHECK(lab_capture_opens(lab, &opens, &lost) == 0 && lost == 0);
    alloc_free(opens);
    CHECK(send_connect(lab, 2, 1) && send_connect(lab, 0, 1) && send_connect(lab, 0, 1));
    CHECK(await_opens(lab, 3, &opens, &lost) == 2 && lost == 0);
    CHECK(ip_equal(opens[0].from, host_addr4(0)) && ip_equal(opens[0].to, host_addr4(1)));
    CHECK(ip_equal(opens[1].from, host_addr4(2)) && opens[0].count == 2 && opens[1].count == 1);
    CHECK(opens[0].as == UINT32_C(4200000000) && opens[0].router_id == UINT32_C(0x01020304));
    CHECK(opens[0].hold_time_s == 90);
    alloc_free(opens);
    CHECK(stat(path, &s) == 0 && s.st_size > 24 + 3 * 37); /* a header and three packets */
    CHECK(stat("/mnt/precious", &s) == 0 && s.st_size == 8);
    diag_list_free(d);
    lab_teardown(lab);
    network_free(&n);
    return 0;
}

/* Established connections of a host with this remote end; `port`: of the one that listens. */
static size_t count_with(struct lab *lab, uint32_t host, struct ip_addr remote, uint16_t port) {
    struct lab_socket *list = NULL;
    ssize_t count = lab_sockets(lab, &list);
    size_t found = 0;

    for (ssize_t i = 0; i < count; i++)
        found += list[i].host == host && list[i].state == TCP_ESTABLISHED &&
                 ip_equal(list[i].remote, remote) &&
                 (list[i].local_port == port) != (list[i].remote_port == port);
    alloc_free(list);
    return found;
}

/* The same at the end that was called, which hears of it after the caller does: until it has. */
static size_t await_with(struct lab *lab, uint32_t host, struct ip_addr remote, uint16_t port) {
    struct nanotime deadline = soon();
    size_t count;

    while ((count = count_with(lab, host, remote, port)) == 0 &&
           nanotime_before(lab_now(), deadline))
        (void)lab_wait(lab, nanotime_add_ms(lab_now(), 20), -1);
    return count;
}

/* Three connections to host 1: by IPv4, by IPv6 and by IPv4 to a socket of both families. */
static int witness_body(int fd, void *argument) {
    struct diag_list *d = diag_list_new();
    struct lab_open *opens = NULL;
    uint64_t lost = 99;
    struct network n;
    struct lab *lab;

    (void)fd;
    (void)argument;
    network_make(&n, 3, LAB_FABRIC_L2, true);
    lab = build_network(&n);
    CHECK(lab != NULL);
    CHECK(lab_capture_start(lab, NULL, d));
    for (uint32_t h = 0; h < 3; h++)
        CHECK(start(lab, h, "{\"listen\":179,\"both\":true}"));
    CHECK(await_running(lab, 0, 3));
    CHECK(call(lab, 0, "connect", host_addr4(1)) && call(lab, 0, "connect@", host_addr6(1)));
    CHECK(call(lab, 2, "connect@", host_addr4(1)));
    CHECK(await_opens(lab, 3, &opens, &lost) == 3 && lost == 0);
    CHECK(ip_equal(opens[0].from, host_addr4(0)) && ip_equal(opens[0].to, host_addr4(1)));
    CHECK(ip_equal(opens[1].from, host_addr4(2)) && ip_equal(opens[1].to, host_addr4(1)));
    CHECK(ip_equal(opens[2].from, host_addr6(0)) && ip_equal(opens[2].to, host_addr6(1)));
    alloc_free(opens);
    CHECK(count_with(lab, 0, host_addr4(1), 179) == 1);
    CHECK(await_with(lab, 1, host_addr4(0), 179) == 1);
    CHECK(count_with(lab, 0, host_addr6(1), OTHER_PORT) == 1);
    CHECK(await_with(lab, 1, host_addr6(0), OTHER_PORT) == 1);
    CHECK(count_with(lab, 2, host_addr4(1), OTHER_PORT) == 1);
    CHECK(await_with(lab, 1, host_addr4(2), OTHER_PORT) == 1); /* no mapped address */
    CHECK(count_with(lab, 1, host_addr4(1), 179) == 0);
    CHECK(diag_count(d) == 0);
    diag_list_free(d);
    lab_teardown(lab);
    network_free(&n);
    return 0;
}

/* Blocks of two hosts and of another port; each goes by itself. */
static int blocks_body(int fd, void *argument) {
    struct diag_list *d = diag_list_new();
    struct network n;
    struct lab *lab;

    (void)fd;
    (void)argument;
    network_make(&n, 3, LAB_FABRIC_L2, true);
    lab = build_network(&n);
    CHECK(lab != NULL);
    for (uint32_t h = 0; h < 3; h++)
        CHECK(start(lab, h, "{\"listen\":179,\"both\":true}"));
    CHECK(await_running(lab, 0, 3));
    CHECK(lab_fault(lab, LAB_FAULT_BLOCK_BGP, 0, 1, 0, d));
    CHECK(lab_fault(lab, LAB_FAULT_BLOCK_BGP, 0, 2, 0, d));
    CHECK(lab_fault(lab, LAB_FAULT_UNBLOCK_BGP, 0, 1, 0, d));
    CHECK(call(lab, 1, "connect", host_addr4(0)) && call(lab, 2, "try", host_addr4(0)));
    CHECK(await_with(lab, 0, host_addr4(1), 179) == 1 && await_blocked(lab, 1));
    CHECK(count_with(lab, 0, host_addr4(2), 179) == 0);
    CHECK(lab_fault(lab, LAB_FAULT_UNBLOCK_BGP, 0, 2, 0, d));
    CHECK(lab_blocked_syns(lab, 0) == 0 && call(lab, 2, "connect", host_addr4(0)));
    CHECK(await_with(lab, 0, host_addr4(2), 179) >= 1);
    CHECK(lab_fault(lab, LAB_FAULT_BLOCK_BGP, 0, 2, OTHER_PORT, d));
    CHECK(call(lab, 2, "try@", host_addr6(0)) && await_blocked(lab, 1));
    CHECK(count_with(lab, 0, host_addr6(2), OTHER_PORT) == 0);
    CHECK(diag_count(d) == 0);
    /* A speaker that was frozen and thawed is still expected to live. */
    CHECK(lab_fault(lab, LAB_FAULT_FREEZE, 1, UINT32_MAX, 0, d));
    CHECK(lab_fault(lab, LAB_FAULT_THAW, 1, UINT32_MAX, 0, d));
    json_decref(ask(lab, 1, "stop", "", FIXTURE_DEADLINE_MS));
    CHECK(await_end(lab, 1) && !lab_speaker_state(lab, 1).expected);
    diag_list_free(d);
    lab_teardown(lab);
    network_free(&n);
    return 0;
}

/* ---- links ---- */

static int link_body(int fd, void *argument) {
    struct lab_probe p = {.source = host_addr4(0), .destination = host_addr4(1), .to = 1};
    struct diag_list *d = diag_list_new();
    struct network n;
    struct lab *lab;

    (void)fd;
    network_make(&n, 2, *(enum lab_fabric *)argument, false);
    lab = build_network(&n);
    CHECK(lab != NULL);
    CHECK(lab_ping(lab, &p, 1, FIXTURE_DEADLINE_MS));
    CHECK(lab_fault(lab, LAB_FAULT_LINK_DOWN, 1, UINT32_MAX, 0, d));
    CHECK(!lab_ping(lab, &p, 1, 50));
    CHECK(lab_fault(lab, LAB_FAULT_LINK_UP, 1, 0, 0, d));
    CHECK(lab_ping(lab, &p, 1, FIXTURE_DEADLINE_MS));
    CHECK(diag_count(d) == 0);
    diag_list_free(d);
    lab_teardown(lab);
    network_free(&n);
    return 0;
}

/* ---- the table ---- */

static enum lab_fabric l2 = LAB_FABRIC_L2, routed = LAB_FABRIC_ROUTED;
static bool everybody = true, one_peer = false;

#define BODY_TEST(name, body, argument)                                                            \
    static void name(void **state) {                                                               \
        (void)state;                                                                               \
        assert_int_equal(run_supervised(body, argument), 0);                                       \
    }

BODY_TEST(test_control, control_body, NULL)
BODY_TEST(test_many, many_body, NULL)
BODY_TEST(test_large, large_body, NULL)
BODY_TEST(test_late, late_body, NULL)
BODY_TEST(test_death, death_body, NULL)
BODY_TEST(test_exits, exits_body, NULL)
BODY_TEST(test_signal, signal_body, NULL)
BODY_TEST(test_block_all, block_body, &everybody)
BODY_TEST(test_block_peer, block_body, &one_peer)
BODY_TEST(test_capture_l2, capture_body, &l2)
BODY_TEST(test_capture_routed, capture_body, &routed)
BODY_TEST(test_witnesses_of_both_families, witness_body, NULL)
BODY_TEST(test_blocks_go_one_by_one, blocks_body, NULL)
BODY_TEST(test_link_l2, link_body, &l2)
BODY_TEST(test_link_routed, link_body, &routed)

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_control),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_large),
        cmocka_unit_test(test_late),
        cmocka_unit_test(test_death),
        cmocka_unit_test(test_exits),
        cmocka_unit_test(test_signal),
        cmocka_unit_test(test_block_all),
        cmocka_unit_test(test_block_peer),
        cmocka_unit_test(test_capture_l2),
        cmocka_unit_test(test_link_l2),
        cmocka_unit_test(test_capture_routed),
        cmocka_unit_test(test_link_routed),
        cmocka_unit_test(test_witnesses_of_both_families),
        cmocka_unit_test(test_blocks_go_one_by_one),
    };
    char self[512];
    ssize_t size = readlink("/proc/self/exe", self, sizeof(self) - 1);

    if (argc > 1)
        _exit(run_double(argv)); /* no leak check: it would be the speaker's exit status */
    if (size <= 0)
        return 1;
    self[size] = '\0';
    if (setenv("RIBCAGE_SPEAKER", self, 1) != 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
