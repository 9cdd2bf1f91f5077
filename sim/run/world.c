#include "run/world.h"
#include "ims/address.h"
#include "run/adversaries.h"
#include "run/knowledge.h"
#include "run/params.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a UE does at a time of the scenario. */
typedef struct world_event {
    world *w;
    ue *u;
    const scn_call *call; /* it places a call; NULL: … */
    void (*what)(ue *u);  /* … ue_switch_on and others */
    bool happened;
} world_event;

enum {
    FUNCTION_P = SCN_NODE_PCSCF,
    FUNCTION_I = SCN_NODE_ICSCF,
    FUNCTION_S = SCN_NODE_SCSCF,
    FUNCTION_HSS = SCN_NODE_HSS,
    FUNCTION_KMS = SCN_NODE_KMS,
    FUNCTIONS = SCN_CORE_NODES
};

static n3_family family_of(const world *w) {
    return w->scenario->network.ip == 6 ? N3_IPV6 : N3_IPV4;
}

static ibk_err shim_failed(ibk_diag *diag, const char *what) {
    return ibk_fail(diag, IBK_ERR_INTERNAL, "network", 0, "%s: %s", what, n3_last_error());
}

/* ---- links and captures
 * ------------------------------------------------------------------------------------------ */

/* A link between a host and its router; loss, delay and so on hold in each direction. */
static ibk_err add_link(world *w, n3_node *host, n3_node *router, const scn_link *settings, ibk_diag *diag) {
    if (!IBK_ROOM(w->links, w->link_count, w->link_cap))
        return IBK_ERR_NO_MEMORY;
    n3_path path = {.delay_ns = settings->delay_ns,
                    .rate_bps = settings->rate_bps,
                    .loss_ppb = settings->loss_ppb,
                    .queue_packets = settings->queue_packets};
    n3_link_config config = {.ab = path, .ba = path, .mtu = settings->mtu};
    world_link *link = &w->links[w->link_count];
    *link = (world_link){.settings = settings};
    if (n3_link_new(&link->link, host, router, &config))
        return shim_failed(diag, "link");
    w->link_count++;
    return settings == scn_interconnect_link(w->scenario)
               ? IBK_OK
               : hops_add(w->hops, host, settings->rate_bps, settings->delay_ns);
}

/* all.pcap shows what passes the core, each packet once: what a router sends on, and what core hosts send. A
 * UE's packet is there when the core forwards it, so what its access link lost is not. */
static bool passes_core(void *user, const n3_link *link, n3_direction direction, const uint8_t *packet,
                        size_t len) {
    const world *w = user;
    (void)packet, (void)len;
    if (direction == N3_BA) /* from the router */
        return true;
    for (size_t i = 0; i < w->access_links; i++)
        if (w->links[i].link == link)
            return true;
    return false;
}

static bool capture_all(void *user, const n3_link *link, n3_direction direction, const uint8_t *packet,
                        size_t len) {
    world *w = user;
    if (!passes_core(w, link, direction, packet, len))
        return false;
    tally_packet(w->tally, packet, len);
    return true;
}

static bool watch_hops(void *user, const n3_link *link, n3_direction direction, const uint8_t *packet,
                       size_t len) {
    world *w = user;
    hops_packet(w->hops, n3_link_sender(link, direction), n3_now(w->ims.sim), packet, len);
    return false;
}

static ibk_err open_capture(world *w, n3_capture **out, const char *dir, const char *name,
                            n3_capture_mode mode, ibk_diag *diag) {
    char path[4096];
    int len = snprintf(path, sizeof path, "%s/%s.pcap", dir, name);
    if (len < 0 || (size_t)len >= sizeof path)
        return ibk_fail(diag, IBK_ERR_LIMIT, "capture", 0, "the path of the output folder is too long");
    return n3_capture_new(out, w->ims.sim, path, mode) ? shim_failed(diag, path) : IBK_OK;
}

