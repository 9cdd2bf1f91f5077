/* What one adversary fights with: everything that takes keys or a node of its own, behind the hooks of its
 * rules. Binds crafting, the media relay, the terminal, floods and the rogue KMS to one wallet and one node.
 *
 *     arms_new(&a, &config, &diag);
 *     rules_config.hooks = {.user = a, .craft = arms_craft, .media = arms_media, .send = arms_send, .resend =
 * arms_resend} …the run… arms_free(a);
 */
#ifndef SIM_ADVERSARY_ARMS_H
#define SIM_ADVERSARY_ARMS_H

#include "adversary/agent.h"
#include "adversary/flood.h"
#include "adversary/post.h"
#include "adversary/relay.h"
#include "adversary/rogue_kms.h"
#include "adversary/seen.h"
#include "adversary/wallet.h"

typedef struct arms arms;

/* All is borrowed. */
typedef struct arms_config {
    ims_host_config host; /* of its node; its name and address are known to the log */
    const scn_scenario *scenario;
    const scn_adversary *plan;
    wallet *wallet;
    const ibk_ibe_params *const *params; /* the genuine ones, of each domain of the scenario, in its order */
    /* Address of a user or node by name; false: there is none. */
    bool (*address)(void *user, const char *name, n3_addr *out);
    void *user;
    rogue_kms_config kms; /* with plan->kms: base, base_master, certificates, credentials, anchor; the rest is
                                          filled in */
} arms_config;

/* `params` is copied. */
ibk_err arms_new(arms **out, const arms_config *config, ibk_diag *diag);
void arms_free(arms *a); /* before the simulation */

ims_host *arms_host(const arms *a);

/* ---- the hooks of rules.h
 * ----------------------------------------------------------------------------------- */

ibk_err arms_craft(void *a, const seen *s, const scn_rule *rule, ibk_buf *mikey, ibk_diag *diag);
ibk_err arms_media(void *a, const seen *s, const scn_rule *rule, ibk_buf *octets, ibk_diag *diag);
ibk_err arms_send(void *a, const scn_rule *rule, const seen_record *what, ibk_diag *diag);
/* HTTP once more, over a connection of its own. */
ibk_err arms_resend(void *a, const seen_record *what, ibk_diag *diag);

/* Every message of SIP or HTTP that passes a seat: what it says of the streams of a call. */
void arms_note_mikey(arms *a, const seen *s);
/* Every datagram of media that passes a seat: what `inject-media` comes after. */
void arms_note_media(arms *a, const seen *s);

/* ---- what came of it
 * -------------------------------------------------------------------------------------------- */

typedef struct arms_stats {
    agent_stats calls;
    flood_stats flood;
    post_stats posts;
    relay_stats media;
    uint64_t injected; /* media packets that it sent */
    rogue_kms_stats kms;
    cpu_stats cpu; /* of its own node; zero if its cryptography takes no time */
} arms_stats;

arms_stats arms_get_stats(const arms *a);
bool arms_is_idle(const arms *a); /* nothing of its own is under way */

#endif
