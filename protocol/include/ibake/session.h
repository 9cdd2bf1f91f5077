/* ibakelab: the exchange of RFC 6267 §4.2.2, sans-IO: I_MESSAGE_1, R_MESSAGE_1, I_MESSAGE_2, R_MESSAGE_2.
 *
 * A session is one side of one exchange. Messages, time, keys and randomness come in as arguments; what to
 * send, what is awaited and what happened come out in an ibk_step.
 *
 *     ibk_session_new(&s, &env, &config);            initiator: ibk_session_start(s, now, &step);
 *     while (step.kind == IBK_STEP_WAIT) {           responder: the first message in is I_MESSAGE_1
 *         send(step.message);                        // may be empty
 *         ibk_session_recv(s, now, receive(), &step);
 *     }
 *     if (step.kind == IBK_STEP_ESTABLISHED) { send(step.message); ibk_session_tek(s, 1, tek, 16, salt, 14);
 * } ibk_session_free(s);
 *
 * The functions return IBK_OK unless the call itself breaks the contract; all that a peer can cause is in the
 * step. Nothing of a session is global: any number may live at once; one session is for one thread at a time.
 */
#ifndef IBAKE_SESSION_H
#define IBAKE_SESSION_H

#include <ibake/exchange.h>
#include <ibake/ibe.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ibk_session ibk_session;

/* ---- what a session asks of its node --------------------------------------------------------------- */

typedef enum ibk_lookup {
    IBK_LOOKUP_ABSENT = 0, /* there is none, and there will be none */
    IBK_LOOKUP_FOUND,
    IBK_LOOKUP_PENDING /* it can be fetched: the session answers IBK_STEP_NEED_… and stays as it is */
} ibk_lookup;

/* All results are borrowed until the call of the session's function returns. */
typedef struct ibk_node {
    void *user;
    /* Parameters of the KMS that serves `id`: ours for an identity of ours, the peer's for the peer's. */
    ibk_lookup (*params)(void *user, const ibk_identity *id, const ibk_ibe_params **out);
    /* Our private key for an IBE identity (P-9), and the parameters it belongs to. */
    ibk_lookup (*private_key)(void *user, ibk_span ibe_identity, const ibk_ibe_params **params,
                              const ibk_ibe_key **key);
    /* NULL legal. A precomputed peer for an IBE identity under `params`, or NULL. Same ciphertexts, less
     * time. */
    const ibk_ibe_peer *(*peer)(void *user, const ibk_ibe_params *params, ibk_span ibe_identity);
    /* NULL legal. RFC 3830 §6.1: true if this CSB ID is in use between us and `peer`. The initiator then
     * draws another one, the responder refuses. */
    bool (*csb_id_in_use)(void *user, uint32_t csb_id, const ibk_identity *peer);
    /* NULL: refused. P-19: may `answered` stand in for `asked`? `echoed`: it has shown that it could read
     * I_MESSAGE_1 (forking, retargeting with the key of `asked`); else it could not (mailbox). Asked after
     * the echo was compared, and only if the two differ. */
    bool (*accept_responder)(void *user, const ibk_identity *asked, const ibk_identity *answered,
                             bool echoed);
    /* NULL: every caller. Responder: do we talk to this initiator, who called for `target`? */
    bool (*accept_initiator)(void *user, const ibk_identity *initiator, const ibk_identity *target);
    /* NULL: the built-in rule (SRTP only; see ibk_policy.allow_null_srtp). Responder: are the offered
     * policies acceptable? IBK_OK, or the reason: IBK_ERR_UNSUPPORTED (Error 9), IBK_ERR_BAD_VALUE (Error
     * 10), others. */
    ibk_err (*accept_policies)(void *user, const ibk_sp *policies, size_t n);
    /* P-15. Responder: required. Initiator: for updates by the responder; NULL: those are known by their T
     * alone, with the default clock skew. */
    ibk_replay_cache *replay;
    ibk_timestamps *timestamps; /* initiator: NULL: T is unique inside this session only */
    /* NULL: ibk_session_config.peer_granularity, whoever the peer is. P-9: of the KMS that serves `id`, a
     * peer's. Users of several KMSs may call, and another than the one called may answer (P-19): neither is
     * known when the session is made. */
    ibk_granularity (*granularity)(void *user, const ibk_identity *id);
} ibk_node;

