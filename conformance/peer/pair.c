#include "peer/pair.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N(array) (sizeof(array) / sizeof *(array))
#define SPAN(literal)                                                                                        \
    { (const uint8_t *)(literal), sizeof(literal) - 1 }

static const peer_id alice = {1, SPAN("sip:alice@home.example")}, bob = {1, SPAN("sip:bob@home.example")},
                     mailbox = {1, SPAN("sip:mailbox@home.example")}, kms = {1, SPAN("sip:kms@home.example")},
                     alice_today = {2, SPAN("sip:alice@home.example20261124")};

static void need(bool ok, const char *what) {
    if (ok)
        return;
    (void)fprintf(stderr, "pair: %s\n", what);
    abort();
}

/* ---- parameters, certificates
 * ------------------------------------------------------------------------------------ */

static peer_domain domains[2][3];

static void read_file(const char *kind, unsigned size, ibk_buf *out) {
    char path[512];
    const char *source = getenv("IBAKELAB_SOURCE");
    (void)snprintf(path, sizeof path, "%s/data/ibe-params/ibe-%u.%s.der", source ? source : ".", size, kind);
    FILE *file = fopen(path, "rb");
    need(file != NULL, path);
    uint8_t octets[4096];
    size_t n = fread(octets, 1, sizeof octets, file);
    (void)fclose(file);
    need(ibk_buf_append(out, octets, n) == IBK_OK, "memory");
}

const peer_domain *pair_domain(unsigned size, peer_granularity granularity) {
    peer_domain *d = &domains[size == 3072][granularity];
    if (d->params)
        return d;
    ibk_buf params = {0}, master = {0};
    ibk_ibe_params *p = NULL;
    ibk_ibe_master *m = NULL;
    read_file("params", size, &params);
    read_file("master", size, &master);
    need(ibk_ibe_params_parse(&p, ibk_buf_span(&params), NULL, NULL) == IBK_OK, "parameters");
    need(ibk_ibe_master_parse(&m, p, ibk_buf_span(&master), NULL) == IBK_OK, "master");
    ibk_buf_free(&params);
    ibk_buf_free(&master);
    *d = (peer_domain){
        .params = p, .master = m, .serves = ibk_span_str("@home.example"), .granularity = granularity};
    return d;
}

static struct {
    uint8_t *certificate, *key;
    int certificate_len, key_len;
} made[2];

void pair_forget_domains(void) {
    for (size_t i = 0; i < 2; i++) {
        for (size_t k = 0; k < 3; k++) {
            ibk_ibe_master_free((ibk_ibe_master *)domains[i][k].master);
            ibk_ibe_params_free((ibk_ibe_params *)domains[i][k].params);
        }
        OPENSSL_free(made[i].certificate);
        OPENSSL_free(made[i].key);
    }
    memset(domains, 0, sizeof domains);
    memset(made, 0, sizeof made);
}

void pair_certificate(bool of_kms, ibk_span *certificate, ibk_span *private_key) {
    if (!made[of_kms].certificate) {
        EVP_PKEY *key = EVP_RSA_gen(2048);
        X509 *x = X509_new();
        need(key && x, "RSA");
        X509_set_version(x, 2);
        ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
        ASN1_TIME_set(X509_getm_notBefore(x), PAIR_NOON / 1000 - 86400);
        ASN1_TIME_set(X509_getm_notAfter(x), PAIR_NOON / 1000 + 86400);
        X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
                                   (const unsigned char *)"peer", -1, -1, 0);
        X509_set_issuer_name(x, X509_get_subject_name(x));
        X509_set_pubkey(x, key);
        X509_EXTENSION *names = X509V3_EXT_conf_nid(
            NULL, NULL, NID_subject_alt_name,
            of_kms ? "URI:sip:kms@home.example" : "URI:sip:alice@home.example,URI:sip:bob@home.example");
        need(names && X509_add_ext(x, names, -1), "subjectAltName");
        X509_EXTENSION_free(names);
        need(X509_sign(x, key, EVP_sha256()) > 0, "certificate");
        made[of_kms].certificate_len = i2d_X509(x, &made[of_kms].certificate);
        made[of_kms].key_len = i2d_PrivateKey(key, &made[of_kms].key);
        X509_free(x);
        EVP_PKEY_free(key);
    }
    *certificate = ibk_span_of(made[of_kms].certificate, (size_t)made[of_kms].certificate_len);
    *private_key = ibk_span_of(made[of_kms].key, (size_t)made[of_kms].key_len);
}

