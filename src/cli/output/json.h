// For programs: each rendering is one line with one JSON object. docs/commands.md is the schema.
#pragma once

#include "cli/output/output.h"

namespace sockswap::cli {

class JsonOutput final : public Output {
 public:
  std::string render(const FeatureReport& report) const override;
  std::string render(const HostList& list) const override;
  std::string render(const ConnectionList& list) const override;
  std::string render(const MoveResult& result) const override;
  std::string render(const DryRun& dry_run) const override;
  std::string render(const MoveList& list) const override;
  std::string render(const ClusterChange& change) const override;
  std::string render(const Version& version) const override;
  std::string render(const Error& error) const override;
  std::string_view between_frames() const override { return ""; }
};

}  // namespace sockswap::cli
