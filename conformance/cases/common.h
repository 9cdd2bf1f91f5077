/* What the cases share: the suite's peer as the other end, and runs of whole exchanges. Alice calls Bob; both
 * are users of the KMS of home.example. */
#ifndef CONFORMANCE_CASES_COMMON_H
#define CONFORMANCE_CASES_COMMON_H

#include "conformance/peer/peer.h"
#include "conformance/suite/suite.h"

/* How the peer is set up; the zero value of each member is a default. */
typedef struct peer_setup {
    peer_role role;
    const char *deviation;
    const char *seed; /* "": the case's name */
    unsigned size;    /* suite_size */
    uint8_t curve, prf, mac, timestamp, map_type, encryption;
    uint32_t counter;
    const char *self, *other; /* users; by default alice and bob, by the role */
    const char *sdp_ids;
    bool esk;
    bool nai;                /* identities of the type NAI, alice@home.example */
    bool two;                /* initiator: each crypto session has the policies 0 and 1 (GENERIC-ID) */
    bool others;             /* initiator: another than the one who is called may answer */
    bool bare;               /* initiator: crypto sessions without policies and session data (GENERIC-ID) */
    const peer_sp *policies; /* initiator */
    size_t n_policies;
    peer_granularity granularity;
    int64_t utc_ms;           /* suite_now */
    const char *asks;         /* user: "alice,bob" */
    bool ask_dated;           /* user: asks for the IBE identity of a day, byte string */
    int64_t ask_days;         /* … that is so many days from today */
    const char *psk, *psk_id; /* user, KMS: PSK; by default that of SUITE_PSK */
    const peer_pke *pke;      /* user, KMS */
} peer_setup;

peer *case_peer(suite_trial *t, const peer_setup *setup);     /* freed with the trial */
ibk_span case_start(suite_trial *t, peer *p);                 /* I_MESSAGE_1, or a key request */
ibk_span case_give(suite_trial *t, peer *p, ibk_span octets); /* its answer; empty: none */
/* The same, where it has to answer: if it does not, what it found fails. */
ibk_span case_answer(suite_trial *t, peer *p, ibk_span octets);
/* Fails with the first finding of the peer about a MUST or the profile; with `should` with any. */
void case_judge(suite_trial *t, const peer *p, bool should);
/* The same, where what some requirements say is not asked for. */
void case_judge_but(suite_trial *t, const peer *p, const char *requirements);
/* The IUT's keys, in its last report, are those of the peer; fails `id`. */
void case_keys(suite_trial *t, suite_report r, const peer *p, const char *id);
/* An IUT that reports keys has the same as before; fails `id`. */
void case_kept(suite_trial *t, suite_report before, suite_report after, const char *id, const char *wanted);
/* A first message of the IUT has the PRF and the type of T that policy asked for. */
void case_obeyed(suite_trial *t, ibk_span octets, uint8_t prf, uint8_t timestamp);
/* The octet behind the next payload field of a payload in a message (MAC of V, encryption of KEMAC, type of
 * T); -1: no such payload. */
int case_algorithm(suite_trial *t, ibk_span octets, unsigned payload);
/* The deviation that it was told to make did happen: there was something to bend. */
void case_deviated(suite_trial *t, const peer *p);

/* A call to its end. The IUT's node is begun and its session opened before; `last` gets the IUT's last
 * report; true: all four messages went their way. Whatever the IUT refuses ends it early. */
bool case_call_from_peer(suite_trial *t, int end, peer *p, suite_report *last); /* the IUT's session is b */
bool case_call_to_peer(suite_trial *t, int end, peer *p, suite_report opened,
                       suite_report *last); /* session a */
/* The same, where the IUT may have refused to call. */
bool case_call_tried(suite_trial *t, int end, peer *p, suite_report opened, suite_report *last);

/* The CSB ID in a first message is the one that the IUT reports, in network byte order (3830-64). */
void case_byte_order(suite_trial *t, suite_report opened, ibk_span octets);

/* Which requirement says that the last message that was handed in, which was right, has to be taken; by
 * `last`, the report about it. NULL: none. */
const char *case_rule(const suite_trial *t, suite_report last);

