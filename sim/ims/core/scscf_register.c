/* S-CSCF: registrar with digest authentication against the HSS (3GPP TS 24.229 §5.4.1), which tells
 * application servers of what changes. */
#include "ims/core/scscf_inside.h"

#include <string.h>

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
    uint32_t of_all;
    uint64_t expires = sip_header_u32(request, "Expires", &of_all) ? of_all : s->max_expires;
    if (request->contact_count)
        expires = sip_contact_expires(&request->contact[0], expires);
    return expires < s->max_expires ? expires : s->max_expires;
}

/* The Contacts of a 200 (REGISTER): the one that was registered, then the user's others (RFC 3261 §10.3). */
static void add_contacts(const scscf *s, sip_msg *response, sip_msg *request, const registrar_entry *entry,
                         uint64_t expires) {
    const registrar_binding *known[REGISTRAR_CONTACTS_MAX];
    uint64_t now = ims_host_now(s->c.host);
    size_t count = registrar_contacts(entry, now, known);
    sip_arena *arena = &response->arena;
    sip_name_addr contact;
    sip_name_addr_copy(arena, &contact, &request->contact[0]);
    sip_param_set(arena, &contact.params, "expires",
                  sip_arena_printf(arena, "%llu", (unsigned long long)expires));
    sip_contact_add(response, &contact);
    for (size_t i = 0; i < count; i++) {
        if (sip_uri_equal(&known[i]->contact, &request->contact[0].uri))
            continue;
        sip_name_addr other = {.uri = known[i]->contact};
        sip_param_set(arena, &other.params, "q",
                      sip_arena_printf(arena, "%u.%03u", known[i]->q / 1000, known[i]->q % 1000));
        sip_param_set(
            arena, &other.params, "expires",
            sip_arena_printf(arena, "%llu", (unsigned long long)((known[i]->until_ns - now) / SIP_S)));
        sip_contact_add(response, &other);
    }
}

static void send_registered(scscf *s, sip_server *server, sip_msg *request, const registrar_entry *entry,
                            uint64_t expires) {
    sip_msg *response = sip_response_new(sip_server_request(server), 200, NULL, sip_server_tag(server));
    if (!response) {
        cscf_refuse(&s->c, server, 500, "out of memory");
        return;
    }
    sip_arena *arena = &response->arena;
    add_contacts(s, response, request, entry, expires);
    for (size_t i = 0; sip_header_at(request, "Path", i); i++) /* RFC 3327 §5.3 */
        sip_header_add(response, "Path", sip_header_at(request, "Path", i));
    sip_name_addr route = cscf_self(&s->c, arena, "orig"); /* RFC 3608 */
    sip_header_add_addr(response, "Service-Route", &route);
    sip_name_addr self = {.uri = request->to.uri};
    sip_header_add_addr(response, "P-Associated-URI", &self);
    for (const registrar_entry *further = entry->further; further; further = further->further) {
        sip_name_addr also = {0};
        if (sip_uri_parse(arena, &also.uri, further->impu, NULL) == IBK_OK)
            sip_header_add_addr(response, "P-Associated-URI", &also);
    }
    sip_server_respond(server, response);
}

/* ---- application servers: TS 24.229 §5.4.1.7 ------------------------------------------------------- */

static void on_server_answer(void *user, sip_client *client, const sip_msg *response) {
    const scscf *s = user;
    (void)client;
    if (response->status < 300)
        return;
    trace *t = s->c.host->world->trace;
    trace_begin(t, TRACE_ERROR, s->c.config.host.name, "third-party-refused");
    trace_str(t, "call", response->call_id);
    trace_int(t, "status", response->status);
    trace_end(t);
}

