// Captures: pcap files of the shim's own making (nanoseconds, little endian, DLT_PPP), so that their octets
// depend on nothing but the packets and virtual time.
#include "ns3shim/internal.h"

#include "ns3/tag.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

using namespace n3;

// No file stays open between writes: a simulation may have a capture for each of thousands of links.
struct n3_capture {
    n3_sim *sim = nullptr;
    std::string path;
    n3_capture_mode mode = N3_CAPTURE_EVERY;
    unsigned group = 0; // N3_CAPTURE_ONCE: its bit in the packets' tag
    n3_capture_fn wanted = nullptr;
    void *user = nullptr;
    std::vector<n3_link *> links;
    uint64_t packets = 0;
    std::vector<uint8_t> buffer;
    int error = 0; // the first errno; nothing is written after it
};

namespace {

constexpr size_t FLUSH_AT = 256 * 1024;
constexpr size_t PPP_HEADER = 2;
constexpr unsigned MAX_ONCE_GROUPS = 64;
constexpr uint32_t DLT_PPP = 9;
constexpr uint32_t SNAP_LENGTH = 262144;

// Travels with a packet from link to link: the N3_CAPTURE_ONCE captures that have it.
class SeenTag : public ns3::Tag {
  public:
    static ns3::TypeId GetTypeId() {
        static ns3::TypeId type = ns3::TypeId("n3::SeenTag").SetParent<ns3::Tag>().AddConstructor<SeenTag>();
        return type;
    }
    ns3::TypeId GetInstanceTypeId() const override {
        return GetTypeId();
    }
    uint32_t GetSerializedSize() const override {
        return 8;
    }
    void Serialize(ns3::TagBuffer out) const override {
        out.WriteU64(groups);
    }
    void Deserialize(ns3::TagBuffer in) override {
        groups = in.ReadU64();
    }
    void Print(std::ostream &) const override {
    }

    uint64_t groups = 0;
};

void put32(std::vector<uint8_t> &out, uint32_t value) {
    for (int shift = 0; shift < 32; shift += 8) {
        out.push_back(static_cast<uint8_t>(value >> shift));
    }
}

void put_file_header(std::vector<uint8_t> &out) {
    put32(out, 0xa1b23c4d);  // nanoseconds
    put32(out, 2 | 4 << 16); // version 2.4
    put32(out, 0);
    put32(out, 0);
    put32(out, SNAP_LENGTH);
    put32(out, DLT_PPP);
}

void flush(n3_capture *capture, const char *mode) {
    if (!capture->error) {
        errno = 0;
        FILE *file = fopen(capture->path.c_str(), mode);
        size_t len = capture->buffer.size();
        bool written = file && fwrite(capture->buffer.data(), 1, len, file) == len;
        if (file && fclose(file) != 0) {
            written = false;
        }
        if (!written) {
            capture->error = errno ? errno : EIO;
        }
    }
    capture->buffer.clear();
}

void record(n3_capture *capture, const uint8_t *frame, size_t len) {
    uint64_t time = static_cast<uint64_t>(capture->sim->config.start_utc_ns) + n3_now(capture->sim);
    put32(capture->buffer, static_cast<uint32_t>(time / 1000000000));
    put32(capture->buffer, static_cast<uint32_t>(time % 1000000000));
    put32(capture->buffer, static_cast<uint32_t>(len));
    put32(capture->buffer, static_cast<uint32_t>(len));
    capture->buffer.insert(capture->buffer.end(), frame, frame + len);
    ++capture->packets;
    if (capture->buffer.size() >= FLUSH_AT) {
        flush(capture, "ab");
    }
}

bool is_wanted(const n3_capture *capture, const n3_link *link, int direction, const uint8_t *frame,
               size_t len) {
    if (!capture->wanted) {
        return true;
    }
    Busy busy(capture->sim);
    return capture->wanted(capture->user, link, static_cast<n3_direction>(direction), frame + PPP_HEADER,
                           len - PPP_HEADER);
}

void leave_links(n3_capture *capture) {
    for (n3_link *link : capture->links) {
        auto &list = link->captures;
        list.erase(std::remove(list.begin(), list.end(), capture), list.end());
    }
    capture->links.clear();
}

void require_open(const n3_capture *capture) {
    N3_REQUIRE(capture, "no capture given");
    if (!capture->sim) {
        fail(N3_ERR_CLOSED, "the simulation of this capture is gone");
    }
}

} // namespace

