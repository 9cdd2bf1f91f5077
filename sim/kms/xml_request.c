#include "kms/xml_request.h"

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMESPACE "urn:ietf:params:xml:ns:ibe"

static const struct {
    ibe_code code;
    const char *value, *name;
} codes[] = {{IBE_KEY_FOLLOWS, "IBE100", "KEY_FOLLOWS"},
             {IBE_RESERVED, "IBE101", "RESERVED"},
             {IBE_FOLLOW_ENROLL_URI, "IBE201", "FOLLOW_ENROLL_URI"},
             {IBE_SYSTEM_ERROR, "IBE300", "SYSTEM_ERROR"},
             {IBE_INVALID_REQUEST, "IBE301", "INVALID_REQUEST"},
             {IBE_CLIENT_OBSOLETE, "IBE303", "CLIENT_OBSOLETE"},
             {IBE_AUTHORIZATION_DENIED, "IBE304", "AUTHORIZATION_DENIED"}};
enum { CODES = sizeof codes / sizeof codes[0] };

const char *ibe_code_name(ibe_code code) {
    for (size_t i = 0; i < CODES; i++)
        if (codes[i].code == code)
            return codes[i].name;
    return "UNKNOWN";
}

void ibe_request_free(ibe_request *request) {
    ibk_buf_free(&request->algorithm);
    ibk_buf_free(&request->identity);
}

void ibe_response_free(ibe_response *response) {
    ibk_buf_free(&response->key);
}

/* ---- writing
 * ------------------------------------------------------------------------------------------------ */

static ibk_err put(ibk_buf *out, const char *text) {
    return ibk_buf_append(out, text, strlen(text));
}

static ibk_err put_base64(ibk_buf *out, const char *element, ibk_span octets) {
    char tag[64];
    snprintf(tag, sizeof tag, "<ibe:%s>\r\n", element);
    ibk_err err = put(out, tag);
    err = err ? err : ibk_mime_base64_write(out, octets);
    snprintf(tag, sizeof tag, "</ibe:%s>\r\n", element);
    return err ? err : put(out, tag);
}

ibk_err ibe_request_write(ibk_buf *out, ibk_span algorithm, ibk_span identity) {
    ibk_err err =
        put(out, "<?xml version=\"1.0\" encoding=\"US-ASCII\"?>\r\n"
                 "<ibe:request xmlns:ibe=\"" NAMESPACE "\">\r\n"
                 "<ibe:header>\r\n<ibe:client version=\"" IBE_CLIENT_NAME "\"/>\r\n</ibe:header>\r\n"
                 "<ibe:body>\r\n<ibe:keyRequest>\r\n");
    err = err ? err : put_base64(out, "algorithm", algorithm);
    err = err ? err : put_base64(out, "id", identity);
    return err ? err : put(out, "</ibe:keyRequest>\r\n</ibe:body>\r\n</ibe:request>\r\n");
}

ibk_err ibe_response_write(ibk_buf *out, ibe_code code, ibk_span key, const char *text) {
    char head[256];
    snprintf(head, sizeof head,
             "<?xml version=\"1.0\" encoding=\"US-ASCII\"?>\r\n"
             "<ibe:response xmlns:ibe=\"" NAMESPACE "\">\r\n"
             "<ibe:responseType value=\"IBE%d\"/>\r\n<ibe:body>\r\n",
             (int)code);
    ibk_err err = put(out, head);
    if (!err && code == IBE_KEY_FOLLOWS)
        err = put_base64(out, "privateKey", key);
    else if (!err)
        err = put(out, text);
    return err ? err : put(out, "</ibe:body>\r\n</ibe:response>\r\n");
}

/* ---- reading: the document
 * ---------------------------------------------------------------------------------- */

/* The input up to a faulty octet in lines, from 1. */
static unsigned line_of(ibk_span xml, size_t at) {
    unsigned line = 1;
    for (size_t i = 0; i < at; i++)
        line += xml.data[i] == '\n';
    return line;
}

/* What no parser should see: it is found in the octets, before libxml2 gets them. */
static ibk_err check_octets(ibk_span xml, ibk_diag *diag) {
    static const char doctype[] = "<!DOCTYPE";
    if (xml.len == 0 || xml.len > IBE_XML_MAX)
        return ibk_fail(diag, IBK_ERR_LIMIT, "XML", 0, "a document of %zu octets", xml.len);
    for (size_t i = 0; i < xml.len; i++) {
        uint8_t c = xml.data[i];
        if (c > 0x7e || (c < 0x20 && c != '\t' && c != '\n' && c != '\r'))
            return ibk_fail(diag, IBK_ERR_BAD_TEXT, "XML", i, "line %u: not US-ASCII text", line_of(xml, i));
        if (c == '<' && xml.len - i >= sizeof doctype - 1 &&
            memcmp(xml.data + i, doctype, sizeof doctype - 1) == 0)
            return ibk_fail(diag, IBK_ERR_BAD_TEXT, "XML", i, "line %u: a DTD is not accepted",
                            line_of(xml, i));
    }
    return IBK_OK;
}

