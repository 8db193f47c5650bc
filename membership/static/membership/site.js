// Small kindnesses; everything works without them.

// The sign-up form learns the browser's time zone. Without it the house's own zone is used.
for (const field of document.querySelectorAll("[data-browser-zone]")) {
  field.value = Intl.DateTimeFormat().resolvedOptions().timeZone || "";
}

// A second click on a button sends nothing twice. Coming back to the page makes its forms new.
const sent = new Set();
document.addEventListener("submit", (event) => {
  if (event.defaultPrevented || event.target.method !== "post") return;
  if (sent.has(event.target)) event.preventDefault();
  sent.add(event.target);
});
window.addEventListener("pageshow", () => sent.clear());

// The demo's bar says at once that time moves, and shows how far it has come until the answer is there.
for (const form of document.querySelectorAll("[data-demo-clock]")) {
  const said = form.querySelector("[role=status]");
  const shown = document.querySelector("[data-demo-time]");
  const look = () => fetch(form.action).then((answer) => answer.json()).then((now) => { shown.textContent = now.time; }).catch(() => {});
  let looking;
  const show = (moving) => {
    said.textContent = moving ? said.dataset.said : "";
    for (const button of form.querySelectorAll("button")) button.setAttribute("aria-disabled", moving);
    clearInterval(looking);
    if (moving) looking = setInterval(look, 700);
  };
  form.addEventListener("submit", () => show(true));
  window.addEventListener("pageshow", (event) => { if (event.persisted) show(false); });
}
