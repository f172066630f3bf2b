/*
 * The names a topology may give, by allow-list.
 *
 * Owns: names of nodes, routers, segments and interfaces, and the pattern of a generator. A name
 * that passes here may go into a file name, a log line, a netlink attribute or a control socket's
 * path without another look. The pattern's %d is taken apart here and put together digit by digit;
 * what an operator wrote never becomes a format string.
 * Leaves to others: whether a name is taken already (topo.c).
 */

#include "topo_internal.h"

#include "../../speaker/base/arena.h"

#include <string.h>

static bool is_lower_or_digit(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_dns_label(const char *name) {
    size_t size = strlen(name);
    if (size == 0 || size > TOPO_NAME_BYTES_MAX)
        return false;
    if (!is_lower_or_digit(name[0]) || !is_lower_or_digit(name[size - 1]))
        return false;
    for (size_t i = 0; i < size; i++)
        if (!is_lower_or_digit(name[i]) && name[i] != '-')
            return false;
    return true;
}

bool topo_name_check(const char *name, struct diag_place at, const char *field,
                     struct diag_list *diags) {
    if (is_dns_label(name))
        return true;
    diag_add(diags, DIAG_ERROR, at, "bad-name",
             "%s: \"%.80s\" is not a name of 1 to %d lower-case letters, digits and \"-\" "
             "that begins and ends with a letter or digit",
             field, name, TOPO_NAME_BYTES_MAX);
    return false;
}

static bool is_interface(const char *name, bool ios) {
    size_t size = strlen(name);
    size_t most = ios ? TOPO_IOS_INTERFACE_BYTES_MAX : TOPO_INTERFACE_BYTES_MAX;
    if (size == 0 || size > most || !is_letter(name[0]) || strcmp(name, "lo") == 0)
        return false;
    for (size_t i = 1; i < size; i++) {
        char c = name[i];
        bool digit = c >= '0' && c <= '9';
        if (!is_letter(c) && !digit && c != '.' && c != '-' && !(ios ? c == '/' : c == '_'))
            return false;
    }
    return true;
}

bool topo_interface_check(const char *name, const struct yaml_node *at, bool ios,
                          struct diag_list *diags) {
    if (is_interface(name, ios))
        return true;
    diag_add(diags, DIAG_ERROR, yaml_place(at), "bad-name",
             "interface: \"%.80s\" is not %s of at most %d characters", name,
             ios ? "an interface name like GigabitEthernet0/0"
                 : "a letter followed by letters, digits, \".\", \"-\" or \"_\"",
             ios ? TOPO_IOS_INTERFACE_BYTES_MAX : TOPO_INTERFACE_BYTES_MAX);
    return false;
}

/* Behind the '%'. Returns what follows the 'd', or NULL. */
static const char *parse_conversion(const char *p, struct topo_pattern *pattern) {
    pattern->zeros = *p == '0';
    if (pattern->zeros)
        p++;
    pattern->width = 0;
    if (*p >= '1' && *p <= '0' + TOPO_PATTERN_WIDTH_MAX)
        pattern->width = (unsigned)(*p++ - '0');
    if (pattern->zeros && pattern->width == 0)
        return NULL;
    return *p == 'd' ? p + 1 : NULL;
}

bool topo_pattern_parse(const struct yaml_node *at, struct arena *arena, struct diag_list *diags,
                        struct topo_pattern *ret_pattern) {
    struct topo_pattern p = {0};
    const char *percent = strchr(at->text, '%');
    const char *after = percent ? parse_conversion(percent + 1, &p) : NULL;
    if (!after || strchr(after, '%')) {
        diag_add(diags, DIAG_ERROR, yaml_place(at), "bad-name",
                 "name: \"%.80s\" must hold exactly one %%d, or %%03d for three digits, since "
                 "count asks for several nodes",
                 at->text);
        return false;
    }
    p.before = arena_strndup(arena, at->text, (size_t)(percent - at->text));
    p.after = after;
    if (!p.before)
        return false;
    *ret_pattern = p;
    return true;
}

const char *topo_pattern_name(const struct topo_pattern *p, uint64_t number, struct arena *arena) {
    char digits[24];
    size_t at = sizeof(digits);
    size_t count = 0;
    digits[--at] = 0;
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
        count++;
    } while (number || (p->zeros && count < p->width));
    return arena_printf(arena, "%s%s%s", p->before, digits + at, p->after);
}
