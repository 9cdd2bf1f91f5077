/* The reader by its contract, in its place: a read fails, or gives any value and moves on inside an input of
 * at most IBK_MIKEY_MAX_LEN octets. That the reader keeps it is shown by `fuzz/prove contract`; so what is
 * shown with this holds with the reader. What it knows less than the reader (whether octets are left) only
 * makes more states. */
#include "nondet.h"

#include "contract.h"

#include <ibake/mikey.h>

uint8_t contract_peek_least, contract_peek_most = 255;

/* Octets that were read. Of more than three only the first four may be looked at: nobody looks at more. */
static uint8_t one[1], two[2], three[3], four[4];

static const uint8_t *octets(size_t len) {
    any_octets(one, 1);
    any_octets(two, 2);
    any_octets(three, 3);
    any_octets(four, 4);
    return len == 1 ? one : len == 2 ? two : len == 3 ? three : four;
}

static bool moves(ibk_rd *rd, size_t len) {
    if (any_int(0, 1) || len > IBK_MIKEY_MAX_LEN || rd->pos > IBK_MIKEY_MAX_LEN - len) {
        rd->need = len;
        return false;
    }
    rd->pos += len;
    return true;
}

void ibk_rd_init(ibk_rd *rd, ibk_span in) {
    *rd = (ibk_rd){.data = in.data, .len = in.len};
}

size_t ibk_rd_left(const ibk_rd *rd) {
    (void)rd;
    return Frama_C_unsigned_long_interval(0, IBK_MIKEY_MAX_LEN);
}

bool ibk_rd_at_end(const ibk_rd *rd) {
    (void)rd;
    return any_int(0, 1);
}

bool ibk_rd_u8(ibk_rd *rd, uint8_t *out) {
    if (!moves(rd, 1))
        return false;
    *out = (uint8_t)any_int(0, 255);
    return true;
}

bool ibk_rd_u16(ibk_rd *rd, uint16_t *out) {
    if (!moves(rd, 2))
        return false;
    *out = (uint16_t)any_int(0, 65535);
    return true;
}

bool ibk_rd_u32(ibk_rd *rd, uint32_t *out) {
    if (!moves(rd, 4))
        return false;
    *out = (uint32_t)Frama_C_unsigned_long_interval(0, UINT32_MAX);
    return true;
}

bool ibk_rd_u64(ibk_rd *rd, uint64_t *out) {
    if (!moves(rd, 8))
        return false;
    *out = any_size();
    return true;
}

bool ibk_rd_peek_u8(ibk_rd *rd, uint8_t *out) {
    if (any_int(0, 1)) {
        rd->need = 1;
        return false;
    }
    *out = (uint8_t)any_int(contract_peek_least, contract_peek_most);
    return true;
}

bool ibk_rd_span(ibk_rd *rd, size_t len, ibk_span *out) {
    if (len == 0) {
        *out = (ibk_span){0};
        return true;
    }
    if (!moves(rd, len))
        return false;
    *out = ibk_span_of(octets(len), len);
    return true;
}

bool ibk_rd_span8(ibk_rd *rd, ibk_span *out) {
    return moves(rd, 1) && ibk_rd_span(rd, (size_t)any_int(0, 255), out);
}

bool ibk_rd_span16(ibk_rd *rd, ibk_span *out) {
    return moves(rd, 2) && ibk_rd_span(rd, (size_t)any_int(0, 65535), out);
}

ibk_span ibk_rd_since(const ibk_rd *rd, size_t from) {
    size_t len = Frama_C_unsigned_long_interval(0, IBK_MIKEY_MAX_LEN);
    (void)from;
    (void)rd;
    return len == 0 ? (ibk_span){0} : ibk_span_of(octets(len), len);
}

ibk_err ibk_rd_refuse(ibk_rd *rd, ibk_err err, size_t at, const char *why) {
    if (at <= IBK_MIKEY_MAX_LEN)
        rd->pos = at;
    rd->why = why;
    return err;
}

ibk_err ibk_rd_fail(const ibk_rd *rd, ibk_err err, const char *payload, size_t base, ibk_diag *diag) {
    return ibk_fail(diag, err, payload, base + rd->pos, NULL);
}
