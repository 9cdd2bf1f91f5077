/* The simulation itself: time, slices, timers, addresses, nodes, links, routes; bad arguments. */
#include "n3_test.h"

typedef struct event_log {
    n3_sim *sim;
    char order[64];
    uint64_t times[64];
    size_t count;
} event_log;

typedef struct entry {
    event_log *log;
    char name;
} entry;

static void write_entry(void *user) {
    entry *e = user;
    e->log->order[e->log->count] = e->name;
    e->log->times[e->log->count++] = n3_now(e->log->sim);
}

static n3_sim *fresh(void) {
    n3_sim *sim;
    OK(n3_sim_new(&sim, NULL));
    return sim;
}

static void test_timers(void **state) {
    (void)state;
    event_log log = {.sim = fresh()};
    entry a = {&log, 'a'}, b = {&log, 'b'}, c = {&log, 'c'}, d = {&log, 'd'};
    n3_timer ta, tb, tc;
    OK(n3_schedule(log.sim, &ta, 2, write_entry, &a));
    OK(n3_schedule(log.sim, &tb, 1, write_entry, &b));
    OK(n3_schedule(log.sim, &tc, 2, write_entry, &c));
    OK(n3_schedule(log.sim, NULL, 1234567890123456789, write_entry, &d));
    assert_int_equal(n3_timer_due(log.sim, tc), 2);
    assert_true(n3_pending(log.sim, tb));
    assert_false(n3_pending(log.sim, 0));
    assert_false(n3_cancel(log.sim, 0));
    assert_false(n3_cancel(log.sim, 12345));
    OK(n3_run(log.sim));
    assert_string_equal(log.order, "bacd");
    assert_int_equal(log.times[0], 1);
    assert_int_equal(log.times[1], 2);
    assert_int_equal(log.times[3], 1234567890123456789);
    assert_false(n3_pending(log.sim, ta));
    assert_false(n3_cancel(log.sim, ta));
    assert_int_equal(n3_events(log.sim), 4);
    /* a slot that is used again has another number */
    OK(n3_schedule(log.sim, &tb, 5, write_entry, &b));
    assert_true(tb != ta && tb != tc);
    assert_false(n3_cancel(log.sim, ta));
    assert_true(n3_cancel(log.sim, tb));
    uint64_t now = n3_now(log.sim);
    OK(n3_run(log.sim));
    assert_int_equal(n3_now(log.sim), now); /* a cancelled timer does not move the clock */
    assert_int_equal(log.count, 4);
    OK(n3_sim_free(log.sim));
}

typedef struct victim {
    n3_sim *sim;
    n3_timer timer;
} victim;

static void cancel_other(void *user) {
    victim *v = user;
    assert_true(n3_cancel(v->sim, v->timer));
}

static void test_cancel_inside_callback(void **state) {
    (void)state;
    victim v = {.sim = fresh()};
    event_log log = {.sim = v.sim};
    entry a = {&log, 'a'};
    OK(n3_schedule(v.sim, NULL, 10, cancel_other, &v));
    OK(n3_schedule(v.sim, &v.timer, 10, write_entry, &a));
    OK(n3_run(v.sim));
    assert_int_equal(log.count, 0);
    OK(n3_sim_free(v.sim));
}

typedef struct chain {
    n3_sim *sim;
    uint64_t delay;
    int left;
    uint64_t last;
} chain;

static void next_link(void *user) {
    chain *c = user;
    c->last = n3_now(c->sim);
    if (c->left-- > 0) {
        OK(n3_schedule(c->sim, NULL, c->delay, next_link, c));
    }
}

