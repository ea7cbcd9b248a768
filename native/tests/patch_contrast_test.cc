// Contrasts of words and patches on every instruction set that runs here: the same bits, for any number of
// threads. That they are the right numbers is tested from JavaScript, against the form in float64.

#include "training/patch_contrast.h"

#include <doctest/doctest.h>

#include <cstring>
#include <numeric>
#include <vector>

#include "tests/kernel_tables.h"
#include "tests/test_data.h"

using namespace granule;
using test_data::Kind;

namespace {

struct Example {
  std::vector<uint32_t> texts, images;
  std::size_t dimension;
  PatchScore score;
  ContrastDirection direction = ContrastDirection::both;
  std::vector<float> words = test_data::vectors(Kind::uniform, total(texts), dimension, 1);
  std::vector<float> patches = test_data::vectors(Kind::uniform, total(images), dimension, 2);

  static std::size_t total(const std::vector<uint32_t>& lengths) {
    return std::accumulate(lengths.begin(), lengths.end(), std::size_t{0});
  }

  /// @param held what the gradients hold before
  Status try_run(ThreadPool& pool, const KernelTable& kernels, unsigned threads, const CancelFlag& cancel,
                 std::vector<double>* all, float held = -77) const {
    std::vector<float> words_out(words.size(), held), patches_out(patches.size(), held);
    PatchGradients out{words_out.data(), patches_out.data(), held, held, held};
    const PatchContrastBatch batch{{words.data(), texts.data(), texts.size()},
                                   {patches.data(), images.data(), images.size()},
                                   dimension,
                                   score,
                                   0.3,
                                   0.2,
                                   direction,
                                   nullptr,
                                   nullptr};
    const Status status = patch_contrast({pool, kernels, threads, cancel}, batch, &out);
    *all = {out.loss, out.temperature, out.attention_temperature};
    all->insert(all->end(), words_out.begin(), words_out.end());
    all->insert(all->end(), patches_out.begin(), patches_out.end());
    return status;
  }

  std::vector<double> run(ThreadPool& pool, const KernelTable& kernels, unsigned threads,
                          float held = -77) const {
    std::vector<double> all;
    REQUIRE(try_run(pool, kernels, threads, CancelFlag(), &all, held).ok());
    return all;
  }
};

bool same(const std::vector<double>& a, const std::vector<double>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0;
}

constexpr PatchScore kScores[] = {PatchScore::max_sim, PatchScore::mean_max_sim, PatchScore::filip,
                                  PatchScore::pacl, PatchScore::sparc};

}  // namespace

TEST_CASE("every instruction set and number of threads gives a contrast of patches the same gradients") {
  ThreadPool pool;
  pool.grow_to(4);
  std::vector<uint32_t> texts, images;
  for (uint32_t i = 0; i < 21; ++i) texts.push_back(1 + i % 6);
  for (uint32_t j = 0; j < 35; ++j) images.push_back(1 + j % 11);
  for (const PatchScore score : kScores) {
    CAPTURE(static_cast<int>(score));
    const Example example{texts, images, 13, score};
    const std::vector<double> expected = example.run(pool, *kernel_table(Isa::scalar), 1, 0);
    for (const KernelTable& table : test_kernels::float_tables()) {
      CAPTURE(table.matrix_tile.symbol);
      for (const unsigned threads : {1u, 3u}) CHECK(same(example.run(pool, table, threads), expected));
    }
  }
}

TEST_CASE("the blocks of texts do not show in a contrast of patches") {
  ThreadPool pool;
  pool.grow_to(4);
  // 2,000 patches leave room for 1,048 words: all texts are one block.
  Example together{{300, 500, 200}, {1200, 500, 300}, 3, PatchScore::max_sim};
  // With 4,000 more, which are nobody's and teach nothing, there is room for 349: each text is a block.
  Example apart = together;
  apart.images.push_back(4000);
  apart.patches.resize((2000 + 4000) * 3, 0.0f);
  apart.direction = together.direction = ContrastDirection::document_to_query;
  const KernelTable best = test_kernels::float_tables().back();
  const std::vector<double> expected = together.run(pool, best, 3);
  std::vector<double> found = apart.run(pool, best, 2);
  found.resize(expected.size());
  CHECK(same(found, expected));
  // Threads that work on large tiles at the same time do not meet.
  CHECK(same(together.run(pool, best, 3), expected));
  // A word of the last text, in a block of its own, and a patch of the last image.
  apart.words[900 * 3 + 1] = 1e20f;
  apart.patches[5999 * 3 + 1] = 1e20f;
  const Status status = apart.try_run(pool, best, 2, CancelFlag(), &found);
  CHECK(status.code == StatusCode::not_finite);
  CHECK(status.row == 900);
  CHECK(status.column == 5999);
}

TEST_CASE("a contrast of patches that is cancelled says so") {
  ThreadPool pool;
  CancelFlag cancel;
  cancel.cancel();
  for (const PatchScore score : kScores) {
    const Example example{{2, 1}, {3, 1, 2}, 5, score};
    std::vector<double> all;
    CHECK(example.try_run(pool, *kernel_table(Isa::scalar), 2, cancel, &all).code == StatusCode::aborted);
  }
}
