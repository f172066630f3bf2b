/*
 * TCP's own figures of a connection, for `show ip bgp neighbors` of the mock Cisco.
 *
 * Owns: the translation of the kernel's struct tcp_info. A kernel older than the fields asked for
 * returns a shorter struct: what it does not have reads as 0.
 */
#include "tcp_state.h"

#include "../ios/ios.h"

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/* Linux 6.2 appended the window we offer; headers may be older than the kernel. */
struct info {
    struct tcp_info base;
    uint32_t receive_window;
};

static void translate(const struct info *i, struct ios_tcp *ret) {
    const struct tcp_info *t = &i->base;
    *ret = (struct ios_tcp){
        .mss = t->tcpi_snd_mss,
        .rtt_us = t->tcpi_rtt,
        .rtt_variance_us = t->tcpi_rttvar,
        .rtt_min_us = t->tcpi_min_rtt,
        .retransmit_timeout_us = t->tcpi_rto,
        .delayed_ack_us = t->tcpi_ato,
        .send_window = t->tcpi_snd_wnd,
        .send_scale = t->tcpi_snd_wscale,
        .receive_window = i->receive_window ? i->receive_window : t->tcpi_rcv_space,
        .receive_window_max = t->tcpi_rcv_ssthresh,
        .receive_scale = t->tcpi_rcv_wscale,
        .bytes_sent = t->tcpi_bytes_sent - t->tcpi_bytes_retrans,
        .bytes_acked = t->tcpi_bytes_acked,
        .bytes_received = t->tcpi_bytes_received,
        .segments_sent = t->tcpi_segs_out,
        .segments_received = t->tcpi_segs_in,
        .data_segments_sent = t->tcpi_data_segs_out,
        .data_segments_received = t->tcpi_data_segs_in,
        .retransmitted = t->tcpi_total_retrans,
        .out_of_order = t->tcpi_rcv_ooopack,
        .sent_idle_ms = t->tcpi_last_data_sent,
        .received_idle_ms = t->tcpi_last_data_recv,
    };
}

bool tcp_state_read(int fd, struct ios_tcp *ret_tcp) {
    struct info info;
    socklen_t size = sizeof info;
    int unread = 0;
    memset(&info, 0, sizeof info);
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0)
        return false;
    translate(&info, ret_tcp);
    if (ioctl(fd, SIOCINQ, &unread) == 0 && unread > 0)
        ret_tcp->unread_bytes = (uint32_t)unread;
    return true;
}
