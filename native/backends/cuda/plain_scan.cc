#include "backends/cuda/plain_scan.h"

#include <algorithm>
#include <limits>
namespace granule::cuda {
namespace {

/// Rows of one round.
constexpr uint32_t kRows = 1 << 16;

}  // namespace

void scan_plainly(RowSearch& search, uint64_t first, uint32_t count, std::vector<QueryResult>* results) {
  const granule_search& request = search.request();
  Workspace& work = search.work();
  search.upload_queries(first, count);
  for (uint32_t s = 0; s < search.segments().size(); ++s) {
    const granule_segment& segment = *search.segments()[s];
    const bool on_device = search.on_device(s);
    for (uint64_t begin = 0; begin < segment.row_count; begin += kRows) {
      search.stop_if_asked();
      const auto rows = static_cast<uint32_t>(std::min<uint64_t>(kRows, segment.row_count - begin));
      const auto first_row = static_cast<uint32_t>(segment.first_row + begin);
      const float* scores = nullptr;
      if (on_device) {
        work.scores.grow_to(std::size_t{count} * rows, work.memory_stream);
        check(launch_score_range(search.score_arguments(count), s, first_row, first_row + rows,
                                 search.filter(), work.scores.data(), rows, work.stream),
              "scoring on the device failed");
        scores = work.download(work.scores.data(), std::size_t{count} * rows);
        work.stream.wait();
      }
      for (uint32_t q = 0; q < count; ++q) {
        QueryResult& result = (*results)[first + q];
        std::vector<HostRow> on_host;
        for (uint32_t r = 0; r < rows; ++r) {
          if (!is_allowed(request.filter, first_row + r)) continue;
          if (!on_device) {
            on_host.push_back(search.host_row(first_row + r, first + q));
            continue;
          }
          const float score = scores[std::size_t{q} * rows + r];
          if (score >= result.best.threshold()) result.best.offer(score, first_row + r);
        }
        score_on_host(request, &on_host);
        for (const HostRow& row : on_host) result.best.offer(row.score, row.row);
      }
      work.stream.wait();
      work.pinned.reset();
    }
  }
  for (uint32_t q = 0; q < count; ++q) {
    (*results)[first + q].threshold = -std::numeric_limits<float>::infinity();
    (*results)[first + q].rows_rescored = search.tables().row_count;
  }
}

}  // namespace granule::cuda
