// For people: tables and short sentences that fit 100 columns, coloured only on a terminal.
#pragma once

#include "cli/output/output.h"
#include "cli/output/table.h"

namespace sockswap::cli {

class TextOutput final : public Output {
 public:
  enum class Target { file, terminal };
  TextOutput(Target target, Painter::Colour colour) : target_(target), painter_(colour) {}

  // As standard output wants it: colours on a terminal that has them, unless NO_COLOR (no-color.org) is set.
  static TextOutput for_stdout();

  std::string render(const FeatureReport& report) const override;
  std::string render(const HostList& list) const override;
  std::string render(const ConnectionList& list) const override;
  std::string render(const MoveResult& result) const override;
  std::string render(const DryRun& dry_run) const override;
  std::string render(const MoveList& list) const override;
  std::string render(const ClusterChange& change) const override;
  std::string render(const Version& version) const override;
  std::string render(const Error& error) const override;
  std::string_view between_frames() const override;

 private:
  Target target_;
  Painter painter_;
};

}  // namespace sockswap::cli
