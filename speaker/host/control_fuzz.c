/*
 * Fuzzes the control protocol against a whole speaker: a child process in network and mount
 * namespaces of its own, where nothing but its own /tmp can be written. Each input is any octets as
 * lines, followed by a request whose answer must come; every line that comes back must be a JSON
 * object, and the child may end only because it was told to.
 *
 * An input that begins with "ios" and a newline goes to a mock Cisco instead.
 */
#include "../base/fuzz.h"
#include "../base/text.h"
#include "host.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define ANSWER_MS 60000

static struct child {
    pid_t pid; /* 0: not running */
    int fd;
    unsigned long asked;
    struct text in; /* octets that came and are no whole line yet */
} children[2];

static const char *const configurations[2] = {
    "{\"profile\":\"fast\",\"hostname\":\"n1\",\"local_as\":64512,\"router_id\":\"10.0.0.1\","
    "\"peers\":[{\"name\":\"a\",\"remote_addr\":\"10.0.0.2\",\"remote_as\":64512,"
    "\"passive\":true}],\"origins\":[{\"prefix\":\"10.244.1.0/26\",\"source\":\"static\"}]}",
    "hostname R1\nrouter bgp 65000\n bgp router-id 10.0.0.1\n"
    " neighbor 10.0.0.2 remote-as 65001\nend\n",
};

/* ---- what a guided fuzzer sees ---- */

/* Where libFuzzer's counters of the code that was reached begin and end, a section of the program;
 * NULL in other builds. In assembly: declared in C, the compiler's own names for them would be
 * other ones. */
__asm__(".weak __start___sancov_cntrs, __stop___sancov_cntrs\n"
        ".pushsection .data\n"
        ".balign 8\n"
        "counters: .8byte __start___sancov_cntrs, __stop___sancov_cntrs\n"
        ".popsection");
extern uint8_t *const counters[2];

/* The code that matters runs in a child: it counts in memory of both. What shares a page with other
 * data stays as it is. */
static void share_counters(void) {
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t begin = ((uintptr_t)counters[0] + page - 1) / page * page;
    uintptr_t end = (uintptr_t)counters[1] / page * page;
    if (begin >= end)
        return;
    void *shared = mmap(counters[0] + (begin - (uintptr_t)counters[0]), end - begin,
                        PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    assert(shared != MAP_FAILED);
}

/* ---- the child ---- */

static bool isolate(void) {
    struct mount_attr read_only = {.attr_set = MOUNT_ATTR_RDONLY, .propagation = MS_PRIVATE};
    int user = geteuid() == 0 ? 0 : CLONE_NEWUSER;
    return unshare(user | CLONE_NEWNET | CLONE_NEWNS) == 0 &&
           mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &read_only, sizeof read_only) == 0 &&
           mount("tmpfs", "/tmp", "tmpfs", 0, "size=16m") == 0 && chdir("/tmp") == 0;
}

static bool isolation_possible(void) {
    int status = 1;
    pid_t pid = fork();
    assert(pid >= 0);
    if (pid == 0) {
        _exit(isolate() ? 0 : 1);
    }
    return waitpid(pid, &status, 0) == pid && status == 0;
}

static _Noreturn void live(int control, const char *configuration, bool ios) {
    char control_fd[16], config_fd[16], log_fd[16];
    struct host_options options;
    struct text error;
    int config = memfd_create("configuration", 0), null = open("/dev/null", O_WRONLY);
    size_t size = strlen(configuration);
    if (write(config, configuration, size) != (ssize_t)size || lseek(config, 0, SEEK_SET) != 0) {
        _exit(90);
    }
    snprintf(control_fd, sizeof control_fd, "%d", control);
    snprintf(config_fd, sizeof config_fd, "%d", config);
    snprintf(log_fd, sizeof log_fd, "%d", null);
    const char *const argv[] = {"ribcage-speaker",
                                ios ? "--ios-fd" : "--config-fd",
                                config_fd,
                                "--control-fd",
                                control_fd,
                                "--log-fd",
                                log_fd};
    text_init(&error);
    if (!options_parse(&options, (int)(sizeof argv / sizeof argv[0]),
                       (char *const *)(uintptr_t)argv, &error)) {
        _exit(91);
    }
    text_deinit(&error);
    _exit(host_run(&options));
}

