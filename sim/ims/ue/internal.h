/* What the files of the UE share; nobody else includes it. */
#ifndef IMS_UE_INTERNAL_H
#define IMS_UE_INTERNAL_H

#include "ims/media/content.h"
#include "ims/sip/call.h"
#include "ims/sip/digest.h"
#include "ims/sip/ids.h"
#include "ims/sip/sdp.h"
#include "ims/ue/key_store.h"
#include "ims/ue/messages.h"
#include "kms/key_client.h"
#include "kms/rfc5408.h"

#define UE_SDP_TYPE       "application/sdp"
#define UE_MIKEY          "mikey"
#define UE_PEER_CACHE     8
#define UE_IDENTITIES_MAX (2 * SCN_MAX_IDENTITIES) /* a device's and its user's */

/* The streams of a call; which m-line is whose, the first offer says (ue_leg.line). */
enum { UE_AUDIO = 0, UE_VIDEO, UE_STREAMS };

/* Two consecutive CS IDs for each m-line (RFC 4567 §7.1). */
#define UE_CS_MAX (2 * SIP_SDP_MAX_MEDIA)

typedef struct ue_peer_entry {
    ibk_ibe_peer *peer;
    const ibk_ibe_params *params;
    ibk_buf identity;
} ue_peer_entry;

typedef struct ue_media ue_media;
typedef struct ue_midcall ue_midcall;
typedef struct ue_session_timer ue_session_timer;
typedef struct ue_call ue_call;
typedef struct ue_leg ue_leg;
typedef struct ue_held ue_held;
typedef struct ue_content ue_content;
typedef struct ue_mailbox ue_mailbox;
typedef struct ue_message ue_message; /* one in a mailbox */

struct ue {
    ims_host *host;
    const scn_scenario *scenario;
    const scn_user *user;
    const char *pcscf;
    ue_status status;

    /* keys */
    parameters_client *parameters;
    const ibk_ibe_params *own_params; /* of our KMS, once we have them */
    bool keys_await_params;
    tls_context *tls;
    cpu_job *keys_job;         /* what arrived is being verified */
    key_client_result arrived; /* … */
    ibk_key_list arrived_keys;
    key_client *key_client;
    rfc5408_client *rfc5408;   /* in its place, with `key-request: rfc5408` */
    const key_client_pke *pke; /* NULL: no certificate */
    key_store *store;
    bool keys_pending; /* a request is open, or will be at once */
    ims_timer fetch_timer, lapse_timer;
    ue_fetch_kind next_fetch; /* of fetch_timer */
    ibk_buf wanted;           /* UE_FETCH_DEMAND: an IBE identity */
    bool wanted_past;         /* … for an ESK */
    bool past_refused;        /* … and the KMS did not issue it */
    unsigned failed_fetches;  /* in a row */
    sim_random *fetch_random;
    ue_key_fetch *fetches;
    size_t fetch_count;
    ibk_replay_cache *replay;
    ibk_timestamps timestamps;
    ue_peer_entry peers[UE_PEER_CACHE];
    size_t next_peer;

    /* registration */
    sip_client *registering;
    char register_call_id[SIP_ID_MAX], register_tag[SIP_ID_MAX];
    uint32_t register_cseq;
    bool register_pending, answered_challenge, switched_off;
    ims_timer refresh;
    sip_arena route_arena;
    sip_name_addr *service_route;
    size_t service_route_count;

    /* calls */
    sip_ua *ua;
    ue_call **calls;
    size_t call_count, call_cap;
    ue_scripts *scripts;
    ue_messages *messages;
    ue_mailbox *mailbox; /* NULL: it is none */
    void (*cut_off)(void *user, const scn_user *whom);
    void *cut_off_user;
    uint16_t next_rtp_port;
    ibk_session **left; /* without IBK_DEFENCE_WIPE: the sessions of calls that are over */
    size_t left_count;
};

/* Is this defence of the UE on? IBK_DEFENCE_…, SCN_DEFENCE(…). */
static inline bool ue_guards(const ue *u, uint64_t defence) {
    return (u->user->without & defence) == 0;
}

/* What a session waits for keys to do. */
typedef enum ue_pending {
    UE_PENDING_NONE = 0,
    UE_PENDING_START,
    UE_PENDING_RECEIVE,
    UE_PENDING_MIDCALL /* what: the call's ue_midcall knows */
} ue_pending;

/* One dialog of a call, with the exchange in it. The callee's call has one; the caller's has one for each
 * branch of its INVITE that answered, whose session is forked from that of the offer (RFC 6267 §3.1). A leg
 * that is over keeps its account (reason, digest) and nothing else. */
