/* ibakelab: the result of one run, as sim/run fills it and as result.json, the terminal's table and the later
 * reports show it. Everything in it is a function of scenario and seed: no wall-clock time, no path of the
 * machine but the scenario's as it was given.
 *
 *     result r = {0};
 *     r.title = result_text(&r, "First call");
 *     result_call *c = result_add_call(&r);
 *     c->from = result_text(&r, "alice");  c->invite = result_at(1200000000);
 *     …
 *     result_write_json(&r, "out/result.json", &diag);
 *     result_free(&r);
 */
#ifndef REPORTS_RESULT_H
#define REPORTS_RESULT_H

#include <ibake/base.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

#define RESULT_SCHEMA "ibakelab-result/1"

/* A moment of virtual time, or none. The zero value is "did not happen". */
typedef struct result_time {
    uint64_t ns;
    bool set;
} result_time;

static inline result_time result_at(uint64_t ns) {
    return (result_time){.ns = ns, .set = true};
}

typedef enum result_verdict {
    RESULT_ERROR = 0, /* the run itself did not complete: neither pass nor fail */
    RESULT_PASS,      /* every expectation held */
    RESULT_FAIL       /* at least one did not */
} result_verdict;

typedef struct result_expectation {
    const char *text; /* "calls.established >= 1": as the scenario states it */
    const char *file; /* may be NULL: the scenario itself */
    unsigned line;    /* 0: none, e.g. a default or --set */
    bool held;
    const char *observed; /* "0 of 1 calls": what there was instead, or the value that made it hold */
} result_expectation;

/* One direction of a stream of a call. */
typedef struct result_media {
    const char *stream;                    /* "audio", "video" */
    const char *from, *to;                 /* users */
    const char *codec;                     /* "PCMU" */
    bool protected_;                       /* SRTP with the keys of the exchange */
    uint64_t sent, received, lost, octets; /* packets; octets of payload received */
    uint64_t auth_failures, replays;       /* refused by SRTP */
    uint64_t jitter_ns;                    /* RFC 3550 §6.4.1, at the end of the call */
    result_time first;                     /* first packet accepted */
    bool content_matches;                  /* what was received is what was sent, where it was received */
} result_media;

/* An offer in the middle of a call: each attempt. */
typedef struct result_update {
    const char *action;  /* "rekey", as in a scenario */
    const char *by;      /* user */
    const char *carrier; /* "UPDATE", "re-INVITE" */
    bool csb, new_dh;    /* it carried a CSB update; with new EC Diffie-Hellman values */
    result_time begun, done;
    unsigned sip_status; /* final status, 0: none */
    bool ok;             /* answered and accepted */
    bool keys_agree;     /* a CSB update, after which both ends hold the same keys */
    const char *reason;  /* why not; NULL */
} result_update;

/* A MIKEY message of a call or key request: each one once, in the order of sending. */
typedef struct result_mikey {
    const char *name; /* "I_MESSAGE_1" */
    uint64_t octets;  /* binary, before base64 */
} result_mikey;

/* Cryptography of one node on a call's critical path. */
typedef struct result_crypto {
    const char *node;
    uint64_t computing_ns, queued_ns; /* on its processor; waiting for it */
} result_crypto;

/* Where a call's set-up time went; the parts add up to it (docs/results.md). */
typedef struct result_setup {
    bool known;
    uint64_t ringing_ns, radio_ns, core_ns, resent_ns, keys_ns, kms_ns, signalling_ns;
    result_crypto *crypto; /* the caller first */
    size_t crypto_count;
} result_setup;

typedef enum result_call_state {
    RESULT_CALL_FAILED = 0,  /* never established */
    RESULT_CALL_ESTABLISHED, /* established and ended as planned, or still up at the end of the run */
    RESULT_CALL_DROPPED      /* established, then ended by a fault */
} result_call_state;

typedef struct result_call {
    const char *id;          /* the scenario's name of the call, or "call-1" */
    const char *call_id;     /* SIP Call-ID */
    const char *from, *to;   /* users */
    const char *answered_by; /* the user whose UE sent the 200 that the caller took; NULL: nobody */
    const char *diverted_by; /* the user whose S-CSCF diverted the call last; NULL: nobody */
    uint64_t retargeted;     /* diversions */
    unsigned legs;           /* dialogs of the caller in which the exchange was completed */
    result_call_state state;
    result_time invite;      /* the caller sends the first INVITE */
    result_time provisional; /* the caller receives the first 18x */
    result_time keyed;       /* R_MESSAGE_2 is verified */
    result_time established; /* the caller has the 200 (INVITE) and a verified R_MESSAGE_2 */
    result_time first_media; /* the first media packet is accepted by either end */
    result_time ended;
    const char *failure;      /* why it failed or dropped, one line; NULL */
    unsigned sip_status;      /* final SIP status of the INVITE, 0: none */
    bool keys_agree;          /* both ends derived the same TEK and salt for every crypto session */
    uint32_t csb_id;          /* 0: none */
    uint64_t retransmissions; /* SIP messages sent again, by all nodes */
    result_setup setup;
    result_mikey *mikey;
    size_t mikey_count;
    result_media *media;
    size_t media_count;
    result_update *updates; /* in the order in which they began */
    size_t update_count;
} result_call;

