/* The inside of a session: its state, and what the files of this room do for each other. */
#ifndef IBAKE_SESSION_INTERNAL_H
#define IBAKE_SESSION_INTERNAL_H

#include <ibake/session.h>

#define RAND_LEN     16 /* RFC 3830 §6.11: at least 16 (N56) */
#define SK_LEN       32
#define TGK_LEN      32 /* P-6 */
#define MPK_MAX      32
#define CSB_ID_DRAWS 16
#define MAX_POLICIES 256
#define MAX_CS       255
#define MAX_SDP_IDS  1024
#define DATES_MAX    3
#define DEFAULT_WAIT (UINT64_C(32) * 1000000000)
#define NO_ERROR_NO  (-1)

/* A handler's way to say "ask again": the step is already filled (NEED_PARAMS or NEED_KEY). Never leaves the
 * room. */
#define CALL_PENDING ((ibk_err)0xFF01)
/* The same for "not for this exchange": the session stays as it is, the diag says why. */
#define CALL_DISCARD ((ibk_err)0xFF02)

typedef struct owned_id {
    uint8_t id_type;
    ibk_buf octets;
} owned_id;

typedef struct owned_policies {
    ibk_sp *items; /* their params point into octets */
    size_t count;
    ibk_buf octets;
} owned_policies;

/* The newest T of the updates that were taken: an NTP type is compared whoever it came from, a COUNTER is its
 * sender's own and only the peer's is kept (P-34). */
typedef struct marks {
    bool has_ntp, has_counter;
    ibk_t ntp, counter;
} marks;

/* What a CSB update changes (RFC 6267 §5.3), as one: what is to come into force, or what was in force before.
 * update_swap exchanges it with what the session has. */
typedef struct update {
    struct update *older; /* in session->left */
    bool new_dh;
    ibk_t t;
    ibk_ec_key own; /* with new_dh, as the next one; its scalar is wiped as soon as K_SESSION is known */
    ibk_ec_point theirs;
    uint8_t mpk[MPK_MAX]; /* with new_dh: protects this update's V */
    uint8_t tgk[TGK_LEN];
    uint8_t logged[32];
    ibk_buf mki;
    uint8_t n_cs;
    ibk_buf map;
    owned_policies policies;
    size_t
        n_further; /* of the policies, the last so many came with this update: repeated under its V (P-33) */
} update;

struct ibk_session {
    ibk_env env;
    ibk_session_role role;
    ibk_session_state state;
    ibk_policy policy; /* every 0 that means a default is replaced */
    ibk_node node;
    ibk_timestamps own_timestamps; /* where the node has none */
    ibk_granularity local_granularity, peer_granularity;

    owned_id local, peer, asked; /* initiator: peer is asked until R_MESSAGE_1 names another (P-19) */

    /* the offer, and what is in force */
    ibk_hdr hdr;      /* hdr.map is `map` */
    ibk_buf map;      /* initiator: offered, then answered; responder: answered */
    ibk_buf ssrc_map; /* our SSRCs as an SRTP-ID map, for entries that the peer's map leaves 0 */
    owned_policies policies;
    ibk_buf sdp_ids;  /* initiator: sent; responder: as received in I_MESSAGE_1 */
    ibk_buf sdp_seen; /* responder: what the SDP said */

    /* the exchange */
    ibk_buf rand;
    ibk_t t1, t2;
    int64_t date_ns; /* the instant whose date all IBE identities of the exchange carry */
    ibk_ec_key own;  /* x and [x]P, or y and [y]P; the scalar is wiped as soon as K_SESSION is known */
    ibk_ec_point theirs;
    bool have_theirs;
    bool deferred;  /* R_MESSAGE_1 carries [y]P alone */
    ibk_buf unread; /* responder, deferred: I_MESSAGE_1's IBAKE, for the replay cache (P-15) */
    ibk_esk_use esk_use;
    ibk_buf esk; /* responder: received; initiator: the stored one that it hands on */

    /* CSB update */
    update *update;   /* the one under way, or NULL */
    update *previous; /* what was in force before an update that we answered, until it is confirmed (P-32) */
    update *left;     /* without IBK_DEFENCE_WIPE: what has been in force, the latest first */
    unsigned updates, unconfirmed; /* completed; of these, those that taking back takes back */
    ibk_buf mki;
    marks newest;
    bool has_own_t;
    ibk_t own_t; /* of our latest update, even if it came to nothing */