static void test_slices(void **state) {
    (void)state;
    chain whole = {.sim = fresh(), .delay = 333, .left = 1000};
    OK(n3_schedule(whole.sim, NULL, 0, next_link, &whole));
    assert_false(n3_idle(whole.sim));
    OK(n3_run(whole.sim));
    assert_true(n3_idle(whole.sim));
    uint64_t events = n3_events(whole.sim), end = whole.last;
    OK(n3_sim_free(whole.sim));

    chain sliced = {.sim = fresh(), .delay = 333, .left = 1000};
    OK(n3_schedule(sliced.sim, NULL, 0, next_link, &sliced));
    uint64_t time = 0;
    while (!n3_idle(sliced.sim)) {
        time += 100;
        OK(n3_run_until(sliced.sim, time));
        assert_int_equal(n3_now(sliced.sim), time);
        assert_int_equal(sliced.last, time / 333 * 333); /* that very instant counts */
    }
    assert_int_equal(sliced.last, end);
    assert_int_equal(n3_events(sliced.sim), events);
    REFUSED(N3_ERR_ARGUMENT, n3_run_until(sliced.sim, time - 1));
    REFUSED(N3_ERR_ARGUMENT, n3_run_until(sliced.sim, UINT64_MAX));
    OK(n3_run_until(sliced.sim, time));
    OK(n3_sim_free(sliced.sim));

    chain burst = {.sim = fresh(), .delay = 0, .left = 50}; /* all at one instant, each causes the next */
    OK(n3_schedule(burst.sim, NULL, 10, next_link, &burst));
    OK(n3_run_until(burst.sim, 10));
    assert_int_equal(burst.left, -1);
    assert_true(n3_idle(burst.sim));
    OK(n3_sim_free(burst.sim));
}

static void stop_it(void *user) {
    n3_stop(user);
}

static void misuse(void *user) {
    n3_sim *sim = user, *other;
    REFUSED(N3_ERR_STATE, n3_run(sim));
    REFUSED(N3_ERR_STATE, n3_run_until(sim, SEC));
    REFUSED(N3_ERR_STATE, n3_sim_free(sim));
    REFUSED(N3_ERR_STATE, n3_sim_new(&other, NULL));
}

static void test_next_event(void **state) {
    (void)state;
    assert_true(n3_next_event(NULL) == UINT64_MAX);
    for (int round = 0; round < 2; round++) { /* a second simulation has a queue of its own */
        event_log log = {.sim = fresh()};
        entry a = {&log, 'a'}, b = {&log, 'b'};
        n3_timer timer;
        assert_true(n3_next_event(log.sim) == UINT64_MAX);
        OK(n3_schedule(log.sim, &timer, 500, write_entry, &a));
        OK(n3_schedule(log.sim, NULL, 86400000000000, write_entry, &b));
        assert_int_equal(n3_next_event(log.sim), 500);
        assert_true(n3_cancel(log.sim, timer));
        assert_int_equal(n3_next_event(log.sim), 86400000000000);
        OK(n3_run_until(log.sim, 86399999999999));
        assert_int_equal(log.count, 0);
        assert_int_equal(n3_next_event(log.sim), 86400000000000);
        OK(n3_run_until(log.sim, 86400000000000));
        assert_string_equal(log.order, "b");
        assert_true(n3_next_event(log.sim) == UINT64_MAX);
        OK(n3_sim_free(log.sim));
    }
}

static void test_stop(void **state) {
    (void)state;
    event_log log = {.sim = fresh()};
    entry a = {&log, 'a'}, b = {&log, 'b'};
    n3_stop(log.sim); /* outside a run: nothing */
    OK(n3_schedule(log.sim, NULL, 10, misuse, log.sim));
    OK(n3_schedule(log.sim, NULL, 10, stop_it, log.sim));
    OK(n3_schedule(log.sim, NULL, 10, write_entry, &a));
    OK(n3_schedule(log.sim, NULL, 20, write_entry, &b));
    OK(n3_run_until(log.sim, 15));
    assert_true(n3_stopped(log.sim));
    assert_false(n3_idle(log.sim));
    assert_int_equal(n3_now(log.sim), 10);
    assert_int_equal(log.count, 0);
    OK(n3_run_until(log.sim, 15));
    assert_false(n3_stopped(log.sim));
    assert_int_equal(log.count, 1);
    assert_int_equal(n3_now(log.sim), 15);
    OK(n3_run(log.sim));
    assert_string_equal(log.order, "ab");
    OK(n3_sim_free(log.sim));
}