/* One request of a UE for private keys, with its repetitions. */
typedef struct result_key_request {
    const char *kind;       /* "first", "refresh", "demand" */
    const char *method;     /* "psk", "pke" … */
    result_time begin, end; /* end not set: it was open when the run ended */
    uint64_t identities;    /* that were asked for */
    uint64_t keys;          /* private keys that came */
    unsigned tries;         /* connections */
    const char *failure;    /* "no-answer"; NULL */
} result_key_request;
/* A fetch of a KMS's public parameters (RFC 5408 §4). */
typedef struct result_fetch {
    const char *domain;     /* whose KMS */
    bool secure;            /* over TLS */
    result_time begin, end; /* GET to the verdict on what came */
    const char *failure;    /* NULL: a set that is in order came */
} result_fetch;

typedef struct result_user {
    const char *name, *impu; /* "alice", "sip:alice@a.example" */
    const char *node;
    result_time register_begin, registered;
    result_time keys_begin, keys_received; /* REQUEST_KEY to REQUEST_KEY_RESP */
    unsigned keys;                         /* private keys received, in sum */
    uint64_t keys_held, keys_dropped;      /* at the end; lapsed and wiped */
    unsigned registrations;                /* refreshes included */
    result_key_request *key_requests;
    size_t key_request_count;
    uint64_t retransmissions;
    const char *failure; /* of registration or key fetch; NULL */
    result_fetch *fetches;
    size_t fetch_count;
    const char *cpu; /* name of its UE's model; NULL: its cryptography takes no time */
    uint64_t jobs, busy_ns;
} result_user;

/* Key requests that were refused for one reason. */
typedef struct result_refusal {
    const char *reason; /* "BAD_MAC" */
    uint64_t count;
} result_refusal;

typedef struct result_kms {
    const char *domain, *identity;      /* "home.example", "kms@home.example" */
    uint64_t requests, served, refused; /* key requests; answered with keys; otherwise */
    uint64_t keys;                      /* private keys issued */
    result_refusal *refusals;
    size_t refusal_count;
    result_time first_request, last_answer;
    const char *cpu; /* name of its model; NULL: its cryptography takes no time, and the rest is 0 */
    unsigned cores;
    uint64_t jobs, busy_ns, queue_max; /* of its processor; all cores together */
    uint64_t wait_min_ns, wait_mean_ns, wait_max_ns;
} result_kms;

/* Content under a secret key of its own: left in a mailbox, or played by a caller who had encoded it. */
typedef struct result_message {
    const char *call;         /* in which it was left or played; may be NULL */
    const char *from, *to;    /* users: who called, who was called */
    const char *via;          /* the mailbox; NULL: none */
    const char *recipient;    /* who opened or refused it; NULL: nobody yet */
    result_time stored;       /* in the mailbox */
    result_time delivered;    /* the recipient had opened it */
    uint64_t packets, opened; /* packets of content: stored by the mailbox, opened by the recipient */
    unsigned attempts;        /* calls of the mailbox for it */
    bool readable;            /* by the mailbox */
    bool intact;              /* what the recipient opened is what was said */
    bool refused;
    const char *reason; /* with refused: why */
} result_message;

/* A rule of an adversary. */
typedef struct result_rule {
    const char *on, *text;  /* "R_MESSAGE_1", "drop": as the scenario has it */
    uint64_t fired, failed; /* how often it was applied; how often it fitted and could not be */
    const char *why;        /* the last failure; NULL */
} result_rule;

/* What an adversary's own node did. */
typedef struct result_effort {
    uint64_t calls, calls_answered, calls_keyed; /* placed; rerouted to it and answered; that gave it keys */
    uint64_t flood_sent, flood_answered;         /* messages of floods; that got a final answer */
    uint64_t media_relayed, media_injected;      /* packets */
    uint64_t parameters, keys,
        handed_on;   /* of its own KMS: sets given out; keys issued; requests handed on */
    const char *cpu; /* name of its processor's model; NULL: it takes no time */
    uint64_t operations, busy_ns;
} result_effort;

/* Where an adversary sits. */
typedef struct result_seat {
    const char *link;   /* name of the link */
    const char *inside; /* the node at its end that the adversary is in; NULL: on the link alone */
} result_seat;

/* What an adversary did to the messages that passed its seats; one message may count several times. */
typedef struct result_adversary {
    const char *name;
    uint64_t seen, changed, dropped, delayed, sent;
    result_seat *seats;
    size_t seat_count;
    result_rule *rules;
    size_t rule_count;
    result_effort own;
} result_adversary;

typedef struct result_link {
    const char *name, *a, *b;        /* nodes at its ends */
    uint64_t packets_ab, packets_ba; /* delivered */
    uint64_t octets_ab, octets_ba;
    uint64_t lost_ab, lost_ba; /* by the loss model or a full queue */
} result_link;