    /* secrets */
    uint8_t mpk[MPK_MAX]; /* of the initial exchange; updates without new ECDH values are protected by it */
    uint8_t tgk[TGK_LEN];
    bool have_tgk;
    ibk_buf sk;
    uint8_t logged[32]; /* bit for each CS ID whose TEK the key log has */

    /* the step */
    ibk_buf out;
    uint8_t out_type;
    ibk_buf need;
    uint64_t deadline;
    ibk_err reason;
    ibk_diag diag;
};

/* Is this defence on? */
static inline bool guards(const ibk_session *s, uint32_t defence) {
    return ibk_guards(s->policy.without, defence);
}

/* One call of ibk_session_start or ibk_session_recv on its way through the handlers. */
typedef struct call {
    ibk_session *s;
    ibk_time now;
    ibk_step *step;
    ibk_diag *diag;                  /* the step's */
    const ibk_msg *msg;              /* NULL in ibk_session_start and ibk_session_update */
    const ibk_update_config *config; /* ibk_session_update alone */
    int error_no; /* an unsupported parameter that the peer may be told of (enum ibk_error_no), or NO_ERROR_NO
                   */
    uint8_t peer_error;
} call;

/* ---- table.c ------------------------------------------------------------------------------------- */

typedef ibk_err handler(call *c);

#define ON_START  0   /* instead of a message: ibk_session_start */
#define ON_UPDATE 255 /* ibk_session_update */

typedef struct transition {
    ibk_session_state state;
    uint8_t message;  /* what comes in */
    handler *process; /* may be NULL */
    handler *build;   /* may be NULL */
    ibk_session_state next;
    uint8_t waits_for; /* in the next state */
} transition;

const transition *transition_find(ibk_session_state state, uint8_t message); /* NULL: not expected */
uint8_t state_waits_for(ibk_session_state state);

/* ---- one message a file ------------------------------------------------------------------------------ */

handler i_message_1_build, i_message_1_process;
handler r_message_1_build, r_message_1_process;
handler i_message_2_build, i_message_2_process;
handler r_message_2_build, r_message_2_process;
handler error_message_process;
handler update_i_message_1_build, update_i_message_1_process, update_glare;
handler update_r_message_1_build, update_r_message_1_process;
/* An Error message into s->out, if policy and circumstances want one; failures leave it empty. */
void error_message_build(call *c, ibk_err err);

/* ---- call.c: what the handlers share --------------------------------------------------------------------
 */

/* How often a payload may stand in a message: the table ends with type 0. What is not named must not be
 * there. */
typedef struct expect {
    uint8_t type;
    uint8_t min, max; /* max 0: any number */
} expect;

ibk_err call_fail(call *c, ibk_err err, const char *payload, const char *detail);
/* The same, for a parameter that an Error message may name. */
ibk_err call_unsupported(call *c, ibk_err err, int error_no, const char *payload, const char *detail);
ibk_err call_expect(call *c, const expect *table);
/* Version (by the parser), PRF, CSB ID, #CS and map type repeat those in force. */
ibk_err call_same_hdr(call *c);
/* IDRi and IDRr of the message. `required`: both have to be there; else an absent one has an empty id. */
ibk_err call_identities(call *c, ibk_identity *idi, ibk_identity *idr, bool required);
/* As far as `defence` is on: IBK_DEFENCE_INNER_IDENTITIES or _OUTER_IDENTITIES. */
ibk_err call_check_identity(call *c, uint32_t defence, const ibk_identity *got, const ibk_identity *want,
                            const char *payload);
/* T is a copy of that of the message which is answered. */
ibk_err call_same_time(call *c, const ibk_t *want, const char *detail);
/* T: accepted type; skew and replay cache (responder). `octets`: what the cache knows the message by. */
ibk_err call_check_time(call *c, const ibk_t *t, ibk_span octets);
/* Adds to the replay cache what was accepted (P-15). */
ibk_err call_remember(call *c, const ibk_t *t, ibk_span octets);
ibk_err call_next_time(call *c, ibk_t *out);
/* The instant whose date the IBE identities of an exchange with this T carry: T says it; a COUNTER leaves it
 * to our clock. */
