const COUNT = new Intl.NumberFormat('en-US');
const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
const STEPS: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 31_557_600],
  ['month', 2_629_800],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60]
];
const AGO = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });

/** A whole number with commas; nothing when it is not known. */
export function count(value: number | null | undefined): string {
  return value === null || value === undefined ? '' : COUNT.format(value);
}

/** `3 tables`, `1 table`. */
export function counted(value: number, thing: string): string {
  return `${count(value)} ${thing}${value === 1 ? '' : 's'}`;
}

/** A size with three digits at most, in powers of a thousand: `12.3 MB`. */
export function size(bytes: number | null | undefined): string {
  if (bytes === null || bytes === undefined) {
    return '';
  }
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : 1;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

/** How long before `now` the time `iso` was: `3 minutes ago`. */
export function ago(iso: string, now: number): string {
  const seconds = (Date.parse(iso) - now) / 1000;
  if (Number.isNaN(seconds)) {
    return '';
  }
  for (const [unit, length] of STEPS) {
    if (Math.abs(seconds) >= length) {
      return AGO.format(Math.trunc(seconds / length), unit);
    }
  }
  return 'just now';
}

/** The time `iso` in the reader's own zone, to the second, with the zone's name. */
export function moment(iso: string): string {
  const time = new Date(iso);
  return Number.isNaN(time.getTime())
    ? iso
    : time.toLocaleString('sv-SE', { timeZoneName: 'short' }).replace(/\u00a0/g, ' ');
}

/** Seconds as people read them: `0.4 s`, `12 s`, `2 min 5 s`. */
export function duration(seconds: number): string {
  if (seconds < 10) {
    return `${seconds.toFixed(1)} s`;
  }
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** A path's last part. */
export function lastPart(path: string): string {
  return path.replace(/[\\/]+$/, '').split(/[\\/]/).pop() || path;
}

/** A path without `.` and `..`; an address stays as it is. */
export function tidyPath(path: string): string {
  if (path.includes('://') || !/(^|[\\/])\.\.?([\\/]|$)/.test(path)) {
    return path;
  }
  const kept: string[] = [];
  for (const part of path.split(/[\\/]/)) {
    if (part === '..' && kept.length > 1) {
      kept.pop();
    } else if (part !== '.' && part !== '..') {
      kept.push(part);
    }
  }
  return kept.join(path.includes('/') ? '/' : '\\');
}

/** The words of a search, in lower case. */
export function wordsOf(search: string): string[] {
  return search.toLowerCase().split(/\s+/).filter(Boolean);
}

/** Whether every word stands somewhere in `text`, which is in lower case. */
export function hasAll(text: string, words: readonly string[]): boolean {
  return words.every(word => text.includes(word));
}
