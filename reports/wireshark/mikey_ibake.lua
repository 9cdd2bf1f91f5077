-- MIKEY-IBAKE (RFC 6267) in Wireshark: messages, payloads, fields to filter by, and what breaks a rule.
--
-- Wireshark's own dissector "mikey" knows RFC 3830 and parts of RFC 6043. This one takes its places (a=key-mgmt:mikey in
-- SDP, application/mikey in HTTP, UDP and TCP port 2269), because only there it gets the octets of a message, those out of
-- base64 too; a post-dissector would not. The tree of Wireshark's own is still shown for the messages that it knows (data
-- types 0 to 18), or always, or never: a preference. Installing, filters, colours: docs/wireshark.md.
--
-- Nothing here trusts a length: a cursor reads the octets of a message, `need` refuses what passes their end, and a message
-- has at most MAX_OCTETS and MAX_PAYLOADS. What is remembered between messages is bounded, too.
--
-- mikey_ibake_*.lua are parts of this script and must lie beside it. Wireshark loads them by themselves as well, which does
-- nothing.

local function part(name)
    return dofile(__DIR__ .. package.config:sub(1, 1) .. name)
end
local rules, decoded = part("mikey_ibake_rules.lua"), part("mikey_ibake_decoded.lua")
local ciphertext = part("mikey_ibake_der.lua").ciphertext

local mikey = Proto("mikey_ibake", "MIKEY-IBAKE")
local PORT = 2269
local MAX_OCTETS, MAX_PAYLOADS, MAX_CONTENT = 262144, 1024, 65535

---- Registered values (IANA "Multimedia Internet KEYing (MIKEY) Payload Name Spaces") ----------------------------------

local MESSAGE = {[0] = "PSK init", "PSK ver msg", "PK init", "PK ver msg", "D-H init", "D-H resp", "Error", "DHHMAC init",
    "DHHMAC resp", "RSA-R I_MSG", "RSA-R R_MSG", "REQUEST_INIT_PSK", "REQUEST_INIT_PK", "REQUEST_RESP", "TRANSFER_INIT",
    "TRANSFER_RESP", "RESOLVE_INIT_PSK", "RESOLVE_INIT_PK", "RESOLVE_RESP", "REQUEST_KEY_PSK", "REQUEST_KEY_PKE",
    "REQUEST_KEY_RESP", "I_MESSAGE_1", "R_MESSAGE_1", "I_MESSAGE_2", "R_MESSAGE_2"}
local PAYLOAD = {[0] = "Last payload", "KEMAC", "PKE", "DH", "SIGN", "T", "ID", "CERT", "CHASH", "V", "SP", "RAND", "ERR",
    "TR", "IDR", "RANDR", [20] = "Key data", [21] = "General Extension", [22] = "IBAKE", [23] = "ESK", [24] = "SK",
    [25] = "ECCPT"}
local V_FLAG = {[0] = "no response expected", "response expected"}
local PRF = {[0] = "MIKEY-1", "PRF-HMAC-SHA-256"}
local MAP = {[0] = "SRTP-ID", "Empty map", "GENERIC-ID"}
local ENCR = {[0] = "NULL", "AES-CM-128", "AES-KW-128", "AES-CM-256"}
local MAC = {[0] = "NULL", "HMAC-SHA-1-160", "HMAC-SHA-256-256"}
local TS_TYPE = {[0] = "NTP-UTC", "NTP", "COUNTER", "NTP-UTC-32"}
local TS_ROLE = {"Time of issue", "Start of validity period", "End of validity period", "Rekeying interval"}
local ROLE = {"Initiator", "Responder", "KMS", "Pre-Shared Key", "Application"}
local ID_TYPE = {[0] = "NAI", "URI", "Byte string"}
local CERT_TYPE = {[0] = "X.509v3", "X.509v3 URL", "X.509v3 Sign", "X.509v3 Encr"}
local HASH = {[0] = "SHA-1", "MD5", "SHA-256"}
local SIGNATURE = {[0] = "RSA/PKCS#1/1.5", "RSA/PSS"}
local CACHE = {[0] = "No cache", "Cache", "Cache for CSB"}
local GROUP = {[0] = "OAKLEY 5", "OAKLEY 1", "OAKLEY 2"}
local PROTOCOL = {[0] = "SRTP"}
local EXTENSION = {[0] = "Vendor ID", "SDP IDs", [3] = "Key ID"}
local KV = {[0] = "Null", "SPI/MKI", "Interval"}
local KEY_TYPE = {[0] = "TGK", "TGK+SALT", "TEK", "TEK+SALT", "GTGK", "GTGK+SALT", "MPK", "K_PR"}
local SK_TYPE = {"SK"}
local ERROR = {[0] = "Auth failure", "Invalid TS", "Invalid PRF", "Invalid MAC", "Invalid EA", "Invalid HA", "Invalid DH",
    "Invalid ID", "Invalid Cert", "Invalid SP", "Invalid SPpar", "Invalid DT", "Unspecified error", [14] = "Invalid TICKET",
    [15] = "Invalid TPpar"}
