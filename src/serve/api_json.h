#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "signet/serve/service.h"

namespace signet::api {

using Json = nlohmann::ordered_json;

std::string dump(const Json& value);  // bytes of keys that are no UTF-8 are replaced

// Parses a body. Throws Error{kUsage}, which stands for 400, unless it is one JSON object of little depth.
Json parse_object(std::string_view text);

// What a JSON body of POST /v1/search asks. Throws Error{kInvalidArgument}, which stands for 422, naming a member that is
// unknown, missing or of another type.
SearchQuery search_query(const Json& body, std::uint32_t bits);
BulkItem bulk_item(const Json& body, std::uint32_t bits);

bool verdict_of(const Json& body);  // what a JSON body of PUT /v1/verdicts/{pair} says

// The levels of duplicates that make sense with codes of a model, strongest first; training_record: its JSON, or nothing.
std::vector<std::string> duplicate_levels(const std::string& training_record);

Json to_json(const CollectionSummary& summary);
// Written as text at once: a tree of values for ten hits costs as much as scanning half a million codes.
std::string search_body(const SearchAnswer& answer, std::uint32_t bits);
Json to_json(const EncodedPicture& encoded, std::uint32_t bits);
Json to_json(const ImageEntry& image);
Json to_json(const ImagesPage& page);
Json to_json(const CodeMap& map);
Json to_json(const DuplicatesPage& page);
Json to_json(const VerdictsPage& page);
Json to_json(const Verdict& verdict, std::optional<bool> before);
Json to_json(const std::string& key, const BulkOutcome& outcome);

// An RFC 9457 problem body.
std::string problem(unsigned status, const std::string& detail, const std::string& request_id);
std::string_view reason(unsigned status) noexcept;

}  // namespace signet::api
