/* ibakelab: the decoder for reports: the messages of a capture go to a sink, decrypted with the key log of
 * the run. */
#include "cli/cli.h"
#include "cli/decode.h"
#include "reports/regular_file.h"

#include <string.h>

static bool wanted(void *user, const decode_origin *o, const char *name, ibk_span octets) {
    const page_sink *sink = user;
    page_frame frame = {.utc_ns = o->time_s * 1000000000u + o->time_ns,
                        .from = o->source,
                        .to = o->destination,
                        .call_id = o->call_id,
                        .cseq = o->cseq,
                        .name = name,
                        .octets = octets};
    return sink->wanted(sink->user, &frame);
}

static void found(void *user, ibk_span json) {
    const page_sink *sink = user;
    sink->found(sink->user, json);
}

static ibk_err refuse(ibk_diag *diag, const char *path, const char *why) {
    const char *name = strrchr(path, '/');
    return ibk_fail(diag, IBK_ERR_REFUSED, NULL, 0, "%.60s: %.56s", name ? name + 1 : path, why);
}

static ibk_err read_capture(decoder *d, const char *path, ibk_diag *diag) {
    uint8_t first[4];
    ibk_diag inner = {0};
    FILE *file = regular_file_open(path, NULL, &inner);
    if (!file)
        return refuse(diag, path, inner.detail);
    size_t got = fread(first, 1, sizeof first, file);
    ibk_err err;
    if (!decode_is_capture(ibk_span_of(first, got)))
        err = refuse(diag, path, "not a pcap or pcapng file");
    else if ((err = decode_pcap(d, path, file, ibk_span_of(first, got), &inner)) && err != IBK_ERR_NO_MEMORY)
        err = refuse(diag, path, inner.detail[0] ? inner.detail : ibk_err_text(err));
    fclose(file);
    return err;
}

static ibk_err load_keys(decode_keys **keys, const char *path, ibk_diag *diag) {
    ibk_diag inner = {0};
    FILE *file = regular_file_open(path, NULL, &inner);
    if (!file)
        return refuse(diag, path, inner.detail);
    fclose(file);
    return decode_keys_load(keys, path) == CLI_OK ? IBK_OK : refuse(diag, path, "see above");
}

ibk_err decode_for_page(void *user, const char *capture, const char *keylog, const page_sink *sink,
                        ibk_diag *diag) {
    (void)user;
    page_sink copy = *sink;
    decode_sink to = {.user = &copy, .wanted = wanted, .found = found};
    decoder d = {.json = true, .repeat = true, .sink = &to, .seen = decode_seen_new()};
    ibk_err err = d.seen ? IBK_OK : IBK_ERR_NO_MEMORY;
    err = err || !keylog ? err : load_keys(&d.keys, keylog, diag);
    if (!err)
        err = read_capture(&d, capture, diag);
    if (!err && d.failed)
        err = IBK_ERR_NO_MEMORY;
    decode_seen_free(d.seen);
    decode_keys_free(d.keys);
    return err;
}
