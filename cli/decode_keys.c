/* ibakelab: what a key log opens: IBE ciphertexts by private keys, V and KEMAC by AUTHKEY, MPK, KSESSION and
 * PSK. */
#include "cli/cli.h"
#include "cli/decode.h"

#include "trace/keylog.h"
#include <ibake/exchange.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MAX_PARAMS    16
#define CACHED_KEYS   64  /* parsed private keys: each has its precomputed lines */
#define MAX_STRANGERS 256 /* keys of other identities that are tried for one ciphertext */

typedef struct cached_key {
    size_t record, params;
    ibk_ibe_key *key; /* NULL: the record is no key of these parameters */
    bool used;
} cached_key;

struct decode_keys {
    keylog log;
    ibk_ibe_params *params[MAX_PARAMS];
    size_t params_count;
    cached_key cache[CACHED_KEYS]; /* a ring */
    size_t next;
};

/* ---- loading ---------------------------------------------------------------------------------------- */

static int load_params(decode_keys *keys, const char *path) {
    for (size_t i = 0; i < keys->log.count; i++) {
        if (keys->log.records[i].kind != IBK_KEYLOG_PARAMS)
            continue;
        if (keys->params_count == MAX_PARAMS)
            return cli_error(DECODE_COMMAND, "%s: more than %d parameter sets", path, MAX_PARAMS);
        const ibk_ibe_params *known = NULL; /* KMSs of one simulation share p and q: one primality test */
        ibk_diag diag = {0};
        if (keys->params_count)
            known = keys->params[keys->params_count - 1];
        ibk_err err =
            ibk_ibe_params_parse(&keys->params[keys->params_count], keys->log.records[i].value, known, &diag);
        if (err)
            return cli_fail(DECODE_COMMAND, path, err, &diag);
        keys->params_count++;
    }
    return CLI_OK;
}

int decode_keys_load(decode_keys **out, const char *path) {
    decode_keys *keys = *out = calloc(1, sizeof *keys);
    keylog_where where = {0};
    ibk_diag diag = {0};
    if (!keys)
        return cli_fail(DECODE_COMMAND, path, IBK_ERR_NO_MEMORY, NULL);
    ibk_err err = keylog_load(&keys->log, path, &where, &diag);
    if (err && where.line)
        return cli_error(DECODE_COMMAND, "%s:%zu:%zu: %s", path, where.line, where.column,
                         diag.detail[0] ? diag.detail : ibk_err_text(err));
    if (err)
        return cli_error(DECODE_COMMAND, "%s: %s", path, diag.detail[0] ? diag.detail : ibk_err_text(err));
    return load_params(keys, path);
}

void decode_keys_free(decode_keys *keys) {
    if (!keys)
        return;
    for (size_t i = 0; i < CACHED_KEYS; i++)
        ibk_ibe_key_free(keys->cache[i].key);
    for (size_t i = 0; i < keys->params_count; i++)
        ibk_ibe_params_free(keys->params[i]);
    keylog_free(&keys->log);
    free(keys);
}

/* ---- IBE --------------------------------------------------------------------------------------------- */

static const ibk_ibe_key *private_key(decode_keys *keys, size_t record, size_t params) {
    for (size_t i = 0; i < CACHED_KEYS; i++)
        if (keys->cache[i].used && keys->cache[i].record == record && keys->cache[i].params == params)
            return keys->cache[i].key;
    cached_key *slot = &keys->cache[keys->next];
    keys->next = (keys->next + 1) % CACHED_KEYS;
    ibk_ibe_key_free(slot->key);
    *slot = (cached_key){.record = record, .params = params, .used = true};
    if (ibk_ibe_key_parse(&slot->key, keys->params[params], keys->log.records[record].value, NULL))
        slot->key = NULL;
    return slot->key;
}

static bool starts_with(ibk_span text, ibk_span start) {
    return start.len && text.len >= start.len && memcmp(text.data, start.data, start.len) == 0;
}

/* How near a key's identity is to the message: 0 its identity and day (P-9), 1 an identity of it, 2 another.
 */
static int distance(const ibk_msg *msg, ibk_span identity, ibk_span day) {
    int best = 2;
    for (size_t i = 0; i < msg->chain.count; i++) {
        const ibk_payload *p = &msg->chain.items[i];
        if ((p->type != IBK_PL_IDR && p->type != IBK_PL_ID) || !starts_with(identity, p->id.data))
            continue;
        ibk_span date = ibk_span_of(identity.data + p->id.data.len, identity.len - p->id.data.len);
        if (ibk_span_equal(date, day))
            return 0;
        best = 1;
    }
    return best;
}

/* The day of the message's T as YYYYMMDD, in `buf`; empty without a time. */
static ibk_span day_of(const ibk_msg *msg, ibk_buf *buf) {
    const ibk_payload *t = ibk_msg_find(msg, IBK_PL_T, 0);
    int64_t utc_ns;
    if (!t || ibk_t_to_utc(&utc_ns, &t->t, (int64_t)time(NULL) * 1000000000) ||
        ibk_ibe_identity(buf, ibk_span_str("-"), IBK_GRANULARITY_DAY, utc_ns))
        return (ibk_span){0};
    return ibk_span_of(buf->data + 1, buf->len - 1);
}

