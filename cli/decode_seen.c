/* ibakelab: what decode remembers from message to message, within bounds. */
#include "cli/decode.h"

#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#define EXCHANGES 4096
#define MESSAGES  65536

typedef struct seen_message {
    uint8_t digest[16]; /* of SHA-256: enough to tell messages apart */
    uint64_t number;    /* 0: free */
} seen_message;

struct decode_seen {
    decode_exchange *exchanges[EXCHANGES]; /* a ring */
    size_t next;
    seen_message *messages; /* direct-mapped: a newer message takes the place of an older one */
};

static void exchange_free(decode_exchange *e) {
    if (!e)
        return;
    ibk_buf_free(&e->rand);
    ibk_buf_free(&e->initiator);
    ibk_buf_free(&e->responder);
    ibk_buf_free(&e->answerer);
    for (size_t i = 0; i < DECODE_MAX_IDS; i++)
        ibk_buf_free(&e->request_ids[i]);
    free(e);
}

decode_seen *decode_seen_new(void) {
    decode_seen *seen = calloc(1, sizeof *seen);
    if (seen && !(seen->messages = calloc(MESSAGES, sizeof *seen->messages))) {
        free(seen);
        return NULL;
    }
    return seen;
}

void decode_seen_free(decode_seen *seen) {
    if (!seen)
        return;
    for (size_t i = 0; i < EXCHANGES; i++)
        exchange_free(seen->exchanges[i]);
    free(seen->messages);
    free(seen);
}

static decode_exchange *find(decode_seen *seen, uint32_t csb_id) {
    for (size_t i = 1; i <= EXCHANGES; i++) { /* the latest first */
        decode_exchange *e = seen->exchanges[(seen->next + EXCHANGES - i) % EXCHANGES];
        if (!e)
            return NULL;
        if (e->csb_id == csb_id)
            return e;
    }
    return NULL;
}

static void keep(ibk_buf *to, const ibk_payload *idr) {
    if (!idr)
        return;
    ibk_buf_clear(to);
    if (ibk_buf_append_span(to, idr->id.data))
        ibk_buf_clear(to);
}

/* P-8: in a key request V covers the users in order, then the KMS. */
static void keep_request_ids(decode_exchange *e, const ibk_msg *msg) {
    e->request_id_count = 0;
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < msg->chain.count && e->request_id_count < DECODE_MAX_IDS; i++) {
            const ibk_payload *p = &msg->chain.items[i];
            if (p->type != IBK_PL_IDR)
                continue;
            bool user = p->id.role == IBK_ROLE_I || p->id.role == IBK_ROLE_R;
            if (pass == 0 ? user : p->id.role == IBK_ROLE_KMS)
                keep(&e->request_ids[e->request_id_count++], p);
        }
}

static void learn(decode_exchange *e, const ibk_msg *msg) {
    const ibk_payload *rand = ibk_msg_find(msg, IBK_PL_RAND, 0);
    switch (msg->hdr.data_type) {
    case IBK_MSG_REQUEST_KEY_PSK:
    case IBK_MSG_REQUEST_KEY_PKE:
        keep_request_ids(e, msg);
        break;
    case IBK_MSG_I_MESSAGE_1:
        keep(&e->initiator, ibk_msg_find_idr(msg, IBK_ROLE_I, 0));
        keep(&e->responder, ibk_msg_find_idr(msg, IBK_ROLE_R, 0));
        break;
    case IBK_MSG_R_MESSAGE_1:
        keep(&e->answerer, ibk_msg_find_idr(msg, IBK_ROLE_R, 0));
        return;
    default: /* I_MESSAGE_2 repeats the RAND (P-7) */
        return;
    }
    e->prf = msg->hdr.prf;
    if (rand && !e->rand.len && ibk_buf_append_span(&e->rand, rand->rand.data))
        ibk_buf_clear(&e->rand);
}

decode_exchange *decode_seen_exchange(decode_seen *seen, const ibk_msg *msg) {
    decode_exchange *e = find(seen, msg->hdr.csb_id);
    if (!e) {
        if (!(e = calloc(1, sizeof *e)))
            return NULL;
        e->csb_id = msg->hdr.csb_id;
        e->prf = msg->hdr.prf;
        e->psk = SIZE_MAX;
        exchange_free(seen->exchanges[seen->next]);
        seen->exchanges[seen->next] = e;
        seen->next = (seen->next + 1) % EXCHANGES;
    }
    learn(e, msg);
    return e;
}

uint64_t decode_seen_message(decode_seen *seen, ibk_span octets, uint64_t number) {
    uint8_t digest[SHA256_DIGEST_LENGTH];
    if (!SHA256(octets.data, octets.len, digest)) /* it allocates */
        return 0;
    seen_message *slot = &seen->messages[(size_t)digest[30] << 8 | digest[31]];
    if (slot->number && memcmp(slot->digest, digest, sizeof slot->digest) == 0)
        return slot->number;
    memcpy(slot->digest, digest, sizeof slot->digest);
    slot->number = number;
    return 0;
}