struct ue_leg {
    ue_call *call;
    ue_leg *next; /* older to newer */
    sip_leg *sip; /* NULL: none yet, or the dialog is over */
    ibk_session *session;
    ims_timer session_timer;
    ue_pending pending;
    ibk_buf pending_message;
    sip_server *pending_server; /* callee: the request with I_MESSAGE_2 that waits for an answer */
    sip_msg *pending_response;  /* caller: the response that waits for its PRACK */
    ibk_buf held_message; /* what waits: R_MESSAGE_1 for the 200 (PRACK), or to be sent in the 200 (INVITE);
                             then R_MESSAGE_2 for the key of the content */
    ue_held *held;        /* steps of the session that the processor is at work on, oldest first */
    sip_sdp *remote;      /* the peer's latest description */
    uint64_t sdp_version; /* of the next description sent here */
    sip_direction wish;   /* SENDONLY: we hold the other party (RFC 3264 §8.4) */
    unsigned line[UE_STREAMS]; /* of each stream: its m-line, from 1; 0: it has none */
    size_t lines;              /* m-lines of the latest offer that was not refused */
    bool video;                /* the m-line of the pictures is in use */
    bool container;            /* our descriptions list the format for content under SK */
    bool locked;               /* callee: the key for an ESK is being fetched */
    bool plain;          /* without SCN_DEFENCE(REQUIRE_KEY_MGMT): there is no exchange, media are RTP */
    ue_content *content; /* such content is sent or received here */
    ue_media *media;
    bool over;
    bool keyed;           /* R_MESSAGE_2 is sent or verified */
    bool r_message_2_due; /* caller: I_MESSAGE_2 is on its way */
    bool answered;        /* caller: the 200 (INVITE) came before R_MESSAGE_2: no media yet */
    bool has_keys;
    uint8_t key_digest[32];
    ue_digest received; /* the latest MIKEY message */
    ibk_err reason;     /* why the exchange was given up here */
    ibk_diag diag;
};

/* Both ends' call. `leg` is the dialog that carries the call: the callee's only one; the caller's that was
 * answered by 200 (NULL before). */
struct ue_call {
    ue *u;
    const scn_call *script;
    ue_call_view view;
    sip_call *sip; /* NULL once ended */
    bool leaving;  /* this end has sent its BYE or CANCEL: it begins nothing new */
    ue_leg *offer; /* caller: the exchange as I_MESSAGE_1 began it, without a dialog; legs are forked from it
                      until the call is answered */
    ue_leg *legs;
    ue_leg *leg;
    const char *local; /* callee: the own identity that is called; NULL: the user's first one */
    ims_timer plan_timer, cancel_timer, guard_timer;
    char *target;              /* caller: the identity that is called: another one after a redirection */
    char from_tag[SIP_ID_MAX]; /* caller: of its INVITEs, as view.call_id */
    unsigned redirections;
    ue_message *delivers;  /* a mailbox's call: what it hands on; borrowed from the mailbox */
    ibk_buf sk;            /* caller: the SK that its sound was encoded under before the call; empty: none */
    content_store encoded; /* … and that sound */
    uint64_t sdp_session_id;
    uint16_t rtp_port[UE_STREAMS];
    uint32_t ssrc[UE_STREAMS]; /* the second ones are drawn when there is a second stream */
    ue_moment acked;           /* the ACK of the 200 (INVITE) */
    ue_midcall *midcall;       /* once media are up */
    ue_session_timer *refresh; /* RFC 4028; NULL: none */
    ims_timer vanish_timer, answer_timer;
    struct { /* without SCN_DEFENCE(FRESH_SCALARS) */
        uint32_t csb_id, drawn;
    } generator;
};

/* ---- keys.c
 * -------------------------------------------------------------------------------------------------- */
ibk_err ue_keys_init(ue *u, const ue_config *config);
void ue_keys_fetch(ue *u); /* from now on it looks after its keys by itself */
void ue_keys_stop(ue *u);  /* it asks for no more */
void ue_keys_free(ue *u);
/* An exchange needs the key of an IBE identity that is not in the store. True: it is asked for, or a request
 * that is open may bring it; ue_legs_keys_arrived() follows. */
bool ue_keys_want(ue *u, ibk_span ibe_identity);
/* The same for an ESK, which may have been made for a date that has passed. The key is in the store while
 * ue_legs_keys_arrived() runs; whether it stays is for `keep-keys` to say. A KMS that refused is not asked
 * for that key again. */
bool ue_keys_want_past(ue *u, ibk_span ibe_identity);

/* ---- keys_rfc5408.c
 * ------------------------------------------------------------------------------------------- */
