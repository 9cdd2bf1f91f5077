/* ibakelab: telling the fields of a payload, in order of their octets (ibk_describe_payload). */
#ifndef MIKEY_DESCRIBE_H
#define MIKEY_DESCRIBE_H

#include "wire/reader.h"

#include <ibake/mikey.h>

/* A walk over the octets of one payload or header. Reads past the end end the walk silently: what is
 * described was parsed before. */
typedef struct ibk_desc {
    ibk_rd rd;
    size_t base; /* offset of the octets in the input */
    int depth;
    ibk_field_fn *fn;
    void *user;
} ibk_desc;

typedef const char *ibk_name_fn(uint8_t value);

enum ibk_desc_style {
    IBK_DESC_HEX,
    IBK_DESC_TEXT, /* printable as it is, other octets as \xNN */
    IBK_DESC_AUTO, /* text if all of it is printable */
    IBK_DESC_SECRET
};

/* Each describes the next octets as one field, and returns its value if it is a number. `names` may be NULL.
 */
uint8_t ibk_desc_u8(ibk_desc *d, const char *name, ibk_name_fn *names);
uint64_t ibk_desc_num(ibk_desc *d, const char *name, size_t width);
void ibk_desc_hex32(ibk_desc *d, const char *name); /* four octets, as 0x01234567 */
void ibk_desc_octets(ibk_desc *d, const char *name, size_t len, enum ibk_desc_style style);
void ibk_desc_rest(ibk_desc *d, const char *name, enum ibk_desc_style style);
/* A field of bits inside the octets at the cursor, which it does not pass: ibk_desc_skip does. */
void ibk_desc_bits(ibk_desc *d, const char *name, size_t width, uint64_t value, ibk_name_fn *names);
/* A field of `width` octets with a text of its own; passes it. */
void ibk_desc_say(ibk_desc *d, const char *name, size_t width, uint64_t value, const char *text);
void ibk_desc_skip(ibk_desc *d, size_t width);
uint64_t ibk_desc_peek(ibk_desc *d, size_t width); /* 0 past the end */
size_t ibk_desc_left(const ibk_desc *d);
void ibk_desc_next(ibk_desc *d); /* "next payload" */

#endif
