// The only place where results become text or JSON. A verb builds plain data (cli/data.h) and hands it
// over; it doesn't know which of the two it is printing.
//
// Rendering is pure. Writing goes to stdout, whole, and a full disk is an error like any other.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "cli/data.h"

namespace sockswap::cli {

class Output {
 public:
  virtual ~Output() = default;

  virtual std::string render(const FeatureReport& report) const = 0;
  virtual std::string render(const HostList& list) const = 0;
  virtual std::string render(const ConnectionList& list) const = 0;
  virtual std::string render(const MoveResult& result) const = 0;
  virtual std::string render(const DryRun& dry_run) const = 0;
  virtual std::string render(const MoveList& list) const = 0;
  virtual std::string render(const ClusterChange& change) const = 0;
  virtual std::string render(const Version& version) const = 0;

  // What of an error belongs on stdout; stderr gets the same lines from report() in both formats.
  virtual std::string render(const Error& error) const = 0;

  // Goes between two renderings of a list that is being watched.
  virtual std::string_view between_frames() const = 0;

  template <class Data>
  Result<> print(const Data& data) const {
    return write(render(data));
  }
  static Result<> write(std::string_view text);  // to stdout
};

// "sockswap: …" and, if there is one, "hint: …" on stderr, each on one line.
void report(const Error& error);

// "sockswap: …" on stderr: something worth knowing that is no error.
void remark(std::string_view text);

}  // namespace sockswap::cli
