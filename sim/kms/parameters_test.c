/* Parameters by RFC 5408: fetched once for all who wait, kept while they are valid, and refused for every
 * reason that there is. */
#include "ims/stage.h"
#include "kms/parameters.h"
#include "run/params.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define KMS  "kms.other.example"
#define HOUR (3600 * (uint64_t)SIP_S)

static const char scenario_text[] =
    "ibakelab: 1\n"
    "title: parameters\n"
    "domains:\n"
    "  - {name: home.example, kms: {parameters: 1024}}\n"
    "  - {name: other.example, kms: {parameters: 1024, tls: off, parameters-validity: 10 h}}\n"
    "users:\n"
    "  - {name: alice, domain: home.example}\n"
    "expect:\n"
    "  users: {registered: all}\n";

typedef struct lab {
    scn_scenario *scenario;
    ibk_ibe_params *params;
    ibk_ibe_master *master;
    parameters_source sources[2];
    stage stage;
    ims_host *kms, *alice;
    tls_endpoint *endpoint;
    http_server *http;
    parameters_server *server;
    parameters_client *client;
    unsigned requests, fetched;
    /* in place of the real server's answer */
    http_response lie;
    ibk_buf body;
} lab;

static int load(void **state) {
    lab *l = calloc(1, sizeof *l);
    scn_errors errors = {0};
    assert_non_null(l);
    if (scn_load_text(&l->scenario, &errors, "parameters.yaml", ibk_span_str(scenario_text), NULL, 0))
        fail_msg("%u: %s", errors.list[0].line, errors.list[0].message);
    assert_int_equal(run_params_load(&l->params, &l->master, &l->scenario->domains[0].kms, NULL), IBK_OK);
    for (size_t i = 0; i < 2; i++)
        l->sources[i] = (parameters_source){&l->scenario->domains[i], l->params};
    *state = l;
    return 0;
}

static int unload(void **state) {
    lab *l = *state;
    ibk_ibe_master_free(l->master);
    ibk_ibe_params_free(l->params);
    scn_free(l->scenario);
    free(l);
    return 0;
}

static void on_request(void *user, http_exchange *exchange, const http_message *request) {
    lab *l = user;
    l->requests++;
    assert_string_equal(request->target, PARAMETERS_TARGET);
    if (l->lie.status)
        http_exchange_answer(exchange, &l->lie);
    else
        parameters_server_serve(l->server, exchange, request);
}

static void on_fetched(void *user) {
    ((lab *)user)->fetched++;
}

static int set_up(void **state) {
    static const char *const names[] = {KMS, "alice"};
    lab *l = *state;
    const scn_domain *other = &l->scenario->domains[1];
    stage_open(&l->stage, names, 2, 1);
    ims_host_config kms = stage_host(&l->stage, KMS), alice = stage_host(&l->stage, "alice");
    kms.quiet = alice.quiet = true;
    assert_int_equal(ims_host_new(&l->kms, &kms, NULL), IBK_OK);
    assert_int_equal(ims_host_new(&l->alice, &alice, NULL), IBK_OK);
    assert_int_equal(tls_endpoint_new(&l->endpoint, l->kms, NULL), IBK_OK);
    http_server_config http = {
        .host = l->kms, .endpoint = l->endpoint, .port = KMS_PLAIN_PORT, .handle = on_request, .user = l};
    parameters_server_config server = {.host = l->kms, .domain = other, .params = l->params};
    parameters_client_config client = {.host = l->alice,
                                       .home = &l->scenario->domains[0],
                                       .sources = l->sources,
                                       .n_sources = 2,
                                       .fetched = on_fetched,
                                       .user = l};
    assert_int_equal(http_server_new(&l->http, &http), IBK_OK);
    assert_int_equal(parameters_server_new(&l->server, &server), IBK_OK);
    assert_int_equal(parameters_client_new(&l->client, &client), IBK_OK);
    l->requests = l->fetched = 0;
    l->lie = (http_response){0};
    return 0;
}

static int tear_down(void **state) {
    lab *l = *state;
    parameters_client_free(l->client);
    http_server_free(l->http);
    parameters_server_free(l->server);
    tls_endpoint_free(l->endpoint);
    ims_host_free(l->kms);
    ims_host_free(l->alice);
    ibk_buf_free(&l->body);
    stage_close(&l->stage);
    return 0;
}

static ibk_lookup find(lab *l, const char *domain, const ibk_ibe_params **out) {
    *out = NULL;
    return parameters_client_find(l->client, ibk_span_str(domain), out);
}

