/* Test support: see stage.h. */
#include "ims/stage.h"
#include "ims/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define START_UTC INT64_C(1772442000000000000)

static size_t index_of(const stage *s, const char *name) {
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(n3_node_name(s->node[i]), name) == 0)
            return i;
    fail_msg("no node %s on this stage", name);
    return 0;
}

void stage_open(stage *s, const char *const *names, size_t count, uint64_t seed) {
    n3_sim_config config = {.seed = seed, .families = N3_IPV4, .start_utc_ns = START_UTC};
    n3_path path = {.delay_ns = 5 * SIP_MS};
    n3_link_config link = {.ab = path, .ba = path};
    *s = (stage){.world = {.seed = seed, .start_utc_ns = START_UTC}};
    assert_true(count <= STAGE_NODES);
    assert_int_equal(n3_sim_new(&s->world.sim, &config), N3_OK);
    assert_int_equal(n3_node_new(&s->router, s->world.sim, "router"), N3_OK);
    s->world.names = ims_names_new();
    assert_non_null(s->world.names);
    for (; s->count < count; s->count++) {
        assert_int_equal(n3_node_new(&s->node[s->count], s->world.sim, names[s->count]), N3_OK);
        assert_int_equal(n3_link_new(&s->link[s->count], s->node[s->count], s->router, &link), N3_OK);
    }
    assert_int_equal(n3_routes_build(s->world.sim), N3_OK);
    for (size_t i = 0; i < count; i++) {
        sip_addr addr = stage_address(s, names[i], 0);
        assert_int_equal(ims_names_add(s->world.names, names[i], &addr), IBK_OK);
    }
}

void stage_close(stage *s) {
    assert_int_equal(n3_sim_free(s->world.sim), N3_OK);
    ims_names_free(s->world.names);
    *s = (stage){0};
}

sip_addr stage_address(const stage *s, const char *name, uint16_t port) {
    n3_endpoint endpoint = {.port = port};
    assert_int_equal(n3_node_address(s->node[index_of(s, name)], &endpoint.addr, N3_IPV4), N3_OK);
    return ims_sip_addr(&endpoint);
}

ims_host_config stage_host(stage *s, const char *name) {
    n3_node *node = s->node[index_of(s, name)];
    return (ims_host_config){
        .world = &s->world, .node = node, .name = n3_node_name(node), .addr = stage_address(s, name, 0)};
}

void stage_play(stage *s, uint64_t ns) {
    assert_int_equal(n3_run_until(s->world.sim, n3_now(s->world.sim) + ns), N3_OK);
}

void stage_cut(stage *s, const char *name, bool cut) {
    n3_link *link = s->link[index_of(s, name)];
    for (n3_direction d = N3_AB; d <= N3_BA; d++)
        assert_int_equal(n3_link_set_loss(link, d, cut ? N3_LOSS_ALWAYS : 0), N3_OK);
}
