/* TCP over both families: bulk with loss, refusal, time-out, closing in order, resets, handles freed
 * anywhere. */
#include "n3_test.h"

static const n3_family families[] = {N3_IPV4, N3_IPV6};

/* One end of a connection. */
typedef struct end {
    n3_sim *sim;
    n3_tcp *tcp;
    size_t connected, drained, peer_closed, ended;
    n3_tcp_end why;
    uint64_t ended_at;
    size_t octets;
    uint32_t sum;
    size_t total_expected;
    bool echo, close_when_drained, close_when_peer_closes, abort_on_data, free_on_data, free_on_end;
} end;

static uint32_t mix(uint32_t sum, const uint8_t *data, size_t len) {
    for (size_t i = 0; i < len; i++) {
        sum = sum * 31 + data[i];
    }
    return sum;
}

static void on_connected(void *user, n3_tcp *tcp) {
    end *e = user;
    assert_true(n3_tcp_connected(tcp));
    e->connected++;
}

static void on_received(void *user, n3_tcp *tcp, const uint8_t *data, size_t len) {
    end *e = user;
    assert_ptr_equal(tcp, e->tcp);
    e->octets += len;
    e->sum = mix(e->sum, data, len);
    if (e->echo) {
        OK(n3_tcp_send(tcp, data, len));
    }
    if (e->abort_on_data) {
        n3_tcp_abort(tcp);
    }
    if (e->free_on_data) {
        n3_tcp_free(tcp);
        e->tcp = NULL;
    }
}

static void on_drained(void *user, n3_tcp *tcp) {
    end *e = user;
    e->drained++;
    assert_int_equal(n3_tcp_queued(tcp), 0);
    if (e->close_when_drained) {
        OK(n3_tcp_close(tcp));
    }
}

static void on_peer_closed(void *user, n3_tcp *tcp) {
    end *e = user;
    e->peer_closed++;
    if (e->close_when_peer_closes) {
        OK(n3_tcp_close(tcp));
    }
}

static void on_ended(void *user, n3_tcp *tcp, n3_tcp_end why) {
    end *e = user;
    e->ended++;
    e->why = why;
    e->ended_at = n3_now(e->sim);
    assert_int_equal(n3_tcp_ended(tcp), why);
    assert_false(n3_tcp_connected(tcp));
    if (e->free_on_end) {
        n3_tcp_free(tcp);
        e->tcp = NULL;
    }
}

static n3_tcp_config config_of(end *e) {
    return (n3_tcp_config){.handlers = {on_connected, on_received, on_drained, on_peer_closed, on_ended},
                           .user = e,
                           .max_queue = 4 * N3_TCP_QUEUE};
}

static void on_accepted(void *user, n3_tcp *tcp) {
    end *e = user;
    e->tcp = tcp;
    e->connected++;
    n3_tcp_config config = config_of(e);
    OK(n3_tcp_configure(tcp, &config));
}

typedef struct pair {
    world w;
    end client, server;
    n3_listener *listener;
} pair;

static void pair_open(pair *p, world_config config) {
    p->w = world_new(config);
    p->client.sim = p->server.sim = p->w.sim;
    n3_endpoint at = {p->w.address_b, 80};
    OK(n3_listen(&p->listener, p->w.b, &at, on_accepted, &p->server));
    n3_tcp_config c = config_of(&p->client);
    OK(n3_tcp_connect(&p->client.tcp, p->w.a, NULL, &at, &c));
}

static void pair_close(pair *p) {
    n3_listener_free(p->listener);
    n3_tcp_free(p->client.tcp);
    OK(n3_sim_free(p->w.sim));
    n3_tcp_free(p->server.tcp); /* after the simulation is as good */
}

static void test_bulk_with_loss(void **state) {
    (void)state;
    static uint8_t data[1000000];
    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = (uint8_t)(i * 13 + i / 997);
    }
    static const uint32_t losses[] = {0, 20000000, 50000000};
    for (size_t i = 0; i < 6; i++) {
        pair p = {0};
        pair_open(&p, (world_config){.family = families[i % 2], .path = {.loss_ppb = losses[i / 2]}});
        p.client.close_when_drained = p.server.close_when_peer_closes = true;
        OK(n3_tcp_send(p.client.tcp, data, sizeof data)); /* before it is connected */
        assert_int_equal(n3_tcp_queued(p.client.tcp), sizeof data);
        OK(n3_run(p.w.sim));
        assert_true(n3_idle(p.w.sim));
        assert_int_equal(p.server.octets, sizeof data);
        assert_int_equal(p.server.sum, mix(0, data, sizeof data));
        assert_int_equal(p.client.connected, 1);
        assert_int_equal(p.client.drained, 1);
        assert_int_equal(p.server.peer_closed, 1);
        assert_int_equal(p.client.ended, 1);
        assert_int_equal(p.server.ended, 1);
        assert_int_equal(p.client.why, N3_TCP_END_CLOSED);
        assert_int_equal(p.server.why, N3_TCP_END_CLOSED);
        REFUSED(N3_ERR_CLOSED, n3_tcp_send(p.client.tcp, "x", 1));
        pair_close(&p);
    }
}