static void start(struct child *c, bool ios) {
    int pair[2];
    pid_t parent = getpid();
    assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
    c->pid = fork();
    assert(c->pid >= 0);
    if (c->pid == 0) {
        fuzz_current = (struct fuzz_seed){NULL, 0};
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent || !isolate()) {
            fprintf(stderr, "namespaces: %s\n", strerror(errno));
            _exit(92);
        }
        live(pair[1], configurations[ios], ios);
    }
    close(pair[1]);
    c->fd = pair[0];
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
    text_init(&c->in);
}

/* It has closed its end: only an orderly stop may be the reason. */
static void ended(struct child *c) {
    int status;
    assert(TEMP_FAILURE_RETRY(waitpid(c->pid, &status, 0)) == c->pid);
    if (status != 0) {
        fprintf(stderr, "the speaker ended with status %#x\n", (unsigned)status);
        abort();
    }
    close(c->fd);
    text_deinit(&c->in);
    c->pid = 0;
}

/* ---- questions and answers ---- */

/* One line; true: it is the awaited answer. */
static bool line_is(const char *line, size_t size, const char *id) {
    json_t *answer = json_loadb(line, size, JSON_REJECT_DUPLICATES, NULL);
    assert(json_is_object(answer));
    const char *got = json_string_value(json_object_get(answer, "id"));
    bool found = got && strcmp(got, id) == 0;
    json_decref(answer);
    return found;
}

static bool lines_have(struct child *c, const char *id) {
    bool found = false;
    char *end;
    while (!found && c->in.size > 0 && (end = memchr(c->in.data, '\n', c->in.size))) {
        size_t size = (size_t)(end - c->in.data);
        found = line_is(c->in.data, size, id);
        memmove(c->in.data, end + 1, c->in.size - size - 1);
        c->in.size -= size + 1;
    }
    return found;
}

/* False: the child is gone. */
static bool take(struct child *c) {
    char buffer[65536];
    ssize_t got = recv(c->fd, buffer, sizeof buffer, 0);
    if (got > 0) {
        text_put(&c->in, buffer, (size_t)got);
    }
    return got > 0 || (got < 0 && errno == EAGAIN);
}

/* Until something can be done, ANSWER_MS at most; libFuzzer's alarms interrupt. */
static short await(int fd, short events) {
    struct pollfd p = {.fd = fd, .events = events};
    struct timespec begin, now;
    int ready, left = ANSWER_MS;
    (void)clock_gettime(CLOCK_MONOTONIC, &begin);
    while ((ready = poll(&p, 1, left)) < 0 && errno == EINTR) {
        (void)clock_gettime(CLOCK_MONOTONIC, &now);
        left = ANSWER_MS - (int)(now.tv_sec - begin.tv_sec) * 1000;
        left = left > 0 ? left : 0;
    }
    assert(ready == 1); /* else it hangs */
    return p.revents;
}

