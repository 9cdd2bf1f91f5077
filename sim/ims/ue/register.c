/* Registration with digest authentication (RFC 3261 §10, §22; 3GPP TS 24.229 §5.1.1). */
#include "ims/ue/internal.h"

#include <string.h>

enum { REGISTER_EXPIRES = 600000 }; /* seconds, TS 24.229 §5.1.1.2 */
#define REFRESH_RETRY (60 * SIP_S)  /* after one that failed */

static void refresh(void *arg);

void ue_check_done(ue *u) {
    u->status.done = !u->keys_pending && !u->register_pending;
}

static void finish(ue *u, int status, sip_cause cause) {
    trace *t = u->host->world->trace;
    u->register_pending = false;
    u->registering = NULL;
    if (u->switched_off) {
        u->status.deregistered = (ue_moment){ims_host_now(u->host), status == 200};
    } else if (status == 200) {
        if (!u->status.registered.set)
            u->status.registered = (ue_moment){ims_host_now(u->host), true};
        u->status.registrations++;
    } else {
        u->status.register_status = status;
        u->status.register_cause = cause;
        if (u->status.registered.set) /* it was a refresh: the old one holds for some minutes yet */
            u->refresh = ims_host_timer(u->host, REFRESH_RETRY, refresh, u);
    }
    trace_begin(t, status == 200 ? TRACE_STATE : TRACE_ERROR, u->host->name,
                status != 200     ? "registration-failed"
                : u->switched_off ? "deregistered"
                                  : "registered");
    trace_str(t, "user", u->user->identity);
    if (status)
        trace_int(t, "status", status);
    if (cause != SIP_CAUSE_NONE)
        trace_str(t, "cause", sip_cause_name(cause));
    trace_end(t);
    ue_check_done(u);
}

static ibk_err keep_service_route(ue *u, sip_msg *response) {
    sip_name_addr *route;
    size_t count;
    ibk_err err = sip_header_addrs(response, "Service-Route", &route, &count, NULL);
    if (err)
        return err;
    sip_arena_free(&u->route_arena);
    u->service_route = sip_arena_alloc(&u->route_arena, (count ? count : 1) * sizeof *u->service_route);
    u->service_route_count = u->service_route ? count : 0;
    for (size_t i = 0; i < u->service_route_count; i++)
        sip_name_addr_copy(&u->route_arena, &u->service_route[i], &route[i]);
    return u->route_arena.failed ? IBK_ERR_NO_MEMORY : IBK_OK;
}

static void send_register(ue *u, sip_msg *challenged);

static void refresh(void *arg) {
    ue *u = arg;
    u->refresh = 0;
    ue_register(u);
}

/* TS 24.229 §5.1.1.4.1: 600 s before the registration expires, or at half of a shorter one. */
static void plan_refresh(ue *u, const sip_msg *response) {
    uint64_t expires = response->contact_count ? sip_contact_expires(&response->contact[0], 0) : 0;
    ims_host_cancel(u->host, &u->refresh);
    if (expires && !u->switched_off)
        u->refresh =
            ims_host_timer(u->host, (expires > 1200 ? expires - 600 : (expires + 1) / 2) * SIP_S, refresh, u);
}

static void on_response(void *user, sip_client *client, const sip_msg *response) {
    ue *u = user;
    if (response->status < 200)
        return;
    sip_client_detach(client); /* this is the end of it for us */
    u->registering = NULL;
    sip_msg *copy = sip_msg_clone(response);
    if (copy && response->status == 401 && !u->answered_challenge) {
        u->answered_challenge = true;
        send_register(u, copy);
    } else if (copy && response->status == 200 && keep_service_route(u, copy) == IBK_OK) {
        plan_refresh(u, copy);
        finish(u, 200, SIP_CAUSE_NONE);
    } else {
        finish(u, response->status, SIP_CAUSE_RESPONSE);
    }
    sip_msg_free(copy);
}

static void on_terminated(void *user, sip_client *client, sip_cause cause) {
    ue *u = user;
    if (u->registering == client)
        finish(u, 0, cause);
}

/* The answer to the challenge, or (challenged NULL) the first request, with an empty response (TS 24.229
 * §5.1.1.2). */
static ibk_err add_credentials(ue *u, sip_msg *request, sip_msg *challenged) {
    sip_auth challenge = {.realm = u->user->domain->name, .uri = NULL};
    char cnonce[SIP_ID_MAX];
    if (!challenged)
        return sip_auth_answer(request, "Authorization", &challenge, u->user->private_identity, NULL, NULL,
                               0);
    ibk_err err = sip_auth_get(challenged, &challenge, "WWW-Authenticate", NULL, NULL);
    if (!err)
        err = sip_new_token(sip_stack_env(u->host->stack), cnonce);
    if (!err)
        err = sip_auth_answer(request, "Authorization", &challenge, u->user->private_identity,
                              u->user->password, cnonce, 1);
    return err;
}