static void test_bad_simulations(void **state) {
    (void)state;
    n3_sim *sim, *other = NULL;
    REFUSED(N3_ERR_ARGUMENT, n3_sim_new(NULL, NULL));
    REFUSED(N3_ERR_ARGUMENT, n3_sim_new(&sim, &(n3_sim_config){.families = 4}));
    REFUSED(N3_ERR_ARGUMENT, n3_sim_new(&sim, &(n3_sim_config){.run = UINT64_MAX}));
    REFUSED(N3_ERR_ARGUMENT, n3_sim_new(&sim, &(n3_sim_config){.start_utc_ns = -1}));
    OK(n3_sim_new(&sim, &(n3_sim_config){.seed = UINT64_MAX, .run = UINT32_MAX}));
    REFUSED(N3_ERR_STATE, n3_sim_new(&other, NULL));
    assert_null(other);
    REFUSED(N3_ERR_ARGUMENT, n3_schedule(sim, NULL, UINT64_MAX, stop_it, NULL));
    REFUSED(N3_ERR_ARGUMENT, n3_schedule(sim, NULL, 1, NULL, NULL));
    REFUSED(N3_ERR_ARGUMENT, n3_schedule(NULL, NULL, 1, stop_it, NULL));
    REFUSED(N3_ERR_ARGUMENT, n3_run(NULL));
    OK(n3_sim_free(sim));
    OK(n3_sim_free(NULL));
    REFUSED(N3_ERR_ARGUMENT, n3_run(sim)); /* gone */
    REFUSED(N3_ERR_ARGUMENT, n3_sim_free(sim));
    assert_int_equal(n3_now(sim), 0);
    assert_string_equal(n3_version(), "ns-3.37");
    assert_string_equal(n3_status_name(N3_ERR_UNREACHABLE), "unreachable");
}

static void test_addresses(void **state) {
    (void)state;
    static const char *good[] = {"10.0.0.1", "255.255.255.255", "fd00::1", "::", "1:2:3:4:5:6:7:8"};
    static const char *bad[] = {"",          "10.0.0",       "10.0.0.256", "010.0.0.1", "fd00::1::2",
                                "[fd00::1]", "fd00::1%eth0", " 10.0.0.1",  "10.0.0.1 "};
    char text[N3_ENDPOINT_TEXT];
    n3_addr addr;
    n3_endpoint endpoint;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        OK(n3_addr_parse(&addr, good[i]));
        assert_string_equal(n3_addr_format(text, &addr), good[i]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        REFUSED(N3_ERR_ARGUMENT, n3_addr_parse(&addr, bad[i]));
    }
    static const char *good_ends[] = {"10.0.0.1:5060", "[fd00::1]:65535", "[::]:0"};
    static const char *bad_ends[] = {"10.0.0.1",  "10.0.0.1:",    "10.0.0.1:65536", "fd00::1:5060",
                                     "[fd00::1]", "[10.0.0.1]:1", "10.0.0.1:+5",    "10.0.0.1:5x",
                                     ":5",        "[fd00::1]5",   "10.0.0.1:000001"};
    for (size_t i = 0; i < sizeof good_ends / sizeof good_ends[0]; i++) {
        OK(n3_endpoint_parse(&endpoint, good_ends[i]));
        assert_string_equal(n3_endpoint_format(text, &endpoint), good_ends[i]);
    }
    for (size_t i = 0; i < sizeof bad_ends / sizeof bad_ends[0]; i++) {
        REFUSED(N3_ERR_ARGUMENT, n3_endpoint_parse(&endpoint, bad_ends[i]));
    }
    assert_string_equal(n3_addr_format(text, NULL), "none");
    assert_string_equal(n3_addr_format(text, &(n3_addr){0}), "none");
}

static void refuse_link(n3_status status, n3_node *a, n3_node *b, n3_link_config config) {
    n3_link *link;
    REFUSED(status, n3_link_new(&link, a, b, &config));
    assert_null(link);
}

static n3_addr addr(const char *text) {
    n3_addr out;
    OK(n3_addr_parse(&out, text));
    return out;
}

