import { place } from "./api.js";
import { h } from "./dom.js";
import { checkExport, exportPath, formats, importFile } from "./listsapi.js";

/** Export and import of a list, in the formats that the server knows. */
export class ListFiles {
  #format = h("select", { id: "list-format", "aria-label": "Format" });
  #save = h("button", { type: "button", id: "list-export" }, "Export");
  #load = h("button", { type: "button", id: "list-import" }, "Import…");
  #file = h("input", { type: "file", id: "list-file", hidden: true });
  #report = h("div", { class: "report", role: "status", hidden: true });
  element = h("div", { class: "actions" }, this.#format, this.#save, this.#load, this.#file);

  /** @param {() => number} listOf the list that is shown @param {() => void} onChange */
  constructor(listOf, onChange) {
    this.listOf = listOf;
    this.onChange = onChange;
    this.#save.onclick = () => this.#try(() => this.#export());
    this.#load.onclick = () => this.#file.click();
    this.#file.onchange = async () => {
      const [file] = this.#file.files ?? [];
      if (file) await this.#try(() => this.#import(file));
      this.#file.value = "";
    };
  }

  get report() {
    return this.#report;
  }

  async prepare() {
    if (this.#format.options.length) return;
    const known = (await formats()).formats.filter(({ writes }) => writes);
    this.#format.append(...known.map(({ id, title, about }) => h("option", { value: id, title: about }, title)));
  }

  async #export() {
    const [list, format] = [this.listOf(), this.#format.value];
    const { rows, warnings, filename } = await checkExport(list, format);
    h("a", { href: place(exportPath(list, format)), download: filename }).click();
    this.#tell(`${filename}: ${rows} rows.`, warnings);
  }

  /** @param {File} file */
  async #import(file) {
    const { added, merged, skipped, notes } = await importFile(this.listOf(), file, file.name, "auto", true);
    const left = skipped.map(({ line, reason }) => `line ${line}: ${reason}`);
    this.#tell(`${file.name}: ${added} added, ${merged} joined, ${skipped.length} left out.`, [...notes, ...left]);
    this.onChange();
  }

  /** @param {string} text @param {string[]} details */
  #tell(text, details) {
    this.#report.hidden = false;
    this.#report.replaceChildren(h("p", {}, text), h("ul", {}, ...details.map((detail) => h("li", {}, detail))));
  }

  /** @param {() => Promise<void>} act */
  async #try(act) {
    try {
      await act();
    } catch (error) {
      this.#tell(error instanceof Error ? error.message : String(error), []);
    }
  }
}