/* Says all of it and waits for the answer with this id. False: the child is gone. */
static bool ask(struct child *c, const char *request, size_t size, const char *id) {
    size_t sent = 0;
    while (!lines_have(c, id)) {
        short ready = await(c->fd, (short)(POLLIN | (sent < size ? POLLOUT : 0)));
        if (ready & POLLOUT) {
            ssize_t step = send(c->fd, request + sent, size - sent, MSG_NOSIGNAL);
            sent += step > 0 ? (size_t)step : 0;
        }
        if (ready & (POLLIN | POLLHUP) && !take(c)) {
            return false;
        }
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    bool ios = size > 4 && memcmp(data, "ios\n", 4) == 0;
    struct child *c = &children[ios];
    struct text request;
    char id[32];
    if (c->pid == 0) {
        start(c, ios);
    }
    snprintf(id, sizeof id, "fuzz-%lu", c->asked++);
    text_init(&request);
    text_put(&request, (const char *)data + (ios ? 4 : 0), size - (ios ? 4 : 0));
    text_printf(&request, "\n{\"id\":\"%s\",\"op\":\"hello\"}\n", id);
    if (!ask(c, request.data, request.size, id)) {
        ended(c);
    }
    text_deinit(&request);
    return 0;
}

#define CONFIG                                                                                     \
    "{\"profile\":\"fast\",\"local_as\":64512,\"router_id\":\"10.0.0.1\",\"peers\":[{\"name\":"    \
    "\"a\",\"remote_addr\":\"10.0.0.2\",\"remote_as\":64512}]}"
static const struct fuzz_seed seeds[] = {
    FUZZ_SEED("{\"id\":1,\"op\":\"hello\"}\n{\"op\":\"peers\",\"name\":\"a\"}"),
    FUZZ_SEED("{\"id\":[],\"op\":\"configure\",\"config\":" CONFIG "}"),
    FUZZ_SEED("{\"op\":\"originate\",\"routes\":[{\"prefix\":\"10.9.0.0/24\",\"source\":"
              "\"static\"}]}\n{\"op\":\"rib\",\"table\":\"loc\"}"),
    FUZZ_SEED("{\"op\":\"withdraw\",\"routes\":[{\"prefix\":\"10.9.0.0/24\",\"source\":"
              "\"static\"}]}\n{\"op\":\"counters\"}\n{\"op\":\"malformed\"}"),
    FUZZ_SEED("{\"op\":\"explain\",\"peer\":\"a\",\"prefix\":\"10.0.0.0/8\",\"direction\":"
              "\"export\"}\n{\"op\":\"clear\",\"peer\":\"a\",\"how\":\"hard\"}"),
    FUZZ_SEED("{\"op\":\"exec\",\"command\":\"show route all\"}\n{\"op\":\"mrt\",\"path\":"
              "\"/tmp/t.mrt\"}\n{\"op\":\"established\"}"),
    FUZZ_SEED("ios\n{\"op\":\"ios-lines\",\"lines\":\"router bgp 65000\\nno neighbor 10.0.0.2\"}\n"
              "{\"op\":\"exec\",\"command\":\"show ip bgp summary\"}"),
    FUZZ_SEED("ios\n{\"op\":\"configure\",\"ios\":\"hostname R2\\nrouter bgp 1\\n\",\"file\":"
              "\"x\"}\n{\"op\":\"exec\",\"command\":\"clear ip bgp *\"}"),
};
static const char *const words[] = {
    "{\"op\":\"hello\"}\n",
    "{\"op\":\"stop\"}\n",
    "\"table\":\"out\",",
    "\"table\":\"in\",",
    "\"table\":\"fib\",",
    "\"family\":\"ipv6\",",
    "\"prefix\":\"10.244.1.0/26\",",
    "\"peer\":\"a\",",
    "\"how\":\"in\",",
    "\"how\":\"out\",",
    "null",
    "true",
    "-1",
    "4294967296",
    "{}",
    "[]",
    ",",
    "\n",
    "show protocols all",
    "show route for 10.244.1.1",
    "show ip bgp",
    "show run",
    "\\u0000",
    "\xff",
    "\"id\":{},",
};

int main(int argc, char **argv) {
    static const struct fuzz_target target = {seeds, sizeof seeds / sizeof seeds[0], words,
                                              sizeof words / sizeof words[0]};
    if (!isolation_possible()) {
        puts("0 inputs: the kernel forbids namespaces of our own");
        return 0;
    }
    share_counters();
    int status = fuzz_main(argc, argv, &target);
    for (int i = 0; i < 2; i++) {
        if (children[i].pid != 0) {
            shutdown(children[i].fd, SHUT_WR);
            kill(children[i].pid, SIGTERM);
            ended(&children[i]);
        }
    }
    return status;
}
