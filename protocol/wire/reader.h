/* ibakelab: a cursor over untrusted octets. Every read is bounds-checked and leaves the cursor where it was
 * when it fails; nobody above this room computes a pointer into input. */
#ifndef WIRE_READER_H
#define WIRE_READER_H

#include <ibake/base.h>

typedef struct ibk_rd {
    const uint8_t *data;
    size_t len, pos;
    size_t need;     /* of the read that failed: octets it wanted; 0 before the first failure */
    const char *why; /* static reason given by ibk_rd_refuse, or NULL */
} ibk_rd;

void ibk_rd_init(ibk_rd *rd, ibk_span in);
size_t ibk_rd_left(const ibk_rd *rd);
bool ibk_rd_at_end(const ibk_rd *rd);

/* Big-endian numbers. */
bool ibk_rd_u8(ibk_rd *rd, uint8_t *out);
bool ibk_rd_u16(ibk_rd *rd, uint16_t *out);
bool ibk_rd_u32(ibk_rd *rd, uint32_t *out);
bool ibk_rd_u64(ibk_rd *rd, uint64_t *out);
bool ibk_rd_peek_u8(ibk_rd *rd, uint8_t *out); /* does not advance */

/* Octets: of a given length, or behind a length of 8 or 16 bits. */
bool ibk_rd_span(ibk_rd *rd, size_t len, ibk_span *out);
bool ibk_rd_span8(ibk_rd *rd, ibk_span *out);
bool ibk_rd_span16(ibk_rd *rd, ibk_span *out);

/* What has been read since `from`, a former rd->pos. */
ibk_span ibk_rd_since(const ibk_rd *rd, size_t from);

/* Puts the cursor at `at`, the octet to blame, notes the static reason and returns err. */
ibk_err ibk_rd_refuse(ibk_rd *rd, ibk_err err, size_t at, const char *why);

/* Fills *diag from the cursor after a failure: offset is `base` + pos. Returns err. */
ibk_err ibk_rd_fail(const ibk_rd *rd, ibk_err err, const char *payload, size_t base, ibk_diag *diag);

#endif
