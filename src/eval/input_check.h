#pragma once

#include "signet/eval/metrics.h"

namespace signet::eval {

// What every evaluation demands of its input; throws as evaluate() promises.
void check_input(const EvalInput& input);

}  // namespace signet::eval
