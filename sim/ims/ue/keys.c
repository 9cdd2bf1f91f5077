/* The UE's private keys over time: fetched from the KMS (RFC 6267 §4.2.1) when the UE is switched on, before
 * the last of them lapses and when an exchange needs one that is not there; wiped when they have lapsed.
 * Every step is a timer of its own: days in which nothing happens cost nothing. */
#include "ims/ue/internal.h"

#include <stdlib.h>
#include <string.h>

#define PAUSE_UNANSWERED     (30 * SIP_S) /* doubled after each request in a row that was not answered … */
#define PAUSE_UNANSWERED_MAX (3600 * SIP_S)
#define PAUSE_REFUSED        (3600 * SIP_S) /* … or was refused: that is less likely to change */
#define PAUSE_REFUSED_MAX    (24 * 3600 * SIP_S)

static int64_t utc(const ue *u) {
    return ims_host_time(u->host).utc_ns;
}

static ibk_granularity granularity(const ue *u) {
    return u->user->domain->kms.granularity;
}

static void on_parameters(void *user);

ibk_err ue_keys_init(ue *u, const ue_config *config) {
    const scn_mikey *mikey = &u->user->domain->mikey;
    ibk_replay_config replay = {.max_entries = mikey->replay_cache, .skew_ns = (int64_t)mikey->clock_skew_ns};
    parameters_client_config parameters = {.host = u->host,
                                           .tls = config->tls,
                                           .home = u->user->domain,
                                           .sources = config->params,
                                           .n_sources = config->param_count,
                                           .without = u->user->without,
                                           .fetched = on_parameters,
                                           .user = u};
    u->tls = config->tls;
    u->pke = config->pke;
    u->timestamps.ahead_ns =
        (int64_t)(mikey->clock_skew_ns > 2 * SIP_S ? mikey->clock_skew_ns / 2 : SIP_S); /* P-27 */
    ibk_err err = parameters_client_new(&u->parameters, &parameters);
    err = err ? err : ibk_replay_cache_new(&u->replay, &replay);
    return err ? err
               : key_store_new(&u->store, granularity(u),
                               (int64_t)(mikey->clock_skew_ns + u->user->keep_keys_ns));
}

/* ---- what is asked for (P-10) ----------------------------------------------------------------------------
 */

typedef struct wish {
    ibk_identity ids[IBK_KMS_MAX_USERS];
    ibk_buf names[IBK_KMS_MAX_USERS]; /* of IBE identities */
    size_t count;
} wish;

static void wish_free(wish *w) {
    for (size_t i = 0; i < w->count; i++)
        ibk_buf_free(&w->names[i]);
}

/* The key of one IBE identity, once. */
static ibk_err ask_for_name(wish *w, ibk_span name) {
    for (size_t i = 0; i < w->count; i++)
        if (w->ids[i].id_type == IBK_ID_BYTES && ibk_span_equal(w->ids[i].id, name))
            return IBK_OK;
    if (w->count == IBK_KMS_MAX_USERS)
        return IBK_ERR_LIMIT;
    ibk_err err = ibk_buf_append_span(&w->names[w->count], name);
    w->ids[w->count] = (ibk_identity){IBK_ID_BYTES, ibk_buf_span(&w->names[w->count])};
    w->count++;
    return err;
}

static ibk_err ask_for_date(const ue *u, wish *w, ibk_span id, int64_t utc_ns) {
    ibk_buf name = {0};
    ibk_err err = ibk_ibe_identity(&name, id, granularity(u), utc_ns);
    err = err ? err : ask_for_name(w, ibk_buf_span(&name));
    ibk_buf_free(&name);
    return err;
}

/* All identities of the UE in one request. The KMS's current issue may end with the keys that are there
 * already (those of a month, on its last day), so a refresh names the first key that is lacking as well. */
static ibk_err make_wish(const ue *u, wish *w, ue_fetch_kind kind) {
    const char *own[UE_IDENTITIES_MAX];
    size_t n = ue_identities(u, own);
    int64_t now = utc(u);
    ibk_err err = IBK_OK;
    for (size_t i = 0; !err && i < n; i++) {
        ibk_identity id = ibk_identity_uri(own[i]);
        bool issue = u->user->ask_for == SCN_ASK_ISSUE;
        if (issue && w->count == IBK_KMS_MAX_USERS)
            return IBK_ERR_LIMIT;
        if (issue)
            w->ids[w->count++] = id;
        if (!issue || kind == UE_FETCH_REFRESH)
            err = ask_for_date(u, w, id.id, key_store_covered_until(u->store, id.id, now));
    }
    if (!err && u->user->ask_also && w->count < IBK_KMS_MAX_USERS)
        w->ids[w->count++] = ibk_identity_uri(u->user->ask_also);
    return err;
}