static const parameters_fetch *last(const lab *l) {
    const parameters_fetch *fetches;
    size_t count = parameters_client_fetches(l->client, &fetches);
    assert_true(count > 0);
    return &fetches[count - 1];
}

static void fetch_fine(lab *l) {
    const ibk_ibe_params *params;
    assert_int_equal(find(l, "other.example", &params), IBK_LOOKUP_PENDING);
    stage_play(&l->stage, SIP_S);
    if (last(l)->failure)
        fail_msg("%s: %s", scn_parameters_failure_name(last(l)->failure), last(l)->detail);
    assert_int_equal(find(l, "other.example", &params), IBK_LOOKUP_FOUND);
    assert_ptr_equal(params, l->params); /* the same set as this world's: one copy */
}

static void provisioned_ones_are_there(void **state) {
    lab *l = *state;
    const ibk_ibe_params *params;
    ibk_granularity granularity;
    assert_int_equal(find(l, "home.example", &params), IBK_LOOKUP_FOUND);
    assert_ptr_equal(params, l->params);
    assert_int_equal(parameters_client_published(l->client, ibk_span_str("home.example")).len, 0);
    assert_true(parameters_client_granularity(l->client, ibk_span_str("home.example"), &granularity));
    assert_int_equal(granularity, IBK_GRANULARITY_DAY);
    assert_int_equal(l->requests, 0);
}

static void one_fetch_serves_all_who_wait(void **state) {
    lab *l = *state;
    const ibk_ibe_params *params;
    for (int i = 0; i < 5; i++)
        assert_int_equal(find(l, i % 2 ? "other.example" : "OTHER.example", &params), IBK_LOOKUP_PENDING);
    assert_false(parameters_client_is_idle(l->client));
    assert_int_equal(l->fetched, 0);
    stage_play(&l->stage, SIP_S);
    assert_int_equal(l->requests, 1);
    assert_int_equal(l->fetched, 1);
    assert_true(parameters_client_is_idle(l->client));
    assert_int_equal(find(l, "other.example", &params), IBK_LOOKUP_FOUND);
    const parameters_fetch *fetch = last(l);
    assert_true(fetch->ended && !fetch->secure && !fetch->failure);
    assert_string_equal(fetch->domain, "other.example");
    assert_true(fetch->end_ns > fetch->begin_ns);
    ibk_sysparams published;
    char uri[PARAMETERS_URI];
    parameters_uri(uri, "other.example", false);
    assert_string_equal(uri, "http://kms.other.example/ibe/pp");
    assert_int_equal(
        ibk_sysparams_parse(&published, parameters_client_published(l->client, ibk_span_str("other.example")),
                            NULL),
        IBK_OK);
    assert_true(published.serial == PARAMETERS_SERIAL);
}

static void a_set_is_kept_until_it_expires(void **state) {
    lab *l = *state;
    const ibk_ibe_params *params;
    fetch_fine(l);
    /* notBefore is an hour before the start: valid for 9 hours from there */
    stage_play(&l->stage, 9 * HOUR - 2 * SIP_S);
    assert_int_equal(find(l, "other.example", &params), IBK_LOOKUP_FOUND);
    assert_int_equal(l->requests, 1);
    stage_play(&l->stage, 2 * SIP_S);
    fetch_fine(
        l); /* the renewed set: notBefore 9 h after the first's, notAfter 10 h later: renewed at half-time */
    assert_int_equal(l->requests, 2);
    stage_play(&l->stage, 5 * HOUR - 2 * SIP_S);
    assert_int_equal(find(l, "other.example", &params), IBK_LOOKUP_FOUND);
}

static void at_half_time_it_is_renewed(void **state) {
    lab *l = *state;
    int64_t start_s = l->stage.world.start_utc_ns / INT64_C(1000000000);
    static const struct {
        uint64_t at_ns;
        int64_t not_before_s;
    } cases[] = {{0, -3600}, {4 * HOUR - SIP_S, -3600}, {4 * HOUR, 4 * 3600}, {9 * HOUR, 9 * 3600}};
    uint64_t now = 0;
    for (size_t i = 0; i < 4; i++) {
        ibk_buf der = {0};
        ibk_sysparams published;
        stage_play(&l->stage, cases[i].at_ns - now);
        now = cases[i].at_ns;
        assert_int_equal(parameters_server_current(l->server, &der), IBK_OK);
        assert_int_equal(ibk_sysparams_parse(&published, ibk_buf_span(&der), NULL), IBK_OK);
        assert_int_equal(published.not_before_s - start_s, cases[i].not_before_s);
        assert_int_equal(published.not_after_s - published.not_before_s, 10 * 3600);
        assert_false(published.has_extensions);
        ibk_buf_free(&der);
    }
}

