/* Session descriptions: reading, refusing, writing, offer and answer. */
#include "ims/sip/sdp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HEAD  "v=0\r\no=- 1 2 IN IP4 192.0.2.1\r\ns=-\r\n"
#define C     "c=IN IP4 192.0.2.1\r\n"
#define T     "t=0 0\r\n"
#define AUDIO "m=audio 4000 RTP/SAVP 0 96\r\na=rtpmap:96 opus/48000/2\r\n"

static void reads_what_it_writes(void **state) {
    (void)state;
    const char *text = HEAD C T "a=key-mgmt:mikey AAAA\r\na=tool:x\r\n" AUDIO
                                "a=ptime:20\r\na=key-mgmt: mikey BBBB\r\na=sendonly\r\na=fmtp:96 x=1\r\n"
                                "m=video 0 RTP/AVP 31\r\nc=IN IP6 fd00::1\r\n";
    sip_sdp *sdp = NULL, *again = NULL;
    ibk_diag diag = {0};
    assert_int_equal(sip_sdp_parse(&sdp, ibk_span_str(text), &diag), IBK_OK);
    assert_int_equal(sdp->media_count, 2);
    assert_string_equal(sip_sdp_key_mgmt(sdp, 0, "mikey"), "BBBB"); // media level overrides
    assert_string_equal(sip_sdp_key_mgmt(sdp, 1, "MIKEY"), "AAAA"); // session level holds
    assert_null(sip_sdp_key_mgmt(sdp, 0, "other"));
    assert_int_equal(sdp->media[0].direction, SIP_SENDONLY);
    assert_int_equal(sdp->media[0].ptime_ms, 20);
    assert_string_equal(sdp->media[0].format[0].encoding, "PCMU");
    assert_string_equal(sdp->media[0].format[1].encoding, "opus");
    assert_int_equal(sdp->media[0].format[1].channels, 2);
    sip_addr addr;
    assert_true(sip_sdp_address(sdp, 0, &addr));
    assert_int_equal(addr.port, 4000);
    assert_false(sip_sdp_address(sdp, 1, &addr));
    ibk_buf first = {0}, second = {0};
    assert_int_equal(sip_sdp_encode(&first, sdp), IBK_OK);
    assert_int_equal(sip_sdp_parse(&again, ibk_buf_span(&first), &diag), IBK_OK);
    assert_int_equal(sip_sdp_encode(&second, again), IBK_OK);
    assert_true(ibk_span_equal(ibk_buf_span(&first), ibk_buf_span(&second)));
    ibk_buf_free(&first);
    ibk_buf_free(&second);
    sip_sdp_free(sdp);
    sip_sdp_free(again);
}

