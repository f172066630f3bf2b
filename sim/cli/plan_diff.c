/*
 * plan --diff OLD NEW: what applying NEW on top of OLD changes, and the states on the way, one
 * resource at a time in the order of NEW, as calicoctl or kubectl applies them; what a state is
 * told by is plan_states.c's. Objects that NEW does not name stay, which is said; with --prune they
 * go, one by one behind NEW's documents.
 *
 * Exit status: 0 nothing is lost on the way; 3 a step lets sessions fall or start anew, cuts nodes
 * off or freezes them; 2 something is refused.
 */
#include "cli.h"
#include "manifests.h"
#include "plan_verbs.h"

#include "../calico/plan_diff.h"

#include <stdlib.h>
#include <string.h>

#define NAMED_MAX 20 /* objects that stay */

/* ---- steps ---- */

struct walk {
    const struct cli_options *options;
    enum calico_tool tool;
    struct planned state; /* after the last step */
    struct plan_up up;    /* in it */
    struct arena *arena;
    json_int_t unreachable;
    json_t *steps, *stay;
    struct manifests in; /* NEW */
    struct calico_applied applied;
    bool refused, harm;
    bool broken; /* a document of NEW is no YAML; kubectl takes those before it */
};

static json_t *step_json(const char *kind, const char *name, struct diag_place place) {
    return json_pack("{s:s,s:i,s:s,s:s}", "file", place.file ? place.file : "", "line",
                     (int)place.line, "kind", kind, "name", name);
}

/* One resource: of a list, too, each comes into force before the next. */
struct resource_step {
    size_t at; /* index among the applied */
    struct diag_place place, next;
    const struct calico_applied_resource *resource;
};

static struct diag_place document_place(const struct walk *w, size_t document) {
    return document < w->in.count ? yaml_place(w->in.documents[document].root)
                                  : (struct diag_place){0};
}

/* A document of its own begins at its first line, a member of a list at its kind. */
static struct resource_step resource_step(const struct walk *w, size_t at) {
    const struct calico_applied_resource *items = w->applied.items, *r = &items[at];
    bool first = at == 0 || items[at - 1].document != r->document;
    bool last = at + 1 == w->applied.count || items[at + 1].document != r->document;
    return (struct resource_step){
        .at = at,
        .place = first && last ? document_place(w, r->document) : r->place,
        .next = last ? document_place(w, r->document + 1) : items[at + 1].place,
        .resource = r,
    };
}

static bool is_within(const struct diag *d, const struct resource_step *s) {
    bool before_next = !s->next.file || strcmp(s->next.file, d->file) != 0 ||
                       d->line < s->next.line || s->next.line <= s->place.line;
    return s->place.file && strcmp(s->place.file, d->file) == 0 && d->line >= s->place.line &&
           before_next;
}

/* What was said against the resource. */
static json_t *messages(const struct diag_list *d, const struct resource_step *s) {
    json_t *list = json_array();
    for (size_t i = 0; i < diag_count(d); i++) {
        const struct diag *f = diag_at(d, i);
        if (f->severity == DIAG_ERROR && is_within(f, s))
            json_array_append_new(
                list, json_sprintf("%s:%u:%u: %s", f->file, f->line, f->column, f->message));
    }
    return list;
}

/* The state with one resource more, or one object less. False: memory ran out. */
static bool next_state(const struct walk *w, const struct resource_step *s,
                       const struct calico_applied_resource *pruned, struct planned *ret_next) {
    struct calico_plan_options options = plan_options(w->options);
    struct planned n = {
        .arena = arena_new(), .diags = diag_list_new(), .set = calico_set_copy(w->state.set)};
    n.routers = w->state.routers;
    bool ok = n.arena && n.diags && n.set;
    if (ok && pruned)
        ok = calico_remove(n.set, pruned->kind, pruned->name);
    else if (ok)
        ok = calico_apply_part(n.set, w->in.documents, w->in.count, &w->applied, s->at, s->at + 1,
                               n.diags);
    if (ok)
        n.plan = calico_plan_new(n.set, &options, n.diags);
    *ret_next = n;
    return n.plan != NULL;
}

