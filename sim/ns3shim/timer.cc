// Timers: slots that are used again, told apart by a generation number.
#include "ns3shim/internal.h"

#include "ns3/simulator.h"

using namespace n3;

namespace {

n3_timer id_of(const n3_sim *sim, uint32_t slot) {
    return static_cast<uint64_t>(sim->timers[slot].generation) << 32 | (slot + 1);
}

// The pending timer's slot, or -1.
int64_t slot_of(const n3_sim *sim, n3_timer timer) {
    uint64_t slot = (timer & 0xffffffff) - 1;
    if (!timer || slot >= sim->timers.size() || !sim->timers[slot].fn ||
        sim->timers[slot].generation != timer >> 32) {
        return -1;
    }
    return static_cast<int64_t>(slot);
}

void give_back(n3_sim *sim, uint32_t slot) {
    TimerSlot &timer = sim->timers[slot];
    timer.fn = nullptr;
    timer.event = ns3::EventId();
    if (++timer.generation != 0) { // a slot whose numbers are used up is not used again
        timer.next_free = sim->free_timer;
        sim->free_timer = slot + 1;
    }
}

void fire(n3_sim *sim, uint32_t slot) {
    n3_timer_fn fn = sim->timers[slot].fn;
    void *user = sim->timers[slot].user;
    give_back(sim, slot);
    fn(user);
}

uint32_t take_slot(n3_sim *sim) {
    if (sim->free_timer) {
        uint32_t slot = sim->free_timer - 1;
        sim->free_timer = sim->timers[slot].next_free;
        return slot;
    }
    if (sim->timers.size() >= 0xfffffffe) {
        fail(N3_ERR_LIMIT, "too many timers");
    }
    sim->timers.emplace_back();
    return static_cast<uint32_t>(sim->timers.size() - 1);
}

} // namespace

extern "C" {

n3_status n3_schedule(n3_sim *sim, n3_timer *out, uint64_t delay_ns, n3_timer_fn fn, void *user) {
    return guard([&] {
        if (out) {
            *out = 0;
        }
        require_sim(sim);
        N3_REQUIRE(fn, "n3_schedule: no function to call");
        ns3::Time delay = require_delay(delay_ns);
        uint32_t slot = take_slot(sim);
        sim->timers[slot].fn = fn;
        sim->timers[slot].user = user;
        sim->timers[slot].event = ns3::Simulator::Schedule(delay, &fire, sim, slot);
        if (out) {
            *out = id_of(sim, slot);
        }
    });
}

bool n3_cancel(n3_sim *sim, n3_timer timer) {
    bool was_pending = false;
    quiet([&] {
        require_sim(sim);
        int64_t slot = slot_of(sim, timer);
        if (slot >= 0) {
            // Removed, not only cancelled: a run until nothing is left must not wait for it.
            ns3::Simulator::Remove(sim->timers[static_cast<size_t>(slot)].event);
            give_back(sim, static_cast<uint32_t>(slot));
            was_pending = true;
        }
    });
    return was_pending;
}

bool n3_pending(const n3_sim *sim, n3_timer timer) {
    return sim && sim == current_sim() && slot_of(sim, timer) >= 0;
}

uint64_t n3_timer_due(const n3_sim *sim, n3_timer timer) {
    if (!n3_pending(sim, timer)) {
        return UINT64_MAX;
    }
    return sim->timers[static_cast<size_t>(slot_of(sim, timer))].event.GetTs();
}
}
