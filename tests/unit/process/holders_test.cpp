#include "process/holders.h"

#include <gtest/gtest.h>
#include <linux/kcmp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <utility>

#include "child.h"

namespace sockswap::process {
namespace {

void idle(const World& world) {
  world.ready();
  for (;;) ::pause();
}

const Holder* holder_with(const std::vector<Holder>& holders, pid_t pid) {
  const auto hit =
      std::find_if(holders.begin(), holders.end(), [&](const Holder& h) { return h.pid == pid; });
  return hit == holders.end() ? nullptr : &*hit;
}

TEST(Holders, ForkAndDup) {
  Child child([](const World& world) {
    if (::dup2(world.socket, 123) != 123) ::_exit(1);
    idle(world);
  });
  child.await_blocked();
  const auto holders = child.holders();
  ASSERT_EQ(holders.size(), 1u);
  EXPECT_EQ(holders[0].pid, child.pid());
  EXPECT_EQ(holders[0].uid, ::getuid());
  EXPECT_FALSE(holders[0].command.empty());
  EXPECT_GT(holders[0].start_time, 0u);
  EXPECT_GT(holders[0].newest_pid, 0);
  ASSERT_EQ(holders[0].descriptors.size(), 2u);
  EXPECT_EQ(holders[0].descriptors[1], 123);
}

// A process that is there already and gets the socket later, from a Unix socket.
class Recipient {
 public:
  Recipient()
      : pair_(make_pair()), child_([this](const World& world) {
          char byte;
          iovec data{.iov_base = &byte, .iov_len = 1};
          alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
          msghdr message{};
          message.msg_iov = &data;
          message.msg_iovlen = 1;
          message.msg_control = control;
          message.msg_controllen = sizeof control;
          if (::recvmsg(pair_.second.get(), &message, 0) != 1) ::_exit(1);
          idle(world);
        }) {}

  void pass(int descriptor) {
    char byte = 'x';
    iovec data{.iov_base = &byte, .iov_len = 1};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))]{};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* rights = CMSG_FIRSTHDR(&message);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int));
    std::copy_n(reinterpret_cast<const unsigned char*>(&descriptor), sizeof descriptor, CMSG_DATA(rights));
    ASSERT_EQ(::sendmsg(pair_.first.get(), &message, 0), 1);
    child_.await_blocked();
  }

  pid_t pid() const { return child_.pid(); }

 private:
  static std::pair<Fd, Fd> make_pair() {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    return {Fd(ends[0]), Fd(ends[1])};
  }

  std::pair<Fd, Fd> pair_;
  Child child_;
};

TEST(Holders, PassedThroughAUnixSocket) {
  Recipient recipient;
  const Connection connection = connect_loopback();
  const std::uint32_t inode = inode_of(connection.client.get());
  EXPECT_TRUE(find_holders(inode, ::getpid())->empty());
  recipient.pass(connection.client.get());

  const auto holders = find_holders(inode, ::getpid());
  ASSERT_TRUE(holders);
  ASSERT_EQ(holders->size(), 1u);
  EXPECT_EQ((*holders)[0].pid, recipient.pid());
  EXPECT_EQ(find_holders(inode)->size(), 2u) << "with nobody left out, this program holds it too";
}

// Only another search finds it: that is why a pause asks for a fresh one.
TEST(Holders, ThoseThatCameLaterNeedAFreshSearch) {
  SKIP_UNLESS_TRACING();
  Recipient recipient;
  const Connection connection = connect_loopback();
  const std::uint32_t inode = inode_of(connection.client.get());
  Child first(idle);  // forked with a copy of it
  first.await_blocked();
  const auto before = std::chrono::steady_clock::now();
  const auto holders = find_holders(inode, ::getpid());
  ASSERT_TRUE(holders);
  ASSERT_EQ(holders->size(), 1u);
  const auto after = std::chrono::steady_clock::now();
  EXPECT_GE((*holders)[0].searched, before);
  EXPECT_LE((*holders)[0].searched, after);
  EXPECT_TRUE(is_fresh(*holders, before + kMaxAge));
  EXPECT_FALSE(is_fresh(*holders, after + kMaxAge + 1ns));

  recipient.pass(connection.client.get());
  const auto again = find_holders(inode, ::getpid());
  ASSERT_TRUE(again);
  const auto paused = Paused::pause(*again, inode, kPatience);
  ASSERT_TRUE(paused) << paused.error().text();
  EXPECT_EQ(state_of(recipient.pid()), 't');
  EXPECT_EQ(state_of(first.pid()), 't');
}

