/* ibakelab: verdict, expectations and calls for the terminal. */
#include "reports/terminal.h"
#include "reports/words.h"

#include <inttypes.h>
#include <string.h>

#define COLUMNS 8
#define CELL    48

typedef struct row {
    char cell[COLUMNS][CELL];
    term_style style; /* of the state */
} row;

/* Text from the network or a scenario must not drive the terminal (words.h). Not cut inside a character. */
static void set_cell(char cell[CELL], const char *text) {
    size_t len = 0, left = text ? strlen(text) : 0;
    for (size_t octets; left; text += octets, left -= octets) {
        bool plain;
        octets = words_character(text, left, &plain);
        if (len + octets >= CELL)
            break;
        memcpy(cell + len, plain ? text : "?", plain ? octets : 1);
        len += plain ? octets : 1;
    }
    cell[len] = 0;
}

static void set_pair(char cell[CELL], const char *from, const char *arrow, const char *to) {
    char text[CELL];
    snprintf(text, sizeof text, "%.20s %s %.20s", from, arrow, to);
    set_cell(cell, text);
}

static void set_duration(char cell[CELL], bool known, uint64_t ns) {
    if (!known)
        set_cell(cell, "-");
    else if (ns < 1000000000u)
        snprintf(cell, CELL, "%.1f ms", (double)ns / 1e6);
    else
        snprintf(cell, CELL, "%.3f s", (double)ns / 1e9);
}

static void fill_media(char cell[CELL], const result_call *c) {
    uint64_t received = 0, sent = 0;
    bool all_protected = c->media_count > 0;
    for (size_t i = 0; i < c->media_count; i++) {
        received += c->media[i].received;
        sent += c->media[i].sent;
        all_protected &= c->media[i].protected_;
    }
    if (!c->media_count)
        set_cell(cell, "none");
    else
        snprintf(cell, CELL, "%s %" PRIu64 "/%" PRIu64, all_protected ? "SRTP" : "RTP", received, sent);
}

static void fill_call(row *out, const result_call *c, bool utf8) {
    uint64_t ns = 0;
    *out = (row){0};
    set_cell(out->cell[0], c->id);
    set_cell(out->cell[1], c->from);
    if (c->answered_by && c->to &&
        strcmp(c->answered_by, c->to) != 0) /* a device, or where it was diverted */
        set_pair(out->cell[2], c->to, utf8 ? "→" : "->", c->answered_by);
    else
        set_cell(out->cell[2], c->to);
    set_cell(out->cell[3], result_call_state_name(c->state));
    bool known = result_setup_ns(c, &ns);
    set_duration(out->cell[4], known, ns);
    set_cell(out->cell[5], c->csb_id == 0 ? "none" : c->keys_agree ? "agree" : "differ");
    fill_media(out->cell[6], c);
    snprintf(out->cell[7], CELL, "%" PRIu64, c->retransmissions);
    out->style = c->state == RESULT_CALL_ESTABLISHED ? TERM_GREEN : TERM_RED;
}

static void print_row(const term *t, const row *r, const unsigned widths[COLUMNS], bool header) {
    for (unsigned i = 0; i < COLUMNS; i++) {
        term_style style = header ? TERM_DIM : i == 3 ? r->style : TERM_PLAIN;
        bool last = i == COLUMNS - 1;
        fprintf(t->file, "  %s%s%s%*s", style ? term_begin(t, style) : "", r->cell[i],
                style ? term_begin(t, TERM_PLAIN) : "",
                last ? 0 : (int)(widths[i] - term_columns(r->cell[i])), "");
    }
    fputc('\n', t->file);
}

/* "set-up 1.370 s = ringing 1.000 + radio 0.240 + core 0.050 + crypto alice 0.030 + bob 0.050" */
static void print_setup(const term *t, const result_call *c, bool alone) {
    const result_setup *s = &c->setup;
    const struct {
        const char *name;
        uint64_t ns;
    } parts[] = {{"ringing", s->ringing_ns},      {"radio", s->radio_ns}, {"core", s->core_ns},
                 {"resent", s->resent_ns},        {"keys", s->keys_ns},   {"KMS", s->kms_ns},
                 {"signalling", s->signalling_ns}};
    uint64_t total;
    const char *plus = "";
    if (!s->known || (!alone && s->crypto_count == 0) || !result_setup_ns(c, &total))
        return;
    fprintf(t->file, "      %sset-up %.3f s =", term_begin(t, TERM_DIM), (double)total / 1e9);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (parts[i].ns) {
            fprintf(t->file, "%s %s %.3f", plus, parts[i].name, (double)parts[i].ns / 1e9);
            plus = " +";
        }
    for (size_t i = 0; i < s->crypto_count; i++) {
        fputs(plus, t->file);
        term_text(t, i ? " " : " crypto ", s->crypto[i].node ? s->crypto[i].node : "?", "");
        fprintf(t->file, " %.3f", (double)(s->crypto[i].computing_ns + s->crypto[i].queued_ns) / 1e9);
        plus = " +";
    }
    fprintf(t->file, "%s\n", term_begin(t, TERM_PLAIN));
}

