#ifndef RIBCAGE_CONFIG_POLICY_MEMBERS_H
#define RIBCAGE_CONFIG_POLICY_MEMBERS_H

#include <stdbool.h>

/*
 * Which members the kinds of matches and actions have. One that is needed and not there, or there
 * and without meaning, makes a term that holds always, never, or does nothing: whoever wrote that
 * by hand meant something else.
 */

struct policy_match;
struct policy_action;
struct text;

/* False: what is wrong is in `wrong`. A number that is not there is 0 and passes. Alternatives are
 * matches of their own and not looked at. */
bool policy_match_members_fit(const struct policy_match *m, struct text *wrong);
bool policy_action_members_fit(const struct policy_action *a, struct text *wrong);

#endif
