/* Reading, refusing and writing messages. */
#include "ims/sip/digest.h"
#include "ims/sip/message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define INVITE_LINE "INVITE sip:bob@b.example;transport=tcp SIP/2.0\r\n"
#define VIA         "Via: SIP/2.0/UDP 192.0.2.1:5062;branch=z9hG4bKaa;rport\r\n"
#define PARTIES     "From: \"Alice, \\\"A\\\"\" <sip:alice@a.example>;tag=11\r\nTo: <sip:bob@b.example>\r\n"
#define CALL        "Call-ID: x1@a\r\nCSeq: 7 INVITE\r\nMax-Forwards: 70\r\nContact: <sip:alice@192.0.2.1:5062>\r\n"
#define GOOD        INVITE_LINE VIA PARTIES CALL
#define SHORT_CALL  "Call-ID: x\r\nCSeq: 7 REGISTER\r\nMax-Forwards: 70\r\n"
#define REGISTER    "REGISTER sip:a.example SIP/2.0\r\n" VIA PARTIES SHORT_CALL

static ibk_err parse(sip_msg **msg, const char *text, sip_framing framing, ibk_diag *diag) {
    return sip_msg_parse(msg, ibk_span_str(text), framing, diag);
}

static void refused(const char *text, ibk_err want, const char *field) {
    sip_msg *msg = NULL;
    ibk_diag diag = {0};
    ibk_err err = parse(&msg, text, SIP_DATAGRAM, &diag);
    if (err != want || !diag.payload || strcmp(diag.payload, field) != 0)
        print_message("got %s %s (%s) for:\n%s\n", ibk_err_name(err), diag.payload ? diag.payload : "-",
                      diag.detail, text);
    assert_null(msg);
    assert_string_equal(ibk_err_name(err), ibk_err_name(want));
    assert_non_null(diag.payload);
    assert_string_equal(diag.payload, field);
}

static void reads_what_it_writes(void **state) {
    (void)state;
    const char *text =
        GOOD "Record-Route: <sip:p1.example;lr>, <sip:p2.example;lr>\r\n"
             "Route: <sip:s@[2001:db8::5]:5070;lr>\r\n"
             "k: 100rel, timer\r\nSubject: one\r\n two\r\nP-Asserted-Identity: <sip:a@b>, <tel:+12;x=y>\r\n"
             "c: application/sdp\r\nl: 4\r\n\r\nv=0\n";
    sip_msg *msg = NULL, *again = NULL, *copy = NULL;
    ibk_diag diag = {0};
    assert_int_equal(parse(&msg, text, SIP_STREAM, &diag), IBK_OK);
    assert_true(msg->is_request);
    assert_string_equal(msg->uri.user, "bob");
    assert_string_equal(sip_param_get(&msg->uri.params, "transport"), "tcp");
    assert_string_equal(msg->from.display, "Alice, \"A\"");
    assert_string_equal(sip_from_tag(msg), "11");
    assert_null(sip_to_tag(msg));
    assert_int_equal(msg->record_route_count, 2);
    assert_string_equal(msg->route[0].uri.host, "2001:db8::5");
    assert_true(sip_uri_is_loose(&msg->route[0].uri));
    assert_true(sip_header_has_token(msg, "Supported", "100REL"));
    assert_true(sip_header_has_token(msg, "Supported", "timer"));
    assert_false(sip_header_has_token(msg, "Supported", "time"));
    assert_string_equal(sip_header_get(msg, "subject"), "one two");
    assert_int_equal(msg->body.len, 4);
    assert_true(sip_has_body_type(msg, "application/sdp"));
    sip_name_addr *id;
    size_t count;
    assert_int_equal(sip_header_addrs(msg, "P-Asserted-Identity", &id, &count, &diag), IBK_OK);
    assert_int_equal(count, 2);
    assert_string_equal(id[1].uri.scheme, "tel");
    assert_string_equal(id[1].uri.user, "+12");

    ibk_buf first = {0}, second = {0}, third = {0};
    assert_int_equal(sip_msg_encode(&first, msg), IBK_OK);
    assert_int_equal(sip_msg_parse(&again, ibk_buf_span(&first), SIP_STREAM, &diag), IBK_OK);
    assert_int_equal(sip_msg_encode(&second, again), IBK_OK);
    assert_true(ibk_span_equal(ibk_buf_span(&first), ibk_buf_span(&second)));
    copy = sip_msg_clone(msg);
    assert_int_equal(sip_msg_encode(&third, copy), IBK_OK);
    assert_true(ibk_span_equal(ibk_buf_span(&first), ibk_buf_span(&third)));
    ibk_buf_free(&first);
    ibk_buf_free(&second);
    ibk_buf_free(&third);
    sip_msg_free(msg);
    sip_msg_free(again);
    sip_msg_free(copy);
}

