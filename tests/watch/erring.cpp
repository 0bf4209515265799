// Does what a sanitizer is there to report: use-after-free, overflow, leak, race or abort.
#include <cstdlib>
#include <string_view>
#include <thread>

namespace {

// Volatile, so that none of it is optimised away.
int* volatile memory;
volatile int number = 2147483647;
int shared;

void use_after_free() {
  memory = new int(1);
  delete memory;
  number = *memory;
}

void overflow() { number = number + 1; }

void leak() {
  memory = new int(1);
  memory = nullptr;
}

void race() {
  std::thread other([] { ++shared; });
  ++shared;
  other.join();
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view what = argc == 2 ? argv[1] : "";
  if (what == "use-after-free") use_after_free();
  if (what == "overflow") overflow();
  if (what == "leak") leak();
  if (what == "race") race();
  if (what == "abort") std::abort();
}
