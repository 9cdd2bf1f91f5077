/* Where a wallet's things come from in bulk: a UE's memory, a key log. */
#include "adversary/wallet.h"
#include "ims/ue/memory.h"

#include <string.h>

/* ---- the memory of a UE
 * ------------------------------------------------------------------------------------------- */

typedef struct visit {
    wallet *w;
    const wallet_origin *origin;
    ibk_err err; /* the first one */
} visit;

static void keep(visit *v, ibk_err err) {
    v->err = v->err ? v->err : err;
}

static void take_key(void *user, ibk_span ibe_identity, const ibk_ibe_params *params,
                     const ibk_ibe_key *key) {
    visit *v = user;
    keep(v, wallet_add_key(v->w, params, ibe_identity, key, v->origin));
}

static void take_psk(void *user, ibk_span psk) {
    visit *v = user;
    keep(v, wallet_add_psk(v->w, psk, v->origin));
}

static void take_sk(void *user, ibk_span sk) {
    visit *v = user;
    keep(v, wallet_add_sk(v->w, sk, v->origin));
}

static ibk_err add_scalar(wallet *w, uint32_t csb_id, uint8_t curve, bool responders, ibk_span octets,
                          bool own, const wallet_origin *origin) {
    wallet_scalar scalar = {.csb_id = csb_id, .responders = responders, .own = own, .origin = *origin};
    if (octets.len > sizeof scalar.key.scalar)
        return IBK_ERR_BAD_SCALAR;
    scalar.key.curve = curve;
    scalar.key.scalar_len = octets.len;
    memcpy(scalar.key.scalar, octets.data, octets.len);
    ibk_err err = wallet_add_scalar(w, &scalar);
    ibk_wipe(&scalar, sizeof scalar);
    return err;
}

static ibk_err add_point(visit *v, const ibk_session_secret *secret) {
    bool responder = secret->role == IBK_SESSION_RESPONDER, own = secret->kind == IBK_SECRET_OWN_POINT;
    wallet_point point = {.csb_id = secret->csb_id,
                          .responders = responder == own,
                          .point = {.curve = secret->curve, .len = secret->octets.len},
                          .origin = *v->origin};
    memcpy(point.point.octets, secret->octets.data, secret->octets.len);
    return wallet_add_point(v->w, &point);
}

static void take_secret(void *user, const ibk_session_secret *secret) {
    visit *v = user;
    switch (secret->kind) {
    case IBK_SECRET_SCALAR:
        keep(v, add_scalar(v->w, secret->csb_id, secret->curve, secret->role == IBK_SESSION_RESPONDER,
                           secret->octets, false, v->origin));
        break;
    case IBK_SECRET_OWN_POINT:
    case IBK_SECRET_THEIR_POINT:
        keep(v, add_point(v, secret));
        break;
    case IBK_SECRET_TGK:
        keep(v, wallet_add_tgk(v->w, secret->csb_id, secret->octets, v->origin));
        break;
    case IBK_SECRET_SK:
        take_sk(v, secret->octets);
        break;
    default: /* MPK opens nothing */
        break;
    }
}

ibk_err wallet_add_memory(wallet *w, const struct ue *u, const wallet_origin *origin) {
    visit v = {.w = w, .origin = origin};
    ue_memory_reader reader = {
        .user = &v, .private_key = take_key, .psk = take_psk, .session = take_secret, .sk = take_sk};
    ue_read_memory(u, &reader);
    return v.err;
}

/* ---- a key log
 * ---------------------------------------------------------------------------------------------------- */

/* A key log does not tell the curve; the lengths of the scalars of P-256, P-384 and P-521 do. */
static uint8_t curve_of(ibk_span scalar) {
    static const uint8_t curves[] = {IBK_EC_P192, IBK_EC_P224, IBK_EC_P256, IBK_EC_P384, IBK_EC_P521};
    for (size_t i = 0; i < sizeof curves; i++)
        if (ibk_ec_field_len(curves[i]) == scalar.len)
            return curves[i];
    return 0;
}

ibk_err wallet_add_record(wallet *w, const ibk_keylog_record *record, bool own, const wallet_origin *origin) {
    switch (record->kind) {
    case IBK_KEYLOG_PRIV:
        return wallet_add_key_der(w, NULL, record->id, record->value, origin);
    case IBK_KEYLOG_PSK:
        return wallet_add_psk(w, record->value, origin);
    case IBK_KEYLOG_X:
    case IBK_KEYLOG_Y:
        return add_scalar(w, record->csb_id, curve_of(record->value), record->kind == IBK_KEYLOG_Y,
                          record->value, own, origin);
    case IBK_KEYLOG_TGK:
        return wallet_add_tgk(w, record->csb_id, record->value, origin);
    default: /* what follows from these, or opens nothing */
        return IBK_OK;
    }
}
