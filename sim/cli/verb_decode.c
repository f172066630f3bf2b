/*
 * decode: BGP messages from hexadecimal, octets, captures and MRT files, for people and for
 * programs.
 *
 * Owns the choice of the reader: an argument that names a file is read, and what it holds is seen
 * from its first octets; any other argument is messages in hexadecimal. What messages mean is
 * speaker/decode's business.
 */
#include "cli.h"

#include "../../speaker/core/limits.h"
#include "../../speaker/decode/decode_line.h"
#include "../../speaker/decode/json_out.h"
#include "../../speaker/decode/mrt.h"
#include "decode_internal.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FLUSH_BYTES 65536
#define MRT_TYPE_MIN 9 /* other types in the registry, which are passed over */
#define MRT_TYPE_MAX 49

void decode_flush(struct decode_job *j, bool now) {
    if (j->out.size < FLUSH_BYTES && !now)
        return;
    if (j->out.failed) {
        cli_error("decode: out of memory");
        j->status = 4;
    }
    fwrite(text_str(&j->out), 1, j->out.size, stdout);
    if (now)
        fflush(stdout);
    j->deaf |= ferror(stdout) != 0;
    text_clear(&j->out);
}

/* What a session may have agreed on otherwise, a bit each, and all ways, fewer changes first. */
enum { WAY_AS4 = 1, WAY_IDS = 2, WAY_NEXT_HOP = 4, WAY_EXTENDED = 8 };
static const uint8_t ways[] = {1, 2, 4, 8, 3, 5, 9, 6, 10, 12, 7, 11, 13, 14, 15};

static void put_way(struct decode_job *j, unsigned way) {
    const struct bgp_codec *codec = &j->how.codec;
    bool paths = codec->add_path[BGP_IPV4_UNICAST] || codec->add_path[BGP_IPV6_UNICAST];
    const char *const words[] = {
        codec->as4 ? "with --as2" : "without --as2",
        paths ? "with another --add-path" : "with --add-path FAMILY",
        codec->extended_next_hop ? "without --extended-next-hop" : "with --extended-next-hop",
        j->how.extended ? "without --extended" : "with --extended",
    };
    const char *between = "  (sound ";
    for (unsigned bit = 0; bit < sizeof words / sizeof words[0]; bit++) {
        if (way >> bit & 1) {
            text_printf(&j->out, "%s%s", between, words[bit]);
            between = " and ";
        }
    }
    text_puts(&j->out, ")\n");
}

/* A message alone does not tell how its session was negotiated: says which other options would
 * make a damaged one sound. */
static void put_hint(struct decode_job *j, const uint8_t *data, size_t size) {
    for (size_t i = 0; i < sizeof ways; i++) {
        struct decode_options other = j->how;
        struct decode_message m;
        other.codec.as4 ^= (ways[i] & WAY_AS4) != 0;
        for (int f = 0; f < BGP_FAMILIES; f++)
            other.codec.add_path[f] ^= (ways[i] & WAY_IDS) != 0;
        other.codec.extended_next_hop ^= (ways[i] & WAY_NEXT_HOP) != 0;
        other.extended ^= (ways[i] & WAY_EXTENDED) != 0;
        arena_reset(j->scratch);
        decode_message(&other, data, size, j->scratch, &m);
        if (m.error.outcome == BGP_OUTCOME_OK) {
            put_way(j, ways[i]);
            return;
        }
    }
}

void decode_print(struct decode_job *j, const uint8_t *data, size_t size) {
    struct decode_message m;
    arena_reset(j->scratch);
    decode_message(&j->how, data, size, j->scratch, &m);
    if (j->json) {
        struct json_out o = json_out(&j->out);
        json_out_open(&o, '{');
        decode_put_json(&m, &o);
        json_out_close(&o, '}');
        text_putc(&j->out, '\n');
    } else {
        decode_put_text(&m, &j->out);
        if (m.error.outcome != BGP_OUTCOME_OK)
            put_hint(j, data, size);
    }
    if (m.error.outcome == BGP_OUTCOME_SESSION_RESET)
        j->status = 1;
    decode_flush(j, false);
}

static bool take_options(const struct cli_options *o, struct decode_options *how) {
    *how = decode_defaults();
    how->codec.as4 = !o->as2;
    how->codec.external = o->external;
    how->extended = o->extended;
    how->codec.extended_next_hop = o->extended_next_hop;
    for (size_t i = 0; i < o->add_path_count; i++) {
        enum bgp_family f;
        if (!decode_family_find(o->add_path[i], &f)) {
            cli_error("--add-path is \"ipv4 unicast\" or \"ipv6 unicast\", not %s", o->add_path[i]);
            return false;
        }
        how->codec.add_path[f] = true;
    }
    return true;
}

