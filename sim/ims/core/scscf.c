/* S-CSCF: which of its roles a request is for, and the originating one (3GPP TS 24.229 §5.4). */
#include "ims/core/scscf_inside.h"

#include <stdlib.h>
#include <string.h>

/* TS 24.229 §5.4.3.2: a tel: URI becomes a SIP URI of the home network that ENUM names, so that it is routed.
 */
static bool route_number(const scscf *s, sip_msg *copy) {
    const char *number = copy->uri.user, *tel = cscf_identity(&copy->arena, &copy->uri);
    const char *domain = tel ? ims_names_domain_of_number(s->c.host->world->names, ibk_span_str(tel)) : NULL;
    if (!domain || !number)
        return false;
    sip_uri routed = sip_uri_make(&copy->arena, number, domain, 0, SIP_PROTO_NONE, false);
    sip_param_set(&copy->arena, &routed.params, "user", "phone"); /* RFC 3261 §19.1.6 */
    sip_msg_set_uri(copy, &routed);
    return true;
}

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
    if (!copy->uri.host && !route_number(s, copy)) {
        cscf_refuse(&s->c, server, 404, "nobody serves this number");
        sip_msg_free(copy);
        return;
    }
    /* No Route: the domain of the called user resolves to the I-CSCF of that home network (RFC 3263). */
    cscf_forward(&s->c, server, copy, "orig");
}

static void on_request(void *self, sip_server *server, const sip_msg *request) {
    scscf *s = self;
    if (strcmp(request->method, "REGISTER") == 0) {
        scscf_on_register(s, server, request);
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
        scscf_on_terminating(s, server, copy);
}

ibk_err scscf_new(scscf **out, const cscf_config *config) {
    scscf *s = calloc(1, sizeof *s);
    *out = NULL;
    if (!s)
        return IBK_ERR_NO_MEMORY;
    s->max_expires = config->max_expires ? config->max_expires : 600000;
    s->contact_timeout_ns = config->contact_timeout_ns ? config->contact_timeout_ns : 20 * SIP_S;
    s->c.self = s;
    s->c.request = on_request;
    s->bindings = registrar_new();
    ibk_err err = s->bindings ? cscf_start(&s->c, config, &scscf_proxy_ops) : IBK_ERR_NO_MEMORY;
    s->c.forward_user = NULL;
    if (err)
        scscf_free(s);
    else
        *out = s;
    return err;
}

void scscf_free(scscf *s) {
    if (!s)
        return;
    scscf_serve_free(s);
    cscf_stop(&s->c);
    registrar_free(s->bindings);
    free(s->services);
    sip_arena_free(&s->arena);
    free(s->servers);
    free(s);
}

ibk_err scscf_add_service(scscf *s, const cdiv_service *service) {
    cdiv_service *grown = realloc(s->services, (s->service_count + 1) * sizeof *grown);
    if (!grown)
        return IBK_ERR_NO_MEMORY;
    s->services = grown;
    s->services[s->service_count++] = *service;
    return IBK_OK;
}

ibk_err scscf_add_server(scscf *s, const sip_uri *server) {
    sip_uri *grown = realloc(s->servers, (s->server_count + 1) * sizeof *grown);
    if (!grown)
        return IBK_ERR_NO_MEMORY;
    s->servers = grown;
    sip_uri_copy(&s->arena, &s->servers[s->server_count++], server);
    return s->arena.failed ? IBK_ERR_NO_MEMORY : IBK_OK;
}

const ims_host *scscf_host(const scscf *s) {
    return s->c.host;
}

size_t scscf_registered(const scscf *s) {
    return registrar_bound_count(s->bindings, ims_host_now(s->c.host));
}
