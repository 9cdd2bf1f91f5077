/* ibakelab: one MIKEY message as a tree, on standard output. */
#include "cli/decode.h"

#include "cli/der.h"
#include "reports/words.h"
#include "trace/trace.h"
#include <inttypes.h>
#include <string.h>

typedef struct job {
    decoder *d;
    const ibk_msg *msg;
    decode_exchange *exchange;
    tree t;
    /* while fields of a payload come in */
    tree_node *node, *list; /* the payload; its last field of depth 0 */
    size_t base;            /* where the fields' offsets begin */
    bool inner;             /* in decrypted content */
    decode_mac mac;         /* what V came to */
    char mac_by[64];
} job;

/* ---- fields -------------------------------------------------------------------------------------- */

static bool text_is_octets(const ibk_field *f) {
    return f->text && strlen(f->text) == f->octets.len && memcmp(f->text, f->octets.data, f->octets.len) == 0;
}

static void add_field(void *user, const ibk_field *f) {
    job *j = user;
    tree_node *node = tree_add(&j->t, f->depth && j->list ? j->list : j->node, f->name);
    tree_place(node, j->base + f->offset, f->len);
    if (!f->depth)
        j->list = node;
    if (f->secret && j->inner && !j->d->secrets) {
        node->hidden = true;
        tree_text(&j->t, node, "(secret, shown with --secrets)");
        return;
    }
    if (f->has_number)
        tree_number(node, f->number);
    if (f->octets.len)
        tree_octets(&j->t, node, f->octets, text_is_octets(f));
    else if (f->text)
        tree_text(&j->t, node, "%s", f->text);
}

/* ---- encrypted content ----------------------------------------------------------------------------- */

static void describe_chain(job *j, tree_node *parent, uint8_t container, ibk_span plain) {
    ibk_chain inner = {0};
    ibk_diag diag = {0};
    ibk_err err = ibk_chain_parse(&inner, container, IBK_PL_IDR, plain, &diag);
    if (err) {
        tree_node *node = tree_add(&j->t, parent, "malformed");
        tree_text(&j->t, node, "%s, octet %zu of the content: %s (%s)",
                  diag.payload ? diag.payload : "content", diag.offset, ibk_err_text(err), diag.detail);
        node->hidden = container != IBK_PL_IBAKE && !j->d->secrets; /* nobody knows where its keys are */
        j->d->malformed++;
        return;
    }
    j->inner = true;
    for (size_t i = 0; i < inner.count; i++) {
        const ibk_payload *p = &inner.items[i];
        j->node = tree_add(&j->t, parent, ibk_payload_name(p->type));
        j->list = NULL;
        tree_place(j->node, p->offset, p->octets.len);
        ibk_describe_payload(p, add_field, j);
    }
    j->inner = false;
    ibk_chain_free(&inner);
}

static tree_node *add_content(job *j, tree_node *parent, ibk_span plain, const char *by) {
    tree_node *node = tree_add(&j->t, parent, "decrypted content");
    tree_text(&j->t, node, "%zu octets, by %s; offsets from its start", plain.len, by);
    tree_inside(&j->t, node, plain);
    return node;
}

static void undecrypted(job *j, tree_node *parent, const char *why) {
    tree_text(&j->t, tree_add(&j->t, parent, "not decrypted"), "%s", why);
    j->d->undecrypted++;
}