/* ---- configuration ------------------------------------------------------------------------------- */

typedef enum ibk_error_policy { /* when a refusal is told to the peer by an Error message (P-16) */
                                IBK_ERRORS_PARAMETERS =
                                    0, /* unsupported parameters: TS, PRF, SP, ID, curve */
                                IBK_ERRORS_SILENT,
                                IBK_ERRORS_ALL /* failed authentication, decryption and echo too, as Error 12
                                                */
} ibk_error_policy;

#define IBK_CURVE_BIT(curve) (UINT32_C(1) << (curve))

/* The zero value is a sound policy. */
typedef struct ibk_policy {
    uint8_t ts_type;         /* initiator: of our T; default NTP-UTC (RFC 3830 §4.2.8) */
    uint32_t ts_types;       /* accepted types, bit (1 << ts_type); 0: all four */
    uint8_t prf;             /* initiator's choice; default MIKEY-1 */
    uint32_t prfs;           /* accepted, bit (1 << prf); 0: both */
    uint8_t mac_alg;         /* responder: of V; 0: the one that fits the PRF. A NULL MAC is never used */
    uint32_t mac_algs;       /* accepted, bit (1 << alg); 0: both HMACs */
    uint8_t curve;           /* of our [x]P; 0: P-256 (P-21); P-384, P-521 */
    uint32_t curves;         /* accepted, IBK_CURVE_BIT; 0: all five prime curves */
    ibk_error_policy errors; /* P-16 */
    bool
        ignore_peer_errors; /* an Error message (always unauthenticated before R_MESSAGE_2) ends no session */
    bool
        answer_undecryptable; /* responder without a private key for the received IDRr: answer with [y]P alone
                                 (RFC 6267 §4.2.2.2; mailbox, retargeting) under `local`; else refuse */
    bool allow_missing_echo;  /* initiator: go on after [y]P alone, with ESK (§4.2.2.4); accept_responder is
                                 asked if it is another than the one called */
    bool allow_null_srtp;     /* policies without SRTP encryption or authentication */
    uint64_t timeout_ns;      /* wait for an answer, timer clock; 0: 32 s */
    uint32_t without;         /* for laboratories alone: defences that are off (ibake/defences.h) */
} ibk_policy;

typedef enum ibk_esk_use {
    IBK_ESK_NONE = 0, /* only where deferred delivery needs it: in I_MESSAGE_2 */
    IBK_ESK_OWN,      /* pre-encoded content: ESK = E(K_PUB of the peer, ID || SK) in I_MESSAGE_1 */
    IBK_ESK_STORED    /* a mailbox hands on the ESK that it stored, as it is */
} ibk_esk_use;

typedef enum ibk_session_role { IBK_SESSION_INITIATOR = 1, IBK_SESSION_RESPONDER = 2 } ibk_session_role;

