#include "kms/log.h"
#include "kms/http.h"

#include <strings.h>

void kms_log_http(ims_host *host, const kms_http_event *event) {
    trace *t = host->world->trace;
    ibk_peek peek = {0};
    if (event->type && strcasecmp(event->type, HTTP_MIKEY_TYPE) == 0)
        ibk_message_peek(&peek, event->body, NULL);
    trace_message message = {.kind = TRACE_HTTP,
                             .node = host->name,
                             .sent = event->sent,
                             .peer = event->peer,
                             .label = event->label,
                             .mikey = peek.data_type ? ibk_msg_type_name(peek.data_type) : NULL,
                             .transport = event->secure ? "tls" : "tcp",
                             .octets = event->octets,
                             .retransmission = event->again};
    trace_message_begin(t, &message);
    trace_end(t);
}

void kms_log_tls(ims_host *host, const char *peer, const tls_stream_end *end) {
    trace *t = host->world->trace;
    trace_begin(t, TRACE_ERROR, host->name, "tls-refused");
    trace_str(t, "peer", peer);
    trace_str(t, "failure", tls_failure_name(end->failure));
    trace_str(t, "detail", end->detail);
    trace_end(t);
}
