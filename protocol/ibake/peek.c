/* What a message says of itself in clear, so that a node can hand it to the right session. */
#include <ibake/session.h>

ibk_err ibk_message_peek(ibk_peek *out, ibk_span message, ibk_diag *diag) {
    ibk_msg msg = {0};
    *out = (ibk_peek){0};
    ibk_err err = ibk_msg_parse(&msg, message, diag);
    if (err) {
        return err;
    }
    out->data_type = msg.hdr.data_type;
    out->csb_id = msg.hdr.csb_id;
    struct {
        uint8_t role;
        ibk_identity *id;
    } wanted[] = {{IBK_ROLE_I, &out->initiator}, {IBK_ROLE_R, &out->responder}, {IBK_ROLE_KMS, &out->kms}};
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        const ibk_payload *p = ibk_msg_find_idr(&msg, wanted[i].role, 0);
        if (p) { /* borrows the message's octets, not the chain's */
            *wanted[i].id = (ibk_identity){.id_type = p->id.id_type, .id = p->id.data};
        }
    }
    ibk_msg_free(&msg);
    return IBK_OK;
}
