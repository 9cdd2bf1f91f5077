/* Private keys by RFC 5408 §5: a POST of XML with HTTP Basic over TLS, one IBE identity a request. The
 * alternative to RFC 6267's MIKEY exchange with the KMS. */
#ifndef SIM_KMS_RFC5408_H
#define SIM_KMS_RFC5408_H

#include "kms/http_server.h"
#include "kms/key_client.h"
#include "kms/parameters.h"

#define RFC5408_TARGET "/ibe/key"

/* ---- the KMS's side --------------------------------------------------------------------------------------
 */

typedef struct rfc5408_server_config {
    ims_host *host;
    ibk_kms *kms;                        /* borrowed */
    const parameters_server *parameters; /* borrowed: the district that identities have to be of */
    /* Who is it? *owner is passed on to the KMS's `authorized`. False: no such user, or another password. */
    bool (*authenticate)(void *user, const char *name, const char *password, void **owner);
    void *user;
} rfc5408_server_config;

typedef struct rfc5408_result {
    unsigned status; /* of HTTP */
    int code;        /* of RFC 5408 §5.6, with status 200 */
    ibk_err err;     /* IBK_OK: a key was issued */
    ibk_diag diag;
} rfc5408_result;

/* Answers a request for RFC5408_TARGET; *result tells what it came to. */
void rfc5408_serve(const rfc5408_server_config *config, http_exchange *exchange, const http_message *request,
                   rfc5408_result *result);

/* ---- the UE's side
 * -----------------------------------------------------------------------------------------
 */

typedef struct rfc5408_client rfc5408_client;

typedef struct rfc5408_client_config {
    ims_host *host;
    tls_context *tls;             /* borrowed; NULL: it has no trust anchor */
    const scn_user *user;         /* whose KMS it asks, with its private identity and key password */
    const ibk_ibe_params *params; /* of that KMS */
    ibk_span published;           /* DER IBESysParams that they came from; empty: they were provisioned */
    const ibk_span *identities;   /* IBE identities, date included; copied */
    size_t n_identities;
} rfc5408_client_config;

/* Asks for one key after the other; every one has to come. `done` is called as key_client's, never inside
 * this call; a zero failure has all of them, verified. */
ibk_err rfc5408_client_start(rfc5408_client **out, const rfc5408_client_config *config, key_client_done *done,
                             void *user);
void rfc5408_client_free(rfc5408_client *client); /* an open request ends without `done` */

#endif
