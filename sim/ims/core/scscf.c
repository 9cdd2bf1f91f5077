/* S-CSCF: registrar with digest authentication against the HSS, and the routing of both sides of a call
 * (3GPP TS 24.229 §5.4). */
#include "ims/core/cscf.h"
#include "ims/core/registrar.h"

#include <stdlib.h>
#include <string.h>

struct scscf {
    cscf c;
    registrar *bindings;
    uint64_t max_expires;
};

/* ---- registration ---------------------------------------------------------------------------------- */

static void note_state(const scscf *s, const char *impu, const char *state) {
    trace *t = s->c.host->world->trace;
    trace_begin(t, TRACE_STATE, s->c.config.host.name, state);
    trace_str(t, "user", impu);
    trace_end(t);
}

/* The identity that a REGISTER is about (To), in its own arena; NULL if out of memory or too long. */
static registrar_entry *entry_of(scscf *s, sip_msg *request) {
    const char *impu = cscf_identity(&request->arena, &request->to.uri);
    return impu ? registrar_get(s->bindings, impu) : NULL;
}

static uint64_t wanted_expires(const scscf *s, const sip_msg *request) {
    uint32_t expires = 0;
    const char *of_contact =
        request->contact_count ? sip_param_get(&request->contact[0].params, "expires") : NULL;
    if (of_contact)
        expires = (uint32_t)strtoul(of_contact, NULL, 10);
    else if (!sip_header_u32(request, "Expires", &expires))
        return s->max_expires;
    return expires < s->max_expires ? expires : s->max_expires;
}

static void send_registered(scscf *s, sip_server *server, sip_msg *request, uint64_t expires) {
    sip_msg *response = sip_response_new(sip_server_request(server), 200, NULL, sip_server_tag(server));
    if (!response) {
        cscf_refuse(&s->c, server, 500, "out of memory");
        return;
    }
    sip_arena *arena = &response->arena;
    sip_name_addr contact;
    sip_name_addr_copy(arena, &contact, &request->contact[0]);
    sip_param_set(arena, &contact.params, "expires",
                  sip_arena_printf(arena, "%llu", (unsigned long long)expires));
    sip_contact_add(response, &contact);
    for (size_t i = 0; sip_header_at(request, "Path", i); i++) /* RFC 3327 §5.3 */
        sip_header_add(response, "Path", sip_header_at(request, "Path", i));
    sip_name_addr route = cscf_self(&s->c, arena, "orig"); /* RFC 3608 */
    sip_header_add_addr(response, "Service-Route", &route);
    sip_name_addr self = {.uri = request->to.uri};
    sip_header_add_addr(response, "P-Associated-URI", &self);
    sip_server_respond(server, response);
}

static void on_assigned(void *self, sip_server *server, const cx_answer *answer) {
    scscf *s = self;
    sip_msg *request = sip_msg_clone(sip_server_request(server));
    registrar_entry *entry = request ? entry_of(s, request) : NULL;
    if (!entry || !answer->ok) {
        cscf_refuse(&s->c, server, answer->result ? 403 : 503,
                    "the HSS refuses the assignment, or is silent");
        sip_msg_free(request);
        return;
    }
    sip_name_addr *path = NULL;
    size_t path_count = 0;
    uint64_t expires = wanted_expires(s, request);
    ibk_err err = sip_header_addrs(request, "Path", &path, &path_count, NULL);
    if (!err && expires == 0)
        registrar_unbind(entry);
    else if (!err)
        err = registrar_bind(entry, &request->contact[0].uri, path, path_count,
                             ims_host_now(s->c.host) + expires * SIP_S);
    if (err) {
        cscf_refuse(&s->c, server, 400, "the Path cannot be read");
    } else {
        note_state(s, entry->impu, expires ? "registered" : "deregistered");
        send_registered(s, server, request, expires);
    }
    sip_msg_free(request);
}

static void on_credentials(void *self, sip_server *server, const cx_answer *answer) {
    scscf *s = self;
    sip_msg *request = sip_msg_clone(sip_server_request(server));
    registrar_entry *entry = request ? entry_of(s, request) : NULL;
    if (!entry || !answer->ok || !answer->ha1[0]) {
        cscf_refuse(&s->c, server, answer->result ? 403 : 503, "the HSS knows no such user, or is silent");
        sip_msg_free(request);
        return;
    }
    sip_auth offered;
    if (sip_auth_get(request, &offered, "Authorization", NULL, NULL) == IBK_OK && offered.username &&
        strlen(offered.username) < sizeof entry->impi)
        strcpy(entry->impi, offered.username);
    strcpy(entry->ha1, answer->ha1);
    entry->alg = SIP_DIGEST_MD5;
    entry->nonce_count = 0;
    sip_msg *response = sip_response_new(sip_server_request(server), 401, NULL, sip_server_tag(server));
    if (!response || sip_new_token(sip_stack_env(s->c.host->stack), entry->nonce)) {
        sip_msg_free(response);
        cscf_refuse(&s->c, server, 500, "out of memory or randomness");
    } else {
        sip_auth challenge = {
            .alg = entry->alg, .realm = answer->realm, .nonce = entry->nonce, .qop_auth = true};
        sip_auth_challenge(response, "WWW-Authenticate", &challenge);
        sip_server_respond(server, response);
    }
    sip_msg_free(request);
}

