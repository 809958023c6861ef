import type { Transport } from '../transport';
import { element } from './dom';
import { mountGrid } from './index';

/** The part of a widget's model that the grid uses; see anywidget.dev. */
interface WidgetModel {
  get(name: string): unknown;
  send(content: object, callbacks?: unknown, buffers?: ArrayBuffer[]): void;
  on(event: string, callback: (...values: never[]) => void): void;
  off(event: string, callback: (...values: never[]) => void): void;
}

type MessageCallback = (message: unknown, buffers: DataView[]) => void;

/** A widget's custom messages as a transport. */
export function modelTransport(model: WidgetModel): Transport {
  const messages: MessageCallback[] = [];
  const ends: ((reason: Record<string, never>) => void)[] = [];
  const received: MessageCallback = (message, buffers) => {
    for (const callback of messages) {
      callback(message, buffers ?? []);
    }
  };
  const ended = (): void => {
    for (const callback of ends) {
      callback({});
    }
  };
  model.on('msg:custom', received);
  model.on('destroy', ended);
  model.on('comm:close', ended);
  return {
    send: (message, buffers) => model.send(message, undefined, buffers),
    onMessage: callback => messages.push(callback),
    onClosed: callback => ends.push(callback),
    close(): void {
      model.off('msg:custom', received);
      model.off('destroy', ended);
      model.off('comm:close', ended);
    }
  };
}

export default {
  render({ model, el }: { model: WidgetModel; el: HTMLElement }): () => void {
    const rows = model.get('rows');
    const grid = mountGrid(el, modelTransport(model), {
      ask: true,
      rows: typeof rows === 'number' && rows > 0 ? rows : undefined,
      onRefused: error => el.append(element('div', { class: 'luma-grid lg-error', role: 'alert', text: `${error.message} ${error.hint}` }))
    });
    return () => grid.dispose();
  }
};