static void test_echo_and_half_close(void **state) {
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        static uint8_t data[200000];
        pair p = {0};
        pair_open(&p, (world_config){.family = families[i], .path = {.loss_ppb = 10000000}});
        p.server.echo = p.server.close_when_peer_closes = true;
        OK(n3_tcp_send(p.client.tcp, data, sizeof data));
        OK(n3_tcp_close(p.client.tcp)); /* FIN after the data; what comes back still arrives */
        REFUSED(N3_ERR_STATE, n3_tcp_send(p.client.tcp, "x", 1));
        OK(n3_run(p.w.sim));
        assert_int_equal(p.client.octets, sizeof data);
        assert_int_equal(p.client.sum, mix(0, data, sizeof data));
        assert_int_equal(p.client.why, N3_TCP_END_CLOSED);
        assert_int_equal(p.server.why, N3_TCP_END_CLOSED);
        pair_close(&p);
    }
}

static void test_addresses(void **state) {
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        world w = world_new((world_config){.family = families[i]});
        n3_addr service;
        OK(n3_node_add_planned_address(w.a, &service, w.family));
        OK(n3_routes_build(w.sim));
        end client = {.sim = w.sim}, server = {.sim = w.sim};
        n3_listener *listener;
        n3_endpoint at = {n3_addr_any(w.family), 0}, local, seen;
        OK(n3_listen(&listener, w.b, &at, on_accepted, &server));
        OK(n3_listener_local(listener, &at));
        at.addr = w.address_b;
        n3_tcp_config c = config_of(&client);
        n3_endpoint from = {service, 4000};
        OK(n3_tcp_connect(&client.tcp, w.a, &from, &at, &c));
        OK(n3_run_until(w.sim, SEC));
        assert_int_equal(server.connected, 1);
        OK(n3_tcp_local(client.tcp, &local));
        assert_true(n3_endpoint_equal(&local, &from));
        OK(n3_tcp_remote(server.tcp, &seen));
        assert_true(n3_endpoint_equal(&seen, &from));
        OK(n3_tcp_local(server.tcp, &seen));
        assert_true(n3_endpoint_equal(&seen, &at));
        OK(n3_tcp_remote(client.tcp, &seen));
        assert_true(n3_endpoint_equal(&seen, &at));
        n3_tcp *second;
        REFUSED(N3_ERR_ADDRESS, n3_tcp_connect(&second, w.a, &from, &at, &c));
        assert_null(second);
        n3_tcp_free(client.tcp);
        OK(n3_run(w.sim));
        assert_int_equal(server.why, N3_TCP_END_RESET); /* freed without closing */
        assert_int_equal(client.ended, 0);
        n3_tcp_free(server.tcp);
        n3_listener_free(listener);
        OK(n3_sim_free(w.sim));
    }
}

static void test_refused(void **state) {
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        world w = world_new((world_config){.family = families[i]});
        end client = {.sim = w.sim, .free_on_end = true};
        n3_tcp_config c = config_of(&client);
        OK(n3_tcp_connect(&client.tcp, w.a, NULL, &(n3_endpoint){w.address_b, 81}, &c));
        assert_int_equal(client.ended, 0);
        OK(n3_run(w.sim));
        assert_int_equal(client.why, N3_TCP_END_REFUSED);
        assert_int_equal(client.connected, 0);
        assert_in_range(client.ended_at, 20 * MS, 21 * MS); /* one round trip */
        assert_true(n3_now(w.sim) < 2 * (uint64_t)SEC);     /* no SYN goes on */
        OK(n3_sim_free(w.sim));
    }
}

