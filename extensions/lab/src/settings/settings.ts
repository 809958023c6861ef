import type { ISettingRegistry } from '@jupyterlab/settingregistry';
import { type ISignal, Signal } from '@lumino/signaling';

import type { ISettings } from '../tokens';

/** Settings as they stand; the defaults of schema/plugin.json until the registry has answered. */
export class Settings implements ISettings {
  /** A setting changed: read the values anew. */
  readonly changed: ISignal<this, void> = new Signal<this, void>(this);
  #values: ISettingRegistry.ISettings['composite'] = {};

  get lint(): boolean {
    return this.#values['lint'] !== false;
  }

  get hover(): boolean {
    return this.#values['hover'] !== false;
  }

  get formatOnSave(): boolean {
    return this.#values['formatOnSave'] === true;
  }

  get gridRows(): number {
    const rows = this.#values['gridRows'];
    return typeof rows === 'number' ? rows : 10;
  }

  get previewRows(): number {
    const rows = this.#values['previewRows'];
    return typeof rows === 'number' ? rows : 20;
  }

  /** Read `loaded` now and whenever it changes. */
  follow(loaded: ISettingRegistry.ISettings): void {
    const read = (): void => {
      this.#values = loaded.composite;
      (this.changed as Signal<this, void>).emit();
    };
    loaded.changed.connect(read);
    read();
  }
}