/* ---- when ------------------------------------------------------------------------------------------------
 */

static void fetch(ue *u, ue_fetch_kind kind);

static void fetch_now(void *arg) {
    ue *u = arg;
    u->fetch_timer = 0;
    fetch(u, u->next_fetch);
}

static void plan_fetch(ue *u, ue_fetch_kind kind, uint64_t delay_ns) {
    ims_host_cancel(u->host, &u->fetch_timer);
    u->next_fetch = kind;
    u->fetch_timer = ims_host_timer(u->host, delay_ns, fetch_now, u);
}

/* The instant from which on some identity has no key. */
static int64_t covered_until(const ue *u) {
    const char *own[UE_IDENTITIES_MAX];
    size_t n = ue_identities(u, own);
    int64_t now = utc(u), until = INT64_MAX;
    for (size_t i = 0; i < n; i++) {
        int64_t of_this = key_store_covered_until(u->store, ibk_span_str(own[i]), now);
        until = of_this < until ? of_this : until;
    }
    return until;
}

/* `refresh-before` the end; keys that live less long than twice that are asked for at half of their time. */
static void plan_refresh(ue *u) {
    int64_t left = covered_until(u) - utc(u), before = (int64_t)u->user->refresh_before_ns;
    int64_t wait = left - before > left / 2 ? left - before : left / 2;
    plan_fetch(u, UE_FETCH_REFRESH, (uint64_t)(wait > (int64_t)SIP_S ? wait : (int64_t)SIP_S));
}

/* Grows with each failure in a row, and differs from UE to UE: when a KMS comes back, they do not all come at
 * once. */
static void plan_retry(ue *u, scn_keys_failure failure) {
    bool silent = failure == SCN_KEYS_NO_ANSWER || failure == SCN_KEYS_NO_PARAMETERS;
    uint64_t pause = silent ? PAUSE_UNANSWERED : PAUSE_REFUSED;
    uint64_t longest = silent ? PAUSE_UNANSWERED_MAX : PAUSE_REFUSED_MAX;
    for (unsigned i = 0; i < u->failed_fetches && pause < longest; i++)
        pause *= 2;
    pause = pause < longest ? pause : longest;
    u->failed_fetches++;
    if (!u->fetch_random)
        u->fetch_random = sim_random_new(u->host->world->seed, u->host->name, "key-fetch");
    uint64_t spread = u->fetch_random ? sim_random_u64(u->fetch_random) % (pause / 4) : 0;
    plan_fetch(u, key_store_count(u->store) ? UE_FETCH_REFRESH : UE_FETCH_FIRST, pause + spread);
}

/* ---- lapse -----------------------------------------------------------------------------------------------
 */

static void watch_lapse(ue *u);

static void drop_lapsed(ue *u) {
    size_t lapsed = key_store_drop_lapsed(u->store, utc(u));
    if (!lapsed)
        return;
    trace *t = u->host->world->trace;
    u->status.keys_dropped += lapsed;
    trace_begin(t, TRACE_KEY, u->host->name, "keys-lapsed");
    trace_uint(t, "keys", lapsed);
    trace_uint(t, "left", key_store_count(u->store));
    trace_end(t);
}

static void on_lapse(void *arg) {
    ue *u = arg;
    u->lapse_timer = 0;
    drop_lapsed(u);
    watch_lapse(u);
}

static void watch_lapse(ue *u) {
    int64_t next = key_store_next_lapse(u->store), now = utc(u);
    ims_host_cancel(u->host, &u->lapse_timer);
    if (next != INT64_MAX)
        u->lapse_timer = ims_host_timer(u->host, next > now ? (uint64_t)(next - now) : 0, on_lapse, u);
}

/* ---- one request ------------------------------------------------------------------------------------------
 */

static ue_key_fetch *new_fetch(ue *u, ue_fetch_kind kind) {
    ue_key_fetch *grown = realloc(u->fetches, (u->fetch_count + 1) * sizeof *grown);
    if (!grown)
        return NULL;
    u->fetches = grown;
    ue_key_fetch *f = &u->fetches[u->fetch_count++];
    *f = (ue_key_fetch){.kind = kind, .begin = {ims_host_now(u->host), true}};
    return f;
}

