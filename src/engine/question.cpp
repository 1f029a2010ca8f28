#include "engine/question.hpp"

namespace skewguard::engine {

/// The one resource of the platform that needs no permission and exists for every grant; its HEAD
/// is meant for this. A path set by the user may support only GET.
Request question_of(const ClientOptions& options) {
  Request question;
  question.path = options.verify_path;
  if (question.path.empty() && options.dialect == DialectName::genesys) {
    question.method = "HEAD";
    question.path = "/api/v2/tokens/me";
  }
  return question;
}

}  // namespace skewguard::engine
