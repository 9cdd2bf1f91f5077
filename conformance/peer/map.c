/* CS ID maps (RFC 3830 §6.1.1, RFC 4563, RFC 6043 §6.1.1) and the keys of their crypto sessions. */
#include "peer/internal.h"

#include <string.h>

static void put_generic(px_octets *map, const peer_cs *cs) {
    px_put8(map, cs->cs_id);
    px_put8(map, 0); /* SRTP */
    px_put8(map, (cs->has_roc ? 0x80 : 0) | (unsigned)cs->policies.len);
    px_put_span(map, cs->policies);
    px_put16(map, cs->no_data ? 0 : cs->has_roc ? 10 : 4);
    if (!cs->no_data)
        px_put32(map, cs->ssrc);
    if (!cs->no_data && cs->has_roc) {
        px_put32(map, cs->roc);
        px_put16(map, cs->seq);
    }
    px_put8(map, (unsigned)cs->mki.len);
    px_put_span(map, cs->mki);
}

ibk_err px_map_offer(const peer *p, px_octets *map, const peer_cs *sessions, size_t n) {
    for (size_t i = 0; i < n && p->map_type != PX_MAP_EMPTY; i++) {
        const peer_cs *cs = &sessions[i];
        if (p->map_type == PX_MAP_GENERIC) {
            put_generic(map, cs);
            continue;
        }
        px_put8(map, cs->policies.len ? cs->policies.data[0] : 0);
        px_put32(map, cs->ssrc);
        px_put32(map, cs->roc);
    }
    return map->err;
}

bool px_map_next(px_cursor *c, uint8_t map_type, unsigned index, peer_cs *cs) {
    memset(cs, 0, sizeof *cs);
    if (map_type == PX_MAP_SRTP) {
        cs->cs_id = (uint8_t)(index + 1);
        cs->policies = px_take(c, 1);
        cs->ssrc = px_take32(c);
        cs->roc = px_take32(c);
        return !c->over;
    }
    cs->cs_id = px_take8(c);
    px_take8(c);
    uint8_t s_p = px_take8(c);
    cs->has_roc = (s_p & 0x80) != 0;
    cs->policies = px_take(c, s_p & 0x7F);
    px_cursor data = px_read(px_take(c, px_take16(c)));
    cs->no_data = data.left == 0;
    cs->ssrc = cs->no_data ? 0 : px_take32(&data);
    cs->roc = cs->has_roc && !cs->no_data ? px_take32(&data) : 0;
    cs->seq = cs->has_roc && !cs->no_data ? (uint16_t)px_take16(&data) : 0;
    cs->mki = px_take(c, px_take8(c));
    return map_type == PX_MAP_GENERIC && !c->over;
}

ibk_err px_map_answer(const peer *p, px_octets *map) {
    px_octets answer = {0};
    px_cursor c = px_read(px_span(map));
    peer_cs cs;
    uint8_t first_policy = 0, spi;
    const px_part *sp = px_find(&p->offer, PX_SP, 0, NULL);
    if (sp)
        first_policy = px_span(&sp->body).data[0];
    for (unsigned i = 0; c.left > 0 && px_map_next(&c, p->map_type, i, &cs); i++) {
        if (p->map_type == PX_MAP_SRTP && cs.ssrc == 0 && i < p->c.n_ssrcs)
            cs.ssrc = p->c.ssrcs[i];
        if (p->map_type == PX_MAP_GENERIC) { /* RFC 6043 §6.1.1: one policy, session data, an SPI */
            spi = cs.cs_id;
            cs.policies = cs.policies.len ? ibk_span_of(cs.policies.data, 1) : ibk_span_of(&first_policy, 1);
            cs.mki = cs.mki.len ? cs.mki : ibk_span_of(&spi, 1);
            if (cs.no_data && i < p->c.n_ssrcs)
                cs.ssrc = p->c.ssrcs[i];
            cs.no_data = false;
        }
        PX_TRY(px_map_offer(p, &answer, &cs, 1));
    }
    px_set(map, px_span(&answer));
    px_free(&answer);
    return map->err;
}

/* ---- keys --------------------------------------------------------------------------------------------- */

