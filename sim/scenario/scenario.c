/*
 * A scenario file to plain data.
 *
 * Owns: the outermost level: parameters and --set, the topology (inline or a file of its own, with
 * the same parameters), the routers' configuration files, the list of steps.
 * Leaves to others: steps and faults (scenario_step.c), expectations (scenario_expect.c), files
 * (scenario_files.c), names (scenario_names.c), running any of it (the engine).
 *
 * Invariants: all mistakes are reported at once, each with its place; a scenario is handed out only
 * without any. It holds two descriptors, which scenario_close returns; all memory is the arena's.
 */

#include "scenario_internal.h"

#include "../../speaker/base/arena.h"
#include "../../speaker/base/text.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const top_keys[] = {
    "name",      "description", "parameters", "topology", "profile", "seed",
    "manifests", "rejected",    "deadline",   "capture",  "steps",   "calico",
};
const struct scenario_keys scenario_keys_top = {"", top_keys, COUNT(top_keys)};

/* ---- parameters ---- */

static bool is_parameter_name(const char *name) {
    for (const char *p = name; *p; p++) {
        bool letter = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || *p == '_';
        bool digit = (*p >= '0' && *p <= '9') || *p == '-';
        if (!letter && !(digit && p != name))
            return false;
    }
    return *name != 0;
}

static void read_parameters(struct scenario_reader *r, const struct yaml_node *n,
                            struct yaml_parameter *parameters, size_t *count) {
    for (uint32_t i = 0; i < n->count; i++) {
        struct yaml_parameter *p = &parameters[*count];
        p->name = n->keys[i]->text;
        if (!is_parameter_name(p->name))
            diag_add(r->diags, DIAG_ERROR, yaml_place(n->keys[i]), "bad-name",
                     "parameters: \"%.80s\" is not a name of letters, digits, \"-\" and \"_\"",
                     p->name);
        else if (yaml_string(n->items[i], p->name, r->diags, &p->value))
            (*count)++;
    }
}

static void set_parameter(struct scenario_reader *r, struct yaml_parameter *parameters,
                          size_t count, const struct yaml_parameter *set) {
    const char **names = arena_array(r->arena, count + 1, sizeof(*names));
    for (size_t i = 0; i < count; i++) {
        if (strcmp(parameters[i].name, set->name) == 0) {
            parameters[i].value = set->value;
            return;
        }
        if (names)
            names[i] = parameters[i].name;
    }
    const char *near = names ? text_nearest(set->name, names, count) : NULL;
    struct diag_place place = {r->scenario->file, 0, 0};
    diag_add(r->diags, DIAG_ERROR, place, "unknown-parameter",
             near ? "--set %.80s: the scenario has no such parameter (did you mean \"%s\"?)"
                  : "--set %.80s: the scenario has no such parameter",
             set->name, near);
}

static void take_parameters(struct scenario_reader *r, const struct yaml_node *root,
                            const struct yaml_parameter *set, size_t set_count) {
    const struct yaml_node *n = yaml_get(root, "parameters");
    size_t most = n && n->kind == YAML_MAPPING ? n->count : 0;
    struct yaml_parameter *parameters = arena_array(r->arena, most + 1, sizeof(*parameters));
    size_t count = 0;
    if (!parameters) {
        r->failed = true;
        return;
    }
    if (n && n->kind != YAML_NULL && (n->kind != YAML_MAPPING || most > SCENARIO_PARAMETERS_MAX))
        diag_add(r->diags, DIAG_ERROR, yaml_place(n), "wrong-type",
                 "parameters: must be a mapping of at most %d names to values",
                 SCENARIO_PARAMETERS_MAX);
    else if (most)
        read_parameters(r, n, parameters, &count);
    for (size_t i = 0; i < set_count; i++)
        set_parameter(r, parameters, count, &set[i]);
    r->scenario->parameters = parameters;
    r->scenario->parameter_count = count;
}

/* ---- topology ---- */

