/* Flow cases: calls in every combination of sizes, curves, algorithms and timestamps, with the peer at the
 * other end, and between two processes of the adapter. What has one way only stands in flow_more.c. */
#include "conformance/cases/flow.h"
#include "conformance/cases/cases.h"
#include "conformance/suite/cover.h"

#include <stdlib.h>
#include <string.h>

static const unsigned sizes[] = {1024, 2048, 3072, 7680};
static const char *const curves[] = {"P-256", "P-384", "P-521", "P-192",
                                     "P-224"}; /* the last two only received: P-21 */
static const char *const map_words[] = {"srtp-id", "generic-id"};
static const uint8_t map_values[] = {0, 2};

/* One row of a combination. */
typedef struct combination {
    unsigned size;
    const char *curve;
    uint8_t prf, mac, timestamp, map;
} combination;

static const char *map_json(suite_trial *t, uint8_t map) {
    if (map == 0)
        return "";
    return suite_text(
        t, "'map': {'type': 'GENERIC-ID', 'sessions': [{'cs_id': 1, 'policies': [0], 'ssrc': 1, 'mki': "
           "'AQ=='}, {'cs_id': 2, 'policies': [0], 'ssrc': 2, 'mki': 'Ag=='}]}, 'policies': [{'number': 0, "
           "'encr_alg': 1, 'encr_key_len': 16, 'auth_alg': 1}]");
}

static const char *policy_json(suite_trial *t, const combination *c, const char *curve, bool mac) {
    return suite_text(t, "{'timestamp': '%s', 'prf': '%s', 'curve': '%s'%s%s%s}",
                      case_timestamps[c->timestamp], case_prfs[c->prf], curve, mac ? ", 'mac': '" : "",
                      mac ? case_macs[c->mac] : "", mac ? "'" : "");
}

/* The IUT did call with the values that it was told to use. `curve` 0: not known. */
static void obeyed_as_initiator(suite_trial *t, const combination *c, suite_report opened, uint8_t curve) {
    ibk_span octets = suite_sent_at(t, opened, 0);
    unsigned map = suite_read(t, octets)->map_type;
    case_obeyed(t, octets, c->prf, c->timestamp);
    suite_obeyed(t, curve == 0 || curve == case_curve(c->curve), suite_text(t, "policy.curve %s", c->curve),
                 "ECCPT on %s", case_curve_name(curve));
    suite_obeyed(t, map == c->map, suite_text(t, "map.type %s", case_maps[c->map]), "a map of type %u", map);
}

/* … and V of R_MESSAGE_2, in its last report, is made with the MAC that it was told to use. */
static void obeyed_as_responder(suite_trial *t, const combination *c, suite_report last) {
    int mac = case_algorithm(t, suite_sent_at(t, last, 0), SUITE_V);
    suite_obeyed(t, mac == c->mac, suite_text(t, "policy.mac %s", case_macs[c->mac]), "V with algorithm %d",
                 mac);
}

static bool call_to_peer(suite_trial *t, const void *arg, const char *deviation, suite_report *last,
                         peer **p) {
    const combination *c = arg;
    suite_node node = {.size = c->size, .users = "alice", .policy = policy_json(t, c, c->curve, false)};
    peer_setup setup = {.role = PEER_RESPONDER,
                        .size = c->size,
                        .mac = c->mac,
                        .timestamp = c->timestamp,
                        .deviation = deviation};
    suite_begin(t, SUITE_A, &node);
    *p = case_peer(t, &setup);
    suite_report opened = suite_open_initiator(t, SUITE_A, map_json(t, c->map));
    bool done = case_call_tried(t, SUITE_A, *p, opened, last);
    if (done)
        obeyed_as_initiator(t, c, opened, peer_look(*p)->curve);
    return done;
}

static const peer_sp srtp = {0, {(const uint8_t[]){0, 1, 1, 1, 1, 16, 2, 1, 1}, 9}};

