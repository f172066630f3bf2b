/*
 * Captures: packets of pcap files by libpcap, of pcapng files, whose interfaces libpcap wants to be
 * alike, and messages by speaker/decode.
 */
#include "cli.h"

#include "../../speaker/decode/capture.h"
#include "../../speaker/decode/json_out.h"
#include "../../speaker/decode/pcapng.h"
#include "decode_internal.h"

#include <inttypes.h>
#include <pcap/pcap.h>
#include <time.h>

#define NANOSECONDS 1000000000u

static void put_end(const struct capture_end_point *e, struct text *out) {
    char text[IP_ADDR_TEXT_MAX];
    bool v6 = e->addr.family == IP_V6;
    text_printf(out, "%s%s%s:%u", v6 ? "[" : "", ip_format(e->addr, text), v6 ? "]" : "", e->port);
}

static void put_json_end(struct json_out *o, const char *key, const struct capture_end_point *e) {
    struct text text;
    text_init(&text);
    put_end(e, &text);
    json_out_key(o, key);
    json_out_text(o, text_str(&text));
    text_deinit(&text);
}

/* How a message without OPENs before it had to be read, in the words of the line protocol. */
static void put_json_guess(struct json_out *o, const struct bgp_codec *codec) {
    json_out_key(o, "guessed");
    json_out_open(o, '{');
    json_out_key(o, "asn4");
    json_out_bool(o, codec->as4);
    json_out_key(o, "add_path");
    json_out_open(o, '[');
    for (int f = 0; f < BGP_FAMILIES; f++)
        if (codec->add_path[f])
            json_out_text(o, decode_our_family((enum bgp_family)f));
    json_out_close(o, ']');
    json_out_key(o, "extended_next_hop");
    json_out_bool(o, codec->extended_next_hop);
    json_out_close(o, '}');
}

static void put_guess(struct text *out, const struct bgp_codec *codec) {
    const bool *ids = codec->add_path;
    text_printf(out, "(no OPEN is here: read with AS numbers of %s octets",
                codec->as4 ? "four" : "two");
    if (ids[BGP_IPV4_UNICAST] || ids[BGP_IPV6_UNICAST])
        text_printf(out, ", path identifiers%s%s", ids[BGP_IPV4_UNICAST] ? " of ipv4 unicast" : "",
                    ids[BGP_IPV6_UNICAST] ? " of ipv6 unicast" : "");
    text_printf(out, "%s from here on)\n",
                codec->extended_next_hop ? ", IPv6 next hops of IPv4 prefixes" : "");
}

static void put_json(const struct capture_item *item, struct text *out) {
    struct json_out o = json_out(out);
    json_out_open(&o, '{');
    json_out_key(&o, "time_ns");
    json_out_number(&o, item->time_ns);
    put_json_end(&o, "from", &item->from);
    put_json_end(&o, "to", &item->to);
    if (item->lost) {
        json_out_key(&o, "lost");
        json_out_bool(&o, true);
    }
    if (item->guessed)
        put_json_guess(&o, &item->message->how.codec);
    decode_put_json(item->message, &o);
    json_out_close(&o, '}');
    text_putc(out, '\n');
}

static void put_lines(const struct capture_item *item, struct text *out) {
    time_t seconds = (time_t)(item->time_ns / NANOSECONDS);
    struct tm t;
    char text[32];
    if (item->lost)
        text_puts(out, "(octets are missing here)\n");
    if (item->guessed)
        put_guess(out, &item->message->how.codec);
    gmtime_r(&seconds, &t);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &t);
    text_printf(out, "%s.%06" PRIu64 "Z ", text, item->time_ns % NANOSECONDS / 1000);
    put_end(&item->from, out);
    text_puts(out, " > ");
    put_end(&item->to, out);
    text_puts(out, "  ");
    decode_put_text(item->message, out);
}

static void each(void *context, const struct capture_item *item) {
    struct decode_job *j = context;
    if (j->json)
        put_json(item, &j->out);
    else
        put_lines(item, &j->out);
    if (item->message->error.outcome == BGP_OUTCOME_SESSION_RESET)
        j->status = 1;
    decode_flush(j, false);
}

