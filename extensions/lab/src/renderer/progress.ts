import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';

import type { Session } from '../session';
import { ISessions } from '../tokens';
import { PROGRESS_TYPE, ProgressOutput } from './progressline';

const RANK = 30;

const plugin: JupyterFrontEndPlugin<void> = {
  id: 'luma-bench-lab:progress-renderer',
  autoStart: true,
  requires: [ISessions],
  activate: (_app: JupyterFrontEnd, sessions: ISessions) => {
    const serve = (session: Session): void => {
      session.panel.content.rendermime.addFactory(
        { safe: true, mimeTypes: [PROGRESS_TYPE], createRenderer: () => new ProgressOutput(session) },
        RANK
      );
    };
    sessions.all().forEach(serve);
    sessions.added.connect((_, session) => serve(session));
  }
};

export default plugin;