static ibk_err add_captures(world *w, const char *dir, ibk_diag *diag) {
    /* Without an output folder the core is watched all the same, for what could be read there. */
    ibk_err err = IBK_OK;
    if (dir)
        err = open_capture(w, &w->all, dir, "all", N3_CAPTURE_ONCE, diag);
    else if (n3_capture_new(&w->all, w->ims.sim, "/dev/null", N3_CAPTURE_ONCE))
        err = shim_failed(diag, "capture");
    if (!err && (n3_capture_new(&w->every, w->ims.sim, "/dev/null", N3_CAPTURE_EVERY) ||
                 n3_capture_filter(w->every, watch_hops, w)))
        err = shim_failed(diag, "capture");
    if (!err && n3_capture_filter(w->all, capture_all, w))
        err = shim_failed(diag, "capture filter");
    for (size_t i = 0; !err && i < w->link_count; i++) {
        world_link *link = &w->links[i];
        if (n3_capture_add(w->all, link->link) || n3_capture_add(w->every, link->link))
            err = shim_failed(diag, "capture");
        if (!err && dir)
            err = open_capture(w, &link->capture, dir, n3_link_name(link->link), N3_CAPTURE_EVERY, diag);
        if (!err && dir && n3_capture_add(link->capture, link->link))
            err = shim_failed(diag, "capture");
    }
    return err;
}

/* ---- home networks
 * ------------------------------------------------------------------------------------------------- */

static ibk_err make_node(world *w, n3_node **out, const char *name, ibk_diag *diag) {
    return n3_node_new(out, w->ims.sim, name) ? shim_failed(diag, name) : IBK_OK;
}

static ibk_err address_of(const world *w, sip_addr *out, n3_node *node, ibk_diag *diag) {
    n3_endpoint endpoint = {.port = SIP_PORT};
    if (n3_node_address(node, &endpoint.addr, family_of(w)))
        return shim_failed(diag, n3_node_name(node));
    *out = ims_sip_addr(&endpoint);
    return IBK_OK;
}

/* Names the address in the event log and in the simulation's DNS. */
static ibk_err publish(world *w, const char *name, const sip_addr *addr, bool dns) {
    char ip[SIP_TEXT_ADDR_MAX];
    sip_addr_ip(ip, addr);
    ibk_err err = trace_name_address(w->ims.trace, ip, name);
    return err || !dns ? err : ims_names_add(w->ims.names, name, addr);
}

static ibk_err make_domain_nodes(world *w, world_domain *d, ibk_diag *diag) {
    char router[300];
    snprintf(router, sizeof router, "core.%s", d->scenario->name);
    ibk_err err = make_node(w, &d->router, router, diag);
    for (size_t i = 0; !err && i < FUNCTIONS; i++) {
        n3_node *node;
        snprintf(d->name[i], sizeof d->name[i], "%s.%s", scn_core_node_name((unsigned)i), d->scenario->name);
        err = make_node(w, &node, d->name[i], diag);
        if (!err)
            err = add_link(w, node, d->router, scn_core_link(w->scenario), diag);
    }
    return err;
}

static ibk_err host_config(world *w, ims_host_config *out, const char *name, ibk_diag *diag) {
    *out = (ims_host_config){.world = &w->ims,
                             .node = n3_node_find(w->ims.sim, name),
                             .name = name,
                             .path_mtu = scn_core_link(w->scenario)->mtu};
    ibk_err err = address_of(w, &out->addr, out->node, diag);
    return err ? err : publish(w, name, &out->addr, true);
}

/* Further identities: the HSS finds the user by them, ENUM the home network of a number (P-40). */
static ibk_err add_identities(world *w, world_domain *d, const scn_user *user) {
    ibk_err err = IBK_OK;
    for (size_t i = 0; !err && i < user->identity_count; i++) {
        const char *identity = user->identities[i];
        if (!user->contact_of)
            err = hss_add_identity(d->h, user->identity, identity);
        if (!err && strncmp(identity, "tel:", 4) == 0)
            err = ims_names_add_number(w->ims.names, identity + 4, d->scenario->name);
    }
    return err;
}

