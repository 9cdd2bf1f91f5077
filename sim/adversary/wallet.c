#include "adversary/wallet.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Elements of one kind keep their address: lists of pointers. */
typedef struct list {
    void **items;
    size_t count, cap;
} list;

struct wallet {
    list params, keys, masters, scalars, points, tgks, sks, psks, generators;
};

wallet_origin wallet_from(ledger_how how, uint64_t since_ns, const char *words, ...) {
    wallet_origin origin = {.how = how, .since_ns = since_ns};
    va_list args;
    va_start(args, words);
    vsnprintf(origin.words, sizeof origin.words, words, args);
    va_end(args);
    return origin;
}

/* A zeroed element at the end; NULL: out of memory. */
static void *add(list *l, size_t size) {
    if (!IBK_ROOM(l->items, l->count, l->cap))
        return NULL;
    void *item = calloc(1, size);
    if (item)
        l->items[l->count++] = item;
    return item;
}

static void *at(const list *l, size_t index) {
    return index < l->count ? l->items[index] : NULL;
}

/* ---- life
 * ----------------------------------------------------------------------------------------------------------
 */

wallet *wallet_new(void) {
    return calloc(1, sizeof(wallet));
}

static void free_secrets(list *l) {
    for (size_t i = 0; i < l->count; i++)
        ibk_buf_free(&((wallet_secret *)l->items[i])->octets);
}

static void free_list(list *l, size_t size) {
    for (size_t i = 0; i < l->count; i++) {
        ibk_wipe(l->items[i], size);
        free(l->items[i]);
    }
    free(l->items);
}

static void free_key(wallet_ibe_key *key) {
    ibk_buf_free(&key->identity);
    ibk_buf_free(&key->der);
    ibk_ibe_key_free(key->key);
}

void wallet_free(wallet *w) {
    if (!w)
        return;
    for (size_t i = 0; i < w->keys.count; i++)
        free_key(w->keys.items[i]);
    for (size_t i = 0; i < w->masters.count; i++)
        ibk_ibe_master_free(((wallet_master *)w->masters.items[i])->master);
    free_secrets(&w->tgks);
    free_secrets(&w->sks);
    free_secrets(&w->psks);
    free_secrets(&w->generators);
    free_list(&w->params, sizeof(wallet_params));
    free_list(&w->keys, sizeof(wallet_ibe_key));
    free_list(&w->masters, sizeof(wallet_master));
    free_list(&w->scalars, sizeof(wallet_scalar));
    free_list(&w->points, sizeof(wallet_point));
    free_list(&w->tgks, sizeof(wallet_secret));
    free_list(&w->sks, sizeof(wallet_secret));
    free_list(&w->psks, sizeof(wallet_secret));
    free_list(&w->generators, sizeof(wallet_secret));
    free(w);
}

/* ---- IBE
 * -----------------------------------------------------------------------------------------------------------
 */

ibk_err wallet_add_params(wallet *w, const ibk_ibe_params *params, ibk_granularity granularity) {
    for (size_t i = 0; i < w->params.count; i++)
        if (wallet_params_at(w, i)->granularity == granularity &&
            ibk_ibe_params_equal(wallet_params_at(w, i)->params, params))
            return IBK_OK;
    wallet_params *item = add(&w->params, sizeof *item);
    if (!item)
        return IBK_ERR_NO_MEMORY;
    *item = (wallet_params){.params = params, .granularity = granularity};
    return IBK_OK;
}

static wallet_ibe_key *held_key(const wallet *w, const ibk_ibe_params *params, ibk_span identity) {
    for (size_t i = 0; i < w->keys.count; i++) {
        wallet_ibe_key *key = w->keys.items[i];
        if (ibk_span_equal(ibk_buf_span(&key->identity), identity) &&
            ibk_ibe_params_equal(key->params, params))
            return key;
    }
    return NULL;
}

/* Takes `key`, which may be NULL: then it is made of `der` when it is needed. */
static ibk_err put_key(wallet *w, const ibk_ibe_params *params, ibk_span identity, ibk_span der,
                       ibk_ibe_key *key, const wallet_origin *origin) {
    wallet_ibe_key *item = add(&w->keys, sizeof *item);
    if (!item) {
        ibk_ibe_key_free(key);
        return IBK_ERR_NO_MEMORY;
    }
    *item = (wallet_ibe_key){.params = params, .key = key, .origin = *origin};
    ibk_err err = ibk_buf_append_span(&item->identity, identity);
    err = err ? err : ibk_buf_append_span(&item->der, der);
    if (err) {
        free_key(item);
        free(item);
        w->keys.count--;
    }
    return err;
}

