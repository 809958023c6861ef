import { beforeEach, describe, expect, it } from 'vitest';

import { readPlan } from '../../src/plan/data';
import { duration, size } from '../../src/plan/details';
import { readDrawing } from '../../src/plan/drawing';
import { mountPlan } from '../../src/plan';
import fixture from '../fixtures/plan.json';

const { data, svg } = fixture;
let host: HTMLElement;

beforeEach(() => {
  document.body.textContent = '';
  host = document.createElement('div');
  document.body.append(host);
  mountPlan(host, data, svg);
});

function steps(): SVGGElement[] {
  return [...host.querySelectorAll<SVGGElement>('g.luma-step')];
}

function shown(): number[] {
  return steps()
    .filter(step => !step.hasAttribute('hidden'))
    .map(step => Number(step.getAttribute('data-step')));
}

function top(id: number): number {
  return Number(/translate\(0 (-?[\d.]+)\)/.exec(steps()[id].getAttribute('transform') ?? '')?.[1]);
}

function press(id: number, key: string): void {
  steps()[id].dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
}

function dot(id: number): void {
  steps()[id].querySelector('.luma-dot')?.dispatchEvent(new MouseEvent('click', { bubbles: true }));
}

function button(name: string): void {
  [...host.querySelectorAll('button')].find(found => found.textContent === name)?.click();
}

function focused(): number {
  return Number(document.activeElement?.getAttribute('data-step'));
}

describe('a plan in an output', () => {
  it('stands where the kernel drew it', () => {
    const drawn = readDrawing(svg)!;
    for (const step of steps()) {
      const before = drawn.querySelector(`[data-step="${step.getAttribute('data-step')}"]`)!;
      expect(step.getAttribute('transform')).toBe(before.getAttribute('transform'));
    }
    for (const edge of host.querySelectorAll('path[data-edge]')) {
      const numbers = (text: string | null): number[] => (text ?? '').match(/-?[\d.]+/g)!.map(Number);
      const before = drawn.querySelector(`path.${edge.classList[0]}[data-edge="${edge.getAttribute('data-edge')}"]`)!;
      expect(numbers(edge.getAttribute('d'))).toEqual(numbers(before.getAttribute('d')));
    }
    expect(host.querySelector('svg')!.getAttribute('viewBox')).toBe(drawn.getAttribute('viewBox'));
  });

  it('is a tree with named items, one of which the keyboard reaches', () => {
    expect(host.querySelector('[role=tree]')).not.toBeNull();
    expect(steps().every(step => step.getAttribute('role') === 'treeitem' && step.getAttribute('aria-label'))).toBe(true);
    expect(steps().filter(step => step.getAttribute('tabindex') === '0')).toHaveLength(1);
    expect(steps()[0].getAttribute('aria-expanded')).toBe('true');
    expect(steps()[2].getAttribute('aria-expanded')).toBeNull();
    expect(steps()[2].getAttribute('aria-level')).toBe('3');
  });

  it('folds what feeds an operator, and moves up what is below', () => {
    const before = top(3);
    dot(1);
    expect(shown()).toEqual([0, 1, 3, 4, 5]);
    expect(top(3)).toBeLessThan(before);
    expect(steps()[1].getAttribute('aria-expanded')).toBe('false');
    expect(steps()[1].textContent).toContain('+ 1');
    const hidden = [...host.querySelectorAll('path.luma-edge[hidden]')].map(edge => edge.getAttribute('data-edge'));
    expect(hidden).toEqual(['2']);
    dot(1);
    expect(top(3)).toBe(before);
    expect(shown()).toHaveLength(data.steps.length);
  });

  it('folds and unfolds all, and is as high as what is seen', () => {
    const high = (): number => Number(host.querySelector('svg')!.getAttribute('height'));
    const before = high();
    button('Fold all');
    expect(shown()).toEqual([0]);
    expect(high()).toBeLessThan(before);
    button('Unfold all');
    expect(high()).toBe(before);
  });

  it('goes by the keyboard', () => {
    steps()[0].focus();
    press(0, 'ArrowDown');
    expect(focused()).toBe(1);
    press(1, 'ArrowLeft');
    expect(steps()[1].getAttribute('aria-expanded')).toBe('false');
    press(1, 'ArrowDown');
    expect(focused()).toBe(3);
    press(3, 'ArrowUp');
    press(1, 'ArrowRight');
    expect(shown()).toContain(2);
    press(1, 'ArrowRight');
    expect(focused()).toBe(2);
    press(2, 'ArrowLeft');
    expect(focused()).toBe(1);
    press(1, 'End');
    expect(focused()).toBe(data.steps.length - 1);
    press(5, 'Home');
    expect(focused()).toBe(0);
  });

  it('keeps its keys from the notebook and leaves it the others', () => {
    const seen: string[] = [];
    document.body.addEventListener('keydown', event => seen.push(event.key));
    press(0, 'ArrowDown');
    press(0, 'b');
    expect(seen).toEqual(['b']);
  });

  it('tells the details of an operator as text', () => {
    const details = host.querySelector<HTMLElement>('.luma-plan-details')!;
    expect(details.hidden).toBe(true);
    press(5, 'Enter');
    expect(details.hidden).toBe(false);
    expect(details.textContent).toContain('TABLE_SCAN orders');
    expect(details.textContent).toContain('3 of 12 chunks');
    press(5, 'Escape');
    expect(details.hidden).toBe(true);
  });

  it('zooms in steps and fits again', () => {
    const drawing = host.querySelector('svg')!;
    button('+');
    expect(drawing.style.maxWidth).toBe('none');
    button('Fit');
    expect(drawing.style.maxWidth).toBe('100%');
    expect(host.querySelector('output')!.textContent).toBe('fits');
  });

  it('is taken away again', () => {
    const place = document.createElement('div');
    const mounted = mountPlan(place, data, svg);
    mounted.dispose();
    expect(place.childNodes).toHaveLength(0);
  });
});

