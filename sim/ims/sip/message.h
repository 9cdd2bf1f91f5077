/* SIP: one message, request or response. Read through libosip2's parser and then strictly; written by ours.
 * What the transaction, dialog and proxy layers work on is typed; every other header field is kept as text,
 * in its order. */
#ifndef IMS_SIP_MESSAGE_H
#define IMS_SIP_MESSAGE_H

#include "ims/sip/uri.h"

/* Limits on what is received; beyond is IBK_ERR_LIMIT. */
#define SIP_MAX_MESSAGE  65535 /* octets */
#define SIP_MAX_HEADERS  256   /* header fields */
#define SIP_MAX_LINE     32768 /* octets of one header field */
#define SIP_MAX_LIST     64    /* values of Via, Route, Record-Route, Contact */
#define SIP_MAX_PARAMS   64    /* parameters of one value */
#define SIP_MAX_FORWARDS 70    /* RFC 3261 §8.1.1.6 */

typedef struct sip_header {
    const char *name; /* canonical capitals where known; compact forms expanded */
    const char *value;
} sip_header;

/* All text belongs to the message's arena. Fields may be read freely; change them through the functions
 * below, or by assigning values that live in `arena`. */
typedef struct sip_msg {
    sip_arena arena;
    ibk_err err; /* sticky: the first failure of a building function; sip_msg_encode returns it */

    bool is_request;
    const char *method; /* of the request, and in a response that of its CSeq */
    sip_uri uri;        /* Request-URI */
    int status;         /* 100..699; 0 in a request */
    const char *reason;

    sip_via *via; /* [0] is the topmost */
    size_t via_count;
    sip_name_addr *route, *record_route, *contact;
    size_t route_count, record_route_count, contact_count;
    sip_name_addr from, to;
    const char *call_id;
    uint32_t cseq;    /* below 2^31; its method is `method` */
    int max_forwards; /* -1: absent */
    bool strict; /* the next hop is the Request-URI in spite of Route: a strict router (RFC 3261 §12.2.1.1) */

    const char
        *branch_mark; /* appended to the branch that we add next: a proxy's loop detection; NULL: nothing */

    sip_header *header; /* every other field */
    size_t header_count;

    const char *content_type; /* NULL: no body type */
    ibk_span body;
} sip_msg;

/* ---- life ------------------------------------------------------------------------------------ */

sip_msg *sip_msg_new(void); /* NULL: out of memory */
void sip_msg_free(sip_msg *msg);
sip_msg *sip_msg_clone(const sip_msg *msg);

/* How the octets arrived: decides what Content-Length must say. */
typedef enum sip_framing {
    SIP_DATAGRAM, /* RFC 3261 §18.3: absent: to the end; smaller: the rest is dropped; larger: an error */
    SIP_STREAM    /* must be there and fit exactly: the caller has framed it */
} sip_framing;

/* Parses. On failure *out is NULL, the error says what kind, and diag->payload names the header field ("Via",
 * "CSeq", "start-line", "body"). Checked: CRLF and character set, sizes and counts, start line, exactly one
 * each of To, From, Call-ID, CSeq, at least one Via with the magic-cookie branch, From tag, Max-Forwards in
 * requests, CSeq range and method, Content-Length, Content-Type if there is a body, Contact in INVITE, no
 * number out of range. */
ibk_err sip_msg_parse(sip_msg **out, ibk_span octets, sip_framing framing, ibk_diag *diag);

/* The wire form, appended to `out`: one fixed order of header fields, Content-Length always there. */
ibk_err sip_msg_encode(ibk_buf *out, const sip_msg *msg);

/* ---- building -------------------------------------------------------------------------------- */

/* A request without Via (the transaction adds it), with Max-Forwards 70. Text is copied. NULL: out of memory.
 */
sip_msg *sip_request_new(const char *method, const sip_uri *target, const sip_name_addr *from,
                         const sip_name_addr *to, const char *call_id, uint32_t cseq);
/* RFC 3261 §8.2.6.2: Via, From, To, Call-ID, CSeq of the request, and Record-Route for those that make a
 * dialog. to_tag is added if To has none and to_tag is not NULL. reason NULL: the standard phrase. NULL: out
 * of memory. */
sip_msg *sip_response_new(const sip_msg *request, int status, const char *reason, const char *to_tag);
/* RFC 3261 §17.1.1.3 ACK for a non-2xx answer; §9.1 CANCEL. `request` is the INVITE as sent (own Via on top).
 */
sip_msg *sip_ack_for(const sip_msg *request, const sip_msg *response);
sip_msg *sip_cancel_for(const sip_msg *request, const char *reason_header); /* Reason: RFC 3326, or NULL */