/* Octets are copied by ibk_session_new; `node`'s functions and objects must outlive the session. */
typedef struct ibk_session_config {
    ibk_session_role role;
    ibk_identity
        local; /* the responder's own identity: stands in R_MESSAGE_1 even if another was called (P-19) */
    ibk_identity peer;                 /* initiator: whom to call; responder: not used */
    ibk_granularity local_granularity; /* of our KMS */
    ibk_granularity peer_granularity;  /* of the peer's KMS; see ibk_node.granularity */
    ibk_policy policy;
    ibk_node node;
    /* Crypto sessions. Initiator: the map it offers, CS IDs from 1 (two for each m-line, RFC 4567 §7.1); an
     * SSRC of 0 is the responder's to fill. Responder with an SRTP-ID map: `srtp[i].ssrc` fills the i-th SSRC
     * if offered 0. */
    uint8_t map_type; /* enum ibk_map_type; the zero value is SRTP-ID */
    const ibk_cs_srtp *srtp;
    size_t n_srtp;
    const ibk_cs_generic *generic;
    size_t n_generic;
    /* Initiator: security policies offered. Responder: not used, it accepts (accept_policies) or refuses. */
    const ibk_sp *policies;
    size_t n_policies;
    /* Content that is encrypted under a secret key SK of its own (RFC 6267 §3.3, §4.2.2.1). Initiator:
     * whether I_MESSAGE_1 carries an ESK. `sk`: the SK that the content was encoded under, 16 to 64 octets
     * (empty: one is drawn when an ESK is first made); not with IBK_ESK_STORED. `stored_esk`: with
     * IBK_ESK_STORED alone. If nobody could read I_MESSAGE_1, I_MESSAGE_2 carries an ESK again: the same SK,
     * or the stored one. */
    ibk_esk_use esk;
    ibk_span sk, stored_esk;
    /* RFC 4567 §4.1.4, P-14: "mikey" or "mikey;other", the key-management protocols of the SDP offer, in its
     * order. Initiator: sent. Responder: what the SDP said, compared if not empty. */
    ibk_span sdp_ids;
} ibk_session_config;

/* ---- steps ------------------------------------------------------------------------------------------ */

typedef enum ibk_session_state {
    IBK_STATE_I_NEW = 1,
    IBK_STATE_I_WAIT_R_MESSAGE_1,
    IBK_STATE_I_WAIT_R_MESSAGE_2,
    IBK_STATE_R_NEW, /* waits for I_MESSAGE_1 */
    IBK_STATE_R_WAIT_I_MESSAGE_2,
    IBK_STATE_ESTABLISHED,
    IBK_STATE_UPDATING, /* our CSB update waits for its R_MESSAGE_1; the keys in force are still the old ones
                         */
    IBK_STATE_CLOSED
} ibk_session_state;

const char *ibk_session_state_name(ibk_session_state state); /* "I_WAIT_R_MESSAGE_1" */

typedef enum ibk_step_kind {
    IBK_STEP_WAIT = 1,    /* send `message`, then wait for `waits_for` until ibk_session_deadline */
    IBK_STEP_ESTABLISHED, /* send `message` if any; the keys are ready, media are permitted (P-13) */
    IBK_STEP_UPDATED,     /* a CSB update is complete: send `message` if any; ibk_session_tek gives the new
                             keys. Whoever answered it: see ibk_session_confirm_update */
    IBK_STEP_CLOSED,      /* send `message` (an Error) if any; `reason` tells why */
    IBK_STEP_DISCARDED,   /* the message was none for this state or session, or an update came to nothing:
                             keys and crypto sessions are as before. Send `message` (an Error) if any */
    IBK_STEP_NEED_PARAMS, /* fetch the parameters for `need` (an identity), then make the same call again */
    IBK_STEP_NEED_KEY /* fetch the private key for `need` (an IBE identity), then make the same call again */
} ibk_step_kind;

/* Spans are borrowed until the next call on the session. */
typedef struct ibk_step {
    ibk_step_kind kind;
    ibk_session_state state; /* after the step */
    ibk_span message;        /* octets to send; empty: nothing */
    uint8_t message_type;    /* enum ibk_data_type of `message`, 0 if empty */
    uint8_t waits_for;       /* enum ibk_data_type, 0: nothing is awaited */
    ibk_identity need;       /* NEED_PARAMS, NEED_KEY */
    ibk_err reason;          /* CLOSED, DISCARDED */
    ibk_diag diag;           /* the same, with place and cause */
    uint8_t peer_error;      /* reason IBK_ERR_PEER_ERROR: the first error number (enum ibk_error_no) */
} ibk_step;

/* IBK_ERR_USAGE: a configuration that contradicts itself; IBK_ERR_NO_MEMORY. `env` is copied, env->draw is
 * required. Draws nothing. */
ibk_err ibk_session_new(ibk_session **out, const ibk_env *env, const ibk_session_config *config);
/* Wipes every secret. Legal on NULL. */
void ibk_session_free(ibk_session *session);

