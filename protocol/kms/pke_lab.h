/* Test support: a user with a certificate and a KMS, for REQUEST_KEY_PKE. Linked into tests only. */
#ifndef KMS_PKE_LAB_H
#define KMS_PKE_LAB_H

#include "ibake/lab.h"
#include "kms/pki_lab.h"

#define ALICE "sip:alice@home.example"
#define TEL   "tel:+15550100"
#define NAI   "alice@home.example"
#define KMS   "kms.home.example"

/* Made once by pke_setup. alice[n] has a chain of n + 1 certificates; alice[2] has an RSA key of 3072 bits.
 */
typedef struct pke_world {
    pki_cert root, middle, lower, stranger; /* authorities; `stranger` is nobody's anchor */
    pki_cert alice[3];
    pki_cert kms[2]; /* 2048 and 3072 bits, for KMS */
} pke_world;

extern pke_world world;

int pke_setup(void **state);
int pke_teardown(void **state);

typedef struct pke_work {
    unsigned count[IBK_WORK_RSA_PUBLIC + 1], size[IBK_WORK_RSA_PUBLIC + 1];
} pke_work;

typedef struct pke_desk {
    lab_user user, kms_node;
    ibk_kms *kms;
    ibk_kms_config kc;
    ibk_key_request_config rc;
    ibk_kms_key_pair pairs[2];
    ibk_span anchors[1], chain[IBK_PKE_MAX_CERTIFICATES + 1], kms_certs[2];
    ibk_identity users[IBK_KMS_MAX_USERS + 1];
    ibk_key_request *request;
    ibk_buf asked, answer;
    ibk_kms_result result;
    ibk_key_list keys;
    uint8_t error_no;
    ibk_diag diag;
    ibk_err started; /* what the last start came to */
    pke_work user_work, kms_work;
} pke_desk;

void desk_init(pke_desk *d); /* alice[0] asks for her current key with one certificate; the KMS has kms[0] */
void desk_free(pke_desk *d);
void desk_certificate(pke_desk *d, const pki_cert *cert); /* the user's own, alone */
void ask(pke_desk *d);
void handle(pke_desk *d);
ibk_err finish(pke_desk *d);
ibk_err whole(pke_desk *d);
/* The whole fails: at the KMS for this reason; the user is told this number, or nothing (-1). */
void refused(pke_desk *d, ibk_err at_kms, int error_no);
/* Asks, has the request changed and signed again with the same key, and handles it. */
void handle_edited(pke_desk *d, void change(ibk_msg *msg, void *arg), void *arg);

#endif
