#include "sweep/testing.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

sweep *testing_sweep(const char *text, scn_errors *errors) {
    static const char head[] = "sweep: 1\ntitle: A sweep\nscenario: " SCENARIOS "/basic/first-call-80.yaml\n";
    char path[] = "/tmp/sweep-test-XXXXXX";
    sweep *s = NULL;
    int fd = mkstemp(path);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    if (file == NULL)
        abort();
    if (strncmp(text, "sweep:", 6) != 0)
        fputs(head, file);
    fputs(text, file);
    fclose(file);
    sweep_load(&s, errors, path, NULL, 0);
    unlink(path);
    return s;
}
