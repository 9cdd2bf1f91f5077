/* The knowing part of an adversary: its wallet, filled with what the scenario says that it holds (each thing
 * from its time on) and with what the UEs and nodes that it has taken over hold and make; its analyst; its
 * entry in the ledger.
 *
 *     mind_new(&m, &config);
 *     mind_see(m, &seen, message);        every message that passes its seats, as it comes
 *     mind_see_own(m, call, mikey);       MIKEY octets that it puts in their place, or sends
 *     wallet_key(mind_wallet(m), …)       while the run lasts: what is in the wallet may be used
 *     mind_keylog(m, host, record);       of every host of the run
 *     mind_conclude(m);                   at the end, while the UEs still stand
 */
#ifndef SIM_ADVERSARY_MIND_H
#define SIM_ADVERSARY_MIND_H

#include "adversary/analyst.h"
#include "ims/host.h"

struct seen;
struct tap_message;
struct ue;

typedef struct mind mind;

/* Everything is borrowed. */
typedef struct mind_config {
    const scn_scenario *scenario;
    const scn_adversary *plan;
    ims_world *world;
    ledger *ledger; /* gets a party of the adversary's name */
    void *user;
    const ibk_ibe_params *(*params)(void *user, const scn_domain *domain);
    const ibk_ibe_master *(*master)(void *user, const scn_domain *domain);
    const struct ue *(*ue_of)(void *user, const scn_user *whose);
    bool (*is_speech)(void *user, ibk_span rtp); /* as analyst_config's; may be NULL */
} mind_config;

/* Before the run: sets the clocks of what it will hold later. */
ibk_err mind_new(mind **out, const mind_config *config);
void mind_free(mind *m); /* before the simulation; wipes; legal on NULL */

void mind_see(mind *m, const struct seen *s, const struct tap_message *message); /* of any kind */
void mind_see_own(mind *m, const scn_call *call, ibk_span mikey);
/* A record of the key log of a node of the run: kept if it is one of a UE that it has taken over, or a
 * session key that it is told. */
void mind_keylog(mind *m, const ims_host *host, const ibk_keylog_record *record);
wallet *mind_wallet(const mind *m);
const ledger_party *mind_party(const mind *m);
void mind_conclude(mind *m);
const char *mind_note(const mind *m, size_t index); /* as analyst_note */

#endif
