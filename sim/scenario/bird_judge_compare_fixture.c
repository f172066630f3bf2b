/*
 * Two texts of the same scenario: what differs, what of it is explained, and the report.
 *
 * Owns the list of explanations. Each is a test on one pair of lines and a paragraph for people; a
 * difference without one is a bug of the planner, the speaker or the planner's BIRD text.
 */
#include "bird_judge_fixture.h"

#include <stdlib.h>
#include <string.h>

#define LINES_MAX 20000
#define PRINTED_MAX 12

struct lines {
    char **list;
    size_t count;
};

static int compare_lines(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* `prefix`: only lines that begin with it. */
static void read_lines(FILE *f, const char *prefix, struct lines *l) {
    char *line = NULL;
    size_t capacity = 0;
    ssize_t got;
    *l = (struct lines){calloc(LINES_MAX, sizeof(char *)), 0};
    rewind(f);
    while (l->list && l->count < LINES_MAX && (got = getline(&line, &capacity, f)) > 0) {
        if (strncmp(line, prefix, strlen(prefix)) != 0)
            continue;
        line[strcspn(line, "\n")] = '\0';
        l->list[l->count] = strdup(line);
        l->count += l->list[l->count] != NULL;
    }
    free(line);
    if (l->count)
        qsort(l->list, l->count, sizeof *l->list, compare_lines);
}

static void free_lines(struct lines *l) {
    for (size_t i = 0; i < l->count; i++)
        free(l->list[i]);
    free(l->list);
}

/* What is only in `a`, moved to the front of it; returns how many. */
static size_t keep_only(struct lines *a, const struct lines *b, struct lines *only) {
    *only = (struct lines){calloc(a->count + 1, sizeof(char *)), 0};
    size_t k = 0;
    for (size_t i = 0; only->list && i < a->count; i++) {
        while (k < b->count && strcmp(b->list[k], a->list[i]) < 0)
            k++;
        if (k < b->count && strcmp(b->list[k], a->list[i]) == 0)
            k++;
        else
            only->list[only->count++] = a->list[i];
    }
    return only->count;
}

/* ---- explanations ---- */

/* The part of a line up to `word`, the same in both? */
static bool same_until(const char *a, const char *b, const char *word) {
    const char *x = strstr(a, word), *y = strstr(b, word);
    return x && y && x - a == y - b && memcmp(a, b, (size_t)(x - a)) == 0;
}

static bool is_kernel(const char *line) {
    return strstr(line, " kernel ") != NULL;
}

/* " via A metric M" in ours, " via A B… metric M" in BIRD's. */
static bool merge_paths(const char *ours, const char *bird) {
    const char *a = strstr(ours, " via "), *b = strstr(bird, " via ");
    const char *am = strstr(ours, " metric "), *bm = strstr(bird, " metric ");
    if (!is_kernel(ours) || !a || !b || !am || !bm || !same_until(ours, bird, " via ") ||
        strcmp(am, bm) != 0)
        return false;
    char gateway[64];
    snprintf(gateway, sizeof gateway, " %.*s ", (int)(am - a - 5), a + 5);
    const char *at = strstr(b + 4, gateway);
    return at && at < bm && bm - b > am - a;
}

static bool own_cluster(const char *ours, const char *bird) {
    return !*ours && strstr(bird, " path-own-cluster ") && !strstr(bird, " best {");
}

static bool kept_alone(const char *ours, const char *bird) {
    return !*ours && strstr(bird, " kernel-alone ");
}

static const struct explanation {
    const char *id, *text;
    bool (*fits)(const char *ours, const char *bird); /* "" where one side has no such line */
} explanations[] = {
    {"merge-paths",
     "Calico's kernel protocol says `merge paths on`: BIRD writes all equally good paths of a\n"
     "prefix as one kernel route with several gateways. Our speaker writes the best path; its\n"
     "gateway is one of BIRD's, with the same metric. It shows where every node re-exports every\n"
     "block to neighbours in another AS, so that one node's block is reached through any other.",
     merge_paths},
    {"own-cluster-id",
     "BIRD looks for its own cluster id in a received CLUSTER_LIST only on sessions with clients,\n"
     "our speaker on every session (RFC 4456 section 8). Two reflectors with one cluster id keep\n"
     "each other's reflected routes as second paths with BIRD and drop them with ours; the best\n"
     "path, which is the one from the client, is the same.",
     own_cluster},
    {"kept-until-recovered",
     "Calico starts BIRD with `-R`, and its kernel protocol persists: what the one before left in\n"
     "the kernel stays while BIRD waits for its neighbours, up to 240 s. A node that is started\n"
     "and reaches nobody keeps its old routes that long; our speaker, started without being told\n"
     "to restart gracefully, removes them at once.",
     kept_alone},
};
#define EXPLANATIONS (sizeof explanations / sizeof explanations[0])

static void name_explanation(struct judged *j, const char *id) {
    size_t at = strlen(j->verdict);
    if (strstr(j->verdict, id))
        return;
    snprintf(j->verdict + at, sizeof j->verdict - at, "%s%s", at ? ", " : "", id);
}

static bool explain_pair(struct judged *j, char **ours, char **bird) {
    for (size_t x = 0; x < EXPLANATIONS; x++) {
        if (!explanations[x].fits(ours ? *ours : "", bird ? *bird : ""))
            continue;
        name_explanation(j, explanations[x].id);
        if (ours)
            *ours = NULL;
        if (bird)
            *bird = NULL;
        j->explained++;
        return true;
    }
    return false;
}

/* Pairs of lines that an explanation covers are taken out of both, then single ones. */
static void explain(struct judged *j, struct lines *ours, struct lines *bird) {
    for (size_t i = 0; i < ours->count; i++) {
        for (size_t k = 0; k < bird->count; k++) {
            if (bird->list[k] && explain_pair(j, &ours->list[i], &bird->list[k]))
                break;
        }
    }
    for (size_t k = 0; k < bird->count; k++)
        if (bird->list[k])
            (void)explain_pair(j, NULL, &bird->list[k]);
}

static size_t count_rest(const struct judged *j, const struct lines *only, const char *whose) {
    size_t said = 0, n = 0;
    for (size_t i = 0; i < only->count; i++) {
        if (!only->list[i])
            continue;
        n++;
        if (!j->quiet && said++ < PRINTED_MAX)
            printf("%s: only %s: %s\n", j->path, whose, only->list[i]);
    }
    if (n > PRINTED_MAX && !j->quiet)
        printf("%s: only %s: and %zu more\n", j->path, whose, n - PRINTED_MAX);
    return n;
}

static void compare_texts(struct judged *j, FILE *ours, FILE *bird, const char *prefix) {
    struct lines all[2], only[2];
    read_lines(ours, prefix, &all[JUDGE_OURS]);
    read_lines(bird, prefix, &all[JUDGE_BIRD]);
    j->lines = all[JUDGE_OURS].count;
    keep_only(&all[0], &all[1], &only[0]);
    keep_only(&all[1], &all[0], &only[1]);
    explain(j, &only[JUDGE_OURS], &only[JUDGE_BIRD]);
    j->unexplained = count_rest(j, &only[JUDGE_OURS], "ours") +
                     count_rest(j, &only[JUDGE_BIRD], "BIRD") + (all[0].count == 0) +
                     (all[1].count == 0);
    for (int side = 0; side < 2; side++) {
        free(only[side].list);
        free_lines(&all[side]);
    }
}

bool judge_fits(FILE *target, size_t step, const char *text) {
    struct judged j = {.path = "", .quiet = true};
    char prefix[24];
    FILE *mine = fmemopen((void *)(uintptr_t)text, strlen(text), "re");
    snprintf(prefix, sizeof prefix, "%zu ", step);
    if (!mine)
        return false;
    compare_texts(&j, target, mine, prefix);
    fclose(mine);
    return j.unexplained == 0;
}

void judge_compare(struct judged *j) {
    bool failed = j->runs[0].status != 0 || j->runs[1].status != 0;
    compare_texts(j, j->runs[JUDGE_OURS].out, j->runs[JUDGE_BIRD].out, "");
    if (!j->quiet && failed)
        printf("%s: ended with %d (ours) and %d (BIRD)\n", j->path, j->runs[0].status,
               j->runs[1].status);
    j->unexplained += failed;
    if (!j->explained)
        snprintf(j->verdict, sizeof j->verdict, "the same");
}

void judge_free(struct judged *j) {
    for (int side = 0; side < 2; side++)
        if (j->runs[side].out)
            fclose(j->runs[side].out);
}

/* ---- the report ---- */

static const char head[] =
    "# BIRD as the judge\n\n"
    "Written by `sim/scenario/bird_judge_test.c` with `JUDGE_WRITE=1`, not by hand. Each shipped\n"
    "scenario with up to ten Calico nodes runs twice: with our speaker and with Debian's BIRD "
    "1.6.8\n"
    "started with the files of `ribcage plan -o bird`, both with Calico's timers; routers are the\n"
    "mock Cisco in both. When the network has settled after an expectation, the established\n"
    "sessions with their hold times, every path each node has learned with all attributes and "
    "which\n"
    "one is best, and the kernel's routes with gateways and metrics are compared as lines. A line\n"
    "that differs is a bug or has its explanation below.\n\n"
    "| scenario | lines compared | result | lines that differ |\n|---|---|---|---|\n";

static const char tail[] =
    "\n## Not compared\n\n"
    "Paths that are stale after a kill: `trouble/node-killed` and `reflector/two-rrs` run with a\n"
    "restart time of 4 s and are looked at when it is over. Until then BIRD treats a stale path\n"
    "like any other, while our speaker prefers a fresh one.\n\n"
    "Which of several external paths the mock Cisco takes for the best where IOS decides by "
    "age.\n\n"
    "Scenarios of tunnels: stock BIRD 1.6.8 has no `krt_tunnel`, and with `learn` it takes what "
    "the\n"
    "runner writes into the kernel in Felix's place for routes of the node: it announces them a\n"
    "second time, with local preference 2147483647.\n\n"
    "A node's own routes: the pods of a lab are addresses of the loopback, which BIRD calls "
    "direct\n"
    "routes and Calico's nodes have as kernel routes. Nodes whose speaker is down. Times and the\n"
    "order of log lines.\n";

bool judge_write(const char *path, const struct judged *list, size_t count) {
    FILE *f = fopen(path, "we");
    if (!f)
        return false;
    fputs(head, f);
    for (size_t i = 0; i < count; i++)
        fprintf(f, "| %s | %zu | %s | %zu |\n", list[i].path, list[i].lines,
                list[i].skipped       ? list[i].skipped
                : list[i].unexplained ? "**differs**"
                                      : list[i].verdict,
                list[i].explained + list[i].unexplained);
    fputs("\n## Explained differences\n", f);
    for (size_t x = 0; x < EXPLANATIONS; x++)
        fprintf(f, "\n**%s.** %s\n", explanations[x].id, explanations[x].text);
    fputs(tail, f);
    return fclose(f) == 0;
}
