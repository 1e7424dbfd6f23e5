#pragma once
/// What nearly every test needs; compiled once. No header relies on it: each includes what it uses.
#include "base/precompiled.hpp"

#include <boost/asio/use_future.hpp>
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <random>
#include <regex>
#include <set>
#include <sstream>
#include <thread>

// Named, these classes are made by the compiler here, and not in every test.
static_assert(sizeof(boost::asio::io_context) && sizeof(boost::asio::any_io_executor) && sizeof(boost::asio::steady_timer) &&
              sizeof(boost::asio::ip::tcp::socket) && sizeof(std::map<std::string, std::string>));
