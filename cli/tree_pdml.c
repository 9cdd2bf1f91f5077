/* ibakelab: trees of fields as PDML, the XML of tshark: one element `field` for each node. */
#include "cli/tree.h"

#include <inttypes.h>
#include <string.h>

/* "CS ID map type" as cs_id_map_type; what follows a comma does not belong to the name. */
static void put_name(xml_out *out, const char *name) {
    bool gap = false, any = false;
    for (; *name && *name != ','; name++) {
        char c = *name;
        bool upper = c >= 'A' && c <= 'Z', other = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!upper && !other) {
            gap = any;
            continue;
        }
        char text[3] = {'_', upper ? (char)(c | 0x20) : c, 0};
        xml_put(out, gap ? text : text + 1);
        gap = false;
        any = true;
    }
}

static uint64_t number_of(ibk_span octets) {
    uint64_t number = 0;
    for (size_t i = 0; i < octets.len && octets.len <= 8; i++)
        number = number << 8 | octets.data[i];
    return number;
}

/* show and value. A number that is a part of its octets has value for itself, unmaskedvalue for these. */
static void put_value(xml_out *out, const tree_node *node, ibk_span octets) {
    xml_put(out, "\" show=\"");
    if (node->hidden) {
        xml_put(out, "\"");
        return;
    }
    if (node->has_number)
        xml_putf(out, "%" PRIu64, node->number);
    else if (node->hex && node->text && strcmp(node->hex, node->text) == 0)
        xml_hex(out, octets, ":");
    else
        xml_text(out, ibk_span_str(node->text ? node->text : ""));
    ibk_span shown = node->inside.len ? ibk_buf_span(&node->inside) : octets;
    if (!shown.len || tree_hides(node)) {
        xml_put(out, "\"");
        return;
    }
    xml_put(out, "\" value=\"");
    if (node->has_number && node->number != number_of(octets)) {
        xml_putf(out, "%" PRIx64, node->number);
        xml_put(out, "\" unmaskedvalue=\"");
    }
    xml_hex(out, shown, "");
    xml_put(out, "\"");
}

/* `section`: the payload that a field belongs to; NULL where the node is a payload itself. */
static void put_node(xml_out *out, const tree_node *node, const char *protocol, const char *section,
                     ibk_span octets) {
    bool content = node->inside.len > 0; /* named without the payload that it is in, as payloads are */
    const char *below = section ? section : node->name;
    if (content)
        below = NULL;
    bool placed = node->has_place && node->offset <= octets.len && node->length <= octets.len - node->offset;
    ibk_span own = placed ? ibk_span_of(octets.data + node->offset, node->length) : (ibk_span){0};
    xml_put(out, "<field name=\"");
    xml_put(out, protocol);
    if (section && !content) {
        xml_put(out, ".");
        put_name(out, section);
    }
    xml_put(out, ".");
    put_name(out, node->name);
    xml_put(out, "\" showname=\"");
    xml_text(out, ibk_span_str(node->name));
    if (node->text) {
        xml_put(out, ": ");
        xml_text(out, ibk_span_str(node->text));
    }
    xml_putf(out, "\" size=\"%zu", content ? node->inside.len : own.len);
    xml_putf(out, "\" pos=\"%zu", placed ? node->offset : 0);
    put_value(out, node, own);
    xml_put(out, node->first ? ">\n" : "/>\n");
    for (const tree_node *child = node->first; child; child = child->next)
        put_node(out, child, protocol, below, content ? ibk_buf_span(&node->inside) : octets);
    if (node->first)
        xml_put(out, "</field>\n");
}

void tree_pdml(xml_out *out, const tree *t, const char *protocol, ibk_span octets) {
    if (t->failed)
        out->err = IBK_ERR_NO_MEMORY;
    for (const tree_node *node = t->root.first; node; node = node->next)
        put_node(out, node, protocol, NULL, octets);
}
