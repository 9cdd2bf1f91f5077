/* Every deviation changes what is on the wire, and the strict peer at the other end names one of the
 * requirements that it violates; those that nobody can notice are marked so in the table. */
#include "peer/pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
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
    pair_setting s = {.esk = true, .deviation = d->name};
    if (strcmp(d->message, "request-key-pke") == 0)
        s.chash = true;
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

static bool found_one_of(const peer *p, const char *requirements) {
    for (size_t i = 0; i < peer_findings(p); i++)
        if (names(requirements, peer_finding_at(p, i)->requirement))
            return true;
    return false;
}

static unsigned complain(const peer_deviation *d, const peer *receiver, const char *what) {
    print_error("%s (%s): %s\n", d->name, d->requirements, what);
    for (size_t i = 0; i < peer_findings(receiver); i++)
        print_error("    %s %s\n", peer_finding_at(receiver, i)->requirement,
                    peer_finding_at(receiver, i)->text);
    return 1;
}

static unsigned judge(const peer_deviation *d, pair_flow flow) {
    pair right, bent;
    pair_setting s = setting_of(d), plain = s;
    plain.deviation = NULL;
    pair_play(&right, flow, &plain);
    pair_play(&bent, flow, &s);
    bool by_first = d->sender == PEER_INITIATOR || d->sender == PEER_USER;
    if (flow == PAIR_UPDATE_BACK)
        by_first = !by_first;
    const peer *sender = by_first ? bent.first : bent.second, *receiver = by_first ? bent.second : bent.first;
    unsigned bad = 0;
    if (!peer_look(sender)->deviated)
        bad = complain(d, receiver, "was not bent");
    else if (flow != PAIR_PKE && ibk_span_equal(ibk_buf_span(&right.wire), ibk_buf_span(&bent.wire)))
        bad = complain(d, receiver, "changed nothing on the wire");
    else if (!d->unnoticed && !found_one_of(receiver, d->requirements))
        bad = complain(d, receiver, "was not noticed, or as something else");
    else if (d->unnoticed && found_one_of(receiver, d->requirements))
        bad = complain(d, receiver, "was noticed, though the table says that nobody can");
    pair_free(&right);
    pair_free(&bent);
    return bad;
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
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_noticed)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    pair_forget_domains();
    return failed;
}
