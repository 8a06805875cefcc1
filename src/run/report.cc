// The report as JSON (SPEC 5) and as text.
#include "headrace/report.h"

#include <fmt/format.h>

#include "plan/plan_json.h"
#include "plan/text_layout.h"
#include "run/retry.h"

namespace headrace {
namespace {

Json phases_json(const PhaseSeconds& phases) {
  return Json{{"plan", phases.plan},     {"prepare", phases.prepare}, {"read", phases.read},
              {"encode", phases.encode}, {"send", phases.send},       {"commit", phases.commit},
              {"index", phases.index},   {"analyze", phases.analyze}, {"verify", phases.verify}};
}

Json error_json(const Error& error) {
  const Json where{{"file", known(error.where.file)},
                   {"partition", known(error.where.partition)},
                   {"row", known(error.where.row)},
                   {"column", known(error.where.column)}};
  return Json{{"code", error_code_name(error.code)},
              {"message", error.message},
              {"hint", known(error.hint)},
              {"sqlstate", known(error.sqlstate)},
              {"retryable", is_retryable(error)},
              {"where", where},
              {"context", error.context}};
}

std::string rows_line(const Report& report) {
  std::string line =
      fmt::format("{} written, {} read", grouped(report.rows_written), grouped(report.rows_read));
  if (report.rows_rejected > 0) line += fmt::format(", {} rejected", grouped(report.rows_rejected));
  if (report.rows_repaired > 0) line += fmt::format(", {} repaired", grouped(report.rows_repaired));
  return line;
}

std::string time_line(const Report& report) {
  std::string line = seconds_text(report.seconds);
  if (report.rows_per_second > 0) {
    line += fmt::format(", {} rows/s", grouped(static_cast<int64_t>(report.rows_per_second + 0.5)));
  }
  if (report.seconds > 0 && report.bytes_sent > 0) {
    line += fmt::format(", {:.1f} MB/s sent",
                        static_cast<double>(report.bytes_sent) / report.seconds * 1e-6);
  }
  return line;
}

std::string method_line(const Report& report) {
  std::string line = printable(report.method);
  if (line.empty()) return line;
  if (report.method != report.method_requested && !report.method_requested.empty()) {
    line += fmt::format(" (asked for: {})", printable(report.method_requested));
  }
  if (!report.method_reason.empty()) line += ": " + printable(report.method_reason);
  if (!report.fallback_reason.empty()) line += "\nfell back: " + printable(report.fallback_reason);
  return line;
}

std::string commit_line(const Report& report) {
  if (report.commit_scope.empty()) return {};
  return fmt::format("{}, {}, {}", report.commit_scope,
                     count_text(report.connections, "connection"),
                     count_text(report.partitions, "partition"));
}

std::string bytes_line(const Report& report) {
  return fmt::format("{} read, {} encoded, {} sent", size_text(report.bytes_read),
                     size_text(report.bytes_encoded), size_text(report.bytes_sent));
}

std::string phases_line(const PhaseSeconds& phases) {
  struct Phase {
    const char* name;
    double seconds;
  };
  std::string line;
  for (const Phase& phase :
       {Phase{"plan", phases.plan}, Phase{"prepare", phases.prepare}, Phase{"read", phases.read},
        Phase{"encode", phases.encode}, Phase{"send", phases.send}, Phase{"commit", phases.commit},
        Phase{"index", phases.index}, Phase{"analyze", phases.analyze},
        Phase{"verify", phases.verify}}) {
    if (phase.seconds < 0.0005) continue;  // 0.000 s says nothing
    if (!line.empty()) line += ", ";
    line += fmt::format("{} {}", phase.name, seconds_text(phase.seconds));
  }
  return line;
}

std::string list_lines(const std::vector<std::string>& items) {
  std::string lines;
  for (const std::string& item : items) lines += printable(item) + "\n";
  return lines;
}

std::string error_line(const Error& error) {
  return fmt::format("{}: {}", error_code_name(error.code), printable_lines(error.message));
}

}  // namespace

std::string Report::to_json() const {
  Json decision_list = Json::array();
  for (const Decision& decision : decisions) decision_list.push_back(JsonWriter::encode(decision));
  Json json{{"schema_version", schema_version},
            {"status", known(status)},
            {"load_id", known(load_id)},
            {"table", known(table)},
            {"mode", known(mode)},
            {"method", known(method)},
            {"method_requested", known(method_requested)},
            {"method_reason", known(method_reason)},
            {"fallback_reason", known(fallback_reason)},
            {"commit_scope", known(commit_scope)},
            {"connections", connections},
            {"partitions", partitions},
            {"rows_read", known(rows_read)},
            {"rows_written", known(rows_written)},
            {"rows_rejected", known(rows_rejected)},
            {"rows_repaired", known(rows_repaired)},
            {"bytes_read", known(bytes_read)},
            {"bytes_encoded", known(bytes_encoded)},
            {"bytes_sent", known(bytes_sent)},
            {"seconds", seconds},
            {"rows_per_second", rows_per_second},
            {"phases", phases_json(phases)},
            {"peak_memory_bytes", known(peak_memory_bytes)},
            {"client_cpu_seconds", client_cpu_seconds},
            {"lock_seconds", lock_seconds},
            {"wal_bytes", known(wal_bytes)},
            {"files", files},
            {"warnings", warnings},
            {"decisions", decision_list}};
  if (error) json["error"] = error_json(*error);
  return dump(json, 2);
}

std::string Report::to_text() const {
  std::string out;
  append_field(&out, "status", status);
  if (error) append_field(&out, "error", error_line(*error));
  append_field(&out, "table", printable(table));
  append_field(&out, "target", printable(target));
  append_field(&out, "mode", mode);
  if (ok() || rows_read > 0) append_field(&out, "rows", rows_line(*this));
  append_field(&out, "time", time_line(*this));
  append_field(&out, "method", method_line(*this));
  append_field(&out, "commit", commit_line(*this));
  if (bytes_read + bytes_sent > 0) append_field(&out, "bytes", bytes_line(*this));
  append_field(&out, "phases", phases_line(phases));
  if (peak_memory_bytes > 0) append_field(&out, "memory", memory_text(peak_memory_bytes));
  if (client_cpu_seconds > 0) append_field(&out, "client cpu", seconds_text(client_cpu_seconds));
  if (wal_bytes >= 0) append_field(&out, "wal", size_text(wal_bytes));
  if (lock_seconds > 0) append_field(&out, "lock", seconds_text(lock_seconds));
  append_field(&out, "files", list_lines(files));
  append_field(&out, "load id", printable(load_id));
  append_field(&out, "warnings", list_lines(warnings));
  if (!decisions.empty()) out += "\ndecisions\n" + decisions_table(decisions);
  return out;
}

}  // namespace headrace