/* Lengths of key and salt by the policy with this number; without one the defaults of RFC 3830 §6.10.1. */
static void lengths(const peer *p, uint8_t policy, peer_cs_keys *keys) {
    keys->tek_len = 16;
    keys->salt_len = 14;
    for (int i = 0;; i++) {
        const px_part *sp = px_find(&p->offer, PX_SP, i, NULL);
        if (!sp)
            return;
        px_cursor c = px_read(px_span(&sp->body));
        if (px_take8(&c) != policy)
            continue;
        px_take(&c, 3);
        while (c.left > 0) {
            uint8_t type = px_take8(&c);
            ibk_span value = px_take(&c, px_take8(&c));
            if (type == 1 && value.len == 1)
                keys->tek_len = value.data[0];
            if (type == 4 && value.len == 1)
                keys->salt_len = value.data[0];
        }
        return;
    }
}

static ibk_err derive_cs(const peer *p, const px_tek_recipe *r, ibk_span tgk, peer_cs_keys *keys) {
    uint8_t prf = p->prf ^ r->other_prf;
    px_label label = {r->tek_constant ? r->tek_constant : PX_LABEL_TEK,
                      r->tek_cs_none ? 0xFF : (uint8_t)(keys->cs_id - r->cs_id_less),
                      r->tek_csb_none ? 0xFFFFFFFF : p->csb_id,
                      r->no_rand ? (ibk_span){0} : px_span(&p->rand), r->fault};
    PX_TRY(px_derive(prf, tgk, label, keys->tek, keys->tek_len));
    label.constant = PX_LABEL_TEK_SALT;
    return px_derive(prf, tgk, label, keys->salt, keys->salt_len);
}

size_t px_keys(const peer *p, const px_tek_recipe *r, peer_cs_keys *keys, size_t max) {
    uint8_t tgk_octets[32]; /* 256 bits, P-6 */
    size_t tgk_len = r->tgk_len ? r->tgk_len : sizeof tgk_octets;
    px_label of_tgk = {r->tgk_constant ? r->tgk_constant : PX_LABEL_TGK, r->tgk_cs_zero ? 0 : 0xFF,
                       r->tgk_csb_own    ? p->csb_id
                       : r->tgk_csb_zero ? 0
                                         : 0xFFFFFFFF,
                       px_span(&p->rand), r->fault};
    if (px_span(&p->session).len == 0 || tgk_len > sizeof tgk_octets ||
        px_derive(p->prf ^ r->other_prf, px_span(&p->session), of_tgk, tgk_octets, tgk_len))
        return 0;
    ibk_span tgk = r->direct ? px_span(&p->session) : ibk_span_of(tgk_octets, tgk_len);
    px_cursor c = px_read(px_span(&p->map));
    peer_cs cs;
    size_t n = 0;
    for (; c.left > 0 && px_map_next(&c, p->map_type, (unsigned)n, &cs); n++) {
        if (n >= max)
            continue;
        keys[n] = (peer_cs_keys){.cs_id = cs.cs_id, .ssrc = cs.ssrc};
        lengths(p, cs.policies.len ? cs.policies.data[0] : 0, &keys[n]);
        if (keys[n].tek_len > sizeof keys[n].tek || keys[n].salt_len > sizeof keys[n].salt ||
            derive_cs(p, r, tgk, &keys[n]))
            return 0;
    }
    ibk_wipe(tgk_octets, sizeof tgk_octets);
    return n;
}

size_t peer_keys(const peer *p, peer_cs_keys *keys, size_t max) {
    static const px_tek_recipe right;
    return px_keys(p, &right, keys, max);
}

ibk_err peer_deferred_keys(ibk_span sk, peer_cs_keys *keys) {
    *keys = (peer_cs_keys){.cs_id = 1, .tek_len = 16, .salt_len = 14};
    px_label label = {.constant = PX_LABEL_TEK, .cs_id = 1, .csb_id = 0xFFFFFFFF}; /* P-22 */
    PX_TRY(px_derive(PX_PRF_SHA_256, sk, label, keys->tek, keys->tek_len));
    label.constant = PX_LABEL_TEK_SALT;
    return px_derive(PX_PRF_SHA_256, sk, label, keys->salt, keys->salt_len);
}