/* Private keys pass through libxml2, which does not wipe: what it frees is wiped for it. */
static void free_wiped(void *memory) {
    if (memory)
        ibk_wipe(memory, malloc_usable_size(memory));
    free(memory);
}

static void *realloc_wiped(void *memory, size_t size) {
    size_t had = memory ? malloc_usable_size(memory) : 0;
    void *moved = malloc(size);
    if (moved && memory)
        memcpy(moved, memory, had < size ? had : size);
    if (moved)
        free_wiped(memory);
    return moved;
}

/* Before libxml2's first allocation; nobody else here uses it. */
static void prepare_library(void) {
    static bool done;
    if (!done)
        xmlMemSetup(free_wiped, malloc, realloc_wiped, strdup);
    done = true;
    xmlInitParser();
}

/* The encoding is given, so that none that the document declares can hide a DTD from check_octets. */
static ibk_err parse(xmlDoc **out, ibk_span xml, ibk_diag *diag) {
    prepare_library();
    ibk_err err = check_octets(xml, diag);
    xmlParserCtxt *context = err ? NULL : xmlNewParserCtxt();
    *out = NULL;
    if (err)
        return err;
    if (!context)
        return IBK_ERR_NO_MEMORY;
    *out = xmlCtxtReadMemory(context, (const char *)xml.data, (int)xml.len, NULL, "US-ASCII",
                             XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOCDATA);
    if (!*out || !context->wellFormed || !context->nsWellFormed || (*out)->intSubset) {
        const xmlError *error = xmlCtxtGetLastError(context);
        const char *message = error && error->message ? error->message : "not well-formed";
        err = ibk_fail(diag, IBK_ERR_BAD_TEXT, "XML", 0, "line %d: %.*s", error ? error->line : 1,
                       (int)strcspn(message, "\n"), message);
        xmlFreeDoc(*out);
        *out = NULL;
    }
    xmlFreeParserCtxt(context);
    return err;
}

static ibk_err wrong(const xmlNode *node, ibk_diag *diag, const char *what) {
    return ibk_fail(diag, IBK_ERR_BAD_VALUE, "XML", 0, "line %ld: %s", node ? xmlGetLineNo(node) : 1, what);
}

static bool is_ours(const xmlNode *node, const char *name) {
    return node->type == XML_ELEMENT_NODE && node->ns &&
           strcmp((const char *)node->ns->href, NAMESPACE) == 0 &&
           strcmp((const char *)node->name, name) == 0;
}

static bool is_blank(const xmlNode *node) {
    if (node->type == XML_COMMENT_NODE)
        return true;
    if (node->type != XML_TEXT_NODE)
        return false;
    return node->content[strspn((const char *)node->content, " \t\r\n")] == 0;
}

/* One of the elements that may stand inside another. */
typedef struct child {
    const char *name;
    const xmlNode *found; /* NULL: it is not there */
} child;

/* Finds the children; each may be there once. What else is there is refused, unless it is an element and
 * `others` is true. */
static ibk_err find_children(const xmlNode *parent, child *children, size_t n, bool others, ibk_diag *diag) {
    for (const xmlNode *node = parent->children; node; node = node->next) {
        child *match = NULL;
        for (size_t i = 0; i < n && !match; i++)
            if (is_ours(node, children[i].name))
                match = &children[i];
        if (match && match->found)
            return wrong(node, diag, "this element was there before");
        if (match)
            match->found = node;
        else if (!is_blank(node) && !(others && node->type == XML_ELEMENT_NODE))
            return wrong(node, diag, "something that is not RFC 5408's");
    }
    return IBK_OK;
}

/* The octets that an element's text is the base64 of. */
static ibk_err read_base64(ibk_buf *out, const xmlNode *element, ibk_diag *diag) {
    ibk_buf text = {0};
    ibk_err err = IBK_OK;
    if (!element)
        return ibk_fail(diag, IBK_ERR_BAD_TEXT, "XML", 0, "an element with base64 is missing");
    for (const xmlNode *node = element->children; node && !err; node = node->next) {
        if (node->type == XML_TEXT_NODE)
            err = put(&text, (const char *)node->content);
        else if (node->type != XML_COMMENT_NODE)
            err = wrong(node, diag, "base64 was expected here");
    }
    if (!err && (ibk_mime_base64_read(out, ibk_buf_span(&text), NULL) || out->len == 0))
        err = ibk_fail(diag, IBK_ERR_BAD_TEXT, "XML", 0, "line %ld: <ibe:%s> is no base64",
                       xmlGetLineNo(element), (const char *)element->name);
    ibk_buf_free(&text);
    return err;
}

