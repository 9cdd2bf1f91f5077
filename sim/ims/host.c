#include "ims/host.h"

#include <stdio.h>
#include <stdlib.h>

uint64_t ims_host_now(const ims_host *host) {
    return n3_now(host->world->sim);
}

ibk_time ims_host_time(const ims_host *host) {
    uint64_t now = ims_host_now(host);
    return (ibk_time){.mono_ns = now,
                      .utc_ns = host->world->start_utc_ns + (int64_t)now + host->clock_offset_ns};
}

ims_timer ims_host_timer(ims_host *host, uint64_t delay_ns, void (*fire)(void *arg), void *arg) {
    n3_timer timer = 0;
    return n3_schedule(host->world->sim, &timer, delay_ns, fire, arg) == N3_OK ? timer : 0;
}

void ims_host_cancel(ims_host *host, ims_timer *timer) {
    n3_cancel(host->world->sim, *timer);
    *timer = 0;
}

/* ---- what the SIP stack asks
 * ------------------------------------------------------------------------------------ */

static uint64_t sip_now(void *user) {
    return ims_host_now(user);
}

static uint64_t sip_timer_start(void *user, uint64_t delay_ns, void (*fire)(void *arg), void *arg) {
    return ims_host_timer(user, delay_ns, fire, arg);
}

static void sip_timer_cancel(void *user, uint64_t handle) {
    ims_host_cancel(user, &handle);
}

static ibk_err sip_draw(void *user, uint8_t *out, size_t len) {
    return sim_random_draw(((ims_host *)user)->sip_random, out, len) ? IBK_OK : IBK_ERR_RANDOM;
}

static ibk_err sip_resolve(void *user, sip_addr *out, const char *host) {
    return ims_names_find(((ims_host *)user)->world->names, out, host);
}

/* Names the MIKEY message in a body with a=key-mgmt, so that the log and the ladder show it. */
static const char *mikey_in(const sip_msg *msg) {
    static const char attribute[] = "a=key-mgmt:mikey ";
    char line[64]; /* base64 of the first octets, enough for the data type */
    ibk_buf head = {0};
    const char *name = NULL;
    if (!msg || !sip_has_body_type(msg, "application/sdp"))
        return NULL;
    ibk_span body = msg->body;
    for (size_t at = 0; at + sizeof attribute - 1 + 4 <= body.len; at++) {
        if (body.data[at] != 'a' ||
            !ibk_span_equal(ibk_span_of(body.data + at, sizeof attribute - 1), ibk_span_str(attribute)))
            continue;
        snprintf(line, sizeof line, "%.4s", (const char *)body.data + at + sizeof attribute - 1);
        if (ibk_base64_decode(&head, ibk_span_str(line), NULL) == IBK_OK && head.len >= 2)
            name = ibk_msg_type_name(head.data[1]);
        break;
    }
    ibk_buf_free(&head);
    return name;
}

static void sip_traced(void *user, const sip_trace *event) {
    ims_host *host = user;
    trace *t = host->world->trace;
    char peer[SIP_TEXT_ADDR_MAX];
    sip_addr_ip(peer, &event->peer.addr);
    trace_message message = {.kind = TRACE_SIP,
                             .node = host->name,
                             .sent = event->sent,
                             .peer = peer,
                             .label = event->label,
                             .call = event->call,
                             .cseq = event->cseq,
                             .mikey = mikey_in(event->msg),
                             .transport = sip_proto_param(event->peer.proto),
                             .octets = event->octets,
                             .retransmission = event->retransmission};
    trace_message_begin(t, &message);
    trace_str(t, "to_tag",
              event->msg ? sip_to_tag(event->msg) : NULL); /* tells the dialogs of a forked call apart */
    if (event->diag)
        trace_diag(t, event->diag->err, event->diag);
    trace_end(t);
}

static ibk_err start_sip(ims_host *host, const ims_host_config *config, const sip_core *core) {
    sip_env env = {.user = host,
                   .now = sip_now,
                   .timer_start = sip_timer_start,
                   .timer_cancel = sip_timer_cancel,
                   .draw = sip_draw,
                   .resolve = sip_resolve,
                   .trace = sip_traced};
    char ip[SIP_TEXT_ADDR_MAX];
    size_t mtu = config->path_mtu ? config->path_mtu : 1500;
    sip_addr_ip(ip, &host->addr);
    sip_config stack = {.host = ip, .mtu_limit = mtu > 400 ? mtu - 200 : 200, .user_agent = "ibakelab"};
    ibk_err err = sip_stack_new(&host->stack, &env, &stack, core);
    if (err)
        return err;
    sip_net_config net = {.local = host->addr};
    return sip_net_new(&host->net, host->node, host->stack, &net);
}

