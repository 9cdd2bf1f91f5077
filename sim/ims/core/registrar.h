/* The bindings of an S-CSCF: public user identity to contacts, each with the Path that leads there (RFC 3261
 * §10.3, RFC 3327), and the credentials that the HSS gave for the challenges in hand. */
#ifndef IMS_CORE_REGISTRAR_H
#define IMS_CORE_REGISTRAR_H

#include "ims/sip/digest.h"
#include "ims/sip/ids.h"

#define REGISTRAR_TEXT_MAX     256 /* octets of an identity or nonce, with the zero */
#define REGISTRAR_PATH_MAX     4
#define REGISTRAR_CONTACTS_MAX 8 /* contacts of one public identity */

/* The challenge in hand for one private identity. */
typedef struct registrar_challenge {
    struct registrar_challenge *next;
    char impi[REGISTRAR_TEXT_MAX]; /* the digest username */
    char nonce[SIP_ID_MAX], ha1[SIP_DIGEST_HEX_MAX];
    sip_digest_alg alg;
    uint32_t nonce_count; /* highest nc seen for this nonce */
} registrar_challenge;

typedef struct registrar_binding {
    struct registrar_binding *next; /* in the order of registration */
    char impi[REGISTRAR_TEXT_MAX];  /* whose contact it is */
    char call_id[REGISTRAR_TEXT_MAX];
    uint32_t cseq; /* with call_id: of the REGISTER that made it */
    unsigned q;    /* thousandths */
    uint64_t until_ns;
    sip_arena arena;
    sip_uri contact;
    sip_name_addr path[REGISTRAR_PATH_MAX];
    size_t path_count;
} registrar_binding;

typedef struct registrar_entry {
    char impu[REGISTRAR_TEXT_MAX]; /* address of record: sip:alice@home.example */
    registrar_challenge *challenges;
    registrar_binding *bindings;
    struct registrar_entry *owner; /* of an implicitly registered identity: the one it came with, which has
                                      the bindings */
    struct registrar_entry
        *further;     /* of an owner: its implicit registration set; and of each the next one */
    bool has_profile; /* of an owner: the HSS has given the set, and knows that we serve it */
} registrar_entry;

typedef struct registrar registrar;

registrar *registrar_new(void);
void registrar_free(registrar *r); /* wipes the credentials */

/* The entry of this identity, or of the one that it was registered with; NULL if there is none (find), or out
 * of memory or text too long (get). */
registrar_entry *registrar_find(registrar *r, const char *impu);
registrar_entry *registrar_get(registrar *r, const char *impu);
/* From now on `impu` is registered whenever the entry's own identity is (TS 23.228 §5.2.1a). IBK_ERR_USAGE:
 * it is another one's; IBK_ERR_NO_MEMORY. */
ibk_err registrar_imply(registrar *r, registrar_entry *entry, const char *impu);
/* The challenge of a private identity; NULL as above. */
registrar_challenge *registrar_challenge_find(registrar_entry *entry, const char *impi);
registrar_challenge *registrar_challenge_get(registrar_entry *entry, const char *impi);

typedef struct registrar_contact {
    const char *impi, *call_id;
    uint32_t cseq;
    const sip_uri *uri;
    const sip_name_addr *path;
    size_t path_count;
    unsigned q; /* thousandths, at most 1000 */
    uint64_t until_ns;
} registrar_contact;

/* Makes a binding, or refreshes the one of the same contact; a private identity has one contact, a new one
 * takes the place of the old (TS 24.229 without outbound). Copies. IBK_ERR_MISMATCH: a REGISTER out of order
 * (RFC 3261 §10.3 step 7); IBK_ERR_LIMIT: too many contacts or Path entries, or text too long. */
ibk_err registrar_bind(registrar_entry *entry, const registrar_contact *contact);
void registrar_unbind(registrar_entry *entry, const sip_uri *contact);  /* NULL: all */
bool registrar_is_bound(const registrar_entry *entry, uint64_t now_ns); /* legal on NULL */
/* The valid bindings, highest q first, equal ones in the order of registration. Returns how many. */
size_t registrar_contacts(const registrar_entry *entry, uint64_t now_ns,
                          const registrar_binding *out[REGISTRAR_CONTACTS_MAX]);
size_t registrar_bound_count(const registrar *r, uint64_t now_ns); /* valid bindings of all entries */

#endif
