import type { PlanData, PlanStep } from './data';
import { Details } from './details';
import { Folding } from './folding';

const STEPS = [0.5, 0.65, 0.8, 1, 1.25, 1.5, 2, 3];

/** A plan that one can move about in: it folds and zooms, is dragged, and tells the details of the chosen operator. */
export class PlanView {
  readonly node = document.createElement('div');
  private readonly canvas = document.createElement('div');
  private readonly details = new Details();
  private readonly folding: Folding;
  private readonly zoomed = document.createElement('output');
  private chosen = 0;
  /** Which of `STEPS` it is drawn at; null fits the page. */
  private zoom: number | null = null;

  constructor(
    private readonly plan: PlanData,
    private readonly svg: SVGSVGElement
  ) {
    this.folding = new Folding(plan, svg);
    this.node.className = 'luma-plan-live';
    this.canvas.className = 'luma-plan-canvas';
    this.canvas.append(svg);
    const body = document.createElement('div');
    body.className = 'luma-plan-body';
    body.append(this.canvas, this.details.node);
    this.node.append(this.bar(), body);
    this.prepare();
    this.folding.arrange();
    this.drag();
  }

  private bar(): HTMLElement {
    const bar = document.createElement('div');
    bar.className = 'luma-plan-bar';
    bar.setAttribute('role', 'toolbar');
    bar.setAttribute('aria-label', 'Plan');
    this.zoomed.className = 'luma-plan-zoom';
    bar.append(
      action('−', 'Zoom out', () => this.scale(-1)),
      this.zoomed,
      action('+', 'Zoom in', () => this.scale(1)),
      action('Fit', 'Fit the drawing to the page', () => this.fit()),
      action('Fold all', 'Show the answer’s operator alone', () => this.foldAll()),
      action('Unfold all', 'Show every operator', () => this.unfold())
    );
    return bar;
  }

  /** Roles and names: the drawing as a tree, its operators as the tree's items. */
  private prepare(): void {
    this.svg.setAttribute('role', 'group');
    this.svg.setAttribute('aria-label', this.plan.title);
    this.svg.querySelectorAll('.luma-edge, .luma-again').forEach(edge => edge.setAttribute('aria-hidden', 'true'));
    const tree = this.svg.querySelector('.luma-steps');
    tree?.setAttribute('role', 'tree');
    tree?.setAttribute('aria-label', 'Operators');
    const levels: number[] = [];
    for (const step of this.plan.steps) {
      levels.push(step.parent === null ? 1 : levels[step.parent] + 1);
      const group = this.folding.group(step.id);
      group?.setAttribute('role', 'treeitem');
      group?.setAttribute('aria-level', String(levels[step.id]));
      group?.setAttribute('aria-label', step.words);
      group?.setAttribute('tabindex', step.id === 0 ? '0' : '-1');
      group?.prepend(this.folding.ground(step.id));
    }
    this.told();
    tree?.addEventListener('click', event => this.clicked(event as MouseEvent));
    tree?.addEventListener('keydown', event => this.pressed(event as KeyboardEvent));
    tree?.addEventListener('focusin', event => {
      const step = this.at(event.target);
      if (step && step.id !== this.chosen) {
        this.choose(step.id, false);
      }
    });
    this.shown();
  }

  private at(target: EventTarget | null): PlanStep | null {
    const group = target instanceof Element ? target.closest('g.luma-step') : null;
    return group ? (this.plan.steps[Number(group.getAttribute('data-step'))] ?? null) : null;
  }

  private clicked(event: MouseEvent): void {
    const step = this.at(event.target);
    if (!step) {
      return;
    }
    const onDot = event.target instanceof Element && event.target.matches('.luma-dot, .luma-fold');
    if (onDot) {
      this.fold(step.id);
    }
    this.choose(step.id, true);
    this.details.show(step);
  }

  private pressed(event: KeyboardEvent): void {
    const step = this.at(event.target);
    if (!step || event.altKey || event.ctrlKey || event.metaKey) {
      return;
    }
    const visible = this.folding.visible();
    const place = visible.indexOf(step.id);
    const opens = this.folding.below(step.id) > 0;
    const folded = this.folding.folded.has(step.id);
    switch (event.key) {
      case 'ArrowDown':
        this.choose(visible[Math.min(place + 1, visible.length - 1)], true);
        break;
      case 'ArrowUp':
        this.choose(visible[Math.max(place - 1, 0)], true);
        break;
      case 'Home':
        this.choose(visible[0], true);
        break;
      case 'End':
        this.choose(visible[visible.length - 1], true);
        break;
      case 'ArrowRight':
        if (opens && folded) {
          this.fold(step.id);
        } else if (opens) {
          this.choose(visible[place + 1], true);
        }
        break;
      case 'ArrowLeft':
        if (opens && !folded) {
          this.fold(step.id);
        } else if (step.parent !== null) {
          this.choose(step.parent, true);
        }
        break;
      case 'Enter':
      case ' ':
        this.details.show(step);
        break;
      case 'Escape':
        this.details.show(null);
        break;
      default:
        return;
    }
    // JupyterLab would take the keys for the notebook.
    event.preventDefault();
    event.stopPropagation();
  }

