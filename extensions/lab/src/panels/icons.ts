import { LabIcon } from '@jupyterlab/ui-components';

const svg = (inside: string): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16" viewBox="0 0 16 16">${inside}</svg>`;
const fill = 'class="jp-icon3" fill="#616161"';
const line = 'class="jp-icon3-stroke luma-icon-line" fill="none" stroke="#616161" stroke-width="1.3"';

export const tableIcon = new LabIcon({
  name: 'luma-bench:table',
  svgstr: svg(`<path ${line} d="M2.500 3.500h11v9h-11zM2.500 6.500h11M6.500 3.500v9"/>`)
});

export const viewIcon = new LabIcon({
  name: 'luma-bench:view',
  svgstr: svg(`<path ${line} stroke-dasharray="2 1.2" d="M2.500 3.500h11v9h-11z"/><path ${line} d="M2.500 6.500h11M6.500 3.500v9"/>`)
});

export const graphIcon = new LabIcon({
  name: 'luma-bench:graph',
  svgstr: svg(
    `<path ${line} d="M4.500 5l6.500 1.500M4.500 5.500l3 6M11 7.500L8.500 11.500"/>` +
      `<circle ${fill} cx="4" cy="4.500" r="1.900"/><circle ${fill} cx="12" cy="6.700" r="1.900"/><circle ${fill} cx="8" cy="12.300" r="1.900"/>`
  )
});

export const seriesIcon = new LabIcon({
  name: 'luma-bench:series',
  svgstr: svg(`<path ${line} d="M2.500 2.500v11h11M4.500 10.500l2.500-4 2.500 2.500 3.500-5.500"/>`)
});

export const keyIcon = new LabIcon({
  name: 'luma-bench:key',
  svgstr: svg(`<circle ${line} cx="5" cy="8" r="2.500"/><path ${line} d="M7.500 8h6v2.500M11 8v2"/>`)
});

export const pinIcon = new LabIcon({
  name: 'luma-bench:pin',
  svgstr: svg(`<path ${line} d="M6 2.500h4l-.7 4 2.200 2.500h-7l2.200-2.500zM8 9v5"/>`)
});
