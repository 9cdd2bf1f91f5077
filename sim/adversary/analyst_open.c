/* IBAKE and ESK: every private key that is held, or follows from a master secret, on every ciphertext. */
#include "adversary/analyst_internal.h"

#include <string.h>

enum {
    IDENTITIES_MAX = 8, /* that one exchange names */
    PERIODS_BACK = 31   /* an ESK may have been made so long ago, for a message that was left in a mailbox */
};

/* ---- which keys
 * ------------------------------------------------------------------------------------------------
 */

typedef bool try_key(void *user, const wallet_ibe_key *key); /* true: that was it */

/* One ciphertext, and whose it may be. */
typedef struct target {
    analyst *a;
    const an_exchange *e;
    const an_message *m;
    ibk_span identities[IDENTITIES_MAX]; /* ID data; those of the message itself first */
    size_t identity_count;
    int64_t dates[2];
    size_t periods_back;
} target;

static void add_identities(target *t, const an_message *m, uint8_t role) {
    for (size_t i = 0; i < m->msg.chain.count; i++) {
        const ibk_payload *p = &m->msg.chain.items[i];
        bool known = p->type != IBK_PL_IDR || (role && p->id.role != role) || p->id.data.len == 0 ||
                     t->identity_count == IDENTITIES_MAX;
        for (size_t k = 0; k < t->identity_count && !known; k++)
            known = ibk_span_equal(t->identities[k], p->id.data);
        if (!known)
            t->identities[t->identity_count++] = p->id.data;
    }
}

static target target_of(analyst *a, const an_exchange *e, const an_message *m, size_t periods_back) {
    target t = {.a = a, .e = e, .m = m, .periods_back = periods_back};
    int64_t seen = a->config.start_utc_ns + (int64_t)m->at_ns;
    const ibk_payload *stamp = ibk_msg_find(&m->msg, IBK_PL_T, 0);
    t.dates[0] = t.dates[1] = seen;
    if (stamp) /* P-9: the date that T tells; a COUNTER tells none */
        (void)ibk_t_to_utc(&t.dates[0], &stamp->t, seen);
    bool to_responder =
        m->msg.hdr.data_type == IBK_MSG_I_MESSAGE_1 || m->msg.hdr.data_type == IBK_MSG_I_MESSAGE_2;
    add_identities(&t, m, to_responder ? IBK_ROLE_R : IBK_ROLE_I); /* whose it is, unless it is an update */
    for (const an_message *other = e->messages; other; other = other->next)
        add_identities(&t, other, 0);
    return t;
}

static bool at_limit(const analyst *a) {
    return a->stats.pairings >= ANALYST_MAX_PAIRINGS;
}

/* The key of one IBE identity, if it can be had. */
static bool try_identity(const target *t, const wallet_params *p, ibk_span id, int64_t date, try_key *try,
                         void *user) {
    ibk_buf name = {0};
    const wallet_ibe_key *key = NULL;
    if (ibk_ibe_identity(&name, id, p->granularity, date) == IBK_OK)
        key = wallet_find_key(t->a->config.wallet, p->params, ibk_buf_span(&name));
    ibk_buf_free(&name);
    return key && !at_limit(t->a) && try(user, key);
}

static bool try_periods(const target *t, const wallet_params *p, ibk_span id, int64_t date, try_key *try,
                        void *user) {
    for (size_t back = 0; back <= t->periods_back; back++) {
        if (try_identity(t, p, id, date, try, user))
            return true;
        date = ibk_period_start(p->granularity, date) - 1;
    }
    return false;
}

static bool try_named(const target *t, const wallet_params *p, try_key *try, void *user) {
    bool two = ibk_period_start(p->granularity, t->dates[0]) != ibk_period_start(p->granularity, t->dates[1]);
    for (size_t i = 0; i < t->identity_count; i++)
        for (size_t d = 0; d < (two ? 2 : 1); d++)
            if (try_periods(t, p, t->identities[i], t->dates[d], try, user))
                return true;
    return false;
}

