/* Floods on a small network: what they cost who sends and who gets them. The victim is a terminal that reads
 * what it can.
 */
#include "adversary/agent_lab.h"
#include "adversary/flood.h"
#include "adversary/post.h"
#include "kms/http_server.h"
#include "kms/key_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const char *const names[] = {"mallory", "victim"};

typedef struct costs {
    flood_stats flood;
    uint64_t read, attacker_ns, victim_ns;
} costs;

static uint64_t busy(const side *s) {
    return cpu_get_stats(s->host->cpu).busy_ns;
}

/* Ten messages a second for two seconds. */
static costs play(scn_flood_content content, ibk_span recording) {
    stage network;
    side mallory, victim;
    flood *f;
    cpu_model model;
    assert_true(cpu_model_ready_made(&model, "server"));
    stage_open(&network, names, 2, 1);
    side_open(&mallory, &network, "mallory", NULL, &model);
    side_open(&victim, &network, "victim", BOB, &model);
    assert_int_equal(flood_new(&f, mallory.host, mallory.craft), IBK_OK);
    flood_plan plan = {.at = stage_address(&network, "victim", 0),
                       .as = ALICE,
                       .to = BOB,
                       .message = IBK_MSG_I_MESSAGE_1,
                       .content = content,
                       .recording = recording,
                       .rate = 10,
                       .lasts_ns = 2 * SIP_S};
    assert_int_equal(flood_start(f, &plan), IBK_OK);
    assert_false(flood_is_idle(f));
    stage_play(&network, 3 * SIP_S);
    assert_true(flood_is_idle(f));
    ims_host_work(victim.host, "reading", NULL, NULL,
                  NULL); /* an agent does not hand in what it was charged */
    stage_play(&network, 60 * SIP_S);
    costs c = {.flood = flood_get_stats(f),
               .read = agent_get_stats(victim.agent).read,
               .attacker_ns = busy(&mallory),
               .victim_ns = busy(&victim)};
    flood_free(f);
    side_close(&mallory);
    side_close(&victim);
    stage_close(&network);
    return c;
}

/* Octets that are no ciphertext are refused before the pairing. */
static void garbage_costs_nobody_much(void **state) {
    (void)state;
    costs c = play(SCN_FLOOD_GARBAGE, (ibk_span){0});
    assert_int_equal(c.flood.sent, 20);
    assert_int_equal(c.flood.answered, 20); /* 488 */
    assert_int_equal(c.flood.failed, 0);
    assert_int_equal(c.read, 0);
    assert_int_equal(c.victim_ns, 0);
    assert_int_equal(c.attacker_ns, 0);
}

/* What is really encrypted is read, a pairing each, and answered, an encryption and a point each. */
static void ciphertexts_cost_the_victim_more_than_the_attacker(void **state) {
    (void)state;
    costs c = play(SCN_FLOOD_VALID_CIPHERTEXT, (ibk_span){0});
    assert_int_equal(c.flood.sent, 20);
    assert_int_equal(c.read, 20);
    assert_true(c.attacker_ns > 0);
    assert_true(c.victim_ns > c.attacker_ns);
}

static void a_recording_costs_the_attacker_nothing(void **state) {
    (void)state;
    ibk_buf i1 = {0};
    lab_user someone;
    lab_user_init(&someone, ALICE, &lab_home, 3);
    side maker = {0};
    stage network;
    stage_open(&network, names, 2, 1);
    side_open(&maker, &network, "mallory", NULL, NULL);
    craft_forgery forgery = {
        .type = IBK_MSG_I_MESSAGE_1, .as = ibk_span_str(ALICE), .to = ibk_span_str(BOB), .encrypted = true};
    assert_int_equal(craft_forge(maker.craft, &forgery, &i1), IBK_OK);
    side_close(&maker);
    stage_close(&network);
    costs c = play(SCN_FLOOD_RECORDED, ibk_buf_span(&i1));
    assert_int_equal(c.flood.sent, 20);
    assert_int_equal(c.attacker_ns, 0);
    assert_true(c.victim_ns > 0); /* a terminal of ours keeps no replay cache across calls; UEs do */
    ibk_buf_free(&i1);
    lab_user_free(&someone);
}