/* IBAKE and ESK: the DER of the ciphertext, then what it holds. */
static void describe_ibe(job *j, tree_node *parent, const ibk_payload *p) {
    ibk_ibe_ciphertext ct;
    ibk_diag diag = {0};
    size_t at = p->offset + (size_t)(p->enc.data.data - p->octets.data);
    tree_node *der = tree_add(&j->t, parent, "BFCiphertextBlock");
    tree_place(der, at, p->enc.data.len);
    ibk_err err = ibk_ibe_ciphertext_parse(&ct, p->enc.data, &diag);
    if (!err)
        err = der_tree(&j->t, der, p->enc.data, at, false, &diag);
    if (err) {
        tree_text(&j->t, der, "malformed, octet %zu: %s (%s)", at + diag.offset, ibk_err_text(err),
                  diag.detail);
        j->d->malformed++;
        return;
    }
    for (tree_node *field = parent->first; field != der; field = field->next)
        if (field->offset == at && field->length == p->enc.data.len) /* not the same octets twice */
            tree_text(&j->t, field, "BFCiphertextBlock, see below");
    if (!j->d->keys)
        return;
    ibk_buf plain = {0};
    ibk_span identity = {0};
    unsigned tried = 0;
    char text[320];
    err = decode_keys_ibe(j->d->keys, j->msg, p->enc.data, &plain, &identity, &tried);
    if (err) {
        snprintf(text, sizeof text, "none of the %u private keys tried fits", tried);
        undecrypted(j, parent, text);
    } else {
        snprintf(text, sizeof text, "the private key of %.*s", identity.len > 256 ? 256 : (int)identity.len,
                 (const char *)identity.data);
        describe_chain(j, add_content(j, parent, ibk_buf_span(&plain), text), p->type, ibk_buf_span(&plain));
    }
    ibk_buf_free(&plain);
}

static void describe_kemac(job *j, tree_node *parent, const ibk_payload *p) {
    ibk_buf plain = {0};
    char by[64];
    if (!j->d->keys || !p->kemac.data.len)
        return;
    if (decode_keys_kemac(j->d->keys, j->msg, &p->kemac, j->exchange, &plain, by))
        undecrypted(j, parent,
                    j->exchange && !j->exchange->rand.len ? "the RAND of its request is not known"
                                                          : "no PSK of the key log fits");
    else
        describe_chain(j, add_content(j, parent, ibk_buf_span(&plain), by), IBK_PL_KEMAC,
                       ibk_buf_span(&plain));
    ibk_buf_free(&plain);
}

static void describe_v(job *j, tree_node *parent) {
    static const char *const words[] = {"not checked: no key", "none (NULL)", "valid", "WRONG"};
    if (!j->d->keys)
        return;
    tree_node *node = tree_add(&j->t, parent, "verification");
    tree_text(&j->t, node, j->mac_by[0] ? "%s (%s)" : "%s%s", words[j->mac], j->mac_by);
    j->d->macs_valid += j->mac == DECODE_MAC_VALID;
    j->d->macs_wrong += j->mac == DECODE_MAC_WRONG;
}

/* ---- the message -------------------------------------------------------------------------------------- */

static void describe_message(job *j) {
    const ibk_msg *msg = j->msg;
    j->node = tree_add(&j->t, NULL, "HDR");
    ibk_describe_hdr(msg, add_field, j);
    size_t end = msg->chain.count ? msg->chain.items[0].offset : msg->octets.len;
    tree_place(j->node, 0, end);
    if (j->d->keys) /* V first: it finds the PSK with which a KEMAC before it is decrypted */
        j->mac = decode_keys_check_v(j->d->keys, msg, j->exchange, j->mac_by);
    for (size_t i = 0; i < msg->chain.count; i++) {
        const ibk_payload *p = &msg->chain.items[i];
        tree_node *node = j->node = tree_add(&j->t, NULL, ibk_payload_name(p->type));
        j->list = NULL;
        tree_place(node, p->offset, p->octets.len);
        ibk_describe_payload(p, add_field, j);
        if (p->type == IBK_PL_IBAKE || p->type == IBK_PL_ESK)
            describe_ibe(j, node, p);
        else if (p->type == IBK_PL_KEMAC)
            describe_kemac(j, node, p);
        else if (p->type == IBK_PL_V)
            describe_v(j, node);
    }
}

/* ---- where it was found -----------------------------------------------------------------------------------
 */

static void print_clean(const char *before, ibk_span text) {
    if (!text.len)
        return;
    fputs(before, stdout);
    words_show(stdout, (const char *)text.data, text.len, "");
}