/* Asks for the same as key_client would, one IBE identity after the other, but for keys that are in the
 * store. `done` as key_client's. */
ibk_err ue_keys_by_rfc5408(ue *u, const ibk_identity *ids, size_t n, key_client_done *done);

/* ---- lookup.c
 * ------------------------------------------------------------------------------------------------ */
ibk_node ue_node(ue *u); /* what a session may ask of this UE */
size_t ue_identities(const ue *u, const char *out[UE_IDENTITIES_MAX]);
/* The identity under which a call for `called` (ID data of IDRr) is answered: that one, if it is the user's
 * own. */
const char *ue_answers_as(const ue *u, ibk_span called);
/* The private key that opens an ESK. PENDING: it has been asked for. */
ibk_lookup ue_find_past_key(ue *u, ibk_span ibe_identity, const ibk_ibe_params **params,
                            const ibk_ibe_key **key);
/* How long the keys of this identity's KMS are for. */
ibk_granularity ue_granularity_of(const ue *u, ibk_span id);
/* P-19: may `answered` stand in for `asked`? Logged. */
bool ue_accepts_responder(ue *u, const ibk_identity *asked, const ibk_identity *answered, bool echoed);

/* ---- register.c
 * ------------------------------------------------------------------------------------------------ */
void ue_register(ue *u);
void ue_register_free(ue *u);
/* A request outside calls (sip_ua_ops): a mailbox takes third-party REGISTERs. */
void ue_outside(void *user, sip_server *server, const sip_msg *request);
void ue_check_done(ue *u);

/* ---- call.c: both ends
 * -------------------------------------------------------------------------------------------- */
ue_call *ue_call_new(ue *u, const scn_call *script, bool caller); /* NULL: out of memory */
void ue_call_release(ue_call *call);                              /* everything but the view */
void ue_call_drop_legs(ue_call *call);                            /* the offer too, with their accounts */
void ue_call_free(ue_call *call);
void ue_call_state(ue_call *call, const char *state); /* to the event log */
/* Why the call came to nothing, for its view: its own reason, else that of its first leg that has one. */
void ue_call_take_reason(ue_call *call);
/* Ends every exchange and the SIP call; reason is for this end's log. */
void ue_call_hang_up(ue_call *call, const char *reason); /* CANCEL or BYE; `reason` for its header, or NULL */
void ue_call_give_up(ue_call *call, ibk_err reason, const ibk_diag *diag);
ue_moment ue_call_now(const ue_call *call);
void ue_call_adopt_keys(const ue_leg *leg); /* into the view: the keys of the leg that carries the call */
/* From the ACK on: what the scenario plans for the end of the call. */
void ue_call_plan_end(ue_call *call);
/* SSRC and port of a stream are there from now on. */
void ue_call_have_stream(ue_call *call, unsigned stream);

/* ---- scalars.c
 * ------------------------------------------------------------------------------------------------- */
ibk_env ue_call_env(ue_call *call); /* what the exchanges of a call ask of the host */

/* ---- leg.c: the exchange in one dialog
 * ------------------------------------------------------------------------------ */
ue_leg *ue_leg_new(ue_call *call, sip_leg *sip); /* at the end of call->legs; NULL: out of memory */
ue_leg *ue_leg_of(const ue_call *call, const sip_leg *sip); /* NULL: none */
/* Ends what the leg holds: media (statistics go into the view), keys, timers. Its account stays. */
void ue_leg_release(ue_leg *leg);
void ue_leg_free(ue_leg *leg);
ibk_err ue_leg_open_session(ue_leg *leg, const ibk_identity *peer, ibk_span sdp_ids);
/* The session of a caller's new leg comes from the offer's. */
ibk_err ue_leg_fork_session(ue_leg *leg);
/* Run a step of the session and hand it to `ue_caller_step` or `ue_callee_step`. */
void ue_leg_start_session(ue_leg *leg);
void ue_leg_receive_mikey(ue_leg *leg, ibk_span message);
void ue_legs_keys_arrived(ue *u);
/* Derives the keys in force of every crypto session, for both ends to be compared. */
void ue_leg_note_keys(ue_leg *leg);
/* After a step of the session outside this file. */
void ue_leg_watch_deadline(ue_leg *leg);

/* Notes why the exchange ends here (the first reason stays). */
void ue_leg_note_reason(ue_leg *leg, ibk_err reason, const ibk_diag *diag);

/* ---- held.c: the time that cryptography takes
 * ------------------------------------------------------------------------ */
