#include "wire/endpoints.h"

#include <gtest/gtest.h>

#include "wire/errors.h"

namespace sockswap::wire {
namespace {

TEST(Endpoints, ComeBackAsTheyWent) {
  for (const char* text :
       {"10.0.0.1:80-10.0.0.2:5000", "[fd00::1]:80-[fd00::2]:65535", "0.0.0.0:0-127.0.0.1:1"}) {
    const auto tuple = sockswap::FourTuple::parse(text).value();
    wire::FourTuple message;
    to_message(tuple, message);
    EXPECT_EQ(from_message(message).value(), tuple) << text;
    EXPECT_EQ(tuple.text(), text);
  }
}

TEST(Endpoints, RefuseWhatIsNone) {
  wire::Endpoint message;
  EXPECT_FALSE(from_message(message)) << "no address";
  message.set_address("12345");
  EXPECT_FALSE(from_message(message)) << "five bytes";
  message.set_address(std::string(4, '\1'));
  message.set_port(65536);
  EXPECT_FALSE(from_message(message)) << "a port of 17 bits";
  message.set_port(65535);
  EXPECT_TRUE(from_message(message));
}

TEST(Errors, KeepTheirCodeAndTheErrnosText) {
  wire::Error message;
  to_message(system_error(ENOENT, "open it", ErrorCode::not_found), message);
  const sockswap::Error error = from_message(message);
  EXPECT_EQ(error.code, ErrorCode::not_found);
  EXPECT_EQ(error.text(), "open it (No such file or directory)");
  message.set_code(0);
  EXPECT_EQ(from_message(message).code, ErrorCode::internal) << "an error must not say ok";
  message.set_code(100'000);
  EXPECT_EQ(from_message(message).code, ErrorCode::internal);
}

}  // namespace
}  // namespace sockswap::wire
