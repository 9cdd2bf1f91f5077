/* ibakelab ladder: the ladder diagram of a run's folder, as text, SVG or source for mscgen.
 */
#include "cli/decode.h"
#include "cli/drawing.h"
#include "cli/report_file.h"
#include "reports/ladder_draw.h"
#include "reports/page_run.h"
#include "reports/run_folder.h"

#include <getopt.h>
#include <string.h>

#define COMMAND     "ladder"
#define MAX_EVENTS  200000 /* of one call; it has about a hundred */
#define MAX_PICTURE 2000   /* rows of a picture, which has no end of a screen */

static const char help_text[] =
    "Usage: ibakelab ladder DIR [--call N] [--mikey] [--text] [--svg F] [--mscgen F] [--json F]\n"
    "\n"
    "Draws a call of a run as a ladder: nodes across, time down, an arrow for each message. DIR is the "
    "folder\n"
    "that the run left (ibakelab run --out DIR). With no option for a format it draws on the terminal, as "
    "the\n"
    "run does at its end. An F of '-' is standard output.\n"
    "\n"
    "  --call N     the call: its number, from 1, or its name in the scenario; default the first. 0 is what\n"
    "               belongs to no call: registrations and requests for keys\n"
    "  --mikey      of the messages only those that carry MIKEY\n"
    "  --text       on the terminal, also beside other formats\n"
    "  --svg F      a picture that stands alone, for light and dark, with colours for who knew what a "
    "message\n"
    "               carries under encryption\n"
    "  --mscgen F   the same as source for mscgen: mscgen -T png -i F\n"
    "  --json F     what the HTML report shows of the run: the ladders of up to 50 calls (those that failed "
    "or\n"
    "               were attacked first), nodes, links, and each MIKEY message with octets and fields, "
    "decrypted\n"
    "               if the run left a keys.log (docs/ladder.md)\n"
    "\n"
    "What adversaries did is drawn where they did it, and conversations of their own beside the call during\n"
    "which they began; so is the call with which a mailbox delivers what was left in it.\n"
    "\n"
    "Examples:\n"
    "  ibakelab ladder out/first-call\n"
    "  ibakelab ladder out/replay-fresh-dialog --svg replay.svg\n"
    "  ibakelab ladder out/fork-parallel --call forked --mikey --mscgen - | mscgen -T svg -o fork.svg -i -\n"
    "\n"
    "Exit status: 0 drawn, 2 DIR or an option is wrong, 3 internal.\n";

typedef struct options {
    const char *dir, *call, *svg, *mscgen, *json;
    bool text, mikey_only;
} options;

/* ---- which call ---------------------------------------------------------------------------------------- */

static int choose_call(size_t *call, const options *o, const result *r) {
    uint64_t number;
    if (!o->call) {
        *call = r->call_count ? 0 : LADDER_NO_CALL;
        return CLI_OK;
    }
    for (size_t i = 0; i < r->call_count; i++)
        if (strcmp(r->calls[i]->id, o->call) == 0) {
            *call = i;
            return CLI_OK;
        }
    if (!cli_number(o->call, 0, UINT32_MAX, &number))
        return cli_error(COMMAND, "--call %s: no call of this name in %s, which has %zu%s%s%s", o->call,
                         o->dir, r->call_count, r->call_count ? ", the first: '" : "",
                         r->call_count ? r->calls[0]->id : "", r->call_count ? "'" : "");
    if (number > r->call_count)
        return cli_error(COMMAND, "--call %s: %s has %zu call%s", o->call, o->dir, r->call_count,
                         r->call_count == 1 ? "" : "s");
    *call = number ? (size_t)number - 1 : LADDER_NO_CALL;
    return CLI_OK;
}

/* "Call first: alice to bob, failed: 488 Not Acceptable Here" */
static void describe_call(char *out, size_t size, const char *name, const result *r, size_t call) {
    const result_call *c = call == LADDER_NO_CALL ? NULL : r->calls[call];
    snprintf(out, size, "%s%s%s%s%s", name, c ? ", " : "", c ? result_call_state_name(c->state) : "",
             c && c->failure ? ": " : "", c && c->failure ? c->failure : "");
}

/* ---- output -------------------------------------------------------------------------------------------- */

typedef struct picture {
    const ladder_view *v;
    ladder_caption caption;
} picture;

static bool draw_svg(FILE *out, const void *what) {
    const picture *p = what;
    ladder_svg(out, p->v, &p->caption);
    return p->v->item_count > 0;
}

static bool draw_mscgen(FILE *out, const void *what) {
    const picture *p = what;
    ladder_mscgen(out, p->v, &p->caption);
    return p->v->item_count > 0;
}

