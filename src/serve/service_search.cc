#include <algorithm>
#include <cmath>
#include <future>

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

std::unique_ptr<PassQuestion> Service::State::question(const SearchQuery& query) const {
  auto question = std::make_unique<PassQuestion>();
  if (const auto* of = std::get_if<SearchQuery::Picture>(&query.query)) {  // first: it may wait, and the state grows old
    check_encodes();
    question->picture = decode(of->bytes, of->at_once ? 0 : options.memory_seconds);
  }
  question->now = live->state();
  const CollectionState& now = *question->now;
  const std::uint32_t bits = now.info().bits;
  question->code = CodeMatrix(0, bits);
  std::visit(Overloaded{
                 [&](const SearchQuery::Code& of) {
                   if (of.packed.size() != bytes_per_code(bits)) {
                     fail(ErrorCode::kInvalidArgument, "code has ", of.packed.size(), " bytes; codes of this collection have ",
                          bits, " bits, which are ", bytes_per_code(bits), " bytes");
                   }
                   question->code = CodeMatrix(bits, of.packed);
                 },
                 [&](const SearchQuery::Key& of) {
                   const auto record = now.view().find(of.key);
                   if (!record) fail(ErrorCode::kNotFound, "there is no image with this key");
                   question->code.append(now.view().code(record->id));
                 },
                 [&](const SearchQuery::Id& of) {
                   if (!now.view().get(of.id)) fail(ErrorCode::kNotFound, "there is no image with the id ", of.id);
                   question->code.append(now.view().code(of.id));
                 },
                 [](const SearchQuery::Picture&) {},
             },
             query.query);
  return question;
}

void Service::State::encode(std::span<PassQuestion* const> questions) const {
  std::vector<PassQuestion*> asking;
  std::vector<Image> images;
  for (PassQuestion* question : questions) {
    if (question->picture) asking.push_back(question);
  }
  if (asking.empty()) return;
  images.reserve(asking.size());
  for (PassQuestion* question : asking) images.push_back(std::move(question->picture->image));
  try {
    const std::uint32_t bits = encoder->info().bits;
    const Outputs out = encoder->run(images);
    const CodeMatrix codes = pack_signs(out.hash, bits);
    for (std::size_t i = 0; i < asking.size(); ++i) {
      const auto first = out.hash.begin() + static_cast<std::ptrdiff_t>(i * bits);
      asking[i]->outputs.assign(first, first + bits);
      asking[i]->code = CodeMatrix(bits, {codes.row(i).begin(), codes.row(i).end()});
    }
  } catch (...) {  // each may be asked again, alone
    for (std::size_t i = 0; i < asking.size(); ++i) asking[i]->picture->image = std::move(images[i]);
    throw;
  }
  // Others may have their memory from here on, so it has to be free.
  images.clear();
  for (PassQuestion* question : asking) question->picture.reset();
}

void Service::State::answer(std::span<PassQuestion* const> questions) const {
  encode(questions);
  const CollectionState* now = questions.front()->now.get();
  if (now == nullptr) return;
  CodeMatrix codes(0, now->info().bits);
  for (const PassQuestion* question : questions) codes.append(question->code.row(0));
  SearchResult result = now->view().search(codes, questions.front()->options);
  for (std::size_t i = 0; i < questions.size(); ++i) {
    questions[i]->hits = std::move(result.hits[i]);
    questions[i]->stats = result.stats;
  }
}

std::vector<std::uint64_t> Service::State::filter(const CollectionState& now, const std::vector<std::string>& labels) const {
  std::vector<std::uint64_t> words;
  for (const std::string& label : labels) {
    const auto ids = now.ids_with_label(find_label(label, now.info().class_names));
    const std::vector<std::uint64_t> more = now.view().filter_words(*ids);
    if (words.size() < more.size()) words.resize(more.size());
    for (std::size_t i = 0; i < more.size(); ++i) words[i] |= more[i];
  }
  return words;
}

SearchAnswer Service::State::page(PassQuestion& question, std::size_t offset, std::size_t limit) const {
  const CollectionState& now = *question.now;
  SearchAnswer answer;
  answer.code = to_hex(question.code.row(0));
  answer.margins = std::move(question.outputs);
  for (float& margin : answer.margins) margin = std::abs(margin);
  answer.stats = std::move(question.stats);
  answer.searches = question.questions;
  const std::vector<Hit>& hits = question.hits;
  answer.total = hits.size();
  answer.offset = offset;
  const std::size_t first = std::min(offset, hits.size());
  const std::size_t end = first + std::min(limit, hits.size() - first);
  for (std::size_t i = first; i < end; ++i) {
    auto record = now.view().get(hits[i].id);
    if (!record) {
      fail(ErrorCode::kCorrupt, options.collection, " has a code but no record for image ", hits[i].id,
           "; signet collection verify says more");
    }
    answer.hits.push_back({entry(now, std::move(*record)), hits[i].distance});
  }
  return answer;
}

void Service::search(const SearchQuery& query, SearchDone done) const {
  const ServiceOptions& options = state_->options;
  const std::size_t k = query.k.value_or(query.radius ? options.max_hits : kDefaultHits);
  if (k < 1 || k > options.max_hits) fail(ErrorCode::kInvalidArgument, "k must be 1 to ", options.max_hits, ", not ", k);
  const std::size_t limit = query.limit.value_or(options.max_page);
  state_->check_limit(limit, "; offset leads to the next page");

  std::unique_ptr<PassQuestion> question = state_->question(query);
  question->options.k = k;
  question->options.radius = query.radius;
  if (!query.labels.empty()) {
    question->words = state_->filter(*question->now, query.labels);
    question->filter.words = question->words;
    question->options.filter = &question->filter;
  }
  question->answered = [state = state_.get(), limit, offset = query.offset, done = std::move(done)](PassQuestion& found) {
    SearchAnswer answer;
    std::exception_ptr error = found.error;
    try {
      if (!error) answer = state->page(found, offset, limit);
    } catch (...) {
      error = std::current_exception();
    }
    done(answer, error);
  };
  state_->passes->ask(std::move(question));
}

SearchAnswer Service::search(const SearchQuery& query) const {
  const auto promise = std::make_shared<std::promise<SearchAnswer>>();  // the other thread may use it last
  search(query, [promise](const SearchAnswer& answer, const std::exception_ptr& error) {
    try {
      if (error) std::rethrow_exception(error);
      promise->set_value(answer);
    } catch (...) {
      promise->set_exception(std::current_exception());
    }
  });
  return promise->get_future().get();
}

}  // namespace signet
