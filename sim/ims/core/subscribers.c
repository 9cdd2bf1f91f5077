#include "ims/core/subscribers.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

/* A device: one of the private identities of a public one. */
typedef struct private_id {
    char *impi;
    char ha1[SIP_DIGEST_HEX_MAX]; /* MD5(impi:realm:password); the password itself is not kept */
    bool registered;
    struct private_id *next;
} private_id;

typedef struct record {
    char *impu;
    char server[CX_TEXT_MAX]; /* the S-CSCF that serves the user; "" while not registered */
    bool unregistered_services;
    private_id *devices;
    struct record *owner;   /* of a further identity: whose it is; everything else is kept there */
    struct record *further; /* of an owner: its further identities; and of each the next one */
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
    for (private_id *p = r->devices, *next; p; p = next) {
        next = p->next;
        free(p->impi);
        ibk_wipe(p, sizeof *p);
        free(p);
    }
    free(r->impu);
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
    return !found ? NULL : (*found)->owner ? (*found)->owner : *found;
}

static private_id *find_device(const record *r, const char *impi) {
    private_id *p = r->devices;
    while (p && strcmp(p->impi, impi) != 0)
        p = p->next;
    return p;
}

static record *get_record(subscribers *s, const char *impu) {
    record *r = find(s, impu);
    if (r)
        return r;
    r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->impu = strdup(impu);
    if (!r->impu || !tsearch(r, &s->tree, by_impu)) {
        record_free(r);
        return NULL;
    }
    r->next = s->first;
    s->first = r;
    return r;
}

ibk_err subscribers_add(subscribers *s, const hss_subscriber *subscriber, const char *realm) {
    record *r = get_record(s, subscriber->impu);
    if (!r)
        return IBK_ERR_NO_MEMORY;
    if (find_device(r, subscriber->impi))
        return IBK_ERR_USAGE;
    private_id *p = calloc(1, sizeof *p);
    if (!p)
        return IBK_ERR_NO_MEMORY;
    p->next = r->devices;
    r->devices = p; /* from here on the record owns it */
    p->impi = strdup(subscriber->impi);
    r->unregistered_services |= subscriber->unregistered_services;
    return p->impi ? sip_digest_ha1(p->ha1, SIP_DIGEST_MD5, p->impi, realm, subscriber->password)
                   : IBK_ERR_NO_MEMORY;
}

ibk_err subscribers_add_identity(subscribers *s, const char *impu, const char *further) {
    record *owner = find(s, impu);
    if (!owner || find(s, further))
        return IBK_ERR_USAGE;
    record *r = get_record(s, further), **at = &owner->further;
    if (!r)
        return IBK_ERR_NO_MEMORY;
    r->owner = owner;
    while (*at)
        at = &(*at)->further;
    *at = r;
    return IBK_OK;
}

/* What an answer says; the AVPs after the common ones depend on the command. */
typedef struct verdict {
    uint32_t result;
    bool experimental, with_server, with_digest, with_profile;
} verdict;

static verdict experimental(uint32_t result) {
    return (verdict){.result = result, .experimental = true};
}

static verdict authorise(const record *r) { /* UAR, TS 29.228 §6.1.1 */
    verdict v = experimental(r->server[0] ? CX_SUBSEQUENT_REGISTRATION : CX_FIRST_REGISTRATION);
    v.with_server = r->server[0] != 0;
    return v;
}

static bool is_registered(const record *r) {
    for (const private_id *p = r->devices; p; p = p->next)
        if (p->registered)
            return true;
    return false;
}

static verdict locate(const record *r) { /* LIR, §6.1.4 */
    if (is_registered(r))
        return (verdict){.result = DIAMETER_SUCCESS, .with_server = true};
    if (!r->unregistered_services)
        return experimental(CX_ERROR_IDENTITY_NOT_REGISTERED);
    verdict v = experimental(CX_UNREGISTERED_SERVICE);
    v.with_server = r->server[0] != 0;
    return v;
}

static verdict authenticate(record *r, const char *server) { /* MAR, §6.3.1: the asking S-CSCF is noted */
    strcpy(r->server, server);
    return (verdict){.result = DIAMETER_SUCCESS, .with_digest = true};
}

/* SAR, §6.1.2, without a private identity: the S-CSCF has a call for a user who is not there. It serves the
 * user from now on, who stays unregistered. */
static verdict assign_unregistered(record *r, const char *server, bool has_profile) {
    if (is_registered(r))
        return experimental(CX_ERROR_IN_ASSIGNMENT_TYPE);
    strcpy(r->server, server);
    return (verdict){.result = DIAMETER_SUCCESS, .with_profile = !has_profile};
}

/* The same of one device; the S-CSCF is forgotten with the last one. */
static verdict assign(record *r, private_id *device, const char *server, uint32_t type, bool has_profile) {
    if (type == CX_REGISTRATION || type == CX_RE_REGISTRATION) {
        strcpy(r->server, server);
        device->registered = true;
        return (verdict){.result = DIAMETER_SUCCESS, .with_profile = !has_profile};
    } else if (type == CX_USER_DEREGISTRATION) {
        device->registered = false;
        if (!is_registered(r))
            r->server[0] = 0;
    } else {
        return (verdict){.result = DIAMETER_UNABLE_TO_COMPLY};
    }
    return (verdict){.result = DIAMETER_SUCCESS};
}

