/* What the files of the S-CSCF share; nobody else includes it. */
#ifndef IMS_CORE_SCSCF_INSIDE_H
#define IMS_CORE_SCSCF_INSIDE_H

#include "ims/core/cscf.h"
#include "ims/core/registrar.h"

typedef struct scscf_served scscf_served;

struct scscf {
    cscf c;
    registrar *bindings;
    uint64_t max_expires, contact_timeout_ns;
    cdiv_service *services;
    size_t service_count;
    sip_arena arena; /* of `servers` */
    sip_uri *servers;
    size_t server_count;
    scscf_served *served; /* INVITEs on their way to users of ours */
};

/* scscf_register.c */
void scscf_on_register(scscf *s, sip_server *server, const sip_msg *request);
/* Takes the implicit registration set of a profile (User-Data) into an entry, which then has one. */
ibk_err scscf_take_profile(scscf *s, registrar_entry *entry, const cx_answer *answer);

/* scscf_serve.c: requests to a user of ours; consumes copy. */
void scscf_on_terminating(scscf *s, sip_server *server, sip_msg *copy);
extern const sip_proxy_ops scscf_proxy_ops;
void scscf_serve_free(scscf *s); /* timers and contexts; the proxy must be there still */

/* cdiv.c */
const cdiv_service *scscf_service_of(const scscf *s, const char *impu); /* NULL: none */
/* The request as it goes to the service's target: Request-URI, and History-Info unless silent. */
void cdiv_retarget(sip_msg *copy, const cdiv_service *service);
/* 181 (with the target in History-Info) or 302 (with the target as Contact) to the request; NULL: memory. */
sip_msg *cdiv_response(sip_server *server, const cdiv_service *service, int status);
void cdiv_note(const scscf *s, const sip_msg *request, const cdiv_service *service); /* to the event log */
/* History-Info shows that the call has been diverted too often already (TS 24.604 §4.5.2.6.1). */
bool cdiv_exceeded(const sip_msg *request);

#endif
