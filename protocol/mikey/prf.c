/* Key derivation: RFC 3830 §4.1.2 to §4.1.4, RFC 6043 §6.1, RFC 6267 §5.1 and §5.2. */
#include "wire/reader.h"
#include "wire/writer.h"

#include <ibake/mikey.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

enum { BLOCK = 32, HASH_MAX = 32, OUT_MAX = 1024, LABEL_MAX = 9 + 255 };

static const EVP_MD *hash_of(uint8_t prf) {
    return prf == IBK_PRF_MIKEY_1 ? EVP_sha1() : prf == IBK_PRF_HMAC_SHA256 ? EVP_sha256() : NULL;
}

size_t ibk_prf_hash_len(uint8_t prf) {
    return prf == IBK_PRF_MIKEY_1 ? 20 : prf == IBK_PRF_HMAC_SHA256 ? 32 : 0;
}

static bool hmac(uint8_t out[HASH_MAX], const EVP_MD *md, ibk_span key, ibk_span in) {
    return HMAC(md, key.data, (int)key.len, in.data, in.len, out, NULL) != NULL;
}

/* XORs P(s, label) into out. Scratch: A_i || label. */
static bool p_hash(uint8_t *out, size_t out_len, const EVP_MD *md, ibk_span s, ibk_span label) {
    uint8_t scratch[HASH_MAX + LABEL_MAX], a[HASH_MAX], block[HASH_MAX];
    size_t hash_len = (size_t)EVP_MD_get_size(md);
    bool ok = hmac(a, md, s, label); /* A_1 = HMAC(s, A_0 = label) */
    for (size_t done = 0; ok && done < out_len; done += hash_len) {
        memcpy(scratch, a, hash_len);
        memcpy(scratch + hash_len, label.data, label.len);
        ok = hmac(block, md, s, ibk_span_of(scratch, hash_len + label.len)) &&
             hmac(a, md, s, ibk_span_of(scratch, hash_len));
        for (size_t i = 0; ok && i < hash_len && done + i < out_len; i++)
            out[done + i] ^= block[i];
    }
    ibk_wipe(scratch, sizeof scratch);
    ibk_wipe(a, sizeof a);
    ibk_wipe(block, sizeof block);
    return ok;
}

ibk_err ibk_prf_expand(uint8_t *out, size_t out_len, uint8_t prf, ibk_span inkey, ibk_span label) {
    const EVP_MD *md = hash_of(prf);
    if (!md)
        return IBK_ERR_UNSUPPORTED;
    if (inkey.len == 0 || inkey.len > 65535 || label.len == 0 || label.len > LABEL_MAX || out_len > OUT_MAX)
        return IBK_ERR_USAGE;
    memset(out, 0, out_len);
    ibk_rd rd;
    ibk_span block;
    bool ok = true;
    ibk_rd_init(&rd, inkey);
    while (ok && !ibk_rd_at_end(&rd))
        ok = ibk_rd_span(&rd, ibk_rd_left(&rd) < BLOCK ? ibk_rd_left(&rd) : BLOCK, &block) &&
             p_hash(out, out_len, md, block, label);
    if (!ok)
        ibk_wipe(out, out_len);
    return ok ? IBK_OK : IBK_ERR_INTERNAL;
}

typedef struct label_form {
    uint32_t constant;
    bool has_cs_id, has_csb_id;
} label_form;

static const label_form forms[] = {
    [IBK_DERIVE_MPK] = {0x220E99A2, false, false},     [IBK_DERIVE_TGK] = {0x1F4D675B, false, false},
    [IBK_DERIVE_MSG_ENCR] = {0x150533E1, false, true}, [IBK_DERIVE_MSG_AUTH] = {0x2D22AC75, false, true},
    [IBK_DERIVE_MSG_SALT] = {0x29B88916, false, true}, [IBK_DERIVE_TEK] = {0x2AD01C64, true, true},
    [IBK_DERIVE_TGK_AUTH] = {0x1B5C7973, true, true},  [IBK_DERIVE_TGK_ENCR] = {0x15798CEF, true, true},
    [IBK_DERIVE_TGK_SALT] = {0x39A2C14B, true, true},
};

ibk_err ibk_derive(uint8_t *out, size_t out_len, uint8_t prf, ibk_derive_kind kind, ibk_span inkey,
                   uint8_t cs_id, uint32_t csb_id, ibk_span rand) {
    if (kind < IBK_DERIVE_MPK || kind > IBK_DERIVE_TGK_SALT || rand.len > 255)
        return IBK_ERR_USAGE;
    const label_form *form = &forms[kind];
    ibk_buf label = {0};
    ibk_wr wr;
    ibk_wr_init(&wr, &label);
    ibk_wr_u32(&wr, form->constant);
    ibk_wr_u8(&wr, form->has_cs_id ? cs_id : IBK_SESSION_CS_ID);
    ibk_wr_u32(&wr, form->has_csb_id ? csb_id : IBK_SESSION_CSB_ID);
    ibk_wr_span(&wr, rand);
    ibk_err err = ibk_wr_finish(&wr);
    if (!err)
        err = ibk_prf_expand(out, out_len, prf, inkey, ibk_buf_span(&label));
    ibk_buf_free(&label);
    return err;
}

ibk_err ibk_msg_keys_derive(ibk_msg_keys *out, uint8_t prf, ibk_span inkey, uint32_t csb_id, ibk_span rand,
                            uint8_t encr_alg, uint8_t mac_alg) {
    *out = (ibk_msg_keys){0};
    if (!ibk_encr_known(encr_alg) || !ibk_mac_known(mac_alg))
        return IBK_ERR_UNSUPPORTED;
    out->encr_len = ibk_encr_key_len(encr_alg);
    out->auth_len = ibk_mac_len(mac_alg); // RFC 3830 §4.2.4: as long as the hash
    ibk_err err = ibk_derive(out->encr, out->encr_len, prf, IBK_DERIVE_MSG_ENCR, inkey, 0, csb_id, rand);
    if (!err)
        err = ibk_derive(out->salt, sizeof out->salt, prf, IBK_DERIVE_MSG_SALT, inkey, 0, csb_id, rand);
    if (!err)
        err = ibk_derive(out->auth, out->auth_len, prf, IBK_DERIVE_MSG_AUTH, inkey, 0, csb_id, rand);
    if (err)
        ibk_wipe(out, sizeof *out);
    return err;
}
