#include "eval/html_parts.h"

namespace signet::eval {

// Colours are variables, once for light and once for dark. The six series differ in colour (after Okabe and Ito, safe for
// colour-blind readers) and in dash, so that they survive a grey printer.
const char* style_sheet() noexcept {  // NOLINT(readability-function-size): one text
  return R"css(
:root{--paper:#fbfaf8;--card:#fff;--ink:#1d1c1a;--soft:#6a665f;--rule:#e2ded6;--accent:#0b5c8a;--right:#00694b;--wrong:#a8390a;--band:#f3f0ea;
--c0:#0b5c8a;--c1:#b5540a;--c2:#00694b;--c3:#8a3b74;--c4:#5c5a55;--c5:#8a6d00;
--serif:Charter,"Bitstream Charter","Sitka Text",Cambria,"Noto Serif","Liberation Serif",Georgia,serif;
--sans:system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue","Noto Sans","Liberation Sans",Arial,sans-serif}
@media(prefers-color-scheme:dark){:root{--paper:#15171a;--card:#1c1f23;--ink:#ebe8e2;--soft:#a29d94;--rule:#33373c;--accent:#7fc1ec;--right:#57cfa5;
--wrong:#f59a6b;--band:#1f2226;--c0:#7fc1ec;--c1:#f2a35e;--c2:#57cfa5;--c3:#dba0cb;--c4:#b4b0a8;--c5:#e0c65a}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 var(--sans);font-variant-numeric:lining-nums tabular-nums}
header,main{max-width:66rem;margin:0 auto;padding:0 1.5rem}
header{padding-top:3rem}
.kicker{margin:0;color:var(--soft);font-size:.85rem}
h1{font:600 2.1rem/1.15 var(--serif);margin:.25rem 0 .4rem;letter-spacing:-.01em;overflow-wrap:anywhere}
.lede{margin:0;color:var(--soft);overflow-wrap:anywhere}
section{border-top:1px solid var(--rule);margin-top:2.75rem;padding-top:1.5rem}
section.first{margin-top:1.75rem}
h2{font:600 1.45rem/1.25 var(--serif);margin:0 0 .35rem}
h2 span{color:var(--soft);font-weight:400;margin-right:.25em}
p{margin:.5rem 0;max-width:44rem}
b{font-weight:600}
.remark{color:var(--soft);margin-top:0}
.duo{display:grid;grid-template-columns:minmax(15rem,2fr) 3fr;gap:1rem 3rem;align-items:center;margin:1.25rem 0 1rem}
.value{font:600 3.6rem/1 var(--serif);letter-spacing:-.03em;color:var(--accent);margin:0}
.first .value{font-size:clamp(4.2rem,11vw,6.8rem)}
.what{margin:.6rem 0 0;line-height:1.45}
.ties{color:var(--soft);font-size:.9rem}
table{border-collapse:collapse;width:100%;font-size:.95rem}
caption{text-align:left;color:var(--soft);font-size:.9rem;padding:0 0 .4rem}
th,td{padding:.45rem .9rem .45rem 0;border-top:1px solid var(--rule);text-align:left;vertical-align:baseline;font-weight:400}
thead th{border-top:0;color:var(--soft);font-size:.82rem;padding-bottom:.25rem;vertical-align:bottom}
.num{text-align:right;white-space:nowrap}
th:last-child,td:last-child{padding-right:0}
.wide{overflow-x:auto;margin:1.25rem 0 0}
.bounds small{display:block;color:var(--soft);font-size:.8rem;line-height:1.35}
.bounds .this th,.bounds .this .num{font-weight:600;color:var(--accent)}
.bounds .this small{font-weight:400}
.bounds tbody .num{font-size:1.05rem}
.bounds td{vertical-align:top}
.bounds .scale{width:42%;padding-left:.4rem}
.bounds .scale span:last-child{float:right}
.track-cell{padding-left:.4rem}
.track{position:relative;height:1.6rem;margin:0 .3rem}
.track::before{content:"";position:absolute;left:0;right:0;top:.8rem;border-top:1px solid var(--rule)}
.track .spot{position:absolute;top:.8rem;width:.72rem;height:.72rem;margin:-.36rem 0 0 -.36rem;border-radius:50%;background:var(--soft)}
.this .spot{background:var(--accent);width:.95rem;height:.95rem;margin:-.475rem 0 0 -.475rem}
.track .range{position:absolute;top:.8rem;height:.36rem;margin-top:-.18rem;min-width:2px;border-radius:.2rem;background:var(--accent);opacity:.35}
.words{columns:2 19rem;column-gap:3rem}
.words p{margin:0 0 .6rem;break-inside:avoid}
.tiles{display:grid;grid-template-columns:repeat(4,1fr);gap:1.1rem 2rem;margin:1.25rem 0 0;padding-top:1rem;border-top:1px solid var(--rule)}
.tiles div{display:flex;flex-direction:column}
.tiles dd{margin:0;font:600 1.35rem/1.2 var(--serif)}
.tiles dt{color:var(--soft);font-size:.82rem;line-height:1.35}
.note{border-left:3px solid var(--wrong);padding-left:.8rem;overflow-wrap:anywhere}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,25rem),1fr));gap:1.5rem 2.5rem;margin-top:1rem;align-items:start}
figure{margin:0;min-width:0}
figcaption{font-size:.92rem;color:var(--soft);margin-bottom:.4rem}
figcaption b{color:var(--ink)}
svg{display:block;width:100%;height:auto;max-width:36rem;overflow:visible}
svg text{font:11.5px var(--sans);fill:var(--soft)}
svg .mid{text-anchor:middle}
svg .end{text-anchor:end}
svg .mark{fill:var(--ink)}
svg .label{fill:var(--ink)}
.grid{stroke:var(--rule);stroke-width:1}
.axis{stroke:var(--soft);stroke-width:1}
.band{fill:none}
.band.even{fill:var(--band)}
.line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}
.dot{stroke:var(--paper);stroke-width:1}
.bar{fill:var(--c0)}
.line.s0{stroke:var(--c0)}.line.s1{stroke:var(--c1);stroke-dasharray:7 4}.line.s2{stroke:var(--c2)}.line.s3{stroke:var(--c3);stroke-dasharray:2 4}
.line.s4{stroke:var(--c4);stroke-dasharray:9 3 2 3}.line.s5{stroke:var(--c5);stroke-dasharray:4 3}
.dot.s0{fill:var(--c0)}.dot.s1{fill:var(--c1)}.dot.s2{fill:var(--c2)}.dot.s3{fill:var(--c3)}.dot.s4{fill:var(--c4)}.dot.s5{fill:var(--c5)}
.line.alt{stroke-width:5;stroke-opacity:.45;stroke-linecap:butt}
.dot.alt{fill:var(--paper);stroke-width:1.8}
.dot.s0.alt{stroke:var(--c0)}.dot.s1.alt{stroke:var(--c1)}.dot.s2.alt{stroke:var(--c2)}.dot.s3.alt{stroke:var(--c3)}.dot.s4.alt{stroke:var(--c4)}.dot.s5.alt{stroke:var(--c5)}
rect.pos{fill:var(--c0)}rect.neg{fill:var(--c1)}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:.3rem 1.2rem;margin:.5rem 0 0;padding:0;font-size:.85rem;color:var(--soft)}
.legend li{display:flex;align-items:center;gap:.45rem}
.legend svg{width:1.9rem}
.swatch{width:.8rem;height:.8rem;display:inline-block}
.swatch.pos{background:var(--c0)}.swatch.neg{background:var(--c1)}
.gallery{display:grid;gap:1.1rem;margin-top:1.2rem}
.row{display:grid;grid-template-columns:7.5rem 1fr;gap:1.25rem;align-items:start}
.row ol{list-style:none;margin:0;padding:0;display:grid;grid-template-columns:repeat(auto-fill,minmax(4.6rem,1fr));gap:.8rem .7rem}
.row img{display:block;width:100%;aspect-ratio:1;object-fit:contain;background:var(--band)}
.pixels{image-rendering:pixelated}
.row li{font-size:.76rem;line-height:1.3;min-width:0}
.row li img{border-bottom:4px solid var(--right)}
.row .wrong img{border-bottom:4px dashed var(--wrong)}
.row .query{font-size:.8rem;line-height:1.3}
.query figcaption{margin:.3rem 0 0;font-size:inherit}
.verdict,.label,.distance{display:block;overflow-wrap:anywhere}
.verdict{margin-top:.3rem}
.right .verdict,.key.right{color:var(--right)}
.wrong .verdict,.key.wrong{color:var(--wrong);font-weight:600}
.key{white-space:nowrap}
.query .label{color:var(--ink);font-weight:600}
.distance{color:var(--soft)}
details{margin-top:1.2rem}
summary{cursor:pointer;color:var(--accent)}
summary:focus-visible{outline:2px solid var(--accent);outline-offset:3px}
pre{white-space:pre-wrap;overflow-wrap:anywhere;font-size:.82rem;background:var(--band);padding:1rem}
.radii{margin:0}
.radii th,.radii td{padding-top:.3rem;padding-bottom:.3rem}
.provenance th{width:15rem;color:var(--soft)}
.provenance td{overflow-wrap:anywhere}
.provenance caption{color:var(--ink);font-weight:600}
main{padding-bottom:4rem}
@media(max-width:46rem){header{padding-top:1.5rem}header,main{padding-left:1rem;padding-right:1rem}.duo{grid-template-columns:1fr;gap:1.25rem}
h1{font-size:1.7rem}.tiles{grid-template-columns:1fr 1fr}.row{grid-template-columns:1fr;gap:.6rem}.query{display:flex;gap:.8rem;align-items:end}.query img{width:6rem}
.row ol{grid-template-columns:repeat(auto-fill,minmax(4.2rem,1fr))}svg text{font-size:13.5px}.provenance th{width:8.5rem}}
@media print{:root{--paper:#fff;--ink:#000;--soft:#444;--rule:#ccc}body{font-size:10.5pt}header{padding-top:0}section,.row,figure,tr{break-inside:avoid}
section{margin-top:1.5rem}.curves{break-before:auto}*{-webkit-print-color-adjust:exact;print-color-adjust:exact}}
)css";
}

}  // namespace signet::eval