/* ---- who plays
 * ----------------------------------------------------------------------------------------------------- */

/* Two policies; encryption with a key of 32 octets, and tags of 4 octets. */
static const uint8_t zero[] = {0}, seven[] = {7}, params_0[] = {0, 1, 1, 1, 1, 16},
                     params_7[] = {1, 1, 32, 11, 1, 4};
static const peer_sp policies[] = {{0, {params_0, sizeof params_0}}, {7, {params_7, sizeof params_7}}};
static const peer_cs sessions[] = {{.cs_id = 1, .policies = {zero, 1}, .ssrc = 0x11111111},
                                   {.cs_id = 2, .policies = {seven, 1}, .ssrc = 0}};
static const peer_cs further[] = {{.cs_id = 3, .policies = {zero, 1}, .ssrc = 0x33333333}};
static const uint32_t ssrcs[] = {0, 0x22222222, 0x33333333};

/* The deviation is given to whoever of the two roles sends the message. */
static const char *deviation_for(const pair_setting *s, pair_flow flow, bool first) {
    peer_deviation d;
    if (!s->deviation || !peer_deviation_find(s->deviation, &d))
        return NULL;
    bool by_first = d.sender == PEER_INITIATOR || d.sender == PEER_USER;
    if (flow == PAIR_UPDATE_BACK && strncmp(d.message, "update", 6) == 0)
        by_first = !by_first;
    return by_first == first ? s->deviation : NULL;
}

static void caller_config(const pair_setting *s, peer_config *c) {
    c->role = PEER_INITIATOR;
    c->self = alice;
    c->other = bob;
    c->prf = s->prf;
    c->curve = s->curve;
    c->map_type = s->map_type;
    c->sessions = sessions;
    c->n_sessions = s->map_type == 1 ? 0 : N(sessions);
    c->policies = policies;
    c->n_policies = s->map_type == 1 ? 0 : N(policies);
    c->sdp_ids = ibk_span_str("mikey");
    c->esk = s->esk;
}

static void open_call(pair *play, pair_flow flow, const pair_setting *s, peer_config first) {
    peer_config second = first;
    caller_config(s, &first);
    first.accept_others = flow == PAIR_MAILBOX;
    first.deviation = deviation_for(s, flow, true);
    second.role = flow == PAIR_MAILBOX ? PEER_MAILBOX : PEER_RESPONDER;
    second.self = flow == PAIR_MAILBOX ? mailbox : bob;
    second.curve = s->mailbox_curve;
    second.ssrcs = ssrcs;
    second.n_ssrcs = N(ssrcs);
    second.seed = ibk_span_str("second");
    second.deviation = deviation_for(s, flow, false);
    need(peer_new(&play->first, &first) == IBK_OK && peer_new(&play->second, &second) == IBK_OK, "peer_new");
}

