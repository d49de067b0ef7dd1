// Charts: the static drawing stays until the live one stands. The interpreter (ast) needs no eval.
function specification(figure, text = figure.querySelector("script").textContent) {
  const spec = JSON.parse(text);
  for (const [name, rows] of Object.entries(spec.datasets)) if (rows.columns) spec.datasets[name] = unpacked(rows);
  const { rows } = spec.datasets;
  if (rows.columns_of_csv) spec.datasets.rows = daysOf(figure, rows, spec.layer[0].encoding.color.scale.domain);
  return spec;
}
// Large datasets come by column: the column's different values, and which of them each row has.
function unpacked({ columns }) {
  const [[, [, first]]] = Object.entries(columns);
  const at = (n) => Object.entries(columns).map(([key, [values, places]]) => [key, values[places[n]]]);
  return first.map((_, n) => Object.fromEntries(at(n)));
}
// Costs by day come as the figure's own CSV: a row for each day, a column for each component.
function daysOf(figure, { days, columns_of_csv }, parts) {
  const csv = decodeURIComponent(figure.querySelector("a[download]").href.replace(/^[^,]*,/, ""));
  const lines = csv.trimEnd().split("\n").slice(-days); // above them, names may break lines
  return lines.flatMap((line) => {
    const [day, ...amounts] = line.split(",");
    const known = columns_of_csv.map((column, n) => [...column, amounts[n]]).filter(([, , , usd]) => usd);
    return known.map(([component, agent, rank, usd]) => {
      const shown = `$${usd}`.replace("$-", "−$");
      return { day, component, agent, rank, part: parts[rank], usd: Number(usd), shown };
    });
  });
}
async function draw(figure) {
  const live = figure.querySelector(".live");
  const spec = specification(figure);
  spec.config.legend.columns = live.clientWidth < 440 ? 2 : live.clientWidth < 620 ? 3 : 4;
  await vegaEmbed(live, spec, {
    actions: false,
    ast: true,
    defaultStyle: false,
    renderer: "svg",
    tooltip: { disableDefaultStyle: true },
  });
  live.removeAttribute("aria-hidden");
  figure.classList.add("drawn");
}
Promise.all(Array.from(document.querySelectorAll("figure"), draw)).then(
  () => document.documentElement.classList.add("ready"),
  (error) => console.error(error),
);

// Tables: a header sorts its column; rows without a value stay last.
function value(row, column) {
  const cell = row.cells[column];
  const exact = (cell.dataset.value ?? cell.title).replace("−", "-").replace(/[$,]/g, "");
  const number = exact === "" ? NaN : Number(exact);
  return Number.isNaN(number) ? cell.textContent.trim() : number;
}
function compare(a, b) {
  if (typeof a === typeof b) return typeof a === "number" ? a - b : a.localeCompare(b, "en", { numeric: true });
  return typeof a === "number" ? -1 : 1;
}
function sort(table, header) {
  const headers = table.tHead.rows[table.tHead.rows.length - 1].cells;
  const down = header.classList.contains("n") ? header.ariaSort !== "descending" : header.ariaSort === "ascending";
  for (const other of headers) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", down ? "descending" : "ascending");
  const rows = Array.from(table.tBodies[0].rows, (row) => [value(row, header.cellIndex), row]);
  rows.sort(([a], [b]) => (typeof a === typeof b && down ? -compare(a, b) : compare(a, b)));
  table.tBodies[0].append(...rows.map(([, row]) => row));
}
for (const header of document.querySelectorAll(".sortable th[data-sort]")) {
  const button = document.createElement("button");
  button.type = "button";
  button.append(...header.childNodes);
  button.addEventListener("click", () => sort(header.closest("table"), header));
  header.append(button);
}

// Tables that do not fit their place become stacked rows; a table that is sorted or unfolded later is looked at again.
function fit(box) {
  const table = box.querySelector("table");
  table.classList.remove("stacked");
  table.classList.toggle("stacked", box.scrollWidth > box.clientWidth + 1);
}
const boxes = Array.from(document.querySelectorAll(".scroller"));
const fitting = new ResizeObserver((seen) => seen.forEach(({ target }) => fit(target)));
for (const box of boxes) fitting.observe(box);