static bool try_key(decode_keys *keys, size_t record, ibk_span ciphertext, ibk_buf *plain) {
    for (size_t i = 0; i < keys->params_count; i++) {
        const ibk_ibe_key *key = private_key(keys, record, i);
        if (key && ibk_ibe_decrypt(keys->params[i], key, ciphertext, plain, NULL) == IBK_OK)
            return true;
    }
    return false;
}

ibk_err decode_keys_ibe(decode_keys *keys, const ibk_msg *msg, ibk_span ciphertext, ibk_buf *plain,
                        ibk_span *identity, unsigned *tried) {
    ibk_buf day_buf = {0};
    ibk_span day = day_of(msg, &day_buf);
    ibk_err err = IBK_ERR_NO_KEY;
    unsigned strangers = 0;
    *tried = 0;
    for (int wanted = 0; wanted < 3 && err; wanted++)
        for (size_t i = 0; i < keys->log.count && err; i++) {
            const ibk_keylog_record *record = &keys->log.records[i];
            if (record->kind != IBK_KEYLOG_PRIV || distance(msg, record->id, day) != wanted ||
                (wanted == 2 && strangers++ >= MAX_STRANGERS))
                continue;
            ++*tried;
            if (!try_key(keys, i, ciphertext, plain))
                continue;
            *identity = record->id;
            err = IBK_OK;
        }
    ibk_buf_free(&day_buf);
    return err;
}

/* ---- V ------------------------------------------------------------------------------------------------ */

/* Both ends as V covers them (P-8), in the ways that the messages seen allow. */
typedef struct id_choice {
    ibk_span ids[DECODE_MAX_IDS];
    size_t count;
} id_choice;

static ibk_span idr_data(const ibk_msg *msg, uint8_t role) {
    const ibk_payload *p = ibk_msg_find_idr(msg, role, 0);
    return p ? p->id.data : (ibk_span){0};
}

static bool is_request(const ibk_msg *msg) {
    return msg->hdr.data_type >= IBK_MSG_REQUEST_KEY_PSK && msg->hdr.data_type <= IBK_MSG_REQUEST_KEY_RESP;
}

/* At most 3 choices; their number. */
static size_t choose_ids(id_choice choices[3], const ibk_msg *msg, const decode_exchange *e) {
    id_choice *c = &choices[0];
    if (e && e->request_id_count) {
        *c = (id_choice){.count = e->request_id_count};
        for (size_t i = 0; i < e->request_id_count; i++)
            c->ids[i] = ibk_buf_span(&e->request_ids[i]);
        return 1;
    }
    ibk_span initiator = e && e->initiator.len ? ibk_buf_span(&e->initiator) : idr_data(msg, IBK_ROLE_I);
    ibk_span responders[3] = {e ? ibk_buf_span(&e->answerer) : (ibk_span){0}, idr_data(msg, IBK_ROLE_R),
                              e ? ibk_buf_span(&e->responder) : (ibk_span){0}};
    size_t count = 0;
    for (size_t i = 0; i < 3; i++)
        if (responders[i].len && initiator.len)
            choices[count++] = (id_choice){.ids = {initiator, responders[i]}, .count = 2};
    return count;
}

typedef struct v_check {
    decode_keys *keys;
    const ibk_msg *msg;
    decode_exchange *exchange;
    id_choice choices[3];
    size_t choice_count;
    unsigned tried;
} v_check;

static bool fits(v_check *c, ibk_span auth_key) {
    c->tried++;
    for (size_t i = 0; i < c->choice_count; i++)
        if (ibk_msg_check_v(c->msg, auth_key, c->choices[i].ids, c->choices[i].count, false, NULL) == IBK_OK)
            return true;
    return false;
}

/* The authentication key of a PSK or MPK. */
static bool fits_derived(v_check *c, ibk_span inkey, uint8_t mac_alg) {
    ibk_span rand = ibk_buf_span(&c->exchange->rand);
    ibk_msg_keys derived = {0};
    bool ok = rand.len && ibk_msg_keys_derive(&derived, c->exchange->prf, inkey, c->msg->hdr.csb_id, rand,
                                              IBK_ENCR_NULL, mac_alg) == IBK_OK;
    ok = ok && fits(c, ibk_span_of(derived.auth, derived.auth_len));
    ibk_wipe(&derived, sizeof derived);
    return ok;
}

static bool fits_session(v_check *c, ibk_span k_session, uint8_t mac_alg) {
    uint8_t mpk[IBK_MAC_MAX];
    size_t len = ibk_prf_hash_len(c->exchange->prf);
    ibk_span rand = ibk_buf_span(&c->exchange->rand);
    bool ok = len && rand.len &&
              ibk_derive(mpk, len, c->exchange->prf, IBK_DERIVE_MPK, k_session, 0, 0, rand) == IBK_OK;
    ok = ok && fits_derived(c, ibk_span_of(mpk, len), mac_alg);
    ibk_wipe(mpk, sizeof mpk);
    return ok;
}

