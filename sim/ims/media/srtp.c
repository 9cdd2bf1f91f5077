#include "ims/media/srtp.h"

#include <string.h>

ibk_err media_srtp_error(srtp_err_status_t status) {
    switch (status) {
    case srtp_err_status_ok:
        return IBK_OK;
    case srtp_err_status_auth_fail:
        return IBK_ERR_BAD_MAC;
    case srtp_err_status_replay_fail:
    case srtp_err_status_replay_old:
        return IBK_ERR_REPLAYED;
    case srtp_err_status_bad_param:
    case srtp_err_status_parse_err:
    case srtp_err_status_no_ctx: /* an SSRC that is not the peer's */
        return IBK_ERR_BAD_VALUE;
    case srtp_err_status_key_expired:
        return IBK_ERR_LIMIT;
    case srtp_err_status_alloc_fail:
        return IBK_ERR_NO_MEMORY;
    default:
        return IBK_ERR_INTERNAL;
    }
}

ibk_err media_srtp_context(srtp_t *context, const media_keys *keys, srtp_ssrc_t ssrc, unsigned tag_len) {
    return media_srtp_weak_context(context, keys, ssrc, tag_len, (media_weakness){0});
}

ibk_err media_srtp_weak_context(srtp_t *context, const media_keys *keys, srtp_ssrc_t ssrc, unsigned tag_len,
                                media_weakness weakness) {
    uint8_t master[SRTP_AES_ICM_128_KEY_LEN_WSALT];
    srtp_policy_t policy = {.ssrc = ssrc, .key = master, .window_size = 128};
    _Static_assert(sizeof master == sizeof keys->key + sizeof keys->salt, "RFC 3711 §5.2");
    memcpy(master, keys->key, sizeof keys->key);
    memcpy(master + sizeof keys->key, keys->salt, sizeof keys->salt);
    if (tag_len == 4)
        srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32(&policy.rtp);
    else
        srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtp);
    srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtcp);
    policy.rtp.sec_serv =
        (weakness.unencrypted ? 0u : sec_serv_conf) | (weakness.unauthenticated ? 0u : sec_serv_auth);
    ibk_err err = media_srtp_error(*context ? srtp_update(*context, &policy) : srtp_create(context, &policy));
    ibk_wipe(master, sizeof master);
    return err;
}
