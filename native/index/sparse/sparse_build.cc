#include "index/sparse/sparse_build.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <utility>

namespace granule {
namespace {

struct Posting {
  uint32_t term;
  uint32_t row;
  float value;
};

/// Sorts by term; postings of one term keep their order. Digits that all terms share cost nothing.
void sort_by_term(std::vector<Posting>* postings) {
  constexpr unsigned kDigitBits = 11;
  constexpr unsigned kDigits = 3;
  constexpr uint32_t kMask = (1u << kDigitBits) - 1;
  std::vector<uint32_t> counts(kDigits << kDigitBits);
  for (const Posting& posting : *postings) {
    for (unsigned d = 0; d < kDigits; ++d)
      ++counts[(d << kDigitBits) + ((posting.term >> (d * kDigitBits)) & kMask)];
  }
  std::vector<Posting> sorted(postings->size());
  for (unsigned d = 0; d < kDigits; ++d) {
    uint32_t* const places = counts.data() + (d << kDigitBits);
    const auto digit_of = [d](uint32_t term) { return (term >> (d * kDigitBits)) & kMask; };
    if (postings->empty() || places[digit_of(postings->front().term)] == postings->size()) continue;
    uint32_t place = 0;
    for (uint32_t i = 0; i <= kMask; ++i) place += std::exchange(places[i], place);
    for (const Posting& posting : *postings) sorted[places[digit_of(posting.term)]++] = posting;
    postings->swap(sorted);
  }
}

/// Terms that divide the postings of all inputs into ranges of about one size: range i holds the terms from
/// splitters[i] up to splitters[i + 1].
std::vector<uint64_t> split_terms(const std::vector<MergeInput>& inputs, std::size_t ranges) {
  const SparseSegment* largest = inputs.front().segment.get();
  for (const MergeInput& input : inputs) {
    if (input.segment->posting_count() > largest->posting_count()) largest = input.segment.get();
  }
  std::vector<uint64_t> splitters{0};
  std::size_t place = 0;
  for (std::size_t i = 1; i < ranges; ++i) {
    const uint64_t posting = largest->posting_count() * i / ranges;
    while (place < largest->terms.size() && largest->run_offsets[largest->term_offsets[place]] < posting)
      ++place;
    if (place < largest->terms.size() && largest->terms[place] > splitters.back())
      splitters.push_back(largest->terms[place]);
  }
  splitters.push_back(uint64_t{1} << 32);
  return splitters;
}

/// The postings of the terms from `begin` up to `end`, of all inputs.
Status merge_terms(const std::vector<MergeInput>& inputs, uint64_t begin, uint64_t end,
                   const CancelFlag& cancel, PostingRuns* out) {
  struct Cursor {
    const MergeInput* input;
    std::size_t place;
    std::size_t end;
  };
  std::vector<Cursor> cursors;
  std::size_t postings = 0;
  for (const MergeInput& input : inputs) {
    const AlignedBuffer<uint32_t>& terms = input.segment->terms;
    const auto place_of = [&terms](uint64_t term) {
      return static_cast<std::size_t>(std::lower_bound(terms.data(), terms.data() + terms.size(), term) -
                                      terms.data());
    };
    const Cursor cursor{&input, place_of(begin), place_of(end)};
    if (cursor.place == cursor.end) continue;
    const SparseSegment& segment = *input.segment;
    postings += segment.run_offsets[segment.term_offsets[cursor.end]] -
                segment.run_offsets[segment.term_offsets[cursor.place]];
    cursors.push_back(cursor);
  }
  out->reserve(postings);
  const auto term_of = [&](std::size_t c) { return cursors[c].input->segment->terms[cursors[c].place]; };
  // The cursor of the least term on top; of equal terms, that of the first input.
  const auto later = [&](std::size_t a, std::size_t b) {
    return term_of(a) != term_of(b) ? term_of(a) > term_of(b) : a > b;
  };
  std::vector<std::size_t> heap(cursors.size());
  for (std::size_t c = 0; c < heap.size(); ++c) heap[c] = c;
  std::make_heap(heap.begin(), heap.end(), later);
  uint64_t previous = end;
  std::size_t steps = 0;
  while (!heap.empty()) {
    if (++steps % 4096 == 0 && cancel.cancelled()) return Status::failure(StatusCode::aborted, "aborted");
    std::pop_heap(heap.begin(), heap.end(), later);
    Cursor& cursor = cursors[heap.back()];
    const SparseSegment& segment = *cursor.input->segment;
    const uint32_t term = segment.terms[cursor.place];
    if (term != previous) out->begin_term(term);
    previous = term;
    for (uint32_t run = segment.term_offsets[cursor.place]; run < segment.term_offsets[cursor.place + 1];
         ++run) {
      const uint32_t* const block =
          cursor.input->new_rows.data() + std::size_t{segment.run_blocks[run]} * SparseSegment::kBlockRows;
      for (uint32_t p = segment.run_offsets[run]; p < segment.run_offsets[run + 1]; ++p) {
        const uint32_t row = block[segment.rows[p]];
        if (row != kNoRow) out->append(row, segment.values[p]);
      }
    }
    if (++cursor.place == cursor.end) {
      heap.pop_back();
    } else {
      std::push_heap(heap.begin(), heap.end(), later);
    }
  }
  return Status::success();
}

}  // namespace

Status build_segment(const SparseRows& rows, const std::vector<uint64_t>& offsets, const float* lengths,
                     uint64_t first_row, uint64_t end_row, std::shared_ptr<const SparseSegment>* segment) {
  AlignedBuffer<float> own_lengths(lengths != nullptr ? end_row - first_row : 0);
  std::vector<Posting> postings;
  postings.reserve(offsets[end_row] - offsets[first_row]);
  for (uint64_t row = first_row; row < end_row; ++row) {
    if (lengths != nullptr) {
      const float length = lengths[row];
      if (!std::isfinite(length) || length < 0) {
        return Status::failure(
            std::isfinite(length) ? StatusCode::invalid_argument : StatusCode::not_finite,
            "row " + std::to_string(row) + " has a length that is not a finite number of at least 0",
            static_cast<int64_t>(row));
      }
      own_lengths[row - first_row] = length + 0.0f;  // bounds of lengths know no -0
    }
    int64_t previous = kNoTerm;
    for (uint64_t i = offsets[row]; i < offsets[row + 1]; ++i) {
      const Posting posting{rows.terms[i], static_cast<uint32_t>(row - first_row), rows.values[i]};
      if (Status status = check_entry(row, previous, posting.term, posting.value, lengths != nullptr);
          !status.ok())
        return status;
      postings.push_back(posting);
      previous = posting.term;
    }
  }
  sort_by_term(&postings);
  std::vector<PostingRuns> parts;
  PostingRuns& runs = parts.emplace_back(lengths != nullptr ? own_lengths.data() : nullptr);
  runs.reserve(postings.size());
  for (std::size_t i = 0; i < postings.size(); ++i) {
    if (i == 0 || postings[i].term != postings[i - 1].term) runs.begin_term(postings[i].term);
    runs.append(postings[i].row, postings[i].value);
  }
  *segment = join_runs(end_row - first_row, std::move(own_lengths), std::move(parts));
  return Status::success();
}

Status merge_segments(ThreadPool& pool, const std::vector<MergeInput>& inputs, uint64_t row_count,
                      unsigned threads, const CancelFlag& cancel,
                      std::shared_ptr<const SparseSegment>* merged) {
  constexpr uint64_t kRangePostings = 1 << 18;
  constexpr std::size_t kRangesPerThread = 4;
  bool has_lengths = false;
  uint64_t postings = 0;
  for (const MergeInput& input : inputs) {
    has_lengths = has_lengths || input.segment->lengths.size() != 0;
    postings += input.segment->posting_count();
  }
  AlignedBuffer<float> lengths(has_lengths ? row_count : 0);
  for (const MergeInput& input : inputs) {
    for (std::size_t row = 0; row < input.segment->lengths.size(); ++row) {
      if (input.new_rows[row] != kNoRow) lengths[input.new_rows[row]] = input.segment->lengths[row];
    }
  }
  const std::vector<uint64_t> splitters =
      split_terms(inputs, std::clamp<std::size_t>(postings / kRangePostings, 1, threads * kRangesPerThread));
  std::vector<PostingRuns> parts(splitters.size() - 1, PostingRuns(has_lengths ? lengths.data() : nullptr));
  std::atomic<bool> aborted{false};
  pool.parallel_for(parts.size(), threads, [&](std::size_t i) {
    if (!merge_terms(inputs, splitters[i], splitters[i + 1], cancel, &parts[i]).ok()) aborted = true;
  });
  if (aborted) return Status::failure(StatusCode::aborted, "the merge was aborted");
  *merged = join_runs(row_count, std::move(lengths), std::move(parts));
  return Status::success();
}

}  // namespace granule
