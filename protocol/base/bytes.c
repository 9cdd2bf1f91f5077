#include <ibake/base.h>

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

ibk_span ibk_span_of(const void *data, size_t len) {
    return (ibk_span){.data = data, .len = len};
}

ibk_span ibk_span_str(const char *text) {
    return ibk_span_of(text, text ? strlen(text) : 0);
}

bool ibk_span_equal(ibk_span a, ibk_span b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

bool ibk_span_equal_ct(ibk_span a, ibk_span b) {
    return a.len == b.len && (a.len == 0 || CRYPTO_memcmp(a.data, b.data, a.len) == 0);
}

void ibk_wipe(void *data, size_t len) {
    if (len)
        OPENSSL_cleanse(data, len);
}

bool ibk_room(void *array, size_t count, size_t *cap, size_t size) {
    enum { FIRST = 8 };
    size_t more = *cap ? 2 * *cap : FIRST;
    void *at;
    if (count < *cap)
        return true;
    memcpy(&at, array, sizeof at); /* of whatever type the pointer is */
    at = more > *cap && more <= SIZE_MAX / size ? realloc(at, more * size) : NULL;
    if (!at)
        return false;
    memcpy(array, &at, sizeof at);
    *cap = more;
    return true;
}

/* Moves to a larger storage; realloc would leave a copy of secrets behind. */
static ibk_err grow(ibk_buf *buf, size_t need) {
    if (need <= buf->cap)
        return IBK_OK;
    if (need > IBK_BUF_MAX)
        return IBK_ERR_LIMIT;
    size_t cap = buf->cap ? buf->cap : 64;
    while (cap < need)
        cap *= 2;
    uint8_t *data = malloc(cap);
    if (!data)
        return IBK_ERR_NO_MEMORY;
    if (buf->data) {
        memcpy(data, buf->data, buf->len);
        ibk_wipe(buf->data, buf->cap);
        free(buf->data);
    }
    buf->data = data;
    buf->cap = cap;
    return IBK_OK;
}

ibk_err ibk_buf_append(ibk_buf *buf, const void *data, size_t len) {
    if (len > IBK_BUF_MAX)
        return IBK_ERR_LIMIT;
    ibk_err err = grow(buf, buf->len + len);
    if (err)
        return err;
    if (len)
        memcpy(buf->data + buf->len, data, len);
    buf->len += len;
    return IBK_OK;
}

ibk_err ibk_buf_append_span(ibk_buf *buf, ibk_span span) {
    return ibk_buf_append(buf, span.data, span.len);
}

ibk_err ibk_buf_resize(ibk_buf *buf, size_t len) {
    ibk_err err = grow(buf, len);
    if (err)
        return err;
    if (len > buf->len)
        memset(buf->data + buf->len, 0, len - buf->len);
    else if (len < buf->len)
        ibk_wipe(buf->data + len, buf->len - len);
    buf->len = len;
    return IBK_OK;
}

void ibk_buf_clear(ibk_buf *buf) {
    ibk_wipe(buf->data, buf->len);
    buf->len = 0;
}

void ibk_buf_free(ibk_buf *buf) {
    if (!buf)
        return;
    if (buf->data) {
        ibk_wipe(buf->data, buf->cap);
        free(buf->data);
    }
    *buf = (ibk_buf){0};
}

ibk_span ibk_buf_span(const ibk_buf *buf) {
    return ibk_span_of(buf->data, buf->len);
}

/* An empty buffer may have no storage, to which not even 0 may be added (C17 6.5.6). */
ibk_span ibk_buf_part(const ibk_buf *buf, size_t at, size_t len) {
    return len ? ibk_span_of(buf->data + at, len) : (ibk_span){0};
}
