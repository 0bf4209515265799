#include "cli/output/json.h"

#include <nlohmann/json.hpp>

namespace sockswap::cli {
namespace {

// Keeps the keys in the order in which they are written here, which is the order of the documentation.
using Json = nlohmann::ordered_json;

// Bytes that are not UTF-8 (a process may be called anything) become U+FFFD instead of an exception.
std::string line(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
}

Json json_of(const check::Feature& feature);
Json json_of(const Host& host);
Json json_of(const Process& process);
Json json_of(const Connection& connection);
Json json_of(const Step& step);
Json json_of(const MoveRecord& move);
Json json_of(const std::string& text) { return text; }
Json json_of(std::uint32_t number) { return number; }
Json json_of(const Address& address) { return address.text(); }
Json json_of(const FourTuple& tuple) { return tuple.text(); }
Json json_of(const std::optional<double>& number) { return number ? Json(*number) : Json(nullptr); }
Json text_or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

template <class Items>
Json list_of(const Items& items) {
  Json out = Json::array();
  for (const auto& item : items) out.push_back(json_of(item));
  return out;
}

Json json_of(const Error& error) {
  return {{"code", static_cast<int>(error.code)},
          {"name", name(error.code)},
          {"message", error.text()},
          {"hint", text_or_null(error.hint)}};
}

Json json_of(const check::Feature& feature) {
  return {{"name", feature.name},
          {"available", feature.available},
          {"required", feature.required},
          {"reason", text_or_null(feature.reason)},
          {"hint", text_or_null(feature.hint)}};
}

Json json_of(const Host& host) {
  return {{"name", host.name},
          {"addresses", list_of(host.addresses)},
          {"port", host.port},
          {"state", host.state},
          {"round_trip_us", json_of(host.round_trip_us)},
          {"error", text_or_null(host.error)}};
}

Json json_of(const Process& process) {
  return {{"pid", process.pid}, {"command", process.command}, {"descriptors", list_of(process.descriptors)}};
}

Json json_of(const Connection& connection) {
  return {{"connection", connection.tuple.text()},
          {"local", connection.tuple.local.text()},
          {"remote", connection.tuple.remote.text()},
          {"state", connection.state},
          {"uid", connection.uid},
          {"receive_queue_bytes", connection.receive_queue_bytes},
          {"send_queue_bytes", connection.send_queue_bytes},
          {"host", text_or_null(connection.peer)},
          {"receiver", text_or_null(connection.receiver)},
          {"processes", list_of(connection.processes)},
          {"movable", connection.movable()},
          {"reason", text_or_null(connection.immovable)}};
}

Json json_of(const Step& step) { return {{"name", step.name}, {"at_us", step.at_us}}; }

Json json_of(const MoveRecord& move) {
  return {{"move_id", move.move_id},
          {"role", move.role},
          {"state", move.state},
          {"origin", move.origin},
          {"destination", move.destination},
          {"receiver", text_or_null(move.receiver)},
          {"connections", list_of(move.ends)},
          {"began_unix_us", move.began_unix_us},
          {"pause_us", move.pause_us},
          {"steps", list_of(move.steps)},
          {"error", move.error ? json_of(*move.error) : Json(nullptr)}};
}

}  // namespace

std::string JsonOutput::render(const FeatureReport& report) const {
  return line({{"sufficient", report.sufficient()}, {"features", list_of(report.features)}});
}
std::string JsonOutput::render(const HostList& list) const { return line({{"hosts", list_of(list.hosts)}}); }
std::string JsonOutput::render(const ConnectionList& list) const {
  return line({{"connections", list_of(list.connections)}});
}
std::string JsonOutput::render(const MoveResult& result) const {
  return line({{"move_id", result.move_id},
               {"connection", result.tuple.text()},
               {"to", result.to},
               {"pause_us", result.pause_us},
               {"steps", list_of(result.steps)}});
}
std::string JsonOutput::render(const DryRun& dry_run) const {
  return line({{"dry_run", true}, {"connection", dry_run.tuple.text()}, {"to", dry_run.to}});
}
std::string JsonOutput::render(const MoveList& list) const { return line({{"moves", list_of(list.moves)}}); }
std::string JsonOutput::render(const ClusterChange& change) const {
  return line({{"done", change.done}, {"files", list_of(change.files)}, {"next", list_of(change.next)}});
}
std::string JsonOutput::render(const Version& version) const { return line({{"version", version.version}}); }
std::string JsonOutput::render(const Error& error) const { return line({{"error", json_of(error)}}); }

}  // namespace sockswap::cli
