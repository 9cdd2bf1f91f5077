#include "mikey/rsa_pss.h"

#include "mikey/rsa_key.h"
#include "wire/writer.h"

#include <string.h>

/* H = hash(eight zeros || digest || salt) */
static ibk_err hash_salted(uint8_t h[EVP_MAX_MD_SIZE], const EVP_MD *md, ibk_span digest, ibk_span salt) {
    ibk_buf m = {0};
    ibk_wr wr;
    ibk_wr_init(&wr, &m);
    ibk_wr_zeros(&wr, 8);
    ibk_wr_span(&wr, digest);
    ibk_wr_span(&wr, salt);
    ibk_err err = ibk_wr_finish(&wr);
    if (!err && !EVP_Digest(m.data, m.len, h, NULL, md, NULL))
        err = IBK_ERR_INTERNAL;
    ibk_buf_free(&m);
    return err;
}

ibk_err ibk_pss_encode(uint8_t *block, size_t len, size_t modulus_bits, const ibk_env *env, const EVP_MD *md,
                       ibk_span digest) {
    size_t h_len = (size_t)EVP_MD_get_size(md);
    size_t em_bits = modulus_bits - 1;
    size_t lead =
        len - (em_bits + 7) / 8; /* 1 if the modulus has 8k + 1 bits: the block begins with a zero */
    if (digest.len != h_len || len < lead + 2 * h_len + 2)
        return IBK_ERR_UNSUPPORTED;
    size_t db_len = len - lead - h_len - 1;
    uint8_t salt[EVP_MAX_MD_SIZE], h[EVP_MAX_MD_SIZE];
    ibk_err err = env->draw(env->user, IBK_DRAW_SALT, salt, h_len);
    if (!err)
        err = hash_salted(h, md, digest, ibk_span_of(salt, h_len));
    if (err)
        return err;
    memset(block, 0, len);
    uint8_t *db = block + lead;
    db[db_len - h_len - 1] = 0x01;
    memcpy(db + db_len - h_len, salt, h_len);
    err = ibk_mgf1_xor(db, db_len, md, ibk_span_of(h, h_len));
    db[0] &= (uint8_t)(0xFF >> (8 * (len - lead) - em_bits));
    memcpy(db + db_len, h, h_len);
    db[db_len + h_len] = 0xBC;
    return err;
}
