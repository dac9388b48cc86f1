
// The pages of a hub. All of it can be read without this script.
{
  const root = new URL(document.body.dataset.root, location.href);

  // A static site does not know its address; where it is on the web, the code to paste has it.
  const placeholder = document.body.dataset.placeholder;
  if (placeholder && /^https?:$/.test(root.protocol)) {
    const address = root.href.replace(/\/$/, "");
    for (const code of document.querySelectorAll("main code")) {
      if (!code.closest(".prose") && code.textContent.includes(placeholder)) {
        code.textContent = code.textContent.replaceAll(placeholder, address);
      }
    }
  }

  // Shows the code for one way of use at a time, in tabs.
  const box = document.querySelector(".snippets");
  const snippets = box ? [...box.querySelectorAll(".snippet")] : [];
  if (snippets.length > 1) {
    const list = document.createElement("div");
    list.className = "tabs";
    list.setAttribute("role", "tablist");
    list.setAttribute("aria-label", "Ways to use the module");
    const tabs = snippets.map((snippet, number) => {
      const tab = document.createElement("button");
      tab.type = "button";
      tab.textContent = snippet.querySelector("h3").textContent;
      tab.id = `tab-${number}`;
      tab.setAttribute("role", "tab");
      snippet.id = `panel-${number}`;
      tab.setAttribute("aria-controls", snippet.id);
      snippet.setAttribute("role", "tabpanel");
      snippet.setAttribute("aria-labelledby", tab.id);
      list.append(tab);
      return tab;
    });
    const select = (chosen) => {
      tabs.forEach((tab, number) => {
        tab.setAttribute("aria-selected", String(number === chosen));
        tab.tabIndex = number === chosen ? 0 : -1;
        snippets[number].hidden = number !== chosen;
      });
    };
    tabs.forEach((tab, number) => tab.addEventListener("click", () => select(number)));
    list.addEventListener("keydown", (event) => {
      const now = tabs.indexOf(document.activeElement);
      const moves = { ArrowRight: now + 1, ArrowLeft: now - 1, Home: 0, End: tabs.length - 1 };
      if (event.key in moves) {
        const next = (moves[event.key] + tabs.length) % tabs.length;
        select(next);
        tabs[next].focus();
        event.preventDefault();
      }
    });
    box.before(list);
    box.classList.add("tabbed");
    select(0);
  }

  const form = document.getElementById("search");
  if (form) {
    const list = document.getElementById("modules");
    const found = document.getElementById("found");
    const none = document.getElementById("none");
    const clear = form.querySelector("button[type=reset]");
    const fields = form.elements;
    const names = ["q", "kind", "format", "size", "publisher", "order"];
    const modules = [...list.children].map((element, number) => ({
      element,
      number,
      name: element.dataset.name.toLowerCase(),
      text: element.textContent.toLowerCase(),
      kinds: (element.dataset.kinds || "other").split("|"),
      format: element.dataset.format,
      publisher: element.dataset.publisher,
      bytes: Number(element.dataset.bytes),
    }));
    const byOrder = {
      "": (a, b) => a.number - b.number,
      name: (a, b) => (a.name < b.name ? -1 : 1),
      size: (a, b) => a.bytes - b.bytes,
    };
    let order = "";

    const matches = (module, words, [least, most]) =>
      (!fields.kind.value || module.kinds.includes(fields.kind.value)) &&
      (!fields.format.value || module.format === fields.format.value) &&
      (!fields.publisher.value || module.publisher === fields.publisher.value) &&
      module.bytes >= least &&
      module.bytes < most &&
      words.every((word) => module.text.includes(word));

    const update = () => {
      const words = fields.q.value.toLowerCase().split(/\s+/).filter(Boolean);
      const [least, most] = fields.size.value.split("-").map(Number);
      const range = [least || 0, most || Infinity];
      let count = 0;
      for (const module of modules) {
        module.element.hidden = !matches(module, words, range);
        count += !module.element.hidden;
      }
      if (fields.order.value !== order) {
        order = fields.order.value;
        list.append(...[...modules].sort(byOrder[order]).map((module) => module.element));
      }
      const total = modules.length;
      const noun = total === 1 ? "module" : "modules";
      const text = count === total ? `${total} ${noun}` : `${count} of ${total} ${noun}`;
      if (found.textContent !== text) found.textContent = text;
      none.hidden = count > 0;
      const state = new URLSearchParams();
      for (const name of names) {
        if (fields[name].value) state.set(name, fields[name].value);
      }
      clear.hidden = !state.size;
      // So that a search can be bookmarked, and is still there after a look at a module.
      history.replaceState(null, "", state.size ? `#${state}` : "#");
    };

    const restore = () => {
      const state = new URLSearchParams(location.hash.slice(1));
      for (const name of names) {
        fields[name].value = state.get(name) ?? "";
        // A select has no value for what the hub does not have.
        if (fields[name].value === "" && fields[name].options) fields[name].selectedIndex = 0;
      }
      update();
    };

    // Descriptions and the inputs and outputs of signatures are searched too, once they are here.
    let asked = false;
    const loadTexts = async () => {
      if (asked || location.protocol === "file:") return;
      asked = true;
      try {
        const answer = await fetch(form.dataset.texts);
        const { texts } = await answer.json();
        for (const module of modules) module.text += ` ${texts[module.element.dataset.name] ?? ""}`;
        update();
      } catch {
        // Names, summaries and signatures can be searched without it.
      }
    };

    form.hidden = false;
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("input", update);
    form.addEventListener("change", update);
    form.addEventListener("reset", () => setTimeout(() => { update(); fields.q.focus(); }));
    fields.q.addEventListener("focus", loadTexts);
    fields.q.addEventListener("keydown", (event) => {
      if (event.key === "Enter") {
        event.preventDefault();
        list.querySelector(".card:not([hidden]) a")?.focus();
      }
      if (event.key === "Escape") {
        fields.q.value = "";
        update();
      }
    });
    document.addEventListener("keydown", (event) => {
      const typing = event.target.closest?.("input:not([type=radio]), select, textarea");
      if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
        event.preventDefault();
        fields.q.focus();
      }
    });
    addEventListener("hashchange", restore);
    restore();
    if (fields.q.value) loadTexts();
  }
}
