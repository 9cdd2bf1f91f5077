/* How HTTP to and from a KMS stands in the event log, for both ends alike. */
#ifndef SIM_KMS_LOG_H
#define SIM_KMS_LOG_H

#include "tls/stream.h"

typedef struct kms_http_event {
    const char *peer;  /* address */
    bool sent, again;  /* `again`: the same request was sent before */
    const char *label; /* "POST /mikey", "200" */
    const char *type;  /* Content-Type, or NULL; of application/mikey the message's name is shown */
    ibk_span body;
    bool secure;   /* over TLS */
    size_t octets; /* of the message, before TLS */
} kms_http_event;

void kms_log_http(ims_host *host, const kms_http_event *event);                /* kind http */
void kms_log_tls(ims_host *host, const char *peer, const tls_stream_end *end); /* kind error: tls-refused */

#endif
