/* What the three call session control functions share (3GPP TS 24.229): a host with a stateful proxy on it,
 * and requests that wait for the HSS. */
#ifndef IMS_CORE_CSCF_H
#define IMS_CORE_CSCF_H

#include "ims/core/cx.h"
#include "ims/host.h"
#include "ims/sip/proxy.h"

typedef struct pcscf pcscf;
typedef struct icscf icscf;
typedef struct scscf scscf;

typedef struct cscf_config {
    ims_host_config host; /* its name is the FQDN: pcscf.home.example */
    const char *domain;   /* home.example; must outlive the node, as every text here */
    sip_addr hss;         /* Diameter server; unused by the P-CSCF */
    const char *hss_name;
    const char *next_hop;        /* P-CSCF: its I-CSCF's name; I-CSCF: the S-CSCF that it assigns */
    uint64_t max_expires;        /* S-CSCF: seconds of a registration, at most; 0: 600,000 (TS 24.229) */
    bool fork_sequentially;      /* S-CSCF: contacts of a user one after the other, highest q first */
    uint64_t contact_timeout_ns; /* with it: how long one contact may take to answer; 0: 20 s */
} cscf_config;

/* Communication diversion (3GPP TS 24.604): what an S-CSCF does with calls for one of its users. */
typedef enum cdiv_when {
    CDIV_ALWAYS = 0,
    CDIV_UNREGISTERED,
    CDIV_BUSY,     /* answered 486 */
    CDIV_NO_ANSWER /* not answered within after_ns */
} cdiv_when;

typedef enum cdiv_how {
    CDIV_SILENT = 0, /* the INVITE goes on to the target */
    CDIV_NOTIFY,     /* … with History-Info (RFC 7044), and 181 to the caller */
    CDIV_REDIRECT    /* 302 with the target as Contact */
} cdiv_how;

typedef struct cdiv_service {
    const char *impu;   /* whose calls */
    const char *target; /* public identity */
    cdiv_when when;
    cdiv_how how;
    uint64_t after_ns;
} cdiv_service;

ibk_err pcscf_new(pcscf **out, const cscf_config *config);
void pcscf_free(pcscf *p);
ibk_err icscf_new(icscf **out, const cscf_config *config);
void icscf_free(icscf *i);
ibk_err scscf_new(scscf **out, const cscf_config *config);
void scscf_free(scscf *s);
const ims_host *pcscf_host(const pcscf *p);
const ims_host *icscf_host(const icscf *i);
const ims_host *scscf_host(const scscf *s);
/* Bindings that are valid now. */
size_t scscf_registered(const scscf *s);
/* Copies; the texts must outlive the node. One service for an impu. */
ibk_err scscf_add_service(scscf *s, const cdiv_service *service);
/* An application server that is told of every registration and deregistration by a third-party REGISTER (TS
 * 24.229 §5.4.1.7). Copies. */
ibk_err scscf_add_server(scscf *s, const sip_uri *server);

/* ---- for the three of them alone ------------------------------------------------------------------ */

typedef struct cscf {
    ims_host *host;
    sip_proxy *proxy;
    cx_client *cx; /* NULL: P-CSCF */
    cscf_config config;
    void *self;         /* the pcscf, icscf, scscf around it */
    void *forward_user; /* what sip_proxy_ops get for requests that go through cscf_forward; c by default */
    void (*request)(void *self, sip_server *server, const sip_msg *request);
    struct cscf_wait *waiting;
} cscf;

ibk_err cscf_start(cscf *c, const cscf_config *config, const sip_proxy_ops *ops);
void cscf_stop(cscf *c);

/* The URI of this node for Route, Path, Service-Route: sip:user@host;lr; in `arena`. */
sip_name_addr cscf_self(const cscf *c, sip_arena *arena, const char *user);
/* sip:host;lr of another node. */
sip_name_addr cscf_peer(sip_arena *arena, const char *user, const char *host);

/* Asks the HSS about a request that waits meanwhile. `then` is not called if the request ended (CANCEL,
 * time-out); answer->result is 0 if the HSS did not answer. The request is answered 503 when asking fails. */
typedef void cscf_then(void *self, sip_server *server, const cx_answer *answer);
void cscf_ask(cscf *c, sip_server *server, const cx_request *question, cscf_then *then);

/* Forwards `copy` (consumed) to its next hop. record_user NULL: no Record-Route. */
void cscf_forward(cscf *c, sip_server *server, sip_msg *copy, const char *record_user);

/* Logs why a request is refused, and answers it. */
void cscf_refuse(cscf *c, sip_server *server, int status, const char *why);

bool cscf_is_initial(const sip_msg *request); /* no To tag: outside a dialog */
/* "sip:alice@home.example" of a URI, in arena. */
const char *cscf_identity(sip_arena *arena, const sip_uri *uri);

#endif
