import { InputDialog, Notification, showErrorMessage } from '@jupyterlab/apputils';
import type { CommandRegistry } from '@lumino/commands';

import { LumaError } from '../api';
import { benchOf } from '../panels/choice';
import { cell, openingCell } from '../panels/code';
import { insertCells, isKadeQL, runInKernel } from '../panels/notebook';
import { NO_ARGUMENTS } from '../panels/plugin';
import type { SnapshotEntry } from '../panels/server';
import { Commands, type IPanels } from '../panels/tokens';
import type { TimelineModel } from './model';
import type { Moment } from './nodes';
import type { TimelineSection } from './section';
import { cellAt, difference, tagLine, tagProblem } from './snippets';

/** The commands of the timeline's menu; each is about the active row. */
export function addTimelineCommands(
  commands: CommandRegistry,
  section: TimelineSection,
  model: TimelineModel,
  panels: IPanels
): void {
  const { choice } = panels;
  const snapshot = (): SnapshotEntry | null => {
    const moment = section.selected;
    return moment && moment.kind !== 'more' ? moment.snapshot : null;
  };
  const insert = (source: string | null): void => {
    const { notebook, bench } = choice;
    if (source === null || bench === null) {
      return;
    }
    const opening = notebook && benchOf(notebook) === bench ? [] : [openingCell(bench, notebook !== null && isKadeQL(notebook))];
    if (!(notebook && insertCells(notebook, [...opening, source]))) {
      Notification.warning('There is no notebook to write into: open one.', { autoClose: 5000 });
    }
  };
  const before = (moment: Moment | null): number | null => {
    const ids = model.snapshots.map(entry => entry.id);
    return moment && moment.kind !== 'more' ? (ids[ids.indexOf(moment.snapshot.id) + 1] ?? null) : null;
  };
  const changes = (): string | null => section.selected && difference(section.selected, before(section.selected));
  const isKadeQLNotebook = (): boolean => choice.notebook !== null && isKadeQL(choice.notebook);

  commands.addCommand(Commands.lookAt, {
    label: 'Look at This Snapshot',
    caption: 'Catalog and previews show the bench as it was then',
    isEnabled: () => snapshot() !== null,
    describedBy: NO_ARGUMENTS,
    execute: () => lookAt(section.selected, model, panels)
  });
  commands.addCommand(Commands.insertAt, {
    label: 'Insert a Cell at This Snapshot',
    isEnabled: () => snapshot() !== null,
    describedBy: NO_ARGUMENTS,
    execute: () => insert(section.selected && cellAt(section.selected, isKadeQLNotebook()))
  });
  commands.addCommand(Commands.insertDifference, {
    label: 'Insert a Cell with the Rows It Changed',
    isEnabled: () => changes() !== null,
    isVisible: () => changes() !== null,
    describedBy: NO_ARGUMENTS,
    execute: () => {
      const statement = changes();
      insert(statement === null ? null : cell(statement, isKadeQLNotebook(), null));
    }
  });
  commands.addCommand(Commands.tag, {
    label: 'Tag This Snapshot …',
    isEnabled: () => snapshot() !== null,
    describedBy: NO_ARGUMENTS,
    execute: async () => {
      const chosen = snapshot();
      if (chosen) {
        await tag(chosen, panels);
      }
    }
  });
  commands.addCommand(Commands.showTimeline, {
    label: 'Show the Snapshots',
    caption: 'Who changed what when',
    describedBy: NO_ARGUMENTS,
    execute: () => {
      panels.show();
      section.focusSearch();
    }
  });
}

/** Show the catalog as it was at a row's snapshot; at the newest, as it is. */
export function lookAt(moment: Moment | null, model: TimelineModel, panels: IPanels): void {
  if (moment && moment.kind !== 'more') {
    const newest = model.snapshots[0]?.id;
    const id = moment.snapshot.id;
    panels.choice.look(id === newest && panels.choice.pinned === null ? null : id);
  }
}

/** Ask for a name and give it to a snapshot, through the notebook that has the bench open: the server only reads. */
async function tag(snapshot: SnapshotEntry, { choice }: IPanels): Promise<void> {
  const session = choice.session;
  const title = `Tag snapshot ${snapshot.id}`;
  if (session === null || session.state?.bench?.mode === 'r') {
    const hint = session ? 'Open it without --mode r.' : 'Open it in a notebook with %luma open.';
    await showErrorMessage(title, `A tag is written by a notebook that may write to the bench. ${hint}`);
    return;
  }
  const asked = await InputDialog.getText({ title, label: 'Name', placeholder: 'paper-v1', okLabel: 'Tag' });
  if (!asked.button.accept) {
    return;
  }
  const name = (asked.value ?? '').trim();
  const problem = tagProblem(name);
  try {
    if (problem !== null) {
      throw new LumaError(problem, 0);
    }
    await runInKernel(session, tagLine(name, snapshot));
  } catch (error) {
    await showErrorMessage(title, error instanceof Error ? error.message : String(error));
    return;
  }
  Notification.success(`Snapshot ${snapshot.id} is tagged ${name}.`, { autoClose: 3000 });
  await choice.refresh();
}
