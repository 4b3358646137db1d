#include "eval/input_check.h"

#include <algorithm>

#include "signet/base/error.h"

namespace signet::eval {

void check_input(const EvalInput& in) {
  if (in.queries == nullptr || in.database == nullptr)
    fail(ErrorCode::kInvalidArgument, "an evaluation needs query and database codes");
  if (in.queries->size() == 0)
    fail(ErrorCode::kInvalidArgument, "the query set is empty; an evaluation needs at least one query");
  if (in.database->size() == 0) fail(ErrorCode::kInvalidArgument, "the database is empty; an evaluation needs at least one item");
  if (in.queries->bits() != in.database->bits()) {
    fail(ErrorCode::kMismatch, "queries have ", in.queries->bits(), " bits but the database has ", in.database->bits());
  }
  if (in.query_labels.size() != in.queries->size()) {
    fail(ErrorCode::kInvalidArgument, in.queries->size(), " queries need as many label lists, not ", in.query_labels.size());
  }
  if (in.database_labels.size() != in.database->size()) {
    fail(ErrorCode::kInvalidArgument, in.database->size(), " database codes need as many label lists, not ",
         in.database_labels.size());
  }
  if (!in.leave_one_out) return;
  if (in.queries != in.database && !(*in.queries == *in.database)) {
    fail(ErrorCode::kInvalidArgument, "leave-one-out needs the same codes as queries and as database");
  }
  if (!std::equal(in.query_labels.begin(), in.query_labels.end(), in.database_labels.begin(), in.database_labels.end())) {
    fail(ErrorCode::kInvalidArgument, "leave-one-out needs the same labels for queries and database");
  }
}

}  // namespace signet::eval
