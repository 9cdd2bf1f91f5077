/* The UE's keys: fetched from the KMS (RFC 6267 §4.2.1), and looked up by the exchange. */
#include "ims/ue/internal.h"

#include <stdlib.h>
#include <string.h>

static const ue_params *params_of_domain(const ue *u, ibk_span host) {
    for (size_t i = 0; i < u->param_count; i++)
        if (ibk_span_equal(host, ibk_span_str(u->params[i].domain->name)))
            return &u->params[i];
    return NULL;
}

/* "sip:alice@home.example" is served by the KMS of home.example. */
static ibk_span domain_of(ibk_span identity) {
    const uint8_t *at = identity.len ? memchr(identity.data, '@', identity.len) : NULL;
    if (!at)
        return (ibk_span){0};
    size_t before = (size_t)(at + 1 - identity.data);
    return ibk_span_of(at + 1, identity.len - before);
}

static ibk_granularity granularity_of(void *user, const ibk_identity *peer) {
    const ue *u = user;
    const ue_params *found = params_of_domain(u, domain_of(peer->id));
    return found ? found->domain->kms.granularity : u->user->domain->kms.granularity;
}

static ibk_lookup find_params(void *user, const ibk_identity *id, const ibk_ibe_params **out) {
    const ue_params *found = params_of_domain(user, domain_of(id->id));
    if (!found)
        return IBK_LOOKUP_ABSENT;
    *out = found->params;
    return IBK_LOOKUP_FOUND;
}

static ibk_lookup find_key(void *user, ibk_span ibe_identity, const ibk_ibe_params **params,
                           const ibk_ibe_key **key) {
    const ue *u = user;
    const ue_params *own = params_of_domain(u, ibk_span_str(u->user->domain->name));
    for (size_t i = 0; own && i < u->keys.count; i++)
        if (ibk_span_equal(ibe_identity, u->keys.items[i].ibe_identity)) {
            *params = own->params;
            *key = u->keys.items[i].key;
            return IBK_LOOKUP_FOUND;
        }
    return u->keys_pending ? IBK_LOOKUP_PENDING : IBK_LOOKUP_ABSENT;
}

/* The last few peers: I_MESSAGE_1 and I_MESSAGE_2 go to the same one. */
static const ibk_ibe_peer *find_peer(void *user, const ibk_ibe_params *params, ibk_span ibe_identity) {
    ue *u = user;
    for (size_t i = 0; i < UE_PEER_CACHE; i++)
        if (u->peers[i].peer && u->peers[i].params == params &&
            ibk_span_equal(ibe_identity, ibk_buf_span(&u->peers[i].identity)))
            return u->peers[i].peer;
    ue_peer_entry *entry = &u->peers[u->next_peer];
    ibk_ibe_peer_free(entry->peer);
    entry->peer = NULL;
    ibk_buf_clear(&entry->identity);
    if (ibk_buf_append_span(&entry->identity, ibe_identity) ||
        ibk_ibe_peer_new(&entry->peer, params, ibe_identity))
        return NULL;
    entry->params = params;
    u->next_peer = (u->next_peer + 1) % UE_PEER_CACHE;
    return entry->peer;
}

static bool csb_id_in_use(void *user, uint32_t csb_id, const ibk_identity *peer) {
    const ue *u = user;
    (void)peer; /* unique among all of this UE's calls, which is more than RFC 3830 §6.1 asks */
    for (size_t i = 0; i < u->call_count; i++)
        if (u->calls[i]->sip && u->calls[i]->view.csb_id == csb_id)
            return true;
    return false;
}

/* The user's policy for an answer from another than the one who was called. */
bool ue_accepts_responder(ue *u, const ibk_identity *asked, const ibk_identity *answered, bool echoed) {
    bool accepted =
        u->user->accept == SCN_ACCEPT_ANY || (u->user->accept == SCN_ACCEPT_DOMAIN &&
                                              ibk_span_equal(domain_of(asked->id), domain_of(answered->id)));
    trace *t = u->host->world->trace;
    trace_begin(t, TRACE_KEY, u->host->name, accepted ? "responder-accepted" : "responder-refused");
    trace_strf(t, "asked", "%.*s", (int)asked->id.len, (const char *)asked->id.data);
    trace_strf(t, "answered", "%.*s", (int)answered->id.len, (const char *)answered->id.data);
    trace_bool(t, "echoed", echoed);
    trace_end(t);
    return accepted;
}

static bool accept_responder(void *user, const ibk_identity *asked, const ibk_identity *answered,
                             bool echoed) {
    return ue_accepts_responder(user, asked, answered, echoed);
}

ibk_node ue_node(ue *u) {
    return (ibk_node){.user = u,
                      .params = find_params,
                      .granularity = granularity_of,
                      .accept_responder = accept_responder,
                      .private_key = find_key,
                      .peer = find_peer,
                      .csb_id_in_use = csb_id_in_use,
                      .replay = u->replay,
                      .timestamps = &u->timestamps};
}

ibk_err ue_keys_init(ue *u) {
    const scn_mikey *mikey = &u->user->domain->mikey;
    ibk_replay_config config = {.max_entries = mikey->replay_cache, .skew_ns = (int64_t)mikey->clock_skew_ns};
    return ibk_replay_cache_new(&u->replay, &config);
}

static void log_result(ue *u, const key_client_result *result) {
    trace *t = u->host->world->trace;
    trace_begin(t, result->failure ? TRACE_ERROR : TRACE_KEY, u->host->name,
                result->failure ? "keys-refused" : "keys-received");
    trace_str(t, "kms", u->user->kms);
    if (result->failure) {
        trace_str(t, "failure", scn_keys_failure_name(result->failure));
        trace_diag(t, result->diag.err, &result->diag);
    } else {
        trace_uint(t, "keys", u->keys.count);
    }
    trace_end(t);
}

static void on_keys(void *user, const key_client_result *result, ibk_key_list *keys) {
    ue *u = user;
    u->keys_pending = false;
    if (result->failure) {
        u->status.keys_failure = result->failure;
        u->status.keys_diag = result->diag;
    } else {
        ibk_key_list_free(&u->keys);
        u->keys = *keys;
        *keys = (ibk_key_list){0};
        u->status.keys = (unsigned)u->keys.count;
        u->status.keys_received = (ue_moment){ims_host_now(u->host), true};
    }
    log_result(u, result);
    ue_legs_keys_arrived(u);
    ue_check_done(u);
}

void ue_keys_fetch(ue *u) {
    const ue_params *own = params_of_domain(u, ibk_span_str(u->user->domain->name));
    key_client_config config = {
        .host = u->host, .user = u->user, .params = own ? own->params : NULL, .timestamps = &u->timestamps};
    u->keys_pending = true;
    u->status.keys_begin = (ue_moment){ims_host_now(u->host), true};
    ibk_err err = key_client_start(&u->key_client, &config, on_keys, u);
    if (err) {
        key_client_result failed = {.failure = SCN_KEYS_NO_ANSWER, .diag = {.err = err}};
        on_keys(u, &failed, NULL);
    }
}

void ue_keys_free(ue *u) {
    key_client_free(u->key_client);
    ibk_key_list_free(&u->keys);
    ibk_replay_cache_free(u->replay);
    for (size_t i = 0; i < UE_PEER_CACHE; i++) {
        ibk_ibe_peer_free(u->peers[i].peer);
        ibk_buf_free(&u->peers[i].identity);
    }
}
