/* ibakelab: XML in a buffer whose first failure sticks. */
#ifndef CLI_XML_H
#define CLI_XML_H

#include <ibake/base.h>

typedef struct xml_out {
    ibk_buf buf; /* owned: free it with ibk_buf_free */
    ibk_err err; /* the first failure, after which nothing is appended any more */
} xml_out;

/* Markup, as it is. */
void xml_put(xml_out *out, const char *markup);
void xml_putf(xml_out *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Text from anywhere, fit for the value of an attribute: marks escaped, all but printable ASCII as \xNN. */
void xml_text(xml_out *out, ibk_span text);
/* Octets in hex, with `between` every two. */
void xml_hex(xml_out *out, ibk_span octets, const char *between);

#endif
