import { Clipboard, Notification } from '@jupyterlab/apputils';

/** Put `text` onto the clipboard and say so; `what` it is. */
export function copy(text: string, what: string): void {
  Clipboard.copyToSystem(text);
  Notification.success(`Copied ${what}.`, { autoClose: 2000 });
}
