/* The bindings of an S-CSCF: public user identity to contact, with the Path that leads there (RFC 3261 §10.3,
 * RFC 3327), and the credentials that the HSS gave for the challenge in hand. */
#ifndef IMS_CORE_REGISTRAR_H
#define IMS_CORE_REGISTRAR_H

#include "ims/sip/digest.h"
#include "ims/sip/ids.h"

#define REGISTRAR_TEXT_MAX 256 /* octets of an identity or nonce, with the zero */
#define REGISTRAR_PATH_MAX 4

typedef struct registrar_entry {
    char impu[REGISTRAR_TEXT_MAX]; /* address of record: sip:alice@home.example */
    char impi[REGISTRAR_TEXT_MAX]; /* private identity: the digest username */
    /* the challenge in hand */
    char nonce[SIP_ID_MAX], ha1[SIP_DIGEST_HEX_MAX];
    sip_digest_alg alg;
    uint32_t nonce_count; /* highest nc seen for this nonce */
    /* the binding; bound_until_ns 0: none */
    uint64_t bound_until_ns;
    char call_id[REGISTRAR_TEXT_MAX]; /* of the REGISTER that made it */
    uint32_t cseq;
    sip_arena arena;
    sip_uri contact;
    sip_name_addr path[REGISTRAR_PATH_MAX];
    size_t path_count;
} registrar_entry;

typedef struct registrar registrar;

registrar *registrar_new(void);
void registrar_free(registrar *r); /* wipes the credentials */

/* The entry of this identity; NULL if there is none (find), or out of memory or text too long (get). */
registrar_entry *registrar_find(registrar *r, const char *impu);
registrar_entry *registrar_get(registrar *r, const char *impu);

/* Binds: copies contact and path into the entry. */
ibk_err registrar_bind(registrar_entry *entry, const sip_uri *contact, const sip_name_addr *path,
                       size_t path_count, uint64_t until_ns);
void registrar_unbind(registrar_entry *entry);
bool registrar_is_bound(const registrar_entry *entry, uint64_t now_ns);
size_t registrar_bound_count(const registrar *r, uint64_t now_ns);

#endif
