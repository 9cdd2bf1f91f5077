/* The header with its map, each payload, and a chain's growth: no access leaves its storage, and no
 * arithmetic overflows, in messages of any length. The chain by induction: reading all payloads is growing,
 * reading one, counting it; growing is shown from each state of a chain, reading one for each type in each
 * place at any offset. fuzz/prove puts this behind mikey/chain.c, whose static functions it calls. */
#include "store.h"

#include "contract.h"

static void header(void) {
    ibk_hdr hdr;
    ibk_rd rd;
    uint8_t next;
    ibk_rd_init(&rd, (ibk_span){0});
    (void)ibk_hdr_read(&hdr, &next, &rd);
}

static void payload_of(unsigned type) {
    ibk_payload payload;
    ibk_diag diag;
    ibk_rd rd;
    uint8_t next = (uint8_t)type;
    unsigned place = (unsigned)any_int(0, 15);
    ibk_rd_init(&rd, (ibk_span){0});
    rd.pos = Frama_C_unsigned_long_interval(0, IBK_MIKEY_MAX_LEN);
    (void)read_one(&payload, &next, &rd, (uint8_t)type, place, &diag);
}

/* Octets of a curve's field, RFC 6267 §6.1.4; 0: a curve that is not known. One at a time, and one kind of
 * tag at a time: a point's length follows from both, and that of its padding from it. */
static const size_t fields[] = {0, 24, 28, 32, 48, 66};
static size_t field;

static void points(void) {
    static const uint8_t least[] = {0, 2, 3, 4, 5}, most[] = {1, 2, 3, 4, 255};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        for (size_t tag = 0; tag < sizeof least; tag++) {
            field = fields[i];
            contract_peek_least = least[tag];
            contract_peek_most = most[tag];
            payload_of(IBK_PL_ECCPT);
        }
}

/* Nobody but ECCPT peeks. */
static void payloads(void) {
    for (unsigned type = 0; type <= 255; type++)
        if (type != IBK_PL_ECCPT)
            payload_of(type);
    points();
}

/* ---- growth
 * ------------------------------------------------------------------------------------------------- */

/* What was asked for last; its octets are not looked at. */
static size_t storage_size;
static ibk_payload storage;
static bool fails;

void *prove_realloc(void *old, size_t size) {
    (void)old;
    if (fails)
        return NULL;
    storage_size = size;
    return &storage;
}

void prove_free(void *p) {
    (void)p;
}

/* There is room for one more payload in the storage that the chain has. */
static void growth_from(size_t count, size_t cap) {
    ibk_chain chain = {.items = cap ? &storage : NULL, .count = count, .cap = cap};
    storage_size = cap * sizeof(ibk_payload);
    if (grow(&chain) != IBK_OK)
        return;
    /*@ assert chain.count < chain.cap <= 1024; */
    /*@ assert chain.cap * sizeof(ibk_payload) <= storage_size; */
}

static void each_growth(size_t count, size_t cap) {
    fails = false;
    growth_from(count, cap);
    fails = true;
    growth_from(count, cap);
}

static void growth(void) {
    each_growth(0, 0);
    for (size_t cap = 16; cap <= IBK_CHAIN_MAX; cap *= 2)
        for (size_t count = 0; count <= cap; count++)
            each_growth(count, cap);
}

/* ---- what payloads ask of other rooms: their tables, by what they promise
 * ---------------------------------- */

bool ibk_mac_known(uint8_t mac_alg) {
    (void)mac_alg;
    return any_int(0, 1);
}

size_t ibk_mac_len(uint8_t mac_alg) {
    (void)mac_alg;
    int which = any_int(0, 2);
    return which == 0 ? 0 : which == 1 ? 20 : 32;
}

bool ibk_ec_known(uint8_t curve) {
    (void)curve;
    return any_int(0, 1);
}

size_t ibk_ec_field_len(uint8_t curve) {
    (void)curve;
    return field;
}

int main(void) {
    header();
    payloads();
    growth();
    return 0;
}
