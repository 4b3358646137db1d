#pragma once

namespace signet::eval {

// z and t above which a share `tail` of the standard normal distribution, or of Student's with `freedom` degrees of freedom,
// lies. tail in (0, 1/2], freedom >= 1 and not necessarily whole (Satterthwaite 1946). Exact to some 1e-5 of the value from 1.5
// degrees of freedom up and to 1e-4 below, for tails of 1e-9 and more.
double normal_quantile(double tail);
double student_quantile(double tail, double freedom);

}  // namespace signet::eval