static void open_request(pair *play, pair_flow flow, const pair_setting *s, peer_config first) {
    static ibk_span chain[1];
    static peer_pke user, server;
    static peer_id asks[2];
    static const peer_id psk_id = {2, SPAN("key of alice")};
    peer_config second = first;
    asks[0] = s->ask_bytes ? alice_today : alice;
    asks[1] = bob;
    ibk_span key;
    user =
        (peer_pke){.n_chain = 1, .chain = chain, .pss = s->pss, .chash = s->chash, .envelope = s->envelope};
    server = (peer_pke){.envelope = s->envelope};
    if (flow == PAIR_PKE) {
        pair_certificate(false, &chain[0], &user.private_key);
        pair_certificate(true, &user.kms_certificate, &key);
        server.kms_certificate = user.kms_certificate;
        server.private_key = key;
        first.pke = &user;
        second.pke = &server;
    }
    first.role = PEER_USER;
    first.other = second.self = kms;
    first.prf = s->prf;
    first.asks = asks;
    first.n_asks = N(asks);
    first.psk = second.psk = ibk_span_str("0123456789abcdef");
    first.psk_id = s->ask_bytes ? &psk_id : NULL;
    first.deviation = deviation_for(s, flow, true);
    second.role = PEER_KMS;
    second.encryption = s->encryption;
    second.seed = ibk_span_str("second");
    second.deviation = deviation_for(s, flow, false);
    need(peer_new(&play->first, &first) == IBK_OK && peer_new(&play->second, &second) == IBK_OK, "peer_new");
}

/* ---- the play
 * -------------------------------------------------------------------------------------------------------- */

/* By the number of the damage: which message, where, and how. */
static void spoil(const pair *play, ibk_buf *message) {
    unsigned n = play->damage;
    if (n == 0 || n % 4 != play->messages)
        return;
    for (unsigned i = 0; i <= n % 3; i++) {
        n = n * 1103515245U + 12345U;
        message->data[(n >> 8) % message->len] ^= (uint8_t)(1U << (n >> 29));
    }
}

static void note(pair *play, ibk_span message) {
    need(ibk_buf_append_span(&play->wire, message) == IBK_OK, "memory");
    play->messages++;
}

/* `message` to `to`, and its answers back and forth until nothing comes. */
static void carry(pair *play, peer *to, peer *from, ibk_buf *message) {
    while (message->len > 0) {
        ibk_buf answer = {0};
        spoil(play, message);
        note(play, ibk_buf_span(message));
        need(peer_receive(to, ibk_buf_span(message), &answer) == IBK_OK, "peer_receive");
        ibk_buf_free(message);
        *message = answer;
        peer *other = to;
        to = from;
        from = other;
    }
    ibk_buf_free(message);
}

static void update(pair *play, pair_flow flow, const pair_setting *s) {
    peer *starter = flow == PAIR_UPDATE ? play->first : play->second,
         *other = starter == play->first ? play->second : play->first;
    peer_change change = {.new_dh = !s->no_new_dh,
                          .mki = s->no_new_dh ? (ibk_span){0} : ibk_span_str("key 2")};
    change.further = further;
    change.n_further = s->further ? N(further) : 0;
    ibk_buf message = {0};
    peer_set_clock(starter, PAIR_NOON + 5000);
    peer_set_clock(other, PAIR_NOON + 5010);
    if (peer_update(starter, &change, &message) == IBK_OK)
        carry(play, other, starter, &message);
}

void pair_play(pair *play, pair_flow flow, const pair_setting *s) {
    peer_config c = {.seed = ibk_span_str("first"),
                     .utc_ms = PAIR_NOON,
                     .mac = s->mac,
                     .timestamp = s->timestamp,
                     .n_domains = 1};
    memset(play, 0, sizeof *play);
    play->damage = s->damage;
    c.domains = pair_domain(s->size ? s->size : 1024, s->granularity);
    if (flow == PAIR_PSK || flow == PAIR_PKE)
        open_request(play, flow, s, c);
    else
        open_call(play, flow, s, c);
    ibk_buf message = {0};
    need(peer_start(play->first, &message) == IBK_OK, "peer_start");
    carry(play, play->second, play->first, &message);
    if (flow == PAIR_UPDATE || flow == PAIR_UPDATE_BACK)
        update(play, flow, s);
}

void pair_free(pair *play) {
    peer_free(play->first);
    peer_free(play->second);
    ibk_buf_free(&play->wire);
}
