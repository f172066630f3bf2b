/*
 * scale: the same scenarios at several sizes, several times; what they cost and how that grows.
 *
 * The series is a folder: series.json is rewritten whole after every run, so that whatever ends the
 * command costs one run at most; `--resume` goes on with those that are missing, failed or were
 * spoiled. series.csv and series.svg are made from it at the end.
 */

#include "../scale/series.h"
#include "launch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define REPEAT_DEFAULT 3
#define VALUES_MAX 64

const char help_scale[] =
    "\nOne --set has several values, separated by commas: the sizes. The folder of the series, "
    "below\n"
    "--runs, gets series.json (rewritten after every run), series.csv and series.svg.\n\n"
    "Exit status: 0 all runs passed; 1 a run failed, or --compare found a figure that became "
    "worse;\n"
    "2 bad usage; 7 the host spoiled runs, which are left out of the figures (--allow-noise "
    "counts\n"
    "them; --resume runs them again); 130 interrupted.\n\n"
    "  ribcage scale scenarios/scale/mesh scenarios/scale/reflectors --set nodes=10,30,100\n"
    "  ribcage scale --resume runs/scale-20261121-064500-1a2b3c4d\n"
    "  ribcage scale scenarios/scale/mesh --set nodes=10,30,100 --compare runs/scale-…\n";

struct scale_command {
    struct cli_options *o;
    struct scale_series *series;
    char directory[280]; /* of the series */
    int directory_fd;
    size_t failed, spoiled;
    int status;
};

/* ---- what is to be run ---- */

static bool take_values(struct scale_series *s, const char *list) {
    while (*list) {
        char one[64];
        size_t size = strcspn(list, ",");
        if (size == 0 || size >= sizeof one || s->value_count == VALUES_MAX)
            return false;
        memcpy(one, list, size);
        one[size] = '\0';
        if (!scale_texts_add(&s->values, &s->value_count, one))
            return false;
        list += size + (list[size] == ',');
    }
    return s->value_count > 0;
}

static bool take_set(struct scale_series *s, const struct yaml_parameter *p) {
    char text[256];
    if (!strchr(p->value, ',')) {
        snprintf(text, sizeof text, "%s=%s", p->name, p->value);
        return scale_texts_add(&s->fixed, &s->fixed_count, text);
    }
    if (s->parameter) {
        cli_error("--set %s and --set %s both have several values: one parameter is varied",
                  s->parameter, p->name);
        return false;
    }
    s->parameter = strdup(p->name);
    if (s->parameter && take_values(s, p->value))
        return true;
    cli_error("--set %s: values separated by commas, %d at most", p->name, VALUES_MAX);
    return false;
}

static bool take_scenarios(struct scale_command *c) {
    struct arena *arena = arena_new();
    struct diag_list *diags = diag_list_new();
    const char **paths = NULL;
    size_t count = 0;
    bool ok = arena && diags && cli_scenarios(c->o, arena, diags, &paths, &count);
    cli_print_diags(diags);
    for (size_t i = 0; ok && i < count; i++)
        ok = scale_texts_add(&c->series->scenarios, &c->series->scenario_count, paths[i]);
    diag_list_free(diags);
    arena_free(arena);
    return ok && count > 0;
}

static bool new_series(struct scale_command *c) {
    struct scale_series *s = c->series = alloc_zero(1, sizeof *s);
    if (!s)
        return false;
    if (!c->o->argument_count) {
        cli_error("scale: which scenario? Try scenarios/mesh/full-mesh --set nodes=10,30,100");
        return false;
    }
    s->repeat = c->o->repeat_set ? (uint32_t)c->o->repeat : REPEAT_DEFAULT;
    s->profile = strdup(c->o->profile ? c->o->profile : "");
    for (size_t i = 0; i < c->o->set_count; i++) {
        if (!take_set(s, &c->o->sets[i]))
            return false;
    }
    if (!s->parameter)
        cli_error("scale: which sizes? --set nodes=10,30,100; a single one: --set nodes=1000,");
    return s->parameter && s->profile && s->repeat > 0 && take_scenarios(c);
}

/* ---- its folder ---- */

static int make_folder(struct scale_command *c) {
    char id[LAB_ID_MAX], name[LAB_ID_MAX + 8];
    lab_id_make(id);
    snprintf(name, sizeof name, "scale-%s", id);
    return run_folder_make(c->o->runs, 0, name, c->directory, sizeof c->directory);
}

