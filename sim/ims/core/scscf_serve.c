/* S-CSCF: requests to its users (3GPP TS 24.229 §5.4.3.3): to one contact or several, all at once or one
 * after the other, or elsewhere where the user's calls are diverted. */
#include "ims/core/scscf_inside.h"

#include <stdlib.h>
#include <string.h>

/* An INVITE on its way to a user of ours. */
struct scscf_served {
    scscf_served *next, **prev;
    scscf *s;
    sip_forward *forward;
    sip_msg *request;            /* as it arrived, own Route entries removed: what every branch is made of */
    const cdiv_service *service; /* NULL: not diverted, or it has been */
    ims_timer timer;             /* sequential: of the contact that is being called */
    ims_timer no_answer;
    bool unanswered; /* the time of CDIV_NO_ANSWER is over */
    size_t count, tried;
    struct {
        sip_arena arena;
        sip_uri uri;
        sip_name_addr path[REGISTRAR_PATH_MAX];
        size_t path_count;
    } contact[REGISTRAR_CONTACTS_MAX];
};

static void served_free(scscf_served *v) {
    ims_host_cancel(v->s->c.host, &v->timer);
    ims_host_cancel(v->s->c.host, &v->no_answer);
    for (size_t i = 0; i < v->count; i++)
        sip_arena_free(&v->contact[i].arena);
    sip_msg_free(v->request);
    *v->prev = v->next;
    if (v->next)
        v->next->prev = v->prev;
    free(v);
}

void scscf_serve_free(scscf *s) {
    while (s->served)
        served_free(s->served);
}

/* Registrations may change while the phones ring: what is called is decided when the request arrives. */
static void take_contacts(scscf_served *v, const char *impu) {
    const registrar_binding *known[REGISTRAR_CONTACTS_MAX];
    const scscf *s = v->s;
    v->count = registrar_contacts(registrar_find(s->bindings, impu), ims_host_now(s->c.host), known);
    for (size_t i = 0; i < v->count; i++) {
        sip_uri_copy(&v->contact[i].arena, &v->contact[i].uri, &known[i]->contact);
        v->contact[i].path_count = known[i]->path_count;
        for (size_t k = 0; k < known[i]->path_count; k++)
            sip_name_addr_copy(&v->contact[i].arena, &v->contact[i].path[k], &known[i]->path[k]);
    }
}

static scscf_served *served_new(scscf *s, sip_msg *request, const char *impu) {
    scscf_served *v = calloc(1, sizeof *v);
    if (!v)
        return NULL;
    *v = (scscf_served){.s = s, .request = request, .next = s->served, .prev = &s->served};
    if (v->next)
        v->next->prev = &v->next;
    s->served = v;
    take_contacts(v, impu);
    v->service = sip_is(request, "INVITE") ? scscf_service_of(s, impu) : NULL;
    if (v->service && cdiv_exceeded(request))
        v->service = NULL;
    return v;
}

/* ---- branches ----------------------------------------------------------------------------------------- */

static ibk_err send_branch(scscf_served *v, sip_server *server, sip_msg *copy) {
    sip_proxy_target target = {.record_route = true, .rr_user = "term"};
    return v->forward ? sip_proxy_fork(v->forward, copy, &target)
                      : sip_proxy_forward(v->s->c.proxy, &v->forward, server, copy, &target, v);
}

static ibk_err call_contact(scscf_served *v, sip_server *server) {
    sip_msg *copy = sip_msg_clone(v->request);
    size_t i = v->tried++;
    if (copy) {
        sip_name_addr called = {.uri = copy->uri};
        sip_header_add_addr(copy, "P-Called-Party-ID", &called); /* RFC 7315 §4.2 */
        sip_msg_set_uri(copy, &v->contact[i].uri);
        for (size_t k = v->contact[i].path_count; k-- > 0;)
            sip_route_push(copy, &v->contact[i].path[k]);
    }
    return send_branch(v, server, copy);
}

static void note_fork(const scscf_served *v, const char *impu) {
    trace *t = v->s->c.host->world->trace;
    trace_begin(t, TRACE_STATE, v->s->c.config.host.name, "forked");
    trace_str(t, "call", v->request->call_id);
    trace_str(t, "user", impu);
    trace_uint(t, "contacts", v->count);
    trace_str(t, "how", v->s->c.config.fork_sequentially ? "sequential" : "parallel");
    trace_end(t);
}

static void contact_timed_out(void *arg) {
    scscf_served *v = arg;
    v->timer = 0;
    sip_proxy_withdraw(v->forward);
}

static void nobody_answered(void *arg) {
    scscf_served *v = arg;
    v->no_answer = 0;
    v->unanswered = true;
    v->tried = v->count; /* nor is anybody else called */
    sip_proxy_withdraw(v->forward);
}

static void watch_contact(scscf_served *v) {
    scscf *s = v->s;
    ims_host_cancel(s->c.host, &v->timer);
    if (s->c.config.fork_sequentially && v->count > 1 && sip_is(v->request, "INVITE"))
        v->timer = ims_host_timer(s->c.host, s->contact_timeout_ns, contact_timed_out, v);
}

/* ---- diversion: TS 24.604 ----------------------------------------------------------------------------- */

