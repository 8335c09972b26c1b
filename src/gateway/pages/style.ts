/** The pages' one stylesheet: served from its own address, so that no page may bring styles of its own. */
export const STYLE = `
:root { color-scheme: light dark; --ink: #1c2024; --dim: #5c656e; --paper: #fff; --box: #f4f6f8; --line: #d5dae0;
  --go: #14692e; --stop: #b3261e; --mark: #8a5a00; --link: #0b57a4; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ec; --dim: #a2abb4; --paper: #15181b; --box: #1f2428;
  --line: #3a4249; --go: #4cc26b; --stop: #ff8a80; --mark: #f0c060; --link: #84bdf5; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
header { display: flex; flex-wrap: wrap; gap: .25rem 1rem; align-items: center; justify-content: space-between;
  padding: .75rem 1rem; border-bottom: 1px solid var(--line); }
header form { display: flex; gap: .75rem; align-items: center; }
main:focus { outline: none; } .told { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
main { max-width: 56rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.35rem; margin: .5rem 0 1rem; overflow-wrap: anywhere; }
h2 { font-size: 1rem; margin: 1.5rem 0 .5rem; }
a { color: var(--link); }
.brand { font-weight: 700; color: var(--ink); text-decoration: none; }
.dim { color: var(--dim); }
.id, code { font-family: ui-monospace, monospace; font-size: .9em; overflow-wrap: anywhere; }
.state { display: inline-block; padding: .05rem .6rem; border-radius: 1rem; border: 1px solid currentColor;
  font-size: .85rem; font-weight: 600; }
.pending { color: var(--mark); } .approved { color: var(--go); }
.denied, .failed { color: var(--stop); } .expired, .cancelled { color: var(--dim); }
dl { display: grid; grid-template-columns: minmax(7rem, 11rem) 1fr; gap: .35rem 1rem; margin: 0; }
dt { color: var(--dim); } dd { margin: 0; overflow-wrap: anywhere; }
pre { margin: 0; padding: .75rem .75rem .75rem 0; background: var(--box); border: 1px solid var(--line); border-radius: .4rem;
  overflow-wrap: anywhere; white-space: normal; max-height: 60vh; overflow-y: auto; font: .9rem/1.45 ui-monospace, monospace; }
pre { counter-reset: line; } .line { display: block; position: relative; white-space: pre-wrap; padding-left: 3.2rem; min-height: 1.45em; }
.line::before { counter-increment: line; content: counter(line); position: absolute; left: 0; width: 2.4rem; text-align: right;
  color: var(--dim); }
table { border-collapse: collapse; width: 100%; } th, td { text-align: right; padding: .3rem .5rem; border-bottom: 1px solid var(--line);
  overflow-wrap: anywhere; } th:first-child, td:first-child { text-align: left; }
th { font-size: .85rem; overflow-wrap: normal; } dl + form { margin: 1rem 0; }
table.row { table-layout: fixed; margin-bottom: 1rem; } table.row td, table.row th { text-align: left; vertical-align: top; }
caption { text-align: left; font-weight: 600; padding: .3rem 0; } .changed { background: var(--box); }
tbody th { font-weight: 400; } .changed th { font-weight: 600; }
summary { cursor: pointer; padding: .6rem 0; }
.warning, .problem { margin: .75rem 0; }
.warning { border-left: .3rem solid var(--mark); padding: .25rem .75rem; background: var(--box); overflow-wrap: anywhere; }
.problem { border-left: .3rem solid var(--stop); padding: .5rem .75rem; background: var(--box); overflow-wrap: anywhere; }
ul.list { list-style: none; margin: 0; padding: 0; }
ul.list li { border: 1px solid var(--line); border-radius: .4rem; margin-bottom: .6rem; }
ul.list a { display: block; padding: .7rem .9rem; color: inherit; text-decoration: none; }
ul.list a:hover, ul.list a:focus-visible { background: var(--box); }
.head { display: flex; flex-wrap: wrap; gap: .25rem .75rem; justify-content: space-between; }
.text { font: .85rem/1.4 ui-monospace, monospace; overflow-wrap: anywhere; display: -webkit-box;
  -webkit-line-clamp: 3; -webkit-box-orient: vertical; overflow: hidden; margin-top: .3rem; }
.decide { display: grid; gap: 1rem; margin-top: 1rem; }
@media (min-width: 40rem) { .decide { grid-template-columns: 1fr 1fr; align-items: end; } }
label { display: block; margin-bottom: .35rem; }
input { width: 100%; font: inherit; padding: .6rem .7rem; color: inherit; background: var(--paper);
  border: 1px solid var(--dim); border-radius: .4rem; margin-bottom: .6rem; }
button, .button { display: inline-block; font: inherit; font-weight: 600; min-height: 2.9rem; padding: .6rem 1.2rem;
  border: 1px solid transparent; border-radius: .4rem; cursor: pointer; text-decoration: none; text-align: center; }
.decide button { width: 100%; }
.yes, .button { background: var(--go); color: var(--paper); }
.no { background: var(--stop); color: var(--paper); }
.plain { background: none; border-color: var(--dim); color: inherit; min-height: 2.2rem; padding: .2rem .8rem; }
:focus-visible { outline: .2rem solid var(--link); outline-offset: .1rem; }
@media (max-width: 30rem) { dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .5rem; } }
`;