/* The keys that the message itself suggests, then all that are held: an identity in clear may be a lie. */
static bool each_key(const target *t, try_key *try, void *user) {
    wallet *w = t->a->config.wallet;
    const wallet_params *p;
    const wallet_ibe_key *key;
    for (size_t i = 0; (p = wallet_params_at(w, i)); i++)
        if (try_named(t, p, try, user))
            return true;
    for (size_t i = 0; (key = wallet_key_at(w, i)) && !at_limit(t->a); i++)
        if (key->key && !key->extracted && try(user, key))
            return true;
    return false;
}

/* "held since" and so on: what stands behind a key in a step. */
static void source_of_key(an_source *out, const an_message *m, const wallet_ibe_key *key, const char *what) {
    *out =
        an_source_of(an_later(m->at_ns, key->origin.since_ns), LEDGER_DECRYPTED,
                     "%s of %s opened with the private key of %.*s%s%s", what,
                     ibk_msg_type_name(m->msg.hdr.data_type), (int)key->identity.len,
                     (const char *)key->identity.data, key->origin.words[0] ? ", " : "", key->origin.words);
}

/* ---- IBAKE
 * ---------------------------------------------------------------------------------------------------
 */

typedef struct opening {
    analyst *a;
    an_exchange *e;
    const an_message *m;
    ibk_span cipher;
} opening;

static bool same_point(const ibk_ec_point *a, const ibk_ec_point *b) { /* on the curve or not */
    return a->curve == b->curve && a->len == b->len && memcmp(a->octets, b->octets, a->len) == 0;
}

/* A point of this adversary's own making is no news to it. */
static void compare_with_wallet(const analyst *a, an_point *point) {
    const wallet_point *known;
    const wallet_scalar *scalar;
    for (size_t i = 0; (known = wallet_point_at(a->config.wallet, i)); i++)
        if (same_point(&known->point, &point->point)) {
            point->own |= known->own;
            point->small |= known->small;
        }
    for (size_t i = 0; (scalar = wallet_scalar_at(a->config.wallet, i)); i++)
        if (same_point(&scalar->key.pub, &point->point))
            point->own |= scalar->own;
}

void an_add_point(analyst *a, an_exchange *e, const an_point *point) {
    for (size_t i = 0; i < e->point_count; i++) {
        an_point *known = &e->points[i];
        if (known->responders != point->responders || !same_point(&known->point, &point->point))
            continue;
        if (point->source.at_ns < known->source.at_ns)
            known->source = point->source;
        return;
    }
    if (!an_make_room(a, &e->points, e->point_count, &e->point_cap, sizeof *e->points))
        return;
    e->points[e->point_count++] = *point;
    a->stats.points++;
    if (!point->own)
        an_enter(a, point->responders ? SCN_THING_YP : SCN_THING_XP, point->call, &point->source);
}

/* From SEC 1 octets; what is no point of its curve is kept as it is. */
static bool read_point(ibk_ec_point *out, const ibk_eccpt *eccpt) {
    if (ibk_ec_decode(out, eccpt->curve, eccpt->point) == IBK_OK)
        return true;
    if (eccpt->point.len == 0 || eccpt->point.len > sizeof out->octets)
        return false;
    *out = (ibk_ec_point){.curve = eccpt->curve, .len = eccpt->point.len};
    memcpy(out->octets, eccpt->point.data, eccpt->point.len);
    return true;
}

/* The identity before an ECCPT tells whose point it is (RFC 6267 §4.2.2). */
static void take_points(const opening *o, const ibk_chain *chain, const wallet_ibe_key *key) {
    bool responders = false;
    for (size_t i = 0; i < chain->count; i++) {
        const ibk_payload *p = &chain->items[i];
        an_point point = {.call = o->m->call, .responders = responders};
        if (p->type == IBK_PL_IDR)
            responders = p->id.role == IBK_ROLE_R;
        if (p->type != IBK_PL_ECCPT || !read_point(&point.point, &p->eccpt))
            continue;
        source_of_key(&point.source, o->m, key, "IBAKE");
        compare_with_wallet(o->a, &point);
        an_add_point(o->a, o->e, &point);
    }
}

