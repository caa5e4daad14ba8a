// What code compiled with -fsanitize=signed-integer-overflow,integer-divide-by-zero,bounds,alignment calls when it comes to
// that: the place is in the argument. Knows nothing of memory.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "check/check.h"
#include "check/judge.h"
#include "check/machine.h"
#include "check/notes.h"
#include "check/places.h"
#include "check/states.h"

namespace spak::sim::check {

namespace {

#define SPAK_HANDLER extern "C" __attribute__((visibility("hidden"), used))

// The layouts of the compiler's arguments (the sanitizers' ubsan_value.h and ubsan_handlers.h).
struct Source {
  const char* file;
  std::uint32_t line, column;
};
struct Type {
  std::uint16_t kind, info;
  char name[1];  // quoted
};
struct Overflow {
  Source at;
  const Type* type;
};
struct Bounds {
  Source at;
  const Type* array;
  const Type* index;
};
struct Mismatch {
  Source at;
  const Type* type;
  unsigned char log_align, kind;
};

std::string name_of(const Type* type) { return type ? type->name : "?"; }

// Whatever is no wider than a register comes as it is, wider values by address.
std::string value(const Type* type, std::uintptr_t bits) {
  if (!type || type->kind != 0) return "?";
  const unsigned width = 1u << (type->info >> 1);
  const bool is_signed = type->info & 1;
  if (width > 64) return "a value of " + std::to_string(width) + " bits";
  const auto shift = 64 - width;
  const auto raw = static_cast<std::uint64_t>(bits) << shift;
  return is_signed ? std::to_string(static_cast<std::int64_t>(raw) >> shift) : std::to_string(raw >> shift);
}

// The slot of the running thread at that line; 0 outside of kernels.
Slot here_at(const Source& at) {
  if (!on() || !now.thread || counting()) return 0;
  settle_now();
  return now.me | place_of({at.file, static_cast<int>(at.line)});
}

void overflow(const Overflow& data, std::uintptr_t left, const char* sign, std::uintptr_t right) {
  const Slot mine = here_at(data.at);
  if (!mine || !seen_first("index-overflow", mine, 0)) return;
  describe(value(data.type, left) + sign + value(data.type, right) + " does not fit " + name_of(data.type),
           "compute it in 64 bits: convert one operand to long long (or std::size_t) first; use unsigned where it is "
           "meant to wrap",
           {"computes", ""});
}

void divide(const Overflow& data, std::uintptr_t left, std::uintptr_t right) {
  const Slot mine = here_at(data.at);
  if (!mine) return;
  const std::string divisor = value(data.type, right);
  if (divisor == "-1") {
    if (seen_first("arithmetic", mine, 0))
      describe(value(data.type, left) + " / -1 does not fit " + name_of(data.type), "guard the division",
               {"computes", ""});
  } else if (seen_first("arithmetic", mine, 0)) {
    describe("an integer is divided by zero: " + value(data.type, left) + " / " + divisor, "guard the division",
             {"computes", ""});
  }
  end_with_it();
}

// An index was outside its array's type. Which memory the array is in, the access that follows tells.
struct Outside {
  Slot mine = 0;
  const Type* array = nullptr;
  std::string index;
};
Outside outside;

void bounds(const Bounds& data, std::uintptr_t index) {
  const Slot mine = here_at(data.at);
  if (!mine) return;
  outside.mine = mine;
  outside.array = data.array;
  outside.index = value(data.index, index);
  take_the_long_way();
}

// The bytes of a type like "float [17]", where its element is a fundamental type; else 0.
std::size_t bytes_of(const std::string& array) {
  static const struct {
    const char* name;
    std::size_t size;
  } elements[] = {{"'float [", 4}, {"'int [", 4},           {"'unsigned int [", 4}, {"'double [", 8},
                  {"'char [", 1},  {"'unsigned char [", 1}, {"'short int [", 2}};
  for (const auto& element : elements)
    if (array.starts_with(element.name))
      return element.size * std::strtoull(array.c_str() + std::string(element.name).size(), nullptr, 10);
  return 0;
}

void mismatch(const Mismatch& data, std::uintptr_t pointer) {
  const std::uintptr_t align = std::uintptr_t{1} << data.log_align;
  if (pointer % align == 0 || !pointer) return;
  const Slot mine = here_at(data.at);
  if (!mine) return;
  static const char* const verbs[] = {"reads", "writes", "binds a reference to", "calls a member of",
                                      "calls a member of"};
  if (seen_first("misaligned", mine, 0))
    describe("an access as " + name_of(data.type) + " at an address that is not a multiple of " + std::to_string(align),
             "align the data to " + std::to_string(align) + " bytes, or access it in smaller pieces",
             {verbs[data.kind < 5 ? data.kind : 0], name_bytes(pointer, align)});
  end_with_it();
}

}  // namespace

bool array_pending() { return outside.mine != 0; }

void settle_array(std::uintptr_t address) {
  const Slot mine = outside.mine;
  outside.mine = 0;
  const BlockState& block = *now.thread->block;
  const Variable* variable = address ? block.variable_at(address) : nullptr;
  if (const std::size_t bytes = bytes_of(name_of(outside.array)); variable && bytes && variable->size % bytes)
    variable = nullptr;
  const std::string sentence = "index " + outside.index + " is outside an array of type " + name_of(outside.array);
  if (variable) {
    if (!seen_first("shared-overflow", mine, 0)) return;
    describe(sentence, "check the index, or enlarge the array",
             {"indexes", std::string("`") + variable->site->name + "`"});
    describe_place("declares", {variable->site->site, nullptr},
                   std::string("`") + variable->site->name + "`, " + bytes_text(variable->size));
    return;
  }
  if (seen_first("local-out-of-bounds", mine, 0))
    describe(sentence, "check the index, or enlarge the array", {"indexes", ""});
  if (address) end_with_it();
}

SPAK_HANDLER void __ubsan_handle_add_overflow(Overflow* data, std::uintptr_t a, std::uintptr_t b) {
  overflow(*data, a, " + ", b);
}
SPAK_HANDLER void __ubsan_handle_sub_overflow(Overflow* data, std::uintptr_t a, std::uintptr_t b) {
  overflow(*data, a, " - ", b);
}
SPAK_HANDLER void __ubsan_handle_mul_overflow(Overflow* data, std::uintptr_t a, std::uintptr_t b) {
  overflow(*data, a, " * ", b);
}
SPAK_HANDLER void __ubsan_handle_negate_overflow(Overflow* data, std::uintptr_t a) { overflow(*data, 0, " - ", a); }
SPAK_HANDLER void __ubsan_handle_divrem_overflow(Overflow* data, std::uintptr_t a, std::uintptr_t b) {
  divide(*data, a, b);
}
SPAK_HANDLER void __ubsan_handle_out_of_bounds(Bounds* data, std::uintptr_t index) { bounds(*data, index); }
SPAK_HANDLER void __ubsan_handle_type_mismatch_v1(Mismatch* data, std::uintptr_t pointer) { mismatch(*data, pointer); }

// The forms of -fno-sanitize-recover: outside of kernels they end the program.
SPAK_HANDLER void __ubsan_handle_add_overflow_abort(Overflow* data, std::uintptr_t a, std::uintptr_t b) {
  overflow(*data, a, " + ", b), std::abort();
}
SPAK_HANDLER void __ubsan_handle_sub_overflow_abort(Overflow* data, std::uintptr_t a, std::uintptr_t b) {
  overflow(*data, a, " - ", b), std::abort();
}
SPAK_HANDLER void __ubsan_handle_mul_overflow_abort(Overflow* data, std::uintptr_t a, std::uintptr_t b) {
  overflow(*data, a, " * ", b), std::abort();
}
SPAK_HANDLER void __ubsan_handle_negate_overflow_abort(Overflow* data, std::uintptr_t a) {
  overflow(*data, 0, " - ", a), std::abort();
}
SPAK_HANDLER void __ubsan_handle_divrem_overflow_abort(Overflow* data, std::uintptr_t a, std::uintptr_t b) {
  divide(*data, a, b), std::abort();
}
SPAK_HANDLER void __ubsan_handle_out_of_bounds_abort(Bounds* data, std::uintptr_t index) {
  bounds(*data, index), std::abort();
}
SPAK_HANDLER void __ubsan_handle_type_mismatch_v1_abort(Mismatch* data, std::uintptr_t pointer) {
  mismatch(*data, pointer), std::abort();
}

}  // namespace spak::sim::check