static void test_timed_out(void **state) {
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        world w = world_new((world_config){.family = families[i]});
        OK(n3_link_set_loss(w.rb, N3_AB, N3_LOSS_ALWAYS));
        end client = {.sim = w.sim};
        n3_tcp_config c = config_of(&client);
        n3_endpoint to = {w.address_b, 80};
        OK(n3_tcp_connect(&client.tcp, w.a, NULL, &to, &c));
        OK(n3_run(w.sim));
        assert_int_equal(client.why, N3_TCP_END_TIMED_OUT);
        assert_int_equal(client.ended_at, N3_TCP_CONNECT_TIMEOUT);
        n3_link_stats stats;
        OK(n3_link_get_stats(w.ar, &stats, N3_AB));
        assert_int_equal(stats.sent_packets, 4); /* SYNs at 0, 1, 3, 7 s, and none afterwards */
        n3_tcp_free(client.tcp);
        uint64_t start = n3_now(w.sim);
        c.connect_timeout_ns = 1500 * (uint64_t)MS;
        OK(n3_tcp_connect(&client.tcp, w.a, NULL, &to, &c));
        OK(n3_run(w.sim));
        assert_int_equal(client.ended_at, start + 1500 * (uint64_t)MS);
        n3_tcp_free(client.tcp);
        OK(n3_sim_free(w.sim));
    }
}

typedef struct outage {
    n3_link *link;
    uint32_t loss_ppb;
} outage;

static void set_outage(void *user) {
    outage *o = user;
    OK(n3_link_set_loss(o->link, N3_AB, o->loss_ppb));
}

/* RFC 6298 §3, §5.7: the time that lost SYNs took is no measure of the round trip. */
static void test_lost_syns_do_not_slow_data(void **state) {
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        pair p = {0};
        pair_open(&p, (world_config){.family = families[i]});
        outage now = {p.w.rb, N3_LOSS_ALWAYS}, over = {p.w.rb, 0}, again = now, at_last = over;
        set_outage(&now);
        OK(n3_tcp_send(p.client.tcp, "late", 4));
        OK(n3_schedule(p.w.sim, NULL, 2500 * (uint64_t)MS, set_outage, &over));  /* the SYN of 3 s arrives */
        OK(n3_schedule(p.w.sim, NULL, 3015 * (uint64_t)MS, set_outage, &again)); /* the data does not */
        OK(n3_schedule(p.w.sim, NULL, 3500 * (uint64_t)MS, set_outage, &at_last));
        OK(n3_run_until(p.w.sim, 5900 * (uint64_t)MS));
        assert_int_equal(p.client.connected, 1);
        assert_int_equal(p.server.octets, 0);
        OK(n3_run_until(p.w.sim, 6200 * (uint64_t)MS)); /* 3 s after it was sent */
        assert_int_equal(p.server.octets, 4);
        pair_close(&p);
    }
}

static void test_unreachable(void **state) {
    (void)state;
    world w = world_new((world_config){0});
    end client = {.sim = w.sim};
    n3_tcp_config c = config_of(&client);
    n3_endpoint to;
    OK(n3_endpoint_parse(&to, "10.77.0.1:80"));
    OK(n3_tcp_connect(&client.tcp, w.r, NULL, &to, &c));
    assert_int_equal(client.ended, 0);
    OK(n3_run(w.sim));
    assert_int_equal(client.why, N3_TCP_END_UNREACHABLE);
    assert_string_equal(n3_tcp_end_name(client.why), "unreachable");
    n3_tcp_free(client.tcp);
    OK(n3_sim_free(w.sim));
}

static void test_link_dies(void **state) {
    (void)state;
    pair p = {0};
    pair_open(&p, (world_config){0});
    OK(n3_run_until(p.w.sim, SEC));
    OK(n3_link_set_loss(p.w.rb, N3_AB, N3_LOSS_ALWAYS));
    OK(n3_tcp_send(p.client.tcp, "x", 1));
    OK(n3_run(p.w.sim));
    assert_int_equal(p.client.why, N3_TCP_END_TIMED_OUT);
    assert_int_equal(p.server.ended, 0);
    /* closing towards a dead peer ends too */
    OK(n3_link_set_loss(p.w.rb, N3_BA, N3_LOSS_ALWAYS));
    OK(n3_tcp_close(p.server.tcp));
    OK(n3_run(p.w.sim));
    assert_int_equal(p.server.why, N3_TCP_END_TIMED_OUT);
    pair_close(&p);
}

