/* ibakelab: `decode --pdml`: packets as tshark writes them, with MIKEY as their protocol. Positions count
 * from the start of the MIKEY message, below decrypted content from the start of the plaintext: each is a
 * data source of its own, as what is decoded from base64 is in Wireshark. */
#include "cli/decode.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

static void flush(decoder *d, xml_out *out) {
    if (out->err)
        d->failed = true;
    else
        fwrite(out->buf.data, 1, out->buf.len, stdout);
    ibk_buf_free(&out->buf);
}

void decode_pdml_begin(void) {
    printf("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
           "<?xml-stylesheet type=\"text/xsl\" href=\"pdml2html.xsl\"?>\n"
           "<pdml version=\"0\" creator=\"ibakelab\">\n");
}

static void close_packet(decoder *d) {
    if (d->open_input)
        printf("</packet>\n\n");
    d->open_input = NULL;
}

void decode_pdml_end(decoder *d) {
    close_packet(d);
    printf("</pdml>\n");
}

/* ---- geninfo, and where the message was found -------------------------------------------------------------
 */

static void put_geninfo(xml_out *out, const char *name, const char *showname, uint64_t number, size_t size) {
    xml_putf(out,
             "<field name=\"%s\" pos=\"0\" show=\"%" PRIu64 "\" showname=\"%s\" value=\"%" PRIx64
             "\" size=\"%zu\"/>\n",
             name, number, showname, number, size);
}

static void put_time(xml_out *out, const decode_origin *o, size_t size) {
    char day[64] = "";
    time_t seconds = (time_t)o->time_s;
    struct tm utc;
    if (gmtime_r(&seconds, &utc))
        strftime(day, sizeof day, "%b %e, %Y %H:%M:%S", &utc);
    xml_putf(out,
             "<field name=\"timestamp\" pos=\"0\" show=\"%s.%09" PRIu32 " UTC\" showname=\"Captured Time\" "
             "value=\"%" PRIu64 ".%09" PRIu32 "\" size=\"%zu\"/>\n",
             day, o->time_ns, o->time_s, o->time_ns, size);
}

static void put_fact(xml_out *out, const char *name, const char *showname, ibk_span text) {
    if (!text.len)
        return;
    xml_putf(out, "<field name=\"ibakelab.%s\" showname=\"%s: ", name, showname);
    xml_text(out, text);
    xml_put(out, "\" size=\"0\" pos=\"0\" show=\"");
    xml_text(out, text);
    xml_put(out, "\"/>\n");
}

static void put_origin(xml_out *out, const decode_origin *o) {
    char line[24] = "", medium[24] = "";
    if (o->line) {
        snprintf(line, sizeof line, "%zu", o->line);
        snprintf(medium, sizeof medium, "%u", o->medium);
    }
    xml_put(out, "<proto name=\"ibakelab\" showname=\"Where the message was found\" size=\"0\" pos=\"0\">\n");
    put_fact(out, "input", "Input", ibk_span_str(o->input));
    put_fact(out, "kind", "Kind of input", ibk_span_str(o->kind));
    put_fact(out, "from", "From", ibk_span_str(o->source));
    put_fact(out, "to", "To", ibk_span_str(o->destination));
    put_fact(out, "transport", "Transport", ibk_span_str(o->transport ? o->transport : ""));
    put_fact(out, "start_line", "Start line", o->start_line);
    put_fact(out, "call_id", "Call-ID", o->call_id);
    put_fact(out, "cseq", "CSeq", o->cseq);
    put_fact(out, "sdp_line", "Line of the SDP", ibk_span_str(line));
    put_fact(out, "medium", "Medium, 0 the session", ibk_span_str(medium));
    xml_put(out, "</proto>\n");
}

/* Begins a packet unless that of the same frame is open. `octets`: of the message, where there is no frame.
 */
static void open_packet(decoder *d, xml_out *out, const decode_origin *o, size_t octets) {
    if (o->frame && d->open_input == o->input && d->open_frame == o->frame)
        return;
    close_packet(d);
    size_t len = o->frame ? o->frame_len : octets, captured = o->frame ? o->captured : octets;
    d->open_input = o->input;
    d->open_frame = o->frame;
    d->packets++;
    xml_putf(out,
             "<packet>\n<proto name=\"geninfo\" pos=\"0\" showname=\"General information\" size=\"%zu\">\n",
             captured);
    put_geninfo(out, "num", "Number", o->frame ? o->frame : d->packets, captured);
    put_geninfo(out, "len", "Frame Length", len, captured);
    put_geninfo(out, "caplen", "Captured Length", captured, captured);
    put_time(out, o, captured);
    xml_put(out, "</proto>\n");
}

/* ---- messages
 * ------------------------------------------------------------------------------------------------ */

void decode_pdml_message(decoder *d, const decode_origin *origin, const ibk_msg *msg, const tree *t) {
    xml_out out = {0};
    open_packet(d, &out, origin, msg->octets.len);
    put_origin(&out, origin);
    xml_putf(&out, "<proto name=\"%s\" showname=\"MIKEY-IBAKE: %s\" size=\"%zu\" pos=\"0\">\n",
             DECODE_PROTOCOL, ibk_msg_type_name(msg->hdr.data_type), msg->octets.len);
    tree_pdml(&out, t, DECODE_PROTOCOL, msg->octets);
    xml_put(&out, "</proto>\n");
    flush(d, &out);
}

void decode_pdml_malformed(decoder *d, const decode_origin *origin, ibk_err err, const ibk_diag *diag) {
    xml_out out = {0};
    open_packet(d, &out, origin, 0);
    put_origin(&out, origin);
    xml_put(&out, "<proto name=\"_ws.malformed\" showname=\"[Malformed Packet: MIKEY-IBAKE: ");
    xml_text(&out, ibk_span_str(diag->payload ? diag->payload : "message"));
    xml_put(&out, ": ");
    xml_text(&out, ibk_span_str(ibk_err_text(err)));
    xml_put(&out, diag->detail[0] ? " (" : "");
    xml_text(&out, ibk_span_str(diag->detail));
    xml_put(&out, diag->detail[0] ? ")]" : "]");
    xml_putf(&out, "\" size=\"0\" pos=\"%zu\"/>\n", diag->offset);
    flush(d, &out);
}
