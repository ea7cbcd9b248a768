// Matrix products on every instruction set that runs here and on several numbers of threads, bit for bit
// against three loops.

#include "training/matrix_product.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "tests/kernel_tables.h"
#include "tests/test_data.h"

using namespace granule;
using test_data::Kind;

namespace {

constexpr float kUntouched = -77.0f;

struct Shape {
  std::size_t rows, columns, depth;
  bool a_transposed = false;
  bool b_transposed = false;
  bool accumulate = false;
  /// Numbers between two rows that do not belong to the matrix.
  std::size_t gap = 0;
};

struct Case {
  Shape shape;
  std::vector<float> a, b, c;
  std::size_t a_stride, b_stride, c_stride;

  Case(const Shape& s, Kind kind, uint64_t seed) : shape(s) {
    a_stride = (s.a_transposed ? s.rows : s.depth) + s.gap;
    b_stride = (s.b_transposed ? s.depth : s.columns) + s.gap;
    c_stride = s.columns + s.gap;
    a = matrix(kind, s.a_transposed ? s.depth : s.rows, a_stride, s.gap, seed);
    b = matrix(kind, s.b_transposed ? s.columns : s.depth, b_stride, s.gap, seed + 1);
    c = matrix(kind, s.rows, c_stride, s.gap, seed + 2);
    for (std::size_t i = 0; i < s.rows && s.gap > 0; ++i) {
      for (std::size_t g = 0; g < s.gap && i + 1 < s.rows; ++g) c[i * c_stride + s.columns + g] = kUntouched;
    }
  }

  /// Without the gap behind the last row: the sanitizer builds catch an access beyond.
  static std::vector<float> matrix(Kind kind, std::size_t rows, std::size_t stride, std::size_t gap,
                                   uint64_t seed) {
    std::vector<float> out = test_data::vectors(kind, rows, stride, seed);
    if (rows > 0) out.resize(rows * stride - gap);
    out.shrink_to_fit();
    return out;
  }

  std::vector<float> expected() const {
    std::vector<float> out = c;
    for (std::size_t i = 0; i < shape.rows; ++i) {
      for (std::size_t j = 0; j < shape.columns; ++j) {
        float sum = shape.accumulate ? c[i * c_stride + j] : 0.0f;
        for (std::size_t k = 0; k < shape.depth; ++k) {
          sum = std::fma(shape.a_transposed ? a[k * a_stride + i] : a[i * a_stride + k],
                         shape.b_transposed ? b[j * b_stride + k] : b[k * b_stride + j], sum);
        }
        out[i * c_stride + j] = sum;
      }
    }
    return out;
  }

  std::vector<float> computed(ThreadPool& pool, const KernelTable& kernels, unsigned threads) const {
    std::vector<float> out = c;
    const CancelFlag cancel;
    const MatrixProduct product{{a.data(), a_stride, shape.a_transposed},
                                {b.data(), b_stride, shape.b_transposed},
                                shape.rows,
                                shape.columns,
                                shape.depth,
                                out.data(),
                                c_stride,
                                shape.accumulate};
    REQUIRE(multiply({pool, kernels, threads, cancel}, product));
    return out;
  }
};

/// Equal bits; any two NaNs are equal.
bool same(const std::vector<float>& a, const std::vector<float>& b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (std::memcmp(&a[i], &b[i], sizeof(float)) != 0 && !(std::isnan(a[i]) && std::isnan(b[i])))
      return false;
  }
  return a.size() == b.size();
}

void check(ThreadPool& pool, const Shape& shape, Kind kind, uint64_t seed) {
  const Case example(shape, kind, seed);
  const std::vector<float> expected = example.expected();
  CAPTURE(shape.rows);
  CAPTURE(shape.columns);
  CAPTURE(shape.depth);
  CAPTURE(shape.a_transposed);
  CAPTURE(shape.b_transposed);
  CAPTURE(shape.accumulate);
  for (const KernelTable& table : test_kernels::float_tables()) {
    CAPTURE(table.matrix_tile.symbol);
    for (const unsigned threads : {1u, 2u, 5u}) {
      CAPTURE(threads);
      REQUIRE(same(example.computed(pool, table, threads), expected));
    }
  }
}

}  // namespace

