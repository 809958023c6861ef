import { drawing } from './dom';
import type { Histogram } from './protocol';

/** The elements of a vector as a line, with a thin one at zero where it is crossed. */
export function sparkline(values: ArrayLike<number>, width: number, height: number): SVGElement {
  let low = Infinity;
  let high = -Infinity;
  for (let index = 0; index < values.length; index += 1) {
    const value = values[index];
    if (Number.isFinite(value)) {
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  const picture = drawing('svg', {
    class: 'lg-spark',
    width,
    height,
    viewBox: `0 0 ${width} ${height}`,
    'aria-hidden': 'true'
  });
  if (low > high) {
    return picture;
  }
  const range = high - low || 1;
  const across = values.length > 1 ? (width - 2) / (values.length - 1) : 0;
  const y = (value: number): string => (height - 2 - ((value - low) / range) * (height - 4)).toFixed(1);
  let path = '';
  let pen = 'M';
  for (let index = 0; index < values.length; index += 1) {
    if (Number.isFinite(values[index])) {
      path += `${pen}${(1 + index * across).toFixed(1)} ${y(values[index])}`;
      pen = 'L';
    } else {
      pen = 'M';
    }
  }
  if (low < 0 && high > 0) {
    picture.append(drawing('path', { class: 'lg-spark-zero', d: `M0 ${y(0)}H${width}` }));
  }
  picture.append(drawing('path', { class: 'lg-spark-line', d: path }));
  return picture;
}

/** Counts as bars that fill a box; each says its range where the pointer rests. */
export function bars(histogram: Histogram, width: number, height: number): SVGElement {
  const { counts } = histogram;
  const most = Math.max(1, ...counts);
  const across = width / Math.max(1, counts.length);
  const picture = drawing('svg', {
    class: 'lg-bars',
    width,
    height,
    viewBox: `0 0 ${width} ${height}`,
    preserveAspectRatio: 'none',
    'aria-hidden': 'true'
  });
  counts.forEach((count, index) => {
    const tall = count ? Math.max(1, (count / most) * height) : 0;
    const bar = drawing('rect', {
      x: (index * across).toFixed(2),
      y: (height - tall).toFixed(2),
      width: Math.max(0.5, across - 1).toFixed(2),
      height: tall.toFixed(2)
    });
    bar.append(drawing('title', { text: `${edge(histogram, index)} to ${edge(histogram, index + 1)}: ${count.toLocaleString('en-US')}` }));
    picture.append(bar);
  });
  return picture;
}

/** The text of a histogram's edge. */
export function edge(histogram: Histogram, index: number): string {
  const label = histogram.labels?.length === histogram.edges.length ? histogram.labels[index] : undefined;
  return label ?? String(Number(histogram.edges[index]?.toPrecision(6)));
}

/** Shares of the most frequent values side by side, the rest pale. */
export function shares(counts: readonly number[], total: number, width: number, height: number): SVGElement {
  const picture = drawing('svg', {
    class: 'lg-shares',
    width,
    height,
    viewBox: `0 0 ${width} ${height}`,
    preserveAspectRatio: 'none',
    'aria-hidden': 'true'
  });
  let left = 0;
  counts.forEach((count, index) => {
    const wide = total ? (count / total) * width : 0;
    picture.append(
      drawing('rect', {
        class: index % 2 ? 'lg-share-odd' : 'lg-share-even',
        x: left.toFixed(2),
        y: 0,
        width: Math.max(0, wide - 1).toFixed(2),
        height
      })
    );
    left += wide;
  });
  if (left < width - 1) {
    picture.append(
      drawing('rect', { class: 'lg-share-rest', x: left.toFixed(2), y: 0, width: (width - left).toFixed(2), height })
    );
  }
  return picture;
}
