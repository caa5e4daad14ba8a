// What the rewriting of a foreign CUDA file calls: a kernel is its own host stub, as in the toolkit's compiler, so that
// overloads, templates, default arguments and conversions mean what C++ says. Knows nothing of streams or errors.
#pragma once
#include <driver_types.h>
#include <spak/sim/engine.h>
#include <vector_types.h>

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

#pragma GCC visibility push(hidden)
namespace spak::sim::host {

// `<<<grid, block, smem, stream>>>`: the next kernel that this OS thread calls is launched with it.
void configure(dim3 grid, dim3 block, std::size_t smem = 0, cudaStream_t stream = nullptr, Site at = here());

// What is known of a kernel without running it; one for each instance of a template.
struct Kernel {
  const char* name;
  unsigned max_threads;  // of __launch_bounds__; 0: not stated
  unsigned cluster[3];   // of __cluster_dims__; 0: not stated
  Site site;
  std::size_t parameter_bytes;
  bool instrumented;                     // compiled for the checkers
  std::size_t dynamic_limit = 48 << 10;  // cudaFuncAttributeMaxDynamicSharedMemorySize
  bool any_cluster_size = false;         // cudaFuncAttributeNonPortableClusterSizeAllowed
};

// What each thread of a launch runs, with the arguments that were copied when it was launched.
struct Body {
  virtual ~Body() = default;
  virtual void run() const = 0;
};

// Inside a stub: whether somebody only asks which kernel it is.
bool asked(Kernel& kernel);
void queue(Kernel& kernel, std::shared_ptr<const Body> body);

// The whole body of a rewritten kernel; `closure` holds its parameters.
template <typename F>
void kernel(const char* name, unsigned max_threads, unsigned cx, unsigned cy, unsigned cz, F closure,
            Site at = here()) {
#if defined(SPAK_SIM_INSTRUMENTED)
  constexpr bool instrumented = true;
#else
  constexpr bool instrumented = false;
#endif
  static Kernel self{name, max_threads, {cx, cy, cz}, at, std::is_empty_v<F> ? 0 : sizeof(F), instrumented};
  if (asked(self)) return;
  struct Copy final : Body {
    explicit Copy(F&& f) : closure(std::move(f)) {}
    // Each thread has its own parameters, byte for byte as CUDA copies them. Not instrumented: this is no access of the kernel.
    __attribute__((no_sanitize("thread", "address", "undefined"))) void run() const override {
      alignas(F) unsigned char own[sizeof(F)];
      __builtin_memcpy(own, static_cast<const void*>(&closure), sizeof(F));
      (*std::launder(reinterpret_cast<F*>(own)))();
    }
    F closure;
  };
  queue(self, std::make_shared<const Copy>(std::move(closure)));
}

// How to call a kernel of which only the address is left.
struct Signature {
  void (*call)(const void* function, void** arguments);
  void (*ask)(const void* function);
};
void* remember(const void* function, const Signature& signature);

template <typename... P>
struct Caller {
  using Function = void (*)(P...);
  static void call(const void* function, void** arguments) {
    call(reinterpret_cast<Function>(const_cast<void*>(function)), arguments, std::index_sequence_for<P...>());
  }
  template <std::size_t... I>
  static void call(Function function, [[maybe_unused]] void** arguments, std::index_sequence<I...>) {
    function(static_cast<P>(*static_cast<std::remove_reference_t<P>*>(arguments[I]))...);
  }
  // Nobody reads these: the stub is asked for its name and returns.
  static void ask(const void* function) {
    reinterpret_cast<Function>(const_cast<void*>(function))(nothing<std::remove_cvref_t<P>>()...);
  }
  template <typename T>
  static T& nothing() {
    alignas(T) static unsigned char bytes[sizeof(T)];
    return *reinterpret_cast<T*>(bytes);
  }
};

// The address of a kernel, as `(void*)kernel` gives it.
template <typename... P>
void* address_of(void (*function)(P...)) {
  return remember(reinterpret_cast<const void*>(function), {Caller<P...>::call, Caller<P...>::ask});
}

enum class Memory : unsigned char { device, constant, managed };

// A `__device__`, `__constant__` or `__managed__` variable: global memory that exists as long as the program.
struct Global {
  Global(const char* name, const void* begin, std::size_t size, Memory memory, Site at = here());
};

}  // namespace spak::sim::host
#pragma GCC visibility pop