/* The folder a path is relative to, when it stands in the file `in`. */
static const char *folder_of(struct scenario_reader *r, const char *in) {
    const char *slash = strrchr(in, '/');
    return slash ? arena_strndup(r->arena, in, (size_t)(slash - in)) : ".";
}

static void read_router_config(struct scenario_reader *r, struct topo_router *router,
                               const char *folder) {
    size_t size;
    if (!router->config_path)
        return;
    const char *path = scenario_join(r->arena, folder, router->config_path);
    char *text =
        path ? scenario_read_file(r->scenario, path, r->arena, router->place, r->diags, &size)
             : NULL;
    if (!text)
        return; /* reported */
    router->config_text = text;
    router->config_size = size;
}

/* The file's root, with the parameters put in. */
static const struct yaml_node *read_topology_file(struct scenario_reader *r,
                                                  const struct yaml_node *at, const char *path) {
    const struct scenario *s = r->scenario;
    struct yaml_document *documents = NULL;
    size_t size, errors_before = diag_error_count(r->diags);
    const char *shown = scenario_join(r->arena, s->shown_directory, path);
    char *text = scenario_read_file(s, path, r->arena, yaml_place(at), r->diags, &size);
    if (!text || !shown)
        return NULL;
    int count = yaml_parse(text, size, shown, r->arena, r->diags, &documents);
    if (count != 1 || diag_error_count(r->diags) != errors_before) {
        if (count >= 0 && diag_error_count(r->diags) == errors_before)
            diag_add(r->diags, DIAG_ERROR, (struct diag_place){shown, 0, 0}, "wrong-type",
                     "a topology is one YAML document, here are %d", count);
        return NULL;
    }
    yaml_substitute(documents[0].root, s->parameters, s->parameter_count, r->arena, r->diags);
    return documents[0].root;
}

static void read_topology(struct scenario_reader *r, const struct yaml_node *n) {
    const char *path = NULL, *folder = ".";
    const struct yaml_node *root = n;
    if (!n)
        return;
    if (n->kind != YAML_MAPPING) {
        if (!yaml_string(n, "topology", r->diags, &path))
            return;
        folder = folder_of(r, path);
        root = read_topology_file(r, n, path);
    }
    if (!root || !folder)
        return;
    struct topology *t = topology_read(root, r->arena, r->diags);
    for (size_t i = 0; t && i < t->router_count; i++)
        read_router_config(r, &t->routers[i], folder);
    r->scenario->topology = t;
}

/* ---- the rest of the outermost level ---- */

static void read_profile(struct scenario_reader *r, const struct yaml_node *n) {
    static const char *const words[] = {"calico", "fast"};
    size_t i = 1;
    yaml_enum(n, "profile", words, COUNT(words), r->diags, &i);
    r->scenario->profile = i == 0 ? BGP_PROFILE_CALICO : BGP_PROFILE_FAST;
}

static const char *const calico_keys[] = {
    "version", "tool", "routerID", "usePodCIDR", "advertiseClusterIPs", "namespace"};
const struct scenario_keys scenario_keys_calico = {"calico", calico_keys, COUNT(calico_keys)};

static void read_variable(struct scenario_reader *r, const struct yaml_node *n, const char *name,
                          const char *variable) {
    const struct yaml_node *value = yaml_get(n, name);
    const char *text = NULL;
    if (!value || !yaml_string(value, name, r->diags, &text))
        return;
    const char *wrong = calico_environment_set(&r->scenario->environment, variable, text);
    if (wrong)
        diag_add(r->diags, DIAG_ERROR, yaml_place(value), "bad-environment",
                 "calico.%s: \"%.40s\": %s", name, text, wrong);
}

void scenario_read_tool(struct scenario_reader *r, const struct yaml_node *n, const char *field,
                        enum calico_tool *ret_tool) {
    size_t i;
    if (yaml_enum(n, field, calico_tool_names, COUNT(calico_tool_names), r->diags, &i))
        *ret_tool = (enum calico_tool)i;
}