static ibk_err add_subscribers(world *w, world_domain *d) {
    ibk_err err = IBK_OK;
    for (size_t i = 0; !err && i < w->scenario->user_count; i++) {
        const scn_user *user = &w->scenario->users[i];
        const scn_user *owner = user->contact_of ? user->contact_of : user;
        hss_subscriber subscriber = {.impu = owner->identity,
                                     .impi = user->private_identity,
                                     .password = user->hss_password,
                                     .unregistered_services = owner->divert.to != NULL};
        if (user->domain == d->scenario)
            err = hss_add(d->h, &subscriber);
    }
    for (size_t i = 0; !err && i < w->scenario->user_count; i++)
        if (w->scenario->users[i].domain == d->scenario)
            err = add_identities(w, d, &w->scenario->users[i]);
    return err;
}

/* The host that key requests to the KMS's identity go to, if it is not called so anyway. */
static ibk_err name_kms(world *w, const world_domain *d, const sip_addr *addr) {
    char host[256];
    if (!scn_kms_host(host, d->scenario->kms.identity))
        return IBK_ERR_LIMIT;
    return strcmp(host, d->name[FUNCTION_KMS]) == 0 ? IBK_OK : ims_names_add(w->ims.names, host, addr);
}

static ibk_err start_functions(world *w, world_domain *d, ibk_diag *diag) {
    ims_host_config host[FUNCTIONS];
    ibk_err err = IBK_OK;
    for (size_t i = 0; !err && i < FUNCTIONS; i++)
        err = host_config(w, &host[i], d->name[i], diag);
    if (!err)
        err = name_kms(w, d, &host[FUNCTION_KMS].addr);
    if (!err) /* requests for the domain itself (REGISTER) arrive at its I-CSCF, RFC 3263 */
        err = ims_names_add(w->ims.names, d->scenario->name, &host[FUNCTION_I].addr);
    if (err)
        return err;
    cscf_config config = {
        .domain = d->scenario->name, .hss = host[FUNCTION_HSS].addr, .hss_name = d->name[FUNCTION_HSS]};
    err = hss_new(&d->h, &host[FUNCTION_HSS], d->scenario->name);
    if (!err)
        err = add_subscribers(w, d);
    if (!err) {
        config.host = host[FUNCTION_S];
        config.fork_sequentially = d->scenario->forking == SCN_FORK_SEQUENTIAL;
        config.contact_timeout_ns = d->scenario->forking_timeout_ns;
        err = scscf_new(&d->s, &config);
    }
    if (!err) {
        config.host = host[FUNCTION_I];
        config.next_hop = d->name[FUNCTION_S];
        err = icscf_new(&d->i, &config);
    }
    if (!err) {
        config.host = host[FUNCTION_P];
        config.next_hop = d->name[FUNCTION_I];
        config.hss = (sip_addr){0};
        err = pcscf_new(&d->p, &config);
    }
    if (!err) {
        host[FUNCTION_KMS].cpu = d->scenario->kms.cpu.model;
        host[FUNCTION_KMS].cores = d->scenario->kms.cores;
        kms_node_config kms = {.host = host[FUNCTION_KMS],
                               .scenario = w->scenario,
                               .domain = d->scenario,
                               .params = d->params,
                               .master = d->master,
                               .rfc5408 = run_trust_serves(w->trust, (size_t)(d - w->domains)),
                               .tls = run_trust_server(w->trust, (size_t)(d - w->domains)),
                               .pke = run_credentials_kms(w->credentials, (size_t)(d - w->domains)),
                               .anchor = run_credentials_anchor(w->credentials)};
        err = kms_node_new(&d->k, &kms);
    }
    return err;
}

/* ---- users
 * ------------------------------------------------------------------------------------------------------------
 */

/* Both directions of a user's access link lose everything from now on. */
static void cut_off(void *user, const scn_user *whom) {
    const world *w = user;
    n3_link *link = w->links[w->access_links + (size_t)(whom - w->scenario->users)].link;
    for (int direction = N3_AB; direction <= N3_BA; direction++)
        n3_link_set_loss(link, (n3_direction)direction, N3_LOSS_ALWAYS);
    trace_begin(w->ims.trace, TRACE_STATE, whom->name, "cut-off");
    trace_end(w->ims.trace);
}