  private choose(id: number, focus: boolean): void {
    const before = this.folding.group(this.chosen);
    before?.setAttribute('tabindex', '-1');
    before?.removeAttribute('aria-selected');
    this.chosen = id;
    const group = this.folding.group(id);
    group?.setAttribute('tabindex', '0');
    group?.setAttribute('aria-selected', 'true');
    if (focus) {
      group?.focus({ preventScroll: false });
    }
    if (!this.details.node.hidden) {
      this.details.show(this.plan.steps[id]);
    }
  }

  private fold(id: number): void {
    if (!this.folding.below(id)) {
      return;
    }
    if (!this.folding.folded.delete(id)) {
      this.folding.folded.add(id);
    }
    this.folding.arrange();
    this.told();
  }

  private foldAll(): void {
    this.folding.folded.add(0);
    this.folding.arrange();
    this.told();
    this.choose(0, false);
  }

  private unfold(): void {
    this.folding.folded.clear();
    this.folding.arrange();
    this.told();
  }

  private told(): void {
    for (const step of this.plan.steps) {
      if (this.folding.below(step.id)) {
        this.folding.group(step.id)?.setAttribute('aria-expanded', String(!this.folding.folded.has(step.id)));
      }
    }
  }

  private scale(by: number): void {
    const now = this.zoom ?? this.nearest();
    this.zoom = Math.min(Math.max(now + by, 0), STEPS.length - 1);
    this.shown();
  }

  private nearest(): number {
    const wide = this.wide();
    const factor = this.svg.getBoundingClientRect().width / wide || 1;
    return STEPS.reduce((best, step, place) => (Math.abs(step - factor) < Math.abs(STEPS[best] - factor) ? place : best), 0);
  }

  private wide(): number {
    return Number(this.svg.getAttribute('viewBox')?.split(/\s+/)[2]) || 960;
  }

  private fit(): void {
    this.zoom = null;
    this.shown();
  }

  private shown(): void {
    const { style } = this.svg;
    style.height = 'auto';
    style.maxWidth = this.zoom === null ? '100%' : 'none';
    style.width = this.zoom === null ? '' : `${this.wide() * STEPS[this.zoom]}px`;
    this.zoomed.textContent = this.zoom === null ? 'fits' : `${Math.round(STEPS[this.zoom] * 100)} %`;
  }

  /** Drags what is larger than its place. */
  private drag(): void {
    const { canvas } = this;
    let from: { x: number; y: number; left: number; top: number } | null = null;
    canvas.addEventListener('pointerdown', event => {
      const larger = canvas.scrollWidth > canvas.clientWidth || canvas.scrollHeight > canvas.clientHeight;
      // Text can be selected where nothing can be dragged.
      if (event.button === 0 && larger && !this.at(event.target)) {
        from = { x: event.clientX, y: event.clientY, left: canvas.scrollLeft, top: canvas.scrollTop };
        canvas.setPointerCapture(event.pointerId);
        canvas.classList.add('luma-dragged');
      }
    });
    canvas.addEventListener('pointermove', event => {
      if (from) {
        canvas.scrollTo(from.left + from.x - event.clientX, from.top + from.y - event.clientY);
      }
    });
    const release = (): void => {
      from = null;
      canvas.classList.remove('luma-dragged');
    };
    canvas.addEventListener('pointerup', release);
    canvas.addEventListener('pointercancel', release);
    canvas.addEventListener(
      'wheel',
      event => {
        if (event.ctrlKey || event.metaKey) {
          event.preventDefault();
          this.scale(event.deltaY < 0 ? 1 : -1);
        }
      },
      { passive: false }
    );
  }
}

function action(label: string, title: string, run: () => void): HTMLButtonElement {
  const button = document.createElement('button');
  button.type = 'button';
  button.textContent = label;
  button.title = title;
  button.setAttribute('aria-label', title);
  button.addEventListener('click', run);
  return button;
}
