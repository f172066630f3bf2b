/*
 * How many messages a core decodes to text and JSON, how many lines of the line protocol it
 * answers, how many routes of an MRT table it prints.
 *
 * `decode_bench [SECONDS]` prints one line per case: the name, items per second and nanoseconds per
 * item, by the process's CPU time.
 */
#include "decode_line.h"

#include "../base/arena.h"
#include "json_out.h"
#include "mrt.h"
#include "mrt_sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct bench {
    struct decode_options how;
    struct arena *scratch;
    struct text out;
    uint8_t message[BGP_MESSAGE_SIZE_MAX];
    size_t size;
    struct text line, rib;
    struct mrt_reader *reader;
};

static double now_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void bench_json(struct bench *b) {
    struct decode_message m;
    struct json_out o = json_out(&b->out);
    arena_reset(b->scratch);
    decode_message(&b->how, b->message, b->size, b->scratch, &m);
    json_out_open(&o, '{');
    decode_put_json(&m, &o);
    json_out_close(&o, '}');
}

static void bench_text(struct bench *b) {
    struct decode_message m;
    arena_reset(b->scratch);
    decode_message(&b->how, b->message, b->size, b->scratch, &m);
    decode_put_text(&m, &b->out);
}

static void bench_line(struct bench *b) {
    decode_line(&b->how, b->line.data, b->line.size, b->scratch, &b->out);
}

static void take(void *context, const struct mrt_item *item) {
    mrt_put_lines(item, context);
}

static void bench_route(struct bench *b) {
    struct mrt_header h = mrt_header_decode((const uint8_t *)b->rib.data);
    if (mrt_read(b->reader, &h, (const uint8_t *)b->rib.data + MRT_HEADER_SIZE, take, &b->out))
        abort();
}

static bool prepare(struct bench *b) {
    struct mrt_peer peer = {sample_address("10.0.0.2"), 65001, 1};
    struct attr_values v = sample_attrs("10.0.0.2");
    struct mrt_entry entry = {0, SAMPLE_TIME, 0, &v};
    struct text peers;
    b->how = decode_defaults();
    b->scratch = arena_new();
    b->reader = mrt_reader_new();
    if (!b->scratch || !b->reader)
        return false;
    b->size = sample_update("10.1.0.0/16", true, false, b->message);
    struct json_out o = json_out(&b->line);
    json_out_open(&o, '{');
    json_out_key(&o, "hex");
    json_out_hex(&o, b->message, b->size);
    json_out_close(&o, '}');
    text_init(&peers);
    mrt_put_peers(&peers, SAMPLE_TIME, 1, "", &peer, 1);
    struct mrt_header h = mrt_header_decode((const uint8_t *)peers.data);
    const char *error =
        mrt_read(b->reader, &h, (const uint8_t *)peers.data + MRT_HEADER_SIZE, take, &b->out);
    text_deinit(&peers);
    mrt_put_rib(&b->rib, SAMPLE_TIME, 0, sample_prefix("10.1.0.0/16"), false, &entry, 1);
    return !error && !b->line.failed && !b->rib.failed;
}

static void run(const char *name, struct bench *b, void (*fn)(struct bench *), double seconds) {
    double start = now_s(), end;
    unsigned long count = 0;
    do {
        for (int i = 0; i < 1000; i++) {
            text_clear(&b->out);
            fn(b);
        }
        count += 1000;
        end = now_s();
    } while (end - start < seconds);
    printf("%-36s %10.0f /s %8.1f ns\n", name, (double)count / (end - start),
           (end - start) / (double)count * 1e9);
}

int main(int argc, char **argv) {
    static struct bench b;
    double seconds = argc > 1 ? strtod(argv[1], NULL) : 1.0;
    if (!prepare(&b))
        return 1;
    run("message to JSON, 8 attributes", &b, bench_json, seconds);
    run("message to text, 8 attributes", &b, bench_text, seconds);
    run("line of JSON answered", &b, bench_line, seconds);
    run("MRT route to line", &b, bench_route, seconds);
    mrt_reader_free(b.reader);
    arena_free(b.scratch);
    text_deinit(&b.out);
    text_deinit(&b.line);
    text_deinit(&b.rib);
    return 0;
}
