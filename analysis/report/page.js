"use strict";
// Everything shown comes from the JSON in the page; texts of users become text nodes, never markup.
const report = JSON.parse(document.getElementById("data").textContent);
const colours = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"];
const symbols = ["circle", "square", "triangle-up", "diamond", "cross", "x", "star", "circle-open", "square-open", "diamond-open"];
const barColours = ["#0072B2", "#E69F00", "#000000", "#56B4E9", "#D55E00"];
const barWidths = [12, 8, 4];
const dashes = ["solid", "dash", "dot", "dashdot"];

function element(tag, text, parent, className) {
  const made = document.createElement(tag);
  if (text !== undefined && text !== null) made.textContent = text;
  if (className) made.className = className;
  if (parent) parent.appendChild(made);
  return made;
}

function shown(value, column) {
  if (value === null || value === undefined || value === "") return "–";
  if (column.kind === "integer") return Number(value).toLocaleString("en-US");
  if (column.kind === "number") return Number(value).toPrecision(4).replace(/\.?0+(e|$)/, "$1");
  return String(value);
}

const compare = (a, b) => {
  const missing = x => x === null || x === undefined || x === "";
  if (missing(a) || missing(b)) return missing(a) - missing(b);
  return typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));
};

function addTable(table, parent) {
  const most = 200;
  if (table.title) element("h3", table.title, parent);
  if (table.note) element("p", table.note, parent, "note");
  const scroll = element("div", null, parent, "scroll");
  const grid = element("table", null, scroll);
  const head = element("tr", null, element("thead", null, grid));
  const body = element("tbody", null, grid);
  let rows = table.rows.slice();
  let all = rows.length <= most;
  const fill = () => {
    body.replaceChildren();
    for (const row of all ? rows : rows.slice(0, most)) {
      const line = element("tr", null, body);
      row.forEach((cell, i) => element("td", shown(cell, table.columns[i]), line, table.columns[i].kind === "text" ? "" : "number"));
    }
  };
  table.columns.forEach((column, i) => {
    const cell = element("th", column.name, head);
    cell.tabIndex = 0;
    const sort = () => {
      const down = cell.getAttribute("aria-sort") === "ascending";
      for (const other of head.children) other.removeAttribute("aria-sort");
      cell.setAttribute("aria-sort", down ? "descending" : "ascending");
      rows.sort((a, b) => {
        const order = compare(a[i], b[i]);
        const missing = [a[i], b[i]].some(x => x === null);
        return down && !missing ? -order : order;
      });
      fill();
    };
    cell.onclick = sort;
    cell.onkeydown = event => { if (event.key === "Enter") sort(); };
  });
  if (!all) {
    const tools = element("div", null, parent, "tools");
    const more = element("button", `show all ${rows.length} rows (${most} shown)`, tools);
    more.onclick = () => { all = true; more.remove(); fill(); };
  }
  fill();
}

function traceOf(series, number) {
  const colour = colours[number % colours.length];
  const trace = { type: "scatter", name: series.name, x: series.x, y: series.y, text: series.text,
    hovertemplate: "%{text}<br>%{x:.6g}, %{y:.6g}<extra>" + series.name.replace(/[<>&%{}]/g, " ") + "</extra>" };
  if (series.text.length === 0) delete trace.text, trace.hovertemplate = trace.hovertemplate.replace("%{text}<br>", "");
  const many = series.x.length > 200;
  switch (series.look) {
    case "points_and_line":
      return { ...trace, mode: "lines+markers", line: { color: colour, width: 1.5, dash: dashes[Math.floor(number / symbols.length) % dashes.length] },
        marker: { symbol: symbols[number % symbols.length], size: 8, color: colour } };
    case "points":
      return { ...trace, mode: "markers", marker: { symbol: symbols[number % symbols.length], size: many ? 4 : 8, color: colour } };
    case "line":
      return { ...trace, mode: "lines+markers", line: { color: colour, width: 1.5, dash: dashes[Math.floor(number / symbols.length) % dashes.length] },
        marker: { symbol: symbols[number % symbols.length], size: 8, color: colour, maxdisplayed: 8 } };
    case "segments":
      return { ...trace, mode: "lines", line: { color: barColours[number % barColours.length], width: barWidths[number % barWidths.length] } };
    case "band":
      return { ...trace, mode: "lines", line: { color: "#BBBBBB", width: 7 } };
    case "contour":
      return { ...trace, mode: "lines", showlegend: false, line: { color: "#888888", width: 1 } };
    case "backdrop":
      return { ...trace, mode: "markers", marker: { symbol: "circle-open", size: 9, color: "#999999" } };
    default:
      return { ...trace, mode: "lines", line: { color: "#000000", width: 1.5, dash: "dash" } };
  }
}