static sip_msg *new_register(ue *u) {
    sip_arena arena = {0};
    sip_uri registrar = sip_uri_make(&arena, NULL, u->user->domain->name, 0, SIP_PROTO_NONE, false), own;
    sip_name_addr self = {0}, from;
    const scn_user *owner = u->user->contact_of ? u->user->contact_of : u->user;
    char ip[SIP_TEXT_ADDR_MAX];
    sip_addr_ip(ip, &u->host->addr);
    sip_msg *request = NULL;
    if (sip_uri_parse(&arena, &self.uri, owner->identity, NULL) == IBK_OK &&
        sip_uri_parse(&arena, &own, u->user->identity, NULL) == IBK_OK) {
        from = self;
        sip_param_set(&arena, &from.params, "tag", u->register_tag);
        request =
            sip_request_new("REGISTER", &registrar, &from, &self, u->register_call_id, ++u->register_cseq);
    }
    if (request) {
        sip_name_addr contact = {.uri = sip_uri_make(&arena, own.user, ip, SIP_PORT, SIP_PROTO_NONE, false)};
        sip_name_addr door = {.uri = sip_uri_make(&arena, NULL, u->pcscf, 0, SIP_PROTO_NONE, true)};
        if (u->user->priority < 1000) /* RFC 3261 §20.10: 1 is what a contact without q is taken for */
            sip_param_set(&arena, &contact.params, "q",
                          sip_arena_printf(&arena, "0.%03u", u->user->priority));
        sip_contact_add(request, &contact);
        sip_route_push(request, &door);
        sip_header_addf(request, "Expires", "%d", u->switched_off ? 0 : REGISTER_EXPIRES);
        sip_header_add(request, "Supported", "path");
    }
    sip_arena_free(&arena);
    return request;
}

static void send_register(ue *u, sip_msg *challenged) {
    static const sip_client_ops ops = {.response = on_response, .terminated = on_terminated};
    sip_msg *request = new_register(u);
    ibk_err err = request ? add_credentials(u, request, challenged) : IBK_ERR_NO_MEMORY;
    if (err)
        sip_msg_free(request);
    else
        err = sip_client_start(u->host->stack, &u->registering, request, NULL, &ops, u);
    if (err)
        finish(u, 0, SIP_CAUSE_TRANSPORT);
}

void ue_register(ue *u) {
    const sip_env *env = sip_stack_env(u->host->stack);
    u->register_pending = true;
    u->answered_challenge = false;
    if (!u->switched_off && !u->status.register_begin.set)
        u->status.register_begin = (ue_moment){ims_host_now(u->host), true};
    if (!u->register_call_id[0] &&
        (sip_new_token(env, u->register_call_id) || sip_new_tag(env, u->register_tag))) {
        finish(u, 0, SIP_CAUSE_MEMORY);
        return;
    }
    send_register(u, NULL);
}

static void hang_up(ue *u) {
    for (size_t i = 0; i < u->call_count; i++) {
        if (u->calls[i]->sip)
            ue_call_hang_up(u->calls[i], NULL);
        else if (!u->calls[i]->view.ended.set) /* its INVITE has not been sent yet */
            ue_call_give_up(u->calls[i], IBK_ERR_STATE, NULL);
    }
}

void ue_switch_off(ue *u) {
    if (u->switched_off)
        return;
    u->switched_off = true;
    ims_host_cancel(u->host, &u->refresh);
    ue_keys_stop(u);
    if (u->register_pending) { /* what was begun is left to itself */
        if (u->registering)
            sip_client_detach(u->registering);
        u->registering = NULL;
        u->register_pending = false;
    }
    hang_up(u);
    if (u->user->register_)
        ue_register(u);
}

void ue_restart(ue *u) {
    trace *t = u->host->world->trace;
    hang_up(u);
    /* Without SCN_DEFENCE(RESTART_GRACE) as if it had been lost long ago. */
    bool grace = ue_guards(u, SCN_DEFENCE(RESTART_GRACE));
    ibk_replay_cache_forget(u->replay, grace ? ims_host_time(u->host).utc_ns : 0);
    trace_begin(t, TRACE_STATE, u->host->name, "restarted");
    trace_end(t);
}

/* ---- third-party registration, TS 24.229 §5.4.1.7: a mailbox learns who is there ----------------------- */

static void told_registration(ue *u, const char *impu, bool registered) {
    trace *t = u->host->world->trace;
    trace_begin(t, TRACE_STATE, u->host->name, "told-registration");
    trace_str(t, "user", impu);
    trace_bool(t, "registered", registered);
    trace_end(t);
    ue_mailbox_told(u, impu, registered);
}

void ue_outside(void *user, sip_server *server, const sip_msg *request) {
    ue *u = user;
    uint32_t expires = 0;
    sip_arena arena = {0};
    if (!sip_is(request, "REGISTER") || !u->user->mailbox) {
        sip_server_reply(server, 501, NULL);
        return;
    }
    const char *impu = sip_uri_aor(&arena, &request->to.uri);
    bool told = impu && sip_header_u32(request, "Expires", &expires);
    sip_server_reply(server, told ? 200 : 400, NULL);
    if (told)
        told_registration(u, impu, expires > 0);
    sip_arena_free(&arena);
}

void ue_register_free(ue *u) {
    if (u->registering)
        sip_client_detach(u->registering);
    u->registering = NULL;
    ims_host_cancel(u->host, &u->refresh);
    sip_arena_free(&u->route_arena);
}