ibk_err call_date(call *c, const ibk_t *t, int64_t *date_ns);
/* The dates that the sender of T can have meant: for a COUNTER our clock, give or take the skew. */
size_t call_dates(const call *c, const ibk_t *t, int64_t dates[DATES_MAX]);
ibk_span call_ibake(const call *c); /* ciphertext of the IBAKE payload; empty: none */
/* A new message of the session, header as in force. */
void call_begin(const call *c, ibk_msg *out, uint8_t data_type, bool v_flag);
void call_add_id(ibk_msg *msg, uint8_t role, const owned_id *id);
/* Writes msg into s->out and frees it. */
ibk_err call_finish(call *c, ibk_msg *msg);
void call_keylog(const ibk_session *s, ibk_keylog_kind kind, uint8_t cs_id, ibk_span value);
void call_work(const ibk_session *s, ibk_work what, unsigned size); /* after the operation, once for each */

/* ---- ibe_box.c: IBE encryption to a user, decryption by us --------------------------------------------- */

/* The parameters of the KMS of `id`. CALL_PENDING, IBK_ERR_NO_PARAMS. */
ibk_err box_params(call *c, const ibk_identity *id, const ibk_ibe_params **out);
/* Encrypts to the public key of `id` (one of the peer's) at the exchange's date; appended to out. */
ibk_err box_seal(call *c, const ibk_identity *id, ibk_span plain, ibk_buf *out);
/* Decrypts with our private key of `id`, trying the dates in turn. IBK_ERR_NO_KEY: none of them is there.
 * CALL_PENDING. IBK_ERR_DECRYPT and others: what the last key said. `used` (may be NULL): the date that
 * fitted. */
ibk_err box_open(call *c, const ibk_identity *id, const int64_t *dates, size_t n_dates, ibk_span ciphertext,
                 ibk_buf *plain, int64_t *used);

/* ---- inner.c: the content of IBAKE ------------------------------------------------------------------------
 */

/* IDRi || {ECCPTi} || IDRr || ECCPTr, each but IDRi optional. Borrowed from the plaintext. */
typedef struct inner {
    ibk_identity idi, idr; /* empty id: absent */
    const ibk_payload *eccpt_i, *eccpt_r;
} inner;

enum {
    INNER_I_MESSAGE_1 = 1, /* IDRi || ECCPTi || IDRr */
    INNER_BOTH,
    INNER_R_MESSAGE_2,
    INNER_UPDATE_BY_R /* IDRr || ECCPTr || IDRi: I_MESSAGE_1 of an update by the responder (P-30) */
};

typedef struct points {
    const ibk_ec_point *i, *r; /* NULL: left out */
    ibk_span mki;              /* KV of each; empty: none */
} points;

/* Builds the content and encrypts it to `to`. */
ibk_err inner_seal(call *c, const ibk_identity *to, int form, const points *values, ibk_buf *ciphertext);
/* Parses decrypted content of a form; `chain` starts zero and keeps what `out` borrows. */
ibk_err inner_parse(call *c, inner *out, int form, ibk_chain *chain, ibk_span plain);
/* Inner and outer identities agree (P-19). */
ibk_err inner_check_ids(call *c, const inner *in, const ibk_identity *idi, const ibk_identity *idr);
/* A point for us to use: permitted curve, on it. */
ibk_err inner_point(call *c, const ibk_payload *eccpt, ibk_ec_point *out);
/* The echo of our own point. IBK_ERR_ECHO_MISMATCH. */
ibk_err inner_check_echo(call *c, const ibk_payload *eccpt, const ibk_ec_point *ours);

/* ---- offer.c: crypto sessions, policies, SDP identifiers
 * ------------------------------------------------------ */

ibk_err offer_from_config(ibk_session *s, const ibk_session_config *config);
ibk_err offer_add(const ibk_session *s, ibk_msg *msg); /* SP and General Extension payloads */
/* The end of I_MESSAGE_1 and R_MESSAGE_1: offer_add, IBAKE, ESK (NULL, empty: none), call_finish. */
ibk_err offer_finish(call *c, ibk_msg *msg, const ibk_buf *ibake, const ibk_buf *esk);
ibk_err offer_take(call *c);           /* responder: from I_MESSAGE_1 */
ibk_err offer_check_answer(call *c);   /* initiator: map and SP of R_MESSAGE_1 */
ibk_err offer_adopt_answer(call *c);   /* initiator: its map is in force from now on */
ibk_err offer_check_repeated(call *c); /* initiator: SP and SDP IDs of R_MESSAGE_2 (P-14) */
/* Policy numbers are unique, each crypto session's policy is there, its CS ID its own. */
bool offer_consistent(const owned_policies *policies, const ibk_hdr *hdr);
ibk_err offer_store(owned_policies *out, const ibk_sp *policies, size_t n);
/* The answer's map: our SSRCs where 0 was offered, one policy each; appended. */
ibk_err offer_answer_map(const ibk_session *s, const ibk_hdr *offer, ibk_buf *map);
/* Are the policies of the message acceptable? `policies`: those that it means, `in_force`: the map. */
ibk_err offer_judge(call *c, const owned_policies *policies, const ibk_hdr *in_force);
/* The SDP identifiers in the message; empty: none. */
ibk_err offer_find_sdp_ids(call *c, ibk_span *out);
bool offer_has_cs(const ibk_session *s, uint8_t cs_id, uint8_t *policy_no, bool *has_policy);
void offer_free_policies(owned_policies *policies);

