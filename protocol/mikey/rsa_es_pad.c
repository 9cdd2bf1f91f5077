/* RFC 8017 §7.1 and §7.2, the paddings. Taking one off must not tell whether it was right (Bleichenbacher
 * 1998, Manger 2001): masks take the place of branches, and one window at the end of the block is read in any
 * case. */
#include "mikey/rsa_es.h"
#include "mikey/rsa_key.h"

#include <string.h>

enum { PKCS1_PS_MIN = 8, PKCS1_FIXED = 3, EMPTY_DRAWS_MAX = 64 };

static const EVP_MD *hash_of(uint8_t rsaes) {
    return rsaes == IBK_RSAES_OAEP ? EVP_sha1() : rsaes == IBK_RSAES_OAEP_SHA256 ? EVP_sha256() : NULL;
}

static bool fits(size_t len, uint8_t rsaes) {
    if (rsaes == IBK_RSAES_PKCS1)
        return len >= PKCS1_FIXED + PKCS1_PS_MIN + IBK_ENVELOPE_MAX;
    const EVP_MD *md = hash_of(rsaes);
    return md && len >= 2 + 2 * (size_t)EVP_MD_get_size(md) + IBK_ENVELOPE_MAX;
}

/* ---- on -------------------------------------------------------------------------------------------------
 */

/* Random octets without a zero: zeros are drawn again. */
static ibk_err draw_nonzero(uint8_t *out, size_t len, const ibk_env *env) {
    ibk_err err = env->draw(env->user, IBK_DRAW_SALT, out, len);
    for (int round = 0; !err && round < EMPTY_DRAWS_MAX; round++) {
        size_t zeros = 0;
        for (size_t i = 0; !err && i < len; i++)
            if (out[i] == 0) {
                err = env->draw(env->user, IBK_DRAW_SALT, &out[i], 1);
                zeros += out[i] == 0;
            }
        if (!err && zeros == 0)
            return IBK_OK;
    }
    return err ? err : IBK_ERR_RANDOM; /* a source of nothing but zeros */
}

static ibk_err pad_pkcs1(uint8_t *em, size_t len, const ibk_env *env, ibk_span plain) {
    size_t ps = len - PKCS1_FIXED - plain.len;
    em[0] = 0x00;
    em[1] = 0x02;
    ibk_err err = draw_nonzero(em + 2, ps, env);
    em[2 + ps] = 0x00;
    memcpy(em + PKCS1_FIXED + ps, plain.data, plain.len);
    return err;
}

/* em = 00 || maskedSeed || maskedDB, DB = hash of the empty label || zeros || 01 || plain */
static ibk_err pad_oaep(uint8_t *em, size_t len, const ibk_env *env, const EVP_MD *md, ibk_span plain) {
    size_t h = (size_t)EVP_MD_get_size(md);
    uint8_t *seed = em + 1, *db = em + 1 + h;
    size_t db_len = len - 1 - h;
    memset(em, 0, len);
    ibk_err err = env->draw(env->user, IBK_DRAW_SALT, seed, h);
    if (!err && !EVP_Digest("", 0, db, NULL, md, NULL))
        err = IBK_ERR_INTERNAL;
    db[db_len - plain.len - 1] = 0x01;
    memcpy(db + db_len - plain.len, plain.data, plain.len);
    if (!err)
        err = ibk_mgf1_xor(db, db_len, md, ibk_span_of(seed, h));
    return err ? err : ibk_mgf1_xor(seed, h, md, ibk_span_of(db, db_len));
}

ibk_err ibk_rsaes_pad(uint8_t *em, size_t len, const ibk_env *env, uint8_t rsaes, ibk_span plain) {
    if (!fits(len, rsaes))
        return IBK_ERR_UNSUPPORTED;
    return rsaes == IBK_RSAES_PKCS1 ? pad_pkcs1(em, len, env, plain)
                                    : pad_oaep(em, len, env, hash_of(rsaes), plain);
}

/* ---- off ------------------------------------------------------------------------------------------------
 */

/* Masks: all ones or all zeros. Arguments are below 2^31. */
static uint32_t mask_negative(uint32_t x) {
    return 0u - (x >> 31);
}

static uint32_t mask_zero(uint32_t x) {
    return mask_negative(~x & (x - 1));
}

