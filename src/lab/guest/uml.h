// How Debian's User Mode Linux is started, and what it needs to start here.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "lab/command.h"

namespace sockswap::lab {

struct UmlInterface {
  std::string tap;  // of the namespace in which it runs
  std::string mac;  // empty: any
};

struct UmlBoot {
  unsigned memory_mib = 256;
  std::filesystem::path init;            // beside it sockswap-lab-xsave.so
  std::vector<std::string> environment;  // of init
  std::vector<UmlInterface> interfaces;  // vec0, vec1, …
};

class Uml {
 public:
  // unsupported, naming the package, if it isn't there.
  static Result<Uml> find(const std::filesystem::path& kernel);

  // What it lacks as shipped that a host has, in the order in which to load it.
  const std::vector<std::string>& modules() const { return modules_; }
  Command boot(const UmlBoot& boot) const;

 private:
  std::filesystem::path kernel_;
  std::vector<std::string> modules_;
};

}  // namespace sockswap::lab
