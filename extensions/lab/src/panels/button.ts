import type { LabIcon } from '@jupyterlab/ui-components';

import { make } from './dom';

/** A button of one picture; `label` is its name and its tooltip. */
export function iconButton(icon: LabIcon, label: string, press: (event: MouseEvent) => void): HTMLButtonElement {
  const made = make('button', 'luma-button', { type: 'button', title: label, 'aria-label': label });
  icon.element({ container: made, elementSize: 'normal' });
  made.classList.add('luma-button');
  made.addEventListener('click', press);
  return made;
}

/** A button of a text. */
export function textButton(label: string, press: (event: MouseEvent) => void): HTMLButtonElement {
  const made = make('button', 'luma-button luma-mod-text', { type: 'button' }, label);
  made.addEventListener('click', press);
  return made;
}

/** A small picture, which nobody reads out. */
export function picture(icon: LabIcon): HTMLElement {
  const made = icon.element({ tag: 'span', elementSize: 'normal' });
  made.classList.add('luma-picture');
  made.setAttribute('aria-hidden', 'true');
  return made;
}
