/* SIP, inside: the header section of a message as raw fields, before libosip2 sees it. */
#ifndef IMS_SIP_SCAN_H
#define IMS_SIP_SCAN_H

#include "ims/sip/message.h"

typedef struct sip_field {
    const char *name;  /* canonical, compact forms expanded; in the arena */
    const char *value; /* unfolded, trimmed; in the arena */
    size_t offset;     /* of the field in the message */
} sip_field;

typedef struct sip_scan {
    const char *start_line; /* in the arena */
    sip_field *field;
    size_t field_count;
    size_t header_len; /* octets up to and with the empty line */
} sip_scan;

/* Checks CRLF, characters, sizes, counts, field names. */
ibk_err sip_scan_header(sip_arena *arena, sip_scan *out, ibk_span octets, ibk_diag *diag);
/* The only field of this name; NULL and IBK_OK if absent, IBK_ERR_UNEXPECTED_PAYLOAD if there are several. */
ibk_err sip_scan_one(const sip_scan *scan, const char *name, const sip_field **out, ibk_diag *diag);
/* Octets up to the comma that ends a list element, or to the end: not inside quotes or <>. */
size_t sip_element_len(const char *text);
/* "v" to "Via", "call-id" to "Call-ID"; unknown names stay as they are. */
const char *sip_canonical_name(const char *name);

#endif