static const struct {
    const char *text;
    ibk_err err;
    const char *field;
} broken[] = {
    {"", IBK_ERR_TRUNCATED, "header"},
    {"\r\n\r\n", IBK_ERR_BAD_TEXT, "header"},
    {"hello", IBK_ERR_TRUNCATED, "header"},
    {GOOD, IBK_ERR_TRUNCATED, "header"},
    {INVITE_LINE "\r\n", IBK_ERR_MISSING_PAYLOAD, "Via"},
    {INVITE_LINE PARTIES CALL "\r\n", IBK_ERR_MISSING_PAYLOAD, "Via"},
    {INVITE_LINE VIA CALL "To: <sip:a@b>\r\n\r\n", IBK_ERR_MISSING_PAYLOAD, "From"},
    {INVITE_LINE VIA CALL "From: <sip:a@b>;tag=1\r\n\r\n", IBK_ERR_MISSING_PAYLOAD, "To"},
    {INVITE_LINE VIA CALL "From: <sip:a@b>\r\nTo: <sip:a@b>\r\n\r\n", IBK_ERR_MISSING_PAYLOAD, "From"},
    {GOOD "From: <sip:a@b>;tag=2\r\n\r\n", IBK_ERR_UNEXPECTED_PAYLOAD, "From"},
    {GOOD "t: <sip:a@b>;tag=2\r\n\r\n", IBK_ERR_UNEXPECTED_PAYLOAD, "To"},
    {GOOD "Call-ID: 2\r\n\r\n", IBK_ERR_UNEXPECTED_PAYLOAD, "Call-ID"},
    {GOOD "CSeq: 7 INVITE\r\n\r\n", IBK_ERR_UNEXPECTED_PAYLOAD, "CSeq"},
    {GOOD "Max-Forwards: 7\r\n\r\n", IBK_ERR_UNEXPECTED_PAYLOAD, "Max-Forwards"},
    {INVITE_LINE VIA PARTIES "Call-ID: x\r\nCSeq: 7 INVITE\r\nContact: <sip:a@b>\r\n\r\n",
     IBK_ERR_MISSING_PAYLOAD, "Max-Forwards"},
    {INVITE_LINE VIA PARTIES
     "Call-ID: x\r\nCSeq: 7 INVITE\r\nContact: <sip:a@b>\r\nMax-Forwards: 256\r\n\r\n",
     IBK_ERR_BAD_VALUE, "Max-Forwards"},
    {INVITE_LINE VIA PARTIES "Call-ID: x\r\nCSeq: 7 INVITE\r\nContact: <sip:a@b>\r\nMax-Forwards: -1\r\n\r\n",
     IBK_ERR_BAD_VALUE, "Max-Forwards"},
    {INVITE_LINE VIA PARTIES "Call-ID: x\r\nMax-Forwards: 70\r\nContact: <sip:a@b>\r\n\r\n",
     IBK_ERR_MISSING_PAYLOAD, "CSeq"},
    {INVITE_LINE VIA PARTIES "Call-ID: x\r\nCSeq: 7 BYE\r\nMax-Forwards: 70\r\nContact: <sip:a@b>\r\n\r\n",
     IBK_ERR_MISMATCH, "CSeq"},
    {INVITE_LINE VIA PARTIES "Call-ID: x\r\nCSeq: 2147483648 INVITE\r\nMax-Forwards: 70\r\nContact: "
                             "<sip:a@b>\r\n\r\n",
     IBK_ERR_BAD_VALUE, "CSeq"},
    {INVITE_LINE VIA PARTIES
     "Call-ID: x\r\nCSeq: -7 INVITE\r\nMax-Forwards: 70\r\nContact: <sip:a@b>\r\n\r\n",
     IBK_ERR_BAD_VALUE, "CSeq"},
    {INVITE_LINE VIA PARTIES "Call-ID: x\r\nCSeq: 7 INVITE\r\nMax-Forwards: 70\r\n\r\n",
     IBK_ERR_MISSING_PAYLOAD, "Contact"},
    {GOOD "Contact: <sip:b@c>\r\n\r\n", IBK_ERR_UNEXPECTED_PAYLOAD, "Contact"},
    {INVITE_LINE VIA PARTIES "CSeq: 7 INVITE\r\nMax-Forwards: 70\r\nContact: <sip:a@b>\r\n\r\n",
     IBK_ERR_MISSING_PAYLOAD, "Call-ID"},
    {INVITE_LINE VIA PARTIES
     "Call-ID: a b\r\nCSeq: 7 INVITE\r\nMax-Forwards: 70\r\nContact: <sip:a@b>\r\n\r\n",
     IBK_ERR_BAD_TEXT, "Call-ID"},
    {INVITE_LINE "Via: SIP/2.0/UDP 192.0.2.1;branch=1\r\n" PARTIES CALL "\r\n", IBK_ERR_BAD_VALUE, "Via"},
    {INVITE_LINE "Via: SIP/2.0/UDP 192.0.2.1\r\n" PARTIES CALL "\r\n", IBK_ERR_BAD_VALUE, "Via"},
    {INVITE_LINE "Via: SIP/2.0/UDP 192.0.2.1:70000;branch=z9hG4bKa\r\n" PARTIES CALL "\r\n",
     IBK_ERR_BAD_VALUE, "Via"},
    {INVITE_LINE "Via: SIP/2.0/SCTP 192.0.2.1;branch=z9hG4bKa\r\n" PARTIES CALL "\r\n", IBK_ERR_UNSUPPORTED,
     "Via"},
    {INVITE_LINE "Via: /2.0/UDP 192.0.2.1;branch=z9hG4bKa\r\n" PARTIES CALL "\r\n", IBK_ERR_BAD_VALUE, "Via"},
    {INVITE_LINE "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa, X/2.0/UDP 192.0.2.2\r\n" PARTIES CALL "\r\n",
     IBK_ERR_BAD_VALUE, "Via"},
    {INVITE_LINE "Via: SIP/3.0/UDP 192.0.2.1;branch=z9hG4bKa\r\n" PARTIES CALL "\r\n", IBK_ERR_BAD_VALUE,
     "Via"},
    {INVITE_LINE "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa;branch=z9hG4bKb\r\n" PARTIES CALL "\r\n",
     IBK_ERR_BAD_TEXT, "Via"},
    {GOOD "Content-Length: -4\r\n\r\nabcd", IBK_ERR_BAD_VALUE, "Content-Length"},
    {GOOD "Content-Length: 4x\r\n\r\nabcd", IBK_ERR_BAD_VALUE, "Content-Length"},
    {GOOD "Content-Length: 99999999999999999999\r\n\r\nabcd", IBK_ERR_BAD_VALUE, "Content-Length"},
    {GOOD "Content-Type: a/b\r\nContent-Length: 5\r\n\r\nabcd", IBK_ERR_BAD_LENGTH, "Content-Length"},
    {GOOD "Content-Length: 4\r\nl: 4\r\n\r\nabcd", IBK_ERR_UNEXPECTED_PAYLOAD, "Content-Length"},
    {GOOD "Content-Length: 4\r\n\r\nabcd", IBK_ERR_MISSING_PAYLOAD, "Content-Type"},
    {GOOD "Content-Type: sdp\r\nContent-Length: 4\r\n\r\nabcd", IBK_ERR_BAD_TEXT, "Content-Type"},
    {GOOD "Expires: never\r\n\r\n", IBK_ERR_BAD_VALUE, "Expires"},
    {GOOD "RSeq: 4294967296\r\n\r\n", IBK_ERR_BAD_VALUE, "RSeq"},
    {GOOD "No colon here\r\n\r\n", IBK_ERR_BAD_TEXT, "header"},
    {GOOD "Bad Name: x\r\n\r\n", IBK_ERR_BAD_TEXT, "header"},
    {GOOD "X: a\nY: b\r\n\r\n", IBK_ERR_BAD_TEXT, "header"},
    {GOOD "X: a\x01\r\n\r\n", IBK_ERR_BAD_TEXT, "header"},
    {GOOD "Route: <tel:+12>\r\n\r\n", IBK_ERR_BAD_TEXT, "Route"},
    {REGISTER "Contact: <tel:+12;a=\xff>\r\n\r\n", IBK_ERR_BAD_TEXT, "Contact"},
    {REGISTER "Contact: <tel:+12;a=%4>\r\n\r\n", IBK_ERR_BAD_TEXT, "Contact"},
    {REGISTER "Contact: <tel:+12;a=1;A=2>\r\n\r\n", IBK_ERR_BAD_TEXT, "Contact"},
    {REGISTER "Contact: <urn:a{b>\r\n\r\n", IBK_ERR_BAD_TEXT, "Contact"},
    {REGISTER "Contact: \"%\\00\" <sip:a@b>\r\n\r\n", IBK_ERR_BAD_TEXT, "Contact"},
    {REGISTER "Contact: <sip:b;=>\r\n\r\n", IBK_ERR_BAD_TEXT, "Contact"},
    {REGISTER "Contact: <sip:a@b>;x y=1\r\n\r\n", IBK_ERR_BAD_TEXT, "Contact"},
    {REGISTER "Contact: <sip:a@b>;x=\"a\"b\"\r\n\r\n", IBK_ERR_BAD_TEXT, "Contact"},
    {REGISTER "Contact: <sip:a@b>;x=a/b\r\n\r\n", IBK_ERR_BAD_TEXT, "Contact"},
    {"INVITE sip:bob%00@b.example SIP/2.0\r\n" VIA PARTIES CALL "\r\n", IBK_ERR_BAD_TEXT, "header"},
    {"INVITE sip:bob@b.example:0 SIP/2.0\r\n" VIA PARTIES CALL "\r\n", IBK_ERR_BAD_VALUE, "start-line"},
    {"INVITE sip:bob:pw@b.example SIP/2.0\r\n" VIA PARTIES CALL "\r\n", IBK_ERR_BAD_VALUE, "start-line"},
    {"INVITE sip:bob@b.example SIP/1.0\r\n" VIA PARTIES CALL "\r\n", IBK_ERR_BAD_VERSION, "start-line"},
    {"IN;VITE sip:bob@b.example SIP/2.0\r\n" VIA PARTIES CALL "\r\n", IBK_ERR_BAD_TEXT, "start-line"},
    {"SIP/2.0 99 Low\r\n" VIA PARTIES CALL "\r\n", IBK_ERR_BAD_VALUE, "start-line"},
    {"SIP/2.0 700 High\r\n" VIA PARTIES CALL "\r\n", IBK_ERR_BAD_VALUE, "start-line"},
    {"SIP/2.0 2000 Long\r\n" VIA PARTIES CALL "\r\n", IBK_ERR_BAD_VALUE, "start-line"},
};

