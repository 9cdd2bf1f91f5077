/* The content of IBAKE (RFC 6267 §4.2.2), written without any of libibake's scruples: points that are none,
 * identities left out. */
#include "adversary/craft_internal.h"

#include <string.h>

void craft_content_free(craft_content *content) {
    ibk_buf_free(&content->point_i);
    ibk_buf_free(&content->point_r);
    ibk_buf_free(&content->mki);
    *content = (craft_content){0};
}

/* ---- reading
 * --------------------------------------------------------------------------------------------------- */

static ibk_err take(craft_content *out, const ibk_payload *p, bool *responders) {
    if (p->type == IBK_PL_IDR) {
        ibk_identity id = {.id_type = p->id.id_type, .id = p->id.data};
        *responders = p->id.role == IBK_ROLE_R;
        *(*responders ? &out->idr : &out->idi) = id;
        return IBK_OK;
    }
    if (p->type != IBK_PL_ECCPT)
        return IBK_OK;
    ibk_buf *point = *responders ? &out->point_r : &out->point_i;
    *(*responders ? &out->curve_r : &out->curve_i) = p->eccpt.curve;
    ibk_buf_clear(point);
    ibk_buf_clear(&out->mki);
    ibk_err err = ibk_buf_append_span(point, p->eccpt.point);
    return err || p->eccpt.kv.type != IBK_KV_SPI ? err : ibk_buf_append_span(&out->mki, p->eccpt.kv.spi);
}

/* A point belongs to the identity before it: IDRi || ECCPTi || IDRr || ECCPTr (and P-30's order). R_MESSAGE_1
 * of somebody who could not read I_MESSAGE_1 has IDRi || IDRr || ECCPTr. */
ibk_err craft_content_read(craft_content *out, ibk_chain *chain, ibk_span plain, ibk_diag *diag) {
    bool responders = false;
    *out = (craft_content){0};
    ibk_err err = ibk_chain_parse(chain, IBK_PL_IBAKE, IBK_PL_IDR, plain, diag);
    for (size_t i = 0; !err && i < chain->count; i++)
        err = take(out, &chain->items[i], &responders);
    out->responder_first = !err && chain->count > 0 && chain->items[0].id.role == IBK_ROLE_R;
    if (err)
        craft_content_free(out);
    return err;
}

/* ---- writing
 * ---------------------------------------------------------------------------------------------------- */

/* The payloads of the content, in their order: at most IDR, ECCPT, IDR, ECCPT. */
typedef struct part {
    uint8_t type, role, curve;
    const ibk_identity *id;
    ibk_span point;
} part;

static void add(part *parts, size_t *n, const craft_content *c, bool responder) {
    const ibk_identity *id = responder ? &c->idr : &c->idi;
    ibk_span point = ibk_buf_span(responder ? &c->point_r : &c->point_i);
    if (id->id.len)
        parts[(*n)++] = (part){.type = IBK_PL_IDR, .role = responder ? IBK_ROLE_R : IBK_ROLE_I, .id = id};
    if (point.len)
        parts[(*n)++] =
            (part){.type = IBK_PL_ECCPT, .curve = responder ? c->curve_r : c->curve_i, .point = point};
}

/* RFC 6043 §6.6, after next payload */
static ibk_err write_idr(ibk_buf *out, const part *p, uint8_t next) {
    uint8_t head[] = {next, p->role, p->id->id_type, (uint8_t)(p->id->id.len >> 8), (uint8_t)p->id->id.len};
    ibk_err err = ibk_buf_append(out, head, sizeof head);
    return err ? err : ibk_buf_append_span(out, p->id->id);
}

/* RFC 6267 §6.1.4, P-3 */
static ibk_err write_eccpt(ibk_buf *out, const part *p, ibk_span mki, uint8_t next) {
    static const uint8_t zeros[3];
    uint8_t head[] = {next, p->curve};
    uint8_t tail[] = {0, 0, 0, mki.len ? IBK_KV_SPI : IBK_KV_NONE, (uint8_t)mki.len};
    ibk_err err = ibk_buf_append(out, head, sizeof head);
    if (!err)
        err = ibk_buf_append_span(out, p->point);
    if (!err)
        err = ibk_buf_append(out, zeros, (4 - (sizeof head + p->point.len) % 4) % 4);
    if (!err)
        err = ibk_buf_append(out, tail, mki.len ? sizeof tail : sizeof tail - 1);
    return err || !mki.len ? err : ibk_buf_append_span(out, mki);
}

ibk_err craft_content_write(ibk_buf *out, const craft_content *content) {
    part parts[4];
    size_t n = 0;
    ibk_err err = IBK_OK;
    add(parts, &n, content, content->responder_first);
    add(parts, &n, content, !content->responder_first);
    for (size_t i = 0; !err && i < n; i++) {
        uint8_t next = i + 1 < n ? parts[i + 1].type : IBK_PL_LAST;
        err = parts[i].type == IBK_PL_IDR ? write_idr(out, &parts[i], next)
                                          : write_eccpt(out, &parts[i], ibk_buf_span(&content->mki), next);
    }
    return err;
}
