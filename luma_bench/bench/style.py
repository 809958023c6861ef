"""The style of HTML results: every rule is under one class, and every colour comes from the page's theme.

JupyterLab and nbconvert define the `--jp-…` variables; elsewhere text keeps the page's colour and lines are
translucent grey, which stands out on light and on dark pages alike.
"""

STYLE = """<style>
.luma-result{--luma-line:var(--jp-border-color2,rgba(128,128,128,.35));--luma-faint:var(--jp-layout-color2,rgba(128,128,128,.12));
--luma-soft:var(--jp-ui-font-color2,inherit);--luma-brand:var(--jp-brand-color1,#2f7ed8);
font-family:var(--jp-ui-font-family,system-ui,sans-serif);font-size:13px;line-height:1.4;color:var(--jp-ui-font-color1,inherit);max-width:100%}
.luma-result .luma-scroll{overflow-x:auto;max-width:100%}
.luma-result table.luma-table{border-collapse:collapse;border:none;margin:2px 0 0;width:auto;table-layout:auto;font-size:12.5px;color:inherit}
.luma-result .luma-table th,.luma-result .luma-table td{border:none;padding:3px 12px;white-space:pre;vertical-align:baseline;max-width:none;background:none;font-variant-numeric:tabular-nums;color:inherit}
.luma-result .luma-table thead tr{border-bottom:1px solid var(--luma-line);background:none}
.luma-result .luma-table th{font-weight:600;padding-bottom:4px}
.luma-result .luma-table th small{display:block;font-weight:400;font-size:11px;opacity:.62}
.luma-result .luma-table tbody tr{background:none}
.luma-result .luma-table tbody tr:nth-child(even){background:var(--luma-faint)}
.luma-result .luma-table tbody tr:hover{background:var(--jp-rendermime-table-row-hover-background,rgba(128,160,220,.22))}
.luma-result .luma-right{text-align:right!important}.luma-result .luma-left{text-align:left!important}
.luma-result .luma-null{font-size:11px;letter-spacing:.04em;opacity:.5;font-style:italic}
.luma-result .luma-gap,.luma-result .luma-none{text-align:center!important;opacity:.6}
.luma-result .luma-size{margin-top:5px;font-size:12px;color:var(--luma-soft)}
.luma-result .luma-badge{margin-top:3px;font-size:12px;color:var(--luma-soft)}
.luma-result .luma-engine{display:inline-block;padding:0 7px;border-radius:9px;font-weight:600;font-size:11px;line-height:17px;border:1px solid var(--luma-brand);color:var(--luma-brand)}
.luma-result .luma-caution{margin-top:4px;padding:2px 10px;border-left:3px solid var(--jp-warn-color1,#d9822b);background:var(--luma-faint);font-size:12px}
.luma-result .luma-part{white-space:nowrap}
.luma-result .luma-badge code{background:var(--luma-faint);color:inherit;padding:1px 6px;border-radius:3px}
.luma-result .luma-plan{margin:2px 0;padding:0;font-family:var(--jp-code-font-family,ui-monospace,monospace);font-size:12px;line-height:1.3;overflow-x:auto;white-space:pre!important;word-break:normal!important;background:none;color:inherit}
.luma-result .luma-facts{display:grid;grid-template-columns:max-content auto;gap:1px 16px;margin:4px 0;font-size:12.5px}
.luma-result .luma-facts>:nth-child(odd){color:var(--luma-soft)}
.luma-result .luma-heading{margin-top:8px;font-weight:600;font-size:12px}
</style>"""
