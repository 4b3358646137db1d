#include <algorithm>
#include <cmath>

#include "serve/labels.h"
#include "serve/service_state.h"
#include "signet/base/error.h"

namespace signet {
namespace {

constexpr std::size_t kDefaultHits = 10;

template <typename... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
template <typename... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

}  // namespace

CodeMatrix Service::State::query_code(const CollectionState& now, const SearchQuery& query, SearchAnswer& answer) const {
  const std::uint32_t bits = now.info().bits;
  CodeMatrix code(0, bits);
  std::visit(Overloaded{
                 [&](const SearchQuery::Code& of) {
                   if (of.packed.size() != bytes_per_code(bits)) {
                     fail(ErrorCode::kInvalidArgument, "code has ", of.packed.size(), " bytes; codes of this collection have ",
                          bits, " bits, which are ", bytes_per_code(bits), " bytes");
                   }
                   code = CodeMatrix(bits, of.packed);
                 },
                 [&](const SearchQuery::Key& of) {
                   const auto record = now.view().find(of.key);
                   if (!record) fail(ErrorCode::kNotFound, "there is no image with this key");
                   code.append(now.view().code(record->id));
                 },
                 [&](const SearchQuery::Id& of) {
                   if (!now.view().get(of.id)) fail(ErrorCode::kNotFound, "there is no image with the id ", of.id);
                   code.append(now.view().code(of.id));
                 },
                 [&](const SearchQuery::Picture& of) {
                   answer.margins = outputs(decode(of.bytes));
                   code = pack_signs(answer.margins, bits);
                   for (float& margin : answer.margins) margin = std::abs(margin);
                 },
             },
             query.query);
  return code;
}

std::vector<std::uint64_t> Service::State::filter(const CollectionState& now, const std::vector<std::string>& labels) const {
  std::vector<std::uint64_t> words;
  for (const std::string& label : labels) {
    const auto ids = now.ids_with_label(find_label(label, now.info().class_names));
    const std::vector<std::uint64_t> more = id_filter_words(*ids, now.info().next_id);
    if (words.size() < more.size()) words.resize(more.size());
    for (std::size_t i = 0; i < more.size(); ++i) words[i] |= more[i];
  }
  return words;
}

SearchAnswer Service::search(const SearchQuery& query) const {
  const ServiceOptions& options = state_->options;
  const std::size_t k = query.k.value_or(query.radius ? options.max_hits : kDefaultHits);
  if (k < 1 || k > options.max_hits) fail(ErrorCode::kInvalidArgument, "k must be 1 to ", options.max_hits, ", not ", k);
  const std::size_t limit = query.limit.value_or(options.max_page);
  state_->check_limit(limit, "; offset leads to the next page");

  const auto now = state_->live->state();
  SearchAnswer answer;
  const CodeMatrix code = state_->query_code(*now, query, answer);
  SearchOptions search;
  search.k = k;
  search.radius = query.radius;
  std::vector<std::uint64_t> words;
  IdFilter filter;
  if (!query.labels.empty()) {
    words = state_->filter(*now, query.labels);
    filter.words = words;
    search.filter = &filter;
  }
  SearchResult result = now->view().search(code, search);
  const std::vector<Hit>& hits = result.hits.front();
  answer.code = to_hex(code.row(0));
  answer.total = hits.size();
  answer.offset = query.offset;
  answer.stats = std::move(result.stats);
  const std::size_t first = std::min(query.offset, hits.size());
  const std::size_t end = first + std::min(limit, hits.size() - first);
  for (std::size_t i = first; i < end; ++i) {
    auto record = now->view().get(hits[i].id);
    if (!record) {
      fail(ErrorCode::kCorrupt, options.collection, " has a code but no record for image ", hits[i].id,
           "; signet collection verify says more");
    }
    answer.hits.push_back({state_->entry(*now, std::move(*record)), hits[i].distance});
  }
  return answer;
}

}  // namespace signet
