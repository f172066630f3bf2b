#ifndef RIBCAGE_BIRD_JUDGE_FIXTURE_H
#define RIBCAGE_BIRD_JUDGE_FIXTURE_H

#include "engine.h"

#include <stdio.h>

/*
 * For bird_judge_test.c: one run of a scenario, written down; two such texts compared.
 *
 * A line is "<step> <node> <what>…"; lines of a text are sorted before they are compared:
 *
 *   3 . held                                                  the step's expectations held
 *   3 kube-1 session Mesh_10_0_0_2 10.0.0.2                   established
 *   3 kube-1 path 10.244.0.64/26 Mesh_10_0_0_2 best {…}       learned by BGP, attributes as JSON
 *   3 kube-1 path-felix …                                     … from the neighbour's kernel (BIRD)
 *   3 kube-1 kernel 10.244.0.64/26 via 10.0.0.2 metric 1024   written by the speaker
 */

enum { JUDGE_OURS, JUDGE_BIRD };

struct judge_run {
    const char *scenario;
    const struct daemon_root *bird; /* NULL: our speaker */
    bool without_recovery;          /* BIRD is started without -R */
    size_t last_step;               /* this one and later ones are not written down; 0: all are */
    struct nanotime started;
    uint64_t duration_ns;
    FILE *out;    /* shared with the supervisor */
    FILE *target; /* what our speaker's run has written; NULL: this is it */
    pid_t pid;
    int fd, pidfd, status;
};

struct judged {
    const char *path;
    struct judge_run runs[2];
    bool quiet; /* differences are not printed */
    size_t lines, explained, unexplained;
    const char *skipped;   /* why it is not run; NULL: it is */
    bool without_recovery; /* of BIRD's run */
    size_t last_step;      /* of both */
    char verdict[256];     /* "the same" or the explanations */
};

/* A supervisor's body; `argument` is a struct judge_run. */
int judge_body(int fd, void *argument);
/* Does the text of one step differ from that step in `target` in explained lines only? */
bool judge_fits(FILE *target, size_t step, const char *text);
/* Fills the counts and the verdict; prints what is not explained. */
void judge_compare(struct judged *j);
void judge_free(struct judged *j);
bool judge_write(const char *path, const struct judged *list, size_t count);

#endif
