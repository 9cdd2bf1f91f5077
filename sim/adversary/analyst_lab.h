/* Test support: Alice and Bob with KMSs of their own, a call between them, and everything of it that passed.
 */
#ifndef SIM_ADVERSARY_ANALYST_LAB_H
#define SIM_ADVERSARY_ANALYST_LAB_H

#include "adversary/analyst.h"
#include "ims/media/stream.h"

#define LAB_START       INT64_C(1772442000000000000) /* 2026-03-02T09:00:00Z */
#define LAB_S           UINT64_C(1000000000)
#define LAB_PACKETS     12 /* in each direction, before and after an update */
#define LAB_CALLER_SSRC 0x11111111u
#define LAB_CALLEE_SSRC 0x22222222u

typedef struct lab_domain {
    ibk_ibe_params *params;
    ibk_ibe_master *master;
} lab_domain;

extern lab_domain lab_home, lab_away;

int lab_setup(void **state); /* for cmocka_run_group_tests */
int lab_teardown(void **state);
ibk_env lab_env(void *counter); /* repeatable draws; *counter is a uint64_t */

/* The private key of an identity, at LAB_START plus so many days. */
ibk_ibe_key *lab_key(const lab_domain *domain, const char *uri, int days, ibk_buf *ibe_identity);

/* What one party's key log told. */
typedef struct lab_secrets {
    ibk_buf scalar, tgk, later_scalar, later_tgk; /* of the exchange, and of the update */
} lab_secrets;

typedef struct lab_call {
    scn_call call;
    uint32_t csb_id;
    ibk_buf messages[6]; /* the four of the exchange, two of the update; empty: there is none */
    uint64_t times[6];
    lab_secrets alice, bob;
    ibk_buf sk; /* of the content, if there is any */
    struct {
        ibk_buf octets;
        uint64_t at_ns;
    } packets[4 * LAB_PACKETS];
    size_t packet_count;
} lab_call;

typedef struct lab_options {
    uint64_t seed;
    bool update;  /* new ECDH values after half of the packets */
    bool content; /* the caller's packets carry content under SK, which I_MESSAGE_1's ESK carries */
} lab_options;

void lab_play(lab_call *out, const lab_options *options);
void lab_free(lab_call *call);

/* An adversary with an empty wallet that knows both sets of parameters. */
typedef struct lab_adversary {
    ledger *l;
    ledger_party *party;
    wallet *w;
    analyst *a;
} lab_adversary;

void lab_adversary_init(lab_adversary *m);
void lab_adversary_free(lab_adversary *m);
/* Everything of the call passes its seats. */
void lab_feed(lab_adversary *m, const lab_call *call);
/* Concludes; the set of scn_thing that it knows of the call. */
uint64_t lab_conclude(lab_adversary *m, const lab_call *call);
const ledger_fact *lab_fact(const lab_adversary *m, scn_thing what); /* NULL: it does not know it */

void lab_give_key(lab_adversary *m, const lab_domain *domain, const char *uri, int days, uint64_t since_ns);
void lab_give_scalar(lab_adversary *m, const lab_call *call, ibk_span octets, bool responders,
                     uint64_t since_ns);

#endif