static ibk_err start_user(world *w, size_t index, ibk_diag *diag) {
    const scn_user *user = &w->scenario->users[index];
    const world_domain *d = world_domain_of(w, user->domain);
    ue_config config = {.host = {.world = &w->ims,
                                 .node = n3_node_find(w->ims.sim, user->name),
                                 .name = user->name,
                                 .clock_offset_ns = user->clock_offset_ns,
                                 .cpu = user->cpu.model,
                                 .cores = user->cores,
                                 .path_mtu = user->link->mtu},
                        .scenario = w->scenario,
                        .user = user,
                        .pcscf = d->name[FUNCTION_P],
                        .params = w->params,
                        .cut_off = cut_off,
                        .cut_off_user = w,
                        .param_count = w->scenario->domain_count,
                        .scripts = w->scripts,
                        .messages = w->messages,
                        .tls = run_trust_client(w->trust, user->without & SCN_DEFENCE(CERTIFICATE_CHECK)),
                        .pke = run_credentials_user(w->credentials, index)};
    ibk_err err = address_of(w, &config.host.addr, config.host.node, diag);
    if (!err)
        err = publish(w, user->name, &config.host.addr, false);
    return err ? err : ue_new(&w->users[index], &config);
}

/* Its node hangs at a router. */
static ibk_err add_adversary_node(world *w, const scn_adversary *plan, ibk_diag *diag) {
    n3_node *node;
    ibk_err err = make_node(w, &node, plan->name, diag);
    return err ? err
               : add_link(w, node, world_domain_of(w, plan->attached_to)->router, scn_core_link(w->scenario),
                          diag);
}

static ibk_err start_adversary(world *w, size_t index, ibk_diag *diag) {
    ims_host_config host;
    const scn_adversary *plan = &w->scenario->adversaries[index];
    ibk_err err = host_config(w, &host, plan->name, diag);
    host.cpu = plan->cpu;
    host.cores = plan->cores;
    return err ? err : run_adversary_start(w, index, &host, diag);
}

static ue *ue_of(const world *w, const scn_user *user) {
    return w->users[user - w->scenario->users];
}

/* What the S-CSCFs know of their users: whose calls go elsewhere, and whom to tell of registrations. */
static ibk_err provision_user(world *w, size_t index) {
    const scn_user *user = &w->scenario->users[index];
    const world_domain *d = world_domain_of(w, user->domain);
    ibk_err err = IBK_OK;
    if (user->divert.to) {
        cdiv_service service = {.impu = user->identity,
                                .target = user->divert.to->identity,
                                .when = (cdiv_when)user->divert.when,
                                .how = (cdiv_how)user->divert.how,
                                .after_ns = user->divert.after_ns};
        err = scscf_add_service(d->s, &service);
    }
    if (!err && user->mailbox) {
        sip_arena arena = {0};
        char ip[SIP_TEXT_ADDR_MAX];
        sip_addr_ip(ip, &ue_host(w->users[index])->addr);
        sip_uri server = sip_uri_make(&arena, user->name, ip, SIP_PORT, SIP_PROTO_NONE, false);
        err = arena.failed ? IBK_ERR_NO_MEMORY : scscf_add_server(d->s, &server);
        sip_arena_free(&arena);
    }
    return err;
}

/* ---- what happens when
 * ------------------------------------------------------------------------------------------------- */

static void happen(void *arg) {
    world_event *event = arg;
    event->happened = true;
    if (event->call)
        ue_place_call(event->u, event->call);
    else
        event->what(event->u);
}

static ibk_err add_event(world *w, uint64_t at_ns, const world_event *what, ibk_diag *diag) {
    world_event *event = &w->events[w->event_count++];
    *event = *what;
    return n3_schedule(w->ims.sim, NULL, at_ns, happen, event) ? shim_failed(diag, "schedule") : IBK_OK;
}

