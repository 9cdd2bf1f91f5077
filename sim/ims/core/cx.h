/* Cx (3GPP TS 29.228, TS 29.229) between the CSCFs and the HSS: Diameter over TCP. */
#ifndef IMS_CORE_CX_H
#define IMS_CORE_CX_H

#include "ims/core/diameter.h"
#include "ims/host.h"
#include "ims/sip/digest.h"

#define CX_TEXT_MAX       256
#define CX_IDENTITIES_MAX 8 /* of an implicit registration set */

/* Server-Assignment-Type, TS 29.229 §6.3.15 */
enum cx_assignment {
    CX_NO_ASSIGNMENT = 0,
    CX_REGISTRATION = 1,
    CX_RE_REGISTRATION = 2,
    CX_UNREGISTERED_USER = 3, /* a call for a user of whom the S-CSCF has no profile */
    CX_USER_DEREGISTRATION = 5
};

typedef struct cx_request {
    enum diameter_command command; /* UAR, LIR, MAR, SAR */
    const char *impu;              /* public identity */
    const char *impi;              /* private identity; NULL in LIR and in SAR for an unregistered user */
    const char *server;            /* S-CSCF's URI, MAR and SAR */
    const char *visited;           /* visited network, UAR */
    enum cx_assignment assignment; /* SAR */
} cx_request;

typedef struct cx_answer {
    uint32_t result;          /* Result-Code or Experimental-Result-Code; 0: no answer */
    bool ok;                  /* success, first or subsequent registration, unregistered service */
    char server[CX_TEXT_MAX]; /* Server-Name, or "" */
    char realm[CX_TEXT_MAX], ha1[SIP_DIGEST_HEX_MAX]; /* MAA: SIP-Digest-Authenticate */
    /* SAA: the public identities of User-Data, the one that was registered first; 0: it had none */
    char identities[CX_IDENTITIES_MAX][CX_TEXT_MAX];
    size_t identity_count;
} cx_answer;

/* ---- client: I-CSCF and S-CSCF --------------------------------------------------------------------- */

typedef struct cx_client cx_client;
typedef void cx_done(void *user, const cx_answer *answer);

/* Connects when the first question is asked. */
ibk_err cx_client_new(cx_client **out, ims_host *host, const sip_addr *server, const char *hss_name,
                      const char *realm);
/* Answers what is open with result 0, then frees. */
void cx_client_free(cx_client *client);
/* `done` is called exactly once, later, with result 0 after 10 s or when the connection fails. */
ibk_err cx_client_ask(cx_client *client, const cx_request *request, cx_done *done, void *user);

/* ---- server: HSS ------------------------------------------------------------------------------------- */

typedef struct hss hss;

/* A public identity with one of its private identities: a further device of the same user is another
 * subscriber with the same impu (TS 23.228 §4.3.3.4). */
typedef struct hss_subscriber {
    const char *impu, *impi; /* sip:alice@home.example, alice@home.example */
    const char *password;
    bool unregistered_services; /* calls for the user go to an S-CSCF even while no device is registered */
} hss_subscriber;

/* `realm` is the home domain. */
ibk_err hss_new(hss **out, const ims_host_config *host, const char *realm);
/* Texts are copied; the password is kept as Digest-HA1 only. IBK_ERR_USAGE: this impu has this impi already.
 */
ibk_err hss_add(hss *h, const hss_subscriber *subscriber);
/* A further public identity of a subscriber: registered implicitly with `impu` (TS 23.228 §5.2.1a), and found
 * in its place. IBK_ERR_USAGE: somebody has it, or there is no such impu. */
ibk_err hss_add_identity(hss *h, const char *impu, const char *further);
void hss_free(hss *h);
const ims_host *hss_host(const hss *h);

#endif
