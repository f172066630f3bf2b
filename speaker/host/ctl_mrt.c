/*
 * An MRT table dump as own routes: RFC 6396 4.2 and 4.3, RFC 8050.
 *
 * Owns which routes of the file are taken (one path a prefix), the batches they go in, and what is
 * said of those that could not be. Records are decode/mrt_file.c's and mrt_read.c's, attributes
 * become the octets of an UPDATE in config/attr_words.c, and the speaker judges those once more.
 *
 * The file is read once, a record at a time, so memory does not grow with it. A request is small
 * enough for the speaker's loop to go on with its sessions in between, and the next one is not made
 * before the last one is answered: the speaker sets the pace. A record with a fault is passed over
 * while it is known where the next one begins.
 */
#include "ctl_mrt.h"

#include "../base/text.h"
#include "../config/attr_words.h"
#include "../core/attr.h"
#include "../decode/mrt_file.h"
#include "ctl_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BATCH_ROUTES 256u /* a few milliseconds of the speaker's time */
#define PROGRESS_ROUTES UINT64_C(10240)

struct job {
    const struct ctl_mrt_options *options;
    int fd;
    struct mrt_file file;
    json_t *routes; /* of the next request */
    struct ip_prefix last;
    bool has_last;     /* a route for `last` was taken */
    bool tables;       /* the file has records of tables */
    bool deaf;         /* the speaker does not answer */
    struct text error; /* not empty: nothing more is read */
    struct text fault; /* the first of those below */
    uint64_t faults;   /* damaged records, and routes that cannot be used */
    uint64_t other_paths, other_peers, foreign;
    uint64_t taken, done, missing;
    uint64_t progress_next; /* what `taken` is to be before it is shown */
    uint64_t per_family[BGP_FAMILIES];
};

/* ---- words ---- */

static bool word_peer(struct ctl_mrt_options *o, const char *value) {
    uint64_t n;
    if (!text_to_u64(value, 0, UINT16_MAX, &n))
        return ip_parse(value, &o->peer);
    o->peer_index = (uint32_t)n;
    return true;
}

static bool word_max(struct ctl_mrt_options *o, const char *value) {
    return text_to_u64(value, 1, INT64_MAX, &o->routes_max);
}

static bool word_next_hop(struct ctl_mrt_options *o, const char *value) {
    o->recorded_next_hop = strcmp(value, "recorded") == 0;
    return o->verb == CTL_MRT_ANNOUNCE && (o->recorded_next_hop || strcmp(value, "self") == 0);
}

static bool take_word(struct ctl_mrt_options *o, const char *word, const char *value,
                      struct text *error) {
    static const struct {
        const char *name;
        bool (*read)(struct ctl_mrt_options *o, const char *value);
    } readers[] = {{"peer", word_peer}, {"max", word_max}, {"next-hop", word_next_hop}};
    for (size_t i = 0; i < sizeof readers / sizeof readers[0]; i++) {
        if (strcmp(word, readers[i].name) != 0)
            continue;
        if (value && readers[i].read(o, value))
            return true;
        if (value)
            text_printf(error, "%s cannot be \"%.60s\"", word, value);
        else
            text_printf(error, "no value for \"%s\"", word);
        return false;
    }
    text_printf(error, "what is \"%.60s\"", word);
    return false;
}

bool ctl_mrt_options(enum ctl_mrt_verb verb, char *const *words, int count,
                     struct ctl_mrt_options *ret_options, struct text *ret_error) {
    struct ctl_mrt_options o = {
        .verb = verb, .file = words[0], .peer_index = MRT_NO_PEER, .routes_max = UINT64_MAX};
    for (int at = 1; at < count; at += 2)
        if (!take_word(&o, words[at], at + 1 < count ? words[at + 1] : NULL, ret_error))
            return false;
    *ret_options = o;
    return true;
}

/* ---- the file ---- */

static size_t input(void *context, uint8_t *out, size_t size) {
    uint8_t dropped[16384];
    size_t done = 0;
    while (done < size) {
        size_t step = !out && size - done > sizeof dropped ? sizeof dropped : size - done;
        size_t got = fread(out ? out + done : dropped, 1, step, context);
        if (got == 0)
            break;
        done += got;
    }
    return done;
}

/* NULL with what is wrong. A pipe or a device by name could keep us for ever. */
static FILE *open_input(const char *path, const char **ret_error) {
    struct stat st = {.st_mode = 0};
    bool standard = strcmp(path, "-") == 0;
    int fd = standard ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
                      : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    *ret_error = NULL;
    if (fd < 0 || fstat(fd, &st) != 0)
        *ret_error = strerror(errno);
    else if (S_ISDIR(st.st_mode))
        *ret_error = strerror(EISDIR);
    else if (!standard && !S_ISREG(st.st_mode))
        *ret_error = "not a regular file (- is standard input)";
    FILE *in = *ret_error ? NULL : fdopen(fd, "rb");
    if (!in && !*ret_error)
        *ret_error = strerror(errno);
    if (!in && fd >= 0)
        close(fd);
    return in;
}

