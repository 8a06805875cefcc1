// A folder that is there for one test.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "source/source.h"

namespace headrace::test {

class TempFolder {
 public:
  TempFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "headrace_test_XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  ~TempFolder() { std::filesystem::remove_all(path_); }

  const std::string& path() const { return path_; }

  // The path of `name`, whose folders are made.
  std::string at(const std::string& name) const {
    const auto path = std::filesystem::path(path_) / name;
    std::filesystem::create_directories(path.parent_path());
    return path.string();
  }
  std::string write(const std::string& name, const std::string& content) const {
    const std::string path = at(name);
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }
  static std::string read(const std::string& path) {
    std::stringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
  }

 private:
  std::string path_;
};

// Standard input is `content`, through a pipe as from another program, while this lives.
class PipedInput {
 public:
  explicit PipedInput(const std::string& content) : content_path_(folder_.write("input", content)) {
    saved_ = dup(STDIN_FILENO);
    pipe_ = popen(("cat '" + content_path_ + "'").c_str(), "r");
    dup2(fileno(pipe_), STDIN_FILENO);
  }
  PipedInput(const PipedInput&) = delete;
  PipedInput& operator=(const PipedInput&) = delete;
  ~PipedInput() {
    dup2(saved_, STDIN_FILENO);
    close(saved_);
    pclose(pipe_);
  }

 private:
  TempFolder folder_;
  std::string content_path_;
  int saved_ = -1;
  FILE* pipe_ = nullptr;
};

inline LoadRequest request_of(std::vector<std::string> source) {
  LoadRequest request;
  request.source = std::move(source);
  return request;
}

inline ReadOptions all_columns(const SourceFacts& facts, int64_t batch_rows = 1000) {
  ReadOptions options;
  options.batch_rows = batch_rows;
  for (size_t i = 0; i < facts.schema.fields.size(); ++i)
    options.columns.push_back(static_cast<int>(i));
  return options;
}

inline std::string names_and_types(const Schema& schema) {
  std::string out;
  for (const Field& field : schema.fields) {
    if (!out.empty()) out += ", ";
    out += field.name + " " + type_name(field.type) + (field.nullable ? "" : " not null");
  }
  return out;
}

}  // namespace headrace::test
