/** One line on the terminal for a roofline. */
export function rooflineLine(roofline) {
  const giga = (value) => (value / 1e9).toFixed(1);
  return `${roofline.threads} threads at most: read ${giga(roofline.readBytesPerSecond)} GB/s, copy ${giga(roofline.copyBytesPerSecond)} GB/s, first touch ${giga(roofline.freshBytesPerSecond)} GB/s, f32 ${giga(roofline.f32OperationsPerSecond)} GFLOP/s, int8 ${giga(roofline.int8OperationsPerSecond)} Gop/s`;
}

/** One line on the terminal for a result. */
export function resultLine(result) {
  const { workload, contender, threads, medianSeconds, spread, shareOfRoofline, correct } = result;
  const parts = [
    `${milliseconds(medianSeconds)} ms (spread ${percent(spread)})`,
    result.queriesTimed !== undefined && `timed with ${result.queriesTimed} of the queries`,
    result.p99Seconds !== undefined && `99th percentile ${milliseconds(result.p99Seconds)} ms`,
    result.firstSeconds !== undefined && `first call ${milliseconds(result.firstSeconds)} ms`,
    shareOfRoofline !== null && `${percent(shareOfRoofline)} of the roofline`,
    `${result.coresUsed.toFixed(2)} cores`,
    ...furtherFigures(result),
    `recall ${correct.recall}`,
    correct.bitEqual !== null && `bits ${correct.bitEqual ? 'equal' : 'DIFFER'}`,
  ];
  return `${workload} ${contender} ${threads} threads: ${parts.filter((part) => part !== false).join(', ')}`;
}

/** What some workloads measure beside the time, in words. */
export function furtherFigures(result) {
  const figures = [];
  if (result.rescoredShareMost !== undefined) {
    const [median, most] = [result.rescoredShare, result.rescoredShareMost].map((share) =>
      (share * 100).toPrecision(2),
    );
    figures.push(`${median} % of the rows scored in full, ${most} % at most`);
  }
  if (result.reserveSeconds !== undefined) {
    figures.push(`room reserved before in ${result.reserveSeconds.toFixed(3)} s`);
  }
  if (result.memoryOverhead !== undefined) {
    figures.push(`${(result.memoryOverhead * 100).toFixed(2)} % more memory than the numbers themselves`);
  }
  if (result.eventLoopDelayP99Seconds !== undefined) {
    const [p99, most, idle] = [
      result.eventLoopDelayP99Seconds,
      result.eventLoopDelayMostSeconds,
      result.eventLoopIdleP99Seconds,
    ].map(milliseconds);
    figures.push(
      `event loop late by ${p99} ms at the 99th percentile, ${most} ms at most (${idle} ms when idle)`,
    );
  }
  return figures;
}

function milliseconds(seconds) {
  return (seconds * 1000).toPrecision(4);
}

function percent(share) {
  return `${(share * 100).toFixed(0)} %`;
}