static void print_calls(const term *t, const result *r, size_t max_calls) {
    static const char *const titles[COLUMNS] = {"call",   "from", "to",    "state",
                                                "set-up", "keys", "media", "resent"};
    row header = {0}, line;
    unsigned widths[COLUMNS];
    size_t shown = r->call_count < max_calls ? r->call_count : max_calls;
    for (unsigned i = 0; i < COLUMNS; i++) {
        set_cell(header.cell[i], titles[i]);
        widths[i] = term_columns(titles[i]);
    }
    for (size_t n = 0; n < shown; n++) {
        fill_call(&line, r->calls[n], t->utf8);
        for (unsigned i = 0; i < COLUMNS; i++)
            if (term_columns(line.cell[i]) > widths[i])
                widths[i] = term_columns(line.cell[i]);
    }
    fputc('\n', t->file);
    print_row(t, &header, widths, true);
    for (size_t n = 0; n < shown; n++) {
        fill_call(&line, r->calls[n], t->utf8);
        print_row(t, &line, widths, false);
        if (r->calls[n]->failure)
            term_text(t, "      ", r->calls[n]->failure, "\n");
        print_setup(t, r->calls[n], r->call_count == 1);
    }
    if (shown < r->call_count)
        fprintf(t->file, "  and %zu more calls: %zu of %zu established in all\n", r->call_count - shown,
                result_calls_in_state(r, RESULT_CALL_ESTABLISHED), r->call_count);
}

static void print_messages(const term *t, const result *r, size_t max_messages) {
    char when[2][CELL];
    size_t shown = r->message_count < max_messages ? r->message_count : max_messages;
    for (size_t i = 0; i < shown; i++) {
        const result_message *m = &r->messages[i];
        term_text(t, "  message ", m->from, t->utf8 ? " → " : " -> ");
        term_text(t, "", m->to, "");
        if (m->via)
            term_text(t, " via ", m->via, "");
        set_duration(when[0], m->stored.set, m->stored.ns);
        set_duration(when[1], m->delivered.set, m->delivered.ns);
        if (m->stored.set)
            fprintf(t->file, "  stored %s", when[0]);
        if (m->delivered.set)
            fprintf(t->file, "  delivered %s", when[1]);
        fprintf(t->file, "  %s%s%s%s",
                term_begin(t, m->intact    ? TERM_GREEN
                              : m->refused ? TERM_RED
                                           : TERM_PLAIN),
                m->intact    ? "intact"
                : m->refused ? "refused"
                             : "waiting",
                term_begin(t, TERM_PLAIN), m->readable ? "  readable by the mailbox" : "");
        term_text(t, m->reason ? ": " : "", m->reason ? m->reason : "", "\n");
    }
    if (shown < r->message_count)
        fprintf(t->file, "  and %zu more messages\n", r->message_count - shown);
}

static void print_expectations(const term *t, const result *r, bool verbose) {
    size_t held = 0;
    for (size_t i = 0; i < r->expectation_count; i++) {
        const result_expectation *e = &r->expectations[i];
        held += e->held;
        if (e->held && !verbose)
            continue;
        const char *mark = e->held ? (t->utf8 ? "✓" : "ok") : (t->utf8 ? "✗" : "FAILED");
        fprintf(t->file, "  %s%s%s ", term_begin(t, e->held ? TERM_GREEN : TERM_RED), mark,
                term_begin(t, TERM_PLAIN));
        term_text(t, "", e->text ? e->text : "", "");
        if (e->observed)
            term_text(t, "   observed: ", e->observed, "");
        if (e->line && (e->file || r->scenario)) {
            term_text(t, "   (", e->file ? e->file : r->scenario, "");
            fprintf(t->file, ":%u)", e->line);
        }
        fputc('\n', t->file);
    }
    if (r->expectation_count)
        fprintf(t->file, "  %zu of %zu expectations held\n", held, r->expectation_count);
}

