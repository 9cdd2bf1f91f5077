/* Test support: two KMSs, users with keys, repeatable randomness, a key log in memory. Linked into tests
 * only. */
#ifndef IBAKE_LAB_H
#define IBAKE_LAB_H

#include "ibake/session_internal.h"
#include <ibake/kms.h>

#define LAB_NOON INT64_C(1795521600000000000) /* 2026-11-24T12:00:00Z */
#define LAB_DAY  (86400 * INT64_C(1000000000))

typedef struct lab_random {
    uint64_t seed, draws;
    uint64_t fail_at; /* the draw, from 1, that fails; 0: none */
} lab_random;

typedef struct lab_domain {
    ibk_ibe_params *params;
    ibk_ibe_master *master;
} lab_domain;

#define LAB_LOG_MAX 4096

/* A key log of hashes: kind, ids and value of each record. */
typedef struct lab_log {
    ibk_buf octets;
    size_t records;
    size_t kinds[IBK_KEYLOG_SALT + 1];
} lab_log;

/* Costly operations that were reported: how many of each, and the size of the last one. */
typedef struct lab_work {
    unsigned count[IBK_WORK_RSA_PUBLIC + 1], size[IBK_WORK_RSA_PUBLIC + 1];
} lab_work;

typedef struct lab_user {
    const char *uri;
    const lab_domain *domain;
    ibk_granularity granularity;
    lab_random random;
    lab_log log;
    lab_work work;
    ibk_replay_cache *replay;
    ibk_timestamps timestamps;
    int64_t utc_ns, mono_ns;          /* this user's clocks */
    int64_t key_shift_ns;             /* keys of another time than asked for: the wrong date */
    bool no_key;                      /* for anybody but `uri` */
    int pending_params, pending_keys; /* so many look-ups answer PENDING first */
    bool accept_others, refuse_initiator, csb_taken;
    int csb_asked;
    int responders_asked; /* calls of accept_responder, and the last one's arguments */
    char asked[64], answered[64];
    bool echoed;
    const char *also; /* another identity whose keys the user holds (a common identity) */
} lab_user;

extern lab_domain lab_home, lab_away; /* n = 1024, made by lab_setup */
extern const lab_domain *lab_large;   /* a test's own, for users "@large", or NULL */

void lab_setup(void);
void lab_teardown(void);
int lab_group_setup(void **state); /* the same, for cmocka_run_group_tests */
int lab_group_teardown(void **state);

void lab_user_init(lab_user *user, const char *uri, const lab_domain *domain, uint64_t seed);
void lab_user_free(lab_user *user);
ibk_time lab_now(const lab_user *user);
ibk_env lab_env(lab_user *user);
/* A configuration with two crypto sessions, one policy, "mikey" as SDP identifiers. Borrows static data. */
ibk_session_config lab_config(lab_user *user, ibk_session_role role, const char *peer);

/* Both ends of one exchange. */
typedef struct lab_pair {
    lab_user alice, bob;
    ibk_session_config ac, bc;
    ibk_session *a, *b;
    ibk_buf m[4]; /* the messages as sent */
    ibk_step step;
} lab_pair;

void lab_pair_init(lab_pair *pair); /* alice at home, bob away */
void lab_pair_free(lab_pair *pair);
void lab_pair_sessions(lab_pair *pair); /* makes a and b anew */
/* Plays the exchange up to and including message number `upto` (1 to 4) being processed. */
void lab_pair_play(lab_pair *pair, int upto);
/* Message number i (0 to 3) to its receiver; the answer is stored as the next message. */
void lab_deliver(lab_pair *pair, int i, ibk_span octets);
void lab_keys_agree(lab_pair *pair); /* asserts: both established, same TEKs and salts, right peers */

/* A CSB update of an established pair. */
typedef struct lab_update {
    lab_pair *pair;
    bool by_bob;
    ibk_update_config config;
    ibk_buf m[2];    /* I_MESSAGE_1, R_MESSAGE_1 as sent */
    ibk_step answer; /* the step that answered */
    ibk_step step;   /* the last one of who started it */
} lab_update;

lab_update lab_update_of(lab_pair *pair, bool by_bob, bool new_dh);
void lab_update_free(lab_update *u);
ibk_session *lab_starter(const lab_update *u);
ibk_session *lab_answerer(const lab_update *u);
/* Plays it: 0: I_MESSAGE_1 is built, 1: and answered, 2: and R_MESSAGE_1 processed. Both clocks go on by a
 * second first. */
void lab_update_play(lab_update *u, int upto);
void lab_update_deliver(lab_update *u, int i, ibk_span octets);
/* Parses message i, lets `change` edit it, writes it into `out`. */
typedef void lab_update_edit(ibk_msg *msg, lab_update *u);
void lab_update_edited(lab_update *u, int i, lab_update_edit *change, ibk_buf *out);

/* TEK and salt of a crypto session, 30 octets. */
typedef struct lab_keys {
    uint8_t octets[30];
} lab_keys;

lab_keys lab_keys_of(ibk_session *s, uint8_t cs_id); /* asserts that there are some */
bool lab_keys_equal(const lab_keys *a, const lab_keys *b);

/* The last step closed the session for this reason. */
void lab_expect_closed(lab_pair *pair, ibk_err reason);

/* Parses message i, lets `change` edit it, writes it into `out`. */
typedef void lab_edit(ibk_msg *msg, lab_pair *pair);
void lab_edited(lab_pair *pair, int i, lab_edit *change, ibk_buf *out);
/* Content of an IBAKE or ESK, encrypted by one of the two to the other's identity of today. */
void lab_seal(lab_pair *pair, bool to_bob, const ibk_chain *content, ibk_buf *cipher);
ibk_payload *lab_find(ibk_msg *msg, uint8_t type, size_t nth); /* fails the test if there is none */

bool lab_all_zero(const void *data, size_t len);

#endif