static int draw_pictures(const options *o, const run_folder *f, const trace_memory *events, size_t call,
                         const char *name) {
    ladder_view v;
    char subtitle[500];
    ladder_options shown = {.max_rows = MAX_PICTURE, .mikey_only = o->mikey_only};
    ladder_options_of(&shown, &f->c, call);
    describe_call(subtitle, sizeof subtitle, name, &f->r, call);
    picture p = {
        .v = &v,
        .caption = {.title = f->r.title, .subtitle = subtitle, .along_left_out = shown.along_left_out}};
    ibk_err err = ladder_view_make(&v, events, &shown, &f->r, &f->c, call);
    int status = err ? cli_fail(COMMAND, o->dir, err, NULL) : CLI_OK;
    if (!status && o->svg)
        status = drawing_write(COMMAND, o->svg, draw_svg, &p);
    if (!status && o->mscgen)
        status = drawing_write(COMMAND, o->mscgen, draw_mscgen, &p);
    ladder_view_free(&v);
    return status;
}

static int draw_text(const options *o, const run_folder *f, const trace_memory *events, size_t call,
                     const char *name) {
    term t;
    ladder_options shown = {.title = name, .mikey_only = o->mikey_only};
    term_probe(&t, stdout);
    ladder_options_of(&shown, &f->c, call);
    ibk_err err = report_ladder(&t, events, &shown);
    return err ? cli_fail(COMMAND, o->dir, err, NULL) : CLI_OK;
}

static bool dump_json(FILE *out, const void *what) {
    return json_dumpf(what, out, JSON_INDENT(1)) == 0 && fputc('\n', out) != EOF;
}

static int write_json(const options *o) {
    json_t *run = NULL;
    ibk_diag diag = {0};
    ibk_err err = page_run(&run, o->dir, NULL, decode_for_page, NULL, &diag);
    int status =
        err ? cli_fail(COMMAND, o->dir, err, &diag) : drawing_write(COMMAND, o->json, dump_json, run);
    json_decref(run);
    return status;
}

static int draw_call(const options *o, run_folder *f, trace_memory *events) {
    char name[300];
    size_t call = 0;
    ibk_diag diag = {0};
    int status = choose_call(&call, o, &f->r);
    if (status)
        return status;
    ibk_err err = run_folder_events(f, events, run_folder_of_call, &call, &diag);
    if (err)
        return cli_fail(COMMAND, f->where, err, &diag);
    ladder_title(name, sizeof name, &f->r, call);
    if (o->text && trace_memory_count(events) == 0)
        status = cli_error(COMMAND, "%s: there is nothing to draw: no event is of %s", o->dir, name);
    else if (o->text)
        status = draw_text(o, f, events, call, name);
    if (!status && (o->svg || o->mscgen))
        status = draw_pictures(o, f, events, call, name);
    return status;
}

static int draw_all(const options *o) {
    run_folder f;
    ibk_diag diag = {0};
    ibk_err err = run_folder_open(&f, o->dir, NULL, NULL, NULL, &diag);
    trace_memory *events = err ? NULL : trace_memory_new(MAX_EVENTS);
    int status = CLI_OK;
    if (err)
        status = cli_fail(COMMAND, *f.where ? f.where : o->dir, err, &diag);
    else if (!events)
        status = cli_fail(COMMAND, o->dir, IBK_ERR_NO_MEMORY, NULL);
    else
        status = draw_call(o, &f, events);
    trace_memory_free(events);
    run_folder_close(&f);
    return status;
}

/* ---- command line -------------------------------------------------------------------------------------- */

static int read_options(options *o, int argc, char **argv) {
    static const struct option names[] = {
        {"call", required_argument, NULL, 'c'},   {"mikey", no_argument, NULL, 'm'},
        {"text", no_argument, NULL, 't'},         {"svg", required_argument, NULL, 's'},
        {"mscgen", required_argument, NULL, 'g'}, {"json", required_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},         {0}};
    int c;
    *o = (options){0};
    while ((c = getopt_long(argc, argv, "h", names, NULL)) != -1) {
        switch (c) {
        case 'c':
            o->call = optarg;
            break;
        case 'm':
            o->mikey_only = true;
            break;
        case 't':
            o->text = true;
            break;
        case 's':
            o->svg = optarg;
            break;
        case 'g':
            o->mscgen = optarg;
            break;
        case 'j':
            o->json = optarg;
            break;
        case 'h':
            fputs(help_text, stdout);
            return -1;
        default:
            return cli_usage(COMMAND, "see the options");
        }
    }
    if (argc - optind != 1)
        return cli_usage(COMMAND, optind == argc ? "the folder of a run is missing" : "one folder at a time");
    o->dir = argv[optind];
    o->text |= !o->svg && !o->mscgen && !o->json;
    const char *const outputs[] = {o->svg, o->mscgen, o->json, o->text ? "-" : NULL};
    return report_files_check(COMMAND, outputs, 4);
}

int cmd_ladder_main(int argc, char **argv) {
    options o;
    int status = read_options(&o, argc, argv);
    if (status)
        return status < 0 ? cli_finish(COMMAND, CLI_OK) : status;
    if (o.json)
        status = write_json(&o);
    if (!status && (o.text || o.svg || o.mscgen))
        status = draw_all(&o);
    return cli_finish(COMMAND, status);
}
