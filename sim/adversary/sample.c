#include "adversary/sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void add(ibk_buf *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(ibk_buf *out, const char *format, ...) {
    char text[8192];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    assert_true(len >= 0 && (size_t)len < sizeof text);
    assert_int_equal(ibk_buf_append(out, text, (size_t)len), IBK_OK);
}

ibk_buf sample_mikey(const char *name) {
    char path[1024], digits[3] = "";
    ibk_buf out = {0};
    size_t used = 0;
    snprintf(path, sizeof path, "%s/%s.hex", SAMPLES, name);
    FILE *in = fopen(path, "r");
    if (!in)
        fail_msg("%s cannot be read", path);
    for (int c; (c = fgetc(in)) != EOF;) {
        if (c == '\n')
            continue;
        digits[used++] = (char)c;
        if (used < 2)
            continue;
        uint8_t octet = (uint8_t)strtoul(digits, NULL, 16);
        used = 0;
        assert_int_equal(ibk_buf_append(&out, &octet, 1), IBK_OK);
    }
    fclose(in);
    return out;
}

static ibk_buf sample_sdp(const char *name) {
    ibk_buf sdp = {0}, base64 = {0};
    add(&sdp, "v=0\r\no=- 1 1 IN IP4 10.0.0.17\r\ns=-\r\nc=IN IP4 10.0.0.17\r\nt=0 0\r\n");
    if (name) {
        ibk_buf mikey = sample_mikey(name);
        assert_int_equal(ibk_base64_encode(&base64, ibk_buf_span(&mikey)), IBK_OK);
        add(&sdp, "a=key-mgmt:mikey %.*s\r\n", (int)base64.len, (const char *)base64.data);
        ibk_buf_free(&mikey);
        ibk_buf_free(&base64);
    }
    add(&sdp, "m=audio 40000 RTP/SAVP 0\r\na=rtpmap:0 PCMU/8000\r\n");
    return sdp;
}

ibk_buf sample_sip(unsigned status, const char *name) {
    ibk_buf out = {0}, sdp = sample_sdp(name);
    if (status)
        add(&out, "SIP/2.0 %u Whatever\r\n", status);
    else
        add(&out, "INVITE sip:bob@b.example SIP/2.0\r\n");
    add(&out, "Via: SIP/2.0/UDP 10.0.0.17:5060;branch=z9hG4bK77\r\n"
              "From: \"Alice <a>\" <sip:alice@a.example>;tag=1\r\n"
              "To: <sip:bob@b.example>\r\n"
              "Call-ID: call-1@a.example\r\n"
              "CSeq: 7 INVITE\r\n"
              "m: \"A <b>\" <sip:alice@10.0.0.17:5060;transport=udp>;q=1\r\n"
              "Subject: one\r\n"
              "Subject: two\r\n"
              "Content-Type: application/sdp\r\n");
    add(&out, "l: %zu\r\n\r\n", sdp.len);
    assert_int_equal(ibk_buf_append_span(&out, ibk_buf_span(&sdp)), IBK_OK);
    ibk_buf_free(&sdp);
    return out;
}

ibk_buf sample_http(const char *name) {
    ibk_buf out = {0}, mikey = sample_mikey(name);
    add(&out,
        "POST /keys HTTP/1.1\r\nHost: kms.a.example\r\nContent-Type: application/mikey\r\n"
        "Content-Length: %zu\r\n\r\n",
        mikey.len);
    assert_int_equal(ibk_buf_append_span(&out, ibk_buf_span(&mikey)), IBK_OK);
    ibk_buf_free(&mikey);
    return out;
}

void sample_see(sample *out, tap_kind kind, ibk_span octets) {
    static const seen_world world = {0};
    out->message = (tap_message){.kind = kind, .octets = octets};
    assert_int_equal(seen_read(&out->seen, &world, &out->message), IBK_OK);
}
