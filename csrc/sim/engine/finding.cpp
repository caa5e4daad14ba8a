// The findings since somebody last took them, each once, as sentences and as JSON. Knows nothing of how they were found.
#include "finding.h"

#include <link.h>

#include <cstdio>
#include <map>
#include <mutex>
#include <utility>

#include "ledger.h"
#include "spak/sim/report.h"
#include "unit.h"

namespace spak::sim {

namespace {

constexpr unsigned kMaxPerLaunch = 100;
constexpr std::size_t kMaxKept = 1000;  // where nobody takes them

struct Entry {
  std::string kernel;
  Finding finding;
};

struct Ledger {
  std::mutex mutex;
  std::vector<Entry> entries;
  std::map<std::string, std::size_t> known;  // key -> index
  std::map<std::uint64_t, unsigned> of_launch;
};
Ledger& ledger() {
  static Ledger* const one = new Ledger;  // outlives every destructor of the program
  return *one;
}

std::string key_of(const std::string& kernel, const Finding& finding) {
  std::string key = kernel + '\n' + finding.rule;
  for (const Party& party : finding.parties) {
    char pc[24];
    std::snprintf(pc, sizeof pc, "%p", party.place.pc);
    key += '\n' + party.role + '|' + (party.place.site.file ? party.place.site.file : "") + ':' +
           std::to_string(party.place.site.line) + '|' + pc;
  }
  if (finding.parties.empty()) key += finding.sentence;
  return key;
}

void quote(std::string& out, const std::string& text) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\')
      out += '\\', out += c;
    else if (c == '\n')
      out += "\\n";
    else if (static_cast<unsigned char>(c) < 0x20) {
      char code[8];
      std::snprintf(code, sizeof code, "\\u%04x", c);
      out += code;
    } else
      out += c;
  }
  out += '"';
}

// The address that the module's line table knows this instruction by.
std::uintptr_t in_module(const void* pc) {
  struct Search {
    std::uintptr_t pc, found;
  } search{reinterpret_cast<std::uintptr_t>(pc), reinterpret_cast<std::uintptr_t>(pc)};
  dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* data) {
        auto& wanted = *static_cast<Search*>(data);
        for (int i = 0; i < info->dlpi_phnum; ++i) {
          const auto& part = info->dlpi_phdr[i];
          const std::uintptr_t begin = info->dlpi_addr + part.p_vaddr;
          if (part.p_type != PT_LOAD || wanted.pc < begin || wanted.pc >= begin + part.p_memsz) continue;
          wanted.found = wanted.pc - info->dlpi_addr;
          return 1;
        }
        return 0;
      },
      &search);
  return search.found;
}

void write(std::string& out, const Party& party) {
  const auto text = [&](const char* name, const std::string& value) {
    out += std::string(",\"") + name + "\":";
    quote(out, value);
  };
  out += "{\"role\":";
  quote(out, party.role);
  if (party.place.site.file) {
    text("file", party.place.site.file);
    out += ",\"line\":" + std::to_string(party.place.site.line);
  } else {
    out += ",\"file\":null,\"line\":null";
  }
  if (party.place.pc) {
    char pc[24];
    std::snprintf(pc, sizeof pc, "0x%zx", static_cast<std::size_t>(in_module(party.place.pc)));
    text("pc", pc);
  } else {
    out += ",\"pc\":null";
  }
  text("threads", party.threads);
  text("what", party.what);
  out += '}';
}

std::string place(const Place& where) {
  return where.site.file ? std::string(where.site.file) + ":" + std::to_string(where.site.line) : std::string();
}

}  // namespace

std::string sentence_of(const char* kernel, const Finding& finding) {
  std::string out = "kernel `" + std::string(kernel) + "`";
  const auto add = [&](const std::string& text, const char* before) {
    if (!text.empty()) out += before + text;
  };
  if (finding.parties.size() == 1) add(finding.parties[0].threads, ", ");
  if (!finding.parties.empty() && !finding.parties[0].place.pc) add(place(finding.parties[0].place), ": ");
  if (finding.parties.size() == 1) add(finding.parties[0].what, ": ");
  out += ": " + finding.sentence;
  for (const Party& party : finding.parties) {
    if (finding.parties.size() == 1) break;
    out += "\n    " + party.threads + (party.threads.empty() ? "" : ": ") + party.role;
    add(party.what, " ");
    add(place(party.place), ", ");
  }
  add(finding.hint, "\n    hint: ");
  return out;
}

void record(const std::string& kernel, std::uint64_t launch, Finding finding) {
  Ledger& all = ledger();
  std::string key = key_of(kernel, finding);
  const std::lock_guard lock(all.mutex);
  if (const auto known = all.known.find(key); known != all.known.end()) {
    all.entries[known->second].finding.count += finding.count;
    return;
  }
  if (all.entries.size() >= kMaxKept || ++all.of_launch[launch] > kMaxPerLaunch) return;
  all.known.emplace(std::move(key), all.entries.size());
  all.entries.push_back({kernel, std::move(finding)});
}

void report(Finding finding) {
  const Job* job = running ? &running->job() : nullptr;
  record(job ? job->config.name : "", job ? job->number : 0, std::move(finding));
}

// From inside a thread there is no unwinding: device code owns nothing, and some of it is noexcept.
void stop(Finding finding) {
  Stop all(running ? running->job().config.name : "", std::move(finding));
  if (running && current) running->abandon(std::move(all));
  throw all;
}

std::uintptr_t module_offset(const void* pc) { return in_module(pc); }

Stop::Stop(const char* kernel, Finding finding_)
    : Fault(finding_.rule, sentence_of(kernel, finding_)), finding(std::move(finding_)) {}

std::string take_findings() {
  std::vector<Entry> entries;
  {
    Ledger& all = ledger();
    const std::lock_guard lock(all.mutex);
    entries.swap(all.entries);
    all.known.clear();
    all.of_launch.clear();
  }
  std::string out = "[";
  for (const Entry& entry : entries) {
    if (out.size() > 1) out += ',';
    out += "{\"rule\":";
    quote(out, entry.finding.rule);
    out += ",\"sentence\":";
    quote(out, entry.finding.sentence);
    out += ",\"hint\":";
    quote(out, entry.finding.hint);
    out += ",\"count\":" + std::to_string(entry.finding.count) + ",\"kernel\":";
    quote(out, entry.kernel);
    out += ",\"parties\":[";
    bool first = true;
    for (const Party& party : entry.finding.parties) {
      if (!std::exchange(first, false)) out += ',';
      write(out, party);
    }
    out += "]}";
  }
  return out + "]";
}

// The profiler has its own, where it is linked.
__attribute__((weak)) std::string take_counters() { return "[]"; }

}  // namespace spak::sim
