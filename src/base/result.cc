#include "headrace/result.h"

namespace headrace {

const char* error_code_name(ErrorCode code) {
  switch (code) {
    case ErrorCode::kUsage: return "usage";
    case ErrorCode::kNotFound: return "not_found";
    case ErrorCode::kSource: return "source";
    case ErrorCode::kTypeMismatch: return "type_mismatch";
    case ErrorCode::kConnection: return "connection";
    case ErrorCode::kAuthentication: return "authentication";
    case ErrorCode::kTargetExists: return "target_exists";
    case ErrorCode::kRejectedValue: return "rejected_value";
    case ErrorCode::kServer: return "server";
    case ErrorCode::kBusy: return "busy";
    case ErrorCode::kIo: return "io";
    case ErrorCode::kCancelled: return "cancelled";
    case ErrorCode::kUnsupported: return "unsupported";
    case ErrorCode::kRetriesExhausted: return "retries_exhausted";
    case ErrorCode::kRejectLimit: return "reject_limit";
    case ErrorCode::kVerification: return "verification";
    case ErrorCode::kInternal: return "internal";
  }
  return "internal";
}

int exit_code(ErrorCode code) {
  switch (code) {
    case ErrorCode::kUsage: return 2;
    case ErrorCode::kNotFound: return 3;
    case ErrorCode::kConnection:
    case ErrorCode::kAuthentication: return 4;
    case ErrorCode::kRetriesExhausted: return 5;
    case ErrorCode::kRejectLimit: return 6;
    case ErrorCode::kVerification: return 7;
    case ErrorCode::kCancelled: return 130;
    default: return 1;
  }
}

}  // namespace headrace
