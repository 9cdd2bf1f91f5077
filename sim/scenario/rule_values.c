/* What a rule of an adversary puts into a MIKEY message: numbers, octets, times, texts, points. */
#include "scenario/expand_adversaries.h"
#include "scenario/value.h"
#include <stdlib.h>
#include <string.h>

/* ---- numbers -----------------------------------------------------------------------------------
 */

/* Decimal, or hexadecimal behind 0x. */
static bool number_read(uint64_t *out, const char *text) {
    if (strncmp(text, "0x", 2) != 0)
        return scn_digits_read(out, text);
    const char *digits = text + 2;
    size_t len = strlen(digits);
    if (len == 0 || len > 16 || strspn(digits, "0123456789abcdefABCDEF") != len)
        return false;
    *out = strtoull(digits, NULL, 16);
    return true;
}

/* ---- fields of a message ----------------------------------------------------------------------------------
 */

/* Width of the fields that are numbers (RFC 3830 §6.1, §6.6); 0: the field is octets or text. */
static unsigned bits_of(scn_mikey_field field) {
    switch (field) {
    case SCN_FIELD_VERSION:
    case SCN_FIELD_DATA_TYPE:
    case SCN_FIELD_CS_COUNT:
        return 8;
    case SCN_FIELD_V_FLAG:
        return 1;
    case SCN_FIELD_PRF:
        return 7;
    case SCN_FIELD_CSB_ID:
        return 32;
    case SCN_FIELD_T:
        return 64;
    default:
        return 0;
    }
}

static bool is_text(scn_mikey_field field) {
    return field == SCN_FIELD_IDRI || field == SCN_FIELD_IDRR || field == SCN_FIELD_SDP_IDS;
}

static bool read_word(scn_edit_value *out, const char *text) {
    static const struct {
        const char *word;
        scn_edit how;
    } words[] = {{"flip", SCN_EDIT_FLIP}, {"random", SCN_EDIT_RANDOM}, {"zero", SCN_EDIT_ZERO}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(words[i].word, text) == 0) {
            out->how = words[i].how;
            return true;
        }
    }
    return false;
}

static bool read_number(const scn_spot *spot, scn_edit_value *out, unsigned bits, const char *text) {
    const char *unit = "";
    bool time = bits == 64; /* T alone can be shifted */
    out->how = SCN_EDIT_NUMBER;
    if (number_read(&out->number, text)) {
        if (bits == 64 || out->number >> bits == 0)
            return true;
        scn_hint(scn_spot_report(spot, text, "is out of range"), "the field has %u bit%s", bits,
                 bits == 1 ? "" : "s");
        return false;
    }
    out->how = SCN_EDIT_SHIFT;
    if (time && scn_number_read(&out->shift_ns, &unit, text, &scn_time_quantity, true) == SCN_NUMBER_OK)
        return true;
    scn_hint(scn_spot_report(spot, text, "is no value of this field"),
             "expected flip, random, zero, a number%s",
             time ? ", or a time to shift it by such as +2 h" : " (decimal, or hexadecimal behind 0x)");
    return false;
}

static void set_text(scn_edit_value *out, const char *text) {
    out->how = SCN_EDIT_TEXT;
    out->text = text;
    out->octets = ibk_span_str(text);
}

/* `xor HEX at N`. */
static bool read_xor(const scn_spot *spot, scn_edit_value *out, const char *text) {
    scn_arena *arena = spot->cast->ctx->arena;
    const char *hex = text + strlen("xor "), *at = strstr(hex, " at ");
    out->how = SCN_EDIT_XOR;
    const char *octets = at != NULL ? scn_copy(arena, hex, (size_t)(at - hex)) : NULL;
    if (octets != NULL && scn_octets_read(arena, &out->octets, octets) &&
        scn_digits_read(&out->number, at + strlen(" at ")))
        return true;
    scn_hint(scn_spot_report(spot, text, "is no value of this field"),
             "expected xor, octets in hex, at, the place of the first one from 0: xor 0b1f at 5");
    return false;
}

