#include "training/matrix_product.h"

#include <algorithm>
#include <cstring>

#include "core/aligned_buffer.h"

namespace granule {
namespace {

/// Numbers per row of a panel: those of A lie in the first-level cache while panels of B pass by.
constexpr std::size_t kPanelDepth = 256;
/// Rows of A that one task packs at a time.
constexpr std::size_t kBlockRows = 128;
/// Columns of B that rows of a task meet before the next ones: the second-level cache holds them and A's.
constexpr std::size_t kPassColumns = 640;
/// Numbers of B that are packed at a time. Below 1 MiB, which the C library's allocator keeps between calls,
/// but where rows are so many that mapping memory is nothing beside them.
constexpr std::size_t kPackedNumbers = std::size_t{960} * kPanelDepth;
constexpr std::size_t kManyPackedNumbers = std::size_t{1} << 21;
constexpr std::size_t kManyRows = 1024;
/// Below this many multiply-adds one thread is done before another one wakes.
constexpr std::size_t kWorthThreads = std::size_t{1} << 18;
/// Rows of numbers that lie side by side, of which one task packs so many.
constexpr std::size_t kRowsTogether = 32;
static_assert(kPanelDepth % kRowsTogether == 0);

std::size_t divided_up(std::size_t count, std::size_t by) { return (count + by - 1) / by; }

/// Numbers from the beginning of one panel to that of the next: a little more than it holds, so that panels
/// do not all begin in the same set of a cache.
std::size_t panel_stride(std::size_t width, std::size_t depth) { return width * depth + 16; }

/// Packs `count` vectors that lie side by side already, number k of vector v at data[k * stride + v], into
/// panels of `width`.
///
/// @tparam known `width`, or 0 where the compiler does not know it
template <std::size_t known>
void divide_rows(const float* data, std::size_t stride, std::size_t count, std::size_t depth,
                 std::size_t given_width, std::size_t panels_apart, float* out) {
  const std::size_t width = known == 0 ? given_width : known;
  for (std::size_t k = 0; k < depth; ++k) {
    const float* row = data + k * stride;
    float* to = out + k * width;
    std::size_t left = count;
    for (; left >= width; left -= width, row += width, to += panels_apart)
      std::memcpy(to, row, width * sizeof(float));
    if (left == 0) continue;
    std::memcpy(to, row, left * sizeof(float));
    std::fill(to + left, to + width, 0.0f);
  }
}

void divide_rows(const float* data, std::size_t stride, std::size_t count, std::size_t depth,
                 std::size_t width, std::size_t panels_apart, float* out) {
  const auto divide = [&] {
    switch (width) {
      case kMatrixTileAvx512.rows:
        return divide_rows<kMatrixTileAvx512.rows>;
      case kMatrixTileAvx512.columns:
        return divide_rows<kMatrixTileAvx512.columns>;
      case kMatrixTileAvx2.rows:
        return divide_rows<kMatrixTileAvx2.rows>;
      case kMatrixTileAvx2.columns:
        return divide_rows<kMatrixTileAvx2.columns>;
      default:
        return divide_rows<0>;
    }
  }();
  divide(data, stride, count, depth, width, panels_apart, out);
}

/// Numbers that the rows of one task take when they are packed.
std::size_t packed_rows(const MatrixTileShape& tile) {
  return kBlockRows / tile.rows * panel_stride(tile.rows, kPanelDepth);
}

/// One block of B's columns and of k: its part of B is packed first, then rows of A meet it.
class Block {
 public:
  Block(const MatrixWorkers& workers, const MatrixProduct& product, float* packed_b, float* packed_a)
      : workers_(workers),
        product_(product),
        tile_(workers.kernels.matrix_tile_shape),
        packed_b_(packed_b),
        packed_a_(packed_a) {}

  /// @return false where it was cancelled
  bool run(std::size_t first_column, std::size_t columns, std::size_t first_depth, std::size_t depth) {
    first_column_ = first_column;
    first_depth_ = first_depth;
    depth_ = depth;
    panels_ = divided_up(columns, tile_.columns);
    const unsigned threads = product_.rows * columns * depth < kWorthThreads ? 1 : workers_.threads;
    pack_columns(columns, threads);

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
          const std::size_t part = task % column_tasks;
          multiply_rows(task / column_tasks * rows_per_task_, panels_ * part / column_tasks,
                        panels_ * (part + 1) / column_tasks, packed_a_ + slot * packed_rows(tile_));
        });
    return !workers_.cancel.cancelled();
  }

 private:
  /// Numbers per row of the panels that begin with k.
  std::size_t panel_depth(std::size_t k) const { return std::min(kPanelDepth, depth_ - k); }

  float* packed_columns(std::size_t panel, std::size_t k) const {
    return packed_b_ + panels_ * k / kPanelDepth * panel_stride(tile_.columns, kPanelDepth) +
           panel * panel_stride(tile_.columns, panel_depth(k));
  }