/* Whether this record verifies V. Counts in c->tried those that could. */
static bool record_fits(v_check *c, const ibk_keylog_record *r, uint8_t mac_alg) {
    if (is_request(c->msg) || c->exchange->request_id_count) /* an Error may answer a key request, too */
        return r->kind == IBK_KEYLOG_PSK && fits_derived(c, r->value, mac_alg);
    if (r->csb_id != c->msg->hdr.csb_id)
        return false;
    switch (r->kind) {
    case IBK_KEYLOG_AUTHKEY:
        return fits(c, r->value);
    case IBK_KEYLOG_MPK:
        return fits_derived(c, r->value, mac_alg);
    case IBK_KEYLOG_KSESSION:
        return fits_session(c, r->value, mac_alg);
    default:
        return false;
    }
}

decode_mac decode_keys_check_v(decode_keys *keys, const ibk_msg *msg, decode_exchange *exchange,
                               char by[64]) {
    const ibk_payload *v = ibk_msg_find(msg, IBK_PL_V, 0);
    by[0] = 0;
    if (!v || v->v.mac_alg == IBK_MAC_NULL)
        return v ? DECODE_MAC_NULL : DECODE_MAC_NO_KEY;
    if (!exchange)
        return DECODE_MAC_NO_KEY;
    v_check c = {.keys = keys, .msg = msg, .exchange = exchange};
    c.choice_count = choose_ids(c.choices, msg, exchange);
    if (!c.choice_count) {
        snprintf(by, 64, "the identities under it are not known");
        return DECODE_MAC_NO_KEY;
    }
    for (size_t i = 0, psk = 0; i < keys->log.count; i++) {
        const ibk_keylog_record *r = &keys->log.records[i];
        psk += r->kind == IBK_KEYLOG_PSK;
        if (!record_fits(&c, r, v->v.mac_alg))
            continue;
        if (r->kind == IBK_KEYLOG_PSK)
            exchange->psk = i;
        snprintf(by, 64, r->kind == IBK_KEYLOG_PSK ? "%s record %zu" : "%s record", keylog_kind_name(r->kind),
                 psk);
        return DECODE_MAC_VALID;
    }
    snprintf(by, 64, "%u keys of the key log tried", c.tried);
    return c.tried ? DECODE_MAC_WRONG : DECODE_MAC_NO_KEY;
}

/* ---- KEMAC --------------------------------------------------------------------------------------------- */

/* The content parses as what a KEMAC holds: without a MAC of its own that is all there is to see. */
static bool plausible(ibk_span plain) {
    ibk_chain inner = {0};
    bool ok = ibk_chain_parse(&inner, IBK_PL_KEMAC, IBK_PL_IDR, plain, NULL) == IBK_OK && inner.count > 0;
    ibk_chain_free(&inner);
    return ok;
}

static bool open_kemac(const ibk_msg *msg, const ibk_kemac *kemac, const decode_exchange *e, ibk_span psk,
                       ibk_buf *plain) {
    const ibk_payload *t = ibk_msg_find(msg, IBK_PL_T, 0);
    ibk_msg_keys derived = {0};
    size_t before = plain->len;
    bool ok =
        t && e->rand.len &&
        ibk_msg_keys_derive(&derived, e->prf, psk, msg->hdr.csb_id, ibk_buf_span(&e->rand), kemac->encr_alg,
                            kemac->mac_alg) == IBK_OK &&
        ibk_kemac_decrypt(plain, kemac->encr_alg, &derived, msg->hdr.csb_id, &t->t, kemac->data) == IBK_OK;
    ibk_wipe(&derived, sizeof derived);
    if (ok && plausible(ibk_span_of(plain->data + before, plain->len - before)))
        return true;
    if (plain->len > before)
        (void)ibk_buf_resize(plain, before);
    return false;
}

ibk_err decode_keys_kemac(decode_keys *keys, const ibk_msg *msg, const ibk_kemac *kemac,
                          decode_exchange *exchange, ibk_buf *plain, char by[64]) {
    size_t number = 0;
    by[0] = 0;
    if (!exchange)
        return IBK_ERR_NO_KEY;
    for (size_t i = 0; i < keys->log.count; i++) {
        const ibk_keylog_record *r = &keys->log.records[i];
        number += r->kind == IBK_KEYLOG_PSK;
        if (r->kind != IBK_KEYLOG_PSK || (exchange->psk != SIZE_MAX && exchange->psk != i))
            continue;
        if (!open_kemac(msg, kemac, exchange, r->value, plain))
            continue;
        snprintf(by, 64, "PSK record %zu", number);
        return IBK_OK;
    }
    return IBK_ERR_NO_KEY;
}
