/* The UE's private keys by RFC 5408 §5, which knows neither several identities a request nor a "current
 * issue". */
#include "ims/ue/internal.h"

enum { NAMES_MAX = IBK_KMS_MAX_KEYS };

/* IBE identities, one behind the other. */
typedef struct names {
    ibk_buf octets;
    size_t ends[NAMES_MAX], count;
} names;

static ibk_span name_at(const names *n, size_t i) {
    size_t begin = i ? n->ends[i - 1] : 0;
    return ibk_span_of(n->octets.data + begin, n->ends[i] - begin);
}

static ibk_err add(const ue *u, names *n, ibk_span name) {
    const ibk_ibe_params *params;
    for (size_t i = 0; i < n->count; i++)
        if (ibk_span_equal(name_at(n, i), name))
            return IBK_OK;
    if (key_store_find(u->store, name, &params))
        return IBK_OK;
    if (n->count == NAMES_MAX)
        return IBK_ERR_LIMIT;
    ibk_err err = ibk_buf_append_span(&n->octets, name);
    n->ends[n->count++] = n->octets.len;
    return err;
}

/* The keys that P-10 would give for the identity. */
static ibk_err add_issue(const ue *u, names *n, ibk_span id) {
    const scn_kms *kms = &u->user->domain->kms;
    int64_t from, to, now = ims_host_time(u->host).utc_ns;
    ibk_err err = IBK_OK;
    ibk_issue_range(kms->granularity, kms->issue, now, &from, &to);
    /* nothing is issued for what is past: this request is for single days, as a whole issue is not */
    from = ibk_period_start(kms->granularity, now) > from ? ibk_period_start(kms->granularity, now) : from;
    for (int64_t at = from; !err && at < to; at = ibk_period_end(kms->granularity, at)) {
        ibk_buf name = {0};
        err = ibk_ibe_identity(&name, id, kms->granularity, at);
        err = err ? err : add(u, n, ibk_buf_span(&name));
        ibk_buf_free(&name);
    }
    return err;
}

ibk_err ue_keys_by_rfc5408(ue *u, const ibk_identity *ids, size_t n, key_client_done *done) {
    names wanted = {.count = 0};
    ibk_span identities[NAMES_MAX];
    ibk_err err = IBK_OK;
    for (size_t i = 0; !err && i < n; i++)
        err = ids[i].id_type == IBK_ID_BYTES ? add(u, &wanted, ids[i].id) : add_issue(u, &wanted, ids[i].id);
    for (size_t i = 0; i < wanted.count; i++)
        identities[i] = name_at(&wanted, i);
    rfc5408_client_config config = {
        .host = u->host,
        .tls = u->tls,
        .user = u->user,
        .params = u->own_params,
        .published = parameters_client_published(u->parameters, ibk_span_str(u->user->domain->name)),
        .identities = identities,
        .n_identities = wanted.count};
    rfc5408_client_free(u->rfc5408); /* the last one's: it has ended */
    u->rfc5408 = NULL;
    err = err ? err : rfc5408_client_start(&u->rfc5408, &config, done, u);
    ibk_buf_free(&wanted.octets);
    return err;
}
