// JSON of our value types, described once for both directions.
//
// A type is described by a function template that names its members:
//
//   template <class Archive, Either<Decision> T>
//   void describe(Archive& archive, T& decision) {
//     archive("subject", decision.subject);
//   }
//
// JsonWriter makes an object of them, JsonReader fills them from one. Reading is strict: a member
// that is missing, unknown or of another type is a problem, and the first problem is kept.
// Included only where JSON is made: the JSON library is slow to compile.
#pragma once

#include <fmt/format.h>

#include <concepts>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace headrace {

using Json = nlohmann::ordered_json;

template <class T, class Described>
concept Either = std::same_as<std::remove_const_t<T>, Described>;

// Names of an enum's values: an overload of enum_names(E) returns them as a range of EnumName<E>.
template <class E>
struct EnumName {
  E value;
  const char* name;
};

// Bytes that are not UTF-8 become U+FFFD instead of an exception.
inline std::string dump(const Json& json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

// What is not known is null.
inline Json known(int64_t number) { return number < 0 ? Json(nullptr) : Json(number); }
inline Json known(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

// --- writing

class JsonWriter {
 public:
  template <class T>
  void operator()(const char* name, const T& value) {
    object_[name] = encode(value);
  }

  // A member that is written only where it says something.
  template <class T>
  void when(bool needed, const char* name, const T& value, const T& otherwise) {
    if (needed || !(value == otherwise)) (*this)(name, value);
  }

  // A member for people, which reading ignores.
  void note(const char* name, const std::string& text) { object_[name] = text; }

  template <class T>
  static Json encode(const T& value) {
    if constexpr (std::is_enum_v<T>) {
      for (const auto& entry : enum_names(value)) {
        if (entry.value == value) return entry.name;
      }
      return nullptr;
    } else if constexpr (std::is_arithmetic_v<T> || std::same_as<T, std::string>) {
      return value;
    } else {
      JsonWriter writer;
      describe(writer, value);
      return std::move(writer.object_);
    }
  }

  template <class T>
  static Json encode(const std::vector<T>& values) {
    Json array = Json::array();
    for (const T& value : values) array.push_back(encode(value));
    return array;
  }

  static Json encode(const std::optional<std::string>& value) {
    return value ? Json(*value) : Json(nullptr);
  }

 private:
  Json object_ = Json::object();
};

// --- reading

class JsonReader {
 public:
  // `path` says in a problem where `json` stands. REQUIRES: json is an object.
  JsonReader(const Json& json, std::string path, int depth, std::string* problem)
      : json_(json), path_(std::move(path)), depth_(depth), problem_(problem) {}

  template <class T>
  void operator()(const char* name, T& value) {
    if (const Json* member = find(name, true))
      decode(*member, path_ + name, depth_, problem_, &value);
  }

  template <class T>
  void when(bool needed, const char* name, T& value, const T&) {
    if (const Json* member = find(name, needed))
      decode(*member, path_ + name, depth_, problem_, &value);
  }

  void note(const char* name, const std::string&) { find(name, false); }

  // Complains of the first member that nobody asked for.
  void finish() {
    for (const auto& [name, value] : json_.items()) {
      bool known = false;
      for (const char* asked : asked_) known = known || name == asked;
      if (!known) complain(fmt::format("unknown field \"{}\"", path_ + name), problem_);
    }
  }

  template <class T>
  static void decode(const Json& json, const std::string& path, int depth, std::string* problem,
                     T* value) {
    if constexpr (std::is_enum_v<T>) {
      decode_enum(json, path, problem, value);
    } else if constexpr (std::same_as<T, bool>) {
      if (!json.is_boolean()) return complain(path + " is not true or false", problem);
      *value = json.template get<bool>();
    } else if constexpr (std::is_integral_v<T>) {
      decode_integer(json, path, problem, value);
    } else if constexpr (std::same_as<T, std::string>) {
      if (!json.is_string()) return complain(path + " is not a string", problem);
      *value = json.template get<std::string>();
    } else {
      if (!json.is_object()) return complain(path + " is not an object", problem);
      if (depth >= kMaxDepth) return complain(path + " is nested too deeply", problem);
      JsonReader reader(json, path + ".", depth + 1, problem);
      describe(reader, *value);
      reader.finish();
    }
  }

  template <class T>
  static void decode(const Json& json, const std::string& path, int depth, std::string* problem,
                     std::vector<T>* values) {
    if (!json.is_array()) return complain(path + " is not an array", problem);
    values->clear();
    for (const Json& item : json) {
      if (!problem->empty()) return;
      T value{};
      decode(item, fmt::format("{}[{}]", path, values->size()), depth, problem, &value);
      values->push_back(std::move(value));
    }
  }

  static void decode(const Json& json, const std::string& path, int depth, std::string* problem,
                     std::optional<std::string>* value) {
    value->reset();
    if (!json.is_null()) decode(json, path, depth, problem, &value->emplace());
  }

 private:
  static constexpr int kMaxDepth = 100;

  static void complain(std::string text, std::string* problem) {
    if (problem->empty()) *problem = std::move(text);
  }

  const Json* find(const char* name, bool needed) {
    asked_.push_back(name);
    if (!problem_->empty()) return nullptr;
    const auto member = json_.find(name);
    if (member != json_.end()) return &*member;
    if (needed) complain(fmt::format("field \"{}\" is missing", path_ + name), problem_);
    return nullptr;
  }

  template <class E>
  static void decode_enum(const Json& json, const std::string& path, std::string* problem,
                          E* value) {
    if (json.is_string()) {
      for (const auto& entry : enum_names(E{})) {
        if (json.get_ref<const std::string&>() == entry.name) {
          *value = entry.value;
          return;
        }
      }
    }
    complain(path + " has an unknown value", problem);
  }

  template <std::integral T>
  static void decode_integer(const Json& json, const std::string& path, std::string* problem,
                             T* value) {
    using Limits = std::numeric_limits<T>;
    const bool above =
        json.is_number_unsigned() && json.get<uint64_t>() > static_cast<uint64_t>(Limits::max());
    const bool below = json.is_number_integer() && !json.is_number_unsigned() &&
                       json.get<int64_t>() < static_cast<int64_t>(Limits::min());
    if (!json.is_number_integer() || above || below) {
      return complain(fmt::format("{} is not an integer of {} bits", path, 8 * sizeof(T)), problem);
    }
    *value = json.get<T>();
  }

  const Json& json_;
  const std::string path_;
  const int depth_;
  std::string* const problem_;
  std::vector<const char*> asked_;
};

}  // namespace headrace