static void log_result(ue *u, const key_client_result *result, size_t keys) {
    trace *t = u->host->world->trace;
    trace_begin(t, result->failure ? TRACE_ERROR : TRACE_KEY, u->host->name,
                result->failure ? "keys-refused" : "keys-received");
    trace_str(t, "kms", u->user->kms);
    if (result->failure) {
        trace_str(t, "failure", scn_keys_failure_name(result->failure));
        trace_diag(t, result->diag.err, &result->diag);
    } else {
        trace_uint(t, "keys", keys);
    }
    trace_end(t);
}

static ibk_err take_keys(ue *u, ibk_key_list *keys) {
    size_t refused, count = keys->count;
    ibk_err err = key_store_add(u->store, keys, u->own_params, &refused);
    if (err)
        return err;
    u->status.keys += (unsigned)count;
    if (refused) {
        trace *t = u->host->world->trace;
        trace_begin(t, TRACE_ERROR, u->host->name, "keys-turned-away");
        trace_uint(t, "keys", refused);
        trace_end(t);
    }
    if (!u->status.keys_received.set)
        u->status.keys_received = (ue_moment){ims_host_now(u->host), true};
    return IBK_OK;
}

static void take_arrived(ue *u) {
    key_client_result came_to = u->arrived;
    ibk_key_list keys = u->arrived_keys;
    size_t count = came_to.failure ? 0 : keys.count;
    u->arrived_keys = (ibk_key_list){0};
    ibk_err err = came_to.failure ? IBK_OK : take_keys(u, &keys);
    ibk_key_list_free(&keys);
    if (err) {
        came_to.failure = SCN_KEYS_BAD_RESPONSE;
        came_to.diag = (ibk_diag){.err = err};
    }
    u->keys_pending = false;
    u->status.keys_failure = came_to.failure;
    u->status.keys_diag = came_to.diag;
    ue_key_fetch *f = u->fetch_count ? &u->fetches[u->fetch_count - 1] : NULL;
    if (f && !f->end.set) { /* else it failed before it was sent */
        f->end = (ue_moment){ims_host_now(u->host), true};
        f->keys = came_to.failure ? 0 : count;
        f->tries = came_to.tries;
        f->failure = came_to.failure;
    }
    log_result(u, &came_to, count);
    u->past_refused = came_to.failure && u->wanted_past;
    if (u->switched_off) {
        ims_host_cancel(u->host, &u->fetch_timer);
    } else if (came_to.failure && !u->wanted_past) {
        plan_retry(u, came_to.failure);
    } else {
        u->failed_fetches = 0;
        plan_refresh(u);
    }
    u->wanted_past = false;
    ue_legs_keys_arrived(u);
    drop_lapsed(u); /* a key of the past that was asked for has served its turn */
    watch_lapse(u);
    ue_check_done(u);
}

static void keys_verified(void *arg, const cpu_job_times *times) {
    ue *u = arg;
    (void)times;
    u->keys_job = NULL;
    take_arrived(u);
}

/* The keys are there when their verification has been computed. */
static void on_keys(void *user, const key_client_result *result, ibk_key_list *keys) {
    ue *u = user;
    u->arrived = *result;
    if (!result->failure) {
        u->arrived_keys = *keys;
        *keys = (ibk_key_list){0};
    }
    u->keys_job = ims_host_work(u->host, "REQUEST_KEY_RESP", NULL, keys_verified, u);
    if (!u->keys_job)
        take_arrived(u);
}

static void ask(ue *u, const wish *w, ue_fetch_kind kind) {
    key_client_config config = {.host = u->host,
                                .user = u->user,
                                .ids = w->ids,
                                .n_ids = w->count,
                                .params = u->own_params,
                                .pke = u->pke,
                                .timestamps = &u->timestamps};
    ue_key_fetch *f = new_fetch(u, kind);
    ibk_err err = f ? IBK_OK : IBK_ERR_NO_MEMORY;
    if (f)
        f->asked = w->count;
    if (!u->status.keys_begin.set)
        u->status.keys_begin = (ue_moment){ims_host_now(u->host), true};
    key_client_free(u->key_client); /* the last one's: it has ended */
    u->key_client = NULL;
    if (!err)
        err = u->user->key_request == SCN_KEY_REQUEST_RFC5408
                  ? ue_keys_by_rfc5408(u, w->ids, w->count, on_keys)
                  : key_client_start(&u->key_client, &config, on_keys, u);
    if (err) {
        key_client_result failed = {.failure = SCN_KEYS_NO_ANSWER, .diag = {.err = err}};
        on_keys(u, &failed, NULL);
    }
}

