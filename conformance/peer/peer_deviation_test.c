/* Every deviation changes what is on the wire, and the strict peer at the other end names one of the
 * requirements that it violates; those that nobody can notice are marked so in the table. */
#include "peer/pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The flow in which a message appears. */
static pair_flow flow_of(const peer_deviation *d) {
    if (strncmp(d->message, "update", 6) == 0)
        return PAIR_UPDATE;
    if (strstr(d->message, "mailbox") || strstr(d->message, "deferred"))
        return PAIR_MAILBOX;
    if (strcmp(d->message, "request-key-pke") == 0)
        return PAIR_PKE;
    return strstr(d->message, "request-key") ? PAIR_PSK : PAIR_CALL;
}

static pair_setting setting_of(const peer_deviation *d) {
    pair_setting s = {.esk = true,
                      .deviation = d->name,
                      .prf = d->prf,
                      .encryption = d->encryption,
                      .timestamp = d->timestamp};
    if (strcmp(d->message, "request-key-pke") == 0)
        s.chash = true;
    if (strncmp(d->knob, "generic-", 8) == 0)
        s.map_type = 2;
    return s;
}

static bool names(const char *requirements, const char *id) {
    const char *at = requirements;
    size_t n = strlen(id);
    while ((at = strstr(at, id)) != NULL) {
        bool begins = at == requirements || at[-1] == ' ', ends = at[n] == 0 || at[n] == ' ';
        if (begins && ends)
            return true;
        at += n;
    }
    return false;
}

/* ---- the names of requirements ---- */

static char known_ids[16384];

static void read_ids(void) {
    char path[512];
    const char *source = getenv("IBAKELAB_SOURCE");
    (void)snprintf(path, sizeof path, "%s/conformance/requirements/ids.txt", source ? source : ".");
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t n = fread(known_ids, 1, sizeof known_ids - 1, file);
    (void)fclose(file);
    for (size_t i = 0; i < n; i++)
        if (known_ids[i] == '\n')
            known_ids[i] = ' ';
    assert_true(n > 1000 && n < sizeof known_ids - 1);
}

static bool found_one_of(const peer *p, const char *requirements) {
    bool found = false;
    for (size_t i = 0; i < peer_findings(p); i++) {
        const char *id = peer_finding_at(p, i)->requirement;
        if (!names(known_ids, id))
            fail_msg("%s is no requirement", id);
        found |= names(requirements, id);
    }
    return found;
}

static unsigned complain(const peer_deviation *d, const peer *receiver, const char *what) {
    print_error("%s (%s): %s\n", d->name, d->requirements, what);
    for (size_t i = 0; i < peer_findings(receiver); i++)
        print_error("    %s %s\n", peer_finding_at(receiver, i)->requirement,
                    peer_finding_at(receiver, i)->text);
    return 1;
}

/* Plays in which nobody deviates; the last is of the setting that came last. */
static pair plays[PAIR_PKE + 2];

static ibk_span right_wire(pair_flow flow, const pair_setting *setting) {
    bool special = setting->prf || setting->timestamp || setting->encryption || setting->map_type;
    pair *play = &plays[special ? PAIR_PKE + 1 : flow];
    pair_setting plain = *setting;
    plain.deviation = NULL;
    if (special)
        pair_free(play);
    if (special || play->messages == 0)
        pair_play(play, flow, &plain);
    return ibk_buf_span(&play->wire);
}

static unsigned judge(const peer_deviation *d, pair_flow flow) {
    pair bent;
    pair_setting s = setting_of(d);
    pair_play(&bent, flow, &s);
    bool by_first = d->sender == PEER_INITIATOR || d->sender == PEER_USER;
    if (flow == PAIR_UPDATE_BACK)
        by_first = !by_first;
    const peer *sender = by_first ? bent.first : bent.second, *receiver = by_first ? bent.second : bent.first;
    unsigned bad = 0;
    if (!peer_look(sender)->deviated)
        bad = complain(d, receiver, "was not bent");
    else if (flow != PAIR_PKE && ibk_span_equal(right_wire(flow, &s), ibk_buf_span(&bent.wire)))
        bad = complain(d, receiver, "changed nothing on the wire");
    else if (!d->unnoticed && !found_one_of(receiver, d->requirements))
        bad = complain(d, receiver, "was not noticed, or as something else");
    else if (d->unnoticed && found_one_of(receiver, d->requirements))
        bad = complain(d, receiver, "was noticed, though the table says that nobody can");
    pair_free(&bent);
    return bad;
}

