#include "ims/sip/env.h"

#include <arpa/inet.h>
#include <osipparser2/osip_parser.h>
#include <stdio.h>
#include <string.h>

static void silent(const char *file, int line, osip_trace_level_t level, const char *text, va_list args) {
    (void)file;
    (void)line;
    (void)level;
    (void)text;
    (void)args;
}

ibk_err sip_init(void) {
    osip_trace_initialize_func(END_TRACE_LEVEL, silent);
    return parser_init() == 0 ? IBK_OK : IBK_ERR_INTERNAL;
}

const char *sip_proto_name(sip_proto proto) {
    return proto == SIP_TCP ? "TCP" : proto == SIP_UDP ? "UDP" : "";
}

const char *sip_proto_param(sip_proto proto) {
    return proto == SIP_TCP ? "tcp" : proto == SIP_UDP ? "udp" : "";
}

bool sip_addr_parse(sip_addr *out, const char *ip, uint16_t port) {
    char text[SIP_TEXT_ADDR_MAX];
    *out = (sip_addr){.port = port};
    if (!ip)
        return false;
    size_t len = strlen(ip);
    bool bracketed = len > 2 && ip[0] == '[' && ip[len - 1] == ']';
    if (bracketed) {
        ip++;
        len -= 2;
    }
    if (len >= sizeof text)
        return false;
    memcpy(text, ip, len);
    text[len] = 0;
    if (inet_pton(AF_INET6, text, out->octets) == 1)
        out->family = 6;
    else if (!bracketed && inet_pton(AF_INET, text, out->octets) == 1)
        out->family = 4;
    return out->family != 0;
}

bool sip_addr_same_ip(const sip_addr *a, const sip_addr *b) {
    return a->family == b->family && memcmp(a->octets, b->octets, a->family == 6 ? 16 : 4) == 0;
}

bool sip_addr_equal(const sip_addr *a, const sip_addr *b) {
    return a->port == b->port && sip_addr_same_ip(a, b);
}

void sip_addr_ip(char out[SIP_TEXT_ADDR_MAX], const sip_addr *addr) {
    out[0] = 0;
    if (addr->family)
        inet_ntop(addr->family == 6 ? AF_INET6 : AF_INET, addr->octets, out, SIP_TEXT_ADDR_MAX);
}

void sip_addr_text(char out[SIP_TEXT_ADDR_MAX], const sip_addr *addr) {
    char ip[SIP_TEXT_ADDR_MAX];
    sip_addr_ip(ip, addr);
    snprintf(out, SIP_TEXT_ADDR_MAX, addr->family == 6 ? "[%.46s]:%u" : "%.46s:%u", ip, addr->port);
}