/* Initiator in I_NEW: builds I_MESSAGE_1. IBK_ERR_STATE otherwise. */
ibk_err ibk_session_start(ibk_session *session, ibk_time now, ibk_step *step);
/* Any message from the peer. A message that is awaited and is refused closes the session (RFC 6267 §4.2.2.2,
 * .4, .6, .8); one that does not belong here is discarded. */
ibk_err ibk_session_recv(ibk_session *session, ibk_time now, ibk_span message, ibk_step *step);
/* When to call ibk_session_expire, on the timer clock (ns); UINT64_MAX: never. */
uint64_t ibk_session_deadline(const ibk_session *session);
/* If the deadline has come: CLOSED with IBK_ERR_TIMEOUT; in UPDATING, the update is given up (DISCARDED with
 * IBK_ERR_TIMEOUT); in ESTABLISHED, an update that we answered counts as confirmed (DISCARDED with IBK_OK).
 * Else the step is DISCARDED with IBK_OK. */
ibk_err ibk_session_expire(ibk_session *session, ibk_time now, ibk_step *step);

/* ---- forking (RFC 6267 §3.1) ------------------------------------------------------------------------- */

/* One I_MESSAGE_1 may be answered by several responders. Initiator in I_WAIT_R_MESSAGE_1: a copy that shares
 * what I_MESSAGE_1 fixed (x, CSB ID, RAND, T, offer, SK, deadline) and takes one of the answers; the original
 * stays as it is and takes another. Each one wipes its own x: at I_MESSAGE_2, or when it ends unanswered.
 * All have one CSB ID, which has to be unique between two peers (RFC 3830 §6.1): of two forks that are
 * answered under one identity (ibk_session_peer) the caller goes on with one.
 * IBK_ERR_STATE in any other state. IBK_ERR_USAGE: no node.timestamps, without which two forks would send
 * I_MESSAGE_2 with one T (RFC 3830 §5.2). */
ibk_err ibk_session_fork(ibk_session **out, const ibk_session *session);

/* ---- CSB update (RFC 6267 §5.3, P-30 to P-35) ---------------------------------------------------------- */

/* The zero value changes nothing but shows, by a V, that both ends still hold the keys of the initial
 * exchange; with `new_dh` new EC Diffie-Hellman values, and so a new TGK and new keys for every crypto
 * session; with a map, further crypto sessions. Octets are copied. */
typedef struct ibk_update_config {
    bool new_dh;
    uint8_t curve; /* with new_dh; 0: that of the policy */
    ibk_span mki;  /* with new_dh: KV type 1 of ECCPT, names the new keys in SRTP; empty: none; at most 255 */
    /* Crypto sessions: those of before, with the same policy and SSRC, then further ones (an SSRC of 0 is the
     * other side's to fill: ibk_session_fill_ssrcs). 0: the map stays. Maps of type SRTP-ID only. */
    const ibk_cs_srtp *srtp;
    size_t n_srtp;
    /* Further policies, for further crypto sessions; 0: none. Nothing authenticates I_MESSAGE_1 of an update,
     * so a policy in force is never changed by one (P-33). */
    const ibk_sp *policies;
    size_t n_policies;
} ibk_update_config;

/* Either side in ESTABLISHED; builds I_MESSAGE_1 of the update: the step is WAIT, and UPDATED after
 * R_MESSAGE_1. The other side gets it by ibk_session_recv in ESTABLISHED: its step is UPDATED, with
 * R_MESSAGE_1 to send. An update that is refused or not answered in time leaves the session ESTABLISHED with
 * its old keys: the step is DISCARDED with the reason (and an Error to send, if policy wants one); its state
 * tells whether an update of ours still waits. While ours waits, one of the peer's is discarded
 * (IBK_ERR_STATE): SIP solves glare. NEED_PARAMS, NEED_KEY: the same call again, as ever. IBK_ERR_STATE: not
 * ESTABLISHED. IBK_ERR_USAGE: a configuration that takes away or changes what is there. */
ibk_err ibk_session_update(ibk_session *session, ibk_time now, const ibk_update_config *config,
                           ibk_step *step);