function axisOf(axis) {
  const made = { title: { text: axis.label.replace(/[<>&]/g, " ") }, type: axis.logarithmic ? "log" : "linear", gridcolor: "#E4E4E4",
    zeroline: false, showline: true, linecolor: "#444", ticks: "outside", exponentformat: "power", automargin: true };
  if (axis.logarithmic) made.dtick = undefined, made.nticks = 8;
  if (axis.categories.length > 0) Object.assign(made, { tickvals: axis.categories.map((_, i) => i), ticktext: axis.categories, autorange: "reversed" });
  return made;
}

function download(name, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

function addFigure(figure, parent) {
  const box = element("div", null, parent, "figure");
  element("h3", figure.title, box);
  if (figure.note) element("p", figure.note, box, "note");
  const tools = element("div", null, box, "tools");
  const plot = element("div", null, box, "plot");
  plot.id = figure.name;
  let number = 0;
  const traces = figure.series.map(series => traceOf(series, ["band", "law", "backdrop", "contour"].includes(series.look) ? 0 : number++));
  const layout = { xaxis: axisOf(figure.x), yaxis: axisOf(figure.y), margin: { l: 70, r: 20, t: 10, b: 60 }, paper_bgcolor: "#fff", plot_bgcolor: "#fff",
    font: { family: "DejaVu Sans, sans-serif", size: 13 }, legend: { font: { size: 11 } }, showlegend: figure.series.length > 1, hovermode: "closest" };
  Plotly.newPlot(plot, traces, layout, { responsive: true, displaylogo: false });
  for (const name of ["x", "y"]) {
    if (figure[name].categories.length > 0 || !figure[name].positive) continue;
    const button = element("button", `${name}: linear / logarithmic`, tools);
    button.onclick = () => {
      const key = name + "axis";
      Plotly.relayout(plot, { [key + ".type"]: plot.layout[key].type === "log" ? "linear" : "log", [key + ".autorange"]: true });
    };
  }
  element("button", "data as CSV", tools).onclick = () => download(figure.name + ".csv", figure.csv);
}

function addSection(section) {
  const box = element("section", null, document.getElementById("content"));
  box.id = section.id;
  element("h2", section.title, box);
  const link = element("a", section.title, document.querySelector("nav"));
  link.href = "#" + section.id;
  for (const note of section.notes) element("p", note, box, "note");
  for (const warning of section.warnings) element("p", warning, box, "warning");
  for (const table of section.tables) addTable(table, box);
  for (const figure of section.figures) addFigure(figure, box);
  for (const text of section.texts) element("pre", text, box);
  if (section.samples.length > 0) {
    const samples = element("div", null, box, "samples");
    for (const sample of section.samples) {
      const figure = element("figure", null, samples);
      const image = element("img", null, figure);
      image.src = sample.image;
      image.alt = sample.caption;
      element("figcaption", sample.caption, figure);
    }
  }
}

document.querySelector("h1").textContent = report.title;
document.title = report.title;
document.getElementById("subtitle").textContent = report.subtitle;
report.sections.forEach(addSection);
window.addEventListener("beforeprint", () => document.querySelectorAll(".plot").forEach(plot => Plotly.Plots.resize(plot)));
document.body.dataset.ready = "yes";
