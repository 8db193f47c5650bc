// Keys for hands that stay on the keyboard: / finds, j and k move through rows, t is Today, ? tells them all.
// Everything works without them.
const box = document.getElementById("find");
const rows = [...document.querySelectorAll("table[data-rows] tbody a, [data-row]")];

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("dialog")) return;
  if (event.target.closest("input, textarea, select")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (event.key === "/") {
    event.preventDefault();
    box.focus();
    box.select();
  }
  if (event.key === "?") document.getElementById("keys").showModal();
  if (event.key === "t") document.getElementById("today").click();
  const step = { j: 1, k: -1 }[event.key];
  if (!step || !rows.length) return;
  const here = rows.indexOf(document.activeElement);
  rows[Math.min(Math.max(here + step, 0), rows.length - 1)].focus();
});
