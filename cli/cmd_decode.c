/* ibakelab: `ibakelab decode`: options, and what kind of input this is. */
#include "cli/cli.h"
#include "cli/decode.h"

#include <errno.h>
#include <getopt.h>
#include <string.h>
#include <unistd.h>

static const char help_text[] =
    "Usage: ibakelab decode [OPTIONS] [INPUT…]\n"
    "\n"
    "Shows every MIKEY message of the inputs as a tree with octet offsets. An INPUT is a file; '-', or none\n"
    "at all, is standard input. What it holds is found out, or said by --from:\n"
    "  hex     hex digits, blanks and colons between octets allowed\n"
    "  base64  base64, line ends allowed\n"
    "  mikey   the octets of a message\n"
    "  sdp     an SDP body, or any text with a=key-mgmt:mikey lines\n"
    "  sip     a SIP or HTTP message\n"
    "  pcap    a capture, pcap or pcapng: SIP over UDP and TCP, HTTP with application/mikey; fragments and\n"
    "          streams are put together\n"
    "\n"
    "  --keylog F   decrypts IBAKE, ESK and KEMAC and checks V with the keys of a key log (keys.log of a "
    "run)\n"
    "  --json       the same as JSON (docs/decode.md)\n"
    "  --pdml       the same as PDML, the XML that `tshark -T pdml` writes, every message in full\n"
    "  --secrets    shows the key material inside decrypted content too\n"
    "  --repeat     shows a message in full again where it passes another hop or is sent again\n"
    "\n"
    "Examples:\n"
    "  ibakelab decode --keylog out/keys.log out/capture/all.pcap\n"
    "  ibakelab decode --json --secrets --keylog out/keys.log out/capture/all.pcap >contents.json   for "
    "Wireshark\n"
    "  (docs/wireshark.md)\n"
    "\n"
    "Exit status: 0 all well; 1 a V was checked and is wrong; 2 wrong usage, an unreadable input, no MIKEY\n"
    "message in it, or a malformed message (in a capture the following ones are still shown); 3 internal.\n";

static const char *const from_names[] = {"auto", "hex", "base64", "sdp", "sip", "pcap", "mikey"};

/* ---- kinds of input --------------------------------------------------------------------------------- */

static bool only(ibk_span text, const char *others) {
    size_t digits = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        bool hex = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
        digits += hex;
        if (!hex && !(c && strchr(others, c)))
            return false;
    }
    return digits > 0;
}

static bool has_line(ibk_span text, const char *start) {
    size_t len = strlen(start);
    for (size_t i = 0; i + len <= text.len; i++)
        if ((i == 0 || text.data[i - 1] == '\n') && memcmp(text.data + i, start, len) == 0)
            return true;
    return false;
}

static decode_from guess(ibk_span in) {
    decode_head head;
    if (decode_head_parse(&head, in) != DECODE_OTHER && (head.is_sip || head.is_http))
        return DECODE_SIP;
    if (has_line(in, "v=0") || has_line(in, "a=key-mgmt:"))
        return DECODE_SDP;
    if (only(in, " \t\r\n:"))
        return DECODE_HEX;
    if (only(in, " \t\r\n+/=ghijklmnopqrstuvwxyzGHIJKLMNOPQRSTUVWXYZ"))
        return DECODE_BASE64;
    return DECODE_MIKEY;
}

static void decode_encoded(decoder *d, const decode_origin *origin, decode_from from, ibk_span in) {
    ibk_buf message = {0};
    ibk_diag diag = {0};
    ibk_err err =
        from == DECODE_HEX ? decode_hex(&message, in, &diag) : decode_base64_text(&message, in, &diag);
    if (err)
        decode_malformed(d, origin, err, &diag);
    else
        decode_message(d, origin, ibk_buf_span(&message));
    ibk_buf_free(&message);
}

static int decode_octets(decoder *d, const char *name, decode_from from, ibk_span in) {
    if (from == DECODE_AUTO)
        from = guess(in);
    decode_origin origin = {.input = name, .kind = from_names[from]};
    uint64_t before = d->messages;
    switch (from) {
    case DECODE_HEX:
    case DECODE_BASE64:
        decode_encoded(d, &origin, from, in);
        break;
    case DECODE_SDP:
        decode_sdp(d, &origin, in);
        break;
    case DECODE_SIP:
        if (!decode_datagram(d, &origin, in))
            return cli_error(DECODE_COMMAND, "%s: neither a SIP nor an HTTP message", name);
        break;
    case DECODE_PCAP:
        return cli_error(DECODE_COMMAND, "%s: not a pcap or pcapng file", name);
    default:
        decode_message(d, &origin, in);
    }
    return d->messages > before ? CLI_OK : cli_error(DECODE_COMMAND, "%s: no MIKEY message in it", name);
}

/* ---- inputs ------------------------------------------------------------------------------------------- */

