#include "training/matrix_product.h"

#include <algorithm>
#include <cstring>

#include "core/aligned_buffer.h"

namespace granule {
namespace {

/// Numbers per row of a panel: one of B and one of A lie in the first-level cache together.
constexpr std::size_t kBlockDepth = 256;
/// Rows of A that one task packs: they stay in the second-level cache while panels of B pass by.
constexpr std::size_t kBlockRows = 128;
/// Columns of B that are packed at a time, a multiple of every tile's: below 1 MiB, which the C library's
/// allocator keeps between calls, and which stays in the second-level cache.
constexpr std::size_t kBlockColumns = 960;
/// Below this many multiply-adds one thread is done before another one wakes.
constexpr std::size_t kWorthThreads = std::size_t{1} << 18;

static_assert(kBlockColumns % kMatrixTileScalar.columns == 0 &&
              kBlockColumns % kMatrixTileAvx2.columns == 0 &&
              kBlockColumns % kMatrixTileAvx512.columns == 0 && kBlockColumns % kMatrixTileNeon.columns == 0);

std::size_t divided_up(std::size_t count, std::size_t by) { return (count + by - 1) / by; }

/// Copies `depth` rows of `width` numbers, which the compiler knows.
template <std::size_t width>
void copy_rows(const float* data, std::size_t stride, std::size_t depth, float* out) {
  for (std::size_t k = 0; k < depth; ++k)
    std::memcpy(out + k * width, data + k * stride, width * sizeof(float));
}

/// Packs `count` vectors that lie side by side already: number k of vector v lies at data[k * stride + v].
void pack_side_by_side(const float* data, std::size_t stride, std::size_t count, std::size_t depth,
                       std::size_t width, float* out) {
  if (count == width) {
    switch (width) {
      case kMatrixTileAvx512.rows:
        return copy_rows<kMatrixTileAvx512.rows>(data, stride, depth, out);
      case kMatrixTileAvx512.columns:
        return copy_rows<kMatrixTileAvx512.columns>(data, stride, depth, out);
      case kMatrixTileAvx2.rows:
        return copy_rows<kMatrixTileAvx2.rows>(data, stride, depth, out);
      case kMatrixTileAvx2.columns:
        return copy_rows<kMatrixTileAvx2.columns>(data, stride, depth, out);
      default:
        break;
    }
  }
  for (std::size_t k = 0; k < depth; ++k) {
    std::memcpy(out + k * width, data + k * stride, count * sizeof(float));
    std::fill(out + k * width + count, out + (k + 1) * width, 0.0f);
  }
}

/// Packs `count` vectors of `depth` numbers, side by side, `width` of them wide. Number k of vector v lies at
/// data[v * stride + k], or at data[k * stride + v] where they lie side by side already.
void pack(const KernelTable& kernels, const float* data, std::size_t stride, bool side_by_side,
          std::size_t count, std::size_t depth, std::size_t width, float* out) {
  if (side_by_side) {
    pack_side_by_side(data, stride, count, depth, width, out);
  } else {
    kernels.pack_panel(data, stride, count, depth, width, out);
  }
}

/// One block of columns and of k: B's part of it is packed first, then rows of A meet it.
class Block {
 public:
  Block(const MatrixWorkers& workers, const MatrixProduct& product, float* packed_b, float* packed_a)
      : workers_(workers),
        product_(product),
        tile_(workers.kernels.matrix_tile_shape),
        packed_b_(packed_b),
        packed_a_(packed_a) {}

  /// @return false where it was cancelled
  bool run(std::size_t first_column, std::size_t first_depth) {
    first_column_ = first_column;
    first_depth_ = first_depth;
    columns_ = std::min(kBlockColumns, product_.columns - first_column);
    depth_ = std::min(kBlockDepth, product_.depth - first_depth);
    panels_ = divided_up(columns_, tile_.columns);
    const std::size_t work = product_.rows * columns_ * depth_;
    const unsigned threads = work < kWorthThreads ? 1 : workers_.threads;
    workers_.pool.parallel_for(panels_, threads, [&](std::size_t panel) { pack_columns(panel); });

    // Two tasks per thread or more, of at least four tiles' rows each; where rows are few, columns are
    // divided too.
    const std::size_t row_panels = divided_up(product_.rows, tile_.rows);
    const std::size_t most = kBlockRows / tile_.rows;
    const std::size_t fair = divided_up(row_panels, 2 * std::size_t{threads});
    const std::size_t panels_per_task = threads == 1 ? most : std::min(most, std::max<std::size_t>(fair, 4));
    rows_per_task_ = panels_per_task * tile_.rows;
    const std::size_t row_tasks = divided_up(row_panels, panels_per_task);
    const std::size_t column_tasks =
        row_tasks >= threads ? 1 : std::min<std::size_t>(panels_, divided_up(threads, row_tasks));
    workers_.pool.parallel_for_slots(
        row_tasks * column_tasks, threads, [&](std::size_t task, std::size_t slot) {
          if (workers_.cancel.cancelled()) return;
          const std::size_t part = task % column_tasks;
          multiply_rows(task / column_tasks, panels_ * part / column_tasks,
                        panels_ * (part + 1) / column_tasks, packed_a_ + slot * kBlockRows * kBlockDepth);
        });
    return !workers_.cancel.cancelled();
  }

