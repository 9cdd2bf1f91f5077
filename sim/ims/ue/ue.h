/* The user equipment: one user's terminal. It fetches the private keys of its identity, registers, calls and
 * is called; every call carries the four messages of RFC 6267 (P-13) and, once R_MESSAGE_2 is verified, SRTP.
 */
#ifndef IMS_UE_UE_H
#define IMS_UE_UE_H

#include "ims/host.h"
#include "ims/media/stream.h"
#include "ims/ue/scripts.h"
#include "kms/parameters.h"

typedef struct ue ue;

/* The public parameters of a home network's KMS, for UEs that are provisioned with them. */
typedef parameters_source ue_params;

typedef struct ue_config {
    ims_host_config host;
    const scn_scenario *scenario;
    const scn_user *user;
    const char *pcscf;       /* host name of its P-CSCF */
    const ue_params *params; /* borrowed: one for each domain */
    size_t param_count;
    ue_scripts *scripts; /* borrowed: shared by all UEs of the run, as the next one */
    struct ue_messages *messages;
    /* Cuts the access link of a user for good; `user` is passed back. */
    void (*cut_off)(void *user, const scn_user *whom);
    void *cut_off_user;
    tls_context *tls;                 /* borrowed: what its trust anchor is; NULL: none */
    const struct key_client_pke *pke; /* borrowed: for REQUEST_KEY_PKE; NULL: it has no certificate */
} ue_config;

ibk_err ue_new(ue **out, const ue_config *config);
void ue_free(ue *u); /* calls end without a word */

/* Switched on: asks the KMS for its keys, and registers (unless the scenario says that it never does). */
void ue_switch_on(ue *u);
/* Switched off: ends its calls and deregisters; it answers no more calls. */
void ue_switch_off(ue *u);
/* Restarts: it hangs up, and its replay cache is lost (RFC 3830 §5.4). */
void ue_restart(ue *u);
/* Places a call now, as the scenario describes it. */
void ue_place_call(ue *u, const scn_call *script);

/* ---- what happened ----------------------------------------------------------------------------------------
 */

typedef struct ue_moment {
    uint64_t ns;
    bool set;
} ue_moment;

/* Why the UE asked its KMS. */
typedef enum ue_fetch_kind {
    UE_FETCH_FIRST = 0, /* it has no keys */
    UE_FETCH_REFRESH,   /* those that it has will lapse */
    UE_FETCH_DEMAND     /* an exchange needs one that is not there */
} ue_fetch_kind;

/* One request with its repetitions. */
typedef struct ue_key_fetch {
    ue_fetch_kind kind;
    ue_moment begin, end;     /* `end` not set: it is open */
    size_t asked, keys;       /* identities (P-10); private keys that came */
    unsigned tries;           /* connections */
    scn_keys_failure failure; /* 0: none */
} ue_key_fetch;

typedef struct ue_status {
    ue_moment register_begin, registered, deregistered, keys_begin, keys_received;
    unsigned keys;                 /* private keys that arrived and were verified, in sum */
    size_t keys_dropped;           /* of them, those that lapsed and were wiped */
    unsigned registrations;        /* REGISTERs that were answered 200, refreshes included */
    scn_keys_failure keys_failure; /* of the latest request, 0: none */
    ibk_diag keys_diag;            /* why, when keys_failure is set */
    int register_status;           /* SIP status of a refusal, 0: none */
    sip_cause register_cause;      /* TIMEOUT, TRANSPORT: no answer */
    bool done;                     /* keys and registration have both ended, well or not */
} ue_status;

/* An offer in the middle of a call, as this end saw it. */
typedef struct ue_update {
    uint64_t begun_ns, done_ns;
    bool by_us, reinvite;
    scn_do
        what; /* UPDATE, REKEY: a CSB update alone; the answerer takes any other as UPDATE, REKEY or HOLD */
    bool csb; /* it carried a CSB update */
    bool new_dh;            /* … with new EC Diffie-Hellman values */
    bool done, ok;          /* answered, and accepted */
    bool glare;             /* answered 491 */
    int sip_status;         /* final status; 0: none */
    ibk_err reason;         /* why it was refused */
    uint8_t key_digest[32]; /* as ue_call_view.key_digest, after it */
    const char *wanted_mki; /* by_us: what the scenario names the new keys; NULL: nothing */
    uint8_t mki[255];       /* how they are named after it, by this end (P-35) */
    uint8_t mki_len;        /* 0: not at all */
} ue_update;

typedef struct ue_digest {
    uint8_t octets[32]; /* SHA-256 */
} ue_digest;

/* An exchange that an end has completed. Updates leave it as it was. */
typedef struct ue_exchange {
    char peer[256];               /* the identity with which this end believes to share the keys */
    ue_digest keys;               /* as ue_call_view.key_digest */
    ue_digest terms, r_message_2; /* what was agreed; R_MESSAGE_2 as it was sent or accepted */
} ue_exchange;

/* One end's view of one call. */
typedef struct ue_call_view {
    const scn_call *script; /* NULL: no call of the scenario */
    bool caller;
    char call_id[128];
    char to_tag[64]; /* of the dialog that was answered by 200; "": none was */
    unsigned legs;   /* dialogs in which the exchange was completed */
    uint32_t csb_id;
    ue_moment invite, provisional, keyed, established, ended;
    int sip_status;   /* caller: final status of the INVITE, 0: none */
    sip_cause cause;  /* how the SIP call ended */
    bool planned_end; /* by the BYE that the scenario plans */
    ibk_err reason;   /* why this end gave the exchange up; IBK_OK: it did not */
    ibk_diag diag;
    bool has_keys;
    uint8_t key_digest[32]; /* SHA-256 over TEK and salt of every crypto session, to compare both ends */
    ue_exchange *exchanges; /* that this end has completed: a caller one for each leg, `legs` in all */
    size_t mikey_octets[4]; /* I_MESSAGE_1, R_MESSAGE_1, I_MESSAGE_2, R_MESSAGE_2, as this end sent or
                               received it */
    bool has_media;         /* the stream was opened; stats is valid */
    bool media_protected;
    media_stats stats;
    bool has_video; /* … the second one; video is valid */
    media_stats video;
    ue_update *updates; /* in the order in which they began */
    size_t update_count;
} ue_call_view;

const ue_status *ue_get_status(const ue *u);
size_t ue_keys_held(const ue *u);
const ue_key_fetch *ue_key_fetches(const ue *u, size_t *count); /* in order; borrowed until the next one */
const parameters_client *ue_parameters(const ue *u);            /* what it fetched by RFC 5408 */
const scn_user *ue_user(const ue *u);
const ims_host *ue_host(const ue *u);
size_t ue_call_count(const ue *u);
const ue_call_view *ue_call_at(const ue *u, size_t index); /* with live statistics */
/* Nothing is open any more: no call, no request. */
bool ue_is_idle(const ue *u);

#endif
