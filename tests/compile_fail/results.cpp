// An error is not overlooked. Each case must not compile; what stands beside it must.
#include "skewguard/result.hpp"

using namespace skewguard;

Result<int> answer();
Result<void> done();
int heeded() {
  const auto result = answer();
  const auto nothing = done();
  return result && nothing ? *result : 0;
}

#ifdef CASE_ignored_value
void wrong() {
  answer();
}
#endif
#ifdef CASE_ignored_nothing
void wrong() {
  done();
}
#endif
#ifdef CASE_used_as_number
int wrong() {
  return answer();
}
#endif
