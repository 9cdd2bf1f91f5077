/* MAC algorithms: RFC 3830 §4.2.4, RFC 6043 §6.2. */
#include "wire/writer.h"

#include <ibake/mikey.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

bool ibk_mac_known(uint8_t mac_alg) {
    return mac_alg <= IBK_MAC_HMAC_SHA256_256;
}

size_t ibk_mac_len(uint8_t mac_alg) {
    return mac_alg == IBK_MAC_HMAC_SHA1_160 ? 20 : mac_alg == IBK_MAC_HMAC_SHA256_256 ? 32 : 0;
}

ibk_err ibk_mac_compute(uint8_t out[IBK_MAC_MAX], uint8_t mac_alg, ibk_span key, const ibk_span *spans,
                        size_t n_spans) {
    if (!ibk_mac_known(mac_alg))
        return IBK_ERR_UNSUPPORTED;
    if (mac_alg == IBK_MAC_NULL)
        return IBK_OK;
    if (key.len != ibk_mac_len(mac_alg)) // RFC 3830 §4.2.4, RFC 6043 §6.2
        return IBK_ERR_USAGE;
    ibk_buf all = {0};
    ibk_err err = IBK_OK;
    for (size_t i = 0; i < n_spans && !err; i++)
        err = ibk_buf_append_span(&all, spans[i]);
    const EVP_MD *md = mac_alg == IBK_MAC_HMAC_SHA1_160 ? EVP_sha1() : EVP_sha256();
    static const uint8_t nothing;
    const uint8_t *data = all.len ? all.data : &nothing;
    if (!err && !HMAC(md, key.data, (int)key.len, data, all.len, out, NULL))
        err = IBK_ERR_INTERNAL;
    ibk_buf_free(&all);
    return err;
}

ibk_err ibk_kemac_mac(uint8_t out[IBK_MAC_MAX], const ibk_kemac *kemac, ibk_span auth_key) {
    ibk_buf octets = {0};
    ibk_wr wr;
    ibk_wr_init(&wr, &octets);
    ibk_wr_u8(&wr, IBK_PL_LAST);
    ibk_wr_u8(&wr, kemac->encr_alg);
    ibk_wr_span16(&wr, kemac->data);
    ibk_wr_u8(&wr, kemac->mac_alg);
    ibk_err err = ibk_wr_finish(&wr);
    ibk_span all = ibk_buf_span(&octets);
    if (!err)
        err = ibk_mac_compute(out, kemac->mac_alg, auth_key, &all, 1);
    ibk_buf_free(&octets);
    return err;
}
