import type { JupyterFrontEndPlugin } from '@jupyterlab/application';

import catalog from './catalog';
import language from './language';
import panels from './panels/plugin';
import planRenderer from './plan/plugin';
import preview from './preview';
import gridRenderer from './renderer/grid';
import progressRenderer from './renderer/progress';
import sessions from './session/plugin';
import settings from './settings';
import status from './status';
import timeline from './timeline';

/** Every plugin of the extension; each lives in its own folder. */
const plugins: JupyterFrontEndPlugin<unknown>[] = [
  settings,
  sessions,
  ...language,
  panels,
  preview,
  catalog,
  timeline,
  status,
  gridRenderer,
  progressRenderer,
  planRenderer
];

export default plugins;
