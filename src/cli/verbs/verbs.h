// Every verb of the command: a file each, with one function that adds it to the command line.
#pragma once

#include "cli/command_line.h"

namespace sockswap::cli {

void add_check(CommandLine& line);
void add_hosts(CommandLine& line);
void add_ls(CommandLine& line);
void add_move(CommandLine& line);
void add_moves(CommandLine& line);
void add_cluster(CommandLine& line);
void add_demo(CommandLine& line);
void add_version(CommandLine& line);
void add_help(CommandLine& line);

// In the order in which `sockswap help` lists them.
inline constexpr void (*verbs[])(CommandLine&) = {add_check,   add_hosts, add_ls,      add_move, add_moves,
                                                  add_cluster, add_demo,  add_version, add_help};

}  // namespace sockswap::cli
