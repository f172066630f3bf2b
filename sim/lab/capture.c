/*
 * The wire witness: OPEN messages seen by libpcap in the fabric.
 *
 * Owns: one capture on all links of the fabric, the thread that reads it, the table of OPENs by
 * (from, to), an optional pcap file of the same packets.
 * Leaves to others: decoding (frame.c); which sessions the OPENs prove.
 *
 * The capture sees every frame once: when it comes in from a host, whatever the fabric does with
 * it then (`inbound`). A filter in the kernel passes only segments of TCP, from and to any port,
 * whose payload starts with an OPEN (RFC 4271 4.1: sixteen octets of ones, length, type 1), so that
 * the 64 MiB of buffer hold tens of thousands of them. An OPEN is the first message of its
 * connection and thus starts a segment. A thread of its own empties the buffer, since the runner
 * may be busy; lab_capture_opens empties it once more itself, so that it knows of every OPEN that
 * was on the wire before the call. What the kernel had to drop is reported.
 */
#include "../../speaker/base/arena.h"
#include "../../speaker/base/hash.h"
#include "../../speaker/base/table.h"
#include "frame.h"
#include "lab_internal.h"
#include "netns.h"

#include <errno.h>
#include <fcntl.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define BUFFER_BYTES (64 << 20)
#define SNAPSHOT_BYTES 1024
#define OPENS_MAX (4u << 20)

struct capture {
    pcap_t *pcap;
    pcap_dumper_t *file;
    pthread_t thread;
    bool running;
    int stop_fd;
    pthread_mutex_t mutex; /* of everything below, and of reading from pcap */
    struct lab_open *opens;
    size_t open_count, open_capacity;
    struct table index; /* by from and to; opens[i] is i + 1 */
    uint64_t forgotten; /* OPENs there was no memory for */
};

/* ---- the table ---- */

static uint64_t pair_hash(const struct lab_open *o) {
    return hash_bytes(&o->to, sizeof(o->to), hash_bytes(&o->from, sizeof(o->from), 0));
}

static bool pair_equal(const void *context, uint32_t index, const void *key) {
    const struct capture *c = context;
    const struct lab_open *a = &c->opens[index - 1], *b = key;

    return ip_equal(a->from, b->from) && ip_equal(a->to, b->to);
}

static bool make_room(struct capture *c) {
    size_t capacity = c->open_capacity == 0 ? 256 : c->open_capacity * 2;
    struct lab_open *grown;

    if (c->open_count < c->open_capacity)
        return true;
    if (capacity > OPENS_MAX)
        return false;
    grown = alloc_resize(c->opens, capacity, sizeof(*grown));
    if (grown == NULL)
        return false;
    c->opens = grown;
    c->open_capacity = capacity;
    return true;
}

static void count_open(struct capture *c, const struct lab_open *o) {
    uint64_t hash = pair_hash(o);
    uint32_t at = table_find(&c->index, hash, pair_equal, c, o);
    uint64_t count = at != 0 ? c->opens[at - 1].count : 0;

    if (at == 0) {
        if (!make_room(c) || !table_insert(&c->index, hash, (uint32_t)c->open_count + 1)) {
            c->forgotten++;
            return;
        }
        at = (uint32_t)++c->open_count;
    }
    c->opens[at - 1] = *o;
    c->opens[at - 1].count = count + 1;
}

static void take_packet(u_char *user, const struct pcap_pkthdr *h, const u_char *data) {
    struct capture *c = (struct capture *)(void *)user;
    struct lab_open o;

    if (c->file != NULL)
        pcap_dump((u_char *)c->file, h, data);
    if (!frame_decode(data, h->caplen, &o))
        return;
    o.last = lab_now();
    count_open(c, &o);
}

static void drain(struct capture *c) {
    pthread_mutex_lock(&c->mutex);
    while (pcap_dispatch(c->pcap, 4096, take_packet, (u_char *)c) > 0)
        continue;
    pthread_mutex_unlock(&c->mutex);
}

static void *read_packets(void *argument) {
    struct capture *c = argument;
    struct pollfd p[2] = {{.fd = pcap_get_selectable_fd(c->pcap), .events = POLLIN},
                          {.fd = c->stop_fd, .events = POLLIN}};

    for (;;) {
        if (poll(p, 2, -1) < 0 && errno != EINTR)
            return NULL;
        if (p[1].revents != 0)
            return NULL;
        if ((p[0].revents & POLLIN) != 0)
            drain(c);
        else if (p[0].revents != 0)
            return NULL;
    }
}

/* ---- opening ---- */

/* tcp[] of the filter language knows IPv4 only, so IPv6 counts from its own header. */
static const char opens_filter[] =
    "inbound and ((ip and tcp[(tcp[12]&0xf0)>>2:4]=0xffffffff and "
    "tcp[((tcp[12]&0xf0)>>2)+12:4]=0xffffffff and tcp[((tcp[12]&0xf0)>>2)+18]=1) or "
    "(ip6 and ip6[6]=6 and ip6[40+((ip6[52]&0xf0)>>2):4]=0xffffffff and "
    "ip6[52+((ip6[52]&0xf0)>>2):4]=0xffffffff and ip6[58+((ip6[52]&0xf0)>>2)]=1))";

static bool set_filter(pcap_t *pcap, const char *filter) {
    struct bpf_program program;
    bool ok = pcap_compile(pcap, &program, filter, 1, PCAP_NETMASK_UNKNOWN) == 0;

    if (ok) {
        ok = pcap_setfilter(pcap, &program) == 0;
        pcap_freecode(&program);
    }
    return ok;
}

