/** A value of a page of metrics. @param labels as they stand there. @returns NaN where it is missing. */
export function metricOf(page: string, name: string, labels = ''): number {
  const series = labels === '' ? name : `${name}{${labels}}`;
  const line = page.split('\n').find((one) => one.startsWith(`${series} `));
  return line === undefined ? NaN : Number(line.slice(series.length + 1));
}