static void the_own_clock_decides(void **state) {
    lab *l = *state;
    const ibk_ibe_params *params;
    static const int64_t offsets_h[] = {-2, 10};
    for (size_t i = 0; i < 2; i++) {
        l->alice->clock_offset_ns = offsets_h[i] * (int64_t)HOUR;
        assert_int_equal(find(l, "other.example", &params), IBK_LOOKUP_PENDING);
        stage_play(&l->stage, SIP_S);
        assert_int_equal(last(l)->failure, SCN_PARAMETERS_EXPIRED);
        assert_int_equal(find(l, "other.example", &params), IBK_LOOKUP_ABSENT);
        stage_play(&l->stage, 31 * SIP_S);
    }
    l->alice->clock_offset_ns = (int64_t)HOUR;
    fetch_fine(l);
}

static void a_failure_is_believed_for_a_while(void **state) {
    lab *l = *state;
    const ibk_ibe_params *params;
    l->lie = (http_response){.status = 503};
    assert_int_equal(find(l, "other.example", &params), IBK_LOOKUP_PENDING);
    stage_play(&l->stage, SIP_S);
    assert_int_equal(l->fetched, 1);
    assert_int_equal(last(l)->failure, SCN_PARAMETERS_REFUSED);
    assert_string_equal(last(l)->detail, "HTTP status 503");
    l->lie.status = 0;
    for (int i = 0; i < 29; i++) {
        assert_int_equal(find(l, "other.example", &params), IBK_LOOKUP_ABSENT);
        stage_play(&l->stage, SIP_S);
    }
    stage_play(&l->stage, 2 * SIP_S);
    fetch_fine(l);
    assert_int_equal(l->requests, 2);
}

static void unknown_and_impossible_domains(void **state) {
    lab *l = *state;
    const ibk_ibe_params *params;
    char longest[300];
    memset(longest, 'a', sizeof longest);
    longest[sizeof longest - 1] = 0;
    assert_int_equal(find(l, "", &params), IBK_LOOKUP_ABSENT);
    assert_int_equal(find(l, longest, &params), IBK_LOOKUP_ABSENT);
    assert_int_equal(find(l, "nowhere.example", &params), IBK_LOOKUP_ABSENT); /* https, and no trust anchor */
    stage_cut(&l->stage, KMS, true);
    assert_int_equal(find(l, "other.example", &params), IBK_LOOKUP_PENDING);
    stage_play(&l->stage, 40 * SIP_S);
    assert_int_equal(last(l)->failure, SCN_PARAMETERS_NO_ANSWER);
    assert_true(parameters_client_is_idle(l->client));
}

/* Whoever writes to Alice names domains as he likes: those of use stay known, and others are still fetched.
 */
static void domains_that_nobody_has(void **state) {
    lab *l = *state;
    const ibk_ibe_params *params;
    char name[40];
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "made-up-%d.example", i);
        assert_int_equal(find(l, name, &params), IBK_LOOKUP_ABSENT);
    }
    fetch_fine(l);
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "another-%d.example", i);
        assert_int_equal(find(l, name, &params), IBK_LOOKUP_ABSENT);
    }
    assert_int_equal(find(l, "other.example", &params), IBK_LOOKUP_FOUND);
    assert_int_equal(find(l, "home.example", &params), IBK_LOOKUP_FOUND);
    assert_int_equal(l->requests, 1);
    assert_string_equal(last(l)->domain, "other.example");
}

/* More fetches than the result has room for: they are made all the same. */
static void fetches_beyond_the_notes(void **state) {
    lab *l = *state;
    const ibk_ibe_params *params;
    const parameters_fetch *fetches;
    l->lie = (http_response){.status = 503};
    for (int i = 0; i < 1030; i++) {
        assert_int_equal(find(l, "other.example", &params), IBK_LOOKUP_PENDING);
        stage_play(&l->stage, 31 * SIP_S);
    }
    assert_int_equal(l->requests, 1030);
    assert_int_equal(parameters_client_fetches(l->client, &fetches), 1024);
    l->lie.status = 0;
    assert_int_equal(find(l, "other.example", &params), IBK_LOOKUP_PENDING);
    stage_play(&l->stage, SIP_S);
    assert_int_equal(find(l, "other.example", &params), IBK_LOOKUP_FOUND);
}

/* ---- what a server may say
 * -------------------------------------------------------------------------------------- */

/* The set as it would be published, to be changed. */
typedef struct draft {
    ibk_buf der, bf;
    ibk_sysparams params;
} draft;

