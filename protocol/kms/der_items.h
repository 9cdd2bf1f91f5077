/* ibakelab: elements that several structures of RFC 5408 share. Reading moves the cursor; writing appends. */
#ifndef KMS_DER_ITEMS_H
#define KMS_DER_ITEMS_H

#include "ibe/der.h"

#include <ibake/publication.h>

enum { DER_IA5 = 0x16, DER_TIME = 0x18 };

ibk_err take_oid(ibk_der *d, ibk_span *oid, const char *field, ibk_diag *diag);
/* An IA5String that is a URI with a scheme, of at most IBK_DISTRICT_MAX octets. */
ibk_err take_uri(ibk_der *d, ibk_span *uri, const char *field, ibk_diag *diag);
/* A non-negative INTEGER below 2^64. */
ibk_err take_serial(ibk_der *d, uint64_t *serial, const char *field, ibk_diag *diag);
/* SEQUENCE OF SEQUENCE { OID, OCTET STRING }, at least `least` and at most IBK_SYSPARAMS_ITEMS. */
ibk_err take_items(ibk_der *d, ibk_oid_value *items, size_t *n, size_t least, const char *field,
                   ibk_diag *diag);

bool oid_sound(ibk_span oid);
bool uri_sound(ibk_span uri);
ibk_err put_serial(ibk_buf *out, uint64_t serial);
ibk_err put_items(ibk_buf *out, const ibk_oid_value *items, size_t n); /* USAGE: no OID, too many */

/* Wraps what a writer has appended since `from`, or takes it back if `err`. */
ibk_err finish_structure(ibk_buf *out, size_t from, ibk_err err);

#endif
