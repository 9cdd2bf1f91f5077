-- Part of mikey_ibake.lua: BFCiphertextBlock in IBAKE and ESK, strict DER (P-2).

-- An element at `at` of the octets before `stop`: where its content begins and ends. Lengths in the fewest octets.
local function der_element(octets, at, stop, tag)
    local first = octets:byte(at + 2)
    if at + 2 > stop or octets:byte(at + 1) ~= tag then
        return nil
    end
    local from, len = at + 2, first
    if first >= 128 then
        local count = first - 128
        if count == 0 or count > 4 or from + count > stop then
            return nil
        end
        len = 0
        for i = 1, count do
            len = len * 256 + octets:byte(from + i)
        end
        if len < 128 or octets:byte(from + 1) == 0 then
            return nil
        end
        from = from + count
    end
    if from + len <= stop then
        return from, from + len
    end
end

-- A number that is not negative, in the fewest octets, of at most `limit` octets.
local function der_natural(octets, at, stop, limit)
    local from, after = der_element(octets, at, stop, 0x02)
    if not from or from == after then
        return nil
    end
    local first, second = octets:byte(from + 1), octets:byte(from + 2)
    if first >= 128 or (first == 0 and after - from > 1 and second < 128) then
        return nil
    end
    if after - from - (first == 0 and 1 or 0) <= limit then
        return from, after
    end
end

-- Where the contents of version, u.x, u.y, v and w begin and end; nil if it is no BFCiphertextBlock of RFC 5091 §8.
local function ciphertext(octets, at, stop)
    local from, after = der_element(octets, at, stop, 0x30)
    if not from or after ~= stop then
        return nil
    end
    local version, version_end = der_natural(octets, from, after, 8)
    if not version or version_end - version ~= 1 or octets:byte(version + 1) ~= 2 then
        return nil
    end
    local u, u_end = der_element(octets, version_end, after, 0x30)
    local x, x_end = nil, nil
    if u then
        x, x_end = der_natural(octets, u, u_end, 960)
    end
    local y, y_end = nil, nil
    if x then
        y, y_end = der_natural(octets, x_end, u_end, 960)
    end
    if not y or y_end ~= u_end then
        return nil
    end
    local v, v_end = der_element(octets, u_end, after, 0x04)
    local w, w_end = nil, nil
    if v then
        w, w_end = der_element(octets, v_end, after, 0x04)
    end
    if w and v_end - v <= 64 and w_end == after then
        return {{version, version_end}, {x, x_end}, {y, y_end}, {v, v_end}, {w, w_end}}
    end
end

return {ciphertext = ciphertext}
