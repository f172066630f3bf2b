/*
 * show tcp brief, and the TCP block at the end of `show ip bgp neighbors`.
 *
 * Owns: the layouts. Leaves: the figures to the host, which asks the kernel; what a kernel has no
 * figure for (timers that are not running, iss, maxRTT) is printed as 0.
 */
#include "ios_show.h"

#include "../base/hash.h"

#include <stdio.h>
#include <string.h>

/* ---- one connection ---- */

/* The control block's address, which tells connections apart: of both ends. */
static unsigned block_address(const struct bgp_peer_info *p) {
    uint64_t seed = (uint64_t)p->local.port << 16 | p->remote.port;
    return (unsigned)hash_bytes(p->config->remote_addr.bytes,
                                ip_bits((enum ip_family)p->config->remote_addr.family) / 8, seed) &
           0x7ffffffcu;
}

/* Starts are what ran the timer: data sent, data that waited for an acknowledgement of ours. */
static void put_timers(const struct ios_tcp *t, uint64_t now_ms, struct text *out) {
    static const char *const OTHERS[] = {"TimeWait", "AckHold",  "SendWnd", "KeepAlive", "GiveUp",
                                         "PmtuAger", "DeadWait", "Linger",  "ProcessQ"};
    text_printf(out,
                "Event Timers (current time is 0x%llX):\n"
                "Timer          Starts    Wakeups            Next\n",
                (unsigned long long)now_ms);
    text_printf(out, "%-11s%10u %10u %15s\n", "Retrans", t->data_segments_sent, t->retransmitted,
                "0x0");
    for (size_t i = 0; i < sizeof OTHERS / sizeof *OTHERS; i++)
        text_printf(out, "%-11s%10u %10u %15s\n", OTHERS[i],
                    strcmp(OTHERS[i], "AckHold") == 0 ? t->data_segments_received : 0, 0u, "0x0");
}

static void put_sequences(const struct ios_tcp *t, struct text *out) {
    text_printf(
        out, "\niss:          0  snduna: %10llu  sndnxt: %10llu\n",
        (unsigned long long)t->bytes_acked,
        (unsigned long long)(t->bytes_sent > t->bytes_acked ? t->bytes_sent : t->bytes_acked));
    text_printf(out, "irs:          0  rcvnxt: %10llu\n\n", (unsigned long long)t->bytes_received);
    text_printf(out, "sndwnd: %6u  scale: %6u  maxrcvwnd: %6u\n", t->send_window, t->send_scale,
                t->receive_window_max);
    uint32_t held =
        t->receive_window_max > t->receive_window ? t->receive_window_max - t->receive_window : 0;
    text_printf(out, "rcvwnd: %6u  scale: %6u  delrcvwnd: %6u\n\n", t->receive_window,
                t->receive_scale, held);
}

static unsigned ms_of(uint32_t us) {
    return (us + 500) / 1000;
}

static void put_times(const struct ios_tcp *t, uint64_t up_ms, struct text *out) {
    text_printf(out, "SRTT: %u ms, RTTO: %u ms, RTV: %u ms, KRTT: 0 ms\n", ms_of(t->rtt_us),
                ms_of(t->retransmit_timeout_us), ms_of(t->rtt_variance_us));
    text_printf(out, "minRTT: %u ms, maxRTT: 0 ms, ACK hold: %u ms\n", ms_of(t->rtt_min_us),
                ms_of(t->delayed_ack_us));
    text_printf(out, "uptime: %llu ms, Sent idletime: %u ms, Receive idletime: %u ms \n",
                (unsigned long long)up_ms, t->sent_idle_ms, t->received_idle_ms);
}

