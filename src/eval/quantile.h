#pragma once

namespace signet::eval {

// z and t above which a share `tail` of the standard normal distribution, or of Student's with `freedom` degrees of freedom,
// lies. tail in (0, 1/2], freedom >= 1 and not necessarily whole (Satterthwaite 1946). Exact to some 1e-6 of the value, tails of
// 1e-9 up.
double normal_quantile(double tail);
double student_quantile(double tail, double freedom);

}  // namespace signet::eval
