/*
 * Requests to speakers (speaker/CONTROL.md): JSON lines over a socket pair.
 *
 * Owns: the queues of each connection, the ids, the matching of answers, the log events that come
 * between answers.
 * Leaves to others: descriptors and epoll (process.c, wait.c), the meaning of answers.
 *
 * Any number of speakers are asked at once: requests are written as their sockets take them, and
 * one loop reads all answers. Not more than QUEUED_BYTES_MAX wait unsent, so that a thousand large
 * configurations are not all turned into text at the same time. Ids are unique within a lab, so an
 * answer that comes after its deadline is recognised and dropped.
 *
 * What a speaker sends is not trusted: a line longer than LAB_ANSWER_BYTES_MAX, or one that is not
 * a JSON object, ends the connection. jansson limits the depth of nesting by itself.
 */
#include "../../speaker/base/arena.h"
#include "lab_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define INPUT_KEPT_BYTES 65536u /* by an idle connection */
#define QUEUED_BYTES_MAX ((size_t)64 << 20)

static struct speaker *speaker_of(struct lab *lab, uint32_t host) {
    return &lab->nodes[host].speaker;
}

/* ---- answers ---- */

static void finish(struct control_wait *w, size_t index, json_t *answer) {
    if (w->done[index])
        return;
    w->done[index] = true;
    w->remaining--;
    w->answers[index] = answer != NULL ? json_incref(answer) : NULL;
}

static void fail_all_of(struct lab *lab, uint32_t host) {
    struct control_wait *w = lab->waiting;

    for (size_t i = 0; w != NULL && i < w->count; i++)
        if (w->hosts[i] == host)
            finish(w, i, NULL);
}

static void take_event(struct speaker *s, const json_t *event) {
    const char *text = json_string_value(json_object_get(event, "text"));

    if (text == NULL)
        return;
    process_append_log(s, text, strlen(text));
    process_append_log(s, "\n", 1);
}

/* An answer nobody waits for is a late one: its deadline has passed. */
static void take_answer(struct lab *lab, uint32_t host, json_t *answer) {
    struct control_wait *w = lab->waiting;
    uint64_t id = (uint64_t)json_integer_value(json_object_get(answer, "id"));

    if (w != NULL && id >= w->first && id - w->first < w->count && w->hosts[id - w->first] == host)
        finish(w, (size_t)(id - w->first), answer);
}

static bool take_line(struct lab *lab, uint32_t host, const char *line, size_t size) {
    json_t *object = json_loadb(line, size, 0, NULL);

    if (!json_is_object(object)) {
        json_decref(object);
        return false;
    }
    if (json_object_get(object, "id") != NULL)
        take_answer(lab, host, object);
    else
        take_event(speaker_of(lab, host), object);
    json_decref(object);
    return true;
}

/* Takes the complete lines and keeps the rest. False: the peer does not keep to the protocol. */
static bool take_lines(struct lab *lab, uint32_t host) {
    struct speaker *s = speaker_of(lab, host);
    size_t start = 0;
    char *end;

    while ((end = memchr(s->in.data + s->in_scanned, '\n', s->in.size - s->in_scanned)) != NULL) {
        size_t at = (size_t)(end - s->in.data);
        if (!take_line(lab, host, s->in.data + start, at - start))
            return false;
        start = s->in_scanned = at + 1;
    }
    memmove(s->in.data, s->in.data + start, s->in.size - start);
    s->in.size -= start;
    s->in_scanned = s->in.size;
    if (s->in.size == 0 && s->in.capacity > INPUT_KEPT_BYTES)
        text_deinit(&s->in);
    return s->in.size <= LAB_ANSWER_BYTES_MAX;
}

void control_read(struct lab *lab, uint32_t host) {
    static char buffer[65536];
    struct speaker *s = speaker_of(lab, host);

    while (s->control_fd >= 0) {
        ssize_t got = read(s->control_fd, buffer, sizeof(buffer));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno == EAGAIN)
            return;
        if (got <= 0) {
            control_close(lab, host);
            return;
        }
        text_put(&s->in, buffer, (size_t)got);
        if (s->in.failed || !take_lines(lab, host))
            control_close(lab, host);
        if ((size_t)got < sizeof(buffer))
            return;
    }
}

void control_close(struct lab *lab, uint32_t host) {
    struct speaker *s = speaker_of(lab, host);

    if (s->control_fd < 0)
        return;
    lab_unwatch(lab, s->control_fd);
    close(s->control_fd);
    s->control_fd = -1;
    lab->control_queued_bytes -= s->out.size - s->out_sent;
    text_clear(&s->out);
    text_clear(&s->in);
    s->out_sent = s->in_scanned = 0;
    fail_all_of(lab, host);
}

/* ---- requests ---- */

