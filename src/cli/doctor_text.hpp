#pragma once

#include <string>

#include "cli/layout.hpp"
#include "doctor/judge.hpp"

namespace skewguard::cli {

/// What the doctor found, for people: the verdict, then every check, the worst first. With marks
/// and colors on a terminal, with words in a file.
std::string doctor_text(const doctor::Diagnosis& diagnosis, const Screen& screen);

}  // namespace skewguard::cli