static void divert(scscf_served *v, sip_server *server) {
    const cdiv_service *service = v->service;
    v->service = NULL;   /* once */
    v->tried = v->count; /* nor are the user's own contacts called after that */
    ims_host_cancel(v->s->c.host, &v->no_answer);
    cdiv_note(v->s, v->request, service);
    if (service->how == CDIV_REDIRECT) {
        sip_msg *response = cdiv_response(server, service, 302);
        if (v->forward)
            sip_proxy_answer(v->forward, response);
        else
            sip_server_respond(server, response);
        return;
    }
    sip_msg *copy = sip_msg_clone(v->request);
    if (copy)
        cdiv_retarget(copy, service);
    ibk_err err = send_branch(v, server, copy); /* by the target's domain to its I-CSCF */
    if (!err && service->how == CDIV_NOTIFY)
        sip_proxy_answer(v->forward, cdiv_response(server, service, 181));
}

static bool diverts_now(const scscf_served *v, const sip_msg *best) {
    if (!v->service)
        return false;
    switch (v->service->when) {
    case CDIV_BUSY:
        return best && best->status == 486;
    case CDIV_NO_ANSWER:
        return v->unanswered || (best && best->status == 408);
    default:
        return false; /* decided when the request came */
    }
}

static void on_exhausted(void *user, sip_forward *forward, const sip_msg *best) {
    scscf_served *v = user;
    if (!v)
        return;
    ims_host_cancel(v->s->c.host, &v->timer);
    while (v->tried < v->count)
        if (call_contact(v, NULL) == IBK_OK) {
            watch_contact(v);
            return;
        }
    if (diverts_now(v, best))
        divert(v, sip_forward_server(forward));
}

static void on_done(void *user, sip_forward *forward) {
    (void)forward;
    if (user)
        served_free(user);
}

/* The first answer ends the time that is measured for it. */
static void on_response(void *user, sip_forward *forward, sip_msg *response) {
    scscf_served *v = user;
    (void)forward;
    if (!v || response->status < 200 || response->status >= 300)
        return;
    ims_host_cancel(v->s->c.host, &v->timer);
    ims_host_cancel(v->s->c.host, &v->no_answer);
}

const sip_proxy_ops scscf_proxy_ops = {.response = on_response, .exhausted = on_exhausted, .done = on_done};

/* ---- the request ----------------------------------------------------------------------------------------
 */

static void call_contacts(scscf_served *v, sip_server *server, const char *impu) {
    scscf *s = v->s;
    bool sequential = s->c.config.fork_sequentially;
    if (v->count > 1)
        note_fork(v, impu);
    if (call_contact(v, server))
        return;
    while (!sequential && v->tried < v->count)
        (void)call_contact(v, server);
    watch_contact(v);
    if (v->service && v->service->when == CDIV_NO_ANSWER)
        v->no_answer = ims_host_timer(s->c.host, v->service->after_ns, nobody_answered, v);
}

/* Of an implicitly registered identity services and contacts are those of the whole set. Consumes copy. */
static void serve(scscf *s, sip_server *server, sip_msg *copy, const char *impu) {
    scscf_served *v = served_new(s, copy, impu);
    if (!v) {
        cscf_refuse(&s->c, server, 500, "out of memory");
        sip_msg_free(copy);
        return;
    }
    bool at_once = v->service && (v->service->when == CDIV_ALWAYS ||
                                  (v->service->when == CDIV_UNREGISTERED && v->count == 0));
    if (at_once)
        divert(v, server);
    else if (v->count == 0)
        cscf_refuse(&s->c, server, 480, "the called user is not registered");
    else
        call_contacts(v, server, impu);
    if (!v->forward) /* answered here */
        served_free(v);
}

/* ---- a user of whom there is no profile: TS 24.229 §5.4.3.3, TS 29.228 §6.1.2 ---------------------------
 */

/* The identity under which the set that it belongs to is kept here. */
static registrar_entry *entry_of_profile(scscf *s, const cx_answer *answer) {
    registrar_entry *entry = registrar_get(s->bindings, answer->identities[0]);
    return entry && scscf_take_profile(s, entry, answer) == IBK_OK ? entry : NULL;
}

static void on_profile(void *self, sip_server *server, const cx_answer *answer) {
    scscf *s = self;
    if (!answer->ok || answer->identity_count == 0) {
        cscf_refuse(&s->c, server, answer->result ? 480 : 503, "the HSS gives no profile, or is silent");
        return;
    }
    sip_msg *copy = sip_proxy_copy(s->c.proxy, sip_server_request(server), NULL);
    const registrar_entry *entry = copy ? entry_of_profile(s, answer) : NULL;
    if (entry) {
        serve(s, server, copy, entry->impu);
        return;
    }
    cscf_refuse(&s->c, server, 500, "out of memory, or another one's identity");
    sip_msg_free(copy);
}

static void ask_for_profile(scscf *s, sip_server *server, sip_msg *copy, const char *impu) {
    cx_request question = {.command = DIAMETER_SAR,
                           .assignment = CX_UNREGISTERED_USER,
                           .impu = impu,
                           .server = sip_arena_printf(&copy->arena, "sip:%s", s->c.config.host.name)};
    cscf_ask(&s->c, server, &question, on_profile);
}

void scscf_on_terminating(scscf *s, sip_server *server, sip_msg *copy) {
    const char *impu = cscf_identity(&copy->arena, &copy->uri);
    const registrar_entry *entry = impu ? registrar_find(s->bindings, impu) : NULL;
    if (entry && entry->has_profile) {
        serve(s, server, copy, entry->impu);
        return;
    }
    if (impu)
        ask_for_profile(s, server, copy, impu);
    else
        cscf_refuse(&s->c, server, 404, "no public identity");
    sip_msg_free(copy);
}
