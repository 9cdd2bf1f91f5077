#include "adversary/tap_tcp_lab.h"

tap_tcp_lab lab;

/* ---- ends ---------------------------------------------------------------------------------------- */

static void on_received(void *user, n3_tcp *tcp, const uint8_t *data, size_t len) {
    end *e = user;
    (void)tcp;
    e->last_ns = n3_now(e->sim);
    assert_int_equal(ibk_buf_append(&e->got, data, len), IBK_OK);
}

static void on_peer_closed(void *user, n3_tcp *tcp) {
    end *e = user;
    e->peer_closed = true;
    e->got_at_close = e->got.len;
    if (!e->stays_open)
        OK(n3_tcp_close(tcp));
}

static void on_ended(void *user, n3_tcp *tcp, n3_tcp_end why) {
    end *e = user;
    (void)tcp;
    e->ended = true;
    e->why = why;
}

static n3_tcp_config handlers(end *e) {
    e->sim = lab.w.sim;
    return (n3_tcp_config){.handlers = {NULL, on_received, NULL, on_peer_closed, on_ended},
                           .user = e,
                           .connect_timeout_ns = 100 * (uint64_t)SEC,
                           .max_queue = 8 << 20};
}

void lab_accept(void *user, n3_tcp *tcp) {
    (void)user;
    assert_true(lab.servers < CONNECTIONS);
    end *e = &lab.server[lab.servers++];
    n3_tcp_config config = handlers(e);
    e->tcp = tcp;
    OK(n3_tcp_configure(tcp, &config));
}

end *connect_client(void) {
    end *e = &lab.client[lab.clients++];
    n3_tcp_config config = handlers(e);
    OK(n3_tcp_connect(&e->tcp, lab.w.a, NULL, &lab.server_at, &config));
    return e;
}

/* ---- messages ------------------------------------------------------------------------------------ */

void put_sip(ibk_buf *out, const char *what, unsigned number, size_t body) {
    char head[200];
    int len = snprintf(head, sizeof head,
                       "MESSAGE sip:%s SIP/2.0\r\nCSeq: %u MESSAGE\r\nContent-Length: %zu\r\n\r\n", what,
                       number, body);
    assert_int_equal(ibk_buf_append(out, head, (size_t)len), IBK_OK);
    size_t at = out->len;
    assert_int_equal(ibk_buf_resize(out, at + body), IBK_OK);
    for (size_t i = 0; i < body; i++)
        out->data[at + i] = (uint8_t)(number * 31 + i * 7 + i / 253);
}

static bool says(ibk_span octets, const char *what) {
    char start[40];
    int len = snprintf(start, sizeof start, "MESSAGE sip:%s ", what);
    return octets.len >= (size_t)len && memcmp(octets.data, start, (size_t)len) == 0;
}

static ibk_buf made; /* the adversary's */

/* The adversary: each message says what is to be done with it. */
void seen(void *user, const tap_message *message, tap_verdict *verdict) {
    (void)user;
    ibk_span octets = message->octets;
    lab.shown[message->kind]++;
    if (message->kind == TAP_PACKET) {
        verdict->what = lab.drop_packets ? TAP_DROP : TAP_PASS;
        return;
    }
    lab.last = *message;
    lab.shown_octets += octets.len;
    ibk_buf_clear(&made);
    verdict->delay_ns = lab.delay_ns;
    if (says(octets, "drop")) {
        verdict->what = TAP_DROP;
    } else if (says(octets, "shorter") || says(octets, "longer")) {
        put_sip(&made, "replaced", 1, says(octets, "longer") ? LONG_BODY : SHORT_BODY);
        *verdict = (tap_verdict){.what = TAP_REPLACE, .octets = ibk_buf_span(&made)};
    } else if (says(octets, "delay")) {
        verdict->delay_ns = 20 * (uint64_t)SEC;
    } else if (says(octets, "insert")) {
        put_sip(&made, "inserted", 1, 100);
        assert_int_equal(tap_send(lab.t, message, false, 0, ibk_buf_span(&made)), IBK_OK);
    } else if (says(octets, "reverse")) {
        put_sip(&made, "answered", 1, 2000);
        verdict->what = TAP_DROP;
        assert_int_equal(tap_send(lab.t, message, true, 0, ibk_buf_span(&made)), IBK_OK);
    }
    if (message->kind == TAP_SIP)
        assert_true(message->tcp);
}

/* ---- scenes -------------------------------------------------------------------------------------- */

void scene_open(world_config config, uint16_t port) {
    memset(&lab, 0, sizeof lab);
    config.seed = config.seed ? config.seed : 3;
    lab.w = world_new(config);
    lab.server_at = (n3_endpoint){lab.w.address_b, port};
    OK(n3_listen(&lab.listener, lab.w.b, &lab.server_at, lab_accept, NULL));
}

void tap_on(n3_link *link, bool active) {
    assert_int_equal(tap_new(&lab.t, lab.w.sim, link, active, seen, NULL), IBK_OK);
}

void run_for(uint64_t ns) {
    OK(n3_run_until(lab.w.sim, n3_now(lab.w.sim) + ns));
}

tap_stats scene_close(void) {
    tap_stats stats = lab.t ? tap_get_stats(lab.t) : (tap_stats){0};
    tap_free(lab.t);
    for (size_t i = 0; i < CONNECTIONS; i++) {
        n3_tcp_free(lab.client[i].tcp);
        n3_tcp_free(lab.server[i].tcp);
        ibk_buf_free(&lab.client[i].got);
        ibk_buf_free(&lab.server[i].got);
    }
    n3_listener_free(lab.listener);
    ibk_buf_free(&made);
    OK(n3_sim_free(lab.w.sim));
    lab.w.sim = NULL;
    return stats;
}

void check_got(const end *e, const ibk_buf *want) {
    assert_int_equal(e->got.len, want->len);
    assert_memory_equal(e->got.data, want->data, want->len);
}

void make_mixture(ibk_buf *sent, ibk_buf *arrives, ibk_buf *back) {
    static const char *const what[] = {"pass",    "drop", "longer",  "shorter", "insert", "reverse",
                                       "delay",   "pass", "longer",  "drop",    "pass",   "reverse",
                                       "shorter", "drop", "shorter", "insert",  "pass"};
    for (unsigned i = 0; i < sizeof what / sizeof *what; i++) {
        size_t body = i % 3 == 0 ? 20000 : 700 * (size_t)i;
        put_sip(sent, what[i], i, body);
        if (strcmp(what[i], "insert") == 0)
            put_sip(arrives, "inserted", 1, 100);
        if (strcmp(what[i], "pass") == 0 || strcmp(what[i], "insert") == 0)
            put_sip(arrives, what[i], i, body);
        if (strcmp(what[i], "longer") == 0 || strcmp(what[i], "shorter") == 0)
            put_sip(arrives, "replaced", 1, what[i][0] == 'l' ? LONG_BODY : SHORT_BODY);
        if (strcmp(what[i], "reverse") == 0)
            put_sip(back, "answered", 1, 2000);
    }
    put_sip(arrives, "delay", 6, 20000); /* 20 seconds later */
}

int close_scene(void **state) {
    (void)state;
    if (lab.w.sim)
        scene_close();
    return 0;
}
