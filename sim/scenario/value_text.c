/* Names, addresses, keys, files, sounds. */
#include "scenario/source.h"
#include "scenario/value.h"
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_alpha(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_alnum(char c) {
    return is_alpha(c) || (c >= '0' && c <= '9');
}

/* Letters, digits and `more`; "{n}" anywhere, at most once. */
static bool only(const char *text, size_t len, const char *more) {
    bool number = false;
    for (size_t i = 0; i < len; i++) {
        if (is_alnum(text[i]) || strchr(more, text[i]) != NULL)
            continue;
        if (number || len - i < 3 || memcmp(text + i, "{n}", 3) != 0)
            return false;
        number = true;
        i += 2;
    }
    return true;
}

static bool is_domain(const char *text) {
    const char *label = text;
    for (const char *c = text;; c++) {
        if (*c == '.' || *c == '\0') {
            if (c == label || c - label > 63 || label[0] == '-' || c[-1] == '-')
                return false;
            label = c + 1;
            if (*c == '\0')
                return true;
        } else if (!(*c >= 'a' && *c <= 'z') && !(*c >= '0' && *c <= '9') && *c != '-') {
            return false;
        }
    }
}

/* RFC 3261 user part without escapes and passwords; RFC 7542 user names are a little wider. */
static bool is_user_at_host(const char *text) {
    const char *at = strchr(text, '@');
    return at != NULL && at != text && only(text, (size_t)(at - text), "-_.!~*'()+&=") && is_domain(at + 1);
}

/* A global number, RFC 3966 §5.1.4 without visual separators: an E.164 number has at most 15 digits. */
static bool is_global_number(const char *text) {
    size_t digits = 0;
    bool number = false;
    if (*text++ != '+')
        return false;
    for (; *text != '\0'; text++, digits++) {
        if (*text >= '0' && *text <= '9')
            continue;
        if (number || strncmp(text, "{n}", 3) != 0)
            return false;
        number = true;
        text += 2;
    }
    return digits >= 3 && digits <= 15;
}

static bool is_public_identity(const char *text) {
    return strncmp(text, "tel:", 4) == 0 ? is_global_number(text + 4)
                                         : strncmp(text, "sip:", 4) == 0 && is_user_at_host(text + 4);
}

static bool printable(const char *text, bool lines) {
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == 0x7F || (c < 0x20 && !(lines && c == '\n')))
            return false;
    }
    return true;
}

static const char *problem_of(scn_type type, const char *text) {
    switch (type) {
    case SCN_T_NAME:
    case SCN_T_REFERENCE:
    case SCN_T_USER:
        if (type == SCN_T_REFERENCE && is_domain(text))
            return NULL;
        return is_alpha(text[0]) && only(text, strlen(text), "-_") ? NULL : "is no name";
    case SCN_T_DOMAIN:
        return is_domain(text) ? NULL : "is no domain name";
    case SCN_T_URI:
        return is_public_identity(text) ? NULL : "is neither a SIP URI of a user nor a tel: URI";
    case SCN_T_NAI:
        return is_user_at_host(text) ? NULL : "is not of the form user@domain";
    case SCN_T_TEXT:
        return printable(text, true) ? NULL : "holds control characters";
    default:
        return printable(text, false) ? NULL : "holds control characters or line ends";
    }
}

bool scn_read_text(const scn_value *v, const char **out) {
    const char *text = v->node->text;
    int64_t len = (int64_t)strlen(text);
    if (len < v->field->min)
        return scn_value_refuse(v, "is too short");
    if (len > v->field->max)
        return scn_value_refuse(v, "is too long");
    const char *problem = problem_of(v->field->type, text);
    if (problem != NULL)
        return scn_value_refuse(v, problem);
    *out = text;
    return true;
}

/* ---- keys
 * -------------------------------------------------------------------------------------------------- */

