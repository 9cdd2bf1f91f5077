/* ibakelab: a builder of octets. The first failure sticks and is checked once, at the end; the writer owns
 * the length fields it opened. */
#ifndef WIRE_WRITER_H
#define WIRE_WRITER_H

#include <ibake/base.h>

typedef struct ibk_wr {
    ibk_buf *out;
    size_t start; /* length of out at the beginning */
    ibk_err err;
} ibk_wr;

/* A length field that was opened and is to be closed. */
typedef struct ibk_wr_mark {
    size_t at; /* of the field, from the beginning of the output */
    size_t width;
} ibk_wr_mark;

void ibk_wr_init(ibk_wr *wr, ibk_buf *out);
/* The sticky error; after one, the output is cut back to what it was at the beginning. */
ibk_err ibk_wr_finish(ibk_wr *wr);
void ibk_wr_fail(ibk_wr *wr, ibk_err err); /* keeps the first */
size_t ibk_wr_len(const ibk_wr *wr);       /* octets written so far */

void ibk_wr_u8(ibk_wr *wr, uint8_t v);
void ibk_wr_u16(ibk_wr *wr, uint16_t v);
void ibk_wr_u32(ibk_wr *wr, uint32_t v);
void ibk_wr_u64(ibk_wr *wr, uint64_t v);
void ibk_wr_span(ibk_wr *wr, ibk_span span);
void ibk_wr_zeros(ibk_wr *wr, size_t len);

/* A length field in front of what is written until it is closed; content too long for it is IBK_ERR_USAGE. */
ibk_wr_mark ibk_wr_open8(ibk_wr *wr);
ibk_wr_mark ibk_wr_open16(ibk_wr *wr);
void ibk_wr_close(ibk_wr *wr, ibk_wr_mark mark);
/* open, span, close */
void ibk_wr_span8(ibk_wr *wr, ibk_span span);
void ibk_wr_span16(ibk_wr *wr, ibk_span span);

/* Appends `len` zero octets to a buffer and says where they are, for a cipher to fill. */
ibk_err ibk_buf_room(ibk_buf *out, size_t len, uint8_t **room);
/* Overwrites the last octets of a buffer, at most what it has. */
void ibk_buf_patch_end(ibk_buf *out, ibk_span octets);

#endif