/* Right password for the nonce in hand, which is then used up. */
static bool credentials_hold(registrar_entry *entry, const sip_auth *offered) {
    bool fresh = entry->nonce[0] && offered->nonce && strcmp(offered->nonce, entry->nonce) == 0 &&
                 offered->nc > entry->nonce_count;
    bool holds = fresh && offered->username && strcmp(offered->username, entry->impi) == 0 &&
                 sip_auth_verify_ha1(offered, "REGISTER", entry->ha1);
    entry->nonce[0] = 0;
    ibk_wipe(entry->ha1, sizeof entry->ha1);
    return holds;
}

static void on_register(scscf *s, sip_server *server, const sip_msg *request) {
    sip_msg *copy = sip_msg_clone(request);
    registrar_entry *entry = copy ? entry_of(s, copy) : NULL;
    sip_auth offered = {0};
    if (!entry || request->contact_count != 1) {
        cscf_refuse(&s->c, server, entry ? 400 : 500, "a REGISTER needs one Contact");
        sip_msg_free(copy);
        return;
    }
    bool has_credentials =
        sip_auth_get(copy, &offered, "Authorization", s->c.config.domain, NULL) == IBK_OK &&
        offered.response && offered.response[0];
    const char *server_uri = sip_arena_printf(&copy->arena, "sip:%s", s->c.config.host.name);
    cx_request question = {
        .impu = entry->impu, .impi = has_credentials ? entry->impi : offered.username, .server = server_uri};
    if (has_credentials && entry->nonce[0] && strcmp(offered.nonce ? offered.nonce : "", entry->nonce) == 0) {
        if (credentials_hold(entry, &offered)) {
            bool bound = registrar_is_bound(entry, ims_host_now(s->c.host));
            question.command = DIAMETER_SAR;
            question.assignment = wanted_expires(s, copy) == 0 ? CX_USER_DEREGISTRATION
                                  : bound                      ? CX_RE_REGISTRATION
                                                               : CX_REGISTRATION;
            cscf_ask(&s->c, server, &question, on_assigned);
        } else {
            cscf_refuse(&s->c, server, 403, "wrong credentials");
        }
    } else {
        question.command = DIAMETER_MAR;
        question.impi = offered.username;
        cscf_ask(&s->c, server, &question, on_credentials);
    }
    sip_msg_free(copy);
}

/* ---- calls ------------------------------------------------------------------------------------------- */

/* TS 24.229 §5.4.3.2: the served user is asserted by the P-CSCF and must be registered here. */
static void on_originating(scscf *s, sip_server *server, sip_msg *copy) {
    sip_name_addr *asserted = NULL;
    size_t count = 0;
    const char *impu = NULL;
    if (sip_header_addrs(copy, "P-Asserted-Identity", &asserted, &count, NULL) == IBK_OK && count > 0)
        impu = cscf_identity(&copy->arena, &asserted[0].uri);
    if (!impu || !registrar_is_bound(registrar_find(s->bindings, impu), ims_host_now(s->c.host))) {
        cscf_refuse(&s->c, server, 403, "the caller is not registered");
        sip_msg_free(copy);
        return;
    }
    if (!copy->uri.host) {
        cscf_refuse(&s->c, server, 416, "only sip: URIs are routed");
        sip_msg_free(copy);
        return;
    }
    /* No Route: the domain of the called user resolves to the I-CSCF of that home network (RFC 3263). */
    cscf_forward(&s->c, server, copy, "orig");
}

static void on_terminating(scscf *s, sip_server *server, sip_msg *copy) {
    const char *impu = cscf_identity(&copy->arena, &copy->uri);
    registrar_entry *entry = impu ? registrar_find(s->bindings, impu) : NULL;
    if (!entry || !registrar_is_bound(entry, ims_host_now(s->c.host))) {
        cscf_refuse(&s->c, server, 480, "the called user is not registered");
        sip_msg_free(copy);
        return;
    }
    sip_name_addr called = {.uri = copy->uri};
    sip_header_add_addr(copy, "P-Called-Party-ID", &called); /* RFC 7315 §4.2 */
    sip_msg_set_uri(copy, &entry->contact);
    for (size_t i = entry->path_count; i-- > 0;)
        sip_route_push(copy, &entry->path[i]);
    cscf_forward(&s->c, server, copy, "term");
}

static void on_request(void *self, sip_server *server, const sip_msg *request) {
    scscf *s = self;
    if (strcmp(request->method, "REGISTER") == 0) {
        on_register(s, server, request);
        return;
    }
    sip_uri own = {0};
    sip_msg *copy = sip_proxy_copy(s->c.proxy, request, &own);
    if (!copy)
        cscf_refuse(&s->c, server, 500, "out of memory");
    else if (!cscf_is_initial(request))
        cscf_forward(&s->c, server, copy, NULL);
    else if (own.user && strcmp(own.user, "orig") == 0)
        on_originating(s, server, copy);
    else
        on_terminating(s, server, copy);
}

ibk_err scscf_new(scscf **out, const cscf_config *config) {
    scscf *s = calloc(1, sizeof *s);
    *out = NULL;
    if (!s)
        return IBK_ERR_NO_MEMORY;
    s->max_expires = config->max_expires ? config->max_expires : 600000;
    s->c.self = s;
    s->c.request = on_request;
    s->bindings = registrar_new();
    ibk_err err = s->bindings ? cscf_start(&s->c, config, NULL) : IBK_ERR_NO_MEMORY;
    if (err)
        scscf_free(s);
    else
        *out = s;
    return err;
}

void scscf_free(scscf *s) {
    if (!s)
        return;
    cscf_stop(&s->c);
    registrar_free(s->bindings);
    free(s);
}

const ims_host *scscf_host(const scscf *s) {
    return s->c.host;
}

size_t scscf_registered(const scscf *s) {
    return registrar_bound_count(s->bindings, ims_host_now(s->c.host));
}