static bool open_ibake(void *user, const wallet_ibe_key *key) {
    opening *o = user;
    ibk_buf plain = {0};
    ibk_chain chain = {0};
    o->a->stats.pairings++;
    bool opened = ibk_ibe_decrypt(key->params, key->key, o->cipher, &plain, NULL) == IBK_OK;
    if (opened && ibk_chain_parse(&chain, IBK_PL_IBAKE, IBK_PL_IDR, ibk_buf_span(&plain), NULL) == IBK_OK)
        take_points(o, &chain, key);
    ibk_chain_free(&chain);
    ibk_buf_free(&plain);
    return opened;
}

/* ---- ESK
 * --------------------------------------------------------------------------------------------------------
 */

static void add_sk(analyst *a, const an_sk *sk, ibk_span octets) {
    for (size_t i = 0; i < a->sk_count; i++) {
        an_sk *known = &a->sks[i];
        if (!ibk_span_equal_ct(ibk_buf_span(&known->sk), octets))
            continue;
        if (sk->source.at_ns < known->source.at_ns)
            known->source = sk->source;
        return;
    }
    an_sk added = *sk;
    if (!an_make_room(a, &a->sks, a->sk_count, &a->sk_cap, sizeof *a->sks))
        return;
    if (ibk_buf_append_span(&added.sk, octets) == IBK_OK)
        a->sks[a->sk_count++] = added;
}

static bool open_esk(void *user, const wallet_ibe_key *key) {
    opening *o = user;
    ibk_buf sk = {0}, sender = {0};
    an_sk found = {.call = o->m->call};
    o->a->stats.pairings++;
    bool opened = ibk_esk_open(&sk, &sender, key->params, key->key, o->cipher, NULL) == IBK_OK;
    if (opened) {
        source_of_key(&found.source, o->m, key, "ESK");
        add_sk(o->a, &found, ibk_buf_span(&sk));
    }
    ibk_buf_free(&sk);
    ibk_buf_free(&sender);
    return opened;
}

/* Those that are held anyway, e.g. out of a caller's memory. */
static void add_held_sks(analyst *a) {
    const wallet_secret *held;
    for (size_t i = 0; (held = wallet_sk_at(a->config.wallet, i)); i++) {
        an_sk sk = {.source = an_source_of(held->origin.since_ns, held->origin.how, "SK%s%s",
                                           held->origin.words[0] ? " " : "", held->origin.words)};
        add_sk(a, &sk, ibk_buf_span(&held->octets));
    }
}

/* ---- all
 * --------------------------------------------------------------------------------------------------------
 */

static void open_message(analyst *a, an_exchange *e, const an_message *m) {
    const ibk_payload *ibake = ibk_msg_find(&m->msg, IBK_PL_IBAKE, 0),
                      *esk = ibk_msg_find(&m->msg, IBK_PL_ESK, 0);
    opening o = {.a = a, .e = e, .m = m};
    if (ibake) {
        target t = target_of(a, e, m, 0);
        o.cipher = ibake->enc.data;
        (void)each_key(&t, open_ibake, &o);
    }
    if (esk) {
        target t = target_of(a, e, m, PERIODS_BACK);
        o.cipher = esk->enc.data;
        (void)each_key(&t, open_esk, &o);
    }
}

void an_open_all(analyst *a) {
    add_held_sks(a);
    for (int rest = 0; rest < 2; rest++) /* a flood must not use up what the calls need */
        for (an_exchange *e = a->exchanges; e; e = e->next)
            for (const an_message *m = e->messages; m; m = m->next)
                if ((an_call_of(e) == NULL) == (rest == 1))
                    open_message(a, e, m);
}