void control_write(struct lab *lab, uint32_t host) {
    struct speaker *s = speaker_of(lab, host);

    while (s->control_fd >= 0 && s->out_sent < s->out.size) {
        ssize_t wrote = send(s->control_fd, s->out.data + s->out_sent, s->out.size - s->out_sent,
                             MSG_NOSIGNAL | MSG_DONTWAIT);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0 && errno == EAGAIN) {
            (void)lab_watch(lab, s->control_fd, LAB_WATCH_CONTROL, host, true);
            return;
        }
        if (wrote < 0) {
            control_close(lab, host);
            return;
        }
        s->out_sent += (size_t)wrote;
        lab->control_queued_bytes -= (size_t)wrote;
    }
    if (s->control_fd < 0)
        return;
    text_deinit(&s->out); /* an idle connection holds no buffer */
    text_init(&s->out);
    s->out_sent = 0;
    (void)lab_watch(lab, s->control_fd, LAB_WATCH_CONTROL, host, false);
}

/* The request as a line with an id of ours; NULL: no memory. */
static char *make_line(const json_t *request, uint64_t id) {
    json_t *copy = json_copy((json_t *)(uintptr_t)request);
    char *line = NULL;

    if (copy != NULL && json_object_set_new(copy, "id", json_integer((json_int_t)id)) == 0)
        line = json_dumps(copy, JSON_COMPACT);
    json_decref(copy);
    return line;
}

static bool send_request(struct lab *lab, uint32_t host, const json_t *request, uint64_t id) {
    struct speaker *s = speaker_of(lab, host);
    size_t before = s->out.size;
    char *line;

    if (s->control_fd < 0)
        return false;
    line = make_line(request, id);
    if (line == NULL)
        return false;
    text_puts(&s->out, line);
    text_putc(&s->out, '\n');
    free(line);
    lab->control_queued_bytes += s->out.size - before;
    if (s->out.failed) {
        control_close(lab, host);
        return false;
    }
    control_write(lab, host);
    return true;
}

static void ask_daemon(struct lab *lab, struct control_wait *w, size_t index, const json_t *request,
                       struct nanotime deadline) {
    json_t *answer = daemon_request(lab, w->hosts[index], request, deadline);

    finish(w, index, answer);
    json_decref(answer);
}

static void run_requests(struct lab *lab, struct control_wait *w, json_t *const *requests,
                         struct nanotime deadline) {
    size_t next = 0;

    while (w->remaining > 0) {
        while (next < w->count && lab->control_queued_bytes < QUEUED_BYTES_MAX) {
            if (speaker_of(lab, w->hosts[next])->daemon.driver != NULL)
                ask_daemon(lab, w, next, requests[next], deadline);
            else if (!send_request(lab, w->hosts[next], requests[next], w->first + next))
                finish(w, next, NULL);
            next++;
        }
        size_t remaining = w->remaining;
        bool late = !nanotime_before(lab_now(), deadline);
        if (remaining > 0)
            lab_pump(lab, deadline, -1, NULL);
        if (late && w->remaining == remaining)
            return; /* what is there already counts even when the deadline is past */
    }
}

void lab_request_all(struct lab *lab, const uint32_t *hosts, json_t *const *requests, size_t count,
                     uint32_t deadline_ms, json_t **ret_answers) {
    struct control_wait w = {.first = lab->control_id_last + 1,
                             .count = count,
                             .remaining = count,
                             .hosts = hosts,
                             .answers = ret_answers,
                             .done = alloc_zero(count + 1, sizeof(bool))};

    for (size_t i = 0; i < count; i++)
        ret_answers[i] = NULL;
    if (w.done == NULL)
        return;
    lab->control_id_last += count;
    lab->waiting = &w;
    run_requests(lab, &w, requests, nanotime_add_ms(lab_now(), deadline_ms));
    lab->waiting = NULL;
    alloc_free(w.done);
}

json_t *lab_request(struct lab *lab, uint32_t host, json_t *request, uint32_t deadline_ms,
                    const char **ret_error) {
    json_t *answer = NULL;

    lab_request_all(lab, &host, &request, 1, deadline_ms, &answer);
    if (answer == NULL)
        *ret_error = speaker_of(lab, host)->pid <= 0 ? "the speaker is gone"
                                                     : "no answer within the deadline";
    return answer;
}

void control_abort_all(struct lab *lab, uint32_t deadline_ms) {
    json_t *request = json_pack("{s:s,s:b}", "op", "stop", "abort", 1);
    uint32_t *hosts = alloc_zero(lab->node_count + 1, sizeof(*hosts));
    json_t **requests = alloc_zero(lab->node_count + 1, sizeof(json_t *));
    json_t **answers = alloc_zero(lab->node_count + 1, sizeof(json_t *));
    size_t count = 0;

    if (request != NULL && hosts != NULL && requests != NULL && answers != NULL) {
        for (uint32_t h = 0; h < lab->node_count; h++) {
            struct speaker *s = speaker_of(lab, h);
            if (s->pid <= 0)
                continue;
            s->expected = true;
            requests[count] = request;
            hosts[count++] = h;
        }
        lab_request_all(lab, hosts, requests, count, deadline_ms, answers);
        for (size_t i = 0; i < count; i++)
            json_decref(answers[i]);
    }
    json_decref(request);
    alloc_free(hosts);
    alloc_free(requests);
    alloc_free(answers);
}
