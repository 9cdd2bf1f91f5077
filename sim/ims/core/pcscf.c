/* P-CSCF: the UE's door to the IMS. It knows which contact is whose, asserts identities, and keeps to the
 * Service-Route (3GPP TS 24.229 §5.2). */
#include "ims/core/cscf.h"
#include "ims/core/registrar.h"

#include <stdlib.h>
#include <string.h>

struct pcscf {
    cscf c;
    registrar *contacts; /* keyed by the contact's "ip:port"; a binding's impi is the asserted identity, its
                            path the Service-Route */
};

static const char *key_of(sip_arena *arena, const char *host, uint16_t port) {
    return sip_arena_printf(arena, "%s:%u", host, port ? port : SIP_PORT);
}

/* ---- registration ---------------------------------------------------------------------------------------
 */

static void on_register(pcscf *p, sip_server *server, sip_msg *copy) {
    sip_arena *arena = &copy->arena;
    sip_name_addr path = cscf_self(&p->c, arena, "term"), next = cscf_peer(arena, NULL, p->c.config.next_hop);
    sip_header_push(copy, "Path", sip_name_addr_text(arena, &path)); /* RFC 3327 §5.2 */
    sip_header_add(copy, "Require", "path");
    sip_header_add(copy, "P-Visited-Network-ID", p->c.config.domain);
    sip_route_clear(copy);
    sip_route_push(copy, &next);
    cscf_forward(&p->c, server, copy, NULL);
}

/* Learns from the 200 (REGISTER) who may call from which contact, and over which Service-Route. */
static void learn(pcscf *p, sip_msg *response) {
    sip_arena *arena = &response->arena;
    sip_name_addr *associated = NULL, *route = NULL;
    size_t associated_count = 0, route_count = 0;
    if (response->contact_count < 1 || !response->contact[0].uri.host ||
        sip_header_addrs(response, "P-Associated-URI", &associated, &associated_count, NULL) ||
        !associated_count || sip_header_addrs(response, "Service-Route", &route, &route_count, NULL))
        return;
    const sip_name_addr *contact = &response->contact[0];
    const char *key = key_of(arena, contact->uri.host, contact->uri.port);
    const char *impu = cscf_identity(arena, &associated[0].uri);
    registrar_entry *entry = key ? registrar_get(p->contacts, key) : NULL;
    if (!entry || !impu)
        return;
    uint64_t seconds = sip_contact_expires(contact, 0);
    registrar_contact learnt = {.impi = impu,
                                .call_id = response->call_id,
                                .cseq = response->cseq,
                                .uri = &contact->uri,
                                .path = route,
                                .path_count = route_count,
                                .until_ns = ims_host_now(p->c.host) + seconds * SIP_S};
    if (seconds == 0)
        registrar_unbind(entry, NULL);
    else
        registrar_bind(entry, &learnt);
}

static void on_response(void *user, sip_forward *forward, sip_msg *response) {
    cscf *c = user;
    (void)forward;
    if (sip_is(response, "REGISTER") && response->status == 200)
        learn(c->self, response);
}

/* ---- calls ------------------------------------------------------------------------------------------------
 */

static void on_originating(pcscf *p, sip_server *server, sip_msg *copy) {
    sip_arena *arena = &copy->arena;
    char ip[SIP_TEXT_ADDR_MAX];
    const sip_dest *source = sip_server_source(server);
    sip_addr_ip(ip, &source->addr);
    /* A TCP connection has an ephemeral port: the contact tells the one that was registered. */
    uint16_t port = copy->contact_count ? copy->contact[0].uri.port : source->addr.port;
    const registrar_entry *entry = registrar_find(p->contacts, key_of(arena, ip, port));
    const registrar_binding *known[REGISTRAR_CONTACTS_MAX];
    if (registrar_contacts(entry, ims_host_now(p->c.host), known) == 0) {
        cscf_refuse(&p->c, server, 403, "the UE is not registered");
        sip_msg_free(copy);
        return;
    }
    sip_header_drop(copy, "P-Asserted-Identity"); /* a UE asserts nothing: RFC 3325 §5 */
    sip_header_drop(copy, "P-Preferred-Identity");
    sip_header_add(copy, "P-Asserted-Identity", sip_arena_printf(arena, "<%s>", known[0]->impi));
    sip_route_clear(copy); /* the Service-Route is kept to, whatever the UE preloaded: TS 24.229 §5.2.6.3 */
    for (size_t i = 0; i < known[0]->path_count; i++)
        sip_route_append(copy, &known[0]->path[i]);
    cscf_forward(&p->c, server, copy, "orig");
}

static void on_request(void *self, sip_server *server, const sip_msg *request) {
    pcscf *p = self;
    sip_uri own = {0};
    sip_msg *copy = sip_proxy_copy(p->c.proxy, request, &own);
    if (!copy)
        cscf_refuse(&p->c, server, 500, "out of memory");
    else if (strcmp(request->method, "REGISTER") == 0)
        on_register(p, server, copy);
    else if (!cscf_is_initial(request))
        cscf_forward(&p->c, server, copy, NULL);
    else if (own.user && strcmp(own.user, "term") == 0)
        cscf_forward(&p->c, server, copy, "term");
    else
        on_originating(p, server, copy);
}

ibk_err pcscf_new(pcscf **out, const cscf_config *config) {
    static const sip_proxy_ops ops = {.response = on_response};
    pcscf *p = calloc(1, sizeof *p);
    *out = NULL;
    if (!p)
        return IBK_ERR_NO_MEMORY;
    p->c.self = p;
    p->c.request = on_request;
    p->contacts = registrar_new();
    ibk_err err = p->contacts ? cscf_start(&p->c, config, &ops) : IBK_ERR_NO_MEMORY;
    if (err)
        pcscf_free(p);
    else
        *out = p;
    return err;
}

void pcscf_free(pcscf *p) {
    if (!p)
        return;
    cscf_stop(&p->c);
    registrar_free(p->contacts);
    free(p);
}

const ims_host *pcscf_host(const pcscf *p) {
    return p->c.host;
}
