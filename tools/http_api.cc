// Writes docs/http-api.md from the OpenAPI document: signet-http-api src/serve/openapi/openapi.json > docs/http-api.md
// A test fails where the page is not what this program writes.
#include <algorithm>
#include <cctype>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

namespace {

using Json = nlohmann::ordered_json;

std::string joined(const Json& list) {
  std::string text;
  for (const Json& one : list) text += (text.empty() ? "" : " or ") + one.get<std::string>();
  return text;
}

std::string name_of(const std::string& reference) { return reference.substr(reference.rfind('/') + 1); }

std::string link(const std::string& name) {
  std::string anchor = name;
  for (char& c : anchor) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return "[" + name + "](#" + anchor + ")";
}

// "text", "whole number, 1 to 10000", "list of [Hit](#hit)".
std::string type_of(const Json& schema) {
  if (schema.contains("$ref")) return link(name_of(schema.at("$ref")));
  if (schema.contains("oneOf")) {
    std::string text;
    for (const Json& one : schema.at("oneOf")) text += (text.empty() ? "" : " or ") + type_of(one);
    return text;
  }
  const Json& type = schema.at("type");
  std::string text = type.is_array() ? joined(type) : type.get<std::string>();
  if (text == "array" && schema.contains("prefixItems")) {
    text = "[";
    for (const Json& one : schema.at("prefixItems")) text += (text == "[" ? "" : ", ") + type_of(one);
    return text + "]";
  }
  if (text == "array" && schema.contains("items")) return "list of " + type_of(schema.at("items"));
  if (text == "object" && schema.contains("properties")) {
    text = "{";
    for (const auto& item : schema.at("properties").items())
      text += (text == "{" ? "" : ", ") + item.key() + ": " + type_of(item.value());
    return text + "}";
  }
  const bool from = schema.contains("minimum"), to = schema.contains("maximum");
  if (from && to) text += ", " + schema.at("minimum").dump() + " to " + schema.at("maximum").dump();
  if (from && !to) text += ", from " + schema.at("minimum").dump();
  if (schema.contains("default")) text += ", default " + schema.at("default").dump();
  return text;
}

void write_parameters(const Json& operation) {
  if (!operation.contains("parameters")) return;
  std::cout << "\n| parameter | in | what | type |\n|---|---|---|---|\n";
  for (const Json& parameter : operation.at("parameters")) {
    std::cout << "| `" << parameter.at("name").get<std::string>() << "` | " << parameter.at("in").get<std::string>() << " | "
              << parameter.value("description", "") << " | " << type_of(parameter.at("schema")) << " |\n";
  }
}

void write_body(const Json& operation) {
  if (!operation.contains("requestBody")) return;
  std::cout << "\nBody: ";
  std::string text;
  for (const auto& content : operation.at("requestBody").at("content").items()) {
    text += (text.empty() ? "`" : ", `") + content.key() + "`";
    if (content.value().at("schema").contains("$ref")) text += " (" + type_of(content.value().at("schema")) + ")";
  }
  std::cout << text << ".\n";
}

void write_responses(const Json& operation) {
  std::string problems;
  std::cout << "\n| status | answer |\n|---|---|\n";
  for (const auto& item : operation.at("responses").items()) {
    if (item.value().contains("$ref")) {
      problems += (problems.empty() ? "" : ", ") + item.key();
      continue;
    }
    std::cout << "| " << item.key() << " | " << item.value().at("description").get<std::string>();
    if (item.value().contains("content")) {
      for (const auto& content : item.value().at("content").items()) {
        std::cout << " `" << content.key() << "`";
        if (content.value().at("schema").contains("$ref")) std::cout << " " << type_of(content.value().at("schema"));
      }
    }
    std::cout << " |\n";
  }
  if (!problems.empty()) std::cout << "| " << problems << " | " << link("Problem") << " |\n";
}

void write_schema(const std::string& name, const Json& schema) {
  std::cout << "\n### " << name << "\n";
  if (schema.contains("description")) std::cout << "\n" << schema.at("description").get<std::string>() << "\n";
  if (!schema.contains("properties")) return;
  std::cout << "\n| member | type | what |\n|---|---|---|\n";
  const Json required = schema.value("required", Json::array());
  for (const auto& item : schema.at("properties").items()) {
    const bool always = std::find(required.begin(), required.end(), item.key()) != required.end();
    std::cout << "| `" << item.key() << "`" << (always ? "" : " (may be absent)") << " | " << type_of(item.value()) << " | "
              << item.value().value("description", "") << " |\n";
  }
}

void write_page(const Json& document) {
  std::cout << "# HTTP\n\nMade from src/serve/openapi/openapi.json by tools/http_api.cc (`tools/http-api.sh`); change it there. "
               "docs/serve.md says how to "
               "run the service.\n\n"
            << document.at("info").at("description").get<std::string>() << "\n";
  for (const auto& path : document.at("paths").items()) {
    for (const auto& method : path.value().items()) {
      std::string upper = method.key();
      for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
      const Json& operation = method.value();
      std::cout << "\n## " << upper << " " << path.key() << "\n\n" << operation.at("summary").get<std::string>() << ".";
      if (operation.contains("description")) std::cout << " " << operation.at("description").get<std::string>();
      if (operation.at("security").empty()) std::cout << " Needs no key.";
      std::cout << "\n";
      write_parameters(operation);
      write_body(operation);
      write_responses(operation);
    }
  }
  std::cout << "\n## Problems\n\n| status | when |\n|---|---|\n";
  for (const auto& item : document.at("components").at("responses").items())
    std::cout << "| " << item.key() << " | " << item.value().at("description").get<std::string>() << " |\n";
  std::cout << "\n## Shapes\n";
  for (const auto& item : document.at("components").at("schemas").items()) write_schema(item.key(), item.value());
}

}  // namespace

int main(int count, char** values) {
  std::ifstream in(count == 2 ? values[1] : "");
  if (!in) {
    std::cerr << "usage: signet-http-api OPENAPI.json\n";
    return 2;
  }
  write_page(Json::parse(in));
}