/* Gives up an update of ours that waits for its answer, because there will be none (SIP refused its request):
 * its values are wiped, the session is ESTABLISHED with the keys it had, and a late answer is discarded.
 * IBK_ERR_STATE: not UPDATING. */
ibk_err ibk_session_abandon_update(ibk_session *session);
unsigned ibk_session_updates(const ibk_session *session); /* completed, and not taken back */
/* The MKI of the keys in force, as the update that made them named it; empty: none. Borrowed. */
ibk_span ibk_session_mki(const ibk_session *session);
/* Before the peer's update: SSRCs for the crypto sessions that its map leaves 0 (the i-th for CS ID i + 1).
 * Replaces ibk_session_config.srtp of a responder. IBK_ERR_USAGE: more than 255. */
ibk_err ibk_session_fill_ssrcs(ibk_session *session, const ibk_cs_srtp *srtp, size_t n_srtp);

/* RFC 6267 §5.3 has no I_MESSAGE_2: whoever answers an update has only the peer's word that there was one
 * (anybody can encrypt to an identity), and does not learn whether R_MESSAGE_1 arrived and was accepted. Its
 * session therefore keeps what was in force before (P-32), until
 *  - the caller says that the peer uses the new keys, e.g. after the first SRTP packet that authenticates
 *    under them (ibk_session_confirm_update), or the deadline has come (ibk_session_expire): the old TGK is
 *    wiped; or
 *  - the caller takes the update back, e.g. because R_MESSAGE_1 was not delivered, or the peer goes on with
 *    the old keys (ibk_session_revert_update): the new TGK is wiped, ibk_session_tek gives the old keys,
 *    crypto sessions and policies are those of before.
 * Whoever started an update has the answer's V and needs neither. */
bool ibk_session_update_unconfirmed(const ibk_session *session);
void ibk_session_confirm_update(ibk_session *session);   /* no effect if there is nothing to confirm */
ibk_err ibk_session_revert_update(ibk_session *session); /* IBK_ERR_STATE: nothing to take back */

/* Ends the session for a reason of the caller's (the call was hung up): wipes its secrets, sends nothing. */
void ibk_session_close(ibk_session *session, ibk_err reason);

/* ---- what is known ------------------------------------------------------------------------------------ */

ibk_session_state ibk_session_get_state(const ibk_session *session);
uint32_t ibk_session_csb_id(const ibk_session *session); /* 0 before it is known */
ibk_err ibk_session_reason(const ibk_session *session,
                           ibk_diag *diag); /* of a closed one; diag may be NULL */
/* Borrowed from the session. The peer is authenticated only in ESTABLISHED; before, it is what was claimed.
 * For an initiator after R_MESSAGE_1 it is who answered. */
ibk_identity ibk_session_local(const ibk_session *session);
ibk_identity ibk_session_peer(const ibk_session *session);
ibk_identity ibk_session_asked(const ibk_session *session); /* IDRr of I_MESSAGE_1 */
/* The instant whose date all IBE identities of the exchange carry, that of an ESK made in it included (P-9):
 * ns UTC, of the initiator's T if that tells the time; 0 before I_MESSAGE_1. */
int64_t ibk_session_date(const ibk_session *session);
bool ibk_session_deferred(const ibk_session *session); /* R_MESSAGE_1 carried [y]P alone */

/* The header in force (PRF, crypto sessions; see ibk_map_srtp), NULL before I_MESSAGE_1. Borrowed. */
const ibk_hdr *ibk_session_header(const ibk_session *session);
/* The policies in force, authenticated in ESTABLISHED. Borrowed. */
const ibk_sp *ibk_session_policies(const ibk_session *session, size_t *n);
/* The policy of a crypto session (its SP, or the defaults if none was offered). IBK_ERR_USAGE: no such CS. */
ibk_err ibk_session_srtp_policy(const ibk_session *session, uint8_t cs_id, ibk_srtp_policy *out);

/* RFC 3830 §4.1.3: TEK and salt of a crypto session, e.g. 16 and 14 octets for AES_CM_128_HMAC_SHA1_80.
 * Either may be NULL with length 0. IBK_ERR_STATE unless ESTABLISHED or UPDATING; IBK_ERR_USAGE: no such CS.
 * The caller wipes them. */