static void draft_open(draft *d, lab *l) {
    *d = (draft){0};
    assert_int_equal(parameters_server_current(l->server, &d->der), IBK_OK);
    assert_int_equal(ibk_sysparams_parse(&d->params, ibk_buf_span(&d->der), NULL), IBK_OK);
    assert_int_equal(ibk_buf_append_span(&d->bf, ibk_sysparams_bf(&d->params)), IBK_OK);
}

/* Publishes it; frees it. */
static void draft_publish(draft *d, lab *l) {
    ibk_buf der = {0};
    ibk_buf_clear(&l->body);
    assert_int_equal(ibk_sysparams_write(&der, &d->params), IBK_OK);
    assert_int_equal(ibk_mime_base64_write(&l->body, ibk_buf_span(&der)), IBK_OK);
    l->lie = (http_response){.status = 200, .type = HTTP_PARAMETERS_TYPE, .body = ibk_buf_span(&l->body)};
    ibk_buf_free(&der);
    ibk_buf_free(&d->der);
    ibk_buf_free(&d->bf);
}

static void expect_failure(lab *l, scn_parameters_failure failure, const char *what) {
    const ibk_ibe_params *params;
    if (find(l, "other.example", &params) != IBK_LOOKUP_PENDING)
        fail_msg("%s: no fetch", what);
    stage_play(&l->stage, SIP_S);
    if (last(l)->failure != failure)
        fail_msg("%s: %s (%s)", what, scn_parameters_failure_name(last(l)->failure), last(l)->detail);
    assert_true(last(l)->detail[0]);
    assert_int_equal(find(l, "other.example", &params), IBK_LOOKUP_ABSENT);
    stage_play(&l->stage, 31 * SIP_S);
}

static void answers_that_are_no_parameters(void **state) {
    lab *l = *state;
    l->lie = (http_response){.status = 404};
    expect_failure(l, SCN_PARAMETERS_REFUSED, "404");
    l->lie = (http_response){.status = 200, .type = "text/html", .body = ibk_span_str("<html>")};
    expect_failure(l, SCN_PARAMETERS_MALFORMED, "another media type");
    l->lie = (http_response){.status = 200, .type = HTTP_PARAMETERS_TYPE};
    expect_failure(l, SCN_PARAMETERS_MALFORMED, "nothing");
    l->lie.body = ibk_span_str("!!!!");
    expect_failure(l, SCN_PARAMETERS_MALFORMED, "no base64");
    l->lie.body = ibk_span_str("MAMCAQI=");
    expect_failure(l, SCN_PARAMETERS_MALFORMED, "no IBESysParams");
}

static void sets_that_must_not_be_used(void **state) {
    lab *l = *state;
    draft d;
    static const uint8_t other_oid[] = {0x2a, 3, 4};
    draft_open(&d, l);
    d.params.district = ibk_span_str("http://kms.home.example/ibe/pp");
    draft_publish(&d, l);
    expect_failure(l, SCN_PARAMETERS_MALFORMED, "another district");
    draft_open(&d, l);
    d.params.district = ibk_span_str("https://kms.other.example/ibe/pp");
    draft_publish(&d, l);
    expect_failure(l, SCN_PARAMETERS_MALFORMED, "another scheme");
    draft_open(&d, l);
    d.params.not_after_s = d.params.not_before_s + 60;
    draft_publish(&d, l);
    expect_failure(l, SCN_PARAMETERS_EXPIRED, "expired");
    draft_open(&d, l);
    d.params.not_before_s += 7200;
    draft_publish(&d, l);
    expect_failure(l, SCN_PARAMETERS_EXPIRED, "not yet valid");
    draft_open(&d, l);
    d.params.algorithms[0].oid = ibk_span_of(other_oid, sizeof other_oid);
    draft_publish(&d, l);
    expect_failure(l, SCN_PARAMETERS_UNSUPPORTED, "another algorithm");
    draft_open(&d, l);
    d.params.identity_type = ibk_span_of(other_oid, sizeof other_oid);
    draft_publish(&d, l);
    expect_failure(l, SCN_PARAMETERS_UNSUPPORTED, "another identity type");
    draft_open(&d, l);
    d.params.has_extensions = true;
    d.params.extensions[0] = (ibk_oid_value){ibk_span_of(other_oid, sizeof other_oid), ibk_span_str("x")};
    d.params.n_extensions = 1;
    draft_publish(&d, l);
    expect_failure(l, SCN_PARAMETERS_UNSUPPORTED, "an unknown extension");
    for (size_t back = 1; back <= 3; back++) { /* the last octets: hash; before it, P_pub */
        draft_open(&d, l);
        d.bf.data[d.bf.len - back * 20] ^= 1;
        d.params.algorithms[0].value = ibk_buf_span(&d.bf);
        draft_publish(&d, l);
        expect_failure(l, SCN_PARAMETERS_MALFORMED, "changed parameters");
    }
    l->lie.status = 0;
    fetch_fine(l); /* after all that */
}