static ibk_err tell_server(scscf *s, const sip_uri *target, const sip_uri *user, uint64_t expires) {
    static const sip_client_ops ops = {.response = on_server_answer};
    const sip_env *env = sip_stack_env(s->c.host->stack);
    char tag[SIP_ID_MAX], call_id[SIP_ID_MAX];
    sip_arena arena = {0};
    ibk_err err = sip_new_tag(env, tag);
    if (!err)
        err = sip_new_token(env, call_id);
    if (!err) {
        sip_name_addr self = {
            .uri = sip_uri_make(&arena, NULL, s->c.config.host.name, 0, SIP_PROTO_NONE, false)};
        sip_name_addr from = self, to = {.uri = *user};
        sip_param_set(&arena, &from.params, "tag", tag);
        sip_msg *request = sip_request_new("REGISTER", target, &from, &to, call_id, 1);
        if (request) {
            sip_contact_add(request, &self);
            sip_header_addf(request, "Expires", "%llu", (unsigned long long)expires);
        }
        err = sip_client_start(s->c.host->stack, NULL, request, NULL, &ops, s);
    }
    sip_arena_free(&arena);
    return err;
}

static void tell_servers(scscf *s, const sip_uri *user, uint64_t expires) {
    for (size_t i = 0; i < s->server_count; i++)
        if (tell_server(s, &s->servers[i], user, expires)) {
            trace_begin(s->c.host->world->trace, TRACE_ERROR, s->c.config.host.name, "third-party-unsent");
            trace_end(s->c.host->world->trace);
        }
}

/* ---- the HSS has assigned us: TS 24.229 §5.4.1.2 ----------------------------------------------------- */

/* The q of a Contact (RFC 3261 §20.10) in thousandths; 1 if it has none or no number. */
static unsigned priority_of(const sip_name_addr *contact) {
    const char *q = sip_param_get(&contact->params, "q");
    unsigned value = 0, weight = 100;
    if (!q || q[0] != '0')
        return 1000;
    for (q += q[1] == '.' ? 2 : 1; *q >= '0' && *q <= '9'; q++, weight /= 10)
        value += (unsigned)(*q - '0') * weight;
    return value;
}

static ibk_err bind(scscf *s, registrar_entry *entry, sip_msg *request, uint64_t expires) {
    sip_auth offered = {0};
    registrar_contact contact = {.call_id = request->call_id,
                                 .cseq = request->cseq,
                                 .uri = &request->contact[0].uri,
                                 .q = priority_of(&request->contact[0]),
                                 .until_ns = ims_host_now(s->c.host) + expires * SIP_S};
    sip_name_addr *path = NULL;
    ibk_err err = sip_header_addrs(request, "Path", &path, &contact.path_count, NULL);
    if (!err)
        err = sip_auth_get(request, &offered, "Authorization", s->c.config.domain, NULL);
    contact.path = path;
    contact.impi = offered.username;
    return err ? err : registrar_bind(entry, &contact);
}

ibk_err scscf_take_profile(scscf *s, registrar_entry *entry, const cx_answer *answer) {
    ibk_err err = IBK_OK;
    for (size_t i = 0; !err && i < answer->identity_count; i++)
        err = registrar_imply(s->bindings, entry, answer->identities[i]);
    entry->has_profile |= !err && answer->identity_count > 0;
    return err;
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
    uint64_t expires = wanted_expires(s, request);
    ibk_err err = scscf_take_profile(s, entry, answer);
    if (expires == 0)
        registrar_unbind(entry, &request->contact[0].uri);
    else if (!err)
        err = bind(s, entry, request, expires);
    if (err) {
        int status = err == IBK_ERR_MISMATCH ? 500 : err == IBK_ERR_LIMIT ? 403 : 400;
        cscf_refuse(
            &s->c, server, status,
            "a REGISTER out of order, too many contacts, no readable Path, or another one's identity");
    } else {
        note_state(s, entry->impu, expires ? "registered" : "deregistered");
        send_registered(s, server, request, entry, expires);
        bool gone = !registrar_is_bound(entry, ims_host_now(s->c.host)); /* else a device stays */
        if (expires || gone)
            tell_servers(s, &request->to.uri, expires);
        entry->has_profile &= !gone; /* the HSS has forgotten that we serve the user */
    }
    sip_msg_free(request);
}