namespace n3 {

void capture_frame(n3_link *link, int direction, ns3::Packet &packet, const uint8_t *frame, size_t len) {
    SeenTag seen;
    bool tagged = false, changed = false, looked = false;
    for (size_t i = 0; i < link->captures.size(); ++i) {
        n3_capture *capture = link->captures[i];
        if (capture->mode == N3_CAPTURE_ONCE) {
            if (!looked) {
                tagged = packet.PeekPacketTag(seen);
                looked = true;
            }
            if (seen.groups >> capture->group & 1) {
                continue;
            }
        }
        if (!is_wanted(capture, link, direction, frame, len)) {
            continue;
        }
        record(capture, frame, len);
        if (capture->mode == N3_CAPTURE_ONCE) {
            seen.groups |= uint64_t{1} << capture->group;
            changed = true;
        }
    }
    if (changed && tagged) {
        packet.ReplacePacketTag(seen);
    } else if (changed) {
        packet.AddPacketTag(seen);
    }
}

void detach(n3_capture *capture) {
    flush(capture, "ab");
    leave_links(capture);
    capture->sim = nullptr;
}

} // namespace n3

extern "C" {

n3_status n3_capture_new(n3_capture **out, n3_sim *sim, const char *path, n3_capture_mode mode) {
    return guard([&] {
        N3_REQUIRE(out, "n3_capture_new: nowhere to put it");
        *out = nullptr;
        require_sim(sim);
        N3_REQUIRE(path && *path, "n3_capture_new: no path given");
        N3_REQUIRE(mode == N3_CAPTURE_EVERY || mode == N3_CAPTURE_ONCE, "n3_capture_new: no such mode");
        if (mode == N3_CAPTURE_ONCE && sim->once_groups >= MAX_ONCE_GROUPS) {
            fail(N3_ERR_LIMIT, "n3_capture_new: more than %u captures of N3_CAPTURE_ONCE", MAX_ONCE_GROUPS);
        }
        auto capture = std::make_unique<n3_capture>();
        capture->sim = sim;
        capture->path = path;
        capture->mode = mode;
        put_file_header(capture->buffer);
        flush(capture.get(), "wb");
        if (capture->error) {
            fail(N3_ERR_IO, "%s: %s", path, strerror(capture->error));
        }
        if (mode == N3_CAPTURE_ONCE) {
            capture->group = sim->once_groups++;
        }
        sim->captures.insert(capture.get());
        *out = capture.release();
    });
}

n3_status n3_capture_add(n3_capture *capture, n3_link *link) {
    return guard([&] {
        require_open(capture);
        require_link(link);
        auto &list = link->captures;
        if (std::find(list.begin(), list.end(), capture) != list.end()) {
            fail(N3_ERR_STATE, "link '%s' is in this capture already", link->name.c_str());
        }
        capture->links.push_back(link);
        list.push_back(capture);
    });
}

n3_status n3_capture_filter(n3_capture *capture, n3_capture_fn wanted, void *user) {
    return guard([&] {
        require_open(capture);
        capture->wanted = wanted;
        capture->user = user;
    });
}

uint64_t n3_capture_packets(const n3_capture *capture) {
    return capture ? capture->packets : 0;
}

n3_status n3_capture_free(n3_capture *capture) {
    if (!capture) {
        return N3_OK;
    }
    return guard([&] {
        std::unique_ptr<n3_capture> owned(capture);
        if (capture->sim) {
            capture->sim->captures.erase(capture);
            detach(capture);
        }
        if (capture->error) {
            fail(N3_ERR_IO, "%s: %s", capture->path.c_str(), strerror(capture->error));
        }
    });
}
}