/* Neither escaped once more nor turned into something else. */
static void leaves_contacts_as_they_are(void **state) {
    (void)state;
    static const char *const contacts[] = {
        "<tel:+49309;phone-context=%2B49;ext=1>",
        "<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>;x",
        "<sip:a%25b@c?Subject=%25>;q=0.5;received=[fd00::9]",
        "\"%\\\\00\" <sip:a@b>;+sip.instance=\"<urn:uuid:\\\"1>\"",
    };
    for (size_t i = 0; i < sizeof contacts / sizeof *contacts; i++) {
        char text[1024];
        sip_msg *msg = NULL;
        ibk_buf out = {0};
        snprintf(text, sizeof text, REGISTER "Contact: %s\r\n\r\n", contacts[i]);
        assert_int_equal(parse(&msg, text, SIP_DATAGRAM, NULL), IBK_OK);
        assert_int_equal(sip_msg_encode(&out, msg), IBK_OK);
        assert_int_equal(ibk_buf_append(&out, "", 1), IBK_OK);
        assert_non_null(strstr((char *)out.data, contacts[i]));
        ibk_buf_free(&out);
        sip_msg_free(msg);
    }
}

static void refuses_broken_messages(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++)
        refused(broken[i].text, broken[i].err, broken[i].field);
}