  /// Numbers that lie side by side are read row by row, others panel by panel.
  void pack_columns(std::size_t columns, unsigned threads) {
    const MatrixFactor& b = product_.b;
    const std::size_t width = tile_.columns;
    if (!b.transposed) {
      workers_.pool.parallel_for(divided_up(depth_, kRowsTogether), threads, [&](std::size_t task) {
        const std::size_t k = task * kRowsTogether;
        const std::size_t panel_k = k / kPanelDepth * kPanelDepth;
        divide_rows(b.data + (first_depth_ + k) * b.stride + first_column_, b.stride, columns,
                    std::min(kRowsTogether, depth_ - k), width, panel_stride(width, panel_depth(panel_k)),
                    packed_columns(0, panel_k) + (k - panel_k) * width);
      });
      return;
    }
    workers_.pool.parallel_for(panels_ * divided_up(depth_, kPanelDepth), threads, [&](std::size_t task) {
      const std::size_t panel = task % panels_, k = task / panels_ * kPanelDepth;
      workers_.kernels.pack_panel(b.data + (first_column_ + panel * width) * b.stride + first_depth_ + k,
                                  b.stride, std::min(width, columns - panel * width), panel_depth(k), width,
                                  packed_columns(panel, k));
    });
  }

  void multiply_rows(std::size_t first_row, std::size_t first_panel, std::size_t end_panel, float* packed) {
    const std::size_t end_row = std::min(product_.rows, first_row + rows_per_task_);
    const std::size_t passes = divided_up((end_panel - first_panel) * tile_.columns, kPassColumns);
    const std::size_t pass_panels = divided_up(end_panel - first_panel, passes);
    for (std::size_t k = 0; k < depth_; k += kPanelDepth) {
      if (workers_.cancel.cancelled()) return;
      pack_rows(first_row, end_row, k, packed);
      for (std::size_t pass = first_panel; pass < end_panel; pass += pass_panels) {
        const std::size_t end_pass = std::min(end_panel, pass + pass_panels);
        for (std::size_t row = first_row; row < end_row; row += tile_.rows) {
          const float* a = packed + (row - first_row) / tile_.rows * panel_stride(tile_.rows, panel_depth(k));
          for (std::size_t panel = pass; panel < end_pass; ++panel) multiply_tile(a, panel, row, k);
        }
      }
    }
  }

  void pack_rows(std::size_t first_row, std::size_t end_row, std::size_t k, float* packed) {
    const MatrixFactor& a = product_.a;
    const std::size_t depth = panel_depth(k);
    const std::size_t stride = panel_stride(tile_.rows, depth);
    if (a.transposed) {
      divide_rows(a.data + (first_depth_ + k) * a.stride + first_row, a.stride, end_row - first_row, depth,
                  tile_.rows, stride, packed);
      return;
    }
    for (std::size_t row = first_row; row < end_row; row += tile_.rows, packed += stride) {
      workers_.kernels.pack_panel(a.data + row * a.stride + first_depth_ + k, a.stride,
                                  std::min(tile_.rows, end_row - row), depth, tile_.rows, packed);
    }
  }

  void multiply_tile(const float* a, std::size_t panel, std::size_t row, std::size_t k) {
    const float* b = packed_columns(panel, k);
    const std::size_t column = first_column_ + panel * tile_.columns;
    const std::size_t rows = std::min(tile_.rows, product_.rows - row);
    const std::size_t columns = std::min(tile_.columns, product_.columns - column);
    float* c = product_.c + row * product_.c_stride + column;
    const bool accumulate = product_.accumulate || first_depth_ + k > 0;
    if (rows == tile_.rows && columns == tile_.columns) {
      workers_.kernels.matrix_tile(a, b, panel_depth(k), c, product_.c_stride, accumulate);
      return;
    }
    // A tile that reaches over C's border is computed beside it.
    alignas(64) float whole[kMatrixTileMost] = {};
    for (std::size_t i = 0; i < rows && accumulate; ++i) {
      std::memcpy(whole + i * tile_.columns, c + i * product_.c_stride, columns * sizeof(float));
    }
    workers_.kernels.matrix_tile(a, b, panel_depth(k), whole, tile_.columns, accumulate);
    for (std::size_t i = 0; i < rows; ++i) {
      std::memcpy(c + i * product_.c_stride, whole + i * tile_.columns, columns * sizeof(float));
    }
  }

  const MatrixWorkers& workers_;
  const MatrixProduct& product_;
  MatrixTileShape tile_;
  /// By k, kPanelDepth at a time, then by panel.
  float* packed_b_;
  float* packed_a_;
  std::size_t first_column_ = 0;
  std::size_t first_depth_ = 0;
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
  const std::size_t most = product.rows < kManyRows ? kPackedNumbers : kManyPackedNumbers;
  const std::size_t whole_columns = divided_up(product.columns, tile.columns) * tile.columns;
  const std::size_t columns = std::min(whole_columns, most / kPanelDepth / tile.columns * tile.columns);
  const std::size_t depth =
      std::min(product.depth, std::max(kPanelDepth, kPackedNumbers / columns / kPanelDepth * kPanelDepth));
  AlignedBuffer<float> packed_b(columns / tile.columns * divided_up(depth, kPanelDepth) *
                                panel_stride(tile.columns, std::min(depth, kPanelDepth)));
  AlignedBuffer<float> packed_a(workers.threads * packed_rows(tile));
  Block block(workers, product, packed_b.data(), packed_a.data());
  for (std::size_t column = 0; column < product.columns; column += columns) {
    for (std::size_t k = 0; k < product.depth; k += depth) {
      if (!block.run(column, std::min(columns, product.columns - column), k,
                     std::min(depth, product.depth - k)))
        return false;
    }
  }
  return true;
}

}  // namespace granule