static verdict judge(subscribers *s, const diameter_message *m, record **subject, private_id **device) {
    char impu[CX_TEXT_MAX], impi[CX_TEXT_MAX] = "", server[CX_TEXT_MAX] = "";
    uint32_t type = 0, has_profile = 0, command = m->header.command;
    bool typed = diameter_u32(m->avp, m->avp_count, AVP_SERVER_ASSIGNMENT_TYPE, &type);
    bool unregistered = command == DIAMETER_SAR && type == CX_UNREGISTERED_USER;
    bool needs_impi = command != DIAMETER_LIR && !unregistered;
    bool needs_server = command == DIAMETER_MAR || command == DIAMETER_SAR;
    if (command < DIAMETER_UAR || command > DIAMETER_MAR || m->header.application != CX_APPLICATION_ID)
        return (verdict){.result = DIAMETER_UNSUPPORTED_COMMAND};
    if (!diameter_text(m->avp, m->avp_count, AVP_PUBLIC_IDENTITY, impu, sizeof impu) ||
        (needs_impi && !diameter_text(m->avp, m->avp_count, AVP_USER_NAME, impi, sizeof impi)) ||
        (needs_server && !diameter_text(m->avp, m->avp_count, AVP_SERVER_NAME, server, sizeof server)) ||
        (command == DIAMETER_SAR && !typed))
        return (verdict){.result = DIAMETER_MISSING_AVP};
    record *r = *subject = find(s, impu);
    if (!r)
        return experimental(CX_ERROR_USER_UNKNOWN);
    *device = find_device(r, impi);
    if (needs_impi && !*device)
        return experimental(CX_ERROR_IDENTITIES_DONT_MATCH);
    switch (command) {
    case DIAMETER_UAR:
        return authorise(r);
    case DIAMETER_LIR:
        return locate(r);
    case DIAMETER_MAR:
        return authenticate(r, server);
    default:
        diameter_u32(m->avp, m->avp_count, AVP_USER_DATA_ALREADY_AVAILABLE, &has_profile);
        return unregistered ? assign_unregistered(r, server, has_profile != 0)
                            : assign(r, *device, server, type, has_profile != 0);
    }
}

static void put_digest(diameter_writer *w, const private_id *device, const char *realm) {
    diameter_put_u32(w, AVP_SIP_NUMBER_AUTH_ITEMS, 1);
    diameter_open(w, AVP_SIP_AUTH_DATA_ITEM);
    diameter_put_text(w, AVP_SIP_AUTHENTICATION_SCHEME, "SIP Digest");
    diameter_open(w, AVP_SIP_DIGEST_AUTHENTICATE);
    diameter_put_text(w, AVP_DIGEST_REALM, realm);
    diameter_put_text(w, AVP_DIGEST_QOP, "auth");
    diameter_put_text(w, AVP_DIGEST_ALGORITHM, "MD5");
    diameter_put_text(w, AVP_DIGEST_HA1, device->ha1);
    diameter_close(w);
    diameter_close(w);
}

/* The user profile (TS 29.228 annex B), as far as anybody here reads it: the implicit registration set. */
static void put_profile(diameter_writer *w, const record *r, const char *impi) {
    const char *identities[CX_IDENTITIES_MAX];
    size_t n = 0;
    ibk_buf xml = {0};
    for (const record *each = r; each && n < CX_IDENTITIES_MAX; each = each->further)
        identities[n++] = each->impu;
    ibk_err err = cx_write_profile(&xml, impi, identities, n);
    if (!err)
        diameter_put(w, AVP_USER_DATA, ibk_buf_span(&xml));
    else if (!w->err)
        w->err = err;
    ibk_buf_free(&xml);
}

ibk_err subscribers_answer(subscribers *s, ibk_buf *out, const cx_ends *ends,
                           const diameter_message *request) {
    if (request->header.command == DIAMETER_CER)
        return cx_write_capabilities(out, ends, &request->header);
    record *r = NULL;
    private_id *device = NULL;
    verdict v = judge(s, request, &r, &device);
    diameter_writer w;
    cx_begin_answer(&w, out, ends, request, v.result, v.experimental);
    if (r && v.with_server)
        diameter_put_text(&w, AVP_SERVER_NAME, r->server);
    if (r && v.with_digest) {
        diameter_put_text(&w, AVP_USER_NAME, device->impi);
        diameter_put_text(&w, AVP_PUBLIC_IDENTITY, r->impu);
        put_digest(&w, device, ends->realm);
    }
    if (r && v.with_profile) /* of an unregistered user it names one of the devices */
        put_profile(&w, r, device ? device->impi : r->devices->impi);
    return diameter_end(&w);
}
