/* From points and scalars to K_SESSION, MPK and TGK (RFC 6267 §5.1), and what tells the right ones: V. */
#include "adversary/analyst_internal.h"
#include "random/generator.h"

#include <string.h>

/* ---- candidates
 * ------------------------------------------------------------------------------------------------
 */

/* Is this V made with the MPK? The identities that it covers (P-8) are those of any message of the exchange.
 */
static bool v_fits(const an_exchange *e, const an_message *m, ibk_span auth_key) {
    for (const an_message *n = e->messages; n; n = n->next) {
        const ibk_payload *i = ibk_msg_find_idr(&n->msg, IBK_ROLE_I, 0),
                          *r = ibk_msg_find_idr(&n->msg, IBK_ROLE_R, 0);
        if (!i || !r)
            continue;
        ibk_span ids[] = {i->id.data, r->id.data};
        if (ibk_msg_check_v(&m->msg, auth_key, ids, 2, false, NULL) == IBK_OK)
            return true;
    }
    return false;
}

static bool any_v_fits(const an_exchange *e, const an_key *key, ibk_span mpk, bool *any) {
    bool fits = false;
    *any = false;
    for (const an_message *m = e->messages; m && !fits; m = m->next) {
        const ibk_payload *v = ibk_msg_find(&m->msg, IBK_PL_V, 0);
        ibk_msg_keys keys;
        if (!v || v->v.mac_alg == IBK_MAC_NULL)
            continue;
        *any = true;
        if (ibk_msg_keys_derive(&keys, key->prf, mpk, e->csb_id, key->rand, IBK_ENCR_NULL, v->v.mac_alg))
            continue;
        fits = v_fits(e, m, ibk_span_of(keys.auth, keys.auth_len));
        ibk_wipe(&keys, sizeof keys);
    }
    return fits;
}

static void add_key(analyst *a, an_exchange *e, const an_key *key) {
    for (size_t i = 0; i < e->key_count; i++) {
        an_key *known = &e->keys[i];
        if (memcmp(known->tgk, key->tgk, sizeof known->tgk) != 0 || known->prf != key->prf ||
            !ibk_span_equal(known->rand, key->rand))
            continue;
        known->fits_v |= key->fits_v;
        if (key->source.at_ns < known->source.at_ns)
            known->source = key->source;
        return;
    }
    if (!an_make_room(a, &e->keys, e->key_count, &e->key_cap, sizeof *e->keys))
        return;
    e->keys[e->key_count++] = *key;
    a->stats.keys++;
}

/* The index-th PRF and RAND of the exchange, each once; false beyond the last. */
static bool rand_at(const an_exchange *e, size_t index, an_key *out) {
    for (const an_message *m = e->messages; m; m = m->next) {
        const ibk_payload *rand = ibk_msg_find(&m->msg, IBK_PL_RAND, 0);
        bool new = rand &&ibk_prf_hash_len(m->msg.hdr.prf) > 0;
        for (const an_message *n = e->messages; new &&n != m; n = n->next) {
            const ibk_payload *other = ibk_msg_find(&n->msg, IBK_PL_RAND, 0);
            new = !other || n->msg.hdr.prf != m->msg.hdr.prf ||
                  !ibk_span_equal(other->rand.data, rand->rand.data);
        }
        if (new &&index-- == 0) {
            out->prf = m->msg.hdr.prf;
            out->rand = rand->rand.data;
            return true;
        }
    }
    return false;
}

bool an_add_k_session(analyst *a, an_exchange *e, ibk_span k_session, const an_source *source,
                      bool only_if_fits) {
    bool fitted = false;
    an_key key = {.source = *source};
    for (size_t i = 0; rand_at(e, i, &key); i++) {
        uint8_t mpk[IBK_MAC_MAX];
        size_t len = ibk_prf_hash_len(key.prf);
        bool any_v = false;
        if (ibk_derive(mpk, len, key.prf, IBK_DERIVE_MPK, k_session, 0, 0, key.rand) ||
            ibk_derive(key.tgk, sizeof key.tgk, key.prf, IBK_DERIVE_TGK, k_session, 0, 0, key.rand))
            continue;
        key.fits_v = any_v_fits(e, &key, ibk_span_of(mpk, len), &any_v);
        bool fits = key.fits_v || (only_if_fits && an_probe(a, e, &key));
        if (fits || !only_if_fits)
            add_key(a, e, &key);
        fitted |= fits;
        ibk_wipe(mpk, sizeof mpk);
    }
    ibk_wipe(&key, sizeof key);
    return fitted;
}

static void add_held_tgks(analyst *a, an_exchange *e) {
    const wallet_secret *held;
    for (size_t n = 0; (held = wallet_tgk_at(a->config.wallet, n)); n++) {
        an_key key = {.source = an_source_of(held->origin.since_ns, held->origin.how, "the TGK%s%s",
                                             held->origin.words[0] ? " " : "", held->origin.words)};
        if ((held->csb_id && held->csb_id != e->csb_id) || held->octets.len != sizeof key.tgk)
            continue;
        memcpy(key.tgk, held->octets.data, sizeof key.tgk);
        for (size_t i = 0; rand_at(e, i, &key); i++)
            add_key(a, e, &key);
        ibk_wipe(&key, sizeof key);
    }
}