static ibk_err plan_user(world *w, size_t index, ibk_diag *diag) {
    const scn_user *user = &w->scenario->users[index];
    world_event on = {.w = w, .u = w->users[index], .what = ue_switch_on}, restart = on, off = on;
    restart.what = ue_restart;
    off.what = ue_switch_off;
    ibk_err err = add_event(w, user->on_ns, &on, diag);
    if (!err && user->restarts)
        err = add_event(w, user->restart_ns, &restart, diag);
    return !err && user->switched_off ? add_event(w, user->off_ns, &off, diag) : err;
}

static ibk_err plan(world *w, ibk_diag *diag) {
    const scn_scenario *s = w->scenario;
    ibk_err err = IBK_OK;
    w->events = calloc(3 * s->user_count + s->call_count, sizeof *w->events);
    if (!w->events)
        return IBK_ERR_NO_MEMORY;
    for (size_t i = 0; !err && i < s->user_count; i++)
        err = plan_user(w, i, diag);
    for (size_t i = 0; !err && i < s->call_count; i++)
        err = add_event(w, s->calls[i].at_ns,
                        &(world_event){.w = w, .u = ue_of(w, s->calls[i].from), .call = &s->calls[i]}, diag);
    return err;
}

bool world_is_finished(const world *w) {
    for (size_t i = 0; i < w->event_count; i++)
        if (!w->events[i].happened)
            return false;
    for (size_t i = 0; i < w->scenario->user_count; i++)
        if (!ue_is_idle(w->users[i]))
            return false;
    return run_adversaries_are_idle(w);
}

/* ---- life
 * ----------------------------------------------------------------------------------------------------------------
 */

static ibk_err load_params(world *w, ibk_diag *diag) {
    ibk_err err = IBK_OK;
    for (size_t i = 0; !err && i < w->scenario->domain_count; i++) {
        world_domain *d = &w->domains[i];
        d->scenario = &w->scenario->domains[i];
        err = run_params_load(&d->params, &d->master, &d->scenario->kms, diag);
        if (!err && d->scenario->kms.wrong_keys)
            err = run_params_other_master(&d->master, d->params, diag);
        w->params[i] = (ue_params){.domain = d->scenario, .params = d->params};
    }
    return err;
}

static uint64_t virtual_time(void *sim) {
    return n3_now(sim);
}

static ibk_err build_network(world *w, ibk_diag *diag) {
    const scn_scenario *s = w->scenario;
    n3_sim_config config = {.seed = s->seed, .families = family_of(w), .start_utc_ns = s->start_utc_ns};
    if (n3_sim_new(&w->ims.sim, &config))
        return shim_failed(diag, "simulation");
    trace_set_clock(w->ims.trace, virtual_time, w->ims.sim);
    setup_attach(w->setup, w->ims.sim, w->hops);
    ibk_err err = IBK_OK;
    for (size_t i = 0; !err && i < s->domain_count; i++)
        err = make_domain_nodes(w, &w->domains[i], diag);
    for (size_t i = 1; !err && i < s->domain_count; i++)
        /* the home networks meet at the first one's router */
        err = add_link(w, w->domains[i].router, w->domains[0].router, scn_interconnect_link(s), diag);
    w->access_links = w->link_count;
    for (size_t i = 0; !err && i < s->user_count; i++) {
        n3_node *node;
        err = make_node(w, &node, s->users[i].name, diag);
        if (!err)
            err = add_link(w, node, world_domain_of(w, s->users[i].domain)->router, s->users[i].link, diag);
    }
    for (size_t i = 0; !err && i < s->adversary_count; i++)
        err = add_adversary_node(w, &s->adversaries[i], diag);
    if (!err && n3_routes_build(w->ims.sim))
        err = shim_failed(diag, "routes");
    return err;
}

