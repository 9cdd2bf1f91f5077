/* Scenario loader: the one table that says which keys a scenario has. It drives the loader, the resolved
 * configuration and the reference. What it fills are the raw structs below: the file as it is written, groups
 * not expanded, references still names; expand.c makes the model of them. */
#ifndef SCENARIO_SCHEMA_H
#define SCENARIO_SCHEMA_H

#include "scenario/number.h"
#include "scenario/tree.h"

/* ---- the table ----------------------------------------------------------------------------------------- */

typedef enum scn_type {
    SCN_T_SECTION = 1,  /* mapping: a raw struct, `section` */
    SCN_T_LIST,         /* sequence of `section`: raw_list; with `by_name` also a mapping by its first key */
    SCN_T_BOOL,         /* bool */
    SCN_T_UINT,         /* plain number, any unsigned width */
    SCN_T_QUANTITY,     /* `quantity`, any unsigned width */
    SCN_T_OFFSET,       /* signed time: int64_t */
    SCN_T_DATE,         /* int64_t */
    SCN_T_TEXT,         /* const char *, as the next ones */
    SCN_T_LINE,         /* text of one line */
    SCN_T_NAME,         /* name of the entry itself; {n} in groups */
    SCN_T_REFERENCE,    /* name of another entry; {n} in groups */
    SCN_T_DOMAIN,       /* DNS name */
    SCN_T_URI,          /* sip:user@host or tel:+digits; {n} in groups */
    SCN_T_NAI,          /* user@realm; {n} in groups */
    SCN_T_FILE,         /* readable file; made absolute or relative to the working directory */
    SCN_T_CPU,          /* scn_cpu: a ready-made model, or a file */
    SCN_T_PASSWORD,     /* text or `auto` (stays the text "auto") */
    SCN_T_KEY,          /* raw_key: hex or `auto` */
    SCN_T_ENUM,         /* one of `words`, any unsigned width */
    SCN_T_SOURCE,       /* scn_source: frequency or sound file */
    SCN_T_COUNT_BOUND,  /* scn_bound: all, none, a number, "at least 3" */
    SCN_T_NUMBER_BOUND, /* scn_bound: none, a number, "at least 3" */
    SCN_T_TIME_BOUND,   /* scn_bound: "at most 2 s" */
    SCN_T_STATUS,       /* scn_bound: EXACTLY a number in range */
    SCN_T_WORD,         /* scn_bound: EXACTLY one of `words` */
    SCN_T_WORDS,        /* uint64_t: a set of `words`, whose values are bits */
    SCN_T_USER,         /* scn_bound: EXACTLY a user, by name */
    SCN_T_NODE          /* const scn_node *: anything, as it stands; who reads the section judges it */
} scn_type;

typedef struct scn_word {
    const char *text;
    int64_t value;
} scn_word;

typedef struct scn_field {
    const char *key;
    scn_type type;
    size_t offset, width; /* in the raw struct */
    bool required;
    bool by_name;                 /* LIST: `{mallory: {…}}` is short for `[{who: mallory, …}]` */
    const char *fallback;         /* default as it would be written; NULL: none, or `computed` */
    const char *computed;         /* how the default is found, for the reference */
    int64_t min, max;             /* numbers, quantities (base unit), texts (octets); max 0: no range */
    const scn_quantity *quantity; /* QUANTITY */
    const scn_word *words;        /* ENUM, WORD, WORDS; ends with a NULL text */
    const struct scn_section *section;
    scn_expect_kind expect; /* bounds */
    const char *meaning;
} scn_field;

/* A mapping. `other`: keys that are no fields are names of elements of that section, kept in a raw_list. */
typedef struct scn_section {
    const char *what; /* "a link class" */
    const scn_field *fields;
    size_t count, size; /* of fields; octets of the raw struct */
    const struct scn_section *other;
    size_t other_offset, other_name_offset; /* the list here; the name in an element */
    const char *other_word;                 /* "<class>" in the reference */
    bool optional; /* absent from the file it has no values: neither defaults nor required keys */
    const char *meaning;
} scn_section;

extern const scn_section scn_root_section;

/* Parses one scalar into *at; reports and returns false if it does not fit. `path` names the place. */
bool scn_value_read(scn_ctx *ctx, void *at, const scn_field *field, const scn_node *node, const char *path);
/* The text that reads back as the value, quoted for YAML where needed; in the arena. */
const char *scn_value_text(scn_arena *arena, const scn_field *field, const void *at);
/* For humans: "time, e.g. 20 ms", "0 s to 1 h". */
const char *scn_type_text(scn_arena *arena, const scn_field *field);
const char *scn_range_text(scn_arena *arena, const scn_field *field); /* "" if there is none to tell */

uint64_t scn_uint_load(const void *at, size_t width);
void scn_uint_store(void *at, size_t width, uint64_t value);

/* Tree to raw struct, defaults filled in. At the top, `path` is "". */
void scn_convert(scn_ctx *ctx, void *raw, const scn_section *section, scn_node *node, const char *path);

/* ---- raw structs: each begins with its head --------------------------------------------------------------
 */

typedef struct raw_head {
    const scn_node *node; /* NULL: the section is absent from the file */
    uint64_t given;       /* bit i: fields[i] has a value, from the file or by default */
} raw_head;

typedef struct raw_list {
    void *items;
    size_t count;
} raw_list;

typedef struct raw_key {
    bool automatic;
    ibk_span octets;
} raw_key;

typedef struct raw_link {
    raw_head head;
    scn_link link;
} raw_link;

typedef struct raw_links {
    raw_head head;
    raw_link access, core, interconnect;
    raw_list others; /* raw_link */
} raw_links;

