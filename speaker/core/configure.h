#ifndef RIBCAGE_CORE_CONFIGURE_H
#define RIBCAGE_CORE_CONFIGURE_H

#include "speaker.h"

/* Brings `config` into force (bgp_configure, and the first time bgp_speaker_new). */
enum bgp_status configure_apply(struct bgp_speaker *s, const struct bgp_config *config,
                                struct nanotime now) BGP_CHECK;

#endif