/* One thing that a party knows (docs/knowledge.md). */
typedef struct result_fact {
    const char *what; /* "session-key", a word of the expectation `knowledge` */
    const char *call; /* the scenario's name of the call; NULL: of none */
    const char *how;  /* "held", "received", "decrypted", "computed", "broken-in" */
    const char *step; /* by which step, in words */
    result_time at;   /* since when */
    bool given;       /* held or broken-in: the party did not find it out */
} result_fact;

typedef struct result_party {
    const char *name, *kind; /* "mallory"; "adversary", "user", "mailbox", "kms", "function" */
    result_fact *facts;
    size_t fact_count;
} result_party;

/* A security property (docs/properties.md). */
typedef struct result_property {
    const char *name; /* "agreement" */
    bool holds;
    const char *detail; /* of one that is broken: the first violation; else NULL */
} result_property;

typedef struct result_version {
    const char *name, *version; /* "ns-3", "3.37" */
} result_version;

typedef struct result {
    const char *title, *scenario; /* path as given */
    result_verdict verdict;
    const char *error; /* with RESULT_ERROR: why; else NULL */
    uint64_t seed, run_number;
    uint64_t virtual_ns;    /* duration of the run in virtual time */
    uint64_t events;        /* simulator events executed */
    const char *parameters; /* e.g. "3072 bits (128-bit strength)"; may be NULL */
    result_expectation *expectations;
    size_t expectation_count;
    result_call **calls; /* stable pointers */
    size_t call_count;
    result_user **users;
    size_t user_count;
    result_kms **kms;
    size_t kms_count;
    result_message *messages;
    size_t message_count;
    result_adversary **adversaries;
    size_t adversary_count;
    result_link *links;
    size_t link_count;
    result_property *properties;
    size_t property_count;
    result_party **parties; /* adversaries first; stable pointers */
    size_t party_count;
    const char **remarks; /* what the parties' facts do not show */
    size_t remark_count;
    result_version *versions;
    size_t version_count;
    bool out_of_memory; /* sticky; result_write_json() then fails */
    struct result_block *arena;
    uint64_t scratch[64]; /* where entries go that could not be had */
} result;

/* ---- building --------------------------------------------------------------------------------- */

/* Copies of text that live as long as the result; NULL gives NULL. On exhaustion "" and r->out_of_memory. */
const char *result_text(result *r, const char *text);
const char *result_textf(result *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* New, zeroed entries at the end of their list, owned by the result. Calls, users, KMSs and parties keep
 * their address; the others are valid until the next one of their list is added. Never NULL: on exhaustion a
 * scratch entry and r->out_of_memory. */
result_call *result_add_call(result *r);
result_user *result_add_user(result *r);
result_kms *result_add_kms(result *r);
result_key_request *result_add_key_request(result *r, result_user *user);
void result_add_refusal(result *r, result_kms *kms, const char *reason, uint64_t count);
result_expectation *result_add_expectation(result *r);
result_message *result_add_message(result *r);
result_adversary *result_add_adversary(result *r); /* keeps its address, too */
void result_add_seat(result *r, result_adversary *adversary, const result_seat *seat); /* texts are copied */
void result_add_rule(result *r, result_adversary *adversary, const result_rule *rule);
result_link *result_add_link(result *r);
result_media *result_add_media(result *r, result_call *call);
result_update *result_add_update(result *r, result_call *call);
result_fetch *result_add_fetch(result *r, result_user *user);
void result_add_mikey(result *r, result_call *call, const char *name, uint64_t octets);
void result_add_crypto(result *r, result_call *call, const result_crypto *crypto);
result_party *result_add_party(result *r);
void result_add_fact(result *r, result_party *party, const result_fact *fact); /* texts are copied */
void result_add_remark(result *r, const char *text);
void result_add_property(result *r, const char *name, bool holds, const char *detail);
void result_add_version(result *r, const char *name, const char *version);

/* PASS if all expectations held, FAIL otherwise; leaves ERROR alone if r->error is set. Sets and returns it.
 */
result_verdict result_judge(result *r);

void result_free(result *r); /* legal on the zero value and NULL */

/* ---- reading ---------------------------------------------------------------------------------- */

const char *result_verdict_name(result_verdict verdict); /* "pass", "fail", "error" */
const char *result_call_state_name(result_call_state s); /* "established", "failed", "dropped" */
size_t result_calls_in_state(const result *r, result_call_state s);
/* invite to established; false if the call was not established. */
bool result_setup_ns(const result_call *call, uint64_t *ns);

/* ---- writing ---------------------------------------------------------------------------------- */

/* result.json, schema reports/schema/result.schema.json; the same result gives the same bytes. The file is
 * written under a temporary name and renamed. */
ibk_err result_write_json(const result *r, const char *path, ibk_diag *diag);
ibk_err result_json(ibk_buf *out, const result *r); /* the same text in memory */

#ifdef __cplusplus
}
#endif
#endif