static void content_length_by_transport(void **state) {
    (void)state;
    sip_msg *msg = NULL;
    ibk_diag diag = {0};
    assert_int_equal(
        parse(&msg, GOOD "Content-Type: a/b\r\nContent-Length: 2\r\n\r\nabcd", SIP_DATAGRAM, &diag), IBK_OK);
    assert_int_equal(msg->body.len, 2);
    sip_msg_free(msg);
    assert_int_equal(
        parse(&msg, GOOD "Content-Type: a/b\r\nContent-Length: 2\r\n\r\nabcd", SIP_STREAM, &diag),
        IBK_ERR_BAD_LENGTH);
    assert_int_equal(parse(&msg, GOOD "Content-Type: a/b\r\n\r\nabcd", SIP_STREAM, &diag),
                     IBK_ERR_MISSING_PAYLOAD);
    assert_int_equal(parse(&msg, GOOD "Content-Type: a/b\r\n\r\nabcd", SIP_DATAGRAM, &diag), IBK_OK);
    assert_int_equal(msg->body.len, 4);
    sip_msg_free(msg);
}

static void bounds_sizes_and_counts(void **state) {
    (void)state;
    sip_msg *msg = NULL;
    ibk_diag diag = {0};
    ibk_buf big = {0};
    assert_int_equal(ibk_buf_append(&big, GOOD, strlen(GOOD)), IBK_OK);
    for (int i = 0; i < SIP_MAX_HEADERS; i++)
        assert_int_equal(ibk_buf_append(&big, "X: y\r\n", 6), IBK_OK);
    assert_int_equal(ibk_buf_append(&big, "\r\n", 2), IBK_OK);
    assert_int_equal(sip_msg_parse(&msg, ibk_buf_span(&big), SIP_DATAGRAM, &diag), IBK_ERR_LIMIT);
    big.len = 0;
    assert_int_equal(ibk_buf_append(&big, GOOD, strlen(GOOD)), IBK_OK);
    for (int i = 0; i < SIP_MAX_LIST + 1; i++)
        assert_int_equal(ibk_buf_append(&big, "Route: <sip:x;lr>\r\n", 19), IBK_OK);
    assert_int_equal(ibk_buf_append(&big, "\r\n", 2), IBK_OK);
    assert_int_equal(sip_msg_parse(&msg, ibk_buf_span(&big), SIP_DATAGRAM, &diag), IBK_ERR_LIMIT);
    assert_string_equal(diag.payload, "Route");
    assert_int_equal(ibk_buf_resize(&big, SIP_MAX_MESSAGE + 1), IBK_OK);
    assert_int_equal(sip_msg_parse(&msg, ibk_buf_span(&big), SIP_DATAGRAM, &diag), IBK_ERR_LIMIT);
    ibk_buf_free(&big);
}

