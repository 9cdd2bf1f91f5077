/* What --keep leaves of a case: transcript, capture, key log. */
#include "conformance/suite/report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { PCAP_RAW_IP = 101, MIKEY_PORT = 2269 };

typedef struct keeping {
    FILE *capture, *keys;
    unsigned second;
} keeping;

static FILE *create(const char *directory, const char *name, const char *end) {
    char path[4096];
    size_t at = strlen(directory) + 1;
    int n = snprintf(path, sizeof path, "%s/%s%s", directory, name, end);
    if (n < 0 || (size_t)n >= sizeof path) {
        errno = ENAMETOOLONG;
        return NULL;
    }
    for (char *c = path + at; *c; c++)
        *c = *c == '/' ? '_' : *c;
    return fopen(path, "w");
}

static void put32(FILE *out, uint32_t value) { /* little-endian, as the magic number says */
    for (int i = 0; i < 4; i++)
        fputc((int)(value >> 8 * i & 0xFF), out);
}

static void put16be(uint8_t *at, size_t value) {
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

/* One MIKEY message as a UDP datagram over IPv4, from 192.0.2.1 (the suite) or to it; under a head as of
 * HTTP, so that `ibakelab decode` and others know what it is. */
static void capture(keeping *k, const uint8_t *octets, size_t len, bool to_adapter) {
    char text[128];
    size_t n = (size_t)snprintf(
        text, sizeof text,
        "POST / HTTP/1.1\r\nContent-Type: application/mikey\r\nContent-Length: %zu\r\n\r\n", len);
    size_t all = 28 + n + len;
    if (all > 65535 || !k->capture)
        return;
    uint8_t head[28] = {0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2};
    head[15] = to_adapter ? 1 : 2;
    head[19] = to_adapter ? 2 : 1;
    put16be(head + 2, all);
    put16be(head + 20, MIKEY_PORT);
    put16be(head + 22, MIKEY_PORT);
    put16be(head + 24, all - 20);
    uint32_t sum = 0;
    for (size_t i = 0; i < 20; i += 2)
        sum += (uint32_t)head[i] << 8 | head[i + 1];
    sum = (sum & 0xFFFF) + (sum >> 16);
    put16be(head + 10, 0xFFFF - ((sum & 0xFFFF) + (sum >> 16)));
    put32(k->capture, k->second++);
    put32(k->capture, 0);
    put32(k->capture, (uint32_t)all);
    put32(k->capture, (uint32_t)all);
    fwrite(head, 1, sizeof head, k->capture);
    fwrite(text, 1, n, k->capture);
    fwrite(octets, 1, len, k->capture);
}

/* Octets of base64, for text that was judged before. */
static size_t octets_of(const char *text, uint8_t *out, size_t size) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint32_t bits = 0;
    size_t n = 0, have = 0;
    for (; *text && *text != '='; text++) {
        const char *digit = strchr(digits, *text);
        bits = bits << 6 | (digit ? (uint32_t)(digit - digits) : 0);
        have += 6;
        if (have >= 8 && n < size) {
            have -= 8;
            out[n++] = (uint8_t)(bits >> have);
        }
    }
    return n;
}

static void keep_octets(keeping *k, const json_t *value, bool to_adapter) {
    static uint8_t octets[65536];
    if (json_is_string(value))
        capture(k, octets, octets_of(json_string_value(value), octets, sizeof octets), to_adapter);
}

static void log_key(keeping *k, const char *kind, const json_t *report, const json_t *key,
                    const char *member) {
    uint8_t octets[128];
    const char *text = json_string_value(json_object_get(key, member));
    size_t n = text ? octets_of(text, octets, sizeof octets) : 0;
    if (!k->keys || n == 0)
        return;
    fprintf(k->keys, "%s %08x %02x ", kind, (unsigned)json_integer_value(json_object_get(report, "csb_id")),
            (unsigned)json_integer_value(json_object_get(key, "cs_id")));
    for (size_t i = 0; i < n; i++)
        fprintf(k->keys, "%02x", octets[i]);
    fputc('\n', k->keys);
}

static void keep_line(keeping *k, const json_t *json) {
    size_t i, j;
    json_t *report, *value;
    keep_octets(k, json_object_get(json, "octets"), true);
    json_array_foreach(json_object_get(json, "reports"), i, report) {
        json_array_foreach(json_object_get(report, "messages"), j, value) keep_octets(k, value, false);
        json_array_foreach(json_object_get(report, "keys"), j, value) {
            log_key(k, "TEK", report, value, "tek");
            log_key(k, "SALT", report, value, "salt");
        }
    }
}

static void keep_lines(keeping *k, const char *transcript) {
    while (*transcript) {
        size_t len = strcspn(transcript, "\n");
        json_t *json = len > 3 ? json_loadb(transcript + 3, len - 3, 0, NULL) : NULL;
        if (json)
            keep_line(k, json);
        json_decref(json);
        transcript += len + (transcript[len] == '\n');
    }
}

bool suite_keep(const char *directory, const suite_summary *s, const suite_result *r) {
    FILE *text = create(directory, r->c->name, ".txt");
    keeping k = {create(directory, r->c->name, ".pcap"), create(directory, r->c->name, ".keys.log"), 0};
    bool good = text && k.capture && k.keys;
    const char *transcript = r->outcome.transcript ? r->outcome.transcript : "";
    if (good) {
        static const uint32_t header[] = {0xA1B2C3D4, 0x00040002, 0, 0, 65535, PCAP_RAW_IP};
        for (size_t i = 0; i < sizeof header / sizeof header[0]; i++)
            put32(k.capture, header[i]);
        fprintf(text, "# %s: %s\n", r->c->name, suite_verdict_name(r->outcome.verdict));
        suite_report_failure(text, s, r, "# ");
        fputs(transcript, text);
        keep_lines(&k, transcript);
    }
    FILE *const files[] = {text, k.capture, k.keys};
    for (size_t i = 0; i < 3; i++)
        if (files[i])
            good = fclose(files[i]) == 0 && good;
    return good;
}
