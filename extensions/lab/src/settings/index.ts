import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ISettingRegistry } from '@jupyterlab/settingregistry';

import { ISettings } from '../tokens';
import { Settings } from './settings';

/** The settings of schema/plugin.json, as values that the other plugins read and observe. */
const plugin: JupyterFrontEndPlugin<ISettings> = {
  id: 'luma-bench-lab:plugin',
  autoStart: true,
  provides: ISettings,
  requires: [ISettingRegistry],
  activate: (_app: JupyterFrontEnd, registry: ISettingRegistry): ISettings => {
    const settings = new Settings();
    void registry.load(plugin.id).then(loaded => settings.follow(loaded));
    return settings;
  }
};

export default plugin;
