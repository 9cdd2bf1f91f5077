/* The HSS's answers: every command, in every state of a subscriber, and the requests that it must refuse. */
#include "ims/core/subscribers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define REALM         "home.example"
#define ALICE         "sip:alice@home.example"
#define ALICE_PRIVATE "alice@home.example"
#define SERVER        "sip:scscf.home.example"

static const cx_ends client = {
    .origin = "scscf.home.example", .realm = REALM, .destination = "hss.home.example"};
static const cx_ends server = {.origin = "hss.home.example", .realm = REALM};

static int set_up(void **state) {
    static const hss_subscriber alice = {.impu = ALICE, .impi = ALICE_PRIVATE, .password = "secret"};
    subscribers *s = subscribers_new();
    assert_non_null(s);
    assert_int_equal(subscribers_add(s, &alice, REALM), IBK_OK);
    *state = s;
    return 0;
}

static int tear_down(void **state) {
    subscribers_free(*state);
    return 0;
}

/* Octets of a question to the octets of its answer, and the answer parsed. */
static void ask_octets(subscribers *s, ibk_buf *out, diameter_message *answer, ibk_span question) {
    diameter_message request;
    assert_int_equal(diameter_parse(&request, question, NULL), IBK_OK);
    assert_int_equal(subscribers_answer(s, out, &server, &request), IBK_OK);
    assert_int_equal(diameter_parse(answer, ibk_buf_span(out), NULL), IBK_OK);
    assert_false(answer->header.request);
    assert_int_equal(answer->header.command, request.header.command);
    assert_int_equal(answer->header.hop_by_hop, request.header.hop_by_hop);
    assert_int_equal(answer->header.end_to_end, request.header.end_to_end);
}

static cx_answer ask(subscribers *s, const cx_request *question) {
    ibk_buf octets = {0}, out = {0};
    diameter_message answer;
    cx_answer read;
    assert_int_equal(cx_write_question(&octets, &client, question, 77), IBK_OK);
    ask_octets(s, &out, &answer, ibk_buf_span(&octets));
    cx_read_answer(&read, &answer);
    ibk_buf_free(&octets);
    ibk_buf_free(&out);
    return read;
}

static cx_request request_of(enum diameter_command command) {
    cx_request request = {.command = command, .impu = ALICE, .impi = ALICE_PRIVATE};
    if (command == DIAMETER_UAR)
        request.visited = REALM;
    if (command == DIAMETER_LIR)
        request.impi = NULL;
    if (command == DIAMETER_MAR || command == DIAMETER_SAR)
        request.server = SERVER;
    request.assignment = CX_REGISTRATION;
    return request;
}

static cx_answer ask_for(subscribers *s, enum diameter_command command) {
    cx_request request = request_of(command);
    return ask(s, &request);
}

static void test_registration(void **state) {
    subscribers *s = *state;
    cx_answer a = ask_for(s, DIAMETER_UAR);
    assert_int_equal(a.result, CX_FIRST_REGISTRATION);
    assert_true(a.ok);
    assert_string_equal(a.server, "");
    a = ask_for(s, DIAMETER_LIR);
    assert_int_equal(a.result, CX_ERROR_IDENTITY_NOT_REGISTERED);
    assert_false(a.ok);
    a = ask_for(s, DIAMETER_MAR);
    assert_int_equal(a.result, DIAMETER_SUCCESS);
    assert_string_equal(a.realm, REALM);
    assert_string_equal(
        a.ha1, "66e6fa809a28068fa0159cd089dbad65"); /* MD5 of alice@home.example:home.example:secret */
    a = ask_for(s, DIAMETER_UAR); /* an S-CSCF has asked: it serves the user, who is not registered yet */
    assert_int_equal(a.result, CX_SUBSEQUENT_REGISTRATION);
    assert_string_equal(a.server, SERVER);
    assert_int_equal(ask_for(s, DIAMETER_LIR).result, CX_ERROR_IDENTITY_NOT_REGISTERED);
    assert_int_equal(ask_for(s, DIAMETER_SAR).result, DIAMETER_SUCCESS);
    a = ask_for(s, DIAMETER_LIR);
    assert_int_equal(a.result, DIAMETER_SUCCESS);
    assert_string_equal(a.server, SERVER);
}

