#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "index/sparse/sparse_search.h"
#include "index/sparse/sparse_store.h"
#include "tests/search_fixture.h"
#include "tests/test_data.h"

namespace test_sparse {

/// Rows as an application has them.
struct Row {
  std::map<uint32_t, float> entries;
  float length = 0;
};

/// Rows in the form in which the index takes them.
struct Matrix {
  explicit Matrix(const std::vector<Row>& rows) {
    for (const Row& row : rows) {
      lengths.push_back(static_cast<uint32_t>(row.entries.size()));
      row_lengths.push_back(row.length);
      for (const auto& [term, value] : row.entries) {
        terms.push_back(term);
        values.push_back(value);
      }
    }
  }

  granule::SparseRows view() const {
    return {lengths.data(), lengths.size(), terms.data(), values.data(), terms.size()};
  }

  std::vector<uint32_t> lengths;
  std::vector<float> row_lengths;
  std::vector<uint32_t> terms;
  std::vector<float> values;
};

inline granule::Status add(granule::SparseStore& store, const std::vector<Row>& rows, uint64_t* first,
                           unsigned threads = 2, const granule::CancelFlag& cancel = {}) {
  const Matrix matrix(rows);
  return store.add(matrix.view(), store.saturating() ? matrix.row_lengths.data() : nullptr, threads, cancel,
                   first);
}

/// How the rows of a test are made.
struct Shape {
  uint64_t terms = 50;
  uint64_t most_entries = 12;
  /// Distinct values: few of them make ties.
  uint64_t levels = 4;
  bool negative = false;
  /// Terms are spread over all 32 bits.
  bool huge_terms = false;
};

/// Low terms are frequent, as in texts. Some rows have no entries.
inline std::vector<Row> make_rows(const Shape& shape, std::size_t count, test_data::Random& random) {
  std::vector<Row> rows(count);
  for (Row& row : rows) {
    for (uint64_t i = random.below(shape.most_entries + 1); i > 0; --i) {
      const uint64_t skewed = random.below(random.below(shape.terms) + 1);
      const auto term = static_cast<uint32_t>(shape.huge_terms ? skewed * 0x04000001u + 7 : skewed);
      float value = static_cast<float>(1 + random.below(shape.levels)) / static_cast<float>(shape.levels);
      if (shape.negative && random.below(2) == 0) value = -value;
      row.entries[term] = value;
    }
    row.length = static_cast<float>(random.below(20));
  }
  return rows;
}

/// What a search must return, found in the slowest way.
struct Expected {
  std::vector<uint32_t> rows;
  std::vector<float> scores;
};

inline Expected oracle(const std::vector<Row>& rows, const Row& query, std::size_t k,
                       const std::optional<granule::Saturation>& saturation,
                       const std::vector<bool>& allowed) {
  std::vector<std::pair<float, uint32_t>> found;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    double sum = 0;
    bool shares = false;
    for (const auto& [term, weight] : query.entries) {
      const auto entry = rows[r].entries.find(term);
      if (entry == rows[r].entries.end()) continue;
      double value = static_cast<double>(entry->second);
      if (saturation)
        value =
            value / (value + (saturation->base + saturation->slope * static_cast<double>(rows[r].length)));
      sum += static_cast<double>(weight) * value;
      shares = true;
    }
    if (shares && allowed[r]) found.emplace_back(static_cast<float>(sum), static_cast<uint32_t>(r));
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
    return a.first > b.first || (a.first == b.first && a.second < b.second);
  });
  if (found.size() > k) found.resize(k);
  Expected out;
  for (const auto& [score, row] : found) {
    out.rows.push_back(row);
    out.scores.push_back(score);
  }
  return out;
}

/// Hits of each query, without unused places.
struct Found {
  granule::Status status;
  std::vector<Expected> queries;
  std::vector<uint32_t> rows_scored;
  std::vector<float> thresholds;
};

inline Found search(const granule::SparseStore& store, const std::vector<Row>& queries, uint32_t k,
                    const std::optional<granule::Saturation>& saturation, unsigned threads,
                    const std::vector<uint8_t>* filter = nullptr, const granule::CancelFlag& cancel = {}) {
  const Matrix matrix(queries);
  test_search::Result result(queries.size(), queries.size(), k);
  granule::SparseSearchOptions options;
  options.k = k;
  options.threads = threads;
  options.saturation = saturation ? &*saturation : nullptr;
  if (filter != nullptr) {
    options.filter = filter->data();
    options.filter_bytes = filter->size();
  }
  Found found;
  found.status = granule::search_sparse(store.engine(), *store.snapshot(), matrix.view(), options, cancel,
                                        result.hits(false));
  for (std::size_t q = 0; found.status.ok() && q < queries.size(); ++q) {
    const auto begin = static_cast<std::ptrdiff_t>(q * k);
    const std::ptrdiff_t end = begin + result.counts[q];
    found.queries.push_back({{result.rows.begin() + begin, result.rows.begin() + end},
                             {result.scores.begin() + begin, result.scores.begin() + end}});
  }
  found.rows_scored = result.rows_rescored;
  found.thresholds = result.thresholds;
  return found;
}

}  // namespace test_sparse
