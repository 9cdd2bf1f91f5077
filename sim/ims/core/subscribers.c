#include "ims/core/subscribers.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

typedef struct record {
    char *impu, *impi;
    char ha1[SIP_DIGEST_HEX_MAX]; /* MD5(impi:realm:password); the password itself is not kept */
    char server[CX_TEXT_MAX];     /* the S-CSCF that serves the user; "" while not registered */
    bool registered;
    struct record *next;
} record;

struct subscribers {
    void *tree;
    record *first;
};

static int by_impu(const void *a, const void *b) {
    return strcmp(((const record *)a)->impu, ((const record *)b)->impu);
}

subscribers *subscribers_new(void) {
    return calloc(1, sizeof(subscribers));
}

static void record_free(record *r) {
    free(r->impu);
    free(r->impi);
    ibk_wipe(r, sizeof *r);
    free(r);
}

void subscribers_free(subscribers *s) {
    if (!s)
        return;
    for (record *r = s->first, *next; r; r = next) {
        next = r->next;
        tdelete(r, &s->tree, by_impu);
        record_free(r);
    }
    free(s);
}

static record *find(const subscribers *s, const char *impu) {
    record key = {.impu = (char *)impu};
    record **found = tfind(&key, (void *const *)&s->tree, by_impu);
    return found ? *found : NULL;
}

ibk_err subscribers_add(subscribers *s, const hss_subscriber *subscriber, const char *realm) {
    if (find(s, subscriber->impu))
        return IBK_ERR_USAGE;
    record *r = calloc(1, sizeof *r);
    if (!r)
        return IBK_ERR_NO_MEMORY;
    r->impu = strdup(subscriber->impu);
    r->impi = strdup(subscriber->impi);
    ibk_err err = r->impu && r->impi ? IBK_OK : IBK_ERR_NO_MEMORY;
    if (!err)
        err = sip_digest_ha1(r->ha1, SIP_DIGEST_MD5, r->impi, realm, subscriber->password);
    if (!err && !tsearch(r, &s->tree, by_impu))
        err = IBK_ERR_NO_MEMORY;
    if (err) {
        record_free(r);
        return err;
    }
    r->next = s->first;
    s->first = r;
    return IBK_OK;
}

/* What an answer says; the AVPs after the common ones depend on the command. */
typedef struct verdict {
    uint32_t result;
    bool experimental, with_server, with_digest;
} verdict;

static verdict experimental(uint32_t result) {
    return (verdict){.result = result, .experimental = true};
}

static verdict authorise(const record *r) { /* UAR, TS 29.228 §6.1.1 */
    verdict v = experimental(r->server[0] ? CX_SUBSEQUENT_REGISTRATION : CX_FIRST_REGISTRATION);
    v.with_server = r->server[0] != 0;
    return v;
}

static verdict locate(const record *r) { /* LIR, §6.1.4 */
    if (!r->registered)
        return experimental(CX_ERROR_IDENTITY_NOT_REGISTERED);
    return (verdict){.result = DIAMETER_SUCCESS, .with_server = true};
}

static verdict authenticate(record *r, const char *server) { /* MAR, §6.3.1: the asking S-CSCF is noted */
    strcpy(r->server, server);
    return (verdict){.result = DIAMETER_SUCCESS, .with_digest = true};
}

static verdict assign(record *r, const char *server, uint32_t type) { /* SAR, §6.1.2 */
    if (type == CX_REGISTRATION || type == CX_RE_REGISTRATION) {
        strcpy(r->server, server);
        r->registered = true;
    } else if (type == CX_USER_DEREGISTRATION) {
        r->server[0] = 0;
        r->registered = false;
    } else {
        return (verdict){.result = DIAMETER_UNABLE_TO_COMPLY};
    }
    return (verdict){.result = DIAMETER_SUCCESS};
}

static verdict judge(subscribers *s, const diameter_message *m, record **subject) {
    char impu[CX_TEXT_MAX], impi[CX_TEXT_MAX] = "", server[CX_TEXT_MAX] = "";
    uint32_t type = 0, command = m->header.command;
    bool needs_impi = command != DIAMETER_LIR;
    bool needs_server = command == DIAMETER_MAR || command == DIAMETER_SAR;
    if (command < DIAMETER_UAR || command > DIAMETER_MAR || m->header.application != CX_APPLICATION_ID)
        return (verdict){.result = DIAMETER_UNSUPPORTED_COMMAND};
    if (!diameter_text(m->avp, m->avp_count, AVP_PUBLIC_IDENTITY, impu, sizeof impu) ||
        (needs_impi && !diameter_text(m->avp, m->avp_count, AVP_USER_NAME, impi, sizeof impi)) ||
        (needs_server && !diameter_text(m->avp, m->avp_count, AVP_SERVER_NAME, server, sizeof server)) ||
        (command == DIAMETER_SAR && !diameter_u32(m->avp, m->avp_count, AVP_SERVER_ASSIGNMENT_TYPE, &type)))
        return (verdict){.result = DIAMETER_MISSING_AVP};
    record *r = *subject = find(s, impu);
    if (!r)
        return experimental(CX_ERROR_USER_UNKNOWN);
    if (needs_impi && strcmp(impi, r->impi) != 0)
        return experimental(CX_ERROR_IDENTITIES_DONT_MATCH);
    switch (command) {
    case DIAMETER_UAR:
        return authorise(r);
    case DIAMETER_LIR:
        return locate(r);
    case DIAMETER_MAR:
        return authenticate(r, server);
    default:
        return assign(r, server, type);
    }
}

static void put_digest(diameter_writer *w, const record *r, const char *realm) {
    diameter_put_u32(w, AVP_SIP_NUMBER_AUTH_ITEMS, 1);
    diameter_open(w, AVP_SIP_AUTH_DATA_ITEM);
    diameter_put_text(w, AVP_SIP_AUTHENTICATION_SCHEME, "SIP Digest");
    diameter_open(w, AVP_SIP_DIGEST_AUTHENTICATE);
    diameter_put_text(w, AVP_DIGEST_REALM, realm);
    diameter_put_text(w, AVP_DIGEST_QOP, "auth");
    diameter_put_text(w, AVP_DIGEST_ALGORITHM, "MD5");
    diameter_put_text(w, AVP_DIGEST_HA1, r->ha1);
    diameter_close(w);
    diameter_close(w);
}

ibk_err subscribers_answer(subscribers *s, ibk_buf *out, const cx_ends *ends,
                           const diameter_message *request) {
    if (request->header.command == DIAMETER_CER)
        return cx_write_capabilities(out, ends, &request->header);
    record *r = NULL;
    verdict v = judge(s, request, &r);
    diameter_writer w;
    cx_begin_answer(&w, out, ends, request, v.result, v.experimental);
    if (r && v.with_server)
        diameter_put_text(&w, AVP_SERVER_NAME, r->server);
    if (r && v.with_digest) {
        diameter_put_text(&w, AVP_USER_NAME, r->impi);
        diameter_put_text(&w, AVP_PUBLIC_IDENTITY, r->impu);
        put_digest(&w, r, ends->realm);
    }
    return diameter_end(&w);
}
