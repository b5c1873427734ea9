#include "clotho/sim/threads/stack.h"

#include <link.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <vector>

#include "clotho/sim/threads/real.h"

#if !defined(__x86_64__) || !defined(__linux__)
#error \
    "Threads can be simulated on x86-64 Linux only: do not link //sim/threads."
#endif

// Saves what a called function has to keep, stores the stack pointer in *rdi,
// and goes on with the stack pointer rsi and the FS base rdx.
asm(R"(
.text
.p2align 4
.globl clotho_internal_switch_stack
.hidden clotho_internal_switch_stack
.type clotho_internal_switch_stack, @function
clotho_internal_switch_stack:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  subq $8, %rsp
  stmxcsr (%rsp)
  fnstcw 4(%rsp)
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  testb %cl, %cl
  jz 1f
  wrfsbase %rdx
  jmp 2f
1:
  movl $158, %eax
  movl $0x1002, %edi
  movq %rdx, %rsi
  syscall
2:
  ldmxcsr (%rsp)
  fldcw 4(%rsp)
  addq $8, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size clotho_internal_switch_stack, .-clotho_internal_switch_stack

.p2align 4
.globl clotho_internal_start_stack
.hidden clotho_internal_start_stack
.type clotho_internal_start_stack, @function
clotho_internal_start_stack:
  .cfi_startproc
  .cfi_undefined %rip
  movq %r12, %rdi
  xorl %ebp, %ebp
  callq *%r13
  ud2
  .cfi_endproc
.size clotho_internal_start_stack, .-clotho_internal_start_stack
)");

extern "C" void clotho_internal_switch_stack(void** from, void* to,
                                             void* thread_storage,
                                             bool has_fsgsbase);
extern "C" void clotho_internal_start_stack();

namespace clotho::sim::internal {
namespace {

// Bit 1 of AT_HWCAP2: the kernel has enabled the instruction.
const bool has_fsgsbase = (getauxval(AT_HWCAP2) & 2) != 0;

// Of the donor's stack: for what it does itself.
constexpr std::size_t kReserved = 16 * 1024;

void* ThreadStorage() {
  void* base;
  // The thread control block begins with a pointer to itself.
  asm volatile("movq %%fs:0, %0" : "=r"(base));
  return base;
}

void WaitWhile(int* word, int value) {
  while (__atomic_load_n(word, __ATOMIC_ACQUIRE) == value) {
    Real().syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, nullptr);
  }
}

void SetAndWake(int* word, int value) {
  __atomic_store_n(word, value, __ATOMIC_RELEASE);
  Real().syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX);
}

// The initial thread-local variables of a shared object or the program.
struct ThreadLocalImage {
  std::ptrdiff_t offset;  // From the FS base.
  const void* begin;
  std::size_t initialised;
  std::size_t size;
};

int AddImage(dl_phdr_info* info, std::size_t, void* images) {
  const std::string_view name = info->dlpi_name;
  // The C library's variables hold the state of the thread itself.
  if (name.find("/libc.so") != name.npos ||
      name.find("/ld-linux") != name.npos || info->dlpi_tls_data == nullptr) {
    return 0;
  }
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const ElfW(Phdr)& header = info->dlpi_phdr[i];
    if (header.p_type != PT_TLS) continue;
    static_cast<std::vector<ThreadLocalImage>*>(images)->push_back(
        {.offset = static_cast<char*>(info->dlpi_tls_data) -
                   static_cast<char*>(ThreadStorage()),
         .begin =
             reinterpret_cast<const void*>(info->dlpi_addr + header.p_vaddr),
         .initialised = header.p_filesz,
         .size = header.p_memsz});
  }
  return 0;
}

const std::vector<ThreadLocalImage>& Images() {
  static const auto* const kImages = [] {
    auto* const images = new std::vector<ThreadLocalImage>;
    dl_iterate_phdr(&AddImage, images);
    // Only those at the same place in every thread: of what was loaded when the
    // program started.
    std::erase_if(*images, [](const ThreadLocalImage& image) {
      return image.offset > 0 || image.offset < -(std::ptrdiff_t{1} << 20);
    });
    return images;
  }();
  return *kImages;
}

}  // namespace

Context ContextHere() { return {.thread_storage = ThreadStorage()}; }

__attribute__((noinline)) void SwitchStack(Context& from, const Context& to) {
  clotho_internal_switch_stack(&from.stack_pointer, to.stack_pointer,
                               to.thread_storage, has_fsgsbase);
}

Donor::Donor(std::size_t stack_size) {
  Images();  // As this thread sees them.
  // A signal handler would write over what is lent.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  if (stack_size > 0) pthread_attr_setstacksize(&attributes, stack_size);
  const int error = Real().pthread_create(&thread_, &attributes, &Main, this);
  pthread_attr_destroy(&attributes);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (error != 0) {
    std::fprintf(stderr, "clotho: cannot create a thread to simulate one: %s\n",
                 std::strerror(error));
    std::abort();
  }
  process_ = getpid();
  WaitWhile(&state_, 0);
}

Donor::~Donor() {
  if (getpid() != process_) return;
  SetAndWake(&state_, 2);
  Real().pthread_join(thread_, nullptr);
}

void* Donor::Main(void* self) {
  Donor& donor = *static_cast<Donor*>(self);
  donor.thread_storage_ = ThreadStorage();
  char* const here = static_cast<char*>(__builtin_frame_address(0));
  donor.top_ = reinterpret_cast<char*>(
      reinterpret_cast<std::uintptr_t>(here - kReserved) & ~std::uintptr_t{63});
  SetAndWake(&donor.state_, 1);
  WaitWhile(&donor.state_, 1);
  return nullptr;
}

Context Donor::Start(void (*function)(void*), void* argument) {
  std::uint32_t control[2];  // MXCSR and the x87 control word of the caller.
  asm volatile("stmxcsr %0" : "=m"(control[0]));
  control[1] = 0;
  asm volatile("fnstcw %0" : "=m"(control[1]));
  // As clotho_internal_switch_stack leaves a stack. Above the return address
  // the stack is aligned to 16 bytes, as at a call.
  void** slot = reinterpret_cast<void**>(top_);
  *--slot = nullptr;
  *--slot = nullptr;
  *--slot = reinterpret_cast<void*>(&clotho_internal_start_stack);
  *--slot = nullptr;                            // rbp
  *--slot = nullptr;                            // rbx
  *--slot = argument;                           // r12
  *--slot = reinterpret_cast<void*>(function);  // r13
  *--slot = nullptr;                            // r14
  *--slot = nullptr;                            // r15
  --slot;
  std::memcpy(slot, control, sizeof(void*));
  return {.stack_pointer = slot, .thread_storage = thread_storage_};
}

void Donor::ResetThreadLocals() {
  char* const base = static_cast<char*>(ThreadStorage());
  for (const ThreadLocalImage& image : Images()) {
    char* const at = base + image.offset;
    std::memcpy(at, image.begin, image.initialised);
    std::memset(at + image.initialised, 0, image.size - image.initialised);
  }
  errno = 0;
}

}  // namespace clotho::sim::internal