static void test_deregistration(void **state) {
    subscribers *s = *state;
    cx_request sar = request_of(DIAMETER_SAR);
    assert_true(ask(s, &sar).ok);
    sar.assignment = CX_RE_REGISTRATION;
    assert_true(ask(s, &sar).ok);
    assert_true(ask_for(s, DIAMETER_LIR).ok);
    sar.assignment = CX_USER_DEREGISTRATION;
    assert_true(ask(s, &sar).ok);
    assert_int_equal(ask_for(s, DIAMETER_LIR).result, CX_ERROR_IDENTITY_NOT_REGISTERED);
    assert_int_equal(ask_for(s, DIAMETER_UAR).result, CX_FIRST_REGISTRATION);
    sar.assignment = (enum cx_assignment)99;
    assert_int_equal(ask(s, &sar).result, DIAMETER_UNABLE_TO_COMPLY);
    assert_int_equal(ask_for(s, DIAMETER_LIR).result, CX_ERROR_IDENTITY_NOT_REGISTERED);
}

static void test_unknown_and_mismatching_users(void **state) {
    static const enum diameter_command commands[] = {DIAMETER_UAR, DIAMETER_SAR, DIAMETER_LIR, DIAMETER_MAR};
    for (size_t i = 0; i < 4; i++) {
        cx_request request = request_of(commands[i]);
        request.impu = "sip:mallory@home.example";
        assert_int_equal(ask(*state, &request).result, CX_ERROR_USER_UNKNOWN);
        request.impu = ALICE "x";
        assert_int_equal(ask(*state, &request).result, CX_ERROR_USER_UNKNOWN);
        if (commands[i] == DIAMETER_LIR)
            continue;
        request.impu = ALICE;
        request.impi = "mallory@home.example";
        cx_answer a = ask(*state, &request);
        assert_int_equal(a.result, CX_ERROR_IDENTITIES_DONT_MATCH);
        assert_string_equal(a.ha1, ""); /* and no secret goes to the wrong one */
    }
    assert_int_equal(ask_for(*state, DIAMETER_UAR).result, CX_FIRST_REGISTRATION); /* nothing has changed */
}

static void test_missing_avps(void **state) {
    static const enum diameter_command commands[] = {DIAMETER_UAR, DIAMETER_SAR, DIAMETER_LIR, DIAMETER_MAR};
    for (size_t i = 0; i < 4; i++) {
        cx_request whole = request_of(commands[i]), request = whole;
        request.impu = NULL;
        assert_int_equal(ask(*state, &request).result, DIAMETER_MISSING_AVP);
        request = whole;
        request.impi = NULL;
        if (whole.impi)
            assert_int_equal(ask(*state, &request).result, DIAMETER_MISSING_AVP);
        request = whole;
        request.server = NULL;
        if (whole.server)
            assert_int_equal(ask(*state, &request).result, DIAMETER_MISSING_AVP);
    }
}

/* A SAR without Server-Assignment-Type, and texts that do not fit or hold a zero octet. */
static void test_bad_avps(void **state) {
    static const diameter_header header = {
        .request = true, .command = DIAMETER_SAR, .application = CX_APPLICATION_ID, .hop_by_hop = 1};
    char longest[CX_TEXT_MAX + 8];
    memset(longest, 'a', sizeof longest);
    const ibk_span impus[] = {ibk_span_str(ALICE), ibk_span_of(longest, sizeof longest),
                              ibk_span_of("sip:alice\0@home.example", 23), ibk_span_of("", 0)};
    for (size_t i = 0; i < sizeof impus / sizeof impus[0]; i++) {
        ibk_buf octets = {0}, out = {0};
        diameter_writer w;
        diameter_message answer;
        diameter_begin(&w, &octets, &header);
        diameter_put(&w, AVP_PUBLIC_IDENTITY, impus[i]);
        diameter_put_text(&w, AVP_USER_NAME, ALICE_PRIVATE);
        diameter_put_text(&w, AVP_SERVER_NAME, SERVER);
        if (i > 0)
            diameter_put_u32(&w, AVP_SERVER_ASSIGNMENT_TYPE, CX_REGISTRATION);
        assert_int_equal(diameter_end(&w), IBK_OK);
        ask_octets(*state, &out, &answer, ibk_buf_span(&octets));
        uint32_t expected = impus[i].len ? DIAMETER_MISSING_AVP : CX_ERROR_USER_UNKNOWN;
        assert_int_equal(diameter_result(&answer), expected);
        ibk_buf_free(&octets);
        ibk_buf_free(&out);
    }
}