/* An attribute's value; false: it is not there, or longer than `size` with its terminator. */
static bool read_attribute(char *out, size_t size, const xmlNode *element, const char *name) {
    xmlChar *value = xmlGetNoNsProp(element, (const xmlChar *)name);
    bool ok = value && strlen((const char *)value) < size;
    if (ok)
        snprintf(out, size, "%s", (const char *)value);
    xmlFree(value);
    return ok;
}

/* ---- reading: the request (§5.3)
 * ---------------------------------------------------------------------------- */

static ibk_err read_header(ibe_request *out, const xmlNode *header, ibk_diag *diag) {
    child client = {"client", NULL};
    ibk_err err = find_children(header, &client, 1, false, diag);
    if (!err && client.found && !read_attribute(out->client, sizeof out->client, client.found, "version"))
        err = wrong(client.found, diag, "<ibe:client> without a version, or with too long a one");
    return err;
}

static ibk_err read_key_request(ibe_request *out, const xmlNode *key_request, ibk_diag *diag) {
    child children[] = {{"algorithm", NULL}, {"oid", NULL}, {"id", NULL}};
    ibk_err err = find_children(key_request, children, 3, false, diag);
    if (err)
        return err;
    const xmlNode *algorithm = children[0].found ? children[0].found : children[1].found;
    if (!algorithm || (children[0].found && children[1].found))
        return wrong(key_request, diag, "one <ibe:algorithm> was expected");
    if (!children[2].found)
        return wrong(key_request, diag, "<ibe:id> is missing");
    err = read_base64(&out->algorithm, algorithm, diag);
    return err ? err : read_base64(&out->identity, children[2].found, diag);
}

static ibk_err read_request(ibe_request *out, const xmlDoc *doc, ibk_diag *diag) {
    const xmlNode *root = xmlDocGetRootElement(doc);
    child parts[] = {{"header", NULL}, {"body", NULL}}, key_request = {"keyRequest", NULL};
    if (!root || !is_ours(root, "request"))
        return wrong(root, diag, "not <ibe:request>");
    ibk_err err = find_children(root, parts, 2, false, diag);
    if (!err && parts[0].found)
        err = read_header(out, parts[0].found, diag);
    if (!err && !parts[1].found)
        err = wrong(root, diag, "<ibe:body> is missing");
    if (!err)
        err = find_children(parts[1].found, &key_request, 1, true, diag);
    if (!err && !key_request.found)
        err = wrong(parts[1].found, diag, "<ibe:keyRequest> is missing");
    return err ? err : read_key_request(out, key_request.found, diag);
}

ibk_err ibe_request_read(ibe_request *out, ibk_span xml, ibk_diag *diag) {
    xmlDoc *doc;
    *out = (ibe_request){0};
    ibk_err err = parse(&doc, xml, diag);
    if (!err)
        err = read_request(out, doc, diag);
    xmlFreeDoc(doc);
    return err;
}

/* ---- reading: the response (§5.6)
 * --------------------------------------------------------------------------- */

static ibk_err read_code(ibe_code *out, const xmlNode *type, ibk_diag *diag) {
    char value[16];
    if (!read_attribute(value, sizeof value, type, "value"))
        return wrong(type, diag, "<ibe:responseType> without a value");
    for (size_t i = 0; i < CODES; i++)
        if (strcmp(value, codes[i].value) == 0) {
            *out = codes[i].code;
            return IBK_OK;
        }
    return wrong(type, diag, "an unknown responseType");
}

static ibk_err read_response(ibe_response *out, const xmlDoc *doc, ibk_diag *diag) {
    const xmlNode *root = xmlDocGetRootElement(doc);
    child parts[] = {{"responseType", NULL}, {"body", NULL}}, key = {"privateKey", NULL};
    if (!root || !is_ours(root, "response"))
        return wrong(root, diag, "not <ibe:response>");
    ibk_err err = find_children(root, parts, 2, false, diag);
    if (!err && !parts[0].found)
        err = wrong(root, diag, "<ibe:responseType> is missing");
    if (!err)
        err = read_code(&out->code, parts[0].found, diag);
    if (err || out->code != IBE_KEY_FOLLOWS)
        return err;
    if (!parts[1].found)
        return wrong(root, diag, "<ibe:body> is missing");
    err = find_children(parts[1].found, &key, 1, false, diag);
    if (!err && !key.found)
        err = wrong(parts[1].found, diag, "<ibe:privateKey> is missing");
    return err ? err : read_base64(&out->key, key.found, diag);
}

ibk_err ibe_response_read(ibe_response *out, ibk_span xml, ibk_diag *diag) {
    xmlDoc *doc;
    *out = (ibe_response){0};
    ibk_err err = parse(&doc, xml, diag);
    if (!err)
        err = read_response(out, doc, diag);
    xmlFreeDoc(doc);
    return err;
}
