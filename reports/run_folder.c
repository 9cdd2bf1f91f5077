/* ibakelab: reading the folder of a run.
 */
#include "reports/run_folder.h"

#include "reports/ladder_view.h"
#include "reports/regular_file.h"
#include <string.h>

/* What went wrong with a file of the folder, as a refusal. */
static ibk_err refuse(run_folder *f, const char *file, size_t line, ibk_err err, ibk_diag *diag) {
    if (line)
        snprintf(f->where, sizeof f->where, "%s/%s:%zu", f->dir, file, line);
    else
        snprintf(f->where, sizeof f->where, "%s/%s", f->dir, file);
    if (err == IBK_ERR_NO_MEMORY)
        return ibk_fail(diag, err, NULL, 0, NULL);
    if (diag)
        diag->err = IBK_ERR_REFUSED; /* the detail stays */
    return IBK_ERR_REFUSED;
}

static ibk_err read_events(run_folder *f, void (*sink)(void *user, const trace_event *e), void *user,
                           ibk_diag *diag) {
    char path[sizeof f->dir + 16];
    size_t line = 0;
    snprintf(path, sizeof path, "%s/events.jsonl", f->dir);
    FILE *file = regular_file_open(path, NULL, diag);
    ibk_err err = file ? trace_jsonl_read(file, sink, user, &line, diag) : IBK_ERR_REFUSED;
    if (file)
        fclose(file);
    return err ? refuse(f, "events.jsonl", line, err, diag) : IBK_OK;
}

typedef struct first_pass {
    run_folder *f;
    void (*sink)(void *user, const trace_event *e);
    void *user;
} first_pass;

static void look(void *user, const trace_event *e) {
    first_pass *p = user;
    if (e->kind == TRACE_RUN && strcmp(e->event, "start") == 0) {
        const trace_field *start = trace_event_field(e, "start_utc_ns");
        if (start && start->type == TRACE_UINT && start->u <= INT64_MAX)
            p->f->start_utc_ns = (int64_t)start->u;
    }
    conversations_event(&p->f->c, e);
    if (p->sink)
        p->sink(p->user, e);
}

ibk_err run_folder_open(run_folder *f, const char *dir, const json_t *json,
                        void (*sink)(void *user, const trace_event *e), void *user, ibk_diag *diag) {
    *f = (run_folder){0};
    if (snprintf(f->dir, sizeof f->dir, "%s", dir) >= (int)sizeof f->dir)
        return ibk_fail(diag, IBK_ERR_REFUSED, NULL, 0, "the path of the folder is too long");
    while (strlen(f->dir) > 1 && f->dir[strlen(f->dir) - 1] == '/')
        f->dir[strlen(f->dir) - 1] = 0;
    ibk_err err = json ? IBK_OK : result_load(&f->json, dir, diag);
    if (!err)
        err = result_from_json(&f->r, json ? json : f->json, diag);
    if (err)
        return refuse(f, "result.json", 0, err, diag);
    err = conversations_begin(&f->c, &f->r);
    if (err)
        return err;
    first_pass pass = {.f = f, .sink = sink, .user = user};
    err = read_events(f, look, &pass, diag);
    return err ? err : f->c.out_of_memory ? IBK_ERR_NO_MEMORY : IBK_OK;
}

void run_folder_close(run_folder *f) {
    conversations_end(&f->c);
    result_free(&f->r);
    json_decref(f->json);
    f->json = NULL;
}

typedef struct second_pass {
    const conversations *c;
    trace_memory *out;
    run_folder_wanted *wanted;
    void *user;
} second_pass;

static void select_event(void *user, const trace_event *e) {
    second_pass *p = user;
    if (p->wanted(p->user, conversations_find(p->c, trace_event_text(e, "call")), e))
        trace_memory_event(p->out, e);
}

ibk_err run_folder_events(run_folder *f, trace_memory *out, run_folder_wanted *wanted, void *user,
                          ibk_diag *diag) {
    second_pass pass = {.c = &f->c, .out = out, .wanted = wanted, .user = user};
    return read_events(f, select_event, &pass, diag);
}

bool run_folder_of_call(void *user, const conversation *part, const trace_event *e) {
    const size_t *call = user;
    bool shown = e->kind == TRACE_SIP || e->kind == TRACE_HTTP || e->kind == TRACE_MIKEY ||
                 e->kind == TRACE_STATE || e->kind == TRACE_ATTACK;
    /* Media that an adversary changed or delayed are not of the registrations. */
    bool media =
        e->kind == TRACE_ATTACK && ibk_span_equal(trace_event_text(e, "what"), ibk_span_str("media"));
    if (!shown || (media && !part))
        return false;
    return part ? part->call == *call : *call == LADDER_NO_CALL;
}
