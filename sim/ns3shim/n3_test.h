/* A small network for the tests of the shim: a - r - b, with a capture if asked for. */
#ifndef NS3SHIM_N3_TEST_H
#define NS3SHIM_N3_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ns3shim/n3.h"

#define MS  1000000u
#define SEC 1000000000u

#define OK(call)              check_status((call), N3_OK, #call, __LINE__)
#define REFUSED(status, call) check_status((call), (status), #call, __LINE__)

static inline void check_status(n3_status got, n3_status want, const char *call, int line) {
    if (got != want) {
        fail_msg("line %d: %s: got %s (%s), not %s", line, call, n3_status_name(got), n3_last_error(),
                 n3_status_name(want));
    }
    if (want != N3_OK) {
        assert_true(n3_last_error()[0]);
    }
}

typedef struct world {
    n3_sim *sim;
    n3_node *a, *r, *b;
    n3_link *ar, *rb;
    n3_family family;
    n3_addr address_a, address_b;
} world;

typedef struct world_config {
    n3_family family; /* 0: IPv4 */
    n3_path path;     /* every direction of both links; rate 0: 10 Mbit/s, delay 0: 5 ms */
    uint64_t seed;
    uint32_t mtu, mtu_rb; /* mtu_rb: of the second link, 0: the same */
} world_config;

static inline world world_new(world_config config) {
    world w = {.family = config.family ? config.family : N3_IPV4};
    if (!config.path.rate_bps) {
        config.path.rate_bps = 10000000;
    }
    if (!config.path.delay_ns) {
        config.path.delay_ns = 5 * MS;
    }
    OK(n3_sim_new(&w.sim, &(n3_sim_config){.seed = config.seed, .families = w.family}));
    OK(n3_node_new(&w.a, w.sim, "a"));
    OK(n3_node_new(&w.r, w.sim, "r"));
    OK(n3_node_new(&w.b, w.sim, "b"));
    n3_link_config link = {.ab = config.path, .ba = config.path, .mtu = config.mtu};
    OK(n3_link_new(&w.ar, w.a, w.r, &link));
    link.mtu = config.mtu_rb ? config.mtu_rb : config.mtu;
    OK(n3_link_new(&w.rb, w.r, w.b, &link));
    OK(n3_routes_build(w.sim));
    OK(n3_node_address(w.a, &w.address_a, w.family));
    OK(n3_node_address(w.b, &w.address_b, w.family));
    return w;
}

/* Everything that a receiver saw. */
typedef struct inbox {
    n3_sim *sim;
    size_t count, octets;
    uint64_t last_time;
    n3_endpoint from, to;
    uint8_t data[70000]; /* the last one */
    size_t len;
} inbox;

static inline void inbox_take(void *user, const n3_endpoint *from, const n3_endpoint *to, const uint8_t *data,
                              size_t len) {
    inbox *box = user;
    assert_true(len <= sizeof box->data);
    box->count++;
    box->octets += len;
    box->last_time = n3_now(box->sim);
    box->from = *from;
    box->to = *to;
    box->len = len;
    memcpy(box->data, data, len);
}

/* The file's octets, to be freed. */
static inline uint8_t *read_all(const char *path, size_t *len) {
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    long size = ftell(file);
    assert_true(size >= 0);
    rewind(file);
    uint8_t *data = malloc((size_t)size + 1);
    assert_non_null(data);
    assert_int_equal(fread(data, 1, (size_t)size, file), (size_t)size);
    fclose(file);
    *len = (size_t)size;
    return data;
}

static inline size_t packets_in(const char *path) {
    size_t len, count = 0;
    uint8_t *data = read_all(path, &len);
    for (size_t at = 24; at < len; count++) {
        assert_true(at + 16 <= len);
        at += 16 + (data[at + 8] | (size_t)data[at + 9] << 8 | (size_t)data[at + 10] << 16);
        assert_true(at <= len);
    }
    free(data);
    return count;
}

#endif