static int hex_digit(char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

bool scn_octets_read(scn_arena *arena, ibk_span *out, const char *text) {
    const char *at = strncmp(text, "0x", 2) == 0 ? text + 2 : text;
    uint8_t *octets = scn_alloc(arena, strlen(at) / 2 + 1);
    size_t len = 0;
    for (; octets != NULL && *at != '\0'; at += 2) {
        if (*at == ' ' && len > 0)
            at++;
        int high = hex_digit(at[0]), low = high < 0 ? -1 : hex_digit(at[1]);
        if (low < 0)
            return false;
        octets[len++] = (uint8_t)(16 * high + low);
    }
    *out = (ibk_span){octets, len};
    return len > 0;
}

bool scn_read_key(const scn_value *v, raw_key *out) {
    const char *text = v->node->text;
    size_t len = strlen(text);
    if (strcmp(text, "auto") == 0) {
        *out = (raw_key){.automatic = true};
        return true;
    }
    for (size_t i = 0; i < len; i++) {
        if (hex_digit(text[i]) < 0)
            return scn_value_refuse(v, "is neither hexadecimal nor 'auto'");
    }
    if (len % 2 != 0)
        return scn_value_refuse(v, "has an odd number of hexadecimal digits");
    if ((int64_t)(len / 2) < v->field->min || (int64_t)(len / 2) > v->field->max)
        return scn_value_refuse(v, "has the wrong length");
    *out = (raw_key){0};
    return scn_octets_read(v->ctx->arena, &out->octets, text);
}

/* ---- files and sounds
 * ----------------------------------------------------------------------------------------- */

static bool readable(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 && S_ISREG(info.st_mode) && access(path, R_OK) == 0;
}

bool scn_read_file(const scn_value *v, const char **out) {
    const char *text = v->node->text;
    if (!printable(text, false) || text[0] == '\0')
        return scn_value_refuse(v, "is no path of a file");
    const char *path = scn_source_path(v->ctx, &v->node->where, text), *folder;
    if (!readable(path)) {
        scn_error *e = scn_report(v->ctx, &v->node->where, "%s: there is no readable file '%s'", v->path,
                                  scn_show(v->ctx, text));
        folder = scn_source_folder(v->ctx, &v->node->where);
        scn_hint(e, "paths start at the folder of the file that names them%s%s",
                 folder[0] != '\0' ? ": " : "", scn_show(v->ctx, folder));
        return false;
    }
    *out = path;
    return true;
}

bool scn_read_cpu(const scn_value *v, scn_cpu *out) {
    char why[CPU_MODEL_WHY];
    cpu_model *model = scn_alloc(v->ctx->arena, sizeof *model);
    *out = (scn_cpu){.model = model, .word = v->node->text};
    if (model == NULL)
        return false;
    if (cpu_model_ready_made(model, v->node->text))
        return true;
    *out = (scn_cpu){.model = model};
    if (strpbrk(v->node->text, "./") == NULL) /* a word that is none, rather than a file that is not there */
        return scn_value_refuse(v, "is none of the ready-made models");
    if (!scn_read_file(v, &out->file))
        return false;
    if (cpu_model_read_file(model, out->file, why) == IBK_OK)
        return true;
    scn_error *e = scn_report(v->ctx, &v->node->where, "%s: %s", v->path, why);
    scn_hint(e, "docs/cpu-models.md describes the format");
    return false;
}

bool scn_read_source(const scn_value *v, scn_source *out) {
    int64_t hertz = 0;
    const char *unit = "";
    scn_number_result result = scn_number_read(&hertz, &unit, v->node->text, &scn_hertz_quantity, false);
    *out = (scn_source){0};
    if (result == SCN_NUMBER_NONE || (result == SCN_NUMBER_BAD_UNIT && strchr(unit, '.') != NULL))
        return scn_read_file(v, &out->file);
    if (!scn_read_quantity(v, &hertz, v->node->text, &scn_hertz_quantity, false) ||
        !scn_value_in_range(v, hertz))
        return false;
    out->tone_hz = (unsigned)hertz;
    return true;
}