/* The record at hand, in front of what is wrong with it. */
static void put_place(const struct job *j, struct text *out) {
    text_printf(out, "record %" PRIu64 " at octet %" PRIu64 ": ", j->file.record, j->file.offset);
}

static void stop(struct job *j, const char *what) {
    put_place(j, &j->error);
    text_puts(&j->error, what);
}

static void fault(struct job *j, const char *what) {
    if (j->faults++ > 0)
        return;
    put_place(j, &j->fault);
    text_puts(&j->fault, what);
}

/* ---- requests ---- */

static void show_progress(struct job *j) {
    if (!j->options->progress || j->taken < j->progress_next)
        return;
    fprintf(stderr, "\r%" PRIu64 " routes", j->taken);
    j->progress_next = j->taken + PROGRESS_ROUTES;
}

static void put_refusal(struct job *j, const json_t *answer, json_int_t at) {
    const json_t *route = json_array_get(j->routes, (size_t)at);
    const char *prefix = json_string_value(json_object_get(route, "prefix"));
    const json_t *finding = json_array_get(json_object_get(answer, "diags"), 0);
    const char *why = json_string_value(json_object_get(finding, "message"));
    text_printf(&j->error, "%s: %s", prefix ? prefix : "the speaker",
                json_string_value(json_object_get(answer, "error")));
    if (why)
        text_printf(&j->error, ": %s", why);
}

/* Sends what has gathered. */
static void flush(struct job *j) {
    bool announce = j->options->verb == CTL_MRT_ANNOUNCE;
    if (j->deaf || json_array_size(j->routes) == 0)
        return;
    json_t *request =
        json_pack("{s:s, s:O}", "op", announce ? "originate" : "withdraw", "routes", j->routes);
    if (!announce)
        json_object_set_new(request, "missing_ok", json_true());
    json_t *answer = ctl_ask(j->fd, request);
    json_int_t count = json_integer_value(json_object_get(answer, "count"));
    json_int_t missing = json_integer_value(json_object_get(answer, "missing"));
    j->deaf = !answer;
    j->done += (uint64_t)count;
    j->missing += (uint64_t)missing;
    if (answer && !json_is_true(json_object_get(answer, "ok")))
        put_refusal(j, answer, count + missing);
    json_decref(answer);
    json_array_clear(j->routes);
    show_progress(j);
}

static bool put_next_hop(json_t *route, struct ip_addr a) {
    char text[IP_ADDR_TEXT_MAX];
    return ip_is_unspecified(a) ||
           json_object_set_new(route, "next_hop", json_string(ip_format(a, text))) == 0;
}

/* The route as `originate` and `withdraw` have it. */
static void add(struct job *j, struct ip_prefix prefix, const struct bgp_update *u) {
    const struct ctl_mrt_options *o = j->options;
    char text[IP_PREFIX_TEXT_MAX];
    json_t *route =
        json_pack("{s:s, s:s}", "prefix", ip_prefix_format(prefix, text), "source", "static");
    bool ok = route != NULL;
    if (o->verb == CTL_MRT_ANNOUNCE)
        ok = ok && attr_words_put_values(route, &u->attrs, true) &&
             (!o->recorded_next_hop || put_next_hop(route, u->next_hop[0]));
    if (!ok || json_array_append(j->routes, route) != 0) {
        stop(j, "out of memory");
    } else {
        j->last = prefix;
        j->has_last = true;
        j->per_family[prefix.addr.family == IP_V6]++;
        j->taken++;
    }
    json_decref(route);
    if (json_array_size(j->routes) == BATCH_ROUTES)
        flush(j);
}

/* ---- routes ---- */

static bool is_ended(const struct job *j) {
    return j->deaf || j->error.size > 0 || j->taken == j->options->routes_max;
}

static bool is_wanted(const struct ctl_mrt_options *o, const struct mrt_item *item) {
    return (!ip_is_set(o->peer) || ip_equal(o->peer, item->peer.addr)) &&
           (o->peer_index == MRT_NO_PEER || o->peer_index == item->peer_index);
}

static void each(void *context, const struct mrt_item *item) {
    struct job *j = context;
    struct ip_prefix prefix;
    uint32_t at = 0;
    if (item->kind != MRT_ROUTE || is_ended(j))
        return;
    const struct bgp_update *u = &item->message->update;
    enum bgp_outcome outcome = item->message->error.outcome;
    if (!is_wanted(j->options, item))
        j->other_peers++;
    else if ((outcome != BGP_OUTCOME_OK && outcome != BGP_OUTCOME_DISCARD_ATTRIBUTE) ||
             u->announced_count != 1)
        fault(j, "a route whose attributes are malformed");
    else if (!nlri_next(&u->announced[0], &at, &prefix))
        fault(j, "a prefix that is no unicast destination");
    else if (j->has_last && ip_prefix_equal(prefix, j->last))
        j->other_paths++;
    else
        add(j, prefix, u);
}

