/*
 * Statements that say what is so anyway: IOS takes them and prints nothing.
 *
 * Owns: the values of 15.7 that can be typed; a statement of them removes what was said before, as
 * `default` would. Leaves: switches that are on by default to the grammar (ROW_ON).
 */
#include "ios_edit.h"

#include <string.h>

static const char *const DEFAULTS[] = {
    "timers bgp 60 180",
    "timers bgp 60 180 0",
    "bgp default local-preference 100",
    "bgp listen limit 100",
    "bgp update-delay 120",
    "bgp scan-time 60",
    "bgp nexthop trigger delay 5",
    "bgp aggregate-timer 30",
    "bgp dynamic-med-interval 600",
    "bgp refresh stalepath-time 0",
    "bgp refresh max-eor-time 0",
    "bgp graceful-restart restart-time 120",
    "bgp graceful-restart stalepath-time 360",
    "distance bgp 20 200 200",
    "maximum-paths 1",
    "maximum-paths ibgp 1",
};

static bool is_line(const struct ios_words *w, const char *line) {
    for (uint16_t i = 0; i < w->count; i++) {
        const char *word = ios_word(w, i);
        size_t size = strlen(word);
        if (strncmp(line, word, size) != 0 || (line[size] != ' ' && line[size] != '\0'))
            return false;
        line += size + (line[size] == ' ');
    }
    return *line == '\0';
}

bool ios_is_default(const struct ios_words *w) {
    for (size_t i = 0; i < sizeof DEFAULTS / sizeof *DEFAULTS; i++)
        if (is_line(w, DEFAULTS[i]))
            return true;
    return false;
}