static void test_unknown_commands(void **state) {
    static const struct {
        uint32_t command, application;
    } bad[] = {{299, CX_APPLICATION_ID}, {304, CX_APPLICATION_ID}, {0, CX_APPLICATION_ID}, {0xffffff, 0},
               {DIAMETER_UAR, 0},        {DIAMETER_MAR, 16777217}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        diameter_header header = {
            .request = true, .command = bad[i].command, .application = bad[i].application};
        ibk_buf octets = {0}, out = {0};
        diameter_writer w;
        diameter_message answer;
        diameter_begin(&w, &octets, &header);
        diameter_put_text(&w, AVP_SESSION_ID, "session;1");
        diameter_put_text(&w, AVP_PUBLIC_IDENTITY, ALICE);
        diameter_put_text(&w, AVP_USER_NAME, ALICE_PRIVATE);
        assert_int_equal(diameter_end(&w), IBK_OK);
        ask_octets(*state, &out, &answer, ibk_buf_span(&octets));
        assert_int_equal(diameter_result(&answer), DIAMETER_UNSUPPORTED_COMMAND);
        assert_true(answer.header.error); /* RFC 6733 §7.1.3: the E bit of a protocol error */
        char session[32];
        assert_true(diameter_text(answer.avp, answer.avp_count, AVP_SESSION_ID, session, sizeof session));
        assert_string_equal(session, "session;1");
        ibk_buf_free(&octets);
        ibk_buf_free(&out);
    }
}

static void test_capabilities(void **state) {
    for (int family = 4; family <= 6; family += 2) {
        cx_ends ends = client;
        ibk_buf octets = {0}, out = {0};
        diameter_message answer;
        ends.address.family = (uint8_t)family;
        assert_int_equal(cx_write_capabilities(&octets, &ends, NULL), IBK_OK);
        ask_octets(*state, &out, &answer, ibk_buf_span(&octets));
        assert_int_equal(answer.header.command, DIAMETER_CER);
        assert_int_equal(diameter_result(&answer), DIAMETER_SUCCESS);
        ibk_buf_free(&octets);
        ibk_buf_free(&out);
    }
}

static void test_same_device_twice(void **state) {
    static const hss_subscriber again = {.impu = ALICE, .impi = ALICE_PRIVATE, .password = "x"};
    assert_int_equal(subscribers_add(*state, &again, REALM), IBK_ERR_USAGE);
    assert_int_equal(ask_for(*state, DIAMETER_UAR).result, CX_FIRST_REGISTRATION);
}

