#include <gtest/gtest.h>

#include <regex>
#include <set>

#include "serve/routes.h"
#include "serve/test_service.h"

namespace signet {
namespace {

using nlohmann::json;

const json& document() {
  static const json parsed = json::parse(openapi_document());
  return parsed;
}

const json& resolved(const json& schema) {
  const json* at = &schema;
  while (at->contains("$ref")) at = &document().at(json::json_pointer(at->at("$ref").get<std::string>().substr(1)));
  return *at;
}

bool is_of_type(const json& value, const std::string& type) {
  if (type == "integer") return value.is_number_integer();
  if (type == "number") return value.is_number();
  if (type == "string") return value.is_string();
  if (type == "array") return value.is_array();
  if (type == "object") return value.is_object();
  if (type == "boolean") return value.is_boolean();
  return type == "null" && value.is_null();
}

void check(const json& value, const json& schema, const std::string& where, std::string& wrong);

void check_parts(const json& value, const json& schema, const std::string& where, std::string& wrong) {
  if (value.is_object() && schema.contains("properties")) {
    for (const auto& name : schema.value("required", json::array())) {
      if (!value.contains(name.get<std::string>())) wrong += where + " lacks " + name.get<std::string>() + "\n";
    }
    for (const auto& item : value.items()) {
      if (schema.at("properties").contains(item.key())) {
        check(item.value(), schema.at("properties").at(item.key()), where + "." + item.key(), wrong);
      } else if (schema.value("additionalProperties", true) == false) {
        wrong += where + " has " + item.key() + ", which is not in the document\n";
      }
    }
  }
  if (!value.is_array()) return;
  if (value.size() < schema.value("minItems", std::size_t{0})) wrong += where + " is too short\n";
  for (std::size_t i = 0; i < value.size(); ++i) {
    const bool prefixed = schema.contains("prefixItems") && i < schema.at("prefixItems").size();
    if (prefixed) {
      check(value[i], schema.at("prefixItems")[i], where + "[" + std::to_string(i) + "]", wrong);
    } else if (schema.contains("items") && schema.at("items").is_object()) {
      check(value[i], schema.at("items"), where + "[" + std::to_string(i) + "]", wrong);
    } else if (schema.contains("items") && schema.at("items") == false) {
      wrong += where + " is too long\n";
    }
  }
}

// The part of JSON Schema that the document uses.
void check(const json& value, const json& unresolved, const std::string& where, std::string& wrong) {
  const json& schema = resolved(unresolved);
  if (schema.contains("oneOf")) {
    int matches = 0;
    for (const json& one : schema.at("oneOf")) {
      std::string problems;
      check(value, one, where, problems);
      matches += problems.empty();
    }
    if (matches != 1) wrong += where + " matches " + std::to_string(matches) + " of oneOf: " + value.dump() + "\n";
  }
  if (schema.contains("type")) {
    const json& type = schema.at("type");
    const json types = type.is_array() ? type : json::array({type});
    if (std::none_of(types.begin(), types.end(), [&](const json& one) { return is_of_type(value, one); }))
      wrong += where + " is " + value.dump() + ", not " + types.dump() + "\n";
  }
  if (value.is_number() && schema.contains("minimum") && value < schema.at("minimum")) wrong += where + " is below the minimum\n";
  if (value.is_number() && schema.contains("maximum") && value > schema.at("maximum")) wrong += where + " is above the maximum\n";
  if (value.is_string() && schema.contains("pattern") &&
      !std::regex_match(value.get<std::string>(), std::regex(schema.at("pattern").get<std::string>())))
    wrong += where + " does not match its pattern: " + value.dump() + "\n";
  check_parts(value, schema, where, wrong);
}

// Checks an answer against what the document says of a path and method.
void expect_documented(const std::string& path, const std::string& method, const Reply& reply) {
  const std::string what = method + " " + path + " -> " + std::to_string(reply.status);
  const json& operation = document().at("paths").at(path).at(method);
  const json& responses = operation.at("responses");
  ASSERT_TRUE(responses.contains(std::to_string(reply.status))) << what << " is not documented\n" << reply.body;
  const json& response = resolved(responses.at(std::to_string(reply.status)));
  if (!response.contains("content")) {
    EXPECT_EQ(reply.body, "") << what;
    return;
  }
  const std::string type = media_type(reply.header("content-type"));
  ASSERT_TRUE(response.at("content").contains(type)) << what << " has the type " << type;
  const json& schema = response.at("content").at(type).at("schema");
  std::string wrong;
  if (type.ends_with("json") && type != "application/x-ndjson") check(json::parse(reply.body), schema, "", wrong);
  if (type == "application/x-ndjson") {
    std::istringstream lines(reply.body);
    for (std::string line; std::getline(lines, line);) check(json::parse(line), schema, "", wrong);
  }
  EXPECT_EQ(wrong, "") << what << "\n" << reply.body.substr(0, 2000);
}

class OpenApi : public ServerTest {};

TEST_F(OpenApi, IsServedAsItIs) {
  start();
  const Reply reply = ask("GET", "/openapi.json");
  EXPECT_EQ(reply.status, 200u);
  EXPECT_EQ(reply.body, openapi_document());
  EXPECT_EQ(document().at("openapi"), "3.1.0");
}

TEST_F(OpenApi, DescribesTheAnswerToAMethodThatAPathHasNot) {
  start();
  const Reply reply = ask("PATCH", "/v1/collection");
  EXPECT_EQ(reply.status, 405u);
  EXPECT_NE(reply.header("allow").find("GET"), std::string::npos);
  std::string wrong;
  check(json::parse(reply.body),
        resolved(document().at("components").at("responses").at("405").at("content").at("application/problem+json").at("schema")),
        "", wrong);
  EXPECT_EQ(wrong, "") << reply.body;
}

TEST_F(OpenApi, NamesExactlyTheRoutesThatExist) {
  std::set<std::string> routes, documented;
  for (const api::Route& route : api::kRoutes) routes.insert(std::string(route.method) + " " + std::string(route.pattern));
  for (const auto& path : document().at("paths").items()) {
    for (const auto& method : path.value().items()) {
      std::string upper = method.key();
      for (char& c : upper) c = static_cast<char>(std::toupper(c));
      documented.insert(upper + " " + path.key());
    }
  }
  EXPECT_EQ(routes, documented);
}

TEST_F(OpenApi, SaysWhichRoutesNeedAKey) {
  for (const api::Route& route : api::kRoutes) {
    std::string method(route.method);
    for (char& c : method) c = static_cast<char>(std::tolower(c));
    const json& security = document().at("paths").at(std::string(route.pattern)).at(method).at("security");
    EXPECT_EQ(security.empty(), route.access == Access::kNone) << route.pattern;
  }
}

TEST_F(OpenApi, DescribesTheAnswersToReaders) {
  start();
  const std::string image = "/v1/images/" + escaped(key(3));
  expect_documented("/v1/collection", "get", ask("GET", "/v1/collection"));
  expect_documented("/v1/search", "post", ask("POST", "/v1/search?k=5", test_png(1), kPng));
  expect_documented("/v1/search", "post", ask("POST", "/v1/search", json{{"code", hex(2)}, {"radius", 6}}.dump(), kJson));
  expect_documented("/v1/search", "post", ask("POST", "/v1/search", json{{"key", "gone"}}.dump(), kJson));
  expect_documented("/v1/search", "post", ask("POST", "/v1/search?k=10001", test_png(1), kPng));
  expect_documented("/v1/encode", "post", ask("POST", "/v1/encode", test_png(1), kPng));
  expect_documented("/v1/encode", "post", ask("POST", "/v1/encode", "no picture", kPng));
  expect_documented("/v1/images", "get", ask("GET", "/v1/images?limit=7&label=odd"));
  expect_documented("/v1/images", "get", ask("GET", "/v1/images?limit=0"));
  expect_documented("/v1/images/{key}", "get", ask("GET", image));
  expect_documented("/v1/images/{key}", "get", ask("GET", "/v1/images/gone"));
  expect_documented("/v1/thumbnails/{id}", "get", ask("GET", "/v1/thumbnails/1?size=32"));
  expect_documented("/v1/thumbnails/{id}", "get", ask("GET", "/v1/thumbnails/999"));
  expect_documented("/v1/map", "get", ask("GET", "/v1/map?limit=9"));
  expect_documented("/v1/duplicates", "get", ask("GET", "/v1/duplicates?radius=5"));
  expect_documented("/v1/duplicates", "get", ask("GET", "/v1/duplicates?level=none"));
  for (const char* path : {"/healthz", "/readyz", "/metrics", "/openapi.json", "/"})
    expect_documented(path, "get", ask("GET", path));
}

TEST_F(OpenApi, DescribesTheAnswersToWriters) {
  start();
  const std::string image = "/v1/images/" + escaped(key(3));
  expect_documented("/v1/images/{key}", "put", ask("PUT", "/v1/images/new?label=odd", test_png(70), kPng));
  expect_documented("/v1/images/{key}", "put", ask("PUT", image, test_png(71), kPng));
  expect_documented("/v1/images/{key}", "put", ask("PUT", image, "no picture", kPng));
  expect_documented("/v1/images/{key}", "delete", ask("DELETE", image));
  expect_documented("/v1/images/{key}", "delete", ask("DELETE", image));
  const std::string said = R"({"duplicate": true})";
  expect_documented("/v1/verdicts/{pair}", "put", ask("PUT", "/v1/verdicts/1-2", said, kJson));
  expect_documented("/v1/verdicts/{pair}", "put", ask("PUT", "/v1/verdicts/1-999", said, kJson));
  expect_documented("/v1/verdicts/{pair}", "put", ask("PUT", "/v1/verdicts/1-2", "{}", kJson));
  expect_documented("/v1/verdicts", "get", ask("GET", "/v1/verdicts"));
  expect_documented("/v1/duplicates", "get", ask("GET", "/v1/duplicates?radius=6"));
  expect_documented("/v1/verdicts/{pair}", "delete", ask("DELETE", "/v1/verdicts/1-2"));
  expect_documented("/v1/verdicts/{pair}", "delete", ask("DELETE", "/v1/verdicts/1-2"));
  const std::string lines = json{{"key", "a"}, {"code", hex(1)}}.dump() + "\n{\"no\": \"key\"}\nno json\n";
  expect_documented("/v1/images:bulk", "post", ask("POST", "/v1/images:bulk", lines, kLines));
}

TEST_F(OpenApi, DescribesWhatEveryPathMayRefuse) {
  put(path("keys"), "read 0123456789abcdef\nwrite 0123456789ABCDEF\n");
  std::filesystem::permissions(path("keys"), std::filesystem::perms::owner_read);
  api_options_.keys = AccessKeys::from_file(real_file_system(), path("keys"));
  start();
  for (const api::Route& route : api::kRoutes) {
    if (route.access == Access::kNone) continue;
    std::string method(route.method);
    for (char& c : method) c = static_cast<char>(std::tolower(c));
    const std::string target = std::regex_replace(std::string(route.pattern), std::regex("\\{.*\\}"), "1");
    expect_documented(std::string(route.pattern), method, ask(std::string(route.method), target));
    if (route.access == Access::kWrite) {
      expect_documented(std::string(route.pattern), method,
                        ask(std::string(route.method), target, {}, {{"Authorization", "Bearer 0123456789abcdef"}}));
    }
  }
}

TEST(OpenApiChecker, FindsWhatIsWrong) {
  const json schema =
      json::parse(R"({"type":"object","properties":{"a":{"type":"integer","minimum":0},"b":{"type":["string","null"]}},
    "required":["a"],"additionalProperties":false})");
  const auto problems = [&](const char* text) {
    std::string wrong;
    check(json::parse(text), schema, "", wrong);
    return wrong;
  };
  EXPECT_EQ(problems(R"({"a":1,"b":null})"), "");
  for (const char* text : {"{}", "[]", R"({"a":-1})", R"({"a":1.5})", R"({"a":1,"b":2})", R"({"a":1,"c":2})"})
    EXPECT_NE(problems(text), "") << text;
}

}  // namespace
}  // namespace signet
