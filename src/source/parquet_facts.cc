// What the footers say of columns, row groups and dictionaries.
#include <arrow/scalar.h>
#include <arrow/util/compression.h>
#include <fmt/format.h>
#include <parquet/arrow/reader.h>
#include <parquet/column_page.h>
#include <parquet/column_reader.h>
#include <parquet/exception.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/properties.h>
#include <parquet/schema.h>
#include <parquet/statistics.h>

#include <algorithm>

#include "source/arrow_cpp.h"
#include "source/parquet.h"

namespace headrace {
namespace {

// A batch carries its whole dictionary; larger ones would cost more than they save.
constexpr int64_t kMaxDictionaryBytes = 16 << 10;  // as stored
constexpr int64_t kMaxDictionaryEntries = 4096;

bool is_dictionary_encoding(parquet::Encoding::type encoding) {
  return encoding == parquet::Encoding::PLAIN_DICTIONARY ||
         encoding == parquet::Encoding::RLE_DICTIONARY;
}

bool all_pages_use_dictionary(const parquet::ColumnChunkMetaData& chunk) {
  const auto& stats = chunk.encoding_stats();
  const bool only =
      std::all_of(stats.begin(), stats.end(), [](const parquet::PageEncodingStats& s) {
        return s.page_type == parquet::PageType::DICTIONARY_PAGE ||
               is_dictionary_encoding(s.encoding);
      });
  if (!stats.empty()) return only;
  // Some writers count no encodings. A plain value of text has 4 bytes of length: chunks with less
  // than 1.5 bytes a value are for the most part dictionary-encoded, and the rest is read right,
  // only slower.
  const auto& encodings = chunk.encodings();
  return std::any_of(encodings.begin(), encodings.end(), is_dictionary_encoding) &&
         2 * chunk.total_uncompressed_size() <= 3 * chunk.num_values();
}

bool is_small_dictionary_chunk(const parquet::ColumnChunkMetaData& chunk) {
  if (chunk.num_values() == 0) return true;
  if (!all_pages_use_dictionary(chunk)) return false;
  if (!chunk.has_dictionary_page()) return true;  // its size is not known here
  return chunk.data_page_offset() - chunk.dictionary_page_offset() <= kMaxDictionaryBytes;
}

// The first row group stands for those whose footer does not tell the size of the dictionary.
bool first_dictionary_is_small(const ParquetFile& file, int leaf) {
  for (int i = 0; i < file.metadata->num_row_groups(); ++i) {
    const auto group = file.metadata->RowGroup(i);
    const auto chunk = group->ColumnChunk(leaf);
    if (chunk->num_values() == 0) continue;
    if (chunk->has_dictionary_page()) return true;
    auto input = open_file(file.path);
    if (!input.ok()) return false;
    parquet::ReaderProperties properties(source_memory_pool());
    properties.enable_buffered_stream();
    const auto reader =
        parquet::ParquetFileReader::Open(std::move(*input), properties, file.metadata);
    const auto page = reader->RowGroup(i)->GetColumnPageReader(leaf)->NextPage();
    if (page == nullptr || page->type() != parquet::PageType::DICTIONARY_PAGE) return false;
    return std::static_pointer_cast<parquet::DictionaryPage>(page)->num_values() <=
           kMaxDictionaryEntries;
  }
  return true;
}

bool can_be_dictionary(const ParquetFile& file, int position) {
  const ParquetColumn& column = file.columns[static_cast<size_t>(position)];
  if (!column.flat ||
      file.schema.fields[static_cast<size_t>(position)].type.id != TypeId::kLargeUtf8)
    return false;
  for (int i = 0; i < file.metadata->num_row_groups(); ++i) {
    const auto group = file.metadata->RowGroup(i);
    if (!is_small_dictionary_chunk(*group->ColumnChunk(column.leaves.front()))) return false;
  }
  return first_dictionary_is_small(file, column.leaves.front());
}

// What Arrow delivers for a text column that it is told to leave dictionary-encoded.
DataType text_dictionary() {
  DataType text;
  text.id = TypeId::kUtf8;
  DataType type;
  type.id = TypeId::kDictionary;
  type.index_id = TypeId::kInt32;
  type.children.push_back({"", text, true});
  return type;
}

template <typename PhysicalType>
void merge_typed(parquet::Statistics* into, const parquet::Statistics& from) {
  static_cast<parquet::TypedStatistics<PhysicalType>*>(into)->Merge(
      static_cast<const parquet::TypedStatistics<PhysicalType>&>(from));
}

void merge(parquet::Statistics* into, const parquet::Statistics& from) {
  switch (into->physical_type()) {
    case parquet::Type::BOOLEAN:
      return merge_typed<parquet::BooleanType>(into, from);
    case parquet::Type::INT32:
      return merge_typed<parquet::Int32Type>(into, from);
    case parquet::Type::INT64:
      return merge_typed<parquet::Int64Type>(into, from);
    case parquet::Type::FLOAT:
      return merge_typed<parquet::FloatType>(into, from);
    case parquet::Type::DOUBLE:
      return merge_typed<parquet::DoubleType>(into, from);
    case parquet::Type::BYTE_ARRAY:
      return merge_typed<parquet::ByteArrayType>(into, from);
    default:
      return;
  }
}

bool is_mergeable(parquet::Type::type type) {
  return type != parquet::Type::INT96 && type != parquet::Type::FIXED_LEN_BYTE_ARRAY &&
         type != parquet::Type::UNDEFINED;
}

// Collects one top-level column over all row groups of all files.
class ColumnCollector {
 public:
  void add_chunk(const parquet::ColumnDescriptor& column, const parquet::ColumnChunkMetaData& chunk,
                 bool nested) {
    const std::string physical = nested ? "nested" : parquet::TypeToString(column.physical_type());
    if (!facts_.physical_type.empty() && facts_.physical_type != physical) can_merge_ = false;
    facts_.physical_type = physical;
    facts_.compression = arrow::util::Codec::GetCodecAsString(chunk.compression());
    for (const auto encoding : chunk.encodings()) {
      const std::string name = parquet::EncodingToString(encoding);
      auto& names = facts_.encodings;
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
    all_dictionary_ &= !nested && (chunk.num_values() == 0 || all_pages_use_dictionary(chunk));
    compressed_ += chunk.total_compressed_size();
    uncompressed_ += chunk.total_uncompressed_size();
    ++chunks_;
    if (nested || !is_mergeable(column.physical_type())) can_merge_ = false;
    if (can_merge_ && chunk.num_values() > 0) add_statistics(column, chunk);
  }

  ColumnFacts take(bool text_only) && {
    if (chunks_ == 0) return std::move(facts_);
    facts_.all_dictionary = all_dictionary_;
    facts_.compressed_bytes = compressed_;
    facts_.uncompressed_bytes = uncompressed_;
    if (can_merge_ && knows_nulls_) facts_.null_count = nulls_;
    if (!can_merge_ || !knows_range_ || range_ == nullptr || !range_->HasMinMax() || text_only)
      return std::move(facts_);
    std::shared_ptr<arrow::Scalar> min, max;
    if (parquet::arrow::StatisticsAsScalars(*range_, &min, &max).ok()) {
      facts_.min = min->ToString();
      facts_.max = max->ToString();
    }
    return std::move(facts_);
  }

 private:
  void add_statistics(const parquet::ColumnDescriptor& column,
                      const parquet::ColumnChunkMetaData& chunk) {
    const auto statistics = chunk.is_stats_set() ? chunk.statistics() : nullptr;
    if (statistics == nullptr) {
      knows_nulls_ = knows_range_ = false;
      return;
    }
    if (statistics->HasNullCount())
      nulls_ += statistics->null_count();
    else
      knows_nulls_ = false;
    const bool all_null =
        statistics->HasNullCount() && statistics->null_count() == chunk.num_values();
    if (all_null) return;
    // A bound that was cut short is no value of the column.
    const bool exact = statistics->is_min_value_exact().value_or(true) &&
                       statistics->is_max_value_exact().value_or(true);
    if (!statistics->HasMinMax() || !exact) {
      knows_range_ = false;
    } else if (range_ == nullptr) {
      range_ = parquet::Statistics::Make(&column);
      merge(range_.get(), *statistics);
    } else {
      merge(range_.get(), *statistics);
    }
  }

  ColumnFacts facts_;
  bool all_dictionary_ = true;
  bool can_merge_ = true;
  bool knows_nulls_ = true;
  bool knows_range_ = true;
  int64_t compressed_ = 0, uncompressed_ = 0, nulls_ = 0, chunks_ = 0;
  std::shared_ptr<parquet::Statistics> range_;
};

bool is_bytes(const DataType& type) {
  return type.id == TypeId::kBinary || type.id == TypeId::kLargeBinary ||
         type.id == TypeId::kBinaryView;
}

ColumnFacts column_facts(const std::vector<ParquetFile>& files, const UnifiedSchema& unified,
                         size_t column) {
  ColumnCollector collector;
  for (size_t f = 0; f < files.size(); ++f) {
    const int position = unified.origins[f][column].position;
    if (position < 0) continue;
    const parquet::FileMetaData& metadata = *files[f].metadata;
    const std::vector<int>& leaves = files[f].columns[static_cast<size_t>(position)].leaves;
    const bool nested =
        leaves.size() != 1 || metadata.schema()->Column(leaves.front())->max_repetition_level() > 0;
    for (int i = 0; i < metadata.num_row_groups(); ++i) {
      const auto group = metadata.RowGroup(i);
      for (int leaf : leaves) {
        collector.add_chunk(*metadata.schema()->Column(leaf), *group->ColumnChunk(leaf), nested);
      }
    }
  }
  return std::move(collector).take(is_bytes(unified.schema.fields[column].type));
}

}  // namespace

Status choose_dictionaries(std::vector<ParquetFile>* files, UnifiedSchema* unified) {
  for (size_t column = 0; column < unified->schema.fields.size(); ++column) {
    Field& field = unified->schema.fields[column];
    if (field.type.id != TypeId::kLargeUtf8 || !field.type.extension.empty()) continue;
    bool all = true;
    for (size_t f = 0; all && f < files->size(); ++f) {
      const int position = unified->origins[f][column].position;
      try {
        all = position < 0 || can_be_dictionary((*files)[f], position);
      } catch (const parquet::ParquetException&) {
        return parquet_error((*files)[f].path);
      }
    }
    if (!all) continue;
    field.type = text_dictionary();
    for (size_t f = 0; f < files->size(); ++f) {
      const int position = unified->origins[f][column].position;
      if (position < 0) continue;
      (*files)[f].columns[static_cast<size_t>(position)].dictionary = true;
      (*files)[f].columns[static_cast<size_t>(position)].flat = false;
      (*files)[f].schema.fields[static_cast<size_t>(position)].type = field.type;
    }
  }
  return {};
}

void fill_parquet_facts(const std::vector<ParquetFile>& files,
                        const std::vector<Partition>& partitions, const UnifiedSchema& unified,
                        SourceFacts* facts) {
  facts->row_count = 0;
  facts->row_count_is_exact = true;
  facts->byte_count = 0;
  for (size_t f = 0; f < files.size(); ++f) {
    facts->files.push_back(files[f].path);
    facts->byte_count += files[f].stamp.bytes;
    for (int i = 0; i < files[f].metadata->num_row_groups(); ++i) {
      const auto group = files[f].metadata->RowGroup(i);
      if (group->num_rows() == 0) continue;
      Partition partition = partitions[f];
      partition.index = static_cast<int64_t>(facts->partitions.size());
      partition.row_groups = {i};
      partition.first_row = facts->row_count;
      partition.row_count = group->num_rows();
      partition.byte_count = 0;
      for (int leaf = 0; leaf < group->num_columns(); ++leaf) {
        partition.byte_count += group->ColumnChunk(leaf)->total_compressed_size();
      }
      facts->row_count += group->num_rows();
      facts->partitions.push_back(std::move(partition));
    }
  }
  for (size_t column = 0; column < unified.schema.fields.size(); ++column) {
    facts->columns.push_back(column_facts(files, unified, column));
  }
}

}  // namespace headrace