/* Which Calico is meant, how it is talked to, and what its nodes' environment says. */
static void read_calico(struct scenario_reader *r, const struct yaml_node *n) {
    struct scenario *s = r->scenario;
    const struct yaml_node *version = NULL;
    const char *text = NULL;
    if (!n || !scenario_check_keys(r, n, &scenario_keys_calico))
        return;
    version = yaml_get(n, "version");
    if (version && yaml_string(version, "calico.version", r->diags, &text) &&
        !calico_version_parse(text, &s->calico_version))
        diag_add(r->diags, DIAG_ERROR, yaml_place(version), "bad-version",
                 "calico.version: \"%.40s\" is none of v3.22 to v3.34", text);
    scenario_read_tool(r, yaml_get(n, "tool"), "calico.tool", &s->tool);
    read_variable(r, n, "routerID", "CALICO_ROUTER_ID");
    read_variable(r, n, "advertiseClusterIPs", "CALICO_ADVERTISE_CLUSTER_IPS");
    read_variable(r, n, "namespace", "NAMESPACE");
    yaml_bool(yaml_get(n, "usePodCIDR"), "calico.usePodCIDR", r->diags,
              &s->environment.use_pod_cidr);
}

static void read_settings(struct scenario_reader *r, const struct yaml_node *root) {
    struct scenario *s = r->scenario;
    s->seed = 1;
    s->capture = true;
    r->deadline_ns = SCENARIO_DEADLINE_DEFAULT_NS;
    yaml_string(yaml_get(root, "name"), "name", r->diags, &s->name);
    yaml_string(yaml_get(root, "description"), "description", r->diags, &s->description);
    read_profile(r, yaml_get(root, "profile"));
    read_calico(r, yaml_get(root, "calico"));
    yaml_u64(yaml_get(root, "seed"), "seed", 0, UINT64_MAX, r->diags, &s->seed);
    yaml_bool(yaml_get(root, "capture"), "capture", r->diags, &s->capture);
    const struct yaml_node *deadline = yaml_get(root, "deadline");
    if (yaml_duration(deadline, "deadline", r->diags, &r->deadline_ns) &&
        (r->deadline_ns == 0 || r->deadline_ns > SCENARIO_DEADLINE_MAX_NS))
        diag_add(r->diags, DIAG_ERROR, yaml_place(deadline), "out-of-range",
                 "deadline: must be above 0 and at most 24h");
}

static void read_start(struct scenario_reader *r, const struct yaml_node *n) {
    struct scenario *s = r->scenario;
    struct scenario_manifests m;
    if (!scenario_read_names(r, n, "manifests", &m))
        return;
    s->manifests = m.paths;
    s->manifest_places = m.places;
    s->manifest_count = m.count;
    s->inline_documents = m.documents;
    s->inline_count = m.document_count;
}

/* `rejected` at the outermost level: the manifests at the start must be refused, nothing is
 * built. */
static void read_refusal(struct scenario_reader *r, const struct yaml_node *root,
                         const struct yaml_node *rejected) {
    struct scenario_step *step = arena_alloc(r->arena, sizeof(*step));
    if (!step) {
        r->failed = true;
        return;
    }
    if (yaml_get(root, "steps"))
        diag_add(r->diags, DIAG_ERROR, yaml_place(yaml_key(root, "steps")), "unknown-field",
                 "steps: not beside rejected; what is refused is never built");
    step->kind = STEP_EXPECT;
    step->place = yaml_place(rejected);
    step->name = "rejected";
    step->deadline_ns = r->deadline_ns;
    scenario_read_rejected(r, rejected, step);
    r->scenario->no_lab = true;
    r->scenario->steps = step;
    r->scenario->step_count = 1;
}