static void refuses_broken_descriptions(void **state) {
    (void)state;
    static const struct {
        const char *text, *field;
    } cases[] = {
        {"", "v="},
        {"v=1\r\no=- 1 2 IN IP4 192.0.2.1\r\ns=-\r\n" C T AUDIO, "v="},
        {"v=0\r\no=- x 2 IN IP4 192.0.2.1\r\ns=-\r\n" C T AUDIO, "o="},
        {"v=0\r\no=- 1 -2 IN IP4 192.0.2.1\r\ns=-\r\n" C T AUDIO, "o="},
        {HEAD C AUDIO, "line"},
        {HEAD T AUDIO, "c="},
        {HEAD "c=IN IP4 fd00::1\r\n" T AUDIO, "c="},
        {HEAD "c=IN IP5 192.0.2.1\r\n" T AUDIO, "c="},
        {HEAD C T "m=audio 65536 RTP/SAVP 0\r\n", "m="},
        {HEAD C T "m=audio -1 RTP/SAVP 0\r\n", "m="},
        {HEAD C T "m=audio 4000 RTP/SAVP 128\r\n", "m="},
        {HEAD C T "m=audio 4000 RTP/SAVP 0 0\r\n", "m="},
        {HEAD C T AUDIO "a=rtpmap:97 x/8000\r\n", "a=rtpmap"},
        {HEAD C T AUDIO "a=rtpmap:96 x\r\n", "a=rtpmap"},
        {HEAD C T AUDIO "a=rtpmap:96 x/0\r\n", "a=rtpmap"},
        {HEAD C T AUDIO "a=ptime:0\r\n", "a=ptime"},
        {HEAD C T AUDIO "a=key-mgmt:mikey\r\n", "a=key-mgmt"},
        {HEAD C T AUDIO "a=key-mgmt:mikey AA!A\r\n", "a=key-mgmt"},
        {HEAD C T AUDIO "a=key-mgmt:mikey AAA\r\n", "a=key-mgmt"},
        {HEAD C T AUDIO "a=key-mgmt:mikey AAAA\r\na=key-mgmt:mikey AAAA\r\n", "a=key-mgmt"},
        {HEAD C T AUDIO "nonsense\r\n", "line"},
        {HEAD C T AUDIO "a=x\x01y\r\n", "line"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sip_sdp *sdp = NULL;
        ibk_diag diag = {0};
        ibk_err err = sip_sdp_parse(&sdp, ibk_span_str(cases[i].text), &diag);
        if (!err || !diag.payload || strcmp(diag.payload, cases[i].field) != 0)
            print_message("got %s %s for:\n%s\n", ibk_err_name(err), diag.payload ? diag.payload : "-",
                          cases[i].text);
        assert_int_not_equal(err, IBK_OK);
        assert_null(sdp);
        assert_string_equal(diag.payload, cases[i].field);
    }
}

typedef struct description {
    sip_sdp_stream streams[2];
    sip_sdp_params params;
} description;

/* One audio stream at port 4000. */
static void describe(description *d, const char *ip, const sip_rtpmap *format, size_t count) {
    *d = (description){.streams = {{.type = "audio",
                                    .port = 4000,
                                    .proto = "RTP/SAVP",
                                    .format = format,
                                    .format_count = count,
                                    .ptime_ms = 20}},
                       .params = {.session_id = 1, .session_version = 1, .stream_count = 1}};
    d->params.streams = d->streams;
    assert_true(sip_addr_parse(&d->params.local, ip, 0));
}

static void offer_and_answer(void **state) {
    (void)state;
    static const sip_rtpmap mine[] = {{96, "opus", 48000, 2}, {8, "PCMA", 8000, 1}, {0, "PCMU", 8000, 1}};
    static const sip_rtpmap theirs[] = {{0, "PCMU", 8000, 1}, {97, "opus", 48000, 2}};
    sip_sdp *offer = NULL, *answer = NULL;
    description p, q;
    describe(&p, "fd00::1", mine, 3);
    describe(&q, "fd00::2", theirs, 2);
    p.params.key_mgmt = "AAAA";
    p.streams[0].direction = SIP_SENDONLY;
    q.streams[0].key_mgmt = "BBBB";
    assert_int_equal(sip_sdp_offer(&offer, &p.params), IBK_OK);
    assert_int_equal(sip_sdp_answer(&answer, offer, &q.params), IBK_OK);
    assert_int_equal(answer->media[0].format_count, 2);
    assert_int_equal(answer->media[0].format[0].payload_type, 96); // the offer's numbers and order
    assert_int_equal(answer->media[0].format[1].payload_type, 0);
    assert_int_equal(answer->media[0].direction, SIP_RECVONLY);
    assert_string_equal(sip_sdp_key_mgmt(answer, 0, "mikey"), "BBBB");
    ibk_buf out = {0};
    assert_int_equal(sip_sdp_encode(&out, answer), IBK_OK);
    assert_int_equal(ibk_buf_append(&out, "", 1), IBK_OK);
    assert_string_equal((char *)out.data,
                        "v=0\r\no=- 1 1 IN IP6 fd00::2\r\ns=-\r\nc=IN IP6 fd00::2\r\nt=0 0\r\n"
                        "m=audio 4000 RTP/SAVP 96 0\r\na=rtpmap:96 opus/48000/2\r\na=rtpmap:0 PCMU/8000\r\n"
                        "a=ptime:20\r\na=recvonly\r\na=key-mgmt:mikey BBBB\r\n");
    ibk_buf_free(&out);
    sip_sdp_free(answer);
    q.streams[0].proto = "RTP/AVP";
    assert_int_equal(sip_sdp_answer(&answer, offer, &q.params), IBK_ERR_MISMATCH);
    assert_null(answer);
    sip_sdp_free(offer);
}

static void answers_every_stream(void **state) {
    (void)state;
    static const sip_rtpmap pcmu = {0, "PCMU", 8000, 1};
    sip_sdp *offer = NULL, *answer = NULL;
    const char *text =
        HEAD C T "m=video 5000 RTP/SAVP 31\r\nm=audio 4000 RTP/SAVP 0\r\nm=audio 4002 RTP/SAVP 0\r\n";
    description q;
    describe(&q, "192.0.2.2", &pcmu, 1);
    assert_int_equal(sip_sdp_parse(&offer, ibk_span_str(text), NULL), IBK_OK);
    assert_int_equal(sip_sdp_answer(&answer, offer, &q.params), IBK_OK);
    assert_int_equal(answer->media_count, 3);
    assert_int_equal(answer->media[0].port, 0);
    assert_int_equal(answer->media[1].port, 4000);
    assert_int_equal(answer->media[2].port, 0);
    sip_sdp_free(offer);
    sip_sdp_free(answer);
}

/* A second m= line comes, is held, and goes. */
static void two_streams(void **state) {
    (void)state;
    static const sip_rtpmap pcmu = {0, "PCMU", 8000, 1}, h264 = {96, "H264", 90000, 1};
    static const struct {
        uint16_t offered, wanted, answered;
        sip_direction offer, wish, answer;
    } cases[] = {{5000, 5002, 5002, SIP_SENDRECV, SIP_SENDRECV, SIP_SENDRECV},
                 {5000, 5002, 5002, SIP_SENDONLY, SIP_SENDRECV, SIP_RECVONLY},
                 {5000, 5002, 5002, SIP_SENDONLY, SIP_SENDONLY, SIP_INACTIVE},
                 {5000, 5002, 5002, SIP_INACTIVE, SIP_SENDRECV, SIP_INACTIVE},
                 {0, 5002, 0, SIP_SENDRECV, SIP_SENDRECV, SIP_SENDRECV},
                 {5000, 0, 0, SIP_SENDRECV, SIP_SENDRECV, SIP_SENDRECV}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        description p, q;
        sip_sdp *made = NULL, *offer = NULL, *answer = NULL;
        ibk_buf text = {0};
        describe(&p, "192.0.2.1", &pcmu, 1);
        describe(&q, "192.0.2.2", &pcmu, 1);
        sip_sdp_stream video = {.type = "video",
                                .port = cases[i].offered,
                                .proto = "RTP/SAVP",
                                .format = &h264,
                                .format_count = 1,
                                .direction = cases[i].offer};
        p.streams[1] = q.streams[1] = video;
        q.streams[1].port = cases[i].wanted;
        q.streams[1].direction = cases[i].wish;
        p.params.stream_count = q.params.stream_count = 2;
        assert_int_equal(sip_sdp_offer(&made, &p.params), IBK_OK);
        assert_int_equal(sip_sdp_encode(&text, made), IBK_OK);
        assert_int_equal(sip_sdp_parse(&offer, ibk_buf_span(&text), NULL), IBK_OK);
        assert_int_equal(offer->media_count, 2);
        assert_string_equal(offer->media[1].type, "video");
        assert_int_equal(offer->media[1].port, cases[i].offered);
        assert_int_equal(sip_sdp_answer(&answer, offer, &q.params), IBK_OK);
        assert_int_equal(answer->media_count, 2);
        assert_int_equal(answer->media[0].port, 4000);
        assert_int_equal(answer->media[1].port, cases[i].answered);
        assert_int_equal(answer->media[1].direction, cases[i].answer);
        assert_int_equal(answer->media[1].format[0].payload_type, 96);
        ibk_buf_free(&text);
        sip_sdp_free(made);
        sip_sdp_free(offer);
        sip_sdp_free(answer);
    }
}

/* RFC 3264 §6: the answer has the offer's order, whatever ours is. */
static void streams_find_their_lines(void **state) {
    (void)state;
    static const sip_rtpmap pcmu = {0, "PCMU", 8000, 1}, h264 = {96, "H264", 90000, 1};
    const char *text =
        HEAD C T "m=video 5000 RTP/SAVP 96\r\na=rtpmap:96 H264/90000\r\n"
                 "m=audio 4000 RTP/SAVP 8\r\nm=audio 0 RTP/SAVP 0\r\nm=audio 4004 RTP/SAVP 0\r\n"
                 "m=audio 4006 RTP/SAVP 0\r\n";
    sip_sdp *offer = NULL, *answer = NULL;
    size_t line[2];
    description q;
    describe(&q, "192.0.2.2", &pcmu, 1);
    q.streams[1] = (sip_sdp_stream){
        .type = "video", .port = 4100, .proto = "RTP/SAVP", .format = &h264, .format_count = 1};
    q.params.stream_count = 2;
    assert_int_equal(sip_sdp_parse(&offer, ibk_span_str(text), NULL), IBK_OK);
    sip_sdp_match(offer, q.streams, 2, line);
    assert_int_equal(line[0], 4); /* not the one of another codec, nor that without a port */
    assert_int_equal(line[1], 1);
    assert_int_equal(sip_sdp_answer(&answer, offer, &q.params), IBK_OK);
    static const uint16_t ports[] = {4100, 0, 0, 4000, 0};
    assert_int_equal(answer->media_count, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_string_equal(answer->media[i].type, i == 0 ? "video" : "audio");
        assert_int_equal(answer->media[i].port, ports[i]);
    }
    sip_sdp_free(answer);
    q.streams[0].line = 5; /* a stream that has its line keeps it */
    q.streams[1].line = 2; /* … even if that does not fit any more */
    sip_sdp_match(offer, q.streams, 2, line);
    assert_int_equal(line[0], 5);
    assert_int_equal(line[1], 0);
    assert_int_equal(sip_sdp_answer(&answer, offer, &q.params), IBK_OK);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(answer->media[i].port, i == 4 ? 4000 : 0);
    sip_sdp_free(answer);
    q.streams[0].line = 9; /* beyond the offer */
    assert_int_equal(sip_sdp_answer(&answer, offer, &q.params), IBK_ERR_MISMATCH);
    sip_sdp_free(offer);
}

static void survives_mutation(void **state) {
    (void)state;
    static const char seed[] =
        HEAD C T "a=key-mgmt:mikey AAAA\r\n" AUDIO "a=ptime:20\r\na=sendrecv\r\nb=AS:64\r\n";
    uint32_t random = 7;
    int accepted = 0;
    for (int round = 0; round < 20000; round++) {
        size_t len = sizeof seed - 1;
        uint8_t *text = malloc(len);
        memcpy(text, seed, len);
        for (int edits = 1 + round % 2; edits > 0; edits--) {
            random = random * 1664525u + 1013904223u;
            uint8_t spice = (uint8_t) "\r\n= :/0"[(random >> 4) % 7];
            text[(random >> 8) % len] = random & 1 ? spice : (uint8_t)(random >> 24);
        }
        if (round % 20 == 0)
            len = (random >> 8) % len;
        uint8_t *exact = malloc(len ? len : 1);
        memcpy(exact, text, len);
        sip_sdp *sdp = NULL, *again = NULL;
        ibk_buf out = {0};
        if (sip_sdp_parse(&sdp, ibk_span_of(exact, len), NULL) == IBK_OK) {
            ibk_diag diag = {0};
            accepted++;
            assert_int_equal(sip_sdp_encode(&out, sdp), IBK_OK);
            if (sip_sdp_parse(&again, ibk_buf_span(&out), &diag) != IBK_OK)
                fail_msg("%s %s\n%.*s\n--- from\n%.*s", diag.payload, diag.detail, (int)out.len,
                         (char *)out.data, (int)len, (char *)exact);
        }
        ibk_buf_free(&out);
        sip_sdp_free(sdp);
        sip_sdp_free(again);
        free(exact);
        free(text);
    }
    assert_true(accepted > 200);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_it_writes), cmocka_unit_test(refuses_broken_descriptions),
        cmocka_unit_test(offer_and_answer),     cmocka_unit_test(answers_every_stream),
        cmocka_unit_test(two_streams),          cmocka_unit_test(streams_find_their_lines),
        cmocka_unit_test(survives_mutation),
    };
    return sip_init() || cmocka_run_group_tests(tests, NULL, NULL);
}
