/* SIP: a user agent's calls: INVITE with its early dialogs (one for each To tag), reliable provisional
 * responses (RFC 3262), 2xx until ACK, CANCEL, PRACK, UPDATE (RFC 3311), re-INVITE, BYE. Bodies are carried,
 * not understood: offer and answer, and the key exchange inside, are the business of the layer above, which
 * may answer at any later time.
 *
 * A call is one INVITE; a leg is one dialog of it. The callee's call has one leg; the caller's one for each
 * branch that answered with a tag. All pointers die with the `ended` callback, which is the last of a call.
 */
#ifndef IMS_SIP_CALL_H
#define IMS_SIP_CALL_H

#include "ims/sip/dialog.h"
#include "ims/sip/stack.h"

typedef struct sip_ua sip_ua;
typedef struct sip_call sip_call;
typedef struct sip_leg sip_leg;

/* Members may be NULL. `leg` may be NULL where none exists. */
typedef struct sip_ua_ops {
    /* ---- callee ---- */
    /* An INVITE outside any dialog. Answer with sip_call_reply or sip_call_respond, at once or later. */
    void (*incoming)(void *user, sip_call *call, const sip_msg *invite);
    /* The caller took it back; 487 is sent, `ended` follows. */
    void (*cancelled)(void *user, sip_call *call);
    /* ACK of our 2xx (to INVITE or re-INVITE). */
    void (*acked)(void *user, sip_call *call, sip_leg *leg, const sip_msg *ack);
    /* ---- caller ---- */
    /* 101..199. reliable: call sip_leg_prack for it, at once or later, body or not. A retransmission of a
     * reliable response is filtered out. */
    void (*progress)(void *user, sip_call *call, sip_leg *leg, const sip_msg *response, bool reliable);
    /* The first 2xx: call sip_leg_ack, at once or later. Later copies repeat that ACK by themselves. A 2xx of
     * another leg (the call was forked) is acknowledged and ended by BYE without a word here. */
    void (*answered)(void *user, sip_call *call, sip_leg *leg, const sip_msg *response);
    /* ---- both ---- */
    /* A request inside the dialog: PRACK (its response stopped already), UPDATE, INFO, re-INVITE, …. Answer
     * with sip_leg_reply, at once or later; after `ended` with sip_server_reply. BYE is answered by the
     * layer: `ended` tells. NULL: answered 200 (PRACK), else 501. */
    void (*request)(void *user, sip_call *call, sip_leg *leg, sip_server *server, const sip_msg *request);
    /* Answer to sip_leg_prack, sip_leg_request, sip_leg_send (2xx of a re-INVITE: call sip_leg_ack).
     * response NULL: there was none, cause tells why. Provisional ones come too. */
    void (*response)(void *user, sip_call *call, sip_leg *leg, const char *method, const sip_msg *response,
                     sip_cause cause);
    /* The call is over, and gone after this. `last`: the final response if cause is RESPONSE, the BYE or
     * CANCEL if there was one, else NULL or what answered our own BYE. */
    void (*ended)(void *user, sip_call *call, sip_cause cause, const sip_msg *last);
    /* ---- outside calls ---- */
    /* Any other request: MESSAGE, OPTIONS, NOTIFY. Answer with sip_server_reply or _respond. NULL: 501. */
    void (*outside)(void *user, sip_server *server, const sip_msg *request);
} sip_ua_ops;

typedef struct sip_ua_config {
    sip_name_addr contact; /* of this UA: copied; goes into INVITE, re-INVITE, UPDATE and 1xx/2xx */
    const char *allow;     /* Allow header; NULL: "INVITE, ACK, CANCEL, BYE, PRACK, UPDATE" */
    size_t max_calls;      /* at one time; more are answered 486; 0: 1,000 */
} sip_ua_config;

ibk_err sip_ua_new(sip_ua **out, sip_stack *stack, const sip_ua_config *config, const sip_ua_ops *ops,
                   void *user);
/* Calls end with SIP_CAUSE_LOCAL, without a word on the wire. Before sip_stack_free. */
void sip_ua_free(sip_ua *ua);
/* Feed these from the node's sip_core. */
void sip_ua_on_request(sip_ua *ua, sip_server *server, const sip_msg *request);
void sip_ua_on_ack(sip_ua *ua, const sip_msg *ack);
void sip_ua_on_cancel(sip_ua *ua, sip_server *invite, const sip_msg *cancel);
/* The Contact of later messages, e.g. after a change of address. */
ibk_err sip_ua_set_contact(sip_ua *ua, const sip_name_addr *contact);

