import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, Notification } from '@jupyterlab/apputils';
import type { CodeEditor } from '@jupyterlab/codeeditor';
import { EditorExtensionRegistry, IEditorExtensionRegistry, IEditorLanguageRegistry } from '@jupyterlab/codemirror';
import { ICompletionProviderManager } from '@jupyterlab/completer';
import type { DocumentRegistry } from '@jupyterlab/docregistry';
import { IEditorTracker } from '@jupyterlab/fileeditor';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';

import { LumaError } from '../api';
import { lumaIcon } from '../icons';
import { ISessions, ISettings } from '../tokens';
import { checking } from './checking';
import { ServerCompletion } from './completing';
import { editing, type Equipment } from './editing';
import { formatNotebook, formatOrTell, formats } from './formatting';
import { hovering } from './hovering';
import { MIME } from './piece';
import { Places } from './places';
import { kadeqlSupport } from './tokenizer';

/** KadeQL in cells and files: its colours, checks and documentation. */
const editor: JupyterFrontEndPlugin<void> = {
  id: 'luma-bench-lab:editor',
  autoStart: true,
  requires: [IEditorLanguageRegistry, IEditorExtensionRegistry, IRenderMimeRegistry, ISessions, ISettings],
  activate: (
    app: JupyterFrontEnd,
    languages: IEditorLanguageRegistry,
    extensions: IEditorExtensionRegistry,
    rendermime: IRenderMimeRegistry,
    sessions: ISessions,
    settings: ISettings
  ) => {
    languages.addLanguage({
      name: 'kadeql',
      displayName: 'KadeQL',
      mime: MIME,
      extensions: ['kql', 'kadeql'],
      support: kadeqlSupport()
    });
    app.docRegistry.addFileType({
      name: 'kadeql',
      displayName: 'KadeQL',
      extensions: ['.kql', '.kadeql'],
      mimeTypes: [MIME],
      icon: lumaIcon
    });
    const places = new Places(sessions);
    const python = languages.getLanguage('python');
    let loaded: Awaited<typeof python> = null;
    const equipment: Equipment = {
      tools: model => [checking(model, places, settings), hovering(model, places, settings, rendermime)],
      python: () => loaded?.support ?? null,
      loaded: python.then(language => {
        loaded = language;
      })
    };
    extensions.addExtension({
      name: 'luma-bench:kadeql',
      factory: ({ model }) => EditorExtensionRegistry.createImmutableExtension(editing(model, equipment))
    });
  }
};

/** Completion while the kernel is busy. */
const completion: JupyterFrontEndPlugin<void> = {
  id: 'luma-bench-lab:completion',
  autoStart: true,
  requires: [ICompletionProviderManager, ISessions],
  activate: (_app: JupyterFrontEnd, manager: ICompletionProviderManager, sessions: ISessions) => {
    manager.registerProvider(new ServerCompletion(new Places(sessions)));
  }
};

const FORMAT = 'luma-bench:format';
const FORMAT_ALL = 'luma-bench:format-notebook';

/** Commands that format KadeQL, and formatting on save. */
const formatter: JupyterFrontEndPlugin<void> = {
  id: 'luma-bench-lab:formatter',
  autoStart: true,
  requires: [INotebookTracker, ISettings],
  optional: [IEditorTracker, ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    notebooks: INotebookTracker,
    settings: ISettings,
    files: IEditorTracker | null,
    palette: ICommandPalette | null
  ) => {
    const current = (): CodeEditor.IModel | null => {
      const widget = app.shell.currentWidget;
      if (widget && widget === files?.currentWidget) {
        return files.currentWidget.content.model;
      }
      return widget === notebooks.currentWidget ? (notebooks.activeCell?.model ?? null) : null;
    };
    app.commands.addCommand(FORMAT, {
      label: 'Luma: Format KadeQL',
      caption: 'Lay out the KadeQL of the current cell or file.',
      icon: lumaIcon,
      isEnabled: () => formats(current()),
      describedBy: { args: { type: 'object', properties: {} } },
      execute: async () => {
        const model = current();
        return model ? formatOrTell(model) : false;
      }
    });
    app.commands.addCommand(FORMAT_ALL, {
      label: 'Luma: Format All KadeQL Cells',
      caption: 'Lay out the KadeQL of every cell of the notebook.',
      isEnabled: () => notebooks.currentWidget !== null,
      describedBy: { args: { type: 'object', properties: {} } },
      execute: async () => {
        if (notebooks.currentWidget) {
          await formatAndTell(notebooks.currentWidget);
        }
      }
    });
    for (const command of [FORMAT, FORMAT_ALL]) {
      palette?.addItem({ command, category: 'Luma Bench' });
    }
    app.commands.commandExecuted.connect((_, { id, result }) => {
      if (id === 'docmanager:save' && settings.formatOnSave) {
        const widget = app.shell.currentWidget;
        if (widget && widget === notebooks.currentWidget) {
          const panel = notebooks.currentWidget;
          void onceSaved(panel.context, result, async () => (await formatNotebook(panel)).changed > 0);
        } else if (widget && widget === files?.currentWidget) {
          const { content, context } = files.currentWidget;
          void onceSaved(context, result, async () => formatOrTell(content.model));
        }
      }
    });
  }
};

async function formatAndTell(panel: NotebookPanel): Promise<void> {
  try {
    const { changed, failed } = await formatNotebook(panel);
    const cells = (count: number): string => `${count} ${count === 1 ? 'cell' : 'cells'}`;
    const left = failed ? ` ${cells(failed)} cannot be read and ${failed === 1 ? 'stays' : 'stay'} as written.` : '';
    Notification.info(`Formatted ${cells(changed)}.${left}`, { autoClose: 4000 });
  } catch (error) {
    if (!(error instanceof LumaError)) {
      throw error;
    }
    Notification.warning(`Not formatted: ${error.message} ${error.hint}`, { autoClose: 8000 });
  }
}

/**
 * Format after a save that a person asked for, and save once more where that changed something: JupyterLab does not wait
 * for anybody before it writes a file.
 */
async function onceSaved(
  context: DocumentRegistry.Context,
  saved: Promise<unknown>,
  formatted: () => Promise<boolean>
): Promise<void> {
  await saved;
  if (!context.isDisposed && (await formatted()) && !context.isDisposed) {
    await context.save();
  }
}

export default [editor, completion, formatter];
