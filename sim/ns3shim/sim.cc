// The simulation: one at a time, because ns-3 keeps its state in globals.
#include "ns3shim/internal.h"

#include "ns3/boolean.h"
#include "ns3/config.h"
#include "ns3/double.h"
#include "ns3/global-value.h"
#include "ns3/ipv4-address-generator.h"
#include "ns3/ipv6-address-generator.h"
#include "ns3/mac48-address.h"
#include "ns3/map-scheduler.h"
#include "ns3/names.h"
#include "ns3/nstime.h"
#include "ns3/object-factory.h"
#include "ns3/rng-seed-manager.h"
#include "ns3/simulator.h"

#include <limits>

using namespace n3;

namespace {

n3_sim *the_sim;

// ns-3's own event queue, in its own order, which we may look into: ns-3 tells nobody when its next event is.
class Queue : public ns3::MapScheduler {
  public:
    static ns3::TypeId GetTypeId() {
        static const ns3::TypeId id =
            ns3::TypeId("n3::Queue").SetParent<ns3::MapScheduler>().AddConstructor<Queue>();
        return id;
    }
    Queue() {
        current = this;
    }
    ~Queue() override {
        if (current == this) {
            current = nullptr;
        }
    }
    Queue(const Queue &) = delete;
    Queue &operator=(const Queue &) = delete;

    static const Queue *current;
};

const Queue *Queue::current;

void use_own_queue() {
    ns3::ObjectFactory factory;
    factory.SetTypeId(Queue::GetTypeId());
    ns3::Simulator::SetScheduler(factory);
}

// ns-3's generator takes seeds below its second modulus.
constexpr uint64_t SEEDS = 4294944442;

void seed_generator(const n3_sim_config &config) {
    uint64_t seed = config.seed ? config.seed - 1 : 0;
    ns3::RngSeedManager::SetSeed(static_cast<uint32_t>(seed % SEEDS + 1));
    ns3::RngSeedManager::SetRun(config.run | (seed / SEEDS) << 32);
}

void set_defaults() {
    using ns3::Config::SetDefault;
    ns3::GlobalValue::Bind("ChecksumEnabled", ns3::BooleanValue(true));
    SetDefault("ns3::Icmpv6L4Protocol::DAD", ns3::BooleanValue(false));
    SetDefault("ns3::Ipv6L3Protocol::SendIcmpv6Redirect", ns3::BooleanValue(false));
    // With time stamps on, ns-3 ignores a reset by a node that knows nothing of the connection.
    SetDefault("ns3::TcpSocketBase::Timestamp", ns3::BooleanValue(false));
    SetDefault("ns3::TcpSocketBase::MaxSegLifetime", ns3::DoubleValue(5.0));
    SetDefault("ns3::TcpSocket::ConnTimeout", ns3::TimeValue(ns3::Seconds(1))); // RFC 6298 §2.1
}

void forget_globals() {
    ns3::Names::Clear();
    ns3::Ipv4AddressGenerator::Reset();
    ns3::Ipv6AddressGenerator::Reset();
    ns3::Mac48Address::ResetAllocationIndex();
}

template <class T> void detach_all(std::set<T *> &handles) {
    while (!handles.empty()) {
        T *handle = *handles.begin();
        handles.erase(handles.begin());
        detach(handle);
    }
}

void reach_stop(n3_sim *sim) {
    sim->stop_reached = true;
    sim->queue_empty = ns3::Simulator::IsFinished();
    ns3::Simulator::Stop();
}

// Marks the time in which callbacks may come, also when an exception ends it.
class Run {
  public:
    explicit Run(n3_sim *sim) : sim_(sim), busy_(sim) {
        sim_->running = true;
        sim_->stopped = false;
        sim_->idle = false;
    }
    ~Run() {
        sim_->running = false;
    }
    Run(const Run &) = delete;
    Run &operator=(const Run &) = delete;

  private:
    n3_sim *sim_;
    Busy busy_;
};

// One ns-3 run that ends `delay` from now. False: n3_stop() ended it.
bool run_for(n3_sim *sim, const ns3::Time &delay) {
    sim->stop_reached = false;
    ns3::EventId stop = ns3::Simulator::Schedule(delay, &reach_stop, sim);
    ns3::Simulator::Run();
    if (sim->stop_reached) {
        ++sim->own_events;
    } else {
        ns3::Simulator::Remove(stop);
    }
    return !sim->stopped;
}

void run_until(n3_sim *sim, uint64_t time_ns) {
    Run run(sim);
    bool going = run_for(sim, ns(time_ns - n3_now(sim)));
    // Events of the very last instant may have come behind the stop, or may cause others.
    while (going && !sim->queue_empty) {
        uint64_t before = n3_events(sim);
        going = run_for(sim, ns(0));
        if (n3_events(sim) == before) {
            break;
        }
    }
    sim->idle = going && sim->queue_empty;
}

void check_config(const n3_sim_config &config) {
    N3_REQUIRE((config.families & ~3u) == 0, "n3_sim_new: families %u has bits beyond N3_IPV4, N3_IPV6",
               config.families);
    N3_REQUIRE(config.run <= std::numeric_limits<uint32_t>::max(),
               "n3_sim_new: the run number passes 2^32-1");
    N3_REQUIRE(config.start_utc_ns >= 0, "n3_sim_new: the start lies before 1970");
    N3_REQUIRE(static_cast<uint64_t>(config.start_utc_ns) <= N3_TIME_MAX,
               "n3_sim_new: the start lies beyond N3_TIME_MAX");
}

} // namespace