typedef struct raw_network {
    raw_head head;
    scn_network network;
} raw_network;

typedef struct raw_outage {
    raw_head head;
    scn_outage outage;
} raw_outage;

typedef struct raw_kms {
    raw_head head;
    scn_kms kms;
    raw_outage outage;
} raw_kms;

typedef struct raw_mikey {
    raw_head head;
    scn_mikey mikey;
} raw_mikey;

typedef struct raw_domain {
    raw_head head;
    const char *name;
    scn_forking forking;
    uint64_t forking_timeout_ns;
    raw_kms kms;
    raw_mikey mikey;
} raw_domain;

typedef struct raw_divert {
    raw_head head;
    const char *to; /* with {n} */
    scn_divert divert;
} raw_divert;

typedef struct raw_identity {
    raw_head head;
    const char *identity; /* with {n} */
} raw_identity;

typedef struct raw_user {
    raw_head head;
    scn_user user; /* texts with {n} */
    const char *domain, *link, *contact_of;
    raw_divert divert;
    raw_list identities; /* raw_identity */
    raw_key psk, kms_psk;
    uint64_t group, every_ns;
    size_t first, count; /* of scn_scenario.users, set by expand.c */
} raw_user;

typedef struct raw_media {
    raw_head head;
    scn_media media;
} raw_media;

typedef struct raw_action {
    raw_head head;
    scn_action action;
    uint64_t count, every_ns;
} raw_action;

typedef struct raw_vanish {
    raw_head head;
    scn_party who;
    uint64_t after_ns;
} raw_vanish;

typedef struct raw_call {
    raw_head head;
    scn_call call;
    const char *from, *to;
    raw_media media;
    raw_list actions; /* raw_action */
    raw_vanish vanish;
    uint64_t group, every_ns;
    size_t first, count;
} raw_call;

typedef struct raw_seat {
    raw_head head;
    const char *link, *node, *ue; /* one of them */
    uint64_t from_ns, until_ns;
} raw_seat;

typedef struct raw_holding {
    raw_head head;
    const char *private_key, *master_secret, *psk, *generator, *memory, *session_keys, *session_key; /* one */
    int64_t date_utc_ns;
    uint64_t from_ns;
} raw_holding;

typedef struct raw_rogue_kms {
    raw_head head;
    scn_rogue_kms kms;
    const char *impersonates;
} raw_rogue_kms;

/* What a key means depends on the action in some: those are texts here. */
typedef struct raw_rule {
    raw_head head;
    scn_rule rule; /* those that do not */
    const char *on, *call;
    const char *value, *payload, *before, *point_i, *point_r, *inner_i, *inner_r;
    const char *for_, *parameters_of, *message;
} raw_rule;

typedef struct raw_adversary {
    raw_head head;
    const char *name, *attached_to;
    raw_list seats, holdings, rules; /* raw_seat, raw_holding, raw_rule */
    scn_cpu cpu;
    uint32_t cores;
    raw_rogue_kms kms;
} raw_adversary;

typedef struct raw_expect {
    raw_head head;
    const char *name; /* of the call or user, NULL for all of them */
    scn_bound bounds[SCN_EXPECT_KINDS];
} raw_expect;

typedef struct raw_expect_named {
    raw_head head;
    raw_list others; /* raw_expect */
} raw_expect_named;

typedef struct raw_knowledge {
    raw_head head;
    const char *who, *call;
    uint64_t learns, lacks;
} raw_knowledge;

typedef struct raw_expects {
    raw_head head;
    raw_list knowledge; /* raw_knowledge */
    raw_expect calls, users, security, network;
    raw_expect_named call, user, kms, adversary;
} raw_expects;

typedef struct raw_scenario {
    raw_head head;
    const char *extends; /* never given: scn_extend takes the key away */
    uint64_t version, seed, time_limit_ns;
    const char *title, *description;
    int64_t start_utc_ns;
    raw_network network;
    raw_links links;
    raw_list domains, users, calls; /* raw_domain, raw_user, raw_call */
    raw_list adversaries;           /* raw_adversary */
    raw_expects expect;
} raw_scenario;

/* The field of a key; NULL: none. */
const scn_field *scn_field_of(const scn_section *section, const char *key);
/* Marks a default as filled in by the caller. */
void scn_give(const scn_section *section, raw_head *head, const char *key);
/* Was the key written in the file (or a --set)? Where; else the entry itself. */
bool scn_written(const raw_head *head, const char *key);
const scn_where *scn_where_of(const raw_head *head, const char *key);

/* Raw to model; reports what refers to nothing or contradicts itself. Each step needs those before it. */
void scn_expand(scn_ctx *ctx, scn_scenario *out, raw_scenario *raw);
void scn_expand_domains(scn_ctx *ctx, scn_scenario *out, raw_scenario *raw);
void scn_expand_users(scn_ctx *ctx, scn_scenario *out, raw_scenario *raw);
void scn_expand_relations(scn_ctx *ctx, scn_scenario *out, raw_scenario *raw); /* between users */
void scn_expand_calls(scn_ctx *ctx, scn_scenario *out, raw_scenario *raw);
void scn_expand_adversaries(scn_ctx *ctx, scn_scenario *out, raw_scenario *raw);
void scn_expand_expectations(scn_ctx *ctx, scn_scenario *out, raw_scenario *raw);
void scn_expand_knowledge(scn_ctx *ctx, scn_scenario *out, raw_scenario *raw); /* a part of it */
/* The users that an entry of the file, or one user, has the name of; false: none. */
bool scn_users_named(const scn_scenario *s, const raw_scenario *raw, const char *name, size_t *first,
                     size_t *count);

struct scn_file {
    scn_arena arena;
    raw_scenario raw;
};

#endif