static struct scale_series *load_series(const char *directory) {
    char path[320];
    json_error_t error;
    snprintf(path, sizeof path, "%.280s/series.json", directory);
    json_t *j = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    struct scale_series *s = j ? scale_read(j) : NULL;
    if (!j)
        cli_error("%s:%d: %s", path, error.line, error.text);
    else if (!s)
        cli_error("%s: not a series", path);
    json_decref(j);
    return s;
}

static bool open_series(struct scale_command *c) {
    if (c->o->resume) {
        snprintf(c->directory, sizeof c->directory, "%.270s", c->o->resume);
        if (!(c->series = load_series(c->directory)))
            return false;
    } else if (!new_series(c)) {
        return false;
    }
    return true;
}

static bool open_folder(struct scale_command *c) {
    if (!c->o->resume) {
        c->directory_fd = make_folder(c);
        return c->directory_fd >= 0;
    }
    c->directory_fd = open(c->directory, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
    if (c->directory_fd < 0)
        cli_error("%s: %s", c->directory, strerror(errno));
    return c->directory_fd >= 0;
}

static bool keep_series(const struct scale_command *c) {
    json_t *j = scale_json(c->series, c->o->allow_noise);
    char *data = j ? json_dumps(j, JSON_INDENT(1)) : NULL;
    bool ok = data && report_write_file(c->directory_fd, "series.json", data, strlen(data));
    if (!ok)
        cli_error("%s/series.json: %s", c->directory, strerror(errno));
    free(data);
    json_decref(j);
    return ok;
}

/* ---- running ---- */

/* The options of one run: those of the series, and this size. */
static bool run_options(const struct scale_command *c, uint32_t value, struct cli_options *ret_o) {
    const struct scale_series *s = c->series;
    *ret_o = *c->o;
    ret_o->quiet = true;
    ret_o->json = false;
    ret_o->runs = c->directory;
    ret_o->runs_fd = c->directory_fd; /* whatever stands at that path by then */
    ret_o->profile = *s->profile ? s->profile : NULL;
    ret_o->set_count = 0;
    for (size_t i = 0; i < s->fixed_count; i++) {
        if (!options_set(ret_o, s->fixed[i]))
            return false;
    }
    char text[256];
    snprintf(text, sizeof text, "%s=%s", s->parameter, s->values[value]);
    return options_set(ret_o, text);
}

static void print_run(const struct scale_command *c, const struct scale_run *r) {
    const struct scale_series *s = c->series;
    if (c->o->quiet || c->o->json)
        return;
    printf("%s %s=%s %u/%u: %s", s->scenarios[r->scenario], s->parameter, s->values[r->value],
           r->repeat + 1, s->repeat, r->status == 0 || r->status == 3 ? "passed" : "FAILED");
    printf(", %lu sessions, last session %.3f s, last kernel route %.3f s%s\n",
           (unsigned long)r->sessions, r->figures[SCALE_LAST_SESSION], r->figures[SCALE_LAST_FIB],
           r->spoiled ? ", spoiled by the host" : "");
    fflush(stdout);
}

/* False: the series ends here. */
static bool take_result(struct scale_command *c, const char *id, uint32_t scenario, uint32_t value,
                        uint32_t repeat) {
    char path[LAB_ID_MAX + 16];
    snprintf(path, sizeof path, "%s/result.json", id);
    int fd = openat(c->directory_fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    json_t *result = fd >= 0 ? json_loadfd(fd, 0, NULL) : NULL;
    if (fd >= 0)
        close(fd);
    bool ok = result && scale_take(c->series, scenario, value, repeat, result);
    json_decref(result);
    if (!ok) {
        cli_error("%s/%s: no result", c->directory, path);
        c->status = 6;
        return false;
    }
    print_run(c, scale_find(c->series, scenario, value, repeat));
    return keep_series(c);
}

static bool run_one(struct scale_command *c, uint32_t scenario, uint32_t value, uint32_t repeat) {
    const struct scale_run *old = scale_find(c->series, scenario, value, repeat);
    if (old && scale_counts(old, c->o->allow_noise))
        return true;
    struct cli_options o;
    if (!run_options(c, value, &o)) {
        c->status = 2;
        return false;
    }
    struct launch l = {.o = &o};
    int status = launch(&l, c->series->scenarios[scenario]);
    options_free_sets(&o);
    if (status == 2 || status == 130) {
        c->status = status;
        return false;
    }
    return take_result(c, l.id, scenario, value, repeat);
}

/* Every size of every scenario is read before the first one runs. */
static bool read_all(struct scale_command *c) {
    const struct scale_series *s = c->series;
    bool ok = true;
    for (uint32_t i = 0; ok && i < s->scenario_count; i++) {
        for (uint32_t v = 0; ok && v < s->value_count; v++) {
            struct arena *arena = arena_new();
            struct diag_list *diags = diag_list_new();
            struct cli_options o = {.set_count = 0};
            ok = arena && diags && run_options(c, v, &o);
            struct scenario *read =
                ok ? scenario_read(s->scenarios[i], o.sets, o.set_count, arena, diags) : NULL;
            ok = read != NULL;
            if (read)
                scenario_close(read);
            cli_print_diags(diags);
            options_free_sets(&o);
            diag_list_free(diags);
            arena_free(arena);
        }
    }
    return ok;
}

/* For whoever interrupts between two runs, where there is none to end in order. */
static void set_last_word(const struct scale_command *c) {
    char line[400];
    snprintf(line, sizeof line, "ribcage: interrupted; ribcage scale --resume %s goes on\n",
             c->directory);
    front_set_last_word(line);
}

/* Repeat by repeat, so that a series cut short has every size at least once. */
static bool run_all(struct scale_command *c) {
    const struct scale_series *s = c->series;
    set_last_word(c);
    for (uint32_t k = 0; k < s->repeat; k++) {
        for (uint32_t v = 0; v < s->value_count; v++) {
            for (uint32_t i = 0; i < s->scenario_count; i++) {
                if (!run_one(c, i, v, k))
                    return false;
            }
        }
    }
    return true;
}

/* ---- the end ---- */

static void write_form(const struct scale_command *c, const char *name,
                       void (*form)(const struct scale_series *s, bool noise, struct text *out)) {
    struct text out;
    text_init(&out);
    form(c->series, c->o->allow_noise, &out);
    if (!report_write_file(c->directory_fd, name, text_str(&out), out.size))
        cli_error("%s/%s: %s", c->directory, name, strerror(errno));
    text_deinit(&out);
}

static void csv_form(const struct scale_series *s, bool noise, struct text *out) {
    (void)noise;
    scale_csv(s, out);
}

static void print_report(const struct scale_command *c) {
    struct text out;
    if (c->o->json) {
        cli_print_json(scale_json(c->series, c->o->allow_noise));
        return;
    }
    text_init(&out);
    text_putc(&out, '\n');
    scale_table(c->series, c->o->allow_noise, &out);
    scale_growth(c->series, c->o->allow_noise, &out);
    fputs(text_str(&out), stdout);
    text_deinit(&out);
    printf("series: %s/series.json, series.csv, series.svg\n", c->directory);
}

static void count_runs(struct scale_command *c) {
    for (size_t i = 0; i < c->series->run_count; i++) {
        const struct scale_run *r = &c->series->runs[i];
        bool passed = r->status == 0 || r->status == 3;
        c->failed += !passed && r->status != 7;
        c->spoiled += r->status == 7 || (passed && r->spoiled && !c->o->allow_noise);
    }
    if (c->spoiled)
        cli_error("the host spoiled %zu of %zu runs: they are left out (--resume %s)", c->spoiled,
                  c->series->run_count, c->directory);
}

/* How many figures became worse. */
static size_t compare(const struct scale_command *c) {
    struct scale_series *before = c->o->compare ? load_series(c->o->compare) : NULL;
    struct text out;
    if (!before)
        return c->o->compare ? 1 : 0;
    text_init(&out);
    size_t worse = scale_compare(before, c->series, c->o->allow_noise, &out);
    fprintf(c->o->json ? stderr : stdout, "compared with %s: %zu worse\n%s", c->o->compare, worse,
            text_str(&out));
    text_deinit(&out);
    scale_series_free(before);
    return worse;
}

static int conclude(struct scale_command *c, bool complete) {
    if (!complete && c->status == 130)
        cli_error("interrupted; ribcage scale --resume %s goes on", c->directory);
    if (!c->series->run_count)
        return c->status ? c->status : 4;
    write_form(c, "series.csv", csv_form);
    write_form(c, "series.svg", scale_svg);
    print_report(c);
    if (!complete)
        return c->status ? c->status : 4;
    count_runs(c);
    size_t worse = compare(c);
    return c->failed || worse ? 1 : c->spoiled ? 7 : 0;
}

int verb_scale(struct cli_options *o) {
    struct scale_command c = {.o = o, .directory_fd = -1};
    int status = 2;
    if (open_series(&c))
        status = read_all(&c) && open_folder(&c) ? conclude(&c, keep_series(&c) && run_all(&c)) : 2;
    if (c.directory_fd >= 0) {
        run_folder_give(c.directory_fd);
        close(c.directory_fd);
    }
    scale_series_free(c.series);
    return status;
}
