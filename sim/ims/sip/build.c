/* Requests and responses from nothing, from a request, and from what was sent (ACK, CANCEL). */
#include "ims/sip/message.h"

#include <string.h>

static const struct {
    int status;
    const char *phrase;
} phrases[] = {
    {100, "Trying"},
    {180, "Ringing"},
    {181, "Call Is Being Forwarded"},
    {182, "Queued"},
    {183, "Session Progress"},
    {200, "OK"},
    {202, "Accepted"},
    {300, "Multiple Choices"},
    {301, "Moved Permanently"},
    {302, "Moved Temporarily"},
    {305, "Use Proxy"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {407, "Proxy Authentication Required"},
    {408, "Request Timeout"},
    {410, "Gone"},
    {412, "Conditional Request Failed"},
    {413, "Request Entity Too Large"},
    {414, "Request-URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Unsupported URI Scheme"},
    {420, "Bad Extension"},
    {421, "Extension Required"},
    {423, "Interval Too Brief"},
    {480, "Temporarily Unavailable"},
    {481, "Call/Transaction Does Not Exist"},
    {482, "Loop Detected"},
    {483, "Too Many Hops"},
    {484, "Address Incomplete"},
    {485, "Ambiguous"},
    {486, "Busy Here"},
    {487, "Request Terminated"},
    {488, "Not Acceptable Here"},
    {491, "Request Pending"},
    {493, "Undecipherable"},
    {494, "Security Agreement Required"},
    {500, "Server Internal Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Server Time-out"},
    {505, "Version Not Supported"},
    {513, "Message Too Large"},
    {580, "Precondition Failure"},
    {600, "Busy Everywhere"},
    {603, "Decline"},
    {604, "Does Not Exist Anywhere"},
    {606, "Not Acceptable"},
};

const char *sip_reason_phrase(int status) {
    static const char *const classes[] = {"Progress",       "Success",        "Redirection",
                                          "Client Failure", "Server Failure", "Global Failure"};
    for (size_t i = 0; i < sizeof phrases / sizeof *phrases; i++)
        if (phrases[i].status == status)
            return phrases[i].phrase;
    return status >= 100 && status < 700 ? classes[status / 100 - 1] : "Unknown";
}

static sip_msg *checked(sip_msg *msg) {
    if (msg && !msg->arena.failed)
        return msg;
    sip_msg_free(msg);
    return NULL;
}

sip_msg *sip_request_new(const char *method, const sip_uri *target, const sip_name_addr *from,
                         const sip_name_addr *to, const char *call_id, uint32_t cseq) {
    sip_msg *msg = sip_msg_new();
    if (!msg)
        return NULL;
    msg->is_request = true;
    msg->method = sip_arena_str(&msg->arena, method);
    sip_uri_copy(&msg->arena, &msg->uri, target);
    sip_name_addr_copy(&msg->arena, &msg->from, from);
    sip_name_addr_copy(&msg->arena, &msg->to, to);
    msg->call_id = sip_arena_str(&msg->arena, call_id);
    msg->cseq = cseq;
    msg->max_forwards = SIP_MAX_FORWARDS;
    return checked(msg);
}

static bool makes_dialog(const sip_msg *request) {
    return sip_is(request, "INVITE") || sip_is(request, "SUBSCRIBE") || sip_is(request, "REFER");
}

sip_msg *sip_response_new(const sip_msg *request, int status, const char *reason, const char *to_tag) {
    sip_msg *msg = sip_msg_new();
    if (!msg)
        return NULL;
    msg->status = status;
    msg->reason = sip_arena_str(&msg->arena, reason ? reason : sip_reason_phrase(status));
    msg->method = sip_arena_str(&msg->arena, request->method);
    msg->cseq = request->cseq;
    msg->call_id = sip_arena_str(&msg->arena, request->call_id);
    for (size_t i = request->via_count; i-- > 0;)
        sip_via_push(msg, &request->via[i]);
    sip_name_addr_copy(&msg->arena, &msg->from, &request->from);
    sip_name_addr_copy(&msg->arena, &msg->to, &request->to);
    if (to_tag && status > 100 && !sip_to_tag(request))
        sip_set_to_tag(msg, to_tag);
    if (makes_dialog(request) && status > 100 && status < 300) // RFC 3261 §12.1.1
        for (size_t i = request->record_route_count; i-- > 0;)
            sip_record_route_push(msg, &request->record_route[i]);
    if (status == 100) { // RFC 3261 §8.2.6.1
        const char *timestamp = sip_header_get(request, "Timestamp");
        if (timestamp)
            sip_header_add(msg, "Timestamp", timestamp);
    }
    return checked(msg);
}

/* What ACK and CANCEL share: everything of the INVITE but the method, only its topmost Via, its routes. */
static sip_msg *follow(const sip_msg *request, const char *method, const sip_name_addr *to) {
    sip_msg *msg =
        sip_request_new(method, &request->uri, &request->from, to, request->call_id, request->cseq);
    if (!msg || request->via_count == 0)
        return checked(msg);
    sip_via_push(msg, &request->via[0]);
    for (size_t i = 0; i < request->route_count; i++)
        sip_route_append(msg, &request->route[i]);
    return checked(msg);
}

sip_msg *sip_ack_for(const sip_msg *request, const sip_msg *response) {
    return follow(request, "ACK", &response->to);
}

sip_msg *sip_cancel_for(const sip_msg *request, const char *reason_header) {
    sip_msg *msg = follow(request, "CANCEL", &request->to);
    if (msg && reason_header)
        sip_header_add(msg, "Reason", reason_header);
    return checked(msg);
}
