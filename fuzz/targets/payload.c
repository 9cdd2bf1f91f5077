/* Each payload by itself. The first octet is the payload's type, the rest its octets, next payload included:
 * once behind the least header, and once as the content of IBAKE, ESK and KEMAC. What is accepted is written
 * back, its description covers it, and the lengths of octets/walk.h (which shares no code with the parser)
 * agree. */
#include "fuzz.h"
#include "octets/walk.h"

static void check_walk(ibk_span in, const walk *w, const ibk_chain *chain) {
    FUZZ_CHECK(w->whole || chain->count > WALK_MAX || chain->padding > 0);
    for (size_t i = 0; i < chain->count && i < w->count; i++) {
        FUZZ_CHECK(chain->items[i].type == w->items[i].type && chain->items[i].offset == w->items[i].at);
        fuzz_check_same(chain->items[i].octets, walk_octets(in, &w->items[i]));
    }
}

static void outside(const uint8_t *data, size_t size) {
    const uint8_t header[WALK_HDR_MIN] = {1, IBK_MSG_I_MESSAGE_1, data[0], 0, 1, 2, 3, 4, 0, IBK_MAP_EMPTY};
    ibk_buf in = {0}, out = {0};
    ibk_msg msg = {0};
    ibk_diag diag = {0};
    walk w;
    FUZZ_CHECK(ibk_buf_append(&in, header, sizeof header) == IBK_OK);
    FUZZ_CHECK(ibk_buf_append(&in, data + 1, size - 1) == IBK_OK);
    ibk_err err = ibk_msg_parse(&msg, ibk_buf_span(&in), &diag);
    if (err) {
        fuzz_check_refusal(err, &diag, in.len);
    } else {
        FUZZ_CHECK(ibk_msg_write(&msg, &out) == IBK_OK);
        fuzz_check_same(ibk_buf_span(&in), ibk_buf_span(&out));
        FUZZ_CHECK(walk_message(&w, ibk_buf_span(&in)));
        check_walk(ibk_buf_span(&in), &w, &msg.chain);
    }
    ibk_msg_free(&msg);
    ibk_buf_free(&in);
    ibk_buf_free(&out);
}

static void inside(uint8_t container, uint8_t first, ibk_span in) {
    ibk_chain chain = {0};
    ibk_buf out = {0};
    ibk_diag diag = {0};
    walk w;
    ibk_err err = ibk_chain_parse(&chain, container, first, in, &diag);
    if (err) {
        fuzz_check_refusal(err, &diag, in.len);
    } else {
        FUZZ_CHECK(ibk_chain_write(&chain, &out) == IBK_OK);
        fuzz_check_same(in, ibk_buf_span(&out));
        walk_content(&w, first, in);
        check_walk(in, &w, &chain);
    }
    ibk_chain_free(&chain);
    ibk_buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const uint8_t containers[] = {IBK_PL_IBAKE, IBK_PL_ESK, IBK_PL_KEMAC};
    if (size == 0)
        return 0;
    outside(data, size);
    for (size_t i = 0; i < sizeof containers; i++)
        inside(containers[i], data[0], ibk_span_of(data + 1, size - 1));
    return 0;
}