/* What stood there, a link or a file with another name perhaps, is replaced and not written to. */
static bool open_file(struct capture *c, const char *path) {
    (void)unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "w");

    if (f == NULL) {
        if (fd >= 0)
            close(fd);
        return false;
    }
    c->file = pcap_dump_fopen(c->pcap, f);
    if (c->file == NULL)
        fclose(f);
    return c->file != NULL;
}

static bool activate(pcap_t *pcap, int buffer_bytes, char error[PCAP_ERRBUF_SIZE]) {
    return pcap_set_snaplen(pcap, SNAPSHOT_BYTES) == 0 &&
           pcap_set_buffer_size(pcap, buffer_bytes) == 0 && pcap_set_immediate_mode(pcap, 1) == 0 &&
           pcap_activate(pcap) >= 0 && pcap_setnonblock(pcap, 1, error) == 0 &&
           pcap_datalink(pcap) == DLT_LINUX_SLL;
}

struct pcap *capture_open(struct lab *lab, const char *filter, int buffer_bytes,
                          char error[PCAP_ERRBUF_SIZE]) {
    bool there = netns_enter(lab->fabric_fd);
    pcap_t *pcap = there ? pcap_create("any", error) : NULL;
    bool ok = pcap != NULL && activate(pcap, buffer_bytes, error) && set_filter(pcap, filter);

    if (pcap != NULL && !ok)
        snprintf(error, PCAP_ERRBUF_SIZE, "%s", pcap_geterr(pcap));
    if (!there || !netns_enter(lab->home_fd)) {
        snprintf(error, PCAP_ERRBUF_SIZE, "%s", strerror(errno));
        ok = false;
    }
    if (ok)
        return pcap;
    if (pcap != NULL)
        pcap_close(pcap);
    return NULL;
}

static void free_capture(struct capture *c) {
    if (c->file != NULL)
        pcap_dump_close(c->file);
    if (c->pcap != NULL)
        pcap_close(c->pcap);
    if (c->stop_fd >= 0)
        close(c->stop_fd);
    pthread_mutex_destroy(&c->mutex);
    table_deinit(&c->index);
    alloc_free(c->opens);
    alloc_free(c);
}

static bool start_thread(struct capture *c) {
    c->stop_fd = eventfd(0, EFD_CLOEXEC);
    if (c->stop_fd < 0)
        return false;
    c->running = pthread_create(&c->thread, NULL, read_packets, c) == 0;
    return c->running;
}

static struct capture *new_capture(void) {
    struct capture *c = alloc_zero(1, sizeof(*c));

    if (c == NULL)
        return NULL;
    c->stop_fd = -1;
    pthread_mutex_init(&c->mutex, NULL);
    table_init(&c->index);
    return c;
}

bool lab_capture_start(struct lab *lab, const char *pcap_path, struct diag_list *diags) {
    char error[PCAP_ERRBUF_SIZE] = "";
    struct capture *c;
    bool ok;

    if (lab->capture != NULL) {
        lab_add_finding(diags, NULL, "start a capture", EALREADY, NULL);
        return false;
    }
    c = new_capture();
    if (c != NULL)
        c->pcap = capture_open(lab, opens_filter, BUFFER_BYTES, error);
    ok = c != NULL && c->pcap != NULL;
    if (ok && pcap_path != NULL && !open_file(c, pcap_path)) {
        snprintf(error, sizeof(error), "%s", strerror(errno));
        ok = false;
    }
    if (ok && start_thread(c)) {
        lab->capture = c;
        return true;
    }
    diag_add(diags, DIAG_ERROR, (struct diag_place){.file = pcap_path}, "capture",
             "cannot capture in the fabric: %s", error[0] != '\0' ? error : strerror(errno));
    if (c != NULL)
        free_capture(c);
    return false;
}

void capture_stop(struct lab *lab) {
    struct capture *c = lab->capture;
    const uint64_t one = 1;

    if (c == NULL)
        return;
    if (write(c->stop_fd, &one, sizeof(one)) == (ssize_t)sizeof(one))
        pthread_join(c->thread, NULL);
    drain(c);
    free_capture(c);
    lab->capture = NULL;
}

/* ---- reading ---- */

uint64_t capture_lost(struct pcap *pcap) {
    struct pcap_stat stat = {0};

    return pcap_stats(pcap, &stat) == 0 ? stat.ps_drop : 1;
}

static int compare_opens(const void *a, const void *b) {
    const struct lab_open *x = a, *y = b;
    int order = ip_compare(x->from, y->from);

    return order != 0 ? order : ip_compare(x->to, y->to);
}

ssize_t lab_capture_opens(struct lab *lab, struct lab_open **ret_opens, uint64_t *ret_lost) {
    struct capture *c = lab->capture;
    struct lab_open *copy;
    size_t count;

    if (c == NULL)
        return -1;
    drain(c);
    pthread_mutex_lock(&c->mutex);
    count = c->open_count;
    copy = alloc_zero(count + 1, sizeof(*copy));
    if (copy != NULL && count > 0)
        memcpy(copy, c->opens, count * sizeof(*copy));
    *ret_lost = c->forgotten + capture_lost(c->pcap);
    if (c->file != NULL)
        (void)pcap_dump_flush(c->file);
    pthread_mutex_unlock(&c->mutex);
    if (copy == NULL)
        return -1;
    qsort(copy, count, sizeof(*copy), compare_opens);
    *ret_opens = copy;
    return (ssize_t)count;
}