/* ---- points and scalars
 * ----------------------------------------------------------------------------------------
 */

static void add_held_points(analyst *a, an_exchange *e) {
    const wallet_point *held;
    for (size_t i = 0; (held = wallet_point_at(a->config.wallet, i)); i++) {
        an_point point = {.point = held->point,
                          .responders = held->responders,
                          .own = held->own,
                          .small = held->small,
                          .call = an_call_of(e)};
        if (held->csb_id != e->csb_id)
            continue;
        point.source =
            an_source_of(held->origin.since_ns, held->origin.how, "%sP%s%s", held->responders ? "y" : "x",
                         held->origin.words[0] ? " " : "", held->origin.words);
        an_add_point(a, e, &point);
    }
}

static bool is_point_of(const an_exchange *e, const wallet_scalar *s) {
    for (size_t i = 0; i < e->point_count; i++)
        if (ibk_ec_point_equal(&e->points[i].point, &s->key.pub))
            return true;
    return false;
}

/* A scalar of this exchange: that it is known, and its point with it. */
static void enter_scalar(analyst *a, an_exchange *e, const wallet_scalar *s) {
    const char *name = s->responders ? "y" : "x";
    an_point point = {.point = s->key.pub, .responders = s->responders, .own = s->own, .call = an_call_of(e)};
    if (s->own)
        return;
    an_source source =
        an_source_of(an_later(s->origin.since_ns, e->messages ? e->messages->at_ns : 0), s->origin.how,
                     "%s%s%s", name, s->origin.words[0] ? " " : "", s->origin.words);
    an_enter(a, s->responders ? SCN_THING_Y : SCN_THING_X, point.call, &source);
    point.source = an_source_of(source.at_ns, LEDGER_COMPUTED, "computed from %s", source.step);
    an_add_point(a, e, &point);
}

/* K_SESSION = [xy]P with each point of the other side. */
static void pair_up(analyst *a, an_exchange *e, const wallet_scalar *s) {
    for (size_t i = 0; i < e->point_count; i++) {
        const an_point *p = &e->points[i];
        ibk_ec_point shared;
        if (p->responders == s->responders || ibk_ec_shared(&shared, &s->key, &p->point))
            continue;
        const char *name = s->responders ? "y" : "x", *other = p->responders ? "y" : "x";
        an_source source = an_source_of(an_later(s->origin.since_ns, p->source.at_ns), LEDGER_COMPUTED,
                                        "[xy]P computed from %s%s%s%s and %sP", s->own ? "its own " : "",
                                        name, s->origin.words[0] ? " " : "", s->origin.words, other);
        an_add_k_session(a, e, ibk_ec_point_span(&shared), &source, false);
        ibk_wipe(&shared, sizeof shared);
    }
}

static bool belongs(const an_exchange *e, const wallet_scalar *s) {
    return s->csb_id == e->csb_id || is_point_of(e, s);
}

/* ---- generators that are known
 * ------------------------------------------------------------------------------------------- */

enum { GENERATED_MAX = 16 }; /* draws that one call is taken to make: its exchange and updates */

/* One draw. False: it is no scalar of the curve (ibk_ec_keygen takes the next one). */
static bool draw(wallet_scalar *out, const wallet_secret *seed, const an_exchange *e, uint8_t curve,
                 bool responders, uint32_t index) {
    uint8_t octets[sizeof out->key.scalar];
    size_t len = ibk_ec_field_len(curve); /* orders are as long as their fields */
    *out = (wallet_scalar){.csb_id = e->csb_id, .responders = responders};
    out->origin = wallet_from(LEDGER_COMPUTED, seed->origin.since_ns, "%s", seed->origin.words);
    bool drawn = generator_scalar(octets, len, seed->octets.data, e->csb_id, responders, index);
    if (curve == IBK_EC_P521) /* as ibk_ec_keygen cuts it */
        octets[0] &= 1;
    drawn = drawn && ibk_ec_key_from_scalar(&out->key, curve, ibk_span_of(octets, len)) == IBK_OK;
    ibk_wipe(octets, sizeof octets);
    return drawn;
}

/* The draws of each seed whose point is one of the exchange: the others say nothing of it. */
static void try_generators(analyst *a, const an_exchange *e) {
    const wallet_secret *seed;
    for (size_t g = 0; (seed = wallet_generator_at(a->config.wallet, g)); g++)
        for (size_t i = 0; i < e->point_count; i++)
            for (uint32_t index = 0; index < GENERATED_MAX; index++) {
                const an_point *p = &e->points[i];
                wallet_scalar s;
                if (draw(&s, seed, e, p->point.curve, p->responders, index) &&
                    ibk_ec_point_equal(&s.key.pub, &p->point))
                    (void)wallet_add_scalar(a->config.wallet, &s);
                ibk_wipe(&s, sizeof s);
            }
}

