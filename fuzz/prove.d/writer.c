/* No write leaves the buffer, and no arithmetic overflows: each write from states at the edges of a buffer of
 * 64 octets, and from the empty one, with each allocation failing in turn; it leaves a sound state. A
 * buffer's sizes are powers of two from 64 on (base/bytes.c), and none of its code depends on which. */
#include "store.h"

#include <string.h>

enum { SIZE = 64, FIXED = 6, WRITES = 12, CLOSE = 12, FAILURES = 3 };

static uint8_t size_64[64], size_128[128], size_256[256], size_512[512];

/* Which allocation from now on fails; 0: none. A write makes at most two. */
static unsigned fails, nth;

void *prove_malloc(size_t size) {
    if (fails > 0 && --fails == 0)
        return NULL;
    switch (size) {
    case 64:
        return size_64;
    case 128:
        return size_128;
    case 256:
        return size_256;
    case 512:
        return size_512;
    default:
        return NULL;
    }
}

void prove_free(void *p) {
    (void)p;
}

/* Wiping writes as far as it is told. */
void OPENSSL_cleanse(void *ptr, size_t len) {
    memset(ptr, 0, len);
}

static void sound(const ibk_buf *buf) {
    /*@ assert buf->len <= buf->cap; */
    if (buf->cap > 0) {
        buf->data[buf->cap - 1] = 0;
        buf->data[0] = 0;
    }
}

/* What is written: nothing, a little, as much as there is room for, one more, more than twice as much. */
static const size_t lengths[] = {0, 1, 62, 64, 65, 300};

/* What the buffer holds: around nothing, and wherever a number of up to eight octets still fits or no longer
 * does. */
static const size_t filled[] = {0, 1, 2, 55, 56, 57, 60, 61, 62, 63, 64};

static void one_write(ibk_wr *wr, int write, ibk_span span, ibk_wr_mark mark) {
    uint8_t *room;
    switch (write) {
    case 0:
        ibk_wr_u8(wr, (uint8_t)any_int(0, 255));
        break;
    case 1:
        ibk_wr_u16(wr, (uint16_t)any_int(0, 65535));
        break;
    case 2:
        ibk_wr_u32(wr, (uint32_t)any_int(0, INT32_MAX));
        break;
    case 3:
        ibk_wr_u64(wr, any_size());
        break;
    case 4:
        ibk_wr_zeros(wr, SIZE_MAX);
        break;
    case 5:
        ibk_wr_zeros(wr, IBK_BUF_MAX);
        break;
    case 6:
        ibk_wr_span(wr, span);
        break;
    case 7:
        ibk_wr_zeros(wr, span.len);
        break;
    case 8:
        ibk_wr_span8(wr, span);
        break;
    case 9:
        ibk_wr_span16(wr, span);
        break;
    case 10:
        if (ibk_buf_room(wr->out, span.len, &room) == IBK_OK && span.len > 0)
            room[span.len - 1] = 0;
        break;
    case 11:
        ibk_buf_patch_end(wr->out, span);
        break;
    default:
        ibk_wr_close(wr, mark);
    }
}

/* From a buffer, one write, then the end. A mark is a field that was opened: it lies inside what was written.
 */
static void from_state(ibk_buf out, size_t start, int write, ibk_span span, size_t width) {
    ibk_wr wr;
    fails = nth;
    ibk_wr_init(&wr, &out);
    wr.start = start;
    one_write(&wr, write, span, (ibk_wr_mark){.at = 0, .width = width});
    sound(&out);
    (void)ibk_wr_finish(&wr);
    sound(&out);
    ibk_buf_free(&out);
}

static void each_write(ibk_buf buf, size_t start) {
    static const uint8_t octets[300];
    for (int write = 0; write < FIXED; write++)
        from_state(buf, start, write, ibk_span_of(octets, 0), 0);
    for (int write = FIXED; write < WRITES; write++)
        for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++)
            from_state(buf, start, write, ibk_span_of(octets, lengths[i]), 0);
    for (size_t width = 1; width <= 2; width++)
        if (buf.len >= start + width)
            from_state(buf, start, CLOSE, ibk_span_of(octets, 0), width);
}

static void each_failure(ibk_buf buf, size_t start) {
    for (unsigned failure = 0; failure < FAILURES; failure++) {
        nth = failure;
        each_write(buf, start);
    }
}

int main(void) {
    each_failure((ibk_buf){0}, 0);
    for (size_t i = 0; i < sizeof filled / sizeof filled[0]; i++) {
        each_failure((ibk_buf){.data = size_64, .len = filled[i], .cap = SIZE}, 0);
        each_failure((ibk_buf){.data = size_64, .len = filled[i], .cap = SIZE}, filled[i]);
    }
    return 0;
}
