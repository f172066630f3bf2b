/*
 * What loading a configuration found, as those hear it who want a router and not its text.
 *
 * Owns: the summary. Leaves the words themselves to those who load (ios_parse.c, ios_edit.c).
 */
#include "ios.h"

#include "../base/diag.h"

#include <string.h>

void ios_findings(const struct diag_list *found, const char *file, struct diag_list *to) {
    size_t ignored = 0;
    for (size_t i = 0; i < diag_count(found); i++)
        ignored += strcmp(diag_at(found, i)->id, "ios-ignored") == 0;
    diag_append(to, found, DIAG_WARNING, "ios-ignored");
    if (ignored)
        diag_add(to, DIAG_NOTE, (struct diag_place){file, 0, 0}, "ios-ignored",
                 "%zu kinds of lines have no effect here; ribcage ios check %s names them", ignored,
                 file);
}