const char *sip_reason_phrase(int status);

void sip_msg_set_body(sip_msg *msg, const char *content_type,
                      ibk_span body); /* copies; empty span: no body */
void sip_via_push(sip_msg *msg, const sip_via *via);
void sip_via_pop(sip_msg *msg);
void sip_route_push(sip_msg *msg, const sip_name_addr *route); /* on top */
void sip_route_append(sip_msg *msg, const sip_name_addr *route);
void sip_route_pop(sip_msg *msg);
void sip_route_clear(sip_msg *msg);
void sip_record_route_push(sip_msg *msg, const sip_name_addr *route); /* on top */
void sip_contact_add(sip_msg *msg, const sip_name_addr *contact);
void sip_contact_clear(sip_msg *msg);
void sip_msg_set_uri(sip_msg *msg, const sip_uri *uri);

/* ---- other header fields: names compare without case ------------------------------------------ */

void sip_header_add(sip_msg *msg, const char *name, const char *value);  /* at the end */
void sip_header_push(sip_msg *msg, const char *name, const char *value); /* before all of its name */
void sip_header_addf(sip_msg *msg, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void sip_header_set(sip_msg *msg, const char *name, const char *value);        /* replaces all of its name */
void sip_header_drop(sip_msg *msg, const char *name);                          /* all of its name */
const char *sip_header_get(const sip_msg *msg, const char *name);              /* the first, or NULL */
const char *sip_header_at(const sip_msg *msg, const char *name, size_t index); /* the index-th, or NULL */
/* Require, Supported, Allow, Proxy-Require, …: is this token in the comma-separated list? Case-insensitive.
 */
bool sip_header_has_token(const sip_msg *msg, const char *name, const char *token);
/* An unsigned number (Expires, RSeq, Min-Expires): false if absent or no number below 2^32. */
bool sip_header_u32(const sip_msg *msg, const char *name, uint32_t *out);
/* The "expires" of a Contact, in seconds: `absent` if it has none, 3600 if it is malformed (RFC 3261 §20.10).
 * Of "90;refresher=uac" (Session-Expires, RFC 4028 §4) the seconds: 0 if absent or malformed. Both at most
 * 2^32 - 1. */
uint64_t sip_contact_expires(const sip_name_addr *contact, uint64_t absent);
uint64_t sip_session_expires(const sip_msg *msg);
/* Every value of Path, Service-Route, P-Asserted-Identity, P-Preferred-Identity, P-Associated-URI,
 * Record-Route-like fields. The array lives in msg's arena. At most SIP_MAX_LIST. */
ibk_err sip_header_addrs(sip_msg *msg, const char *name, sip_name_addr **out, size_t *count, ibk_diag *diag);
void sip_header_add_addr(sip_msg *msg, const char *name, const sip_name_addr *addr);

/* RFC 3262 §7.2. */
typedef struct sip_rack {
    uint32_t rseq, cseq;
    const char *method; /* in msg's arena */
} sip_rack;
bool sip_rack_get(sip_msg *msg, sip_rack *out);
void sip_rack_set(sip_msg *msg, const sip_rack *rack);
/* Reason: SIP;cause=…;text="…" (RFC 3326). Warning: code agent "text" (RFC 3261 §20.43; code 300..399). */
void sip_reason_set(sip_msg *msg, const char *protocol, int cause, const char *text);
void sip_warning_add(sip_msg *msg, int code, const char *agent, const char *text);

/* ---- reading ----------------------------------------------------------------------------------- */

bool sip_is(const sip_msg *msg, const char *method); /* request or response of this method */
bool sip_is_request(const sip_msg *msg, const char *method);
const char *sip_from_tag(const sip_msg *msg); /* NULL if absent */
const char *sip_to_tag(const sip_msg *msg);
void sip_set_to_tag(sip_msg *msg, const char *tag);
const char *sip_branch(const sip_via *via); /* NULL if absent */
/* Of the topmost Via; NULL without one. */
const char *sip_top_branch(const sip_msg *msg);
/* "INVITE" or "183 Session Progress"; and "2 PRACK". In `out`, cut to its size. */
void sip_msg_label(char *out, size_t size, const sip_msg *msg);
void sip_msg_cseq(char *out, size_t size, const sip_msg *msg);
/* application/sdp, without looking at parameters or case. */
bool sip_has_body_type(const sip_msg *msg, const char *type);

#define SIP_BRANCH_COOKIE "z9hG4bK" /* RFC 3261 §8.1.1.7 */

#endif
