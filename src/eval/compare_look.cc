#include "eval/compare_parts.h"

namespace signet::eval {

// Beside style_sheet(): what a page of comparisons has more.
const char* compare_style() noexcept {
  return R"css(
header,main{max-width:78rem}
h3{font:600 1.15rem/1.3 var(--serif);margin:2rem 0 .3rem}
nav ul{list-style:none;display:flex;flex-wrap:wrap;gap:.3rem 1.4rem;margin:1rem 0 0;padding:0}
a{color:var(--accent)}
.claims{margin:1rem 0;padding:0;list-style:none;max-width:52rem}
.claims li{border-left:3px solid var(--accent);padding:.1rem 0 .1rem .8rem;margin:.55rem 0;overflow-wrap:anywhere}
.sortable{font-size:.9rem}
.sortable td,.sortable th{padding-right:.95rem}
.sortable td small,.sortable tbody th small{display:block;color:var(--soft);font-size:.78rem;line-height:1.35;white-space:normal;min-width:8rem;font-weight:400}
.sortable tbody th{font-weight:600}
.sortable .num small{min-width:0}
.sortable thead th{vertical-align:bottom}
.sortable thead button{all:unset;position:relative;cursor:pointer;color:inherit;font:inherit;line-height:1.3}
.sortable thead button:focus-visible,.wide:focus-visible,summary:focus-visible,a:focus-visible{outline:2px solid var(--accent);outline-offset:3px}
.sortable thead button::after{position:absolute;right:-.72rem;bottom:0;width:.6rem;text-align:center;font-size:.7rem}
.sortable thead [aria-sort=ascending] button::after{content:"▲";content:"▲"/""}
.sortable thead [aria-sort=descending] button::after{content:"▼";content:"▼"/""}
.sortable thead [aria-sort] button{color:var(--ink)}
.sortable tr.this th,.sortable tr.this td{background:var(--band)}
.sortable tr.published th{font-weight:400}
.better{color:var(--right)}.worse{color:var(--wrong)}.open,.soft{color:var(--soft)}
.wide+.wide,.said+.wide{margin-top:2rem}
.figures+.remark{margin-top:1rem}
.said{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.example{display:grid;grid-template-columns:6rem 1fr;gap:1.2rem;align-items:start;border-top:1px solid var(--rule);padding:1rem 0}
.example img,.no-picture{display:block;width:100%;aspect-ratio:1;object-fit:contain;background:var(--band)}
.example dl{margin:0;display:grid;grid-template-columns:minmax(6rem,max-content) 1fr;gap:.5rem 1rem;align-items:center}
.example dt{font-size:.88rem;overflow-wrap:anywhere;max-width:12rem}
.example dd{margin:0}
.hits{list-style:none;margin:0;padding:0;display:grid;grid-template-columns:repeat(auto-fill,3.2rem);gap:.5rem}
.hits li{font-size:.74rem;line-height:1.3;text-align:center}
.hits li>:first-child{border-bottom:3px solid var(--right)}
.hits .wrong>:first-child{border-bottom:3px dashed var(--wrong)}
.hits .wrong span{color:var(--wrong)}.hits .right span{color:var(--right)}
.hits .no-picture{height:3.2rem}
@media(max-width:46rem){.example{grid-template-columns:1fr;gap:.5rem}.example .query{display:flex;gap:.8rem;align-items:end}.example .query>:first-child{width:5rem}
.example dl{grid-template-columns:1fr;gap:.2rem}.example dt{font-weight:600;margin-top:.4rem}.hits{grid-template-columns:repeat(auto-fill,2.8rem)}.hits .no-picture{height:2.8rem}
.sortable tbody th{position:sticky;left:0;background:var(--paper);min-width:6.3rem;max-width:9rem;overflow-wrap:break-word}.sortable tr.this th{background:var(--band)}}
@media print{@page{size:landscape;margin:12mm}.wide{overflow:visible}.sortable{font-size:7.5pt}.sortable td,.sortable th{padding:.25rem .5rem .25rem 0}.sortable td small,.sortable tbody th small{font-size:6.5pt;min-width:0}.sortable thead th{font-size:7pt}.sortable caption{font-size:8.5pt}
nav{display:none}.example{break-inside:avoid}h2,h3{break-after:avoid}header,main{max-width:none;padding:0}summary{color:inherit}a{color:inherit}}
)css";
}

// Sorting, and nothing else: heads of tables become buttons, so that the page is whole where scripts do not run. Rows without a
// value come last in either direction; equal rows keep their order.
const char* compare_script() noexcept {
  return R"js(
'use strict';
for (const table of document.querySelectorAll('table.sortable')) {
  const heads = [...table.tHead.rows[0].cells], body = table.tBodies[0];
  const said = table.parentElement.insertAdjacentElement('afterend', document.createElement('p'));
  said.className = 'said';
  said.setAttribute('role', 'status');
  heads.forEach((head, column) => {
    const name = head.textContent, number = head.classList.contains('num');
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = name;
    head.replaceChildren(button);
    button.addEventListener('click', () => {
      const before = head.getAttribute('aria-sort');
      const up = before ? before === 'descending' : !number;
      const value = (row) => row.cells[column].dataset.value;
      const sign = up ? 1 : -1;
      const rows = [...body.rows].sort((a, b) => {
        const x = value(a), y = value(b);
        if (x === '' || y === '') return (x === '') - (y === '');
        return sign * (number ? x - y : x.localeCompare(y, 'en'));
      });
      for (const other of heads) other.removeAttribute('aria-sort');
      head.setAttribute('aria-sort', up ? 'ascending' : 'descending');
      body.append(...rows);
      said.textContent = `Sorted by ${name}, ${up ? 'ascending' : 'descending'}`;
    });
  });
}
let opened = [];
addEventListener('beforeprint', () => {
  opened = [...document.querySelectorAll('details:not([open])')];
  for (const part of opened) part.open = true;
});
addEventListener('afterprint', () => {
  for (const part of opened) part.open = false;
});
)js";
}

}  // namespace signet::eval