/* ---- a KMS
 * ----------------------------------------------------------------------------------------------------------
 */

static unsigned requests;

static void on_request(void *user, http_exchange *exchange, const http_message *request) {
    (void)user;
    ibk_msg msg = {0};
    http_response response = {.status = 403};
    assert_string_equal(request->method, "POST");
    assert_string_equal(request->target, KMS_TARGET);
    assert_int_equal(ibk_msg_parse(&msg, ibk_buf_span(&request->body), NULL), IBK_OK);
    assert_int_equal(msg.hdr.data_type, IBK_MSG_REQUEST_KEY_PSK);
    ibk_msg_free(&msg);
    requests++;
    http_exchange_answer(exchange, &response);
}

static void key_requests_go_to_a_kms(void **state) {
    (void)state;
    stage network;
    side mallory, victim;
    flood *f;
    tls_endpoint *plain;
    http_server *server;
    requests = 0;
    stage_open(&network, names, 2, 1);
    side_open(&mallory, &network, "mallory", NULL, NULL);
    side_open(&victim, &network, "victim", NULL, NULL);
    assert_int_equal(tls_endpoint_new(&plain, victim.host, NULL), IBK_OK);
    http_server_config http = {
        .host = victim.host, .endpoint = plain, .port = KMS_HTTP_PORT, .handle = on_request};
    assert_int_equal(http_server_new(&server, &http), IBK_OK);
    assert_int_equal(flood_new(&f, mallory.host, mallory.craft), IBK_OK);
    flood_plan plan = {.at = stage_address(&network, "victim", 0),
                       .as = BOB,
                       .to = "kms@away.example",
                       .message = IBK_MSG_REQUEST_KEY_PSK,
                       .rate = 50,
                       .lasts_ns = SIP_S};
    assert_int_equal(flood_start(f, &plan), IBK_OK);
    plan.rate = 0;
    assert_int_equal(flood_start(f, &plan), IBK_ERR_USAGE);
    stage_play(&network, 5 * SIP_S);
    assert_int_equal(requests, 50);
    assert_int_equal(flood_get_stats(f).sent, 50);
    assert_int_equal(flood_get_stats(f).answered, 50);
    assert_int_equal(flood_get_stats(f).failed, 0);
    http_server_free(server);
    flood_free(f);
    tls_endpoint_free(plain);
    side_close(&mallory);
    side_close(&victim);
    stage_close(&network);
}

/* Freed in the midst of it: transactions and connections that are open are let go. */
static void it_may_end_at_any_time(void **state) {
    (void)state;
    stage network;
    side mallory, victim;
    flood *f;
    stage_open(&network, names, 2, 1);
    side_open(&mallory, &network, "mallory", NULL, NULL);
    side_open(&victim, &network, "victim", BOB, NULL);
    assert_int_equal(flood_new(&f, mallory.host, mallory.craft), IBK_OK);
    flood_plan plan = {.at = stage_address(&network, "victim", 0),
                       .as = ALICE,
                       .to = BOB,
                       .message = IBK_MSG_I_MESSAGE_1,
                       .content = SCN_FLOOD_VALID_CIPHERTEXT,
                       .rate = 20,
                       .lasts_ns = 5 * SIP_S};
    assert_int_equal(flood_start(f, &plan), IBK_OK);
    plan.message = IBK_MSG_REQUEST_KEY_PSK; /* nothing listens there */
    assert_int_equal(flood_start(f, &plan), IBK_OK);
    stage_play(&network, SIP_S + SIP_MS);
    assert_false(flood_is_idle(f));
    flood_free(f);
    stage_play(&network, SIP_S);
    side_close(&mallory);
    side_close(&victim);
    stage_close(&network);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(garbage_costs_nobody_much),
        cmocka_unit_test(ciphertexts_cost_the_victim_more_than_the_attacker),
        cmocka_unit_test(a_recording_costs_the_attacker_nothing),
        cmocka_unit_test(key_requests_go_to_a_kms),
        cmocka_unit_test(it_may_end_at_any_time),
    };
    return cmocka_run_group_tests(tests, agent_lab_setup, agent_lab_teardown);
}