static void builds_responses_acks_and_cancels(void **state) {
    (void)state;
    sip_msg *invite = NULL;
    assert_int_equal(
        parse(&invite, GOOD "Record-Route: <sip:p;lr>\r\nRoute: <sip:q;lr>\r\n\r\n", SIP_DATAGRAM, NULL),
        IBK_OK);
    sip_msg *ringing = sip_response_new(invite, 180, NULL, "22");
    assert_string_equal(ringing->reason, "Ringing");
    assert_string_equal(sip_to_tag(ringing), "22");
    assert_int_equal(ringing->record_route_count, 1);
    assert_string_equal(sip_top_branch(ringing), "z9hG4bKaa");
    sip_msg *busy = sip_response_new(invite, 486, NULL, "22");
    assert_int_equal(busy->record_route_count, 0);
    sip_msg *ack = sip_ack_for(invite, busy);
    assert_true(sip_is_request(ack, "ACK"));
    assert_int_equal(ack->cseq, 7);
    assert_int_equal(ack->route_count, 1);
    assert_int_equal(ack->via_count, 1);
    assert_string_equal(sip_to_tag(ack), "22");
    sip_msg *cancel = sip_cancel_for(invite, "SIP;cause=200");
    assert_null(sip_to_tag(cancel));
    assert_string_equal(sip_top_branch(cancel), "z9hG4bKaa");
    sip_msg_free(invite);
    sip_msg_free(ringing);
    sip_msg_free(busy);
    sip_msg_free(ack);
    sip_msg_free(cancel);
}

