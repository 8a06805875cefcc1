// The facts of a SQLite file as JSON and as text.
#include "headrace/inspect_file.h"

#include <fmt/format.h>

#include "plan/json_archive.h"
#include "plan/text_layout.h"

namespace headrace {
namespace {

std::string known_count(int64_t count) { return count < 0 ? "" : grouped(count); }

std::string column_text(const FileTree& tree) {
  std::string text;
  for (const FileColumn& column : tree.columns) {
    text += (text.empty() ? "" : ", ") + column.name;
    if (!column.type.empty()) text += " " + column.type;
    if (column.primary_key) text += " (key)";
  }
  return text;
}

}  // namespace

std::string FileFacts::to_json() const {
  Json list = Json::array();
  for (const FileTree& tree : trees) {
    Json columns = Json::array();
    for (const FileColumn& column : tree.columns) {
      columns.push_back(Json{{"name", column.name},
                             {"type", column.type},
                             {"not_null", column.not_null},
                             {"primary_key", column.primary_key}});
    }
    const bool walked = tree.leaf_pages >= 0;
    list.push_back(Json{{"kind", tree.kind},
                        {"name", tree.name},
                        {"table", known(tree.table)},
                        {"rows", known(tree.rows)},
                        {"leaf_pages", known(tree.leaf_pages)},
                        {"interior_pages", known(tree.interior_pages)},
                        {"overflow_pages", known(tree.overflow_pages)},
                        {"fill", walked ? Json(tree.fill) : Json(nullptr)},
                        {"bytes", walked ? Json(tree.pages() * page_bytes) : Json(nullptr)},
                        {"columns", columns}});
  }
  return dump(Json{{"schema_version", schema_version},
                   {"path", path},
                   {"format", "sqlite"},
                   {"bytes", bytes},
                   {"page_bytes", page_bytes},
                   {"page_count", page_count},
                   {"free_pages", free_pages},
                   {"journal_mode", journal_mode},
                   {"encoding", encoding},
                   {"user_version", user_version},
                   {"application_id", application_id},
                   {"pages_unknown", known(pages_unknown)},
                   {"trees", list},
                   {"views", views},
                   {"triggers", triggers}},
              2);
}

std::string FileFacts::to_text() const {
  std::string out;
  append_field(&out, "file", printable(path));
  append_field(&out, "size", fmt::format("{}, {} of {}, {} free", size_text(bytes),
                                         count_text(page_count, "page"), memory_text(page_bytes),
                                         grouped(free_pages)));
  append_field(&out, "journal", journal_mode);
  append_field(&out, "encoding", encoding);
  if (user_version != 0) append_field(&out, "version", std::to_string(user_version));
  append_field(&out, "pages", pages_unknown);
  append_field(&out, "views", printable(fmt::format("{}", fmt::join(views, ", "))));
  append_field(&out, "triggers", printable(fmt::format("{}", fmt::join(triggers, ", "))));
  TextTable table({{"kind"},
                   {"name"},
                   {"rows", true},
                   {"size", true},
                   {"leaves", true},
                   {"interior", true},
                   {"overflow", true},
                   {"fill", true},
                   {"columns"}});
  for (const FileTree& tree : trees) {
    const bool walked = tree.leaf_pages >= 0;
    table.add_row({tree.kind, printable(tree.name), known_count(tree.rows),
                   walked ? size_text(tree.pages() * page_bytes) : "",
                   known_count(tree.leaf_pages), known_count(tree.interior_pages),
                   known_count(tree.overflow_pages),
                   walked ? fmt::format("{:.1f} %", tree.fill * 100) : "",
                   clipped(printable(column_text(tree)), 100)});
  }
  return out + "\n" + table.render();
}

}  // namespace headrace
