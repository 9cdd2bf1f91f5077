/* ESK = E(K_PUB of the intended recipient, ID || SK) (RFC 6267 §4.2.2.5, P-11). */
#include "ibake/session_internal.h"

ibk_err esk_build(call *c, ibk_buf *ciphertext) {
    ibk_session *s = c->s;
    ibk_identity local = owned_id_get(&s->local), recipient = owned_id_get(&s->asked);
    ibk_chain chain = {0};
    ibk_buf plain = {0};
    ibk_err err = ibk_buf_resize(&s->sk, SK_LEN);
    err = err ? err : s->env.draw(s->env.user, IBK_DRAW_SK, s->sk.data, s->sk.len);
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
