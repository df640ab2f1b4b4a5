// Completion in the query box: a list below it, by keys or mouse.
import { el, fill } from "./dom.js";
import { contextAt } from "./context.js";
import { suggest } from "./suggest.js";

export class Completion {
  constructor(input) {
    this.input = input;
    this.options = [];
    this.at = -1;
    this.turn = 0;
    this.written = false;
    this.list = el("ul.options", { id: "options", role: "listbox", "aria-label": "Completions", hidden: true });
    const about = { role: "combobox", "aria-autocomplete": "list", "aria-controls": "options", "aria-expanded": "false", "aria-haspopup": "listbox" };
    for (const [name, value] of Object.entries(about)) input.setAttribute(name, value);
    input.addEventListener("input", () => {
      if (!this.written) this.update();
    });
    input.addEventListener("click", () => this.close());
    input.addEventListener("blur", () => this.close());
    this.list.addEventListener("pointerdown", (e) => e.preventDefault()); // the box keeps the focus
    this.list.addEventListener("click", (e) => {
      const li = e.target.closest("li");
      if (li) this.accept(Number(li.dataset.index));
    });
  }

  get open() {
    return !this.list.hidden;
  }

  async update() {
    const turn = ++this.turn;
    const { value, selectionStart } = this.input;
    const context = contextAt(value, selectionStart);
    let options = [];
    try {
      options = await suggest(context, value);
    } catch {
      // without an answer there is nothing to offer; the query itself will tell
    }
    if (turn !== this.turn || document.activeElement !== this.input) return;
    if (options.length === 1 && options[0].word === context.word && options[0].kind !== "function") options = [];
    this.context = context;
    this.show(options);
  }

  show(options) {
    this.options = options;
    fill(this.list, options.map((o, i) => el("li", { id: `option-${i}`, role: "option", "data-index": i, "aria-selected": "false" },
      el("span.word", {}, o.word.slice(0, o.at), el("mark", {}, o.word.slice(o.at, o.at + o.length)), o.word.slice(o.at + o.length)),
      el("span.about", {}, o.about), el("span.kind", {}, o.kind))));
    this.list.hidden = !options.length;
    this.input.setAttribute("aria-expanded", String(options.length > 0));
    this.select(options.length ? 0 : -1);
  }

  close() {
    this.turn++;
    if (this.open) this.show([]);
  }

  select(i) {
    this.at = i;
    [...this.list.children].forEach((li, n) => li.setAttribute("aria-selected", String(n === i)));
    const li = this.list.children[i];
    if (!li) return this.input.removeAttribute("aria-activedescendant");
    this.input.setAttribute("aria-activedescendant", li.id);
    li.scrollIntoView({ block: "nearest" });
  }

  // key handles a key and reports whether it was for the list.
  key(e) {
    if (e.key === " " && e.ctrlKey) {
      this.update();
      return true;
    }
    if (!this.open) return false;
    const n = this.options.length;
    const moves = { ArrowDown: this.at + 1, ArrowUp: this.at - 1, PageDown: Math.min(this.at + 8, n - 1), PageUp: Math.max(this.at - 8, 0) };
    if (e.key in moves) this.select((moves[e.key] + n) % n);
    else if (e.key === "Escape") this.close();
    else if (e.key === "Tab" || (e.key === "Enter" && !e.ctrlKey && !e.metaKey && this.changes())) this.accept(this.at);
    else return false;
    return true;
  }

  // changes reports whether accepting would write anything: if not, Enter runs the query.
  changes() {
    const o = this.options[this.at];
    return Boolean(o) && o.word !== this.context.word;
  }

  accept(i) {
    const o = this.options[i];
    const { input, context } = this;
    if (!o) return;
    let to = input.selectionStart;
    const word = context.kind === "value" ? /^[^"'`\n]*/ : /^[\p{L}\p{N}_:.]*/u;
    to += word.exec(input.value.slice(to))[0].length;
    let { insert, caret = 0 } = o;
    const after = input.value.slice(to);
    if (insert.endsWith("()") && after.startsWith("(")) insert = insert.slice(0, -2);
    if (insert.endsWith('=""') && /^\s*[=!]/.test(after)) [insert, caret] = [insert.slice(0, -3), 0];
    if (o.closes && !/^["'`]/.test(after)) insert += input.value[context.from - 1];
    input.setRangeText(insert, context.from, to, "end");
    const end = context.from + insert.length + (insert === o.insert ? caret : 0) + (o.closes && /^["'`]/.test(after) ? 1 : 0);
    input.setSelectionRange(end, end);
    this.close();
    this.written = caret >= 0; // between braces or quotes, the next word is offered at once
    input.dispatchEvent(new Event("input"));
    this.written = false;
  }
}
