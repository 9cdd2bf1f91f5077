/* SIP: what the layer asks of its surroundings (virtual time, timers, randomness, names, trace), and the
 * addresses it speaks of. Nothing in sim/ims/sip keeps global state but libosip2's own tables (sip_init). */
#ifndef IMS_SIP_ENV_H
#define IMS_SIP_ENV_H

#include <ibake/base.h>

#define SIP_MS            UINT64_C(1000000) /* ns */
#define SIP_S             UINT64_C(1000000000)
#define SIP_PORT          5060 /* RFC 3261 §19.1.2 */
#define SIP_TEXT_ADDR_MAX 64   /* "[ipv6]:port" with its zero */

typedef enum sip_proto { SIP_PROTO_NONE = 0, SIP_UDP, SIP_TCP } sip_proto;
const char *sip_proto_name(sip_proto proto);  /* "UDP", "TCP"; as in a Via */
const char *sip_proto_param(sip_proto proto); /* "udp", "tcp"; as in a transport parameter */

/* An IP address with a port in host order. The zero value is "no address". */
typedef struct sip_addr {
    uint8_t family; /* 4, 6, or 0 */
    uint8_t octets[16];
    uint16_t port;
} sip_addr;

/* Parses "192.0.2.1", "2001:db8::1" or "[2001:db8::1]"; false for anything else (a host name, for example).
 */
bool sip_addr_parse(sip_addr *out, const char *ip, uint16_t port);
bool sip_addr_equal(const sip_addr *a, const sip_addr *b);   /* with port */
bool sip_addr_same_ip(const sip_addr *a, const sip_addr *b); /* without port */
void sip_addr_ip(char out[SIP_TEXT_ADDR_MAX],
                 const sip_addr *addr); /* "2001:db8::1": canonical, no brackets */
void sip_addr_text(char out[SIP_TEXT_ADDR_MAX], const sip_addr *addr); /* "[2001:db8::1]:5060" */

/* Where a message goes to or came from. `flow` names a TCP connection of the transport (0: any, or none). */
typedef struct sip_dest {
    sip_proto proto;
    sip_addr addr;
    uint64_t flow;
} sip_dest;

struct sip_msg;

/* One message at one node, as it leaves or arrives. All pointers are borrowed for the call. */
typedef struct sip_trace {
    uint64_t now_ns;
    bool sent;                 /* else received */
    bool retransmission;       /* these octets were sent, or received, before */
    sip_dest peer;             /* the other end of this hop */
    size_t octets;             /* above the transport */
    const struct sip_msg *msg; /* NULL if it could not be parsed: then `diag` tells why */
    const ibk_diag *diag;
    const char *label; /* "INVITE", "183 Session Progress"; "" if unparsable */
    const char *call;  /* Call-ID, or NULL */
    const char *cseq;  /* "2 PRACK", or NULL */
} sip_trace;

/* The callbacks of one node. `user` comes back in every call. The stack copies the struct, not what it points
 * to. */
typedef struct sip_env {
    void *user;
    uint64_t (*now)(void *user); /* virtual ns */
    /* One-shot timer; its handle, never 0 on success. A fired timer's handle is dead. */
    uint64_t (*timer_start)(void *user, uint64_t delay_ns, void (*fire)(void *arg), void *arg);
    void (*timer_cancel)(void *user, uint64_t handle); /* 0 is legal */
    /* Random octets for branches, tags, Call-IDs, nonces; may fail, and then the operation fails. */
    ibk_err (*draw)(void *user, uint8_t *out, size_t len);
    /* Host name to address (the port is left alone), the simulation's DNS; IP literals never come here. May
     * be NULL. */
    ibk_err (*resolve)(void *user, sip_addr *out, const char *host);
    void (*trace)(void *user, const sip_trace *event); /* may be NULL */
} sip_env;

/* Loads libosip2's tables and silences its trace. Call once before anything else here; calling again is
 * harmless. Not to be called from two threads at once. */
ibk_err sip_init(void);

#endif