static void test_links(void **state) {
    (void)state;
    n3_sim *sim;
    OK(n3_sim_new(&sim, &(n3_sim_config){.families = N3_IPV4 | N3_IPV6}));
    n3_node *a, *b, *c;
    OK(n3_node_new(&a, sim, "a"));
    OK(n3_node_new(&b, sim, "b"));
    OK(n3_node_new(&c, sim, "c"));
    REFUSED(N3_ERR_ARGUMENT, n3_node_new(&c, sim, "b"));
    REFUSED(N3_ERR_ARGUMENT, n3_node_new(&c, sim, ""));
    REFUSED(N3_ERR_ARGUMENT, n3_node_new(&c, sim, NULL));
    c = n3_node_find(sim, "c");
    assert_string_equal(n3_node_name(c), "c");
    assert_null(n3_node_find(sim, "d"));
    refuse_link(N3_ERR_ARGUMENT, a, a, (n3_link_config){0});
    refuse_link(N3_ERR_ARGUMENT, a, NULL, (n3_link_config){0});
    refuse_link(N3_ERR_ARGUMENT, a, b, (n3_link_config){.mtu = 1279});
    refuse_link(N3_ERR_ARGUMENT, a, b, (n3_link_config){.mtu = 65536});
    refuse_link(N3_ERR_ARGUMENT, a, b, (n3_link_config){.ab.loss_ppb = N3_LOSS_ALWAYS + 1});
    refuse_link(N3_ERR_ARGUMENT, a, b, (n3_link_config){.ba.delay_ns = UINT64_MAX});
    refuse_link(N3_ERR_ARGUMENT, a, b, (n3_link_config){.ba.rate_bps = UINT64_MAX});
    refuse_link(N3_ERR_ARGUMENT, a, b, (n3_link_config){.name = ""});
    refuse_link(N3_ERR_ARGUMENT, a, b, (n3_link_config){.a = {addr("10.1.0.1")}});
    refuse_link(N3_ERR_ARGUMENT, a, b,
                (n3_link_config){.a = {addr("10.1.0.1")}, .b = {addr("10.1.0.5")}, .prefix = {30}});
    refuse_link(N3_ERR_ARGUMENT, a, b, (n3_link_config){.a = {addr("10.1.0.1")}, .b = {addr("10.1.0.1")}});
    refuse_link(N3_ERR_ARGUMENT, a, b, (n3_link_config){.a = {addr("10.1.0.0")}, .b = {addr("10.1.0.1")}});
    refuse_link(N3_ERR_ARGUMENT, a, b, (n3_link_config){.a = {addr("fd00::1")}, .b = {addr("fd00::2")}});
    refuse_link(N3_ERR_ADDRESS, a, b,
                (n3_link_config){.a = {{0}, addr("2001:db8::1")}, .b = {{0}, addr("2001:db8::2")}});
    refuse_link(N3_ERR_ADDRESS, a, b, (n3_link_config){.a = {addr("224.0.0.1")}, .b = {addr("224.0.0.2")}});
    n3_link *ab, *bc;
    OK(n3_link_new(&ab, a, b,
                   &(n3_link_config){.a = {addr("10.1.0.1"), addr("fd77::1")},
                                     .b = {addr("10.1.0.9"), addr("fd77::9")},
                                     .prefix = {24, 96},
                                     .name = "first"}));
    refuse_link(N3_ERR_ADDRESS, b, c, (n3_link_config){.a = {addr("10.1.0.9")}, .b = {addr("10.1.0.10")}});
    OK(n3_link_new(&bc, b, c, NULL));
    assert_string_equal(n3_link_name(ab), "first");
    assert_string_equal(n3_link_name(bc), "b-c");
    assert_ptr_equal(n3_link_sender(bc, N3_BA), c);
    assert_null(n3_link_sender(bc, (n3_direction)2));
    n3_addr got;
    char text[N3_ADDR_TEXT];
    OK(n3_link_address(bc, &got, N3_BA, N3_IPV6));
    assert_string_equal(n3_addr_format(text, &got), "fd00:0:0:1::2");
    OK(n3_link_address(bc, &got, N3_AB, N3_IPV4));
    assert_string_equal(n3_addr_format(text, &got), "10.0.0.5");
    REFUSED(N3_ERR_ARGUMENT, n3_link_address(bc, &got, (n3_direction)7, N3_IPV4));
    REFUSED(N3_ERR_ADDRESS, n3_node_add_address(a, &(n3_addr){.family = N3_IPV4, .octets = {127, 0, 0, 1}}));
    REFUSED(N3_ERR_ARGUMENT, n3_node_add_address(a, &(n3_addr){0}));
    got = addr("10.1.0.1");
    assert_ptr_equal(n3_node_by_address(sim, &got), a);
    assert_false(n3_node_owns(b, &got));
    REFUSED(N3_ERR_ADDRESS, n3_node_add_address(c, &got));
    n3_addr network = addr("10.9.0.0");
    REFUSED(N3_ERR_ARGUMENT, n3_route_add(a, &network, 15, bc)); /* not on that link */
    REFUSED(N3_ERR_ARGUMENT, n3_route_add(a, &network, 8, ab));  /* bits beyond the prefix */
    REFUSED(N3_ERR_ARGUMENT, n3_route_add(a, &network, 33, ab));
    OK(n3_route_add(a, &network, 16, ab));
    REFUSED(N3_ERR_ARGUMENT, n3_link_set_loss(ab, N3_AB, UINT32_MAX));
    REFUSED(N3_ERR_ARGUMENT, n3_link_get_stats(ab, NULL, N3_AB));
    OK(n3_sim_free(sim));
}