static void no_header_injection(void **state) {
    (void)state;
    sip_msg *msg = NULL;
    ibk_buf out = {0};
    assert_int_equal(parse(&msg, GOOD "\r\n", SIP_DATAGRAM, NULL), IBK_OK);
    sip_header_add(msg, "Subject", "x\r\nRoute: <sip:evil>");
    assert_int_equal(sip_msg_encode(&out, msg), IBK_ERR_BAD_TEXT);
    ibk_buf_free(&out);
    sip_msg_free(msg);
}

static void special_fields(void **state) {
    (void)state;
    sip_msg *msg = NULL;
    sip_rack rack = {3, 7, "INVITE"}, got;
    assert_int_equal(parse(&msg, GOOD "RAck: 1 x INVITE\r\n\r\n", SIP_DATAGRAM, NULL), IBK_OK);
    assert_false(sip_rack_get(msg, &got));
    sip_rack_set(msg, &rack);
    assert_true(sip_rack_get(msg, &got));
    assert_int_equal(got.rseq, 3);
    assert_int_equal(got.cseq, 7);
    assert_string_equal(got.method, "INVITE");
    sip_reason_set(msg, "SIP", 200, "Call \"completed\" elsewhere");
    assert_string_equal(sip_header_get(msg, "Reason"),
                        "SIP;cause=200;text=\"Call \\\"completed\\\" elsewhere\"");
    sip_warning_add(msg, 305, "b.example", "no key");
    assert_string_equal(sip_header_get(msg, "Warning"), "305 b.example \"no key\"");
    sip_header_push(msg, "Path", "<sip:b;lr>");
    sip_header_push(msg, "Path", "<sip:a;lr>");
    assert_string_equal(sip_header_at(msg, "Path", 0), "<sip:a;lr>");
    assert_string_equal(sip_header_at(msg, "Path", 1), "<sip:b;lr>");
    sip_msg_free(msg);
}