ibk_err wallet_add_key(wallet *w, const ibk_ibe_params *params, ibk_span ibe_identity, const ibk_ibe_key *key,
                       const wallet_origin *origin) {
    ibk_buf der = {0};
    ibk_err err = ibk_ibe_key_encode(key, &der);
    err = err ? err : wallet_add_key_der(w, params, ibe_identity, ibk_buf_span(&der), origin);
    ibk_buf_free(&der);
    return err;
}

/* The set on whose curve the key lies; by chance on another's once in as many as its field has elements. */
static const ibk_ibe_params *params_of(const wallet *w, ibk_span der) {
    for (size_t i = 0; i < w->params.count; i++) {
        const ibk_ibe_params *params = wallet_params_at(w, i)->params;
        ibk_ibe_key *key = NULL;
        bool fits = ibk_ibe_key_parse(&key, params, der, NULL) == IBK_OK;
        ibk_ibe_key_free(key);
        if (fits)
            return params;
    }
    return NULL;
}

ibk_err wallet_add_key_der(wallet *w, const ibk_ibe_params *params, ibk_span ibe_identity, ibk_span der,
                           const wallet_origin *origin) {
    params = params ? params : params_of(w, der);
    if (!params)
        return IBK_ERR_MISMATCH;
    return held_key(w, params, ibe_identity) ? IBK_OK : put_key(w, params, ibe_identity, der, NULL, origin);
}

ibk_err wallet_add_master(wallet *w, const ibk_ibe_params *params, const ibk_ibe_master *master,
                          const wallet_origin *origin) {
    ibk_buf der = {0};
    for (size_t i = 0; i < w->masters.count; i++)
        if (ibk_ibe_params_equal(wallet_master_at(w, i)->params, params))
            return IBK_OK;
    wallet_master *item = add(&w->masters, sizeof *item);
    ibk_err err = item ? ibk_ibe_master_encode(master, &der) : IBK_ERR_NO_MEMORY;
    if (item)
        *item = (wallet_master){.params = params, .origin = *origin};
    err = err ? err : ibk_ibe_master_parse(&item->master, params, ibk_buf_span(&der), NULL);
    ibk_buf_free(&der);
    if (item && err) {
        free(item);
        w->masters.count--;
    }
    return err;
}

static wallet_ibe_key *extract(wallet *w, const wallet_master *master, ibk_span identity) {
    ibk_ibe_key *key = NULL;
    ibk_buf der = {0};
    wallet_origin origin =
        wallet_from(LEDGER_COMPUTED, master->origin.since_ns, "extracted with the master secret");
    ibk_err err = ibk_ibe_extract(master->params, master->master, identity, &key);
    err = err ? err : ibk_ibe_key_encode(key, &der);
    err = err ? err : put_key(w, master->params, identity, ibk_buf_span(&der), key, &origin);
    ibk_buf_free(&der);
    if (err)
        return NULL;
    wallet_ibe_key *item = w->keys.items[w->keys.count - 1];
    item->extracted = true;
    return item;
}

static bool make_key(wallet_ibe_key *item) {
    return item->key || ibk_ibe_key_parse(&item->key, item->params, ibk_buf_span(&item->der), NULL) == IBK_OK;
}

const wallet_ibe_key *wallet_find_key(wallet *w, const ibk_ibe_params *params, ibk_span ibe_identity) {
    wallet_ibe_key *item = held_key(w, params, ibe_identity);
    for (size_t i = 0; !item && i < w->masters.count; i++)
        if (ibk_ibe_params_equal(wallet_master_at(w, i)->params, params))
            item = extract(w, wallet_master_at(w, i), ibe_identity);
    return item && make_key(item) ? item : NULL;
}

const ibk_ibe_key *wallet_key(wallet *w, const ibk_ibe_params *params, ibk_span ibe_identity) {
    const wallet_ibe_key *item = wallet_find_key(w, params, ibe_identity);
    return item ? item->key : NULL;
}

const wallet_params *wallet_params_at(const wallet *w, size_t index) {
    return at(&w->params, index);
}

const wallet_ibe_key *wallet_key_at(wallet *w, size_t index) {
    wallet_ibe_key *item = at(&w->keys, index);
    if (item)
        make_key(item); /* what is no key stays without */
    return item;
}

const wallet_master *wallet_master_at(const wallet *w, size_t index) {
    return at(&w->masters, index);
}

/* ---- Diffie-Hellman
 * ------------------------------------------------------------------------------------------------ */