static int decode_capture(decoder *d, const char *name, FILE *file, ibk_span first) {
    ibk_diag diag = {0};
    uint64_t before = d->messages;
    ibk_err err = decode_pcap(d, name, file, first, &diag);
    if (err)
        return cli_fail(DECODE_COMMAND, name, err, &diag);
    return d->messages > before ? CLI_OK : cli_error(DECODE_COMMAND, "%s: no MIKEY message in it", name);
}

static int decode_whole(decoder *d, const char *name, FILE *file, decode_from from, ibk_span first) {
    ibk_buf in = {0};
    uint8_t part[8192];
    size_t got;
    ibk_err err = ibk_buf_append_span(&in, first);
    while (!err && (got = fread(part, 1, sizeof part, file)) > 0)
        err = ibk_buf_append(&in, part, got);
    int status;
    if (err)
        status = cli_fail(DECODE_COMMAND, name, err, NULL);
    else if (ferror(file))
        status = cli_error(DECODE_COMMAND, "%s: %s", name, strerror(errno));
    else
        status = decode_octets(d, name, from, ibk_buf_span(&in));
    ibk_buf_free(&in);
    return status;
}

static int decode_input(decoder *d, const char *name, decode_from from) {
    bool standard = strcmp(name, "-") == 0;
    FILE *file = standard ? stdin : fopen(name, "rb");
    if (!file)
        return cli_error(DECODE_COMMAND, "%s: %s", name, strerror(errno));
    uint8_t head[4];
    ibk_span first = ibk_span_of(head, fread(head, 1, sizeof head, file));
    bool capture = decode_is_capture(first) && (from == DECODE_AUTO || from == DECODE_PCAP);
    int status = capture ? decode_capture(d, standard ? "standard input" : name, file, first)
                         : decode_whole(d, standard ? "standard input" : name, file, from, first);
    if (!standard)
        fclose(file);
    return status;
}

static int decode_inputs(decoder *d, char **names, int count, decode_from from) {
    static char dash[] = "-";
    char *standard_input[] = {dash};
    int status = CLI_OK;
    if (count == 0) {
        if (isatty(STDIN_FILENO))
            fprintf(stderr, "reading standard input; --help tells about inputs\n");
        names = standard_input;
        count = 1;
    }
    decode_begin(d);
    for (int i = 0; i < count; i++) {
        int one = decode_input(d, names[i], from);
        status = one > status ? one : status;
    }
    decode_end(d);
    if (d->macs_wrong && status < CLI_FAILED)
        status = CLI_FAILED;
    if (d->malformed && status < CLI_BAD)
        status = CLI_BAD;
    if (d->failed)
        status = cli_fail(DECODE_COMMAND, "decoding", IBK_ERR_NO_MEMORY, NULL);
    return cli_finish(DECODE_COMMAND, status);
}

/* ---- options --------------------------------------------------------------------------------------------
 */

static int parse_from(const char *text, decode_from *from) {
    for (int i = DECODE_HEX; i <= DECODE_MIKEY; i++)
        if (strcmp(text, from_names[i]) == 0) {
            *from = (decode_from)i;
            return CLI_OK;
        }
    const char *nearest = cli_nearest(text, from_names + 1, DECODE_MIKEY);
    return cli_usage(DECODE_COMMAND,
                     nearest ? "--from '%s' is not known: did you mean '%s'?" : "--from '%s' is not known%s",
                     text, nearest ? nearest : "");
}

int cmd_decode_main(int argc, char **argv) {
    static const struct option options[] = {
        {"json", no_argument, NULL, 'j'},         {"pdml", no_argument, NULL, 'p'},
        {"keylog", required_argument, NULL, 'k'}, {"from", required_argument, NULL, 'f'},
        {"secrets", no_argument, NULL, 's'},      {"repeat", no_argument, NULL, 'r'},
        {"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0}};
    decoder d = {0};
    decode_from from = DECODE_AUTO;
    const char *keylog = NULL;
    for (int c; (c = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        switch (c) {
        case 'j':
            d.json = true;
            break;
        case 'p':
            d.pdml = d.repeat = true;
            break;
        case 'k':
            keylog = optarg;
            break;
        case 'f':
            if (parse_from(optarg, &from) != CLI_OK)
                return CLI_BAD;
            break;
        case 's':
            d.secrets = true;
            break;
        case 'r':
            d.repeat = true;
            break;
        case 'h':
            fputs(help_text, stdout);
            return cli_finish(DECODE_COMMAND, CLI_OK);
        default:
            return cli_usage(DECODE_COMMAND, "see above");
        }
    }
    if (d.json && d.pdml)
        return cli_usage(DECODE_COMMAND, "--json and --pdml: choose one");
    int status = keylog ? decode_keys_load(&d.keys, keylog) : CLI_OK;
    if (status == CLI_OK && !(d.seen = decode_seen_new()))
        status = cli_fail(DECODE_COMMAND, "starting", IBK_ERR_NO_MEMORY, NULL);
    if (status == CLI_OK)
        status = decode_inputs(&d, argv + optind, argc - optind, from);
    decode_seen_free(d.seen);
    decode_keys_free(d.keys);
    return status;
}
