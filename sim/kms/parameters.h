/* The public parameters of a KMS by RFC 5408 §4: where they are, who publishes them, who fetches them (P-25).
 */
#ifndef SIM_KMS_PARAMETERS_H
#define SIM_KMS_PARAMETERS_H

#include "kms/http_server.h"
#include "scenario/model.h"

#define PARAMETERS_TARGET "/ibe/pp"
#define KMS_HTTPS_PORT    443
#define KMS_PLAIN_PORT    80 /* with `tls: off` */
#define PARAMETERS_URI    320
#define PARAMETERS_DOMAIN 200 /* octets of a domain's name with its terminator */
#define PARAMETERS_SERIAL 1   /* a KMS has one set for good; its validity alone is renewed */

/* "https://kms.home.example/ibe/pp": where the KMS of a domain publishes, and the name of its district. With
 * `secure` false it is http. */
void parameters_uri(char out[PARAMETERS_URI], const char *domain, bool secure);
/* "kms.home.example"; the same for `target` "/ibe/key" and so on. */
void parameters_host(char out[256], const char *domain);

/* ---- the KMS's side ------------------------------------------------------------------------------------ */

typedef struct parameters_server_config {
    ims_host *host;
    const scn_domain *domain;
    const ibk_ibe_params *params; /* borrowed */
    ibk_span bf; /* DER BFPublicParameters to publish, as they are, in place of `params`; empty: those */
    const char *pkg_uri; /* NULL: without the extension that names the key server */
} parameters_server_config;

typedef struct parameters_server parameters_server;

ibk_err parameters_server_new(parameters_server **out, const parameters_server_config *config);
void parameters_server_free(parameters_server *s);
/* DER IBESysParams as it is published now, appended. A set is valid from up to half of the domain's
 * `parameters-validity` ago until the whole of it later, so that who fetches it has at least half. */
ibk_err parameters_server_current(const parameters_server *s, ibk_buf *out);
/* Answers a request for PARAMETERS_TARGET: GET alone is allowed. */
void parameters_server_serve(parameters_server *s, http_exchange *exchange, const http_message *request);
uint64_t parameters_server_served(const parameters_server *s); /* sets that were given out */

/* ---- the UE's side ---------------------------------------------------------------------------------------
 */

/* What a UE was provisioned with. */
typedef struct parameters_source {
    const scn_domain *domain;
    const ibk_ibe_params *params;
} parameters_source;

/* One fetch, for the result. */
typedef struct parameters_fetch {
    char domain[PARAMETERS_DOMAIN];
    uint64_t begin_ns, end_ns; /* virtual time */
    bool ended, secure;
    scn_parameters_failure failure; /* 0: a valid set arrived */
    char detail[120];
} parameters_fetch;

typedef struct parameters_client_config {
    ims_host *host;
    tls_context *tls; /* borrowed; NULL: it has no trust anchor, nothing can be fetched over TLS */
    const scn_domain *home;
    const parameters_source *sources; /* borrowed: one for each domain of the scenario */
    size_t n_sources;
    uint64_t without;            /* defences that the UE lacks (scenario/defences.h) */
    void (*fetched)(void *user); /* a fetch has ended, well or not: ask again for what was pending */
    void *user;
} parameters_client_config;

typedef struct parameters_client parameters_client;

ibk_err parameters_client_new(parameters_client **out, const parameters_client_config *config);
void parameters_client_free(parameters_client *c); /* open fetches end without a word */

/* The parameters of the KMS of a domain. FOUND: provisioned, or fetched and valid on this node's own clock;
 * *out lives as long as the client. PENDING: they are being fetched (one fetch for all who wait); `fetched`
 * will be called, never inside this call. ABSENT: they cannot be had; a failure is believed for half a
 * minute. 64 domains are known at once: of those that were asked for in vain the first makes room, for
 * anybody can name domains in an I_MESSAGE_1. */
ibk_lookup parameters_client_find(parameters_client *c, ibk_span domain, const ibk_ibe_params **out);
/* How long a key of that KMS is for: as published, or as provisioned. False: nothing is known. */
bool parameters_client_granularity(parameters_client *c, ibk_span domain, ibk_granularity *out);
/* The published set that the parameters came from, DER IBESysParams; empty: provisioned, or none. */
ibk_span parameters_client_published(const parameters_client *c, ibk_span domain);
bool parameters_client_is_idle(const parameters_client *c); /* no fetch is open */
/* The first 1024; later ones are made, but not noted. Borrowed until the next fetch. */
size_t parameters_client_fetches(const parameters_client *c, const parameters_fetch **out);

#endif
