/* Communication diversion (3GPP TS 24.604): how a diverted request and what the caller is told look. */
#include "ims/core/scscf_inside.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_DIVERSIONS = 5 };

const cdiv_service *scscf_service_of(const scscf *s, const char *impu) {
    for (size_t i = 0; i < s->service_count; i++)
        if (strcmp(s->services[i].impu, impu) == 0)
            return &s->services[i];
    return NULL;
}

/* RFC 4458 §2, with the values of TS 24.604 §4.5.2.6.2. */
static const char *cause_of(cdiv_when when) {
    static const char *const causes[] = {
        [CDIV_ALWAYS] = "302", [CDIV_UNREGISTERED] = "404", [CDIV_BUSY] = "486", [CDIV_NO_ANSWER] = "408"};
    return causes[when];
}

/* The index of the newest History-Info entry (RFC 7044 §5): "1.1"; "" if there is none. */
static const char *last_index(const sip_msg *msg, sip_arena *arena) {
    const char *value, *last = NULL;
    for (size_t i = 0; (value = sip_header_at(msg, "History-Info", i)); i++)
        last = value;
    const char *at = last ? strstr(last, ";index=") : NULL;
    if (!at)
        return "";
    at += strlen(";index=");
    return sip_arena_strn(arena, at, strspn(at, "0123456789."));
}

/* Two entries make a diversion known: whom the request was for, and where it goes because of it. */
static void add_history(sip_msg *msg, const sip_uri *from, const cdiv_service *service) {
    sip_arena *arena = &msg->arena;
    const char *index = last_index(msg, arena);
    if (index[0] == 0) {
        index = "1";
        sip_header_addf(msg, "History-Info", "<%s>;index=1", sip_uri_text(arena, from));
    }
    sip_header_addf(msg, "History-Info", "<%s;cause=%s>;index=%s.1;mp=%s", service->target,
                    cause_of(service->when), index, index);
}

bool cdiv_exceeded(const sip_msg *request) {
    size_t diversions = 0;
    const char *value;
    for (size_t i = 0; (value = sip_header_at(request, "History-Info", i)); i++)
        diversions += strstr(value, ";mp=") != NULL;
    return diversions >= MAX_DIVERSIONS;
}

void cdiv_retarget(sip_msg *copy, const cdiv_service *service) {
    sip_uri target;
    if (service->how != CDIV_SILENT)
        add_history(copy, &copy->uri, service);
    if (sip_uri_parse(&copy->arena, &target, service->target, NULL) == IBK_OK)
        sip_msg_set_uri(copy, &target);
}

sip_msg *cdiv_response(sip_server *server, const cdiv_service *service, int status) {
    const sip_msg *request = sip_server_request(server);
    sip_msg *response = sip_response_new(request, status, NULL, sip_server_tag(server));
    if (!response)
        return NULL;
    if (status == 181) {
        for (size_t i = 0; sip_header_at(request, "History-Info", i); i++)
            sip_header_add(response, "History-Info", sip_header_at(request, "History-Info", i));
        add_history(response, &request->uri, service);
    } else {
        sip_name_addr target = {0};
        if (sip_uri_parse(&response->arena, &target.uri, service->target, NULL) == IBK_OK)
            sip_contact_add(response, &target);
    }
    return response;
}

void cdiv_note(const scscf *s, const sip_msg *request, const cdiv_service *service) {
    static const char *const when[] = {[CDIV_ALWAYS] = "always",
                                       [CDIV_UNREGISTERED] = "unregistered",
                                       [CDIV_BUSY] = "busy",
                                       [CDIV_NO_ANSWER] = "no-answer"};
    static const char *const how[] = {
        [CDIV_SILENT] = "silent", [CDIV_NOTIFY] = "notify", [CDIV_REDIRECT] = "redirect"};
    trace *t = s->c.host->world->trace;
    trace_begin(t, TRACE_STATE, s->c.config.host.name, "diverted");
    trace_str(t, "call", request->call_id);
    trace_str(t, "user", service->impu);
    trace_str(t, "to", service->target);
    trace_str(t, "when", when[service->when]);
    trace_str(t, "how", how[service->how]);
    trace_end(t);
}
