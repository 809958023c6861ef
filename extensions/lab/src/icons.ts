import { LabIcon } from '@jupyterlab/ui-components';

/** Luma Bench's sign, in the colours of the theme. */
export const lumaIcon = new LabIcon({
  name: 'luma-bench:icon',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16" viewBox="0 0 64 64">
  <g class="jp-icon3" fill="none" stroke="#616161" stroke-width="6" stroke-linecap="round" stroke-linejoin="round">
    <path class="luma-icon-line" d="M16 10v44M48 10 18 32l30 22"/>
  </g>
  <g class="jp-icon3" fill="#616161"><circle cx="16" cy="32" r="7"/><circle cx="48" cy="10" r="7"/><circle cx="48" cy="54" r="7"/></g>
</svg>`
});
