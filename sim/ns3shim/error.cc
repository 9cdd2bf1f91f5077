#include "ns3shim/internal.h"

#include "ns3/version-defines.h"

#include <cstdio>

#define TEXT(x)    #x
#define TEXT_OF(x) TEXT(x)

namespace {

thread_local char last_error[512];

void store(const char *format, va_list args) {
    char text[sizeof last_error]; // an argument may be the old text
    vsnprintf(text, sizeof text, format, args);
    snprintf(last_error, sizeof last_error, "%s", text);
}

} // namespace

namespace n3 {

void fail(n3_status status, const char *format, ...) {
    va_list args;
    va_start(args, format);
    store(format, args);
    va_end(args);
    throw Fault{status};
}

n3_status note(n3_status status, const char *format, ...) {
    va_list args;
    va_start(args, format);
    store(format, args);
    va_end(args);
    return status;
}

} // namespace n3

extern "C" {

const char *n3_last_error(void) {
    return last_error;
}

const char *n3_version(void) {
    return "ns-" TEXT_OF(NS3_VERSION_MAJOR) "." TEXT_OF(NS3_VERSION_MINOR);
}

const char *n3_status_name(n3_status status) {
    switch (status) {
    case N3_OK:
        return "ok";
    case N3_ERR_ARGUMENT:
        return "argument";
    case N3_ERR_STATE:
        return "state";
    case N3_ERR_CLOSED:
        return "closed";
    case N3_ERR_LIMIT:
        return "limit";
    case N3_ERR_ADDRESS:
        return "address";
    case N3_ERR_UNREACHABLE:
        return "unreachable";
    case N3_ERR_IO:
        return "input/output";
    case N3_ERR_MEMORY:
        return "memory";
    case N3_ERR_INTERNAL:
        return "internal";
    }
    return "unknown";
}
}
