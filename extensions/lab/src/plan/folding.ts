import type { PlanData } from './data';
import { shape } from './drawing';

const LEFT = 34;
const LANE = 20;
const DOT = 14;

/** Where the operators stand when some are folded: what feeds a folded one is hidden, and what is below it moves up. */
export class Folding {
  readonly folded = new Set<number>();
  private readonly groups = new Map<number, SVGGElement>();
  private readonly heights: number[] = [];
  private readonly top: number;
  private readonly feeding: number[];
  private original: [number, number, number, number] | null = null;

  constructor(
    private readonly plan: PlanData,
    private readonly svg: SVGSVGElement
  ) {
    for (const group of svg.querySelectorAll<SVGGElement>('g.luma-step')) {
      this.groups.set(Number(group.getAttribute('data-step')), group);
    }
    for (const step of plan.steps) {
      this.heights.push(Number(this.groups.get(step.id)?.getAttribute('data-height') ?? 0));
    }
    this.top = Number(svg.querySelector('.luma-steps')?.getAttribute('data-top') ?? 0);
    this.feeding = plan.steps.map(() => 0);
    for (let place = plan.steps.length - 1; place > 0; place -= 1) {
      const parent = plan.steps[place].parent;
      if (parent !== null) {
        this.feeding[parent] += this.feeding[place] + 1;
      }
    }
  }

  /** Whether every operator has its group in the drawing. */
  get complete(): boolean {
    return this.plan.steps.every(step => this.groups.has(step.id));
  }

  /** The group of an operator. */
  group(id: number): SVGGElement | undefined {
    return this.groups.get(id);
  }

  /** What lies under an operator, so that all of its place can be pointed at. */
  ground(id: number): SVGElement {
    const x = LEFT + LANE * this.plan.steps[id].lane - 10;
    const width = this.size()[2] - x - 8;
    return shape('rect', { class: 'luma-ground', x, y: 1, width, height: this.heights[id] - 2, rx: 4, fill: 'transparent' });
  }

  /** How many operators feed one, at any depth. */
  below(id: number): number {
    return this.feeding[id];
  }

  /** The operators in sight, from top to bottom. */
  visible(): number[] {
    const hidden = new Set<number>();
    for (const step of this.plan.steps) {
      if (step.parent !== null && (hidden.has(step.parent) || this.folded.has(step.parent))) {
        hidden.add(step.id);
      }
    }
    return this.plan.steps.map(step => step.id).filter(id => !hidden.has(id));
  }

  /** Puts everything where it stands now. */
  arrange(): void {
    const tops = new Map<number, number>();
    let y = this.top;
    for (const id of this.visible()) {
      tops.set(id, y);
      y += this.heights[id];
    }
    for (const step of this.plan.steps) {
      const group = this.groups.get(step.id);
      const at = tops.get(step.id);
      group?.toggleAttribute('hidden', at === undefined);
      if (group && at !== undefined) {
        group.setAttribute('transform', `translate(0 ${at.toFixed(1)})`);
        this.mark(group, step.id);
      }
    }
    this.arrangeEdges(tops);
    const foot = this.svg.querySelector('.luma-foot');
    const moved = y - Number(foot?.getAttribute('data-top') ?? y);
    foot?.setAttribute('transform', `translate(0 ${moved.toFixed(1)})`);
    const [left, upper, wide] = this.size();
    const tall = this.height() + moved;
    this.svg.setAttribute('viewBox', `${left} ${upper} ${wide} ${tall}`);
    this.svg.setAttribute('height', String(tall));
  }

  private arrangeEdges(tops: Map<number, number>): void {
    for (const edge of this.svg.querySelectorAll<SVGPathElement>('path[data-edge]')) {
      const step = this.plan.steps[Number(edge.getAttribute('data-edge'))];
      const again = edge.classList.contains('luma-again');
      const other = again ? step?.reads : step?.parent;
      const from = other === null || other === undefined ? undefined : tops.get(other);
      const to = step && tops.get(step.id);
      edge.toggleAttribute('hidden', from === undefined || to === undefined);
      if (step && other !== null && other !== undefined && from !== undefined && to !== undefined) {
        const [x, end] = [LEFT + LANE * this.plan.steps[other].lane, LEFT + LANE * step.lane];
        edge.setAttribute('d', again ? around(end, to + DOT, x, from + DOT, other) : way(x, from + DOT, end, to + DOT));
      }
    }
  }

  /** A ring around the dot of an operator that folds, and how many are hidden in it. */
  private mark(group: SVGGElement, id: number): void {
    group.querySelectorAll('.luma-fold').forEach(node => node.remove());
    const count = this.feeding[id];
    if (!count) {
      return;
    }
    const folded = this.folded.has(id);
    const x = LEFT + LANE * this.plan.steps[id].lane;
    const ring = shape('circle', { class: 'luma-fold luma-ring', cx: x, cy: DOT, r: 8, fill: 'transparent', stroke: 'currentColor' });
    ring.setAttribute('stroke-opacity', folded ? '0.8' : '0');
    group.append(ring);
    if (folded) {
      const said = `+ ${count.toLocaleString('en')}`;
      group.append(shape('text', { class: 'luma-fold', x, y: DOT + 22, 'font-size': 10, 'text-anchor': 'middle', fill: 'currentColor' }, said));
    }
  }

  private size(): [number, number, number, number] {
    this.original ??= (this.svg.getAttribute('viewBox') ?? '0 0 960 0').split(/\s+/).map(Number) as [number, number, number, number];
    return this.original;
  }

  private height(): number {
    return this.size()[3];
  }
}

function way(x: number, from: number, end: number, to: number): string {
  if (x === end) {
    return `M${x} ${from}V${to}`;
  }
  const turn = to - DOT;
  return `M${x} ${turn - 6}V${turn}C${x} ${turn + 10} ${end} ${turn} ${end} ${to}`;
}

function around(x: number, from: number, end: number, to: number, owner: number): string {
  return `M${x} ${from}H${20 - 5 * (owner % 3)}V${to}H${end}`;
}
