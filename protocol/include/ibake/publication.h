/* ibakelab: RFC 5408, how a KMS publishes its parameters and answers a key request over HTTPS: the ASN.1
 * structures of its §3, §4.2 and §5.6 in strict DER, both directions, and base64 as its media types have it.
 * What parses is written back to the same octets. HTTP, TLS and XML are the node's matter.
 *
 * Parsed structs borrow their octets from the input; structs to be written borrow until they are written.
 * Times are whole seconds since 1970-01-01T00:00:00Z. Errors of the parsers: DER, DER_STRUCTURE, BAD_VALUE,
 * LIMIT, UNSUPPORTED; the diag's offset counts from the start of the input. */
#ifndef IBAKE_PUBLICATION_H
#define IBAKE_PUBLICATION_H

#include <ibake/exchange.h>
#include <ibake/ibe.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- object identifiers: the content octets of an OBJECT IDENTIFIER, without tag and length ---------------
 */

#define IBK_OID_MAX 64 /* content octets that are accepted */

ibk_span ibk_oid_bf(void); /* 2.16.840.1.114334.1.1.2.1: Boneh-Franklin (RFC 5091) */
ibk_span
ibk_oid_pkg_uri(void); /* 2.16.840.1.114334.1.3.2.1: the extension that names the key server (§4.2) */
/* P-23: the identityType of IBE identities of P-9, one for each granularity: 2.25.U.1 (day), .2 (hour), .3
 * (month), U = 178589645431819367033353099214067284642, the UUID 865b1d55-bc30-5d5a-b5ae-22c9ef373aa2. */
ibk_span ibk_oid_identity_type(ibk_granularity granularity);
/* False: another type than the three. */
bool ibk_oid_granularity(ibk_granularity *out, ibk_span oid);
/* DER OBJECT IDENTIFIER with tag and length, as <ibe:algorithm> has it in base64 (§5.3). Write appends. */
ibk_err ibk_oid_write(ibk_buf *out, ibk_span oid);
ibk_err ibk_oid_parse(ibk_span *oid, ibk_span der, ibk_diag *diag);

/* ---- public parameters (§4.2)
 * -------------------------------------------------------------------------------
 */

#define IBK_DISTRICT_MAX    1024  /* octets of a district name */
#define IBK_SYSPARAMS_ITEMS 8     /* algorithms, extensions, options that are accepted in a structure */
#define IBK_SYSPARAMS_MAX   65536 /* octets of a structure */

/* IBEPublicParameter, IBEParamExtension, PKGOption: an OID and an OCTET STRING. */
typedef struct ibk_oid_value {
    ibk_span oid, value;
} ibk_oid_value;

/* IBESysParams */
typedef struct ibk_sysparams {
    ibk_span district;                             /* districtName: a URI, IA5String, not empty */
    uint64_t serial;                               /* districtSerial */
    int64_t not_before_s, not_after_s;             /* validity, both included; years 1970 to 9999 */
    ibk_oid_value algorithms[IBK_SYSPARAMS_ITEMS]; /* at least one, each algorithm once */
    size_t n_algorithms;
    ibk_span identity_type; /* ibeIdentityType: OID */
    bool has_extensions;    /* the SEQUENCE is there, be it empty */
    ibk_oid_value extensions[IBK_SYSPARAMS_ITEMS];
    size_t n_extensions;
} ibk_sysparams;

ibk_err ibk_sysparams_parse(ibk_sysparams *out, ibk_span der, ibk_diag *diag);
/* Appends; on failure out is as it was. USAGE: a field that the structure cannot hold. */
ibk_err ibk_sysparams_write(ibk_buf *out, const ibk_sysparams *in);

/* May the parameters be used at that time (§4.2)? EXPIRED: utc_ns is before notBefore or after notAfter (to
 * the second). UNSUPPORTED: an extension that is not pkgURI, or no Boneh-Franklin parameters. */
