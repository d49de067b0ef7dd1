// Links to folded parts open them: a component's models, a figure's query.
function unfold() {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target instanceof HTMLDetailsElement) target.open = true;
}
addEventListener("hashchange", unfold);
unfold();

// The filter: rows, folded parts and charts of one agent or component.
const form = document.querySelector("form.filter");
const figures = ["days", "heat"].map((id) => document.getElementById(`figure-${id}`)).filter(Boolean);
const whole = new Map(figures.map((figure) => [figure, figure.querySelector("script").textContent]));
function chosen(entry, wanted) {
  return Object.entries(wanted).every(([name, value]) => !value || entry[name] === value);
}
// The anomalies of the components that are left, on their bars, on an axis that suits small amounts too.
function fitDays({ datasets, layer }) {
  const left = new Set(datasets.rows.map((row) => row.component));
  datasets.anomalies = datasets.anomalies?.filter((mark) => left.has(mark.component)) ?? [];
  if (!datasets.anomalies.length) layer.splice(2); // Vega warns of marks without data
  for (const mark of datasets.anomalies)
    mark.usd = datasets.rows.reduce((sum, row) => sum + (row.day === mark.day ? row.usd : 0), 0);
  layer[0].encoding.y.axis.format = "$,.3~r";
}
// The heat map's rows that are left.
function fitHeat(spec) {
  const left = new Set(spec.datasets.rows.map((row) => row.row));
  for (const { encoding } of spec.layer) {
    const { scale } = encoding.y;
    scale.domain = scale.domain.filter((name) => left.has(name));
    spec.height = 26 * scale.domain.length;
  }
}
async function filter() {
  const wanted = Object.fromEntries(new FormData(form));
  let shown = 0;
  for (const part of document.querySelectorAll("#where .filtered tbody tr, details.filtered")) {
    part.hidden = !chosen(part.dataset, wanted);
    shown += part instanceof HTMLDetailsElement && !part.hidden;
  }
  form.querySelector("output").textContent = wanted.agent || wanted.component ? `${shown} components shown` : "";
  for (const [figure, text] of whole) {
    const spec = specification(figure, text);
    spec.datasets.rows = spec.datasets.rows.filter((row) => chosen(row, wanted));
    if (wanted.agent || wanted.component) (figure.id === "figure-days" ? fitDays : fitHeat)(spec);
    figure.hidden = !spec.datasets.rows.length; // its components are among the "other" ones
    if (figure.hidden) continue;
    figure.querySelector("script").textContent = JSON.stringify(spec);
    await draw(figure);
  }
}
form.hidden = false;
form.addEventListener("change", filter);

// A click on a chart's component opens its models and days.
for (const figure of figures) {
  figure.querySelector(".live").addEventListener("click", (event) => {
    const { component, agent } = event.target.__data__?.datum ?? {};
    const parts = Array.from(document.querySelectorAll("details.component"));
    const part = parts.find((d) => chosen(d.dataset, { component, agent }));
    if (!component || !part) return;
    part.open = true;
    part.scrollIntoView({ block: "center" });
    part.querySelector("summary").focus({ preventScroll: true });
  });
}