ibk_err wallet_add_scalar(wallet *w, const wallet_scalar *scalar) {
    ibk_ec_key key;
    ibk_span octets = ibk_span_of(scalar->key.scalar, scalar->key.scalar_len);
    ibk_err err = ibk_ec_key_from_scalar(&key, scalar->key.curve, octets);
    for (size_t i = 0; !err && i < w->scalars.count; i++)
        if (wallet_scalar_at(w, i)->csb_id == scalar->csb_id &&
            ibk_ec_point_equal(&wallet_scalar_at(w, i)->key.pub, &key.pub))
            goto done;
    wallet_scalar *item = err ? NULL : add(&w->scalars, sizeof *item);
    if (!err && !item)
        err = IBK_ERR_NO_MEMORY;
    if (item) {
        *item = *scalar;
        item->key = key;
    }
done:
    ibk_wipe(&key, sizeof key);
    return err;
}

ibk_err wallet_add_point(wallet *w, const wallet_point *point) {
    for (size_t i = 0; i < w->points.count; i++)
        if (wallet_point_at(w, i)->csb_id == point->csb_id &&
            ibk_ec_point_equal(&wallet_point_at(w, i)->point, &point->point))
            return IBK_OK;
    wallet_point *item = add(&w->points, sizeof *item);
    if (!item)
        return IBK_ERR_NO_MEMORY;
    *item = *point;
    return IBK_OK;
}

ibk_err wallet_add_planted(wallet *w, uint32_t csb_id, bool responders, uint8_t curve, ibk_span octets,
                           const wallet_origin *origin) {
    wallet_point point = {.csb_id = csb_id, .responders = responders, .own = true, .origin = *origin};
    if (octets.len == 0 || octets.len > sizeof point.point.octets)
        return IBK_ERR_BAD_LENGTH;
    if (ibk_ec_decode(&point.point, curve, octets)) {
        point.small = octets.len == ibk_ec_point_len(curve);
        point.point = (ibk_ec_point){.curve = curve, .len = octets.len};
        memcpy(point.point.octets, octets.data, octets.len);
    }
    return wallet_add_point(w, &point);
}

const wallet_scalar *wallet_scalar_at(const wallet *w, size_t index) {
    return at(&w->scalars, index);
}

const wallet_point *wallet_point_at(const wallet *w, size_t index) {
    return at(&w->points, index);
}

/* ---- octets
 * -------------------------------------------------------------------------------------------------------- */

static ibk_err add_secret(list *l, uint32_t csb_id, ibk_span octets, const wallet_origin *origin) {
    for (size_t i = 0; i < l->count; i++) {
        const wallet_secret *known = l->items[i];
        if (known->csb_id == csb_id && ibk_span_equal_ct(ibk_buf_span(&known->octets), octets))
            return IBK_OK;
    }
    wallet_secret *item = add(l, sizeof *item);
    if (!item)
        return IBK_ERR_NO_MEMORY;
    *item = (wallet_secret){.csb_id = csb_id, .origin = *origin};
    ibk_err err = ibk_buf_append_span(&item->octets, octets);
    if (err) {
        free(item);
        l->count--;
    }
    return err;
}

ibk_err wallet_add_tgk(wallet *w, uint32_t csb_id, ibk_span tgk, const wallet_origin *origin) {
    return add_secret(&w->tgks, csb_id, tgk, origin);
}

ibk_err wallet_add_sk(wallet *w, ibk_span sk, const wallet_origin *origin) {
    return add_secret(&w->sks, 0, sk, origin);
}

ibk_err wallet_add_psk(wallet *w, ibk_span psk, const wallet_origin *origin) {
    return add_secret(&w->psks, 0, psk, origin);
}

ibk_err wallet_add_generator(wallet *w, const scn_user *whose, ibk_span seed, const wallet_origin *origin) {
    size_t before = w->generators.count;
    ibk_err err = add_secret(&w->generators, 0, seed, origin);
    if (w->generators.count > before)
        ((wallet_secret *)w->generators.items[before])->whose = whose;
    return err;
}

static bool has_identity(const scn_user *user, ibk_span identity) {
    bool has = ibk_span_equal(ibk_span_str(user->identity), identity);
    for (size_t i = 0; i < user->identity_count && !has; i++)
        has = ibk_span_equal(ibk_span_str(user->identities[i]), identity);
    return has;
}

const wallet_secret *wallet_generator_of(const wallet *w, ibk_span identity) {
    const wallet_secret *seed;
    for (size_t i = 0; (seed = wallet_generator_at(w, i)); i++)
        if (has_identity(seed->whose, identity))
            return seed;
    return NULL;
}

const wallet_secret *wallet_generator_at(const wallet *w, size_t index) {
    return at(&w->generators, index);
}

const wallet_secret *wallet_tgk_at(const wallet *w, size_t index) {
    return at(&w->tgks, index);
}

const wallet_secret *wallet_sk_at(const wallet *w, size_t index) {
    return at(&w->sks, index);
}

const wallet_secret *wallet_psk_at(const wallet *w, size_t index) {
    return at(&w->psks, index);
}
