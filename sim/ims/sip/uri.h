/* SIP: URIs, parameters, name-addr and Via values as plain structs. All text belongs to the arena that was
 * given. */
#ifndef IMS_SIP_URI_H
#define IMS_SIP_URI_H

#include "ims/sip/arena.h"
#include "ims/sip/env.h"

typedef struct sip_param {
    const char *name;
    const char *value; /* NULL: the parameter has no '='. Quoted strings keep their quotes. */
} sip_param;

typedef struct sip_params {
    sip_param *item;
    size_t count;
} sip_params;

/* Value of a parameter (name case-insensitive): NULL if absent, "" if present without value. */
const char *sip_param_get(const sip_params *params, const char *name);
/* Sets or adds; NULL value: a flag such as "lr". */
void sip_param_set(sip_arena *arena, sip_params *params, const char *name, const char *value);
void sip_param_drop(sip_params *params, const char *name);

/* sip:, sips: and tel: URIs. For tel: the number is in `user` and host is NULL. */
typedef struct sip_uri {
    const char *scheme; /* lower case; NULL: no URI (the zero value, and Contact: *) */
    const char *user;   /* unescaped; NULL if absent */
    const char *host;   /* without the brackets of an IPv6 reference */
    uint16_t port;      /* 0: absent */
    sip_params params;
    const char *headers; /* text after '?', or NULL */
} sip_uri;

typedef struct sip_name_addr {
    const char *display; /* without quotes, or NULL; "*" with no URI for Contact: * */
    sip_uri uri;
    sip_params params; /* header parameters: tag, expires, q, … */
} sip_name_addr;

typedef struct sip_via {
    sip_proto proto;
    const char *host; /* sent-by, no brackets */
    uint16_t port;    /* 0: absent */
    sip_params params;
} sip_via;

/* Parsing through libosip2 and then strictly: IBK_ERR_BAD_TEXT, IBK_ERR_BAD_VALUE (port), IBK_ERR_LIMIT. */
ibk_err sip_uri_parse(sip_arena *arena, sip_uri *out, const char *text, ibk_diag *diag);
ibk_err sip_name_addr_parse(sip_arena *arena, sip_name_addr *out, const char *text, ibk_diag *diag);
void sip_uri_copy(sip_arena *arena, sip_uri *out, const sip_uri *in);
void sip_name_addr_copy(sip_arena *arena, sip_name_addr *out, const sip_name_addr *in);
void sip_via_copy(sip_arena *arena, sip_via *out, const sip_via *in);

/* Serialisation of ours: the same struct always gives the same octets. Appended to `out`. */
ibk_err sip_uri_encode(ibk_buf *out, const sip_uri *uri);
ibk_err sip_name_addr_encode(ibk_buf *out, const sip_name_addr *addr); /* always with <> */
ibk_err sip_via_encode(ibk_buf *out, const sip_via *via);
/* The same as text in the arena. */
const char *sip_uri_text(sip_arena *arena, const sip_uri *uri);
const char *sip_name_addr_text(sip_arena *arena, const sip_name_addr *addr);

/* "sip:user@host" alone: the address of record, for look-ups (RFC 3261 §10.3 step 5). */
const char *sip_uri_aor(sip_arena *arena, const sip_uri *uri);
/* RFC 3261 §19.1.4: scheme, user (case-sensitive), host, port, and user, ttl, method, maddr, transport
 * parameters. */
bool sip_uri_equal(const sip_uri *a, const sip_uri *b);
bool sip_uri_is_loose(const sip_uri *uri); /* has "lr" */
/* sip:user@host:port;transport=…;lr as wanted. user may be NULL, port 0, proto SIP_PROTO_NONE. */
sip_uri sip_uri_make(sip_arena *arena, const char *user, const char *host, uint16_t port, sip_proto proto,
                     bool lr);

#endif
