/* REQUEST_KEY_RESP under pre-shared keys that are held (RFC 6267 §4.2.1.3): whoever has a user's PSK reads
 * the private keys that its KMS sends it. */
#include "adversary/analyst_internal.h"

#include <string.h>

static const ibk_payload *rand_of_request(const an_exchange *e) {
    for (const an_message *m = e->messages; m; m = m->next)
        if (m->msg.hdr.data_type == IBK_MSG_REQUEST_KEY_PSK ||
            m->msg.hdr.data_type == IBK_MSG_REQUEST_KEY_PKE)
            return ibk_msg_find(&m->msg, IBK_PL_RAND, 0);
    return NULL;
}

/* Identities and keys stand in turn (P-10). */
static void take_keys(analyst *a, const an_message *m, const ibk_chain *chain, const wallet_secret *psk) {
    wallet_origin origin = wallet_from(LEDGER_DECRYPTED, an_later(m->at_ns, psk->origin.since_ns),
                                       "read in a REQUEST_KEY_RESP under a PSK");
    for (size_t i = 0; i + 1 < chain->count; i++) {
        const ibk_payload *id = &chain->items[i], *key = &chain->items[i + 1];
        if (id->type == IBK_PL_IDR && key->type == IBK_PL_KEY_DATA && key->key.key_type == IBK_KEY_K_PR)
            (void)wallet_add_key_der(a->config.wallet, NULL, id->id.data, key->key.key, &origin);
    }
}

static void open_answer(analyst *a, const an_exchange *e, const an_message *m, const wallet_secret *psk) {
    const ibk_payload *kemac = ibk_msg_find(&m->msg, IBK_PL_KEMAC, 0),
                      *t = ibk_msg_find(&m->msg, IBK_PL_T, 0), *rand = rand_of_request(e),
                      *v = ibk_msg_find(&m->msg, IBK_PL_V, 0);
    ibk_msg_keys keys = {0};
    ibk_buf plain = {0};
    ibk_chain chain = {0};
    if (!kemac || !t || !rand || !v)
        return;
    uint8_t alg = kemac->kemac.encr_alg;
    ibk_err err = ibk_msg_keys_derive(&keys, m->msg.hdr.prf, ibk_buf_span(&psk->octets), e->csb_id,
                                      rand->rand.data, alg, v->v.mac_alg);
    err = err ? err : ibk_kemac_decrypt(&plain, alg, &keys, e->csb_id, &t->t, kemac->kemac.data);
    err = err ? err : ibk_chain_parse(&chain, IBK_PL_KEMAC, IBK_PL_IDR, ibk_buf_span(&plain), NULL);
    if (!err)
        take_keys(a, m, &chain, psk);
    ibk_wipe(&keys, sizeof keys);
    ibk_chain_free(&chain);
    ibk_buf_free(&plain);
}

void an_open_answers(analyst *a) {
    const wallet_secret *psk;
    for (an_exchange *e = a->exchanges; e; e = e->next)
        for (const an_message *m = e->messages; m; m = m->next)
            for (size_t i = 0; m->msg.hdr.data_type == IBK_MSG_REQUEST_KEY_RESP &&
                               (psk = wallet_psk_at(a->config.wallet, i));
                 i++)
                open_answer(a, e, m, psk);
}