static void print_origin(const decode_origin *o) {
    if (o->frame)
        printf("frame %" PRIu64 "  %" PRIu64 ".%09" PRIu32 " s  %s > %s  %s\n", o->frame, o->time_s,
               o->time_ns, o->source, o->destination, o->transport ? o->transport : "");
    else
        print_clean("", ibk_span_str(o->input)), putchar('\n');
    print_clean("  ", o->start_line);
    print_clean("  Call-ID: ", o->call_id);
    print_clean("  CSeq: ", o->cseq);
    if (o->start_line.len)
        putchar('\n');
    if (o->line && o->medium)
        printf("  key-mgmt of medium %u, line %zu of the SDP\n", o->medium, o->line);
    else if (o->line)
        printf("  key-mgmt of the session, line %zu of the SDP\n", o->line);
}

/* JSON text in a buffer whose first failure sticks. */
typedef struct json_out {
    ibk_buf buf;
    ibk_err err;
} json_out;

static void put(json_out *out, const char *text) {
    if (!out->err)
        out->err = ibk_buf_append(&out->buf, text, strlen(text));
}

static void put_text(json_out *out, const char *member, ibk_span text) {
    if (!text.len)
        return;
    put(out, member);
    if (!out->err)
        out->err = trace_json_string(&out->buf, text);
}

static void put_count(json_out *out, const char *member, uint64_t number) {
    char text[32];
    snprintf(text, sizeof text, "%" PRIu64, number);
    put(out, member);
    put(out, text);
}

static void put_origin(json_out *out, const decode_origin *o) {
    char time[48];
    put_text(out, "{\"input\":", ibk_span_str(o->input));
    put_text(out, ",\"kind\":", ibk_span_str(o->kind));
    if (o->frame) {
        put_count(out, ",\"frame\":", o->frame);
        snprintf(time, sizeof time, "%" PRIu64 ".%09" PRIu32, o->time_s, o->time_ns);
        put_text(out, ",\"time\":", ibk_span_str(time));
        put_text(out, ",\"from\":", ibk_span_str(o->source));
        put_text(out, ",\"to\":", ibk_span_str(o->destination));
        put_text(out, ",\"transport\":", ibk_span_str(o->transport ? o->transport : ""));
    }
    put_text(out, ",\"start_line\":", o->start_line);
    put_text(out, ",\"call_id\":", o->call_id);
    put_text(out, ",\"cseq\":", o->cseq);
    if (o->line) {
        put_count(out, ",\"line\":", o->line);
        put_count(out, ",\"medium\":", o->medium);
    }
    put(out, "}");
}

/* ---- output
 * -------------------------------------------------------------------------------------------------- */

static void json_begin(json_out *out, const decode_origin *origin) {
    put(out, "{\"origin\":");
    put_origin(out, origin);
}

static void json_end(decoder *d, json_out *out) {
    put(out, "}");
    if (out->err) {
        d->failed = true;
    } else if (d->sink) {
        d->sink->found(d->sink->user, ibk_buf_span(&out->buf));
    } else {
        fputs(d->messages > 1 ? ",\n" : "\n", stdout);
        fwrite(out->buf.data, 1, out->buf.len, stdout);
    }
    ibk_buf_free(&out->buf);
}

static void show_error(decoder *d, const decode_origin *origin, ibk_err err, const ibk_diag *diag) {
    json_out out = {0};
    json_begin(&out, origin);
    put_text(&out, ",\"error\":{\"name\":", ibk_span_str(ibk_err_name(err)));
    put_text(&out, ",\"text\":", ibk_span_str(ibk_err_text(err)));
    put_text(&out, ",\"payload\":", ibk_span_str(diag->payload ? diag->payload : ""));
    put_count(&out, ",\"offset\":", diag->offset);
    put_text(&out, ",\"detail\":", ibk_span_str(diag->detail));
    put(&out, "}");
    json_end(d, &out);
}