describe('what comes from outside', () => {
  it('lets nothing through that runs or loads', () => {
    const evil = `<svg class="luma-plan" onload="x()" style="background:url(http://a)"><script>x()</script>
      <g class="luma-step" data-step="0" onclick="x()"><a href="javascript:x()"><text>link</text></a>
      <rect fill="url(http://a/b)" x="1" /><image href="http://a" /><foreignObject><img src=x onerror=x()></foreignObject>
      <text>kept &lt;b&gt;</text></g></svg>`;
    const made = readDrawing(evil)!.outerHTML;
    expect(made).not.toMatch(/script|onload|onclick|onerror|href|url\(|image|foreign|style|<img|<a/i);
    expect(made).toContain('kept &lt;b&gt;');
  });

  it('puts texts in as texts', () => {
    const text = '<img src=x onerror=alert(1)>';
    const renamed = { ...data, steps: data.steps.map(step => ({ ...step, name: text, details: [[text, text]] })) };
    const place = document.createElement('div');
    mountPlan(place, renamed, svg);
    place.querySelector('g.luma-step')!.dispatchEvent(new MouseEvent('click', { bubbles: true }));
    expect(place.querySelector('img')).toBeNull();
    expect(place.querySelector('.luma-plan-details')!.textContent).toContain(text);
  });

  it('shows the drawing alone where the data do not fit it', () => {
    for (const broken of [null, 3, {}, { version: 2, steps: [] }, { version: 1, steps: [{ id: 0 }, { id: 1, parent: 5 }] }]) {
      expect(readPlan(broken)).toBeNull();
      const place = document.createElement('div');
      mountPlan(place, broken, svg);
      expect(place.firstElementChild?.localName).toBe('svg');
    }
    const place = document.createElement('div');
    mountPlan(place, data, 'no drawing');
    expect(place.childNodes).toHaveLength(0);
  });

  it('writes figures as the kernel does', () => {
    expect([duration(0.0008), duration(0.12), duration(2.4)]).toEqual(['0.8 ms', '120 ms', '2.4 s']);
    expect([size(0), size(3_200_000), size(2e15)]).toEqual(['0 B', '3.2 MB', '2000.0 TB']);
  });
});
