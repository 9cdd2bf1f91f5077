/* What members a result.json has: an entry in each of its lists, written by the code that writes results. */
#include "reports/result.h"
#include "sweep/measure.h"

static void add_call(result *r) {
    static const result_crypto crypto = {.node = "node"};
    result_call *call = result_add_call(r);
    call->id = "call";
    call->from = call->to = call->answered_by = "user";
    call->invite = call->established = result_at(1);
    call->setup.known = true;
    result_add_crypto(r, call, &crypto);
    result_add_mikey(r, call, "message", 1);
    *result_add_media(r, call) =
        (result_media){.stream = "audio", .from = "user", .to = "user", .codec = "codec"};
    *result_add_update(r, call) = (result_update){.action = "update", .by = "user", .carrier = "UPDATE"};
}

static void add_nodes(result *r) {
    result_user *user = result_add_user(r);
    user->name = user->impu = user->node = "user";
    user->cpu = "cpu";
    *result_add_key_request(r, user) = (result_key_request){.kind = "first", .method = "psk"};
    *result_add_fetch(r, user) = (result_fetch){.domain = "domain"};
    result_kms *kms = result_add_kms(r);
    kms->domain = kms->identity = "domain";
    kms->cpu = "cpu";
    result_add_refusal(r, kms, "reason", 1);
    *result_add_link(r) = (result_link){.name = "link", .a = "node", .b = "node"};
    *result_add_message(r) = (result_message){.from = "user", .to = "user"};
}

static void add_attack(result *r) {
    static const result_rule rule = {.on = "on", .text = "do"};
    static const result_seat seat = {.link = "link", .inside = "node"};
    static const result_fact fact = {.what = "x", .how = "held", .step = "step"};
    result_adversary *adversary = result_add_adversary(r);
    adversary->name = "adversary";
    adversary->own.cpu = "cpu";
    result_add_seat(r, adversary, &seat);
    result_add_rule(r, adversary, &rule);
    result_party *party = result_add_party(r);
    party->name = "adversary";
    party->kind = "adversary";
    result_add_fact(r, party, &fact);
}

json_t *measure_shape(void) {
    result r = {.title = "title", .scenario = "scenario", .parameters = "parameters"};
    ibk_buf text = {0};
    *result_add_expectation(&r) =
        (result_expectation){.text = "text", .file = "file", .observed = "observed"};
    result_add_property(&r, "property", true, NULL);
    add_call(&r);
    add_nodes(&r);
    add_attack(&r);
    json_t *shape = NULL;
    if (result_json(&text, &r) == IBK_OK)
        shape = json_loadb((const char *)text.data, text.len, 0, NULL);
    ibk_buf_free(&text);
    result_free(&r);
    return shape;
}