/* RFC 5408 §4.2: the serial grows with every new set. */
static void serials_never_go_back(void **state) {
    lab *l = *state;
    draft d;
    const ibk_ibe_params *params;
    draft_open(&d, l);
    d.params.serial = 7;
    d.params.not_after_s = d.params.not_before_s + 3600 + 100;
    draft_publish(&d, l);
    assert_int_equal(find(l, "other.example", &params), IBK_LOOKUP_PENDING);
    stage_play(&l->stage, SIP_S);
    assert_int_equal(find(l, "other.example", &params), IBK_LOOKUP_FOUND);
    stage_play(&l->stage, 100 * SIP_S);
    draft_open(&d, l);
    d.params.serial = 6;
    draft_publish(&d, l);
    expect_failure(l, SCN_PARAMETERS_MALFORMED, "an older serial");
    ibk_ibe_params *others;
    ibk_ibe_master *master;
    ibk_env env = ims_host_env(l->kms);
    assert_int_equal(ibk_ibe_setup(&env, 1024, &others, &master, NULL, NULL), IBK_OK);
    draft_open(&d, l);
    ibk_buf_clear(&d.bf);
    assert_int_equal(ibk_ibe_params_encode(others, &d.bf), IBK_OK);
    d.params.algorithms[0].value = ibk_buf_span(&d.bf);
    d.params.serial = 7;
    draft_publish(&d, l);
    expect_failure(l, SCN_PARAMETERS_MALFORMED, "other parameters under one serial");
    draft_open(&d, l);
    ibk_buf_clear(&d.bf);
    assert_int_equal(ibk_ibe_params_encode(others, &d.bf), IBK_OK);
    d.params.algorithms[0].value = ibk_buf_span(&d.bf);
    d.params.serial = 8;
    draft_publish(&d, l);
    assert_int_equal(find(l, "other.example", &params), IBK_LOOKUP_PENDING);
    stage_play(&l->stage, SIP_S);
    assert_int_equal(find(l, "other.example", &params), IBK_LOOKUP_FOUND);
    assert_true(ibk_ibe_params_equal(params, others));
    ibk_ibe_params_free(others);
    ibk_ibe_master_free(master);
}

static void the_granularity_is_what_was_published(void **state) {
    lab *l = *state;
    draft d;
    const ibk_ibe_params *params;
    ibk_granularity granularity;
    draft_open(&d, l);
    d.params.identity_type = ibk_oid_identity_type(IBK_GRANULARITY_MONTH);
    draft_publish(&d, l);
    assert_int_equal(find(l, "other.example", &params), IBK_LOOKUP_PENDING);
    stage_play(&l->stage, SIP_S);
    assert_int_equal(find(l, "other.example", &params), IBK_LOOKUP_FOUND);
    assert_true(parameters_client_granularity(l->client, ibk_span_str("other.example"), &granularity));
    assert_int_equal(granularity, IBK_GRANULARITY_MONTH);
    assert_false(parameters_client_granularity(l->client, ibk_span_str("nowhere.example"), &granularity));
}

static void freed_while_it_fetches(void **state) {
    lab *l = *state;
    const ibk_ibe_params *params;
    assert_int_equal(find(l, "other.example", &params), IBK_LOOKUP_PENDING);
    stage_play(&l->stage, 15 * SIP_MS);
    parameters_client_free(l->client);
    l->client = NULL;
    stage_play(&l->stage, SIP_S);
    assert_int_equal(l->fetched, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(provisioned_ones_are_there),
        TEST(one_fetch_serves_all_who_wait),
        TEST(a_set_is_kept_until_it_expires),
        TEST(at_half_time_it_is_renewed),
        TEST(the_own_clock_decides),
        TEST(a_failure_is_believed_for_a_while),
        TEST(unknown_and_impossible_domains),
        TEST(domains_that_nobody_has),
        TEST(fetches_beyond_the_notes),
        TEST(answers_that_are_no_parameters),
        TEST(sets_that_must_not_be_used),
        TEST(serials_never_go_back),
        TEST(the_granularity_is_what_was_published),
        TEST(freed_while_it_fetches),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