/* Further identities: found as the first one is, and told to the S-CSCF that has no profile yet. */
static void test_implicit_registration(void **state) {
    static const char *const further[] = {"tel:+4930901820", "sip:a&b@home.example"};
    static const hss_subscriber bob = {
        .impu = "sip:bob@home.example", .impi = "bob@home.example", .password = "x"};
    cx_request lir = request_of(DIAMETER_LIR), sar = request_of(DIAMETER_SAR);
    assert_int_equal(subscribers_add(*state, &bob, REALM), IBK_OK);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(subscribers_add_identity(*state, ALICE, further[i]), IBK_OK);
    assert_int_equal(subscribers_add_identity(*state, "sip:bob@home.example", further[0]), IBK_ERR_USAGE);
    assert_int_equal(subscribers_add_identity(*state, "sip:nobody@home.example", "tel:+1234"), IBK_ERR_USAGE);
    lir.impu = further[0];
    assert_int_equal(ask(*state, &lir).result, CX_ERROR_IDENTITY_NOT_REGISTERED);
    cx_answer a = ask(*state, &sar);
    assert_true(a.ok);
    assert_int_equal(a.identity_count, 3);
    assert_string_equal(a.identities[0], ALICE);
    assert_string_equal(a.identities[1], further[0]);
    assert_string_equal(a.identities[2], further[1]);
    sar.assignment = CX_RE_REGISTRATION; /* the S-CSCF has the profile */
    assert_int_equal(ask(*state, &sar).identity_count, 0);
    for (size_t i = 0; i < 2; i++) {
        lir.impu = further[i];
        a = ask(*state, &lir);
        assert_true(a.ok);
        assert_string_equal(a.server, SERVER);
    }
    lir.impu = "tel:+493090182";
    assert_int_equal(ask(*state, &lir).result, CX_ERROR_USER_UNKNOWN);
    sar.assignment = CX_USER_DEREGISTRATION;
    assert_int_equal(ask(*state, &sar).identity_count, 0);
    lir.impu = further[0];
    assert_int_equal(ask(*state, &lir).result, CX_ERROR_IDENTITY_NOT_REGISTERED);
}

/* User-Data that is none of ours: what cannot be read is left out, and nothing beyond it is touched. */
static void test_bad_profiles(void **state) {
    static const struct {
        const char *xml;
        size_t count;
    } cases[] = {{"", 0},
                 {"<Identity>", 0},
                 {"<Identity></Identity>", 0},
                 {"<Identity>sip:a@b</Identity", 0},
                 {"<Identity>sip:a@b</Identity><Identity>sip:c", 1},
                 {"<Identity>sip:a@b</Identity><Identity>sip:c@d</Identity>", 2}};
    static const diameter_header header = {.command = DIAMETER_SAR, .application = CX_APPLICATION_ID};
    (void)state;
    for (size_t i = 0; i <= sizeof cases / sizeof cases[0]; i++) {
        ibk_buf octets = {0}, many = {0};
        diameter_writer w;
        diameter_message message;
        cx_answer read;
        for (int n = 0; n < 40; n++) /* more than there is room for */
            assert_int_equal(ibk_buf_append_span(&many, ibk_span_str("<Identity>tel:+1</Identity>")), IBK_OK);
        bool last = i == sizeof cases / sizeof cases[0];
        diameter_begin(&w, &octets, &header);
        diameter_put_u32(&w, AVP_RESULT_CODE, DIAMETER_SUCCESS);
        diameter_put(&w, AVP_USER_DATA, last ? ibk_buf_span(&many) : ibk_span_str(cases[i].xml));
        assert_int_equal(diameter_end(&w), IBK_OK);
        assert_int_equal(diameter_parse(&message, ibk_buf_span(&octets), NULL), IBK_OK);
        cx_read_answer(&read, &message);
        assert_true(read.ok);
        assert_int_equal(read.identity_count, last ? CX_IDENTITIES_MAX : cases[i].count);
        ibk_buf_free(&octets);
        ibk_buf_free(&many);
    }
}

/* A further device of the same user: credentials of its own, registered by itself. */
static void test_devices(void **state) {
    static const hss_subscriber tablet = {.impu = ALICE, .impi = "tablet@home.example", .password = "other"};
    cx_request sar = request_of(DIAMETER_SAR), mar = request_of(DIAMETER_MAR);
    assert_int_equal(subscribers_add(*state, &tablet, REALM), IBK_OK);
    cx_answer phone = ask(*state, &mar);
    mar.impi = "tablet@home.example";
    cx_answer other = ask(*state, &mar);
    assert_true(phone.ok && other.ok);
    assert_string_not_equal(phone.ha1, other.ha1);
    assert_true(ask(*state, &sar).ok);
    sar.impi = "tablet@home.example";
    assert_true(ask(*state, &sar).ok);
    sar.assignment = CX_USER_DEREGISTRATION;
    assert_true(ask(*state, &sar).ok);
    assert_true(ask_for(*state, DIAMETER_LIR).ok); /* the phone is still there */
    sar.impi = ALICE_PRIVATE;
    assert_true(ask(*state, &sar).ok);
    assert_int_equal(ask_for(*state, DIAMETER_LIR).result, CX_ERROR_IDENTITY_NOT_REGISTERED);
    sar.impi = "car@home.example";
    assert_int_equal(ask(*state, &sar).result, CX_ERROR_IDENTITIES_DONT_MATCH);
}