static void read_steps(struct scenario_reader *r, const struct yaml_node *root) {
    const struct yaml_node *n = yaml_get(root, "steps");
    if (!n || n->kind != YAML_SEQUENCE || n->count == 0 || n->count > SCENARIO_STEPS_MAX) {
        diag_add(r->diags, DIAG_ERROR, yaml_place(n ? n : root), "missing-field",
                 "steps: must be a list of 1 to %d steps", SCENARIO_STEPS_MAX);
        return;
    }
    struct scenario_step *steps = arena_array(r->arena, 2 * (size_t)n->count, sizeof(*steps));
    if (!steps) {
        r->failed = true;
        return;
    }
    size_t count = 0;
    for (uint32_t i = 0; i < n->count && !r->failed; i++)
        count += scenario_read_step(r, n->items[i], i, &steps[count]);
    r->scenario->steps = steps;
    r->scenario->step_count = count;
}

static void read_root(struct scenario_reader *r, struct yaml_node *root,
                      const struct yaml_parameter *set, size_t set_count) {
    if (!scenario_check_keys(r, root, &scenario_keys_top))
        return;
    take_parameters(r, root, set, set_count);
    if (r->failed)
        return;
    yaml_substitute(root, r->scenario->parameters, r->scenario->parameter_count, r->arena,
                    r->diags);
    read_settings(r, root);
    read_topology(r, yaml_get(root, "topology"));
    read_start(r, yaml_get(root, "manifests"));
    const struct yaml_node *rejected = yaml_get(root, "rejected");
    if (rejected)
        read_refusal(r, root, rejected);
    else
        read_steps(r, root);
    if (!rejected && !yaml_get(root, "topology"))
        diag_add(r->diags, DIAG_ERROR, yaml_place(root), "missing-field",
                 "topology is missing: a file or a mapping");
    if (!r->failed)
        scenario_check_names(r);
}

static void read_file(struct scenario_reader *r, const struct yaml_parameter *set,
                      size_t set_count) {
    struct scenario *s = r->scenario;
    struct yaml_document *documents = NULL;
    size_t size;
    const char *slash = strrchr(s->file, '/');
    char *text = scenario_read_file(s, slash ? slash + 1 : s->file, r->arena,
                                    (struct diag_place){s->file, 0, 0}, r->diags, &size);
    if (!text)
        return;
    int count = yaml_parse(text, size, s->file, r->arena, r->diags, &documents);
    if (count < 0)
        r->failed = true;
    else if (count == 1)
        read_root(r, documents[0].root, set, set_count);
    else if (diag_error_count(r->diags) == 0)
        diag_add(r->diags, DIAG_ERROR, (struct diag_place){s->file, 0, 0}, "wrong-type",
                 "a scenario is one YAML document, here are %d", count);
}

struct scenario *scenario_read(const char *path, const struct yaml_parameter *set, size_t set_count,
                               struct arena *arena, struct diag_list *diags) {
    size_t errors_before = diag_error_count(diags);
    struct scenario *s = arena_alloc(arena, sizeof(*s));
    if (!s)
        return NULL;
    s->directory_fd = s->root_fd = -1;
    s->description = "";
    struct scenario_reader r = {.scenario = s, .arena = arena, .diags = diags};
    if (scenario_open(s, path, arena, diags))
        read_file(&r, set, set_count);
    if (s->step_count && !r.failed && diag_error_count(diags) == errors_before)
        return s;
    scenario_close(s);
    return NULL;
}

bool scenario_stretch(struct scenario *s, uint64_t times, struct arena *arena) {
    struct scenario_step *steps = arena_array(arena, s->step_count + 1, sizeof *steps);
    if (!steps)
        return false;
    for (size_t i = 0; i < s->step_count; i++) {
        steps[i] = s->steps[i];
        bool most = steps[i].deadline_ns > SCENARIO_DEADLINE_MAX_NS / times;
        steps[i].deadline_ns = most ? SCENARIO_DEADLINE_MAX_NS : steps[i].deadline_ns * times;
    }
    s->steps = steps;
    return true;
}
