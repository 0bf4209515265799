// One function a feature: success if it is there, else the reason why not. None leaves anything behind.
#pragma once

#include "base/result.h"

namespace sockswap::check {

// probe_socket.cpp: on loopback
Result<> probe_tcp_repair();
Result<> probe_tcp_repair_window();
Result<> probe_tcp_timestamp();
Result<> probe_tcp_repair_no_probe();
Result<> probe_drop_filter();
Result<> probe_filter_read_back();
Result<> probe_silent_disconnect();
Result<> probe_sock_buf_lock();
Result<> probe_sndbufforce();
Result<> probe_ipv6();

// probe_process.cpp: on connections and child processes of their own
Result<> probe_sock_diag();
Result<> probe_sock_diag_exact();
Result<> probe_ptrace_pause();  // a child is stopped and goes on
Result<> probe_eintr_cure();    // and doesn't notice, where Linux would say EINTR
Result<> probe_pidfd_getfd();

// probe_lab.cpp: for the lab and for what may come
Result<> probe_tun();
Result<> probe_namespaces();    // network, PID, mount and host name
Result<> probe_bpf_sock_ops();  // a cgroup v2 tree and the rights; loads nothing

}  // namespace sockswap::check
