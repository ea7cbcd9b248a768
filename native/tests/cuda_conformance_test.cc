// The CUDA backend against the CPU's, bit for bit.

#include "tests/cuda_fixture.h"

using namespace granule;
using test_cuda::Case;
using test_cuda::compare;
using test_cuda::cuda_engine;
using test_cuda::is_skipped;
using test_data::Kind;

TEST_CASE("CUDA: rows, with every metric, dtype and kind of vector") {
  if (is_skipped()) return;
  const auto engine = cuda_engine();
  uint64_t seed = 1;
  for (const Metric metric : {Metric::inner_product, Metric::cosine, Metric::squared_l2}) {
    for (const Dtype dtype : {Dtype::f32, Dtype::f16, Dtype::bf16}) {
      for (const Kind kind : test_data::kAllKinds) {
        if (dtype != Dtype::f32 && kind != Kind::uniform) continue;
        Case test;
        test.options = {24, metric, dtype, false, true};
        test.kind = test.query_kind = kind;
        test.vectors = 2300;
        test.queries = 3;
        test.biased = seed % 2 == 0;
        test.filtered = seed % 3 == 0;
        test.seed = ++seed;
        compare(engine, test);
      }
    }
  }
}

TEST_CASE("CUDA: rows, with odd dimensions, batches and places") {
  if (is_skipped()) return;
  const auto engine = cuda_engine();
  uint64_t seed = 100;
  for (const uint32_t dimension : {1u, 3u, 63u, 64u, 65u, 129u, 768u}) {
    for (const std::size_t queries : {1u, 2u, 5u, 8u, 9u, 70u}) {
      Case test;
      test.options = {dimension, Metric::inner_product, Dtype::f32, false, true};
      test.vectors = dimension > 64 ? 300 : 2100;
      test.queries = queries;
      test.k = queries % 2 == 0 ? 1 : 7;
      test.seed = ++seed;
      compare(engine, test);
    }
  }
  for (const uint32_t k : {1u, 50u, 400u, 3000u}) {
    Case test;
    test.options = {17, Metric::squared_l2, Dtype::f32, false, true};
    test.vectors = 3000;
    test.queries = 2;
    test.k = k;
    compare(engine, test);
  }
}

TEST_CASE("CUDA: rows that are added between searches, in segments that grow") {
  if (is_skipped()) return;
  const auto engine = cuda_engine();
  for (const bool coded : {true, false}) {
    Case test;
    test.options = {40, Metric::inner_product, Dtype::f32, false, coded};
    test.vectors = 6000;
    test.adds = 7;
    test.queries = 2;
    test.biased = coded;
    compare(engine, test);
  }
}

TEST_CASE("CUDA: documents, with every metric and kind of vector") {
  if (is_skipped()) return;
  const auto engine = cuda_engine();
  uint64_t seed = 1000;
  for (const Metric metric : {Metric::inner_product, Metric::cosine, Metric::squared_l2}) {
    for (const Kind kind : test_data::kAllKinds) {
      Case test;
      test.options = {24, metric, Dtype::f32, true, true};
      test.kind = test.query_kind = kind;
      test.vectors = 600;
      test.lengths = {1, 9, 33, 5, 17};
      test.queries = 2;
      test.query_lengths = {5, 40};
      test.k = 6;
      test.biased = seed % 2 == 0;
      test.filtered = seed % 3 == 0;
      test.candidates = seed % 4 == 0;
      test.adds = seed % 5 == 0 ? 3 : 1;
      test.seed = ++seed;
      compare(engine, test);
    }
  }
}

TEST_CASE("CUDA: documents of odd dimensions and lengths") {
  if (is_skipped()) return;
  const auto engine = cuda_engine();
  uint64_t seed = 2000;
  for (const uint32_t dimension : {1u, 65u, 128u, 200u}) {
    Case test;
    test.options = {dimension, Metric::inner_product, dimension == 65 ? Dtype::f16 : Dtype::f32, true, true};
    test.vectors = 1000;
    test.lengths = {300, 1, 2, 64, 7};
    test.queries = 3;
    test.query_lengths = {1, 32, 33};
    test.k = 4;
    test.seed = ++seed;
    compare(engine, test);
  }
}

TEST_CASE("CUDA: log-sum-exps over all rows, with every metric, dtype and kind of vector") {
  if (is_skipped()) return;
  const auto engine = cuda_engine();
  uint64_t seed = 3000;
  for (const Metric metric : {Metric::inner_product, Metric::cosine, Metric::squared_l2}) {
    for (const Kind kind : test_data::kAllKinds) {
      Case test;
      test.options = {11, metric, static_cast<Dtype>(seed % 3), false, true};
      test.kind = test.query_kind = test.options.dtype == Dtype::f32 ? kind : Kind::uniform;
      test.vectors = 300;
      test.adds = 2;
      test.queries = 3;
      test.biased = seed % 2 == 0;
      test.filtered = seed % 5 == 0;
      test.log_sum_exp = true;
      test.seed = ++seed;
      compare(engine, test);
    }
  }
  Case batch;
  batch.options = {5, Metric::squared_l2, Dtype::f32, false, true};
  batch.vectors = 90;
  batch.queries = 70;
  batch.k = 90;
  batch.log_sum_exp = true;
  compare(engine, batch);
}

TEST_CASE("CUDA: log-sum-exps over all documents, with every metric and kind of vector") {
  if (is_skipped()) return;
  const auto engine = cuda_engine();
  uint64_t seed = 4000;
  for (const Metric metric : {Metric::inner_product, Metric::cosine, Metric::squared_l2}) {
    for (const Kind kind : test_data::kAllKinds) {
      Case test;
      test.options = {7, metric, Dtype::f32, true, true};
      test.kind = test.query_kind = kind;
      test.vectors = 130;
      test.lengths = {1, 9, 33, 5, 17};
      test.queries = 2;
      test.query_lengths = {3, 34};
      test.k = 4;
      test.biased = seed % 2 == 0;
      test.filtered = seed % 3 == 0;
      test.candidates = seed % 4 == 0;
      test.log_sum_exp = true;
      // So high that also documents without a sum, which rank last, count.
      if (kind == Kind::huge) test.temperature = 1e38;
      test.seed = ++seed;
      compare(engine, test);
    }
  }
}
