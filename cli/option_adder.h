// Adds options of one group to one command; each has its variable in the environment.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "convert.h"

namespace headrace::cli {

class OptionAdder {
 public:
  OptionAdder(CLI::App* app, const char* group) : app_(app), group_(group) {}

  template <class T>
  CLI::Option* value(const char* name, T* place, const char* value_name, const char* help) {
    return finish(app_->add_option(name, *place, help)->type_name(value_name), name);
  }

  CLI::Option* flag(const char* name, bool* place, const char* help) {
    return finish(app_->add_flag(name, *place, help), name);
  }

  // May be given several times, each time with one value.
  void values(const char* name, std::vector<std::string>* place, const char* value_name,
              const char* help) {
    app_->add_option(name, *place, help)
        ->type_name(value_name)
        ->expected(1)
        ->allow_extra_args(false)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
        ->group(group_);
  }

 private:
  CLI::Option* finish(CLI::Option* option, const char* name) {
    return option->envname(environment_name(name))->group(group_);
  }

  CLI::App* app_;
  const char* group_;
};

}  // namespace headrace::cli