static uint32_t mask_equal(uint32_t a, uint32_t b) {
    return mask_zero(a ^ b);
}

static uint32_t mask_less(uint32_t a, uint32_t b) {
    return mask_negative(a - b);
}

static uint32_t choose(uint32_t mask, uint32_t yes, uint32_t no) {
    return (mask & yes) | (~mask & no);
}

/* What a padding says of the block: is it right, and how many octets at its end are the message? */
typedef struct verdict {
    uint32_t right; /* a mask */
    uint32_t octets;
} verdict;

static verdict judge_pkcs1(const uint8_t *em, size_t len) {
    uint32_t found = 0, at = 0; /* the first zero after the block type */
    for (size_t i = 2; i < len; i++) {
        uint32_t zero = mask_zero(em[i]);
        at = choose(zero & ~found, (uint32_t)i, at);
        found |= zero;
    }
    uint32_t right = mask_zero(em[0]) & mask_equal(em[1], 2) & found & ~mask_less(at, 2 + PKCS1_PS_MIN);
    return (verdict){right, (uint32_t)len - 1 - at};
}

static ibk_err judge_oaep(verdict *v, uint8_t *em, size_t len, const EVP_MD *md) {
    size_t h = (size_t)EVP_MD_get_size(md), db_len = len - 1 - h;
    uint8_t *seed = em + 1, *db = em + 1 + h, label[EVP_MAX_MD_SIZE];
    ibk_err err = EVP_Digest("", 0, label, NULL, md, NULL) ? IBK_OK : IBK_ERR_INTERNAL;
    err = err ? err : ibk_mgf1_xor(seed, h, md, ibk_span_of(db, db_len));
    err = err ? err : ibk_mgf1_xor(db, db_len, md, ibk_span_of(seed, h));
    if (err)
        return err;
    uint32_t differs = em[0], found = 0, at = 0; /* the 01 that ends the zeros */
    for (size_t i = 0; i < h; i++)
        differs |= (uint32_t)(label[i] ^ db[i]);
    for (size_t i = h; i < db_len; i++) {
        uint32_t one = mask_equal(db[i], 1) & ~found;
        at = choose(one, (uint32_t)i, at);
        found |= one;
        differs |= db[i] & ~found; /* before it: zeros */
    }
    *v = (verdict){mask_zero(differs) & found, (uint32_t)db_len - 1 - at};
    return IBK_OK;
}

/* Moves the octets of a window to its front, by n < IBK_ENVELOPE_MAX places, each power of two in turn. */
static void move_to_front(uint8_t window[IBK_ENVELOPE_MAX], uint32_t n) {
    for (uint32_t step = 1; step < IBK_ENVELOPE_MAX; step <<= 1) {
        uint32_t move = ~mask_zero(n & step);
        for (uint32_t i = 0; i < IBK_ENVELOPE_MAX; i++) {
            uint32_t from = i + step < IBK_ENVELOPE_MAX ? window[i + step] : 0;
            window[i] = (uint8_t)choose(move, from, window[i]);
        }
    }
}

ibk_err ibk_rsaes_unpad(uint8_t out[IBK_ENVELOPE_MAX], size_t *out_len, uint8_t *em, size_t len,
                        uint8_t rsaes, const uint8_t instead[IBK_ENVELOPE_MAX]) {
    if (!fits(len, rsaes))
        return IBK_ERR_UNSUPPORTED;
    verdict v;
    ibk_err err = IBK_OK;
    if (rsaes == IBK_RSAES_PKCS1)
        v = judge_pkcs1(em, len);
    else
        err = judge_oaep(&v, em, len, hash_of(rsaes));
    if (err)
        return err;
    uint32_t right =
        v.right & ~mask_less(v.octets, IBK_ENVELOPE_MIN) & ~mask_less(IBK_ENVELOPE_MAX, v.octets);
    memcpy(out, em + len - IBK_ENVELOPE_MAX, IBK_ENVELOPE_MAX);
    move_to_front(out, (IBK_ENVELOPE_MAX - v.octets) & (IBK_ENVELOPE_MAX - 1));
    for (size_t i = 0; i < IBK_ENVELOPE_MAX; i++)
        out[i] = (uint8_t)choose(right, out[i], instead[i]);
    *out_len = choose(right, v.octets, IBK_ENVELOPE_MAX);
    return IBK_OK;
}
