/* SIP: session descriptions (RFC 4566) as far as calls need them, offer/answer (RFC 3264), key management at
 * session and media level (RFC 4567). Read through libosip2's parser, then strictly; written by ours. */
#ifndef IMS_SIP_SDP_H
#define IMS_SIP_SDP_H

#include "ims/sip/arena.h"
#include "ims/sip/env.h"

#define SIP_SDP_MAX          60000 /* octets */
#define SIP_SDP_MAX_MEDIA    8
#define SIP_SDP_MAX_FORMATS  16
#define SIP_SDP_MAX_KEY_MGMT 4
#define SIP_SDP_MAX_ATTRS    64

typedef enum sip_direction { SIP_SENDRECV = 0, SIP_SENDONLY, SIP_RECVONLY, SIP_INACTIVE } sip_direction;

typedef struct sip_rtpmap {
    int payload_type;     /* 0..127 */
    const char *encoding; /* "PCMU"; from the static table (RFC 3551) if there was no a=rtpmap */
    uint32_t clock;       /* Hz; 0: unknown */
    uint32_t channels;    /* 1 unless told */
} sip_rtpmap;

/* One a=key-mgmt:<protocol> <data>; `data` is base64 text as it stood. */
typedef struct sip_key_mgmt {
    const char *protocol; /* "mikey" */
    const char *data;
} sip_key_mgmt;

typedef struct sip_attr {
    const char *name, *value; /* value NULL: a flag */
} sip_attr;

typedef struct sip_media {
    const char *type;  /* "audio" */
    uint16_t port;     /* 0: refused */
    const char *proto; /* "RTP/SAVP", "RTP/AVP", … */
    sip_rtpmap format[SIP_SDP_MAX_FORMATS];
    size_t format_count;
    const char *address; /* c= of the media, or NULL: that of the session */
    sip_direction direction;
    uint32_t ptime_ms; /* 0: absent */
    sip_key_mgmt key_mgmt[SIP_SDP_MAX_KEY_MGMT];
    size_t key_mgmt_count;
    sip_attr attr[SIP_SDP_MAX_ATTRS]; /* the attributes not represented above, in order */
    size_t attr_count;
} sip_media;

typedef struct sip_sdp {
    sip_arena arena;
    const char *username; /* o=; "-" if none */
    uint64_t session_id, session_version;
    const char *origin;  /* o= address */
    const char *name;    /* s=; "-" */
    const char *address; /* c= of the session, or NULL */
    sip_direction direction;
    sip_key_mgmt key_mgmt[SIP_SDP_MAX_KEY_MGMT];
    size_t key_mgmt_count;
    sip_attr attr[SIP_SDP_MAX_ATTRS];
    size_t attr_count;
    sip_media media[SIP_SDP_MAX_MEDIA];
    size_t media_count;
} sip_sdp;

sip_sdp *sip_sdp_new(void);
void sip_sdp_free(sip_sdp *sdp);

/* v=0, o=, s=, t= there; every m= with a c= of its own or of the session; ports, payload types, clocks in
 * range; key-mgmt with protocol and base64 data. Error's diag->payload names the line ("m=", "a=key-mgmt").
 */
ibk_err sip_sdp_parse(sip_sdp **out, ibk_span text, ibk_diag *diag);
ibk_err sip_sdp_encode(ibk_buf *out, const sip_sdp *sdp);

/* What is asked of the key management of media `index`: its own a=key-mgmt of this protocol, else the
 * session's (RFC 4567 §3.1.2: media level overrides session level). NULL if none. */
const char *sip_sdp_key_mgmt(const sip_sdp *sdp, size_t index, const char *protocol);
/* Puts an attribute at session level (index SIZE_MAX) or at media `index`, replacing one of the same
 * protocol. */
ibk_err sip_sdp_set_key_mgmt(sip_sdp *sdp, size_t index, const char *protocol, const char *data);
/* Where media `index` is received: false if the address is no IP literal or the stream is refused. */
bool sip_sdp_address(const sip_sdp *sdp, size_t index, sip_addr *out);

/* A stream as this end wants it in an offer or answer. */
typedef struct sip_sdp_stream {
    const char *type;  /* "audio", "video" */
    uint16_t port;     /* 0: there is none (any more), RFC 3264 §8.2 */
    const char *proto; /* "RTP/SAVP" */
    const sip_rtpmap *format;
    size_t format_count;
    uint32_t ptime_ms; /* 0: leave out */
    sip_direction direction;
    const char *key_mgmt; /* base64 for protocol "mikey", or NULL */
    size_t line;          /* in an answer: which m-line it is for, from 1; 0: the first one that fits */
} sip_sdp_stream;

typedef struct sip_sdp_params {
    sip_addr local; /* o= and c= follow from it; its port is not used */
    uint64_t session_id, session_version;
    const char *key_mgmt; /* of the session, as that of a stream */
    const sip_sdp_stream *streams;
    size_t stream_count; /* 1..SIP_SDP_MAX_MEDIA */
} sip_sdp_params;

/* A description with these streams. *out is owned by the caller. */
ibk_err sip_sdp_offer(sip_sdp **out, const sip_sdp_params *params);
/* Which m-line of an offer each stream would accept, from 1 (0: none): of those with a port, of its type and
 * protocol, with a common format, the first that no stream before it has, or its own `line`. */
void sip_sdp_match(const sip_sdp *offer, const sip_sdp_stream *streams, size_t count, size_t line[]);
/* RFC 3264 §6: the same number of m= lines in the same order; those that streams of ours with a port accept
 * (sip_sdp_match) with the common formats in the offerer's order, direction mirrored; every other refused
 * with port 0. IBK_ERR_MISMATCH if no stream fits (*out is then NULL): 488. */
ibk_err sip_sdp_answer(sip_sdp **out, const sip_sdp *offer, const sip_sdp_params *params);
/* May an end whose streams are described by `direction` send, receive? */
static inline bool sip_direction_sends(sip_direction direction) {
    return direction == SIP_SENDRECV || direction == SIP_SENDONLY;
}
static inline bool sip_direction_receives(sip_direction direction) {
    return direction == SIP_SENDRECV || direction == SIP_RECVONLY;
}

#endif
