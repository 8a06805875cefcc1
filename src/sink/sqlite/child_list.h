// ChildList: pages of one level of a table b-tree with their largest rowids, in key order.
// Kept as varint differences: about 2 bytes a page, so the list of a 100 GB file of 4096-byte
// pages takes some 50 MB. Not thread-safe.
#pragma once

#include <cstdint>

#include "base/buffer.h"
#include "encode/format/sqlite_record.h"

namespace headrace {

struct Child {
  uint32_t page = 0;
  int64_t max_rowid = 0;
};

class ChildList {
 public:
  // False, and nothing is appended, unless page and max_rowid are larger than the last ones.
  bool append(uint32_t page, int64_t max_rowid) {
    if (page <= last_.page || (size_ > 0 && max_rowid <= last_.max_rowid)) return false;
    bytes_.reserve_more(2 * kMaxVarintBytes);
    uint8_t* at = bytes_.data() + bytes_.size();
    at = sqlite_record::put_varint(at, page - last_.page);
    // Differences by 64 bits without sign: rowids may lie further apart than INT64_MAX.
    at = sqlite_record::put_varint(
        at, static_cast<uint64_t>(max_rowid) - static_cast<uint64_t>(last_.max_rowid));
    bytes_.set_size(static_cast<size_t>(at - bytes_.data()));
    last_ = {page, max_rowid};
    ++size_;
    return true;
  }

  uint64_t size() const { return size_; }
  // REQUIRES: size() > 0.
  const Child& last() const { return last_; }

  // Walks a list that does not change meanwhile.
  class Reader {
   public:
    explicit Reader(const ChildList& list) : at_(list.bytes_.data()), left_(list.size_) {}

    uint64_t left() const { return left_; }
    // REQUIRES: left() > 0.
    Child next() {
      uint64_t pages, rowids;
      at_ = sqlite_record::get_varint(at_, &pages);
      at_ = sqlite_record::get_varint(at_, &rowids);
      child_.page += static_cast<uint32_t>(pages);
      child_.max_rowid =
          static_cast<int64_t>(static_cast<uint64_t>(child_.max_rowid) + rowids);
      --left_;
      return child_;
    }

   private:
    const uint8_t* at_;
    uint64_t left_;
    Child child_;
  };

 private:
  static constexpr size_t kMaxVarintBytes = 9;

  Buffer bytes_;
  uint64_t size_ = 0;
  Child last_;
};

}  // namespace headrace