static void session_expires(void **state) {
    (void)state;
    static const struct {
        const char *field;
        uint64_t seconds;
    } cases[] = {{"Session-Expires: 1800;refresher=uac", 1800},
                 {"x: 90", 90},
                 {"Session-Expires: 90 ;a=1", 90},
                 {"Session-Expires: soon", 0},
                 {"Session-Expires: -90", 0},
                 {"Subject: 90", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[1024];
        sip_msg *msg = NULL;
        snprintf(text, sizeof text, GOOD "%s\r\n\r\n", cases[i].field);
        assert_int_equal(parse(&msg, text, SIP_DATAGRAM, NULL), IBK_OK);
        assert_int_equal(sip_session_expires(msg), cases[i].seconds);
        sip_msg_free(msg);
    }
}

static void ipv6_and_wildcards(void **state) {
    (void)state;
    const char *text =
        "REGISTER sip:[fd00::2]:5070 SIP/2.0\r\nVia: SIP/2.0/TCP "
        "[fd00::1]:5061;branch=z9hG4bKa;rport=5061;received=fd00::9\r\n" PARTIES
        "Call-ID: x\r\nCSeq: 7 REGISTER\r\nMax-Forwards: 70\r\nContact: *\r\nExpires: 0\r\n\r\n";
    sip_msg *msg = NULL;
    ibk_buf out = {0};
    assert_int_equal(parse(&msg, text, SIP_DATAGRAM, NULL), IBK_OK);
    assert_string_equal(msg->uri.host, "fd00::2");
    assert_string_equal(msg->via[0].host, "fd00::1");
    assert_int_equal(msg->via[0].port, 5061);
    assert_string_equal(sip_param_get(&msg->via[0].params, "received"), "fd00::9");
    assert_null(msg->contact[0].uri.scheme);
    assert_int_equal(sip_msg_encode(&out, msg), IBK_OK);
    assert_int_equal(ibk_buf_append(&out, "", 1), IBK_OK);
    assert_non_null(strstr((char *)out.data, "REGISTER sip:[fd00::2]:5070 SIP/2.0\r\n"));
    assert_non_null(
        strstr((char *)out.data, "SIP/2.0/TCP [fd00::1]:5061;branch=z9hG4bKa;rport=5061;received=fd00::9"));
    assert_non_null(strstr((char *)out.data, "\r\nContact: *\r\n"));
    ibk_buf_free(&out);
    sip_msg_free(msg);
}

static void compares_uris(void **state) {
    (void)state;
    static const struct {
        const char *a, *b;
        bool equal;
    } cases[] = {
        {"sip:alice@AtLanTa.CoM;Transport=tcp", "sip:alice@AtLanta.CoM;transport=TCP", true},
        {"sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp", true},
        {"sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5", true},
        {"sip:carol@chicago.com;newparam=4", "sip:carol@chicago.com;newparam=5", false},
        {"SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP", false},
        {"sip:bob@biloxi.com", "sip:bob@biloxi.com:5060", false},
        {"sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp", false},
        {"sip:alice@[::1]:5060", "sip:alice@[::1]:5060", true},
    };
    sip_arena arena = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sip_uri a, b;
        assert_int_equal(sip_uri_parse(&arena, &a, cases[i].a, NULL), IBK_OK);
        assert_int_equal(sip_uri_parse(&arena, &b, cases[i].b, NULL), IBK_OK);
        assert_int_equal(sip_uri_equal(&a, &b), cases[i].equal);
    }
    sip_uri uri;
    assert_int_equal(sip_uri_parse(&arena, &uri, "sip:a%20b@Home.Example:5070;x=1", NULL), IBK_OK);
    assert_string_equal(sip_uri_aor(&arena, &uri), "sip:a%20b@home.example");
    sip_arena_free(&arena);
}

/* The readers of text fields must bear whatever the parser lets pass. */
static void read_fields(sip_msg *msg) {
    sip_name_addr *addr;
    size_t count;
    sip_auth auth;
    sip_rack rack;
    (void)sip_header_addrs(msg, "P-Asserted-Identity", &addr, &count, NULL);
    (void)sip_auth_get(msg, &auth, "Authorization", NULL, NULL);
    (void)sip_rack_get(msg, &rack);
    (void)sip_header_has_token(msg, "Require", "100rel");
}