/* The parameters of our KMS come first: the keys are verified under them. False: not now. */
static bool have_parameters(ue *u, ue_fetch_kind kind) {
    ibk_span domain = ibk_span_str(u->user->domain->name);
    ibk_lookup found = parameters_client_find(u->parameters, domain, &u->own_params);
    u->next_fetch = kind;
    u->keys_await_params = found == IBK_LOOKUP_PENDING;
    if (found == IBK_LOOKUP_ABSENT) {
        key_client_result failed = {.failure = SCN_KEYS_NO_PARAMETERS, .diag = {.err = IBK_ERR_NO_PARAMS}};
        on_keys(u, &failed, NULL);
    }
    return found == IBK_LOOKUP_FOUND;
}

/* A fetch of parameters has ended: who waited for it goes on. */
static void on_parameters(void *user) {
    ue *u = user;
    if (u->keys_await_params)
        fetch(u, u->next_fetch);
    ue_legs_keys_arrived(u);
}

static void fetch(ue *u, ue_fetch_kind kind) {
    wish w = {.count = 0};
    ims_host_cancel(u->host, &u->fetch_timer);
    u->keys_pending = true;
    if (!have_parameters(u, kind))
        return;
    ibk_err err =
        kind == UE_FETCH_DEMAND ? ask_for_name(&w, ibk_buf_span(&u->wanted)) : make_wish(u, &w, kind);
    if (err) {
        key_client_result failed = {.failure = SCN_KEYS_NO_ANSWER, .diag = {.err = err}};
        on_keys(u, &failed, NULL);
    } else {
        ask(u, &w, kind);
    }
    wish_free(&w);
}

void ue_keys_fetch(ue *u) {
    fetch(u, UE_FETCH_FIRST);
}

void ue_keys_stop(ue *u) {
    ims_host_cancel(u->host, &u->fetch_timer);
}

static bool is_own(const ue *u, ibk_span id) {
    const char *own[UE_IDENTITIES_MAX];
    size_t n = ue_identities(u, own);
    for (size_t i = 0; i < n; i++)
        if (ibk_span_equal(id, ibk_span_str(own[i])))
            return true;
    return false;
}

static bool demand(ue *u, ibk_span ibe_identity) {
    ibk_buf_clear(&u->wanted);
    if (ibk_buf_append_span(&u->wanted, ibe_identity))
        return false;
    u->keys_pending = true; /* not from inside the session that asks */
    plan_fetch(u, UE_FETCH_DEMAND, 0);
    return true;
}

bool ue_keys_want(ue *u, ibk_span ibe_identity) {
    ibk_span id;
    int64_t start, now = utc(u), skew = (int64_t)u->user->domain->mikey.clock_skew_ns;
    if (ibk_ibe_identity_split(&id, &start, ibe_identity, granularity(u)) || !is_own(u, id))
        return false;
    if (u->keys_pending)
        return true;
    if (u->failed_fetches || u->switched_off || start > now + skew ||
        ibk_period_end(granularity(u), start) + skew <= now)
        return false;
    return demand(u, ibe_identity);
}

bool ue_keys_want_past(ue *u, ibk_span ibe_identity) {
    ibk_span id;
    int64_t start;
    if (ibk_ibe_identity_split(&id, &start, ibe_identity, granularity(u)) || !is_own(u, id))
        return false;
    if (u->keys_pending)
        return true;
    bool refused = u->past_refused && ibk_span_equal(ibk_buf_span(&u->wanted), ibe_identity);
    if (refused || u->failed_fetches || u->switched_off || start > utc(u))
        return false;
    u->wanted_past = demand(u, ibe_identity);
    return u->wanted_past;
}

void ue_keys_free(ue *u) {
    if (u->host) {
        ims_host_cancel(u->host, &u->fetch_timer);
        ims_host_cancel(u->host, &u->lapse_timer);
    }
    cpu_forget(u->keys_job);
    ibk_key_list_free(&u->arrived_keys);
    key_client_free(u->key_client);
    rfc5408_client_free(u->rfc5408);
    key_store_free(u->store);
    parameters_client_free(u->parameters);
    ibk_buf_free(&u->wanted);
    sim_random_free(u->fetch_random);
    free(u->fetches);
    ibk_replay_cache_free(u->replay);
    for (size_t i = 0; i < UE_PEER_CACHE; i++) {
        ibk_ibe_peer_free(u->peers[i].peer);
        ibk_buf_free(&u->peers[i].identity);
    }
}
