/* Runs a fuzz target over files, and over every file of folders: what a build without libFuzzer does with a
 * corpus. A finding ends the process by a signal or a sanitizer, as under libFuzzer; the last name printed is
 * the input. Exit status: 0 every input was fine; 2 nothing to run, or a file could not be read. */
#include "fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The octets in storage of exactly their size, so that ASan sees a read beyond; NULL: not readable. */
static uint8_t *read_file(const char *path, size_t len) {
    uint8_t *octets = malloc(len ? len : 1);
    FILE *file = fopen(path, "rb");
    bool whole = octets && file && fread(octets, 1, len, file) == len;
    if (file)
        fclose(file);
    if (whole)
        return octets;
    free(octets);
    return NULL;
}

static bool run_file(const char *path, size_t len) {
    printf("%s\n", path);
    fflush(stdout);
    uint8_t *octets = read_file(path, len);
    if (!octets) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return false;
    }
    (void)LLVMFuzzerTestOneInput(octets, len);
    free(octets);
    return true;
}

static bool run_path(const char *path, bool inside_folder, size_t *inputs);

static bool run_folder(const char *path, size_t *inputs) {
    struct dirent **entries;
    int count = scandir(path, &entries, NULL, alphasort);
    bool well = count >= 0;
    for (int i = 0; i < count; i++) {
        char inner[4096];
        snprintf(inner, sizeof inner, "%s/%s", path, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.')
            well = run_path(inner, true, inputs) && well;
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    return well;
}

/* Folders inside a folder are left alone. */
static bool run_path(const char *path, bool inside_folder, size_t *inputs) {
    struct stat status;
    if (stat(path, &status) != 0) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return false;
    }
    if (S_ISDIR(status.st_mode)) {
        if (inside_folder)
            return true;
        size_t before = *inputs;
        bool well = run_folder(path, inputs);
        if (*inputs == before)
            fprintf(stderr, "%s: no input in this folder\n", path);
        return well && *inputs > before;
    }
    (*inputs)++;
    return run_file(path, (size_t)status.st_size);
}

int main(int argc, char **argv) {
    size_t inputs = 0;
    bool well = true;
    for (int i = 1; i < argc; i++)
        well = run_path(argv[i], false, &inputs) && well;
    if (inputs == 0)
        fprintf(stderr, "usage: %s FILE-OR-FOLDER…   (nothing was run)\n", argv[0]);
    else
        printf("%zu inputs\n", inputs);
    return well && inputs > 0 ? 0 : 2;
}
