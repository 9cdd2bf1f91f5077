/* Builders: one call appends one payload to a chain. */
#include "mikey/payload.h"

void ibk_add_t(ibk_chain *chain, const ibk_t *t) {
    ibk_chain_add(chain, &(ibk_payload){.type = IBK_PL_T, .t = *t});
}

void ibk_add_rand(ibk_chain *chain, ibk_span rand) {
    ibk_chain_add(chain, &(ibk_payload){.type = IBK_PL_RAND, .rand = {.data = rand}});
}

void ibk_add_idr(ibk_chain *chain, uint8_t role, uint8_t id_type, ibk_span data) {
    ibk_idr id = {.role = role, .id_type = id_type, .data = data};
    ibk_chain_add(chain, &(ibk_payload){.type = IBK_PL_IDR, .id = id});
}

void ibk_add_sp(ibk_chain *chain, uint8_t policy_no, uint8_t prot_type, ibk_span params) {
    ibk_sp sp = {.policy_no = policy_no, .prot_type = prot_type, .params = params};
    ibk_chain_add(chain, &(ibk_payload){.type = IBK_PL_SP, .sp = sp});
}

void ibk_add_ext(ibk_chain *chain, uint8_t ext_type, ibk_span data) {
    ibk_chain_add(chain, &(ibk_payload){.type = IBK_PL_EXT, .ext = {.ext_type = ext_type, .data = data}});
}

void ibk_add_enc(ibk_chain *chain, uint8_t payload_type, ibk_span ciphertext) {
    ibk_chain_add(chain, &(ibk_payload){.type = payload_type, .enc = {.data = ciphertext}});
}

void ibk_add_eccpt(ibk_chain *chain, uint8_t curve, ibk_span point) {
    // auth alg and TGK length mean nothing here (RFC 6267 §6.1.4): 0
    ibk_chain_add(chain, &(ibk_payload){.type = IBK_PL_ECCPT, .eccpt = {.curve = curve, .point = point}});
}

static void add_key(ibk_chain *chain, uint8_t payload_type, uint8_t key_type, ibk_span key,
                    const ibk_kv *kv) {
    ibk_payload p = {.type = payload_type, .key = {.key_type = key_type, .key = key}};
    if (kv)
        p.key.kv = *kv;
    ibk_chain_add(chain, &p);
}

void ibk_add_key(ibk_chain *chain, uint8_t key_type, ibk_span key, const ibk_kv *kv) {
    add_key(chain, IBK_PL_KEY_DATA, key_type, key, kv);
}

void ibk_add_sk(ibk_chain *chain, ibk_span key, const ibk_kv *kv) {
    add_key(chain, IBK_PL_SK, IBK_SK_SK, key, kv);
}

void ibk_add_kemac(ibk_chain *chain, uint8_t encr_alg, ibk_span data, uint8_t mac_alg) {
    ibk_kemac kemac = {.encr_alg = encr_alg, .data = data, .mac_alg = mac_alg};
    ibk_chain_add(chain, &(ibk_payload){.type = IBK_PL_KEMAC, .kemac = kemac});
}

void ibk_add_pke(ibk_chain *chain, uint8_t cache, ibk_span data) {
    ibk_chain_add(chain, &(ibk_payload){.type = IBK_PL_PKE, .pke = {.cache = cache, .data = data}});
}

void ibk_add_cert(ibk_chain *chain, uint8_t cert_type, ibk_span data) {
    ibk_chain_add(chain, &(ibk_payload){.type = IBK_PL_CERT, .cert = {.cert_type = cert_type, .data = data}});
}

void ibk_add_error(ibk_chain *chain, uint8_t error_no) {
    ibk_chain_add(chain, &(ibk_payload){.type = IBK_PL_ERR, .error = {.error_no = error_no}});
}

void ibk_add_v(ibk_chain *chain, uint8_t mac_alg) {
    ibk_chain_add(chain, &(ibk_payload){.type = IBK_PL_V, .v = {.mac_alg = mac_alg}});
}

void ibk_add_sign(ibk_chain *chain, uint8_t sig_type, ibk_span signature) {
    ibk_sign sign = {.sig_type = sig_type, .signature = signature};
    ibk_chain_add(chain, &(ibk_payload){.type = IBK_PL_SIGN, .sign = sign});
}
