// The Arrow C stream as a source: sliced without copying, released once, its errors told.
#include <gtest/gtest.h>

#include "source/source.h"
#include "support/arrays.h"

namespace headrace {
namespace {

using test::build_array;
using test::build_stream;
using test::build_struct;
using test::Raw;
using test::raw;

DataType type_of(TypeId id) {
  DataType type;
  type.id = id;
  return type;
}

Schema schema() {
  return {{{"id", type_of(TypeId::kInt64), false}, {"t", type_of(TypeId::kUtf8), true}}};
}

OwnedArray batch(int64_t first, int64_t rows, int64_t offset = 0) {
  std::vector<Raw> ids, texts;
  for (int64_t i = 0; i < rows + offset; ++i) {
    ids.emplace_back(raw(first + i - offset));
    if (i % 3 == 2)
      texts.emplace_back(std::nullopt);
    else
      texts.emplace_back("row " + std::to_string(first + i - offset));
  }
  return build_struct(
      {build_array(type_of(TypeId::kInt64), ids), build_array(type_of(TypeId::kUtf8), texts)},
      offset, rows);
}

std::vector<OwnedArray> batches_of(std::vector<int64_t> sizes) {
  std::vector<OwnedArray> out;
  int64_t first = 0;
  for (int64_t size : sizes) {
    out.push_back(batch(first, size));
    first += size;
  }
  return out;
}

// Counts how often a stream is released.
struct CountedStream {
  ArrowArrayStream inner;
  int* released;
};

ArrowArrayStream counted(ArrowArrayStream inner, int* released) {
  ArrowArrayStream out{};
  out.private_data = new CountedStream{inner, released};
  out.get_schema = [](ArrowArrayStream* s, ArrowSchema* o) {
    auto* c = static_cast<CountedStream*>(s->private_data);
    return c->inner.get_schema(&c->inner, o);
  };
  out.get_next = [](ArrowArrayStream* s, ArrowArray* o) {
    auto* c = static_cast<CountedStream*>(s->private_data);
    return c->inner.get_next(&c->inner, o);
  };
  out.get_last_error = [](ArrowArrayStream* s) {
    auto* c = static_cast<CountedStream*>(s->private_data);
    return c->inner.get_last_error(&c->inner);
  };
  out.release = [](ArrowArrayStream* s) {
    auto* c = static_cast<CountedStream*>(s->private_data);
    ++*c->released;
    c->inner.release(&c->inner);
    delete c;
    s->release = nullptr;
  };
  return out;
}

int64_t id_at(const RecordBatch& batch, int64_t row) {
  const ArrowArray& ids = *batch.array->children[0];
  return static_cast<const int64_t*>(ids.buffers[1])[ids.offset + row];
}

TEST(ArrowStream, SlicesWithoutCopying) {
  int released = 0;
  {
    auto stream = counted(build_stream(schema(), batches_of({5, 0, 3})), &released);
    auto source = open_arrow_stream(&stream, "frame").value();
    EXPECT_EQ(stream.release, nullptr);
    EXPECT_EQ(source->facts().format, "stream");
    EXPECT_EQ(source->facts().schema, schema());
    ASSERT_EQ(source->facts().partitions.size(), 1u);
    auto reader = source->open(source->facts().partitions[0], {{0, 1}, 2}).value();
    std::vector<int64_t> sizes;
    std::vector<std::unique_ptr<RecordBatch>> held;  // longer than their stream's batch was current
    while (auto next = reader->next().value()) held.push_back(std::move(next));
    int64_t row = 0;
    for (const auto& next : held) {
      sizes.push_back(next->row_count());
      EXPECT_EQ(next->partition_row, row);
      EXPECT_GT(next->byte_count, 0);
      for (int64_t i = 0; i < next->row_count(); ++i) EXPECT_EQ(id_at(*next, i), row++);
    }
    EXPECT_EQ(sizes, (std::vector<int64_t>{2, 2, 1, 2, 1}));
    // The same buffers at another offset.
    EXPECT_EQ(held[0]->array->children[0]->buffers[1], held[1]->array->children[0]->buffers[1]);
    EXPECT_EQ(reader->next().value(), nullptr);
  }
  EXPECT_EQ(released, 1);
}

TEST(ArrowStream, OffsetOfTheStructIsThatOfItsColumns) {
  std::vector<OwnedArray> batches;
  batches.push_back(batch(0, 4, 3));
  auto stream = build_stream(schema(), std::move(batches));
  auto source = open_arrow_stream(&stream, "").value();
  auto reader = source->open(source->facts().partitions[0], {{0}, 3}).value();
  auto first = reader->next().value();
  EXPECT_EQ(first->schema->fields.size(), 1u);
  EXPECT_EQ(id_at(*first, 0), 0);
  EXPECT_EQ(id_at(*reader->next().value(), 0), 3);
}

TEST(ArrowStream, ErrorsKeepTheirText) {
  int released = 0;
  {
    auto stream = counted(build_stream(schema(), batches_of({1}), "the producer broke"), &released);
    auto source = open_arrow_stream(&stream, "frame").value();
    auto reader = source->open(source->facts().partitions[0], {{0, 1}, 10}).value();
    EXPECT_NE(reader->next().value(), nullptr);
    auto failed = reader->next();
    ASSERT_FALSE(failed.ok());
    EXPECT_EQ(failed.error().code, ErrorCode::kSource);
    EXPECT_NE(failed.error().message.find("the producer broke"), std::string::npos);
  }
  EXPECT_EQ(released, 1);
}

TEST(ArrowStream, ReleasedWhenNobodyReads) {
  int released = 0;
  auto stream = counted(build_stream(schema(), batches_of({1})), &released);
  {
    auto source = open_arrow_stream(&stream, "frame").value();
  }
  EXPECT_EQ(released, 1);
}

TEST(ArrowStream, ReleasedWhenTheSchemaIsRefused) {
  int released = 0;
  auto stream = counted(build_stream(schema(), {}), &released);
  stream.get_schema = [](ArrowArrayStream*, ArrowSchema*) { return 22; };
  EXPECT_FALSE(open_arrow_stream(&stream, "frame").ok());
  EXPECT_EQ(released, 1);
  EXPECT_EQ(open_arrow_stream(&stream, "frame").error().code, ErrorCode::kUsage);
  EXPECT_EQ(released, 1);
}

TEST(ArrowStream, ReadOnce) {
  auto stream = build_stream(schema(), batches_of({1}));
  auto source = open_arrow_stream(&stream, "frame").value();
  const Partition partition = source->facts().partitions[0];
  EXPECT_TRUE(source->open(partition, {{0}, 10}).ok());
  EXPECT_EQ(source->open(partition, {{0}, 10}).error().code, ErrorCode::kUsage);
}

TEST(ArrowStream, BatchWithOtherColumnsIsAnError) {
  std::vector<OwnedArray> batches;
  batches.push_back(build_struct({build_array(type_of(TypeId::kInt64), {raw<int64_t>(1)})}, 0, 1));
  auto stream = build_stream(schema(), std::move(batches));
  auto source = open_arrow_stream(&stream, "frame").value();
  auto reader = source->open(source->facts().partitions[0], {{0, 1}, 10}).value();
  EXPECT_EQ(reader->next().error().code, ErrorCode::kSource);
  EXPECT_EQ(reader->next().value(), nullptr);
}

}  // namespace
}  // namespace headrace
