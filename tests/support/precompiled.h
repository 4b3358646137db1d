#pragma once

// What nearly every test includes, parsed once for all test programs (target signet_test_headers). Tests still name what they
// use: CMAKE_DISABLE_PRECOMPILE_HEADERS, as in the preset "debug", builds them without this file.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>
