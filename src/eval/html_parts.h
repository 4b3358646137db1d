#pragma once

#include <string>
#include <vector>

#include "signet/eval/report.h"

namespace signet::eval {

// Records that may stand in one table: one protocol on one data set. `lead` are those of the first record's method and bits: the
// seeds whose mean is the section's number.
struct Section {
  std::string id;  // unique on the page
  std::vector<const EvalRecord*> records, lead;
  const EvalRecord& first() const { return *records.front(); }
};
std::vector<Section> sections_of(const std::vector<EvalRecord>& records);

// "signet · 12 bits · seed 1", as short as the other records allow.
std::string run_name(const EvalRecord& record, const std::vector<const EvalRecord*>& among);

// Parts of the page, in its order. Each is a whole <section>, or empty where there is nothing to show.
std::string headline_section(const Section& section, bool first);
std::string gallery_section(const std::vector<GalleryRow>& rows);
std::string curves_section(const Section& section);
std::string training_section(const std::vector<TrainingPoint>& points);
std::string health_section(const EvalRecord& record);
std::string provenance_section(const std::vector<Section>& sections);

const char* style_sheet() noexcept;

}  // namespace signet::eval
