/* The mutator: what it makes of the corpus parses in a high share, depends on its arguments alone and keeps
 * to its room. */
#include "mutator/mutate.h"

#include "world/world.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROOM = 1 << 17, ROUNDS = 200, SEEDS_MAX = 64 };

static ibk_buf seeds[SEEDS_MAX];
static size_t n_seeds;

static void load(const char *target) {
    char path[4096];
    struct dirent **entries;
    snprintf(path, sizeof path, "%s/%s", FUZZ_CORPUS, target);
    int n = scandir(path, &entries, NULL, alphasort);
    assert_true(n > 0);
    n_seeds = 0;
    for (int i = 0; i < n; i++) {
        snprintf(path, sizeof path, "%s/%s/%s", FUZZ_CORPUS, target, entries[i]->d_name);
        FILE *file = entries[i]->d_name[0] == '.' ? NULL : fopen(path, "rb");
        uint8_t octets[8192];
        if (file && n_seeds < SEEDS_MAX) {
            ibk_buf_clear(&seeds[n_seeds]);
            assert_int_equal(ibk_buf_append(&seeds[n_seeds++], octets, fread(octets, 1, sizeof octets, file)),
                             IBK_OK);
            fclose(file);
        }
        free(entries[i]);
    }
    free(entries);
    assert_true(n_seeds > 0);
}

static bool parses(mutate_kind kind, ibk_span in) {
    ibk_msg msg = {0};
    ibk_chain chain = {0};
    world_record r;
    size_t at = WORLD_HEADER;
    bool ok;
    if (kind == MUTATE_SEQUENCE) {
        while (world_read(&r, in, &at))
            ;
        return in.len >= WORLD_HEADER && at == in.len;
    }
    if (kind == MUTATE_CONTENT) {
        static const uint8_t containers[] = {IBK_PL_IBAKE, IBK_PL_ESK, IBK_PL_KEMAC};
        ok = ibk_chain_parse(&chain, containers[in.data[0] % 3], IBK_PL_IDR,
                             ibk_span_of(in.data + 1, in.len - 1), NULL) == IBK_OK;
        ibk_chain_free(&chain);
        return ok;
    }
    ok = ibk_msg_parse(&msg, in, NULL) == IBK_OK;
    ibk_msg_free(&msg);
    return ok;
}

/* Of a hundred, how many parse. */
static unsigned share(mutate_kind kind, const char *target, unsigned rounds) {
    static uint8_t first[ROOM], second[ROOM];
    unsigned good = 0, all = 0;
    load(target);
    for (size_t i = 0; i < n_seeds; i++)
        for (uint32_t seed = 0; seed < rounds; seed++, all++) {
            ibk_span donor =
                seed % 4 == 0 ? ibk_buf_span(&seeds[(i + seed) % (n_seeds ? n_seeds : 1)]) : (ibk_span){0};
            memcpy(first, seeds[i].data, seeds[i].len);
            memcpy(second, seeds[i].data, seeds[i].len);
            size_t len = mutate(kind, first, seeds[i].len, ROOM, seed, donor);
            assert_int_equal(len, mutate(kind, second, seeds[i].len, ROOM, seed, donor));
            assert_memory_equal(first, second, len);
            good += parses(kind, ibk_span_of(first, len));
        }
    print_message("%s: %u of %u\n", target, good, all);
    assert_true(all > 0);
    return all ? good * 100 / all : 0;
}

static void test_shares(void **state) {
    (void)state;
    assert_in_range(share(MUTATE_MESSAGE, "mikey_message", ROUNDS), 50, 99);
    assert_in_range(share(MUTATE_SEALED, "responder", ROUNDS), 50, 99);
    assert_in_range(share(MUTATE_CONTENT, "mikey_chain", ROUNDS), 25, 99);
    assert_int_equal(share(MUTATE_SEQUENCE, "seq_call", ROUNDS), 100);
}

/* Seeds differ in what they do, and a donor's payloads arrive. */
static void test_changes(void **state) {
    (void)state;
    static uint8_t out[ROOM];
    unsigned same = 0, spliced = 0;
    static const char mark[] = "REQUEST_KEY came from here";
    ibk_buf donor = {0};
    load("mikey_message");
    const uint8_t header[WALK_HDR_MIN] = {1, 22, IBK_PL_CERT, 0, 0, 0, 0, 0, 0, 1},
                  cert[] = {0, 0, 0, sizeof mark};
    assert_int_equal(ibk_buf_append(&donor, header, sizeof header), IBK_OK);
    assert_int_equal(ibk_buf_append(&donor, cert, sizeof cert), IBK_OK);
    assert_int_equal(ibk_buf_append(&donor, mark, sizeof mark), IBK_OK);
    for (uint32_t seed = 0; seed < 500; seed++) {
        memcpy(out, seeds[0].data, seeds[0].len);
        size_t len = mutate(MUTATE_MESSAGE, out, seeds[0].len, ROOM, seed, ibk_buf_span(&donor));
        same += ibk_span_equal(ibk_span_of(out, len), ibk_buf_span(&seeds[0]));
        bool found = false;
        for (size_t i = 0; i + sizeof mark <= len && !found; i++)
            found = memcmp(out + i, mark, sizeof mark) == 0;
        spliced += found;
    }
    assert_in_range(same, 0, 100);
    assert_in_range(spliced, 20, 400);
    ibk_buf_free(&donor);
}

