/* What the exchanges of a UE ask: parameters, private keys, whom to accept. */
#include "ims/ue/internal.h"

#include <stdlib.h>
#include <string.h>

/* "sip:alice@home.example" is served by the KMS of home.example; of "tel:+4930901820" ENUM tells the domain
 * (P-40). */
static ibk_span domain_of(const ue *u, ibk_span identity) {
    const uint8_t *at = identity.len ? memchr(identity.data, '@', identity.len) : NULL;
    if (at)
        return ibk_span_of(at + 1, identity.len - (size_t)(at + 1 - identity.data));
    const char *domain = ims_names_domain_of_number(u->host->world->names, identity);
    return domain ? ibk_span_str(domain) : (ibk_span){0};
}

/* The identities that the UE has, or should have, private keys of: its user's, and those of the user whose
 * further device it is. */
size_t ue_identities(const ue *u, const char *out[UE_IDENTITIES_MAX]) {
    const scn_user *of[] = {u->user, u->user->contact_of};
    size_t n = 0;
    for (size_t i = 0; i < 2 && of[i]; i++) {
        out[n++] = of[i]->identity;
        for (size_t k = 0; k < of[i]->identity_count; k++)
            out[n++] = of[i]->identities[k];
    }
    return n;
}

const char *ue_answers_as(const ue *u, ibk_span called) {
    for (size_t i = 0; i < u->user->identity_count; i++)
        if (ibk_span_equal(called, ibk_span_str(u->user->identities[i])))
            return u->user->identities[i];
    return u->user->identity;
}

ibk_granularity ue_granularity_of(const ue *u, ibk_span id) {
    ibk_granularity granularity = u->user->domain->kms.granularity;
    parameters_client_granularity(u->parameters, domain_of(u, id), &granularity);
    return granularity;
}

static ibk_granularity granularity_of(void *user, const ibk_identity *peer) {
    return ue_granularity_of(user, peer->id);
}

static ibk_lookup find_params(void *user, const ibk_identity *id, const ibk_ibe_params **out) {
    const ue *u = user;
    return parameters_client_find(u->parameters, domain_of(u, id->id), out);
}

static ibk_lookup find_key(void *user, ibk_span ibe_identity, const ibk_ibe_params **params,
                           const ibk_ibe_key **key) {
    ue *u = user;
    *key = key_store_find(u->store, ibe_identity, params);
    if (*key)
        return IBK_LOOKUP_FOUND;
    return ue_keys_want(u, ibe_identity) ? IBK_LOOKUP_PENDING : IBK_LOOKUP_ABSENT;
}

ibk_lookup ue_find_past_key(ue *u, ibk_span ibe_identity, const ibk_ibe_params **params,
                            const ibk_ibe_key **key) {
    *key = key_store_find(u->store, ibe_identity, params);
    if (*key)
        return IBK_LOOKUP_FOUND;
    return ue_keys_want_past(u, ibe_identity) ? IBK_LOOKUP_PENDING : IBK_LOOKUP_ABSENT;
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
    ims_host_charge(u->host, IBK_WORK_IBE_PEER, ibk_ibe_params_n(params));
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
    bool accepted = u->user->accept == SCN_ACCEPT_ANY || !ue_guards(u, IBK_DEFENCE_ANSWERER_POLICY) ||
                    (u->user->accept == SCN_ACCEPT_DOMAIN &&
                     ibk_span_equal(domain_of(u, asked->id), domain_of(u, answered->id)));
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

/* SRTP as our media have it, and nothing else (RFC 3711 §4.1.1, §4.2.1): a policy that was accepted and could
 * not be carried out would end the call when its keys are there. */
static ibk_err accept_policies(void *user, const ibk_sp *policies, size_t n) {
    const ibk_srtp_policy ours = ibk_srtp_policy_default();
    for (size_t i = 0; i < n; i++) {
        ibk_srtp_policy p;
        ibk_err err = ibk_srtp_policy_parse(&p, &policies[i], NULL);
        if (err)
            return err;
        bool clear = p.encr_alg == IBK_SRTP_ENCR_NULL || !p.srtp_encr;
        bool loose = p.auth_alg == IBK_SRTP_AUTH_NULL || !p.srtp_auth;
        if ((clear || loose) && ue_guards(user, IBK_DEFENCE_NULL_SRTP))
            return IBK_ERR_REFUSED;
        bool tag = p.auth_tag_len == 10 || p.auth_tag_len == 4 || loose;
        bool same = (clear || (p.encr_alg == ours.encr_alg && p.encr_key_len == ours.encr_key_len)) &&
                    (loose || (p.auth_alg == ours.auth_alg && p.auth_key_len == ours.auth_key_len)) &&
                    p.salt_key_len == ours.salt_key_len && p.prf == ours.prf && p.kdr == ours.kdr &&
                    p.srtcp_encr == ours.srtcp_encr && p.prefix_len == ours.prefix_len;
        if (!tag || !same)
            return IBK_ERR_BAD_VALUE;
    }
    return IBK_OK;
}

ibk_node ue_node(ue *u) {
    return (ibk_node){.user = u,
                      .params = find_params,
                      .granularity = granularity_of,
                      .accept_responder = accept_responder,
                      .accept_policies = accept_policies,
                      .private_key = find_key,
                      .peer = find_peer,
                      .csb_id_in_use = csb_id_in_use,
                      .replay = u->replay,
                      .timestamps = &u->timestamps};
}