/* Does a file begin as one of hexadecimal lines does? */
static bool is_hex(const uint8_t *data, size_t size) {
    bool any = false;
    for (size_t i = 0; i < size && i < 64; i++) {
        if (!isxdigit(data[i]) && !strchr(" \t\r\n:#x", data[i]) && !any)
            return data[0] == '#';
        any = any || isxdigit(data[i]) || data[i] == '#';
        if (data[i] == 0 || data[i] >= 0x80)
            return false;
    }
    return any;
}

/* A record's header: a type that MRT has, RFC 6396 4. */
static bool is_mrt(const uint8_t *data, size_t size) {
    return size >= MRT_HEADER_SIZE && data[4] == 0 && data[6] == 0 && data[7] <= 64 &&
           (mrt_type_name(data[5]) || (data[5] >= MRT_TYPE_MIN && data[5] <= MRT_TYPE_MAX));
}

/* In both orders of octets and both precisions. */
static bool is_pcap(const uint8_t *data, size_t size) {
    static const uint8_t magics[][4] = {
        {0xA1, 0xB2, 0xC3, 0xD4},
        {0xD4, 0xC3, 0xB2, 0xA1},
        {0xA1, 0xB2, 0x3C, 0x4D},
        {0x4D, 0x3C, 0xB2, 0xA1},
    };
    for (size_t i = 0; size >= 4 && i < sizeof magics / sizeof magics[0]; i++)
        if (memcmp(data, magics[i], 4) == 0)
            return true;
    return false;
}

static bool is_pcapng(const uint8_t *data, size_t size) {
    static const uint8_t section[] = {0x0A, 0x0D, 0x0D, 0x0A};
    return size >= sizeof section && memcmp(data, section, sizeof section) == 0;
}

static void decode_file(struct decode_job *j, struct decode_input *in, const char *name) {
    const uint8_t *data;
    size_t size = decode_input_peek(in, 64, &data);
    if (size == 0) {
        cli_error("decode: %s: empty", name);
        j->status = 2;
    } else if (is_pcap(data, size)) {
        decode_pcap_file(j, in, name);
    } else if (is_pcapng(data, size)) {
        decode_pcapng_file(j, in, name);
    } else if (is_mrt(data, size)) {
        decode_mrt_file(j, in, name);
    } else if (decode_is_marker(data, size)) {
        decode_stream_file(j, in);
    } else if (is_hex(data, size)) {
        decode_hex_file(j, in);
    } else {
        cli_error("decode: %s: neither hexadecimal, nor messages, nor a capture, nor MRT", name);
        j->status = 2;
    }
    if (in->failed) {
        cli_error("decode: %s: damaged: not read to its end", name);
        j->status = 1;
    }
}

static void decode_argument(struct decode_job *j, const char *argument) {
    static struct decode_input in;
    if (strcmp(argument, "-") != 0 && access(argument, F_OK) != 0) {
        decode_hex_text(j, argument, strlen(argument), ", and no file of this name is there");
        return;
    }
    if (!decode_input_open(&in, argument)) {
        cli_error("decode: %s: %s", argument, strerror(errno));
        j->status = 2;
        return;
    }
    decode_file(j, &in, argument);
    decode_input_close(&in);
}

/* Are the arguments one message whose blanks were not quoted? */
static bool is_scattered(const struct cli_options *o) {
    for (size_t i = 0; i < o->argument_count; i++) {
        const char *a = o->arguments[i];
        size_t size = strlen(a);
        if (size == 0 || size >= BGP_HEADER_SIZE || access(a, F_OK) == 0 ||
            strspn(a, "0123456789abcdefABCDEF") != size)
            return false;
    }
    return o->argument_count > 1;
}

static void decode_scattered(struct decode_job *j, const struct cli_options *o) {
    struct text all;
    text_init(&all);
    for (size_t i = 0; i < o->argument_count; i++)
        text_puts(&all, o->arguments[i]);
    decode_hex_text(j, text_str(&all), all.size, "");
    text_deinit(&all);
}

static void decode_arguments(struct decode_job *j, const struct cli_options *o) {
    if (o->argument_count == 0)
        decode_argument(j, "-");
    if (is_scattered(o))
        decode_scattered(j, o);
    else
        for (size_t i = 0; i < o->argument_count && !j->deaf; i++)
            decode_argument(j, o->arguments[i]);
}

int verb_decode(struct cli_options *o) {
    struct decode_job j = {.json = o->json, .scratch = arena_new()};
    text_init(&j.out);
    if (!j.scratch || !take_options(o, &j.how)) {
        arena_free(j.scratch);
        return j.scratch ? 2 : 4;
    }
    if (o->jsonl && o->argument_count == 0) {
        j.status = decode_lines(&j);
    } else if (o->jsonl) {
        cli_error("decode: --jsonl reads standard input and takes no argument");
        j.status = 2;
    } else {
        decode_arguments(&j, o);
    }
    decode_flush(&j, true);
    text_deinit(&j.out);
    arena_free(j.scratch);
    return j.status;
}
