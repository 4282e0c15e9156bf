#include "cli/interrupts.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <thread>

namespace longshore {

struct Interrupts::State {
  Handler handler;
  sigset_t old_mask{};
  int signal_fd = -1;
  int wake_fd = -1;
  std::thread thread;

  void watch() {
    for (int count = 0;;) {
      std::array<pollfd, 2> waits{{{signal_fd, POLLIN, 0}, {wake_fd, POLLIN, 0}}};
      if (::poll(waits.data(), waits.size(), -1) < 0) continue;
      if (waits[1].revents != 0) return;
      signalfd_siginfo info{};
      if (::read(signal_fd, &info, sizeof info) == sizeof info) handler(static_cast<int>(info.ssi_signo), ++count);
    }
  }
};

Interrupts::Interrupts(std::unique_ptr<State> state) : state_(std::move(state)) {}

Result<std::unique_ptr<Interrupts>> Interrupts::make(Handler handler) {
  auto state = std::make_unique<State>();
  state->handler = std::move(handler);
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals, signal);
  if (::pthread_sigmask(SIG_BLOCK, &signals, &state->old_mask) != 0) {
    return fail(internal_error("signals_unavailable", "cannot block signals"));
  }
  std::unique_ptr<Interrupts> interrupts(new Interrupts(std::move(state)));  // from here on the destructor cleans up
  State& made = *interrupts->state_;
  made.signal_fd = ::signalfd(-1, &signals, SFD_CLOEXEC);
  made.wake_fd = ::eventfd(0, EFD_CLOEXEC);
  if (made.signal_fd < 0 || made.wake_fd < 0) {
    return fail(internal_error("signals_unavailable", "cannot open a signalfd"));
  }
  made.thread = std::thread([&made] { made.watch(); });
  return interrupts;
}

Interrupts::~Interrupts() {
  if (state_->thread.joinable()) {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(state_->wake_fd, &one, sizeof one);
    state_->thread.join();
  }
  if (state_->signal_fd >= 0) ::close(state_->signal_fd);
  if (state_->wake_fd >= 0) ::close(state_->wake_fd);
  ::pthread_sigmask(SIG_SETMASK, &state_->old_mask, nullptr);
}

}  // namespace longshore
