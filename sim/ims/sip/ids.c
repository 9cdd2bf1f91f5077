#include "ims/sip/ids.h"
#include "ims/sip/message.h"

#include <string.h>

static ibk_err hex(const sip_env *env, char *out, size_t octets) {
    static const char digit[] = "0123456789abcdef";
    uint8_t random[16];
    ibk_err err = env->draw(env->user, random, octets);
    if (err)
        return err;
    for (size_t i = 0; i < octets; i++) {
        *out++ = digit[random[i] >> 4];
        *out++ = digit[random[i] & 15];
    }
    *out = 0;
    return IBK_OK;
}

ibk_err sip_new_tag(const sip_env *env, char out[SIP_ID_MAX]) {
    return hex(env, out, 12);
}

ibk_err sip_new_branch(const sip_env *env, char out[SIP_ID_MAX]) {
    strcpy(out, SIP_BRANCH_COOKIE);
    return hex(env, out + strlen(SIP_BRANCH_COOKIE), 12);
}

ibk_err sip_new_token(const sip_env *env, char out[SIP_ID_MAX]) {
    return hex(env, out, 16);
}
