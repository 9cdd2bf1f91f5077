/* Octets to write and to read. A writer remembers its first error, so that a row of puts needs one check. */
#ifndef CONFORMANCE_PEER_OCTETS_H
#define CONFORMANCE_PEER_OCTETS_H

#include <ibake/base.h>

typedef struct px_octets {
    ibk_buf buf;
    ibk_err err; /* the first error of a put; nothing is written after it */
} px_octets;

void px_put(px_octets *o, const void *data, size_t len);
void px_put_span(px_octets *o, ibk_span span);
void px_put8(px_octets *o, unsigned value);
void px_put16(px_octets *o, unsigned value); /* network byte order, RFC 3830 §6 */
void px_put32(px_octets *o, uint32_t value);
ibk_span px_span(const px_octets *o);
bool px_is(const px_octets *o, ibk_span span);
void px_set(px_octets *o, ibk_span span); /* in place of what was there; may not point into it */
void px_clear(px_octets *o);
void px_free(px_octets *o);

/* Reading: what would pass the end gives zeros and sets `over`. */
typedef struct px_cursor {
    const uint8_t *at;
    size_t left;
    bool over;
} px_cursor;

px_cursor px_read(ibk_span span);
uint8_t px_take8(px_cursor *c);
unsigned px_take16(px_cursor *c);
uint32_t px_take32(px_cursor *c);
ibk_span px_take(px_cursor *c, size_t len);

#endif