static void put_reach(struct walk *w, json_t *step, struct planned *next) {
    json_t *examples = json_array();
    json_int_t missing = plan_unreachable(next, &w->state, examples);
    json_object_set_new(step, "unreachable", missing < 0 ? json_null() : json_integer(missing));
    json_object_set_new(step, "examples", examples);
    w->harm |= missing > w->unreachable || json_array_size(json_object_get(step, "fall")) > 0 ||
               json_array_size(json_object_get(step, "startAnew")) > 0;
    w->unreachable = missing;
}

/* Nodes that hear of nothing from this step on. */
static void put_frozen(struct walk *w, json_t *step, const struct planned *next) {
    json_t *list = json_array();
    for (size_t i = 0; i < next->plan->node_count; i++) {
        const struct calico_plan_node *n = &next->plan->nodes[i];
        const struct calico_plan_node *before = calico_plan_find(w->state.plan, n->node->name);
        for (int f = 0; f < BGP_FAMILIES; f++)
            if (n->refused[f] && !(before && before->refused[f]))
                json_array_append_new(list,
                                      json_sprintf("%s, IPv%d: %s", n->node->name,
                                                   f == BGP_IPV4_UNICAST ? 4 : 6, n->refused[f]));
    }
    json_object_set_new(step, "freeze", list);
    w->harm |= json_array_size(list) > 0;
}

static bool walk_step(struct walk *w, json_t *step, const struct resource_step *s,
                      const struct calico_applied_resource *pruned) {
    struct planned next;
    struct plan_up up;
    if (!next_state(w, s, pruned, &next) ||
        !plan_up(w->state.plan, &w->up, next.plan, w->arena, &up)) {
        planned_release(&next);
        return false;
    }
    plan_states_compare(w->state.plan, &w->up, next.plan, &up, step);
    put_frozen(w, step, &next);
    put_reach(w, step, &next);
    planned_release(&w->state);
    w->state = next;
    w->up = up;
    return true;
}

/* False: memory ran out. */
static bool walk_resources(struct walk *w, const struct diag_list *diags) {
    for (size_t i = 0; i < w->applied.count; i++) {
        struct resource_step s = resource_step(w, i);
        bool taken = s.resource->outcome == CALICO_TAKEN;
        if (s.resource->outcome == CALICO_NOT_LOOKED_AT)
            continue;
        json_t *step = step_json(s.resource->kind, s.resource->name, s.place);
        json_array_append_new(w->steps, step);
        if (!taken)
            json_object_set_new(step, "refused", messages(diags, &s));
        json_object_set_new(step, "applied", json_integer(taken));
        if (taken && !walk_step(w, step, &s, NULL))
            return false;
    }
    w->refused = w->broken || w->applied.refused > 0;
    return true;
}

/* What NEW does not name: it stays, or goes object by object. */
static bool walk_unnamed(struct walk *w, const struct planned *old, struct arena *arena) {
    size_t count;
    const struct calico_applied_resource *list =
        calico_unnamed(old->set, &w->applied, arena, &count);
    for (size_t i = 0; list && i < count; i++) {
        json_t *step = step_json(list[i].kind, list[i].name, list[i].place);
        json_array_append_new(w->options->prune ? w->steps : w->stay, step);
        if (!w->options->prune)
            continue;
        json_object_set_new(step, "pruned", json_true());
        if (!walk_step(w, step, NULL, &list[i]))
            return false;
    }
    return list != NULL;
}

/* ---- for people ---- */

static void print_list(const json_t *list, const char *of, const char *what, struct text *out) {
    size_t i, n = json_array_size(list);
    json_t *s;
    if (n)
        text_printf(out, "    %zu %s%s %s\n", n, of, n == 1 ? "" : "s", what);
    json_array_foreach(list, i, s) {
        if (i == PLAN_EXAMPLES_MAX) {
            text_printf(out, "      … and %zu more\n", n - i);
            break;
        }
        const char *name = json_string_value(json_is_object(s) ? json_object_get(s, "session") : s);
        const char *why = json_string_value(json_object_get(s, "why"));
        text_printf(out, "      %s%s%s\n", name, why ? ": " : "", why ? why : "");
    }
}

static void print_frozen(const json_t *list, struct text *out) {
    print_list(list, "configuration",
               "refused by BIRD: what those nodes had stays, and no change is "
               "heard",
               out);
}

