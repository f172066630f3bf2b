#ifndef RIBCAGE_DECODE_NOTIFICATION_H
#define RIBCAGE_DECODE_NOTIFICATION_H

#include "decode.h"

/* What the data of a NOTIFICATION says, appended in a line of ours: "ipv4 unicast, limit 1000".
 * False, with nothing appended: its code gives the data no meaning, or it is not of that form. */
bool decode_notification_data(const struct bgp_notification *n, struct text *out);

#endif
