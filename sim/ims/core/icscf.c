/* I-CSCF: the entry point of a home network; the HSS tells which S-CSCF serves a user (3GPP TS 24.229 §5.3).
 */
#include "ims/core/cscf.h"

#include <stdlib.h>
#include <string.h>

struct icscf {
    cscf c;
};

/* "sip:scscf.home.example" -> the host; the S-CSCF that this I-CSCF assigns when the HSS names none. */
static const char *server_of(const icscf *i, const cx_answer *answer) {
    if (!answer->server[0])
        return i->c.config.next_hop;
    return strncmp(answer->server, "sip:", 4) == 0 ? answer->server + 4 : answer->server;
}

/* TS 24.229 §5.3.2.1: a SIP URI of a number ("user=phone") stands for the tel: URI, which the HSS knows. */
static void restore_number(sip_arena *arena, sip_uri *uri) {
    const char *kind = uri->host ? sip_param_get(&uri->params, "user") : NULL;
    if (kind && strcmp(kind, "phone") == 0 && uri->user && uri->user[0] == '+')
        *uri = (sip_uri){.scheme = "tel", .user = sip_arena_str(arena, uri->user)};
}

/* A request goes on to the S-CSCF; this node does not stay on the path of later ones. */
static void forward_to(icscf *i, sip_server *server, const cx_answer *answer, bool terminating) {
    sip_msg *copy = sip_proxy_copy(i->c.proxy, sip_server_request(server), NULL);
    if (!copy) {
        cscf_refuse(&i->c, server, 500, "out of memory");
        return;
    }
    if (terminating) {
        sip_uri called = copy->uri;
        restore_number(&copy->arena, &called);
        sip_msg_set_uri(copy, &called);
    }
    sip_name_addr next = cscf_peer(&copy->arena, terminating ? "term" : NULL, server_of(i, answer));
    sip_route_push(copy, &next);
    cscf_forward(&i->c, server, copy, NULL);
}

static void on_authorised(void *self, sip_server *server, const cx_answer *answer) {
    icscf *i = self;
    if (answer->ok)
        forward_to(i, server, answer, false);
    else
        cscf_refuse(&i->c, server, answer->result ? 403 : 503, "the HSS refuses the user, or is silent");
}

static void on_located(void *self, sip_server *server, const cx_answer *answer) {
    icscf *i = self;
    if (answer->ok)
        forward_to(i, server, answer, true);
    else if (answer->result == CX_ERROR_USER_UNKNOWN)
        cscf_refuse(&i->c, server, 404, "the called user is unknown");
    else if (answer->result == CX_ERROR_IDENTITY_NOT_REGISTERED)
        cscf_refuse(&i->c, server, 480, "the called user is not registered");
    else
        cscf_refuse(&i->c, server, 503, "the HSS is silent");
}

static void on_request(void *self, sip_server *server, const sip_msg *request) {
    icscf *i = self;
    bool registers = strcmp(request->method, "REGISTER") == 0;
    sip_msg *copy = sip_msg_clone(request);
    if (!copy) {
        cscf_refuse(&i->c, server, 500, "out of memory");
        return;
    }
    sip_auth auth = {0};
    sip_uri called = copy->uri;
    restore_number(&copy->arena, &called);
    cx_request question = {.command = registers ? DIAMETER_UAR : DIAMETER_LIR,
                           .impu = cscf_identity(&copy->arena, registers ? &copy->to.uri : &called)};
    if (registers) {
        if (sip_auth_get(copy, &auth, "Authorization", NULL, NULL) == IBK_OK)
            question.impi = auth.username;
        question.visited = sip_header_get(copy, "P-Visited-Network-ID");
    }
    if (!question.impu || (registers && !question.impi))
        cscf_refuse(&i->c, server, 400, "no public or private identity");
    else
        cscf_ask(&i->c, server, &question, registers ? on_authorised : on_located);
    sip_msg_free(copy);
}

ibk_err icscf_new(icscf **out, const cscf_config *config) {
    icscf *i = calloc(1, sizeof *i);
    *out = NULL;
    if (!i)
        return IBK_ERR_NO_MEMORY;
    i->c.self = i;
    i->c.request = on_request;
    ibk_err err = cscf_start(&i->c, config, NULL);
    if (err)
        icscf_free(i);
    else
        *out = i;
    return err;
}

void icscf_free(icscf *i) {
    if (!i)
        return;
    cscf_stop(&i->c);
    free(i);
}

const ims_host *icscf_host(const icscf *i) {
    return i->c.host;
}
