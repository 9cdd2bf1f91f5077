/* A capture file, as `ibakelab decode` and the reports read it: frames, fragments, streams, SIP, HTTP, SDP.
 * What is found is described in JSON, and is the same if the file is in the other byte order. */
#include "cli/decode.h"
#include "fuzz.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST = 4 }; /* octets that tell a capture */

static bool take_all(void *user, const decode_origin *origin, const char *name, ibk_span octets) {
    (void)name;
    FUZZ_CHECK(origin->frame > 0 && origin->start_line.len <= DECODE_MAX_TEXT);
    FUZZ_CHECK(ibk_buf_append_span(user, octets) == IBK_OK);
    return true;
}

static void describe(void *user, ibk_span json) {
    json_t *value =
        json_loadb((const char *)json.data, json.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
    FUZZ_CHECK(json_is_object(value));
    json_decref(value);
    FUZZ_CHECK(ibk_buf_append_span(user, json) == IBK_OK);
}

static ibk_err decode(ibk_span in, ibk_buf *out, uint64_t counts[3]) {
    decode_sink sink = {.user = out, .wanted = take_all, .found = describe};
    decoder d = {.json = true, .sink = &sink, .seen = decode_seen_new()};
    ibk_diag diag = {0};
    FILE *file = fmemopen((void *)(uintptr_t)(in.data + FIRST), in.len - FIRST, "r");
    FUZZ_CHECK(file != NULL && d.seen != NULL);
    ibk_err err = decode_pcap(&d, "input", file, ibk_span_of(in.data, FIRST), &diag);
    FUZZ_CHECK(!err || (diag.err == err && diag.offset <= in.len));
    FUZZ_CHECK(!d.failed && d.malformed <= d.messages && d.repeated <= d.messages);
    counts[0] = d.messages, counts[1] = d.malformed, counts[2] = d.repeated;
    fclose(file);
    decode_seen_free(d.seen);
    return err;
}

static void swap32(uint8_t *at) {
    uint32_t value;
    memcpy(&value, at, sizeof value);
    value = __builtin_bswap32(value);
    memcpy(at, &value, sizeof value);
}

/* The numbers of a pcap file in the other byte order; pcapng is left alone. */
static void turn(uint8_t *file, size_t len) {
    enum { HEAD = 24, RECORD = 16 };
    bool big = file[0] == 0xA1;
    if (len < HEAD || file[0] == 0x0A)
        return;
    for (size_t i = 0; i < HEAD; i += 4)
        swap32(file + i);
    uint8_t version[4];
    memcpy(version, file + 4, 4); /* two numbers of 16 bits */
    memcpy(file + 4, version + 2, 2);
    memcpy(file + 6, version, 2);
    for (size_t at = HEAD; at + RECORD <= len;) {
        const uint8_t *p = file + at + 8;
        size_t octets = big ? (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3]
                            : (size_t)p[3] << 24 | (size_t)p[2] << 16 | (size_t)p[1] << 8 | p[0];
        for (size_t i = 0; i < RECORD; i += 4)
            swap32(file + at + i);
        at += RECORD + octets;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (!decode_is_capture(ibk_span_of(data, size)))
        return 0;
    ibk_buf first = {0}, second = {0}, turned = {0};
    uint64_t counts[2][3];
    FUZZ_CHECK(ibk_buf_append(&turned, data, size) == IBK_OK);
    turn(turned.data, turned.len);
    ibk_err err = decode(ibk_span_of(data, size), &first, counts[0]);
    FUZZ_CHECK(decode(ibk_buf_span(&turned), &second, counts[1]) == err);
    FUZZ_CHECK(memcmp(counts[0], counts[1], sizeof counts[0]) == 0);
    fuzz_check_same(ibk_buf_span(&first), ibk_buf_span(&second));
    ibk_buf_free(&first);
    ibk_buf_free(&second);
    ibk_buf_free(&turned);
    return 0;
}