// Who appears while the search goes on, as a child does that was in the midst of its fork.
TEST(Holders, ThoseThatAppearDuringTheSearchAreFound) {
  Child slow([](const World& world) {
    rlimit limit;
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    for (int i = 0; i < 200'000; ++i)
      if (::dup(world.report) < 0) break;
    idle(world);
  });
  slow.await_blocked();
  const Connection connection = connect_loopback();
  const std::uint32_t inode = inode_of(connection.client.get());
  bool tried = false, found = false;
  for (int i = 0; i < 20 && !found; ++i) {
    std::atomic<bool> searching{false}, searched{false};
    Result<std::vector<Holder>> holders;
    std::thread search([&] {
      searching = true;
      holders = find_holders(inode, ::getpid());
      searched = true;
    });
    while (!searching) std::this_thread::yield();
    std::this_thread::sleep_for(2ms);
    const Child late(idle);
    tried |= !searched;
    search.join();
    ASSERT_TRUE(holders) << holders.error().text();
    found = holder_with(*holders, late.pid()) != nullptr;
  }
  if (!tried) GTEST_SKIP() << "a long search: it is over too soon here";
  EXPECT_TRUE(found);
}

TEST(Holders, AllAtOnceAgreesWithOneByOne) {
  Child child(idle);
  child.await_blocked();
  const auto all = all_holders();
  ASSERT_TRUE(all);
  const auto entry = all->find(child.inode());
  ASSERT_NE(entry, all->end());
  const Holder* holder = holder_with(entry->second, child.pid());
  ASSERT_NE(holder, nullptr);
  EXPECT_EQ(holder->descriptors, child.holders()[0].descriptors);
  EXPECT_EQ(all->count(inode_of(child.peer())), 1u);
}

// Messages and protobuf take nothing but UTF-8.
TEST(Holders, HaveNamesThatCanBePrinted) {
  Child child([](const World& world) {
    ::prctl(PR_SET_NAME, "\xff\xfe)\n R");
    idle(world);
  });
  child.await_blocked();
  const auto holders = child.holders();
  ASSERT_EQ(holders.size(), 1u);
  EXPECT_EQ(holders[0].command, "?\?)? R");
  EXPECT_GT(holders[0].start_time, 0u);
}

TEST(Holders, OfManySocketsInOneSearch) {
  const Connection other = connect_loopback();
  const Connection third = connect_loopback();
  Child child(idle);  // has copies of the others
  child.await_blocked();
  const std::uint32_t theirs = inode_of(other.client.get());
  const std::vector<std::uint32_t> inodes{child.inode(), theirs, 1};
  const auto holders = find_holders(inodes, ::getpid());
  ASSERT_TRUE(holders) << holders.error().text();
  ASSERT_EQ(holders->size(), 3u) << "one entry for each that was asked for, and no other";
  EXPECT_TRUE(holders->at(1).empty());
  for (const std::uint32_t inode : {child.inode(), theirs}) {
    const auto alone = find_holders(inode, ::getpid());
    ASSERT_TRUE(alone);
    ASSERT_EQ(alone->size(), 1u);
    ASSERT_EQ(holders->at(inode).size(), 1u);
    EXPECT_EQ(holders->at(inode)[0].pid, child.pid());
    EXPECT_EQ(holders->at(inode)[0].descriptors, (*alone)[0].descriptors);
  }
}

// Too few to look everywhere: an answer is whole, or it is none.
TEST(Holders, WithoutDescriptorsLeftNobodyIsMissed) {
  Child child(idle);
  child.await_blocked();
  int refused = 0;
  for (unsigned left = 0; left < 8; ++left) {
    const FewDescriptors few(left);
    const auto holders = find_holders(child.inode(), ::getpid());
    const auto all = all_holders();
    if (holders) {
      EXPECT_NE(holder_with(*holders, child.pid()), nullptr) << left << " left";
    } else {
      EXPECT_EQ(holders.error().code, ErrorCode::no_resources) << holders.error().text();
      ++refused;
    }
    EXPECT_TRUE(!all || all->contains(child.inode())) << left << " left";
  }
  EXPECT_GT(refused, 2) << "/proc, a process and its table need one each";
}

TEST(TakeDescriptor, IsTheSameOpenFile) {
  SKIP_UNLESS_TRACING();
  Child child(idle);
  child.await_blocked();
  const auto holders = child.holders();
  ASSERT_EQ(holders.size(), 1u);
  const auto copy = take_descriptor(holders[0], child.inode());
  ASSERT_TRUE(copy) << copy.error().text();
  EXPECT_EQ(::syscall(SYS_kcmp, ::getpid(), child.pid(), KCMP_FILE, copy->get(), holders[0].descriptors[0]),
            0);
}

TEST(TakeDescriptor, WithoutDescriptorsLeftIsNotGone) {
  SKIP_UNLESS_TRACING();
  Child child(idle);
  child.await_blocked();
  const auto holders = child.holders();
  ASSERT_EQ(holders.size(), 1u);
  for (unsigned left = 0; left < 8; ++left) {
    const FewDescriptors few(left);
    const auto copy = take_descriptor(holders[0], child.inode());
    EXPECT_TRUE(copy || copy.error().code == ErrorCode::no_resources) << left << ": " << copy.error().text();
  }
}

TEST(TakeDescriptor, NotFromAnotherProcessOrSocket) {
  SKIP_UNLESS_TRACING();
  Child child(idle);
  child.await_blocked();
  Holder holder = child.holders().at(0);
  const auto other_socket = take_descriptor(holder, child.inode() + 1);
  ASSERT_FALSE(other_socket);
  EXPECT_EQ(other_socket.error().code, ErrorCode::not_found);
  ++holder.start_time;
  const auto other_process = take_descriptor(holder, child.inode());
  ASSERT_FALSE(other_process);
  EXPECT_EQ(other_process.error().code, ErrorCode::not_found);
}

}  // namespace
}  // namespace sockswap::process