/* A ring of routers with a host at each; by hand, a route takes the long way. */
static void test_routes(void **state) {
    (void)state;
    n3_sim *sim;
    OK(n3_sim_new(&sim, NULL));
    n3_node *router[6], *host[6];
    n3_link *ring[6], *leaf;
    n3_addr at[6];
    for (int i = 0; i < 6; i++) {
        char name[8];
        snprintf(name, sizeof name, "r%d", i);
        OK(n3_node_new(&router[i], sim, name));
        snprintf(name, sizeof name, "h%d", i);
        OK(n3_node_new(&host[i], sim, name));
        OK(n3_link_new(&leaf, host[i], router[i], NULL));
        OK(n3_node_add_planned_address(host[i], &at[i], N3_IPV4));
    }
    n3_path slow = {.delay_ns = MS};
    for (int i = 0; i < 6; i++) {
        OK(n3_link_new(&ring[i], router[i], router[(i + 1) % 6], &(n3_link_config){.ab = slow, .ba = slow}));
    }
    OK(n3_routes_build(sim));
    for (int i = 0; i < 6; i++) {
        for (int j = 0; j < 6; j++) {
            inbox box = {.sim = sim};
            n3_udp *from, *to;
            OK(n3_udp_new(&from, host[i], &(n3_endpoint){at[i], 1}, NULL, NULL));
            OK(n3_udp_new(&to, host[j], &(n3_endpoint){at[j], 2}, inbox_take, &box));
            uint64_t start = n3_now(sim);
            OK(n3_udp_send(from, &(n3_endpoint){at[j], 2}, "x", 1));
            OK(n3_run(sim));
            assert_int_equal(box.count, 1);
            unsigned apart = (unsigned)abs(i - j);
            assert_int_equal((box.last_time - start) / MS, apart > 3 ? 6 - apart : apart);
            n3_udp_free(from);
            n3_udp_free(to);
        }
    }
    OK(n3_route_add(router[0], &at[1], 32, ring[5])); /* 0 to 1 the long way; 5 would send it back */
    for (int i = 5; i > 1; i--) {
        OK(n3_route_add(router[i], &at[1], 32, ring[i - 1]));
    }
    OK(n3_routes_build(sim)); /* routes by hand stay */
    inbox box = {.sim = sim};
    n3_udp *from, *to;
    OK(n3_udp_new(&from, host[0], &(n3_endpoint){at[0], 1}, NULL, NULL));
    OK(n3_udp_new(&to, host[1], &(n3_endpoint){at[1], 2}, inbox_take, &box));
    uint64_t start = n3_now(sim);
    OK(n3_udp_send(from, &(n3_endpoint){at[1], 2}, "x", 1));
    OK(n3_run(sim));
    assert_int_equal((box.last_time - start) / MS, 5);
    n3_udp_free(from);
    n3_udp_free(to);
    OK(n3_sim_free(sim));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_timers),     cmocka_unit_test(test_cancel_inside_callback),
        cmocka_unit_test(test_slices),     cmocka_unit_test(test_stop),
        cmocka_unit_test(test_next_event), cmocka_unit_test(test_bad_simulations),
        cmocka_unit_test(test_addresses),  cmocka_unit_test(test_links),
        cmocka_unit_test(test_routes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
