/* SIP, inside: character classes and strict numbers of RFC 3261 §25.1. */
#ifndef IMS_SIP_TEXT_H
#define IMS_SIP_TEXT_H

#include <ctype.h>
#include <ibake/base.h>
#include <string.h>

/* token = 1*(alphanum / "-" / "." / "!" / "%" / "*" / "_" / "+" / "`" / "'" / "~") */
static inline bool sip_is_token(const char *text, size_t len) {
    if (len == 0)
        return false;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c >= 0x80 || c == 0 || !(isalnum(c) || strchr("-.!%*_+`'~", c)))
            return false;
    }
    return true;
}

/* gen-value = token / host / quoted-string; an IPv6 address with or without brackets. */
static inline bool sip_is_param_value(const char *text) {
    size_t len = strlen(text);
    if (len == 0 || text[0] != '"') {
        for (size_t i = 0; i < len; i++)
            if (!strchr("[]:", text[i]) && !sip_is_token(&text[i], 1))
                return false;
        return len > 0;
    }
    size_t i = 1;
    while (i < len && text[i] != '"')
        i += text[i] == '\\' ? 2 : 1;
    return i == len - 1;
}

/* RFC 3986 §2: reserved, unreserved and escaped characters, whatever the scheme. */
static inline bool sip_is_uri_text(const char *text) {
    for (const char *c = text; *c; c++) {
        unsigned char one = (unsigned char)*c;
        if (one == '%' ? !isxdigit((unsigned char)c[1]) || !isxdigit((unsigned char)c[2])
                       : one >= 0x80 || !(isalnum(one) || strchr("-._~:/?#[]@!$&'()*+,;=", one)))
            return false;
    }
    return *text != 0;
}

/* Decimal digits alone, at most `max`. */
static inline bool sip_number(const char *text, size_t len, uint64_t max, uint64_t *out) {
    uint64_t value = 0;
    if (len == 0 || len > 19)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        value = value * 10 + (uint64_t)(text[i] - '0');
    }
    *out = value;
    return value <= max;
}

static inline bool sip_number_str(const char *text, uint64_t max, uint64_t *out) {
    return text && sip_number(text, strlen(text), max, out);
}

/* host: letters, digits, "-", "."; or an IPv6 address without brackets. */
static inline bool sip_is_host(const char *text) {
    size_t len = text ? strlen(text) : 0;
    bool ipv6 = len && strchr(text, ':');
    if (len == 0 || len > 255)
        return false;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        bool good =
            ipv6 ? isxdigit(c) || c == ':' || c == '.' : isalnum(c) || c == '-' || c == '.' || c == '_';
        if (c >= 0x80 || !good)
            return false;
    }
    return true;
}

#endif