static void test_abort_and_free_inside_callbacks(void **state) {
    (void)state;
    for (int i = 0; i < 2; i++) {
        pair p = {0};
        pair_open(&p, (world_config){0});
        p.server.abort_on_data = i == 0;
        p.server.free_on_data = i == 1;
        p.client.free_on_end = true;
        static uint8_t data[100000];
        OK(n3_tcp_send(p.client.tcp, data, sizeof data));
        OK(n3_run(p.w.sim));
        assert_true(p.server.octets > 0 && p.server.octets < sizeof data);
        assert_int_equal(p.server.ended, 0); /* no callback after abort or free */
        assert_int_equal(p.client.ended, 1);
        assert_int_equal(p.client.why, N3_TCP_END_RESET);
        assert_null(p.client.tcp);
        pair_close(&p);
    }
}

/* Freed after close: the data and the FIN still go out. */
static void test_free_after_close(void **state) {
    (void)state;
    pair p = {0};
    pair_open(&p, (world_config){.path = {.loss_ppb = 20000000}});
    p.server.close_when_peer_closes = true;
    static uint8_t data[300000];
    OK(n3_tcp_send(p.client.tcp, data, sizeof data));
    OK(n3_tcp_close(p.client.tcp));
    n3_tcp_free(p.client.tcp);
    p.client.tcp = NULL;
    OK(n3_run(p.w.sim));
    assert_int_equal(p.server.octets, sizeof data);
    assert_int_equal(p.server.why, N3_TCP_END_CLOSED);
    assert_int_equal(p.client.connected + p.client.drained + p.client.ended, 0);
    pair_close(&p);
}

static void refuse_it(void *user, n3_tcp *tcp) {
    ++*(int *)user;
    n3_tcp_free(tcp);
}

static void test_refuse_when_accepting(void **state) {
    (void)state;
    world w = world_new((world_config){0});
    int calls = 0;
    end client = {.sim = w.sim};
    n3_endpoint at = {w.address_b, 80};
    n3_listener *listener;
    OK(n3_listen(&listener, w.b, &at, refuse_it, &calls));
    n3_tcp_config c = config_of(&client);
    OK(n3_tcp_connect(&client.tcp, w.a, NULL, &at, &c));
    OK(n3_run_until(w.sim, 15 * MS)); /* the SYN is there, the listener goes */
    OK(n3_run(w.sim));
    assert_int_equal(calls, 1);
    assert_int_equal(client.why, N3_TCP_END_RESET);
    n3_tcp_free(client.tcp);
    OK(n3_tcp_connect(&client.tcp, w.a, NULL, &at, &c));
    OK(n3_run_until(w.sim, n3_now(w.sim) + 15 * MS));
    n3_listener_free(listener);
    OK(n3_run(w.sim));
    assert_int_equal(calls, 1);
    assert_int_equal(client.why, N3_TCP_END_RESET);
    n3_tcp_free(client.tcp);
    OK(n3_sim_free(w.sim));
}

static void test_queue_limit(void **state) {
    (void)state;
    pair p = {0};
    pair_open(&p, (world_config){0});
    n3_tcp_config c = config_of(&p.client);
    c.max_queue = 1000;
    OK(n3_tcp_configure(p.client.tcp, &c));
    static uint8_t data[1001];
    REFUSED(N3_ERR_LIMIT, n3_tcp_send(p.client.tcp, data, 1001));
    OK(n3_tcp_send(p.client.tcp, data, 600));
    REFUSED(N3_ERR_LIMIT, n3_tcp_send(p.client.tcp, data, 401));
    OK(n3_tcp_send(p.client.tcp, data, 400));
    OK(n3_run_until(p.w.sim, SEC));
    assert_int_equal(n3_tcp_queued(p.client.tcp), 0);
    assert_int_equal(p.server.octets, 1000);
    c.max_queue = (size_t)N3_TCP_QUEUE_MAX + 1;
    REFUSED(N3_ERR_ARGUMENT, n3_tcp_configure(p.client.tcp, &c));
    pair_close(&p);
}

typedef struct crowd {
    n3_sim *sim;
    bool refuse;
    size_t count;
    end ends[100];
} crowd;

static void crowd_accept(void *user, n3_tcp *tcp) {
    crowd *c = user;
    assert_true(c->count < 100);
    if (c->refuse) {
        c->count++;
        n3_tcp_free(tcp);
        return;
    }
    end *e = &c->ends[c->count++];
    *e = (end){.sim = c->sim, .tcp = tcp, .close_when_peer_closes = true, .free_on_end = true};
    n3_tcp_config config = config_of(e);
    OK(n3_tcp_configure(tcp, &config));
}

