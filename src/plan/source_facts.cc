// What headrace inspect shows of a source: facts as text and as JSON.
#include <fmt/format.h>

#include "headrace/facts.h"
#include "plan/plan_json.h"
#include "plan/text_layout.h"

namespace headrace {
namespace {

constexpr size_t kMaxNameWidth = 40;
constexpr size_t kMaxTypeWidth = 60;
constexpr size_t kMaxValueWidth = 24;
constexpr size_t kMaxListed = 20;

std::string known_count(int64_t number) { return number < 0 ? "" : grouped(number); }
std::string known_size(int64_t bytes) { return bytes < 0 ? "" : size_text(bytes); }

std::string value_text(const std::optional<std::string>& value) {
  return value ? clipped(printable(*value), kMaxValueWidth) : "";
}

Json column_json(const Field& field, const ColumnFacts* facts) {
  Json json{{"name", field.name}, {"type", type_name(field.type)}, {"nullable", field.nullable}};
  const ColumnFacts nothing;
  const ColumnFacts& column = facts != nullptr ? *facts : nothing;
  json["physical_type"] = known(column.physical_type);
  json["encodings"] = column.encodings;
  json["compression"] = known(column.compression);
  json["all_dictionary"] = facts != nullptr ? Json(column.all_dictionary) : Json(nullptr);
  json["compressed_bytes"] = known(column.compressed_bytes);
  json["uncompressed_bytes"] = known(column.uncompressed_bytes);
  json["null_count"] = known(column.null_count);
  json["min"] = JsonWriter::encode(column.min);
  json["max"] = JsonWriter::encode(column.max);
  return json;
}

Json partition_json(const Partition& partition) {
  Json hive = Json::object();
  for (const auto& [name, value] : partition.hive) hive[name] = JsonWriter::encode(value);
  return Json{{"index", partition.index},
              {"uri", partition.uri},
              {"row_groups", partition.row_groups},
              {"first_row", known(partition.first_row)},
              {"row_count", known(partition.row_count)},
              {"byte_count", known(partition.byte_count)},
              {"hive", hive}};
}

std::string columns_table(const SourceFacts& facts) {
  TextTable table({{"#", true},
                   {"column"},
                   {"type"},
                   {"null"},
                   {"stored as"},
                   {"encodings"},
                   {"compression"},
                   {"stored", true},
                   {"plain", true},
                   {"nulls", true},
                   {"min"},
                   {"max"}});
  for (size_t i = 0; i < facts.schema.fields.size(); ++i) {
    const Field& field = facts.schema.fields[i];
    const ColumnFacts column = i < facts.columns.size() ? facts.columns[i] : ColumnFacts{};
    table.add_row({std::to_string(i + 1), clipped(printable(field.name), kMaxNameWidth),
                   clipped(printable(type_name(field.type)), kMaxTypeWidth),
                   field.nullable ? "null" : "not null", printable(column.physical_type),
                   printable(fmt::format("{}", fmt::join(column.encodings, ", "))),
                   printable(column.compression), known_size(column.compressed_bytes),
                   known_size(column.uncompressed_bytes), known_count(column.null_count),
                   value_text(column.min), value_text(column.max)});
  }
  return table.render();
}

std::string hive_text(const Partition& partition) {
  std::string text;
  for (const auto& [name, value] : partition.hive) {
    if (!text.empty()) text += ", ";
    text += printable(name) + "=" + (value ? printable(*value) : "NULL");
  }
  return text;
}

std::string row_groups_text(const Partition& partition) {
  return fmt::format("{}", fmt::join(partition.row_groups, ", "));
}

std::string more_line(size_t count) {
  if (count <= kMaxListed) return {};
  return fmt::format("  ... and {} more\n", grouped(static_cast<int64_t>(count - kMaxListed)));
}

std::string partitions_table(const SourceFacts& facts) {
  TextTable table({{"#", true},
                   {"file"},
                   {"row group"},
                   {"first row", true},
                   {"rows", true},
                   {"bytes", true},
                   {"folders"}});
  for (size_t i = 0; i < facts.partitions.size() && i < kMaxListed; ++i) {
    const Partition& partition = facts.partitions[i];
    table.add_row({std::to_string(partition.index), printable(partition.uri),
                   row_groups_text(partition), known_count(partition.first_row),
                   known_count(partition.row_count), known_size(partition.byte_count),
                   hive_text(partition)});
  }
  return table.render() + more_line(facts.partitions.size());
}

std::string rows_text(const SourceFacts& facts) {
  if (facts.row_count < 0) return "not known";
  return (facts.row_count_is_exact ? "" : "about ") + grouped(facts.row_count);
}

}  // namespace

std::string SourceFacts::to_text() const {
  std::string out;
  append_field(&out, "source", printable(uri));
  append_field(&out, "format", format);
  append_field(&out, "rows", rows_text(*this));
  append_field(&out, "size", byte_count < 0 ? "not known" : size_text(byte_count));
  append_field(&out, "files", grouped(static_cast<int64_t>(files.size())));
  out += "\ncolumns\n" + columns_table(*this);
  if (!partitions.empty()) out += "\npartitions\n" + partitions_table(*this);
  return out;
}

std::string SourceFacts::to_json() const {
  Json column_list = Json::array();
  for (size_t i = 0; i < schema.fields.size(); ++i) {
    column_list.push_back(
        column_json(schema.fields[i], i < columns.size() ? &columns[i] : nullptr));
  }
  Json partition_list = Json::array();
  for (const Partition& partition : partitions) partition_list.push_back(partition_json(partition));
  const Json json{{"schema_version", 1},
                  {"source", uri},
                  {"format", known(format)},
                  {"row_count", known(row_count)},
                  {"row_count_is_exact", row_count_is_exact},
                  {"byte_count", known(byte_count)},
                  {"files", files},
                  {"columns", column_list},
                  {"partitions", partition_list}};
  return dump(json, 2);
}

}  // namespace headrace