static void take_record(struct job *j, struct mrt_reader *reader) {
    const struct mrt_header *h = &j->file.header;
    bool table = h->type == MRT_TABLE_DUMP || h->type == MRT_TABLE_DUMP_V2;
    if (!mrt_type_name(h->type)) {
        stop(j, "unknown type: what follows cannot be trusted");
        return;
    }
    j->tables |= table;
    if (!table)
        return;
    if (mrt_is_foreign(h, j->file.body)) {
        j->foreign++;
        return;
    }
    const char *error = mrt_read(reader, h, j->file.body, each, j);
    if (error)
        fault(j, error);
}

/* Nothing is left that could be read. */
static void take_end(struct job *j, bool inside) {
    if (ferror(j->file.context))
        stop(j, "it cannot be read");
    else if (inside)
        stop(j, "truncated");
    else if (j->file.record == 1)
        text_puts(&j->error, "empty");
}

/* The first header is there, and of no type known: lengths of such a file mean nothing. */
static bool is_no_mrt(const struct mrt_file *f) {
    return f->record == 1 && f->next > 0 && !mrt_type_name(f->header.type);
}

static void take_all(struct job *j, struct mrt_reader *reader) {
    while (!is_ended(j)) {
        enum mrt_found found = mrt_file_next(&j->file);
        if (is_no_mrt(&j->file)) {
            text_puts(&j->error, "not an MRT file (unpack it first if it is compressed)");
            return;
        }
        switch (found) {
        case MRT_FOUND_RECORD:
            take_record(j, reader);
            break;
        case MRT_FOUND_TOO_LARGE:
            fault(j, "too large");
            break;
        case MRT_FOUND_NO_MEMORY:
            stop(j, "out of memory");
            return;
        case MRT_FOUND_TRUNCATED:
        case MRT_FOUND_END:
            take_end(j, found == MRT_FOUND_TRUNCATED);
            return;
        }
    }
}

/* ---- the answer ---- */

static void put_problem(const struct job *j, struct text *out) {
    const char *verb = j->options->verb == CTL_MRT_ANNOUNCE ? "announced" : "withdrawn";
    text_printf(out, "%s: ", j->options->file);
    if (j->error.size > 0)
        text_puts(out, text_str(&j->error));
    else if (j->faults > 0)
        text_printf(out, "%" PRIu64 " faults were passed over, the first one in %s", j->faults,
                    text_str(&j->fault));
    else if (!j->tables)
        text_puts(out, "it holds no table");
    else
        text_puts(out, "no such route");
    text_printf(out, "; %" PRIu64 " routes were %s", j->done, verb);
}

static json_t *make_answer(const struct job *j) {
    bool announce = j->options->verb == CTL_MRT_ANNOUNCE;
    bool ok = j->error.size == 0 && j->faults == 0 && j->taken > 0;
    json_t *answer =
        json_pack("{s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "ok", (int)ok,
                  announce ? "announced" : "withdrawn", (json_int_t)j->done, "ipv4",
                  (json_int_t)j->per_family[BGP_IPV4_UNICAST], "ipv6",
                  (json_int_t)j->per_family[BGP_IPV6_UNICAST], "other_paths",
                  (json_int_t)j->other_paths, "other_peers", (json_int_t)j->other_peers,
                  "other_families", (json_int_t)j->foreign, "faults", (json_int_t)j->faults);
    if (answer && !announce)
        json_object_set_new(answer, "missing", json_integer((json_int_t)j->missing));
    if (answer && !ok) {
        struct text problem;
        text_init(&problem);
        put_problem(j, &problem);
        json_object_set_new(answer, "error", json_string(text_str(&problem)));
        text_deinit(&problem);
    }
    return answer;
}

static json_t *refuse(const char *file, const char *why) {
    return json_pack("{s:b, s:o}", "ok", 0, "error", json_sprintf("%s: %s", file, why));
}

json_t *ctl_mrt_run(int fd, const struct ctl_mrt_options *options) {
    const char *why = NULL;
    FILE *in = open_input(options->file, &why);
    if (!in)
        return refuse(options->file, why);
    struct job j = {.options = options,
                    .fd = fd,
                    .file = {.input = input, .context = in},
                    .routes = json_array()};
    struct mrt_reader *reader = mrt_reader_new();
    text_init(&j.error);
    text_init(&j.fault);
    if (reader && j.routes)
        take_all(&j, reader);
    else
        text_puts(&j.error, "out of memory");
    flush(&j);
    if (options->progress)
        fprintf(stderr, "\r%*s\r", 28, "");
    json_t *answer = j.deaf ? NULL : make_answer(&j);
    mrt_file_deinit(&j.file);
    mrt_reader_free(reader);
    json_decref(j.routes);
    text_deinit(&j.error);
    text_deinit(&j.fault);
    fclose(in);
    return answer;
}
