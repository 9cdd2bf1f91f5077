/* A message that a tap has shown, taken apart as far as its octets allow: SIP, HTTP, the MIKEY message
 * inside. Nothing here normalises anything: positions point into the message's own octets, so that it can be
 * edited in place (edit_sip.h, edit_mikey.h).
 *
 *     seen s;
 *     if (seen_read(&s, &world, message) == IBK_OK)
 *         …  s.has_mikey && s.data_type == IBK_MSG_I_MESSAGE_1  …
 *     seen_clear(&s);
 */
#ifndef SIM_ADVERSARY_SEEN_H
#define SIM_ADVERSARY_SEEN_H

#include "adversary/tap.h"
#include "scenario/model.h"

#include <ibake.h>

#define SEEN_TEXT_MAX 256 /* octets of a Call-ID or label with its zero; longer ones count as unknown */

/* How a Call-ID leads to a call of the scenario, and an address to a node. */
typedef struct seen_world {
    n3_sim *sim;
    const scn_call *(*call_of)(void *user,
                               const char *call_id); /* NULL: no call of the scenario. May be NULL */
    void *user;
} seen_world;

/* Octets of a message, by place. */
typedef struct seen_range {
    size_t at, len;
} seen_range;

typedef enum seen_place {
    SEEN_NOWHERE = 0,
    SEEN_SDP_SESSION, /* a=key-mgmt before the first m= line (RFC 4567 §3.1) */
    SEEN_SDP_MEDIA,   /* … behind one */
    SEEN_HTTP_BODY    /* application/mikey (P-18) */
} seen_place;

typedef struct seen {
    const tap_message *message; /* borrowed */
    const char *sender,
        *receiver; /* names of the nodes of this hop, by their addresses; "" unknown. Owned by n3 */

    /* SIP and HTTP: what parses. A message that breaks the rules of its protocol has neither. */
    bool sip, http;
    bool request;
    char method[32];   /* of the request; in a SIP response that of its CSeq; "" in an HTTP response */
    unsigned status;   /* of a response, else 0 */
    seen_range header; /* from the first octet to the one behind the empty line */
    seen_range body;   /* by Content-Length; empty: none */
    bool sdp;          /* the body is application/sdp */

    /* SIP alone. */
    char call_id[SEEN_TEXT_MAX];
    uint32_t cseq;
    const scn_call *call; /* NULL: of no call of the scenario */

    /* The first MIKEY message in it. */
    bool has_mikey;
    seen_place place;
    seen_range mikey_text; /* the base64 text of a=key-mgmt, or the body */
    ibk_buf mikey;         /* its octets */
    uint8_t data_type;     /* enum ibk_data_type, also of one that does not parse; 0xFF: shorter than that */
    bool parsed;           /* `msg` holds it */
    ibk_msg msg;           /* borrows from `mikey` */
} seen;

/* Takes the message apart; what cannot be is left out, that is no error. IBK_ERR_NO_MEMORY. `message` must
 * outlive `out`. In every case seen_clear() ends it. */
ibk_err seen_read(seen *out, const seen_world *world, const tap_message *message);
void seen_clear(seen *s); /* legal on the zero value */

/* "I_MESSAGE_1", else "INVITE", "183", "POST", "200", "media", "packet"; written to `out`, which it returns.
 */
const char *seen_label(char out[SEEN_TEXT_MAX], const seen *s);
/* Octets of the message. */
ibk_span seen_octets(const seen *s, seen_range range);
/* ID data of IDRi (IBK_ROLE_I) or IDRr in the clear; empty if there is none. */
ibk_span seen_identity(const seen *s, uint8_t role);

/* ---- what outlives a packet -------------------------------------------------------------------------- */

/* A copy of a message: what `record` keeps. */
typedef struct seen_record {
    tap_message message; /* its octets are those of `octets` */
    ibk_buf octets;
    ibk_buf mikey; /* empty: there was none in it */
} seen_record;

ibk_err seen_record_set(seen_record *out, const seen *s); /* replaces what was in it */
void seen_record_free(seen_record *record);

#endif