static void job_ended(void *user, const char *what, const char *about, const cpu_job_times *times) {
    ims_host *host = user;
    trace *t = host->world->trace;
    trace_begin(t, TRACE_CPU, host->name, "job");
    trace_str(t, "what", what);
    trace_str(t, "call", *about ? about : NULL);
    trace_uint(t, "submitted_ns", times->submitted_ns);
    trace_uint(t, "wait_ns", times->started_ns - times->submitted_ns);
    trace_uint(t, "cost_ns", times->ended_ns - times->started_ns);
    trace_end(t);
}

static ibk_err start_cpu(ims_host *host, const ims_host_config *config) {
    if (!config->cpu || !config->cpu->timed)
        return IBK_OK;
    cpu_config processor = {.sim = config->world->sim,
                            .model = config->cpu,
                            .cores = config->cores ? config->cores : 1,
                            .ended = job_ended,
                            .user = host};
    return cpu_new(&host->cpu, &processor);
}

ibk_err ims_host_new(ims_host **out, const ims_host_config *config, const sip_core *core) {
    *out = NULL;
    ims_host *host = calloc(1, sizeof *host);
    if (!host)
        return IBK_ERR_NO_MEMORY;
    host->world = config->world;
    host->node = config->node;
    host->name = config->name;
    host->addr = config->addr;
    host->addr.port = SIP_PORT;
    host->clock_offset_ns = config->clock_offset_ns;
    host->sip_random = sim_random_new(config->world->seed, config->name, "sip");
    ibk_err err = host->sip_random ? IBK_OK : IBK_ERR_NO_MEMORY;
    if (!err)
        err = start_cpu(host, config);
    if (!err && !config->quiet)
        err = start_sip(host, config, core);
    if (err)
        ims_host_free(host);
    else
        *out = host;
    return err;
}

void ims_host_free(ims_host *host) {
    if (!host)
        return;
    sip_net_free(host->net);
    sip_stack_free(host->stack);
    sim_random_free(host->sip_random);
    sim_random_free(host->tls_random);
    for (size_t i = 0; i <= IBK_DRAW_BLIND; i++)
        sim_random_free(host->draws[i]);
    cpu_free(host->cpu);
    free(host);
}

sim_random *ims_host_tls_random(ims_host *host) {
    if (!host->tls_random)
        host->tls_random = sim_random_new(host->world->seed, host->name, "tls");
    return host->tls_random;
}

/* ---- what the protocol code asks
 * --------------------------------------------------------------------------------- */

static ibk_err env_draw(void *user, ibk_draw_label label, uint8_t *out, size_t len) {
    ims_host *host = user;
    char name[16];
    if (label > IBK_DRAW_BLIND)
        return IBK_ERR_RANDOM;
    if (!host->draws[label]) {
        snprintf(name, sizeof name, "draw-%d", (int)label);
        host->draws[label] = sim_random_new(host->world->seed, host->name, name);
    }
    return host->draws[label] && sim_random_draw(host->draws[label], out, len) ? IBK_OK : IBK_ERR_RANDOM;
}

static void env_trace(void *user, const ibk_trace_event *event) {
    ims_host *host = user;
    trace *t = host->world->trace;
    trace_begin(t, TRACE_MIKEY, host->name, event->what);
    trace_str(t, "what", event->detail);
    if (event->diag)
        trace_diag(t, event->diag->err, event->diag);
    trace_end(t);
}

static void env_keylog(void *user, const ibk_keylog_record *record) {
    const ims_host *host = user;
    const ims_world *world = host->world;
    keylog_write(world->keylog, record);
    if (world->watch_keys)
        world->watch_keys(world->watch_keys_user, host, record);
}

void ims_host_charge(ims_host *host, ibk_work what, unsigned size) {
    ims_world *world = host->world;
    ibk_work missing;
    unsigned bits;
    if (!host->cpu)
        return;
    cpu_charge(host->cpu, what, size);
    if (!world->untimed[0] && cpu_missing(host->cpu, &missing, &bits))
        snprintf(world->untimed, sizeof world->untimed,
                 "%.40s: its CPU model '%s' has no time for %s at %u bits", host->name,
                 cpu_get_model(host->cpu)->name, cpu_operation_name(missing), bits);
}

static void env_work(void *user, ibk_work what, unsigned size) {
    ims_host_charge(user, what, size);
}

ibk_env ims_host_env(ims_host *host) {
    return (ibk_env){.user = host,
                     .draw = env_draw,
                     .trace = env_trace,
                     .keylog = host->world->keylog || host->world->watch_keys ? env_keylog : NULL,
                     .work = host->cpu ? env_work : NULL};
}

cpu_job *ims_host_work(ims_host *host, const char *what, const char *call, cpu_done *done, void *arg) {
    uint64_t cost = host->cpu ? cpu_take(host->cpu) : 0;
    cpu_work work = {.cost_ns = cost, .what = what, .about = call ? call : ""};
    return cost ? cpu_submit(host->cpu, &work, done, arg) : NULL;
}