void decode_malformed(decoder *d, const decode_origin *origin, ibk_err err, const ibk_diag *diag) {
    d->messages++;
    d->malformed++;
    if (d->sink)
        return; /* no octets to give it */
    if (d->pdml) {
        decode_pdml_malformed(d, origin, err, diag);
        return;
    }
    if (d->json) {
        show_error(d, origin, err, diag);
        return;
    }
    print_origin(origin);
    printf("  malformed: %s, octet %zu: %s%s", diag->payload ? diag->payload : "message", diag->offset,
           ibk_err_text(err), diag->detail[0] ? " (" : "");
    print_clean("", ibk_span_str(diag->detail));
    printf("%s\n\n", diag->detail[0] ? ")" : "");
}

static void show(decoder *d, const decode_origin *origin, const job *j, uint64_t same_as) {
    const char *name = ibk_msg_type_name(j->msg->hdr.data_type);
    if (d->pdml) {
        decode_pdml_message(d, origin, j->msg, &j->t);
        return;
    }
    if (d->json) {
        json_out out = {0};
        json_begin(&out, origin);
        put_text(&out, ",\"message\":", ibk_span_str(name));
        put_count(&out, ",\"octets\":", j->msg->octets.len);
        if (same_as && !d->sink) /* a sink counts for itself */
            put_count(&out, ",\"same_as\":", same_as);
        if (!same_as || d->repeat) {
            put(&out, ",\"fields\":");
            if (!out.err)
                out.err = tree_json(&out.buf, &j->t, d->sink ? INT64_MAX : UINT64_MAX);
        }
        json_end(d, &out);
        return;
    }
    print_origin(origin);
    printf("%s, %zu octets (message %" PRIu64 ")", name, j->msg->octets.len, d->messages);
    if (same_as && !d->repeat) {
        printf(": the same as message %" PRIu64 "\n\n", same_as);
        return;
    }
    printf("\noffset length field\n");
    tree_print(stdout, &j->t, 0, 110);
    putchar('\n');
}

/* Whether the sink, if there is one, wants to see a message. */
static bool is_wanted(const decoder *d, const decode_origin *origin, const char *name, ibk_span octets) {
    return !d->sink || d->sink->wanted(d->sink->user, origin, name, octets);
}

void decode_message(decoder *d, const decode_origin *origin, ibk_span octets) {
    ibk_msg msg = {0};
    ibk_diag diag = {0};
    ibk_err err = ibk_msg_parse(&msg, octets, &diag);
    if (err) {
        if (d->sink && is_wanted(d, origin, NULL, octets))
            show_error(d, origin, err, &diag);
        decode_malformed(d, origin, err, &diag);
        return;
    }
    d->messages++;
    uint64_t same_as = decode_seen_message(d->seen, octets, d->messages);
    job j = {.d = d, .msg = &msg, .exchange = decode_seen_exchange(d->seen, &msg)};
    d->repeated += same_as != 0;
    if (is_wanted(d, origin, ibk_msg_type_name(msg.hdr.data_type), octets)) {
        if (!same_as || d->repeat)
            describe_message(&j);
        if (j.t.failed)
            d->failed = true;
        show(d, origin, &j, same_as);
    }
    tree_free(&j.t);
    ibk_msg_free(&msg);
}

void decode_begin(decoder *d) {
    if (d->pdml)
        decode_pdml_begin();
    if (d->json)
        printf("{\"schema\":\"ibakelab-decode/1\",\"messages\":[");
}

void decode_end(decoder *d) {
    const struct {
        const char *key, *text;
        uint64_t count;
    } counts[] = {{"messages", "messages", d->messages},
                  {"repeated", "seen before", d->repeated},
                  {"malformed", "malformed", d->malformed},
                  {"macs_valid", "MACs valid", d->macs_valid},
                  {"macs_wrong", "MACs wrong", d->macs_wrong},
                  {"undecrypted", "payloads not decrypted", d->undecrypted}};
    if (d->pdml) {
        decode_pdml_end(d);
        return;
    }
    if (d->json)
        printf("\n],\"summary\":{");
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        if (d->json)
            printf("%s\"%s\":%" PRIu64, i ? "," : "", counts[i].key, counts[i].count);
        else if (i == 0 || counts[i].count)
            printf("%s%" PRIu64 " %s", i ? ", " : "", counts[i].count, counts[i].text);
    printf(d->json ? "}}\n" : "\n");
}