static void put_count(struct text *out, uint64_t count, const char *what) {
    if (count > 0)
        text_printf(out, "%s%" PRIu64 " %s", out->size > 0 ? ", " : "", count, what);
}

/* What was passed over, if something of BGP may have been in it; and that nothing is there. */
static void tell(struct decode_job *j, const char *name, const struct capture_counts *n) {
    const char *known = pcap_datalink_val_to_name(n->unknown_link_type);
    struct text passed;
    text_init(&passed);
    put_count(&passed, n->unknown_link, "of a link type that is not read here");
    if (n->unknown_link > 0)
        text_printf(&passed, " (%s, %d)", known ? known : "unknown", n->unknown_link_type);
    put_count(&passed, n->fragments, "are fragments");
    put_count(&passed, n->damaged, "end before their data");
    put_count(&passed, n->cut, "cut short by the capture");
    if (n->messages == 0)
        cli_error("decode: %s: no BGP message here; packets: %" PRIu64 "%s%s", name, n->packets,
                  passed.size > 0 ? ", " : "", text_str(&passed));
    else if (passed.size > 0)
        cli_error("decode: %s: packets: %" PRIu64 ", %s", name, n->packets, text_str(&passed));
    if (n->unknown_link > 0)
        j->status = 2;
    text_deinit(&passed);
}

/* NULL, or what is wrong with the file behind the packets that were read. */
typedef const char *packets_fn(void *file, struct decode_job *j, struct capture *c);

static const char *read_pcap(void *file, struct decode_job *j, struct capture *c) {
    pcap_t *p = file;
    struct pcap_pkthdr *head;
    const uint8_t *data;
    int got = 0;
    while (!j->deaf && (got = pcap_next_ex(p, &head, &data)) == 1) {
        uint64_t ns = (uint64_t)head->ts.tv_sec * NANOSECONDS + (uint64_t)head->ts.tv_usec;
        capture_packet(c, pcap_datalink(p), ns, data, head->caplen);
    }
    return got == PCAP_ERROR ? pcap_geterr(p) : NULL;
}

static const char *read_pcapng(void *file, struct decode_job *j, struct capture *c) {
    struct pcapng_packet packet;
    const char *fault = NULL;
    while (!j->deaf && pcapng_next(file, &packet, &fault) == PCAPNG_PACKET)
        capture_packet(c, packet.link_type, packet.time_ns, packet.data, packet.size);
    return fault;
}

static void read_packets(struct decode_job *j, packets_fn *read, void *file, const char *name) {
    struct capture *c = capture_new(&j->how, each, j);
    if (!c) {
        cli_error("decode: out of memory");
        j->status = 4;
        return;
    }
    const char *fault = read(file, j, c);
    if (!capture_finish(c) || fault) {
        decode_flush(j, true);
        cli_error("decode: %s: %s", name, fault ? fault : "some connections are not shown whole");
        j->status = 1;
    }
    struct capture_counts counts = capture_counts(c);
    decode_flush(j, true);
    tell(j, name, &counts);
    capture_free(c);
}

static size_t input(void *context, uint8_t *out, size_t size) {
    return decode_input_read(context, out, size);
}

void decode_pcapng_file(struct decode_job *j, struct decode_input *in, const char *name) {
    struct pcapng_file f = {.input = input, .context = in};
    read_packets(j, read_pcapng, &f, name);
    pcapng_deinit(&f);
}

void decode_pcap_file(struct decode_job *j, struct decode_input *in, const char *name) {
    char error[PCAP_ERRBUF_SIZE];
    FILE *f = decode_input_stream(in);
    pcap_t *p =
        f ? pcap_fopen_offline_with_tstamp_precision(f, PCAP_TSTAMP_PRECISION_NANO, error) : NULL;
    if (!p) {
        cli_error("decode: %s: %s", name, f ? error : "out of memory");
        j->status = 2;
        if (f)
            fclose(f);
        return;
    }
    read_packets(j, read_pcap, p, name);
    pcap_close(p);
}
