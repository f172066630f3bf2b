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

static bool felix_learned(const char *ours, const char *bird) {
    return !*ours && strstr(bird, " path-felix ");
}

static const struct explanation {
    const char *id, *text;
    bool (*fits)(const char *ours, const char *bird); /* "" where one side has no such line */
} explanations[] = {
    {"felix-learned",
     "BIRD's kernel protocol says `learn` and Felix writes blocks into the kernel: a blackhole "
     "for\n"
     "the node's own ones, a route for those of others. BIRD announces what it finds there with\n"
     "the same attributes, so a block is heard of a second time (`add paths on`), and CrossSubnet\n"
     "blocks also from nodes that have them by Felix. None of these paths is the best one. Our\n"
     "speaker does not read Felix's routes.",
     felix_learned},
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
    "restart time of 4 s and are looked at when it is over.\n\n"
    "Which of several external paths the mock Cisco takes for the best where IOS decides by "
    "age.\n\n"
    "Files that stock BIRD 1.6.8 cannot read: `krt_tunnel`, which IPIP routes of BIRD need, is in\n"
    "Calico's fork alone (`dataplane/ipip`).\n\n"
    "The first 240 s of a node that a neighbour does not answer: BIRD started with -R writes "
    "nothing\n"
    "to the kernel until all sessions are up, not even the way to a peer behind `reachableBy`. "
    "Our\n"
    "speaker waits only where it finds routes of an earlier life. So `tor/reachable-by` and\n"
    "`trouble/password` run with a BIRD that is started without -R.\n\n"
    "`tor/reachable-by` once the way to the switch is gone: its session lasts until the hold time "
    "ends.\n"
    "Meanwhile BIRD keeps routes through it as unreachable ones, also in the kernel; our speaker "
    "uses a\n"
    "route only when its next hop can be reached (RFC 4271 9.1.2.1).\n\n"
    "Lines of our speaker's log, which another program does not write.\n\n"
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