ibk_err ibk_session_tek(ibk_session *session, uint8_t cs_id, uint8_t *tek, size_t tek_len, uint8_t *salt,
                        size_t salt_len);

/* Deferred delivery. Responder: the ESK payload's ciphertext as received (RFC 6267 §4.2.2.6: stored), that of
 * I_MESSAGE_2 if both had one; initiator: the SK that it made or was given. Empty if there is none. No V
 * covers an ESK (§5.4): one that was changed or exchanged on its way shows when it is opened, or when the
 * content does not authenticate under its SK. Borrowed. */
ibk_span ibk_session_esk(const ibk_session *session);
ibk_span ibk_session_sk(const ibk_session *session);
/* The intended recipient opens a stored ESK: appends the SK and the sender's ID data (not authenticated by
 * it). */
ibk_err ibk_esk_open(ibk_buf *sk, ibk_buf *sender, const ibk_ibe_params *params, const ibk_ibe_key *key,
                     ibk_span esk, ibk_diag *diag);

/* P-22: TEK and salt of content under an SK, as from a TGK (RFC 3830 §4.1.3) with PRF-HMAC-SHA-256, CSB ID
 * 0xFFFFFFFF and an empty RAND: the recipient knows nothing else of the exchange in which SK was made. Either
 * may be NULL with length 0. IBK_ERR_USAGE: no SK, CS ID 0 or 0xFF, or more than 1024 octets wanted. The
 * caller wipes them. */
ibk_err ibk_sk_keys(ibk_span sk, uint8_t cs_id, uint8_t *tek, size_t tek_len, uint8_t *salt, size_t salt_len);

/* ---- for laboratories --------------------------------------------------------------------------------- */

/* What whoever breaks into a node finds in a session at that moment: of use to nobody but simulations and
 * tests of forward secrecy. What was wiped is not there (P-20): the scalar after K_SESSION was computed, all
 * of it once the session has ended. */
typedef enum ibk_secret_kind {
    IBK_SECRET_SCALAR = 1,  /* x or y */
    IBK_SECRET_OWN_POINT,   /* [x]P of an initiator, [y]P of a responder: 04 || X || Y */
    IBK_SECRET_THEIR_POINT, /* the other one */
    IBK_SECRET_MPK,
    IBK_SECRET_TGK,
    IBK_SECRET_SK /* of content */
} ibk_secret_kind;

typedef enum ibk_secret_age {
    IBK_SECRET_IN_FORCE = 0, /* or of the initial exchange while it goes on */
    IBK_SECRET_COMING,       /* of a CSB update under way */
    IBK_SECRET_PREVIOUS,     /* of before an update that is not confirmed */
    IBK_SECRET_LEFT          /* without IBK_DEFENCE_WIPE: of before or after an update that is over */
} ibk_secret_age;

typedef struct ibk_session_secret {
    ibk_secret_kind kind;
    ibk_secret_age age;
    ibk_session_role role; /* the session's: whether a scalar is x or y */
    uint32_t csb_id;       /* 0 before it is known */
    uint8_t curve;         /* SCALAR and points; else 0 */
    ibk_span octets;       /* borrowed for the call */
} ibk_session_secret;

typedef void ibk_secret_fn(void *user, const ibk_session_secret *secret);

/* Calls `fn` for each secret that is alive. */
void ibk_session_secrets(const ibk_session *session, ibk_secret_fn *fn, void *user);

/* ---- for a node that has many sessions ------------------------------------------------------------------
 */

/* What a message says of itself in clear; nothing is verified. Spans are borrowed from the input. */
typedef struct ibk_peek {
    uint8_t data_type;
    uint32_t csb_id;
    ibk_identity initiator, responder, kms; /* empty id: no such payload */
} ibk_peek;

ibk_err ibk_message_peek(ibk_peek *out, ibk_span message, ibk_diag *diag);

#ifdef __cplusplus
}
#endif
#endif