static void put_datagrams(const struct ios_tcp *t, struct text *out) {
    text_printf(out, "\nDatagrams (max data segment is %u bytes):\n", t->mss);
    text_printf(out, "Rcvd: %u (out of order: %u), with data: %u, total data bytes: %llu\n",
                t->segments_received, t->out_of_order, t->data_segments_received,
                (unsigned long long)t->bytes_received);
    text_printf(out,
                "Sent: %u (retransmit: %u, fastretransmit: 0, partialack: 0, Second Congestion: "
                "0), with data: %u, total data bytes: %llu\n",
                t->segments_sent, t->retransmitted, t->data_segments_sent,
                (unsigned long long)t->bytes_sent);
    text_puts(out, "\n Packets received in fast path: 0, fast processed: 0, slow path: 0\n"
                   " fast lock acquisition failures: 0, slow path: 0\n");
}

static void put_state(const struct ios_show_tcp_ttl *ttl, const struct ios_tcp *t,
                      const struct bgp_peer_info *p, struct text *out) {
    text_printf(out,
                "Connection state is ESTAB, I/O status: 1, unread input bytes: %u            \n"
                "Connection is ECN Disabled, Mininum incoming TTL %u, Outgoing TTL %u\n"
                "Local host: ",
                t->unread_bytes, ttl->incoming_min, ttl->outgoing);
    ios_put_addr(p->local.addr, out);
    text_printf(out, ", Local port: %u\nForeign host: ", p->local.port);
    ios_put_addr(p->remote.addr, out);
    text_printf(out,
                ", Foreign port: %u\n"
                "Connection tableid (VRF): 0\n"
                "Maximum output segment queue size: 50\n",
                p->remote.port);
}

void ios_put_connection(const struct ios_view *view, const struct bgp_peer_info *p,
                        const struct ios_show_tcp_ttl *ttl, struct text *out) {
    struct ios_tcp t = {.mss = 0};
    bool known = view->tcp && view->tcp(view->tcp_context, p->conn, &t);
    put_state(ttl, &t, p, out);
    if (!known)
        return;
    text_puts(out, "\nEnqueued packets for retransmit: 0, input: 0  mis-ordered: 0 (0 bytes)\n\n");
    put_timers(&t, view->now.ns / 1000000, out);
    put_sequences(&t, out);
    put_times(&t, nanotime_since(view->now, p->since) / 1000000, out);
    text_printf(out,
                "Status Flags: %s, gen tcbs\n"
                "Option Flags: nagle, path mtu capable%s\n"
                "IP Precedence value : 6\n",
                p->incoming ? "passive open" : "active open",
                bgp_neighbor_password(p->config) ? ", md5" : "");
    put_datagrams(&t, out);
    text_printf(out, "TCP Semaphore      0x%08X  FREE \n", block_address(p) + 8);
}

/* ---- show tcp brief ---- */

static void put_end(struct ip_addr a, uint16_t port, struct text *out) {
    struct text end;
    text_init(&end);
    ios_put_addr(a, &end);
    if (port)
        text_printf(&end, ".%u", port);
    else
        text_puts(&end, ".*");
    text_printf(out, "%-27s ", text_str(&end));
    text_deinit(&end);
}

static void put_row(const struct bgp_peer_info *p, bool listener, struct text *out) {
    const struct ip_addr any = {.family = p->config->remote_addr.family};
    text_printf(out, "%08X  ", block_address(p) + listener);
    if (listener) {
        put_end(any, BGP_PORT, out);
        put_end(p->config->remote_addr, 0, out);
        text_puts(out, "LISTEN\n");
        return;
    }
    put_end(p->local.addr, p->local.port, out);
    put_end(p->remote.addr, p->remote.port, out);
    text_puts(out, "ESTAB\n");
}

bool ios_show_tcp(struct ios_edit *e) {
    const struct bgp_speaker *s = e->sink->view->speaker;
    struct text *out = e->sink->out;
    bool all = strcmp(ios_word(e->words, 3), "all") == 0;
    struct bgp_peer_info p;
    text_puts(out, "TCB       Local Address               Foreign Address             (state)\n");
    for (uint32_t n = 0; s && bgp_peer_at(s, n, &p); n++)
        if (p.state == BGP_ESTABLISHED)
            put_row(&p, false, out);
    for (uint32_t n = 0; all && s && bgp_peer_at(s, n, &p); n++)
        put_row(&p, true, out);
    return false;
}
