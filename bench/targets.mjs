/**
 * What granule sets out to reach, and what a report says about it. Each target is a figure of the report with what it
 * must be and what it aims for; peers are those of the same report at the same number of threads.
 *
 *     { what, threads, measured, must, aim, unit, less, peer? }
 *
 * `measured` is null where the report has no such figure; `must` is null where there is only an aim; `less` is true where
 * less is better.
 */
const OURS = 'ours-cpu';

/** @returns the targets with the figures of a report */
export function targetsOf(report) {
  const { results, roofline } = report;
  const find = (workload, threads, contender = OURS) =>
    results.find(
      (one) => one.workload === workload && one.contender === contender && one.threads === threads,
    );
  const roof = (threads) => roofline.find((one) => one.threads === threads);

  /** Times as fast as a peer, or as the fastest exact one. */
  const timesPeer = (workload, threads, must, aim, name) => {
    const own = find(workload, threads);
    const peer = name === undefined ? fastestPeer(results, workload, threads) : find(workload, threads, name);
    return {
      what: `${workload}: times as fast as ${name ?? 'the fastest exact peer'}`,
      threads,
      measured: own && peer ? peer.medianSeconds / own.medianSeconds : null,
      unit: 'x',
      must,
      aim,
      ...(name === undefined && peer !== undefined && { peer: peer.contender }),
    };
  };
  const share = (workload, what, threads, must, aim, value) => {
    const own = find(workload, threads);
    const measured = own && roof(threads) ? value(own, roof(threads)) : null;
    return { what: `${workload}: ${what}`, threads, measured, unit: '%', must, aim };
  };
  const int8Share = (workload, threads, must, aim) =>
    share(workload, 'share of the int8 peak', threads, must, aim, (own, peak) => {
      return own.operationsPerSecond / peak.int8OperationsPerSecond;
    });
  const figure = (workload, what, threads, limits, value) => {
    const own = find(workload, threads);
    return {
      what: `${workload}: ${what}`,
      threads,
      measured: own ? value(own) : null,
      less: true,
      ...limits,
    };
  };
  const scaling = (workload) => ({
    what: `${workload}: two threads against one`,
    threads: 2,
    measured:
      find(workload, 1) && find(workload, 2)
        ? find(workload, 1).medianSeconds / find(workload, 2).medianSeconds
        : null,
    unit: 'x',
    must: 1.85,
    aim: 1.95,
  });
  const both = (target) => [1, 2].map(target);

  return [
    ...both((threads) => timesPeer('mips-1m-768-b1-k10', threads, 3.3, 4)),
    ...both((threads) =>
      share(
        'mips-1m-768-b1-k10',
        'share of the read bandwidth, on code bytes',
        threads,
        0.8,
        0.9,
        (own, peak) => {
          return own.bytesPerSecond / peak.readBytesPerSecond;
        },
      ),
    ),
    ...both((threads) => timesPeer('mips-200k-768-b512-k10', threads, 4, 4.7, 'faiss')),
    ...both((threads) => int8Share('mips-200k-768-b512-k10', threads, 0.75, 0.88)),
    ...both((threads) => int8Share('mips-1m-128-b512-k10', threads, 0.6, 0.75)),
    ...['maxsim-1000x1030-128-q20', 'maxsim-20000x1030-128-q20'].flatMap((workload) => [
      timesPeer(workload, 1, 8, 12, 'numpy-maxsim'),
      int8Share(workload, 1, 0.45, 0.65),
    ]),
    timesPeer('maxsim-20000x50-128-q32', 1, 5, 7, 'numpy-maxsim'),
    ...['mips-200k-768-b512-k10', 'mips-1m-128-b512-k10', 'mips-1m-768-b512-k10'].map(scaling),
    ...both((threads) => timesPeer('mips-10k-384-b1-k10', threads, 1, 3, 'usearch-f32')),
    ...both((threads) =>
      figure(
        'mips-10k-384-b1-k10',
        'call to resolved promise, median',
        threads,
        milliseconds(null, 0.1),
        (own) => {
          return own.medianSeconds;
        },
      ),
    ),
    ...['contrast-4096-512-512', 'contrast-256-768-128'].flatMap((workload) =>
      both((threads) => timesPeer(workload, threads, 1.5, 2, 'torch')),
    ),
    ...['reserved-1m-768', 'add-1m-768'].flatMap((workload) =>
      both((threads) =>
        share(workload, 'share of the read bandwidth, on float32 bytes', threads, 0.35, 0.6, (own, peak) => {
          return own.bytesPerSecond / peak.readBytesPerSecond;
        }),
      ),
    ),
    ...both((threads) =>
      share('add-1m-768', 'the same, first call of a process', threads, 0.35, 0.6, (own, peak) => {
        return (own.bytesPerSecond * own.medianSeconds) / own.firstSeconds / peak.readBytesPerSecond;
      }),
    ),
    ...['survivors-1m-128-k10', 'survivors-1m-768-k10'].map((workload) =>
      figure(workload, 'rows scored in full, most of 100 queries', 1, percent(0.001, null), (own) => {
        return own.rescoredShareMost;
      }),
    ),
    figure('memory-1m-768', 'memory over the codes and the vectors', 1, percent(0.02, null), (own) => {
      return own.memoryOverhead;
    }),
    ...both((threads) =>
      figure('events-1m-768', "event loop's delay, 99th percentile", threads, milliseconds(2, 1), (own) => {
        return own.eventLoopDelayP99Seconds;
      }),
    ),
    ...both((threads) =>
      figure(
        'open-1m-768',
        'from a warm disk to the first result',
        threads,
        milliseconds(1000, 300),
        (own) => {
          return Math.max(own.medianSeconds, own.firstSeconds);
        },
      ),
    ),
  ];
}

function milliseconds(must, aim) {
  return { unit: 'ms', must: must && must / 1000, aim: aim && aim / 1000 };
}

function percent(must, aim) {
  return { unit: '%', must, aim };
}

/** The fastest of those who search the vectors themselves, granule aside. */
export function fastestPeer(results, workload, threads) {
  return results
    .filter(
      (one) =>
        one.workload === workload &&
        one.threads === threads &&
        one.exact &&
        !one.contender.startsWith('ours'),
    )
    .sort((a, b) => a.medianSeconds - b.medianSeconds)[0];
}

/** 'not measured', 'missed', 'met', or 'aim reached'. */
export function verdict({ measured, must, aim, less }) {
  if (measured === null) return 'not measured';
  const reaches = (limit) => limit !== null && (less ? measured <= limit : measured >= limit);
  if (reaches(aim)) return 'aim reached';
  if (must === null) return 'missed';
  return reaches(must) ? 'met' : 'missed';
}
