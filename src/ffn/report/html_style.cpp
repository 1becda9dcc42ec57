#include "ffn/report/html_style.h"

#include "ffn/report/plot_style.h"

namespace ffn::inline v0 {
namespace {

// Colours are plot_css()'s variables, so that pictures and page change their dress together.
constexpr const char* kPage = R"css(
:root{color-scheme:light dark;--card:#f5f7f9;--accent:#0a6b3d;--accent-ground:#e8f5ee;--warn:#7a4d00;--warn-ground:#fdf3dd}
@media screen and (prefers-color-scheme:dark){:root{--card:#1d2126;--accent:#5fd699;--accent-ground:#15291f;--warn:#f2c46d;--warn-ground:#2c2414}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,'Segoe UI','Liberation Sans',Arial,sans-serif}
main{max-width:1120px;margin:0 auto;padding:28px 24px 64px}
h1{font-size:1.75rem;line-height:1.25;margin:0 0 12px;text-wrap:balance}
h2{font-size:1.3rem;line-height:1.3;margin:44px 0 12px;padding-top:14px;border-top:1px solid var(--grid)}
h3{font-size:1.05rem;margin:28px 0 8px}
p{max-width:72ch;margin:0 0 12px}
h1,h2,h3,p,dd,li,figcaption{overflow-wrap:anywhere}
td,th{overflow-wrap:break-word}
.badge{display:flex;flex-wrap:wrap;gap:4px 12px;align-items:baseline;margin:0 0 18px;padding:8px 14px;border-radius:8px;background:var(--warn-ground);color:var(--ink);font-size:.95rem}
.badge b{color:var(--warn);text-transform:uppercase;letter-spacing:.05em;font-size:.82rem;white-space:nowrap}
.badge span{flex:1 1 300px}
.verdict{margin:0 0 20px;padding:18px 22px;border-left:6px solid var(--accent);border-radius:8px;background:var(--accent-ground)}
.verdict p{max-width:none;margin:0}
.verdict p:first-child{font-size:1.3rem;line-height:1.4;font-weight:600}
.verdict p+p{margin-top:8px;font-size:.95rem}
dl{display:grid;grid-template-columns:fit-content(17em) 1fr;gap:4px 20px;margin:0 0 14px}
dt{color:var(--muted)}
dd{margin:0;min-width:0;max-width:90ch}
ul{margin:0 0 14px;padding-left:22px;max-width:76ch}
li{margin:4px 0}
pre{margin:0 0 14px;padding:12px 14px;border-radius:8px;background:var(--card);overflow-x:auto;font:.85rem/1.5 ui-monospace,'Liberation Mono',monospace;white-space:pre-wrap;overflow-wrap:anywhere}
.table{overflow-x:auto;margin:0 0 16px;border:1px solid var(--grid);border-radius:8px}
table{border-collapse:collapse;width:100%;font-size:.92rem;font-variant-numeric:tabular-nums}
th,td{padding:7px 12px;text-align:left;vertical-align:top}
th{font-weight:600;color:var(--muted);vertical-align:bottom;border-bottom:1px solid var(--grid);line-height:1.3}
tbody tr+tr>*{border-top:1px solid var(--grid)}
tbody th{color:var(--ink);vertical-align:top;border-bottom:0;min-width:14em}
.sentences tbody th{font-weight:400;min-width:22em}
.n{text-align:right}
td.n{white-space:nowrap}
td.long{white-space:normal}
td small,th small{display:block;color:var(--muted);font-weight:400;font-size:.86em}
.marked>*{background:var(--accent-ground)}
.mark{display:inline-block;margin-left:4px;padding:0 8px;border-radius:9px;border:1px solid var(--accent);color:var(--accent);font-size:.78rem;font-weight:600;white-space:nowrap}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,440px),1fr));gap:20px;margin:0 0 16px;align-items:start}
figure{margin:0;padding:8px 10px 12px;border:1px solid var(--grid);border-radius:8px;break-inside:avoid;max-width:680px;min-width:0}
figure svg{display:block;width:100%;height:auto}
figcaption{padding:6px 8px 0;color:var(--muted);font-size:.92rem}
.wide{max-width:none;margin-bottom:20px;display:grid;grid-template-columns:minmax(0,620px) minmax(0,1fr);gap:8px 28px;align-items:center}
@media (max-width:860px){.wide{grid-template-columns:1fr}}
@media screen and (max-width:640px){
main{padding:18px 14px 48px}
h1{font-size:1.4rem}
.verdict{padding:14px 16px}
.verdict p:first-child{font-size:1.12rem}
dl{grid-template-columns:1fr;gap:0}
dd{margin-bottom:8px}
figure{padding:4px 2px 10px}
tbody th,.sentences tbody th{min-width:7em}
.cards thead{display:none}
.cards table,.cards tbody{display:block}
.cards tr{display:grid;grid-template-columns:1fr 1fr;gap:6px 14px;padding:10px 12px}
.cards tbody tr+tr{border-top:1px solid var(--grid)}
.cards tbody tr+tr>*{border-top:0}
.cards .marked{background:var(--accent-ground)}
.cards .marked>*{background:none}
.cards th,.cards td,.cards td.n{display:block;min-width:0;padding:0;text-align:left;white-space:normal}
.cards tbody th,.cards td.long{grid-column:1/-1}
.cards td:empty{display:none}
.cards td::before{content:attr(data-label);display:block;color:var(--muted);font-size:.82rem}
}
@media print{
body{font-size:11pt}
main{max-width:none;padding:0}
h2,h3{break-after:avoid}
.table,pre{overflow:visible}
table{font-size:8pt}
th,td{padding:3px 5px}
tr,.verdict,.badge{break-inside:avoid}
.figures{grid-template-columns:1fr 1fr}
*{-webkit-print-color-adjust:exact;print-color-adjust:exact}
}
)css";

}  // namespace

std::string html_css() { return plot_css(SvgStyle::in_page) + kPage; }

}  // namespace ffn::inline v0