TEST_CASE("every element of a matrix product is a chain of fused multiply-adds in ascending order") {
  ThreadPool pool;
  pool.grow_to(4);
  uint64_t seed = 0;
  const std::size_t sizes[] = {1, 3, 17, 63, 65};
  for (const std::size_t rows : sizes) {
    for (const std::size_t columns : sizes) {
      for (const std::size_t depth : sizes) {
        ++seed;
        check(pool, {rows, columns, depth, seed % 2 == 1, seed % 4 > 1, seed % 3 == 0, seed % 5},
              Kind::uniform, seed);
      }
    }
  }
}

TEST_CASE("the blocks into which a product is divided do not show in its bits") {
  ThreadPool pool;
  pool.grow_to(4);
  // Beyond one block of k, of rows and of columns.
  for (const Shape& shape :
       {Shape{257, 257, 257}, Shape{9, 7, 513, false, true, false, 2}, Shape{129, 5, 600, true, false, true},
        Shape{2, 1923, 258, false, true, true, 1}, Shape{131, 961, 3, true, true, false},
        Shape{1025, 1301, 3, true, false, true}, Shape{1024, 8193, 1, false, true}}) {
    check(pool, shape, Kind::mixed_magnitudes, shape.columns);
  }
}

TEST_CASE("huge, tiny and zero numbers take the same way in every kernel") {
  ThreadPool pool;
  for (const Kind kind : test_data::kAllKinds) {
    check(pool, {13, 37, 29, false, true, true, 1}, kind, 5);
    check(pool, {13, 37, 29, true, false, false}, kind, 6);
  }
}

TEST_CASE("a product without depth is zero, or what was there") {
  ThreadPool pool;
  check(pool, {5, 7, 0, false, false, false, 3}, Kind::uniform, 1);
  check(pool, {5, 7, 0, false, false, true, 3}, Kind::uniform, 1);
  check(pool, {0, 7, 4}, Kind::uniform, 1);
  check(pool, {5, 0, 4}, Kind::uniform, 1);
}

TEST_CASE("every kernel packs vectors side by side, with zeros beyond them") {
  for (const KernelTable& table : test_kernels::tables()) {
    CAPTURE(table.pack_panel.symbol);
    for (const std::size_t width : {table.matrix_tile_shape.rows, table.matrix_tile_shape.columns}) {
      for (std::size_t count = 1; count <= width; ++count) {
        for (const std::size_t depth : {1, 7, 8, 21}) {
          const std::size_t stride = depth + 3;
          const std::vector<float> in = test_data::vectors(Kind::uniform, count, stride, count + depth);
          std::vector<float> out(depth * width, kUntouched), expected(depth * width, 0.0f);
          for (std::size_t l = 0; l < count; ++l) {
            for (std::size_t k = 0; k < depth; ++k) expected[k * width + l] = in[l * stride + k];
          }
          table.pack_panel(in.data(), stride, count, depth, width, out.data());
          REQUIRE(same(out, expected));
        }
      }
    }
  }
}

TEST_CASE("a cancelled product says so") {
  ThreadPool pool;
  CancelFlag cancel;
  cancel.cancel();
  const std::vector<float> ones(64, 1.0f);
  std::vector<float> out(64);
  for (const KernelTable& table : test_kernels::float_tables()) {
    CHECK_FALSE(
        multiply({pool, table, 2, cancel}, {{ones.data(), 8}, {ones.data(), 8}, 8, 8, 8, out.data(), 8}));
    for (const std::size_t rows : {0, 8}) {
      CHECK_FALSE(multiply({pool, table, 2, cancel},
                           {{ones.data(), 8}, {ones.data(), 8}, rows, 8, 0, out.data(), 8}));
    }
  }
}
