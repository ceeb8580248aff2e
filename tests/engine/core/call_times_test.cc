#include "engine/core/call_times.h"

#include <atomic>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace stave {
namespace {

void Call(CallTimes* times, Operation operation, uint64_t calls) {
  for (uint64_t i = 0; i < calls; ++i) TimedCall call(times, operation);
}

TEST(CallTimesTest, CountsEachOperationForItself) {
  CallTimes times;
  Call(&times, Operation::kGet, 130);
  Call(&times, Operation::kMultiGet, 64);
  times.AddKeys(10);
  times.AddKeys(5);
  EXPECT_EQ(times.Calls(Operation::kGet), 130u);
  EXPECT_EQ(times.Latencies(Operation::kGet).count(), 2u);
  EXPECT_EQ(times.Calls(Operation::kMultiGet), 64u);
  EXPECT_EQ(times.Latencies(Operation::kMultiGet).count(), 1u);
  EXPECT_EQ(times.Calls(Operation::kPut), 0u);
  EXPECT_EQ(times.Latencies(Operation::kPut).count(), 0u);
  EXPECT_EQ(times.Keys(), 15u);
}

TEST(CallTimesTest, StoresOfAThreadAreApart) {
  CallTimes one, other;
  Call(&one, Operation::kGet, 3);
  Call(&other, Operation::kGet, 4);
  EXPECT_EQ(one.Calls(Operation::kGet), 3u);
  EXPECT_EQ(other.Calls(Operation::kGet), 4u);
}

TEST(CallTimesTest, NothingIsLostBetweenThreads) {
  constexpr uint64_t kCalls = 64 * 100;
  CallTimes times;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] { Call(&times, Operation::kPut, kCalls); });
  }
  // While others count.
  EXPECT_LE(times.Calls(Operation::kPut), 8 * kCalls);
  EXPECT_LE(times.Latencies(Operation::kPut).count(), 8 * kCalls / 64);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(times.Calls(Operation::kPut), 8 * kCalls);
  EXPECT_EQ(times.Latencies(Operation::kPut).count(), 8 * kCalls / 64);
}

TEST(CallTimesTest, WhatAnEndedThreadHasCountedStays) {
  CallTimes times;
  for (int i = 0; i < 20; ++i) {
    std::thread([&times] { Call(&times, Operation::kGet, 64); }).join();
  }
  EXPECT_EQ(times.Calls(Operation::kGet), 20 * 64u);
  EXPECT_EQ(times.Latencies(Operation::kGet).count(), 20u);
}

}  // namespace
}  // namespace stave
