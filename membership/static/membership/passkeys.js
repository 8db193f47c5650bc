// Passkeys. A form with data-passkey says what it does: "log-in" (asks the server for a challenge), "show" and "make"
// (their challenge stands in the page as #passkey-options). The answer goes into its field "credential".
(() => {
  const { webauthnJSON } = window;
  const trouble = document.querySelector("[data-passkey-trouble]");

  const pageOptions = () => JSON.parse(document.getElementById("passkey-options").textContent);

  async function challenge(form) {
    const answer = await fetch(form.action, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(`challenge: ${answer.status}`);
    return (await answer.json()).request_options;
  }

  function alone(options, form) {
    const box = form.elements.passwordless;
    const wanted = Boolean(box?.checked);
    const selection = (options.publicKey.authenticatorSelection ??= {});
    selection.residentKey = wanted ? "required" : "discouraged";
    selection.requireResidentKey = wanted;
    if (wanted) selection.userVerification = "required";
    return options;
  }

  const acts = {
    "log-in": async (form) => webauthnJSON.get(await challenge(form)),
    show: (form) => webauthnJSON.get(pageOptions().request_options),
    make: (form) => webauthnJSON.create(alone(pageOptions().creation_options, form)),
  };

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    if (!window.PublicKeyCredential) continue;
    form.hidden = false;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const button = form.querySelector("button");
      button.disabled = true;
      trouble.hidden = true;
      try {
        form.elements.credential.value = JSON.stringify(await acts[form.dataset.passkey](form));
        form.submit();
      } catch (error) {
        console.warn("passkey:", error.name);
        trouble.hidden = false;
        button.disabled = false;
      }
    });
  }
})();
