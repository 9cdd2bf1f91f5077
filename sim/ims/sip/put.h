/* SIP, inside: text into a buffer with a sticky error. Refuses what would break out of a header line. */
#ifndef IMS_SIP_PUT_H
#define IMS_SIP_PUT_H

#include <ibake/base.h>
#include <stdio.h>
#include <string.h>

typedef struct sip_put {
    ibk_buf *buf;
    ibk_err err;
} sip_put;

static inline void put_octets(sip_put *put, const void *data, size_t len) {
    if (!put->err && len)
        put->err = ibk_buf_append(put->buf, data, len);
}

/* Text of ours: literals, CRLF. */
static inline void put_raw(sip_put *put, const char *text) {
    put_octets(put, text, strlen(text));
}

/* Text from elsewhere: no CR, LF. NULL is nothing. */
static inline void put_text(sip_put *put, const char *text) {
    if (!text)
        return;
    if (strpbrk(text, "\r\n"))
        put->err = put->err ? put->err : IBK_ERR_BAD_TEXT;
    put_octets(put, text, strlen(text));
}

static inline void put_u64(sip_put *put, uint64_t value) {
    char digits[24];
    snprintf(digits, sizeof digits, "%llu", (unsigned long long)value);
    put_raw(put, digits);
}

#endif