/* ---- caller ------------------------------------------------------------------------------------- */

/* An INVITE as sip_request_new makes it (From tag, Call-ID, To, Route for the preloaded route set), to which
 * the caller may have added fields and a body; Contact, Allow, Supported: 100rel are added if absent.
 * Consumed. dest NULL: next hop of the message. */
ibk_err sip_call_invite(sip_ua *ua, sip_call **out, sip_msg *invite, const sip_dest *dest, void *user);
/* A fresh INVITE (or other) request of this UA: new Call-ID and From tag, CSeq 1. NULL: memory or randomness.
 */
sip_msg *sip_ua_request(sip_ua *ua, const char *method, const sip_uri *target, const sip_name_addr *from,
                        const sip_name_addr *to);
ibk_err sip_leg_prack(sip_leg *leg, const sip_msg *response, const char *content_type, ibk_span body);
ibk_err sip_leg_ack(sip_leg *leg, const char *content_type, ibk_span body);
/* CANCEL before an answer, BYE after it; `ended` follows when the other side has answered or timed out. A
 * callee that has not answered sends 603. reason: value of a Reason header, or NULL. */
ibk_err sip_call_hangup(sip_call *call, const char *reason);

/* Ends one early dialog of a forked call by BYE (RFC 3261 §15); the others and the INVITE go on. `ended` does
 * not follow. IBK_ERR_STATE: the call was answered in this dialog. reason: as above. */
ibk_err sip_leg_end(sip_leg *leg, const char *reason);

/* ---- callee ------------------------------------------------------------------------------------- */

/* A response to the INVITE for the fields of one's own: To tag, Contact, Allow are there. Send with
 * sip_call_respond. */
sip_msg *sip_call_response(sip_call *call, int status, const char *reason);
/* Sends it (consumed). Provisional with reliable: needs 100rel in the INVITE's Supported or Require
 * (IBK_ERR_STATE otherwise; sip_call_can_100rel tells), gets RSeq and Require, is repeated from T1 doubling
 * until PRACK, and after 64*T1 the call ends with 504 (RFC 3262 §3). Only one reliable response may wait for
 * its PRACK: IBK_ERR_STATE. A 2xx waits (and is sent) until no PRACK is outstanding, then is repeated until
 * ACK; none in 64*T1: BYE and `ended`. */
ibk_err sip_call_respond(sip_call *call, sip_msg *response, bool reliable);
bool sip_call_can_100rel(const sip_call *call);
/* sip_call_response and sip_call_respond in one; body may be empty. */
ibk_err sip_call_reply(sip_call *call, int status, bool reliable, const char *content_type, ibk_span body);

/* ---- inside a dialog ----------------------------------------------------------------------------- */

/* UPDATE, INFO, MESSAGE, …: `sip_leg_new_request` for fields of one's own and sip_leg_send (consumed). A
 * re-INVITE is method "INVITE"; only one at a time (IBK_ERR_STATE). */
sip_msg *sip_leg_new_request(sip_leg *leg, const char *method);
ibk_err sip_leg_send(sip_leg *leg, sip_msg *request);
ibk_err sip_leg_request(sip_leg *leg, const char *method, const char *content_type, ibk_span body);
/* Answers a request of the `request` callback; 2xx to a re-INVITE is repeated until ACK. */
/* The same in two steps, for fields of one's own. sip_leg_respond consumes the response. */
sip_msg *sip_leg_response(sip_leg *leg, sip_server *server, int status, const char *reason);
ibk_err sip_leg_respond(sip_leg *leg, sip_server *server, sip_msg *response);
ibk_err sip_leg_reply(sip_leg *leg, sip_server *server, int status, const char *reason,
                      const char *content_type, ibk_span body);

const sip_dialog *sip_leg_dialog(const sip_leg *leg);
sip_call *sip_leg_call(const sip_leg *leg);
sip_leg *sip_call_leg(const sip_call *call, size_t index); /* NULL beyond the last */
/* The leg that was answered, or the callee's; NULL if none. */
sip_leg *sip_call_active_leg(const sip_call *call);
bool sip_call_is_caller(const sip_call *call);
const char *sip_call_id(const sip_call *call);
const sip_msg *sip_call_invite_msg(const sip_call *call); /* the INVITE as sent or received */
void sip_call_set_user(sip_call *call, void *user);       /* a pointer of the layer above */
void *sip_call_user(const sip_call *call);
sip_ua *sip_call_ua(const sip_call *call);
size_t sip_ua_call_count(const sip_ua *ua);

#endif