local CURVE = {"P-192", "B-163", "K-163", "sect163r1", "P-224", "B-233", "K-233", "P-256", "B-283", "K-283", "P-384",
    "B-409", "K-409", "P-521", "B-571", "K-571"}
local SRTP = {[0] = "Encryption algorithm", "Session encr. key length", "Authentication algorithm",
    "Session auth. key length", "Session salt key length", "SRTP pseudo-random function", "Key derivation rate",
    "SRTP encryption off/on", "SRTCP encryption off/on", "Sender's FEC order", "SRTP authentication off/on",
    "Authentication tag length", "SRTP prefix length"}

local MAC_LENGTH = {[0] = 0, 20, 32}
local HASH_LENGTH = {[0] = 20, 16, 32}
local GROUP_LENGTH = {[0] = 192, 96, 128}
local TS_LENGTH = {[0] = 8, 8, 4, 4}
local CURVE_LENGTH = {[1] = 24, [5] = 28, [8] = 32, [11] = 48, [14] = 66} -- octets of a coordinate

---- Expert information: of the rules, one for each, and three more ----------------------------------------------------------

local experts = {
    malformed = ProtoExpert.new("mikey_ibake.malformed", "Malformed MIKEY message", PI_MALFORMED, PI_ERROR),
    decoded = ProtoExpert.new("mikey_ibake.decoded.unusable", "The preference \"Decrypted content\"", PI_UNDECODED, PI_WARN),
}
for id, rule in pairs(rules.RULE) do
    experts[id] = ProtoExpert.new("mikey_ibake.rule." .. id:lower():gsub("-", "_"), id .. ": " .. rule[2], PI_PROTOCOL,
        rule[1] == "MUST" and PI_ERROR or PI_WARN)
end
mikey.experts = experts

---- Fields: named mikey_ibake.<payload>.<field>, by the same rule as `ibakelab decode --pdml` -----------------------------

local fields, by_abbreviation = {}, {}

local function slug(text)
    return (text:lower():gsub("[^a-z0-9]+", "_"):gsub("^_", ""):gsub("_$", ""))
end

