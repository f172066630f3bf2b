/*
 * The habits of the implementations a speaker can stand in for: one row each.
 *
 * Owns the table and nothing else; who uses a row marks the place `BIRD:` or `IOS:`.
 *
 *   calico  Calico's BIRD 1.6: what confd's template says (connect delay 2, retry 5, error wait
 *           5,30) over BIRD's defaults (hold 240, startup hold 240, restart time 120)
 *   fast    the same rules with connection timers in milliseconds, tries that grow apart so that
 *           hundreds who call the dead leave them time to come back; the hold time stays, because
 *           a session must not fall for want of CPU
 *   ios     IOS 15.7: tries after 6.2 to 14.3 s, OPEN delayed on incoming connections
 *   plain   RFC 4271 10 defaults, RFC 8212
 */
#include "profile.h"

static const struct profile profiles[BGP_PROFILES] = {
    [BGP_PROFILE_CALICO] =
        {
            .name = "calico",
            .connect_delay_ms = 2000,
            .connect_retry_ms = 5000,
            .connect_jitter_percent = 25,
            .error_wait_min_ms = 5000,
            .error_wait_max_ms = 30000,
            .open_wait_ms = 240000,
            .hold_time_s = 240,
            .restart_time_s = 120,
            .gr_deferral_ms = 240000,
            .graceful_restart = BGP_GR_FULL,
            .lock_per_neighbor = true,
            .passive_shows_idle = true,
            .send_enhanced_refresh = true,
            .send_communities = true,
            .own_cluster_from_clients = true,
            .merge_paths = 16,
            .persist = true,
        },
    [BGP_PROFILE_FAST] =
        {
            .name = "fast",
            .connect_delay_ms = 2,
            .connect_retry_ms = 50,
            .connect_retry_max_ms = 1600,
            .connect_jitter_percent = 25,
            .error_wait_min_ms = 20,
            .error_wait_max_ms = 200,
            .open_wait_ms = 240000,
            .hold_time_s = 240,
            .restart_time_s = 2, /* stale routes of a dead node go soon, as tests want */
            .gr_deferral_ms = 4000,
            .graceful_restart = BGP_GR_FULL,
            .lock_per_neighbor = true,
            .passive_shows_idle = true,
            .send_enhanced_refresh = true,
            .send_communities = true,
            .own_cluster_from_clients = true,
            .merge_paths = 16,
            .persist = true,
        },
    [BGP_PROFILE_IOS] =
        {
            .name = "ios",
            .connect_delay_ms = 14336,
            .connect_retry_ms = 14336,
            .connect_jitter_percent = 57,
            .error_wait_min_ms = 14336,
            .error_wait_max_ms = 14336,
            .open_wait_ms = 60000,
            .hold_time_s = 180,
            .keepalive_s = 60,
            .restart_time_s = 120,
            .gr_deferral_ms = 120000,
            .graceful_restart = BGP_GR_OFF,
            .passive_awaits_open = true,
            .one_capability_per_parameter = true,
            .send_refresh_old = true,
            .send_enhanced_refresh = true,
            .end_of_rib_always = true,
            .third_party_next_hop = true,
            .enforce_first_as = true,
            .mrai_external_ms = 30000,
            .keeps_tally = true,
        },
    [BGP_PROFILE_PLAIN] =
        {
            .name = "plain",
            .connect_delay_ms = 0,
            .connect_retry_ms = 120000,
            .connect_jitter_percent = 25,
            .error_wait_min_ms = 60000,
            .error_wait_max_ms = 240000,
            .open_wait_ms = 240000,
            .hold_time_s = 90,
            .keepalive_s = 30,
            .restart_time_s = 120,
            .gr_deferral_ms = 120000,
            .graceful_restart = BGP_GR_HELPER,
            .send_enhanced_refresh = true,
            .third_party_next_hop = true,
            .send_communities = true,
            .default_deny_external = true,
            .enforce_first_as = true,
            .extended_messages = true,
            .gr_notification = true,
            .blackhole_no_export = true,
            .graceful_shutdown_receive = true,
            .idle_hold_max_ms = 60000,
        },
};

const struct profile *profile_get(enum bgp_profile p) {
    return &profiles[p];
}
