// Plays a fuzz target's corpus without libFuzzer: each file, and each beginning of it.
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <vector>

#include "fuzz.hpp"

namespace {

std::vector<std::uint8_t> content(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: replay CORPUS-FOLDER\n";
    return 2;
  }
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(argv[1])) {
    std::cout << entry.path().filename().string()
              << std::endl;  // seen also if the next line aborts
    const auto bytes = content(entry.path());
    for (std::size_t size = 0; size <= bytes.size(); ++size) {
      // A block of just that size, so that a sanitizer sees a read beyond it.
      const std::vector<std::uint8_t> beginning(bytes.begin(),
                                                bytes.begin() + static_cast<std::ptrdiff_t>(size));
      (void)LLVMFuzzerTestOneInput(beginning.data(), beginning.size());
    }
    ++files;
  }
  return files > 0 ? 0 : 1;
}