/* Mutations of a valid message: never a crash, and what is accepted can be written and read again. */
static void survives_mutation(void **state) {
    (void)state;
    static const char seed[] =
        GOOD "Record-Route: <sip:p1.example;lr>,<sip:p2.example;lr>\r\nRequire: 100rel\r\n"
             "RSeq: 5\r\nRAck: 1 2 INVITE\r\nP-Asserted-Identity: \"A\" <sip:a@b>, <tel:+1>\r\n"
             "Authorization: Digest username=\"u\", realm=\"r\", nonce=\"n\", uri=\"sip:x\", "
             "response=\"00\", qop=auth, nc=00000001, cnonce=\"c\"\r\nContent-Type: application/sdp\r\n"
             "Content-Length: 10\r\n\r\nv=0\r\ns=-\r\n";
    static const char spice[] = "\r\n:;,<>@\"%0[] =?\\\0z9";
    uint32_t random = 1;
    int accepted = 0;
    for (int round = 0; round < 30000; round++) {
        uint8_t text[sizeof seed];
        size_t len = sizeof seed - 1;
        memcpy(text, seed, sizeof seed);
        for (uint32_t edits = 1 + round % 4; edits > 0; edits--) {
            random = random * 1664525u + 1013904223u;
            size_t at = (random >> 8) % len;
            switch ((random >> 4) & 3) {
            case 0:
                text[at] = (uint8_t)spice[(random >> 24) % (sizeof spice - 1)];
                break;
            case 1:
                text[at] ^= (uint8_t)(1u << (random >> 29));
                break;
            case 2:
                memmove(text + at, text + at + 1, len - at - 1);
                len--;
                break;
            default:
                len = round % 50 ? len : at + 1;
                break;
            }
        }
        uint8_t *exact = malloc(len);
        assert_non_null(exact);
        memcpy(exact, text, len);
        sip_msg *msg = NULL, *again = NULL;
        if (sip_msg_parse(&msg, ibk_span_of(exact, len), SIP_DATAGRAM, NULL) == IBK_OK) {
            ibk_buf out = {0}, twice = {0};
            ibk_diag diag = {0};
            accepted++;
            assert_int_equal(sip_msg_encode(&out, msg), IBK_OK);
            read_fields(msg);
            if (sip_msg_parse(&again, ibk_buf_span(&out), SIP_STREAM, &diag) != IBK_OK)
                fail_msg("%s %s: %.*s\n--- from\n%.*s", diag.payload, diag.detail, (int)out.len,
                         (char *)out.data, (int)len, (char *)exact);
            assert_int_equal(sip_msg_encode(&twice, again), IBK_OK);
            if (!ibk_span_equal(ibk_buf_span(&out), ibk_buf_span(&twice)))
                fail_msg("unstable: %.*s\n--- then\n%.*s", (int)out.len, (char *)out.data, (int)twice.len,
                         (char *)twice.data);
            ibk_buf_free(&out);
            ibk_buf_free(&twice);
        }
        sip_msg_free(msg);
        sip_msg_free(again);
        free(exact);
    }
    assert_true(accepted > 1000);
}

static int setup(void **state) {
    (void)state;
    return sip_init() == IBK_OK ? 0 : -1;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_it_writes),    cmocka_unit_test(leaves_contacts_as_they_are),
        cmocka_unit_test(refuses_broken_messages), cmocka_unit_test(content_length_by_transport),
        cmocka_unit_test(bounds_sizes_and_counts), cmocka_unit_test(builds_responses_acks_and_cancels),
        cmocka_unit_test(no_header_injection),     cmocka_unit_test(special_fields),
        cmocka_unit_test(session_expires),         cmocka_unit_test(ipv6_and_wildcards),
        cmocka_unit_test(compares_uris),           cmocka_unit_test(survives_mutation),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