static void on_credentials(void *self, sip_server *server, const cx_answer *answer) {
    scscf *s = self;
    sip_msg *request = sip_msg_clone(sip_server_request(server));
    registrar_entry *entry = request ? entry_of(s, request) : NULL;
    sip_auth offered = {0};
    registrar_challenge *challenge = NULL;
    if (entry && sip_auth_get(request, &offered, "Authorization", NULL, NULL) == IBK_OK && offered.username)
        challenge = registrar_challenge_get(entry, offered.username);
    if (!challenge || !answer->ok || !answer->ha1[0]) {
        cscf_refuse(&s->c, server, answer->result ? 403 : 503, "the HSS knows no such user, or is silent");
        sip_msg_free(request);
        return;
    }
    strcpy(challenge->ha1, answer->ha1);
    challenge->alg = SIP_DIGEST_MD5;
    challenge->nonce_count = 0;
    sip_msg *response = sip_response_new(sip_server_request(server), 401, NULL, sip_server_tag(server));
    if (!response || sip_new_token(sip_stack_env(s->c.host->stack), challenge->nonce)) {
        sip_msg_free(response);
        cscf_refuse(&s->c, server, 500, "out of memory or randomness");
    } else {
        sip_auth shown = {
            .alg = challenge->alg, .realm = answer->realm, .nonce = challenge->nonce, .qop_auth = true};
        sip_auth_challenge(response, "WWW-Authenticate", &shown);
        sip_server_respond(server, response);
    }
    sip_msg_free(request);
}

/* Right password for the nonce in hand, which is then used up. */
static bool credentials_hold(registrar_challenge *challenge, const sip_auth *offered) {
    bool holds =
        offered->nc > challenge->nonce_count && sip_auth_verify_ha1(offered, "REGISTER", challenge->ha1);
    challenge->nonce[0] = 0;
    ibk_wipe(challenge->ha1, sizeof challenge->ha1);
    return holds;
}

static enum cx_assignment assignment_of(const scscf *s, const sip_msg *request,
                                        const registrar_entry *entry) {
    if (wanted_expires(s, request) == 0)
        return CX_USER_DEREGISTRATION;
    return registrar_is_bound(entry, ims_host_now(s->c.host)) ? CX_RE_REGISTRATION : CX_REGISTRATION;
}

void scscf_on_register(scscf *s, sip_server *server, const sip_msg *request) {
    sip_msg *copy = sip_msg_clone(request);
    registrar_entry *entry = copy ? entry_of(s, copy) : NULL;
    sip_auth offered = {0};
    if (!entry || request->contact_count != 1) {
        cscf_refuse(&s->c, server, entry ? 400 : 500, "a REGISTER needs one Contact");
        sip_msg_free(copy);
        return;
    }
    bool answers = sip_auth_get(copy, &offered, "Authorization", s->c.config.domain, NULL) == IBK_OK &&
                   offered.response && offered.response[0];
    registrar_challenge *challenge =
        answers && offered.username ? registrar_challenge_find(entry, offered.username) : NULL;
    cx_request question = {.command = DIAMETER_MAR,
                           .impu = entry->impu,
                           .impi = offered.username,
                           .server = sip_arena_printf(&copy->arena, "sip:%s", s->c.config.host.name)};
    bool ours =
        challenge && challenge->nonce[0] && offered.nonce && strcmp(offered.nonce, challenge->nonce) == 0;
    if (!ours) { /* no answer to the challenge in hand: a new one */
        cscf_ask(&s->c, server, &question, on_credentials);
    } else if (credentials_hold(challenge, &offered)) {
        question.command = DIAMETER_SAR;
        question.assignment = assignment_of(s, copy, entry);
        cscf_ask(&s->c, server, &question, on_assigned);
    } else {
        cscf_refuse(&s->c, server, 403, "wrong credentials");
    }
    sip_msg_free(copy);
}
