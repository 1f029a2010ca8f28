#pragma once

#include <string>

#include "cli/layout.hpp"
#include "doctor/judge.hpp"

namespace skewguard::cli {

/// The findings as text: the verdict, then every check, worst first. With marks and colors on a
/// terminal, with words in a file.
std::string doctor_text(const doctor::Diagnosis& diagnosis, const Screen& screen);

}  // namespace skewguard::cli