typedef void ue_step_fn(ue_leg *leg, const ibk_step *step);
/* After every call of the session's functions: runs `go_on` when the step has been computed and those before
 * it have gone on; at once if it cost no time. The step's octets are kept until then; nothing runs if the leg
 * is released meanwhile. A step that waits for keys goes on at once: its work is charged all the same. */
void ue_leg_after_work(ue_leg *leg, const ibk_step *step, ue_step_fn *go_on);
void ue_leg_drop_held(ue_leg *leg);

/* ---- description.c: SDP with key management
 * ------------------------------------------------------------------------ */
/* An offer, or an answer to leg->remote; carries `mikey` (empty: none) at session level. Appended to out. An
 * offer has the m-lines of the dialog in their order (RFC 3264 §8), those that are nobody's with port 0. */
ibk_err ue_sdp_write(ue_leg *leg, ibk_buf *out, bool answer, ibk_span mikey);
/* Parses the body of their offer, or of their answer to our latest offer, into leg->remote and its MIKEY
 * message into `mikey` (empty: it has none). An offer gives each of our streams that has no m-line yet the
 * first one that fits. IBK_ERR_MISMATCH: an answer whose m-lines are not those of the offer. */
ibk_err ue_sdp_read_offer(ue_leg *leg, const sip_msg *msg, ibk_buf *mikey, ibk_diag *diag);
ibk_err ue_sdp_read_answer(ue_leg *leg, const sip_msg *msg, ibk_buf *mikey, ibk_diag *diag);
/* Gives a stream that has no m-line one of our next offer: a refused one of its type, else one at the end. */
void ue_sdp_give_line(ue_leg *leg, unsigned stream);
/* What the peer's latest description says of a stream; NULL: nothing. Borrowed. */
const sip_media *ue_sdp_media(const ue_leg *leg, unsigned stream);
/* What the caller sends in a stream that has an m-line, or what the callee sends there (RFC 4567 §7.1). */
uint8_t ue_cs_id(const ue_leg *leg, unsigned stream, bool from_caller);

/* ---- caller.c, callee.c
 * ----------------------------------------------------------------------------------------------- */
extern const sip_ua_ops ue_ua_ops;
/* The call has ended with `last`: true if it goes on to where a 3xx redirects it. */
bool ue_caller_redirected(ue_call *call, const sip_msg *last);
/* A mailbox calls the recipient of a message, as `plan` says. False: out of memory. The call may be over when
 * this returns. */
bool ue_caller_deliver(ue *u, const scn_call *plan, ue_message *message);
void ue_caller_step(ue_leg *leg, const ibk_step *step);
void ue_caller_progress(ue_call *call, sip_leg *leg, const sip_msg *response, bool reliable);
void ue_caller_answered(ue_call *call, sip_leg *leg, const sip_msg *response);
void ue_caller_response(ue_leg *leg, const char *method, const sip_msg *response, sip_cause cause);
void ue_callee_incoming(ue *u, sip_call *sip, const sip_msg *invite);
/* The recipient's key for an ESK has come, or will not. */
void ue_callee_keys_arrived(ue_leg *leg);
void ue_callee_step(ue_leg *leg, const ibk_step *step);
void ue_callee_request(ue_call *call, sip_leg *leg, sip_server *server, const sip_msg *request);
void ue_callee_acked(ue_call *call, sip_leg *sip);

/* ---- midcall.c, midcall_offer.c, midcall_answer.c: offers in the middle of a call
 * ------------------------------------------------------------------------ */
/* Media are up and the dialog is confirmed: from now on the leg's offers and answers are handled there, and
 * what the scenario plans is done. */
ibk_err ue_midcall_start(ue_leg *leg);
void ue_midcall_free(ue_call *call);
void ue_midcall_request(ue_call *call, sip_leg *sip, sip_server *server, const sip_msg *request);
void ue_midcall_response(ue_call *call, const char *method, const sip_msg *response, sip_cause cause);
/* 500 with Retry-After: a request that is in order, but comes too early. */
void ue_midcall_not_now(const ue_call *call, sip_leg *sip, sip_server *server);
void ue_midcall_acked(ue_call *call); /* the ACK of a re-INVITE that we answered */
void ue_midcall_keys_arrived(ue_call *call);
bool ue_midcall_is_busy(const ue_call *call); /* an offer waits for its answer, in either direction */
void ue_midcall_proceed(ue_call *call);       /* something ended: begin what waits */
/* The peer uses the newest keys, or may be taken to: the old ones are given up. */
void ue_midcall_peer_has_keys(ue_call *call);

/* ---- session_timer.c: RFC 4028
 * ---------------------------------------------------------------------------------------- */