static void test_table(void **state) {
    (void)state;
    peer_deviation d, same;
    size_t n = 0;
    for (; peer_deviation_at(n, &d); n++) {
        assert_true(peer_deviation_find(d.name, &same) &&
                    strcmp(d.text, same.text) == 0); /* a name stands for one */
        assert_true(d.text[0] && d.requirements[0] && strlen(d.requirements) < sizeof d.requirements - 1);
        assert_int_equal(d.tolerated, d.outcome != PEER_REFUSE);
        char list[sizeof d.requirements], *rest = list;
        memcpy(list, d.requirements, sizeof list);
        for (char *id; (id = strtok_r(rest, " ", &rest)) != NULL;)
            if (!names(known_ids, id))
                fail_msg("%s: %s is no requirement", d.name, id);
    }
    assert_int_equal(n, peer_deviations());
    assert_false(peer_deviation_find("r-message-1", &d) || peer_deviation_find("", &d));
}

/* ---- around a message ---- */

static const char body[] =
    "v=0\r\ns=-\r\nm=audio 4000 RTP/SAVP 0\r\na=sendrecv\r\nm=video 4002 RTP/SAVP 96\r\n";

static peer *responder(const char *deviation) {
    peer *p;
    peer_config c = {.role = PEER_RESPONDER,
                     .deviation = deviation,
                     .domains = pair_domain(1024, PEER_DAY),
                     .n_domains = 1,
                     .self = {1, ibk_span_str("sip:bob@home.example")},
                     .utc_ms = PAIR_NOON};
    assert_int_equal(peer_new(&p, &c), IBK_OK);
    return p;
}

static void test_sdp(void **state) {
    (void)state;
    const ibk_span message = ibk_span_str("any octets will do");
    for (peer_sdp_level level = PEER_SDP_SESSION; level <= PEER_SDP_MEDIA; level++) {
        peer *p = responder(NULL);
        ibk_buf sdp = {0}, back = {0};
        assert_int_equal(peer_sdp_write(p, ibk_span_str(body), level, message, &sdp), IBK_OK);
        assert_int_equal(peer_sdp_read(p, ibk_buf_span(&sdp), &back), IBK_OK);
        assert_true(ibk_span_equal(ibk_buf_span(&back), message));
        assert_int_equal(peer_findings(p), 0);
        ibk_buf_free(&sdp);
        ibk_buf_free(&back);
        peer_free(p);
    }
    peer_deviation d;
    size_t n = 0;
    for (size_t i = 0; peer_deviation_at(i, &d); i++) {
        if (strcmp(d.message, "sdp") != 0)
            continue;
        peer *p = responder(d.name), *q = responder(NULL);
        ibk_buf sdp = {0}, back = {0};
        assert_int_equal(peer_sdp_write(p, ibk_span_str(body), PEER_SDP_MEDIA, message, &sdp), IBK_OK);
        assert_int_equal(peer_sdp_read(q, ibk_buf_span(&sdp), &back), IBK_OK);
        assert_true(peer_look(p)->deviated && back.len == 0);
        if (!found_one_of(q, d.requirements))
            fail_msg("%s was not noticed", d.name);
        ibk_buf_free(&sdp);
        peer_free(p);
        peer_free(q);
        n++;
    }
    assert_true(n >= 8);
}

static void test_error_messages(void **state) {
    (void)state;
    peer_deviation d;
    size_t n = 0;
    for (size_t i = 0; peer_deviation_at(i, &d); i++) {
        if (strcmp(d.message, "error") != 0)
            continue;
        pair play;
        ibk_buf message = {0}, none = {0};
        pair_play(&play, PAIR_CALL, &(pair_setting){.deviation = d.name});
        assert_int_equal(peer_error(play.second, 12, &message), IBK_OK);
        assert_true(peer_look(play.second)->deviated);
        assert_int_equal(peer_receive(play.first, ibk_buf_span(&message), &none), IBK_OK);
        assert_int_equal(found_one_of(play.first, d.requirements), d.unnoticed == NULL);
        ibk_buf_free(&message);
        pair_free(&play);
        n++;
    }
    assert_true(n >= 3);
}

static bool is_message(const peer_deviation *d) {
    return strcmp(d->message, "sdp") != 0 && strcmp(d->message, "error") != 0;
}

static void test_noticed(void **state) {
    (void)state;
    peer_deviation d;
    unsigned bad = 0, judged = 0;
    for (size_t i = 0; peer_deviation_at(i, &d); i++) {
        if (!is_message(&d))
            continue;
        pair_flow flow = flow_of(&d);
        bad += judge(&d, flow);
        if (flow == PAIR_UPDATE)
            bad += judge(&d, PAIR_UPDATE_BACK);
        judged++;
    }
    print_message("%u deviations\n", judged);
    assert_true(judged > 300);
    assert_int_equal(bad, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_table), cmocka_unit_test(test_sdp),
                                       cmocka_unit_test(test_error_messages), cmocka_unit_test(test_noticed)};
    read_ids();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    for (size_t i = 0; i < sizeof plays / sizeof *plays; i++)
        pair_free(&plays[i]);
    pair_forget_domains();
    return failed;
}