-- The field of a payload; declared once, however many layouts have it.
local function declare(section, name, make, ...)
    local abbreviation = "mikey_ibake." .. slug(section) .. (name and "." .. slug(name) or "")
    if not by_abbreviation[abbreviation] then
        by_abbreviation[abbreviation] = make(abbreviation, name or section, ...)
        fields[#fields + 1] = by_abbreviation[abbreviation]
    end
    return by_abbreviation[abbreviation]
end

local f_requirement = declare("requirement", nil, ProtoField.string)
local f_message = declare("message", nil, ProtoField.string)
local f_content = declare("decrypted content", nil, ProtoField.bytes)
local f_time = declare("time", nil, ProtoField.absolute_time, base.UTC)
local f_session = declare("HDR", "crypto session", ProtoField.none)
local f_parameter = declare("SP", "parameter", ProtoField.none)

---- The cursor ---------------------------------------------------------------------------------------------------------------
-- c.octets: all octets as a string; c.tvb the same for Wireshark; c.at: octets read; c.tree: where fields go, nil in a dry
-- walk; c.value: numbers of the payload by field name; c.why, c.where, c.rule: what was wrong.

local function fail(c, why, where, rule)
    c.why, c.where, c.rule = why, where or c.at, rule
    return false
end

local function need(c, count)
    return c.at + count <= #c.octets or fail(c, "truncated")
end

local function number(c, at, width)
    local value = 0
    for i = at + 1, at + width do
        value = value * 256 + c.octets:byte(i)
    end
    return value
end

local function show(c, field, at, len)
    return c.tree and c.tree:add(field, c.tvb(at, len)) or nil
end

-- One function a kind of field; each returns false where it cannot go on.
local READ = {}

function READ.number(c, e)
    if not need(c, e.width) then
        return false
    end
    local value = number(c, c.at, e.width)
    c.value[e.name] = value
    if e.known and not e.known[value] then
        return fail(c, e.unknown, c.at)
    end
    c.item[e.name] = show(c, e.field, c.at, e.width)
    c.at = c.at + e.width
    return true
end

-- Some bits of the octets at the cursor, which it passes with the last ones only.
function READ.bits(c, e)
    if not need(c, e.width) then
        return false
    end
    local value = math.floor(number(c, c.at, e.width) / e.unit) % e.modulus
    c.value[e.name] = value
    if e.known and not e.known[value] then
        return fail(c, e.unknown, c.at)
    end
    c.item[e.name] = show(c, e.field, c.at, e.width)
    c.at = c.at + (e.last and e.width or 0)
    return true
end

function READ.octets(c, e)
    local len = type(e.len) == "function" and e.len(c) or c.value[e.len]
    if not need(c, len) then
        return false
    end
    c.place[e.name] = {c.at, len}
    if len > 0 then
        c.item[e.name] = show(c, e.field, c.at, len)
    end
    c.at = c.at + len
    return true
end

function READ.special(c, e)
    return e.read(c, e)
end

local function read(c, layout)
    for _, e in ipairs(layout) do
        if not READ[e.kind](c, e) then
            return false
        end
    end
    return true
end

---- Layouts ----------------------------------------------------------------------------------------------------------------------

local NUMBER = {ProtoField.uint8, ProtoField.uint16, nil, ProtoField.uint32}

local function power(exponent) -- 2 ^ n is no integer in newer versions of Lua
    return exponent == 0 and 1 or 2 * power(exponent - 1)
end

-- What a layout is written with. `section` is the payload's name.
local function writer(section)
    local w = {}
    function w.number(name, width, names, unknown)
        return {kind = "number", name = name, width = width, known = unknown and names, unknown = unknown,
            field = declare(section, name, NUMBER[width], base.DEC, names)}
    end
    function w.hex(name)
        return {kind = "number", name = name, width = 4, field = declare(section, name, ProtoField.uint32, base.HEX)}
    end
    function w.bits(name, width, shift, count, names, unknown)
        local unit, modulus = power(shift), power(count)
        return {kind = "bits", name = name, width = width, unit = unit, modulus = modulus, last = shift == 0,
            known = unknown and names, unknown = unknown,
            field = declare(section, name, NUMBER[width], base.DEC, names, (modulus - 1) * unit)}
    end
    function w.octets(name, len, make)
        return {kind = "octets", name = name, len = len, field = declare(section, name, make or ProtoField.bytes)}
    end
    function w.special(reader, layout)
        return {kind = "special", read = reader, layout = layout}
    end
    w.next = w.number("next payload", 1, PAYLOAD)
    -- Data behind their length of two octets.
    function w.data(length_name, name, make)
        return w.number(length_name, 2), w.octets(name, length_name, make)
    end
    return w
end

local function join(...)
    local all = {}
    for _, part in ipairs({...}) do
        for _, e in ipairs(part.kind and {part} or part) do
            all[#all + 1] = e
        end
    end
    return all
end

-- Key validity data (RFC 3830 §6.14), whose kind was read before.
local function key_validity(w)
    local layouts = {[0] = {}, {w.number("SPI length", 1), w.octets("SPI", "SPI length")},
        {w.number("VF length", 1), w.octets("valid from", "VF length"), w.number("VT length", 1),
            w.octets("valid to", "VT length")}}
    return w.special(function(c)
        return read(c, layouts[c.value.KV])
    end)
end

local function reserved_and_validity(w)
    return {w.bits("reserved", 1, 4, 4), w.bits("KV", 1, 0, 4, KV, "unknown KV type"), key_validity(w)}
end

local NTP_TO_UNIX, ERA, HALF_ERA = 2208988800, 4294967296, 2147483648

-- The timestamp as a time, in the years 1968 to 2104 (RFC 6043 §6.10).
local function show_time(c, kind, at)
    if not c.tree or kind == 2 then
        return
    end
    local seconds = number(c, at, 4)
    local fraction = kind == 3 and 0 or number(c, at + 4, 4)
    seconds = seconds + (seconds < HALF_ERA and ERA or 0) - NTP_TO_UNIX
    local nanoseconds = math.floor(fraction * 1000000000 / ERA + 0.5)
    if nanoseconds == 1000000000 then
        seconds, nanoseconds = seconds + 1, 0
    end
    c.tree:add(f_time, c.tvb(at, TS_LENGTH[kind]), NSTime.new(seconds, nanoseconds)):set_generated()
end

local function timestamp(w, section)
    local field = declare(section, "TS value", ProtoField.uint64, base.HEX)
    return {w.number("TS type", 1, TS_TYPE, "unknown timestamp type"), w.special(function(c)
        local kind = c.value["TS type"]
        local len = TS_LENGTH[kind]
        if not need(c, len) then
            return false
        end
        c.place["TS value"] = {c.at, len}
        show(c, field, c.at, len)
        show_time(c, kind, c.at)
        c.at = c.at + len
        return true
    end)}
end

local function not_empty(c)
    return c.value["RAND length"] > 0 or fail(c, "empty RAND", c.at - 1)
end

-- The parameters of an SP payload (RFC 3830 §6.10), each below the one before: type, length, value.
local function parameters(w)
    local layout = {w.number("type", 1, SRTP), w.number("length", 1), w.octets("value", "length")}
    return w.special(function(c)
        local start, stop, tree = c.at - 2, c.at + c.value["policy param length"], c.tree
        if stop > #c.octets then
            return fail(c, "truncated")
        end
        while c.at < stop do
            if stop - c.at < 2 or stop - c.at - 2 < c.octets:byte(c.at + 2) then
                c.tree = tree
                return fail(c, "the last policy parameter passes the payload's end", start)
            end
            local kind, len = c.octets:byte(c.at + 1), c.octets:byte(c.at + 2)
            c.tree = tree and tree:add(f_parameter, c.tvb(c.at, 2 + len))
            if c.tree then
                c.tree:set_text(c.value["prot type"] == 0 and SRTP[kind] or "Parameter " .. kind)
            end
            if not read(c, layout) then
                return false
            end
        end
        c.tree = tree
        return true
    end)
end

local function mac_length(name)
    return function(c)
        return MAC_LENGTH[c.value[name]]
    end
end

-- The point of ECCPT (RFC 6267 §6.1.4, P-3): its length follows from the curve and the SEC 1 tag.
local function point(w)
    local layout = {w.octets("ECC point", function(c)
        return c.value.point
    end), w.octets("padding", function(c)
        return (4 - (2 + c.value.point) % 4) % 4
    end)}
    return w.special(function(c)
        local coordinate, at = CURVE_LENGTH[c.value["ECC curve"]], c.at
        if not coordinate then
            return fail(c, "unknown or binary curve", c.at - 1, "P-3")
        end
        if not need(c, 1) then
            return false
        end
        local tag = c.octets:byte(at + 1)
        c.value.tag = tag
        c.value.point = tag == 4 and 1 + 2 * coordinate or (tag == 2 or tag == 3) and 1 + coordinate
        if not c.value.point then
            return fail(c, tag == 0 and "the point at infinity" or "the point has no SEC 1 tag 02, 03 or 04", at, "P-3")
        end
        if not read(c, layout) then
            return false
        end
        local _, good = c.octets:find("^\0*", at + c.value.point + 1)
        return good >= c.at or fail(c, "the point's padding is not zero", good, "P-3")
    end)
end

local function salt(w)
    local layout = {w.data("salt length", "salt data")}
    return w.special(function(c)
        local kind = c.value.type
        return not (kind == 1 or kind == 3 or kind == 5) or read(c, layout)
    end)
end

local OUTER, IN_IBAKE, IN_ESK, IN_KEMAC = "outer", "IBAKE", "ESK", "KEMAC"
local KIND = {} -- of payload, by number: {name, field, layout, places, closes}

local function payload(number_, places, layout_of)
    local name = PAYLOAD[number_]
    local w = writer(name)
    local kind = {name = name, field = declare(name, nil, ProtoField.none), layout = layout_of(w, name), places = {}}
    for _, place in ipairs(places) do
        kind.places[place] = true
    end
    KIND[number_] = kind
    return kind
end

payload(1, {OUTER}, function(w)
    return {w.next, w.number("encr alg", 1, ENCR), w.number("encr data length", 2),
        w.octets("encr data", "encr data length"), w.number("MAC alg", 1, MAC, "unknown MAC algorithm"),
        w.octets("MAC", mac_length("MAC alg"))}
end)
payload(2, {OUTER}, function(w)
    return {w.next, w.bits("C", 2, 14, 2, CACHE), w.bits("data length", 2, 0, 14), w.octets("data", "data length")}
end)
payload(3, {OUTER}, function(w)
    return join(w.next, w.number("DH group", 1, GROUP, "unknown DH group"), w.octets("DH value", function(c)
        return GROUP_LENGTH[c.value["DH group"]]
    end), reserved_and_validity(w))
end)
payload(4, {OUTER}, function(w)
    return {w.bits("S type", 2, 12, 4, SIGNATURE), w.bits("signature length", 2, 0, 12),
        w.octets("signature", "signature length")}
end).closes = true
payload(5, {OUTER}, function(w, name)
    return join(w.next, timestamp(w, name))
end)
payload(6, {OUTER, IN_KEMAC}, function(w)
    return {w.next, w.number("ID type", 1, ID_TYPE), w.data("ID length", "ID data", ProtoField.string)}
end)
payload(7, {OUTER}, function(w)
    return {w.next, w.number("cert type", 1, CERT_TYPE), w.data("cert length", "cert data")}
end)
payload(8, {OUTER}, function(w)
    return {w.next, w.number("hash func", 1, HASH, "unknown hash function"), w.octets("hash", function(c)
        return HASH_LENGTH[c.value["hash func"]]
    end)}
end)
payload(9, {OUTER}, function(w)
    return {w.next, w.number("auth alg", 1, MAC, "unknown MAC algorithm"), w.octets("ver data", mac_length("auth alg"))}
end).closes = true
payload(10, {OUTER}, function(w)
    return {w.next, w.number("policy no", 1), w.number("prot type", 1, PROTOCOL), w.number("policy param length", 2),
        parameters(w)}
end)
payload(11, {OUTER}, function(w)
    return {w.next, w.number("RAND length", 1), w.special(not_empty), w.octets("RAND", "RAND length")}
end)
payload(12, {OUTER}, function(w)
    return {w.next, w.number("error no", 1, ERROR), w.number("reserved", 2)}
end)
payload(13, {OUTER}, function(w, name)
    return join(w.next, w.number("TS role", 1, TS_ROLE), timestamp(w, name))
end)
payload(14, {OUTER, IN_IBAKE, IN_ESK, IN_KEMAC}, function(w)
    return {w.next, w.number("ID role", 1, ROLE), w.number("ID type", 1, ID_TYPE),
        w.data("ID length", "ID data", ProtoField.string)}
end)
payload(15, {OUTER}, function(w)
    return {w.next, w.number("RAND role", 1, ROLE), w.number("RAND length", 1), w.special(not_empty),
        w.octets("RAND", "RAND length")}
end)
payload(20, {IN_KEMAC}, function(w)
    return {w.next, w.bits("type", 1, 4, 4, KEY_TYPE, "unknown key type"), w.bits("KV", 1, 0, 4, KV, "unknown KV type"),
        w.number("key data length", 2), w.octets("key data", "key data length"), salt(w), key_validity(w)}
end)
payload(21, {OUTER}, function(w)
    return {w.next, w.number("type", 1, EXTENSION), w.data("length", "data", ProtoField.string)}
end)
for number_ = 22, 23 do
    payload(number_, {OUTER}, function(w)
        return {w.next, w.data("encr data length", "encr data")}
    end)
end
payload(24, {IN_ESK}, function(w)
    return {w.next, w.bits("type", 1, 4, 4, SK_TYPE, "unknown key type"), w.bits("KV", 1, 0, 4, KV, "unknown KV type"),
        w.number("key data length", 2), w.octets("key data", "key data length"), key_validity(w)}
end)
payload(25, {IN_IBAKE}, function(w)
    return join(w.next, w.number("ECC curve", 1, CURVE), point(w), w.number("auth alg", 1), w.number("TGK length", 2),
        reserved_and_validity(w))
end)

-- HDR (RFC 3830 §6.1) and the CS ID maps (§6.1.1, RFC 4563 §5, RFC 6043 §6.1.1).
local function session_layouts(w)
    local policies = w.number("policy no", 1)
    local srtp = {w.number("policy no", 1), w.hex("SSRC"), w.number("ROC", 4)}
    local data = w.octets("session data", "session data length")
    local srtp_data = {[4] = {w.hex("SSRC")}, [10] = {w.hex("SSRC"), w.number("ROC", 4), w.number("SEQ", 2)}}
    local generic = {w.number("CS ID", 1), w.number("prot type", 1, PROTOCOL), w.bits("S", 1, 7, 1), w.bits("#P", 1, 0, 7),
        w.special(function(c)
            for _ = 1, c.value["#P"] do
                if not READ.number(c, policies) then
                    return false
                end
            end
            return true
        end), w.number("session data length", 2), w.special(function(c)
            local len = c.value["session data length"]
            local is_srtp = c.value["prot type"] == 0 and len == (c.value.S == 1 and 10 or 4) and need(c, len)
            return is_srtp and read(c, srtp_data[len]) or not is_srtp and READ.octets(c, data)
        end), w.number("SPI length", 1), w.octets("SPI", "SPI length")}
    return {[0] = srtp, {}, generic}
end

local HDR = {name = "HDR", field = declare("HDR", nil, ProtoField.none)}
do
    local w = writer("HDR")
    local maps = session_layouts(w)
    HDR.layout = {w.number("version", 1), w.special(function(c)
            return c.value.version == 1 or fail(c, "version is not 1", 0)
        end),
        w.number("data type", 1, MESSAGE, "unknown data type"), w.next, w.bits("V", 1, 7, 1, V_FLAG),
        w.bits("PRF func", 1, 0, 7, PRF), w.hex("CSB ID"), w.number("#CS", 1),
        w.number("CS ID map type", 1, MAP, "unknown CS ID map type"), w.special(function(c)
            local tree = c.tree
            for i = 1, c.value["CS ID map type"] ~= 1 and c.value["#CS"] or 0 do
                local start = c.at
                if not need(c, 1) then
                    return false
                end
                local node = tree and tree:add(f_session, c.tvb(start)) or nil
                c.tree = node
                if not read(c, maps[c.value["CS ID map type"]]) then
                    c.tree = tree
                    return false
                end
                if node then
                    node:set_len(c.at - start)
                    node:set_text("Crypto session " .. i)
                end
            end
            c.tree = tree
            return true
        end)}
end

-- The parts of the BFCiphertextBlock inside IBAKE and ESK, in their order.
local f_ciphertext = {}
for _, name in ipairs({"version", "u x", "u y", "v", "w"}) do
    f_ciphertext[#f_ciphertext + 1] = declare("IBE", name, ProtoField.bytes)
end

---- Walks -----------------------------------------------------------------------------------------------------------------------------

local function cursor(octets, tvb)
    return {octets = octets, tvb = tvb, at = 0, value = {}, item = {}, place = {}}
end

-- The octets of a field of a payload, as a string.
local function text_of(p, name)
    local place = p.place[name]
    return place and p.octets:sub(place[1] + 1, place[1] + place[2]) or ""
end

local LABEL = {[5] = "TS type", [6] = "ID data", [12] = "error no", [14] = "ID data"}
local LABEL_NAMES = {[5] = TS_TYPE, [12] = ERROR}

local function label(p)
    local what = LABEL[p.number]
    local text = what and (LABEL_NAMES[p.number] and LABEL_NAMES[p.number][p.value[what]] or p:text(what)) or ""
    if p.number == 14 then
        text = (ROLE[p.value["ID role"]] or "?") .. ", " .. text
    end
    if text == "" then
        return p.kind.name
    end
    return p.kind.name .. ": " .. text:sub(1, 96):gsub("[^\32-\126]", "?")
end

local function read_payload(c, number_, place, tree)
    local kind = KIND[number_]
    c.payload = nil
    if not kind then
        return fail(c, "payload type " .. number_)
    elseif not kind.places[place] then
        return fail(c, kind.name .. " must not stand here", c.at, place == OUTER and (number_ == 25 and "6267-98" or
            number_ == 24 and "6267-101") or nil)
    elseif not need(c, 1) then
        return false
    end
    local p = {number = number_, kind = kind, at = c.at, octets = c.octets, text = text_of, value = {}, place = {}}
    c.value, c.item, c.place = p.value, {}, p.place
    p.node = tree and tree:add(kind.field, c.tvb(c.at)) or nil
    c.tree, c.payload = p.node, p
    local ok = read(c, kind.layout)
    p.len = c.at - p.at
    if p.node then
        p.node:set_len(math.max(p.len, 1))
        p.node:set_text(ok and label(p) or kind.name)
    end
    return ok and p
end

-- The payloads from the cursor on, the first of type `first`; c.why tells what is wrong after the last of them.
local function read_chain(c, first, place, tree)
    local list, number_ = {}, first
    while number_ ~= 0 and not c.why do
        local p = #list < MAX_PAYLOADS and read_payload(c, number_, place, tree)
        if p then
            list[#list + 1] = p
            number_ = p.value["next payload"] or 0 -- SIGN has none: it is the last
            if p.kind.closes and number_ ~= 0 then
                fail(c, "payload " .. number_ .. " follows", p.at, "3830-62")
            end
        elseif not c.why then
            fail(c, "more than " .. MAX_PAYLOADS .. " payloads")
        end
    end
    return list
end

-- HDR and the payloads behind it. Returns the header's numbers and items, and the payloads.
local function read_message(c, tree)
    local node = tree and c.tvb:len() > 0 and tree:add(HDR.field, c.tvb(0)) or nil
    c.tree = node
    local ok = read(c, HDR.layout)
    if node then
        node:set_len(math.max(c.at, 1))
        node:set_text("HDR: " .. (MESSAGE[c.value["data type"]] or "unknown"))
    end
    local value, item = c.value, c.item
    return value, item, ok and read_chain(c, value["next payload"], OUTER, tree) or {}
end

---- Dissecting --------------------------------------------------------------------------------------------------------------------------

local KNOWN, ALWAYS, NEVER = 1, 2, 3
mikey.prefs.builtin = Pref.enum("Wireshark's own MIKEY tree", KNOWN, "When the tree of Wireshark's own dissector is shown, too: " ..
    "for the messages that it knows (data types 0 to 18), always, or never",
    {{1, "known", KNOWN}, {2, "always", ALWAYS}, {3, "never", NEVER}}, true)
mikey.prefs.decoded = Pref.string("Decrypted content", "",
    "A file that `ibakelab decode --json --keylog KEYS CAPTURE` wrote; with --secrets also for what holds keys")

local builtin = Dissector.get("mikey")

local function show_builtin(tvb, pinfo, tree, kind)
    local choice = mikey.prefs.builtin
    if choice == ALWAYS or (choice == KNOWN and kind and kind < 19) then
        pcall(builtin.call, builtin, tvb, pinfo, tree) -- an error is what a malformed message is there
    end
end

local function broken(m, id, node, detail)
    local item = node or m.node
    item:add_proto_expert_info(experts[id], id .. ": " .. rules.RULE[id][2] .. (detail and " (" .. detail .. ")" or ""))
    m.node:add(f_requirement, id):set_generated()
end

local function malformed(m, c, node, what)
    node:add_proto_expert_info(experts.malformed, string.format("malformed %s, octet %d: %s",
        c.payload and c.payload.kind.name or what, c.where, c.why))
    if c.rule then
        broken(m, c.rule, node, c.why)
    end
end

-- The zero padding of AES key wrap: at most 7 octets, or up to the least length of 16.
local function is_padding(octets, at)
    local left = #octets - at
    return #octets % 8 == 0 and #octets >= 16 and (left < 8 or #octets == 16) and not octets:find("[^\0]", at + 1)
end

local PLACE = {[1] = IN_KEMAC, [22] = IN_IBAKE, [23] = IN_ESK}

local function show_content(m, p, content)
    if not content.plain then
        p.node:add("Decrypted content: " .. content.by .. " (it holds keys: decode with --secrets to see them)"):set_generated()
        return
    end
    local tvb = ByteArray.new(content.plain):tvb("Decrypted " .. p.kind.name)
    local node = p.node:add(f_content, tvb(0))
    node:set_text("Decrypted content: " .. content.by)
    local c = cursor(tvb:raw(), tvb)
    local list = read_chain(c, 14, PLACE[p.number], node)
    if not c.why and c.at < #c.octets and not (p.number == 1 and is_padding(c.octets, c.at)) then
        fail(c, #c.octets - c.at .. " octets follow")
    end
    if c.why then
        malformed(m, c, node, "content")
        broken(m, "P-4", node, c.why)
    else
        rules.judge_content(m, p, list)
    end
end

local function show_encrypted(m)
    local contents, problem = decoded.find(mikey.prefs.decoded, m.octets, m.header["CSB ID"])
    if problem then
        m.node:add_proto_expert_info(experts.decoded, problem)
    end
    for _, p in ipairs(m.payloads) do
        if p.number == 22 or p.number == 23 then
            local place = p.place["encr data"]
            local parts = ciphertext(m.octets, place[1], place[1] + place[2])
            for i, range in ipairs(parts or {}) do
                p.node:add(f_ciphertext[i], m.tvb(range[1], range[2] - range[1]))
            end
            if not parts then
                broken(m, "P-2", p.node)
            end
        end
        if contents[p.at] and PLACE[p.number] then
            show_content(m, p, contents[p.at])
        end
    end
end

-- The SIP dissector reads an offer twice, so not what stands there already.
local function show_in_list(pinfo, text)
    if not tostring(pinfo.cols.info):find(text, 1, true) then
        pinfo.cols.info:append(text)
    end
end

-- One message: all of tvb.
local function show_message(tvb, pinfo, tree)
    local m = {tvb = tvb, octets = tvb:raw(), broken = broken, frame = pinfo.number}
    local c = cursor(m.octets, tvb)
    local name = "too long"
    show_builtin(tvb, pinfo, tree, m.octets:byte(2))
    m.node = tree:add(mikey, tvb())
    if #m.octets > MAX_OCTETS then
        fail(c, #m.octets .. " octets", 0)
    else
        m.header, m.items, m.payloads = read_message(c, m.node)
        m.kind = m.header["data type"]
        name = MESSAGE[m.kind] or "unknown message"
        if not c.why and c.at < #m.octets then
            c.payload = nil
            fail(c, #m.octets - c.at .. " octets follow")
        end
    end
    m.node:add(f_message, name):set_generated()
    m.node:set_text("MIKEY-IBAKE: " .. name)
    show_in_list(pinfo, " [" .. name .. (c.why and ", malformed]" or "]"))
    if c.why then
        malformed(m, c, m.node, c.at < 10 and "HDR" or "message")
    else
        rules.judge(m)
        show_encrypted(m)
    end
end

-- RFC 3830 has no frame around a message on TCP: its end is where its chain of payloads ends.
local function show_stream(tvb, pinfo, tree)
    local octets, at = tvb:raw(), 0
    while at < #octets do
        local c = cursor(octets:sub(at + 1))
        read_message(c)
        if c.why == "truncated" and #c.octets < MAX_OCTETS then
            pinfo.desegment_offset, pinfo.desegment_len = at, DESEGMENT_ONE_MORE_SEGMENT
            return
        end
        local len = c.why and #c.octets or c.at
        show_message(tvb(at, len):tvb(), pinfo, tree)
        at = at + len
    end
end

function mikey.dissector(tvb, pinfo, tree)
    if tvb:len() == 0 then
        return 0
    end
    if pinfo.src_port == PORT or pinfo.dst_port == PORT then
        pinfo.cols.protocol, pinfo.cols.info = "MIKEY-IBAKE", ""
    end
    if pinfo.can_desegment > 0 then -- directly above TCP
        show_stream(tvb, pinfo, tree)
    else
        show_message(tvb, pinfo, tree)
    end
    return tvb:len()
end

function mikey.init()
    rules.forget()
end

mikey.fields = fields

---- SDP at the level of a medium ------------------------------------------------------------------------------------------------
-- Wireshark's SDP dissector (4.0) hands a=key-mgmt over to the table "key_mgmt" at the level of the session alone; at that
-- of a medium it shows the attribute as text. Those are read after all the dissectors.

local media = Proto("mikey_ibake_media", "MIKEY-IBAKE at the level of a medium in SDP")
local media_attribute, session_kmpid = Field.new("sdp.media_attr"), Field.new("sdp.key_mgmt.kmpid")

-- Whether the SDP dissector has handed this attribute over itself.
local function is_dissected(attribute)
    for _, kmpid in ipairs({session_kmpid()}) do
        if kmpid.offset >= attribute.offset and kmpid.offset < attribute.offset + attribute.len then
            return true
        end
    end
    return false
end

function media.dissector(_, pinfo, tree)
    for _, attribute in ipairs({media_attribute()}) do
        local data = attribute.range:string():match("^a=key%-mgmt:mikey ([%w+/=]+)")
        local octets = data and not is_dissected(attribute) and ByteArray.new(data, true):base64_decode()
        if octets and octets:len() > 0 then
            show_message(octets:tvb("Key Management Data"), pinfo, tree)
        end
    end
end

register_postdissector(media)

DissectorTable.get("key_mgmt"):add("mikey", mikey)
DissectorTable.get("media_type"):add("application/mikey", mikey)
DissectorTable.get("udp.port"):add(PORT, mikey)
DissectorTable.get("tcp.port"):add(PORT, mikey)
