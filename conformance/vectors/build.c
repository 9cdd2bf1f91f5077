/* Files of vectors: see build.h, vectors.h. */
#include "conformance/vectors/build.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name, *algorithm, *header;
    maker *make;
} files[] = {
    {"rfc5091_hash.json", "RFC 5091 hashing",
     "HashToRange (§4.1.1) and HashBytes (§4.2.1, looping beyond one hash: P-1).", make_hash},
    {"rfc5091_point.json", "RFC 5091 points",
     "HashToPoint (§4.4.2), the pairing (§4.5.2) and BFextractPriv (§5.3.1).", make_point},
    {"rfc5091_encryption.json", "RFC 5091 encryption",
     "BFencrypt (§5.4.1) with rho given, BFdecrypt (§5.5.1).", make_encryption},
    {"rfc5091_parameters.json", "RFC 5091 parameters", "BFPublicParameters (§5.1.2, §8.1).", make_parameters},
    {"rfc5091_der.json", "RFC 5091 DER",
     "BFCiphertextBlock and BFPrivateKeyBlock (§8.2, §8.3), strict DER (P-2).", make_der},
    {"mikey_keys.json", "MIKEY key derivation",
     "The PRFs of RFC 3830 §4.1.2 and RFC 6043 §6.1, keys by their purpose (RFC 6267 §5).", make_prf},
    {"mikey_points.json", "ECCPT points", "SEC 1 points of RFC 6267 §6.1.4 (P-3).", make_ecdh},
    {"mikey_messages.json", "MIKEY messages",
     "Messages with every octet annotated: [offset, length, payload, field, octets].", make_messages},
    {"mikey_exchange.json", "MIKEY-IBAKE", "Full exchanges (RFC 6267 §4.2.2) with all randomness given.",
     make_exchange},
};
enum { FILES = sizeof files / sizeof files[0] };

static const struct {
    const char *flag, *description;
} notes[] = {
    {"Normal", "what every implementation has to get right"},
    {"BadDer", "not strict DER: another form than an encoder would have made"},
    {"BadStructure", "DER of another structure than RFC 5091 §8 wants"},
    {"BadParameters", "parameters that are not of RFC 5091 §5.1.2"},
    {"BadPoint", "a point that is not on the curve, not of the right order, or infinity"},
    {"BadCiphertext",
     "a ciphertext that was changed, or is for another key: U is not [l]P (RFC 5091 §5.5.1 step 9)"},
    {"BadLayout", "octets that are no well-formed MIKEY message (RFC 3830 §5.3, §6)"},
    {"BadPlace", "a payload where it must not stand"},
    {"Unsupported", "an algorithm or a protocol that does not exist"},
    {"BadText", "not base64 (RFC 4648 §4)"},
    {"BadKey", "a private key that does not fit"},
};

size_t vectors_files(void) {
    return FILES;
}

const char *vectors_file_name(size_t index) {
    return files[index].name;
}

/* ---- octets ------------------------------------------------------------------------------------------ */

json_t *text_hex(const char *text) {
    return work_hex(ibk_span_str(text));
}

json_t *pattern_hex(size_t len) {
    uint8_t octets[256];
    for (size_t i = 0; i < sizeof octets; i++)
        octets[i] = (uint8_t)i;
    return work_hex(ibk_span_of(octets, len < sizeof octets ? len : sizeof octets));
}

json_t *drawn_hex(const char *name, size_t len) {
    uint8_t octets[1024];
    seeded s = {.seed = ibk_span_str(name)};
    ibk_env env = seeded_env(&s);
    return len <= sizeof octets && env.draw(env.user, IBK_DRAW_SALT, octets, len) == IBK_OK
               ? work_hex(ibk_span_of(octets, len))
               : NULL;
}

ibk_buf unhex_text(const char *hex) {
    work w = {.test = json_pack("{s:s}", "octets", hex ? hex : "")};
    ibk_buf out = {0};
    (void)ibk_buf_append_span(&out, work_octets(&w, "octets"));
    json_decref((json_t *)(uintptr_t)w.test);
    work_end(&w);
    return out;
}

/* ---- domains ------------------------------------------------------------------------------------------ */

ibk_err domain_make(domain *d, unsigned n) {
    char seed[] = "ibakelab test vectors 1: 00000";
    for (unsigned i = 0, rest = n; i < 5; i++, rest /= 10)
        seed[sizeof seed - 2 - i] = (char)('0' + rest % 10);
    seeded s = {.seed = ibk_span_str(seed)};
    ibk_env env = seeded_env(&s);
    *d = (domain){0};
    ibk_err err = ibk_ibe_setup(&env, n, &d->params, &d->master, NULL, NULL);
    err = err ? err : ibk_ibe_params_encode(d->params, &d->params_der);
    return err ? err : ibk_ibe_master_encode(d->master, &d->master_der);
}

