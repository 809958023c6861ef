import type { PlanStep } from './data';

/** What is known of one operator, beside the drawing. */
export class Details {
  readonly node = document.createElement('aside');

  constructor() {
    this.node.className = 'luma-plan-details';
    this.node.setAttribute('aria-label', 'Operator');
    this.node.setAttribute('aria-live', 'polite');
    this.node.hidden = true;
  }

  /** Tells of an operator; null closes it. */
  show(step: PlanStep | null): void {
    this.node.textContent = '';
    this.node.hidden = step === null;
    if (!step) {
      return;
    }
    const heading = document.createElement('h4');
    heading.textContent = [step.operator, step.name].filter(Boolean).join(' ');
    const list = document.createElement('dl');
    for (const [name, value] of facts(step)) {
      const term = document.createElement('dt');
      term.textContent = name;
      const said = document.createElement('dd');
      said.textContent = value;
      said.dir = 'auto';
      list.append(term, said);
    }
    this.node.append(heading, list);
  }
}

function facts(step: PlanStep): [string, string][] {
  const found: [string, string][] = [['engine', step.engine]];
  const figures: [string, number | undefined, (value: number) => string][] = [
    ['expected rows', step.estimated, count],
    ['rows', step.rows, count],
    ['time', step.seconds, duration],
    ['of all time', step.share, share => `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`],
    ['handed on', step.bytes, size]
  ];
  for (const [name, value, said] of figures) {
    if (value !== undefined) {
      found.push([name, said(value)]);
    }
  }
  if (step.surprise) {
    found.push(['estimate', step.surprise]);
  }
  if (step.reading) {
    found.push(['storage', step.reading]);
  }
  return [...found, ...step.details.map(([name, value]): [string, string] => [name, value])];
}

function count(value: number): string {
  return value.toLocaleString('en');
}

/** A duration as the kernel writes it. */
export function duration(seconds: number): string {
  return seconds < 0.01 ? `${(seconds * 1e3).toFixed(1)} ms` : seconds < 1 ? `${(seconds * 1e3).toFixed(0)} ms` : `${seconds.toFixed(1)} s`;
}

/** A number of bytes as the kernel writes it. */
export function size(bytes: number): string {
  let left = bytes;
  for (const unit of ['B', 'kB', 'MB', 'GB']) {
    if (left < 1000) {
      return unit === 'B' ? `${left} B` : `${left.toFixed(1)} ${unit}`;
    }
    left /= 1000;
  }
  return `${left.toFixed(1)} TB`;
}
