#include "check/features.h"

#include "check/probes.h"

namespace sockswap::check {
namespace {

enum class Need { required, optional };

struct Probe {
  const char* name;
  Need need;
  Result<> (*probe)();
};

constexpr Probe kProbes[] = {
    {"tcp-repair", Need::required, probe_tcp_repair},
    {"tcp-repair-window", Need::required, probe_tcp_repair_window},
    {"tcp-timestamp", Need::required, probe_tcp_timestamp},
    {"tcp-repair-no-probe", Need::required, probe_tcp_repair_no_probe},
    {"drop-filter", Need::required, probe_drop_filter},
    {"filter-read-back", Need::required, probe_filter_read_back},
    {"silent-disconnect", Need::required, probe_silent_disconnect},
    {"sock-buf-lock", Need::required, probe_sock_buf_lock},
    {"sndbufforce", Need::required, probe_sndbufforce},
    {"sock-diag", Need::required, probe_sock_diag},
    {"sock-diag-exact", Need::required, probe_sock_diag_exact},
    {"ptrace-pause", Need::required, probe_ptrace_pause},
    {"eintr-cure", Need::required, probe_eintr_cure},
    {"pidfd-getfd", Need::required, probe_pidfd_getfd},
    {"ipv6", Need::optional, probe_ipv6},
    {"tun", Need::optional, probe_tun},
    {"namespaces", Need::optional, probe_namespaces},
    {"bpf-sock-ops", Need::optional, probe_bpf_sock_ops},
};

}  // namespace

std::vector<Feature> probe_features() {
  std::vector<Feature> features;
  for (const Probe& entry : kProbes) {
    Feature& feature = features.emplace_back();
    feature.name = entry.name;
    feature.required = entry.need == Need::required;
    const Result<> probed = entry.probe();
    feature.available = probed.has_value();
    if (probed) continue;
    feature.reason = probed.error().text();
    feature.hint = probed.error().hint;
  }
  return features;
}

}  // namespace sockswap::check
