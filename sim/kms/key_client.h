/* A UE's way to its KMS: REQUEST_KEY_PSK or REQUEST_KEY_PKE in an HTTP POST over TCP, and the answer (P-18).
 */
#ifndef SIM_KMS_KEY_CLIENT_H
#define SIM_KMS_KEY_CLIENT_H

#include "ims/host.h"
#include "scenario/model.h"

#define KMS_HTTP_PORT 8080
#define KMS_TARGET    "/mikey"

#define KEY_CLIENT_TRIES  4
#define KEY_CLIENT_TRY_NS (8 * SIP_S) /* longer than TCP needs for a few lost packets */

typedef struct key_client key_client;

/* What a UE needs for REQUEST_KEY_PKE: DER, borrowed. */
typedef struct key_client_pke {
    ibk_span certificate, private_key; /* of its user */
    ibk_span kms_certificate;          /* to whose key the envelope is encrypted */
    ibk_span anchor; /* what that certificate has to lead to; empty: it is trusted as it is */
} key_client_pke;

/* Everything is borrowed; `ids` for the call alone. */
typedef struct key_client_config {
    ims_host *host;
    const scn_user *user;    /* PSK, and the KMS that it asks */
    const ibk_identity *ids; /* what is asked for (P-10), 1 to IBK_KMS_MAX_USERS: URI for the KMS's current
                                issue of that identity, byte string for the key of one IBE identity */
    size_t n_ids;
    const ibk_ibe_params *params; /* of that KMS; NULL: none are known */
    const key_client_pke *pke;    /* NULL: REQUEST_KEY_PSK */
    ibk_timestamps *timestamps;
} key_client_config;

typedef struct key_client_result {
    scn_keys_failure failure; /* 0: keys arrived */
    ibk_diag diag;            /* why not */
    unsigned tries;           /* connections that were made for it */
} key_client_result;

/* Called once. `keys` may be taken: set *keys to the zero value. NULL after a failure. */
typedef void key_client_done(void *user, const key_client_result *result, ibk_key_list *keys);

/* `done` may run before this returns IBK_OK; after an error it does not run. A connection that fails, or
 * brings no answer within KEY_CLIENT_TRY_NS, is given up for another one with a new request (the KMS may have
 * seen the last one, and would take a copy for a replay), KEY_CLIENT_TRIES times in all. */
ibk_err key_client_start(key_client **out, const key_client_config *config, key_client_done *done,
                         void *user);
void key_client_free(key_client *client); /* an open request ends without `done` */

#endif