static bool call_from_peer(suite_trial *t, const void *arg, const char *deviation, suite_report *last,
                           peer **p) {
    const combination *c = arg;
    suite_node node = {
        .size = c->size, .users = "bob", .policy = suite_text(t, "{'mac': '%s'}", case_macs[c->mac])};
    peer_setup setup = {.role = PEER_INITIATOR,
                        .size = c->size,
                        .curve = case_curve(c->curve),
                        .prf = c->prf,
                        .timestamp = c->timestamp,
                        .map_type = c->map,
                        .policies = &srtp,
                        .n_policies = c->map == 2,
                        .deviation = deviation};
    suite_begin(t, SUITE_A, &node);
    suite_open_responder(t, SUITE_A, "");
    *p = case_peer(t, &setup);
    bool done = case_call_from_peer(t, SUITE_A, *p, last);
    if (done)
        obeyed_as_responder(t, c, *last);
    return done;
}

/* Nothing special, as far as the adapter claims it. */
static combination plain_of(suite_trial *t, const combination *c, bool calls) {
    combination p = *c;
    p.size = suite_size(t);
    p.curve = suite_claims(t, calls ? "own_curves" : "curves", "P-256") ? "P-256" : c->curve;
    p.prf = suite_claims(t, "prfs", case_prfs[0]) ? 0 : c->prf;
    p.mac = suite_claims(t, "macs", case_macs[1]) ? 1 : c->mac;
    p.timestamp = suite_claims(t, "timestamps", case_timestamps[0]) ? 0 : c->timestamp;
    p.map = suite_claims(t, "maps", case_maps[0]) ? 0 : c->map;
    return p;
}

/* A call with the values of a combination; where it comes to nothing, which of them is at fault. */
static void run_call(suite_trial *t, const combination *c, case_play *play) {
    const combination plain = plain_of(t, c, play == call_to_peer);
    combination alone[6] = {plain, plain, plain, plain, plain, plain};
    alone[0].size = c->size;
    alone[1].curve = c->curve;
    alone[2].prf = c->prf;
    alone[3].mac = c->mac;
    alone[4].timestamp = c->timestamp;
    alone[5].map = c->map;
    const case_value values[] = {case_of_size(t, c->size, &alone[0]),
                                 {"P-21", c->curve, &alone[1]},
                                 case_of_prf(c->prf, &alone[2]),
                                 case_of_mac(c->mac, &alone[3]),
                                 {c->timestamp < 2 ? "3830-65" : NULL,
                                  suite_text(t, "T of the type %s", case_timestamps[c->timestamp]),
                                  &alone[4]},
                                 {NULL, suite_text(t, "a map of the type %s", case_maps[c->map]), &alone[5]}};
    const case_again again = {play, c, &plain, c->prf, CASE_ALONE, values, 6};
    suite_report last;
    peer *p;
    bool done = play(t, c, NULL, &last, &p);
    case_judge(t, p, false);
    if (!done)
        case_taken_again(t, last, &again, NULL, "", "accepted/established");
    case_keys(t, last, p, "6267-95");
}

static void run_initiator(suite_trial *t, const void *arg) {
    run_call(t, arg, call_to_peer);
}

static void run_responder(suite_trial *t, const void *arg) {
    run_call(t, arg, call_from_peer);
}

/* Two processes of the adapter. */
static void run_pair(suite_trial *t, const void *arg) {
    const combination *c = arg;
    suite_node alice = {.size = c->size, .users = "alice", .policy = policy_json(t, c, c->curve, false)};
    suite_node bob = {
        .size = c->size, .users = "bob", .policy = suite_text(t, "{'mac': '%s'}", case_macs[c->mac])};
    suite_begin(t, SUITE_A, &alice);
    suite_begin(t, SUITE_B, &bob);
    suite_report a = suite_open_initiator(t, SUITE_A, map_json(t, c->map)), opened = a;
    suite_open_responder(t, SUITE_B, "");
    suite_report b = suite_message_in(t, SUITE_B, "b", suite_sent(t, a, "6267-28"));
    a = suite_message_in(t, SUITE_A, "a", case_pair_sent(t, b, case_rule(t, b)));
    b = suite_message_in(t, SUITE_B, "b", case_pair_sent(t, a, case_rule(t, a)));
    a = suite_message_in(t, SUITE_A, "a", case_pair_sent(t, b, case_rule(t, b)));
    case_expect_taken(t, a, case_rule(t, a), "", "accepted/established");
    suite_same_keys(t, a, b, "6267-95");
    obeyed_as_initiator(t, c, opened, 0);
    obeyed_as_responder(t, c, b);
}

/* ---- which requirements, which names ---- */