/* TS 29.228 §6.1.2: a call for one of alice's identities reaches an S-CSCF that knows nothing of her. */
static void test_unregistered_user(void **state) {
    cx_request sar = request_of(DIAMETER_SAR), uar = request_of(DIAMETER_UAR);
    assert_int_equal(subscribers_add_identity(*state, ALICE, "tel:+4930901820"), IBK_OK);
    sar.assignment = CX_UNREGISTERED_USER;
    sar.impi = NULL;
    sar.impu = "tel:+4930901820";
    cx_answer a = ask(*state, &sar);
    assert_int_equal(a.result, DIAMETER_SUCCESS);
    assert_int_equal(a.identity_count, 2);
    assert_string_equal(a.identities[0], ALICE);
    assert_string_equal(a.identities[1], "tel:+4930901820");
    /* She is no more registered than before, but served from now on. */
    assert_int_equal(ask_for(*state, DIAMETER_LIR).result, CX_ERROR_IDENTITY_NOT_REGISTERED);
    a = ask(*state, &uar);
    assert_int_equal(a.result, CX_SUBSEQUENT_REGISTRATION);
    assert_string_equal(a.server, SERVER);
    sar.impu = "tel:+493090182";
    assert_int_equal(ask(*state, &sar).result, CX_ERROR_USER_UNKNOWN);
    sar.impu = ALICE;
    sar.server = NULL;
    assert_int_equal(ask(*state, &sar).result, DIAMETER_MISSING_AVP);
    sar.server = SERVER;
    assert_true(ask_for(*state, DIAMETER_SAR).ok); /* now she registers: whoever says otherwise is wrong */
    a = ask(*state, &sar);
    assert_int_equal(a.result, CX_ERROR_IN_ASSIGNMENT_TYPE);
    assert_false(a.ok);
    assert_int_equal(a.identity_count, 0);
    assert_true(ask_for(*state, DIAMETER_LIR).ok);
}

/* TS 29.228 §6.1.4: calls for a user with services while not registered go to an S-CSCF all the same. */
static void test_unregistered_services(void **state) {
    static const hss_subscriber carol = {
        .impu = "sip:carol@home.example", .impi = "carol", .password = "x", .unregistered_services = true};
    cx_request lir = {.command = DIAMETER_LIR, .impu = carol.impu}, sar = request_of(DIAMETER_SAR);
    assert_int_equal(subscribers_add(*state, &carol, REALM), IBK_OK);
    cx_answer a = ask(*state, &lir);
    assert_int_equal(a.result, CX_UNREGISTERED_SERVICE);
    assert_true(a.ok);
    assert_string_equal(a.server, ""); /* the I-CSCF assigns one */
    sar.impu = carol.impu;
    sar.impi = carol.impi;
    assert_true(ask(*state, &sar).ok);
    a = ask(*state, &lir);
    assert_int_equal(a.result, DIAMETER_SUCCESS);
    assert_string_equal(a.server, SERVER);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_registration, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_deregistration, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_unknown_and_mismatching_users, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_missing_avps, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bad_avps, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_unknown_commands, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_capabilities, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_same_device_twice, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_implicit_registration, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_unregistered_user, set_up, tear_down),
        cmocka_unit_test(test_bad_profiles),
        cmocka_unit_test_setup_teardown(test_devices, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_unregistered_services, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