void domain_free(domain *d) {
    ibk_ibe_params_free(d->params);
    ibk_ibe_master_free(d->master);
    ibk_buf_free(&d->params_der);
    ibk_buf_free(&d->master_der);
    *d = (domain){0};
}

json_t *domain_key(const domain *d, const char *ibe_identity) {
    ibk_ibe_key *key = NULL;
    ibk_buf der = {0};
    json_t *hex = NULL;
    if (ibk_ibe_extract(d->params, d->master, ibk_span_str(ibe_identity), &key) == IBK_OK &&
        ibk_ibe_key_encode(key, &der) == IBK_OK)
        hex = work_hex(ibk_buf_span(&der));
    ibk_ibe_key_free(key);
    ibk_buf_free(&der);
    return hex;
}

/* ---- vectors ------------------------------------------------------------------------------------------ */

static void fail(builder *b, ibk_err err, const char *comment, const char *detail) {
    if (!b->err)
        b->err = ibk_fail(b->diag, err, NULL, b->tests, "%s: %s", comment, detail);
}

void build_group(builder *b, const char *type, json_t *members) {
    b->group = json_pack("{s:s,s:{s:s,s:s}}", "type", type, "source", "name", "ibakelab", "version", "1");
    json_object_update(b->group, members);
    json_decref(members);
    json_object_set_new(b->group, "tests", json_array());
    if (json_array_append_new(b->groups, b->group) != 0)
        fail(b, IBK_ERR_NO_MEMORY, type, "no memory");
}

static void note(builder *b, const char *flag) {
    for (size_t i = 0; i < sizeof notes / sizeof notes[0]; i++)
        if (strcmp(notes[i].flag, flag) == 0) {
            json_object_set_new(b->notes, flag, json_pack("{s:s}", "description", notes[i].description));
            return;
        }
    fail(b, IBK_ERR_INTERNAL, flag, "a flag without a note");
}

static const json_t *add(builder *b, const char *comment, const char *flag, json_t *inputs, bool valid) {
    json_t *test = json_pack("{s:i,s:s,s:[s]}", "tcId", (int)++b->tests, "comment", comment, "flags", flag);
    work w;
    note(b, flag);
    json_object_update(test, inputs);
    json_decref(inputs);
    if (!test || json_array_append_new(json_object_get(b->group, "tests"), test) != 0) {
        fail(b, IBK_ERR_NO_MEMORY, comment, "no memory");
        return NULL;
    }
    ibk_err err = work_run(&w, b->group, test);
    if (valid ? err != IBK_OK : !work_is_invalid(err))
        fail(b, IBK_ERR_INTERNAL, comment,
             valid ? ibk_err_text(err)
             : err ? w.diag.detail
                   : "taken, and is invalid");
    if (valid)
        json_object_update(test, w.out);
    json_object_set_new(test, "result", json_string(valid ? "valid" : "invalid"));
    work_end(&w);
    return b->err ? NULL : test;
}

const json_t *build_valid(builder *b, const char *comment, json_t *inputs) {
    return add(b, comment, "Normal", inputs, true);
}

void build_invalid(builder *b, const char *comment, const char *flag, json_t *inputs) {
    (void)add(b, comment, flag, inputs, false);
}

/* ---- the file ------------------------------------------------------------------------------------------ */

static int append(const char *text, size_t len, void *user) {
    return ibk_buf_append(user, text, len) == IBK_OK ? 0 : -1;
}

ibk_err vectors_generate(size_t index, ibk_buf *text, ibk_diag *diag) {
    builder b = {.notes = json_object(), .groups = json_array(), .diag = diag};
    if (index >= FILES || !b.notes || !b.groups)
        return IBK_ERR_USAGE;
    files[index].make(&b);
    json_t *file = json_pack("{s:s,s:s,s:i,s:[s],s:o,s:o}", "algorithm", files[index].algorithm, "schema",
                             "vectors.schema.json", "numberOfTests", (int)b.tests, "header",
                             files[index].header, "notes", b.notes, "testGroups", b.groups);
    ibk_err err = b.err;
    if (!err && (!file || json_dump_callback(file, append, text, JSON_INDENT(1) | JSON_ENSURE_ASCII) != 0))
        err = IBK_ERR_NO_MEMORY;
    json_decref(file);
    return err ? err : ibk_buf_append(text, "\n", 1);
}