/* `last` has to be `permitted`, since nothing was wrong with what was handed in. If it is not, a call with
 * nothing special about it shows whether that is about this case, which then fails `id` (NULL: case_rule), or
 * goes wrong there too, and is told as what it is. Where R_MESSAGE_2 is refused, the IUT's mistake behind it
 * is looked for. `when` precedes what is told. */
void case_expect_taken(suite_trial *t, suite_report last, const char *id, const char *when,
                       const char *permitted);

/* ---- whom to blame: blame.c ---- */

typedef enum case_family { CASE_ALONE = 0, CASE_UPDATE, CASE_MAILBOX, CASE_DEFERRED } case_family;

/* One value of a combination: the plain exchange with that value alone. */
typedef struct case_value {
    const char *requirement, *text; /* of the value, NULL: none; "T of the type COUNTER" */
    const void *arg;
} case_value;

/* An exchange that can be played again. True: it came to its end, as the report says. */
typedef bool case_play(suite_trial *t, const void *arg, const char *deviation, suite_report *last, peer **p);
typedef struct case_again {
    case_play *play;
    const void *arg;          /* of the exchange of this case */
    const void *plain;        /* of one with nothing special about it; may be the same */
    uint8_t prf;              /* of this case; the plain one uses MIKEY-1 */
    case_family family;       /* of the message that is refused, among deviations */
    const case_value *values; /* of the combination that `arg` is */
    size_t n_values;
} case_again;

/* As case_expect_taken, for an exchange that can be played again: with nothing special about it, with known
 * mistakes in the message that is refused, and with each value of a combination alone. */
void case_taken_again(suite_trial *t, suite_report last, const case_again *again, const char *id,
                      const char *when, const char *permitted);

/* Fails with what goes wrong in a plain call that the IUT makes (`calls`) or takes; returns if nothing does.
 */
void case_blame_plain(suite_trial *t, bool calls);
/* What one process sent to the other: its one message. If there is none, what each does in a plain call is
 * told as what it is, and else `id` fails. */
ibk_span case_pair_sent(suite_trial *t, suite_report r, const char *id);

/* What must hold when nothing was wrong with the call: the peer found nothing, it went to its end (`done`: as
 * the two say; fails `id`, NULL: case_rule), and both have the same keys (fails `keys_id`). */
void case_completed(suite_trial *t, bool done, suite_report last, const peer *p, const char *id,
                    const char *keys_id);
/* A call that is only the setting of a case: what is wrong with it is told as what it is. */
void case_established(suite_trial *t, bool done, suite_report last, const peer *p);

/* SK of an ESK's ciphertext, opened with today's key of a user (suite_size); empty: it does not open. */
ibk_span case_open_esk(suite_trial *t, ibk_span ciphertext, const char *user);

/* It is that many seconds after the beginning, at both ends: T can be new. */
void case_pass(suite_trial *t, int end, peer *p, unsigned seconds);

/* The messages of a call between two peers, for cases that need octets of every kind. */
typedef enum case_kind {
    CASE_I_MESSAGE_1 = 0,
    CASE_R_MESSAGE_1,
    CASE_I_MESSAGE_2,
    CASE_R_MESSAGE_2,
    CASE_REQUEST_KEY_PSK,
    CASE_REQUEST_KEY_RESP,
    CASE_ERROR,
    CASE_KINDS
} case_kind;
extern const char *const case_kind_names[CASE_KINDS]; /* "i-message-1" */
ibk_span case_sample(suite_trial *t, case_kind kind, const char *seed);

/* Value of a name's place in a list: "NTP" in {"NTP-UTC", "NTP", …}. */
extern const char *const case_timestamps[4]; /* index: type of T */
extern const char *const case_prfs[2];
extern const char *const case_macs[3];        /* index: algorithm; 0 is NULL */
extern const char *const case_encryptions[4]; /* the same */
extern const char *const case_maps[3];
/* Values of a combination, each with the requirement that it is about. */
case_value case_of_size(suite_trial *t, unsigned size, const void *arg);
case_value case_of_prf(uint8_t prf, const void *arg);
case_value case_of_mac(uint8_t mac, const void *arg);
uint8_t case_curve(const char *name);        /* ECC curve of ECCPT */
const char *case_curve_name(uint8_t number); /* "another" for none of ours */

#endif
