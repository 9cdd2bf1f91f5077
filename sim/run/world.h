/* The simulated world of one run: every node of every home network, every user, every link and capture. */
#ifndef SIM_RUN_WORLD_H
#define SIM_RUN_WORLD_H

#include "ims/core/cscf.h"
#include "ims/ue/messages.h"
#include "kms/kms_node.h"
#include "run/credentials.h"
#include "run/properties.h"
#include "run/setup.h"
#include "run/tally.h"
#include "run/trust.h"

typedef struct world_link {
    n3_link *link;
    n3_capture *capture; /* NULL: not captured */
    const scn_link *settings;
} world_link;

typedef struct world_domain {
    const scn_domain *scenario;
    char name[5][300]; /* FQDNs of the network functions */
    n3_node *router;
    ibk_ibe_params *params;
    ibk_ibe_master *master;
    pcscf *p;
    icscf *i;
    scscf *s;
    hss *h;
    kms_node *k;
} world_domain;

typedef struct world {
    const scn_scenario *scenario;
    ims_world ims;
    tally *tally;
    setup *setup;
    hops *hops;
    ue_scripts *scripts;
    run_trust *trust;
    run_credentials *credentials; /* for REQUEST_KEY_PKE */
    ue_messages *messages;
    world_domain *domains;
    ue_params *params; /* one for each domain */
    ue **users;        /* one for each user of the scenario, in its order */
    const ue **users_by_name;
    struct ledger *ledger;             /* who knows what */
    struct run_adversary *adversaries; /* one for each of the scenario */
    struct world_event *events;
    size_t event_count;
    world_link *links;
    size_t link_count, link_cap;
    n3_capture *all;                             /* capture/all.pcap */
    n3_capture *every;                           /* writes nothing: shows the packets to `hops` */
    property_finding properties[SCN_PROPERTIES]; /* at the end of the run */
    size_t access_links; /* index of the first access link in links[]; core links come before, those of
                            adversaries behind */
} world;

/* Where a world writes to; borrowed, each may be NULL. */
typedef struct world_outputs {
    trace *log;
    keylog_writer *keys;
    tls_keylog *tls_keys;
    const char *capture_dir; /* NULL: no captures */
} world_outputs;

/* diag tells what failed. */
ibk_err world_new(world **out, const scn_scenario *scenario, const world_outputs *outputs, ibk_diag *diag);
/* Ends the simulation; IBK_ERR_IO if a capture could not be written completely. */
ibk_err world_free(world *w);

const world_domain *world_domain_of(const world *w, const scn_domain *domain);
/* Everything that the scenario plans has happened and come to its end. */
bool world_is_finished(const world *w);

#endif