/* A hundred short connections at once over lossy links: each of them comes to an end at both sides. */
static void test_many_connections(void **state) {
    (void)state;
    for (int i = 0; i < 4; i++) {
        world w = world_new((world_config){.family = families[i % 2], .path = {.loss_ppb = 30000000}});
        static crowd servers, clients;
        servers = (crowd){.sim = w.sim, .refuse = i >= 2};
        n3_listener *listener;
        n3_endpoint at = {w.address_b, 80};
        OK(n3_listen(&listener, w.b, &at, crowd_accept, &servers));
        for (size_t j = 0; j < 100; j++) {
            end *e = &clients.ends[j];
            *e = (end){.sim = w.sim, .close_when_drained = true, .free_on_end = true};
            n3_tcp_config c = config_of(e);
            c.connect_timeout_ns = 60 * (uint64_t)SEC;
            OK(n3_tcp_connect(&e->tcp, w.a, NULL, &at, &c));
            OK(n3_tcp_send(e->tcp, "hello", 5));
        }
        OK(n3_run(w.sim));
        for (size_t j = 0; j < 100; j++) {
            assert_int_equal(clients.ends[j].ended, 1);
            assert_null(clients.ends[j].tcp);
            if (servers.refuse) { /* a lost reset is not repeated */
                assert_true(clients.ends[j].why == N3_TCP_END_RESET ||
                            clients.ends[j].why == N3_TCP_END_TIMED_OUT);
            } else {
                assert_int_equal(clients.ends[j].why, N3_TCP_END_CLOSED);
                assert_int_equal(servers.ends[j].why, N3_TCP_END_CLOSED);
                assert_int_equal(servers.ends[j].octets, 5);
            }
        }
        assert_int_equal(servers.count, 100);
        n3_listener_free(listener);
        OK(n3_sim_free(w.sim));
    }
}

static void test_arguments(void **state) {
    (void)state;
    world w = world_new((world_config){0});
    n3_endpoint at = {w.address_b, 80};
    n3_tcp *tcp;
    n3_listener *listener, *other;
    int calls = 0;
    REFUSED(N3_ERR_ARGUMENT, n3_listen(&listener, w.b, &at, NULL, NULL));
    REFUSED(N3_ERR_ADDRESS, n3_listen(&listener, w.a, &at, refuse_it, &calls));
    OK(n3_listen(&listener, w.b, &at, refuse_it, &calls));
    REFUSED(N3_ERR_ADDRESS, n3_listen(&other, w.b, &at, refuse_it, &calls));
    REFUSED(N3_ERR_ARGUMENT, n3_tcp_connect(&tcp, w.a, NULL, NULL, NULL));
    REFUSED(N3_ERR_ARGUMENT, n3_tcp_connect(&tcp, NULL, NULL, &at, NULL));
    REFUSED(N3_ERR_ARGUMENT, n3_tcp_connect(NULL, w.a, NULL, &at, NULL));
    REFUSED(N3_ERR_ADDRESS, n3_tcp_connect(&tcp, w.a, &(n3_endpoint){w.address_b, 1}, &at, NULL));
    REFUSED(N3_ERR_ARGUMENT,
            n3_tcp_connect(&tcp, w.a, NULL, &at, &(n3_tcp_config){.connect_timeout_ns = UINT64_MAX}));
    REFUSED(N3_ERR_ARGUMENT, n3_tcp_send(NULL, "x", 1));
    REFUSED(N3_ERR_ARGUMENT, n3_tcp_close(NULL));
    OK(n3_tcp_connect(&tcp, w.a, NULL, &at, NULL)); /* no handlers at all */
    OK(n3_run(w.sim));
    assert_int_equal(n3_tcp_ended(tcp), N3_TCP_END_RESET);
    n3_tcp_free(tcp);
    n3_tcp_free(NULL);
    n3_tcp_abort(NULL);
    n3_listener_free(listener);
    n3_listener_free(NULL);
    OK(n3_sim_free(w.sim));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bulk_with_loss),   cmocka_unit_test(test_echo_and_half_close),
        cmocka_unit_test(test_addresses),        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_timed_out),        cmocka_unit_test(test_unreachable),
        cmocka_unit_test(test_link_dies),        cmocka_unit_test(test_abort_and_free_inside_callbacks),
        cmocka_unit_test(test_free_after_close), cmocka_unit_test(test_refuse_when_accepting),
        cmocka_unit_test(test_queue_limit),      cmocka_unit_test(test_many_connections),
        cmocka_unit_test(test_arguments),        cmocka_unit_test(test_lost_syns_do_not_slow_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