ibk_err ibk_sysparams_usable(const ibk_sysparams *in, int64_t utc_ns, ibk_diag *diag);
/* §4.2: the time in an IBE identity has to lie between notBefore and notAfter. EXPIRED: no instant of the
 * period of this IBE identity (P-9) does. BAD_VALUE: it ends in no date. UNSUPPORTED: ibeIdentityType is none
 * of ours. */
ibk_err ibk_sysparams_covers(const ibk_sysparams *in, ibk_span ibe_identity, ibk_diag *diag);
/* The Boneh-Franklin parameters: DER BFPublicParameters for ibk_ibe_params_parse, or the empty span. */
ibk_span ibk_sysparams_bf(const ibk_sysparams *in);
/* The URI in the pkgURI extension, or the empty span. DER: the extension's value is no IA5String. */
ibk_err ibk_sysparams_pkg_uri(ibk_span *uri, const ibk_sysparams *in, ibk_diag *diag);
/* The value of a pkgURI extension: DER IA5String, appended. */
ibk_err ibk_pkg_uri_write(ibk_buf *out, ibk_span uri);

/* ---- identities (§3)
 * ----------------------------------------------------------------------------------------
 */

/* IBEIdentityInfo. P-23: `type` is one of ibk_oid_identity_type, `data` an IBE identity of P-9 as it is, and
 * the IBE key is that of `data` alone, so that it is the key which RFC 6267 means. */
typedef struct ibk_identity_info {
    ibk_span district;
    uint64_t serial;
    ibk_span type; /* OID */
    ibk_span data; /* at most IBK_IBE_IDENTITY_MAX octets */
} ibk_identity_info;

ibk_err ibk_identity_info_parse(ibk_identity_info *out, ibk_span der, ibk_diag *diag);
ibk_err ibk_identity_info_write(ibk_buf *out, const ibk_identity_info *in); /* appends; USAGE */
bool ibk_identity_info_equal(const ibk_identity_info *a, const ibk_identity_info *b);
/* The info of an IBE identity in the district that these parameters are of. */
ibk_identity_info ibk_identity_info_of(const ibk_sysparams *params, ibk_span ibe_identity);
/* Is it for this district: its name, serial and identity type? MISMATCH. */
ibk_err ibk_identity_info_check(const ibk_identity_info *info, const ibk_sysparams *params, ibk_diag *diag);

/* ---- private keys (§5.6.1)
 * ----------------------------------------------------------------------------------
 */

/* IBEPrivateKeyReply */
typedef struct ibk_key_reply {
    ibk_identity_info identity;
    ibk_span algorithm; /* OID */
    ibk_span key;       /* pkgKeyData: for Boneh-Franklin DER BFPrivateKeyBlock (ibk_ibe_key_parse). Secret */
    ibk_oid_value options[IBK_SYSPARAMS_ITEMS];
    size_t n_options; /* 0: pkgOptions is left out, as §5.6.1 has it, although the ASN.1 lacks OPTIONAL */
} ibk_key_reply;

ibk_err ibk_key_reply_parse(ibk_key_reply *out, ibk_span der, ibk_diag *diag);
ibk_err ibk_key_reply_write(ibk_buf *out, const ibk_key_reply *in); /* appends; USAGE */
/* May this key be used as the answer to a request for `asked`? MISMATCH: another identity (it has to be
 * identical). UNSUPPORTED: not Boneh-Franklin, or any option, for we process none. Whether the key belongs to
 * the identity is what ibk_ibe_key_verify tells. */
ibk_err ibk_key_reply_check(const ibk_key_reply *reply, const ibk_identity_info *asked, ibk_diag *diag);

/* ---- base64 as in MIME (RFC 2045 §6.8), for application/ibe-pp-data and the elements of §5
 * ------------------ */

/* Lines of at most 76 characters, each ended by CR LF; appended. */
ibk_err ibk_mime_base64_write(ibk_buf *out, ibk_span octets);
/* White space between characters is skipped; else as strict as ibk_base64_decode. Appended. BAD_TEXT. */
ibk_err ibk_mime_base64_read(ibk_buf *out, ibk_span text, ibk_diag *diag);

#ifdef __cplusplus
}
#endif
#endif