/* V without a MAC, and with a longer one; T of another type: each message is as long as it then says. */
static void test_variety(void **state) {
    (void)state;
    static const struct {
        uint8_t type, number;
        size_t len;
    } rows[] = {{IBK_PL_V, IBK_MAC_NULL, 2},
                {IBK_PL_V, IBK_MAC_HMAC_SHA256_256, 34},
                {IBK_PL_T, IBK_TS_NTP_UTC, 10},
                {IBK_PL_T, IBK_TS_COUNTER, 6}};
    const edit_keys keys = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const uint8_t header[WALK_HDR_MIN] = {1, IBK_MSG_R_MESSAGE_2, IBK_PL_T, 0, 0, 0, 0, 0, 0, 1};
        const uint8_t t[] = {IBK_PL_V, IBK_TS_NTP_UTC_32, 1, 2, 3, 4}, v[22] = {IBK_PL_LAST, 1};
        ibk_buf octets = {0};
        walk w;
        assert_int_equal(ibk_buf_append(&octets, header, sizeof header), IBK_OK);
        assert_int_equal(ibk_buf_append(&octets, t, sizeof t), IBK_OK);
        assert_int_equal(ibk_buf_append(&octets, v, sizeof v), IBK_OK);
        edit_apply(&octets, (edit){EDIT_VARIETY, rows[i].type == IBK_PL_V, rows[i].number, 7}, &keys);
        assert_true(walk_message(&w, ibk_buf_span(&octets)) && w.whole);
        const walk_piece *piece = walk_find(&w, rows[i].type, 0);
        assert_int_equal(octets.data[piece->at + 1], rows[i].number);
        assert_int_equal(piece->len, rows[i].len);
        ibk_buf_free(&octets);
    }
}

/* Crypto sessions of each kind of map: one more, which differs, and one less, with #CS right and the rest as
 * it was. */
static void test_session(void **state) {
    (void)state;
    static const uint8_t entries[3][2][9] = {{{1, 1, 2, 3, 4}, {1, 5, 6, 7, 8}},
                                             {{0}},
                                             {{1, 0, 1, 7, 0, 1, 9, 1, 8}, {2, 0, 1, 7, 0, 1, 9, 1, 8}}};
    const edit_keys keys = {0};
    for (uint8_t type = 0; type < 3; type++) {
        const uint8_t header[WALK_HDR_MIN] = {1, IBK_MSG_R_MESSAGE_2, IBK_PL_T, 0, 0, 0, 0, 0, 2, type};
        const uint8_t t[] = {IBK_PL_LAST, IBK_TS_NTP_UTC_32, 1, 2, 3, 4};
        size_t len = type == 1 ? 0 : sizeof entries[type];
        ibk_buf octets = {0};
        walk w;
        assert_int_equal(ibk_buf_append(&octets, header, sizeof header), IBK_OK);
        assert_int_equal(ibk_buf_append(&octets, entries[type], len), IBK_OK);
        assert_int_equal(ibk_buf_append(&octets, t, sizeof t), IBK_OK);
        edit_apply(&octets, (edit){EDIT_SESSION, 1, 1, 3}, &keys);
        assert_true(walk_message(&w, ibk_buf_span(&octets)) && w.whole);
        assert_int_equal(octets.data[WALK_HDR_CS], 3);
        assert_int_equal(octets.len, sizeof header + len + len / 2 + sizeof t);
        edit_apply(&octets, (edit){EDIT_SESSION, 2, 2, 5}, &keys);
        if (len > 0) {
            assert_int_equal(octets.data[sizeof header + len + (type == 0 ? 4 : 0)],
                             type == 0 ? 8 ^ 3 : 2 ^ 3);
            assert_int_equal(octets.data[sizeof header + len + (type == 0 ? 0 : 3)], 5);
        }
        edit_apply(&octets, (edit){EDIT_SESSION, 2, 0, 0}, &keys);
        assert_memory_equal(octets.data, header, sizeof header);
        assert_memory_equal(octets.data + octets.len - sizeof t, t, sizeof t);
        assert_int_equal(octets.len, sizeof header + len + sizeof t);
        ibk_buf_free(&octets);
    }
}

static void test_room(void **state) {
    (void)state;
    static uint8_t out[ROOM];
    load("mikey_message");
    for (uint32_t seed = 0; seed < 2000; seed++)
        for (size_t kind = MUTATE_MESSAGE; kind <= MUTATE_SEQUENCE; kind++) {
            size_t size = seed % 7;
            memset(out, 0xA5, 64);
            size_t len = mutate((mutate_kind)kind, out, size, 32, seed, (ibk_span){0});
            assert_in_range(len, 1, 32);
            assert_int_equal(out[32], 0xA5);
        }
}

static int free_seeds(void **state) {
    (void)state;
    for (size_t i = 0; i < SEEDS_MAX; i++)
        ibk_buf_free(&seeds[i]);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_shares), cmocka_unit_test(test_changes),
                                       cmocka_unit_test(test_variety), cmocka_unit_test(test_session),
                                       cmocka_unit_test(test_room)};
    return cmocka_run_group_tests(tests, NULL, free_seeds);
}