static const char both_ids[] =
    "6267-94 6267-95 6267-96 6267-82 6267-97 6267-98 6267-99 3830-6 3830-17 3830-45 3830-49 3830-62 3830-64 "
    "3830-66 "
    "5091-10 5091-13 5091-14 5091-21 P-1 P-2 P-4 P-5 P-6 P-7 P-8 P-9 P-11 P-12 P-19";
static const char initiator_ids[] = "6267-28 6267-30 6267-44 6267-48 6267-49 6267-50 6267-51 6267-53 6267-54 "
                                    "6267-55 6267-67 6267-68 6267-84 6267-92 "
                                    "6539-7 6539-9 6539-10 3830-38";
static const char responder_ids[] = "6267-32 6267-33 6267-37 6267-38 6267-39 6267-40 6267-41 6267-42 6267-57 "
                                    "6267-60 6267-61 6267-63 6267-67 6267-93 "
                                    "6539-2 6539-3 6539-4 6539-6 6539-11 P-14";

static const char *ids_of(suite_list *list, const combination *c, const char *ids) {
    const char *size = "5091-9", *generic = c->map == 2 ? " 6043-3 6043-5 6043-6 6043-7 6043-8 3830-69" : "";
    return suite_list_text(list, "%s %s %s%s%s%s%s%s", both_ids, ids, size,
                           c->prf ? " 6043-1 6043-2" : " 3830-9 3830-11",
                           c->mac == 1 ? " 3830-16" : " 6043-10", c->timestamp < 2 ? " 3830-65" : "",
                           c->timestamp == 0 ? " 3830-24" : "", generic);
}

static const char *wants_of(suite_list *list, const combination *c, const char *role,
                            const char *curve_kind) {
    return suite_list_text(list, "roles:%s sizes:%u %s:%s prfs:%s macs:%s timestamps:%s maps:%s", role,
                           c->size, curve_kind, c->curve, case_prfs[c->prf], case_macs[c->mac],
                           case_timestamps[c->timestamp], case_maps[c->map]);
}

static const char *lower(suite_list *list, const char *text) {
    char *copy = (char *)suite_list_text(list, "%s", text);
    for (char *at = copy; *at; at++)
        *at = *at >= 'A' && *at <= 'Z' ? (char)(*at | 0x20) : *at;
    return copy;
}

typedef struct kind {
    const char *name, *role, *title, *ids, *curve_kind;
    unsigned curves;
    void (*run)(suite_trial *, const void *);
} kind;

static const kind kinds[] = {
    {"initiator", "initiator", "a call to the peer", initiator_ids, "own_curves", 3, run_initiator},
    {"responder", "responder", "a call from the peer", responder_ids, "curves", 5, run_responder},
    {"pair", "initiator,responder", "a call between two processes",
     "6267-28 6267-32 6267-37 6267-44 6267-48 6267-57 6267-60 6267-67 6267-68", "own_curves", 3, run_pair},
};

static void add_row(suite_list *list, const kind *k, const unsigned char *row) {
    combination *c = suite_list_alloc(list, sizeof *c);
    *c = (combination){.size = sizes[row[0]],
                       .curve = curves[row[1]],
                       .prf = row[2],
                       .mac = (uint8_t)(row[3] + 1),
                       .timestamp = row[4],
                       .map = map_values[row[5]]};
    const char *name = suite_list_text(list, "flow/%s/%u-%s-%s-%s-%s-%s", k->name, c->size, c->curve,
                                       c->prf ? "prf-sha-256" : "mikey-1", c->mac == 1 ? "sha-1" : "sha-256",
                                       case_timestamps[c->timestamp], map_words[row[5]]);
    suite_case item = {lower(list, name),
                       k->title,
                       ids_of(list, c, k->ids),
                       wants_of(list, c, k->role, k->curve_kind),
                       k->run,
                       c};
    suite_add(list, &item);
}

void cases_flow(suite_list *list) {
    unsigned strength = suite_list_strength(list);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        const kind *k = &kinds[i];
        const unsigned values[] = {strength > 2 ? 4 : 3, k->curves, 2, 2, 4, 2};
        suite_rows rows = suite_cover(values, 6, strength);
        for (size_t r = 0; r < rows.count; r++)
            add_row(list, k, rows.rows[r]);
        free(rows.rows);
    }
    cases_flow_more(list);
    cases_flow_accept(list);
    cases_flow_offer(list);
    cases_flow_update(list);
}
