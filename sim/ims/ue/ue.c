#include "ims/ue/internal.h"

#include <stdlib.h>

static void core_request(void *user, sip_server *server, const sip_msg *request) {
    sip_ua_on_request(((ue *)user)->ua, server, request);
}

static void core_ack(void *user, const sip_msg *ack, const sip_dest *source) {
    (void)source;
    sip_ua_on_ack(((ue *)user)->ua, ack);
}

static void core_cancel(void *user, sip_server *invite, const sip_msg *cancel) {
    sip_ua_on_cancel(((ue *)user)->ua, invite, cancel);
}

static ibk_err start_agent(ue *u) {
    sip_arena arena = {0};
    sip_uri self = {0};
    char ip[SIP_TEXT_ADDR_MAX];
    sip_addr_ip(ip, &u->host->addr);
    ibk_err err = sip_uri_parse(&arena, &self, u->user->identity, NULL);
    if (!err) {
        sip_ua_config config = {
            .contact = {.uri = sip_uri_make(&arena, self.user, ip, SIP_PORT, SIP_PROTO_NONE, false)}};
        err = arena.failed ? IBK_ERR_NO_MEMORY : sip_ua_new(&u->ua, u->host->stack, &config, &ue_ua_ops, u);
    }
    sip_arena_free(&arena);
    return err;
}

ibk_err ue_new(ue **out, const ue_config *config) {
    *out = NULL;
    ue *u = calloc(1, sizeof *u);
    if (!u)
        return IBK_ERR_NO_MEMORY;
    u->scenario = config->scenario;
    u->user = config->user;
    u->scripts = config->scripts;
    u->messages = config->messages;
    u->cut_off = config->cut_off;
    u->cut_off_user = config->cut_off_user;
    u->pcscf = config->pcscf;
    u->next_rtp_port = 20000;
    sip_core core = {.user = u, .request = core_request, .ack = core_ack, .cancel = core_cancel};
    ibk_err err = ims_host_new(&u->host, &config->host, &core);
    if (!err)
        err = start_agent(u);
    if (!err)
        err = ue_keys_init(u, config);
    if (!err)
        err = ue_mailbox_new(u);
    if (err)
        ue_free(u);
    else
        *out = u;
    return err;
}

void ue_free(ue *u) {
    if (!u)
        return;
    ue_mailbox_close(u);
    sip_ua_free(u->ua); /* ends the calls: they let go of their SIP call */
    for (size_t i = 0; i < u->call_count; i++)
        ue_call_free(u->calls[i]);
    free(u->calls);
    for (size_t i = 0; i < u->left_count; i++)
        ibk_session_free(u->left[i]);
    free(u->left);
    ue_mailbox_free(u);
    if (u->host)
        ue_register_free(u);
    ue_keys_free(u);
    ims_host_free(u->host);
    free(u);
}

void ue_switch_on(ue *u) {
    ue_keys_fetch(u);
    if (u->user->register_)
        ue_register(u);
    ue_check_done(u);
}

const ue_status *ue_get_status(const ue *u) {
    return &u->status;
}

size_t ue_keys_held(const ue *u) {
    return key_store_count(u->store);
}

const ue_key_fetch *ue_key_fetches(const ue *u, size_t *count) {
    *count = u->fetch_count;
    return u->fetches;
}

const parameters_client *ue_parameters(const ue *u) {
    return u->parameters;
}

const scn_user *ue_user(const ue *u) {
    return u->user;
}

const ims_host *ue_host(const ue *u) {
    return u->host;
}

size_t ue_call_count(const ue *u) {
    return u->call_count;
}

const ue_call_view *ue_call_at(const ue *u, size_t index) {
    ue_call *call = index < u->call_count ? u->calls[index] : NULL;
    if (!call)
        return NULL;
    ue_media_observe(call);
    return &call->view;
}

bool ue_is_idle(const ue *u) {
    if (u->keys_pending || u->register_pending || !parameters_client_is_idle(u->parameters) ||
        !ue_mailbox_is_idle(u))
        return false;
    for (size_t i = 0; i < u->call_count; i++)
        if (!u->calls[i]->view.ended.set)
            return false;
    return true;
}
