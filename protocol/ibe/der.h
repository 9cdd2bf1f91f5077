/* Strict DER (ITU-T X.690 §10, §11), as much as the structures of RFC 5091 §8 need. */
#ifndef IBE_DER_H
#define IBE_DER_H

#include <ibake/base.h>

enum { IBK_DER_INTEGER = 0x02, IBK_DER_OCTETS = 0x04, IBK_DER_OID = 0x06, IBK_DER_SEQUENCE = 0x30 };

/* ---- reading (der_in.c): a cursor over one structure's content; offsets count from the outermost input ----
 */

typedef struct ibk_der {
    const uint8_t *start; /* of the outermost input */
    const uint8_t *at, *end;
    const char *name; /* of the structure, for diagnostics */
} ibk_der;

/* A cursor over `input`, which is to hold one SEQUENCE and nothing after it. */
ibk_err ibk_der_open(ibk_der *d, ibk_span input, const char *name, ibk_diag *diag);
/* The next element, which has this tag: its content. `field` names it in diagnostics. */
ibk_err ibk_der_take(ibk_der *d, ibk_span *content, uint8_t tag, const char *field, ibk_diag *diag);
/* The next element, a SEQUENCE, as a cursor of its own. */
ibk_err ibk_der_enter(ibk_der *d, ibk_der *inner, const char *field, ibk_diag *diag);
/* A non-negative INTEGER in minimal form, of at most `limit` octets: its magnitude, without leading zero. */
ibk_err ibk_der_natural(ibk_der *d, ibk_span *magnitude, size_t limit, const char *field, ibk_diag *diag);
/* version INTEGER { v2(2) } */
ibk_err ibk_der_version(ibk_der *d, ibk_diag *diag);
/* FpPoint { x, y } */
ibk_err ibk_der_point(ibk_der *d, ibk_span *x, ibk_span *y, size_t limit, const char *field, ibk_diag *diag);
/* Nothing is left. */
ibk_err ibk_der_close(const ibk_der *d, ibk_diag *diag);
size_t ibk_der_offset(const ibk_der *d);

/* ---- writing (der_out.c): appending; errors are those of ibk_buf ---- */

ibk_err ibk_der_put(ibk_buf *out, uint8_t tag, ibk_span content);
ibk_err ibk_der_put_natural(ibk_buf *out, ibk_span magnitude); /* leading zeros are dropped */
ibk_err ibk_der_put_version(ibk_buf *out);
ibk_err ibk_der_put_point(ibk_buf *out, ibk_span x, ibk_span y);
/* Wraps what was appended since `from` into a SEQUENCE. */
ibk_err ibk_der_wrap(ibk_buf *out, size_t from);

#endif