/* Those that are broken: a run without an adversary has none. */
static void print_properties(const term *t, const result *r) {
    for (size_t i = 0; i < r->property_count; i++) {
        const result_property *p = &r->properties[i];
        if (p->holds)
            continue;
        fprintf(t->file, "  %s%s is broken%s", term_begin(t, TERM_RED), p->name, term_begin(t, TERM_PLAIN));
        term_text(t, ": ", p->detail ? p->detail : "", "\n");
    }
}

/* "mallory's own node: 60 messages of floods, 60 of them answered; 1.234 s of computing": what there is. */
static void print_effort(const term *t, const result_adversary *a) {
    const result_effort *e = &a->own;
    const struct {
        uint64_t count;
        const char *what;
    } parts[] = {{e->calls, "calls"},
                 {e->calls_answered, "calls answered"},
                 {e->calls_keyed, "of them with keys"},
                 {e->flood_sent, "messages of floods"},
                 {e->flood_answered, "of them answered"},
                 {e->media_injected, "packets of media"},
                 {e->parameters, "sets of parameters given out"},
                 {e->keys, "private keys issued"},
                 {e->handed_on, "key requests handed on"}};
    bool any = false;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (!parts[i].count)
            continue;
        if (!any)
            term_text(t, "  ", a->name ? a->name : "?", "'s own node: ");
        fprintf(t->file, "%s%" PRIu64 " %s", any ? ", " : "", parts[i].count, parts[i].what);
        any = true;
    }
    if (any && e->cpu)
        fprintf(t->file, "; %.3f s of computing", (double)e->busy_ns / 1e9);
    fputs(any ? "\n" : "", t->file);
}

/* "mallory  1  on R_MESSAGE_1: drop   3 times"; what never came to pass stands out. */
static void print_adversaries(const term *t, const result *r) {
    for (size_t i = 0; i < r->adversary_count; i++) {
        const result_adversary *a = r->adversaries[i];
        for (size_t k = 0; k < a->rule_count; k++) {
            const result_rule *rule = &a->rules[k];
            term_text(t, "  ", a->name ? a->name : "?", "");
            fprintf(t->file, " rule %zu", k + 1);
            term_text(t, ", on ", rule->on ? rule->on : "?", "");
            term_text(t, " ", rule->text ? rule->text : "?", ": ");
            term_style style = rule->failed ? TERM_RED : rule->fired ? TERM_PLAIN : TERM_YELLOW;
            fputs(style ? term_begin(t, style) : "", t->file);
            if (rule->fired)
                fprintf(t->file, rule->fired == 1 ? "once" : "%" PRIu64 " times", rule->fired);
            else if (!rule->failed)
                fputs("never", t->file);
            if (rule->failed)
                fprintf(t->file, rule->failed == 1 ? "%sfailed once" : "%sfailed %" PRIu64 " times",
                        rule->fired ? ", " : "", rule->failed);
            fputs(style ? term_begin(t, TERM_PLAIN) : "", t->file);
            term_text(t, rule->why ? " (" : "", rule->why ? rule->why : "", rule->why ? ")\n" : "\n");
        }
        print_effort(t, a);
    }
}

void term_text(const term *t, const char *before, const char *text, const char *after) {
    fputs(before, t->file);
    words_show(t->file, text, strlen(text), "");
    fputs(after, t->file);
}

void report_table(const term *t, const result *r, size_t max_calls, bool verbose) {
    static const char *const words[] = {"ERROR", "PASS", "FAIL"};
    term_style style = r->verdict == RESULT_PASS ? TERM_GREEN : TERM_RED;
    fprintf(t->file, "%s%s%s%s  ", term_begin(t, TERM_BOLD), term_begin(t, style), words[r->verdict],
            term_begin(t, TERM_PLAIN));
    term_text(t, "", r->title ? r->title : r->scenario ? r->scenario : "run", "");
    fprintf(t->file, "   %sseed %" PRIu64 ", %.3f s of virtual time", term_begin(t, TERM_DIM), r->seed,
            (double)r->virtual_ns / 1e9);
    if (r->parameters)
        term_text(t, ", ", r->parameters, "");
    fprintf(t->file, "%s\n", term_begin(t, TERM_PLAIN));
    if (r->error)
        term_text(t, "  ", r->error, "\n");
    print_expectations(t, r, verbose);
    print_properties(t, r);
    for (size_t i = 0; i < r->user_count; i++)
        if (r->users[i]->failure) {
            term_text(t, "  ", r->users[i]->name ? r->users[i]->name : "?", ": ");
            term_text(t, "", r->users[i]->failure, "\n");
        }
    if (r->call_count)
        print_calls(t, r, max_calls);
    print_messages(t, r, max_calls);
    print_adversaries(t, r);
    report_matrix(t, r);
}