static void print_refusal(const json_t *s, struct text *out) {
    size_t i;
    json_t *line;
    if (!json_object_get(s, "refused"))
        return;
    bool own = json_array_size(json_object_get(s, "refused")) > 0;
    text_puts(out, own ? ": refused\n" : ": not reached, calicoctl could not read all there is\n");
    json_array_foreach(json_object_get(s, "refused"), i, line)
        text_printf(out, "    %s\n", json_string_value(line));
}

static void print_name(const json_t *s, struct text *out) {
    const char *name = json_string_value(json_object_get(s, "name"));
    text_printf(out, "%s%s%s (%s:%lld)", json_string_value(json_object_get(s, "kind")),
                *name ? " " : "", name, json_string_value(json_object_get(s, "file")),
                (long long)json_integer_value(json_object_get(s, "line")));
}

static void print_step(const json_t *s, size_t number, struct text *out) {
    size_t i;
    json_t *line;
    const json_t *missing = json_object_get(s, "unreachable");
    text_printf(out, "  %zu. ", number);
    print_name(s, out);
    print_refusal(s, out);
    if (!json_object_get(s, "sessions"))
        return;
    long long sessions = json_integer_value(json_object_get(s, "sessions"));
    text_printf(out, "%s%lld session%s\n", json_object_get(s, "pruned") ? ", taken out: " : ": ",
                sessions, sessions == 1 ? "" : "s");
    print_frozen(json_object_get(s, "freeze"), out);
    print_list(json_object_get(s, "fall"), "session", "fall", out);
    print_list(json_object_get(s, "startAnew"), "session", "start anew", out);
    print_list(json_object_get(s, "rise"), "session", "rise", out);
    if (json_integer_value(missing) > 0)
        text_printf(out, "    cut off: %lld routes between nodes are missing\n",
                    (long long)json_integer_value(missing));
    json_array_foreach(json_object_get(s, "examples"), i, line)
        text_printf(out, "      %s\n", json_string_value(line));
}

static void print_stay(const json_t *stay, struct text *out) {
    size_t i, n = json_array_size(stay);
    json_t *s;
    if (n)
        text_printf(out, "\nnot in NEW, so %s as before (--prune takes %s out):\n",
                    n == 1 ? "it stays" : "they stay", n == 1 ? "it" : "them");
    json_array_foreach(stay, i, s) {
        if (i == NAMED_MAX) {
            text_printf(out, "  … and %zu more\n", n - i);
            break;
        }
        text_puts(out, "  ");
        print_name(s, out);
        text_putc(out, '\n');
    }
}

static bool has_outside(const struct calico_plan *p) {
    for (size_t i = 0; i < p->node_count; i++)
        for (size_t k = 0; k < p->nodes[i].session_count; k++)
            if (!p->nodes[i].sessions[k].peer_node &&
                p->nodes[i].sessions[k].kind != CALICO_LOCAL_WORKLOAD)
                return true;
    return false;
}

static void print_diff(const struct walk *w, const json_t *diff, struct text *out) {
    size_t i;
    json_t *s;
    calico_plan_diff_print(diff, out);
    text_puts(out, "\nresource by resource:\n");
    json_array_foreach(w->steps, i, s) print_step(s, i + 1, out);
    if (w->refused)
        text_printf(out, "%s: %zu of %zu resources take effect%s\n", calico_tool_names[w->tool],
                    w->applied.taken, w->applied.taken + w->applied.refused,
                    w->broken ? "; a document that is no YAML ends its file" : "");
    print_stay(w->stay, out);
    if (w->unreachable > 0 && !w->options->cisco_count && has_outside(w->state.plan))
        text_puts(out, "\nof a router outside the cluster it is not known what it reflects: with "
                       "--cisco FILE its\nconfiguration counts\n");
}

/* ---- what the plan says of the end ---- */

/* Warnings that OLD did not have. */
static void warn_of_end(const struct walk *w, const struct planned *old) {
    struct diag_list *found = diag_list_new();
    for (size_t i = 0; found && i < diag_count(w->state.diags); i++) {
        const struct diag *d = diag_at(w->state.diags, i);
        if (d->severity == DIAG_WARNING && !diag_has(old->diags, d))
            diag_copy(found, d);
    }
    if (found)
        cli_print_diags(found);
    diag_list_free(found);
}