/* Adds Session-Expires and Supported: timer to an INVITE of ours. */
void ue_session_timer_offer(const ue_call *call, sip_msg *invite);
/* The same for a later request of the dialog. */
void ue_session_timer_mark(const ue_call *call, sip_msg *request);
/* Adds Session-Expires and Require: timer to our 2xx if the request asked for it. */
void ue_session_timer_answer(sip_msg *response, const sip_msg *request);
/* After the 2xx, with the Session-Expires that both know: the caller's of the 2xx, the callee's of the
 * INVITE. */
void ue_session_timer_start(ue_call *call, const sip_msg *msg);
/* A request or 2xx that refreshes the session came or went. */
void ue_session_timer_refreshed(ue_call *call);
/* True: it was the answer to our refresh, and is dealt with. */
bool ue_session_timer_response(ue_call *call, const char *method, const sip_msg *response);
bool ue_session_timer_is_busy(const ue_call *call); /* a refresh waits for its answer */
void ue_session_timer_free(ue_call *call);

/* ---- content.c: content under an SK, in the caller's, the mailbox's and the recipient's hands
 * --------------------------------------------------- */
/* Caller, before the exchange: encodes the sound if the scenario says so. */
ibk_err ue_content_encode(ue_call *call);
/* What a caller's session has to say of content; spans are borrowed from the call. */
void ue_content_session(const ue_call *call, ibk_session_config *config);
/* After I_MESSAGE_1 or R_MESSAGE_1: whether our descriptions list the container's format from now on. */
void ue_content_negotiate(ue_leg *leg);
/* Its attribute: for which date the ESK was made (a mailbox's offer); false: there is nothing to say. */
bool ue_content_parameters(const ue_leg *leg, char out[64]);
/* The recipient, once the exchange is complete: opens the ESK. IBK_ERR_STATE: the key for its date is being
 * fetched, see ue_content_keys_arrived. Another error: that is why the content cannot be opened. */
ibk_err ue_content_unlock(ue_leg *leg, ibk_diag *diag);
/* With the media: true if content is sent or received here; `source` and `expected` are the call's. */
bool ue_content_begin(ue_leg *leg, media_content *out, media_source *source, media_source *expected);
void ue_content_end(ue_leg *leg);

/* ---- mailbox.c
 * -------------------------------------------------------------------------------------------------------- */
ibk_err ue_mailbox_new(ue *u);
void ue_mailbox_close(ue *u); /* from now on nothing is stored or delivered */
void ue_mailbox_free(ue *u);  /* after the calls */
/* A message begins to arrive; its ESK and the keys of the hop are the leg's. NULL: out of memory. */
ue_message *ue_mailbox_begin(ue_leg *leg);
void ue_mailbox_take(ue_message *message, ibk_span packet);
void ue_mailbox_end(ue *u, ue_message *message); /* stored, unless it is empty */
void ue_mailbox_told(ue *u, const char *impu, bool registered);
/* A call that delivered, or should have, is over. */
void ue_mailbox_delivered(ue_call *call);
bool ue_mailbox_is_idle(const ue *u);
/* What a delivering call hands on. */
ibk_span ue_message_esk(const ue_message *message);
int64_t ue_message_date(const ue_message *message); /* ns UTC: when the ESK was made */
const char *ue_message_to(const ue_message *message);
const content_store *ue_message_packets(const ue_message *message);

/* ---- media.c
 * ----------------------------------------------------------------------------------------------------------
 */
/* Opens the sockets and the stream of sound, with the keys of the leg's exchange; packets go out from
 * ue_media_talk on. One leg of a call at a time: all describe the same ports. */
ibk_err ue_media_open(ue_leg *leg);
media_source *ue_media_source(const scn_source *source, const scn_call *script); /* script NULL: a tone */
void ue_media_talk(ue_leg *leg);
/* Whoever sends BYE stops to send media with it, not with its answer (RFC 3261 §15.1.1). leg may be NULL. */
void ue_media_hush(ue_leg *leg);
/* After an offer and its answer: streams begin, pause, go on and stop as described. `wait`: the answer is
 * ours, and a new stream says nothing until the offerer is heard there, or ue_media_switch. */
ibk_err ue_media_apply(ue_leg *leg, bool wait);
/* The session has new keys. They are accepted from now on. We send under them at once if the peer has them
 * (`now`), else from ue_media_switch on. */
ibk_err ue_media_rekey(ue_leg *leg, bool now);
ibk_err ue_media_switch(ue_leg *leg); /* the offerer has read our answer; no effect if nothing is due */
void ue_media_close(ue_leg *leg);     /* takes the statistics into the view */
void ue_media_observe(ue_call *call); /* the same while it goes on */

#endif