namespace n3 {

n3_sim *current_sim() {
    return the_sim;
}

void require_sim(const n3_sim *sim) {
    N3_REQUIRE(sim, "no simulation given");
    N3_REQUIRE(sim == the_sim, "this simulation is gone");
}

ns3::Time ns(uint64_t nanoseconds) {
    return ns3::NanoSeconds(nanoseconds);
}

ns3::Time require_delay(uint64_t nanoseconds) {
    N3_REQUIRE(nanoseconds <= N3_TIME_MAX && n3_now(the_sim) + nanoseconds <= N3_TIME_MAX,
               "a delay of %llu ns passes the end of time", static_cast<unsigned long long>(nanoseconds));
    return ns(nanoseconds);
}

Scratch::Scratch(n3_sim *sim) : sim_(sim), index_(sim->scratch_depth) {
    if (sim->scratch.size() == index_) {
        sim->scratch.push_back(std::make_unique<std::vector<uint8_t>>());
    }
    ++sim->scratch_depth;
}

Scratch::~Scratch() {
    --sim_->scratch_depth;
}

uint8_t *Scratch::room(size_t size) {
    std::vector<uint8_t> &buffer = *sim_->scratch[index_];
    if (buffer.size() < size || buffer.empty()) {
        buffer.resize(size + 2048);
    }
    return buffer.data();
}

const uint8_t *Scratch::copy(const ns3::Packet &packet) {
    uint8_t *out = room(packet.GetSize());
    packet.CopyData(out, packet.GetSize());
    return out;
}

} // namespace n3

extern "C" {

n3_status n3_sim_new(n3_sim **out, const n3_sim_config *config) {
    return guard([&] {
        N3_REQUIRE(out, "n3_sim_new: nowhere to put it");
        *out = nullptr;
        if (the_sim) {
            fail(N3_ERR_STATE, "another simulation lives; ns-3 has one a process at a time");
        }
        auto sim = std::make_unique<n3_sim>();
        if (config) {
            check_config(*config);
            sim->config = *config;
        }
        if (!sim->config.families) {
            sim->config.families = N3_IPV4;
        }
        set_defaults();
        forget_globals();
        seed_generator(sim->config);
        use_own_queue();
        the_sim = *out = sim.release();
    });
}

n3_status n3_sim_free(n3_sim *sim) {
    if (!sim) {
        return N3_OK;
    }
    return guard([&] {
        require_sim(sim);
        if (sim->busy) {
            fail(N3_ERR_STATE, "n3_sim_free: not inside a callback");
        }
        detach_all(sim->udp);
        detach_all(sim->tcp);
        detach_all(sim->listeners);
        detach_all(sim->captures);
        // Links and nodes must outlive what ns-3 still points to them with, but drop their references first.
        for (auto &link : sim->links) {
            for (int i = 0; i < 2; ++i) {
                link->device[i] = nullptr;
                link->loss[i] = nullptr;
                link->route4[i] = nullptr;
                link->route6[i] = nullptr;
            }
        }
        for (auto &node : sim->nodes) {
            node->node = nullptr;
            node->ipv4 = nullptr;
            node->ipv6 = nullptr;
        }
        ns3::Simulator::Destroy();
        forget_globals();
        the_sim = nullptr;
        delete sim;
    });
}

uint64_t n3_now(const n3_sim *sim) {
    return sim && sim == the_sim ? static_cast<uint64_t>(ns3::Simulator::Now().GetNanoSeconds()) : 0;
}

uint64_t n3_events(const n3_sim *sim) {
    return sim && sim == the_sim ? ns3::Simulator::GetEventCount() - sim->own_events : 0;
}

uint64_t n3_next_event(const n3_sim *sim) {
    if (!sim || sim != the_sim || !Queue::current || Queue::current->IsEmpty()) {
        return UINT64_MAX;
    }
    return Queue::current->PeekNext().key.m_ts;
}

n3_status n3_run_until(n3_sim *sim, uint64_t time_ns) {
    return guard([&] {
        require_sim(sim);
        if (sim->busy) {
            fail(N3_ERR_STATE, "n3_run_until: not inside a callback");
        }
        N3_REQUIRE(time_ns <= N3_TIME_MAX, "n3_run_until: beyond the end of time");
        N3_REQUIRE(time_ns >= n3_now(sim), "n3_run_until: %llu ns lies in the past, it is %llu",
                   static_cast<unsigned long long>(time_ns), static_cast<unsigned long long>(n3_now(sim)));
        run_until(sim, time_ns);
    });
}

n3_status n3_run(n3_sim *sim) {
    return guard([&] {
        require_sim(sim);
        if (sim->busy) {
            fail(N3_ERR_STATE, "n3_run: not inside a callback");
        }
        Run run(sim);
        ns3::Simulator::Run();
        sim->idle = !sim->stopped;
    });
}

void n3_stop(n3_sim *sim) {
    quiet([&] {
        require_sim(sim);
        if (sim->running) {
            sim->stopped = true;
            ns3::Simulator::Stop();
        }
    });
}

bool n3_stopped(const n3_sim *sim) {
    return sim && sim == the_sim && sim->stopped;
}

bool n3_idle(const n3_sim *sim) {
    return sim && sim == the_sim && sim->idle;
}
}
