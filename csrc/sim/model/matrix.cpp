// 8x8 matrices between shared memory and the registers of a warp (PTX ISA: ldmatrix, stmatrix, movmatrix). Knows nothing of
// products.
#include "spak/sim/model/matrix.h"

#include <cstring>

#include "check/check.h"
#include "profile/profile.h"
#include "whole_warp.h"

#pragma GCC visibility push(hidden)
namespace spak::sim {

namespace {

constexpr std::uint32_t kAll = 0xFFFFFFFFu;

// What one lane brings: the address of its row, where the instruction looks at it, and its registers.
struct MatrixLane {
  char* row;
  std::uint32_t* r;
  unsigned count;
};

using Matrix = std::uint16_t[8][8];

const MatrixLane& lane_of(void* const* arguments, unsigned lane) {
  return *static_cast<const MatrixLane*>(arguments[lane]);
}

// The fragment of lane l is row l / 4, elements 2 * (l % 4) and 2 * (l % 4) + 1.
template <bool Transposed>
std::uint32_t part(const Matrix& matrix, unsigned lane) {
  const unsigned row = lane / 4, column = 2 * (lane % 4);
  const std::uint32_t low = Transposed ? matrix[column][row] : matrix[row][column];
  const std::uint32_t high = Transposed ? matrix[column + 1][row] : matrix[row][column + 1];
  return low | high << 16;
}

template <bool Transposed>
void put(Matrix& matrix, unsigned lane, std::uint32_t value) {
  const unsigned row = lane / 4, column = 2 * (lane % 4);
  (Transposed ? matrix[column][row] : matrix[row][column]) = static_cast<std::uint16_t>(value);
  (Transposed ? matrix[column + 1][row] : matrix[row][column + 1]) = static_cast<std::uint16_t>(value >> 16);
}

// Lanes are together in the instruction, which orders no memory among them: what a lane gets must be ordered before the lane
// itself, whichever gave the address.
template <bool Transposed>
void tell_receivers(void* const* arguments, unsigned i) {
  const Thread& one = self();
  for (unsigned lane = 0; lane < 32; ++lane) {
    const Thread& to = self().owner().thread(one.index - one.lane + lane);
    const unsigned row = 8 * i + (Transposed ? 2 * (lane % 4) : lane / 4);
    const unsigned word = Transposed ? lane / 8 : lane % 4;
    check::hand_over(lane_of(arguments, row).row + 4 * word, to);
    if (Transposed) check::hand_over(lane_of(arguments, row + 1).row + 4 * word, to);
  }
}

template <bool Transposed>
void load(void* const* arguments, std::uint32_t arrived) {
  require_whole_warp(arrived, "ldmatrix");
  if (check::on())
    for (unsigned i = 0; i < lane_of(arguments, 0).count; ++i) tell_receivers<Transposed>(arguments, i);
  for (unsigned i = 0; i < lane_of(arguments, 0).count; ++i) {
    Matrix matrix;
    for (unsigned row = 0; row < 8; ++row) std::memcpy(matrix[row], lane_of(arguments, 8 * i + row).row, 16);
    for (unsigned lane = 0; lane < 32; ++lane) lane_of(arguments, lane).r[i] = part<Transposed>(matrix, lane);
  }
}

template <bool Transposed>
void store(void* const* arguments, std::uint32_t arrived) {
  require_whole_warp(arrived, "stmatrix");
  for (unsigned i = 0; i < lane_of(arguments, 0).count; ++i) {
    Matrix matrix;
    for (unsigned lane = 0; lane < 32; ++lane) put<Transposed>(matrix, lane, lane_of(arguments, lane).r[i]);
    for (unsigned row = 0; row < 8; ++row) std::memcpy(lane_of(arguments, 8 * i + row).row, matrix[row], 16);
  }
}

void transpose(void* const* arguments, std::uint32_t arrived) {
  require_whole_warp(arrived, "movmatrix");
  Matrix matrix;
  for (unsigned lane = 0; lane < 32; ++lane) put<false>(matrix, lane, *lane_of(arguments, lane).r);
  for (unsigned lane = 0; lane < 32; ++lane) *lane_of(arguments, lane).r = part<true>(matrix, lane);
}

bool gives_row(unsigned count) { return current->lane < 8 * count; }

// The row at a 32-bit address, or null where this lane's address is not looked at.
char* row_at(std::uint32_t address, unsigned count, const char* misaligned, Site site) {
  if (!gives_row(count)) return nullptr;
  if (address % 16 != 0) fail("misaligned", misaligned, site);
  return static_cast<char*>(shared_pointer(address, 16, site));
}

const char* const kLoadMisaligned = "ldmatrix from a row that does not begin at a multiple of 16 bytes";
const char* const kStoreMisaligned = "stmatrix to a row that does not begin at a multiple of 16 bytes";

// Told by each lane that gives a row; `pc` is where the kernel calls.
void tell(char* row, bool write, const void* pc, Site site) {
  if (current->lane == 0) profile::event(profile::Event::matrix_loads);
  if (row == nullptr) return;
  if (profile::on()) profile::access(row, 16, write ? profile::Kind::write : profile::Kind::read, pc);
  if (!check::on()) return;
  if (write)
    check::write(row, 16, site);
  else
    check::read(row, 16, site);
}

void issue_load(std::uint32_t* r, unsigned count, bool transposed, std::uint32_t row, const void* pc, Site site) {
  MatrixLane lane{row_at(row, count, kLoadMisaligned, site), r, count};
  tell(lane.row, false, pc, site);
  static const char* const names[] = {"ldmatrix.x1", "ldmatrix.x2", "", "ldmatrix.x4"};
  static const char* const transposed_names[] = {"ldmatrix.x1.trans", "ldmatrix.x2.trans", "", "ldmatrix.x4.trans"};
  if (transposed)
    together_warp(transposed_names[count - 1], kAll, &lane, load<true>, site);
  else
    together_warp(names[count - 1], kAll, &lane, load<false>, site);
}

void issue_store(std::uint32_t row, const std::uint32_t* r, unsigned count, bool transposed, const void* pc,
                 Site site) {
  MatrixLane lane{row_at(row, count, kStoreMisaligned, site), const_cast<std::uint32_t*>(r), count};
  tell(lane.row, true, pc, site);
  static const char* const names[] = {"stmatrix.x1", "stmatrix.x2", "", "stmatrix.x4"};
  static const char* const transposed_names[] = {"stmatrix.x1.trans", "stmatrix.x2.trans", "", "stmatrix.x4.trans"};
  if (transposed)
    together_warp(transposed_names[count - 1], kAll, &lane, store<true>, site);
  else
    together_warp(names[count - 1], kAll, &lane, store<false>, site);
}

}  // namespace

void ldmatrix_shared(std::uint32_t* r, unsigned count, bool transposed, std::uint32_t row, Site site) {
  issue_load(r, count, transposed, row, __builtin_return_address(0), site);
}

void stmatrix_shared(std::uint32_t row, const std::uint32_t* r, unsigned count, bool transposed, Site site) {
  issue_store(row, r, count, transposed, __builtin_return_address(0), site);
}

void ldmatrix(std::uint32_t* r, unsigned count, bool transposed, const void* row, Site site) {
  issue_load(r, count, transposed, gives_row(count) ? shared_address(row, site) : 0, __builtin_return_address(0), site);
}

void stmatrix(void* row, const std::uint32_t* r, unsigned count, bool transposed, Site site) {
  issue_store(gives_row(count) ? shared_address(row, site) : 0, r, count, transposed, __builtin_return_address(0),
              site);
}

std::uint32_t movmatrix(std::uint32_t r, Site site) {
  MatrixLane lane{nullptr, &r, 1};
  together_warp("movmatrix", kAll, &lane, transpose, site);
  return r;
}

}  // namespace spak::sim
#pragma GCC visibility pop
