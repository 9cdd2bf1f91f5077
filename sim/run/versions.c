#include "run/versions.h"
#include "ims/media/stream.h"
#include "ns3shim/n3.h"

#include <jansson.h>
#include <openssl/crypto.h>
#include <string.h>
#include <yaml.h>

void versions_add(result *r) {
    const char *ns3 = n3_version(); /* "ns-3.37" */
    result_add_version(r, "ibakelab", IBAKELAB_VERSION);
    result_add_version(r, "ns-3", strncmp(ns3, "ns-", 3) == 0 ? ns3 + 3 : ns3);
    result_add_version(r, "OpenSSL", OpenSSL_version(OPENSSL_VERSION_STRING));
    result_add_version(r, "libosip2", IBAKELAB_OSIP_VERSION); /* it tells its version to pkg-config alone */
    result_add_version(r, "libsrtp2", media_library_version());
    result_add_version(r, "libyaml", yaml_get_version_string());
    result_add_version(r, "jansson", JANSSON_VERSION);
}