/* [xy]P of one draw of each side: the right one fits a V, or opens media. */
static void try_pair(analyst *a, an_exchange *e, const wallet_scalar *x, const wallet_scalar *y) {
    ibk_ec_point shared;
    an_source source = an_source_of(an_later(x->origin.since_ns, y->origin.since_ns), LEDGER_COMPUTED,
                                    "[xy]P computed from x %s and y %s", x->origin.words, y->origin.words);
    source.at_ns = an_later(source.at_ns, e->messages->at_ns);
    if (ibk_ec_shared(&shared, &x->key, &y->key.pub))
        return;
    if (an_add_k_session(a, e, ibk_ec_point_span(&shared), &source, true)) {
        (void)wallet_add_scalar(a->config.wallet, x);
        (void)wallet_add_scalar(a->config.wallet, y);
    }
    ibk_wipe(&shared, sizeof shared);
}

/* Who has the seeds of both needs to open nothing: CSB ID and RAND are in clear, the curve is one of three.
 * Both draw once for each exchange; now and then one of them draws once more. */
static void try_both_generators(analyst *a, an_exchange *e, const wallet_secret *of_x,
                                const wallet_secret *of_y) {
    static const uint8_t curves[] = {IBK_EC_P256, IBK_EC_P384, IBK_EC_P521};
    for (size_t c = 0; c < sizeof curves; c++)
        for (uint32_t i = 0; i < GENERATED_MAX; i++)
            for (uint32_t k = i ? i - 1 : 0; k <= i + 1; k++) {
                wallet_scalar x, y;
                if (draw(&x, of_x, e, curves[c], false, i) && draw(&y, of_y, e, curves[c], true, k))
                    try_pair(a, e, &x, &y);
                ibk_wipe(&x, sizeof x);
                ibk_wipe(&y, sizeof y);
            }
}

/* The seed of whom this exchange names in that role. NULL: it is not held. */
static const wallet_secret *seed_of(const analyst *a, const an_exchange *e, uint8_t role) {
    const wallet_secret *seed = NULL;
    for (const an_message *m = e->messages; m && !seed; m = m->next) {
        const ibk_payload *id = ibk_msg_find_idr(&m->msg, role, 0);
        seed = id ? wallet_generator_of(a->config.wallet, id->id.data) : NULL;
    }
    return seed;
}

static void use_generators(analyst *a, an_exchange *e) {
    const wallet_secret *of_x = seed_of(a, e, IBK_ROLE_I), *of_y = seed_of(a, e, IBK_ROLE_R);
    try_generators(a, e);
    if (of_x && of_y)
        try_both_generators(a, e, of_x, of_y);
}

/* ---- points whose multiples are few
 * ----------------------------------------------------------------------------
 */

typedef struct search {
    analyst *a;
    an_exchange *e;
    an_source source;
    bool found;
} search;

static bool try_multiple(void *user, ibk_span multiple) {
    search *s = user;
    s->found = an_add_k_session(s->a, s->e, multiple, &s->source, true);
    return s->found;
}

static bool count_one(void *user, ibk_span multiple) {
    (void)multiple;
    ++*(size_t *)user;
    return false;
}

/* To go through the multiples is cheap, to try a key for each is not: one that has too many is left alone. */
static bool is_of_small_order(const ibk_ec_point *point) {
    size_t multiples = 0;
    return an_multiples(point, count_one, &multiples) == IBK_OK && multiples < AN_SMALL_GROUP_MAX;
}

static void search_small(analyst *a, an_exchange *e) {
    for (size_t i = 0; i < e->point_count; i++) {
        const an_point *p = &e->points[i];
        if (!p->small)
            continue;
        if (!is_of_small_order(&p->point)) {
            an_note(a, "a planted point of CSB %08x has too many multiples for its K_SESSION to be searched",
                    e->csb_id);
            continue;
        }
        search s = {.a = a, .e = e};
        s.source = an_source_of(p->source.at_ns, LEDGER_COMPUTED,
                                "[xy]P found among the few multiples of the point that it planted");
        if (an_multiples(&p->point, try_multiple, &s) == IBK_OK && !s.found)
            an_note(a, "none of the multiples of a planted point is the K_SESSION of CSB %08x", e->csb_id);
    }
}

/* ---- all
 * --------------------------------------------------------------------------------------------------------
 */

void an_find_keys(analyst *a) {
    for (an_exchange *e = a->exchanges; e; e = e->next) {
        const wallet_scalar *s;
        add_held_points(a, e);
        use_generators(a, e);
        for (size_t i = 0; (s = wallet_scalar_at(a->config.wallet, i)); i++)
            if (belongs(e, s))
                enter_scalar(a, e, s);
        for (size_t i = 0; (s = wallet_scalar_at(a->config.wallet, i)); i++)
            if (belongs(e, s))
                pair_up(a, e, s);
        search_small(a, e);
        add_held_tgks(a, e);
    }
}