static bool read_octets(const scn_spot *spot, scn_edit_value *out, const char *text, const char *words) {
    out->how = SCN_EDIT_OCTETS;
    if (scn_octets_read(spot->cast->ctx->arena, &out->octets, text))
        return true;
    scn_hint(scn_spot_report(spot, text, "is no value of this field"),
             "expected %soctets as an even number of hexadecimal digits", words);
    return false;
}

/* `modify`. */
static bool read_field(const scn_spot *spot, scn_edit_value *out, scn_mikey_field field, const char *text) {
    unsigned bits = bits_of(field);
    if (read_word(out, text))
        return true;
    if (bits > 0)
        return read_number(spot, out, bits, text);
    if (strncmp(text, "xor ", 4) == 0 && field != SCN_FIELD_U) /* U is two fields */
        return read_xor(spot, out, text);
    if (!is_text(field) || strncmp(text, "0x", 2) == 0)
        return read_octets(spot, out, text, "flip, random, zero, or ");
    set_text(out, text);
    return true;
}

bool scn_rule_value(const scn_spot *spot, scn_edit_value *out, const scn_rule *rule, const char *text) {
    const scn_spot field = {spot->cast, spot->head, spot->path, "field"};
    if (rule->act == SCN_ATTACK_MODIFY)
        return read_field(spot, out, rule->field, text);
    if (rule->act == SCN_ATTACK_ADD_PAYLOAD)
        return read_octets(spot, out, text, "");
    if (rule->act != SCN_ATTACK_IDENTITY) {
        set_text(out, text);
        return true;
    }
    if (rule->field != SCN_FIELD_IDRI && rule->field != SCN_FIELD_IDRR) {
        scn_hint(scn_report(spot->cast->ctx, scn_where_of(field.head, field.key),
                            "%s: 'do: identity' is about IDRi or IDRr", spot->path),
                 "'do: modify' changes other fields");
        return false;
    }
    const char *identity = scn_spot_identity(spot, text);
    if (identity != NULL)
        set_text(out, identity);
    return identity != NULL;
}

/* ---- points and payloads ----------------------------------------------------------------------------------
 */

bool scn_rule_point(const scn_spot *spot, scn_point *out, const char *text) {
    static const char *const words[] = {
        [SCN_POINT_OWN] = "own",
        [SCN_POINT_REFLECTED] = "reflected",
        [SCN_POINT_OFF_CURVE] = "off-curve",
        [SCN_POINT_INFINITY] = "infinity",
        [SCN_POINT_SMALL_ORDER] = "small-order",
        [SCN_POINT_COMPRESSED] = "compressed",
        [SCN_POINT_TWIST] = "twist",
    };
    scn_nearest nearest = {.word = text};
    for (int kind = SCN_POINT_OWN; kind <= SCN_POINT_TWIST; kind++) {
        if (strcmp(words[kind], text) == 0) {
            out->kind = (scn_point_kind)kind;
            return true;
        }
        scn_nearest_try(&nearest, words[kind]);
    }
    out->kind = SCN_POINT_HEX;
    if (scn_octets_read(spot->cast->ctx->arena, &out->octets, text))
        return true;
    scn_error *e = scn_spot_report(spot, text, "is no point");
    if (nearest.best != NULL)
        scn_hint(e, "did you mean '%s'?", nearest.best);
    else
        scn_hint(
            e,
            "expected own, reflected, off-curve, infinity, small-order, compressed, twist, or octets in hex");
    return false;
}

bool scn_rule_payload(const scn_spot *spot, uint8_t *out, const char *text) {
    uint64_t number = 0;
    scn_nearest nearest = {.word = text};
    if (scn_digits_read(&number, text) && number <= UINT8_MAX) {
        *out = (uint8_t)number;
        return true;
    }
    for (unsigned type = 1; type <= IBK_PL_ECCPT; type++) {
        const char *name = ibk_payload_name((uint8_t)type);
        if (strcmp(name, "unknown") == 0)
            continue;
        if (strcmp(name, text) == 0) {
            *out = (uint8_t)type;
            return true;
        }
        scn_nearest_try(&nearest, name);
    }
    scn_error *e = scn_spot_report(spot, text, "is no payload");
    if (nearest.best != NULL)
        scn_hint(e, "did you mean '%s'?", nearest.best);
    else
        scn_hint(e, "expected the name of a payload such as SP or IDR, or its number");
    return false;
}