/* ---- keys.c
 * -------------------------------------------------------------------------------------------------- */

/* A fresh key pair (P-20); `label` is IBK_DRAW_X or IBK_DRAW_Y. */
ibk_err keys_generate(ibk_session *s, ibk_ec_key *out, ibk_draw_label label, uint8_t curve);
/* K_SESSION, MPK and TGK from own and theirs; wipes the scalar. */
ibk_err keys_agree(call *c, ibk_ec_key *own, const ibk_ec_point *theirs, uint8_t mpk[MPK_MAX],
                   uint8_t tgk[TGK_LEN]);

typedef struct v_key {
    const uint8_t *mpk;
    bool log; /* the key log has not seen the auth_key of this MPK yet */
} v_key;

/* The auth_key of V (RFC 6267 §5.2). */
ibk_err keys_auth(const ibk_session *s, const v_key *key, uint8_t mac_alg, ibk_msg_keys *out);
void keys_wipe(ibk_session *s);
/* What an update brought, or what it displaced, has served. */
void keys_drop(ibk_session *s, update **u);

/* ---- verification.c ---------------------------------------------------------------------------------- */

uint8_t v_alg(const ibk_session *s); /* MAC algorithm of a V of ours */
/* Writes msg, which ends in a V of v_alg, into s->out with its MAC, and frees it. */
ibk_err v_finish(call *c, ibk_msg *msg, const v_key *key);
/* The V of the message: accepted algorithm, right MAC. */
ibk_err v_check(call *c, const v_key *key);

/* ---- update.c, update_offer.c (messages: update_messages.c)
 * ----------------------------------------------------------------------- */

ibk_err update_new(call *c, update **out, const ibk_t *t);
void update_free(update **u); /* wipes; sets NULL */
/* The keys of an update without new ECDH values: those in force. */
ibk_err update_keep_keys(call *c, update *u);
/* What is under way comes into force. `proven`: by the V of the other side; else what was in force before is
 * kept until it is confirmed (P-32). */
void update_done(ibk_session *s, bool proven);
/* T of an update of ours: newer than any of this session. */
ibk_err update_next_time(call *c, ibk_t *out);
/* T of the peer's. IBK_ERR_REPLAYED: it is not newer than those that counted. */
ibk_err update_check_time(call *c, const ibk_t *t);
/* May `config` be offered in this session? IBK_ERR_USAGE: not. */
ibk_err update_offer_sound(ibk_session *s, const ibk_update_config *config);
ibk_err update_offer_from_config(call *c, update *u); /* map and policies */
/* SP payloads of the further policies. */
void update_offer_add(const update *u, ibk_msg *msg);
ibk_err update_offer_take(call *c, update *u);  /* answerer: from I_MESSAGE_1 */
ibk_err update_offer_check(call *c, update *u); /* of R_MESSAGE_1; takes over its map */

/* ---- esk.c
 * ------------------------------------------------------------------------------------------------------- */

/* ESK for `asked`: with the SK of the session, drawn if there is none yet, or the stored one. */
ibk_err esk_build(call *c, ibk_buf *ciphertext);

/* ---- session.c
 * ----------------------------------------------------------------------------------------------------- */

#define OWNED_BUFS 14
/* Every buffer of a session but those of an update: for freeing and copying. */
void session_bufs(ibk_session *s, ibk_buf *bufs[OWNED_BUFS]);
bool sendable_curve(uint8_t curve); /* P-21: the smaller ones are for receiving */
ibk_err owned_id_set(owned_id *out, const ibk_identity *id);
ibk_identity owned_id_get(const owned_id *id);
void session_trace(const ibk_session *s, const char *what, const char *detail, const ibk_diag *diag);

#endif
