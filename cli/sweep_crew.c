#include "cli/sweep_crew.h"
#include "cli/cli.h"
#include "sweep/results.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

bool sweep_crew_begin(sweep_crew *c, const sweep *s, const char *keep, size_t jobs) {
    *c = (sweep_crew){.sweep = s, .keep = keep, .tries = calloc(s->points, 1)};
    return children_begin(&c->children, jobs) && c->tries;
}

static int work(void *user, size_t index, FILE *output) {
    const sweep_crew *c = user;
    sweep_row row;
    char folder[4096], name[32];
    sweep_folder(name, index);
    snprintf(folder, sizeof folder, "%s/%s", c->keep ? c->keep : "", name);
    sweep_play(c->sweep, index, c->keep ? folder : NULL, &row);
    return fwrite(&row, sizeof row, 1, output) == 1 ? CLI_OK : CLI_INTERNAL;
}

bool sweep_crew_start(sweep_crew *c, size_t point) {
    return children_start(&c->children, point, work, c);
}

static void row_of(const child_end *end, sweep_row *row) {
    bool whole = fread(row, sizeof *row, 1, end->output) == 1;
    if (whole && WIFEXITED(end->status) && WEXITSTATUS(end->status) == CLI_OK)
        return;
    if (WIFSIGNALED(end->status))
        sweep_row_failed(row, end->index, "its process was ended twice, the second time by signal %d (%s)",
                         WTERMSIG(end->status), strsignal(WTERMSIG(end->status)));
    else
        sweep_row_failed(row, end->index, "its process left with status %d", WEXITSTATUS(end->status));
}

/* Again, if it has not been tried again; false: it cannot be. */
static bool again(sweep_crew *c, const child_end *end) {
    if (!WIFSIGNALED(end->status) || c->tries[end->index]++ > 0)
        return false;
    return sweep_crew_start(c, end->index);
}

bool sweep_crew_next(sweep_crew *c, sweep_row *row, bool wait) {
    child_end end;
    while (children_next(&c->children, &end, wait)) {
        bool repeated = again(c, &end);
        if (!repeated)
            row_of(&end, row);
        fclose(end.output);
        if (!repeated)
            return true;
    }
    return false;
}

void sweep_crew_end(sweep_crew *c) {
    children_end(&c->children);
    free(c->tries);
    *c = (sweep_crew){0};
}
