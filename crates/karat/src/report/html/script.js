"use strict";
// Sorting, tooltips and arrow keys. The page says everything without it.
(() => {
  const value = (row, column) => {
    const cell = row.cells[column];
    const text = cell.textContent.trim();
    return { number: cell.dataset.key === undefined ? null : Number(cell.dataset.key), text, missing: text === "" || text === "—" };
  };
  // What is missing stays last in either direction; numbers come before words.
  const compare = (a, b, sign) => {
    if (a.missing !== b.missing) return a.missing ? 1 : -1;
    if ((a.number === null) !== (b.number === null)) return a.number === null ? 1 : -1;
    const order = a.number === null ? a.text.localeCompare(b.text, "en", { numeric: true }) : a.number - b.number;
    return sign * order;
  };
  const sort = (head, column) => {
    const direction = head.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
    for (const other of head.parentElement.cells) other.setAttribute("aria-sort", "none");
    head.setAttribute("aria-sort", direction);
    const body = head.closest("table").tBodies[0];
    const rows = [...body.rows].map((row) => ({ row, key: value(row, column) }));
    rows.sort((a, b) => compare(a.key, b.key, direction === "ascending" ? 1 : -1));
    body.append(...rows.map(({ row }) => row));
  };
  for (const head of document.querySelectorAll("thead th")) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    head.setAttribute("aria-sort", "none");
    const column = head.cellIndex;
    button.addEventListener("click", () => sort(head, column));
  }

  const tip = document.createElement("div");
  tip.className = "tip";
  tip.hidden = true;
  tip.setAttribute("aria-hidden", "true");
  document.body.append(tip);
  const hide = () => { tip.hidden = true; };
  const show = (mark) => {
    tip.textContent = mark.getAttribute("aria-label");
    tip.hidden = false;
    const target = (mark.querySelector(".dot, .part") ?? mark).getBoundingClientRect();
    const room = document.documentElement.clientWidth;
    const left = Math.min(Math.max(target.left + target.width / 2 - tip.offsetWidth / 2, 8), room - tip.offsetWidth - 8);
    const above = target.top - tip.offsetHeight - 10;
    const top = above < 4 ? target.bottom + 10 : above;
    // Through the object model: the page's policy forbids style attributes.
    tip.style.left = `${left + window.scrollX}px`;
    tip.style.top = `${top + window.scrollY}px`;
  };
  for (const drawing of document.querySelectorAll("svg")) {
    const marks = [...drawing.querySelectorAll(".mark")];
    marks.forEach((mark, i) => {
      mark.addEventListener("pointerenter", () => show(mark));
      mark.addEventListener("pointerleave", hide);
      mark.addEventListener("focus", () => show(mark));
      mark.addEventListener("blur", hide);
      mark.addEventListener("keydown", (event) => {
        const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
        if (event.key === "Escape") hide();
        if (step === undefined) return;
        event.preventDefault();
        const next = marks[(i + step + marks.length) % marks.length];
        mark.setAttribute("tabindex", "-1");
        next.setAttribute("tabindex", "0");
        next.focus();
      });
    });
  }
})();
