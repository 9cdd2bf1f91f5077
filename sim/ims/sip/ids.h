/* SIP: branches, tags, Call-IDs and nonces from the node's injected random source. */
#ifndef IMS_SIP_IDS_H
#define IMS_SIP_IDS_H

#include "ims/sip/env.h"

#define SIP_ID_MAX 48 /* octets of any of these, with the zero */

/* 24 hex digits (96 bits; RFC 3261 §19.3 wants 32 at least for a tag). */
ibk_err sip_new_tag(const sip_env *env, char out[SIP_ID_MAX]);
/* The magic cookie and 24 hex digits. */
ibk_err sip_new_branch(const sip_env *env, char out[SIP_ID_MAX]);
/* 32 hex digits; for Call-IDs (append @host where wanted), nonces and cnonces. */
ibk_err sip_new_token(const sip_env *env, char out[SIP_ID_MAX]);

#endif
