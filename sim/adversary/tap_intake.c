#include "adversary/tap_inside.h"

#include <stdlib.h>
#include <string.h>

#define AHEAD_MAX (2 * TAP_STREAM_WINDOW) /* octets, with what keeping them takes */

struct early {
    early *next; /* by sequence number */
    uint32_t seq;
    size_t len;
    uint8_t octets[];
};

void intake_free(tap_intake *in) {
    for (early *e = in->ahead, *next; e; e = next) {
        next = e->next;
        free(e);
    }
    in->ahead = NULL;
    in->ahead_octets = 0;
}

/* What is new of these octets, which begin no later than `next`. */
static ibk_err take(tap_intake *in, uint32_t seq, const uint8_t *data, size_t len, ibk_buf *fresh) {
    uint32_t old = in->next - seq;
    if (old >= len)
        return IBK_OK;
    ibk_err err = ibk_buf_append(fresh, data + old, len - old);
    if (!err)
        in->next += (uint32_t)(len - old);
    return err;
}

static ibk_err keep(tap_intake *in, uint32_t seq, const uint8_t *data, size_t len, size_t room) {
    early **place = &in->ahead;
    while (*place && seq_before((*place)->seq, seq))
        place = &(*place)->next;
    if (*place && (*place)->seq == seq && (*place)->len >= len)
        return IBK_OK; /* sent again */
    if (seq - in->next + len > room || in->ahead_octets + sizeof(early) + len > AHEAD_MAX)
        return IBK_ERR_LIMIT;
    early *e = malloc(sizeof *e + len);
    if (!e)
        return IBK_ERR_NO_MEMORY;
    *e = (early){.next = *place, .seq = seq, .len = len};
    memcpy(e->octets, data, len);
    *place = e;
    in->ahead_octets += sizeof *e + len;
    return IBK_OK;
}

static ibk_err take_ahead(tap_intake *in, ibk_buf *fresh) {
    while (in->ahead && !seq_before(in->next, in->ahead->seq)) {
        early *e = in->ahead;
        ibk_err err = take(in, e->seq, e->octets, e->len, fresh);
        if (err)
            return err;
        in->ahead = e->next;
        in->ahead_octets -= sizeof *e + e->len;
        free(e);
    }
    return IBK_OK;
}

ibk_err intake_add(tap_intake *in, const n3_segment *s, size_t room, ibk_buf *fresh) {
    if (in->ended)
        return IBK_OK;
    if (s->flags & N3_FIN) {
        in->fin_known = true;
        in->fin = s->seq + (uint32_t)s->len;
    }
    ibk_err err = IBK_OK;
    if (s->len && seq_before(in->next, s->seq))
        err = keep(in, s->seq, s->data, s->len, room);
    else if (s->len && !(err = take(in, s->seq, s->data, s->len, fresh)))
        err = take_ahead(in, fresh);
    if (in->fin_known && in->next == in->fin) {
        in->ended = true;
        in->next++;
    }
    return err;
}
