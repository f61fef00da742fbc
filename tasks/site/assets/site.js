// The theme, the search, filters of long tables, and the lineage graph. What comes from data is put in as text, never
// as HTML.
"use strict";

const root = document.documentElement;
const base = root.dataset.root;

// ── theme ──
{
  const button = document.getElementById("theme");
  const dark = () => (root.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const tell = () => button.setAttribute("aria-pressed", String(dark()));
  button.addEventListener("click", () => {
    root.dataset.theme = dark() ? "light" : "dark";
    try { localStorage.setItem("everspring-theme", root.dataset.theme); } catch { /* for this page only */ }
    tell();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", tell);
  tell();
}

// ── search ──
{
  const MOST = 40;
  const box = document.getElementById("search"), found = document.getElementById("found");
  const count = document.getElementById("count"), list = found.querySelector("ul");
  const weight = { table: 0, method: 1, row: 2 };
  let index = null, asked = false;

  const load = () => {
    if (asked) return;
    asked = true;
    const script = document.createElement("script");
    script.src = `${base}data/search.js`;
    script.addEventListener("load", () => {
      index = window.EVERSPRING_INDEX.map(([kind, name, text, page]) =>
        ({ kind, name, text, page, lower: `${name} ${text}`.toLowerCase(), title: name.toLowerCase() }));
      show();
    });
    script.addEventListener("error", () => { count.textContent = "The index cannot be read."; });
    document.head.append(script);
  };
  const close = () => { found.hidden = true; box.setAttribute("aria-expanded", "false"); };
  const rank = (entry, words) =>
    weight[entry.kind] + (words.every((word) => entry.title.includes(word)) ? 0 : 3) + (entry.title === words[0] ? -5 : 0);

  const show = () => {
    const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    if (!words.length) { close(); return; }
    found.hidden = false;
    box.setAttribute("aria-expanded", "true");
    list.replaceChildren();
    if (!index) { count.textContent = "Reading the index …"; return; }
    const hits = index.filter((entry) => words.every((word) => entry.lower.includes(word)));
    hits.sort((one, other) => rank(one, words) - rank(other, words));
    count.textContent = hits.length
      ? `${hits.length.toLocaleString("en")} found${hits.length > MOST ? `, the first ${MOST} are shown` : ""}`
      : "Nothing is called so, and no sample row says so.";
    for (const entry of hits.slice(0, MOST)) {
      const item = document.createElement("li"), link = document.createElement("a");
      const kind = document.createElement("span"), name = document.createElement("b"), text = document.createElement("span");
      link.href = base + entry.page;
      kind.className = "badge quiet";
      kind.textContent = entry.kind;
      name.textContent = entry.name;
      text.className = "begins";
      text.dir = "auto";
      text.textContent = entry.text;
      link.append(kind, " ", name, text);
      item.append(link);
      list.append(item);
    }
  };

  box.addEventListener("focus", () => { load(); show(); });
  box.addEventListener("input", () => { load(); show(); });
  document.addEventListener("keydown", (event) => {
    const inside = found.contains(event.target) || event.target === box;
    if (event.key === "/" && !event.target.matches("input, textarea, select")) {
      event.preventDefault();
      box.focus();
      box.select();
    } else if (event.key === "Escape" && inside) {
      close();
      box.focus();
      close();
    } else if (inside && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      const links = [box, ...list.querySelectorAll("a")];
      const at = links.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
      if (!found.hidden && links[at]) { event.preventDefault(); links[at].focus(); }
    } else if (event.target === box && event.key === "Enter") {
      list.querySelector("a")?.click();
    }
  });
  document.addEventListener("pointerdown", (event) => {
    if (!event.target.closest(".search")) close();
  });
  document.querySelector(".search").addEventListener("focusout", (event) => {
    if (event.relatedTarget && !event.relatedTarget.closest(".search")) close();
  });
}

// ── filters of long tables ──
for (const box of document.querySelectorAll("[data-filter]")) {
  const rows = [...document.querySelectorAll(`#${box.dataset.filter} tbody tr`)];
  const texts = rows.map((row) => row.textContent.toLowerCase());
  const told = box.parentElement.querySelector("[role=status]");
  box.parentElement.hidden = false;
  box.addEventListener("input", () => {
    const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    rows.forEach((row, at) => {
      row.hidden = !words.every((word) => texts[at].includes(word));
      shown += !row.hidden;
    });
    told.textContent = words.length ? `${shown} of ${rows.length}` : "";
  });
}

// ── lineage graphs: drag or pinch to move, buttons or Ctrl and the wheel to zoom, Tab from table to table ──
for (const figure of document.querySelectorAll("figure.graph")) {
  const canvas = figure.querySelector(".canvas"), svg = figure.querySelector("svg"), room = 12;
  const whole = { x: -room, y: -room, w: +figure.dataset.width + 2 * room, h: +figure.dataset.height + 2 * room };
  let view = { ...whole };
  const nodes = [...svg.querySelectorAll(".node")], edges = [...svg.querySelectorAll(".edges path")];
  const size = () => canvas.getBoundingClientRect();
  canvas.style.height = `${Math.min(size().height, Math.max(140, whole.h + 2 * room))}px`; // a small graph needs no more
  const draw = () => svg.setAttribute("viewBox", `${view.x} ${view.y} ${view.w} ${view.h}`);
  const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

  const shape = (width) => {
    const box = size(), ratio = box.width ? box.height / box.width : 0.5; // a page that is being left has no size
    return { w: width, h: width * ratio };
  };
  // Whole where it can be read whole (two thirds of the usual size, or larger), else its beginning.
  const fit = () => {
    const box = size(), readable = box.width / 0.66;
    const width = Math.max(whole.w, (whole.h * box.width) / box.height, box.width);
    Object.assign(view, shape(Math.min(width, Math.max(readable, box.width))));
    view.x = whole.w < view.w ? whole.x - (view.w - whole.w) / 2 : whole.x;
    view.y = whole.h < view.h ? whole.y - (view.h - whole.h) / 2 : whole.y;
    draw();
  };
  const keep = () => {
    view.x = clamp(view.x, whole.x - view.w * 0.8, whole.x + whole.w - view.w * 0.2);
    view.y = clamp(view.y, whole.y - view.h * 0.8, whole.y + whole.h - view.h * 0.2);
  };
  const zoom = (factor, x = 0.5, y = 0.5) => {
    const width = clamp(view.w * factor, 240, Math.max(whole.w, size().width) * 2), made = shape(width);
    view = { x: view.x + (view.w - made.w) * x, y: view.y + (view.h - made.h) * y, ...made };
    keep();
    draw();
  };
  const centre = (node) => {
    view.x = +node.dataset.x + 104 - view.w / 2;
    view.y = +node.dataset.y + 23 - view.h / 2;
    draw();
  };
  const seen = (node) => {
    const x = +node.dataset.x, y = +node.dataset.y;
    return x >= view.x && y >= view.y && x + 208 <= view.x + view.w && y + 46 <= view.y + view.h;
  };

  figure.querySelector(".tools").hidden = false;
  figure.querySelector(".tools").addEventListener("click", (event) => {
    const what = event.target.closest("button")?.dataset.do;
    if (what === "in") zoom(1 / 1.4);
    if (what === "out") zoom(1.4);
    if (what === "fit") { view = { ...whole, ...shape(Math.max(whole.w, (whole.h * size().width) / size().height)) }; draw(); }
  });
  canvas.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    const box = size();
    zoom(event.deltaY > 0 ? 1.15 : 1 / 1.15, (event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
  }, { passive: false });

  const fingers = new Map();
  let moved = 0, apart = 0, middle = null;
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    fingers.set(event.pointerId, event);
    moved = apart = 0;
    middle = null;
  });
  canvas.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (!before) return;
    fingers.set(event.pointerId, event);
    const box = size(), [one, other] = [...fingers.values()];
    if (other) { // one finger moves the page up and down; two move and zoom the graph
      const now = Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
      const at = { x: (one.clientX + other.clientX) / 2, y: (one.clientY + other.clientY) / 2 };
      if (apart) {
        view.x -= ((at.x - middle.x) * view.w) / box.width;
        view.y -= ((at.y - middle.y) * view.h) / box.height;
        zoom(apart / now, (at.x - box.left) / box.width, (at.y - box.top) / box.height);
      }
      apart = now;
      middle = at;
      return;
    }
    moved += Math.abs(event.clientX - before.clientX) + Math.abs(event.clientY - before.clientY);
    if (moved > 4 && !canvas.hasPointerCapture(event.pointerId)) canvas.setPointerCapture(event.pointerId);
    view.x -= ((event.clientX - before.clientX) * view.w) / box.width;
    view.y -= ((event.clientY - before.clientY) * view.h) / box.height;
    keep();
    draw();
  });
  for (const end of ["pointerup", "pointercancel", "pointerleave"]) {
    canvas.addEventListener(end, (event) => fingers.delete(event.pointerId));
  }
  canvas.addEventListener("click", (event) => { if (moved > 4) { event.preventDefault(); moved = 0; } }, true);
  canvas.addEventListener("dragstart", (event) => event.preventDefault());
  canvas.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (step) { view.x += step[0] * view.w * 0.1; view.y += step[1] * view.h * 0.1; keep(); draw(); }
    else if (event.key === "+" || event.key === "=") zoom(1 / 1.2);
    else if (event.key === "-") zoom(1.2);
    else return;
    event.preventDefault();
  });

  // What a table was made from, and what was made of it, however far, stands out.
  const walk = (start, from, to) => {
    const reached = new Set([start]);
    for (let grown = true; grown;) {
      grown = false;
      for (const edge of edges) {
        if (reached.has(edge.dataset[from]) && !reached.has(edge.dataset[to])) { reached.add(edge.dataset[to]); grown = true; }
      }
    }
    return reached;
  };
  const light = (node) => {
    const up = walk(node.dataset.node, "to", "from"), down = walk(node.dataset.node, "from", "to");
    svg.classList.add("lit");
    for (const each of nodes) each.classList.toggle("on", up.has(each.dataset.node) || down.has(each.dataset.node));
    for (const edge of edges) {
      const { from, to } = edge.dataset;
      edge.classList.toggle("on", (up.has(from) && up.has(to)) || (down.has(from) && down.has(to)));
    }
  };
  const dim = () => svg.classList.remove("lit");
  for (const node of nodes) {
    node.addEventListener("pointerenter", () => light(node));
    node.addEventListener("pointerleave", dim);
    node.addEventListener("focus", () => {
      light(node);
      canvas.scrollLeft = canvas.scrollTop = 0; // the browser scrolls to what is focused; the view moves instead
      if (!seen(node)) centre(node);
    });
    node.addEventListener("blur", dim);
  }
  fit();
  const mark = svg.querySelector(".mark");
  if (mark && !seen(mark)) centre(mark);
  new ResizeObserver(() => { Object.assign(view, shape(view.w)); draw(); }).observe(canvas);
}