ibk_err world_new(world **out, const scn_scenario *scenario, const world_outputs *outputs, ibk_diag *diag) {
    *out = NULL;
    world *w = calloc(1, sizeof *w);
    if (!w)
        return IBK_ERR_NO_MEMORY;
    w->scenario = scenario;
    w->ims = (ims_world){.trace = outputs->log,
                         .keylog = outputs->keys,
                         .seed = scenario->seed,
                         .start_utc_ns = scenario->start_utc_ns};
    w->domains = calloc(scenario->domain_count, sizeof *w->domains);
    w->params = calloc(scenario->domain_count, sizeof *w->params);
    w->users = calloc(scenario->user_count, sizeof(ue *));
    w->tally = tally_new(scenario);
    w->setup = setup_new(scenario);
    w->hops = hops_new();
    w->scripts = ue_scripts_new(scenario);
    w->messages = ue_messages_new();
    w->ims.names = ims_names_new();
    ibk_err err = w->domains && w->params && w->users && w->tally && w->setup && w->hops && w->scripts &&
                          w->messages && w->ims.names
                      ? IBK_OK
                      : IBK_ERR_NO_MEMORY;
    if (!err)
        err = trace_add_sink(outputs->log, TRACE_MASK(TRACE_SIP) | TRACE_MASK(TRACE_STATE), tally_event,
                             w->tally);
    if (!err)
        err = trace_add_sink(outputs->log,
                             TRACE_MASK(TRACE_SIP) | TRACE_MASK(TRACE_STATE) | TRACE_MASK(TRACE_CPU) |
                                 TRACE_MASK(TRACE_HTTP),
                             setup_event, w->setup);
    if (!err)
        err = run_adversaries_prepare(w);
    if (!err)
        err = load_params(w, diag);
    if (!err)
        err = run_trust_new(&w->trust, scenario, outputs->tls_keys);
    if (!err)
        err = run_credentials_new(&w->credentials, run_trust_pki(w->trust), scenario);
    if (!err)
        err = build_network(w, diag);
    if (!err)
        err = knowledge_prepare(w);
    if (!err)
        err = add_captures(w, outputs->capture_dir, diag);
    for (size_t i = 0; !err && i < scenario->domain_count; i++)
        err = start_functions(w, &w->domains[i], diag);
    for (size_t i = 0; !err && i < scenario->user_count; i++)
        err = start_user(w, i, diag);
    for (size_t i = 0; !err && i < scenario->user_count; i++)
        err = provision_user(w, i);
    for (size_t i = 0; !err && i < scenario->adversary_count; i++)
        err = start_adversary(w, i, diag);
    if (!err)
        err = properties_watch(w);
    if (!err)
        err = plan(w, diag);
    if (err) {
        if (diag && !diag->err)
            ibk_fail(diag, err, "world", 0, "%s", ibk_err_text(err));
        world_free(w);
        return err;
    }
    *out = w;
    return IBK_OK;
}

const world_domain *world_domain_of(const world *w, const scn_domain *domain) {
    return &w->domains[domain - w->scenario->domains];
}

static void free_domain(world_domain *d) {
    pcscf_free(d->p);
    icscf_free(d->i);
    scscf_free(d->s);
    hss_free(d->h);
    kms_node_free(d->k);
    ibk_ibe_master_free(d->master);
    ibk_ibe_params_free(d->params);
}

ibk_err world_free(world *w) {
    if (!w)
        return IBK_OK;
    bool complete = true;
    run_adversaries_free(w);
    for (size_t i = 0; w->users && i < w->scenario->user_count; i++)
        ue_free(w->users[i]);
    for (size_t i = 0; w->domains && i < w->scenario->domain_count; i++)
        free_domain(&w->domains[i]);
    for (size_t i = 0; i < w->link_count; i++)
        if (w->links[i].capture)
            complete &= n3_capture_free(w->links[i].capture) == N3_OK;
    if (w->every)
        complete &= n3_capture_free(w->every) == N3_OK;
    if (w->all)
        complete &= n3_capture_free(w->all) == N3_OK;
    trace_set_clock(w->ims.trace, NULL, NULL);
    if (w->ims.sim)
        n3_sim_free(w->ims.sim);
    ims_names_free(w->ims.names);
    tally_free(w->tally);
    setup_free(w->setup);
    hops_free(w->hops);
    ue_scripts_free(w->scripts);
    run_credentials_free(w->credentials);
    run_trust_free(w->trust);
    ue_messages_free(w->messages);
    free(w->links);
    free(w->events);
    free(w->users);
    free(w->users_by_name);
    free(w->params);
    free(w->domains);
    free(w);
    return complete ? IBK_OK : IBK_ERR_IO;
}