/* Takes `diff` over. */
static bool show(struct walk *w, json_t *diff) {
    bool ok = diff != NULL;
    if (ok && w->options->format == CLI_JSON) {
        json_t *root =
            json_pack("{s:O,s:O,s:O}", "change", diff, "steps", w->steps, "stay", w->stay);
        ok = root && json_dumpf(root, stdout, JSON_INDENT(1)) == 0;
        putchar('\n');
        json_decref(root);
    } else if (ok) {
        struct text out;
        text_init(&out);
        print_diff(w, diff, &out);
        fputs(text_str(&out), stdout);
        text_deinit(&out);
    }
    json_decref(diff);
    return ok;
}

/* --cisco: of the routers that have no address in their text, NEW may be what names it. */
static bool read_routers(struct walk *w, const struct calico_set *set) {
    struct diag_list *all = w->in.diags, *found = diag_list_new();
    bool ok = found != NULL;
    w->in.diags = found;
    ok = ok && plan_routers_read(&w->in, set, w->options, &w->state.routers);
    w->in.diags = all;
    if (found)
        cli_print_diags(found);
    diag_list_free(found);
    return ok;
}

/* What the tool takes of NEW. False: NEW cannot be read, or no memory. */
static bool judge(struct walk *w, const struct planned *old, const char *path, struct arena *arena,
                  struct diag_list *diags) {
    struct calico_set *set = calico_set_copy(old->set);
    manifests_read(&w->in, path);
    if (w->in.count == 0 && diag_error_count(diags) == 0)
        diag_add(diags, DIAG_ERROR, (struct diag_place){.file = path}, "no-manifest",
                 "there is no manifest in it");
    w->broken = diag_error_count(diags) > 0;
    bool some = w->in.by_document && !w->in.unreadable && w->in.count > 0;
    if (w->broken && some)
        cli_print_diags(diags);
    bool ok =
        set && (!w->broken || some) &&
        calico_apply_each(set, w->in.documents, w->in.count, w->tool, arena, diags, &w->applied) &&
        read_routers(w, set);
    calico_set_free(set);
    return ok;
}

static int walk_all(struct walk *w, const struct planned *old, const char *path) {
    struct arena *arena = arena_new();
    struct diag_list *diags = diag_list_new();
    json_t *none = json_array();
    w->arena = arena;
    bool ok = arena && diags && plan_up(NULL, NULL, old->plan, arena, &w->up);
    w->in = (struct manifests){
        .arena = arena, .diags = diags, .by_document = w->tool == CALICO_TOOL_KUBECTL};
    if (ok && !judge(w, old, path, arena, diags)) {
        cli_print_diags(diags);
        ok = false;
    }
    if (ok)
        w->unreachable = plan_unreachable(&w->state, NULL, none);
    ok = ok && walk_resources(w, diags) && walk_unnamed(w, old, arena);
    if (ok)
        warn_of_end(w, old);
    ok = ok && show(w, calico_plan_diff(old->plan, w->state.plan));
    diag_list_free(diags);
    json_decref(none);
    arena_free(arena);
    return !ok || w->refused ? 2 : w->harm ? 3 : 0;
}

int plan_diff(struct cli_options *o) {
    struct planned old = {0};
    struct walk w = {.options = o, .steps = json_array(), .stay = json_array()};
    int status = 2;
    if (o->argument_count != 2 || (o->format != CLI_TABLE && o->format != CLI_JSON)) {
        cli_error("plan --diff wants OLD and NEW, and -o table or json");
    } else if (planned_read(&old, &o->arguments[0], 1, o) &&
               planned_read(&w.state, &o->arguments[0], 1, o)) {
        w.tool = o->tool && strcmp(o->tool, calico_tool_names[CALICO_TOOL_KUBECTL]) == 0
                     ? CALICO_TOOL_KUBECTL
                     : CALICO_TOOL_CALICOCTL;
        status = walk_all(&w, &old, o->arguments[1]);
    } else if (old.diags) {
        cli_print_diags(old.diags);
    }
    json_decref(w.steps);
    json_decref(w.stay);
    planned_release(&w.state);
    planned_release(&old);
    return status;
}
