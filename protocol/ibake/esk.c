/* ESK = E(K_PUB of the intended recipient, ID || SK) (RFC 6267 §4.2.2.1, §4.2.2.5, P-11), and the keys that
 * follow from SK (P-22). */
#include "ibake/session_internal.h"

static ibk_err draw_sk(ibk_session *s) {
    if (s->sk.len > 0) { /* the content is under it already */
        return IBK_OK;
    }
    ibk_err err = ibk_buf_resize(&s->sk, SK_LEN);
    return err ? err : s->env.draw(s->env.user, IBK_DRAW_SK, s->sk.data, s->sk.len);
}

ibk_err esk_build(call *c, ibk_buf *ciphertext) {
    ibk_session *s = c->s;
    ibk_identity local = owned_id_get(&s->local), recipient = owned_id_get(&s->asked);
    ibk_chain chain = {0};
    ibk_buf plain = {0};
    if (s->esk_use == IBK_ESK_STORED) { /* whoever made it encrypted it to this recipient */
        ibk_err err = ibk_buf_append_span(ciphertext, ibk_buf_span(&s->esk));
        return err ? call_fail(c, err, "ESK", "out of memory") : IBK_OK;
    }
    ibk_err err = draw_sk(s);
    if (!err) {
        ibk_add_idr(&chain, IBK_ROLE_I, local.id_type, local.id);
        ibk_add_sk(&chain, ibk_buf_span(&s->sk), NULL);
        err = ibk_chain_write(&chain, &plain);
    }
    err = err ? call_fail(c, err, "ESK", "no SK") : box_seal(c, &recipient, ibk_buf_span(&plain), ciphertext);
    ibk_chain_free(&chain);
    ibk_buf_free(&plain);
    return err;
}

ibk_err ibk_sk_keys(ibk_span sk, uint8_t cs_id, uint8_t *tek, size_t tek_len, uint8_t *salt,
                    size_t salt_len) {
    if (sk.len == 0 || cs_id == 0 || cs_id == IBK_SESSION_CS_ID) {
        return IBK_ERR_USAGE;
    }
    ibk_err err = IBK_OK;
    if (tek_len > 0) {
        err = ibk_derive(tek, tek_len, IBK_PRF_HMAC_SHA256, IBK_DERIVE_TEK, sk, cs_id, IBK_SESSION_CSB_ID,
                         (ibk_span){0});
    }
    if (!err && salt_len > 0) {
        err = ibk_derive(salt, salt_len, IBK_PRF_HMAC_SHA256, IBK_DERIVE_TGK_SALT, sk, cs_id,
                         IBK_SESSION_CSB_ID, (ibk_span){0});
    }
    if (err) {
        ibk_wipe(tek, tek_len);
        ibk_wipe(salt, salt_len);
    }
    return err;
}

static ibk_err take_sk(ibk_buf *sk, ibk_buf *sender, const ibk_chain *chain, ibk_diag *diag) {
    /* ID || SK and nothing else */
    if (chain->count != 2 || chain->items[0].type != IBK_PL_IDR || chain->items[1].type != IBK_PL_SK) {
        return ibk_fail(diag, IBK_ERR_BAD_CHAIN, "ESK", 0, "its content is not ID || SK");
    }
    if (chain->items[1].key.key_type != IBK_SK_SK || chain->items[1].key.key.len == 0) {
        return ibk_fail(diag, IBK_ERR_BAD_VALUE, "SK", chain->items[1].offset, "not a secret key");
    }
    ibk_err err = ibk_buf_append_span(sender, chain->items[0].id.data);
    return err ? err : ibk_buf_append_span(sk, chain->items[1].key.key);
}

ibk_err ibk_esk_open(ibk_buf *sk, ibk_buf *sender, const ibk_ibe_params *params, const ibk_ibe_key *key,
                     ibk_span esk, ibk_diag *diag) {
    ibk_buf plain = {0};
    ibk_chain chain = {0};
    ibk_err err = ibk_ibe_decrypt(params, key, esk, &plain, diag);
    err = err ? err : ibk_chain_parse(&chain, IBK_PL_ESK, IBK_PL_IDR, ibk_buf_span(&plain), diag); /* P-4 */
    err = err ? err : take_sk(sk, sender, &chain, diag);
    ibk_chain_free(&chain);
    ibk_buf_free(&plain);
    return err;
}