 private:
  void pack_columns(std::size_t panel) {
    const MatrixFactor& b = product_.b;
    const std::size_t column = first_column_ + panel * tile_.columns;
    const float* data =
        b.transposed ? b.data + column * b.stride + first_depth_ : b.data + first_depth_ * b.stride + column;
    const std::size_t count = std::min(tile_.columns, product_.columns - column);
    pack(workers_.kernels, data, b.stride, !b.transposed, count, depth_, tile_.columns,
         packed_b_ + panel * depth_ * tile_.columns);
  }

  void multiply_rows(std::size_t task, std::size_t first_panel, std::size_t end_panel, float* packed) {
    const MatrixFactor& a = product_.a;
    const std::size_t first_row = task * rows_per_task_;
    const std::size_t end_row = std::min(product_.rows, first_row + rows_per_task_);
    for (std::size_t row = first_row; row < end_row; row += tile_.rows) {
      const float* data =
          a.transposed ? a.data + first_depth_ * a.stride + row : a.data + row * a.stride + first_depth_;
      pack(workers_.kernels, data, a.stride, a.transposed, std::min(tile_.rows, end_row - row), depth_,
           tile_.rows, packed + (row - first_row) * depth_);
    }
    for (std::size_t panel = first_panel; panel < end_panel; ++panel) {
      for (std::size_t row = first_row; row < end_row; row += tile_.rows) {
        multiply_tile(packed + (row - first_row) * depth_, panel, row);
      }
    }
  }

  void multiply_tile(const float* a, std::size_t panel, std::size_t row) {
    const float* b = packed_b_ + panel * depth_ * tile_.columns;
    const std::size_t column = first_column_ + panel * tile_.columns;
    const std::size_t rows = std::min(tile_.rows, product_.rows - row);
    const std::size_t columns = std::min(tile_.columns, product_.columns - column);
    float* c = product_.c + row * product_.c_stride + column;
    const bool accumulate = product_.accumulate || first_depth_ > 0;
    if (rows == tile_.rows && columns == tile_.columns) {
      workers_.kernels.matrix_tile(a, b, depth_, c, product_.c_stride, accumulate);
      return;
    }
    // A tile that reaches over C's border is computed beside it.
    alignas(64) float whole[kMatrixTileMost] = {};
    for (std::size_t i = 0; i < rows && accumulate; ++i) {
      std::memcpy(whole + i * tile_.columns, c + i * product_.c_stride, columns * sizeof(float));
    }
    workers_.kernels.matrix_tile(a, b, depth_, whole, tile_.columns, accumulate);
    for (std::size_t i = 0; i < rows; ++i) {
      std::memcpy(c + i * product_.c_stride, whole + i * tile_.columns, columns * sizeof(float));
    }
  }

  const MatrixWorkers& workers_;
  const MatrixProduct& product_;
  MatrixTileShape tile_;
  float* packed_b_;
  float* packed_a_;
  std::size_t first_column_ = 0;
  std::size_t first_depth_ = 0;
  std::size_t columns_ = 0;
  std::size_t depth_ = 0;
  std::size_t panels_ = 0;
  std::size_t rows_per_task_ = 0;
};

}  // namespace

bool multiply(const MatrixWorkers& workers, const MatrixProduct& product) {
  if (product.rows == 0 || product.columns == 0) return !workers.cancel.cancelled();
  if (product.depth == 0) {
    for (std::size_t i = 0; i < product.rows && !product.accumulate; ++i) {
      std::fill_n(product.c + i * product.c_stride, product.columns, 0.0f);
    }
    return !workers.cancel.cancelled();
  }
  const MatrixTileShape tile = workers.kernels.matrix_tile_shape;
  const std::size_t columns =
      std::min(kBlockColumns, divided_up(product.columns, tile.columns) * tile.columns);
  AlignedBuffer<float> packed_b(columns * std::min(kBlockDepth, product.depth));
  AlignedBuffer<float> packed_a(workers.threads * kBlockRows * kBlockDepth);
  Block block(workers, product, packed_b.data(), packed_a.data());
  for (std::size_t column = 0; column < product.columns; column += kBlockColumns) {
    for (std::size_t depth = 0; depth < product.depth; depth += kBlockDepth) {
      if (!block.run(column, depth)) return false;
    }
  }
  return true;
}

}  // namespace granule
